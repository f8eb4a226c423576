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
    "summary": N_("Summary"),
    "lines": N_("Lines"),
    "rules": N_("Compatibility"),
    "missing": N_("Missing"),
    "instead": N_("Instead"),
    "mend": N_("Mend"),
}


def catalog_price(text: str, _: Words) -> str:
    """Confidence, day and seller of a price, or why there is none."""
    confidence, *rest = text.split(", ")
    if not _.chinese or confidence not in WORDS:
        return _.sentence(text)
    return _.comma.join([_(WORDS[confidence]), *(_(t) if t in ("stale", "indexed") else t for t in rest)])


EDGE = {"border": 1, "border_color": "#BFBFBF"}
SHADES = {"above": "#FF9999", "below": "#FFE699", "not-placed": "#FFE699"}


def workbook(found: XRay, words: Words = EN) -> bytes:
    """The whole file. The same X-ray gives the same bytes."""
    head = words("X-ray of {source}", source=found.source)
    book = Frame(words, SHEETS, found.basis.currency, head, found.vendor, found.request.as_of)
    _summary(book, found)
    _lines(book, found)
    _rules(book, found)
    _missing(book, found)
    _instead(book, found)
    _mend(book, found)
    return book.closed()


def _money(sheet: Sheet, row: int, col: int, text: str | None, **style: Any) -> None:
    sheet.number(row, col, None if text is None else Decimal(text), **{"num_format": sheet.book.money_format, **style})


def _summary(book: Frame, found: XRay) -> None:
    sheet, _ = book.sheets["summary"], book.words
    sheet.setup([32, 30, 24, 24, 40], book.head)
    sheet.ws.fit_to_pages(1, 1)
    facts = [
        (N_("Vendor"), found.vendor or "–"),
        (N_("Quote number"), found.quote_no or "–"),
        (N_("Date"), str(found.quote_date or "–")),
        (N_("Valid until"), str(found.valid_until or "–")),
        (N_("Model served"), found.request.model),
        (N_("Users"), str(found.request.users or _("as many as it serves"))),
        (N_("Prices as of"), str(found.request.as_of)),
        (N_("Basis"), _.sentence(found.basis.text)),
    ]
    row = 2
    for label, value in facts:
        sheet.text(row, 0, _(label), font_color="#595959", bottom=4, bottom_color="#BFBFBF")
        sheet.span(row, 1, 4, value, bottom=4, bottom_color="#BFBFBF")
        row += 1
    row += 1
    good = _("No rule fails and no amount is wrong.") if found.ok else _("A rule fails or an amount is wrong.")
    back, front = COLOURS["pass" if found.ok else "fail"]
    sheet.span(row, 0, 4, good, bold=True, bg_color=back, font_color=front)
    for text in summary(found, _):
        row += 1
        sheet.span(row, 0, 4, f"• {text}")
    row = _sums(book, found, row + 2)
    if found.findings:
        sheet.section(row, _("What does not add up"))
        for f in found.findings:
            row += 1
            sheet.text(row, 0, _(SEVERITIES[f.severity]))
            sheet.span(row, 1, 4, finding(f, _), **({"bold": True} if f.severity == "error" else {}))
        row += 2
    sheet.section(row, _("What was X-rayed"))
    for text in (found.scope, *found.notices):
        row += 1
        sheet.span(row, 0, 4, _.sentence(text))
    sheet.done(row)


def _sums(book: Frame, found: XRay, row: int) -> int:
    sheet, totals, _ = book.sheets["summary"], found.totals, book.words
    sheet.section(row, _("Sums, {currency} net", currency=found.basis.currency))
    sums = [
        (N_("Hardware"), totals.hardware),
        (N_("of it no part of the build"), totals.of_it_not_placed),
        (N_("Services"), totals.services),
        (N_("Rebates on the whole"), totals.rebates),
        (N_("Together"), totals.net),
        (N_("Tax"), totals.tax),
        (N_("Together with tax"), totals.gross),
        (N_("Lines that the catalog prices too"), totals.compared),
        (N_("the same at the catalog's prices"), totals.compared_catalog),
    ]
    for label, value in sums:
        if value is not None:
            row += 1
            sheet.text(row, 0, _(label), **({"bold": True} if label == "Together" else {}))
            _money(sheet, row, 1, value, align="left")
    if totals.compared_percent is not None:
        row += 1
        sheet.text(row, 0, _("apart"))
        sheet.number(row, 1, totals.compared_percent / 100, num_format="+0.0%;-0.0%", align="left")
    for stated in totals.stated:
        row += 1
        sheet.text(row, 0, _("stated in {rows}", rows=rows([stated.row], _)))
        sheet.span(row, 1, 4, f"{stated.label or stated.kind}: {amount(stated.amount)} {found.basis.quote_currency}")
    return row + 2


def _lines(book: Frame, found: XRay) -> None:
    sheet, code, _ = book.sheets["lines"], found.basis.currency, book.words
    limits = {"above": found.above_percent, "below": found.below_percent}
    note = _.sentence(found.basis.text) + _.apart
    note += _("Marked: more than {above} % above or {below} % below the catalog.", **limits)
    widths = [6, 42, 30, 12, 8, 22, 15, 16, 15, 10, 16, 34]
    top = sheet.setup(widths, _("Lines"), note)
    head = [
        _("Row"),
        _("Quoted item"),
        _("Matched to"),
        _("How"),
        _("Qty"),
        _("Quoted"),
        _("Unit net, {currency}", currency=code),
        _("Amount net, {currency}", currency=code),
        _("Catalog unit, {currency}", currency=code),
        _("Apart"),
        _("Mark"),
        _("Catalog price of; issues"),
    ]
    sheet.head(top, head)
    for i, line in enumerate(found.lines, top + 1):
        _one(sheet, i, line)
    sheet.ws.autofilter(top, 0, top + len(found.lines), len(head) - 1)
    sheet.done(top + len(found.lines))


def _one(sheet: Sheet, row: int, line: XLine) -> None:
    shade = {"bg_color": SHADES[line.mark]} if line.mark in SHADES else {}
    sheet.number(row, 0, line.row, num_format="0", **EDGE)
    sheet.text(row, 1, line.text, **EDGE)
    _ = sheet.book.words
    parts = ", ".join(line.suggestions[:2])
    suggested = _("suggested: {parts}", parts=parts) if parts and not line.part else ""
    sheet.text(row, 2, line.name or suggested, **EDGE)
    sheet.text(row, 3, how(line, _) if line.role == "part" else _("service"), **EDGE)
    sheet.number(row, 4, line.pieces, num_format="0", **EDGE)
    price, *tax = (line.stated_price or "").split(", ")
    sheet.text(row, 5, _.list([price, *(TAXES[t] for t in tax)]), align="right", **EDGE)
    _money(sheet, row, 6, line.unit, **EDGE)
    _money(sheet, row, 7, line.amount, **EDGE)
    _money(sheet, row, 8, line.catalog_unit, **EDGE)
    share = None if line.difference_percent is None else line.difference_percent / 100
    sheet.number(row, 9, share, num_format="+0.0%;-0.0%", **EDGE, **shade)
    sheet.text(row, 10, mark(line, _), align="center", **EDGE, **shade)
    carries = _("together with {rows}", rows=rows(line.carries, _)) if line.carries else ""
    said = [
        catalog_price(line.catalog_price, _),
        carries,
        _(line.reason) if not line.part and line.role == "part" else "",
    ]
    said += [_.sentence(issue) for issue in line.issues]
    sheet.text(row, 11, _.list((t for t in said if t), "; "), **EDGE)


def _rules(book: Frame, found: XRay) -> None:
    sheet, _ = book.sheets["rules"], book.words
    top = sheet.setup(WIDTHS, _("Compatibility"), _.sentence(found.scope))
    sheet.head(top, HEAD)
    row = top
    for i, check in enumerate(found.checks, 1):
        row = top + i
        back, front = COLOURS[check.status]
        sheet.number(row, 0, i, num_format="0", align="center", **EDGE)
        sheet.text(row, 1, rule(_, check.rule), **EDGE)
        sheet.text(row, 2, _.sentence(check.text), **EDGE)
        sheet.number(row, 3, check.measured, **EDGE)
        sheet.number(row, 4, check.limit, **EDGE)
        share = None if check.measured is None or check.limit is None else margin(check.measured, check.limit)
        sheet.number(row, 5, share, num_format="0.0%", **EDGE)
        sheet.text(row, 6, unit(_, check.unit), align="center", **EDGE)
        sheet.text(row, 7, _(STATUS[check.status]), align="center", bg_color=back, font_color=front, **EDGE)
    for label, facts in ((N_("Memory"), found.memory), (N_("Supplies"), found.supplies)):
        if facts is not None:
            row += 1 if row > top + len(found.checks) else 2
            back, front = COLOURS[facts.status]
            sheet.span(row, 0, 1, _(label), bold=True)
            sheet.span(row, 2, 6, _.sentence(facts.text))
            sheet.text(row, 7, _(STATUS[facts.status]), align="center", bg_color=back, font_color=front, **EDGE)
    if not found.checks:
        row += 1
        sheet.span(row, 0, 7, _("No rule was checked."))
    sheet.done(row)


def _missing(book: Frame, found: XRay) -> None:
    sheet, _ = book.sheets["missing"], book.words
    note = _(
        "What the build needs and the quote lacks; below, reminders of what no rule demands. Prices of the catalog."
    )
    top = sheet.setup([30, 10, 90, 18, 18], _("Missing"), note)
    sheet.head(top, [_("Part"), _("Qty"), _("Why"), _("Rule"), _("About, {currency}", currency=found.basis.currency)])
    row = top
    for missing_part in found.missing:
        row += 1
        style = {"font_color": "#7F7F7F"} if missing_part.reminder else {"bold": True}
        sheet.text(row, 0, thing(missing_part.what, _), **EDGE, **style)
        sheet.number(row, 1, missing_part.qty, num_format="0", **EDGE)
        sheet.text(row, 2, _.sentence(missing_part.text), **EDGE)
        sheet.text(row, 3, _("reminder") if missing_part.reminder else rule(_, missing_part.rule), **EDGE)
        _money(sheet, row, 4, missing_part.cost, **EDGE)
    if not found.missing:
        row += 1
        none = _("Nothing was found to be missing.") if found.build else _("There is no build to check.")
        sheet.span(row, 0, 4, none)
    sheet.done(row)


def _instead(book: Frame, x: XRay) -> None:
    sheet, instead, _ = book.sheets["instead"], x.instead, book.words
    top = sheet.setup(
        [34, 36, 36, 36], _("What the money would buy instead"), _.sentence(instead.text) if instead else ""
    )
    if instead is None:
        sheet.span(top, 0, 3, _("Not looked for: there is no build, no comparable price, or no search was wanted."))
        return sheet.done(top)
    quoted, mended = _("Cheapest as fast as the quoted build"), _("Cheapest as fast as the mended build")
    found = [
        (_("Fastest for this money"), instead.fastest),
        (mended if instead.as_fast_as == "mended" else quoted, instead.as_fast),
        (_("Cheapest at all"), instead.cheapest),
    ]
    shown = [(n, b) for n, b in found if b is not None]
    sheet.head(top, ["", *(n for n, _ in shown)])
    labels = (
        "GPUs",
        _("Total net, {currency}", currency=x.basis.currency),
        _("Money against the quote"),
        _("Throughput, tok/s"),
        _("80 % interval"),
        _("Throughput against the mended build")
        if instead.as_fast_as == "mended"
        else _("Throughput against the quoted build"),
        _("Each user sees, tok/s"),
        _("Precision"),
        _("Power, kW"),
        _("On estimated prices"),
        _("Parts"),
    )
    for n, label in enumerate(labels, top + 1):
        sheet.text(n, 0, label, bold=True, bg_color=LIGHT, font_color=DARK, **EDGE)
    for col, (_name, b) in enumerate(shown, 1):
        throughput = b.throughput
        share = {"num_format": "+0.0%;-0.0%", "align": "left", **EDGE}
        sheet.text(top + 1, col, b.gpus, **EDGE)
        _money(sheet, top + 2, col, b.total, align="left", **EDGE)
        sheet.number(top + 3, col, None if b.money_percent is None else b.money_percent / 100, **share)
        sheet.number(top + 4, col, throughput.output_tok_s, num_format="#,##0.0", align="left", **EDGE)
        sheet.text(top + 5, col, f"{throughput.low:,.0f} – {throughput.high:,.0f}", **EDGE)
        sheet.number(top + 6, col, None if b.throughput_percent is None else b.throughput_percent / 100, **share)
        sheet.number(top + 7, col, throughput.per_user_tok_s, num_format="0.0", align="left", **EDGE)
        sheet.text(top + 8, col, b.precision, **EDGE)
        sheet.number(top + 9, col, b.power_kw, num_format="0.0", align="left", **EDGE)
        sheet.number(top + 10, col, b.estimated_share, num_format="0%", align="left", **EDGE)
        pieces = [f"{p.qty} x {name}" for p, name in zip(b.parts, b.names, strict=True)]
        sheet.text(top + 11, col, "\n".join(pieces), **{**EDGE, "valign": "top"})
    sheet.span(top + 13, 0, 3, _("Search: {proof}.", proof=_(instead.proof)), font_color="#595959")
    sheet.done(top + 13)


def _mend(book: Frame, found: XRay) -> None:
    sheet, mended, _ = book.sheets["mend"], found.mended, book.words
    among = f"{_.comma}{_.sentence(found.mended_among)}" if found.mended_among else ""
    note = _(
        "The build nearest to the quoted one that passes every rule: fewest parts changed, then least throughput lost, "
        "then least money{among}. Quoted parts at the quote's prices.",
        among=among,
    )
    top = sheet.setup([58, 10, 10, 20], _("The nearest build that passes"), note)
    if mended is None:
        none = N_("None is known: nothing passes, no build is there, or no search was wanted.")
        sheet.span(top, 0, 3, _(N_("No rule fails.") if found.ok else none))
        return sheet.done(top)
    sheet.head(top, [_("Part"), _("From"), _("To"), _("Price, {currency}", currency=mended.currency)])
    row = top
    for change in mended.changes:
        row += 1
        sheet.text(row, 0, change.name, **EDGE)
        sheet.number(row, 1, change.from_qty, num_format="0", **EDGE)
        sheet.number(row, 2, change.to_qty, num_format="0", **EDGE)
        _money(sheet, row, 3, change.price, **EDGE)
    sums = [
        (N_("Build as quoted"), mended.total_before),
        (N_("Build mended"), mended.total),
        (N_("Apart"), mended.added),
    ]
    for label, value in sums:
        row += 1
        sheet.span(row, 0, 2, _(label), bold=True, **EDGE)
        _money(sheet, row, 3, value, bold=True, **EDGE)
    throughput = mended.throughput
    warned = [check.text for check in mended.checks if check.status == "warn"]
    texts = [
        _(
            "Throughput: {speed} {unit} at {precision}, 80 % interval {interval}",
            speed=f"{throughput.output_tok_s:,.1f}",
            unit=throughput.unit,
            precision=mended.precision,
            interval=f"{throughput.low:,.0f} – {throughput.high:,.0f}",
        ),
        _("Every rule passes, with warnings: {what}.", what=_.list(warned, "; "))
        if warned
        else _("Every rule passes."),
        _("Proof: {proof}, {families} families.", proof=_(mended.proof.status), families=mended.proof.families),
    ]
    if mended.nodes != mended.nodes_before:
        texts.insert(0, _("{before} nodes become {after}.", before=mended.nodes_before, after=mended.nodes))
    for text in texts:
        row += 1
        sheet.span(row, 0, 3, text)
    sheet.done(row)
