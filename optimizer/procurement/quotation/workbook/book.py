"""What all sheets share: formats, page setup, names of sheets, and cells written with their height in mind."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from catalogs.visible import RISKY, visible
from constraints.exchange import minor_digits
from optimizer.procurement.quotation.quote import Quote
from optimizer.procurement.quotation.workbook.live import Live
from optimizer.text.languages import N_, Words

SHEETS = {
    "summary": N_("Summary"),
    "bom": N_("Bill of materials"),
    "assumptions": N_("Assumptions"),
    "compatibility": N_("Compatibility"),
    "front": N_("Front"),
    "alternatives": N_("Alternatives"),
    "deviations": N_("Deviations"),
    "terms": N_("Terms"),
    "provenance": N_("Provenance"),
}
MONEY = {
    "USD": "[$$-409]#,##0.00",
    "CNY": "[$¥-804]#,##0.00",
    "EUR": "[$€-2] #,##0.00",
    "GBP": "[$£-809]#,##0.00",
    "JPY": "[$¥-411]#,##0",
}
NUMBER = "#,##0.######"
PERCENT = "0.######%"
DARK, LIGHT, INPUT = "#1F3864", "#DCE6F1", "#FFF9E5"
SHEET_NAME_MOST = 31
LINE_POINTS = 14.5
MOST_LETTERS = 32_000
"""Of a cell: Excel takes 32,767."""


def shown_text(text: str) -> str:
    """A text as a cell holds it: unseen characters as escapes (XML has none for most), no longer than a cell."""
    shown = visible(text)
    return shown if len(shown) <= MOST_LETTERS else f"{shown[:MOST_LETTERS]} ..."


class Frame:
    """A workbook under way, of any content: `sheets` by key with their names, `head` stands in every footer."""

    def __init__(
        self, words: Words, sheets: Mapping[str, str], currency: str, head: str, subject: str, day: date
    ) -> None:
        head = shown_text(head)
        self.words, self.names, self.head = words, sheets, head
        self.digits = minor_digits(currency)
        self.buffer = io.BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
        }
        self.file = xlsxwriter.Workbook(self.buffer, options)
        self.font = "Microsoft YaHei" if words.chinese else "Arial"
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self.money_format = MONEY.get(currency, "#,##0.00")
        self.sheets = {sheet: Sheet(self, self.file.add_worksheet(self.name(sheet)), sheet) for sheet in sheets}
        created = datetime(day.year, day.month, day.day)
        self.file.set_properties({"title": head, "subject": shown_text(subject), "author": "dsopt", "created": created})

    def name(self, key: str) -> str:
        """Name of a sheet."""
        return self.words(self.names[key]).replace(" / ", " ")[:SHEET_NAME_MOST]

    def ref(self, key: str, cell: str) -> str:
        """A cell or range of another sheet."""
        return f"'{self.name(key)}'!{cell}"

    def define(self, name: str, key: str, cell: str) -> None:
        """A name for an absolute cell or range."""
        self.file.define_name(name, f"={self.ref(key, cell)}")

    def format(self, **properties: Any) -> Any:
        """A cell format, made once."""
        base = {"font_name": self.font, "font_size": 10, "valign": "vcenter"}
        key = tuple(sorted({**base, **properties}.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format(dict(key))
        return self._formats[key]

    def amount(self, cents: int) -> Decimal:
        """Minor units as an amount."""
        return Decimal(cents).scaleb(-self.digits)

    def closed(self) -> bytes:
        """The bytes of the finished file."""
        next(iter(self.sheets.values())).ws.activate()
        self.file.close()
        return self.buffer.getvalue()


class Book(Frame):
    """The workbook of a quote."""

    def __init__(self, quote: Quote, words: Words) -> None:
        self.quote, party = quote, quote.party
        head = f"{words(quote.title)} {party.number}"
        super().__init__(words, SHEETS, quote.currency, head, quote.result.model.name, party.day)

    @property
    def money_width(self) -> float:
        """Column width in which every amount of the quote is seen whole."""
        quote = self.quote
        most = max(
            abs(x)
            for x in (quote.budget or 0, quote.sums.total, *(quote.sums_of(i).total for i in range(len(quote.front))))
        )
        return width_of(quote.amount(most))


def width_of(amount: Decimal) -> float:
    """Column width in which an amount is seen whole."""
    return max(13.0, len(f"{amount:,f}") * 1.15 + 2.5)


class Sheet:
    """One sheet. Cells are (row, column) from 0; a row grows with the longest text in it."""

    def __init__(self, book: Frame, ws: Any, key: str) -> None:
        self.book, self.ws, self.key = book, ws, key
        self.widths: list[float] = []
        self.heights: dict[int, float] = {}

    def setup(self, widths: Sequence[float], title: str, note: str | Live = "", last: int | None = None) -> int:
        """Page, title, note over the columns up to `last`; returns the first free row."""
        _ = self.book.words
        self.widths = list(widths)
        for i, w in enumerate(widths):
            self.ws.set_column(i, i, w)
        self.ws.hide_gridlines(2)
        self.ws.set_paper(9)
        self.ws.set_landscape()
        self.ws.center_horizontally()
        self.ws.fit_to_pages(1, 0)
        self.ws.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.7)
        name = self.book.font
        place = _("page {page} of {pages}", page="&P", pages="&N").replace("&N / ", "&N  /  ")
        head = self.book.head.replace("&", "&&")
        self.ws.set_footer(f'&L&"{name}"&8{head}&C&"{name}"&8&A&R&"{name}"&8{place}')
        last = len(widths) - 1 if last is None else last
        self.ws.merge_range(0, 0, 0, last, "", self.f(bold=True, font_size=16, font_color=DARK))
        self.ws.write_string(0, 0, shown_text(title), self.f(bold=True, font_size=16, font_color=DARK))
        self.ws.set_row(0, 27)
        self.heights[0] = 27
        if not note:
            return 2
        style: dict[str, Any] = {"font_color": "#595959", "italic": not self.book.words.chinese}
        if isinstance(note, Live):
            self.live(1, 0, last, note, **style)
        else:
            self.span(1, 0, last, note, **style)
        return 3

    def f(self, **properties: Any) -> Any:
        return self.book.format(**properties)

    def _grow(self, row: int, text: str, width: float, size: float = 10) -> None:
        lines = sum(max(1, -(-_units(part) // max(1, width - 0.8))) for part in text.split("\n"))
        height = max(self.heights.get(row, 0), 4 + LINE_POINTS * lines * size / 10)
        self.heights[row] = height
        self.ws.set_row(row, min(height, 400))

    def text(self, row: int, col: int, text: str, **properties: Any) -> None:
        """A string, never a formula or a link."""
        text = shown_text(text)
        properties = {"text_wrap": True, "valign": "vcenter", **properties}
        if text.startswith(RISKY):
            properties["quote_prefix"] = True
        self.ws.write_string(row, col, text, self.f(**properties))
        self._grow(row, text, self.widths[col])

    def span(self, row: int, first: int, last: int, text: str, **properties: Any) -> None:
        """A string over several columns."""
        text = shown_text(text)
        f = self.f(text_wrap=True, **properties, **({"quote_prefix": True} if text.startswith(RISKY) else {}))
        if first == last:
            self.text(row, first, text, **properties)
            return
        self.ws.merge_range(row, first, row, last, "", f)
        self.ws.write_string(row, first, text, f)
        self._grow(row, text, sum(self.widths[first : last + 1]), properties.get("font_size", 10))

    def number(self, row: int, col: int, value: float | Decimal | None, **properties: Any) -> None:
        f = self.f(**{"num_format": NUMBER, **properties})
        if value is None:
            self.ws.write_blank(row, col, None, f)
        else:
            self.ws.write_number(row, col, float(value), f)

    def formula(self, row: int, col: int, formula: str, value: float | Decimal | str, **properties: Any) -> None:
        """A formula with the value that it has."""
        shown = shown_text(value) if isinstance(value, str) else float(value)
        if isinstance(shown, str):
            self._grow(row, shown, self.widths[col])
        self.ws.write_formula(row, col, formula, self.f(**properties), shown)

    def live(self, row: int, first: int, last: int, text: Live, **properties: Any) -> None:
        """A sentence over columns that follows the cells it speaks of."""
        f = self.f(text_wrap=True, **properties)
        if first != last:
            self.ws.merge_range(row, first, row, last, "", f)
        self.ws.write_formula(row, first, f"={text.expression}", f, text.value)
        self._grow(row, text.value, sum(self.widths[first : last + 1]))

    def money(self, row: int, col: int, formula: str, cents: int, **properties: Any) -> None:
        """A formula whose value is money."""
        self.formula(row, col, formula, self.book.amount(cents), num_format=self.book.money_format, **properties)

    def head(self, row: int, titles: Sequence[str], freeze: bool = True) -> None:
        """A table's head: repeated on every page and frozen."""
        for i, t in enumerate(titles):
            style = {"bold": True, "bg_color": DARK, "font_color": "white", "align": "center", "border": 1}
            self.text(row, i, self.book.words.stacked(t) if t else "", **style)
        if freeze:
            self.ws.freeze_panes(row + 1, 0)
            self.ws.repeat_rows(row)

    def section(self, row: int, text: str, last: int | None = None) -> None:
        """A heading over the whole width."""
        end = len(self.widths) - 1 if last is None else last
        self.span(row, 0, end, text, bold=True, bg_color=LIGHT, font_color=DARK)

    def done(self, last_row: int, last_col: int | None = None) -> None:
        """Print area (up to a column) and protection without a password."""
        self.ws.print_area(0, 0, last_row, len(self.widths) - 1 if last_col is None else last_col)
        self.ws.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})


def _units(text: str) -> int:
    """Width in narrow characters: Chinese ones count two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
