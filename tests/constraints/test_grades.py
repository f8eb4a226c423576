"""Grades: what the rules ask of each kind of machine, where the figures come from, and fronts against brute force."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.grades.published import LEAST, counted, markdown, of_grade
from catalogs.load import Catalog
from catalogs.schema import Drive, Gpu, Kind, Nic, Part, Platform, Psu
from constraints.build import Build, Case
from constraints.physics.grades import (
    ATX_SUPPLIES,
    CARDS,
    FAN_CARDS,
    GRADES,
    NODES,
    UNLISTED,
    at_most,
    boot_drives,
    cores_per_gpu,
    data_in_bays,
    least_cores,
    least_ram_gb,
    machine_of,
    most_consumer_drives,
    port_gbit_s,
    ram_percent,
    supplies_sold,
    whole_ram_gb,
)
from constraints.plan import Plan
from constraints.policy import Policy, table
from constraints.request import Grade, Request
from constraints.rules.registry import BY_ID, findings
from optimizer.library import check, solve, verify_result
from optimizer.market.market import Market
from optimizer.result.answer import solve as answer
from optimizer.search.solver import Solver
from optimizer.verify.consistent import consistent
from tests.conftest import AS_OF
from tests.search.test_oracle import nodes_tried
from tests.search.test_twins import values, with_siblings
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.random_catalogs import graded_scenario, scenario

READ: dict[type[Part], dict[str, tuple[Any, ...]]] = {
    Drive: {"media": ("nvme", "nvme-consumer"), "forms": (("U.2",), ("M.2",), ("U.2", "M.2"))},
    Nic: {"gbit_s": (10, 25, 100, 200)},
    Gpu: {"cooling": ("passive", "blower")},
    Platform: {"onboard_lan": ((), ("1*25:SFP28",), ("2*10:RJ45",)), "rack_mount": (True, False)},
}
"""What grades read of parts, with other values for it."""
IN_RACKS = (4, 7, 10, 26, 43)
"""Random catalogs of servers in racks alone, of which a graded request has a front."""
PUBLISHED = [row for row in table("grades") if row["basis"] == "published"]


@pytest.mark.parametrize("grade", GRADES[1:])
@pytest.mark.parametrize("seed", one_in(7, range(60)))
def test_front_equals_brute_force(seed: int, grade: Grade) -> None:
    catalog, request, ask = graded_scenario(seed, grade)
    market = Market.open(catalog, request, Policy())
    found = [(p.found.cost, p.found.row.perf.tenths) for p in Solver(market).front().points]
    assert found == Oracle(catalog, ask, nodes_tried(seed)).front()


def test_figures_are_those_of_the_machines() -> None:
    machines = counted()
    assert len(machines) >= LEAST
    for row in PUBLISHED:
        figures = of_grade(row["grade"])
        assert row["machine"] == "board"
        assert int(row["n"]) == len(machines)
        assert float(row["value"]) == (figures.ram_percent if "percent" in row["key"] else figures.cores_per_gpu)


def test_every_row_has_its_source_and_what_is_not_counted_is_policy() -> None:
    for row in table("grades"):
        assert row["source"]
        assert row["basis"] in ("published", "policy")
        assert bool(row["n"]) == (row["basis"] == "published")
        assert row["key"].split(".")[1].startswith(f"{row['grade']}_{row['machine']}_")


def test_a_grade_asks_no_less_than_the_one_below(shipped: Catalog) -> None:
    policy = Policy()
    for platform in shipped.of(Kind.PLATFORM, Kind.SYSTEM):
        assert isinstance(platform, Platform)
        ram = [least_ram_gb(1000, platform, policy, grade) for grade in GRADES]
        cores = [least_cores(8, platform, policy, grade) for grade in GRADES]
        assert ram == sorted(ram)
        assert cores == sorted(cores)
        assert ram[0] >= 200  # of 1,000 GB of GPU memory
        if not platform.rack_mount and CARDS.issuperset(platform.gpu_forms):
            assert ram[1] >= 500


def test_what_a_system_comes_with_is_its_makers(shipped: Catalog) -> None:
    dgx = shipped.parts["nvidia-dgx-b200"]
    assert isinstance(dgx, Platform)
    assert machine_of(dgx) == "board"
    assert ram_percent(dgx, Policy(), "full") == 20


def test_every_kind_of_machine_is_on_the_shelf(shipped: Catalog) -> None:
    kinds = {machine_of(x) for x in shipped.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(x, Platform)}
    assert kinds == {"board", "server", "tower", "desktop", "rack"}


@pytest.mark.parametrize("row", table("grades"), ids=lambda row: row["key"])
def test_a_buyers_own_figure_takes_its_place(row: Any, shipped: Catalog) -> None:
    """And no other figure moves."""
    platform = next(
        x
        for x in shipped.of(Kind.PLATFORM)
        if isinstance(x, Platform) and machine_of(x) == row["machine"] and not {"dimm", "cpu"} & set(x.includes)
    )

    def asked_of(policy: Policy) -> dict[str, float | None]:
        said = platform, policy, row["grade"]
        return {
            "percent": float(ram_percent(*said)),
            "gb": whole_ram_gb(*said),
            "per_gpu": float(cores_per_gpu(*said)),
            "boot_drives": boot_drives(*said),
            "consumer_drives": most_consumer_drives(*said),
            "port_gbit_s": port_gbit_s(*said),
            "data_in_bays": int(data_in_bays(*said)),
            "fan_cards": at_most(FAN_CARDS, *said),
            "unlisted_gpus": at_most(UNLISTED, *said),
            "atx_supplies": at_most(ATX_SUPPLIES, *said),
            "nodes": at_most(NODES, *said),
        }

    other = 0 if row["most"] == "1" else 8
    usual, own = asked_of(Policy()), asked_of(Policy().with_settings([f"{row['key']}={other}"]))
    name = next(name for name in usual if row["key"].endswith(f"_{name}"))
    assert usual[name] == float(row["value"])
    least = {"percent": 20.0, "per_gpu": 4.0}.get(name, 0)
    assert own == {**usual, name: max(other, least)}


def test_common_is_what_is_asked_for_where_nobody_says_anything() -> None:
    assert Request(model="r1-671b", as_of=AS_OF).grade == "common"


def test_nodes_of_eight_hold_what_is_sold(shipped: Catalog) -> None:
    """The main job: what common asks for is there, and what the floor leaves is not sold."""
    for grade in GRADES[:2]:
        asked = Request(model="v2-670b", as_of=AS_OF, budget_cents=400_000_00, grade=grade)
        found = Solver(Market.open(shipped, asked, Policy())).front().points[-1].case
        judged = replace(found, request=asked.model_copy(update={"grade": "common"}))
        failed = {check.rule for check in findings(judged) if check.status == "fail"}
        assert machine_of(found.platform) == "board"
        assert bool(failed) == (grade == "floor")


def test_two_atx_supplies_stand_in_cases_made_for_two(shipped: Catalog) -> None:
    supply = next(x for x in shipped.of(Kind.PSU) if isinstance(x, Psu) and x.form == "ATX")
    towers = [x for x in shipped.of(Kind.PLATFORM) if isinstance(x, Platform) and "ATX" in x.psu_forms]
    made = {x.id: "2xATX" in x.psu_forms for x in towers}
    assert set(made.values()) == {True, False}
    assert {x.id: supplies_sold(x, supply, 2, Policy(), "common") for x in towers} == made
    assert not any("2xATX" in x.psu_forms and x.psu_bays < 2 for x in towers)


@pytest.mark.parametrize(("vram", "least"), [(8, 32), (16, 32), (64, 32), (65, 33), (96, 48)])
def test_a_tower_has_32_gb_however_small_its_card(vram: int, least: int, shipped: Catalog) -> None:
    tower = next(x for x in shipped.of(Kind.PLATFORM) if isinstance(x, Platform) and machine_of(x) == "tower")
    assert least_ram_gb(vram, tower, Policy(), "common") == least
    assert least_ram_gb(vram, tower, Policy(), "floor") == -(-vram // 5)


def test_a_result_from_before_grades_is_of_the_floor() -> None:
    catalog, request, _ = scenario(0)
    data = json.loads(json.dumps(answer(catalog, request, Policy()).data))
    assert data["request"].pop("grade") == "floor"
    report, read = consistent(data, catalog)
    assert not report.wrong
    assert read is not None
    assert read.result.request.grade == "floor"


def test_geforce_in_a_rack_is_warned_of(shipped: Catalog) -> None:
    rack = next(x for x in shipped.of(Kind.PLATFORM) if isinstance(x, Platform) and x.rack_mount and not x.contents)
    tower = next(x for x in shipped.of(Kind.PLATFORM) if isinstance(x, Platform) and not x.rack_mount)
    for platform, gpu, warned in (
        (rack, "nvidia-rtx-4090-24gb", True),
        (tower, "nvidia-rtx-4090-24gb", False),
        (rack, "nvidia-l40s-48gb", False),
    ):
        market = Market.open(shipped, Request(model="r1-distill-qwen-7b", as_of=AS_OF, grade="floor"), Policy())
        case = Case(
            Build(1, {platform.id: 1, gpu: 1}, {}), shipped, market.request, market.policy, market.llm, market.book,
            Plan(precision="bf16", kv_precision="bf16", tp=1, pp=1, dp=1, ep=1, replicas=1, concurrency=1),
        )  # fmt: skip
        texts = [finding.text for finding in BY_ID["fit"].check(case) if finding.status == "warn"]
        assert any("2.8" in text for text in texts) == warned


def test_a_build_that_is_given_is_judged_by_the_floor_in_the_library_too(shipped: Catalog) -> None:
    """As `dsopt check` judges it: a tower of 16 GB of RAM works, though nobody sells it; who names a grade is heard."""
    asked = Request(model="r1-distill-llama-8b", as_of=AS_OF, gpus=frozenset({"amd-radeon-ai-pro-r9700-32gb"}))
    floor = asked.model_copy(update={"grade": "floor"})
    build = Solver(Market.open(shipped, floor, Policy())).front().points[0].case.build
    assert check(build, asked).ok and check(build, floor).ok
    assert not check(build, asked.model_copy(update={"grade": "common"})).ok
    assert asked.grade == "common"


def test_a_network_is_no_slower_than_the_port_of_each_node(shipped: Catalog) -> None:
    """Nodes with a port of 100 Gbit/s beside a network of 10: a warning at the floor, a fault at common, where none
    such is built."""
    asked = Request(
        model="r1-671b", as_of=AS_OF, grade="floor", gpus=frozenset({"amd-mi350x-288gb"}), gpu_count=16, max_nodes=2,
    )  # fmt: skip
    fast = "nvidia-connectx-5-100g-1-port-qsfp28"

    def networks(grade: Grade, with_card: str = "") -> list[tuple[str, float | None, float | None]]:
        market = Market.open(shipped, asked.model_copy(update={"grade": grade}), Policy())
        case = Solver(market).front().points[0].case
        if with_card:
            node = dict(case.build.node) | {with_card: 1}
            common = asked.model_copy(update={"grade": "common"})
            case = replace(case, build=replace(case.build, node=node), request=common)
        return [
            (finding.status, finding.measured, finding.limit)
            for finding in BY_ID["interconnect"].check(case)
            if finding.unit == "Gbit/s" and "network of 2 nodes" in str(finding.text)
        ]

    assert networks("floor") == [("warn", 10, 100)]
    assert networks("floor", fast) == [("fail", 10, 100)]
    assert networks("common") == [("pass", 100, 100)]


def test_towers_beyond_two_are_not_sold(shipped: Catalog) -> None:
    """Where only towers hold the cards asked for, three of them are a build of the floor alone."""
    asked = Request(
        model="r1-distill-qwen-7b", as_of=AS_OF, gpus=frozenset({"nvidia-rtx-5090-32gb"}), gpu_count=6,
        exclude=frozenset(x.id for x in shipped.of(Kind.PLATFORM) if isinstance(x, Platform) and x.rack_mount),
    )  # fmt: skip
    nodes = {
        grade: {
            p.found.row.key.nodes
            for p in Solver(Market.open(shipped, asked.model_copy(update={"grade": grade}), Policy())).front().points
        }
        for grade in GRADES[:2]
    }
    assert all(n <= 2 for n in nodes["common"])


def test_the_table_of_the_docs_is_that_of_the_data() -> None:
    assert markdown() in (Path(__file__).parents[2] / "docs" / "grades.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("grade", GRADES[1:])
@pytest.mark.parametrize("seed", one_in(5, range(40)))
def test_what_grades_read_tells_twins_apart(seed: int, grade: Grade) -> None:
    """Siblings that differ in what grades read, drives for desktops and on the board, slower cards, cards with fans,
    boards with a faster port, replace nothing that they should not: CP-SAT alone over all of them finds the same
    front."""
    catalog, request, _ = graded_scenario(seed, grade)
    rng, catalog = random.Random(f"{seed} {grade} twins"), with_siblings(catalog, seed)
    parts = dict(catalog.parts)
    for name, part in catalog.parts.items():
        if name.endswith(("-v0", "-v1")):
            parts[name] = part.model_copy(update={key: rng.choice(of) for key, of in READ.get(type(part), {}).items()})
    market = Market.open(replace(catalog, parts=parts), request, Policy())
    assert values(Solver(market)) == values(Solver(market, clever=False))


@pytest.mark.parametrize("seed", IN_RACKS)
def test_a_cheaper_drive_for_desktops_takes_no_place_in_a_server(seed: int) -> None:
    catalog, request, _ = graded_scenario(seed, "common")
    usual = values(Solver(Market.open(catalog, request, Policy())))
    parts, offers = dict(catalog.parts), dict(catalog.offers)
    for drive in catalog.of(Kind.DRIVE):
        twin = drive.model_copy(update={"id": f"{drive.id}-desktop", "media": "nvme-consumer"})
        parts[twin.id] = twin
        offers[twin.id] = tuple(
            x.model_copy(update={"id": f"{x.id}-desktop", "part": twin.id, "price": round(x.price / 2, 2)})
            for x in catalog.offers[drive.id]
        )
    assert usual
    assert values(Solver(Market.open(replace(catalog, parts=parts, offers=offers), request, Policy()))) == usual


@pytest.mark.parametrize("seed", IN_RACKS[:2])
def test_a_graded_result_is_verified_again_with_what_the_floor_saves(seed: int) -> None:
    catalog, request, _ = graded_scenario(seed, "common")
    result = solve(request, catalog=catalog)
    assert [x.code for x in result.messages].count("grade") == 1
    assert verify_result(result, catalog=catalog, prove=True).ok
