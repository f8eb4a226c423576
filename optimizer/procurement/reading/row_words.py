"""The words of quotes, as data: row kinds and column names (data/*.csv, three languages); what qualifies a price is in
optimizer/text/qualifiers.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from catalogs.inputs import shipped_rows
from optimizer.text.qualifiers import AnyOf, any_of
from optimizer.text.qualifiers import bare as bare
from optimizer.text.qualifiers import currency_in as currency_in
from optimizer.text.qualifiers import folded as folded
from optimizer.text.qualifiers import qualified as qualified

DATA = Path(__file__).parent / "data"


@cache
def row_words() -> dict[str, tuple[str, ...]]:
    """Words by kind (total, note, service, ...), folded, longest first."""
    out: dict[str, set[str]] = {}
    for row in shipped_rows(DATA / "row_words.csv"):
        out.setdefault(row["kind"], set()).update(folded(word) for word in row["words"].split("|"))
    return {k: tuple(sorted(v, key=lambda w: (-len(w), w))) for k, v in out.items()}


def _fields(key: Callable[[str], str]) -> dict[str, str]:
    """Column name -> field; of two with the same key the first."""
    out: dict[str, str] = {}
    for row in shipped_rows(DATA / "headers.csv"):
        for word in row["words"].split("|"):
            out.setdefault(key(word), row["field"])
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
def _compiled(kind: str) -> AnyOf:
    """The words of a kind and those that hold one and mean something else (`服务` in `服务器`), longest first."""
    return any_of(sorted((*row_words()[kind], *_others(kind)), key=lambda w: (-len(w), w)))


def _others(kind: str) -> tuple[str, ...]:
    return row_words().get(f"not_{kind}", ())


PERIODS = ("each_month", "each_year", "each_quarter", "each_week", "each_day", "each_hour")


def without_periods(text: str) -> str:
    """A column's name without how often its price is paid: `monthly rate / unit` -> `rate / unit`."""
    for kind in PERIODS:
        text = _compiled(kind).sub(" ", text)
    return re.sub(r"\s+", " ", text).strip()


def has(kind: str, text: str) -> bool:
    """Whether a word of the kind is in the text, as a word."""
    return bool(found(kind, text))


def found(kind: str, text: str) -> str:
    """The first word of the kind in the text; blank without one."""
    for m in _compiled(kind).finditer(folded(text)):
        if m[0] not in _others(kind):
            return m[0]
    return ""


def may_have(kind: str, text: str) -> bool:
    """Whether the letters of a word of the kind are in the text; else neither `found` nor `begins` finds one."""
    return _compiled(kind).may_be_in(folded(text))


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
