"""Experts in host memory: published figures, the front against brute force, and what the rule alone keeps out."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, cast

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import Contained, Cpu, Kind, Memory, Part, Platform
from constraints.build import build_of
from constraints.model.family_model import FamilyModel
from constraints.physics import offload as rule
from constraints.physics.offload import CPU_FIELDS, MEMORY_FIELDS, HostSpec, host, room_gb
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.host_memory import HostMemory, host_of
from constraints.rules.registry import RULES
from optimizer import library
from optimizer.market.market import Market
from optimizer.result.build_file import read
from optimizer.result.messages import messages
from optimizer.search.front import Front
from optimizer.search.judging import check
from optimizer.search.solver import Solver
from optimizer.sizing.offload import host_size
from optimizer.throughput import offload
from optimizer.throughput.jobs import DATA_FIELDS
from tests.support.commands import dsopt
from tests.support.long import one_in
from tests.support.offload_fit import check_rows, checked, constants, fit, interval, left_out, measured, table
from tests.support.oracle import Oracle
from tests.support.random_catalogs import offload_scenario
from tests.throughput.test_throughput import Seen

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "offload.md"


def test_constants_are_the_fit() -> None:
    rows = [m for m in measured("decode") if m.in_fit]
    assert fit(rows) == constants()
    k = offload.constants()
    assert interval(rows) == (k["interval_low"], k["interval_high"])


def test_published_machines_not_in_the_fit() -> None:
    unseen = left_out([m for m in measured("decode") if m.in_fit])
    assert median(abs(e) for _, e in unseen) <= 0.22


def test_docs_show_the_computed_table() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")


def test_runs_of_the_measured_file() -> None:
    """Every run with experts in host memory is judged by a machine, or says why it can't be; four of every five lie in
    the interval that a plan states, by a fit that has not seen their machine."""
    rows = check_rows()
    assert len({r["id"] for r in rows}) == len(rows) >= 20
    assert all(bool(r["figure"]) != bool(r["not_judged"]) for r in rows)
    for r, c in zip((r for r in rows if r["figure"]), checked(), strict=True):
        assert r["id"] == c.id and float(r["tok_s"]) == pytest.approx(c.figure.tok_s, abs=0.05)
    assert sum(c.inside for c in checked()) >= 0.8 * len(checked())
    assert median(abs(c.error) for c in checked()) <= 0.25
    assert sum(c.figure.phase == "check" for c in checked()) == 4


CATALOGS = (0, 1, 2, 3, 7, 9, 18, 22, 23, 28, 31, 33, 36, 50, 56, 59, 74)


def proven(market: Market, **how: bool) -> Front:
    front = Solver(market, **how).front()
    assert front.complete
    return front


def values(front: Front) -> list[tuple[int, int]]:
    """(cents, 0.1 tok/s)."""
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("seed", one_in(3, CATALOGS))
def test_front_equals_brute_force(seed: int) -> None:
    catalog, request, ask = offload_scenario(seed)
    market = Market.open(catalog, request, Policy())
    assert values(proven(market)) == Oracle(catalog, ask, 2 if seed % 3 == 2 else 1).front()


@pytest.mark.parametrize("seed", one_in(3, CATALOGS))
def test_cp_sat_alone_finds_the_same_front(seed: int) -> None:
    market = Market.open(*offload_scenario(seed)[:2], Policy())
    assert values(proven(market, clever=False)) == values(proven(market))


class WithoutExperts(HostMemory):
    """The rule but for what experts in host memory ask for."""

    def _experts(self, m: FamilyModel) -> None:
        return


def test_certificate_needs_the_encode_of_experts() -> None:
    rules = tuple(WithoutExperts() if r.id == "host_memory" else r for r in RULES)
    failed: set[str] = set()
    for seed in CATALOGS:
        market = Market.open(*offload_scenario(seed)[:2], Policy())
        front = Solver(market, rules=rules, clever=False).front()
        failed |= {x.text for p in front.points for x in p.checks if x.status == "fail"}
    for lack in ("host memory gives only", "beside the system host memory has only"):
        assert any(text.startswith(lack) and "experts" in text for text in failed), lack


@pytest.mark.parametrize(
    ("most", "conditions", "speed", "without"),
    [(30_000, ["new"], 10, ("nvidia-rtx-4060-ti-16gb",)), (15_000, ["new", "used"], 4, ())],
)
def test_a_671b_model_on_one_card(
    ask: Any, most: int, conditions: list[str], speed: float, without: tuple[str, ...]
) -> None:
    """New, two of a cheap card that is too slow alone cost less than one of the next kind: that one is left out."""
    fields = {
        "exclude": without,
        "offload": True,
        "allow_experimental": True,
        "precision": "int4",
        "min_tok_s_user": speed,
        "conditions": frozenset(conditions),
    }
    found = Solver(ask("v3-671b", most, **fields)).cheapest()
    assert found is not None
    assert found.row.plan.offload and found.row.key.total == 1
    assert found.parts_cents < most * 100


def rig(shipped: Catalog, **parts: int) -> tuple[Market, Any]:
    """The example's market and build, with other quantities of some parts."""
    catalog, request, [(_, build)] = read(ROOT / "examples" / "one-gpu-671b.toml", shipped, None, "2026-11-24")
    node = {**build.node, **{k.replace("_", "-"): q for k, q in parts.items()}}
    return Market.open(catalog, request, Policy()), build_of(catalog, 1, {k: q for k, q in node.items() if q}, {})


def test_half_the_channels_give_half_the_bandwidth(shipped: Catalog) -> None:
    market, whole = rig(shipped)
    _, half = rig(shipped, samsung_m321r4ga3eb0_cwm=0, samsung_m321r8ga0pb0_cwmkj=6)
    full, partly = host_of(check(market, whole)[0]), host_of(check(market, half)[0])
    assert full and partly
    assert 2 * partly.gb_s == full.gb_s
    assert partly.gb == full.gb == 12 * 32 - 16


def test_room_for_the_experts_at_its_limit(shipped: Catalog) -> None:
    market, build = rig(shipped)
    case, checks = check(market, build)
    assert case.plan.offload and not [x for x in checks if x.status == "fail"]
    need = next(x.limit for x in checks if x.text.startswith("beside the system host memory has"))
    assert need == -(-market.llm.expert_bytes("int4") // 2**30)
    for system, fits in ((12 * 32 - need, True), (12 * 32 - need + 1, False)):
        policy = Policy().with_settings([f"host_memory.system_gb={system}"])
        case, checks = check(Market.open(market.catalog, market.request, policy), build)
        assert (case.plan.offload and not [x for x in checks if x.status == "fail"]) is fits


def asked(speed: float) -> Request:
    """The 671B model at 4 bits, this fast for each user, by any engine."""
    fields: dict[str, Any] = {"precision": "int4", "min_tok_s_user": speed, "allow_experimental": True}
    return Request(model="v3-671b", as_of=date(2026, 11, 24), **fields)


def test_sizing_without_buying(shipped: Catalog) -> None:
    request = Request(
        model="v3-671b", as_of=date(2026, 11, 24), precision="int4", min_tok_s_user=5, allow_experimental=True
    )
    gpu: Any = shipped.parts["nvidia-rtx-4090-24gb"]
    spec = HostSpec("Genoa", 1, 96, 12, 4800, 768)
    found = host_size(get("v3-671b"), request, Policy(), gpu, 1, 1, spec)
    assert found["fits"] and found["precision"] == "int4" and found["bandwidth_gb_s"] == 460
    small = host_size(get("v3-671b"), request, Policy(), gpu, 1, 1, HostSpec("Genoa", 1, 96, 12, 4800, 192))
    assert not small["fits"] and "317 GiB" in small["reason"]
    assert not host_size(get("r1-distill-llama-8b"), request, Policy(), gpu, 1, 1, spec)["fits"]


def test_more_of_anything_is_never_slower(shipped: Catalog) -> None:
    request = Request(
        model="v3-671b", as_of=date(2026, 11, 24), precision="int4", min_tok_s_user=1, allow_experimental=True
    )
    gpu: Any = shipped.parts["nvidia-rtx-4090-24gb"]
    base = {"generation": "Genoa", "sockets": 1, "cores": 32, "channels": 8, "mts": 4800, "ram_gb": 768}

    def speed(**change: Any) -> float:
        spec = HostSpec(**{**base, **change})
        return float(host_size(get("v3-671b"), request, Policy(), gpu, 1, 1, spec)["output_tok_s"])

    assert speed(channels=12) > speed() < speed(mts=6000)
    assert speed(cores=64) >= speed() > speed(cores=8)
    assert speed() < speed(generation="Sapphire Rapids")
    assert speed(sockets=2, channels=16, cores=64) > speed()
    assert speed(sockets=2, channels=8) < speed()


def test_reads_only_declared_attributes(shipped: Catalog) -> None:
    platform: Any = shipped.parts["supermicro-h13ssl-n-1p-sp5-plus-case"]
    cpu: Any = Seen(shipped.parts["amd-epyc-9224"])
    memory: Any = Seen(shipped.parts["samsung-m321r4ga3eb0-cwm"])
    host(platform, cpu, memory, 12, Policy())
    host(platform, cpu, cast(Any, Seen(shipped.parts["generic-ddr5-mrdimm-8800-64gb"])), 12, Policy())
    assert cpu.names == CPU_FIELDS
    assert memory.names == MEMORY_FIELDS
    gpu: Any = Seen(shipped.parts["nvidia-rtx-4090-24gb"])
    request = Request(
        model="v3-671b", as_of=date(2026, 11, 24), precision="int4", min_tok_s_user=5, allow_experimental=True
    )
    assert host_size(get("v3-671b"), request, Policy(), gpu, 1, 1, HostSpec("Genoa", 1, 96, 12, 4800, 768))["fits"]
    assert gpu.names <= DATA_FIELDS | {"id"}


def failing(market: Market, build: Any) -> set[str]:
    return {x.text for x in check(market, build)[1] if x.status == "fail"}


def test_a_check_says_what_experts_lack(shipped: Catalog) -> None:
    _, small = rig(shipped, samsung_m321r4ga3eb0_cwm=0, samsung_m321r2ga3eb0_cwm=12)
    market, build = rig(shipped)
    assert failing(market, build) == set()
    text = "beside the system host memory has only 176 GiB for the experts, which need 317 GiB"  # 12 x 16 - 16
    assert failing(market, small) == {text}
    slow = market.request.model_copy(update={"min_tok_s_user": 40})
    text = "no plan gives each user 40 tok/s with experts in host memory"
    assert failing(Market.open(market.catalog, slow, Policy()), build) == {text}


@pytest.mark.parametrize(
    ("gflops", "found"),
    [(0, 0), (249, 0), (250, 250), (349, 250), (350, 350), (499, 350), (500, 500), (699, 500), (700, 700), (999, 700),
     (1000, 1000), (1399, 1000), (1400, 1400), (1999, 1400), (2000, 2000), (32_000, 32_000)],
)  # fmt: skip
def test_classes_of_two_steps_per_doubling(monkeypatch: pytest.MonkeyPatch, gflops: int, found: int) -> None:
    """250, 350, 500, 700, 1000, ...: what the cores attain, rounded down."""
    monkeypatch.setattr(rule, "cpu_classes", lambda: {"one": ("", 1)})
    assert rule.cores_gflops("one", gflops) == found


def test_class_of_the_cores_of_all_sockets(shipped: Catalog) -> None:
    """Genoa attains 53 GFLOPS a core: 24 cores are 1272, on two sockets 2544. Of unlisted CPUs nothing is known."""
    cpu: Any = shipped.parts["amd-epyc-9224"]
    assert (cpu.generation, cpu.cores) == ("Genoa", 24)
    assert [rule.gflops_class(cpu, n) for n in (1, 2)] == [1000, 2000]
    dark = cpu.model_copy(update={"generation": "unlisted", "cores": 4000})
    assert rule.gflops_class(dark, 2) == 0


@pytest.mark.parametrize(
    ("change", "can"),
    [({}, True), ({"dimm_slots": 0}, False), ({"channels_per_cpu": 0}, False), ({"sockets": 2}, True),
     ({"sockets": 3}, False), ({"contents": (Contained(part="dimm", qty=2),)}, False)],
)  # fmt: skip
def test_boards_whose_memory_may_hold_experts(shipped: Catalog, change: dict[str, Any], can: bool) -> None:
    """Modules in slots, one or two sockets, bought for it: not memory soldered to channels, nor what a system holds."""
    platform: Any = shipped.parts["supermicro-h13ssl-n-1p-sp5-plus-case"]
    assert rule.offloads(platform.model_copy(update=change)) is can


def test_copies_of_the_experts_take_room() -> None:
    assert room_gb(768, Policy()) == 752
    assert room_gb(768, Policy().with_settings(["host_memory.expert_copies=2"])) == 376
    assert room_gb(768, Policy().with_settings(["host_memory.expert_copies=0"])) == 752


def test_a_dense_model_has_nothing_to_offload(ask: Any) -> None:
    market = ask("r1-distill-qwen-7b", 5_000, offload=True)
    assert "offload-dense" in {m["code"] for m in messages(market, Front())}


def test_experts_in_host_memory_need_leave_for_experimental_engines(shipped: Catalog, ask: Any) -> None:
    """KTransformers is marked experimental (support.csv): nothing is planned without leave, and it is said."""
    request = asked(5).model_copy(update={"allow_experimental": False})
    gpu: Any = shipped.parts["nvidia-rtx-4090-24gb"]
    spec = HostSpec("Genoa", 1, 96, 12, 4800, 768)
    refused = host_size(get("v3-671b"), request, Policy(), gpu, 1, 1, spec)
    assert not refused["fits"]
    assert refused["reason"] == (
        "KTransformers 0.7 keeps the experts in host memory only experimentally (--allow-experimental)"
    )
    fields = {"offload": True, "precision": "int4"}
    assert "offload-experimental" in codes(ask("v3-671b", 30_000, **fields))
    assert "offload-experimental" not in codes(ask("v3-671b", 30_000, **fields, allow_experimental=True))
    assert "offload-experimental" not in codes(ask("r1-distill-qwen-7b", 30_000, offload=True))


def codes(market: Market) -> set[str]:
    return {m["code"] for m in messages(market, Front())}


def test_nothing_changes_without_the_option(ask: Any) -> None:
    solver = Solver(ask("v3-671b", 60_000, precision="int4"))
    solver.judge(60_000_00)
    assert solver.on_host is None
    assert not any(r.plan.offload or r.key.host_gb_s for u in solver.families for r in u.rows)


def test_a_memory_speed_that_is_not_reached_is_said() -> None:
    """MRDIMM-8800 on a CPU that takes RDIMMs of 6,400 MT/s alone: the lower speed is counted, and said; no more than
    two modules stand on a channel."""
    job = ["size", "--model", "r1-671b", "--gpu", "1x5090", "--offload", "--allow-experimental", "--cpu", "Xeon 6530P"]
    fast = dsopt(*job, "--memory", "8x96GB@8800")
    assert "6,400 MT/s" in fast.stderr and "8,800 MT/s" in fast.stderr
    assert dsopt(*job, "--memory", "8x96GB@6400").stdout == fast.stdout
    said = json.loads(dsopt(*job, "--memory", "8x96GB@8800", "--json").stdout)["messages"]
    assert any("8,800 MT/s" in x for x in said)
    for quiet in ("8x96GB@6400", "8x96GB@5600", "8x96GB"):
        assert not json.loads(dsopt(*job, "--memory", quiet, "--json").stdout)["messages"]
    assert "two modules on a channel" in dsopt(*job, "--memory", "17x96GB@6400", code=3).stderr


def test_mrdimms_reach_their_own_speed_where_the_cpu_takes_them() -> None:
    """Xeon 6900P: RDIMMs at 6,400 MT/s, MRDIMMs at 8,800 (servethehome.com): 12 channels, 614 and 844 GB/s."""
    job = ["size", "--model", "r1-671b", "--gpu", "1x5090", "--offload", "--allow-experimental", "--cpu", "Xeon 6980P"]
    for speed, gb_s, said in (("", 614, 0), ("@6400", 614, 0), ("@8800", 844, 0), ("@9600", 844, 1)):
        answer = json.loads(dsopt(*job, "--memory", f"12x96GB{speed}", "--json").stdout)
        assert answer["setups"][0]["details"]["bandwidth_gb_s"] == gb_s and len(answer["messages"]) == said


def test_a_search_counts_mrdimms_at_the_speed_of_the_cpu(shipped: Catalog) -> None:
    """On Xeon 6700P they run at 8,000 MT/s, on a CPU of unknown MRDIMM speed as other modules: 16 channels, 75 % of two
    sockets."""
    platform, module = shipped.parts["hpe-proliant-dl380a-gen12"], shipped.parts["generic-ddr5-mrdimm-8800-64gb"]
    assert isinstance(platform, Platform) and isinstance(module, Memory)

    def gb_s(cpu: Part, **fields: Any) -> int:
        return host(platform, cast(Cpu, cpu.model_copy(update=fields)), module, 16, Policy()).gb_s

    fast = shipped.parts["intel-xeon-6747p"]
    assert gb_s(fast) == 16 * 8000 * 8 * 75 // 100_000 == 768
    assert gb_s(fast, mrdimm_max_mts=None) == 16 * 6400 * 8 * 75 // 100_000 == 614
    assert gb_s(fast, mrdimm_max_mts=None, mem_max_mts=None) == 0
    sold = Offer(id="m", part=module.id, price=Decimal(700), currency="USD", date=date(2026, 11, 20), condition="new",
                 confidence="list", seller="a", source="b")  # fmt: skip
    offers = {**shipped.offers, module.id: (sold,)}
    request = Request(
        model="v3-671b", as_of=date(2026, 11, 24), throughput_tenths=50, min_precision_bits=4, allow_experimental=True,
        offload=True, include=(module.id,), gpus=("nvidia-rtx-6000-ada-48gb",),
        grade="floor",  # servers that take MRDIMMs are sold with no cards that have fans
    )  # fmt: skip
    found = library.solve(request, catalog=replace(shipped, offers=offers))
    assert found.front and found.proof.status == "optimal"
    for point in found.front:
        cpus = [shipped.parts[x.part] for x in point.nodes[0].parts if shipped.parts[x.part].kind == Kind.CPU]
        assert all("MRDIMM" in cpu.dimm_types for cpu in cpus if isinstance(cpu, Cpu))
        assert point.row.host_gb_s == 768


def test_one_user_has_a_figure_and_the_speed_an_interval() -> None:
    """Kimi K2 on a Xeon 6960P with MRDIMMs and an RTX PRO 6000: 9.5 tok/s read for one user, who thinks it low
    (kvcache-ai/ktransformers issue 1730). Alone a request is faster than beside others."""
    job = ["size", "--model", "kimi-k2-thinking", "--gpu", "RTX PRO 6000 Blackwell Server", "--offload",
           "--allow-experimental", "--cpu", "Xeon 6960P", "--memory", "12x64GB@8800", "--json"]  # fmt: skip
    (several,) = json.loads(dsopt(*job, "--min-tok-s-user", "1").stdout)["setups"]
    assert several["low"] < several["output_tok_s"] < several["high"] and several["basis"] == "roofline"
    alone = several["details"]["one_user_tok_s"]
    assert 9.5 < alone < 20 and alone > several["per_user_tok_s"]
    (one,) = json.loads(dsopt(*job, "--min-tok-s-user", str(alone - 0.02)).stdout)["setups"]
    assert one["users"] == 1 and one["per_user_tok_s"] == pytest.approx(alone, abs=0.01)


OFFLOADED = ("size", "--model", "v3-671b", "--gpu", "4090", "--offload", "--allow-experimental", "--cpu", "EPYC 9654",
             "--memory", "12x64GB@4800")  # fmt: skip


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_table_over_users(nodes: int) -> None:
    """As of serving: each number of users with speed, interval, basis, wait, and what cuts it; the summary's figures
    stand at its users."""
    (seen,) = json.loads(dsopt(*OFFLOADED, "--min-tok-s-user", "4", "--nodes", str(nodes), "--json").stdout)["setups"]
    rows = {row["users"]: row for row in seen["table"]}
    summary = rows[seen["users"]]
    for field in ("output_tok_s", "per_user_tok_s", "ttft_ms", "basis", "precision", "tp", "replicas"):
        assert summary[field] == pytest.approx(seen[field]) if isinstance(seen[field], float) else seen[field]
    held = max(row["at_once"] for row in rows.values())
    assert {1, 4, seen["users"], held} <= {*rows} and max(rows) > held
    low, high = offload.constants()["interval_low"], offload.constants()["interval_high"]
    ordered = [rows[users] for users in sorted(rows)]
    for row in ordered:
        assert row["low"] == pytest.approx(low * row["output_tok_s"], abs=0.11)
        assert row["high"] == pytest.approx(high * row["output_tok_s"], abs=0.11)
        assert row["basis"] == "roofline" and row["replicas"] == nodes
        assert bool(row["cut"]) == (row["users"] > held or row["per_user_tok_s"] < 4)
        assert ("wait" in row["cut"]) == (row["users"] > held) == (row["at_once"] < row["users"])
    each, wait = ([row[field] for row in ordered] for field in ("per_user_tok_s", "ttft_ms"))
    assert each == sorted(each, reverse=True) and wait == sorted(wait)
    assert rows[1]["per_user_tok_s"] == pytest.approx(seen["details"]["one_user_tok_s"], abs=0.01)


def test_where_no_limit_is_met_the_table_says_by_how_much() -> None:
    (seen,) = json.loads(dsopt(*OFFLOADED, "--min-tok-s-user", "100", "--json").stdout)["setups"]
    assert not seen["fits"] and "the latency limits, with one user too: each user below 100 tok/s" in seen["reason"]
    assert seen["table"][0]["users"] == 1 and all("each user below 100 tok/s" in row["cut"] for row in seen["table"])
    for language in ("en", "zh"):
        said = dsopt("--lang", language, *OFFLOADED, "--min-tok-s-user", "100").stdout
        assert f"{seen['table'][0]['per_user_tok_s']:.1f}" in said and "True" not in said and "False" not in said
