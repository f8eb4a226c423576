"""Dates as quotes write them; one that could be two days is none."""

from __future__ import annotations

import re
from datetime import date, datetime

MONTHS = {
    m: n
    for n, names in enumerate(
        ("jan januar january", "feb februar february", "mar mär märz march mrz", "apr april", "may mai",
         "jun juni june",
         "jul juli july", "aug august", "sep sept september", "oct okt oktober october", "nov november",
         "dec dez dezember december"), 1)
    for m in names.split()
}  # fmt: skip


DAY = re.compile(r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}\s*日?")


def read_date(value: object) -> date | None:
    """ISO, 2026年12月31日, 31.12.2026, 12/31/2026 where only one order is possible, 31 Dec 2026, Dec 31, 2026."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value)
    if m := re.search(r"(?<!\d)(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})", text):
        return _day(int(m[1]), int(m[2]), int(m[3]))
    if m := re.search(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})", text):
        return _day(int(m[3]), int(m[2]), int(m[1]))
    if m := re.search(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", text):
        a, b, year = int(m[1]), int(m[2]), int(m[3])
        return _day(year, a, b) if b > 12 or a == b else _day(year, b, a) if a > 12 else None
    for m in re.finditer(r"(?:(\d{1,2})\.?[\s-]*)?([^\W\d_]{3,9})\.?[\s-]*(?:(\d{1,2})(?:,\s*|\s+))?(\d{4})", text):
        month, day = MONTHS.get(m[2].casefold()), m[1] or m[3]
        if month and day:
            return _day(int(m[4]), month, int(day))
    return None


def read_days(value: object) -> int | None:
    """`30 days`, `30天`, `30 Tage` -> 30."""
    text = DAY.sub(" ", str(value).casefold())
    found = re.search(r"(\d{1,3})\s*(?:个)?(?:calendar |working )?(?:days?|天|日(?!\d)|tage)", text)
    return int(found[1]) if found else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
