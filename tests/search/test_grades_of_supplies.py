"""Which grade of supplies is the best is said by the policy, not by its name: bound and pruning follow it."""

from __future__ import annotations

import pytest

from catalogs.errors import InputError
from constraints.policy import Policy
from constraints.request import Circuit
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.support.random_catalogs import scenario

SETTINGS = ("titanium_percent=60", "gold_percent=99", "platinum_percent=99", "platinum_percent=50")


def values(solver: Solver) -> list[tuple[int, int]]:
    front = solver.front()
    assert front.complete
    return [(point.found.parts_cents, point.found.row.perf.tenths) for point in front.points]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("seed", "amps"), [(1, 6), (4, 9)])
def test_fronts_on_a_circuit_are_those_of_cp_sat_alone(seed: int, amps: int, setting: str) -> None:
    catalog, request, _ = scenario(seed)
    request = request.model_copy(update={"circuit": Circuit(amps=amps, volts=230)})
    market = Market.open(catalog, request, Policy().with_settings([f"power.efficiency_{setting}"]))
    assert values(Solver(market)) == values(Solver(market, clever=False))


@pytest.mark.parametrize("grade", ["gold", "platinum", "titanium"])
def test_supplies_that_give_nothing_are_no_policy(grade: str) -> None:
    with pytest.raises(InputError, match="needs a number from 1 to"):
        Policy().with_settings([f"power.efficiency_{grade}_percent=0.9"])
