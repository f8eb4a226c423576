"""Prices by quantity in columns of their own (`ab 1 | ab 10 | ab 50`, `1+ | 10+`): a line's is that of its quantity;
of a price list without quantities all are kept, as the one text that other lists have in a column of breaks."""

from __future__ import annotations

from dataclasses import replace

from catalogs.message import message
from optimizer.procurement.reading.document import Notice
from optimizer.procurement.reading.opening.sheet_facts import column_letters
from optimizer.procurement.reading.opening.sheets import Row, Sheet
from optimizer.procurement.reading.table.headers import Column, Header, break_of, price_column
from optimizer.procurement.reading.table.totals import is_amount
from optimizer.text import amounts as numbers


def by_quantity(sheet: Sheet, header: Header, notices: list[Notice]) -> tuple[Sheet, Header]:
    """The sheet with one price in each line, in the first of the columns for quantities; as it is without two such."""
    heads = next((row.cells for row in sheet.rows if row.number == header.row), {})
    breaks = {n: c for c, x in heads.items() if isinstance(x, str) and (n := break_of(x)) is not None}
    counts = [c for c, x in header.columns.items() if x.field == "qty"]
    priced_in = [c for c, x in header.columns.items() if x.field == "unit_price"]
    if len(breaks) < 2 or (priced_in and priced_in[0] not in breaks.values()):
        return sheet, header
    if not counts:
        return _all_kept(sheet, header, breaks, notices)
    first, text = breaks[min(breaks)], str(heads[breaks[min(breaks)]])

    def priced(row: Row) -> Row:
        prices = {n: x for n, c in breaks.items() if (x := row.cells.get(c)) is not None and is_amount(x)}
        if row.number <= header.row or not prices:
            return row
        qty = next(iter(numbers.values(row.cells.get(counts[0]))), 0)
        reached = [n for n in prices if n <= qty] or [min(prices)]
        kept = {c: x for c, x in row.cells.items() if c not in breaks.values()}
        return replace(row, cells=dict(sorted({**kept, first: prices[max(reached)]}.items())))

    column = price_column(text)
    others = {c: x for c, x in header.columns.items() if c not in breaks.values() and x.field != "unit_price"}
    letters = ", ".join(column_letters(c) for _, c in sorted(breaks.items()))
    told = message("prices by quantity in columns {letters}: each line's is that of its quantity", letters=letters)
    notices.append(Notice(code="price-breaks", text=told))
    unused = {c: x for c, x in header.unused.items() if c not in breaks.values()}
    rows = tuple(priced(row) for row in sheet.rows)
    return replace(sheet, rows=rows), replace(header, columns={**others, first: column}, unused=unused)


def _all_kept(
    sheet: Sheet, header: Header, breaks: dict[int, int], notices: list[Notice]
) -> tuple[Sheet, Header]:  # fmt: skip
    """A price list: the price of the least quantity is the line's, and all stand in a column behind the last one."""
    steps = sorted(breaks.items())
    first = steps[0][1]
    heads = next(row.cells for row in sheet.rows if row.number == header.row)
    behind = max(max(row.cells) for row in sheet.rows) + 1

    def with_breaks(row: Row) -> Row:
        prices = [(n, row.cells[c]) for n, c in steps if c in row.cells and is_amount(row.cells[c])]
        if row.number <= header.row or not prices:
            return row
        text = "; ".join(f"{n}+: {price}" for n, price in prices)
        return replace(row, cells={**row.cells, first: prices[0][1], behind: text})

    letters = ", ".join(column_letters(c) for _, c in steps)
    told = message("prices by quantity in columns {letters}: all are kept as price breaks", letters=letters)
    notices.append(Notice(code="price-breaks", text=told))
    others = {
        c: x for c, x in header.columns.items() if c not in breaks.values() and x.field not in ("unit_price", "breaks")
    }
    columns = {**others, first: price_column(str(heads[first])), behind: Column("breaks")}
    unused = {c: x for c, x in header.unused.items() if c not in breaks.values()}
    rows = tuple(with_breaks(row) for row in sheet.rows)
    return replace(sheet, rows=rows), replace(header, columns=columns, unused=unused)
