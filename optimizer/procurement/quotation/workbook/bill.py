"""Sheet Bill of materials: pieces, prices and taxes as formulas over the offers' own prices and the assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalogs.message import message
from catalogs.schema import Kind
from constraints.prices.pricing import QUICK
from optimizer.procurement.labels import category, word
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
    _, q, s = book.words, book.quote, book.sheets["bom"]
    text = N_(
        "Amounts in {currency}. Prices are net of tax; each line's tax is its share of the tax on the sum, "
        "which is rounded once."
    )
    m = book.money_width
    widths = [5, 14, 32, 16, 10, 6, 7, 7.5, m, m, m, m, 11.5, 11.5, 9, 20, m, 9, 9, 9, 24]
    s.setup(widths, f"{_('Bill of materials')}  {q.party.number}", _.stacked(text, currency=q.currency), PRINTED)
    s.head(FIRST - 1, HEAD)
    gross.label(s, FIRST - 1, 11, q.rates.tax, _.stacked(HEAD[11]), _.stacked(N_("Line")), **gross.HEAD)
    first, last = rows(book)
    for i, line in enumerate(q.lines):
        _line(book, FIRST + i, i, line)
    s.ws.autofilter(FIRST - 1, 0, FIRST + len(q.lines) - 1, len(HEAD) - 1)
    end = _totals(book, first, last)
    s.text(end, 2, _.stacked(N_("Marks: price stale, estimate, long lead time, over budget")), font_color="#595959")
    for col, mark in ((8, "stale"), (9, "estimate"), (10, "lead"), (11, "over")):
        label = {
            "stale": N_("stale"), "estimate": N_("estimate"), "lead": N_("long lead time"), "over": N_("over budget"),
        }[mark]  # fmt: skip
        s.text(end, col, _.stacked(label), align="center", **MARKS[mark])
    s.done(end, PRINTED)


def unit_formula(book: Book, line: Line, n: int) -> str:
    """`constraints.prices.pricing.unit_price` over the cells of row n: net of tax, converted once, half up, a minor
    unit at least."""
    q = book.quote
    assert line.offer is not None
    own = line.offer.currency
    convert = "" if own == q.currency else fx.factor(q.rates.fx[own], q.rates.fx[q.currency])
    return f"=MAX({q.amount(1)},ROUND(Q{n}/(1+S{n}){convert},{q.digits}))"


def _line(book: Book, row: int, i: int, line: Line) -> None:
    _, q, s, n = book.words, book.quote, book.sheets["bom"], row + 1
    d, first, _last = q.digits, *rows(book)
    cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
    money = {**cell, "num_format": book.money_format}
    s.number(row, 0, i + 1, num_format="0", align="center", **cell)
    s.text(row, 1, category(_, line.category), **cell)
    s.text(row, 2, line.name, **cell)
    s.text(row, 3, line.vendor, **cell)
    s.text(row, 4, word(_, line.offer.condition if line.offer else None), **cell)
    s.number(row, 5, line.qty, num_format="0", **cell)
    if line.by_share:
        share = f"=ROUNDUP(ROUND(F{n}*spares_{line.category},9),0)"
        s.formula(row, 6, share, line.spare, num_format="0", **cell)
    else:
        s.number(row, 6, line.spare, num_format="0", **cell)
    s.formula(row, 7, f"=F{n}+G{n}", line.pieces, num_format="0", **cell)
    priced = line.offer is not None and line.price is not None
    if priced:
        s.formula(row, 8, unit_formula(book, line, n), q.amount(line.unit), **money)
    else:
        s.number(row, 8, 0, **money)
    s.money(row, 9, f"=ROUND(H{n}*I{n},{d})", line.total, **cell)
    tax = q.sums.taxes[i]
    s.money(row, 10, f"=ROUND({_taxed(f'SUM(J${first}:J{n})', d)}-SUM(K${first - 1}:K{n - 1}),{d})", tax, **cell)
    s.money(row, 11, f"=ROUND(J{n}+K{n},{d})", line.total + tax, **cell)
    given = {**cell, "bg_color": INPUT, "locked": False, "font_color": "#0000C0"}
    if priced and line.offer is not None:
        s.number(row, 16, line.price, num_format="#,##0.00", **given)
        s.text(row, 17, line.offer.currency, align="center", **cell)
        s.number(row, 18, line.offer.tax_rate, num_format=PERCENT, **given)
        s.ws.write_comment(row, 8, shown_text(_source(_, line)), {"x_scale": 2.2, "y_scale": 1.4, "author": "dsopt"})
    else:
        for col in (16, 17, 18):
            s.text(row, col, "", **cell)
    s.formula(row, 19, _rate(line), support_percent(line, q.rates) / 100, num_format=PERCENT, **cell)
    _facts(book, row, line, priced, cell)


def _rate(line: Line) -> str:
    names = ",".join(f"support_{c}" for c in line.categories)
    return "=0" if line.origin == "included" else f"=MAX({names})"


def _facts(book: Book, row: int, line: Line, priced: bool, cell: dict[str, Any]) -> None:
    """Date, confidence, lead time, seller and note of a line, with their marks."""
    _, s, n, o = book.words, book.sheets["bom"], row + 1, line.offer
    if o is not None and priced:
        s.ws.write_datetime(row, 12, o.date, s.f(num_format="yyyy-mm-dd", align="center", **cell))
        s.text(row, 13, word(_, o.confidence), align="center", **cell)
        s.number(row, 14, o.lead_time_days, num_format="0", **cell)
        s.text(row, 20, o.seller, **cell)
        days = fresh_days_name(line)
        _mark(s, n, "M", f"=AND(ISNUMBER($M{n}),quote_date-$M{n}>{days})", "stale")
        if o.confidence == "estimate":
            _mark(s, n, "N", f'=$N{n}<>""', "estimate")
        _mark(s, n, "O", f"=AND(ISNUMBER($O{n}),$O{n}>long_lead_days)", "lead")
    else:
        for col in (12, 13, 14, 20):
            s.text(row, col, "", **cell)
    stale = _.sentence(STALE).replace("\n", " / ")
    rest = "; ".join(_.sentence(x).replace("\n", " / ") for x in notes(line) if x != STALE)
    if o is not None and priced:
        old = Live(literal(f"{stale}; {rest}".removesuffix("; ")), f"{stale}; {rest}".removesuffix("; "))
        is_old = f"quote_date-$M{n}>{fresh_days_name(line)}"
        s.live(row, 15, 15, where(is_old, line.stale, old, Live(literal(rest), rest)), **cell)
    else:
        s.text(row, 15, rest, **cell)


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
    o = line.offer
    assert o is not None
    said = [f"{o.date.isoformat()}  {word(_, o.confidence)}  {o.seller}", o.source, o.link, o.id]
    return "\n".join(x for x in said if x)


def _mark(s: Sheet, n: int, column: str, criteria: str, mark: str) -> None:
    s.ws.conditional_format(
        f"{column}{n}", {"type": "formula", "criteria": criteria, "format": s.book.file.add_format(MARKS[mark])}
    )


def _taxed(net: str, digits: int) -> str:
    return f"ROUND(ROUND({net},{digits})*tax_rate,{digits})"


def _totals(book: Book, first: int, last: int) -> int:
    """Goods, discount, support and total, with names; returns the row after."""
    _, q, s, d = book.words, book.quote, book.sheets["bom"], book.quote.digits
    m, row = q.sums, FIRST + len(q.lines)
    goods, off, served, total = (row + 1 + k for k in range(4))
    lines_tax = sum(m.taxes[:-2])
    taxed: Sequence[tuple[str, str, int, str, int]] = (
        (
            N_("Goods with spares"), f"=ROUND(SUM(J{first}:J{last}),{d})", m.goods,
            f"=ROUND(SUM(K{first}:K{last}),{d})", lines_tax,
        ),
        (
            N_("Discount"), f"=-ROUND(J{goods}*discount_rate,{d})", -m.discount,
            f"=ROUND({_taxed(f'J{goods}+J{off}', d)}-K{goods},{d})", m.taxes[-2],
        ),
        (
            N_("Support"),
            f"=ROUND(ROUND(J{goods}+J{off},{d})*support_rate"
            f"+SUMPRODUCT(J{first}:J{last},T{first}:T{last})*(1-discount_rate),{d})", m.support,
            f"=ROUND({_taxed(f'J{goods}+J{off}+J{served}', d)}-K{goods}-K{off},{d})", m.taxes[-1],
        ),
        (
            N_("Total"), f"=ROUND(J{goods}+J{off}+J{served},{d})", m.net,
            f"=ROUND(K{goods}+K{off}+K{served},{d})", m.tax,
        ),
    )  # fmt: skip
    for k, (label, net, cents, tax, tax_cents) in enumerate(taxed):
        r = row + k
        style: dict[str, Any] = {"bold": k in (0, 3), "top": 1, "bg_color": LIGHT if k < 3 else "#BDD7EE"}
        s.span(r, 0, 8, _(label), align="right", **style)
        s.money(r, 9, net, cents, **style)
        s.money(r, 10, tax, tax_cents, **style)
        s.money(r, 11, f"=ROUND(J{r + 1}+K{r + 1},{d})", cents + tax_cents, **style)
    _mark(s, total, "L", f"=AND(ISNUMBER(budget),$L{total}>budget)", "over")
    for name, cell in (
        ("total_goods", f"$J${goods}"), ("total_discount", f"$J${off}"), ("total_support", f"$J${served}"),
        ("total_net", f"$J${total}"), ("total_tax", f"$K${total}"), ("total", f"$L${total}"),
    ):  # fmt: skip
        book.define(name, "bom", cell)
    spares = row + 4
    s.span(spares, 0, 8, _("of it spares, net"), align="right", font_color="#595959")
    s.money(spares, 9, f"=ROUND(SUMPRODUCT(G{first}:G{last},I{first}:I{last}),{d})", m.spares, font_color="#595959")
    book.define("total_spares", "bom", f"$J${spares + 1}")
    return row + 6
