"""Words that go with an amount and say its currency, tax, scale or what it is per (data/qualifiers.csv)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from catalogs.inputs import shipped_rows

DATA = Path(__file__).parent / "data"
DENIALS = ("不", "未", "无", "非", "not ", "nicht ")
"""Before a word for prices with tax they say that it is not in them: `报价未含增值税`."""


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """NFKC, lower case, one blank between words; signs kept."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


@lru_cache(maxsize=50_000)
def bare(text: str) -> str:
    """`folded` without blanks and signs: `P/N` -> `pn`, `单 价` -> `单价`."""
    return re.sub(r"[\W_]+", "", folded(text))


@cache
def qualifiers() -> tuple[tuple[str, str, str], ...]:
    """(word, what it sets, value), longest word first."""
    out = []
    for row in shipped_rows(DATA / "qualifiers.csv"):
        out += [(folded(word), row["sets"], row["value"]) for word in row["words"].split("|")]
    return tuple(sorted(out, key=lambda x: (-len(x[0]), x)))


class AnyOf:
    """A pattern of which every find is one of some words: a text that holds none of them is not searched.

    Most texts hold none, and to look for the words as they are is the cheaper of the two."""

    def __init__(self, pattern: re.Pattern[str], words: Iterable[str]) -> None:
        self.pattern = pattern
        kept: list[str] = []
        for word in sorted(set(words), key=len):  # a text with a longer word holds the shorter one in it
            if not any(shorter in word for shorter in kept):
                kept.append(word)
        self._words = tuple(kept)

    def may_be_in(self, text: str) -> bool:
        """Whether the text holds one of the words, as such or inside a longer one; without it there is no find."""
        for word in self._words:  # noqa: SIM110 - half the time of any()
            if word in text:
                return True
        return False

    def search(self, text: str) -> re.Match[str] | None:
        return self.pattern.search(text) if self.may_be_in(text) else None

    def match(self, text: str) -> re.Match[str] | None:
        return self.pattern.match(text) if self.may_be_in(text) else None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self.pattern.finditer(text) if self.may_be_in(text) else iter(())

    def sub(self, new: str | Callable[[re.Match[str]], str], text: str) -> str:
        return self.pattern.sub(new, text) if self.may_be_in(text) else text


def any_of(words: Iterable[str]) -> AnyOf:
    """Any of the words as such, the first that fits: no letter of its own alphabet may touch it; Chinese needs no gap.

    Words that begin with a letter share one look behind: inside a longer word none of them is tried."""
    words = tuple(words)
    after = r"(?![a-zà-öø-ÿ])"
    latin: list[str] = []
    other: list[str] = []
    for w in words:
        ends = after if w[-1].isascii() and w[-1].isalpha() else ""
        (latin if w[0].isascii() and w[0].isalpha() else other).append(f"{re.escape(w)}{ends}")
    whole = re.compile("|".join([*([f"(?<![a-zà-öø-ÿ])(?:{'|'.join(latin)})"] if latin else []), *other]))
    return AnyOf(whole, words)


@cache
def _compiled_qualifiers() -> tuple[AnyOf, dict[str, dict[str, str]]]:
    """What each word sets; one may say two things: `TEUR` is EUR in thousands."""
    found: dict[str, dict[str, str]] = {}
    for w, sets, value in qualifiers():
        found.setdefault(w, {}).setdefault(sets, value)
    return any_of(found), found


def qualified(text: str) -> tuple[str, dict[str, str]]:
    """(the text without what qualifies it, what it sets): `含税单价(元)` -> (`单价()`, tax gross, currency CNY)."""
    pattern, meaning = _compiled_qualifiers()
    sets: dict[str, str] = {}

    def take(m: re.Match[str]) -> str:
        said = meaning[m[0]]
        if said.get("tax") == "gross" and m.string[: m.start()].endswith(DENIALS):
            said = {"tax": "net"}
        if any(sets.get(what, value) != value for what, value in said.items()):
            return m[0]
        sets.update(said)
        return " "

    return re.sub(r"\s+", " ", pattern.sub(take, folded(text))).strip(), sets


def currency_in(text: str) -> str:
    """The code of the currency that a cell of currencies names: of a known word or sign, else three letters that stand
    alone (`ZMW`), which is no currency less for being unknown here; empty where it names none."""
    known = qualified(text)[1].get("currency", "")
    alone = text.strip().upper()
    return known or (alone if re.fullmatch(r"[A-Z]{3}", alone) else "")


@cache
def _currency_words() -> tuple[AnyOf, dict[str, str]]:
    named = {w: value for w, sets, value in qualifiers() if sets == "currency"}
    return any_of(sorted(named, key=lambda w: (-len(w), w))), named


def currencies_in(text: str) -> set[str]:
    """Codes of all currencies that a text names, by sign, word or code; glued codes (`USDCNY`) too."""
    pattern, named = _currency_words()
    plain = folded(text)
    found = {named[m[0]] for m in pattern.finditer(plain)}
    for run in re.findall(r"[a-z]{6,}", plain):
        codes = {run[i : i + 3] for i in range(0, len(run), 3)}
        found |= {named[c] for c in codes} if codes <= set(named) else set()
    return found
