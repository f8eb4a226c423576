"""Racks of the site: how many are filled, and nodes whose height nobody published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.schema import Link, Pdu, Platform, Psu, Rack
from constraints.build import Build, Case
from constraints.plan import Row
from constraints.policy import Policy
from constraints.prices.tariff import Source, Step, Tariff
from constraints.request import Circuit
from constraints.rules.rack import racks_in
from optimizer.market.market import Market
from tests.support.scenes import changed, racked_w, scene, verdicts, wall_w


def case(nodes: int, units: int | None, policy: Policy, **shared: int) -> Case:
    """`nodes` of the scene's servers, of other height, in racks of the site, with `shared` gear; names with - for _."""
    s = scene("own racks")
    catalog = changed(s.market.catalog, s.one(Platform)[0], "rack_units", units)
    market = Market.open(catalog, s.market.request, policy)
    build = Build(nodes, s.case.build.node, {x.replace("_", "-"): q for x, q in shared.items()})
    return market.case(build, s.row.plan, s.row.key)


@pytest.mark.parametrize(
    ("nodes", "units", "racks"),
    [(5, 8, 1), (6, 8, 2), (10, 1, 1), (11, 1, 1), (43, 1, 2), (20, None, 1), (1, 42, 1), (1, 43, 0), (3, 42, 3)],
)
def test_racks_by_height(nodes: int, units: int | None, racks: int) -> None:
    cool = Policy().with_settings(["cooling.rack_air_w=1000000"])
    assert racks_in(case(nodes, units, cool)) == racks


@pytest.mark.parametrize(("nodes", "switches", "racks"), [(5, 2, 1), (5, 3, 2), (8, 3, 2), (9, 3, 3), (1, 42, 0)])
def test_racks_of_nodes_beside_shared_gear(nodes: int, switches: int, racks: int) -> None:
    """Each rack of 42 units keeps room for all switches: beside three of one unit there is room for four nodes of 8."""
    cool = Policy().with_settings(["cooling.rack_air_w=1000000"])
    assert racks_in(case(nodes, 8, cool, sw_oob=switches)) == racks


def test_racks_of_nodes_of_unknown_height() -> None:
    low = Policy().with_settings(["cooling.rack_air_w=1000000", "rack.max_units=3"])
    assert [racks_in(case(n, None, low)) for n in (3, 4)] == [1, 2]


@pytest.mark.parametrize("each", (1, 2, 3))
def test_racks_by_heat(each: int) -> None:
    s = scene("own racks")
    heat = each * wall_w(s) + racked_w(s)
    for limit, racks in ((heat, -(-6 // each)), (heat - 1, -(-6 // (each - 1)) if each > 1 else 0)):
        assert racks_in(case(6, 1, Policy().with_settings([f"cooling.rack_air_w={limit}"]))) == racks


def test_a_node_of_unknown_height_counts_one_unit() -> None:
    s = scene("own racks")
    catalog = changed(s.market.catalog, s.one(Platform)[0], "rack_units", None)
    for units, fine in ((1, True), (0, False)):
        policy = Policy().with_settings([f"rack.max_units={units}"])
        found = verdicts(s, catalog, s.market.request, policy, s.case.build)
        assert found == ((set(), True) if fine else ({"rack"}, False))


@pytest.mark.parametrize(("nodes", "racks"), [(10, 1), (11, 1), (12, 1)])
def test_many_small_nodes_stand_in_a_rack(nodes: int, racks: int) -> None:
    """Bought racks that are tall, strong and cool enough for any number."""
    s = scene("board")
    catalog = changed(s.market.catalog, s.one(Platform)[0], "rack_units", 1)
    for part, figures in ((s.one(Rack)[0], {"load_kg": 10**6}), (s.one(Pdu)[0], {"power_w": 10**6, "outlets_c13": 99})):
        for field, value in figures.items():
            catalog = changed(catalog, catalog.parts[part.id], field, value)
    key, plan = replace(s.row.key, nodes=nodes), replace(s.row.plan, replicas=s.row.plan.replicas * nodes)
    s = s._replace(row=Row(key, plan, s.row.perf))
    build = Build(nodes, s.case.build.node, {"rack0": racks, "pdu0": 2 * racks})
    request = s.market.request.model_copy(update={"have": frozenset({"network"}), "max_nodes": 20})
    cool = Policy().with_settings(["cooling.rack_air_w=1000000"])
    assert verdicts(s, catalog, request, cool, build) == (set(), True)


def test_a_second_kind_of_rack_and_pdu_stays_out() -> None:
    s = scene("two racks")
    parts, offers = dict(s.market.catalog.parts), dict(s.market.catalog.offers)
    for x in (s.one(Rack)[0], s.one(Pdu)[0]):
        other = x.model_copy(update={"id": f"{x.id}-b"})
        parts[other.id] = other
        offers[other.id] = tuple(o.model_copy(update={"part": other.id, "id": f"{o.id}-b"}) for o in offers[x.id])
    catalog = replace(s.market.catalog, parts=parts, offers=offers)
    assert verdicts(s, catalog, s.market.request, s.market.policy, s.case.build) == (set(), True)


def test_an_inlet_without_cords_does_not_stand() -> None:
    """One supply with a C20 inlet where no C19 cord is to be had."""
    s = scene("two racks")
    platform, (psu, _) = s.one(Platform)[0], s.one(Psu)
    catalog = changed(s.market.catalog, platform, "psu_redundancy", ("1+0",))
    for field, value in (("inlet", "C20"), ("watts", 10_000), ("watts_low_line", 10_000)):
        catalog = changed(catalog, catalog.parts[psu.id], field, value)
    node = {**{x: q for x, q in s.case.build.node.items() if x != "cord"}, psu.id: 1}
    found = verdicts(s, catalog, s.market.request, s.market.policy, replace(s.case.build, node=node))
    assert found == ({"rack"}, False)


@pytest.mark.parametrize("name", ("circuit", "systems", "board", "two racks", "bridged"))
@pytest.mark.parametrize("field", [{}, {"max_share_percent": 100}, {"max_sellers": 9}, {"cost_axis": "power"}])
def test_racks_pdus_and_cords_are_those_that_the_nodes_need(name: str, field: dict[str, Any]) -> None:
    """One rack, PDU or cord more is not in the model, whatever the request asks for."""
    s = scene(name)
    request = s.market.request.model_copy(update=field)
    asked = s.market.catalog, request, s.market.policy
    assert verdicts(s, *asked, s.case.build) == (set(), True)
    build = s.case.build
    for part in (s.one(Rack)[0].id, s.one(Pdu)[0].id):
        assert not verdicts(s, *asked, replace(build, shared={**build.shared, part: build.shared[part] + 1}))[1], part
    for cord in (x for x in build.node if isinstance(s.market.catalog.parts[x], Link)):
        assert not verdicts(s, *asked, replace(build, node={**build.node, cord: build.node[cord] + 1}))[1], cord


def test_cords_of_which_one_has_a_price_by_quantity() -> None:
    """Two cords for one inlet, one cheaper from ten pieces on: either or both plug in the supplies, none does not."""
    s = scene("two racks")
    catalog, need = s.market.catalog, s.case.build.node["cord"]
    other = catalog.parts["cord"].model_copy(update={"id": "cord-b"})
    offer = catalog.offers["cord"][0]
    stepped = offer.model_copy(
        update={"id": "o-b", "part": "cord-b", "price": offer.price + 2, "breaks": (f"10:{offer.price / 2:.2f}",)}
    )
    catalog = replace(
        catalog, parts={**catalog.parts, "cord-b": other}, offers={**catalog.offers, "cord-b": (stepped,)}
    )
    bare = {x: q for x, q in s.case.build.node.items() if x != "cord"}
    asked = catalog, s.market.request, s.market.policy
    for cords in ({"cord": need}, {"cord-b": need}, {"cord": need - 1, "cord-b": 1}):
        assert verdicts(s, *asked, replace(s.case.build, node={**bare, **cords})) == (set(), True)
    for cords in ({}, {"cord": need - 1}, {"cord-b": need - 1}):
        assert verdicts(s, *asked, replace(s.case.build, node={**bare, **cords})) == ({"rack"}, False)


@pytest.mark.parametrize(
    ("pdu", "line", "fine"),
    [(200, 230, True), (230, 200, True), (200, 200, True), (199, 200, False), (200, 199, False), (199, 199, True)],
)
def test_200_v_and_more_are_one_class_of_lines_and_pdus(pdu: int, line: int, fine: bool) -> None:
    s = scene("circuit")
    catalog = changed(s.market.catalog, s.one(Pdu)[0], "volts", pdu)
    supply = catalog.parts[s.one(Psu)[0].id]
    for field in ("watts", "watts_low_line"):
        catalog = changed(catalog, catalog.parts[supply.id], field, 5000)
    request = s.market.request.model_copy(update={"circuit": Circuit(amps=100, volts=line)})
    found = verdicts(s, catalog, request, s.market.policy, s.case.build)
    assert found == ((set(), True) if fine else ({"rack"}, False))


def test_of_equal_sources_the_first_sends_all() -> None:
    """Which of two equal offers is ordered from does not change with what else is there."""
    first, second = (Source(None, (Step(1, 5, 10),), stale) for stale in (False, True))
    assert [(o.source.stale, o.pieces) for o in Tariff((first, second)).split(4)] == [(False, 4)]
    assert [(o.source.stale, o.pieces) for o in Tariff((first, second)).split(7)] == [(False, 5), (True, 2)]
