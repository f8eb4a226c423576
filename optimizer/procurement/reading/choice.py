"""Which table of a file is the quote: as mapped, else the best-looking header of the visible sheets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

from catalogs.errors import Fault, InputError
from optimizer.procurement.reading.line.amounts import same_money
from optimizer.procurement.reading.mapping import Mapping
from optimizer.procurement.reading.opening.guard import refuse
from optimizer.procurement.reading.opening.sheet_facts import column_number
from optimizer.procurement.reading.opening.tables import Cell, Sheet, Tables
from optimizer.procurement.reading.table.headers import Column, Header, find_header, header_at
from optimizer.text import amounts as numbers

PRODUCT = ("qty", "unit_price", "line_total")
TRIED_ROWS = 60


def table_of(path: Path, tables: Tables, given: Mapping) -> tuple[Sheet, Header, list[tuple[str, str]]]:
    """The sheet and its header: as mapped, else the best of the visible sheets; other tables are told."""
    sheets = tables.sheets
    if given.sheet:
        sheets = tuple(s for s in sheets if s.name == given.sheet)
        if not sheets:
            names = ", ".join(repr(s.name) for s in tables.sheets)
            raise refuse("unknown-sheet", "has no such sheet", path, f"There are: {names}.", given.sheet)
    filled = [s for s in sheets if s.rows]
    if not filled:
        only_images = any(c == "images" for c, _ in tables.notices)
        what = "holds only images" if only_images else "holds no filled cell"
        raise refuse("no-table", what, path, "Ask the vendor for an .xlsx or .csv file.")
    if given.columns and given.header_row:
        return filled[0], _mapped_header(filled[0], given), []
    if given.header_row:
        found = _header_in_row(path, filled[0], given)
        return filled[0], found, []
    scored = [(s, h) for s in filled if (h := find_header(s))]
    if not scored:
        hint = "Name header_row and columns in a mapping file (--map)."
        raise refuse("no-header", "has no row that names a part and a price or quantity", path, hint)
    visible = [x for x in scored if not x[0].hidden] or scored
    sheet, header = max(visible, key=lambda x: x[1].score)
    notices = []
    for code, hidden in (("sheets-unread", False), ("other-tables", True)):
        if others := [s.name for s, _ in scored if s is not sheet and s.hidden is hidden]:
            notices.append((code, f"sheets with tables that were not read: {', '.join(map(repr, others))}"))
    if sheet.hidden:
        notices.append(("hidden-sheet-read", f"sheet {sheet.name!r} is hidden and the only one with a table"))
    if given.columns:
        header = Header(header.row, header.height, _mapped_header(sheet, given).columns, header.score)
    return sheet, header, notices


def _mapped_header(sheet: Sheet, given: Mapping) -> Header:
    columns: dict[int, Column] = {}
    row = next((r.cells for r in sheet.rows if r.number == given.header_row), {})
    for letters, c in given.columns.items():
        if not re.fullmatch(r"[A-Za-z]{1,3}", letters):
            raise InputError(Fault("bad-map", "is no column letter", column=f"columns.{letters}", value=letters))
        if c.field != "unused":
            tax = "" if c.tax == "unknown" else c.tax
            n = column_number(letters)
            columns[n] = Column(c.field, str(row.get(n, "")), tax, c.currency, c.scale, c.per)
    fields = [c.field for c in columns.values()]
    doubled = sorted({f for f in fields if fields.count(f) > 1})
    if doubled:
        raise InputError(
            Fault("bad-map", "two columns hold the same field", column="columns", value=", ".join(doubled))
        )
    return Header(given.header_row or 1, given.header_rows, columns, 0)


def _header_in_row(path: Path, sheet: Sheet, given: Mapping) -> Header:
    rows = {r.number: r for r in sheet.rows}
    row = rows.get(given.header_row or 0)
    found = None
    if row and given.header_rows == 1:
        found = header_at(sheet, row)
    elif (above := rows.get((given.header_row or 0) - 1)) and row:
        found = header_at(sheet, above, row)
    if found is None:
        text = f"row {given.header_row} names no part with a price or quantity"
        raise refuse("no-header", text, path, "Name the columns in the mapping file too.")
    return found


def by_arithmetic(sheet: Sheet, header: Header) -> Header:
    """The header with those of several columns for quantity, price or total of which most rows multiply: of `单台数量`
    and `总数量`, or of a purchase and a sales price, the ones that make the totals."""
    header = _item_as_name(sheet, _unit_as_price(sheet, header))
    named = {**header.columns, **header.unused}
    choices = [[c for c, x in named.items() if x.field == f] for f in PRODUCT]
    if all(len(c) < 2 for c in choices) or not all(choices):
        return header
    rows = [r.cells for r in sheet.rows if r.number > header.row][:TRIED_ROWS]
    counts = {c: sum(_multiplies([row.get(x) for x in c]) for row in rows) for c in product(*choices)}
    first = tuple(next(c for c in places if c in header.columns) for places in choices)
    best = max(counts, key=lambda c: (counts[c], c == first))
    if counts[best] <= counts.get(first, 0):
        return header
    chosen = {c: x for c, x in named.items() if x.field not in PRODUCT or c in best}
    chosen = {c: x for c, x in chosen.items() if c in best or c in header.columns}
    return replace(header, columns=chosen, unused={c: x for c, x in named.items() if c not in chosen})


def _unit_as_price(sheet: Sheet, header: Header) -> Header:
    """`Qty, Unit, Ext.`: a column of units that holds numbers is one of prices, where no other is."""
    at = next((c for c, x in header.columns.items() if x.field == "unit"), None)
    if at is None or any(x.field == "unit_price" for x in header.columns.values()):
        return header
    cells = _below(sheet, header, at)
    bare = [numbers.read(x) for x in cells if isinstance(x, str)]
    prices = sum(isinstance(x, Decimal) for x in cells) + sum(bool(r.values) and not r.rest for r in bare)
    if prices * 2 <= len(cells):
        return header
    return replace(header, columns={**header.columns, at: replace(header.columns[at], field="unit_price")})


def _item_as_name(sheet: Sheet, header: Header) -> Header:
    """`SKU, Item, Price`: a column of running numbers that holds names is one of names, where no other is."""
    at = next((c for c, x in header.columns.items() if x.field == "number"), None)
    if at is None or any(x.field in ("name", "description") for x in header.columns.values()):
        return header
    cells = _below(sheet, header, at)
    named = sum(isinstance(x, str) and len(re.findall(r"[^\W\d_]", x)) > 3 for x in cells)
    if named * 2 <= len(cells):
        return header
    return replace(header, columns={**header.columns, at: replace(header.columns[at], field="name")})


def _below(sheet: Sheet, header: Header, column: int) -> list[Cell]:
    """The first cells of a column below the header."""
    found = (r.cells.get(column) for r in sheet.rows if r.number > header.row)
    return [x for x in found if x is not None][:TRIED_ROWS]


def _multiplies(cells: Sequence[Cell | None]) -> bool:
    """Whether quantity x price is the total, in one reading of their numbers at least."""
    return any(q and p and same_money(q * p, t) for q, p, t in product(*map(numbers.values, cells)))
