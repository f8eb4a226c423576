"""Liquid cooling: facility water, a spare CDU from two racks on, systems that bring their own, air beside liquid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Platform, Rack
from constraints.policy import Policy
from constraints.rules.cooling import liquid_w
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.support.scenes import Scene, changed, gear, load_w, scene, verdicts


def judged(s: Scene, catalog: Any = None, shared: dict[str, int] | None = None, **fields: Any) -> tuple[set[str], bool]:
    request = s.market.request.model_copy(update=fields)
    build = replace(s.case.build, shared=s.case.build.shared if shared is None else shared)
    return verdicts(s, catalog or s.market.catalog, request, s.market.policy, build)


@pytest.mark.parametrize("name", ("liquid", "wet GPUs", "own water"))
def test_facility_water(name: str) -> None:
    s = scene(name)
    assert judged(s) == (set(), True)
    assert judged(s, site_water=False) == ({"cooling"}, False)
    bare = {x: q for x, q in s.case.build.shared.items() if x not in ("cdu", "manifold", "facility")}
    for water in (True, False):
        assert judged(s, None, bare, site_water=water) == ({"cooling"}, False)


def test_from_two_racks_on_one_cdu_may_fail() -> None:
    """One node in each rack; two CDUs carry the heat alone, so that three are needed."""
    s = scene("liquid")
    p, units = s.one(Platform)[0], gear(s, lambda x: x.rack_units)
    assert s.case.build.shared["cdu"] == 2 and s.case.build.nodes == 2
    room = p.rack_units + units + 4  # one CDU more, and not one node more
    catalog = changed(s.market.catalog, s.one(Rack)[0], "rack_units", max(room, 2 * p.rack_units + units - 1))
    racks = {"rack0": 2, "pdu0": 4, "manifold": 2, "facility": 2}
    both = {**s.case.build.shared, **racks}
    assert judged(s, catalog, {**both, "cdu": 3}) == (set(), True)
    assert judged(s, catalog, {**both, "cdu": 2}) == ({"cooling"}, False)
    assert judged(s, catalog, {**both, "cdu": 3, "manifold": 1}) == ({"cooling"}, False)
    assert judged(s, catalog, {**both, "cdu": 3, "facility": 1}) == ({"cooling"}, False)


def test_a_liquid_cooled_system_brings_its_own() -> None:
    s = scene("systems")
    catalog = changed(s.market.catalog, s.one(Platform)[0], "cooling", ("DLC",))
    assert judged(s, catalog, site_water=False) == judged(s, catalog, site_water=True) == (set(), True)


def test_air_beside_liquid() -> None:
    """A dearer chassis for air in the same catalog needs no CDU, manifold or water."""
    s = scene("wet GPUs")
    wet = s.one(Platform)[0]
    parts = {**s.market.catalog.parts, "dry": wet.model_copy(update={"id": "dry", "cooling": ("air",)})}
    offers = dict(s.market.catalog.offers)
    offers["dry"] = tuple(o.model_copy(update={"id": f"dry-{o.id}", "part": "dry"}) for o in offers[wet.id])
    market = Market.open(replace(s.market.catalog, parts=parts, offers=offers), s.market.request, Policy())
    fronts = [Solver(market, clever=clever).front().points for clever in (True, False)]
    seen = [[(p.found.parts_cents, p.found.row.perf.tenths) for p in points] for points in fronts]
    assert seen[0] == seen[1]
    dry = [p.found.build for points in fronts for p in points if "dry" in p.found.build.node]
    assert dry and not any({"cdu", "manifold", "facility"} & set(b.shared) for b in dry)


# To the watt ----------------------------------------------------------------------------------------------------------

WIDE = "cooling.cdu_margin_percent=1000000"
"""With four fifths of the heat in the liquid a load of a watt asks for 8000 W of CDUs: a watt of capacity is little."""
SHARES: dict[str, Any] = {"max_share_percent": 100}
"""A limit that every build keeps, under which nothing may be bought beyond the need."""


def test_capacity_for_a_liquid_load_is_rounded_up() -> None:
    """Four fifths of the heat and a tenth on top: 12,500 W ask for 11,000 W, a watt more for a watt more."""
    assert [liquid_w(w, Policy()) for w in (12_500, 12_501, 12_502)] == [11_000, 11_001, 11_002]


def cooled(s: Scene, capacity_w: int, cdus: int, shared: dict[str, int] | None = None, **fields: Any) -> Any:
    """Verdicts with CDUs of this capacity in this number, under the wide margin."""
    catalog = changed(s.market.catalog, s.market.catalog.parts["cdu"], "power_w", 1)  # none is estimated by capacity
    catalog = changed(catalog, catalog.parts["cdu"], "capacity_w", capacity_w)
    if shared is not None:
        catalog = low(s, catalog, cdus)
    build = replace(s.case.build, shared={**s.case.build.shared, **(shared or {}), "cdu": cdus})
    request = s.market.request.model_copy(update=fields)
    return verdicts(s, catalog, request, s.market.policy.with_settings([WIDE]), build)


def low(s: Scene, catalog: Catalog, cdus: int) -> Catalog:
    """Racks in which one node stands beside all gear, and no second one."""
    p = s.one(Platform)[0]
    other = gear(s, lambda x: x.rack_units) - 4 * s.case.build.shared["cdu"]
    return changed(catalog, s.one(Rack)[0], "rack_units", p.rack_units + other + 4 * cdus)


@pytest.mark.parametrize("fields", ({}, SHARES, {"cost_axis": "power"}))
def test_cdus_of_one_rack_to_the_watt(fields: dict[str, Any]) -> None:
    """Two nodes: one CDU for all of the heat, or two that are each a watt short of it, or just half of it."""
    s = scene("liquid")
    need = 2 * load_w(s) * 8000
    assert cooled(s, need, 1, **fields) == (set(), True)
    assert cooled(s, need - 1, 1, **fields) == ({"cooling"}, False)
    assert cooled(s, need - 1, 2, **fields) == (set(), True)
    assert cooled(s, need // 2, 2, **fields) == (set(), True)
    assert cooled(s, need // 2 - 1, 2, **fields) == ({"cooling"}, False)


TWO = {"rack0": 2, "pdu0": 4, "manifold": 2, "facility": 2}


@pytest.mark.parametrize("fields", ({}, SHARES, {"cost_axis": "power"}))
def test_cdus_of_two_racks_to_the_watt(fields: dict[str, Any]) -> None:
    """A node in each rack: one CDU may fail, so that the others carry the heat alone."""
    s = scene("liquid")
    need = 2 * load_w(s) * 8000
    for each, cdus in ((need, 2), (need // 2, 3)):
        assert cooled(s, each, cdus, TWO, **fields) == (set(), True)
        assert cooled(s, each - 1, cdus, TWO, **fields) == ({"cooling"}, False)
        assert cooled(s, each - 1, cdus + 1, TWO, **fields) == (set(), True)


def beyond(fields: dict[str, Any]) -> tuple[set[str], bool]:
    """What is said of a piece beyond the need: the model holds none, and `check` asks where a share is limited."""
    return ({"surplus"} if fields == SHARES else set(), False)


ALWAYS = pytest.mark.parametrize("fields", ({}, SHARES, {"max_sellers": 9}, {"cost_axis": "power"}))


@ALWAYS
def test_no_cdu_beyond_the_need(fields: dict[str, Any]) -> None:
    """Neither one CDU too many nor one of a second kind, in one rack and in two."""
    s = scene("liquid")
    need = 2 * load_w(s) * 8000
    for each, cdus in ((need, 1), (need // 2, 2)):
        assert cooled(s, each, cdus + 1, **fields) == beyond(fields)
        assert cooled(s, each, cdus + 2, TWO, **fields) == beyond(fields)


@ALWAYS
@pytest.mark.parametrize("part", ("manifold", "facility"))
def test_no_manifold_or_connection_beyond_the_need(part: str, fields: dict[str, Any]) -> None:
    s = scene("liquid")
    need = 2 * load_w(s) * 8000
    assert s.case.build.shared[part] == 1
    assert judged(s, None, {**s.case.build.shared, part: 2}, **fields) == beyond(fields)
    assert cooled(s, need, 2, {**TWO, part: 3}, **fields) == beyond(fields)


@ALWAYS
def test_no_cdu_of_a_second_kind(fields: dict[str, Any]) -> None:
    s = scene("wet GPUs")
    assert s.case.build.shared["cdu"] == 1
    catalog = s.market.catalog
    parts = {**catalog.parts, "cdu-b": catalog.parts["cdu"].model_copy(update={"id": "cdu-b", "rack_units": 0})}
    offer = catalog.offers["cdu"][0].model_copy(update={"id": "o-cdu-b", "part": "cdu-b"})
    catalog = replace(catalog, parts=parts, offers={**catalog.offers, "cdu-b": (offer,)})
    assert judged(s, catalog, **fields) == (set(), True)
    assert judged(s, catalog, {**s.case.build.shared, "cdu-b": 1}, **fields) == beyond(fields)


@ALWAYS
def test_a_liquid_cooled_chassis_that_stands_on_its_own(fields: dict[str, Any]) -> None:
    """No rack, so no manifold and no connection of a rack; a CDU all the same."""
    s = scene("own water")
    catalog = changed(s.market.catalog, s.one(Platform)[0], "rack_mount", False)
    here = {"have": frozenset({"network"}), **fields}
    assert judged(s, catalog, {"cdu": 1}, **here) == (set(), True)
    for more in ({"manifold": 1}, {"facility": 1}, {"manifold": 1, "facility": 1}):
        assert judged(s, catalog, {"cdu": 1, **more}, **here) == beyond(fields)
    assert judged(s, catalog, {"cdu": 2}, **here) == beyond(fields)
    assert judged(s, catalog, {}, **here) == ({"cooling"}, False)


@ALWAYS
def test_air_beside_liquid_takes_no_gear(fields: dict[str, Any]) -> None:
    """The same chassis for air in the same catalog takes no gear of liquid cooling, and may not."""
    s = scene("wet GPUs")
    wet, asked = s.one(Platform)[0], s.market.request.model_copy(update=fields)
    dry = wet.model_copy(update={"id": "dry", "cooling": ("air",)})
    offer = s.market.catalog.offers[wet.id][0].model_copy(update={"id": "o-dry", "part": "dry"})
    catalog = replace(
        s.market.catalog, parts={**s.market.catalog.parts, "dry": dry},
        offers={**s.market.catalog.offers, "dry": (offer,)},
    )  # fmt: skip
    node = {**{x: q for x, q in s.case.build.node.items() if x != wet.id}, "dry": 1}
    bare = {x: q for x, q in s.case.build.shared.items() if x not in ("cdu", "manifold", "facility")}
    policy = Policy().with_settings(["power.psu_load_percent=100"])

    def both(shared: dict[str, int]) -> tuple[set[str], bool]:
        return verdicts(s, catalog, asked, policy, replace(s.case.build, node=node, shared=shared), (wet.id, "dry"))

    assert both(bare) == (set(), True)
    for part in ("cdu", "manifold", "facility"):
        assert both({**bare, part: 1}) == beyond(fields)
