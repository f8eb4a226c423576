"""Choice among builds of equal total and throughput, and parts that could stand in for one another."""

from __future__ import annotations

from constraints.build import Build
from constraints.plan import Row
from optimizer.market.market import Market
from optimizer.search.front import Found, passes


def rank(market: Market, found: Found) -> tuple[object, ...]:
    """Order among ties: fewer nodes, smaller share on estimates, newer prices, then part ids by category."""
    bought, orders = sorted(found.build.total().items()), market.book.purchase(found.build.total())
    lines = orders.lines if orders else ()
    estimated = orders.estimated_cents if orders else 0
    newest = sorted((-line.offer.date.toordinal() for line in lines if line.offer), reverse=True)
    ids = sorted((market.catalog.parts[p].kind.value, p, q) for p, q in bought)
    return found.build.nodes, estimated, newest, ids


def equivalents(market: Market, build: Build, row: Row) -> list[dict[str, object]]:
    """For each bought part the parts of its kind at its price that keep every rule, throughput unchanged."""
    out: list[dict[str, object]] = []
    for part_id in sorted(build.total()):
        part = market.catalog.parts[part_id]
        same = [
            p.id for p in market.catalog.of(part.kind) if p.id != part_id and _as_dear(market, build, part_id, p.id)
        ]
        fits = [p for p in same if passes(market, _swapped(build, part_id, p), row)]
        if fits:
            out.append({"part": part_id, "could_be": fits})
    return out


def _as_dear(market: Market, build: Build, old: str, new: str) -> bool:
    """Whether the build costs the same with another part in a part's place."""
    book = market.book
    if new not in book.prices:
        return False
    a, b = book.prices[old], book.prices[new]
    if not (a.by_quantity or b.by_quantity):
        return a.cents == b.cents
    return book.cost(_swapped(build, old, new).total()) == book.cost(build.total())


def _swapped(build: Build, old: str, new: str) -> Build:
    def swap(parts: dict[str, int]) -> dict[str, int]:
        return {new if p == old else p: q for p, q in parts.items()}

    return Build(build.nodes, swap(dict(build.node)), swap(dict(build.shared)))
