"""Sheet Summary: who, what, how much, how fast, what is in it and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from catalogs.message import message
from optimizer.procurement.labels import BASIS, gpus, interval, plan, unit, word
from optimizer.procurement.quotation.workbook import gross
from optimizer.procurement.quotation.workbook.bill import MARKS
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, Book
from optimizer.procurement.quotation.workbook.front import chart
from optimizer.procurement.quotation.workbook.live import Live
from optimizer.procurement.quotation.workbook.sentences import excluded, included, notes

LABEL, VALUE, BESIDE = 29, 36, 34
"""Column widths; two languages in a line take half as much again."""
LEFT, RIGHT = 1, 6
SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 of a spreadsheet."""
CHART_WIDTH, CHART_POINTS, DEFAULT_POINTS = 970, 270, 15
"""Pixels; points of height; points of a row that has none of its own."""


def add(book: Book) -> None:
    _, q, s = book.words, book.quote, book.sheets["summary"]
    more = 1.5 if _.language == "both" else 1
    s.setup([LABEL * more, VALUE * more, 2, *[BESIDE] * 4], _(q.title))
    s.ws.fit_to_pages(1, 1)
    row = _facts(book, 1)
    row = _totals(book, row + 1)
    row = _speed(book, row + 1)
    at = _fit_chart(book)
    for title, lines in ((_("Included"), [*included(book)]), (_("Not included"), [excluded(book)])):
        at = _list(book, at, title, lines, 3)
    row = _list(book, max(row, at), _("Please note"), [*notes(book)], 0)
    s.done(row - 1)


def _pair(book: Book, row: int, label: str, value: str, **style: Any) -> int:
    s = book.sheets["summary"]
    s.text(row, 0, label, font_color="#595959", bottom=4, bottom_color="#BFBFBF")
    s.text(row, 1, value, **{"bottom": 4, "bottom_color": "#BFBFBF", **style})
    return row + 1


def _day(book: Book, row: int, label: str, formula: str, day: date, **style: Any) -> int:
    """A day that follows that of the assumptions."""
    s = book.sheets["summary"]
    s.text(row, 0, label, font_color="#595959", bottom=4, bottom_color="#BFBFBF")
    shape = {"num_format": "yyyy-mm-dd", "align": "left", "bottom": 4, "bottom_color": "#BFBFBF"}
    s.formula(row, 1, formula, (day - SERIAL_ZERO).days, **{**shape, **style})
    return row + 1


def _facts(book: Book, row: int) -> int:
    _, q = book.words, book.quote
    p = q.party
    row = _pair(book, row, _("Number"), p.number, bold=True)
    row = _pair(book, row, _("Customer"), p.customer or "–", bold=True)
    row = _day(book, row, _("Date"), "=quote_date", p.day)
    until = _("Valid until") if p.confirmed else _("Ask anew after")
    row = _day(book, row, until, f"=quote_date+{p.valid_days}", p.valid_until, bold=True)
    row = _pair(book, row, _("Model served") if not q.request.trains else _("Model trained"), q.result.model.name)
    named = ", ".join(word(_, x) for x in q.names.get(q.chosen.id, []))
    named = f" ({_('when solved')}: {named})" if named else ""
    row = _pair(book, row, _("Build"), f"{gpus(q.chosen)}\n{q.chosen.id}{named}")
    return _pair(book, row, _("Currency"), q.currency)


def _totals(book: Book, row: int) -> int:
    _, q, s, m = book.words, book.quote, book.sheets["summary"], book.quote.sums
    s.section(row, _("Price"), LEFT)
    rows: Sequence[tuple[str, str, int]] = (
        (_("Goods with spares"), "=total_goods", m.goods),
        (_("of it spares, net"), "=total_spares", m.spares),
        (_("Discount"), "=total_discount", -m.discount),
        (_("Support"), "=total_support", m.support),
        (_("Total, net of tax"), "=total_net", m.net),
    )
    for i, (label, formula, cents) in enumerate(rows, row + 1):
        strong = {"bold": True} if "net" in formula else {}
        s.text(i, 0, label, **strong)
        s.money(i, 1, formula, cents, **strong)
    row += len(rows) + 1
    s.formula(row, 0, f'="{_("Tax")} "&ROUND(100*tax_rate,6)&" %"', f"{_('Tax')} {q.rates.tax.normalize():f} %")
    s.money(row, 1, "=total_tax", m.tax)
    big = {"bold": True, "font_size": 14, "bg_color": LIGHT, "font_color": DARK}
    gross.label(s, row + 1, 0, q.rates.tax, _("Total with tax"), _("Total"), **{**big, "font_size": 11})
    s.money(row + 1, 1, "=total", m.total, **big)
    s.ws.set_row(row + 1, 26)
    over = {"type": "formula", "criteria": "=AND(ISNUMBER(budget),total>budget)",
            "format": book.file.add_format(MARKS["over"])}  # fmt: skip
    s.ws.conditional_format(row + 1, 1, row + 1, 1, over)
    return row + 2


def _speed(book: Book, row: int) -> int:
    _, s, p = book.words, book.sheets["summary"], book.quote.chosen
    t = p.throughput
    s.section(row, _("Throughput and site"), LEFT)
    rows = [(_("Throughput"), f"{t.output_tok_s:,.1f} {unit(_, t.unit)}"), (_("80 % interval"), interval(p))]
    basis = _(BASIS[t.basis]) + (message(": {money}", money=t.source) if t.basis == "measured" else "")
    rows.append((_("What it rests on"), basis))
    if t.per_user_tok_s is not None:
        rows.append((_("Each user sees"), f"{t.per_user_tok_s:,.1f} tok/s"))
        rows.append((_("Requests at once"), f"{t.concurrency:,}"))
    if t.ttft_ms is not None:
        rows.append((_("Time to first token"), f"{t.ttft_ms:,.0f} ms"))
    if t.days is not None:
        rows.append((_("Training takes, days"), f"{t.days:,.2f}"))
    rows.append((_("Plan"), plan(p)))
    rows.append((_("Power of the whole build"), f"{p.power.total_w / 1000:,.1f} kW"))
    rows.append((_("Rack units, racks"), f"{p.rack_units} U, {p.racks}"))
    for i, (label, value) in enumerate(rows, row + 1):
        s.text(i, 0, label)
        s.text(i, 1, value, align="left")
    return row + len(rows) + 2


def _fit_chart(book: Book) -> int:
    """The chart to the right of the prices; returns the row below it."""
    s = book.sheets["summary"]
    row, height = 1, 0.0
    while height < CHART_POINTS:
        height += s.heights.get(row, DEFAULT_POINTS)
        row += 1
    made = chart(book, CHART_WIDTH, round(height * 4 / 3) - 10)
    s.ws.insert_chart(1, 3, made, {"object_position": 2, "x_offset": 2, "y_offset": 2})
    return row + 1


def _list(book: Book, row: int, title: str, lines: Sequence[Live], first: int) -> int:
    """A title and its lines; those that do not apply now stand last, where they leave no gap."""
    s = book.sheets["summary"]
    s.span(row, first, RIGHT, title, bold=True, bg_color=LIGHT, font_color=DARK)
    for i, line in enumerate(sorted(lines, key=lambda x: not x.value), row + 1):
        s.live(i, first, RIGHT, line)
    return row + len(lines) + 2
