"""The build of least worst-case regret: bounds from below by scenarios known, from above by a build's worst one."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from optimizer.explanation.prices.regret import TODAY, RegretAxis, RegretMarket, Rises, Scenario
from optimizer.explanation.prices.reprice import priced
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.search.solver import Disagreement, Solver


@dataclass(frozen=True)
class Worst:
    """A build's largest regret in minor units, and the scenario of it; `at_most` is above it where time ended."""

    regret: int
    bad: Scenario
    at_most: int


class Regrets:
    """Scenarios of at most `k` risen prices, and what the best build of `first`'s throughput at least costs in each.

    `first` is the best build at today's prices."""

    def __init__(self, market: Market, rises: Rises, first: Found, k: int, clock: Clock, judged: GpuRows) -> None:
        self.market, self.rises, self.k, self.clock, self.judged = market, rises, k, clock, judged
        self.floor = first.row.perf.tenths
        self.base = market.asking(throughput_tenths=self.floor, budget_cents=None)
        self.first = first
        self.best: dict[Scenario, int] = {TODAY: first.parts_cents}
        self.pool: list[dict[str, int]] = [dict(first.build.total())]
        self._worst: dict[tuple[tuple[str, int], ...], Worst] = {}

    def least(self) -> tuple[Found, int, int]:
        """(build of least worst regret, minor units that no build's regret falls below, rounds)."""
        best, at_least, rounds = self.first, 0, 0
        limit = self.worst(best).at_most
        try:
            while at_least < limit:
                self.clock.left()
                rounds += 1
                # Over the scenarios known so far a build's worst regret is a bound from below: its least over all
                # builds is one of the answer. The scenario in which that build loses most is then known too, so that
                # every round raises the bound, improves the best build or proves it.
                axis = RegretAxis(self.rises, self.best)
                asked = self.market.asking(throughput_tenths=self.floor)
                solver = Solver(RegretMarket.of(asked, axis), clock=self.clock, judged=self.judged)
                found = solver.cheapest(limit - 1)
                if found is None:
                    return best, limit, rounds
                solver.point(found)  # every rule once more
                at_least = max(at_least, found.cost)
                if (worst := self.worst(found)).at_most < limit:
                    best, limit = found, worst.at_most
        except TimeUp:
            pass
        return best, min(at_least, limit), rounds

    def worst(self, found: Found) -> Worst:
        """The scenario in which a build loses most; scenarios are looked at in the order of their bounds."""
        pieces = found.build.total()
        key = tuple(sorted(pieces.items()))
        if key not in self._worst:
            self._worst[key] = self._search(pieces)
        return self._worst[key]

    def _search(self, pieces: Mapping[str, int]) -> Worst:
        rise = {p: self.rises.cost(pieces, frozenset({p})) for p in sorted(pieces) if p in self.rises.cents}
        cost = {
            frozenset(bad): self.rises.cost(pieces, frozenset(bad))
            for size in range(min(self.k, len(rise)) + 1)
            for bad in combinations(rise, size)
        }
        regret, worst = cost[TODAY] - self.best[TODAY], TODAY
        heap = [(self.best[TODAY] - c, sorted(bad), bad) for bad, c in cost.items() if bad]
        heapq.heapify(heap)
        try:
            while heap and -heap[0][0] > regret:
                # The scenario whose regret may be largest; its bound may be stale, for more costs are known by now.
                bound, name, bad = heapq.heappop(heap)
                fresh = cost[bad] - self._at_least(bad)
                if fresh < -bound:
                    heapq.heappush(heap, (-fresh, name, bad))
                    continue
                # The least cost of a smaller scenario bounds all that hold it: it is asked for first.
                smaller = bad - {min(bad, key=lambda p: (rise[p], p))}
                if smaller not in self.best:  # bounds all that hold it
                    heapq.heappush(heap, (bound, name, bad))
                    bad = smaller
                if (loss := cost[bad] - self.best_in(bad)) > regret:
                    regret, worst = loss, bad
        except TimeUp:
            return Worst(regret, worst, max(regret, *(-b for b, *_ in heap), fresh))
        return Worst(regret, worst, regret)

    def _at_least(self, bad: Scenario) -> int:
        """Minor units below which no build of a scenario lies: the least of any smaller one that is known."""
        if bad in self.best:
            return self.best[bad]
        smaller = (frozenset(x) for size in range(len(bad)) for x in combinations(sorted(bad), size))
        return max(self.best[x] for x in smaller if x in self.best)

    def best_in(self, bad: Scenario) -> int:
        """The least cost of a scenario, proven. Raises TimeUp."""
        if bad in self.best:
            return self.best[bad]
        known = min(self.rises.cost(pieces, bad) for pieces in self.pool)
        if known > self._at_least(bad):
            self.clock.left()
            high = {p: self.market.book.prices[p].cents + self.rises.cents[p] for p in bad}
            solver = Solver(priced(self.base, high), clock=self.clock, judged=self.judged)
            if found := solver.cheapest(known - 1):
                solver.point(found)
                pieces = dict(found.build.total())
                if self.rises.cost(pieces, bad) != found.cost:
                    raise Disagreement(f"{found.cost} for {found.build} with {sorted(bad)} at their high")
                self.pool.append(pieces)
                known = found.cost
        self.best[bad] = known
        return known
