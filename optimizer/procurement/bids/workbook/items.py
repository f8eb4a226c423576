"""Sheets Items and Scope: aligned lines with each bid's amounts, what is added, medians, outliers; who offers what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from optimizer.procurement.bids.bid_labels import FILLS, OUTSIDE, SCOPES, STATES, named, role, title
from optimizer.procurement.bids.schema import Cell, Item
from optimizer.procurement.bids.workbook.book import (
    CELL,
    FIRST_ITEM,
    GREEN,
    LEFT,
    RED,
    VIOLET,
    WIDE,
    YELLOW,
    CompareBook,
    money,
)  # fmt: skip
from optimizer.procurement.quotation.workbook import gross
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT
from optimizer.text.languages import N_, Words

FIRM = ("included", "in_system")
SUMS = (
    (N_("As offered, and added less taken out"), False), (N_("Total on equal scope, net"), True), (N_("Tax"), False),
    (N_("Total with tax"), True),
)  # fmt: skip
COLOURS: dict[str, dict[str, Any]] = {
    "included": GREEN, "in_system": GREEN, "equivalent": {"bg_color": "#DDEBF7", "font_color": "#1F4E78"},
    "optional": YELLOW, "on_request": YELLOW, "not_needed": {"font_color": "#808080"}, "excluded": RED,
    "not_judged": YELLOW,
}  # fmt: skip
FREE = N_("others include it at no price")
MEASURES = {"piece": N_("piece"), "line": N_("line"), "GB": "GB", "W": "W", "Gbit/s": "Gbit/s"}


def add(book: CompareBook) -> None:
    _, c, sheet = book.words, book.c, book.sheets["items"]
    n, money_width = len(c.bids), book.money_width
    widths = [5, 18, 40, 9, *([9, money_width, money_width, money_width * 0.9] * n), money_width, 10]
    text = N_(
        "Amounts in {currency}, net of tax. Violet: added for equal scope, or taken out of it. Red: more than the "
        "limit from the median of comparable prices."
    )
    sheet.setup(widths, _("Items"), _.stacked(text, currency=c.basis.currency))
    _heads(book)
    for item in c.items:
        _row(book, item)
    end = _sums(book)
    sheet.done(end)


def _heads(book: CompareBook) -> None:
    _, sheet = book.words, book.sheets["items"]
    top = FIRST_ITEM - 2
    last = LEFT + WIDE * len(book.bids)
    head = {"bold": True, "bg_color": DARK, "font_color": "white", "align": "center", "border": 1}
    for col in (*range(LEFT), last, last + 1):
        sheet.text(top, col, "", **head)
    for i, bid in enumerate(book.bids):
        sheet.span(top, LEFT + WIDE * i, LEFT + WIDE * i + WIDE - 1, named(bid), **head)
    own = [N_("Qty"), N_("Unit price"), N_("Line"), N_("Added, taken out")]
    sheet.head(
        top + 1,
        [
            N_("No."),
            N_("Category"),
            N_("Item"),
            N_("Measure"),
            *own * len(book.bids),
            N_("Median unit"),
            N_("Outliers"),
        ],
        freeze=False,
    )
    sheet.ws.freeze_panes(FIRST_ITEM, 3)
    sheet.ws.repeat_rows(top, top + 1)


def _row(book: CompareBook, item: Item) -> None:
    _, sheet, row = book.words, book.sheets["items"], FIRST_ITEM + item.number - 1
    sheet.number(row, 0, item.number, num_format="0", align="center", **CELL)
    sheet.text(row, 1, role(_, item.role), **CELL)
    sheet.text(row, 2, title(_, item), **CELL)
    sheet.text(row, 3, _(MEASURES[item.measure]), align="center", **CELL)
    compared = [i for i, cell in enumerate(item.cells) if cell.over_median is not None]
    mid = LEFT + WIDE * len(book.bids)
    for i, cell in enumerate(item.cells):
        _cell(book, item, i, cell)
        if i in compared:
            unit, median = book.item_cell(item.number, i, 1), f"${xl_col_to_name(mid)}${row + 1}"
            far = f"=ABS({unit}/{median}-1)>outlier_limit"
            shape = {"type": "formula", "criteria": far, "format": book.file.add_format(RED)}
            sheet.ws.conditional_format(row, LEFT + WIDE * i + 1, row, LEFT + WIDE * i + 1, shape)
    if item.median_unit is not None:
        cells = [book.item_cell(item.number, i, 1) for i in compared]
        median = f"${xl_col_to_name(mid)}${row + 1}"
        money(book, sheet, row, mid, f"=MEDIAN({','.join(cells)})", item.median_unit)
        tests = "&".join(
            f'IF(ABS({cell}/{median}-1)>outlier_limit,"{book.bids[i].id} ","")'
            for i, cell in zip(compared, cells, strict=True)
        )
        said = "".join(f"{book.bids[i].id} " for i in compared if item.cells[i].outlier)
        sheet.formula(row, mid + 1, f"={tests}", said, align="center", **CELL)
    else:
        sheet.text(row, mid, "", **CELL)
        sheet.text(row, mid + 1, "", **CELL)


def _cell(book: CompareBook, item: Item, i: int, cell: Cell) -> None:
    """Quantity, unit price, line and what is added, of a bid."""
    sheet, row, col = book.sheets["items"], FIRST_ITEM + item.number - 1, LEFT + WIDE * i
    firm = book.line_sum(item.number, book.bids[i].id, FIRM)
    if firm and cell.net is not None:
        sheet.number(row, col, cell.size, num_format="#,##0.##", **CELL)
        money(book, sheet, row, col + 2, f"=ROUND({firm},{book.digits})", cell.net)
        if cell.unit_net is not None:
            qty, line = book.item_cell(item.number, i, 0), book.item_cell(item.number, i, 2)
            money(book, sheet, row, col + 1, f"={line}/{qty}", cell.unit_net)
        else:
            sheet.text(row, col + 1, "", **CELL)
    else:
        for k in range(3):
            sheet.text(row, col + k, "", **CELL)
    if cell.outside and cell.net is not None:
        line = book.item_cell(item.number, i, 2)
        money(book, sheet, row, col + 3, f"=-{line}", -cell.net, **VIOLET)
        sheet.ws.write_comment(row, col + 3, book.words(OUTSIDE[item.in_scope]), {"author": "dsopt"})
        return
    if cell.filled is None:
        sheet.text(
            row,
            col + 3,
            "?" if cell.fill == "none" or cell.open else "",
            align="center",
            **{**CELL, **(RED if cell.fill or cell.open else {})},
        )
        return
    money(book, sheet, row, col + 3, *_fill(book, item, i, cell), **VIOLET)
    note = f"{book.words(FILLS[cell.fill])}" + (f" ({cell.filled_qty})" if cell.fill == "catalog" else "")
    sheet.ws.write_comment(row, col + 3, note, {"author": "dsopt"})


def _fill(book: CompareBook, item: Item, i: int, cell: Cell) -> tuple[str, Decimal]:
    """Formula and value of what is added."""
    assert cell.filled is not None
    if cell.fill == "option":
        return f"=ROUND({book.line_sum(item.number, book.bids[i].id, ('optional',))},{book.digits})", cell.filled
    if cell.fill in ("median", "max", "other"):
        there = [
            (k, other.net)
            for k, other in enumerate(item.cells)
            if k != i and other.net is not None and not other.fill and _firm(other)
        ]
        used = [k for k, net in there if net > 0] or [k for k, _net in there]
        cells = [book.item_cell(item.number, k, 2) for k in used]
        made = "MAX" if cell.fill == "max" else "MEDIAN"
        return f"=ROUND({made}({','.join(cells)}),{book.digits})", cell.filled
    return f"={cell.filled}", cell.filled


def _firm(cell: Cell) -> bool:
    return cell.state in ("included", "equivalent", "in_system")


def _sums(book: CompareBook) -> int:
    """Offered and added, total on equal scope, tax, gross, by bid; returns the last row."""
    _, sheet, digits = book.words, book.sheets["items"], book.digits
    first, last, row = FIRST_ITEM + 1, book.last_item_row, FIRST_ITEM + len(book.c.items)
    for k, (label, strong) in enumerate(SUMS):
        style: dict[str, Any] = {"bold": strong, "bg_color": LIGHT, "top": 1}
        sheet.span(row + k, 0, LEFT - 1, _(label), align="right", **style)
        if k == len(SUMS) - 1:
            gross.label(sheet, row + k, 0, book.c.basis.tax_percent, _(label), _("Total"), align="right", **style)
        for i, bid in enumerate(book.bids):
            col = LEFT + WIDE * i
            line, added = xl_col_to_name(col + 2), xl_col_to_name(col + 3)
            n = row + 1  # as Excel counts, of the first sum
            value, formula = (
                (bid.offered_net, f"=ROUND(SUM({line}{first}:{line}{last}),{digits})"),
                (bid.equal_net, f"=ROUND({line}{n}+{added}{n},{digits})"),
                (bid.equal_tax, f"=ROUND({line}{n + 1}*tax_rate,{digits})"),
                (bid.equal_gross, f"=ROUND({line}{n + 1}+{line}{n + 2},{digits})"),
            )[k]
            for blank in (col, col + 1):
                sheet.text(row + k, blank, "", **style)
            if value is None or bid.filled_net is None or bid.outside_net is None:
                sheet.text(row + k, col + 2, "–", **{**style, "align": "right"})
                sheet.text(row + k, col + 3, "?" if k == 1 and not bid.apart else "", **style)
                continue
            money(book, sheet, row + k, col + 2, formula, value, **style)
            if k == 0:
                added_sum = f"=ROUND(SUM({added}{first}:{added}{last}),{digits})"
                money(book, sheet, row, col + 3, added_sum, bid.filled_net - bid.outside_net, **style)
            else:
                sheet.text(row + k, col + 3, "", **style)
            if k in (1, 3):
                name = book.total(i) if k == 1 else f"equal_gross_{bid.id}"
                book.define(name, "items", f"${line}${row + k + 1}")
    return row + len(SUMS) - 1


def add_scope(book: CompareBook) -> None:
    """Who includes, excludes, offers as an option or something equivalent."""
    _, c, sheet = book.words, book.c, book.sheets["scope"]
    each = max(26.0, 120 / len(c.bids))
    text = N_("Per bid: included, equivalent (another part for the same end), optional, on request, excluded.")
    sheet.setup([5, 20, 44, 26, *[each] * len(c.bids)], _("Scope"), _.stacked(text))
    top = FIRST_ITEM - 1
    sheet.head(top, [N_("No."), N_("Category"), N_("Item"), N_("Why it counts"), *(named(bid) for bid in c.bids)])
    for item in c.items:
        row = FIRST_ITEM + item.number - 1
        sheet.number(row, 0, item.number, num_format="0", align="center", **CELL)
        sheet.text(row, 1, role(_, item.role), **CELL)
        sheet.text(row, 2, title(_, item), **CELL)
        grey = {"font_color": "#808080"} if item.in_scope in OUTSIDE and item.in_scope != "design" else {}
        sheet.text(row, 3, _(SCOPES[item.in_scope]), **{**CELL, **grey})
        for i, cell in enumerate(item.cells):
            shade = COLOURS[cell.state] if cell.state != "excluded" or cell.fill else {"font_color": "#808080"}
            shade = {"font_color": "#808080"} if cell.outside else shade
            sheet.text(row, 4 + i, _scope(_, cell), **{**CELL, **shade, "valign": "top"})
    sheet.ws.autofilter(top, 0, FIRST_ITEM + len(c.items) - 1, 3 + len(c.bids))
    sheet.done(FIRST_ITEM + len(c.items) - 1)


def _scope(_: Words, cell: Cell) -> str:
    """State, what is offered, and what is added where nothing is."""
    said = _(STATES[cell.state])
    if cell.text and not (cell.demanded and cell.state == "excluded"):
        count = f"{cell.pieces} x " if cell.pieces else ""
        said += f"{_.between(': ')}{count}{_.sentence(cell.text) if cell.state == 'not_judged' else cell.text}"
    if cell.outside:
        said += "\n" + _("taken out of the total")
    if cell.open:
        said += "\n" + _("not comparable until asked")
    if cell.fill == "none":
        said += "\n" + _("not comparable until asked")
    elif cell.fill:
        said += "\n" + (_("added: {how}", how=FILLS[cell.fill]) if cell.filled != 0 else _(FREE))
    if cell.fill:
        said += f"\n{_('demanded by the rules')}{_.between(': ')}{cell.text}" if cell.demanded else ""
    return said
