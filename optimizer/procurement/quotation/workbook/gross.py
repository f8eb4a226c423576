"""Labels of sums with tax: they say so only while the workbook's tax rate adds any, and follow it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.procurement.quotation.workbook.book import DARK, Sheet

HEAD: dict[str, Any] = {"bold": True, "bg_color": DARK, "font_color": "white", "align": "center", "border": 1}
"""The style of a table's head."""


def label(sheet: Sheet, row: int, col: int, rate: Decimal, taxed: str, untaxed: str, **properties: Any) -> None:
    """A cell that reads `taxed` where the rate of the assumptions is above 0, else `untaxed`."""
    formula = f'=IF(tax_rate>0,"{taxed}","{untaxed}")'
    sheet.formula(
        row, col, formula, taxed if rate else untaxed, **{"text_wrap": True, "valign": "vcenter", **properties}
    )
