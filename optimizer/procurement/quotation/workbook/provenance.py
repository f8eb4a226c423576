"""Sheet Provenance: what the figures rest on: request, catalog, proof, and each price with its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.offers import PricedOffer, state_of
from constraints.request import Request
from optimizer.procurement.labels import sureness, word
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
    _, quote, result = book.words, book.quote, book.quote.result
    yield _("Made with"), f"dsopt {own_version()}, schema {result.schema_version}"
    yield _("Request"), asked(result.request)
    if quote.request != result.request:
        yield _("Request under this quote"), asked(quote.request)
    if result.policy:
        yield _("Policy changed"), ", ".join(f"{k}={v}" for k, v in result.policy.items())
    yield _("Model"), f"{result.model.id}: {result.model.name}. {result.model.source}"
    catalog = result.catalog
    yield _("Catalog"), f"sha256 {catalog.sha256}"
    yield (
        _("Parts, offers, prices of"),
        f"{catalog.parts:,}, {catalog.offers:,}, {catalog.oldest_price} – {catalog.newest_price}",
    )
    yield _("Throughput model"), f"{result.throughput_model.calibration}, sha256 {result.throughput_model.sha256}"
    proof = result.proof
    yield _("Proof"), f"{proof.status}, {proof.solver} {proof.version}. {_.sentence(proof.scope)}"
    families = N_("{bound} hardware families ruled out by a bound, {solver} by CP-SAT")
    yield (
        _("How it was closed"),
        _.stacked(families, bound=proof.families.closed_by_bound, solver=proof.families.closed_by_cp_sat),
    )


def add(book: Book) -> None:
    _, quote, sheet = book.words, book.quote, book.sheets["provenance"]
    row = sheet.setup(WIDTHS, _("Provenance"))
    for label, value in facts(book):
        sheet.text(row, 0, label, bold=True)
        sheet.span(row, 1, len(WIDTHS) - 1, value)
        row += 1
    row += 1
    sheet.head(row, HEAD, freeze=False)
    sheet.ws.freeze_panes(2, 0)
    row += 1
    seen = set()
    for line in quote.lines:
        offer = line.offer
        if offer is None or offer.id in seen:
            continue
        seen.add(offer.id)
        cell: dict[str, Any] = {"border": 1, "border_color": "#BFBFBF"}
        sheet.text(row, 0, offer.id, **cell)
        sheet.text(row, 1, line.name, **cell)
        # As it was read; the bill has what an index made of it.
        paid = offer.price if line.price is None else line.price
        read = offer.read_price if isinstance(offer, PricedOffer) else paid
        sheet.number(row, 2, read, num_format="#,##0.00", **cell)
        sheet.text(row, 3, offer.currency, align="center", **cell)
        sheet.number(row, 4, offer.tax_rate, num_format=PERCENT, **cell)
        day = "" if state_of(offer) == "estimate" else offer.date.isoformat()
        sheet.text(row, 5, day, align="center", **cell)
        sheet.text(row, 6, word(_, offer.condition), align="center", **cell)
        sheet.text(row, 7, sureness(_, offer), align="center", **cell)
        for col, text in ((8, offer.seller), (9, offer.source), (10, offer.link)):
            sheet.text(row, col, text, **cell)
        row += 1
    sheet.done(row - 1)
