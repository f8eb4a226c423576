"""Splits of rows into nodes that prefill and nodes that decode: against brute force, their bounds, and their rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Kind
from constraints.physics.reserve import usable_bytes
from constraints.plan import Plan, Row, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import kv_fault, kv_gbit_s, plan_fault
from constraints.rules.software import software_fault
from constraints.rules.vram import demand_bytes
from optimizer.throughput.plans import Planner
from optimizer.throughput.splits import Asked
from tests.support.long import one_in
from tests.support.oracle import Ask, Oracle
from tests.support.split_oracle import split_tenths

DAY = date(2026, 11, 24)
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("v3-671b", {}),
    ("v3-671b", {"isl": 8192, "osl": 512, "users": 60}),
    ("v3-671b", {"isl": 300, "osl": 4000, "min_tok_s_user": 25.0}),
    ("r1-distill-llama-70b", {"isl": 4096, "osl": 256, "allow_experimental": True}),
    ("r1-distill-llama-70b", {"isl": 512, "osl": 512, "users": 40, "min_tok_s_user": 30.0, "allow_experimental": True}),
]


def planner_of(model: str, asked: dict[str, Any], **more: Any) -> Planner:
    request = Request(model=model, as_of=DAY, budget_cents=1, **asked)
    return Planner(get(model), request, Policy(), **more)


def key_of(gpu: Gpu, per_node: int, nodes: int, rate: int) -> RowKey:
    domain = min(gpu.wired_domain_gpus, per_node)
    host = (0, 0) if domain >= per_node else (gpu.pcie_gen or 4, 16)
    return RowKey(gpu.id, gpu.tdp_w or 1, per_node, nodes, domain, *host, "rdma", rate)


def oracle_of(asked: dict[str, Any], model: str) -> Oracle:
    """An oracle that knows a request, and no catalog."""
    oracle = object.__new__(Oracle)
    llm = get(model)
    fields = {"isl": 1024, "osl": 1024, **asked}
    oracle.ask = Ask(model=llm, budget_cents=1, floor_bits=llm.min_precision_bits, **fields)
    return oracle


@pytest.mark.parametrize(("model", "asked"), ASKED)
@pytest.mark.parametrize("name", one_in(3, ["H200 SXM5 141GB", "Instinct MI350X", "B200 SXM6 180GB"]))
def test_the_fastest_split_is_that_of_brute_force(
    model: str, asked: dict[str, Any], name: str, shipped: Catalog
) -> None:
    gpu = shipped.find(name)
    assert isinstance(gpu, Gpu)
    planner, oracle, some = planner_of(model, asked), oracle_of(asked, model), 0
    for per_node, nodes, rate in ((4, 2, 100), (8, 3, 400), (2, 4, 200)):
        key = key_of(gpu, per_node, nodes, rate)
        (row,) = planner.splits.rows([Asked(gpu, key, 0)])
        assert (row.perf.tenths if row else 0) == max(
            split_tenths(oracle, gpu, key, precision) for precision in planner.precisions(gpu) or [""]
        )
        if row is not None:
            some += 1
            run_by_an_engine(planner, gpu, row)
            low = planner.splits.rows([Asked(gpu, key, row.perf.tenths - 1), Asked(gpu, key, row.perf.tenths)])
            assert low == [row, None]  # a floor is what a split has to exceed
    assert some


def run_by_an_engine(planner: Planner, gpu: Gpu, row: Row) -> None:
    """What the rules say of a split that was planned: nothing."""
    plan, key, request = row.plan, row.key, planner.request
    assert not plan_fault(plan, key, planner.policy) and not kv_fault(planner.llm, plan, request.isl, key)
    assert not software_fault(planner.llm, gpu, plan, request, key.per_node)
    assert demand_bytes(gpu, planner.llm, planner.policy, plan, request) <= usable_bytes(gpu)
    assert plan.all_gpus == key.total and plan.concurrency * plan.replicas >= (request.users or 1)
    assert row.perf.per_user_tok_s >= request.min_tok_s_user * (1 - 1e-9)
    assert row.perf.basis == "roofline" and row.perf.low < 1 < row.perf.high


@pytest.mark.parametrize("asked", [{}, {"isl": 8192, "max_ttft_ms": 6000.0}, {"users": 900, "isl": 4096}])
def test_no_split_goes_beyond_its_reach(asked: dict[str, Any], shipped: Catalog) -> None:
    """What bounds leave out unjudged, GPUs and throughput, no split would have."""
    planner, free, some = planner_of("v3-671b", asked), planner_of("v3-671b", asked, bounded=False), 0
    for gpu in [part for part in shipped.of(Kind.GPU) if isinstance(part, Gpu)]:
        keys = [key_of(gpu, per_node, nodes, 400) for per_node in (4, 8) for nodes in (2, 3, 5)]
        for row in filter(None, free.splits.rows([Asked(gpu, key, 0) for key in keys])):
            assert row.perf.tenths <= row.key.total * planner.most_tenths(gpu)
            assert row.key.total >= planner.fewest(gpu, apart=True)
            some += 1
    assert some > 10


MOST_NODES = int(Policy()["plans.max_apart_nodes"])


def test_a_plan_apart_is_chosen_where_it_is_faster(shipped: Catalog) -> None:
    """Of each key the faster of both ways; a plan that has prefill and decode on the same nodes where they tie."""
    planner, apart = planner_of("v3-671b", {"isl": 8192, "users": 64}), 0
    gpu = shipped.find("Instinct MI350X")
    assert isinstance(gpu, Gpu)
    keys = [key_of(gpu, 8, nodes, rate) for nodes in range(1, 10) for rate in (100, 400)]
    planner.judge([(gpu, keys)])
    together = {key: planner._best(gpu, key) for key in keys}
    for row in planner.rows(gpu, keys):
        other = together[row.key]
        best = other.perf.tenths if other else 0
        (split,) = planner.splits.rows([Asked(gpu, row.key, best)])
        if row.key.nodes > MOST_NODES:  # splits of more are outside the space
            assert row.plan.prefill is None and split is not None
            continue
        assert (row.plan.prefill is not None) == (split is not None)
        assert row.perf.tenths == max(best, split.perf.tenths if split else 0)
        apart += split is not None
    assert 0 < apart < len(keys)


FAULTS = {
    "memory of the first half": {"prefill": {"concurrency": 10**6}},
    "memory of the other": {"concurrency": 10**6},
    "no engine": {"prefill": {"ep": 3}},
    "GPUs": {"replicas": 7},
    "links": {"prompts_ks": 10**9},
    "redundant experts": {"prefill": {"redundant_experts": 5}},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_rule_refuses_a_split_that_is_wrong_in_one_thing(fault: str, shipped: Catalog) -> None:
    planner = planner_of("v3-671b", {"isl": 8192})
    gpu = shipped.find("H200 SXM5 141GB")
    assert isinstance(gpu, Gpu)
    (row,) = planner.splits.rows([Asked(gpu, key_of(gpu, 8, 4, 400), 0)])
    assert row is not None and row.plan.prefill is not None
    changes = dict(FAULTS[fault])
    first = replace(row.plan.prefill, **changes.pop("prefill", {}))  # type: ignore[arg-type]
    plan: Plan = replace(row.plan, prefill=first, **changes)  # type: ignore[arg-type]
    said = [
        plan_fault(plan, row.key, planner.policy),
        kv_fault(planner.llm, plan, planner.request.isl, row.key),
        software_fault(planner.llm, gpu, plan, planner.request, 8),
        "memory" * (demand_bytes(gpu, planner.llm, planner.policy, plan, planner.request) > usable_bytes(gpu)),
    ]
    assert any(said)


def test_links_carry_the_caches_of_all_prompts(shipped: Catalog) -> None:
    """Bytes of a prompt on each link, times the prompts of each rank in a second, on the side with fewer ranks."""
    llm = get("v3-671b")
    first = Plan("fp8", "bf16", 1, 1, 8, 1, 1, 16)
    plan = Plan("fp8", "bf16", 1, 1, 4, 1, 2, 10, prefill=first, prompts_ks=20_000)
    each = llm.kv_rank_bytes(8192, "bf16", 1)
    assert kv_gbit_s(llm, plan, 8192) == pytest.approx(each * 8 * 20 / 8 / 1e9)
    assert kv_gbit_s(llm, replace(plan, replicas=1), 8192) == pytest.approx(each * 8 * 20 / 4 / 1e9)
    assert kv_gbit_s(llm, replace(plan, prefill=None), 8192) == 0
    key = RowKey("x", 1, 8, 2, 8, 0, 0, "rdma", 100)
    assert not plan_fault(plan, key, Policy())
    assert "RDMA" in plan_fault(plan, replace(key, net="pp", net_gbit_s=25), Policy())
    assert "whole" in plan_fault(replace(plan, prefill=replace(first, dp=4), replicas=3), key, Policy())
