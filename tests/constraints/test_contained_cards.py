"""Complete systems with network cards inside: they count for every network, and bought ones are not needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Contained, Cpu, Drive, GpuBoard, Kind, Link, Memory, Nic, Platform
from constraints.physics.contents import gpus_inside
from constraints.plan import Row
from tests.support.scenes import Scene, changed, scene, storage_gb, verdicts


def with_card(s: Scene, speed: int, held: int = 1, **card: Any) -> Catalog:
    """The catalog with cards that nobody sells alone in its systems, and no port of their own."""
    (p, _), parts = s.one(Platform), dict(s.market.catalog.parts)
    sold = next(x for x in parts.values() if isinstance(x, Nic))
    parts["nic-s"] = sold.model_copy(update={"id": "nic-s", "gbit_s": speed, **card})
    inside = (*p.contents, *([Contained(part="nic-s", qty=held)] if held else []))
    parts[p.id] = p.model_copy(update={"contents": inside, "onboard_lan": ()})
    offers = dict(s.market.catalog.offers)
    for x, rate, end in (("dac", 100, "QSFP56"), ("cat6", 10, "RJ45")):
        parts[x] = Link(
            kind=Kind.CABLE,
            id=x,
            gbit_s=rate,
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


def test_a_row_whose_plan_asks_for_another_network() -> None:
    s = pipelined(scene("systems"))
    bare = s._replace(row=replace(s.row, key=replace(s.row.key, net="none", net_gbit_s=0)))
    found = verdicts(bare, with_card(s, 100), s.market.request, s.market.policy, s.case.build)
    assert found == ({"interconnect"}, False)


@pytest.mark.parametrize(
    ("held", "card", "cables", "fine"),
    [(2, {}, 2, True), (2, {}, 1, False), (2, {}, 0, False), (1, {}, 2, False), (2, {"rdma": False}, 2, False),
     (2, {"lanes": 8}, 2, True), (2, {"lanes": 8, "pcie_gen": 3}, 2, False), (2, {"gbit_s": 50}, 2, False)],
)  # fmt: skip
def test_rdma_takes_a_card_and_a_cable_for_each_gpu(held: int, card: dict[str, Any], cables: int, fine: bool) -> None:
    """Two nodes whose GPUs are one tensor- and data-parallel group: cards of 100 Gbit/s cabled one to one."""
    s = pipelined(scene("systems"))
    key = replace(s.row.key, net="rdma", net_gbit_s=100)
    plan = replace(s.row.plan, pp=1, dp=2)
    s = s._replace(row=Row(key, plan, s.row.perf))
    assert key.per_node == 2
    catalog = with_card(s, 100, held, **{"rdma": True, "lanes": 16, "pcie_gen": 4, **card})
    dac = catalog.parts["dac"]
    catalog.parts["dac"] = dac.model_copy(update={"gbit_s": card.get("gbit_s", 100)})  # type: ignore[index]
    shared = {**s.case.build.shared, **({"dac": cables} if cables else {})}
    found = verdicts(s, catalog, s.market.request, s.market.policy, replace(s.case.build, shared=shared))
    assert found == ((set(), True) if fine else ({"interconnect"}, False))


@pytest.mark.parametrize(("gen", "fine"), [(4, True), (3, False)])
def test_host_links_of_the_cpus_inside(gen: int, fine: bool) -> None:
    """A row whose GPUs talk over generation 4 does not run on CPUs of generation 3, bought or inside a system."""
    s = scene("systems")
    assert s.row.key.pcie_gen == 4
    catalog = changed(s.market.catalog, s.one(Cpu)[0], "pcie_gen", gen)
    found = verdicts(s, catalog, s.market.request, s.market.policy, s.case.build)
    assert found == ((set(), True) if fine else ({"interconnect"}, False))


@pytest.mark.parametrize("whole", (False, True))
def test_experts_do_not_lie_in_a_complete_system(whole: bool) -> None:
    """What stands inside was not chosen for it: neither check nor certificate takes a row with experts there."""
    s = scene("tower")
    key, plan = replace(s.row.key, host_gb_s=1, host_gb=1, host_gflops=0), replace(s.row.plan, offload=True)
    s = s._replace(row=Row(key, plan, s.row.perf))
    p, drive = s.one(Platform)[0], s.one(Drive)[0]
    node = s.case.build.node
    catalog = changed(s.market.catalog, s.one(Memory)[0], "capacity_gb", 512)
    catalog = changed(catalog, s.one(Cpu)[0], "mem_max_mts", 4800)
    if whole:
        catalog = changed(catalog, p, "contents", (Contained(part=drive.id, qty=node[drive.id]),))
        node = {x: q for x, q in node.items() if x != drive.id}
    request = s.market.request.model_copy(update={"allow_experimental": True})  # as engines do that keep experts there
    found = verdicts(s, catalog, request, s.market.policy, replace(s.case.build, node=node))
    assert found == (({"host_memory"}, False) if whole else (set(), True))


@pytest.mark.parametrize(("field", "edge"), [("capacity_gb", 100), ("read_mb_s", 1000)])
@pytest.mark.parametrize(("held", "fine"), [(2, True), (1, False)])
def test_drives_inside_count_with_those_bought(field: str, edge: int, held: int, fine: bool) -> None:
    """Two drives inside and the bought ones together hold and read just enough."""
    s = scene("systems")
    (p, _), (drive, q) = s.one(Platform), s.one(Drive)
    need = {"capacity_gb": storage_gb(s), "read_mb_s": 7000}
    parts = dict(s.market.catalog.parts)
    parts["drive-s"] = drive.model_copy(update={"id": "drive-s", "capacity_gb": 10**5, "read_mb_s": 10**5, field: edge})
    parts[drive.id] = drive.model_copy(
        update={"capacity_gb": 10**5, "read_mb_s": 10**5, field: -(-(need[field] - 2 * edge) // q)}
    )
    inside = (*p.contents, Contained(part="drive-s", qty=held))
    parts[p.id] = p.model_copy(update={"contents": inside, "nvme_bays": 8, "nvme_forms": ("U.2", "M.2")})
    catalog = replace(s.market.catalog, parts=parts)
    found = verdicts(s, catalog, s.market.request, s.market.policy, s.case.build)
    assert found == ((set(), True) if fine else ({"storage"}, False))


def test_gpus_of_boards_inside_are_counted() -> None:
    s = scene("board")
    (p, _), (board, _) = s.one(Platform), s.one(GpuBoard)
    for boards in (1, 2, 3):
        system = p.model_copy(update={"contents": (Contained(part=board.id, qty=boards),)})
        assert gpus_inside(system, s.market.catalog) == (board.gpu, board.gpus * boards)
    assert gpus_inside(p, s.market.catalog)[0] == ""
