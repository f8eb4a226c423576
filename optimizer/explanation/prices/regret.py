"""Regret as a cost axis: how much more a build costs than the best one in the worst of some price scenarios.

The solver that proves fronts in money then proves the build of least regret, with the same rules and the same bounds.
A scenario is a set of parts whose prices went to their high. Its best build may be any of enough throughput; today's
prices are the scenario of no part, so that a build of regret r costs at most today's least and r.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from catalogs.schema import Platform
from constraints.build import Case
from constraints.model.axis import MAX_COST, Axis
from constraints.model.family_model import Expr, FamilyModel
from constraints.prices.ordering import need
from constraints.prices.purchase import PriceBook
from optimizer.market.market import Market

Scenario = frozenset[str]
TODAY: Scenario = frozenset()


@dataclass
class Rises:
    """What a piece of each part costs more at its high than today: minor units, none of them 0."""

    book: PriceBook
    cents: Mapping[str, int]

    def cost(self, pieces: Mapping[str, int], bad: Scenario = TODAY) -> int:
        """Minor units of a build with the `bad` parts at their high: lines, spares and support by category."""
        book = self.book
        each = {p: book.prices[p].cents + (self.cents[p] if p in bad else 0) for p in pieces}
        return book.rounded(sum(book.bought(p, q) * each[p] * book.weight(p) for p, q in pieces.items()))


class RegretAxis:
    """The largest regret over the scenarios of `least`: scenario -> what the best build costs in it."""

    name, unit = "regret", ""

    def __init__(self, rises: Rises, least: Mapping[Scenario, int]) -> None:
        self.rises, self.least_cents = rises, dict(least)

    def encode(self, model: FamilyModel) -> Expr:
        book, regret = model.book, model.cp.new_int_var(0, MAX_COST, "regret")
        pieces: dict[str, Expr] = {}
        for part, terms in model.quantities().items():
            if part in self.risky and part in book.prices:
                tariff = book.prices[part].tariff
                pieces[part] = need(model, part, sum(terms), tariff.spare if tariff else (0, 1))[0]
        for bad, least in self.least_cents.items():
            dearer = sum(self.rises.cents[p] * book.weight(p) * pieces[p] for p in sorted(bad) if p in pieces)
            # what rounds to at most regret + least (PriceBook.scaled)
            model.cp.add(model.total_cents + dearer <= book.scale * (regret + least) + (book.scale + 1) // 2 - 1)
        return regret

    @cached_property
    def risky(self) -> frozenset[str]:
        """Parts that some scenario makes dearer."""
        return frozenset(p for bad in self.least_cents for p in bad)

    def measure(self, case: Case) -> int:
        pieces = case.build.total()
        return max(self.rises.cost(pieces, bad) - least for bad, least in self.least_cents.items())

    def least(self, nodes: int, platform: Platform, wall_w: int, cents: int, book: PriceBook) -> int:
        return max(0, nodes * cents - self.least_cents[TODAY])

    def share(self, watts: int, parts: Iterable[str], book: PriceBook) -> int:
        """All alike: the search then looks at the cheapest options first."""
        return 0


@dataclass
class RegretMarket(Market):
    """A market whose front ascends in regret."""

    regret: RegretAxis | None = field(default=None, kw_only=True)

    @classmethod
    def of(cls, market: Market, regret: RegretAxis) -> RegretMarket:
        """A market at today's prices; on another axis than money no part is left out for being no dearer."""
        request = market.request.model_copy(update={"cost_axis": "power"})
        m = market
        return cls(m.catalog, request, m.policy, m.llm, m.book, m.calibration, regret=regret)

    @property
    def prunes_by_price(self) -> bool:
        return False

    @cached_property
    def axis(self) -> Axis:
        assert self.regret is not None
        return self.regret

    def purse_at(self, cost: int) -> int:
        assert self.regret is not None
        return min(self.purse, self.regret.least_cents[TODAY] + cost)
