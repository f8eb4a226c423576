"""Comparisons as Excel workbooks: live formulas with their values beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.text.languages import Words

if TYPE_CHECKING:
    from optimizer.procurement.bids.changes_schema import ResultsCompared
    from optimizer.procurement.bids.schema import Comparison


def workbook(comparison: Comparison, words: Words) -> bytes:
    """Bids side by side (比价表). The same comparison gives the same bytes."""
    from optimizer.procurement.bids.workbook import facts, items, lines, score, summary, technical
    from optimizer.procurement.bids.workbook.book import CompareBook

    book = CompareBook(comparison, words)
    for add in (
        summary.add, items.add, items.add_scope, technical.add, score.add, facts.add_flags, lines.add,
        facts.add_assumptions, facts.add_provenance,
    ):  # fmt: skip
        add(book)
    return book.closed()


def changes_workbook(found: ResultsCompared, words: Words) -> bytes:
    """What changed between two results."""
    from optimizer.procurement.bids.workbook import changes

    return changes.workbook(found, words)
