"""The quote as an Excel workbook: live formulas with their values beside them, a sheet per file."""

from __future__ import annotations

from optimizer.i18n import Words
from optimizer.procurement.quote import Quote


def workbook(quote: Quote, words: Words) -> bytes:
    """The whole file. The same quote gives the same bytes."""
    from optimizer.procurement.workbook import (
        alternatives,
        assumptions,
        bill,
        compatibility,
        deviations,
        front,
        provenance,
        summary,
        terms,
    )
    from optimizer.procurement.workbook.book import Book

    book = Book(quote, words)
    for sheet in (
        summary, bill, assumptions, compatibility, front, alternatives, deviations, terms, provenance,
    ):  # fmt: skip
        sheet.add(book)
    return book.closed()
