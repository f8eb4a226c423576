"""Choice among builds of equal total and throughput, and parts that could stand in for one another."""

from __future__ import annotations

from catalogs.offers import state_of
from constraints.build import Build
from constraints.plan import Row
from optimizer.market.market import Market
from optimizer.search.front import Found, passes


def rank(market: Market, found: Found) -> tuple[object, ...]:
    """Order among ties: fewer nodes, smaller share on estimates, newer prices, then part ids by category."""
    pieces = found.build.total()
    orders = market.book.purchase(pieces)
    lines = orders.lines if orders else ()
    # Totals are equal among ties, so that the smaller sum on estimates is the smaller share.
    estimated = orders.estimated_cents if orders else 0
    # Days count down, the oldest first: of two builds the one whose oldest price is the newer goes first.
    # Estimates have no day: nobody read them on any.
    read = [line.offer for line in lines if line.offer and state_of(line.offer) != "estimate"]
    oldest_first = sorted((-offer.date.toordinal() for offer in read), reverse=True)
    ids = sorted((market.catalog.parts[part].kind.value, part, qty) for part, qty in pieces.items())
    return found.build.nodes, estimated, oldest_first, ids


def equivalents(market: Market, build: Build, row: Row) -> list[dict[str, object]]:
    """For each bought part the parts of its kind at its price that keep every rule, throughput unchanged."""
    out: list[dict[str, object]] = []
    for part_id in sorted(build.total()):
        kind = market.catalog.parts[part_id].kind
        others = [part.id for part in market.catalog.of(kind) if part.id != part_id]
        as_dear = [other for other in others if _as_dear(market, build, part_id, other)]
        fits = [other for other in as_dear if passes(market, _swapped(build, part_id, other), row)]
        if fits:
            out.append({"part": part_id, "could_be": fits})
    return out


def _as_dear(market: Market, build: Build, old: str, new: str) -> bool:
    """Whether the build costs the same with another part in a part's place."""
    book = market.book
    if new not in book.prices:
        return False
    old_price, new_price = book.prices[old], book.prices[new]
    # Prices of single pieces compare the quicker, and a part of one price costs it for any number.
    if not (old_price.by_quantity or new_price.by_quantity):
        return old_price.cents == new_price.cents
    return book.cost(_swapped(build, old, new).total()) == book.cost(build.total())


def _swapped(build: Build, old: str, new: str) -> Build:
    """The build with another part in a part's place, in the same number."""

    def swap(parts: dict[str, int]) -> dict[str, int]:
        return {new if part == old else part: qty for part, qty in parts.items()}

    return Build(build.nodes, swap(dict(build.node)), swap(dict(build.shared)))
