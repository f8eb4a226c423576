"""Fronts where prices depend on quantity: against brute force, and nothing pruned against everything pruned."""

from __future__ import annotations

import pytest

from constraints.policy import Policy
from optimizer.market import Market
from optimizer.pareto import Solver
from tests.price_oracle import PriceOracle
from tests.price_terms import priced_scenario
from tests.test_oracle import nodes_tried, values

CATALOGS = range(36)


@pytest.mark.parametrize("seed", CATALOGS)
def test_front_equals_brute_force(seed: int) -> None:
    catalog, request, ask, terms = priced_scenario(seed)
    found = values(Solver(Market.open(catalog, request, Policy())))
    assert found == PriceOracle(catalog, ask, nodes_tried(seed), terms=terms).front()


@pytest.mark.parametrize("seed", CATALOGS)
def test_pruned_equals_unpruned(seed: int) -> None:
    catalog, request, _, _ = priced_scenario(seed)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market, clever=False)) == values(Solver(market))
