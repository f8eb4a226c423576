"""A second table beside the first is read as if it stood below it."""

from __future__ import annotations

from dataclasses import replace

from catalogs.message import message
from optimizer.procurement.reading.document import Notice
from optimizer.procurement.reading.opening.sheet_facts import column_letters
from optimizer.procurement.reading.opening.sheets import Row, Sheet
from optimizer.procurement.reading.table.headers import Header, header_at


def folded(sheet: Sheet, header: Header, notices: list[Notice], *, mapped: bool) -> tuple[Sheet, Header]:
    """The sheet with the right table's rows below the left one's, in the columns of their fields; as it is where its
    header does not name a thing with a quantity or price once more on the right. Columns as `mapped` are all that
    the left table has."""
    start = max(header.columns) + 1 if mapped else min(header.unused, default=0)
    row = next((row for row in sheet.rows if row.number == header.row), None)
    if not start or row is None or header.height > 1:
        return sheet, header
    left_row = replace(row, cells={c: x for c, x in row.cells.items() if c < start})
    first = header if mapped else header_at(sheet, left_row)
    second = header_at(sheet, replace(row, cells={c: x for c, x in row.cells.items() if c >= start}))
    if first is None or second is None or len(second.columns) < len(first.columns):
        return sheet, header
    places = {x.field: c for c, x in first.columns.items()}
    left = {c: places[x.field] for c, x in second.columns.items() if x.field in places}

    def moved(row: Row) -> Row:
        return replace(row, cells={left.get(c, c - start + 1): x for c, x in row.cells.items() if c >= start})

    def kept(row: Row) -> Row:
        return replace(row, cells={c: x for c, x in row.cells.items() if c < start})

    rows = [row if row.number <= header.row else kept(row) for row in sheet.rows]
    rows += [moved(row) for row in sheet.rows if row.number > header.row]
    text = message(
        "a second table beside the first, from column {letters} on: read as if it stood below",
        letters=column_letters(start),
    )
    notices.append(Notice(code="side-by-side", text=text))
    return replace(sheet, rows=tuple(row for row in rows if row.cells)), first
