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
from optimizer.procurement.quotation.described import measure
from optimizer.procurement.quotation.quote import Line, support_percent
from optimizer.procurement.quotation.workbook import fx, gross
from optimizer.procurement.quotation.workbook.book import INPUT, LIGHT, PERCENT, Book, Sheet, shown_text
from optimizer.procurement.quotation.workbook.live import Live, literal, where
from optimizer.text.languages import N_, Words

COLUMNS: tuple[tuple[str, str], ...] = (
    ("no", N_("No.")), ("category", N_("Category")), ("part", N_("Part")), ("vendor", N_("Manufacturer")),
    ("condition", N_("Condition")), ("qty", N_("Qty")), ("spares", N_("Spares")), ("pieces", N_("Pieces")),
    ("measure", N_("Unit")), ("unit", N_("Unit price, net")), ("net", N_("Line, net")), ("tax", N_("Tax amount")),
    ("gross", N_("Line, with tax")), ("day", N_("Price of")), ("confidence", N_("Confidence")),
    ("lead", N_("Lead time, days")), ("warranty", N_("Warranty in months")), ("origin", N_("Country of origin")),
    ("note", N_("Note")), ("price", N_("Offer's own price")), ("currency", N_("Currency")),
    ("tax_in", N_("Tax in it")), ("support", N_("Support rate")), ("seller", N_("Seller")),
)  # fmt: skip
"""Of the lines, by key, with what stands above each."""
HEAD = [title for _key, title in COLUMNS]
COL = {key: at for at, (key, _title) in enumerate(COLUMNS)}
"""Columns from 0."""
AT = {key: chr(ord("A") + at) for key, at in COL.items()}
"""Columns by their letters, which stand in the formulas below: K is the net of a line."""
PRINTED = COL["note"]
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
    most = book.money_width
    widths: dict[str, float] = {
        "no": 5, "category": 13, "part": 38, "vendor": 14, "condition": 9, "qty": 6, "spares": 6.5, "pieces": 7,
        "measure": 6, "unit": most, "net": most, "tax": most, "gross": most, "day": 11.5, "confidence": 11.5,
        "lead": 8, "warranty": 9, "origin": 9, "note": 20, "price": most, "currency": 9, "tax_in": 9, "support": 9,
        "seller": 24,
    }  # fmt: skip
    sheet.setup(
        [widths[key] for key in COL],
        f"{_('Bill of materials')}  {quote.party.number}",
        _.stacked(text, currency=quote.currency),
        PRINTED,
    )
    sheet.head(FIRST - 1, HEAD)
    gross.label(
        sheet,
        FIRST - 1,
        COL["gross"],
        quote.rates.tax,
        _.stacked(HEAD[COL["gross"]]),
        _.stacked(N_("Line")),
        **gross.HEAD,
    )
    first, last = rows(book)
    for i, line in enumerate(quote.lines):
        _line(book, FIRST + i, i, line)
    sheet.ws.autofilter(FIRST - 1, 0, FIRST + len(quote.lines) - 1, len(HEAD) - 1)
    end = _totals(book, first, last)
    sheet.text(end, 2, _.stacked(N_("Marks: price stale, estimate, long lead time, over budget")), font_color="#595959")
    for col, mark in zip((COL["unit"], COL["net"], COL["tax"], COL["gross"]), MARKS, strict=True):
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
    return f"=MAX({quote.amount(1)},ROUND(T{n}/(1+V{n}){convert},{quote.digits}))"


def _line(book: Book, row: int, i: int, line: Line) -> None:
    _, quote, sheet, n = book.words, book.quote, book.sheets["bom"], row + 1
    d, first, _last = quote.digits, *rows(book)
    cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
    money = {**cell, "num_format": book.money_format}
    sheet.number(row, COL["no"], i + 1, num_format="0", align="center", **cell)
    sheet.text(row, COL["category"], category(_, line.category), **cell)
    sheet.text(row, COL["part"], f"{line.name}\n{_.sentence(line.description)}", **cell)
    sheet.text(row, COL["vendor"], line.vendor, **cell)
    sheet.text(row, COL["condition"], word(_, line.offer.condition if line.offer else None), **cell)
    sheet.number(row, COL["qty"], line.qty, num_format="0", **cell)
    if line.by_share:
        share = f"=ROUNDUP(ROUND(F{n}*spares_{line.category},9),0)"
        sheet.formula(row, COL["spares"], share, line.spare, num_format="0", **cell)
    else:
        sheet.number(row, COL["spares"], line.spare, num_format="0", **cell)
    sheet.formula(row, COL["pieces"], f"=F{n}+G{n}", line.pieces, num_format="0", **cell)
    sheet.text(row, COL["measure"], _.pair(*measure(line.category)).replace("\n", " / "), align="center", **cell)
    priced = line.offer is not None and line.price is not None
    if priced:
        sheet.formula(row, COL["unit"], unit_formula(book, line, n), quote.amount(line.unit), **money)
    else:
        word_ = _(unpriced(line)).replace('"', "")
        sheet.number(row, COL["unit"], 0, **{**cell, "num_format": f'0;-0;"{word_}"', "align": "right", "shrink": True})
    sheet.money(row, COL["net"], f"=ROUND(H{n}*J{n},{d})", line.total, **cell)
    tax = quote.sums.taxes[i]
    sheet.money(
        row, COL["tax"], f"=ROUND({_taxed(f'SUM(K${first}:K{n})', d)}-SUM(L${first - 1}:L{n - 1}),{d})", tax, **cell
    )
    sheet.money(row, COL["gross"], f"=ROUND(K{n}+L{n},{d})", line.total + tax, **cell)
    given = {**cell, "bg_color": INPUT, "locked": False, "font_color": "#0000C0"}
    if priced and line.offer is not None:
        sheet.number(row, COL["price"], line.price, num_format="#,##0.00", **given)
        sheet.text(row, COL["currency"], line.offer.currency, align="center", **cell)
        sheet.number(row, COL["tax_in"], line.offer.tax_rate, num_format=PERCENT, **given)
        sheet.ws.write_comment(
            row, COL["unit"], shown_text(_source(_, line)), {"x_scale": 2.2, "y_scale": 1.4, "author": "dsopt"}
        )
    else:
        for key in ("price", "currency", "tax_in"):
            sheet.text(row, COL[key], "", **cell)
    sheet.formula(
        row, COL["support"], _rate(line), support_percent(line, quote.rates) / 100, num_format=PERCENT, **cell
    )
    _facts(book, row, line, priced, cell)


def _rate(line: Line) -> str:
    names = ",".join(f"support_{c}" for c in line.categories)
    return "=0" if line.origin == "included" else f"=MAX({names})"


def _facts(book: Book, row: int, line: Line, priced: bool, cell: dict[str, Any]) -> None:
    """Date, confidence, lead time, seller and note of a line, with their marks."""
    _, sheet, n, offer = book.words, book.sheets["bom"], row + 1, line.offer
    if offer is not None and priced:
        if line.day is not None:
            sheet.ws.write_datetime(row, COL["day"], line.day, sheet.f(num_format="yyyy-mm-dd", align="center", **cell))
        else:
            sheet.text(row, COL["day"], "", **cell)
        sheet.text(row, COL["confidence"], sureness(_, offer), align="center", **cell)
        sheet.number(row, COL["lead"], offer.lead_time_days, num_format="0", **cell)
        sheet.text(row, COL["seller"], offer.seller, **cell)
        days = fresh_days_name(line)
        _mark(sheet, n, AT["day"], f"=AND(ISNUMBER($N{n}),quote_date-$N{n}>{days})", "stale")
        if offer.confidence == "estimate":
            _mark(sheet, n, AT["confidence"], f'=$O{n}<>""', "estimate")
        _mark(sheet, n, AT["lead"], f"=AND(ISNUMBER($P{n}),$P{n}>long_lead_days)", "lead")
    else:
        for key in ("day", "confidence", "lead", "seller"):
            sheet.text(row, COL[key], "", **cell)
    if line.warranty_months is None:
        sheet.text(row, COL["warranty"], "", **cell)
    else:
        sheet.number(row, COL["warranty"], line.warranty_months, num_format="0", **cell)
    sheet.text(row, COL["origin"], line.country_of_origin, align="center", **cell)
    stale = _.sentence(STALE).replace("\n", " / ")
    semicolon = _.between("; ")
    rest = semicolon.join(_.sentence(note).replace("\n", " / ") for note in notes(line) if note != STALE)
    if offer is not None and priced and line.day is not None:
        both = (stale + semicolon + rest).removesuffix(semicolon)
        old = Live(literal(both), both)
        is_old = f"quote_date-$N{n}>{fresh_days_name(line)}"
        sheet.live(row, COL["note"], COL["note"], where(is_old, line.stale, old, Live(literal(rest), rest)), **cell)
    else:
        sheet.text(row, COL["note"], rest, **cell)


UNPRICED = {
    "included": N_("in the system"), "owned": N_("already yours"), "bundle": N_("in the bundle"),
    "offer": N_("free of charge"),
}  # fmt: skip
"""What stands in place of the unit price of a line that costs nothing, by where its pieces come from."""


def unpriced(line: Line) -> str:
    """Why a line without a price has none."""
    return UNPRICED[line.origin]


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
            N_("Goods with spares"), f"=ROUND(SUM(K{first}:K{last}),{digits})", sums.goods,
            f"=ROUND(SUM(L{first}:L{last}),{digits})", lines_tax,
        ),
        (
            N_("Discount"), f"=-ROUND(K{goods}*discount_rate,{digits})", -sums.discount,
            f"=ROUND({_taxed(f'K{goods}+K{off}', digits)}-L{goods},{digits})", sums.taxes[-2],
        ),
        (
            N_("Support"),
            f"=ROUND(ROUND(K{goods}+K{off},{digits})*support_rate"
            f"+SUMPRODUCT(K{first}:K{last},W{first}:W{last})*(1-discount_rate),{digits})", sums.support,
            f"=ROUND({_taxed(f'K{goods}+K{off}+K{served}', digits)}-L{goods}-L{off},{digits})", sums.taxes[-1],
        ),
        (
            N_("Total"), f"=ROUND(K{goods}+K{off}+K{served},{digits})", sums.net,
            f"=ROUND(L{goods}+L{off}+L{served},{digits})", sums.tax,
        ),
    )  # fmt: skip
    for k, (label, net, cents, tax, tax_cents) in enumerate(taxed):
        r = row + k
        style: dict[str, Any] = {"bold": k in (0, 3), "top": 1, "bg_color": LIGHT if k < 3 else "#BDD7EE"}
        sheet.span(r, 0, COL["unit"], _(label), align="right", **style)
        sheet.money(r, COL["net"], net, cents, **style)
        sheet.money(r, COL["tax"], tax, tax_cents, **style)
        sheet.money(r, COL["gross"], f"=ROUND(K{r + 1}+L{r + 1},{digits})", cents + tax_cents, **style)
    _mark(sheet, total, AT["gross"], f"=AND(ISNUMBER(budget),$M{total}>budget)", "over")
    for name, cell in (
        ("total_goods", f"$K${goods}"), ("total_discount", f"$K${off}"), ("total_support", f"$K${served}"),
        ("total_net", f"$K${total}"), ("total_tax", f"$L${total}"), ("total", f"$M${total}"),
    ):  # fmt: skip
        book.define(name, "bom", cell)
    spares = row + 4
    sheet.span(spares, 0, COL["unit"], _("of it spares, net"), align="right", font_color="#595959")
    sheet.money(
        spares,
        COL["net"],
        f"=ROUND(SUMPRODUCT(G{first}:G{last},J{first}:J{last}),{digits})",
        sums.spares,
        font_color="#595959",
    )
    book.define("total_spares", "bom", f"$K${spares + 1}")
    return row + 6
