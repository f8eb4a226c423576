"""Days of delivery and months of warranty out of vendors' words."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from optimizer.procurement.reading import row_words

NUMBER = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
NUMBER |= {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "drei": 3, "zwei": 2, "fünf": 5}
COUNT = rf"(\d{{1,3}}|{'|'.join(NUMBER)})"
SPAN = rf"(?:{COUNT}\s*(?:-|–|~|to|bis|至|到)\s*)?{COUNT}\s*(?:个)?[\s-]*"
UNITS: tuple[tuple[str, Fraction], ...] = (
    (r"(?:(?:working|business)[ -]days?|(?:werk|arbeits)tage?n?|个?工作[日天]|個?工作[日天]|営業日)", Fraction(7, 5)),
    (r"(?:calendar[ -])?(?:days?|(?:kalender)?tage?n?|天|日)", Fraction(1)),
    (r"(?:weeks?|wochen?|周|星期|wks?)", Fraction(7)),
    (r"(?:months?|monaten?|monate?|个月|月)", Fraction(30)),
)  # fmt: skip
"""Calendar days of each unit. Five working days are a week of seven; public holidays are not counted, and a Werktag is
taken as a day from Monday to Friday, which is the longer reading."""
STOCK = ("ab lager", "in stock", "ex stock", "现货", "lagernd", "sofort", "off the shelf")
YEARS = rf"{COUNT}[\s-]*(?:years?|jahre?n?|年|yrs?|y\b)"
MONTHS = rf"{COUNT}[\s-]*(?:months?|monate?n?|个月)"


def _count(text: str) -> int:
    return int(text) if text.isdigit() else NUMBER[text]


def lead_days(text: str) -> int | None:
    """Calendar days: `6-8 weeks` -> 56, `4周` -> 28, `10 working days` -> 14, `ab Lager` -> 0; None for no time.

    The longer end of a span counts, and a day that is begun."""
    plain = row_words.folded(text)
    for unit, days in UNITS:
        if found := re.search(SPAN + unit, plain):
            return math.ceil(_count(found[2]) * days)
    return 0 if any(w in plain for w in STOCK) else None


def is_bare(cell: str) -> bool:
    """Whether a cell of a column of lead times is a number and nothing else: days, weeks or months are not said."""
    return re.fullmatch(r"\s*\d{1,3}(?:\.0+)?\s*", cell) is not None


def lead_text(cell: str, header: str) -> str:
    """The cell of a column of lead times, with the header's unit where the cell is a number alone: `6` under
    `Lead time (weeks)` is `6 weeks`. A number whose header names no unit stays as it is: it says no time."""
    if not is_bare(cell):
        return cell
    plain = row_words.folded(header)
    for unit, _ in UNITS:
        if found := re.search(rf"(?<![a-zäöü])(?:{unit})(?![a-zäöü])", plain):
            return f"{int(float(cell))} {found[0]}"
    return cell


def warranty_months(text: str) -> int | None:
    """`3 years`, `36 months`, `三年` -> 36."""
    plain = row_words.folded(text)
    if found := re.search(MONTHS, plain):
        return _count(found[1])
    return _count(found[1]) * 12 if (found := re.search(YEARS, plain)) else None


def bare_months(text: str) -> int | None:
    """A cell of a warranty column; a bare number counts years up to 10, months beyond."""
    if found := re.fullmatch(r"\s*(\d{1,3})\s*", text):
        return int(found[1]) * 12 if int(found[1]) <= 10 else int(found[1])
    return warranty_months(text)
