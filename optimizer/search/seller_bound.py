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
from optimizer.market.options import Option, cheapest_first

Pool = list[Option]
NOBODY = ""
"""The seller of what is in hand, inside a system, or not needed at all."""


def from_few(market: Market, platform: str, pools: list[Pool]) -> list[Pool] | None:
    """The pools as far as the number of sellers allows; None when they force too many.

    Forced is each seller who alone brings the platform, or all options of a pool."""
    most = market.request.max_sellers
    if most is None:
        return pools

    def sellers(option: Option) -> frozenset[str]:
        part = _main_part(option)
        return frozenset({NOBODY}) if part is None else sellers_of(market.book, part)

    choices = [sellers_of(market.book, platform)]
    choices += [frozenset().union(*map(sellers, pool)) for pool in pools]
    forced: set[str] = set()
    for choice in choices:
        if len(choice) == 1:
            forced |= choice
    forced.discard(NOBODY)
    if len(forced) > most:
        return None
    # A seller more may still come in: no option is excluded.
    if len(forced) < most:
        return pools
    # Sound: the forced ones are as many as there may be, so that all else comes from them or from nobody.
    return [[option for option in pool if sellers(option) & {NOBODY, *forced}] for pool in pools]


def _main_part(option: Option) -> str | None:
    """The first part of an option, for which the others (coolers, cords) come along; None where it buys none."""
    return option.parts[0][0] if option.parts else None


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
        if not self.market.request.shares:
            return 0
        least = 0
        for limit in self._limits(platform, pools):
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

    def _limits(self, platform: str, pools: Sequence[Pool]) -> set[Limit]:
        """The limits that a node of these options is held to: on estimates, and on the sellers of each category.

        Sound: of several sellers each may have its share, so that together they have at most so many times as much. A
        category that nobody need be paid for says nothing of its sellers."""
        request, limits = self.market.request, set[Limit]()
        if request.max_estimated_percent is not None:
            limits.add(Limit(request.max_estimated_percent, None))
        if request.max_share_percent is not None:
            choices = {sellers_of(self.market.book, platform), *(self._sellers_of(pool) for pool in pools)}
            for sellers in choices:
                if sellers and NOBODY not in sellers:
                    limits.add(Limit(request.max_share_percent * len(sellers), sellers))
        return limits

    def lines_for(self, parts: Iterable[tuple[str, int]]) -> int:
        """Cents of all lines that a build with these parts needs, for what can only be estimated, or come from one
        seller, to be within its share; for the search, of single limits alone."""
        request = self.market.request
        estimated_cents, cents_with = 0, dict[str, int]()
        for part, qty in parts:
            cents, estimated, seller = self._forced(part)
            estimated_cents += cents * qty if estimated else 0
            if seller:
                cents_with[seller] = cents_with.get(seller, 0) + cents * qty
        least = 0
        # A share of P percent with C cents in it is one of 100 C / P cents at least.
        if request.max_estimated_percent is not None and estimated_cents:
            least = 100 * estimated_cents // request.max_estimated_percent if request.max_estimated_percent else NEVER
        if request.max_share_percent is not None and cents_with:
            least = max(least, 100 * max(cents_with.values()) // request.max_share_percent)
        return least

    def varied(self, pool: Pool, most: int) -> Pool:
        """`most` options, among them the cheapest of each seller and kind of price."""
        # The pool is sorted by price: the first of a kind is its cheapest.
        first: dict[tuple[bool, str], Option] = {}
        for option in pool:
            part = _main_part(option)
            _, estimated, seller = (0, False, NOBODY) if part is None else self._forced(part)
            first.setdefault((estimated, seller), option)
        chosen = dict.fromkeys(sorted(first.values(), key=lambda option: option.cents)[: most - 1])
        chosen |= dict.fromkeys(pool[: most - len(chosen)])
        return cheapest_first(chosen)

    def _forced(self, part: str) -> tuple[int, bool, str]:
        """(least cents of a piece, whether every offer is an estimate, the only seller or an empty name)."""
        if part not in self._sources:
            book = self.market.book
            offers = list(sources_of(book, part))
            sellers = {offer.seller if offer else NOBODY for offer in offers}
            estimated = all(offer is not None and offer.confidence == "estimate" for offer in offers)
            only = sellers.pop() if len(sellers) == 1 else NOBODY
            self._sources[part] = book.prices[part].cents, estimated, only
        return self._sources[part]

    def _sellers_of(self, pool: Pool) -> frozenset[str]:
        """Who may bring the main part of some option of a pool; an empty name where it may have none."""
        # Pools are kept beside what is known of them, so that no other list takes over an identity.
        if id(pool) not in self._sellers:
            sellers: set[str] = set()
            for option in pool:
                part = _main_part(option)
                sellers |= {NOBODY} if part is None else sellers_of(self.market.book, part)
            self._sellers[id(pool)] = pool, frozenset(sellers)
        _, known = self._sellers[id(pool)]
        return known

    def _lightest(self, pool: Pool, limit: Limit) -> tuple[int, ...]:
        """Of each multiplier the least weight of an option, by its main part: what comes with it may be another one."""
        memo = id(pool), limit
        if memo not in self._weights:
            weights = [self._of_option(option, limit) for option in pool]
            # Of each multiplier apart: another option may be the lightest there. The sum over categories is a bound all
            # the same, for each of them weighs its lightest at least.
            self._weights[memo] = pool, tuple(min(column) for column in zip(*weights, strict=True))
        _, known = self._weights[memo]
        return known

    def _of_option(self, option: Option, limit: Limit) -> tuple[int, ...]:
        """The least weight of an option's main part, of each multiplier."""
        if not option.parts:
            return (0,) * MULTIPLIERS
        part, pieces = option.parts[0]
        return tuple(weight * pieces for weight in self._piece(part, limit))

    def _piece(self, part: str, limit: Limit) -> tuple[int, ...]:
        """MULTIPLIERS x percent x the least weight of a piece, of each multiplier."""
        memo = part, limit
        if memo not in self._pieces:
            multipliers = range(1, MULTIPLIERS + 1)
            self._pieces[memo] = tuple(self._weight(part, limit, multiplier) for multiplier in multipliers)
        return self._pieces[memo]

    def _weight(self, part: str, limit: Limit, multiplier: int) -> int:
        """The same of one multiplier: (1 - w) P + 100 w for what counts, in whole numbers."""
        book = self.market.book
        if part in book.bundled:
            return 0  # a bundle's price is not its parts'
        found = []
        for source in book.prices[part].sources().sources:
            if source.steps:
                cents = min(step.cents for step in source.steps)
                counted = multiplier * 100 if source.offer and limit.counts(source.offer) else 0
                found.append(cents * ((MULTIPLIERS - multiplier) * limit.percent + counted))
        return min(found, default=0)
