"""Circuits of three phases: how they are written, what they carry, what supplies on them see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from catalogs.errors import InputError
from constraints.physics.circuits import circuit_words, standard
from constraints.policy import Policy
from constraints.request import Circuit
from constraints.rules.power import circuit_limit_w
from optimizer.market.market import Market
from optimizer.request import parsing
from optimizer.search.solver import Solver
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
    assert circuit_limit_w(circuit, Policy()) == circuit.volt_amps * percent // 100


@pytest.mark.parametrize("text", ["16A@400V", "60A@480V3", "16A@277V"])
def test_a_voltage_that_no_supply_takes_is_refused(text: str) -> None:
    with pytest.raises(InputError) as said:
        of(text)
    fault = said.value.faults[0]
    assert (fault.code, fault.value) == ("bad-circuit", text) and "264 V" in fault.text
    amps, _, rest = text.partition("A@")
    with pytest.raises(ValidationError):
        Circuit(amps=int(amps), volts=int(rest.partition("V")[0]), phases=3 if rest.endswith("3") else 1)


def test_the_way_out_is_a_larger_circuit_of_three_phases() -> None:
    sizes = standard(of("16A@400V3"))
    assert [x.amps for x in sizes[0]] == [20, 25, 32, 40, 50, 63, 80, 100, 125] and len(sizes) == 1
    assert {(x.volts, x.phases) for x in sizes[0]} == {(400, 3)}
    assert circuit_words(sizes[0][0]) == "20 A at 400 V, three-phase"


@pytest.mark.parametrize("seed", one_in(5, range(40)))
@pytest.mark.parametrize(("amps", "volts"), [(4, 400), (5, 208), (9, 200)])
def test_front_equals_brute_force(seed: int, amps: int, volts: int) -> None:
    catalog, request, ask = scenario(seed)
    request = request.model_copy(update={"circuit": Circuit(amps=amps, volts=volts, phases=3)})
    ask = replace(ask, circuit=(amps, volts), three_phases=True)
    front = Solver(Market.open(catalog, request, Policy())).front()
    assert front.complete
    values = [(point.found.parts_cents, point.found.row.perf.tenths) for point in front.points]
    assert values == Oracle(catalog, ask, 2 if seed % 6 >= 3 else 1).front()
