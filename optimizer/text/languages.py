"""Languages: English source strings are the keys, optimizer/locale/<lang>/LC_MESSAGES/dsopt.mo has the others.

`Words("zh")("Total")` is one word or phrase; `sentence` is a message (catalogs/message.py), by its key and its values.
What has no translation stays English.
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
SEPARATORS = {", ": "、", " and ": "和", " or ": "或", "; ": "；", ". ": "。", " ": "", ".": "。", "/": "/", ": ": "："}
"""What stands between texts that follow each other, in Chinese."""
CHINESE, LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z0-9]")
SPACED_PERCENT = re.compile(r"^([+\-−±]?[\d.,]+) %$")
"""A share as English writes it; Chinese has no space there."""
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


def _zh(text: object) -> str:
    """The Chinese of a message by its key, of a word or phrase by itself; in English what has none."""
    if isinstance(text, Message):
        return _zh_message(text)
    return _catalog().get(str(text), str(text))


def _zh_message(said: Message) -> str:
    chinese = _catalog().get(said.key) or _zh_list(said.key)
    return _zh_filled(chinese, {name: _zh(value) for name, value in said.values.items()}) if chinese else str(said)


def _zh_list(key: str) -> str:
    """The Chinese of a key that only puts texts one after the other; empty where it says more."""
    pieces = re.split(r"(\{\w+\})", key)
    between = [piece for piece in pieces[::2] if piece]
    if len(pieces) < 3 or not set(between) <= set(SEPARATORS):
        return ""
    return "".join(SEPARATORS.get(piece, piece) for piece in pieces)


def _filled(text: str, values: Mapping[str, object]) -> str:
    return PLACE.sub(lambda m: str(values.get(m[1], m[0])), text) if values else text


def _zh_filled(text: str, values: Mapping[str, object]) -> str:
    """Chinese with values in it: a space stands between a Chinese character and a Latin value, none between two
    Chinese characters."""

    def spaced(place: re.Match[str]) -> str:
        value = SPACED_PERCENT.sub(r"\1%", str(values.get(place[1], place[0])))
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
        """A message, or a text that is a key itself; in both languages two lines."""
        if not self.chinese:
            return text
        zh = _zh(text)
        if zh == text:
            return text
        return zh if self.language == "zh" else f"{zh}\n{text}"

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
    def semicolon(self) -> str:
        """What stands between clauses that have commas of their own."""
        return "；" if self.chinese else "; "

    def bracketed(self, text: str) -> str:
        """A text as an aside, with what stands before the bracket."""
        return f"（{text}）" if self.chinese else f" ({text})"

    @property
    def apart(self) -> str:
        """What stands between sentences."""
        return "" if self.chinese else " "

    def percent(self, figure: str) -> str:
        """A share: Chinese has no space before the sign."""
        return f"{figure}%" if self.chinese else f"{figure} %"

    def between(self, english: str) -> str:
        """What stands between words or sentences that are translated already, from its English form (`, `, `; `, `: `);
        English where both languages stand."""
        return SEPARATORS[english] if self.language == "zh" else english

    def list(self, texts: Iterable[str], between: str = ", ") -> str:
        """English sentences or words as a list in one language; `between` is `, `, `; ` or, of clauses, ` and `."""
        if not self.chinese:
            return between.join(texts)
        if between != " and ":
            return SEPARATORS[between].join(map(_zh, texts))
        # A clause may begin with a figure, which stands apart from the word before it.
        return "".join(
            _zh_filled("，且{clause}", {"clause": clause}) if place else clause
            for place, clause in enumerate(map(_zh, texts))
        )

    def pair(self, english: str, chinese: str) -> str:
        """A sentence that is at hand in both languages."""
        if self.language == "en" or not chinese:
            return english
        return chinese if self.language == "zh" else f"{chinese}\n{english}"

    def _joined(self, text: str, between: str, values: Mapping[str, object]) -> str:
        en = _filled(text, values)
        zh = _zh_filled(_catalog().get(text, text), {name: _zh(value) for name, value in values.items()})
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
