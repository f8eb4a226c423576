"""Sheet Lines: every line of every bid as stated, and its net amount in the comparison's currency as a formula."""

from __future__ import annotations

from optimizer.procurement.bids.bid_labels import STATES, role
from optimizer.procurement.bids.schema import PricedLine
from optimizer.procurement.bids.workbook.book import CELL, FIRST_LINE, CompareBook, money
from optimizer.procurement.quotation.workbook import fx
from optimizer.procurement.quotation.workbook.book import INPUT, NUMBER, PERCENT
from optimizer.text.languages import N_

HEAD = [
    N_("Bid"), N_("Row in file"), N_("Item"), N_("Category"), N_("Text"), N_("Catalog part"), N_("State"),
    N_("Pieces"), N_("Qty"), N_("Price as stated"), N_("Price for"), N_("Currency"), N_("Tax in it"),
    N_("Net amount"), N_("Line total as stated"),
]  # fmt: skip


def formula(book: CompareBook, line: PricedLine, n: int) -> str:
    """Row n: quantity x price / pieces priced / (1 + tax), at the exchange rates of the assumptions, rounded once."""
    known = {r.currency: r for r in book.c.basis.rates}
    wanted = book.c.basis.currency
    convert = "" if line.currency == wanted else fx.factor(known[line.currency], known[wanted])
    return f"=ROUND(I{n}*J{n}/K{n}/(1+M{n}){convert},{book.digits})"


def add(book: CompareBook) -> None:
    _, sheet = book.words, book.sheets["lines"]
    text = N_(
        "Where quantity x unit price is not the total stated, the product counts. Yellow cells may be edited: "
        "everything follows."
    )
    money_width = book.money_width
    widths = [6, 8, 7, 17, 44, 34, 13, 8, 9, 16, 8, 9, 9, money_width, 16]
    sheet.setup(widths, _("Lines"), _.stacked(text))
    sheet.head(FIRST_LINE - 1, HEAD)
    given = {**CELL, "bg_color": INPUT, "locked": False, "font_color": "#0000C0"}
    for k, (b, x) in enumerate(book.all_lines):
        row = FIRST_LINE + k
        sheet.text(row, 0, b.id, align="center", **CELL)
        sheet.number(row, 1, x.row, num_format="0", **CELL)
        sheet.number(row, 2, x.item, num_format="0", **CELL)
        sheet.text(row, 3, role(_, x.role), **CELL)
        sheet.text(row, 4, x.text, **CELL)
        sheet.text(row, 5, x.part or "", **CELL)
        sheet.text(row, 6, _(STATES[x.state]), **CELL)
        sheet.number(row, 7, x.pieces, num_format="#,##0", **CELL)
        sheet.number(row, 8, x.qty, num_format=NUMBER, **given)
        sheet.number(row, 9, x.price, num_format="#,##0.00##", **given)
        sheet.number(row, 10, x.per, num_format="0", **CELL)
        sheet.text(row, 11, x.currency, align="center", **CELL)
        sheet.number(row, 12, x.tax_in_price, num_format=PERCENT, **given)
        money(book, sheet, row, 13, formula(book, x, row + 1), x.net)
        sheet.number(row, 14, x.stated_total, num_format="#,##0.00", **CELL)
    last = FIRST_LINE + len(book.all_lines) - 1
    sheet.ws.autofilter(FIRST_LINE - 1, 0, last, len(HEAD) - 1)
    sheet.done(last)
