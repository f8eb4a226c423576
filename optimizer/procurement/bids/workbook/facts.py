"""Sheets Marks, Assumptions and Provenance of a comparison."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from optimizer.procurement.bids.words import CRITERIA, named
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
    N_("An item that other bids include is added to a bid that does not offer it: at its own option's price, else the "
       "median of the other bids, else the catalog's price."),
    N_("Network, power, cooling and racks are added only where the bid's own build needs them by the rules."),
    N_("Prices with tax in them are divided by 1 + rate; prices of unknown basis are taken as net."),
    N_("Where a file's sums and its quantities x unit prices differ, the unit prices count (decree 87, article 59)."),
    N_("Lines on request and options count nothing."),
)  # fmt: skip


def add_flags(book: CompareBook) -> None:
    _, s = book.words, book.sheets["flags"]
    note = _.stacked(
        "Marks and their figures are those of the bids as they were read; they do not follow changed cells."
    )
    top = s.setup([36, 14, 22, 9, 8, 110], _("Marks"), note)
    s.head(top, FLAGS)
    row = top + 1
    for b in book.bids:
        for f in sorted(b.flags, key=lambda f: list(COLOURS).index(f.severity)):
            s.text(row, 0, named(b), **CELL)
            s.text(row, 1, _(SEVERITIES[f.severity]), **{**CELL, **COLOURS[f.severity], "align": "center"})
            s.text(row, 2, f.code, **CELL)
            s.number(row, 3, f.row, num_format="0", **CELL)
            s.number(row, 4, f.item, num_format="0", **CELL)
            s.text(row, 5, f.said(_), **CELL)
            row += 1
    s.ws.autofilter(top, 0, max(top + 1, row - 1), len(FLAGS) - 1)
    s.done(max(top + 1, row - 1))


def add_assumptions(book: CompareBook) -> None:
    _, s = book.words, book.sheets["assumptions"]
    note = _.stacked("Yellow cells may be edited: totals, added lines, scores and ranks follow.")
    row = s.setup([46, 18, 22, 86], _("Assumptions"), note)
    s.head(row, INPUTS)
    row += 1
    for name, label, value, shape, source in _inputs(book):
        style = {"bg_color": INPUT, "locked": False, "font_color": "#0000C0", "border": 1, "align": "right"}
        s.text(row, 0, label, border=1)
        s.number(row, 1, value, num_format=shape, **style)
        limits = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 10**6}
        s.ws.data_validation(row, 1, row, 1, limits)
        s.text(row, 2, name, border=1, font_color="#595959")
        s.text(row, 3, source, border=1)
        book.define(name, "assumptions", f"$B${row + 1}")
        row += 1
    row += 1
    s.section(row, _("How bids are made comparable"))
    for k, text in enumerate(RULES, row + 1):
        s.span(k, 0, 3, f"• {_(text)}")
    s.done(row + len(RULES))


def _inputs(book: CompareBook) -> Iterator[tuple[str, str, Decimal, str, str]]:
    """(name, label, value, number format, source)."""
    _, b = book.words, book.c.basis
    for r in b.rates:
        source = f"{r.date.isoformat()}: {_.sentence(r.source)}"
        yield fx.name(r), fx.label(_, r), fx.quoted(r), NUMBER, source
    yield "tax_rate", _("Tax on the totals"), b.tax_percent / 100, PERCENT, ""
    label = _("Distance from the median from which a price is marked")
    yield "outlier_limit", label, b.outlier_percent / 100, PERCENT, ""
    for w in book.c.weights:
        yield f"weight_{w.key}", _("Weight: {what}", what=CRITERIA[w.key]), w.weight, "0.##", _("points of 100")


def add_provenance(book: CompareBook) -> None:
    _, c, s = book.words, book.c, book.sheets["provenance"]
    row = s.setup([38, 34, 20, 13, 13, 10, 22, 18, 18, 10], _("Provenance"))
    facts = [
        (_("Made with"), f"dsopt {own_version()}, schema {c.schema_version}"), (_("Request"), asked(c.request)),
        (_("Catalog"), f"sha256 {c.catalog_sha256}"), (_("Throughput model"), c.throughput_model),
    ]  # fmt: skip
    if c.policy:
        facts.append((_("Policy changed"), ", ".join(f"{k}={v}" for k, v in c.policy.items())))
    for label, value in facts:
        s.text(row, 0, label, bold=True)
        s.span(row, 1, len(BIDS) - 1, value)
        row += 1
    row += 1
    s.head(row, BIDS, freeze=False)
    for b in book.bids:
        row += 1
        rate = f" {b.tax_rate.normalize():f} %" if b.tax_rate is not None else ""
        right = b.stated_total is None or b.computed_total is None or abs(b.stated_total - b.computed_total) < 1
        texts = [
            named(b), b.source, b.quote_no, b.quote_date.isoformat() if b.quote_date else "–",
            b.valid_until.isoformat() if b.valid_until else "–", b.currency, f"{_(TAXES[b.tax])}{rate}",
        ]  # fmt: skip
        for col, text in enumerate(texts):
            s.text(row, col, text, **CELL)
        s.number(row, 7, b.stated_total, num_format="#,##0.00", **CELL)
        s.number(row, 8, b.computed_total, num_format="#,##0.00", **{**CELL, **(GREEN if right else RED)})
        s.number(row, 9, len(b.lines), num_format="0", **CELL)
    s.done(row)
