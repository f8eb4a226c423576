"""GPUs that the maker of a machine lists for it: what a grade takes, what a check warns of, and what is not judged."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import SHIPPED, Catalog, load
from catalogs.qualified_gpus import QualifiedGpu
from catalogs.schema import Gpu, Kind, Platform
from constraints.build import Build, Case
from constraints.physics.grades import GRADES, gpus_qualified
from constraints.physics.qualified import unqualified
from constraints.policy import Policy
from constraints.request import Grade, Request
from optimizer.library import check
from optimizer.market.market import Market
from optimizer.pruning.near_duplicates import thinned
from optimizer.result.answer import embedded
from optimizer.result.answer import solve as answer
from optimizer.result.schema import Checked
from optimizer.search.solver import Solver
from optimizer.verify.complete import complete
from optimizer.verify.consistent import consistent
from tests.conftest import AS_OF
from tests.search.test_oracle import nodes_tried
from tests.search.test_twins import values, with_siblings
from tests.support.commands import run
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.random_catalogs import listed_scenario, scenario

HEADER = "platform,gpu,most,complete_for,list_date,read_date,source\n"
TOWER, SERVER = "dell-poweredge-r7715", "dell-poweredge-xe7745"
L4, L40, L40S, A40, A10 = "nvidia-l4-24gb", "nvidia-l40-48gb", "nvidia-l40s-48gb", "nvidia-a40-48gb", "nvidia-a10-24gb"
MI210 = "amd-mi210-64gb"
DECIDED = (0, 6, 12, 24, 47)
"""Random catalogs whose front at grade common is another without their lists."""


def machine(catalog: Catalog, name: str) -> Platform:
    part = catalog.parts[name]
    assert isinstance(part, Platform)
    return part


def card(catalog: Catalog, name: str) -> Gpu:
    part = catalog.parts[name]
    assert isinstance(part, Gpu)
    return part


def overlaid(folder: Path, *rows: str) -> Catalog:
    folder.mkdir(exist_ok=True)
    (folder / "qualified_gpus.csv").write_text(HEADER + "\n".join(rows) + "\n", encoding="utf-8")
    return load([folder])


# What a list says -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("platform", "gpu", "per_node", "beyond"),
    [
        (SERVER, L40S, 8, 0),  # listed, in the number listed
        (TOWER, L40S, 3, 0),
        (TOWER, L4, 6, 0),
        (TOWER, L4, 7, 1),  # over the number
        (SERVER, A10, 2, 2),  # of the vendor whose GPUs the list names in full, and not among them
        (SERVER, A40, 8, 8),
        (SERVER, L40, 8, 0),  # left open by the list as it was read
        (SERVER, MI210, 8, 0),  # of another vendor
        ("hpe-proliant-dl380a-gen12", "nvidia-l20-48gb", 8, 0),  # listed without a number
        ("cisco-ucs-c845a-m8", L40, 8, 0),  # single pairs say nothing of the others
        ("cisco-ucs-c845a-m8", L40S, 9, 1),
        ("supermicro-as-4125gs-tnrt", A40, 8, 0),  # no list found
    ],
)
def test_cards_beyond_a_list(platform: str, gpu: str, per_node: int, beyond: int, shipped: Catalog) -> None:
    found = unqualified(machine(shipped, platform), card(shipped, gpu), per_node, shipped)
    assert found == beyond
    for grade in GRADES:
        said = machine(shipped, platform), card(shipped, gpu), per_node, shipped, Policy(), grade
        assert gpus_qualified(*said) == (beyond == 0 or grade == "floor")


@pytest.mark.parametrize(("released", "judged"), [(date(2026, 7, 16), True), (date(2026, 7, 17), False), (None, False)])
def test_a_list_says_nothing_of_a_gpu_that_came_out_later(
    released: date | None, judged: bool, shipped: Catalog
) -> None:
    newer = card(shipped, A40).model_copy(update={"id": "newer", "released": released})
    assert bool(unqualified(machine(shipped, SERVER), newer, 4, shipped)) == judged


def test_a_buyer_may_take_what_is_not_listed(shipped: Catalog) -> None:
    own = Policy().with_settings(["fit.common_server_unlisted_gpus=8"])
    assert gpus_qualified(machine(shipped, SERVER), card(shipped, A40), 8, shipped, own, "common")
    assert not gpus_qualified(machine(shipped, SERVER), card(shipped, A40), 8, shipped, own, "full")


def test_what_a_system_comes_with_is_its_makers(shipped: Catalog) -> None:
    system = machine(shipped, "lenovo-thinkedge-se100-rtx-2000e-ada")
    pair = QualifiedGpu(
        platform=system.id, gpu=L4, complete_for=("NVIDIA",), list_date=AS_OF, read_date=AS_OF, source="a test",
    )  # fmt: skip
    gpu = card(shipped, system.contents[0].part).model_copy(update={"released": date(2024, 1, 1)})
    listed = replace(shipped, qualified_gpus={pair.id: pair})
    assert unqualified(system, gpu, 1, listed) == 1
    assert gpus_qualified(system, gpu, 1, listed, Policy(), "common")


# Machines that exist and machines that are offered ------------------------------------------------------------------


def judged(catalog: Catalog, gpu: str, pieces: int, grade: Grade, *, exists: bool = True) -> Checked:
    node = {
        SERVER: 1, gpu: pieces, "amd-epyc-9355": 2, "samsung-m321r8ga0pb2-ccpkc": 24, "samsung-pm9a3-3.84tb": 2,
    }  # fmt: skip
    held = {part: number for part, number in node.items() if part in catalog.parts}
    asked = Request(
        model="r1-distill-qwen-7b", as_of=AS_OF, have=("racks", "network"), conditions=("new", "used"), grade=grade,
    )  # fmt: skip
    return check(Build(1, held, {}), asked, catalog=catalog, exists=exists)


def of_list(found: Checked, status: str) -> list[str]:
    texts = [str(x.text) for x in found.checks if x.rule == "fit" and x.status == status]
    return [text for text in texts if "maker" in text]


def test_an_unlisted_pair_is_a_warning_at_the_floor_and_a_failure_above(shipped: Catalog) -> None:
    assert not of_list(judged(shipped, L40S, 8, "floor"), "warn")
    (warned,) = of_list(judged(shipped, A40, 4, "floor"), "warn")
    assert "the maker lists no A40 for PowerEdge XE7745; listed: " in warned
    assert "L40S" in warned and "2026-07-16" in warned
    assert not of_list(judged(shipped, A40, 4, "floor"), "fail")
    for grade in GRADES[1:]:
        (barred,) = of_list(judged(shipped, A40, 4, grade), "fail")
        assert barred.startswith(f"grade {grade} takes no A40 in PowerEdge XE7745")


def test_more_than_the_number_listed(tmp_path: Path) -> None:
    catalog = overlaid(tmp_path / "fewer", f"{SERVER},{L40S},4,NVIDIA,2026-11-01,2026-11-30,our distributor")
    assert not of_list(judged(catalog, L40S, 4, "common"), "fail")
    (barred,) = of_list(judged(catalog, L40S, 6, "common"), "fail")
    assert barred == "grade common takes no 6 L40S in PowerEdge XE7745: its maker lists 4 (2026-11-01)"
    (warned,) = of_list(judged(catalog, L40S, 6, "floor"), "warn")
    assert "whose maker lists 4" in warned


def test_an_overlay_lists_a_pair_more(tmp_path: Path) -> None:
    catalog = overlaid(tmp_path / "more", f"{SERVER},{A40},4,,2026-11-01,2026-11-30,a letter of our account manager")
    assert not of_list(judged(catalog, A40, 4, "common"), "fail")
    assert of_list(judged(catalog, A40, 5, "common"), "fail")
    assert of_list(judged(catalog, A10, 1, "common"), "fail")


def test_the_command_warns_in_both_languages(tmp_path: Path) -> None:
    build = tmp_path / "build.toml"
    build.write_text(f'model = "r1-distill-qwen-7b"\n[parts]\n"{SERVER}" = 1\n"{A40}" = 4\n', encoding="utf-8")
    said = {code: run("check", str(build), "--lang", code)[1] for code in ("en", "zh")}
    assert "the maker lists no A40 for PowerEdge XE7745" in " ".join(said["en"].split())
    assert "厂商的清单未列 PowerEdge XE7745 装 A40" in said["zh"].replace("\n", "").replace("    ", "")


# The file -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (f"no-such-server,{A40},4,,2026-11-01,2026-11-30,x", ("unknown-part", "platform", "no-such-server")),
        (f"{SERVER},nvidia-l40s,4,,2026-11-01,2026-11-30,x", ("unknown-part", "gpu", f"Nearest id: {L40S}")),
        (f"{L40S},{A40},4,,2026-11-01,2026-11-30,x", ("wrong-kind", "platform", "of kind gpu")),
        (f"{SERVER},{SERVER},4,,2026-11-01,2026-11-30,x", ("wrong-kind", "gpu", "of kind platform")),
        (f"{SERVER},{A40},many,,2026-11-01,2026-11-30,x", ("bad-value", "most", "many")),
        (f"{SERVER},{A40},0,,2026-11-01,2026-11-30,x", ("bad-value", "most")),
        (f"{SERVER},{A40},4,Nvidea,2026-11-01,2026-11-30,x", ("bad-value", "complete_for", "Nvidea", "NVIDIA")),
        (f"{SERVER},{A40},4,,2026-11-30,2026-11-01,x", ("bad-value", "read_date is before list_date")),
        (f"{SERVER},{A40},4,,2026-11-01,2026-11-30,", ("bad-value", "source")),
    ],
)
def test_what_is_wrong_with_a_row_is_said(row: str, words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        overlaid(tmp_path / "mine", row)
    said = " ".join(f"{x.code} {x}" for x in caught.value.faults)
    assert [word for word in (*words, "qualified_gpus.csv") if word not in said] == []


def test_a_pair_stands_once_in_a_folder(tmp_path: Path) -> None:
    row = f"{SERVER},{A40},4,,2026-11-01,2026-11-30,x"
    with pytest.raises(InputError, match="pair listed twice"):
        overlaid(tmp_path / "mine", row, row)


def test_every_row_that_ships_has_source_and_days(shipped: Catalog) -> None:
    assert (SHIPPED / "qualified_gpus.csv").exists()
    assert len(shipped.maker_lists) >= 10
    for pair in shipped.qualified_gpus.values():
        assert pair.source.strip() and pair.list_date <= pair.read_date
    whole = {name for name, rows in shipped.maker_lists.items() if any(row.complete_for for row in rows)}
    assert whole and whole < set(shipped.maker_lists)


def test_gpus_that_lists_judge_say_when_they_came_out(shipped: Catalog) -> None:
    known = [x for x in shipped.of(Kind.GPU) if isinstance(x, Gpu) and x.released]
    assert len(known) >= 40
    assert all("released: " in x.source for x in known)


# Fronts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grade", GRADES[1:])
@pytest.mark.parametrize("seed", one_in(12, range(72)))
def test_front_equals_brute_force(seed: int, grade: Grade) -> None:
    catalog, request, ask = listed_scenario(seed, grade)
    market = Market.open(catalog, request, Policy())
    found = [(p.found.cost, p.found.row.perf.tenths) for p in Solver(market).front().points]
    assert found == Oracle(catalog, ask, nodes_tried(seed)).front()


@pytest.mark.parametrize("seed", DECIDED)
def test_lists_decide(seed: int) -> None:
    """Else the comparison with brute force would say nothing of them."""
    catalog, request, ask = listed_scenario(seed, "common")
    fronts = [
        values(Solver(Market.open(replace(catalog, qualified_gpus=pairs), request, Policy())))
        for pairs in (catalog.qualified_gpus, {})
    ]
    assert fronts[0] != fronts[1]
    oracle = Oracle(catalog, ask, nodes_tried(seed)).front()
    assert [speed for _, speed in fronts[0]] == [speed for _, speed in oracle]


@pytest.mark.parametrize("seed", one_in(6, range(24)))
def test_twins_of_other_lists_replace_nothing(seed: int) -> None:
    """Siblings of listed machines and GPUs, themselves in no list or in another: CP-SAT alone over all of them finds
    the same front."""
    catalog, request, _ = listed_scenario(seed, "common")
    twins = replace(with_siblings(catalog, seed), qualified_gpus=catalog.qualified_gpus)
    market = Market.open(twins, request, Policy())
    assert values(Solver(market)) == values(Solver(market, clever=False))


@pytest.mark.parametrize("kind", [Kind.PLATFORM, Kind.GPU])
def test_a_cheaper_twin_that_is_not_listed_takes_no_place(kind: Kind) -> None:
    catalog, request, _ = scenario(0)
    part = next(x for x in catalog.of(kind) if catalog.offers.get(x.id))
    twin = part.model_copy(update={"id": "twin", "released": date(2024, 1, 1)} if kind == Kind.GPU else {"id": "twin"})
    own = part.model_copy(update={"released": date(2024, 1, 1)}) if kind == Kind.GPU else part
    offer = catalog.offers[part.id][0]
    cheaper = offer.model_copy(update={"id": "twin", "part": "twin", "price": offer.price / 2})
    parts = {**catalog.parts, part.id: own, "twin": twin}
    bare = replace(catalog, parts=parts, offers={**catalog.offers, "twin": (cheaper,)})
    platform = part if kind == Kind.PLATFORM else next(iter(catalog.of(Kind.PLATFORM)))
    gpu = part if kind == Kind.GPU else next(iter(catalog.of(Kind.GPU)))
    pair = QualifiedGpu(platform=platform.id, gpu=gpu.id, most=1, list_date=AS_OF, read_date=AS_OF, source="a test")
    shelves = [
        thinned(Market.open(replace(bare, qualified_gpus=pairs), request, Policy())).book.prices
        for pairs in ({}, {pair.id: pair})
    ]
    assert [part.id in shelf for shelf in shelves] == [False, True]


# Saved results ------------------------------------------------------------------------------------------------------


def saved() -> tuple[Catalog, dict[str, Any], Case]:
    """A random result with its rows, of a machine whose list is whole for the vendor of the GPUs in it; its first
    point."""
    for seed in range(0, 60, 6):
        catalog, request, _ = listed_scenario(seed, "common")
        made = answer(catalog, request, Policy())
        for point in made.front.points[:1]:
            case = point.case
            rows = catalog.maker_lists.get(case.platform.id, ())
            if case.gpu.released and any(case.gpu.vendor in row.complete_for for row in rows):
                made.data["catalog"]["embedded"] = embedded(made)
                return catalog, json.loads(json.dumps(made.data)), case
    raise AssertionError("no such result")


def wrong(data: dict[str, Any], catalog: Catalog) -> list[str]:
    report, read = consistent(json.loads(json.dumps(data)), catalog)
    complete(read, report, "cp-sat")
    return [str(fault) for fault in report.wrong]


def test_a_saved_result_carries_the_lists_of_its_machines_and_is_verified() -> None:
    catalog, data, case = saved()
    carried = data["catalog"]["embedded"]["qualified_gpus"]
    assert {row["platform"] for row in carried} >= {case.platform.id}
    assert wrong(data, catalog) == []
    report, _ = consistent(data, replace(catalog, sha256="another"))
    assert not [x for x in report.wrong if "fit" in str(x)]


def test_a_list_that_was_changed_is_found() -> None:
    """In what the result carries, and by what it carries alone: the GPU is none of the list any more."""
    catalog, data, case = saved()
    rows = data["catalog"]["embedded"]["qualified_gpus"]
    mine = [row for row in rows if row["platform"] == case.platform.id]
    for number, row in enumerate(mine):
        row |= {"gpu": f"gpu-{number}", "complete_for": [case.gpu.vendor], "list_date": "2026-01-01"}
        row.pop("leaves_open", None)
    assert [x for x in wrong(data, catalog) if "catalog.embedded" in x]
    report, _ = consistent(data, replace(catalog, sha256="another"))
    assert [x for x in report.wrong if "front[0]" in str(x)]
