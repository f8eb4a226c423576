"""What a request for quotation asks for, out of a point of a result: lines, requirements, the acceptance test."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from catalogs.load import Catalog
from optimizer.procurement.labels import unit
from optimizer.procurement.quotation.content import requirements
from optimizer.procurement.quotation.quote import Quote
from optimizer.result.point_schema import FrontPoint
from optimizer.text.languages import N_, Words

SERVICES = {
    "installation": N_("Installation and commissioning"),
    "warranty": N_("Hardware support on site"),
    "freight": N_("Freight and insurance"),
}
"""What is asked for beside the parts: kinds of services that `dsopt compare` knows."""
BUNDLE, INCLUDED, OWNED = "bundle", "included", "owned"
MODEL = N_("{model} at {precision} on the whole delivery, with an engine that the bidder names and sets up")
ENGINE = N_("{model} at {precision}, {engine} or equivalent, on the whole delivery")
LOAD = N_("{users} requests at once, each {isl} tokens in and {osl} tokens out, for 30 minutes after a warm-up of 5")
TOTAL = N_("≥ {tok_s} {unit} in all (expected {expected}; the figure asked for is the low end of its 80 % interval)")
EACH = N_("≥ {tok_s} output tokens/s for each user, mean over the test")
FIRST = N_("mean time to first token ≤ {ms} ms")
NEITHER = N_("below any of these figures the delivery is not accepted until it is mended")
TRAINING = N_("{sequences} sequences at once, for 30 minutes after a warm-up of 5")


@dataclass(frozen=True)
class AskedPart:
    """So many pieces of a part. `kind`: its category."""

    part: str
    kind: str
    name: str
    vendor: str
    qty: int


@dataclass(frozen=True)
class Inquiry:
    """A request for quotation. `brand`: whether lines name makers and models beside the figures."""

    quote: Quote
    catalog: Catalog
    lines: tuple[AskedPart, ...]
    number: str
    buyer: str
    day: date
    until: date
    brand: bool

    @property
    def point(self) -> FrontPoint:
        return self.quote.chosen


def inquiry(quote: Quote, catalog: Catalog, brand: bool) -> Inquiry:
    """The request of a point; its head is the quotation's: customer, number, day, and until when bids are asked for."""
    party = quote.party
    number = party.number
    if number.startswith("Q"):  # a number that was made, of a quotation
        what = repr((party.day, party.customer, quote.chosen.id, quote.result.catalog.sha256, brand))
        number = f"RFQ{party.day:%Y%m%d}-{hashlib.sha256(what.encode()).hexdigest()[:6].upper()}"
    lines = tuple(_lines(quote.chosen))
    return Inquiry(quote, catalog, lines, number, party.customer, party.day, party.valid_until, brand)


def _lines(point: FrontPoint) -> Iterator[AskedPart]:
    """The parts to be bought, each once. What is inside a complete system is the system's, what the buyer has is not
    asked for, a bundle is asked for by its parts."""
    bundled = any(row.category == BUNDLE for row in point.bom)
    pieces: dict[str, AskedPart] = {}
    for row in point.bom:
        if row.category == BUNDLE or row.origin == OWNED or (row.role == INCLUDED and not bundled):
            continue
        known = pieces.get(row.part)
        qty = row.qty + (known.qty if known else 0)
        pieces[row.part] = AskedPart(row.part, row.category, row.name, row.vendor or "", qty)
    yield from pieces.values()


def asked_for(_: Words, asked: Inquiry) -> list[tuple[str, str]]:
    """(title, what is required) of the request: model, load, limits of the site; neither budget nor findings."""
    return [(x.title, x.required) for x in requirements(_, asked.quote) if not x.cents and "\n" not in x.title]


def acceptance(_: Words, asked: Inquiry) -> list[str]:
    """The acceptance test in sentences, at the load asked for, from the result's own figures."""
    point, request = asked.point, asked.quote.request
    speed, plan = point.throughput, point.plan
    text = ENGINE if asked.brand and plan.engine else MODEL  # an engine's name may say whose GPUs are meant
    model = asked.quote.result.model.id
    out = [_.stacked(text, model=model, precision=plan.precision, engine=plan.engine)]
    if request.trains:
        out.append(_.stacked(TRAINING, sequences=f"{speed.concurrency:,}"))
        expected = speed.output_tok_s
    else:
        load = speed.at_load
        users = load.users if load is not None else speed.concurrency
        out.append(_.stacked(LOAD, users=f"{users:,}", isl=f"{request.isl:,}", osl=f"{request.osl:,}"))
        expected = load.tok_s if load is not None else speed.output_tok_s
    demanded = _floor(expected * speed.low / speed.output_tok_s) if speed.output_tok_s else 0
    values = {"tok_s": f"{demanded:,}", "unit": unit(_, speed.unit), "expected": f"{expected:,.0f}"}
    out.append(_.stacked(TOTAL, **values))
    if request.min_tok_s_user is not None and not request.trains:
        out.append(_.stacked(EACH, tok_s=f"{request.min_tok_s_user:g}"))
    if request.max_ttft_ms is not None and not request.trains:
        out.append(_.stacked(FIRST, ms=f"{request.max_ttft_ms:,g}"))
    return [*out, _.stacked(NEITHER)]


def _floor(value: float) -> int:
    return int(Decimal(str(value)).to_integral_value(ROUND_FLOOR))
