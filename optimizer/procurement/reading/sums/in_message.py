"""What the body of a message says of the sum, against the list that is attached to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from catalogs.message import message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Issue, Line, Total
from optimizer.procurement.reading.line.amounts import exact_sum
from optimizer.procurement.reading.opening.sheets import Sheet, Tables
from optimizer.text import amounts as numbers

MESSAGES = ("mail", "msg")
SUMS = ("total", "total_net", "total_gross")
SENTENCES = re.compile(r"[.;!?。；！？](?:\s|$)|\n")
FIGURE = re.compile(r"(?<![\w.,/-])\d[\d.,'’]*\d(?![\w/-])")
LEAST = 1000
"""An amount below this in a sentence about a total may be days, pieces or percent."""


def contradictions(tables: Tables, read: Sheet, lines: Sequence[Line], totals: Sequence[Total]) -> list[Issue]:
    """Sums in the body of a message that the list in its attachment does not come to, each an error: which of the two
    the vendor means is for the vendor to say."""
    if tables.format not in MESSAGES or not read.name:  # what has no name is the body
        return []
    known = [total.amount for total in totals] + [line.amount for line in lines if line.amount is not None]
    counted = [line.amount for line in lines if not line.optional and line.amount is not None]
    known.append(exact_sum(counted))
    if not totals and len(counted) < len(lines):
        return []
    listed = max((total.amount for total in totals), default=known[-1])
    bodies = [sheet for sheet in tables.sheets if not sheet.name and not sheet.older]
    found = dict.fromkeys(amount for sheet in bodies for amount in _sums_said(sheet))
    return [
        Issue(
            code="message-sum",
            severity="error",
            text=message(
                "the message names a sum of {said}, the list attached to it has none of it", said=f"{amount:,}"
            ),
            stated=amount,
            computed=listed,
        )
        for amount in found
        if not any(abs(amount - other) < 1 for other in known)
    ]


def _sums_said(sheet: Sheet) -> list[Decimal]:
    """Amounts of money in the sentences of a body that speak of a total; one of two readings counts as neither."""
    text = "\n".join(" ".join(str(cell) for cell in row.cells.values()) for row in sheet.rows)
    found: list[Decimal] = []
    for sentence in SENTENCES.split(text):
        if not any(row_words.has(kind, sentence) for kind in SUMS) or not row_words.currency_in(sentence):
            continue
        for figure in FIGURE.findall(sentence):
            values = numbers.values(figure)
            if len(set(values)) == 1 and values[0] >= LEAST and not _is_year(figure):
                found.append(values[0])
    return found


def _is_year(figure: str) -> bool:
    return re.fullmatch(r"(?:19|20)\d\d", figure) is not None
