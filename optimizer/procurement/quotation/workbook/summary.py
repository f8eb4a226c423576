"""Sheet Summary: who, what, how much, how fast, what is in it and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from catalogs.message import message
from optimizer.procurement.labels import BASIS, gpus, interval, plan, unit, word
from optimizer.procurement.quotation.content import block
from optimizer.procurement.quotation.workbook import gross
from optimizer.procurement.quotation.workbook.bill import MARKS
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, Book
from optimizer.procurement.quotation.workbook.capitals import in_capitals
from optimizer.procurement.quotation.workbook.front import chart
from optimizer.procurement.quotation.workbook.live import Live
from optimizer.procurement.quotation.workbook.sentences import excluded, included, notes
from optimizer.text.spelled import in_formal_words

LABEL, VALUE, BESIDE = 29, 36, 26
"""Column widths; two languages in a line take half as much again."""
LEFT, RIGHT = 1, 6
SERIAL_ZERO = date(1899, 12, 30)
"""Day 0 of a spreadsheet."""
CHART_WIDTH, CHART_POINTS, DEFAULT_POINTS = 745, 270, 15
"""Pixels; points of height; points of a row that has none of its own."""


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["summary"]
    more = 1.5 if _.language == "both" else 1
    sheet.setup([LABEL * more, VALUE * more, 2, *[BESIDE] * 4], _(quote.title))
    sheet.ws.fit_to_pages(1, 1)
    row = _parties(book, 1)
    chart_row = row
    row = _facts(book, row)
    row = _totals(book, row + 1)
    row = _speed(book, row + 1)
    at = _fit_chart(book, chart_row)
    for title, lines in ((_("Included"), [*included(book)]), (_("Not included"), [excluded(book)])):
        at = _list(book, at, title, lines, 3)
    row = _list(book, max(row, at), _("Please note"), [*notes(book)], 0)
    sheet.done(row - 1)


def _pair(book: Book, row: int, label: str, value: str, **style: Any) -> int:
    sheet = book.sheets["summary"]
    sheet.text(row, 0, label, font_color="#595959", bottom=4, bottom_color="#BFBFBF")
    sheet.text(row, 1, value, **{"bottom": 4, "bottom_color": "#BFBFBF", **style})
    return row + 1


def _day(book: Book, row: int, label: str, formula: str, day: date, **style: Any) -> int:
    """A day that follows that of the assumptions."""
    sheet = book.sheets["summary"]
    sheet.text(row, 0, label, font_color="#595959", bottom=4, bottom_color="#BFBFBF")
    shape = {"num_format": "yyyy-mm-dd", "align": "left", "bottom": 4, "bottom_color": "#BFBFBF"}
    sheet.formula(row, 1, formula, (day - SERIAL_ZERO).days, **{**shape, **style})
    return row + 1


def _parties(book: Book, row: int) -> int:
    """Seller and buyer side by side, then the project, as the profile has them; nothing without one."""
    _, sheet, party = book.words, book.sheets["summary"], book.quote.party
    profile = party.profile
    sides = block(_, profile.seller), block(_, party.buyer)
    project = [(_("Project"), profile.project.name), (_("Project number"), profile.project.number)]
    project = [pair for pair in project if pair[1]]
    if not sides[0] and not sides[1][1:] and not project:
        return row
    sheet.section(row, _("Supplier"), LEFT)
    sheet.span(row, 3, RIGHT, _("Buyer"), bold=True, bg_color=LIGHT, font_color=DARK)
    for side, first in zip((sides[0], sides[1] + project), (0, 3), strict=True):
        for at, (label, value) in enumerate(side, row + 1):
            sheet.text(at, first, label, font_color="#595959")
            sheet.span(at, first + 1, LEFT if first == 0 else RIGHT, value)
    return row + 2 + max(len(sides[0]), len(sides[1]) + len(project))


def _facts(book: Book, row: int) -> int:
    _, quote = book.words, book.quote
    party = quote.party
    row = _pair(book, row, _("Number"), party.number, bold=True)
    row = _pair(book, row, _("Customer"), party.buyer.name or "–", bold=True)
    row = _day(book, row, _("Date"), "=quote_date", party.day)
    until = _("Valid until") if party.confirmed else _("Ask anew after")
    row = _day(book, row, until, f"=quote_date+{party.valid_days}", party.valid_until, bold=True)
    row = _pair(
        book, row, _("Model served") if not quote.request.trains else _("Model trained"), quote.result.model.name
    )
    named = _.between(", ").join(word(_, x) for x in quote.names.get(quote.chosen.id, []))
    if named:
        named = f"{_('when solved')}{_.between(': ')}{named}"
        named = f"（{named}）" if _.language == "zh" else f" ({named})"
    row = _pair(book, row, _("Build"), f"{gpus(quote.chosen)}\n{quote.chosen.id}{named}")
    return _pair(book, row, _("Currency"), quote.currency)


def _totals(book: Book, row: int) -> int:
    _, quote, sheet, sums = book.words, book.quote, book.sheets["summary"], book.quote.sums
    sheet.section(row, _("Price"), LEFT)
    rows: Sequence[tuple[str, str, int]] = (
        (_("Goods with spares"), "=total_goods", sums.goods),
        (_("of it spares, net"), "=total_spares", sums.spares),
        (_("Discount"), "=total_discount", -sums.discount),
        (_("Support"), "=total_support", sums.support),
        (_("Total, net of tax"), "=total_net", sums.net),
    )
    for i, (label, formula, cents) in enumerate(rows, row + 1):
        strong = {"bold": True} if "net" in formula else {}
        sheet.text(i, 0, label, **strong)
        sheet.money(i, 1, formula, cents, **strong)
    row += len(rows) + 1
    sheet.formula(row, 0, f'="{_("Tax")} "&ROUND(100*tax_rate,6)&" %"', f"{_('Tax')} {quote.rates.tax.normalize():f} %")
    sheet.money(row, 1, "=total_tax", sums.tax)
    big = {"bold": True, "font_size": 14, "bg_color": LIGHT, "font_color": DARK}
    gross.label(sheet, row + 1, 0, quote.rates.tax, _("Total with tax"), _("Total"), **{**big, "font_size": 11})
    sheet.money(row + 1, 1, "=total", sums.total, **big)
    sheet.ws.set_row(row + 1, 26)
    end = row + 2
    if quote.currency == "CNY":
        sheet.text(end, 0, _("RMB in words"))
        spelled = in_formal_words(quote.amount(sums.total))
        sheet.formula(end, 1, f"={in_capitals('total')}", spelled, bold=True, text_wrap=True)
        end += 1
    over = {"type": "formula", "criteria": "=AND(ISNUMBER(budget),total>budget)",
            "format": book.file.add_format(MARKS["over"])}  # fmt: skip
    sheet.ws.conditional_format(row + 1, 1, row + 1, 1, over)
    return end


def _speed(book: Book, row: int) -> int:
    _, sheet, chosen = book.words, book.sheets["summary"], book.quote.chosen
    throughput = chosen.throughput
    sheet.section(row, _("Throughput and site"), LEFT)
    rows = [
        (_("Throughput"), f"{throughput.output_tok_s:,.1f} {unit(_, throughput.unit)}"),
        (_("80 % interval"), interval(chosen)),
    ]
    basis = _(BASIS[throughput.basis]) + (
        message(": {money}", money=throughput.source) if throughput.basis == "measured" else ""
    )
    rows.append((_("What it rests on"), basis))
    if throughput.per_user_tok_s is not None:
        rows.append((_("Each user sees"), f"{throughput.per_user_tok_s:,.1f} tok/s"))
        rows.append((_("Requests at once"), f"{throughput.concurrency:,}"))
    if throughput.ttft_ms is not None:
        rows.append((_("Time to first token"), f"{throughput.ttft_ms:,.0f} ms"))
    if throughput.days is not None:
        rows.append((_("Training takes, days"), f"{throughput.days:,.2f}"))
    rows.append((_("Plan"), plan(chosen)))
    rows.append((_("Power of the whole build"), f"{chosen.power.total_w / 1000:,.1f} kW"))
    rows.append((_("Circuits and plugs"), _.sentence(chosen.site.power)))
    rows.append((_("Heat and noise"), _.sentence(chosen.site.heat)))
    rows.append((_("Delivery"), _.sentence(chosen.site.delivery)))
    rows.append((_("Rack units, racks"), f"{chosen.rack_units} U, {chosen.racks}"))
    for i, (label, value) in enumerate(rows, row + 1):
        sheet.text(i, 0, label)
        sheet.text(i, 1, value, align="left")
    return row + len(rows) + 2


def _fit_chart(book: Book, first: int) -> int:
    """The chart to the right of the prices, from a row on; returns the row below it."""
    sheet = book.sheets["summary"]
    row, height = first, 0.0
    while height < CHART_POINTS:
        height += sheet.heights.get(row, DEFAULT_POINTS)
        row += 1
    made = chart(book, CHART_WIDTH, round(height * 4 / 3) - 10)
    sheet.ws.insert_chart(first, 3, made, {"object_position": 2, "x_offset": 2, "y_offset": 2})
    return row + 1


def _list(book: Book, row: int, title: str, lines: Sequence[Live], first: int) -> int:
    """A title and its lines; those that do not apply now stand last, where they leave no gap."""
    sheet = book.sheets["summary"]
    sheet.span(row, first, RIGHT, title, bold=True, bg_color=LIGHT, font_color=DARK)
    for i, line in enumerate(sorted(lines, key=lambda x: not x.value), row + 1):
        sheet.live(i, first, RIGHT, line)
    return row + len(lines) + 2
