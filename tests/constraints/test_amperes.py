"""What a supply takes through its inlet, cord and outlet when the spare ones have failed."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind, Platform, Psu
from constraints.build import PsuBank
from constraints.physics.circuits import region_of
from constraints.physics.couplers import coupler_centiamps, standard_in
from constraints.physics.markets import region_at
from constraints.policy import Policy
from constraints.request import Circuit, Request
from constraints.rules import power
from constraints.rules.power import cords_limit_w
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.conftest import AS_OF
from tests.support.long import one_in
from tests.support.oracle import EFFICIENCY, Oracle
from tests.support.random_catalogs import scenario
from tests.support.scenes import Scene, bank, changed, load_w, scene, verdicts

POLICY = Policy().with_settings(["power.line_volts=230"])


@pytest.mark.parametrize(
    ("inlet", "volts", "amps"),
    [("C14", 230, 10), ("C14", 231, 10), ("C14", 220, 10), ("C14", 208, 12), ("C14", 120, 12), ("C14", 240, 12),
     ("C14", 100, 10), ("C14", 200, 10), ("C14", 160, 10), ("C20", 230, 16), ("C20", 208, 16), ("C20", 120, 16)],
)  # fmt: skip
def test_ratings_by_line(inlet: str, volts: int, amps: int) -> None:
    """IEC's 10 and 16 A; on American lines 80 % of UL's 15 and 20."""
    assert coupler_centiamps(inlet, POLICY, region_of(volts)) == 100 * amps


def test_no_rating_for_an_inlet_that_nobody_states() -> None:
    supplies = PsuBank(6, 3, 5250, 0, "Titanium", None, False)
    europe = region_of(230)
    assert coupler_centiamps(None, POLICY, europe) is None and cords_limit_w(supplies, 230, POLICY, europe) is None
    assert standard_in(region_of(160)) == "IEC"


@pytest.mark.parametrize(
    ("market", "volts", "region"),
    [("UK", 240, "Europe"), ("UK", 230, "Europe"), ("US", 240, "North America"), ("US", 208, "North America"),
     ("EU", 240, "North America"), ("EU", 231, "Europe"), ("any", 240, "North America"), ("CN", 219, "China"),
     ("JP", 200, "Japan"), ("JP", 208, "North America"), ("US", 230, "Europe")],
)  # fmt: skip
def test_the_market_tells_regions_of_one_voltage_apart(market: Any, volts: int, region: str) -> None:
    """240 V of 415 is British in the UK: IEC's couplers, all of a breaker. Elsewhere it is taken as American."""
    found = region_at(volts, Request(model="r1-671b", as_of=AS_OF, market=market))
    assert found is not None and found.name == region
    amps = {"North America": 12, "Europe": 10, "China": 10, "Japan": 10}[region]
    assert coupler_centiamps("C14", POLICY, found) == 100 * amps


@pytest.mark.parametrize(
    ("watts", "needed", "volts", "limit"),
    # 16 A x 230 V x 94 % = 3,459.2 W a supply, at 208 V 3,128.3: six of 5,250 W, 3+3, carry three times that.
    [(5250, 3, 230, 10_377), (5250, 3, 208, 9_384), (3000, 4, 208, 12_513)],
)
def test_what_cords_of_eight_gpu_servers_carry(watts: int, needed: int, volts: int, limit: int) -> None:
    supplies = PsuBank(6, needed, watts, 0, "Titanium", "C20", False)
    assert cords_limit_w(supplies, volts, POLICY, region_of(volts)) == limit


def taken_a(s: Scene, volts: int = 230) -> Fraction:
    """Amperes of a supply of those that are left."""
    psu, _, needed = bank(s)
    return Fraction(100 * load_w(s), needed * EFFICIENCY[psu.efficiency] * volts)


def strong(s: Scene) -> Catalog:
    """The scene's catalog with supplies that carry anything: cords alone are left to bind."""
    psu = s.one(Psu)[0]
    catalog = s.market.catalog
    for column in ("watts", "watts_low_line"):
        catalog = changed(catalog, catalog.parts[psu.id], column, 20_000)
    return catalog


@pytest.mark.parametrize("name", ("tower", "systems", "board", "two racks", "own racks", "towers"))
def test_check_and_certificate_at_the_edge(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    s = scene(name)
    catalog, inlet = strong(s), s.one(Psu)[0].inlet.lower()
    # The least whole rating that carries it; of a rating one lower it would take more.
    amps = -(-taken_a(s).numerator // taken_a(s).denominator)
    inside = POLICY.with_settings([f"power.coupler_{inlet}_iec_amps={amps}"])
    assert verdicts(s, catalog, s.market.request, inside, s.case.build) == (set(), True)
    if amps > 1:
        outside = POLICY.with_settings([f"power.coupler_{inlet}_iec_amps={amps - 1}"])
        assert verdicts(s, catalog, s.market.request, outside, s.case.build) == ({"power"}, False)
        # A certificate that does not know of cords holds what check rejects.
        monkeypatch.setattr(
            power, "node_limit_w", lambda bank, volts, policy, _: power.bank_limit_w(bank, volts, policy)
        )
        assert verdicts(s, catalog, s.market.request, outside, s.case.build) == ({"power"}, True)


@pytest.mark.parametrize("name", ("circuit", "systems", "board", "two racks", "own racks"))
def test_an_inlet_that_nobody_states_is_not_judged(name: str) -> None:
    """It needs no cord, takes no outlet, fails nothing, and a warning says so; a cord is of no use to it."""
    s = scene(name)
    catalog = changed(strong(s), strong(s).parts[s.one(Psu)[0].id], "inlet", None)
    policy = POLICY.with_settings(
        [f"power.coupler_{kind}_amps=1" for kind in ("c14_iec", "c20_iec", "c14_ul", "c20_ul")]
    )
    cords = {part for part in s.case.build.node if catalog.parts[part].kind == Kind.CABLE}
    bare = replace(s.case.build, node={x: q for x, q in s.case.build.node.items() if x not in cords})
    request = s.market.request
    assert verdicts(s, catalog, request, policy, bare) == (set(), True)
    market = Market.open(catalog, request, policy)
    found = power.Power().check(market.case(bare, s.row.plan, s.row.key))
    said = next(check for check in found if check.unit == "A")
    assert (said.status, said.limit) == ("warn", None) and "not judged" in said.text
    if cords:
        assert not verdicts(s, catalog, request, policy, s.case.build)[1]


def with_supplies(catalog: Catalog, more_w: int = 0, **columns: Any) -> Catalog:
    """The catalog with other figures of every supply, and chassis that draw more and carry off any heat."""
    for part in catalog.of(Kind.PSU):
        for column, value in columns.items():
            catalog = changed(catalog, catalog.parts[part.id], column, value)
    for part in catalog.of(Kind.PLATFORM, Kind.SYSTEM) if more_w else ():
        assert isinstance(part, Platform)
        catalog = changed(catalog, part, "overhead_w", part.overhead_w + more_w)
        if part.kind == Kind.PLATFORM:
            catalog = changed(catalog, catalog.parts[part.id], "system_max_w", None)
    return catalog


MORE_W = 1300
"""So much more brings some builds of the random catalogs over what a C14 inlet carries."""


@pytest.mark.parametrize("seed", one_in(13, range(60)))
@pytest.mark.parametrize("volts", [230, 208, 200])
def test_front_equals_brute_force(seed: int, volts: int) -> None:
    """Supplies that carry anything: what their cords carry decides."""
    catalog, request, ask = scenario(seed)
    catalog = with_supplies(catalog, MORE_W, watts=20_000, watts_low_line=20_000)
    request = request.model_copy(update={"circuit": Circuit(amps=500, volts=volts)})
    ask = replace(ask, circuit=(500, volts))
    values = front(catalog, request)
    assert values == Oracle(catalog, ask, 2 if seed % 6 >= 3 else 1).front()


@pytest.mark.parametrize("seed", one_in(11, range(40)))
def test_front_without_stated_inlets_equals_brute_force(seed: int) -> None:
    catalog, request, ask = scenario(seed)
    catalog = with_supplies(catalog, inlet=None)
    assert front(catalog, request) == Oracle(catalog, ask, 2 if seed % 6 >= 3 else 1).front()


def front(catalog: Catalog, request: Any, policy: Policy = POLICY) -> list[tuple[int, int]]:
    """(cents, 0.1 tok/s) of the front, which is proven complete."""
    found = Solver(Market.open(catalog, request, policy)).front()
    assert found.complete
    return [(point.found.parts_cents, point.found.row.perf.tenths) for point in found.points]


def test_cords_decide_somewhere() -> None:
    """Of the catalogs above some have another front for what cords carry."""
    carry_all = POLICY.with_settings([f"power.coupler_c14_{standard}_amps=63" for standard in ("iec", "ul")])
    moved = 0
    for seed in range(0, 60, 4):
        catalog, request, _ = scenario(seed)
        catalog = with_supplies(catalog, MORE_W, watts=20_000, watts_low_line=20_000)
        moved += front(catalog, request) != front(catalog, request, carry_all)
    assert moved >= 2
