"""The proof's record as data of the result contract, and back again. No solver here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from optimizer.market.market import Market
from optimizer.search.front import Closed, Front, Step
from optimizer.search.parameters import SOLVER, parameters
from optimizer.text.minor_units import minor, money


def steps_data(steps: Iterable[Step], currency: str) -> list[dict[str, Any]]:
    """The `staircase` of a proof."""
    return [{"faster_than_tok_s": step.faster_than / 10, "below": money(step.below, currency)} for step in steps]


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
