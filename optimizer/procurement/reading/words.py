"""The words of quotes, as data: row kinds, column names and what qualifies a price (data/*.csv, three languages)."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "data"


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """NFKC, lower case, one blank between words; signs kept."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()


DENIALS = ("不", "未", "无", "非", "not ", "nicht ")
"""Before a word for prices with tax they say that it is not in them: `报价未含增值税`."""


@lru_cache(maxsize=50_000)
def bare(text: str) -> str:
    """`folded` without blanks and signs: `P/N` -> `pn`, `单 价` -> `单价`."""
    return re.sub(r"[\W_]+", "", folded(text))


@cache
def row_words() -> dict[str, tuple[str, ...]]:
    """Words by kind (total, note, service, ...), folded, longest first."""
    out: dict[str, set[str]] = {}
    with (DATA / "row_words.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            out.setdefault(r["kind"], set()).update(folded(w) for w in r["words"].split("|"))
    return {k: tuple(sorted(v, key=lambda w: (-len(w), w))) for k, v in out.items()}


def _fields(key: Callable[[str], str]) -> dict[str, str]:
    """Column name -> field; of two with the same key the first."""
    out: dict[str, str] = {}
    with (DATA / "headers.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            for w in r["words"].split("|"):
                out.setdefault(key(w), r["field"])
    return out


@cache
def synonyms() -> dict[str, str]:
    """Bare column name -> field."""
    return _fields(lambda w: bare(w) or folded(w))


@cache
def verbatim() -> dict[str, str]:
    """Folded column name -> field: `mfr` is a brand, `mfr #` a number of its."""
    return _fields(folded)


@cache
def qualifiers() -> tuple[tuple[str, str, str], ...]:
    """(word, what it sets, value), longest word first."""
    out = []
    with (DATA / "qualifiers.csv").open(encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            out += [(folded(w), r["sets"], r["value"]) for w in r["words"].split("|")]
    return tuple(sorted(out, key=lambda x: (-len(x[0]), x)))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Any of the words as such, the first that fits: no letter of its own alphabet may touch it; Chinese needs no gap.

    Words that begin with a letter share one look behind: inside a longer word none of them is tried."""
    after = r"(?![a-zà-öø-ÿ])"
    latin: list[str] = []
    other: list[str] = []
    for w in words:
        ends = after if w[-1].isascii() and w[-1].isalpha() else ""
        (latin if w[0].isascii() and w[0].isalpha() else other).append(f"{re.escape(w)}{ends}")
    return re.compile("|".join([*([f"(?<![a-zà-öø-ÿ])(?:{'|'.join(latin)})"] if latin else []), *other]))


@cache
def _compiled(kind: str) -> re.Pattern[str]:
    """The words of a kind and those that hold one and mean something else (`服务` in `服务器`), longest first."""
    return _any_of(sorted((*row_words()[kind], *_others(kind)), key=lambda w: (-len(w), w)))


def _others(kind: str) -> tuple[str, ...]:
    return row_words().get(f"not_{kind}", ())


@cache
def _compiled_qualifiers() -> tuple[re.Pattern[str], dict[str, dict[str, str]]]:
    """What each word sets; one may say two things: `TEUR` is EUR in thousands."""
    found: dict[str, dict[str, str]] = {}
    for w, sets, value in qualifiers():
        found.setdefault(w, {}).setdefault(sets, value)
    return _any_of(found), found


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


def has(kind: str, text: str) -> bool:
    """Whether a word of the kind is in the text, as a word."""
    return bool(found(kind, text))


def found(kind: str, text: str) -> str:
    """The first word of the kind in the text; blank without one."""
    return next((m[0] for m in _compiled(kind).finditer(folded(text)) if m[0] not in _others(kind)), "")


def begins(kind: str, text: str) -> bool:
    """Whether the text begins with a word of the kind."""
    m = _compiled(kind).match(folded(text).lstrip("-–•*+ "))
    return m is not None and m[0] not in _others(kind)


def equals(kind: str, text: str) -> bool:
    """Whether the text is a word of the kind, signs and blanks aside."""
    plain = bare(text)
    return bool(plain) and plain in bare_words(kind)


@cache
def bare_words(kind: str) -> frozenset[str]:
    """Words of the kind without blanks and signs."""
    return frozenset(bare(w) for w in row_words()[kind] if bare(w))
