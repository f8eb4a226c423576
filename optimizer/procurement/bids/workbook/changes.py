"""What changed between two results of dsopt, as a workbook."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from optimizer.procurement.bids.changes_schema import ResultsCompared
from optimizer.procurement.bids.workbook.book import CELL, GREEN, RED
from optimizer.procurement.labels import category
from optimizer.procurement.quotation.workbook.book import LIGHT, Frame
from optimizer.text.languages import N_, Words

SHEETS = {"summary": N_("Summary"), "parts": N_("Parts"), "front": N_("Front")}
PARTS = [
    N_("Category"),
    N_("Part"),
    N_("Pieces before"),
    N_("Pieces now"),
    N_("Price before"),
    N_("Price now"),
    N_("by price"),
    N_("by quantity"),
    N_("Difference"),
]
FRONT = [
    N_("State"),
    N_("Build"),
    N_("Point before"),
    N_("Point now"),
    N_("Total before"),
    N_("Total now"),
    N_("tok/s before"),
    N_("tok/s now"),
]
STATUS = {"kept": N_("on both fronts"), "gone": N_("gone"), "new": N_("new")}


def workbook(found: ResultsCompared, words: Words) -> bytes:
    """Summary with reasons, the recommended builds part by part, both fronts."""
    day = date.fromisoformat(found.after.as_of)
    book = Frame(words, SHEETS, found.after.currency, words("Two results compared"), found.after.build, day)
    _summary(book, found)
    _parts(book, found)
    _front(book, found)
    return book.closed()


def _summary(book: Frame, found: ResultsCompared) -> None:
    _, sheet = book.words, book.sheets["summary"]
    row = sheet.setup([26, 58, 58], _("Two results compared"))
    sheet.head(row, ["", N_("before"), N_("now")])
    before, after = found.before, found.after
    rows = [
        (_("File"), before.source, after.source),
        (_("Prices as of"), before.as_of, after.as_of),
        (_("Build"), before.build, after.build),
        (_("Total"), _total(before), _total(after)),
        (_("Throughput, tok/s"), *("–" if x.tok_s is None else f"{x.tok_s:,.1f}" for x in (before, after))),
        (_("Catalog"), before.catalog_sha256[:16], after.catalog_sha256[:16]),
        (_("Proof"), before.status, after.status),
    ]
    for label, *values in rows:
        row += 1
        for col, text in enumerate((label, *values)):
            sheet.text(row, col, text or "–", **{**CELL, "align": "left", "bold": col == 0})
    row += 2
    sheet.section(row, _("Why"))
    for r in found.reasons:
        row += 1
        sheet.text(row, 0, r.code, font_color="#595959")
        sheet.span(row, 1, 2, r.said(_))
    for text in found.unchecked:
        row += 1
        sheet.span(row, 0, 2, _("not checked: {what}", what=text))
    sheet.done(row)


def _total(x: Any) -> str:
    return "–" if x.total is None else f"{Decimal(x.total):,f} {x.currency}"


def _parts(book: Frame, found: ResultsCompared) -> None:
    _, sheet = book.words, book.sheets["parts"]
    text = N_("Difference = pieces now x what a piece rose + pieces more x the price before (now, of a new part).")
    top = sheet.setup([20, 46, 10, 10, 16, 16, 16, 16, 16], _("Parts of the recommended builds"), _.stacked(text))
    sheet.head(top, PARTS)
    row = top
    for part in found.parts:
        row += 1
        new, gone = part.from_qty == 0, part.to_qty == 0
        sheet.text(row, 0, category(_, part.category), **CELL)
        sheet.text(row, 1, part.name, **{**CELL, **(GREEN if new else RED if gone else {})})
        for col, qty in ((2, part.from_qty), (3, part.to_qty)):
            sheet.number(row, col, qty, num_format="#,##0", **CELL)
        for col, unit in ((4, part.from_unit), (5, part.to_unit)):
            sheet.number(row, col, None if unit is None else Decimal(unit), num_format=book.money_format, **CELL)
        for col, value in ((6, part.by_price), (7, part.by_quantity)):
            sheet.number(row, col, Decimal(value), num_format=book.money_format, **CELL)
        n = row + 1
        total = Decimal(part.by_price) + Decimal(part.by_quantity)
        sheet.formula(row, 8, f"=ROUND(G{n}+H{n},2)", total, num_format=book.money_format, **CELL)
    if found.parts:
        row += 1
        style: dict[str, Any] = {"bold": True, "bg_color": LIGHT}
        sheet.span(row, 0, 5, _("Sum"), align="right", **style)
        for col, name in ((6, "G"), (7, "H"), (8, "I")):
            of = {"G": [part.by_price for part in found.parts], "H": [part.by_quantity for part in found.parts]}
            values = of.get(name) or [*of["G"], *of["H"]]
            total = sum((Decimal(x) for x in values), Decimal(0))
            formula = f"=ROUND(SUM({name}{top + 2}:{name}{row}),2)"
            sheet.formula(row, col, formula, total, num_format=book.money_format, **style)
    sheet.done(max(row, top + 1))


def _front(book: Frame, found: ResultsCompared) -> None:
    _, sheet = book.words, book.sheets["front"]
    top = sheet.setup([18, 40, 14, 14, 18, 18, 14, 14], _("Both fronts"))
    sheet.head(top, FRONT)
    row = top
    for point in found.front:
        row += 1
        shade = {"kept": {}, "gone": RED, "new": GREEN}[point.status]
        sheet.text(row, 0, _(STATUS[point.status]), **{**CELL, **shade})
        for col, text in ((1, point.build), (2, point.from_id or "–"), (3, point.to_id or "–")):
            sheet.text(row, col, text, **CELL)
        for col, money in ((4, point.from_total), (5, point.to_total)):
            sheet.number(row, col, None if money is None else Decimal(money), num_format="#,##0.00", **CELL)
        for col, speed in ((6, point.from_tok_s), (7, point.to_tok_s)):
            sheet.number(row, col, speed, num_format="#,##0.0", **CELL)
    sheet.done(max(row, top + 1))
