"""The quote as an Excel workbook: live formulas with their values beside them, a sheet per file."""

from __future__ import annotations

from optimizer.procurement.quotation.quote import Quote
from optimizer.text.languages import Words


def workbook(quote: Quote, words: Words) -> bytes:
    """The whole file. The same quote gives the same bytes."""
    from optimizer.procurement.quotation.workbook import (
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
    from optimizer.procurement.quotation.workbook.book import Book

    book = Book(quote, words)
    for sheet in (
        summary, bill, assumptions, compatibility, front, alternatives, deviations, terms, provenance,
    ):  # fmt: skip
        sheet.add(book)
    return book.closed()
