"""An X-ray as an Excel report: summary, lines, rules, what is missing, what the money buys instead, the mend."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.procurement.labels import SEVERITIES, STATUS, TAXES, WORDS, rule, unit
from optimizer.procurement.quotation.workbook.book import DARK, LIGHT, Frame, Sheet
from optimizer.procurement.quotation.workbook.compatibility import COLOURS, HEAD, WIDTHS, margin
from optimizer.procurement.xray.schema import XLine, XRay
from optimizer.procurement.xray.summary import EN, amount, finding, how, mark, rows, summary, thing
from optimizer.text.languages import N_, Words

SHEETS = {
    "summary": N_("Summary"), "lines": N_("Lines"), "rules": N_("Compatibility"), "missing": N_("Missing"),
    "instead": N_("Instead"), "mend": N_("Mend"),
}  # fmt: skip


def catalog_price(text: str, _: Words) -> str:
    """Confidence, day and seller of a price, or why there is none."""
    confidence, *rest = text.split(", ")
    if not _.chinese or confidence not in WORDS:
        return _.text(text)
    return _.comma.join([_(WORDS[confidence]), *(_(t) if t == "stale" else t for t in rest)])


EDGE = {"border": 1, "border_color": "#BFBFBF"}
SHADES = {"above": "#FF9999", "below": "#FFE699", "not-placed": "#FFE699"}


def workbook(x: XRay, words: Words = EN) -> bytes:
    """The whole file. The same X-ray gives the same bytes."""
    head = words("X-ray of {source}", source=x.source)
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
    s, _ = book.sheets["summary"], book.words
    s.setup([32, 30, 24, 24, 40], book.head)
    s.ws.fit_to_pages(1, 1)
    facts = [
        (N_("Vendor"), x.vendor or "–"), (N_("Quote number"), x.quote_no or "–"),
        (N_("Date"), str(x.quote_date or "–")), (N_("Valid until"), str(x.valid_until or "–")),
        (N_("Model served"), x.request.model),
        (N_("Users"), str(x.request.users or _("as many as it serves"))), (N_("Prices as of"), str(x.request.as_of)),
        (N_("Basis"), _.text(x.basis.text)),
    ]  # fmt: skip
    row = 2
    for label, value in facts:
        s.text(row, 0, _(label), font_color="#595959", bottom=4, bottom_color="#BFBFBF")
        s.span(row, 1, 4, value, bottom=4, bottom_color="#BFBFBF")
        row += 1
    row += 1
    good = _("No rule fails and no amount is wrong.") if x.ok else _("A rule fails or an amount is wrong.")
    back, front = COLOURS["pass" if x.ok else "fail"]
    s.span(row, 0, 4, good, bold=True, bg_color=back, font_color=front)
    for text in summary(x, _):
        row += 1
        s.span(row, 0, 4, f"• {text}")
    row = _sums(book, x, row + 2)
    if x.findings:
        s.section(row, _("What does not add up"))
        for f in x.findings:
            row += 1
            s.text(row, 0, _(SEVERITIES[f.severity]))
            s.span(row, 1, 4, finding(f, _), **({"bold": True} if f.severity == "error" else {}))
        row += 2
    s.section(row, _("What was X-rayed"))
    for text in (x.scope, *x.notices):
        row += 1
        s.span(row, 0, 4, _.text(text))
    s.done(row)


def _sums(book: Frame, x: XRay, row: int) -> int:
    s, t, _ = book.sheets["summary"], x.totals, book.words
    s.section(row, _("Sums, {currency} net", currency=x.basis.currency))
    sums = [
        (N_("Hardware"), t.hardware), (N_("of it no part of the build"), t.of_it_not_placed),
        (N_("Services"), t.services), (N_("Rebates on the whole"), t.rebates),
        (N_("Together"), t.net), (N_("Tax"), t.tax), (N_("Together with tax"), t.gross),
        (N_("Lines that the catalog prices too"), t.compared),
        (N_("the same at the catalog's prices"), t.compared_catalog),
    ]  # fmt: skip
    for label, value in sums:
        if value is not None:
            row += 1
            s.text(row, 0, _(label), **({"bold": True} if label == "Together" else {}))
            _money(s, row, 1, value, align="left")
    if t.compared_percent is not None:
        row += 1
        s.text(row, 0, _("apart"))
        s.number(row, 1, t.compared_percent / 100, num_format="+0.0%;-0.0%", align="left")
    for stated in t.stated:
        row += 1
        s.text(row, 0, _("stated in {rows}", rows=rows([stated.row], _)))
        s.span(row, 1, 4, f"{stated.label or stated.kind}: {amount(stated.amount)} {x.basis.quote_currency}")
    return row + 2


def _lines(book: Frame, x: XRay) -> None:
    s, code, _ = book.sheets["lines"], x.basis.currency, book.words
    limits = {"above": x.above_percent, "below": x.below_percent}
    note = _.text(x.basis.text) + _.apart
    note += _("Marked: more than {above} % above or {below} % below the catalog.", **limits)
    widths = [6, 42, 30, 12, 8, 22, 15, 16, 15, 10, 16, 34]
    top = s.setup(widths, _("Lines"), note)
    head = [
        _("Row"), _("Quoted item"), _("Matched to"), _("How"), _("Qty"), _("Quoted"),
        _("Unit net, {currency}", currency=code), _("Amount net, {currency}", currency=code),
        _("Catalog unit, {currency}", currency=code), _("Apart"), _("Mark"), _("Catalog price of; issues"),
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
    _ = s.book.words
    parts = ", ".join(x.suggestions[:2])
    suggested = _("suggested: {parts}", parts=parts) if parts and not x.part else ""
    s.text(row, 2, x.name or suggested, **EDGE)
    s.text(row, 3, how(x, _) if x.role == "part" else _("service"), **EDGE)
    s.number(row, 4, x.pieces, num_format="0", **EDGE)
    price, *tax = (x.stated_price or "").split(", ")
    s.text(row, 5, _.list([price, *(TAXES[t] for t in tax)]), align="right", **EDGE)
    _money(s, row, 6, x.unit, **EDGE)
    _money(s, row, 7, x.amount, **EDGE)
    _money(s, row, 8, x.catalog_unit, **EDGE)
    share = None if x.difference_percent is None else x.difference_percent / 100
    s.number(row, 9, share, num_format="+0.0%;-0.0%", **EDGE, **shade)
    s.text(row, 10, mark(x, _), align="center", **EDGE, **shade)
    carries = _("together with {rows}", rows=rows(x.carries, _)) if x.carries else ""
    said = [catalog_price(x.catalog_price, _), carries, _(x.reason) if not x.part and x.role == "part" else ""]
    said += [_.text(issue) for issue in x.issues]
    s.text(row, 11, _.list((t for t in said if t), "; "), **EDGE)


def _rules(book: Frame, x: XRay) -> None:
    s, _ = book.sheets["rules"], book.words
    top = s.setup(WIDTHS, _("Compatibility"), _.text(x.scope))
    s.head(top, HEAD)
    row = top
    for i, c in enumerate(x.checks, 1):
        row = top + i
        back, front = COLOURS[c.status]
        s.number(row, 0, i, num_format="0", align="center", **EDGE)
        s.text(row, 1, rule(_, c.rule), **EDGE)
        s.text(row, 2, _.sentence(c.text), **EDGE)
        s.number(row, 3, c.measured, **EDGE)
        s.number(row, 4, c.limit, **EDGE)
        share = None if c.measured is None or c.limit is None else margin(c.measured, c.limit)
        s.number(row, 5, share, num_format="0.0%", **EDGE)
        s.text(row, 6, unit(_, c.unit), align="center", **EDGE)
        s.text(row, 7, _(STATUS[c.status]), align="center", bg_color=back, font_color=front, **EDGE)
    for label, facts in ((N_("Memory"), x.memory), (N_("Supplies"), x.supplies)):
        if facts is not None:
            row += 1 if row > top + len(x.checks) else 2
            back, front = COLOURS[facts.status]
            s.span(row, 0, 1, _(label), bold=True)
            s.span(row, 2, 6, _.text(facts.text))
            s.text(row, 7, _(STATUS[facts.status]), align="center", bg_color=back, font_color=front, **EDGE)
    if not x.checks:
        row += 1
        s.span(row, 0, 7, _("No rule was checked."))
    s.done(row)


def _missing(book: Frame, x: XRay) -> None:
    s, _ = book.sheets["missing"], book.words
    note = _(
        "What the build needs and the quote lacks; below, reminders of what no rule demands. Prices of the catalog."
    )
    top = s.setup([30, 10, 90, 18, 18], _("Missing"), note)
    s.head(top, [_("Part"), _("Qty"), _("Why"), _("Rule"), _("About, {currency}", currency=x.basis.currency)])
    row = top
    for m in x.missing:
        row += 1
        style = {"font_color": "#7F7F7F"} if m.reminder else {"bold": True}
        s.text(row, 0, thing(m.what, _), **EDGE, **style)
        s.number(row, 1, m.qty, num_format="0", **EDGE)
        s.text(row, 2, _.text(m.text), **EDGE)
        s.text(row, 3, _("reminder") if m.reminder else rule(_, m.rule), **EDGE)
        _money(s, row, 4, m.cost, **EDGE)
    if not x.missing:
        row += 1
        none = _("Nothing was found to be missing.") if x.build else _("There is no build to be looked through.")
        s.span(row, 0, 4, none)
    s.done(row)


def _instead(book: Frame, x: XRay) -> None:
    s, i, _ = book.sheets["instead"], x.instead, book.words
    top = s.setup([34, 36, 36, 36], _("What the money would buy instead"), _.sentence(i.text) if i else "")
    if i is None:
        s.span(top, 0, 3, _("Not looked for: there is no build, no comparable price, or no search was wanted."))
        return s.done(top)
    quoted, mended = _("Cheapest as fast as the quoted build"), _("Cheapest as fast as the mended build")
    found = [
        (_("Fastest for this money"), i.fastest), (mended if i.as_fast_as == "mended" else quoted, i.as_fast),
        (_("Cheapest at all"), i.cheapest),
    ]  # fmt: skip
    shown = [(n, b) for n, b in found if b is not None]
    s.head(top, ["", *(n for n, _ in shown)])
    labels = (
        "GPUs", _("Total net, {currency}", currency=x.basis.currency), _("Money against the quote"),
        _("Throughput, tok/s"), _("80 % interval"),
        _("Throughput against the mended build") if i.as_fast_as == "mended" else
        _("Throughput against the quoted build"), _("Each user sees, tok/s"),
        _("Precision"), _("Power, kW"), _("On estimated prices"), _("Parts"),
    )  # fmt: skip
    for n, label in enumerate(labels, top + 1):
        s.text(n, 0, label, bold=True, bg_color=LIGHT, font_color=DARK, **EDGE)
    for col, (_name, b) in enumerate(shown, 1):
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
    s.span(top + 13, 0, 3, _("Search: {proof}.", proof=_(i.proof)), font_color="#595959")
    s.done(top + 13)


def _mend(book: Frame, x: XRay) -> None:
    s, m, _ = book.sheets["mend"], x.mended, book.words
    among = f"{_.comma}{_.text(x.mended_among)}" if x.mended_among else ""
    note = _(
        "The build nearest to the quoted one that passes every rule: fewest parts changed, then least throughput lost, "
        "then least money{among}. Quoted parts at the quote's prices.",
        among=among,
    )
    top = s.setup([58, 10, 10, 20], _("The nearest build that passes"), note)
    if m is None:
        none = N_("None is known: nothing passes, no build is there, or no search was wanted.")
        s.span(top, 0, 3, _(N_("No rule fails.") if x.ok else none))
        return s.done(top)
    s.head(top, [_("Part"), _("From"), _("To"), _("Price, {currency}", currency=m.currency)])
    row = top
    for c in m.changes:
        row += 1
        s.text(row, 0, c.name, **EDGE)
        s.number(row, 1, c.from_qty, num_format="0", **EDGE)
        s.number(row, 2, c.to_qty, num_format="0", **EDGE)
        _money(s, row, 3, c.price, **EDGE)
    sums = [(N_("Build as quoted"), m.total_before), (N_("Build mended"), m.total), (N_("Apart"), m.added)]
    for label, value in sums:
        row += 1
        s.span(row, 0, 2, _(label), bold=True, **EDGE)
        _money(s, row, 3, value, bold=True, **EDGE)
    t = m.throughput
    warned = [check.text for check in m.checks if check.status == "warn"]
    texts = [
        _(
            "Throughput: {speed} {unit} at {precision}, 80 % interval {interval}",
            speed=f"{t.output_tok_s:,.1f}", unit=t.unit, precision=m.precision,
            interval=f"{t.low:,.0f} – {t.high:,.0f}",
        ),
        _("Every rule passes, with warnings: {what}.", what=_.list(warned, "; "))
        if warned else _("Every rule passes."),
        _("Proof: {proof}, {families} families.", proof=_(m.proof.status), families=m.proof.families),
    ]  # fmt: skip
    if m.nodes != m.nodes_before:
        texts.insert(0, _("{before} nodes become {after}.", before=m.nodes_before, after=m.nodes))
    for text in texts:
        row += 1
        s.span(row, 0, 3, text)
    s.done(row)
