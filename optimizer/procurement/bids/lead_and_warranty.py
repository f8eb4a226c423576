"""Lead times and warranties out of vendors' words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.spans import bare_months, lead_days, warranty_months

LEAD = r"(?:lead time|delivery time|delivered within|delivery|lieferzeit|货期|交货期|交货时间|交期)"
WARRANTY = r"(?:warranty|guarantee|garantie|gewährleistung|质保|保修|维保|support|service|服务)"


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
        if not line.optional and line.role == "part" and (m := bare_months(line.warranty)) is not None
    ]  # fmt: skip
    services = [line.text for line in quote.lines if not line.optional and line.role == "service"]
    said = [t for t in services if re.search(WARRANTY, t.casefold())]
    whole = [m for t in (*said, *_notes(quote, WARRANTY)) if (m := warranty_months(t)) is not None]
    found = [*whole, *([min(of_parts)] if of_parts else [])]
    return max(found, default=None)


def _notes(quote: Quote, about: str) -> Iterable[str]:
    """Sentences of rows that are no lines, where they speak of it: from its word on."""
    for row in quote.ignored:
        for piece in re.split(r"[;；。]|\.\s", row_words.folded(row.text)):
            if re.search(about, piece):
                yield piece
