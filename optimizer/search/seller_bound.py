"""What limits on sellers and estimates say about a node before it is put together: relaxations, as the bound is.

Each option stands for its main part alone; what comes with it (coolers, cords) may be had elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalogs.offers import Bundle, Offer
from constraints.prices.limited_book import sellers_of, sources_of
from constraints.prices.tariff import NEVER
from optimizer.market.market import Market
from optimizer.market.options import Option

Pool = list[Option]


def from_few(market: Market, platform: str, pools: list[Pool]) -> list[Pool] | None:
    """The pools as far as the number of sellers allows; None when they force too many.

    Forced is each seller who alone brings the platform, or all options of a pool."""
    most = market.request.max_sellers
    if most is None:
        return pools

    def sellers(option: Option) -> frozenset[str]:
        return sellers_of(market.book, option.parts[0][0]) if option.parts else frozenset({""})

    forced = set[str]()
    for of in (sellers_of(market.book, platform), *(frozenset().union(*map(sellers, pool)) for pool in pools)):
        forced |= of if len(of) == 1 else set()
    forced.discard("")
    if len(forced) > most:
        return None
    if len(forced) < most:
        return pools
    return [[o for o in pool if sellers(o) & {"", *forced}] for pool in pools]


MULTIPLIERS = 8
"""Weights of a limit on shares that are tried beside the price: 1/8, 2/8 ... 1."""


@dataclass(frozen=True)
class Limit:
    """At most `percent` of the sum of lines comes from offers that count: estimates (`sellers` None), or those of some
    sellers, who together have at most the sum of their shares."""

    percent: int
    sellers: frozenset[str] | None

    def counts(self, offer: Offer | Bundle) -> bool:
        """Whether an offer's lines count against the limit."""
        return offer.confidence == "estimate" if self.sellers is None else offer.seller in self.sellers


class SellerBound:
    """Cents that nodes cost at least because what is estimated, or with some sellers, is but a share of it.

    A Lagrangian bound. With L cents of all lines and C of those that count, the limit says 100 C <= P L, so that for
    any w from 0 to 1 the cost is at least L >= (1 - w) L + w (100 / P) C: each line weighs its cents times 1 - w, and
    those that count w x 100 / P more. No weight is negative, hence what is not looked at (drives, racks, networks,
    coolers, spares, surplus of an order) only adds, and each category weighs at least its lightest option, bought where
    it weighs least (docs/proof.md, Limits on shares)."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._weights: dict[tuple[int, Limit], tuple[Pool, tuple[int, ...]]] = {}
        self._sellers: dict[int, tuple[Pool, frozenset[str]]] = {}
        self._pieces: dict[tuple[str, Limit], tuple[int, ...]] = {}
        self._sources: dict[str, tuple[int, bool, str]] = {}

    def least_cents(self, platform: str, pools: Sequence[Pool]) -> int | None:
        """Cents that a node costs at least; None when no share will do."""
        request, least = self.market.request, 0
        if not request.shares:
            return 0
        limits = set[Limit]()
        if request.max_estimated_percent is not None:
            limits.add(Limit(request.max_estimated_percent, None))
        if request.max_share_percent is not None:
            of = {sellers_of(self.market.book, platform), *(self._sellers_of(pool) for pool in pools)}
            limits |= {Limit(request.max_share_percent * len(s), s) for s in of if s and "" not in s}
        for limit in limits:
            # A share of all is no limit.
            if limit.percent >= 100:
                continue
            each = [self._piece(platform, limit), *(self._lightest(pool, limit) for pool in pools)]
            # Sound: every weight w gives a lower bound, so that the largest is one (docs/proof.md, Limits on shares).
            heaviest = max(sum(weights) for weights in zip(*each, strict=True))
            # With a share of 0 % the weight is of what counts alone: any of it breaks the limit.
            if not limit.percent:
                if heaviest:
                    return None
                continue
            # Rounded up: cents are whole, and a sum at or above the quotient is at least the next cent.
            least = max(least, -(-heaviest // (MULTIPLIERS * limit.percent)))
        return least

    def lines_for(self, parts: Iterable[tuple[str, int]]) -> int:
        """Cents of all lines that a build with these parts needs, for what can only be estimated, or come from one
        seller, to be within its share; for the search, of single limits alone."""
        request, rough, by = self.market.request, 0, dict[str, int]()
        for part, qty in parts:
            cents, estimated, seller = self._forced(part)
            rough += cents * qty if estimated else 0
            if seller:
                by[seller] = by.get(seller, 0) + cents * qty
        least = 0
        if request.max_estimated_percent is not None and rough:
            least = 100 * rough // request.max_estimated_percent if request.max_estimated_percent else NEVER
        if request.max_share_percent is not None and by:
            least = max(least, 100 * max(by.values()) // request.max_share_percent)
        return least

    def varied(self, pool: Pool, most: int) -> Pool:
        """`most` options, among them the cheapest of each seller and kind of price."""
        first: dict[tuple[bool, str], Option] = {}
        for o in pool:
            first.setdefault(self._forced(o.parts[0][0])[1:] if o.parts else (False, ""), o)
        chosen = dict.fromkeys(sorted(first.values(), key=lambda o: o.cents)[: most - 1])
        chosen |= dict.fromkeys(pool[: most - len(chosen)])
        return sorted(chosen, key=lambda o: (o.cents, o.watts, o.parts))

    def _forced(self, part: str) -> tuple[int, bool, str]:
        """(least cents of a piece, whether every offer is an estimate, the only seller or an empty name)."""
        if part not in self._sources:
            book = self.market.book
            offers = list(sources_of(book, part))
            sellers = {offer.seller if offer else "" for offer in offers}
            estimated = all(offer is not None and offer.confidence == "estimate" for offer in offers)
            self._sources[part] = book.prices[part].cents, estimated, sellers.pop() if len(sellers) == 1 else ""
        return self._sources[part]

    def _sellers_of(self, pool: Pool) -> frozenset[str]:
        """Who may bring the main part of some option of a pool; an empty name where it may have none."""
        if id(pool) not in self._sellers:
            book = self.market.book
            of = (sellers_of(book, o.parts[0][0]) if o.parts else frozenset({""}) for o in pool)
            self._sellers[id(pool)] = pool, frozenset().union(*of)
        return self._sellers[id(pool)][1]

    def _lightest(self, pool: Pool, limit: Limit) -> tuple[int, ...]:
        """Of each multiplier the least weight of an option, by its main part: what comes with it may be another one."""
        memo = id(pool), limit
        if memo not in self._weights:
            weights = [
                [w * o.parts[0][1] for w in self._piece(o.parts[0][0], limit)] if o.parts else [0] * MULTIPLIERS
                for o in pool
            ]
            self._weights[memo] = pool, tuple(map(min, *weights)) if len(weights) > 1 else tuple(weights[0])
        return self._weights[memo][1]

    def _piece(self, part: str, limit: Limit) -> tuple[int, ...]:
        """MULTIPLIERS x percent x the least weight of a piece, of each multiplier."""
        memo = part, limit
        if memo not in self._pieces:
            self._pieces[memo] = tuple(self._weight(part, limit, k) for k in range(1, MULTIPLIERS + 1))
        return self._pieces[memo]

    def _weight(self, part: str, limit: Limit, multiplier: int) -> int:
        book, found = self.market.book, []
        for source in book.prices[part].sources().sources:
            cents = min((step.cents for step in source.steps), default=None)
            if cents is not None:
                counted = multiplier * 100 if source.offer and limit.counts(source.offer) else 0
                found.append(cents * ((MULTIPLIERS - multiplier) * limit.percent + counted))
        return 0 if part in book.bundled else min(found, default=0)  # a bundle's price is not its parts'
