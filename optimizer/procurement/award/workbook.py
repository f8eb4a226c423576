"""An award and its orders as Excel workbooks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from xlsxwriter.utility import xl_col_to_name

from optimizer.procurement.award.award_labels import HOWS, alone_words, headline, saving_words, title
from optimizer.procurement.award.orders import OrderLine, PurchaseOrder
from optimizer.procurement.award.schema import Award, Bargain
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, NUMBER, PERCENT, Frame, Sheet, width_of
from optimizer.text.languages import N_, Words

SHEETS = {
    "award": N_("Award"),
    "lines": N_("Side by side"),
    "negotiation": N_("Negotiation"),
    "out": N_("Not awarded"),
}
CELL: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
WON: dict[str, Any] = {"bg_color": "#E2EFDA", "font_color": "#375623", "bold": True}
ORDERS = [
    N_("Bid"), N_("Vendor"), N_("Number of lines"), N_("Goods"), N_("Rebates by amount"), N_("Rebate on the whole"),
    N_("Freight"), N_("Net"), N_("Tax"), N_("With tax"),
]  # fmt: skip
CONDITIONS = [N_("Condition"), N_("Bid"), N_("What it costs")]
ALONE = [N_("Bid"), N_("Asks for everything, net")]
BARGAINS = [
    N_("Bid"), N_("No."), N_("What"), N_("Quoted"), N_("Lowest other"), N_("By"), N_("Catalog price"),
    N_("Source and day"), N_("Target"), N_("Break-even"), N_("Change to break-even"), N_("Wins"),
]  # fmt: skip
OUT = [N_("Bid"), N_("Vendor"), N_("Code"), N_("Why")]

ORDER_LINES = [
    N_("No."), N_("Row in the bid"), N_("Part"), N_("What"), N_("Quantity"), N_("Unit price, net"), N_("Net"),
    N_("Tax rate"),
]  # fmt: skip
EVEN = N_(
    "Break-even: the highest price of this line, all else as quoted, at which the award with it costs less than every "
    "award without it. Target: the least of quoted, lowest other and catalog. Amounts are of whole lines, net of tax."
)


def workbook(award: Award, words: Words) -> bytes:
    """The award, its lines side by side, the negotiation sheet, and what is not awarded. Same award, same bytes."""
    basis = award.basis
    book = Frame(words, SHEETS, basis.currency, words("Award"), words(HOWS[award.how]), basis.as_of)
    wide = width_of(max([award.gross, *(x.net for x in award.alone if x.net is not None)]))
    _award(book, award, wide)
    _lines(book, award, wide)
    _negotiation(book, award, wide)
    _not_awarded(book, award, wide)
    return book.closed()


def _money(book: Frame, sheet: Sheet, row: int, col: int, value: Decimal | None, **style: Any) -> None:
    if value is None:
        sheet.text(row, col, "–", **{**CELL, "align": "right", **style})
    else:
        sheet.number(row, col, value, **{**CELL, "num_format": book.money_format, **style})


def _award(book: Frame, award: Award, wide: float) -> None:
    _, sheet, basis = book.words, book.sheets["award"], award.basis
    note = _("as of {day}; amounts in {currency}, net of tax", day=basis.as_of.isoformat(), currency=basis.currency)
    top = sheet.setup([8, 36, 8, *[wide] * 7], _("Award"), note)
    style = {"bold": True, "bg_color": LIGHT, "font_color": DARK, "font_size": 12}
    sheet.span(top, 0, 9, f"{_(HOWS[award.how])}{_.colon}{headline(_, award)}", **style)
    sheet.span(top + 1, 0, 9, saving_words(_, award))
    row = top + 3
    sheet.head(row, ORDERS, freeze=False)
    first = row + 2
    for order in award.orders:
        row += 1
        sheet.text(row, 0, order.bid, **{**CELL, "align": "center"})
        sheet.text(row, 1, order.vendor or order.source, **CELL)
        sheet.number(row, 2, len(order.lines), num_format="0", **CELL)
        for col, value in ((3, order.goods), (4, -order.rebate), (5, -order.whole_rebate), (6, order.freight)):
            _money(book, sheet, row, col, value)
        money = {**CELL, "num_format": book.money_format}
        sheet.formula(row, 7, f"=SUM(D{row + 1}:G{row + 1})", order.net, **money)
        _money(book, sheet, row, 8, order.tax)
        sheet.formula(row, 9, f"=H{row + 1}+I{row + 1}", order.gross, **money)
    row += 1
    bold = {**CELL, "bold": True, "num_format": book.money_format, "bg_color": LIGHT}
    sheet.text(row, 1, _("Total"), **bold)
    sums = ((7, award.net), (8, award.tax), (9, award.gross))
    for col, value in sums:
        name = xl_col_to_name(col)
        sheet.formula(row, col, f"=SUM({name}{first}:{name}{row})", value, **bold)
    row = _alone(book, award, row + 2)
    row = _conditions(book, award, row + 1)
    for text in award.notes:
        sheet.span(row, 0, 9, _.sentence(text))
        row += 1
    sheet.done(row)


def _alone(book: Frame, award: Award, row: int) -> int:
    """Each bidder for everything."""
    _, sheet = book.words, book.sheets["award"]
    sheet.section(row, _("One bidder for everything"))
    for one in award.alone:
        row += 1
        best = WON if one.bid == award.best_alone else {}
        sheet.text(row, 0, one.bid, **{**CELL, "align": "center", **best})
        if one.net is None:
            sheet.span(row, 1, 9, alone_words(_, one, award.basis.currency))
        else:
            _money(book, sheet, row, 3, one.net, **best)
    return row + 1


def _conditions(book: Frame, award: Award, row: int) -> int:
    """What each condition costs."""
    _, sheet = book.words, book.sheets["award"]
    if not award.conditions:
        return row
    sheet.section(row, _("What each condition costs, solved again without it; what is below zero saves"))
    for condition in award.conditions:
        row += 1
        sheet.text(row, 0, condition.bid, **{**CELL, "align": "center"})
        sheet.span(row, 1, 2, _.sentence(condition.name), **CELL)
        _money(book, sheet, row, 3, condition.price)
    return row + 2


def _lines(book: Frame, award: Award, wide: float) -> None:
    """Lines down, bids across; what is awarded is green."""
    _, sheet = book.words, book.sheets["lines"]
    bids = [one.bid for one in award.alone]
    lots = any(line.lot for line in award.lines)
    top = sheet.setup([8, 46, 14, 10, wide, *[wide] * len(bids)], _("Side by side"), _("Green: what is awarded."))
    heads = [N_("No."), N_("What"), N_("Lot") if lots else N_("Together"), N_("Goes to"), N_("Awarded"), *bids]
    sheet.head(top, heads)

    for row, line in enumerate(award.lines, top + 1):
        sheet.number(row, 0, line.number, num_format="0", **CELL)
        sheet.text(row, 1, title(_, line), **CELL)
        sheet.text(row, 2, line.lot or _.sentence(line.together), **CELL)
        sheet.text(row, 3, line.winner, **{**CELL, "align": "center", "bold": True})
        _money(book, sheet, row, 4, line.net)
        asked = {offer.bid: offer.net for offer in line.offers}
        for col, bid in enumerate(bids, 5):
            _money(book, sheet, row, col, asked.get(bid), **(WON if bid == line.winner else {}))
    last = top + len(award.lines) + 1
    bold = {**CELL, "bold": True, "num_format": book.money_format, "bg_color": LIGHT}
    sheet.text(last, 1, _("Goods, before rebates and freight"), **bold)
    total = sum((line.net for line in award.lines), Decimal(0))
    sheet.formula(last, 4, f"=SUM(E{top + 2}:E{last})", total, **bold)
    sheet.done(last)


def _negotiation(book: Frame, award: Award, wide: float) -> None:
    _, sheet = book.words, book.sheets["negotiation"]
    widths = [6, 7, 40, wide, wide, 6, wide, 30, wide, wide, 12, 8]
    top = sheet.setup(widths, _("Negotiation"), _.stacked(EVEN))
    sheet.head(top, BARGAINS)
    row = top
    for row, bargain in enumerate(award.bargains, top + 1):
        _bargain(book, sheet, row, bargain)
    sheet.ws.autofilter(top, 0, max(row, top + 1), len(BARGAINS) - 1)
    sheet.done(max(row, top + 1))


def _bargain(book: Frame, sheet: Sheet, row: int, x: Bargain) -> None:
    _ = book.words
    sheet.text(row, 0, x.bid, **{**CELL, "align": "center"})
    sheet.number(row, 1, x.number, num_format="0", **CELL)
    sheet.text(row, 2, _.sentence(x.title), **CELL)
    _money(book, sheet, row, 3, x.quoted)
    _money(book, sheet, row, 4, x.lowest_other)
    sheet.text(row, 5, x.lowest_other_bid, **{**CELL, "align": "center"})
    _money(book, sheet, row, 6, x.catalog)
    sheet.text(row, 7, _.sentence(x.catalog_source) or "–", **CELL)
    _money(book, sheet, row, 8, x.target)
    _money(book, sheet, row, 9, x.break_even, bold=True)
    if x.break_even is None or not x.quoted:
        sheet.text(row, 10, "–", **{**CELL, "align": "right"})
    else:
        change = (x.break_even / x.quoted - 1).quantize(Decimal("0.0001"))
        formula = f"=ROUND(J{row + 1}/D{row + 1}-1,4)"
        sheet.formula(row, 10, formula, change, **{**CELL, "num_format": "+0.0%;-0.0%;0.0%"})
    sheet.text(row, 11, _("wins") if x.wins else "", **{**CELL, "align": "center", **(WON if x.wins else {})})


def _not_awarded(book: Frame, award: Award, wide: float) -> None:
    """Who is out and why, and what is in no total."""
    _, sheet = book.words, book.sheets["out"]
    row = sheet.setup([8, 30, 40, wide, 60], _("Not awarded"))
    sheet.section(row, _("Bids that get nothing, or not everything, and why"))
    row += 1
    sheet.head(row, OUT, freeze=False)
    for x in award.excluded:
        row += 1
        sheet.text(row, 0, x.bid, **{**CELL, "align": "center"})
        sheet.text(row, 1, x.vendor, **CELL)
        sheet.text(row, 2, x.code, **CELL)
        sheet.span(row, 3, 4, _.sentence(x.text))
    row += 2
    sheet.section(row, _("Left out of every total"))
    for left in award.left_out:
        row += 1
        sheet.text(row, 0, left.bid, **{**CELL, "align": "center"})
        sheet.text(row, 1, str(left.number), **CELL)
        sheet.text(row, 2, left.text, **CELL)
        _money(book, sheet, row, 3, left.net)
        sheet.text(row, 4, _.sentence(left.why), **CELL)
    sheet.done(row + 1)


def order_workbook(order: PurchaseOrder, words: Words) -> bytes:
    """A purchase order on one page wide, its sums live."""
    head = f"{words('Purchase order')} {order.number}"
    book = Frame(words, {"order": N_("Purchase order")}, order.currency, head, order.vendor, order.day)
    _, sheet = words, book.sheets["order"]
    wide = width_of(order.gross)
    top = sheet.setup([6, 8, 30, 56, 10, wide + 2, wide, 9], head)
    facts = [
        (_("Buyer"), order.buyer or "–"), (_("Vendor"), order.vendor), (_("Date"), order.day.isoformat()),
        (_("By your quote"), " ".join(x for x in (order.quote_no, str(order.quote_date or "")) if x) or "–"),
        (_("Currency"), order.currency),
        (_("Delivery until"), order.due.isoformat() if order.due else _("to be agreed")),
    ]  # fmt: skip
    row = top
    for label, value in facts:
        sheet.span(row, 0, 2, label, bold=True)
        sheet.span(row, 3, 7, value)
        row += 1
    row += 1
    sheet.head(row, ORDER_LINES)
    first = row + 2
    for number, line in enumerate(order.lines, 1):
        row += 1
        _order_line(book, sheet, row, number, line)
    _sums(book, sheet, order, row + 1, first)
    row += 8
    if order.converted:
        text = _(
            "Rebate and freight were put into {currency} at the comparison's exchange rates.", currency=order.currency
        )
        sheet.span(row, 0, 7, text)
        row += 1
    sheet.span(row + 1, 0, 3, f"{_('For the buyer')}{_.colon}________________________")
    sheet.span(row + 1, 4, 7, f"{_('Accepted by the vendor')}{_.colon}____________________")
    sheet.done(row + 1)
    return book.closed()


def _order_line(book: Frame, sheet: Sheet, row: int, number: int, line: OrderLine) -> None:
    sheet.number(row, 0, number, num_format="0", **CELL)
    sheet.number(row, 1, line.row, num_format="0", **CELL)
    sheet.text(row, 2, line.part or "–", **CELL)
    sheet.text(row, 3, line.text, **CELL)
    sheet.number(row, 4, line.qty, num_format=NUMBER, **CELL)
    sheet.number(row, 5, line.unit_net, num_format="#,##0.00####", **CELL)
    exact = round(float(line.qty) * float(line.unit_net), book.digits) == float(line.net)
    style = {**CELL, "num_format": book.money_format}
    if exact:
        sheet.formula(row, 6, f"=ROUND(E{row + 1}*F{row + 1},{book.digits})", line.net, **style)
    else:
        sheet.number(row, 6, line.net, **style)
    sheet.number(row, 7, line.tax_percent / 100, num_format=PERCENT, **CELL)


def _sums(book: Frame, sheet: Sheet, order: PurchaseOrder, row: int, first: int) -> None:
    """Goods, rebate, freight, net, tax, total below the lines."""
    _, style = book.words, {**CELL, "num_format": book.money_format}
    sheet.text(row, 5, _("Goods"), **CELL)
    sheet.formula(row, 6, f"=SUM(G{first}:G{row})", order.goods, **style)
    sheet.text(row + 1, 5, _("Rebates"), **CELL)
    sheet.number(row + 1, 6, -order.rebate, **style)
    sheet.text(row + 2, 5, _("Freight"), **CELL)
    sheet.number(row + 2, 6, order.freight, **style)
    sheet.text(row + 3, 5, _("Net"), **CELL)
    sheet.formula(row + 3, 6, f"=SUM(G{row + 1}:G{row + 3})", order.net, **style)
    sheet.text(row + 4, 5, _("Tax"), **CELL)
    sheet.number(row + 4, 6, order.tax, **style)
    bold = {**style, "bold": True, "bg_color": LIGHT}
    sheet.text(row + 5, 5, _("Total"), **bold)
    sheet.formula(row + 5, 6, f"=G{row + 4}+G{row + 5}", order.gross, **bold)
