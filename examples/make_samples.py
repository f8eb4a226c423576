"""Makes the workbooks among the samples of `dsopt examples`: a company's template for quotes, and a request for
quotation as two bidders sent it back. `python examples/make_samples.py` from the repository's root."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
from openpyxl.workbook.defined_name import DefinedName

from constraints.request import Request
from optimizer.library import rfq, solve
from optimizer.procurement.quotation.quote_terms import Party
from optimizer.procurement.reading.returned.stamp import properties_of, stamp_of
from optimizer.procurement.rfq.workbook import COLUMNS, FIRST_COLUMN, workbook
from optimizer.text.languages import Words

SAMPLES = Path(__file__).parents[1] / "optimizer" / "samples"
DAY = date(2026, 11, 24)
LINES = 20
"""Rows that the template has for the lines of a quote."""


def template() -> None:
    """A company's own form: dsopt fills the cells that have a name and leaves the others."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Offer"
    rows = ["Example Integrator Ltd.", "Quote no.", "Customer", "Date", "Valid until", "Currency", "Total"]
    for row, text in enumerate(rows, 1):
        sheet.cell(row, 1).value = text
    for column, text in enumerate(("Item", "Quantity", "Unit price", "Amount"), 1):
        sheet.cell(9, column).value = text
    cells = {"quote_number": "$B$2", "customer": "$B$3", "quote_date": "$B$4", "valid_until": "$B$5",
             "currency": "$B$6", "total": "$B$7"}  # fmt: skip
    last = 9 + LINES
    cells |= {name: f"${letter}$10:${letter}${last}" for name, letter in
              (("line_name", "A"), ("line_qty", "B"), ("line_unit", "C"), ("line_gross", "D"))}  # fmt: skip
    for name, cell in cells.items():
        book.defined_names[name] = DefinedName(name, attr_text=f"'Offer'!{cell}")
    book.save(SAMPLES / "template.xlsx")


def answers() -> None:
    """The recommended build of a small request, asked for, and as two bidders fill it in."""
    asked = Request(model="r1-distill-qwen-14b", as_of=DAY, budget_cents=1_200_000, max_nodes=1,
                    gpus=frozenset({"nvidia-rtx-4090-24gb"}))  # fmt: skip
    request = rfq(solve(asked), party=Party("Example University", "", DAY, 21))
    for name, factor in (("alpha", Decimal("1.05")), ("beta", Decimal("1.12"))):
        filled = openpyxl.load_workbook(io.BytesIO(workbook(request, Words("en"))))
        stamp = stamp_of(properties_of(filled))
        assert stamp is not None
        said = {
            "vendor": f"{name.capitalize()} Systems", "quote_no": f"{name[0].upper()}-17", "quote_date": "2026-11-28",
            "valid_until": date(2027, 12, 31), "currency": "USD", "tax": "net: net of tax", "tax_rate": 13,
        }  # fmt: skip
        for field, value in said.items():
            filled.worksheets[0][stamp.cells[field]] = value
        prices = filled.worksheets[1]
        bought = {line.part: line.unit_price for line in request.point.bom}
        for line in stamp.lines:  # what is no part, as installation, is included
            price = Decimal(bought.get(line.part, 0)) * factor
            for key, value in (("unit_price", round(float(price), 2)), ("lead_days", 28), ("warranty_months", 36)):
                prices.cell(line.row, FIRST_COLUMN + list(COLUMNS).index(key) + 1).value = value
        filled.save(SAMPLES / f"rfq-{name}.xlsx")


if __name__ == "__main__":
    template()
    answers()
