"""Which table of a file is the quote: as mapped, else the best-looking header of the visible sheets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from pathlib import Path

from catalogs.errors import Fault, InputError
from catalogs.message import message
from optimizer.procurement.reading.line.amounts import same_money
from optimizer.procurement.reading.mapping import Mapping
from optimizer.procurement.reading.opening.guard import refuse
from optimizer.procurement.reading.opening.sheet_facts import column_number
from optimizer.procurement.reading.opening.sheets import Cell, Sheet, Tables
from optimizer.procurement.reading.table.headers import Column, Header, find_header, header_at
from optimizer.procurement.reading.table.together import is_list, joined_sheets, together
from optimizer.procurement.reading.time_money import period_of
from optimizer.procurement.reading.variant_names import variant_of
from optimizer.text import amounts as numbers

PRODUCT = ("qty", "unit_price", "line_total")
TRIED_ROWS = 60


@dataclass(frozen=True)
class Chosen:
    """The table that is read: its sheet (several as one, of the names `together`), header, what is told of others, and
    the variants that stand on sheets of their own."""

    sheet: Sheet
    header: Header
    told: tuple[tuple[str, str], ...] = ()
    together: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()


def table_of(path: Path, tables: Tables, given: Mapping, variant: str = "") -> Chosen:
    """The sheet and its header: as mapped, else the best of the visible sheets, with those of the same offer; other
    tables are told. `variant`: of variants on sheets of their own the one that is wanted."""
    if given.sheets:
        return _mapped_together(path, tables, given)
    filled = _filled_sheets(path, tables, given)
    if given.columns and given.header_row:
        return Chosen(filled[0], _mapped_header(filled[0], given))
    if given.header_row:
        return Chosen(filled[0], _header_in_row(path, filled[0], given))
    headed = [(sheet, header) for sheet in filled if (header := find_header(sheet))]
    if not headed:
        hint = "Name header_row and columns in a mapping file (--map)."
        raise refuse("no-header", "has no row that names a part and a price or quantity", path, hint)
    current = [(sheet, header) for sheet, header in headed if not sheet.older] or headed
    visible = [(sheet, header) for sheet, header in current if not sheet.hidden] or current
    variants = _variants(visible)
    if not variants:
        return _best(filled, headed, max(visible, key=lambda table: table[1].score), given)
    wanted = variants[variant] if variant in variants else next(iter(variants.values()))
    left_out = {id(sheet) for sheet in variants.values() if sheet is not wanted}
    headed = [(sheet, header) for sheet, header in headed if id(sheet) not in left_out]
    best = next((sheet, header) for sheet, header in headed if sheet is wanted)
    return replace(_best(filled, headed, best, given), variants=tuple(variants))


def _best(
    filled: Sequence[Sheet], headed: Sequence[tuple[Sheet, Header]], best: tuple[Sheet, Header], given: Mapping
) -> Chosen:
    """The best table, with those of its offer unless a mapping names its sheet or columns; what is left is told."""
    sheet, header = best
    if given.columns:
        header = Header(header.row, header.height, _mapped_header(sheet, given).columns, header.score)
    whole = None if given.sheet or given.columns else together(filled, headed, sheet)
    if whole is None:
        return Chosen(sheet, header, tuple(_other_tables([s for s, _ in headed if s is not sheet], sheet)))
    left = [s for s, h in headed if s.name not in whole.names and (is_list(h) or s.hidden or s.older)]
    return Chosen(whole.sheet, whole.header, (*whole.told, *_other_tables(left, sheet)), whole.names)


def _variants(visible: Sequence[tuple[Sheet, Header]]) -> dict[str, Sheet]:
    """The sheets of variants of one offer by their names, where there are two and more."""
    named = {variant_of(sheet.name.rpartition("!")[2]): sheet for sheet, header in visible if is_list(header)}
    named.pop("", None)
    return named if len(named) > 1 else {}


def _mapped_together(path: Path, tables: Tables, given: Mapping) -> Chosen:
    """The sheets that a mapping names, as one."""
    by_name = {sheet.name: sheet for sheet in tables.sheets if sheet.rows}
    if missing := [name for name in given.sheets if name not in by_name]:
        names = ", ".join(map(repr, by_name))
        raise refuse("unknown-sheet", "has no such sheet", path, f"There are: {names}.", missing[0])
    kept = [(by_name[name], find_header(by_name[name])) for name in given.sheets]
    if any(header is None for _, header in kept):
        raise refuse("no-header", "a sheet of the mapping has no header", path, "Name the sheets with tables.")
    whole = joined_sheets([s for s in tables.sheets if s.rows], [(s, h) for s, h in kept if h is not None])
    header = whole.header
    if given.columns and given.header_row:
        header = _mapped_header(whole.sheet, given)
    return Chosen(whole.sheet, header, whole.told, whole.names)


def _filled_sheets(path: Path, tables: Tables, given: Mapping) -> list[Sheet]:
    """The sheets with content, of the name that the mapping gives. Raises InputError where there are none."""
    sheets = tables.sheets
    if given.sheet:
        sheets = tuple(sheet for sheet in sheets if sheet.name == given.sheet)
        if not sheets:
            names = ", ".join(repr(sheet.name) for sheet in tables.sheets)
            raise refuse("unknown-sheet", "has no such sheet", path, f"There are: {names}.", given.sheet)
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        only_images = any(code == "images" for code, _ in tables.notices)
        what = "holds only images" if only_images else "holds no filled cell"
        raise refuse("no-table", what, path, "Ask the vendor for an .xlsx or .csv file.")
    return filled


def _other_tables(others: list[Sheet], chosen: Sheet) -> list[tuple[str, str]]:
    """(code, text) of what a buyer must know of the sheets with tables that were not read, and of a hidden one that
    was."""
    notices: list[tuple[str, str]] = []
    if any(sheet.older for sheet in others) and not chosen.older:
        notices.append(("older-offer", "an older message with a table of its own is quoted below: it was left out"))
    if chosen.older:
        notices.append(("older-offer-read", "the only table stands in an older message that is quoted or forwarded"))
    for code, hidden in (("sheets-unread", False), ("other-tables", True)):
        if names := [sheet.name for sheet in others if sheet.hidden is hidden and not sheet.older]:
            notices.append(
                (code, message("sheets with tables that were not read: {names}", names=", ".join(map(repr, names))))
            )
    if chosen.hidden:
        text = message("sheet {name} is hidden and the only one with a table", name=f"{chosen.name!r}")
        notices.append(("hidden-sheet-read", text))
    return notices


def _mapped_header(sheet: Sheet, given: Mapping) -> Header:
    columns: dict[int, Column] = {}
    row = next((row.cells for row in sheet.rows if row.number == given.header_row), {})
    for letters, c in given.columns.items():
        if not re.fullmatch(r"[A-Za-z]{1,3}", letters):
            raise InputError(Fault("bad-map", "is no column letter", column=f"columns.{letters}", value=letters))
        if c.field != "unused":
            tax = "" if c.tax == "unknown" else c.tax
            n = column_number(letters)
            columns[n] = Column(c.field, str(row.get(n, "")), tax, c.currency, c.scale, c.per)
    fields = [column.field for column in columns.values()]
    doubled = sorted({f for f in fields if fields.count(f) > 1})
    if doubled:
        raise InputError(
            Fault("bad-map", "two columns hold the same field", column="columns", value=", ".join(doubled))
        )
    return Header(given.header_row or 1, given.header_rows, columns, 0)


def _header_in_row(path: Path, sheet: Sheet, given: Mapping) -> Header:
    rows = {row.number: row for row in sheet.rows}
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
    header = _of_one_period(_item_as_name(sheet, _unit_as_price(sheet, header)))
    named = {**header.columns, **header.unused}
    choices = [[number for number, column in named.items() if column.field == field] for field in PRODUCT]
    if all(len(choice) < 2 for choice in choices) or not all(choices):
        return header
    best = _best_product(sheet, header, choices)
    if best is None:
        return header
    columns = {
        number: column
        for number, column in named.items()
        if number in best or (column.field not in PRODUCT and number in header.columns)
    }
    unused = {number: column for number, column in named.items() if number not in columns}
    return replace(header, columns=columns, unused=unused)


def _of_one_period(header: Header) -> Header:
    """Without the column of unit prices where the totals are paid by another period: `USD per GPU-hour` beside `Monthly
    total`. The file's sums are those of the totals, and quantity x price is none of them."""
    by_field = {column.field: number for number, column in header.columns.items()}
    if not {"unit_price", "line_total"} <= by_field.keys():
        return header
    price, total = (header.columns[by_field[field]] for field in ("unit_price", "line_total"))
    of_price, of_total = period_of(price.header), period_of(total.header)
    if of_price is None or of_total is None or of_price == of_total:
        return header
    columns = {number: column for number, column in header.columns.items() if column is not price}
    columns[by_field["line_total"]] = replace(total, currency=total.currency or price.currency)
    return replace(header, columns=columns, unused={**header.unused, by_field["unit_price"]: price})


def _best_product(sheet: Sheet, header: Header, choices: list[list[int]]) -> tuple[int, ...] | None:
    """Of the columns for quantity, price and total those of which most rows multiply; None where the header's own do
    as often."""
    rows = [row.cells for row in sheet.rows if row.number > header.row][:TRIED_ROWS]
    counts = {
        columns: sum(_multiplies([row.get(number) for number in columns]) for row in rows)
        for columns in product(*choices)
    }
    first = tuple(next(number for number in choice if number in header.columns) for choice in choices)
    best = max(counts, key=lambda columns: (counts[columns], columns == first))
    return best if counts[best] > counts.get(first, 0) else None


def _unit_as_price(sheet: Sheet, header: Header) -> Header:
    """`Qty, Unit, Ext.`: a column of units that holds numbers is one of prices, where no other is."""
    at = next((c for c, x in header.columns.items() if x.field == "unit"), None)
    if at is None or any(column.field == "unit_price" for column in header.columns.values()):
        return header
    cells = _below(sheet, header, at)
    bare = [numbers.read(cell) for cell in cells if isinstance(cell, str)]
    prices = sum(isinstance(cell, Decimal) for cell in cells) + sum(bool(r.values) and not r.rest for r in bare)
    if prices * 2 <= len(cells):
        return header
    return replace(header, columns={**header.columns, at: replace(header.columns[at], field="unit_price")})


def _item_as_name(sheet: Sheet, header: Header) -> Header:
    """`SKU, Item, Price`: a column of running numbers that holds names is one of names, where no other is."""
    at = next((c for c, x in header.columns.items() if x.field == "number"), None)
    if at is None or any(column.field in ("name", "description") for column in header.columns.values()):
        return header
    cells = _below(sheet, header, at)
    named = sum(isinstance(cell, str) and len(re.findall(r"[^\W\d_]", cell)) > 3 for cell in cells)
    if named * 2 <= len(cells):
        return header
    return replace(header, columns={**header.columns, at: replace(header.columns[at], field="name")})


def _below(sheet: Sheet, header: Header, column: int) -> list[Cell]:
    """The first cells of a column below the header."""
    found = (row.cells.get(column) for row in sheet.rows if row.number > header.row)
    return [x for x in found if x is not None][:TRIED_ROWS]


def _multiplies(cells: Sequence[Cell | None]) -> bool:
    """Whether quantity x price is the total, in one reading of their numbers at least."""
    return any(q and p and same_money(q * p, t) for q, p, t in product(*map(numbers.values, cells)))
