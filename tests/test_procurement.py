"""Procurement limits and cost axes: the front against brute force, limits at their edge, lists with faults."""

from __future__ import annotations

from typing import Any

import pytest

from constraints.policy import Policy
from optimizer.market import Market
from optimizer.pareto import Solver
from tests.oracle import Oracle
from tests.random_procurement import AXES, WISHES, procurement_scenario
from tests.test_oracle import nodes_tried

CASES = [(3 * i + j, wish, AXES[(i + j) % 4]) for i, wish in enumerate(WISHES) for j in range(8)]


def values(solver: Solver) -> list[tuple[int, int]]:
    """(cost on the axis, 0.1 tok/s) of the proven front."""
    front = solver.front()
    assert front.complete
    return [(p.found.cost, p.found.row.perf.tenths) for p in front.points]


def brute(seed: int, wish: str, catalog: Any, ask: Any) -> Oracle:
    return Oracle(catalog, ask, 1 if wish in ("estimated", "share") else nodes_tried(seed))


@pytest.mark.parametrize(("seed", "wish", "axis"), CASES)
def test_front_equals_brute_force(seed: int, wish: str, axis: str) -> None:
    catalog, request, ask = procurement_scenario(seed, wish, axis)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market)) == brute(seed, wish, catalog, ask).front()


@pytest.mark.parametrize(("seed", "wish", "axis"), CASES[::3])
def test_cp_sat_alone_finds_the_same_front(seed: int, wish: str, axis: str) -> None:
    catalog, request, _ = procurement_scenario(seed, wish, axis)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market, clever=False)) == values(Solver(market))
