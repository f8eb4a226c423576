"""Complete systems with free slots: brute force, certificate, search and check fill them alike."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Contained, Kind, Memory, Platform
from constraints.build import Build
from constraints.physics.contents import modules_to_buy, population
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search.front import Point
from optimizer.search.judging import check
from optimizer.search.solver import Solver
from tests.conftest import AS_OF
from tests.support.long import one_in
from tests.support.oracle import Ask, Oracle
from tests.support.random_catalogs import half_filled_scenario

SEEDS = range(18)


def market_of(seed: int) -> Market:
    catalog, request, _ = half_filled_scenario(seed)
    return Market.open(catalog, request, Policy())


def values(solver: Solver) -> list[tuple[int, int]]:
    front = solver.front()
    assert front.complete
    return [(p.found.cost, p.found.row.perf.tenths) for p in front.points]


@cache
def points(seed: int) -> tuple[Point, ...]:
    return tuple(Solver(market_of(seed)).front().points)


def bought(p: Point, kind: Kind) -> int:
    """Pieces of a kind bought for a node that is a complete system."""
    if not p.case.platform.contents:
        return 0
    return sum(q for x, q in p.found.build.node.items() if p.case.catalog.parts[x].kind == kind)


@pytest.mark.parametrize("seed", one_in(5, SEEDS))
def test_front_equals_brute_force(seed: int) -> None:
    catalog, _, ask = half_filled_scenario(seed)
    assert values(Solver(market_of(seed))) == Oracle(catalog, ask, ask.max_nodes).front()


@pytest.mark.parametrize("seed", one_in(5, SEEDS))
def test_cp_sat_alone_finds_the_same_front(seed: int) -> None:
    assert values(Solver(market_of(seed), clever=False)) == values(Solver(market_of(seed)))


@pytest.mark.parametrize("kind", (Kind.MEMORY, Kind.GPU))
def test_fronts_fill_free_slots(kind: Kind) -> None:
    """The catalogs do try it: points whose systems got modules or GPUs, the cheapest point of a catalog among them."""
    fronts = [points(seed) for seed in SEEDS]
    assert any(bought(p, kind) for front in fronts for p in front)
    assert any(bought(front[0], kind) for front in fronts if front)


def with_contents(catalog: Catalog, system: str, **pieces: int) -> Catalog:
    """The catalog with other numbers of parts (ids with _ for -) inside a system."""
    p = catalog.parts[system]
    assert isinstance(p, Platform)
    number = {x.replace("_", "-"): q for x, q in pieces.items()}
    contents = tuple(Contained(part=c.part, qty=number.get(c.part, c.qty)) for c in p.contents)
    return replace(catalog, parts={**catalog.parts, system: p.model_copy(update={"contents": contents})})


def shared_out(seed: int, percent: int) -> tuple[Catalog, Request, Ask]:
    """One offer a part, estimates but for modules, drives and cords; of which the estimates may be a share."""
    catalog, request, ask = half_filled_scenario(seed)
    read = (Kind.MEMORY, Kind.DRIVE, Kind.CABLE)
    offers = {
        x: (of[0].model_copy(update={"confidence": "list" if catalog.parts[x].kind in read else "estimate"}),)
        for x, of in catalog.offers.items()
    }
    asked: dict[str, Any] = {"include": (), "max_nodes": 1}
    return (
        replace(catalog, offers=offers),
        request.model_copy(update={**asked, "max_estimated_percent": percent}),
        replace(ask, **asked, max_estimated=percent),
    )


@pytest.mark.parametrize(("seed", "percent"), one_in(3, [(s, x) for s in (1, 2, 5, 7, 10) for x in (85, 95)]))
def test_modules_bring_no_share_down(seed: int, percent: int) -> None:
    """More modules with a read price than the rule asks for would; brute force, search and certificate know better."""
    catalog, request, ask = shared_out(seed, percent)
    market = Market.open(catalog, request, Policy())
    front = Oracle(catalog, ask, 1).front()
    assert values(Solver(market)) == front
    assert values(Solver(market, clever=False)) == front


@pytest.mark.parametrize("rule", ("host_memory", "fit"))
def test_certificate_needs_the_rules_of_free_slots(rule: str) -> None:
    """Without the rule's encode the certificate fills a system in a way that the rule's check refuses."""
    without = tuple(r for r in RULES if r.id != rule)
    refused = {
        c.rule
        for seed in (1, 2, 3, 5)
        for p in Solver(systems_alone(seed), without, clever=False).front().points
        for c in p.checks
        if c.status == "fail" and p.case.platform.contents
    }
    assert rule in refused


def systems_alone(seed: int) -> Market:
    """The market without chassis."""
    catalog, request, _ = half_filled_scenario(seed)
    offers = {x: of for x, of in catalog.offers.items() if x != "box1"}
    return Market.open(replace(catalog, offers=offers), request, Policy())


@pytest.mark.parametrize("modules", (1, 2, 3))
def test_unevenly_delivered_systems_are_filled_or_left(modules: int) -> None:
    """Three modules on four channels fail as they are: `solve` adds the fourth, and neither fails with an error."""
    catalog, request, _ = half_filled_scenario(1)
    box = catalog.parts["box0"].model_copy(update={"channels_per_cpu": 4, "dimm_slots": 4})
    catalog = replace(catalog, parts={**catalog.parts, "box0": box})
    catalog = with_contents(catalog, "box0", dimm_s=modules)
    offers = {x: of for x, of in catalog.offers.items() if x not in ("box1", "box2")}
    catalog = replace(catalog, offers=offers)
    market = Market.open(catalog, request.model_copy(update={"include": ()}), Policy())
    points = Solver(market).front().points
    assert points
    box = market.catalog.parts["box0"]
    assert isinstance(box, Platform)
    for p in points:
        total = modules + p.found.build.node.get("dimm-s", 0)
        assert population(box, total) != "uneven"
        assert total in (modules, 4)


def test_modules_to_buy() -> None:
    """As delivered where that is even, then what fills one and two modules per channel."""
    catalog, _, _ = half_filled_scenario(1)
    p = catalog.parts["box0"].model_copy(update={"channels_per_cpu": 8, "sockets": 2, "dimm_slots": 32})
    catalog = replace(catalog, parts={**catalog.parts, "box0": p})
    assert isinstance(p, Platform)
    numbers = {}
    for held in (1, 3, 4, 8, 16, 24, 32):
        catalog = with_contents(catalog, "box0", dimm_s=held)
        numbers[held] = modules_to_buy(catalog.parts["box0"], catalog)  # type: ignore[arg-type]
    assert numbers == {
        1: [15, 31], 3: [13, 29], 4: [0, 12, 28], 8: [0, 8, 24], 16: [0, 16], 24: [8], 32: [0],
    }  # fmt: skip


@pytest.fixture(scope="module")
def half_dgx(shipped: Catalog) -> Catalog:
    """The shipped catalog, its DGX H200 delivered with 4 of 32 modules."""
    held = next(c.part for c in shipped.parts["nvidia-dgx-h200"].contents if "dimm" in c.part)  # type: ignore[attr-defined]
    return with_contents(shipped, "nvidia-dgx-h200", **{held.replace("-", "_"): 4})


def test_a_half_populated_dgx_is_filled(half_dgx: Catalog) -> None:
    """Its 256 GB are less than 30 % of 8 x 141 GB; `solve` adds what `check` accepts."""
    dgx = half_dgx.parts["nvidia-dgx-h200"]
    assert isinstance(dgx, Platform)
    module = next(half_dgx.parts[c.part] for c in dgx.contents if isinstance(half_dgx.parts[c.part], Memory))
    assert isinstance(module, Memory)
    request = Request(
        model="r1-671b", as_of=AS_OF, max_nodes=1, include=(dgx.id,), budget_cents=10**9,
        have=frozenset({"racks", "network"}),
    )  # fmt: skip
    market = Market.open(half_dgx, request, Policy().with_settings(["host_memory.floor_percent=30"]))
    if dgx.id not in market.book.prices or module.id not in market.book.prices:
        pytest.skip("the shipped catalog has no price for them")
    point = Solver(market).front().points[-1]
    added = point.found.build.node[module.id]
    assert population(dgx, 4 + added) == "full"
    node = {**point.found.build.node, module.id: added}
    _, checks = check(market, Build(1, node, point.found.build.shared))
    assert not [x for x in checks if x.status == "fail"]
    fewer = {x: q for x, q in node.items() if x != module.id}
    _, checks = check(market, Build(1, fewer, point.found.build.shared))
    assert {x.rule for x in checks if x.status == "fail"} == {"host_memory"}
