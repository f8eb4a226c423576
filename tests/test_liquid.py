"""Liquid cooling: facility water, a spare CDU from two racks on, systems that bring their own, air beside liquid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.schema import Platform, Rack
from constraints.policy import Policy
from optimizer.market import Market
from optimizer.pareto import Solver
from tests.scenes import Scene, changed, gear, scene, verdicts


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
