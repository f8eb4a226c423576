"""Shared gear of unknown weight counts by its height, as nodes do: never as 0 kg."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from catalogs.load import load
from catalogs.schema import Cooling, Kind, Platform, Rack, Switch
from constraints.physics.weight import gear_kg
from constraints.policy import Policy
from constraints.rules.registry import findings
from optimizer.market.market import Market
from tests.support.scenes import changed, gear, in_a_rack, scene, verdicts


def test_unknown_weighs_by_its_height() -> None:
    policy = Policy()
    parts = load().parts
    known, unknown = parts["nvidia-qm9700"], parts["nvidia-q3400-ra"]
    assert isinstance(known, Switch) and isinstance(unknown, Switch)
    assert known.weight_kg == 14.8 and gear_kg(known, policy) == 15
    assert unknown.weight_kg is None and unknown.rack_units == 4 and gear_kg(unknown, policy) == 60


def test_whatever_takes_rack_units_weighs() -> None:
    policy = Policy()
    for part in load().of(Kind.SWITCH, Kind.COOLING):
        if isinstance(part, Switch | Cooling) and part.rack_units:
            assert gear_kg(part, policy) > 0, part.id


def test_nothing_weighs_zero_by_its_row() -> None:
    switch = load().parts["nvidia-qm9700"]
    with pytest.raises(ValidationError):
        Switch.model_validate({**switch.model_dump(), "weight_kg": 0})


@pytest.mark.parametrize(("load_short_kg", "fits"), [(0, True), (1, False)])
def test_a_rack_bears_the_unknown_cdu(load_short_kg: int, fits: bool) -> None:
    """Certificate and plain check agree at the rack's last kilogram: 4 U of unknown weight count as 60 kg."""
    s = scene("liquid")
    (platform, _), (rack, _) = s.one(Platform), s.one(Rack)
    cdu = s.market.catalog.parts["cdu"]
    assert isinstance(cdu, Cooling) and cdu.rack_units == 4
    catalog = changed(s.market.catalog, cdu, "weight_kg", None)

    def box_kg(box: Any) -> int:
        return 60 if box.id == "cdu" else round(box.weight_kg or 15 * box.rack_units)

    weight = in_a_rack(s) * math.ceil(platform.weight_kg) + gear(s, box_kg)
    catalog = changed(catalog, rack, "load_kg", weight - load_short_kg)
    assert verdicts(s, catalog, s.market.request, s.market.policy, s.case.build) == (set() if fits else {"rack"}, fits)


def test_an_estimated_weight_is_said_to_be_one() -> None:
    s = scene("liquid")
    known = s.market.catalog
    for part, _ in s.of(Switch):
        known = changed(known, part, "weight_kg", 15)
    cdu = known.parts["cdu"]
    assert isinstance(cdu, Cooling)
    pieces = s.case.build.shared["cdu"]
    for kg, said in ((60, False), (None, True)):
        market = Market.open(changed(known, cdu, "weight_kg", kg), s.market.request, s.market.policy)
        checks = findings(market.case(s.case.build, s.row.plan, s.row.key))
        (weight,) = [check.text for check in checks if check.unit == "kg"]
        assert ("estimated by height" in weight) == said
        assert (f"({60 * pieces} kg of it estimated by height)" in weight) == said
