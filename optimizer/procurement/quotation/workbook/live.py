"""Sentences that stay true when cells change: their figures are references, their conditions formulas.

An expression is a piece of a formula without the leading `=`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from catalogs.visible import visible
from optimizer.text.languages import Words

LITERAL_MOST = 125
"""Characters in one literal of a formula: Excel takes 255, and a quotation mark is written twice."""
LANGUAGES = {"en": ("en",), "zh": ("zh",), "both": ("zh", "en")}
LINE_BREAK = "CHAR(10)"


@dataclass(frozen=True)
class Live:
    """A text as an expression, with the value that it has; empty where it does not apply."""

    expression: str
    value: str


def literal(text: str) -> str:
    """A text as an expression; unseen characters in it as escapes."""
    text = visible(text)
    pieces = [text[i : i + LITERAL_MOST] for i in range(0, len(text), LITERAL_MOST)] or [""]
    return "&".join('"' + piece.replace('"', '""') + '"' for piece in pieces)


def joined(expressions: Iterable[str], between: str = "") -> str:
    """Expressions of texts one after another."""
    return (f"&{literal(between)}&" if between else "&").join(expressions)


def said(words: Words, text: str, bullets: tuple[str, str] = ("", ""), **cells: tuple[str, object]) -> Live:
    """A sentence with `{names}` that are (expression, value); in both languages two lines.

    `bullets` stand before the first line and before the others."""
    lines, values = [], []
    for i, language in enumerate(LANGUAGES[words.language]):
        one, bullet = Words(language)(text), bullets[min(i, 1)]
        pieces = re.split(r"\{(\w+)\}", bullet + one)
        said_ = [literal(x) if not k % 2 else cells[x][0] for k, x in enumerate(pieces) if x or k % 2]
        lines.append(joined(said_))
        values.append("".join(x if not k % 2 else str(cells[x][1]) for k, x in enumerate(pieces)))
    return Live(f"&{LINE_BREAK}&".join(lines), "\n".join(values))


def where(condition: str, holds: bool, live: Live, other: Live | None = None) -> Live:
    """The one text where a condition holds, else the other one, or none."""
    otherwise = other or Live('""', "")
    return Live(f"IF({condition},{live.expression},{otherwise.expression})", (live if holds else otherwise).value)


def iso(day: str) -> str:
    """A day as `2026-11-24` in every locale."""
    return f'YEAR({day})&"-"&TEXT(MONTH({day}),"00")&"-"&TEXT(DAY({day}),"00")'
