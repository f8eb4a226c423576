"""Choice among builds of equal total and throughput, and parts that could stand in for one another."""

from __future__ import annotations

from constraints.case import Build
from constraints.plan import Row
from optimizer.front import Found, passes
from optimizer.market import Market


def rank(market: Market, found: Found) -> tuple[object, ...]:
    """Order among ties: fewer nodes, smaller share on estimates, newer prices, then part ids by category."""
    bought = sorted(found.build.total().items())
    prices = {p: market.book.prices[p] for p, _ in bought}
    estimated = sum(q * prices[p].cents for p, q in bought if prices[p].offer.confidence == "estimate")
    newest = sorted((-prices[p].offer.date.toordinal() for p, _ in bought), reverse=True)
    ids = sorted((market.catalog.parts[p].kind.value, p, q) for p, q in bought)
    return found.build.nodes, estimated, newest, ids


def equivalents(market: Market, build: Build, row: Row) -> list[dict[str, object]]:
    """For each bought part the parts of its kind at its price that keep every rule, throughput unchanged."""
    out: list[dict[str, object]] = []
    for part_id in sorted(build.total()):
        part, cents = market.catalog.parts[part_id], market.cents(part_id)
        same = [
            p.id
            for p in market.catalog.of(part.kind)
            if p.id != part_id and p.id in market.book.prices and market.cents(p.id) == cents
        ]
        fits = [p for p in same if passes(market, _swapped(build, part_id, p), row)]
        if fits:
            out.append({"part": part_id, "could_be": fits})
    return out


def _swapped(build: Build, old: str, new: str) -> Build:
    def swap(parts: dict[str, int]) -> dict[str, int]:
        return {new if p == old else p: q for p, q in parts.items()}

    return Build(build.nodes, swap(dict(build.node)), swap(dict(build.shared)))
