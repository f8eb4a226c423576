"""Sheet Compatibility: every rule's finding about the build, with measured value, limit and margin."""

from __future__ import annotations

from typing import Any

from constraints.rules.budget import Budget
from constraints.rules.registry import that_read
from optimizer.procurement.labels import STATUS, rule, unit
from optimizer.procurement.quotation.workbook.book import Book
from optimizer.procurement.quotation.workbook.live import said, where
from optimizer.procurement.quotation.workbook.sentences import of_the_build
from optimizer.text.languages import N_

HEAD = [N_("No."), N_("Rule"), N_("Finding"), N_("Measured"), N_("Limit"), N_("Margin"), N_("Unit"), N_("Status")]
COMMANDS = 16
"""Commands written that start a plan."""
WIDTHS = [6, 20, 70, 17, 17, 11, 14, 12]
COLOURS = {"pass": ("#E2EFDA", "#375623"), "warn": ("#FFE699", "#7F6000"), "fail": ("#FF9999", "#9C0006")}


def margin(measured: float, limit: float) -> float | None:
    """Share of the limit that lies between it and the measured value."""
    return abs(measured - limit) / abs(limit) if limit else None


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["compatibility"]
    note = N_("Every rule was checked on the finished build; a warning is advice that the build does not follow.")
    top = sheet.setup(WIDTHS, _("Compatibility"), of_the_build(book, note))
    sheet.head(top, HEAD)
    first = row = top + 1
    for i, check in enumerate(quote.chosen.checks):
        n = row + 1
        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        sheet.number(row, 0, i + 1, num_format="0", align="center", **cell)
        sheet.text(row, 1, rule(_, check.rule), **cell)
        status = check.status
        if check.rule != Budget.id or quote.budget is None:
            dated = (
                f" {_('(as priced when this file was made)')}"
                if check.rule in that_read("orders") and check.limit
                else ""
            )
            sheet.text(row, 2, _.sentence(check.text) + dated, **cell)
        if check.rule == Budget.id and quote.budget is not None:
            status = "pass" if quote.sums.total <= quote.budget else "fail"
            sheet.money(row, 3, "=total", quote.sums.total, **cell)
            sheet.formula(row, 4, "=budget", quote.amount(quote.budget), num_format=book.money_format, **cell)
            kept, broken = said(_, N_("The total is within the budget.")), said(_, N_("The total is above the budget."))
            sheet.live(row, 2, 2, where(f"D{n}<=E{n}", status == "pass", kept, broken), valign="vcenter", **cell)
            words = f'IF(D{n}<=E{n},"{_(STATUS["pass"])}","{_(STATUS["fail"])}")'
            sheet.formula(row, 7, f"={words}", _(STATUS[status]), align="center", **cell)
            measured: float | None = float(quote.amount(quote.sums.total))
            limit: float | None = float(quote.amount(quote.budget))
        else:
            measured, limit = check.measured, check.limit
            sheet.number(row, 3, measured, **cell)
            sheet.number(row, 4, limit, **cell)
            sheet.text(row, 7, _(STATUS[status]), align="center", **cell)
        share = None if measured is None or limit is None else margin(measured, limit)
        if share is not None:
            sheet.formula(row, 5, f"=ABS(D{n}-E{n})/ABS(E{n})", share, num_format="0.0%", **cell)
        else:
            sheet.text(row, 5, "", **cell)
        sheet.text(row, 6, unit(_, check.unit), align="center", **cell)
        row += 1
    last = row
    sheet.ws.autofilter(top, 0, last - 1, len(HEAD) - 1)
    for code, (back, front) in COLOURS.items():
        shape = book.file.add_format({"bg_color": back, "font_color": front})
        rule_ = {"type": "cell", "criteria": "==", "value": f'"{_(STATUS[code])}"', "format": shape}
        sheet.ws.conditional_format(first, 7, last - 1, 7, rule_)
    sheet.done(_launch(book, last + 1) - 1)


def _launch(book: Book, row: int) -> int:
    """How the plan is started, below the rules; the row after it."""
    _, sheet, plan = book.words, book.sheets["compatibility"], book.quote.chosen.plan
    end = len(HEAD) - 1
    if plan.launch:
        sheet.section(row, _("How to start it, one command per node and engine instance: {engine}", engine=plan.engine))
        row += 1
    for command in plan.launch[:COMMANDS]:
        sheet.span(row, 0, end, command)
        row += 1
    if len(plan.launch) > COMMANDS:
        sheet.span(row, 0, end, _("... and {n} more: plan.launch of --json", n=len(plan.launch) - COMMANDS))
        row += 1
    if plan.launch_note:
        sheet.span(row, 0, end, _.sentence(plan.launch_note))
        row += 1
    return row
