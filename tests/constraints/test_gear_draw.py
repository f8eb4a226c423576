"""What CDUs and rear doors draw enters every limit on power; a draw that nobody published is estimated, never 0."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from pydantic import ValidationError

from catalogs.load import Catalog, load
from catalogs.schema import DRIVEN, Cooling, Kind, Pdu, Switch
from constraints.build import computing_w, total_w
from constraints.physics.draw import gear_w
from constraints.policy import Policy
from constraints.rules.registry import findings
from optimizer.market.market import Market
from tests.support.scenes import Scene, air_w, changed, in_a_rack, scene, verdicts, wall_w

DRAW_W = 700
"""Watts of the CDU in the scenes below."""


def test_what_is_unknown_is_estimated_by_capacity() -> None:
    parts, policy = load().parts, Policy()
    known, unknown = parts["supermicro-lcs-scdu-250l4001-in-rack-cdu"], parts["boyd-in-rack-cdu-15u-10u"]
    assert isinstance(known, Cooling) and isinstance(unknown, Cooling)
    assert known.power_w == gear_w(known, policy) == 3000
    assert unknown.power_w is None and gear_w(unknown, policy) == 2000  # 2 % of 100 kW
    assert gear_w(unknown, policy.with_settings(["cooling.gear_draw_percent=3"])) == 3000


def test_the_estimate_is_no_less_than_what_any_unit_of_the_catalog_states() -> None:
    percent = Policy().whole("cooling.gear_draw_percent")
    stated = [x for x in load().of(Kind.COOLING) if isinstance(x, Cooling) and x.driven and x.power_w]
    assert len(stated) >= 4
    for unit in stated:
        assert unit.power_w and unit.capacity_w and unit.power_w <= percent * unit.capacity_w / 100, unit.id


def test_everything_that_is_driven_draws() -> None:
    for part in load().of(Kind.SWITCH, Kind.COOLING):
        assert isinstance(part, Switch | Cooling)
        if isinstance(part, Switch) or part.driven:
            assert gear_w(part, Policy()) > 0, part.id


@pytest.mark.parametrize("role", DRIVEN)
@pytest.mark.parametrize("fields", [{"power_w": 0}, {"power_w": None, "capacity_w": None}])
def test_a_row_without_a_draw_is_refused(role: str, fields: dict[str, Any]) -> None:
    unit = load().parts["coolit-chx80-in-rack-cdu"].model_dump() | {"role": role}
    assert Cooling.model_validate({**unit, "power_w": None}).power_w is None
    with pytest.raises(ValidationError) as refused:
        Cooling.model_validate({**unit, **fields})
    assert [error["loc"] for error in refused.value.errors()] == [("power_w",)]


def test_a_switch_states_its_draw() -> None:
    switch = load().parts["nvidia-qm9700"].model_dump()
    for bare in ({k: v for k, v in switch.items() if k != "power_w"}, {**switch, "power_w": 0}):
        with pytest.raises(ValidationError) as refused:
            Switch.model_validate(bare)
        assert refused.value.errors()[0]["loc"] == ("power_w",)


def liquid(draw_w: int | None, units: int, capacity_w: int | None = None) -> tuple[Scene, Catalog, int]:
    """(scene, its catalog with such CDUs, watts of its CDUs in all)."""
    s = scene("liquid")
    cdu = s.market.catalog.parts["cdu"]
    assert isinstance(cdu, Cooling) and cdu.capacity_w
    catalog = changed(s.market.catalog, cdu, "power_w", draw_w)
    catalog = changed(catalog, catalog.parts["cdu"], "rack_units", units)
    each = math.ceil(Fraction(cdu.capacity_w * 2, 100)) if draw_w is None else draw_w
    return s, catalog, each * s.case.build.shared["cdu"]


def switch_w(s: Scene) -> int:
    return sum(x.power_w * q for x, q in s.of(Switch))


CASES = [(DRAW_W, 4), (DRAW_W, 0), (None, 4), (None, 0)]


@pytest.mark.parametrize("axis", ["money", "power"])
@pytest.mark.parametrize(("draw_w", "units"), CASES)
def test_the_site_carries_the_cdus(draw_w: int | None, units: int, axis: str) -> None:
    """Certificate and plain check agree at the site's last watt, in racks and beside them."""
    s, catalog, cdus_w = liquid(draw_w, units)
    watts = s.case.build.nodes * wall_w(s) + switch_w(s) + cdus_w
    for most, fits in ((watts, True), (watts - 1, False)):
        request = s.market.request.model_copy(update={"max_power_w": most, "cost_axis": axis})
        assert verdicts(s, catalog, request, s.market.policy, s.case.build) == (set() if fits else {"site"}, fits)


@pytest.mark.parametrize(("draw_w", "units"), CASES)
def test_a_pdu_feeds_the_cdus_of_its_rack(draw_w: int | None, units: int) -> None:
    """Those beside the racks burden no PDU."""
    s, catalog, cdus_w = liquid(draw_w, units)
    pdu = s.one(Pdu)[0]
    need = in_a_rack(s) * wall_w(s) + switch_w(s) + (cdus_w if units else 0)
    for power_w, fits in ((need, True), (need - 1, False)):
        seen = verdicts(s, changed(catalog, pdu, "power_w", power_w), s.market.request, s.market.policy, s.case.build)
        assert seen == (set() if fits else {"rack"}, fits)


@pytest.mark.parametrize(("draw_w", "units"), CASES)
def test_a_racks_air_takes_the_heat_of_its_cdus(draw_w: int | None, units: int) -> None:
    s, catalog, cdus_w = liquid(draw_w, units)
    heat = math.ceil(in_a_rack(s) * air_w(s)) + switch_w(s) + (cdus_w if units else 0)
    for most, fits in ((heat, True), (heat - 1, False)):
        policy = s.market.policy.with_settings([f"cooling.rack_air_w={most}"])
        seen = verdicts(s, catalog, s.market.request, policy, s.case.build)
        assert seen == (set() if fits else {"rack"}, fits)


def judged(s: Scene, catalog: Catalog) -> tuple[Any, list[str]]:
    """(the case, warnings of rule power)."""
    market = Market.open(catalog, s.market.request, s.market.policy)
    case = market.case(s.case.build, s.row.plan, s.row.key)
    return case, [str(c.text) for c in findings(case) if (c.rule, c.status) == ("power", "warn")]


def test_an_estimated_draw_is_said_to_be_one() -> None:
    s, catalog, _ = liquid(None, 4)
    said = [text for text in judged(s, catalog)[1] if "not published" in text]
    assert len(said) == 1 and "2 % of what it carries off" in said[0]
    assert not any("not published" in text for text in judged(s, liquid(DRAW_W, 4)[1])[1])


def test_pue_is_the_ratio_to_nodes_and_switches() -> None:
    """Energy counts no pump twice: the PUE holds them."""
    s, catalog, cdus_w = liquid(DRAW_W, 4)
    case, _ = judged(s, catalog)
    assert total_w(case) - computing_w(case) == cdus_w > 0
