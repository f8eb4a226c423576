"""Lead times and warranties out of vendors' words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Quote

NUMBER = {"一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "十": 10}
NUMBER |= {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "drei": 3, "zwei": 2, "fünf": 5}
COUNT = rf"(\d{{1,3}}|{'|'.join(NUMBER)})"
SPAN = rf"(?:{COUNT}\s*(?:-|–|~|to|bis|至|到)\s*)?{COUNT}\s*(?:个)?[\s-]*"
UNITS = (
    (r"(?:working |business |calendar )?(?:days?|tage?n?|工作日|天|日)", 1), (r"(?:weeks?|wochen?|周|星期|wks?)", 7),
    (r"(?:months?|monaten?|monate?|个月|月)", 30),
)  # fmt: skip
STOCK = ("ab lager", "in stock", "ex stock", "现货", "lagernd", "sofort", "off the shelf")
LEAD = r"(?:lead time|delivery time|delivered within|delivery|lieferzeit|货期|交货期|交货时间|交期)"
WARRANTY = r"(?:warranty|guarantee|garantie|gewährleistung|质保|保修|维保|support|service|服务)"
YEARS = rf"{COUNT}[\s-]*(?:years?|jahre?n?|年|yrs?|y\b)"
MONTHS = rf"{COUNT}[\s-]*(?:months?|monate?n?|个月)"


def _count(text: str) -> int:
    return int(text) if text.isdigit() else NUMBER[text]


def lead_days(text: str) -> int | None:
    """`6-8 weeks` -> 56, `4周` -> 28, `ab Lager` -> 0; None for what says no time. The longer end of a span counts."""
    plain = row_words.folded(text)
    for unit, days in UNITS:
        if found := re.search(SPAN + unit, plain):
            return _count(found[2]) * days
    return 0 if any(w in plain for w in STOCK) else None


def warranty_months(text: str) -> int | None:
    """`3 years`, `36 months`, `三年` -> 36."""
    plain = row_words.folded(text)
    if found := re.search(MONTHS, plain):
        return _count(found[1])
    return _count(found[1]) * 12 if (found := re.search(YEARS, plain)) else None


def lead_of(quote: Quote) -> int | None:
    """Days until the last line is there: the longest of the lines, else what a note says; None where nothing does."""
    of_lines = [d for line in quote.lines if not line.optional and (d := lead_days(line.lead_time)) is not None]
    if of_lines:
        return max(of_lines)
    return max((d for t in _notes(quote, LEAD) if (d := lead_days(t)) is not None), default=None)


def warranty_of(quote: Quote) -> int | None:
    """Months: the shortest that parts' lines name, or longer by a service line or a note on the whole."""
    of_parts = [
        m for line in quote.lines
        if not line.optional and line.role == "part" and (m := _bare_months(line.warranty)) is not None
    ]  # fmt: skip
    services = [line.text for line in quote.lines if not line.optional and line.role == "service"]
    said = [t for t in services if re.search(WARRANTY, t.casefold())]
    whole = [m for t in (*said, *_notes(quote, WARRANTY)) if (m := warranty_months(t)) is not None]
    found = [*whole, *([min(of_parts)] if of_parts else [])]
    return max(found, default=None)


def _bare_months(text: str) -> int | None:
    """A cell of a warranty column; a bare number counts years up to 10, months beyond."""
    if found := re.fullmatch(r"\s*(\d{1,3})\s*", text):
        return int(found[1]) * 12 if int(found[1]) <= 10 else int(found[1])
    return warranty_months(text)


def _notes(quote: Quote, about: str) -> Iterable[str]:
    """Sentences of rows that are no lines, where they speak of it: from its word on."""
    for row in quote.ignored:
        for piece in re.split(r"[;；。]|\.\s", row_words.folded(row.text)):
            if re.search(about, piece):
                yield piece
