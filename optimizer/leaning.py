"""What limits on sellers and estimates say about a node before it is put together: relaxations, as the bound is.

Each option stands for its main part alone; what comes with it (coolers, cords) may be had elsewhere.
"""

from __future__ import annotations

from constraints.limited import sellers_of, sources_of
from optimizer.market import Market
from optimizer.shelf import Option

Pool = list[Option]


def from_few(market: Market, platform: str, pools: list[Pool]) -> list[Pool] | None:
    """The pools as far as the number of sellers allows; None when they force too many.

    Forced is each seller who alone brings the platform, or all options of a pool."""
    most = market.request.max_sellers
    if most is None:
        return pools

    def sellers(o: Option) -> frozenset[str]:
        return sellers_of(market.book, o.parts[0][0]) if o.parts else frozenset({""})

    forced = set[str]()
    for of in (sellers_of(market.book, platform), *(frozenset().union(*map(sellers, pool)) for pool in pools)):
        forced |= of if len(of) == 1 else set()
    forced.discard("")
    if len(forced) > most:
        return None
    if len(forced) < most:
        return pools
    return [[o for o in pool if sellers(o) & {"", *forced}] for pool in pools]


def least_by_shares(market: Market, platform: str, pools: list[Pool]) -> int | None:
    """Cents that a node costs at least because what is estimated, or with one seller, is but a share of it; None
    when no share will do."""
    r, prices, least = market.request, market.book.prices, 0
    if not r.shares:
        return 0
    groups = [[(platform, 1)], *([o.parts[0] if o.parts else ("", 0) for o in pool] for pool in pools)]

    def estimated(part: str) -> bool:
        return all(o is not None and o.confidence == "estimate" for o in sources_of(market.book, part))

    def cents(part: str, qty: int, estimates_only: bool = False) -> int:
        if not part or (estimates_only and not estimated(part)):
            return 0
        return prices[part].cents * qty

    if r.max_estimated_percent is not None:
        rough = sum(min(cents(x, q, True) for x, q in group) for group in groups)
        if rough and not r.max_estimated_percent:
            return None
        least = -(-100 * rough // max(1, r.max_estimated_percent))
    if r.max_share_percent is not None:
        by: dict[str, int] = {}
        for group in groups:
            of = frozenset().union(*(sellers_of(market.book, x) if x else {""} for x, _ in group))
            if len(of) == 1:
                (seller,) = of
                by[seller] = by.get(seller, 0) + min(cents(x, q) for x, q in group)
        least = max(least, -(-100 * max(by.values(), default=0) // r.max_share_percent))
    return least
