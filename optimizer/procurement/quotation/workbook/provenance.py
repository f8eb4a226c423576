"""Sheet Provenance: what the figures rest on: request, catalog, proof, and each price with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from constraints.request import Request
from optimizer.procurement.labels import word
from optimizer.procurement.quotation.workbook.book import PERCENT, Book
from optimizer.text.languages import N_
from optimizer.text.minor_units import money
from optimizer.text.version import own_version

HEAD = [
    N_("Offer"), N_("Part"), N_("Price"), N_("Currency"), N_("Tax in it"), N_("Price of"), N_("Condition"),
    N_("Confidence"), N_("Seller"), N_("Source"), N_("Link"),
]  # fmt: skip
WIDTHS = [30, 32, 15, 9, 8, 12, 11, 12, 22, 44, 40]


def asked(request: Request) -> str:
    """The request's fields that are not at their defaults."""
    data = request.model_dump(mode="json", exclude_defaults=True)
    data.pop("fx", None)
    if request.budget_cents is not None:
        data["budget"] = f"{money(data.pop('budget_cents'), request.currency)} {request.currency}"
    return ", ".join(f"{k}={v}" for k, v in data.items())


def facts(book: Book) -> Iterator[tuple[str, str]]:
    """Label and value of what stands above the prices."""
    _, q, r = book.words, book.quote, book.quote.result
    yield _("Made with"), f"dsopt {own_version()}, schema {r.schema_version}"
    yield _("Request"), asked(r.request)
    if q.request != r.request:
        yield _("Request under this quote"), asked(q.request)
    if r.policy:
        yield _("Policy changed"), ", ".join(f"{k}={v}" for k, v in r.policy.items())
    yield _("Model"), f"{r.model.id}: {r.model.name}. {r.model.source}"
    c = r.catalog
    yield _("Catalog"), f"sha256 {c.sha256}"
    yield _("Parts, offers, prices of"), f"{c.parts:,}, {c.offers:,}, {c.oldest_price} – {c.newest_price}"
    yield _("Throughput model"), f"{r.throughput_model.calibration}, sha256 {r.throughput_model.sha256}"
    p = r.proof
    yield _("Proof"), f"{p.status}, {p.solver} {p.version}. {_.text(p.scope)}"
    families = N_("{bound} hardware families ruled out by a bound, {solver} by CP-SAT")
    yield (
        _("How it was closed"),
        _.stacked(families, bound=p.families.closed_by_bound, solver=p.families.closed_by_cp_sat),
    )


def add(book: Book) -> None:
    _, q, s = book.words, book.quote, book.sheets["provenance"]
    row = s.setup(WIDTHS, _("Provenance"))
    for label, value in facts(book):
        s.text(row, 0, label, bold=True)
        s.span(row, 1, len(WIDTHS) - 1, value)
        row += 1
    row += 1
    s.head(row, HEAD, freeze=False)
    s.ws.freeze_panes(2, 0)
    row += 1
    seen = set()
    for line in q.lines:
        o = line.offer
        if o is None or o.id in seen:
            continue
        seen.add(o.id)
        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        s.text(row, 0, o.id, **cell)
        s.text(row, 1, line.name, **cell)
        s.number(row, 2, o.price if line.price is None else line.price, num_format="#,##0.00", **cell)
        s.text(row, 3, o.currency, align="center", **cell)
        s.number(row, 4, o.tax_rate, num_format=PERCENT, **cell)
        s.text(row, 5, o.date.isoformat(), align="center", **cell)
        s.text(row, 6, word(_, o.condition), align="center", **cell)
        s.text(row, 7, word(_, o.confidence), align="center", **cell)
        for col, text in ((8, o.seller), (9, o.source), (10, o.link)):
            s.text(row, col, text, **cell)
        row += 1
    s.done(row - 1)
