"""What `--include` demands takes part in every build: by brute force where that can, and on the shipped catalog."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind, Nic, Platform, Switch
from constraints.build import Build, Case
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import bills_of
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.search.test_oracle import nodes_tried
from tests.support.long import one_in, wanted
from tests.support.oracle import Ask, Oracle
from tests.support.random_catalogs import scenario

KINDS = (
    Kind.NIC, Kind.SWITCH, Kind.CABLE, Kind.PSU, Kind.RACK, Kind.PDU, Kind.COOLING, Kind.PLATFORM, Kind.DRIVE,
    Kind.CPU, Kind.MEMORY,
)  # fmt: skip


def demands(kind: Kind) -> Iterator[tuple[int, Catalog, Request, Ask]]:
    """Catalogs in which a part of a kind is on sale, with a request that demands one of them."""
    for seed in range(40):
        catalog, request, ask = scenario(seed)
        sold = [p.id for p in catalog.of(kind) if catalog.offers.get(p.id)]
        if sold:
            part = random.Random(f"{kind}{seed}").choice(sorted(sold))
            yield seed, catalog, request.model_copy(update={"include": (part,)}), replace(ask, include=(part,))


def values(solver: Solver) -> list[tuple[int, int]]:
    front = solver.front()
    assert front.complete
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("kind", one_in(2, KINDS))
def test_front_with_a_demanded_part_equals_brute_force(kind: Kind) -> None:
    """In short until a catalog has a build with such a part."""
    found = 0
    for seed, catalog, request, ask in list(demands(kind))[:5]:
        front = values(Solver(Market.open(catalog, request, Policy())))
        assert front == Oracle(catalog, ask, nodes_tried(seed)).front(), (seed, request.include)
        found += bool(front)
        if found and not wanted():
            break
    assert found, "no catalog has a build with such a part"


@pytest.mark.parametrize("kind", [Kind.NIC, Kind.SWITCH, Kind.RACK, Kind.COOLING])
def test_cp_sat_alone_agrees(kind: Kind) -> None:
    for _, catalog, request, _ in list(demands(kind))[:2]:
        market = Market.open(catalog, request, Policy())
        assert values(Solver(market, clever=False)) == values(Solver(market)), request.include


FABRIC = ("nvidia-qm9700", "nvidia-qm8700")


def laid(case: Case) -> set[str]:
    """Parts of the networks that the build's parts make up."""
    return {x.removeprefix("node ") for ways in bills_of(case).values() for bill in ways for x in bill}


@pytest.mark.parametrize(
    "part", one_in(4, [*FABRIC, "nvidia-sn3700c", "nvidia-sn2201", "mcp1600-c002e30n-100g-qsfp28-dac-2-m"])
)
def test_demanded_network_gear_is_connected(part: str, ask: Any) -> None:
    front = Solver(ask("v2-670b", 400_000, include=(part,))).front()
    assert front.complete and front.points
    for p in front.points:
        assert p.case.build.nodes > 1 and part in laid(p.case)
        if part in FABRIC:  # one card per GPU, all on the fabric
            cards = sum(q for x, q in p.case.parts(Nic) if isinstance(x, Nic) and x.rdma)
            assert cards >= p.case.per_node
            switches = [x for x, _ in p.case.parts(Switch, shared=True) if isinstance(x, Switch)]
            assert p.case.build.nodes == 2 or any(s.role == "rdma" for s in switches)


@pytest.mark.parametrize("part", FABRIC)
def test_a_switch_without_a_network_is_refused_with_the_reason(part: str, ask: Any) -> None:
    plain = Solver(ask("v2-670b", 300_000)).front().points
    single = next(p for p in plain if p.case.build.nodes == 1)
    build = Build(1, single.case.build.node, {**single.case.build.shared, part: 1})
    market = ask("v2-670b", 300_000, include=(part,))
    texts = [x.text for x in findings(market.case(build, single.case.plan, single.case.row)) if x.status == "fail"]
    assert any("a single node has nothing to connect it to" in x for x in texts)
    assert not Solver(ask("v2-670b", 300_000, include=(part,), max_nodes=1)).front().points


def test_a_rack_for_what_stands_on_its_own_is_refused(shipped: Catalog, ask: Any) -> None:
    front = Solver(ask("r1-distill-qwen-14b", 12_000)).front().points
    tower = next(p for p in front if isinstance(q := p.case.platform, Platform) and not q.rack_mount)
    rack = next(p.id for p in shipped.of(Kind.RACK))
    market = ask("r1-distill-qwen-14b", 40_000, include=(rack,))
    build = Build(1, tower.case.build.node, {**tower.case.build.shared, rack: 1})
    checks = findings(market.case(build, tower.case.plan, tower.case.row))
    assert any("no rack that is bought" in x.text for x in checks if x.status == "fail")
    assert all(p.case.platform.rack_mount for p in Solver(market).front().points)
