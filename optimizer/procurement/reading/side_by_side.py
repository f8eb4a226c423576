"""A second table beside the first is read as if it stood below it."""

from __future__ import annotations

from dataclasses import replace

from optimizer.procurement.reading.document import Notice
from optimizer.procurement.reading.headers import MONEY, NAMING, Header
from optimizer.procurement.reading.sheet_facts import column_letters
from optimizer.procurement.reading.tables import Row, Sheet


def folded(sheet: Sheet, header: Header, notices: list[Notice]) -> tuple[Sheet, Header]:
    """The sheet with the right table's rows below the left one's, in the columns of their fields; as it is where the
    header does not name a thing with a quantity or price once more to the right of all else."""
    fields = {x.field for x in header.unused.values()}
    if not fields & set(NAMING) or not fields & {*MONEY, "qty"}:
        return sheet, header
    start = min(header.unused)
    if max(header.columns) >= start:
        return sheet, header
    places = {x.field: c for c, x in header.columns.items()}
    left = {c: places[x.field] for c, x in header.unused.items() if x.field in places}

    def moved(row: Row) -> Row:
        return replace(row, cells={left.get(c, c - start + 1): x for c, x in row.cells.items() if c >= start})

    def kept(row: Row) -> Row:
        return replace(row, cells={c: x for c, x in row.cells.items() if c < start})

    rows = [r if r.number <= header.row else kept(r) for r in sheet.rows]
    rows += [moved(r) for r in sheet.rows if r.number > header.row]
    text = f"a second table beside the first, from column {column_letters(start)} on: read as if it stood below"
    notices.append(Notice(code="side-by-side", text=text))
    return replace(sheet, rows=tuple(r for r in rows if r.cells)), replace(header, unused={})
