"""How fields give way, where that is more than a figure in a sentence: what there is beside what was asked for, and
what a finished build makes of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from catalogs.formats import BITS
from catalogs.message import message
from catalogs.offers import days_of, state_of, word_of
from constraints.build import total_w, units
from constraints.physics.circuits import circuit_words, standard
from constraints.physics.markets import market_of, region_at, sales_markets
from constraints.prices.filters import contents
from constraints.prices.purchase import Line, Purchase
from constraints.request import Circuit
from constraints.rules.power import circuit_limit_w
from constraints.rules.precision import at_any_floor, known_precisions, wanted
from optimizer.request.entry import Alternatives, Asked
from optimizer.request.field_checks import Subject

# Figures: the value on the grid that a build attains, which narrows the search for the smallest change.


def throughput(built: Subject) -> int:
    """In 0.1 tok/s."""
    return built.plan_row.perf.tenths


def user_speed(built: Subject) -> int:
    """In 0.1 tok/s, rounded down."""
    return math.floor(built.plan_row.perf.per_user_tok_s * 10)


def first_token(built: Subject) -> int:
    """In ms, rounded up."""
    return math.ceil(built.plan_row.perf.ttft_ms)


def nodes(built: Subject) -> int:
    """Pieces."""
    return built.case.build.nodes


def watts(built: Subject) -> int:
    """At the wall, at the worst-case load."""
    return total_w(built.case)


def rack_units(built: Subject) -> int:
    """Of nodes, switches and cooling."""
    return units(built.case)


def price_age_days(built: Subject) -> int:
    """Age of the oldest price that somebody read."""
    dates = [line.offer.date for line in _lines(built) if line.offer and state_of(line.offer) != "estimate"]
    return (built.request.as_of - min(dates)).days if dates else 0


def lead_days(built: Subject) -> int:
    """The longest known lead time."""
    return max((days_of(line.offer) for line in _lines(built) if line.offer), default=0)


def estimated_percent(built: Subject) -> int:
    """Share of the sum of lines on estimated prices, rounded up."""
    orders = _orders(built)
    return -(-100 * orders.estimated_cents // max(1, orders.cents))


def largest_share_percent(built: Subject) -> int:
    """Share of the sum of lines with the seller of the most, rounded up."""
    orders = _orders(built)
    return -(-100 * max(orders.sellers.values(), default=0) // max(1, orders.cents))


def sellers(built: Subject) -> int:
    """Sellers that a build is bought from."""
    return len(_orders(built).sellers)


def _orders(built: Subject) -> Purchase:
    found = built.case.book.purchase(built.case.priced)
    assert found is not None, "a build found can be bought"
    return found


def _lines(built: Subject) -> tuple[Line, ...]:
    return _orders(built).lines


# Lists: members that there are, by name as they are written, and those that a build holds.


def all_vendors(asked: Asked) -> Mapping[str, str]:
    """Of the catalog's parts."""
    return {part.vendor.casefold(): part.vendor for part in asked.catalog.parts.values() if part.vendor}


def all_origins(asked: Asked) -> Mapping[str, str]:
    """Countries of the catalog's parts."""
    return as_written(part.country for part in asked.catalog.parts.values() if part.country)


def as_written(names: Iterable[str]) -> Mapping[str, str]:
    """Members that are written as they are named."""
    return {name: name for name in names}


def parts_in(built: Subject) -> frozenset[str]:
    """Parts of a build with what is inside them."""
    parts, seen, left = built.case.catalog.parts, set(), list(built.case.build.total())
    while left:
        part = left.pop()
        if part not in seen:
            seen.add(part)
            left += contents(parts[part])
    return frozenset(seen)


def vendors_in(built: Subject) -> frozenset[str]:
    """Vendors of a build's parts."""
    parts = built.case.catalog.parts
    return frozenset(parts[name].vendor.casefold() for name in parts_in(built))


def origins_in(built: Subject) -> frozenset[str]:
    """Countries of a build's parts."""
    parts = built.case.catalog.parts
    return frozenset(parts[name].country.upper() for name in parts_in(built))


def conditions_in(built: Subject) -> frozenset[str]:
    """Conditions of the pieces bought."""
    return frozenset(line.offer.condition for line in _lines(built) if line.offer)


def confidences_in(built: Subject) -> frozenset[str]:
    """Kinds of the prices paid."""
    return frozenset(word_of(line.offer) for line in _lines(built) if line.offer)


# Sizes and alternatives.


def circuits(asked: Asked) -> list[list[Circuit]]:
    """Circuits that exist, a list per voltage with the smallest first: the site's own voltage, then others."""
    circuit = asked.request.circuit
    return standard(circuit, region_at(circuit.supply_volts, asked.request)) if circuit else []


def circuit_carries(built: Subject, circuit: Circuit) -> bool:
    """Whether a build's power at the wall is within what a circuit may carry for hours."""
    return circuit_limit_w(circuit, built.case.request, built.policy) >= total_w(built.case)


def other_circuit(circuit: Circuit) -> str:
    """Amps and volts."""
    return message("a circuit of {circuit}", circuit=circuit_words(circuit))


def other_markets(asked: Asked) -> Alternatives:
    """The other markets, all alike."""
    there = market_of(asked.request)
    others = [code for code in sales_markets() if there is None or code != there.code]
    return [[(message("bought in market {code}", code=code), {"market": code}) for code in others]]


def precisions(asked: Asked) -> Alternatives:
    """Other precisions than the ones asked for: of as many bits and more, then of fewer step by step."""
    request, llm = asked.request, asked.llm
    now = set(wanted(llm, request))
    if request.precision is None and not request.trains:
        least = min((BITS[name] for name in now), default=33)
        lower = [p for p in at_any_floor(llm, request) if BITS[p] < least]
        floors = sorted({BITS[p] for p in lower if BITS[p] in (4, 8, 16)}, reverse=True)
        return [[(message("weights of {n} bits", n=bits), {"min_precision_bits": bits})] for bits in floors]
    most = max((BITS[name] for name in now), default=0)
    steps: dict[int, list[tuple[str, Mapping[str, Any]]]] = {}
    for name in known_precisions(llm, request):
        if name not in now:
            change = {"precision": name, "min_precision_bits": None}
            steps.setdefault(min(BITS[name], most), []).append((message("precision {x}", x=name), change))
    return [steps[bits] for bits in sorted(steps, reverse=True)]
