"""What the sheets of a comparison share: where figures stand, so that others can refer to them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from optimizer.procurement.bids.bid_labels import STATES
from optimizer.procurement.bids.cells import HARDWARE
from optimizer.procurement.bids.schema import Bid, Comparison, PricedLine
from optimizer.procurement.quotation.workbook.book import Frame, width_of
from optimizer.text.languages import N_, Words

SHEETS = {
    "summary": N_("Summary"),
    "items": N_("Items"),
    "scope": N_("Scope"),
    "technical": N_("Technical comparison"),
    "score": N_("Score"),
    "flags": N_("Marks"),
    "lines": N_("Lines"),
    "assumptions": N_("Assumptions"),
    "provenance": N_("Provenance"),
}
CELL: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
RED: dict[str, Any] = {"bg_color": "#FF9999", "font_color": "#9C0006"}
YELLOW: dict[str, Any] = {"bg_color": "#FFE699", "font_color": "#7F6000"}
GREEN: dict[str, Any] = {"bg_color": "#E2EFDA", "font_color": "#375623"}
VIOLET: dict[str, Any] = {"bg_color": "#E4DFEC", "font_color": "#5F497A"}
FIRST_LINE = 4
"""Row of the first line on sheet Lines, from 0."""
FIRST_ITEM = 5
"""Row of the first item on sheets Items and Scope, from 0."""
MOST_CELLS = 50
"""Of a sum that names its cells one by one."""
LEFT, WIDE = 4, 4
"""Columns before the bids on sheet Items, and columns of each bid: quantity, unit price, line, added or taken out."""


class CompareBook(Frame):
    """The workbook of a comparison."""

    def __init__(self, comparison: Comparison, words: Words) -> None:
        self.c = comparison
        basis = comparison.basis
        head = f"{words('Bid comparison')}  {comparison.request.model}  {basis.as_of.isoformat()}"
        super().__init__(words, SHEETS, basis.currency, head, comparison.request.model, basis.as_of)
        self.all_lines: list[tuple[Bid, PricedLine]] = [(bid, line) for bid in comparison.bids for line in bid.lines]
        self._places: dict[tuple[int, str, str], list[int]] = {}
        for k, (x, y) in enumerate(self.all_lines):
            self._places.setdefault((y.item, x.id, y.state), []).append(k)

    @property
    def bids(self) -> Sequence[Bid]:
        return self.c.bids

    @property
    def money_width(self) -> float:
        return width_of(
            max((abs(bid.equal_gross) for bid in self.bids if bid.equal_gross is not None), default=Decimal(0))
        )

    def line_sum(self, item: int, bid: str, states: Sequence[str]) -> str:
        """Formula that adds up the net amounts of a bid's lines of an item; blank where it has none."""
        found = [k for s in states for k in self._places.get((item, bid, s), ())]
        if len(found) <= MOST_CELLS:
            return "+".join(self.ref("lines", f"$N${FIRST_LINE + 1 + k}") for k in sorted(found))

        def column(letter: str) -> str:
            return self.ref("lines", f"${letter}${FIRST_LINE + 1}:${letter}${FIRST_LINE + len(self.all_lines)}")

        named = "+".join(f'({column("G")}="{self.words(STATES[s])}")' for s in states)
        return f'SUMPRODUCT(({column("A")}="{bid}")*({column("C")}={item})*({named})*{column("N")})'

    def item_cell(self, item: int, i: int, which: int, sheet: bool = False) -> str:
        """Cell of bid i in an item's row: 0 quantity, 1 unit price, 2 line, 3 added or taken out."""
        cell = f"${xl_col_to_name(LEFT + WIDE * i + which)}${FIRST_ITEM + item}"
        return self.ref("items", cell) if sheet else cell

    def item_column(self, i: int, which: int) -> str:
        """Cells of all items of bid i: 2 line, 3 added or taken out."""
        letter = xl_col_to_name(LEFT + WIDE * i + which)
        return self.ref("items", f"${letter}${FIRST_ITEM + 1}:${letter}${self.last_item_row}")

    def offered_cell(self, i: int) -> str:
        """The sum of bid i as offered, on sheet Items."""
        return f"${xl_col_to_name(LEFT + WIDE * i + 2)}${self.last_item_row + 1}"

    @property
    def last_item_row(self) -> int:
        """As Excel counts."""
        return FIRST_ITEM + len(self.c.items)

    @property
    def hardware_rows(self) -> int:
        """Items of goods; they stand above services."""
        return sum(item.role in HARDWARE for item in self.c.items)

    def total(self, i: int) -> str:
        """Name of a bid's total on equal scope, net."""
        return f"equal_net_{self.bids[i].id}"


def money(book: CompareBook, sheet: Any, row: int, col: int, formula: str, value: Decimal, **style: Any) -> None:
    """A formula whose value is an amount of the comparison."""
    sheet.formula(row, col, formula, value, num_format=book.money_format, **{**CELL, **style})
