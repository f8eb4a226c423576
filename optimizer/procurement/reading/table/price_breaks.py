"""Prices by quantity in columns of their own (`ab 1 | ab 10 | ab 50`, `1+ | 10+`): a line's is that of its quantity."""

from __future__ import annotations

import re
from dataclasses import replace

from catalogs.message import message
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Notice
from optimizer.procurement.reading.opening.sheet_facts import column_letters
from optimizer.procurement.reading.opening.sheets import Row, Sheet
from optimizer.procurement.reading.table.headers import Column, Header
from optimizer.procurement.reading.table.totals import is_amount
from optimizer.text import amounts as numbers

PRICE = re.compile(r"unit price|price each|price|stückpreis|einzelpreis|preis|单价|价格|报价")
BREAK = re.compile(
    r"(?:(?:ab|from|over|≥|>=|>)\s*(\d{1,6})|(\d{1,6})\s*(?:\+|[-–]\s*\d{1,6}|以上|起|(?:个|台|件|块)(?:以上|起)))"
    r"\s*(?:stk|stück|st|pcs|pieces|units|个|台|件|块)?\.?"
)


def break_of(header: str) -> int | None:
    """The quantity from which a column's price holds; None for a column of anything else."""
    plain = PRICE.sub(" ", row_words.qualified(header)[0])
    found = BREAK.fullmatch(re.sub(r"[()（）:：/]", " ", plain).strip())
    return int(found[1] or found[2]) if found else None


def by_quantity(sheet: Sheet, header: Header, notices: list[Notice]) -> tuple[Sheet, Header]:
    """The sheet with one price in each line, in the first of the columns for quantities; as it is without two such."""
    heads = next((row.cells for row in sheet.rows if row.number == header.row), {})
    breaks = {n: c for c, x in heads.items() if isinstance(x, str) and (n := break_of(x)) is not None}
    counts = [c for c, x in header.columns.items() if x.field == "qty"]
    priced_in = [c for c, x in header.columns.items() if x.field == "unit_price"]
    if len(breaks) < 2 or not counts or (priced_in and priced_in[0] not in breaks.values()):
        return sheet, header
    first, text = breaks[min(breaks)], str(heads[breaks[min(breaks)]])

    def priced(row: Row) -> Row:
        prices = {n: x for n, c in breaks.items() if (x := row.cells.get(c)) is not None and is_amount(x)}
        if row.number <= header.row or not prices:
            return row
        qty = next(iter(numbers.values(row.cells.get(counts[0]))), 0)
        reached = [n for n in prices if n <= qty] or [min(prices)]
        kept = {c: x for c, x in row.cells.items() if c not in breaks.values()}
        return replace(row, cells=dict(sorted({**kept, first: prices[max(reached)]}.items())))

    said = row_words.qualified(text)[1]
    column = Column("unit_price", text, said.get("tax", ""), said.get("currency", ""), int(said.get("scale", "1")))
    others = {c: x for c, x in header.columns.items() if c not in breaks.values() and x.field != "unit_price"}
    letters = ", ".join(column_letters(c) for _, c in sorted(breaks.items()))
    told = message("prices by quantity in columns {letters}: each line's is that of its quantity", letters=letters)
    notices.append(Notice(code="price-breaks", text=told))
    unused = {c: x for c, x in header.unused.items() if c not in breaks.values()}
    rows = tuple(priced(row) for row in sheet.rows)
    return replace(sheet, rows=rows), replace(header, columns={**others, first: column}, unused=unused)
