"""Variables of the certificate reach whatever `check` passes: a domain that is too small would prove too much."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalogs.schema import Bridge, Platform
from constraints.rules.cooling import liquid_w
from tests.support.scenes import changed, scene, verdicts


@pytest.mark.parametrize("cdus", (64, 65, 90))
def test_many_small_cdus(cdus: int) -> None:
    """However many it takes to carry the heat, the certificate finds the build that passes every check."""
    s = scene("liquid")
    need = liquid_w(s.case.load_w * s.case.build.nodes, s.market.policy)
    catalog = s.market.catalog
    for field, value in (("capacity_w", need // cdus), ("rack_units", 0), ("weight_kg", None)):
        catalog = changed(catalog, catalog.parts["cdu"], field, value)
    fewest = -(-need // (need // cdus))
    assert fewest >= cdus
    for bought, expected in ((fewest, (set(), True)), (fewest - 1, ({"cooling"}, False))):
        build = replace(s.case.build, shared={**s.case.build.shared, "cdu": bought})
        assert verdicts(s, catalog, s.market.request, s.market.policy, build) == expected


@pytest.mark.parametrize("watts", (900_000, 1_100_000, 3_000_000))
def test_a_system_of_megawatts(watts: int) -> None:
    """One with its own racks and supplies, as rack-scale systems are."""
    s = scene("systems")
    system, catalog = s.one(Platform)[0], s.market.catalog
    own = {"system_max_w": watts, "psu_forms": ("builtin",), "rack_mount": False, "rack_units": None}
    for field, value in own.items():
        catalog = changed(catalog, catalog.parts[system.id], field, value)
    node = {part: qty for part, qty in s.case.build.node.items() if part != "cord"}
    build = replace(s.case.build, node=node, shared={})
    assert verdicts(s, catalog, s.market.request, s.market.policy, build) == (set(), True)


@pytest.mark.parametrize("per_group", (1, 3, 8))
def test_many_bridges_in_a_group(per_group: int) -> None:
    s = scene("bridged")
    bridge, groups = next(iter(s.of(Bridge)))[0], s.case.per_node // 2
    assert bridge.group_gpus == 2
    catalog = changed(s.market.catalog, bridge, "per_group", per_group)
    build = replace(s.case.build, node={**s.case.build.node, bridge.id: groups * per_group})
    request = s.market.request.model_copy(update={"budget_cents": None})
    assert verdicts(s, catalog, request, s.market.policy, build) == (set(), True)
