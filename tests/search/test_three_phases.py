"""Circuits of three phases: how they are written, what they carry, what supplies on them see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from catalogs.errors import InputError
from constraints.physics.circuits import circuit_words, region_of, standard
from constraints.policy import Policy
from constraints.request import Circuit, Request
from constraints.rules.power import circuit_limit_w
from optimizer.market.market import Market
from optimizer.request import parsing
from optimizer.search.solver import Solver
from tests.conftest import AS_OF
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.random_catalogs import scenario


def of(text: str) -> Circuit:
    found = parsing.circuit({"circuit": text})
    assert found is not None
    return Circuit(**found)


@pytest.mark.parametrize(
    ("text", "seen", "kva"),
    [("32A@400V3", 231, 22.17), ("32A@415V3", 240, 23.00), ("63A@380V3", 219, 41.47), ("30A@208v3", 208, 10.81),
     ("60A@200V3", 200, 20.78), ("16A@230V", 230, 3.68)],
)  # fmt: skip
def test_what_supplies_see_and_what_it_carries(text: str, seen: int, kva: float) -> None:
    """kVA by hand: sqrt(3) x line voltage x A."""
    circuit = of(text)
    assert circuit.supply_volts == seen
    assert circuit.volt_amps == pytest.approx(kva * 1000, abs=5)
    # A breaker carries all of its current for hours in Europe and China; 240 V might be American.
    percent = 100 if circuit.supply_volts in (219, 230, 231) else 80
    assert (
        circuit_limit_w(circuit, Request(model="r1-671b", as_of=AS_OF), Policy()) == circuit.volt_amps * percent // 100
    )


@pytest.mark.parametrize("text", ["16A@400V", "60A@480V3", "16A@277V"])
def test_a_voltage_that_no_supply_takes_is_refused(text: str) -> None:
    with pytest.raises(InputError) as said:
        of(text)
    fault = said.value.faults[0]
    assert (fault.code, fault.value) == ("bad-circuit", text) and "264 V" in fault.text
    amps, _, rest = text.partition("A@")
    with pytest.raises(ValidationError):
        Circuit(amps=int(amps), volts=int(rest.partition("V")[0]), phases=3 if rest.endswith("3") else 1)


def test_in_the_uk_all_of_a_breaker_of_415_v_may_be_drawn() -> None:
    circuit = of("32A@415V3")
    british, american = (Request(model="r1-671b", as_of=AS_OF, market=market) for market in ("UK", "US"))
    assert circuit_limit_w(circuit, british, Policy()) == circuit.volt_amps == 23_001
    assert circuit_limit_w(circuit, american, Policy()) == 18_400


def test_the_way_out_is_a_larger_circuit_of_three_phases() -> None:
    circuit = of("16A@400V3")
    sizes = standard(circuit, region_of(circuit.supply_volts))
    assert [x.amps for x in sizes[0]] == [20, 25, 32, 40, 50, 63, 80, 100, 125] and len(sizes) == 1
    assert {(x.volts, x.phases) for x in sizes[0]} == {(400, 3)}
    assert circuit_words(sizes[0][0]) == "20 A at 400 V, three-phase"


@pytest.mark.parametrize("seed", one_in(11, range(40)))
@pytest.mark.parametrize(("amps", "volts", "market"), [(4, 400, None), (5, 208, None), (9, 200, None), (4, 415, "UK")])
def test_front_equals_brute_force(seed: int, amps: int, volts: int, market: Any) -> None:
    catalog, request, ask = scenario(seed)
    circuit = Circuit(amps=amps, volts=volts, phases=3)
    request = request.model_copy(update={"circuit": circuit, "market": market})
    ask = replace(ask, circuit=(amps, volts), three_phases=True, british=market == "UK")
    front = Solver(Market.open(catalog, request, Policy())).front()
    assert front.complete
    values = [(point.found.parts_cents, point.found.row.perf.tenths) for point in front.points]
    assert values == Oracle(catalog, ask, 2 if seed % 6 >= 3 else 1).front()
