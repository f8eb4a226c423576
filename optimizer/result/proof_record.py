"""The proof's record as data of the result contract, and back again. No solver here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from optimizer.market.market import Market
from optimizer.search.front import Closed, Front, Refused, RefusedPart, Step
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
            "each": [_closed_data(closed, currency) for closed in front.record],
            **_parts_data(front.refused_parts),
        },
        "seconds": {k: round(v, 3) for k, v in seconds.items()},
        "version": version("ortools"),
        "parameters": parameters(market),
        "staircase": steps_data(front.stairs, currency),
    }


def _closed_data(closed: Closed, currency: str) -> dict[str, Any]:
    data: dict[str, Any] = {
        "gpu": closed.gpu,
        "per_node": closed.per_node,
        "closed_by": closed.by,
        "least": [money(each, currency) for each in closed.least],
    }
    # A result that was saved before this was kept is made anew without it.
    return data if closed.refused is None else {**data, "refused": [_refused_data(each) for each in closed.refused]}


def _parts_data(parts: tuple[RefusedPart, ...] | None) -> dict[str, Any]:
    if parts is None:
        return {}
    return {"refused_parts": [{"part": refused.part, "rule": refused.rule, "reason": refused.why} for refused in parts]}


def _refused_data(refused: Refused) -> dict[str, Any]:
    return {
        "of": refused.of,
        "rule": refused.rule,
        "reason": refused.why,
        "number": refused.number,
        "platforms": list(refused.platforms),
    }


def read_refused_parts(proof: Mapping[str, Any]) -> tuple[RefusedPart, ...] | None:
    """The parts of a stored proof that no platform takes; None where it does not say them."""
    stored = proof["families"].get("refused_parts")
    return None if stored is None else tuple(RefusedPart(row["part"], row["rule"], row["reason"]) for row in stored)


def read_record(proof: Mapping[str, Any], currency: str) -> tuple[tuple[Step, ...], tuple[Closed, ...]]:
    """The staircase and the families of a stored proof; raises ValueError for money that is none."""
    steps = tuple(
        Step(round(10 * step["faster_than_tok_s"]), minor(step["below"], currency)) for step in proof["staircase"]
    )
    families = tuple(
        Closed(
            family["gpu"],
            family["per_node"],
            family["closed_by"],
            tuple(minor(amount, currency) for amount in family["least"]),
            _read_refused(family.get("refused")),
        )
        for family in proof["families"]["each"]
    )
    return steps, families


def _read_refused(stored: list[Mapping[str, Any]] | None) -> tuple[Refused, ...] | None:
    if stored is None:
        return None
    return tuple(
        Refused(row["of"], row["rule"], row["reason"], row["number"], tuple(row["platforms"])) for row in stored
    )
