"""An X-ray as an Excel report: summary, lines, rules, what is missing, what the money buys instead, the mend."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.i18n import Words
from optimizer.procurement.labels import rule, unit
from optimizer.procurement.workbook.book import DARK, LIGHT, Frame, Sheet
from optimizer.procurement.workbook.compatibility import COLOURS, margin
from optimizer.procurement.xray.schema import XLine, XRay
from optimizer.procurement.xray.summary import amount, finding, mark

SHEETS = {
    "summary": "Summary", "lines": "Lines", "rules": "Compatibility", "missing": "Missing", "instead": "Instead",
    "mend": "Mend",
}  # fmt: skip
EDGE = {"border": 1, "border_color": "#BFBFBF"}
SHADES = {"above": "#FF9999", "below": "#FFE699", "not-placed": "#FFE699"}


def workbook(x: XRay) -> bytes:
    """The whole file. The same X-ray gives the same bytes."""
    words = Words("en")
    head = f"X-ray of {x.source}"
    book = Frame(words, SHEETS, x.basis.currency, head, x.vendor, x.request.as_of)
    _summary(book, x)
    _lines(book, x)
    _rules(book, x)
    _missing(book, x)
    _instead(book, x)
    _mend(book, x)
    return book.closed()


def _money(s: Sheet, row: int, col: int, text: str | None, **style: Any) -> None:
    s.number(row, col, None if text is None else Decimal(text), **{"num_format": s.book.money_format, **style})


def _summary(book: Frame, x: XRay) -> None:
    s = book.sheets["summary"]
    s.setup([32, 30, 24, 24, 40], f"X-ray of {x.source}")
    s.ws.fit_to_pages(1, 1)
    facts = [
        ("Vendor", x.vendor or "–"), ("Number", x.quote_no or "–"), ("Date", str(x.quote_date or "–")),
        ("Valid until", str(x.valid_until or "–")), ("Model served", x.request.model),
        ("Users", str(x.request.users or "as many as it serves")), ("Prices as of", str(x.request.as_of)),
        ("Basis", x.basis.text),
    ]  # fmt: skip
    row = 2
    for label, value in facts:
        s.text(row, 0, label, font_color="#595959", bottom=4, bottom_color="#BFBFBF")
        s.span(row, 1, 4, value, bottom=4, bottom_color="#BFBFBF")
        row += 1
    row += 1
    good = "No rule fails and no amount is wrong." if x.ok else "Something fails."
    back, front = COLOURS["pass" if x.ok else "fail"]
    s.span(row, 0, 4, good, bold=True, bg_color=back, font_color=front)
    for text in x.summary:
        row += 1
        s.span(row, 0, 4, f"• {text}")
    row = _sums(book, x, row + 2)
    if x.findings:
        s.section(row, "What does not add up")
        for f in x.findings:
            row += 1
            s.text(row, 0, f.severity)
            s.span(row, 1, 4, finding(f), **({"bold": True} if f.severity == "error" else {}))
        row += 2
    s.section(row, "What was X-rayed")
    for text in (x.scope, *x.notices):
        row += 1
        s.span(row, 0, 4, text)
    s.done(row)


def _sums(book: Frame, x: XRay, row: int) -> int:
    s, t = book.sheets["summary"], x.totals
    s.section(row, f"Sums, {x.basis.currency} net")
    rows = [
        ("Hardware", t.hardware), ("of it no part of the build", t.of_it_not_placed), ("Services", t.services),
        ("Together", t.net), ("Lines that the catalog prices too", t.compared),
        ("the same at the catalog's prices", t.compared_catalog),
    ]  # fmt: skip
    for label, value in rows:
        if value is not None:
            row += 1
            s.text(row, 0, label, **({"bold": True} if label == "Together" else {}))
            _money(s, row, 1, value, align="left")
    if t.compared_percent is not None:
        row += 1
        s.text(row, 0, "apart")
        s.number(row, 1, t.compared_percent / 100, num_format="+0.0%;-0.0%", align="left")
    for stated in t.stated:
        row += 1
        s.text(row, 0, f"stated in row {stated.row}")
        s.span(row, 1, 4, f"{stated.label or stated.kind}: {amount(stated.amount)} {x.basis.quote_currency}")
    return row + 2


def _lines(book: Frame, x: XRay) -> None:
    s, code = book.sheets["lines"], x.basis.currency
    note = f"{x.basis.text} Marked: more than {x.above_percent} % above or {x.below_percent} % below the catalog."
    widths = [6, 42, 30, 12, 8, 22, 15, 16, 15, 10, 16, 34]
    top = s.setup(widths, "Lines", note)
    head = [
        "Row", "Line", "Matched to", "How", "Pieces", "Quoted", f"Unit net, {code}", f"Amount net, {code}",
        f"Catalog unit, {code}", "Apart", "Mark", "Catalog price of; issues",
    ]  # fmt: skip
    s.head(top, head)
    for i, line in enumerate(x.lines, top + 1):
        _one(s, i, line)
    s.ws.autofilter(top, 0, top + len(x.lines), len(head) - 1)
    s.done(top + len(x.lines))


def _one(s: Sheet, row: int, x: XLine) -> None:
    shade = {"bg_color": SHADES[x.mark]} if x.mark in SHADES else {}
    s.number(row, 0, x.row, num_format="0", **EDGE)
    s.text(row, 1, x.text, **EDGE)
    suggested = f"suggested: {', '.join(x.suggestions[:2])}" if x.suggestions and not x.part else ""
    s.text(row, 2, x.name or suggested, **EDGE)
    s.text(row, 3, f"{x.how} {x.score}" if x.how == "fuzzy" else x.how if x.role == "part" else "service", **EDGE)
    s.number(row, 4, x.pieces, num_format="0", **EDGE)
    s.text(row, 5, x.stated_price or "", align="right", **EDGE)
    _money(s, row, 6, x.unit, **EDGE)
    _money(s, row, 7, x.amount, **EDGE)
    _money(s, row, 8, x.catalog_unit, **EDGE)
    share = None if x.difference_percent is None else x.difference_percent / 100
    s.number(row, 9, share, num_format="+0.0%;-0.0%", **EDGE, **shade)
    s.text(row, 10, mark(x), align="center", **EDGE, **shade)
    carries = f"with rows {', '.join(map(str, x.carries))}" if x.carries else ""
    said = [x.catalog_price, carries, x.reason if not x.part and x.role == "part" else "", *x.issues]
    s.text(row, 11, "; ".join(t for t in said if t), **EDGE)


def _rules(book: Frame, x: XRay) -> None:
    s, _ = book.sheets["rules"], book.words
    top = s.setup([6, 20, 70, 17, 17, 11, 14, 12], "Compatibility", x.scope)
    s.head(top, ["No.", "Rule", "Finding", "Measured", "Limit", "Margin", "Unit", "Status"])
    row = top
    for i, c in enumerate(x.checks, 1):
        row = top + i
        back, front = COLOURS[c.status]
        s.number(row, 0, i, num_format="0", align="center", **EDGE)
        s.text(row, 1, rule(_, c.rule), **EDGE)
        s.text(row, 2, c.text, **EDGE)
        s.number(row, 3, c.measured, **EDGE)
        s.number(row, 4, c.limit, **EDGE)
        share = None if c.measured is None or c.limit is None else margin(c.measured, c.limit)
        s.number(row, 5, share, num_format="0.0%", **EDGE)
        s.text(row, 6, unit(_, c.unit), align="center", **EDGE)
        s.text(row, 7, c.status, align="center", bg_color=back, font_color=front, **EDGE)
    for label, facts in (("Memory", x.memory), ("Supplies", x.supplies)):
        if facts is not None:
            row += 1 if row > top + len(x.checks) else 2
            back, front = COLOURS[facts.status]
            s.span(row, 0, 1, label, bold=True)
            s.span(row, 2, 6, facts.text)
            s.text(row, 7, facts.status, align="center", bg_color=back, font_color=front, **EDGE)
    if not x.checks:
        row += 1
        s.span(row, 0, 7, "No rule was checked.")
    s.done(row)


def _missing(book: Frame, x: XRay) -> None:
    s = book.sheets["missing"]
    note = "What the build needs and the quote lacks; below, reminders of what no rule demands. Prices of the catalog."
    top = s.setup([30, 10, 90, 18, 18], "Missing", note)
    s.head(top, ["Part", "Pieces", "Why", "Rule", f"About, {x.basis.currency}"])
    row = top
    for m in x.missing:
        row += 1
        style = {"font_color": "#7F7F7F"} if m.reminder else {"bold": True}
        s.text(row, 0, m.what, **EDGE, **style)
        s.number(row, 1, m.qty, num_format="0", **EDGE)
        s.text(row, 2, m.text, **EDGE)
        s.text(row, 3, "reminder" if m.reminder else rule(book.words, m.rule), **EDGE)
        _money(s, row, 4, m.cost, **EDGE)
    if not x.missing:
        row += 1
        s.span(row, 0, 4, "Nothing was found to be missing." if x.build else "There is no build to be looked through.")
    s.done(row)


def _instead(book: Frame, x: XRay) -> None:
    s, i = book.sheets["instead"], x.instead
    top = s.setup([34, 36, 36, 36], "What the money would buy instead", i.text if i else "")
    if i is None:
        s.span(top, 0, 3, "Not looked for: there is no build, no comparable price, or no search was wanted.")
        return s.done(top)
    as_fast = f"Cheapest as fast as the {i.as_fast_as} build"
    found = [("Fastest for this money", i.fastest), (as_fast, i.as_fast), ("Cheapest at all", i.cheapest)]
    shown = [(n, b) for n, b in found if b is not None]
    s.head(top, ["", *(n for n, _ in shown)])
    rows = (
        "GPUs", f"Total net, {x.basis.currency}", "Money against the quote", "Throughput, tok/s", "80 % interval",
        "Throughput against the quote", "Each user sees, tok/s", "Precision", "Power, kW", "On estimated prices",
        "Parts",
    )  # fmt: skip
    for n, label in enumerate(rows, top + 1):
        s.text(n, 0, label, bold=True, bg_color=LIGHT, font_color=DARK, **EDGE)
    for col, (_, b) in enumerate(shown, 1):
        t = b.throughput
        share = {"num_format": "+0.0%;-0.0%", "align": "left", **EDGE}
        s.text(top + 1, col, b.gpus, **EDGE)
        _money(s, top + 2, col, b.total, align="left", **EDGE)
        s.number(top + 3, col, None if b.money_percent is None else b.money_percent / 100, **share)
        s.number(top + 4, col, t.output_tok_s, num_format="#,##0.0", align="left", **EDGE)
        s.text(top + 5, col, f"{t.low:,.0f} – {t.high:,.0f}", **EDGE)
        s.number(top + 6, col, None if b.throughput_percent is None else b.throughput_percent / 100, **share)
        s.number(top + 7, col, t.per_user_tok_s, num_format="0.0", align="left", **EDGE)
        s.text(top + 8, col, b.precision, **EDGE)
        s.number(top + 9, col, b.power_kw, num_format="0.0", align="left", **EDGE)
        s.number(top + 10, col, b.estimated_share, num_format="0%", align="left", **EDGE)
        pieces = [f"{p.qty} x {name}" for p, name in zip(b.parts, b.names, strict=True)]
        s.text(top + 11, col, "\n".join(pieces), **{**EDGE, "valign": "top"})
    s.span(top + 13, 0, 3, f"Search: {i.proof}.", font_color="#595959")
    s.done(top + 13)


def _mend(book: Frame, x: XRay) -> None:
    s, m = book.sheets["mend"], x.mended
    note = (
        "The build nearest to the quoted one that passes every rule: fewest parts changed, then least money"
        f"{', ' if x.mended_among else ''}{x.mended_among}. Quoted parts at the quote's prices."
    )
    top = s.setup([52, 12, 10, 10, 20], "The nearest build that passes", note)
    if m is None:
        text = (
            "No rule fails." if x.ok else "None is known: nothing passes, no build is there, or no search was wanted."
        )
        s.span(top, 0, 4, text)
        return s.done(top)
    s.head(top, ["Part", "Where", "From", "To", f"Price, {m.currency}"])
    row = top
    for c in m.changes:
        row += 1
        s.text(row, 0, c.name, **EDGE)
        s.text(row, 1, c.where, **EDGE)
        s.number(row, 2, c.from_qty, num_format="0", **EDGE)
        s.number(row, 3, c.to_qty, num_format="0", **EDGE)
        _money(s, row, 4, c.price, **EDGE)
    sums = [("Build as quoted", m.total_before), ("Build mended", m.total), ("Apart", m.added)]
    for label, value in sums:
        row += 1
        s.span(row, 0, 3, label, bold=True, **EDGE)
        _money(s, row, 4, value, bold=True, **EDGE)
    t = m.throughput
    nodes = f"{m.nodes_before} nodes become {m.nodes}. " if m.nodes != m.nodes_before else ""
    warned = "; ".join(c.text for c in m.checks if c.status == "warn")
    texts = [
        f"{nodes}{t.output_tok_s:,.1f} {t.unit} at {m.precision}, 80 % interval {t.low:,.0f} – {t.high:,.0f}.",
        f"Every rule passes{f', with warnings: {warned}' if warned else ''}.",
        f"Proof: {m.proof.status}, {m.proof.families} families.",
    ]
    for text in texts:
        row += 1
        s.span(row, 0, 4, text)
    s.done(row)
