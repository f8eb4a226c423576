"""Sheet Deviations: requirement, offered, deviation (技术偏离表)."""

from __future__ import annotations

from typing import Any

from optimizer.procurement.quotation.content import DEVIATIONS, requirements
from optimizer.procurement.quotation.workbook.book import Book
from optimizer.procurement.quotation.workbook.sentences import of_the_build
from optimizer.text.languages import N_

HEAD = [N_("No."), N_("Item"), N_("Requirement"), N_("Offered"), N_("Deviation"), N_("Remark")]
WIDTHS = [6, 62, 34, 34, 24, 28]
COLOURS = {"better": ("#E2EFDA", "#375623"), "worse": ("#FFE699", "#7F6000")}


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["deviations"]
    note = N_("What was asked for and the rules' limits, against what is offered.")
    top = sheet.setup(WIDTHS, _("Technical deviation table"), of_the_build(book, note))
    sheet.head(top, HEAD)
    row = top + 1
    for i, x in enumerate(requirements(_, quote), 1):
        n = row + 1
        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        sheet.number(row, 0, i, num_format="0", align="center", **cell)
        sheet.text(row, 1, x.title, **cell)
        if x.cents and quote.budget is not None:
            money = {**cell, "num_format": f'"≤ "{book.money_format}', "align": "left"}
            sheet.formula(row, 2, "=budget", quote.amount(quote.budget), **money)
            sheet.money(row, 3, "=total", quote.sums.total, align="left", **cell)
            words = {k: _(v) for k, v in DEVIATIONS.items()}
            chosen = f'=IF(D{n}<C{n},"{words["better"]}",IF(D{n}=C{n},"{words["none"]}","{words["worse"]}"))'
            sheet.formula(row, 4, chosen, words[x.deviation], align="center", text_wrap=True, **cell)
        else:
            sheet.text(row, 2, x.required, **cell)
            sheet.text(row, 3, x.offered, **cell)
            sheet.text(row, 4, _(DEVIATIONS[x.deviation]), align="center", **cell)
        sheet.text(row, 5, x.remark, **cell)
        row += 1
    for kind, (back, front) in COLOURS.items():
        shape = book.file.add_format({"bg_color": back, "font_color": front})
        rule = {"type": "cell", "criteria": "==", "value": f'"{_(DEVIATIONS[kind])}"', "format": shape}
        sheet.ws.conditional_format(top + 1, 4, row - 1, 4, rule)
    sheet.ws.autofilter(top, 0, row - 1, len(HEAD) - 1)
    sheet.done(row - 1)
