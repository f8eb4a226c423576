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
    N_("Category"), N_("Part"), N_("Pieces before"), N_("Pieces now"), N_("Price before"), N_("Price now"),
    N_("by price"), N_("by quantity"), N_("Difference"),
]  # fmt: skip
FRONT = [
    N_("State"), N_("Build"), N_("Point before"), N_("Point now"), N_("Total before"), N_("Total now"),
    N_("tok/s before"), N_("tok/s now"),
]  # fmt: skip
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
    _, s = book.words, book.sheets["summary"]
    row = s.setup([26, 58, 58], _("Two results compared"))
    s.head(row, ["", N_("before"), N_("now")])
    a, b = found.before, found.after
    rows = [
        (_("File"), a.source, b.source), (_("Prices as of"), a.as_of, b.as_of), (_("Build"), a.build, b.build),
        (_("Total"), _total(a), _total(b)),
        (_("Throughput, tok/s"), *("–" if x.tok_s is None else f"{x.tok_s:,.1f}" for x in (a, b))),
        (_("Catalog"), a.catalog_sha256[:16], b.catalog_sha256[:16]), (_("Proof"), a.status, b.status),
    ]  # fmt: skip
    for label, *values in rows:
        row += 1
        for col, text in enumerate((label, *values)):
            s.text(row, col, text or "–", **{**CELL, "align": "left", "bold": col == 0})
    row += 2
    s.section(row, _("Why"))
    for r in found.reasons:
        row += 1
        s.text(row, 0, r.code, font_color="#595959")
        s.span(row, 1, 2, r.said(_))
    for text in found.unchecked:
        row += 1
        s.span(row, 0, 2, _("not checked: {what}", what=text))
    s.done(row)


def _total(x: Any) -> str:
    return "–" if x.total is None else f"{Decimal(x.total):,f} {x.currency}"


def _parts(book: Frame, found: ResultsCompared) -> None:
    _, s = book.words, book.sheets["parts"]
    text = N_("Difference = pieces now x what a piece rose + pieces more x the price before (now, of a new part).")
    top = s.setup([20, 46, 10, 10, 16, 16, 16, 16, 16], _("Parts of the recommended builds"), _.stacked(text))
    s.head(top, PARTS)
    row = top
    for p in found.parts:
        row += 1
        new, gone = p.from_qty == 0, p.to_qty == 0
        s.text(row, 0, category(_, p.category), **CELL)
        s.text(row, 1, p.name, **{**CELL, **(GREEN if new else RED if gone else {})})
        for col, qty in ((2, p.from_qty), (3, p.to_qty)):
            s.number(row, col, qty, num_format="#,##0", **CELL)
        for col, unit in ((4, p.from_unit), (5, p.to_unit)):
            s.number(row, col, None if unit is None else Decimal(unit), num_format=book.money_format, **CELL)
        for col, value in ((6, p.by_price), (7, p.by_quantity)):
            s.number(row, col, Decimal(value), num_format=book.money_format, **CELL)
        n = row + 1
        total = Decimal(p.by_price) + Decimal(p.by_quantity)
        s.formula(row, 8, f"=ROUND(G{n}+H{n},2)", total, num_format=book.money_format, **CELL)
    if found.parts:
        row += 1
        style: dict[str, Any] = {"bold": True, "bg_color": LIGHT}
        s.span(row, 0, 5, _("Sum"), align="right", **style)
        for col, name in ((6, "G"), (7, "H"), (8, "I")):
            of = {"G": [p.by_price for p in found.parts], "H": [p.by_quantity for p in found.parts]}
            values = of.get(name) or [*of["G"], *of["H"]]
            total = sum((Decimal(x) for x in values), Decimal(0))
            formula = f"=ROUND(SUM({name}{top + 2}:{name}{row}),2)"
            s.formula(row, col, formula, total, num_format=book.money_format, **style)
    s.done(max(row, top + 1))


def _front(book: Frame, found: ResultsCompared) -> None:
    _, s = book.words, book.sheets["front"]
    top = s.setup([18, 40, 14, 14, 18, 18, 14, 14], _("Both fronts"))
    s.head(top, FRONT)
    row = top
    for p in found.front:
        row += 1
        shade = {"kept": {}, "gone": RED, "new": GREEN}[p.status]
        s.text(row, 0, _(STATUS[p.status]), **{**CELL, **shade})
        for col, text in ((1, p.build), (2, p.from_id or "–"), (3, p.to_id or "–")):
            s.text(row, col, text, **CELL)
        for col, money in ((4, p.from_total), (5, p.to_total)):
            s.number(row, col, None if money is None else Decimal(money), num_format="#,##0.00", **CELL)
        for col, speed in ((6, p.from_tok_s), (7, p.to_tok_s)):
            s.number(row, col, speed, num_format="#,##0.0", **CELL)
    s.done(max(row, top + 1))
