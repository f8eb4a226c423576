"""Numbers as vendors write them -> Decimal: `1.299,95`, `1,299.95`, `1 299`, `1'299.-`, `¥12.8万`, `(1,299.00)`.

A text such as `1.299` has two readings; `style` (the decimal sign that the column's other cells prove) decides, or the
line's own arithmetic. What stays open is not guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from optimizer.text.qualifiers import qualified

Style = Literal["", ".", ","]
BLANKS = "\u0020\u00a0\u202f\u2009\u2007\u3000"
APOSTROPHES = "'’‘´`"
NUMBER = re.compile(r"\d[\d.,]*")
MAX_DIGITS = 18


@dataclass(frozen=True)
class Reading:
    """What a cell may mean: its values (none: no number, two: ambiguous), currency and tax if it names them."""

    values: tuple[Decimal, ...] = ()
    currency: str = ""
    tax: str = ""
    percent: bool = False
    rest: str = ""
    scaled: bool = False
    """Whether the cell says thousands, 万 or the like itself."""

    @property
    def value(self) -> Decimal | None:
        return self.values[0] if len(self.values) == 1 else None


def digits(text: str, style: Style = "") -> tuple[Decimal, ...]:
    """Values of digits with points and commas: one, two where a lone sign before three digits leaves it open, or
    none."""
    points, commas = text.count("."), text.count(",")
    if len(text) > MAX_DIGITS + 8:
        return ()
    if points and commas:
        mark = "." if text.rfind(".") > text.rfind(",") else ","
        return _grouped(text, mark)
    sign = "." if points else ","
    if points + commas > 1:
        return _grouped(text, "," if sign == "." else ".")
    if points + commas == 0:
        return (Decimal(text),)
    whole, _, fraction = text.partition(sign)
    as_decimal = Decimal(f"{whole or '0'}.{fraction or '0'}")
    if len(fraction) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
        return (as_decimal,)
    if style:
        return (as_decimal,) if style == sign else (Decimal(whole + fraction),)
    return (as_decimal, Decimal(whole + fraction))


def _grouped(text: str, mark: str) -> tuple[Decimal, ...]:
    """`mark` is the decimal sign, the other groups thousands (Indian groups of two too)."""
    whole, _, fraction = text.partition(mark)
    groups = re.split(r"[.,]", whole)
    fits = len(groups[0]) in (1, 2, 3) and len(groups[-1]) == 3 and all(len(g) in (2, 3) for g in groups[1:])
    if (len(groups) > 1 and not fits) or re.search(r"[.,]", fraction):
        return ()
    return (Decimal(f"{''.join(groups)}.{fraction or '0'}"),)


def style_of(texts: Iterable[str]) -> Style:
    """The decimal sign that these texts prove, each by itself; none when none does or they disagree."""
    found: set[str] = set()
    for text in texts:
        m = NUMBER.search(_clean(text))
        if m is None:
            continue
        t = m[0].rstrip(".,")
        points, commas = t.count("."), t.count(",")
        if points and commas:
            found.add("." if t.rfind(".") > t.rfind(",") else ",")
        elif points + commas > 1:
            found.add("," if points else ".")
        elif points + commas == 1 and len(digits(t)) == 1:
            found.add("." if points else ",")
    return found.pop() if len(found) == 1 else ""  # type: ignore[return-value]


def style_of_thousands(texts: Iterable[str]) -> Style:
    """The decimal sign where every number with a sign has one before three digits, in two cells or more: `125,000`,
    `8,300` and `600` side by side are thousands, since amounts have no three decimals. One such cell proves nothing."""
    signs = [
        sign
        for t in texts
        if (found := NUMBER.search(_clean(t))) and len(digits(found[0].rstrip(".,"))) == 2
        for sign in found[0]
        if sign in ".,"
    ]
    if len(signs) < 2 or len(set(signs)) > 1:
        return ""
    return "." if signs[0] == "," else ","


def _clean(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    for x in BLANKS:
        plain = plain.replace(x, " ")
    plain = re.sub(rf"(?<=\d)[{APOSTROPHES}](?=\d{{3}})", "", plain)
    plain = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", "", plain)
    return plain.replace("−", "-").replace("–", "-").replace("—", "-").strip()


MOST = 10**16
"""From here on a number is no amount and no count: no reading of it counts."""
DASHED = re.compile(r"(?<=\d)([.,])(?:-+|=)(?!\d)")
"""`1.299,-`: the sign before the dash is the decimal one."""


def alone(text: str) -> bool:
    """Whether nothing but an amount and what goes with one is in a text."""
    plain = DASHED.sub("", _clean(text))
    return qualified(NUMBER.sub(" 0 ", plain, count=1))[0].strip(" .,") in ("0", "- 0", "-0", "(0)", "( 0 )")


@lru_cache(maxsize=20_000)
def read(text: str, style: Style = "") -> Reading:
    """Reads one cell's text as an amount. `rest` is what is neither number nor a word known to go with one."""
    plain = _clean(text)
    if dashed := DASHED.search(plain):
        style = "," if dashed[1] == "," else "."
        plain = plain[: dashed.start()] + plain[dashed.end() :]
    rest, sets = qualified(NUMBER.sub(" 0 ", plain, count=1))
    found = NUMBER.search(plain)
    if found is None:
        return Reading((), sets.get("currency", ""), sets.get("tax", ""), False, plain)
    raw = found[0].rstrip(".,")
    before, after = plain[: found.start()].strip(), plain[found.start() + len(raw) :].strip(" .,")
    values = digits(raw, style)
    scale = int(sets.get("scale", "1"))
    if scale == 1 and sets.get("currency") and re.match(r"\s?M(?![A-Za-z])", plain[found.start() + len(raw) :]):
        scale, rest = 10**6, re.sub(r"\bm\b", " ", rest)  # `USD 1.72M`, no metres
    negative = (before.endswith(("-", "(")) and (before[-1] == "-" or ")" in after)) or after.startswith("-")
    percent = after.startswith("%") or before.endswith("%")
    left = re.sub(r"[-()%/:*]|\b0\b", " ", rest).strip()
    values = tuple((-v if negative else v) * scale for v in values if v * scale < MOST)
    return Reading(values, sets.get("currency", ""), sets.get("tax", ""), percent, left, scale > 1)


def values(cell: object) -> tuple[Decimal, ...]:
    """What a cell may mean as an amount; () for none."""
    return (cell,) if isinstance(cell, Decimal) else read(cell).values if isinstance(cell, str) else ()


def tidy(value: Decimal) -> Decimal:
    """The value without trailing zeros and without an exponent."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value
