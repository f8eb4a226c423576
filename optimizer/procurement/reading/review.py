"""review.csv: lines that need a person's look, with suggestions; nothing in it becomes a formula."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalogs.files import write_text
from catalogs.visible import safe_cell
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.line.match import SIMILAR
from optimizer.text.csv_table import csv_text

COLUMNS = (
    "file", "sheet", "row", "part_number", "text", "qty", "unit_price", "currency", "reason", "suggestion", "score",
    "other_candidates",
)  # fmt: skip


def review_rows(quotes: Iterable[Quote]) -> list[list[str]]:
    """One row per line that is not settled: unmatched, only suggested, or with an error."""
    out = []
    for q in quotes:
        for x in q.open_lines:
            errors = [issue.text for issue in x.issues if issue.severity == "error"]
            reason = "; ".join(([x.matched.reason] if x.matched.part is None and x.role == "part" else []) + errors)
            first, rest = x.matched.candidates[:1], x.matched.candidates[1:]
            cells = [
                q.source, q.sheet, str(x.row), x.part_number, x.text, _shown(x.qty), _shown(x.unit_price), x.currency,
                reason, "".join(first), str(x.matched.score or ""), "|".join(rest),
            ]  # fmt: skip
            out.append([safe_cell(cell) for cell in cells])
    return out


def write_review(path: Path, quotes: Iterable[Quote]) -> int:
    """Writes the file whole or not at all, returns the number of rows; raises InputError where it can't."""
    rows = review_rows(quotes)
    write_text(path, csv_text(COLUMNS, rows))
    return len(rows)


def suggestions(quote: Quote) -> dict[str, str]:
    """Line text -> best suggestion, for the comments of map.toml."""
    return {
        line.part_number or line.text: line.matched.candidates[0]
        for line in quote.lines
        if line.role == "part"
        and line.matched.part is None
        and line.matched.candidates
        and line.matched.reason == SIMILAR
    }


def _shown(value: object) -> str:
    return "" if value is None else str(value)
