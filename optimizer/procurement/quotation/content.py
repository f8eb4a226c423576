"""Sentences of a quote: what is included, what is not, remarks, terms, requirements met."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from catalogs.message import read_message
from constraints.physics.markets import market_of
from constraints.rules.registry import that_read
from optimizer.procurement.labels import category, rule, unit, word
from optimizer.procurement.quotation.profile import Company
from optimizer.procurement.quotation.quote import Quote
from optimizer.request.entry import Quoted
from optimizer.request.fields import FIELDS
from optimizer.result.point_schema import FrontPoint
from optimizer.text.figures import measured
from optimizer.text.languages import N_, Words

EXCLUDED = (
    N_("Freight, customs and insurance"), N_("Installation and commissioning"), N_("Software licences"),
    N_("Energy and the room's cooling"),
)  # fmt: skip
DEVIATIONS = {
    "none": N_("no deviation"), "better": N_("positive deviation"), "worse": N_("negative deviation"),
    "unknown": N_("not known"),
}  # fmt: skip
Deviation = Literal["none", "better", "worse", "unknown"]
SIGNS = {"at_most": "≤ ", "at_least": "≥ ", "": ""}
"""How a finding's measured value has to stand to its limit."""


def included(_: Words, quote: Quote) -> list[str]:
    """What the total pays for, by category, and services."""
    by: dict[str, list[str]] = {}
    for line in quote.lines:
        if line.pieces and line.origin != "owned":
            by.setdefault(line.category, []).append(f"{line.pieces} x {line.name}")
    out = [category(_, k) + _.between(": ") + _.between(", ").join(v) for k, v in by.items()]
    spares, support = included_services()
    if quote.sums.spares:
        out.append(_.stacked(spares))
    if quote.sums.support:
        out.append(_.stacked(support))
    return out


def included_services() -> tuple[str, str]:
    """What is said where spares, and where support, are in the total."""
    return N_("Spare parts as listed in the bill of materials"), N_("Hardware support at the rates of the assumptions")


def left_out(quote: Quote) -> list[tuple[str, str]]:
    """Sentences with what the buyer has already: of the site, and parts of the build."""
    out = [
        (N_("what the site has already: {what}"), x) for x in (N_("racks"), N_("network")) if x in quote.request.have
    ]
    owned = dict.fromkeys(line.name for line in quote.lines if line.origin == "owned" and line.pieces)
    return [*out, *((N_("part already in hand: {what}"), x) for x in owned)]


def excluded(_: Words, quote: Quote) -> list[str]:
    """What it does not pay for."""
    out = list(EXCLUDED)
    if not quote.sums.support:
        out.append(N_("Hardware support beyond the makers' warranty"))
    if not quote.sums.spares:
        out.append(N_("Spare parts"))
    if not quote.rates.tax:
        out.append(N_("Tax"))
    said = []
    for language, comma in (("en", ", "), ("zh", "；")):
        one = Words(language)
        there = [one(text, what=x) for text, x in left_out(quote)]
        said.append(comma.join([*map(one, out), *there]))
    return [_.pair(*said)]


def remarks(_: Words, quote: Quote) -> list[str]:
    """Notes and warnings of the result that bear on a buyer, and findings that are no pass; prices aside, of which the
    sheets speak by formula."""
    out = [
        _.sentence(check.text)
        for check in quote.chosen.checks
        if check.status != "pass" and check.rule not in that_read("orders")
    ]
    out += [_.pair(*quote.model_note)] if quote.model_note[0] else []
    out += [
        _.sentence(read_message(message_.model_dump()))
        for message_ in quote.result.messages
        if message_.code == "not-proven"
    ]
    out += [_.sentence(note) for note in quote.notes]
    out.append(_.stacked("Throughput is an estimate: 80 % of measurements lie between its low and high."))
    if not quote.party.confirmed:
        cost = quote.chosen.cost
        text = N_("When solved it cost {total} {currency}; with each price at the ends of its band {low} to {high}.")
        total, low, high = (f"{Decimal(amount):,}" for amount in (cost.total, cost.low, cost.high))
        out.append(_.stacked(text, total=total, low=low, high=high, currency=cost.currency))
    return out


VALIDITY, TAX, NOT_INCLUDED = N_("Validity"), N_("Tax"), N_("Not included")
"""Headings of terms that follow the file's inputs."""


def conditions(_: Words, quote: Quote) -> list[tuple[str, str, bool]]:
    """(heading, text, open): terms of purchase; the open ones are for the parties to fill in."""
    days = [
        line.offer.lead_time_days
        for line in quote.lines
        if line.offer is not None and line.offer.lead_time_days is not None
    ]
    said, agreed = quote.party.profile.terms, _.stacked("to be agreed")
    tax = N_("Prices are net of tax; tax of {percent} % is added as shown.")
    no_tax = N_("Prices are net of tax; no tax is in the total.")
    lead = N_("The longest lead time that a seller states is {days} days; unstated ones are unknown.")
    prices = N_(
        "Prices are those read at the sources listed under provenance, on the days stated there. They bind no seller "
        "until that seller confirms them."
    )
    if any(
        line.offer is not None and line.price is not None and line.offer.confidence == "estimate"
        for line in quote.lines
    ):
        prices = N_(
            "Prices are those listed under provenance: read at a source on the day stated there, or estimated where "
            "it says so. They bind no seller until that seller confirms them."
        )
    valid = N_("An estimate for a budget, no offer: nobody is bound by it. Ask for the prices anew after {day}.")
    if quote.party.confirmed:
        prices = N_("The sellers have confirmed the prices. Provenance lists the offers.")
        valid = N_("Valid until {day}.")
    return [
        (_(VALIDITY), _.stacked(valid, day=quote.party.valid_until.isoformat()), False),
        (_("Prices"), _.stacked(prices), False),
        (
            _(TAX),
            _.stacked(tax, percent=f"{quote.rates.tax.normalize():f}") if quote.rates.tax else _.stacked(no_tax),
            False,
        ),
        (
            _("Rounding"),
            _.stacked(
                N_(
                    "A unit price is converted once and rounded half up; a line is pieces times unit price; discount, "
                    "support and tax are rounded once each on their sums."
                )
            ),
            False,
        ),
        (
            _("Lead time"),
            _.stacked(lead, days=max(days)) if days else _.stacked("No seller states a lead time."),
            False,
        ),
        (_("Payment terms"), said.payment or agreed, not said.payment),
        (_("Delivery terms"), said.delivery or agreed, not said.delivery),
        (_("Installation and acceptance"), said.acceptance or agreed, not said.acceptance),
        (
            _("Warranty"),
            said.warranty or _.stacked("by each maker's terms; to be confirmed in the order"),
            not said.warranty,
        ),
        (_(NOT_INCLUDED), "\n".join(excluded(_, quote)), False),
        (
            _("Throughput"),
            _.stacked(
                N_(
                    "Throughput is computed and calibrated on published measurements; it is no guarantee. Agree on an "
                    "acceptance test with model, precision, tokens in and out, and requests at once as quoted."
                )
            ),
            False,
        ),
    ]


COMPANY_LABELS = {
    "name": N_("Company"), "address": N_("Address"), "contact": N_("Contact"), "phone": N_("Phone"),
    "email": N_("E-mail"), "tax_number": N_("Tax number"), "bank": N_("Bank"), "bank_account": N_("Bank account"),
    "bank_code": N_("Bank code"),
}  # fmt: skip


def block(_: Words, company: Company) -> list[tuple[str, str]]:
    """(label, value) of what is known of a seller or buyer."""
    return [(_(label), value) for key, label in COMPANY_LABELS.items() if (value := getattr(company, key))]


STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")
"""A step of a place in a point of a result."""


@dataclass(frozen=True)
class Requirement:
    """A row of the deviation table; `cents` says that offered is the quote's total, a live formula."""

    title: str
    required: str
    offered: str
    deviation: Deviation
    remark: str
    cents: bool = False


def requirements(_: Words, quote: Quote) -> Iterator[Requirement]:
    """What the request asks for, then every rule with a limit."""
    request, chosen = quote.request, quote.chosen
    yield Requirement(_("Model"), quote.result.model.name, quote.result.model.name, "none", "")
    work = (
        f"{request.workload}"
        if request.trains
        else f"{request.workload}{_.between(': ')}{request.isl:,} / {request.osl:,} {_('tokens in / out')}"
    )
    yield Requirement(_("Workload"), work, work, "none", "")
    if quote.budget is not None:
        worse = quote.sums.total > quote.budget
        kind: Deviation = "worse" if worse else "none" if quote.sums.total == quote.budget else "better"
        yield Requirement(_("Budget of the total"), "", "", kind, "", cents=True)
    placed = [*_limits(_, quote), *_of_goods(_, quote)]
    yield from (row for place, row in sorted(placed, key=lambda placed_row: placed_row[0]))
    for check in chosen.checks:
        if check.limit is None or check.measured is None or check.rule in that_read("orders") | that_read("limits"):
            continue
        kind = "none" if check.status == "pass" else "worse"
        said = _.sentence(check.text)
        text = _.stacked("advice, not a condition") if check.status == "warn" else ""
        limit, have = (f"{measured(v, check.unit)} {unit(_, check.unit)}" for v in (check.limit, check.measured))
        yield Requirement(f"{rule(_, check.rule)}\n{said}", f"{SIGNS[check.relation]}{limit}", have, kind, text)


def _limits(_: Words, quote: Quote) -> Iterator[tuple[int, Requirement]]:
    """(place, row) of each limit of the request that a point has a figure beside."""
    for name, entry in FIELDS.items():
        if (quoted := entry.quoted) is None:
            continue
        value = quoted.limit(quote.request) if quoted.limit else getattr(quote.request, name)
        have = _figure_at(quote.chosen, quoted.at or entry.place)
        if value is None or have is None:
            continue
        yield quoted.place, _limit(_, quote, quoted, value / quoted.per, have / quoted.per)


def _figure_at(point: FrontPoint, place: str) -> float | None:
    """The figure of a point at a place, `nodes[0].count`."""
    found: Any = point
    for name, index in STEP.findall(place):
        found = getattr(found, name)
        found = found[int(index)] if index else found
    return None if found is None else float(found)


def _limit(_: Words, quote: Quote, quoted: Quoted, limit: float, have: float) -> Requirement:
    """A limit beside what is offered; figures that look the same are no deviation."""
    asked, offered = f"{limit:,.{quoted.digits}f}", f"{have:,.{quoted.digits}f}"
    better = have > limit if quoted.relation == "at_least" else have < limit
    kind: Deviation = "none" if asked == offered else "better" if better else "worse"
    shown = quoted.unit if isinstance(quoted.unit, str) else unit(_, quoted.unit(quote.request))
    sign = SIGNS[quoted.relation]
    return Requirement(_(quoted.title), f"{sign}{asked} {shown}".strip(), f"{offered} {shown}".strip(), kind, "")


def _of_goods(_: Words, quote: Quote) -> Iterator[tuple[int, Requirement]]:
    """(place, row) of what is asked of plan and goods in words."""
    request = quote.request
    if request.precision:
        yield 60, Requirement(_("Precision"), request.precision, quote.chosen.plan.precision, "none", "")
    if there := market_of(request):
        yield 65, Requirement(_("Market"), there.code, there.code, "none", "")
    conditions_ = _.between(", ").join(word(_, x) for x in sorted(request.conditions))
    had = _.between(", ").join(
        word(_, x) for x in sorted({line.offer.condition for line in quote.lines if line.offer is not None})
    )
    yield 70, Requirement(_("Condition of goods"), conditions_, had or "–", "none", "")
    if request.max_lead_days is not None:
        yield 110, _lead_time(_, quote, request.max_lead_days)


def _lead_time(_: Words, quote: Quote, most: int) -> Requirement:
    """The longest lead time against what is asked; a line whose seller states none leaves it unknown."""
    bought = [line.offer.lead_time_days for line in quote.lines if line.offer is not None and line.origin != "included"]
    stated = [x for x in bought if x is not None]
    unknown = len(bought) - len(stated)
    offered = _("not known")
    if stated:
        offered = f"{max(stated)}"
    kind: Deviation = "none"
    if stated and max(stated) > most:
        kind = "worse"
    elif unknown:
        kind = "unknown"
    elif stated and max(stated) < most:
        kind = "better"
    remark = _.stacked(N_("lines without a stated lead time: {n}"), n=unknown) if unknown else ""
    return Requirement(_("Lead time, days"), f"≤ {most}", offered, kind, remark)
