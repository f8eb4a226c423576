"""The cheapest orders of a build where they are limited as a whole: so many sellers at most, the soonest delivery, or
shares of the cost with one seller or on estimates.

Which offer brings a part depends on the other parts then: a dearer one of a seller who is on the bill anyway may be
what keeps the build within the limit. Exact: sellers by trying all choices of them or by branch and bound, days by
bisection, shares by CP-SAT with the pieces fixed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import comb

import numpy as np

from catalogs.offers import Bundle, Offer, days_of
from constraints.prices.order_limits import kept
from constraints.prices.purchase import Orders, PriceBook, Priced
from constraints.prices.tariff import NEVER, Tariff
from constraints.request import Request

MOST_KNOWN = 5000
"""Builds whose orders are remembered."""
MOST_TRIED = 100_000
"""Choices of sellers that are tried one by one."""


@dataclass(frozen=True)
class LimitedBook(PriceBook):
    """A price book under a request that limits sellers or shares, or that asks for the soonest delivery: then with
    the offers that deliver within the fewest days for which the orders cost `purse` minor units at most.

    Where no orders keep to a limit on sellers those of the fewest sellers count, where none keep to one on shares the
    cheapest of all, and where none keep to `purse` those of any delivery: the rules say then what is wrong."""

    request: Request = field(kw_only=True)
    purse: int = field(kw_only=True)
    _known: dict[frozenset[tuple[str, int]], Orders] = field(default_factory=dict, compare=False, repr=False)

    def orders(self, pieces: Mapping[str, int]) -> Orders:
        key = frozenset(pieces.items())
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._soonest(pieces) if self.request.soonest else self._of_few(pieces, None)
        return self._known[key]

    def _soonest(self, pieces: Mapping[str, int]) -> Orders:
        days = sorted({days_of(offer) for offer in self._offers(pieces)} | {0})
        tried = {most_days: self._of_few(pieces, most_days) for most_days in days[-1:]}

        def within(most_days: int) -> bool:
            tried[most_days] = found = tried.get(most_days) or self._of_few(pieces, most_days)
            cheap = found.cost < NEVER and self.rounded(found.cost) <= self.purse
            return cheap and kept(found.purchase(pieces), self.request)

        # Bisection: what can be had within some days can be had within more, at no higher cost.
        first = bisect_left(days, True, key=within)
        return tried[days[min(first, len(days) - 1)]]

    def _of_few(self, pieces: Mapping[str, int], days: int | None) -> Orders:
        """The cheapest orders within the limits on sellers and shares, delivered within `days`."""
        anyone = self._open(pieces, None, days)
        if anyone.cost >= NEVER or kept(anyone.purchase(pieces), self.request):
            return anyone
        if self.request.shares:
            # CP-SAT is loaded only where the cheapest orders are not within a share
            from constraints.prices.basket import Basket

            return Basket(anyone.book, self.request, pieces).cheapest() or anyone
        assert self.request.max_sellers is not None
        # More sellers than the limit are tried only where fewer can't bring the parts, one more at a time: the rule
        # then fails with the smallest number that there is, and says it.
        everyone = frozenset(offer.seller for offer in self._offers(pieces))
        forced = frozenset(seller for part in pieces for seller in self._only(part))
        one_price = all(
            source.plain and source.offer for part in pieces for source in self.prices[part].sources().sources
        )
        # All choices at once where each offer has one price for any number; branch and bound anywhere.
        one_price = one_price and not self.bundled.intersection(pieces)
        for most in range(max(self.request.max_sellers, len(forced)), len(everyone)):
            if one_price and comb(len(everyone), most) <= MOST_TRIED:
                found = self._tried(pieces, days, most, sorted(everyone))
            else:
                found = self._branch(pieces, days, most, everyone, forced, None)
            if found:
                return found
        return anyone

    def _tried(self, pieces: Mapping[str, int], days: int | None, most: int, sellers: list[str]) -> Orders | None:
        """The cheapest orders of `most` sellers where every offer has one price for any number: all choices at once."""
        # NEVER shared out over the parts: sums of a choice that lacks a part stay inside 64 bits and above every price.
        cents = np.full((len(pieces), len(sellers)), NEVER // len(pieces), dtype=np.int64)
        for row, (part, qty) in enumerate(pieces.items()):
            tariff = self.prices[part].sources()
            for source in tariff.sources:
                if source.offer and (days is None or days_of(source.offer) <= days):
                    place = row, sellers.index(source.offer.seller)
                    line = tariff.need(qty) * source.steps[0].cents * self.weight(part)
                    cents[place] = min(cents[place], line)
        choices = np.array(list(combinations(range(len(sellers)), most)))
        # Of each choice the sum over parts of what its cheapest seller asks.
        totals = sum(of_part[choices].min(axis=1) for of_part in cents)
        chosen = choices[np.argmin(totals)]
        found = self._open(pieces, frozenset(sellers[place] for place in chosen), days)
        return found if found.cost < NEVER else None

    def _branch(
        self, pieces: Mapping[str, int], days: int | None, most: int, allowed: frozenset[str], named: frozenset[str],
        best: Orders | None,
    ) -> Orders | None:  # fmt: skip
        """The cheaper of `best` and the cheapest orders from `allowed` sellers alone, at most `most` of them, those of
        `named` among them: the cheapest from all that are allowed bound them, and either have few sellers enough, or
        one that is not named yet is named or left out."""
        found = self._open(pieces, named if len(named) == most else allowed, days)
        if found.cost >= (best.cost if best else NEVER):
            return best
        used = found.sellers(pieces)
        if len(used) <= most:
            return found
        # Branching on the seller with the largest share decides most of the cost at once; by name where they are equal,
        # so that the same request meets the same branches.
        seller = max(sorted(used.keys() - named), key=used.__getitem__)
        best = self._branch(pieces, days, most, allowed, named | {seller}, best)
        return self._branch(pieces, days, most, allowed - {seller}, named, best)

    def _offers(self, pieces: Mapping[str, int]) -> Iterator[Offer | Bundle]:
        """Offers and bundles that may bring any of the pieces."""
        return (offer for part in pieces for offer in sources_of(self, part) if offer)

    def _only(self, part: str) -> frozenset[str]:
        """The one seller who must be on the bill for a part's sake; empty where there are several, or where it may be
        in hand."""
        sellers = sellers_of(self, part)
        return sellers if len(sellers) == 1 and "" not in sellers else frozenset()

    def _open(self, pieces: Mapping[str, int], sellers: frozenset[str] | None, days: int | None) -> Orders:
        """The cheapest orders from the offers of some sellers, and of at most so many days."""

        def open_(offer: Offer | Bundle | None) -> bool:
            return offer is None or (
                (sellers is None or offer.seller in sellers) and (days is None or days_of(offer) <= days)
            )

        def of(priced: Priced) -> Priced:
            tariff = priced.sources()
            left = tuple(source for source in tariff.sources if open_(source.offer))
            return priced if len(left) == len(tariff.sources) else replace(priced, tariff=Tariff(left, tariff.spare))

        kits = tuple(kit for kit in self.kits if open_(kit.bundle))
        prices = {part: of(self.prices[part]) for part in pieces}
        return PriceBook(prices, {}, kits, self.scale, self.weights).orders(pieces)


def sources_of(book: PriceBook, part: str) -> Iterator[Offer | Bundle | None]:
    """What may bring a part: its offers, bundles with it, None for what is in hand."""
    yield from (source.offer for source in book.prices[part].sources().sources)
    yield from (kit.bundle for kit in book.kits if part in kit.parts)


def sellers_of(book: PriceBook, part: str) -> frozenset[str]:
    """Those who may bring a part; an empty name for what is in hand."""
    return frozenset(offer.seller if offer else "" for offer in sources_of(book, part))
