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
    _, q, s = book.words, book.quote, book.sheets["compatibility"]
    note = N_("Every rule was checked on the finished build; a warning is advice that the build does not follow.")
    top = s.setup(WIDTHS, _("Compatibility"), of_the_build(book, note))
    s.head(top, HEAD)
    first = row = top + 1
    for i, x in enumerate(q.chosen.checks):
        n = row + 1
        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        s.number(row, 0, i + 1, num_format="0", align="center", **cell)
        s.text(row, 1, rule(_, x.rule), **cell)
        status = x.status
        if x.rule != Budget.id or q.budget is None:
            dated = f" {_('(as priced when this file was made)')}" if x.rule in that_read("orders") and x.limit else ""
            s.text(row, 2, _.sentence(x.text) + dated, **cell)
        if x.rule == Budget.id and q.budget is not None:
            status = "pass" if q.sums.total <= q.budget else "fail"
            s.money(row, 3, "=total", q.sums.total, **cell)
            s.formula(row, 4, "=budget", q.amount(q.budget), num_format=book.money_format, **cell)
            kept, broken = said(_, N_("The total is within the budget.")), said(_, N_("The total is above the budget."))
            s.live(row, 2, 2, where(f"D{n}<=E{n}", status == "pass", kept, broken), valign="vcenter", **cell)
            words = f'IF(D{n}<=E{n},"{_(STATUS["pass"])}","{_(STATUS["fail"])}")'
            s.formula(row, 7, f"={words}", _(STATUS[status]), align="center", **cell)
            measured: float | None = float(q.amount(q.sums.total))
            limit: float | None = float(q.amount(q.budget))
        else:
            measured, limit = x.measured, x.limit
            s.number(row, 3, measured, **cell)
            s.number(row, 4, limit, **cell)
            s.text(row, 7, _(STATUS[status]), align="center", **cell)
        share = None if measured is None or limit is None else margin(measured, limit)
        if share is not None:
            s.formula(row, 5, f"=ABS(D{n}-E{n})/ABS(E{n})", share, num_format="0.0%", **cell)
        else:
            s.text(row, 5, "", **cell)
        s.text(row, 6, unit(_, x.unit), align="center", **cell)
        row += 1
    last = row
    s.ws.autofilter(top, 0, last - 1, len(HEAD) - 1)
    for code, (back, front) in COLOURS.items():
        shape = book.file.add_format({"bg_color": back, "font_color": front})
        rule_ = {"type": "cell", "criteria": "==", "value": f'"{_(STATUS[code])}"', "format": shape}
        s.ws.conditional_format(first, 7, last - 1, 7, rule_)
    s.done(_launch(book, last + 1) - 1)


def _launch(book: Book, row: int) -> int:
    """How the plan is started, below the rules; the row after it."""
    _, s, plan = book.words, book.sheets["compatibility"], book.quote.chosen.plan
    end = len(HEAD) - 1
    if plan.launch:
        s.section(row, _("How to start it, one command per node and engine instance: {engine}", engine=plan.engine))
        row += 1
    for command in plan.launch[:COMMANDS]:
        s.span(row, 0, end, command)
        row += 1
    if len(plan.launch) > COMMANDS:
        s.span(row, 0, end, _("... and {n} more: plan.launch of --json", n=len(plan.launch) - COMMANDS))
        row += 1
    if plan.launch_note:
        s.span(row, 0, end, _.sentence(plan.launch_note))
        row += 1
    return row
