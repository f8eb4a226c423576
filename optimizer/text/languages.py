"""Languages: English source strings are the keys, optimizer/locale/<lang>/LC_MESSAGES/dsopt.mo has the others.

`Words("zh")("Total")` is one word or phrase; `sentence` translates a finished English sentence that carries values, by
the keys with `{placeholders}` that it fits. What has no translation stays English.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from catalogs.message import N_ as N_  # views take it from here
from catalogs.message import PLACE, Message

LOCALE = Path(__file__).parents[1] / "locale"
LANGUAGES = ("en", "zh", "both")
BETWEEN = {", ": "、", " and ": "和", " or ": "或"}
"""What stands between the members of a list."""
SEPARATORS = {**BETWEEN, "; ": "；", ". ": "。", " ": "", ".": "。", "/": "/", ": ": "："}
"""What stands between texts that follow each other."""
STOPS = re.compile(r"(?<=[\w)%])(\. |; |\.$)")
"""What stands between sentences and clauses."""
LETTERS = 7
SENTENCE = 3
"""A value of so many English words may be a sentence itself."""
IN_ROWS = re.compile(r"(.+), rows? ([\d, ]+)")
MOST_CLAUSES = 12
"""A longer text is a list of sentences, of which each is translated by itself."""
ENGLISH = re.compile(r"\b[a-z]{2,}\b")
FITS = {"rows": r"[\d、, -]+", "list": "[^:]+?", "qty": r"\d[\d,]*", "policy": r"[a-z_]+\.[a-z0-9_]+",
        "symbols": r"[a-z0-9_*+]+", "faults": r"[A-Z]+\d+[a-z]?: .+"}  # fmt: skip
"""What a value of these names looks like."""
APART = {"reasons": re.compile(r"(?<=\))\. "), "faults": re.compile(r"; (?=[A-Z]+\d+[a-z]?: )")}
"""What stands between the sentences of a value of these names."""
CHINESE, LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z0-9]")
NUMBERS = re.compile(r"(?<=[A-Za-z0-9])([和或])(?=[A-Za-z0-9])")
BETWEEN_CHINESE = re.compile(r"(?<=[\u4e00-\u9fff，：；、（）]) (?=[\u4e00-\u9fff（）])")


def default_language(environment: Mapping[str, str] = os.environ) -> str:
    """`zh` where the locale says so, else `en`."""
    named = next((v for k in ("LC_ALL", "LC_MESSAGES", "LANG") if (v := environment.get(k))), "")
    return "zh" if named.lower().startswith("zh") else "en"


@cache
def _catalog() -> dict[str, str]:
    """English -> Chinese."""
    found = gettext.translation("dsopt", LOCALE, ["zh"])
    table: dict[str, str] = getattr(found, "_catalog", {})
    return {k: v for k, v in table.items() if k and v}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Keys with placeholders as patterns, those with the most fixed text first; phrases of a few letters that begin
    with a value (`{low} to {high}`) fit too much to be sentences."""
    out = []
    for key, text in _catalog().items():
        pieces = re.split(r"\{\w+\}", key)
        names = PLACE.findall(key)
        begins = pieces[0][:1].isalpha() or names[:1] in (["qty"], ["policy"])
        if names and (begins or sum(map(str.isalpha, "".join(pieces))) >= LETTERS):
            shape = re.escape(pieces[0])
            for i, (name, piece) in enumerate(zip(names, pieces[1:], strict=True)):
                fits = FITS.get(name, ".+?")
                shape += (f"(?P={name})" if name in names[:i] else f"(?P<{name}>{fits})") + re.escape(piece)
            out.append((sum(map(len, pieces)), re.compile(shape, re.DOTALL), text))
    return [(p, text) for _, p, text in sorted(out, key=lambda x: -x[0])]


def _value(name: str, text: str) -> str:
    """A value of a sentence: `{why}` is a sentence itself, `{list}` a list of such (`a, b and c`), `{reasons}` why
    engines don't start a plan, `{faults}` what the rules of one say of it (`V1: a; V8: b`), `{qty}` a number,
    `{policy}` a key of policy, others are words or comma-separated words, those that are keys themselves translated."""
    if name == "why":
        return _zh_text(text)
    if name == "reasons":
        return "；".join(map(_zh_sentence, APART[name].split(text)))
    if name == "faults":
        said = (x.partition(": ") for x in APART[name].split(text))
        return "；".join(f"{rule}：{_zh_sentence(why)}" for rule, _, why in said)
    if name == "list":
        pieces = re.split(r"(, | and | or |/)", text)
        return NUMBERS.sub(r" \1 ", "".join(BETWEEN.get(x) or _zh_sentence(x) for x in pieces))
    if name == "rows":
        return text.replace(", ", "、")
    if name == "line" and IN_ROWS.fullmatch(text):
        return _in_rows(text)
    words = _catalog().get(text) or ", ".join(_catalog().get(x, x) for x in text.split(", "))
    return _zh_sentence(text) if words == text and _english(text) >= SENTENCE else words


def _in_rows(text: str) -> str:
    """`what a quote says, rows 5, 1, 2`."""
    return IN_ROWS.sub(lambda found: f"{found[1]}，第 {found[2].replace(', ', '、')} 行", text)


def _zh_sentence(text: str) -> str:
    """The Chinese of an English sentence with values in it; the sentence itself where there is none."""
    if text in _catalog():
        return _catalog()[text]
    for shape, chinese in _patterns():
        if found := shape.fullmatch(text):
            return _zh_filled(chinese, {k: _value(k, v) for k, v in found.groupdict().items()})
    head, colon, tail = text.partition(": ")
    zh = (_zh_sentence(head), _zh_sentence(tail)) if colon else (head, tail)
    return text if zh == (head, tail) else "：".join(zh)


def _zh_text(text: str) -> str:
    """The Chinese of English sentences and clauses. What looks like an end may stand inside a sentence (a bracket with
    a semicolon in it): clauses are taken together where fewer English words are left then."""
    pieces = [*STOPS.split(text), ""]
    clauses = list(zip(pieces[::2], pieces[1::2], strict=True))
    if len(clauses) > MOST_CLAUSES:
        return "".join(map(_zh_clause, clauses))
    out, at = "", 0
    while at < len(clauses):
        said, end = _zh_clause(clauses[at]), at + 1
        apart = said
        for further in range(at + 1, len(clauses)):
            apart += _zh_clause(clauses[further])
            inside = "".join(clause + stop for clause, stop in clauses[at:further]) + clauses[further][0]
            together = _zh_clause((inside, clauses[further][1]))
            if together != inside + clauses[further][1] and _english(together) < _english(apart):
                said, end = together, further + 1
        out, at = out + said, end
    return out


def _zh_clause(clause: tuple[str, str]) -> str:
    """A clause with what ends it."""
    text, stop = clause
    zh = _zh_sentence(text)
    return zh + (stop if zh == text else {"; ": "；", "": ""}.get(stop, "。"))


def _zh_list(key: str) -> str:
    """The Chinese of a key that only puts texts one after the other; empty where it says more."""
    pieces = re.split(r"(\{\w+\})", key)
    between = [piece for piece in pieces[::2] if piece]
    if len(pieces) < 3 or not set(between) <= set(SEPARATORS):
        return ""
    return "".join(SEPARATORS.get(piece, piece) for piece in pieces)


def _zh_message(said: Message) -> str:
    """The Chinese of a message, by its key; the message in English where there is none."""
    chinese = _catalog().get(said.key) or _zh_list(said.key)
    if not chinese:
        return _zh_text(said)
    values = {
        name: _zh_message(value) if isinstance(value, Message) else _value(name, value)
        for name, value in said.values.items()
    }
    return _zh_filled(chinese, values)


def _zh(text: str) -> str:
    """The Chinese of a message or of a finished English sentence."""
    return _zh_message(text) if isinstance(text, Message) else _zh_sentence(text)


def _english(text: str) -> int:
    """How many English words are left."""
    return len(ENGLISH.findall(text))


def _filled(text: str, values: Mapping[str, object]) -> str:
    return PLACE.sub(lambda m: str(values.get(m[1], m[0])), text) if values else text


def _zh_filled(text: str, values: Mapping[str, object]) -> str:
    """Chinese with values in it: a space stands between a Chinese character and a Latin value, none between two
    Chinese characters."""

    def spaced(place: re.Match[str]) -> str:
        value = str(values.get(place[1], place[0]))
        before, after = text[: place.start()][-1:], text[place.end() :][:1]
        left = " " if CHINESE.match(before) and LATIN.match(value[:1]) else ""
        right = " " if CHINESE.match(after) and LATIN.match(value[-1:]) else ""
        return left + value + right

    return BETWEEN_CHINESE.sub("", PLACE.sub(spaced, text)) if values else text


@dataclass(frozen=True)
class Words:
    """Look-up in one language, or in `both` (Chinese first)."""

    language: str = "en"

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise ValueError(f"no language {self.language!r}")

    @cached_property
    def chinese(self) -> bool:
        """Whether Chinese is written."""
        return self.language != "en"

    def __call__(self, text: str, /, **values: object) -> str:
        """A word or phrase; in both languages `zh / en`. A value that is a key itself is translated too."""
        return self._joined(text, " / ", values)

    def stacked(self, text: str, **values: object) -> str:
        """As two lines in both languages, for table heads and sentences."""
        return self._joined(text, "\n", values)

    def sentence(self, text: str) -> str:
        """A finished English sentence; in both languages two lines."""
        if not self.chinese:
            return text
        zh = _zh(text)
        if zh == text:
            return text
        return zh if self.language == "zh" else f"{zh}\n{text}"

    def text(self, text: str) -> str:
        """Finished English sentences and clauses (`a; b. C.`), each translated by itself."""
        if not self.chinese or text in _catalog() or isinstance(text, Message):
            return self.sentence(text)
        out = _zh_text(text)
        return out if self.language == "zh" or out == text else f"{out}\n{text}"

    @property
    def stop(self) -> str:
        """What ends a sentence."""
        return "。" if self.chinese else "."

    @property
    def colon(self) -> str:
        """What stands between a label and what it labels."""
        return "：" if self.chinese else ": "

    @property
    def comma(self) -> str:
        """What stands before one more clause."""
        return "，" if self.chinese else ", "

    @property
    def apart(self) -> str:
        """What stands between sentences."""
        return "" if self.chinese else " "

    def list(self, texts: Iterable[str], between: str = ", ") -> str:
        """English sentences or words as a list in one language; `between` is `, `, `; ` or ` and `."""
        said = [_zh(x) if self.chinese else x for x in texts]
        return ({", ": "、", "; ": "；", " and ": "，且"}[between] if self.chinese else between).join(said)

    def pair(self, english: str, chinese: str) -> str:
        """A sentence that is at hand in both languages."""
        if self.language == "en" or not chinese:
            return english
        return chinese if self.language == "zh" else f"{chinese}\n{english}"

    def _joined(self, text: str, between: str, values: Mapping[str, object]) -> str:
        en = _filled(text, values)
        words = {k: _in_rows(str(v)) if k == "line" else _catalog().get(str(v), v) for k, v in values.items()}
        zh = _zh_filled(_catalog().get(text, text), words)
        if self.language == "en" or zh == en:
            return en
        return zh if self.language == "zh" else f"{zh}{between}{en}"


_chosen = Words()


def choose(language: str) -> None:
    """Sets the language that the command line speaks."""
    global _chosen
    _chosen = Words(language)


def chosen() -> Words:
    """The language that the command line speaks; English until `choose`."""
    return _chosen
