"""What prices may do to an answer: fronts with every offer at its low and at its high, and the build that loses least
when a few prices turn bad (budgeted minimax regret), with its proof.

Scenarios: at most K parts at their high, the others at today's. The regret of a build in a scenario is what it costs
there above the cheapest build of the same throughput at least. Only its own parts turning bad can make a build look
bad, since others that rise raise the best build's cost alone; so its worst scenario is a subset of its parts, found by
best-first enumeration under the bound cost(S) - least(T) for a smaller T whose least cost is known. The build of least
regret over the scenarios known so far bounds the answer from below, the worst scenario of that build from above and
joins the known ones, until both meet.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from catalogs.errors import Fault, InputError
from optimizer.explanation.prices.bought import Bought, Change, bought, changes
from optimizer.explanation.prices.regret import Rises
from optimizer.explanation.prices.regret_search import Regrets
from optimizer.explanation.prices.reprice import End, at_end, high_basis, refuse
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.result.document import Text
from optimizer.result.recommended import recommended
from optimizer.result.strict import Strict
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.search.solver import Solver
from optimizer.text.minor_units import money

MOST_BAD = 6
"""Most prices that may turn bad at once: beyond, a build's scenarios are too many to enumerate."""


class PartRange(Strict):
    """Unit prices of a part, net, in the request's currency: what it costs where all its offers are at an end."""

    part: str
    low: str
    today: str
    high: str
    basis: Text = Field(description="where the high of today's offer comes from")


class EndFront(Strict):
    """The front with all offers at one end."""

    complete: bool
    points: tuple[Bought, ...]
    recommended: int | None = Field(description="index of the recommended point")


class Exposed(Strict):
    """A build at today's prices, and the scenario in which it loses most against the best build there."""

    build: Bought
    regret: str = Field(description="lines of the build above those of the best one, in that scenario")
    regret_at_most: str = Field(description="above `regret` only where time ended before its worst scenario was known")
    bad: tuple[str, ...] = Field(description="parts at their high in it; empty: today's prices are its worst")
    cost_there: str = Field(description="sum of its lines there")
    best_there: str = Field(description="least sum of lines there at the same throughput")


class RegretProof(Strict):
    """How the build of least regret was proven."""

    status: Literal["optimal", "feasible"] = Field(description="feasible: time ended before the bounds met")
    at_least: str = Field(description="no build has less regret than this")
    scenarios: int = Field(description="scenarios whose best build was found and proven")
    rounds: int
    seconds: float


class PriceRisk(Strict):
    """Prices at their ends, and the build of least regret. Money is a decimal string."""

    currency: str
    bad_prices: int
    low: EndFront
    high: EndFront
    recommended: Exposed | None = Field(description="None: no build meets the request today")
    least_regret: Exposed | None
    changes: tuple[Change, ...] = Field(default=(), description="from the recommended build to the one of least regret")
    ranges: tuple[PartRange, ...] = Field(description="of the parts of both")
    proof: RegretProof | None

    @property
    def complete(self) -> bool:
        """Whether the time sufficed to prove all of it."""
        return self.low.complete and self.high.complete and (self.proof is None or self.proof.status == "optimal")


def price_risk(market: Market, k: int | None = None, clock: Clock | None = None) -> PriceRisk:
    """Fronts at the ends of all prices, and the build of least regret when at most `k` parts (policy
    price_risk.bad_prices without) go to their high: among builds at least as fast as the recommended one, within the
    budget at today's prices. Ends: those of its
    band, as `--price` counts them (constraints/prices/states.py).

    Raises InputError where prices depend on quantity, on another cost axis, with limits on shares of the cost, and for
    `k` out of 1 to 6; TimeUp when the clock ends before the recommended build is proven."""
    k = market.policy.whole("price_risk.bad_prices") if k is None else k
    if not 1 <= k <= MOST_BAD:
        remedy = f"A number from 1 to {MOST_BAD}."
        raise InputError(Fault("bad-prices", "out of range", column="--bad-prices", value=str(k), remedy=remedy))
    refuse(market, "price risk", lambda: market.book.by_quantity)
    clock = clock or Clock()
    started, judged = time.perf_counter(), GpuRows.of_market(market)
    front = Solver(market, clock=clock, judged=judged).front()
    if not front.complete:
        raise TimeUp
    ends: dict[End, Market] = {"low": at_end(market, "low"), "high": at_end(market, "high")}
    fronts = {end: _front(m, clock, judged) for end, m in ends.items()}
    facts: dict[str, Any] = {"recommended": None, "least_regret": None, "ranges": (), "proof": None}
    if (chosen := recommended(market, front.points)) is not None:
        first = front.points[chosen].found
        search = Regrets(market, Rises(market.book, _rises(market, ends["high"])), first, k, clock, judged)
        best, at_least, rounds = search.least()
        a, b = _exposed(search, first), _exposed(search, best)
        facts = {"recommended": a, "least_regret": b, "changes": changes(a.build, b.build)}
        facts["ranges"] = tuple(_range(market, ends, p) for p in sorted({*a.build.parts, *b.build.parts}))
        facts["proof"] = RegretProof(
            status="optimal" if at_least == search.worst(best).at_most else "feasible",
            at_least=money(at_least, market.request.currency),
            scenarios=len(search.best),
            rounds=rounds,
            seconds=round(time.perf_counter() - started, 3),
        )
    low, high = fronts["low"], fronts["high"]
    return PriceRisk(currency=market.request.currency, bad_prices=k, low=low, high=high, **facts)


def _rises(market: Market, high: Market) -> dict[str, int]:
    """Minor units that a piece costs more at its high, of the parts where it does."""
    both = ((p, high.book.prices[p].cents - x.cents) for p, x in market.book.prices.items() if p in high.book.prices)
    return {p: more for p, more in both if more > 0}


def _front(market: Market, clock: Clock, judged: GpuRows) -> EndFront:
    front = Solver(market, clock=clock, judged=judged).front()
    return EndFront(
        complete=front.complete,
        points=tuple(bought(market, point.found) for point in front.points),
        recommended=recommended(market, front.points),
    )


def _exposed(search: Regrets, found: Found) -> Exposed:
    market, worst = search.market, search.worst(found)
    there = search.rises.cost(found.build.total(), worst.bad)
    currency = market.request.currency
    return Exposed(
        build=bought(market, found),
        regret=money(worst.regret, currency),
        regret_at_most=money(worst.at_most, currency),
        bad=tuple(sorted(worst.bad)),
        cost_there=money(there, currency),
        best_there=money(there - worst.regret, currency),
    )


def _range(market: Market, ends: Mapping[End, Market], part: str) -> PartRange:
    """What a piece costs at each end; it is in hand where no offer prices it."""
    kind, offer = market.catalog.parts[part].kind, market.book.prices[part].offer
    each = {end: money(m.book.prices[part].cents, market.request.currency) for end, m in ends.items()}
    return PartRange(
        part=part,
        today=money(market.book.prices[part].cents, market.request.currency),
        basis=high_basis(offer, kind, market) if offer else "in hand",
        **each,
    )
