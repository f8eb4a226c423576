"""Brute force that keeps every build's pieces, so that one enumeration answers for any prices."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache, cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import Kind
from constraints.request import Request
from tests.search.test_oracle import nodes_tried
from tests.support.oracle import Built, Oracle, Speeds
from tests.support.random_catalogs import scenario

Ints = NDArray[np.int64]
SEEDS = (0, 12, 26, 43, 49, 50)
"""Random catalogs with builds, all of which brute force finds in some 2 s."""


@dataclass(eq=False)
class EveryBuild(Oracle):
    """All admissible builds of a catalog whatever they cost: pieces -> 0.1 tok/s."""

    speed: dict[frozenset[tuple[str, int]], int] = field(default_factory=dict)

    def _record(self, built: Built, broken: set[str], speeds: Speeds) -> None:
        tenths = dict(speeds)[""]
        if broken or tenths <= 0:
            return
        all_ = Counter(built.shared)
        for x, q in built.node.items():
            all_[x] += built.nodes * q
        inside = {c.part for x in built.node for c in getattr(self.catalog.parts[x], "contents", ())}
        chips = {p.gpu for x in {*all_, *inside} if (p := self.catalog.parts[x]).kind == Kind.GPU_BOARD}
        if any(self.offer[x] is None for x in all_) or any(x in self.ask.exclude for x in {*all_, *inside, *chips}):
            return
        if any(x not in all_ and x not in inside for x in self.ask.include):
            return
        key = frozenset((+all_).items())
        self.speed[key] = max(tenths, self.speed.get(key, 0))

    @cached_property
    def parts(self) -> list[str]:
        return sorted({x for key in self.speed for x, _ in key})

    @cached_property
    def pieces(self) -> Ints:
        """[builds, parts]"""
        at = {x: i for i, x in enumerate(self.parts)}
        out = np.zeros((len(self.speed), len(at)), dtype=np.int64)
        for row, key in enumerate(self.speed):
            for x, q in key:
                out[row, at[x]] = q
        return out

    @cached_property
    def tenths(self) -> Ints:
        return np.array(list(self.speed.values()), dtype=np.int64)

    def costs(self, cents: Mapping[str, int]) -> Ints:
        """[builds] cents at these unit prices."""
        return self.pieces @ np.array([cents[x] for x in self.parts], dtype=np.int64)

    def recommended(self, cents: Mapping[str, int], budget: int | None, floor: int = 1) -> tuple[int, int] | None:
        """(cents, 0.1 tok/s): the fastest within a budget, and of these the cheapest; without one the cheapest, and of
        these the fastest."""
        cost = self.costs(cents)
        fine = (self.tenths >= floor) & (cost <= (budget if budget is not None else 2**60))
        found = list(zip(cost[fine].tolist(), self.tenths[fine].tolist(), strict=True))
        if not found:
            return None
        return min(found, key=lambda p: (-p[1], p[0]) if budget is not None else (p[0], -p[1]))

    def regrets(self, today: Mapping[str, int], high: Mapping[str, int], k: int, floor: int) -> Ints:
        """[builds at least as fast as `floor`] the largest regret over all sets of up to `k` parts at their high."""
        fast = self.tenths >= floor
        base, pieces = self.costs(today)[fast], self.pieces[fast]
        worst = base - base.min()
        more = {i: pieces[:, i] * (high[x] - today[x]) for i, x in enumerate(self.parts) if high[x] > today[x]}
        for size in range(1, k + 1):
            for bad in combinations(more, size):
                cost = base + sum(more[i] for i in bad)
                np.maximum(worst, cost - cost.min(), out=worst)
        return worst


def unit_cents(catalog: Catalog, parts: Iterable[str]) -> dict[str, int]:
    """The cheapest offer of each part, of random catalogs in which all are new and of one day."""
    return {x: min(int(o.price * 100) for o in catalog.offers[x]) for x in parts}


@cache
def every_build(seed: int) -> EveryBuild:
    """The builds of a random catalog of one node or two, for any number of users."""
    catalog, _, ask = scenario(seed)
    return EveryBuild(catalog, replace(ask, users=None), nodes_tried(seed))


def at_other_prices(seed: int, draw: int) -> tuple[Catalog, Request]:
    """The catalog of a seed with prices drawn anew, closer to one another, and ends of its own for each offer; the
    request without users, with whom another build is recommended (tests/explanation/test_vary.py holds that)."""
    catalog, request, _ = scenario(seed)
    rng = random.Random(1000 * seed + draw)

    def drawn(o: Offer) -> Offer:
        price = (o.price * rng.randint(50, 250) / 100).quantize(Decimal("0.01"))
        low, high = rng.choice(((60, 140), (90, 105), (95, 250), (100, 100)))
        return o.model_copy(update={"price": price, "low": price * low / 100, "high": price * high / 100})

    offers = {x: tuple(map(drawn, of)) for x, of in catalog.offers.items()}
    return replace(catalog, offers=offers), request.model_copy(update={"users": None})
