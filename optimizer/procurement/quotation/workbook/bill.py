"""Sheet Bill of materials: pieces, prices and taxes as formulas over the offers' own prices and the assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalogs.message import message
from catalogs.offers import PricedOffer, state_of
from catalogs.schema import Kind
from constraints.exchange import minor_digits
from constraints.prices.states import QUICK
from optimizer.procurement.labels import category, sureness, word
from optimizer.procurement.quotation.quote import Line, support_percent
from optimizer.procurement.quotation.workbook import fx, gross
from optimizer.procurement.quotation.workbook.book import INPUT, LIGHT, PERCENT, Book, Sheet, shown_text
from optimizer.procurement.quotation.workbook.live import Live, literal, where
from optimizer.text.languages import N_, Words

HEAD = [
    N_("No."), N_("Category"), N_("Part"), N_("Manufacturer"), N_("Condition"), N_("Qty"), N_("Spares"), N_("Pieces"),
    N_("Unit price, net"), N_("Line, net"), N_("Tax amount"), N_("Line, with tax"), N_("Price of"), N_("Confidence"),
    N_("Lead time, days"), N_("Note"), N_("Offer's own price"), N_("Currency"), N_("Tax in it"), N_("Support rate"),
    N_("Seller"),
]  # fmt: skip
PRINTED = 15
"""Last column that is printed; beside it stand the inputs that unit prices are made from."""
FIRST = 4
"""Row of the first line, from 0."""
MARKS: dict[str, dict[str, Any]] = {
    "stale": {"bg_color": "#F8CBAD", "font_color": "#833C0B"},
    "estimate": {"bg_color": "#E4DFEC", "font_color": "#5F497A"},
    "lead": {"bg_color": "#FFE699", "font_color": "#7F6000"},
    "over": {"bg_color": "#FF9999", "font_color": "#9C0006", "bold": True},
}


def rows(book: Book) -> tuple[int, int]:
    """First and last row of the lines, as Excel counts."""
    return FIRST + 1, FIRST + len(book.quote.lines)


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["bom"]
    text = N_(
        "Amounts in {currency}. Prices are net of tax; each line's tax is its share of the tax on the sum, "
        "which is rounded once."
    )
    money_width = book.money_width
    widths = [
        5,
        14,
        32,
        16,
        10,
        6,
        7,
        7.5,
        money_width,
        money_width,
        money_width,
        money_width,
        11.5,
        11.5,
        9,
        20,
        money_width,
        9,
        9,
        9,
        24,
    ]
    sheet.setup(
        widths, f"{_('Bill of materials')}  {quote.party.number}", _.stacked(text, currency=quote.currency), PRINTED
    )
    sheet.head(FIRST - 1, HEAD)
    gross.label(sheet, FIRST - 1, 11, quote.rates.tax, _.stacked(HEAD[11]), _.stacked(N_("Line")), **gross.HEAD)
    first, last = rows(book)
    for i, line in enumerate(quote.lines):
        _line(book, FIRST + i, i, line)
    sheet.ws.autofilter(FIRST - 1, 0, FIRST + len(quote.lines) - 1, len(HEAD) - 1)
    end = _totals(book, first, last)
    sheet.text(end, 2, _.stacked(N_("Marks: price stale, estimate, long lead time, over budget")), font_color="#595959")
    for col, mark in ((8, "stale"), (9, "estimate"), (10, "lead"), (11, "over")):
        label = {
            "stale": N_("stale"), "estimate": N_("estimate"), "lead": N_("long lead time"), "over": N_("over budget"),
        }[mark]  # fmt: skip
        sheet.text(end, col, _.stacked(label), align="center", **MARKS[mark])
    sheet.done(end, PRINTED)


def unit_formula(book: Book, line: Line, n: int) -> str:
    """`constraints.prices.pricing.unit_price` over the cells of row n: net of tax, converted once, half up, a minor
    unit at least."""
    quote = book.quote
    assert line.offer is not None
    own = line.offer.currency
    convert = "" if own == quote.currency else fx.factor(quote.rates.fx[own], quote.rates.fx[quote.currency])
    return f"=MAX({quote.amount(1)},ROUND(Q{n}/(1+S{n}){convert},{quote.digits}))"


def _line(book: Book, row: int, i: int, line: Line) -> None:
    _, quote, sheet, n = book.words, book.quote, book.sheets["bom"], row + 1
    d, first, _last = quote.digits, *rows(book)
    cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
    money = {**cell, "num_format": book.money_format}
    sheet.number(row, 0, i + 1, num_format="0", align="center", **cell)
    sheet.text(row, 1, category(_, line.category), **cell)
    sheet.text(row, 2, line.name, **cell)
    sheet.text(row, 3, line.vendor, **cell)
    sheet.text(row, 4, word(_, line.offer.condition if line.offer else None), **cell)
    sheet.number(row, 5, line.qty, num_format="0", **cell)
    if line.by_share:
        share = f"=ROUNDUP(ROUND(F{n}*spares_{line.category},9),0)"
        sheet.formula(row, 6, share, line.spare, num_format="0", **cell)
    else:
        sheet.number(row, 6, line.spare, num_format="0", **cell)
    sheet.formula(row, 7, f"=F{n}+G{n}", line.pieces, num_format="0", **cell)
    priced = line.offer is not None and line.price is not None
    if priced:
        sheet.formula(row, 8, unit_formula(book, line, n), quote.amount(line.unit), **money)
    else:
        sheet.number(row, 8, 0, **money)
    sheet.money(row, 9, f"=ROUND(H{n}*I{n},{d})", line.total, **cell)
    tax = quote.sums.taxes[i]
    sheet.money(row, 10, f"=ROUND({_taxed(f'SUM(J${first}:J{n})', d)}-SUM(K${first - 1}:K{n - 1}),{d})", tax, **cell)
    sheet.money(row, 11, f"=ROUND(J{n}+K{n},{d})", line.total + tax, **cell)
    given = {**cell, "bg_color": INPUT, "locked": False, "font_color": "#0000C0"}
    if priced and line.offer is not None:
        sheet.number(row, 16, line.price, num_format="#,##0.00", **given)
        sheet.text(row, 17, line.offer.currency, align="center", **cell)
        sheet.number(row, 18, line.offer.tax_rate, num_format=PERCENT, **given)
        sheet.ws.write_comment(
            row, 8, shown_text(_source(_, line)), {"x_scale": 2.2, "y_scale": 1.4, "author": "dsopt"}
        )
    else:
        for col in (16, 17, 18):
            sheet.text(row, col, "", **cell)
    sheet.formula(row, 19, _rate(line), support_percent(line, quote.rates) / 100, num_format=PERCENT, **cell)
    _facts(book, row, line, priced, cell)


def _rate(line: Line) -> str:
    names = ",".join(f"support_{c}" for c in line.categories)
    return "=0" if line.origin == "included" else f"=MAX({names})"


def _facts(book: Book, row: int, line: Line, priced: bool, cell: dict[str, Any]) -> None:
    """Date, confidence, lead time, seller and note of a line, with their marks."""
    _, sheet, n, offer = book.words, book.sheets["bom"], row + 1, line.offer
    if offer is not None and priced:
        if line.day is not None:
            sheet.ws.write_datetime(row, 12, line.day, sheet.f(num_format="yyyy-mm-dd", align="center", **cell))
        else:
            sheet.text(row, 12, "", **cell)
        sheet.text(row, 13, sureness(_, offer), align="center", **cell)
        sheet.number(row, 14, offer.lead_time_days, num_format="0", **cell)
        sheet.text(row, 20, offer.seller, **cell)
        days = fresh_days_name(line)
        _mark(sheet, n, "M", f"=AND(ISNUMBER($M{n}),quote_date-$M{n}>{days})", "stale")
        if offer.confidence == "estimate":
            _mark(sheet, n, "N", f'=$N{n}<>""', "estimate")
        _mark(sheet, n, "O", f"=AND(ISNUMBER($O{n}),$O{n}>long_lead_days)", "lead")
    else:
        for col in (12, 13, 14, 20):
            sheet.text(row, col, "", **cell)
    stale = _.sentence(STALE).replace("\n", " / ")
    semicolon = _.between("; ")
    rest = semicolon.join(_.sentence(note).replace("\n", " / ") for note in notes(line) if note != STALE)
    if offer is not None and priced and line.day is not None:
        both = (stale + semicolon + rest).removesuffix(semicolon)
        old = Live(literal(both), both)
        is_old = f"quote_date-$M{n}>{fresh_days_name(line)}"
        sheet.live(row, 15, 15, where(is_old, line.stale, old, Live(literal(rest), rest)), **cell)
    else:
        sheet.text(row, 15, rest, **cell)


STALE = N_("stale price")


def fresh_days_name(line: Line) -> str:
    """Name of the cell that says from which age a line's price is stale."""
    return "fresh_days_memory" if any(Kind(c) in QUICK for c in line.categories) else "fresh_days"


def notes(line: Line) -> list[str]:
    """What a reader must know of a line beside its figures."""
    out = []
    if line.stale:
        out.append(STALE)
    if line.origin == "included":
        out.append(N_("included in the complete system"))
    elif line.origin == "owned":
        out.append(N_("already in hand"))
    elif line.origin == "bundle" and line.category != "bundle" and line.offer is not None:
        out.append(message("in bundle {bundle}", bundle=line.offer.id))
    elif not line.by_share:
        out.append(N_("price holds for this number of pieces"))
    return out


def _source(_: Words, line: Line) -> str:
    """The comment at a unit price."""
    offer = line.offer
    assert offer is not None
    read = "" if state_of(offer) == "estimate" else f"{offer.date.isoformat()}  "
    was = ""
    if isinstance(offer, PricedOffer) and offer.read_price != offer.price:
        price = f"{offer.read_price:,.{minor_digits(offer.currency)}f}"
        was = _("{price} {currency} when it was read", price=price, currency=offer.currency)
    said = [
        f"{read}{sureness(_, offer)}  {offer.seller}",
        was,
        offer.source,
        offer.link,
        offer.id,
    ]
    return "\n".join(x for x in said if x)


def _mark(sheet: Sheet, n: int, column: str, criteria: str, mark: str) -> None:
    sheet.ws.conditional_format(
        f"{column}{n}", {"type": "formula", "criteria": criteria, "format": sheet.book.file.add_format(MARKS[mark])}
    )


def _taxed(net: str, digits: int) -> str:
    return f"ROUND(ROUND({net},{digits})*tax_rate,{digits})"


def _totals(book: Book, first: int, last: int) -> int:
    """Goods, discount, support and total, with names; returns the row after."""
    _, quote, sheet, digits = book.words, book.quote, book.sheets["bom"], book.quote.digits
    sums, row = quote.sums, FIRST + len(quote.lines)
    goods, off, served, total = (row + 1 + k for k in range(4))
    lines_tax = sum(sums.taxes[:-2])
    taxed: Sequence[tuple[str, str, int, str, int]] = (
        (
            N_("Goods with spares"), f"=ROUND(SUM(J{first}:J{last}),{digits})", sums.goods,
            f"=ROUND(SUM(K{first}:K{last}),{digits})", lines_tax,
        ),
        (
            N_("Discount"), f"=-ROUND(J{goods}*discount_rate,{digits})", -sums.discount,
            f"=ROUND({_taxed(f'J{goods}+J{off}', digits)}-K{goods},{digits})", sums.taxes[-2],
        ),
        (
            N_("Support"),
            f"=ROUND(ROUND(J{goods}+J{off},{digits})*support_rate"
            f"+SUMPRODUCT(J{first}:J{last},T{first}:T{last})*(1-discount_rate),{digits})", sums.support,
            f"=ROUND({_taxed(f'J{goods}+J{off}+J{served}', digits)}-K{goods}-K{off},{digits})", sums.taxes[-1],
        ),
        (
            N_("Total"), f"=ROUND(J{goods}+J{off}+J{served},{digits})", sums.net,
            f"=ROUND(K{goods}+K{off}+K{served},{digits})", sums.tax,
        ),
    )  # fmt: skip
    for k, (label, net, cents, tax, tax_cents) in enumerate(taxed):
        r = row + k
        style: dict[str, Any] = {"bold": k in (0, 3), "top": 1, "bg_color": LIGHT if k < 3 else "#BDD7EE"}
        sheet.span(r, 0, 8, _(label), align="right", **style)
        sheet.money(r, 9, net, cents, **style)
        sheet.money(r, 10, tax, tax_cents, **style)
        sheet.money(r, 11, f"=ROUND(J{r + 1}+K{r + 1},{digits})", cents + tax_cents, **style)
    _mark(sheet, total, "L", f"=AND(ISNUMBER(budget),$L{total}>budget)", "over")
    for name, cell in (
        ("total_goods", f"$J${goods}"), ("total_discount", f"$J${off}"), ("total_support", f"$J${served}"),
        ("total_net", f"$J${total}"), ("total_tax", f"$K${total}"), ("total", f"$L${total}"),
    ):  # fmt: skip
        book.define(name, "bom", cell)
    spares = row + 4
    sheet.span(spares, 0, 8, _("of it spares, net"), align="right", font_color="#595959")
    sheet.money(
        spares, 9, f"=ROUND(SUMPRODUCT(G{first}:G{last},I{first}:I{last}),{digits})", sums.spares, font_color="#595959"
    )
    book.define("total_spares", "bom", f"$J${spares + 1}")
    return row + 6
