"""Sheet Assumptions: inputs that may be edited, each with a defined name; the rest of the workbook follows."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from optimizer.procurement.labels import CATEGORIES
from optimizer.procurement.quotation.workbook import fx
from optimizer.procurement.quotation.workbook.book import INPUT, NUMBER, PERCENT, Book
from optimizer.text.languages import N_

LONG_LEAD_DAYS = 60
"""Default of the mark for long lead times; a reader's own, it changes no figure."""


def currencies(book: Book) -> list[str]:
    """Currencies of the quote and of its offers."""
    used = {line.offer.currency for line in book.quote.lines if line.offer is not None}
    return sorted(used | {book.quote.currency})


def categories(book: Book) -> list[str]:
    """Categories of the bill of materials that have rates."""
    return list(dict.fromkeys(c for line in book.quote.lines for c in line.categories if line.origin != "included"))


def _inputs(book: Book) -> Iterator[tuple[str, str, Any, str, str]]:
    """(name, label, value, number format, source)."""
    _, quote = book.words, book.quote
    rates = quote.rates
    for code in currencies(book):
        rate = rates.fx[code]
        source = f"{rate.date.isoformat()}{_.between(': ')}{_.sentence(rate.source)}"
        yield fx.name(rate), fx.label(_, rate), fx.quoted(rate), NUMBER, source
    yield "discount_rate", _("Discount on goods"), rates.discount / 100, PERCENT, ""
    yield "support_rate", _("Support, of all goods after discount"), rates.support / 100, PERCENT, ""
    yield "tax_rate", _("Tax"), rates.tax / 100, PERCENT, ""
    for c in categories(book):
        top, per = rates.spares.get(c, (0, 1))
        label = _("Spares: {category}", category=CATEGORIES[c])
        yield f"spares_{c}", label, Decimal(top) / per, PERCENT, _("rounded up for each part")
    for c in categories(book):
        label = _("Support: {category}", category=CATEGORIES[c])
        yield (
            f"support_{c}",
            label,
            rates.support_by.get(c, Decimal(0)) / 100,
            PERCENT,
            _("beside the rate for all goods"),
        )


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["assumptions"]
    row = sheet.setup(
        [66 if _.language == "both" else 40, book.money_width, 20, 78],
        _("Assumptions"),
        _.stacked(
            N_(
                "Yellow cells may be edited: bill of materials, totals and summary follow. Other points of the front "
                "follow discount, support and tax only."
            )
        ),
    )
    sheet.ws.fit_to_pages(1, 1)
    sheet.head(row, [N_("Input"), N_("Value"), N_("Name"), N_("Source, note")])
    row += 1
    for name, label, value, shape, source in _inputs(book):
        row = _row(book, row, name, label, value, shape, source)
    sheet.section(row, _("Marks (they change no figure)"))
    row += 1
    rates = quote.rates
    row = _row(book, row, "quote_date", _("Date of the quote"), quote.party.day, "yyyy-mm-dd", "")
    row = _row(book, row, "fresh_days", _("Prices are stale after, days"), rates.fresh_days, "0", "")
    row = _row(book, row, "fresh_days_memory", _("of memory and drives, days"), rates.fresh_days_quick, "0", "")
    lead = quote.request.max_lead_days or LONG_LEAD_DAYS
    row = _row(book, row, "long_lead_days", _("Lead time is long above, days"), lead, "0", "")
    budget = None if quote.budget is None else quote.amount(quote.budget)
    said = "" if budget is not None else _("no budget given")
    row = _row(book, row, "budget", _("Budget of the total"), budget, book.money_format, said)
    sheet.done(row - 1)


def _row(book: Book, row: int, name: str, label: str, value: Any, shape: str, source: str) -> int:
    sheet = book.sheets["assumptions"]
    style: dict[str, Any] = {"bg_color": INPUT, "locked": False, "font_color": "#0000C0", "border": 1, "align": "right"}
    sheet.text(row, 0, label, border=1)
    if hasattr(value, "isoformat"):
        sheet.ws.write_datetime(row, 1, value, sheet.f(num_format=shape, **style))
    else:
        sheet.number(row, 1, value, num_format=shape, **style)
        least, most = (0, 1) if shape == PERCENT else (0, 10**15)
        sheet.ws.data_validation(
            row, 1, row, 1, {"validate": "decimal", "criteria": "between", "minimum": least, "maximum": most}
        )
    sheet.text(row, 2, name, border=1, font_color="#595959")
    sheet.text(row, 3, source, border=1)
    book.define(name, "assumptions", f"$B${row + 1}")
    return row + 1
