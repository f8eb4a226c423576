"""Sheets Marks, Assumptions and Provenance of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from optimizer.procurement.bids.bid_labels import CRITERIA, named
from optimizer.procurement.bids.workbook.book import CELL, GREEN, RED, YELLOW, CompareBook
from optimizer.procurement.labels import SEVERITIES, TAXES
from optimizer.procurement.quotation.workbook import fx
from optimizer.procurement.quotation.workbook.book import INPUT, NUMBER, PERCENT
from optimizer.procurement.quotation.workbook.provenance import asked
from optimizer.text.languages import N_
from optimizer.text.version import own_version

COLOURS: dict[str, dict[str, Any]] = {"error": RED, "warning": YELLOW, "note": {}}
FLAGS = [N_("Bid"), N_("Severity"), N_("Code"), N_("Row in file"), N_("Item"), N_("What is to be asked")]
INPUTS = [N_("Input"), N_("Value"), N_("Name"), N_("Source, note")]
BIDS = [
    N_("Bid"), N_("File"), N_("Number"), N_("Date"), N_("Valid until"), N_("Currency"), N_("Tax"),
    N_("Total as stated"), N_("Total computed"), N_("Lines"),
]  # fmt: skip
RULES = (
    N_("In the scope is what the rules demand of each bid's own build, what the buyer demands, and services that all "
       "bids offer which may be awarded; what else a bid offers is taken out of its total."),
    N_("A demanded item that a bid does not offer is priced at its own option; without one {how}."),
    N_("What nobody could place is no other bid's lack; it counts in its own bid's total until the buyer drops it."),
    N_("Prices with tax in them are divided by 1 + rate; prices of unknown basis are taken as net."),
    N_("Where a file's sums and its quantities x unit prices differ, the unit prices count (decree 87, article 59)."),
    N_("Lines on request and options count nothing."),
)  # fmt: skip


def add_flags(book: CompareBook) -> None:
    _, sheet = book.words, book.sheets["flags"]
    note = _.stacked(
        "Marks and their figures are those of the bids as they were read; they do not follow changed cells."
    )
    top = sheet.setup([36, 14, 22, 9, 8, 110], _("Marks"), note)
    sheet.head(top, FLAGS)
    row = top + 1
    for bid in book.bids:
        for flag in sorted(bid.flags, key=lambda f: list(COLOURS).index(f.severity)):
            sheet.text(row, 0, named(bid), **CELL)
            sheet.text(row, 1, _(SEVERITIES[flag.severity]), **{**CELL, **COLOURS[flag.severity], "align": "center"})
            sheet.text(row, 2, flag.code, **CELL)
            sheet.number(row, 3, flag.row, num_format="0", **CELL)
            sheet.number(row, 4, flag.item, num_format="0", **CELL)
            sheet.text(row, 5, flag.said(_), **CELL)
            row += 1
    sheet.ws.autofilter(top, 0, max(top + 1, row - 1), len(FLAGS) - 1)
    sheet.done(max(top + 1, row - 1))


def add_assumptions(book: CompareBook) -> None:
    _, sheet = book.words, book.sheets["assumptions"]
    note = _.stacked("Yellow cells may be edited: totals, added lines, scores and ranks follow.")
    row = sheet.setup([46, 18, 22, 86], _("Assumptions"), note)
    sheet.head(row, INPUTS)
    row += 1
    for name, label, value, shape, source in _inputs(book):
        style = {"bg_color": INPUT, "locked": False, "font_color": "#0000C0", "border": 1, "align": "right"}
        sheet.text(row, 0, label, border=1)
        sheet.number(row, 1, value, num_format=shape, **style)
        limits = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 10**6}
        sheet.ws.data_validation(row, 1, row, 1, limits)
        sheet.text(row, 2, name, border=1, font_color="#595959")
        sheet.text(row, 3, source, border=1)
        book.define(name, "assumptions", f"$B${row + 1}")
        row += 1
    row += 1
    sheet.section(row, _("How bids are made comparable"))
    for k, text in enumerate(RULES, row + 1):
        how = _(PRICED[book.c.scope.fill])
        sheet.span(k, 0, 3, f"• {_(text, how=how)}" if "{how}" in text else f"• {_(text)}")
    row += len(RULES)
    for label, names in ((_("Demanded by the buyer"), book.c.scope.demanded), (_("Dropped"), book.c.scope.dropped)):
        if names:
            row += 1
            sheet.span(row, 0, 3, f"• {label}{_.between(': ')}{', '.join(names)}")
    sheet.done(row)


PRICED = {
    "none": N_("the bid is not comparable until it is asked"),
    "max": N_("at the highest price of the other bids, of what its own design needs at the catalog's"),
    "median": N_("at the median of the other bids, of what its own design needs at the catalog's price"),
    "catalog": N_("at the catalog's price"),
}


def _inputs(book: CompareBook) -> Iterator[tuple[str, str, Decimal, str, str]]:
    """(name, label, value, number format, source)."""
    _, basis = book.words, book.c.basis
    for r in basis.rates:
        source = f"{r.date.isoformat()}{_.between(': ')}{_.sentence(r.source)}"
        yield fx.name(r), fx.label(_, r), fx.quoted(r), NUMBER, source
    yield "tax_rate", _("Tax on the totals"), basis.tax_percent / 100, PERCENT, ""
    label = _("Distance from the median from which a price is marked")
    yield "outlier_limit", label, basis.outlier_percent / 100, PERCENT, ""
    for w in book.c.weights:
        yield (
            f"weight_{w.key}",
            _("Weight: {what}", what=w.title or CRITERIA[w.key]),
            w.weight,
            "0.##",
            _("points of 100"),
        )


def add_provenance(book: CompareBook) -> None:
    _, c, sheet = book.words, book.c, book.sheets["provenance"]
    row = sheet.setup([38, 34, 20, 13, 13, 10, 22, 18, 18, 10], _("Provenance"))
    facts = [
        (_("Made with"), f"dsopt {own_version()}, schema {c.schema_version}"), (_("Request"), asked(c.request)),
        (_("Catalog"), f"sha256 {c.catalog_sha256}"), (_("Throughput model"), c.throughput_model),
    ]  # fmt: skip
    if c.policy:
        facts.append((_("Policy changed"), ", ".join(f"{k}={v}" for k, v in c.policy.items())))
    for label, value in facts:
        sheet.text(row, 0, label, bold=True)
        sheet.span(row, 1, len(BIDS) - 1, value)
        row += 1
    row += 1
    sheet.head(row, BIDS, freeze=False)
    for bid in book.bids:
        row += 1
        rate = f" {bid.tax_rate.normalize():f} %" if bid.tax_rate is not None else ""
        right = bid.stated_total is None or bid.computed_total is None or abs(bid.stated_total - bid.computed_total) < 1
        texts = [
            named(bid), bid.source, bid.quote_no, bid.quote_date.isoformat() if bid.quote_date else "–",
            bid.valid_until.isoformat() if bid.valid_until else "–", bid.currency, f"{_(TAXES[bid.tax])}{rate}",
        ]  # fmt: skip
        for col, text in enumerate(texts):
            sheet.text(row, col, text, **CELL)
        sheet.number(row, 7, bid.stated_total, num_format="#,##0.00", **CELL)
        sheet.number(row, 8, bid.computed_total, num_format="#,##0.00", **{**CELL, **(GREEN if right else RED)})
        sheet.number(row, 9, len(bid.lines), num_format="0", **CELL)
    sheet.done(_files(book, row + 2))


def _files(book: CompareBook, row: int) -> int:
    """Files with their hashes and maps, and how the lines of each bid were matched; returns the last row."""
    _, sheet = book.words, book.sheets["provenance"]
    for source in book.c.sources:
        sheet.text(row, 0, source.file, bold=True)
        sheet.span(row, 1, len(BIDS) - 1, f"sha256 {source.sha256}")
        row += 1
        if source.map_file and source.map_date is not None:
            said = N_("matched by hand: {file}, written {day}, sha256 {hash}")
            text = _(said, file=source.map_file, day=source.map_date.isoformat(), hash=source.map_sha256)
            sheet.span(row, 1, len(BIDS) - 1, text)
            row += 1
    for bid in book.bids:
        if bid.matched:
            counts = _.comma.join(f"{_(HOWS[how])} {count}" for how, count in bid.matched.items())
            sheet.text(row, 0, _("Lines of {bid} matched", bid=bid.id), bold=True)
            sheet.span(row, 1, len(BIDS) - 1, counts)
            row += 1
    return row


HOWS = {
    "exact": N_("by number or name"), "normalised": N_("by its letters and digits"), "alias": N_("by another name"),
    "contained": N_("by a name in its text"), "specification": N_("by specification"), "fuzzy": N_("by similarity"),
    "mapped": N_("by hand, with a map"), "bundle": N_("as details of a bundle"), "none": N_("with nothing"),
}  # fmt: skip
