"""Complete systems with network cards inside: they count for every network, and bought ones are not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Contained, Kind, Link, Nic, Platform
from constraints.plan import Row
from tests.test_part_limits import Scene, scene, verdicts


def with_card(s: Scene, gbit_s: int, held: int = 1) -> Catalog:
    """The catalog with cards that nobody sells alone in its systems, and no port of their own."""
    (p, _), parts = s.one(Platform), dict(s.market.catalog.parts)
    sold = next(x for x in parts.values() if isinstance(x, Nic))
    parts["nic-s"] = sold.model_copy(update={"id": "nic-s", "gbit_s": gbit_s})
    inside = (*p.contents, *([Contained(part="nic-s", qty=held)] if held else []))
    parts[p.id] = p.model_copy(update={"contents": inside, "onboard_lan": ()})
    offers = dict(s.market.catalog.offers)
    for x, speed, end in (("dac", 100, "QSFP56"), ("cat6", 10, "RJ45")):
        parts[x] = Link(
            kind=Kind.CABLE,
            id=x,
            gbit_s=speed,
            end_a=end,
            end_b=end,
            medium="copper",
            name="",
            vendor="",
            source="test",
        )
        offers[x] = (offers["sw-oob"][0].model_copy(update={"id": x, "part": x}),)
    return replace(s.market.catalog, parts=parts, offers=offers)


def pipelined(s: Scene) -> Scene:
    """Two systems that run one plan of two stages."""
    k = s.row.key
    key = replace(k, net="pp", net_gbit_s=25)
    plan = replace(s.row.plan, tp=k.per_node, pp=2, dp=1, ep=1, replicas=1, concurrency=1)
    node = {x: q for x, q in s.case.build.node.items() if not isinstance(s.market.catalog.parts[x], Nic)}
    case: Any = replace(s.case, build=replace(s.case.build, node=node))
    return s._replace(row=Row(key, plan, s.row.perf), case=case)


@pytest.mark.parametrize(("gbit_s", "held", "fine"), [(100, 1, True), (25, 1, True), (24, 1, False), (100, 0, False)])
def test_stages_over_the_cards_inside(gbit_s: int, held: int, fine: bool) -> None:
    """The site has the network; the cards inside take the stages' traffic when they are fast enough."""
    s = pipelined(scene("systems"))
    assert "network" in s.market.request.have
    failed, stands = verdicts(s, with_card(s, gbit_s, held), s.market.request, s.market.policy, s.case.build)
    assert (failed, stands) == ((set(), True) if fine else ({"interconnect"}, False))


@pytest.mark.parametrize(("held", "fine"), [(1, True), (0, False)])
def test_front_end_by_the_card_inside(held: int, fine: bool) -> None:
    """A front end and an out-of-band network are bought; the cards in the systems join it."""
    s, build = scene("systems"), scene("systems").case.build
    node = {x: q for x, q in build.node.items() if not isinstance(s.market.catalog.parts[x], Nic)}
    shared = {**build.shared, "sw-frontend": 1, "sw-oob": 1, "dac": 2, "cat6": 2}
    request = s.market.request.model_copy(update={"have": frozenset()})
    found = verdicts(s, with_card(s, 100, held), request, s.market.policy, replace(build, node=node, shared=shared))
    assert found == ((set(), True) if fine else ({"interconnect"}, False))


@pytest.mark.parametrize(("gbit_s", "fine"), [(25, True), (24, False)])
def test_front_end_just_fast_enough_for_stages(gbit_s: int, fine: bool) -> None:
    s = pipelined(scene("systems"))
    catalog = with_card(s, gbit_s)
    switch, cable = catalog.parts["sw-frontend"], catalog.parts["dac"]
    parts = {
        **catalog.parts,
        "sw-frontend": switch.model_copy(update={"speeds": (f"{gbit_s}:8",)}),
        "dac": cable.model_copy(update={"gbit_s": gbit_s}),
    }
    shared = {**s.case.build.shared, "sw-frontend": 1, "sw-oob": 1, "dac": 2, "cat6": 2}
    request = s.market.request.model_copy(update={"have": frozenset()})
    build = replace(s.case.build, shared=shared)
    found = verdicts(s, replace(catalog, parts=parts), request, s.market.policy, build)
    assert found == ((set(), True) if fine else ({"interconnect"}, False))
