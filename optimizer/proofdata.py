"""The proof's record as data of the result contract, and back again. No solver here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from constraints.policy import Policy
from constraints.request import Request
from constraints.totals import most_parts_cents
from optimizer.front import Closed, Front, Step
from optimizer.market import Market
from optimizer.text.minor_units import minor, money

SOLVER = "OR-tools CP-SAT 9.15"
PARAMETERS = {"linearization_level": 1, "random_seed": 0, "cp_model_presolve": 0}
"""CP-SAT's parameters, the number of workers aside: the answer does not depend on it.

Presolve is off: that of 9.15 calls models infeasible that are not, where support by category makes costs large
multiples (its search for linear constraints within others; tests/test_certificate.py has one). Without it the proof
takes no longer."""
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


def staircase(points: Sequence[tuple[int, int]], request: Request, policy: Policy) -> tuple[Step, ...]:
    """What a front of points (0.1 tok/s, cents of parts) claims: nothing faster than one costs less than the next.

    Only a front in money carries it."""
    if request.cost_axis != "money":
        return ()
    top = limit_cents(request, policy, points[0][1] if points else None)
    above = [(request.throughput_tenths or 1) - 1, *(t for t, _ in points)]
    return () if top is None else tuple(map(Step, above, [*(c for _, c in points), top + 1]))


def steps_data(steps: Iterable[Step], currency: str) -> list[dict[str, Any]]:
    """The `staircase` of a proof."""
    return [{"faster_than_tok_s": s.faster_than / 10, "below": money(s.below, currency)} for s in steps]


def proof_data(market: Market, front: Front, scope: str, seconds: Mapping[str, float]) -> dict[str, Any]:
    """The `proof` of a result."""
    currency = market.request.currency
    status = "infeasible" if not front.points and front.complete else "optimal" if front.complete else "feasible"
    return {
        "status": status,
        "complete": front.complete,
        "scope": scope,
        "solver": SOLVER,
        "families": {
            "closed_by_bound": front.closed_by_bound,
            "closed_by_cp_sat": front.closed_by_cp_sat,
            "each": [
                {
                    "gpu": c.gpu,
                    "per_node": c.per_node,
                    "closed_by": c.by,
                    "least": [money(x, currency) for x in c.least],
                }
                for c in front.record
            ],
        },
        "seconds": {k: round(v, 3) for k, v in seconds.items()},
        "version": version("ortools"),
        "parameters": parameters(market),
        "staircase": steps_data(front.stairs, currency),
    }


def read_record(proof: Mapping[str, Any], currency: str) -> tuple[tuple[Step, ...], tuple[Closed, ...]]:
    """The staircase and the families of a stored proof; raises ValueError for money that is none."""
    steps = tuple(Step(round(10 * s["faster_than_tok_s"]), minor(s["below"], currency)) for s in proof["staircase"])
    families = tuple(
        Closed(
            f["gpu"],
            f["per_node"],
            f["closed_by"],
            tuple(minor(x, currency) for x in f["least"]),
        )
        for f in proof["families"]["each"]
    )
    return steps, families
