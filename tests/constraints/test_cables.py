"""Cables between racks: how long they have to be, and that a network of short ones stays in its rack."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind, Link, Rack
from constraints.physics.layout import racks_reached, run_m
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import Interconnect
from optimizer.market.market import Market
from optimizer.pruning.near_duplicates import thinned
from optimizer.search.solver import Solver
from tests.support.long import one_in
from tests.support.oracle import Ask, Oracle
from tests.support.random_catalogs import scenario
from tests.support.scenes import PLENTY, changed, scene, verdicts

POLICY = Policy()


@pytest.mark.parametrize(
    ("rack", "metres"), [(0, "2"), (1, "2"), (2, "6.6"), (4, "7.8"), (10, "11.4"), (11, "13.8"), (21, "16.2")]
)
def test_metres_by_hand(rack: int, metres: str) -> None:
    """2 x 2.5 up and down, 0.6 a rack, 2.4 a row of ten, 1 of slack."""
    assert run_m(rack, POLICY) == Decimal(metres)


@pytest.mark.parametrize(
    ("metres", "racks"), [(1.5, 0), (2, 1), (3, 1), (6.5, 1), (6.6, 2), (10, 7), (30, 32), (None, 32)]
)
def test_racks_that_a_cable_reaches(metres: float | None, racks: int) -> None:
    """3 m of copper do not reach the next rack by the tray."""
    assert racks_reached(metres, 32, POLICY) == racks


def cabled(catalog: Catalog, **lengths: float | None) -> Catalog:
    """The catalog with these lengths of cables, and for each a longer and dearer one."""
    parts, offers = dict(catalog.parts), dict(catalog.offers)
    for name, metres in lengths.items():
        cable = parts.get(name)
        if not isinstance(cable, Link):
            continue
        parts[name] = cable.model_copy(update={"length_m": metres})
        long = cable.model_copy(update={"id": f"{name}-long", "length_m": 30.0})
        parts[long.id] = long
        offers[long.id] = tuple(
            o.model_copy(update={"id": f"{o.id}-long", "part": long.id, "price": 3 * o.price}) for o in offers[name]
        )
    return replace(catalog, parts=parts, offers=offers)


def low_racks(catalog: Catalog, units: int) -> Catalog:
    """The catalog with racks of few units: several nodes take several racks."""
    for rack in catalog.of(Kind.RACK):
        assert isinstance(rack, Rack)
        catalog = changed(catalog, rack, "rack_units", units)
    return catalog


def fronts(catalog: Catalog, request: Request, policy: Policy = POLICY) -> list[tuple[int, int]]:
    found = Solver(Market.open(catalog, request, policy)).front()
    assert found.complete
    return [(point.found.parts_cents, point.found.row.perf.tenths) for point in found.points]


CLUSTERS = ((119, 9), (143, 9), (185, 9), (3, 12), (63, 12), (81, 12), (119, 12), (112, 14))
"""Random catalogs, with the height of their racks, on whose fronts nodes stand in several racks."""


def cluster(seed: int, units: int) -> tuple[Catalog, Request, Ask]:
    """A catalog of low racks with cables of two lengths, and a request without a budget to speak of."""
    catalog, request, ask = scenario(seed)
    catalog = low_racks(cabled(catalog, dac=2.0, cat6=3.0), units)
    return catalog, request.model_copy(update={"budget_cents": PLENTY}), replace(ask, budget_cents=PLENTY)


@pytest.mark.parametrize(("seed", "units"), one_in(4, [*CLUSTERS, *((seed, 9) for seed in range(3, 120, 24))]))
def test_front_equals_brute_force(seed: int, units: int) -> None:
    catalog, request, ask = cluster(seed, units)
    assert fronts(catalog, request) == Oracle(catalog, ask, 2).front()


def test_lengths_decide() -> None:
    """Where short cables reached everywhere, most of these catalogs would have another front."""
    anywhere = POLICY.with_settings([f"cabling.{x}_m=0" for x in ("rise", "rack_width", "row_pitch", "slack")])
    moved = 0
    for seed, units in CLUSTERS:
        catalog, request, _ = cluster(seed, units)
        moved += fronts(catalog, request) != fronts(catalog, request, anywhere)
    assert moved >= 4


@pytest.mark.parametrize("have", [frozenset[str](), frozenset({"racks"})])
def test_check_and_certificate_at_the_edge(have: frozenset[str]) -> None:
    """Two nodes in two racks: a patch cord of exactly 6.6 m reaches, one a hand shorter does not."""
    s = scene("two racks")
    asked: dict[str, Any] = {"have": frozenset({*s.market.request.have, *have})}
    request = s.market.request.model_copy(update=asked)
    build = s.case.build
    if have:
        shared = {x: q for x, q in build.shared.items() if s.market.catalog.parts[x].kind not in (Kind.RACK, Kind.PDU)}
        node = {x: q for x, q in build.node.items() if s.market.catalog.parts[x].kind != Kind.CABLE}
        build = replace(build, node=node, shared=shared)
    cables = [p for p in s.shared if isinstance(p, Link)]
    assert cables
    racks = 2 if not have else None
    for metres, fine in ((6.6, True), (6.5, False)):
        catalog = s.market.catalog
        for cable in cables:
            catalog = changed(catalog, cable, "length_m", metres)
        if racks is None:
            # The site's racks of 42 units hold both nodes: within one rack either length will do.
            assert verdicts(s, catalog, request, s.market.policy, build) == (set(), True)
            continue
        assert verdicts(s, catalog, request, s.market.policy, build) == (set() if fine else {"interconnect"}, fine)


def test_a_short_cable_is_named_with_both_lengths() -> None:
    s = scene("two racks")
    catalog = s.market.catalog
    for cable in [p for p in s.shared if isinstance(p, Link)]:
        catalog = changed(catalog, cable, "length_m", 3.0)
    market = Market.open(catalog, s.market.request, POLICY)
    found = Interconnect().check(market.case(s.case.build, s.row.plan, s.row.key))
    (failing,) = [check for check in found if check.status == "fail"]
    assert (failing.measured, failing.limit, failing.unit) == (3.0, 6.6, "m")
    assert "3 m" in failing.text and "6.6 m" in failing.text


def test_cables_of_other_lengths_are_no_twins() -> None:
    """The cheaper short one does not take the long one off the shelf; nor the other way."""
    catalog, request, _ = scenario(CLUSTERS[0][0])
    market = Market.open(cabled(catalog, dac=2.0, cat6=3.0), request, POLICY)
    kept = thinned(market).book.prices
    assert {name for name in ("cat6", "cat6-long") if name in market.book.prices} <= set(kept)
