"""The best build of each model within one budget: what to run on money that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.errors import InputError
from catalogs.llm import Llm
from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.request.load import with_load
from optimizer.result.answer import solve
from optimizer.result.contract import point as point_data
from optimizer.result.schema import BestBuild
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.solver import Solver
from optimizer.sizing.report import families
from optimizer.throughput.calibration import Calibration


def best_builds(
    catalog: Catalog, request: Request, policy: Policy, calibration: Calibration, everything: bool, clock: Clock,
) -> Iterator[BestBuild | None]:  # fmt: skip
    """Per model, the largest first: its recommended point, proven; or what it costs at least where the budget is too
    small. Models with the same figures are solved once. None, and no more, when the clock ends between two models."""
    for llm, same in families(everything, with_modules=bool(request.speculate)):
        try:
            clock.left()
        except TimeUp:
            yield None
            return
        asked = request.model_copy(update={"model": llm.id})
        try:
            data = solve(catalog, asked, policy, None, calibration, clock).data
        except InputError as e:
            yield _line(llm, same, None, "infeasible", None, e.faults[0].text)
            continue
        status = data["proof"]["status"]
        point = next((point for point in data["front"] if point["id"] == data["recommended"]), None)
        least = None
        if point is None and status == "infeasible" and request.budget_cents is not None and clock.deadline is None:
            least = _least(catalog, asked, policy, calibration, clock)
        yield _line(llm, same, point, status, least, "" if point else "no build within these conditions")


def _least(catalog: Catalog, request: Request, policy: Policy, calibration: Calibration, clock: Clock) -> str | None:
    """Cost of the cheapest build without the budget; None where there is none, or the clock was stopped."""
    market = Market.open(
        catalog, with_load(request, policy).model_copy(update={"budget_cents": None}), policy, calibration
    )
    solver = Solver(market, clock=clock)
    try:
        found = solver.cheapest()
    except TimeUp:
        return None
    if found is None:
        return None
    cost: str = point_data(market, solver.point(found), "p1")["cost"]["total"]
    return cost


def _line(
    llm: Llm, same: list[str], point: dict[str, Any] | None, status: str, least: str | None, reason: str
) -> BestBuild:
    facts = {
        "model": {"id": llm.id, "name": llm.name, "note": llm.note, "source": llm.source},
        "same": same,
        "params_total": llm.params_total,
        "status": status,
        "point": point,
        "least_cost": least,
        "reason": reason,
    }
    return BestBuild.model_validate(facts)
