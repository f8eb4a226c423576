"""Where engines lay a replica over several nodes: what the planner counts on (a stage in a node, or an RDMA fabric
between the nodes of a stage) is what the engine's own placing of ranks gives."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import replace

import pytest

from catalogs.engines import newest
from catalogs.engines.rules import places_of, plan_faults
from catalogs.engines.sizes import of
from catalogs.load import Catalog
from catalogs.registry import get
from catalogs.schema import Gpu
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import net_of
from constraints.rules.software import engine_of, software_fault
from optimizer.throughput.plans import Planner
from optimizer.throughput.shapes import shapes
from tests.conftest import AS_OF

Placed = dict[int, set[int]]
"""Nodes on which each stage lies."""


def by_vllm(tp: int, pp: int, dp: int, per_node: int) -> Placed | None:
    """Ranks of data parallelism one after the other, each with all its stages, in a node or on whole nodes."""
    rank = tp * pp
    if per_node % rank and rank % per_node:
        return None
    found: Placed = defaultdict(set)
    for group, stage, shard in itertools.product(range(dp), range(pp), range(tp)):
        found[stage].add((group * rank + stage * tp + shard) // per_node)
    return found


def by_sglang(tp: int, pp: int, dp: int, per_node: int) -> Placed | None:
    """As `_calculate_rank_ranges` of srt/entrypoints/engine.py: what each node takes of stages and of their ranks."""
    ranks, nodes = tp * dp, tp * pp * dp // per_node
    stages_of_node, nodes_of_stage = max(pp // nodes, 1), max(nodes // pp, 1)
    of_node = ranks // nodes_of_stage
    found: Placed = defaultdict(set)
    begun = set()
    for node in range(nodes):
        if stages_of_node * of_node > per_node:
            return None  # more workers than GPUs
        first = stages_of_node * (node // nodes_of_stage)
        for stage in range(first, first + stages_of_node):
            found[stage].add(node)
            start = of_node * (node % nodes_of_stage)
            begun |= {(stage, x) for x in range(start, start + of_node)}
    return found if begun == set(itertools.product(range(pp), range(ranks))) else None


@pytest.mark.parametrize(("engine", "place"), [("vLLM", by_vllm), ("SGLang", by_sglang)])
def test_stages_lie_where_the_plan_counts_on_them(engine: str, place: object) -> None:
    release = newest(engine)
    assert release is not None and callable(place)
    rule = {"vLLM": {"V11"}, "SGLang": {"S10"}}[engine]
    seen = {True: 0, False: 0}
    for per_node, nodes in itertools.product((1, 2, 3, 4, 6, 8, 10), (2, 3, 4, 6)):
        size = per_node * nodes
        for tp, pp, dp, _ in set(shapes(size, per_node, "rdma", 64, True, 8)):
            if dp == 1:
                continue
            placed = place(tp, pp, dp, per_node)
            together = net_of(Plan("", "", tp, pp, dp, 1, 1, 1), per_node) != "rdma"
            kept = placed is not None and not (together and any(len(n) > 1 for n in placed.values()))
            refused = bool(rule & said(engine, tp, pp, dp, per_node))
            assert refused != kept, (engine, tp, pp, dp, per_node, nodes)
            seen[kept] += 1
    assert min(seen.values()) > 5


def said(engine: str, tp: int, pp: int, dp: int, per_node: int) -> set[str]:
    """Rules that speak of the place of a plan of DeepSeek-V3."""
    release = newest(engine)
    assert release is not None
    at = release.layout(tp, pp, dp, 1, kernel_class="SM90", per_node=per_node)
    return {f.rule for f in plan_faults(release, of(get("v3-671b"), "fp8"), at)}


def test_nothing_is_asked_of_one_node_or_of_nodes_that_are_not_named() -> None:
    assert places_of(1, 2, 8, 16) == places_of(1, 2, 8, 0) == places_of(8, 4, 1, 32) == frozenset()
    # That a replica reaches over nodes is asked by llama.cpp alone.
    assert places_of(8, 4, 1, 8) == {"over_nodes"}
    for engine in ("vLLM", "SGLang"):
        assert said(engine, 8, 4, 1, 8) == said(engine, 8, 4, 1, 32)
    assert places_of(1, 2, 8, 8) == {"over_nodes", "stages_in_nodes"}


def test_the_engine_named_is_one_that_lays_the_plan_so(shipped: Catalog) -> None:
    """dp 8 x pp 2 on two nodes of 8: SGLang keeps stages in nodes, vLLM would cut the experts across them."""
    llm, card = get("v3-671b"), shipped.find("H20 SXM5 96GB")
    assert isinstance(card, Gpu)
    request, plan = Request(model=llm.id, as_of=AS_OF), Plan("fp8", "bf16", 1, 2, 8, 1, 1, 8)
    one_node, two_nodes = engine_of(llm, card, plan, request, 16), engine_of(llm, card, plan, request, 8)
    assert one_node is not None and one_node.engine.name == "vLLM"
    assert two_nodes is not None and two_nodes.engine.name == "SGLang"


def test_a_plan_that_no_engine_lays_so_is_neither_planned_nor_passed(shipped: Catalog) -> None:
    """MiniMax M2.5 on RTX 5090: vLLM alone serves it there, and it puts no stage of dp 6 x pp 2 into a node of 6."""
    llm, card = get("minimax-m2.5"), shipped.find("GeForce RTX 5090")
    assert isinstance(card, Gpu)
    request, plan = Request(model=llm.id, as_of=AS_OF), Plan("fp8", "bf16", 1, 2, 6, 1, 1, 6)
    assert not software_fault(llm, card, plan, request, 12)
    assert "V11" in software_fault(llm, card, plan, request, 6)
    key = RowKey(card.id, card.tdp_w or 1, 6, 2, 1, 5, 16, "pp", 25)
    for row in Planner(llm, request, Policy()).rows(card, [key, replace(key, nodes=3)]):
        assert row.plan.dp == 1 or row.plan.pp == 1 or row.plan.gpus <= 6
