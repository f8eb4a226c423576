"""Categories of which nothing can be bought as asked: what is admitted and has no price, and why the rest is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.message import joined, message
from catalogs.schema import Kind, Link, Part
from constraints.prices.filters import Filter
from constraints.prices.price_book import barred_by
from optimizer.market.market import Market

CATEGORIES: tuple[tuple[Kind, ...], ...] = (
    (Kind.GPU, Kind.GPU_BOARD),
    (Kind.PLATFORM,),
    (Kind.CPU,),
    (Kind.MEMORY,),
    (Kind.DRIVE,),
    (Kind.NIC,),
    (Kind.PSU,),
    (Kind.SWITCH,),
    (Kind.RACK,),
    (Kind.PDU,),
    (Kind.CABLE,),
)
"""By the kinds of their parts, named by the first. A complete system may hold what is not to be had alone."""
OF_RACKS = frozenset({Kind.RACK, Kind.PDU, Kind.CABLE})
NAMED = 4
"""Parts named of those that are admitted and have no price."""


@dataclass(frozen=True)
class Missing:
    """A category without a part to buy. `parts`: those admitted, of which nobody publishes a price; by name."""

    kind: Kind
    why: str
    parts: tuple[str, ...]


def missing(market: Market) -> list[Missing]:
    """Categories of which the price book has nothing, though the catalog has parts. What the site has is left out."""
    return list(_missing(market))


def _missing(market: Market) -> Iterator[Missing]:
    filters, have = Filter(market.catalog, market.request), market.request.have
    for kinds in CATEGORIES:
        if (kinds[0] in OF_RACKS and "racks" in have) or (kinds[0] is Kind.SWITCH and "network" in have):
            continue
        parts = [part for part in market.catalog.of(*kinds) if _counts(part)]
        if not parts or any(part.id in market.book.prices for part in parts):
            continue
        refused = {part.id: barred_by(part, market.request, market.catalog) or filters.refused(part) for part in parts}
        admitted = tuple(part.name or part.id for part in parts if not refused[part.id])
        origins = market.request.origins
        if origins and not any(part.country in origins for part in parts):
            yield Missing(
                kinds[0], message("of {n} parts none is made in {list}", n=len(parts), list=joined(origins)), ()
            )
        else:
            yield Missing(kinds[0], _why(refused, admitted), admitted)


def _counts(part: Part) -> bool:
    """Of cables power cords alone: no build needs another one for certain."""
    return not isinstance(part, Link) or part.medium == "power"


def _why(refused: dict[str, str], admitted: tuple[str, ...]) -> str:
    """What is said of a category: the parts without a price, and what most often speaks against the others."""
    reasons = Counter(why for why in refused.values() if why)
    against = message(
        "{n} of {all} are not admitted, most often: {why}",
        n=reasons.total(), all=len(refused), why=reasons.most_common(1)[0][0],
    ) if reasons else ""  # fmt: skip
    if not admitted:
        return against
    more = len(admitted) - NAMED
    names = joined(admitted[:NAMED])
    named = message("{names} and {n} more", names=names, n=more) if more > 0 else names
    unpriced = message("nobody publishes a price as asked of {list}", list=named)
    return joined([unpriced, *([against] if against else [])], "; ")
