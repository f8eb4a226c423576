"""What a proof is made with: CP-SAT's parameters, how far up a front goes, and what it claims lies under no build."""

from __future__ import annotations

from collections.abc import Sequence

from constraints.policy import Policy
from constraints.prices.totals import most_parts_cents
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.search.front import Step

SOLVER = "OR-tools CP-SAT 9.15"
PARAMETERS = {"linearization_level": 1, "random_seed": 0, "cp_model_presolve": 0}
"""CP-SAT's parameters, the number of workers aside: the answer does not depend on it.

Presolve is off: that of 9.15 calls models infeasible that are not, where support by category makes costs large
multiples (its search for linear constraints within others; tests/search/test_certificate.py has one). Without it the
proof takes no longer."""
BY_OFFERS = {**PARAMETERS, "linearization_level": 2}
"""Those where offers are chosen for the whole build (limits on sellers and shares): products of choices and sums are
seen by the linear relaxation too; single rows are proven up to 150 times faster, the others in about the same time."""
STEPPED = {**PARAMETERS, "linearization_level": 2, "search_branching": 5}
"""Those where prices depend on quantity (a portfolio with quick restarts): 10 to 100 times faster there."""
SPAN = 3
"""Without a budget the front goes to three times the cheapest cost (SEMANTICS)."""


def parameters(market: Market) -> dict[str, int]:
    """CP-SAT's parameters for the market's prices and limits."""
    if market.book.by_quantity:
        return dict(STEPPED)
    return dict(BY_OFFERS if market.request.picks_offers else PARAMETERS)


def limit_cents(request: Request, policy: Policy, cheapest: int | None) -> int | None:
    """Most cents of parts that a point of the front may cost; None when neither budget nor cheapest point says."""
    if request.budget_cents is not None:
        return most_parts_cents(request.budget_cents, policy)
    return None if cheapest is None else SPAN * cheapest


def staircase_steps(points: Sequence[tuple[int, int]], request: Request, policy: Policy) -> tuple[Step, ...]:
    """What a front of points (0.1 tok/s, cents of parts) claims: nothing faster than one costs less than the next.

    Only a front in money carries it."""
    if request.cost_axis != "money":
        return ()
    cheapest = points[0][1] if points else None
    top = limit_cents(request, policy, cheapest)
    if top is None:
        return ()
    # The first step speaks of all that is fast enough, the last of what is faster than every point. What is faster than
    # a point is no cheaper than the next one and, beyond the last, not within the limit itself.
    faster_than = [(request.throughput_tenths or 1) - 1, *(tenths for tenths, _ in points)]
    below = [*(cents for _, cents in points), top + 1]
    return tuple(map(Step, faster_than, below))
