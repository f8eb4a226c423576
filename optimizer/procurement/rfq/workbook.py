"""A request for quotation as a workbook that bidders fill in: protected but for their cells, stamped so that dsopt
reads it back without guessing."""

from __future__ import annotations

from typing import Any

from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from optimizer.procurement.labels import category
from optimizer.procurement.quotation.workbook.book import DARK, INPUT, LIGHT, Frame, Sheet
from optimizer.procurement.reading.returned.stamp import (
    AskedLine,
    SheetStamp,
    Stamp,
    protected_rows,
    workbook_of,
)
from optimizer.procurement.rfq.figures import required
from optimizer.procurement.rfq.inquiry import SERVICES, AskedPart, Inquiry, acceptance, asked_for
from optimizer.text.languages import N_, Words
from optimizer.text.money import CURRENCIES

SHEETS = {"request": N_("Request"), "prices": N_("Price schedule"), "requirements": N_("Technical deviations")}
CELL: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
OPEN: dict[str, Any] = {**CELL, "bg_color": INPUT, "locked": False}
HOW = N_(
    "Fill in the yellow cells and return this workbook; the others are protected. Quantities and texts must stay as "
    "they are. Equivalents are welcome: name what you offer, and say under deviation where it differs."
)
FACTS = {
    "vendor": N_("Bidder"), "quote_no": N_("Number of your bid"), "quote_date": N_("Date of your bid (2026-12-31)"),
    "valid_until": N_("Valid until (2026-12-31)"), "currency": N_("Currency of all prices"),
    "tax": N_("Prices net or with tax"), "tax_rate": N_("Tax rate, %"),
}  # fmt: skip
COLUMNS = {
    "wanted": N_("What is required"), "qty": N_("Quantity"), "offered": N_("Offered: make and model, if it differs"),
    "unit_price": N_("Unit price"), "total": N_("Total"), "lead_days": N_("Lead time, days"),
    "warranty_months": N_("Warranty, months"), "deviation": N_("Deviation"),
}  # fmt: skip
FIRST_COLUMN = 2
"""Before it: number and category."""
WIDTHS = (5, 16, 52, 9, 26, 14, 16, 10, 10, 26)
SENTENCES = {
    "price": N_("A price of 0 or more; 0 where it is included."),
    "count": N_("A whole number from 0 to 3,650."),
}
FIRST_INPUT = {"request": 1, "prices": 4, "requirements": 2}
"""Column from which on cells are the bidder's; the quantity is the last one before it on the price schedule."""
NET, GROSS = N_("net of tax"), N_("with tax")


def workbook(asked: Inquiry, words: Words) -> bytes:
    """The workbook, made twice: the stamp holds what its cells say when they are read. Same request, same bytes."""
    draft, rows, cells = _written(asked, words, None)
    book = workbook_of(draft)
    columns = {field: FIRST_COLUMN + k for k, field in enumerate(COLUMNS)}
    parts = [*((line.part, line.qty) for line in asked.lines), *((f"service:{kind}", 1) for kind in SERVICES)]
    prices = protected_rows(book.worksheets[1], columns["qty"])
    stamp = Stamp(
        number=asked.number,
        lines=tuple(AskedLine(row, part, qty, prices[row]) for row, (part, qty) in zip(rows, parts, strict=True)),
        lines_sheet=1,
        columns=columns,
        facts_sheet=0,
        cells=cells,
        sheets=tuple(
            SheetStamp(place, first, protected_rows(book.worksheets[place], first))
            for place, first in ((0, FIRST_INPUT["request"]), (1, columns["qty"]), (2, FIRST_INPUT["requirements"]))
        ),
    )
    return _written(asked, words, stamp)[0]


def seal_of(content: bytes) -> str:
    """The seal of a workbook that was written: the buyer notes it, and reads the same of the file that comes back."""
    from optimizer.procurement.reading.returned.stamp import properties_of

    return properties_of(workbook_of(content))["dsopt.rfq.seal"]


def _written(asked: Inquiry, words: Words, stamp: Stamp | None) -> tuple[bytes, list[int], dict[str, str]]:
    """(bytes, rows of the lines as Excel counts, cells of the bidder's facts)."""
    head = f"{words('Request for quotation')} {asked.number}"
    frame = Frame(words, SHEETS, "", head, asked.quote.result.model.name, asked.day)
    for name, text in stamp.properties().items() if stamp is not None else ():
        frame.file.set_custom_property(name, text, "text")
    cells = _request(frame, asked, head)
    rows = _prices(frame, asked)
    _requirements(frame, asked)
    return frame.closed(), rows, cells


def _request(frame: Frame, asked: Inquiry, head: str) -> dict[str, str]:
    """First sheet: who asks, what the delivery must do, and the bidder's own facts."""
    _, sheet = frame.words, frame.sheets["request"]
    row = sheet.setup([38, 76], head, _.stacked(HOW))
    facts = [
        (_("Buyer"), asked.buyer or "–"), (_("Date"), asked.day.isoformat()), 
        (_("Bids until"), asked.until.isoformat()),        (_("Model"), asked.quote.result.model.name),
    ]  # fmt: skip
    for label, value in facts:
        # A label and its value stand in one protected cell: the second column is the bidder's.
        sheet.span(row, 0, 1, f"{label}{_.colon}{value}")
        row += 1
    row += 1
    sheet.section(row, _("Acceptance test"))
    for text in acceptance(_, asked):
        row += 1
        sheet.span(row, 0, 1, text)
    row += 2
    sheet.section(row, _("Your bid"))
    cells = {}
    for name, label in FACTS.items():
        row += 1
        sheet.text(row, 0, _.stacked(label), **CELL)
        shape = {"num_format": "0.##"} if name == "tax_rate" else {"num_format": "@"}
        sheet.ws.write_blank(row, 1, None, sheet.f(**OPEN, **shape))
        cells[name] = xl_rowcol_to_cell(row, 1)
    _choices(sheet, cells, _)
    row += 2
    sheet.section(row, _("Evaluation"))
    text = N_("Prices are compared on one basis net of tax; a line without a price makes the bid incomplete.")
    sheet.span(row + 1, 0, 1, _.stacked(text))
    sheet.done(row + 1)
    return cells


def _choices(sheet: Sheet, cells: dict[str, str], _: Words) -> None:
    """Lists to choose from, and what a tax rate may be."""
    sheet.ws.data_validation(cells["currency"], {"validate": "list", "source": list(CURRENCIES)})
    sheet.ws.data_validation(
        cells["tax"], {"validate": "list", "source": [_tax(_, NET, "net"), _tax(_, GROSS, "gross")]}
    )
    sheet.ws.data_validation(
        cells["tax_rate"], {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100}
    )


def _tax(_: Words, text: str, code: str) -> str:
    """A choice that begins with a word that the reader knows."""
    return {"net": "未税 net", "gross": "含税 gross"}[code] if _.chinese else f"{code}: {_(text)}"


def _prices(frame: Frame, asked: Inquiry) -> list[int]:
    """The lines; returns their rows as Excel counts."""
    _, sheet = frame.words, frame.sheets["prices"]
    row = sheet.setup(WIDTHS, _("Price schedule"), _.stacked(HOW))
    sheet.head(row, [N_("No."), N_("Category"), *COLUMNS.values()])
    first, rows = row + 1, []
    for number, line in enumerate(asked.lines, 1):
        row += 1
        _line(sheet, row, number, category(_, line.kind), _wanted(_, asked, line), line.qty)
        rows.append(row + 1)
    for number, text in enumerate(SERVICES.values(), len(asked.lines) + 1):
        row += 1
        _line(sheet, row, number, _("Service"), _.stacked(text), 1)
        rows.append(row + 1)
    _validated(sheet, first, row, _)
    unit, total = _column("unit_price"), _column("total")
    row += 1
    bold = {**CELL, "bold": True, "bg_color": LIGHT}
    # Beside the bidder's columns: what bidders see move is no text that was sent.
    sheet.text(row, unit, _("Total"), **bold)
    letter = xl_col_to_name(total)
    sheet.formula(row, total, f"=SUM({letter}{first + 1}:{letter}{row})", 0, **{**bold, "num_format": "#,##0.00"})
    sheet.done(row)
    return rows


def _column(field: str) -> int:
    return FIRST_COLUMN + list(COLUMNS).index(field)


def _wanted(_: Words, asked: Inquiry, line: AskedPart) -> str:
    """Figures; with --brand the make and model before them."""
    figures = required(_, asked.catalog.parts[line.part], asked.catalog)
    if not asked.brand:
        return figures
    made = line.name if not line.vendor or line.name.startswith(line.vendor) else f"{line.vendor} {line.name}"
    return f"{made}{_.bracketed(_('or equivalent'))}\n{figures}"


def _line(sheet: Sheet, row: int, number: int, kind: str, wanted: str, qty: int) -> None:
    sheet.number(row, 0, number, num_format="0", **CELL)
    sheet.text(row, 1, kind, **CELL)
    sheet.text(row, _column("wanted"), wanted, **CELL)
    sheet.number(row, _column("qty"), qty, num_format="0", bold=True, **{**CELL, "align": "center"})
    shapes: dict[str, dict[str, Any]] = {
        "offered": {"num_format": "@", "text_wrap": True}, "unit_price": {"num_format": "#,##0.00"},
        "lead_days": {"num_format": "0"}, "warranty_months": {"num_format": "0"},
        "deviation": {"num_format": "@", "text_wrap": True},
    }  # fmt: skip
    for field, shape in shapes.items():
        sheet.ws.write_blank(row, _column(field), None, sheet.f(**OPEN, **shape))
    price, amount = (xl_rowcol_to_cell(row, _column(field)) for field in ("unit_price", "qty"))
    style = {**CELL, "num_format": "#,##0.00"}
    sheet.formula(row, _column("total"), f'=IF(ISNUMBER({price}),ROUND({amount}*{price},2),"")', "", **style)


def _validated(sheet: Sheet, first: int, last: int, _: Words) -> None:
    """What may be written into the cells of prices, days and months."""
    price, lead, months = (_column(field) for field in ("unit_price", "lead_days", "warranty_months"))
    number = {"validate": "decimal", "criteria": ">=", "value": 0, "error_message": _(SENTENCES["price"])[:250]}
    sheet.ws.data_validation(first, price, last, price, number)
    whole = {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": 3650}
    for column in (lead, months):
        sheet.ws.data_validation(first, column, last, column, {**whole, "error_message": _(SENTENCES["count"])[:250]})


def _requirements(frame: Frame, asked: Inquiry) -> None:
    """What the whole must meet, with the bidder's own figures beside it (技术偏离表)."""
    _, sheet = frame.words, frame.sheets["requirements"]
    row = sheet.setup([44, 40, 40, 40], _("Technical deviations"), _.stacked(HOW))
    sheet.head(row, [N_("Requirement"), N_("Required"), N_("Offered"), N_("Deviation")])
    for title, value in asked_for(_, asked):
        row += 1
        sheet.text(row, 0, title, **{**CELL, "font_color": DARK})
        sheet.text(row, 1, value, **CELL)
        for column in (2, 3):
            sheet.ws.write_blank(row, column, None, sheet.f(**OPEN, num_format="@", text_wrap=True))
    sheet.done(row)
