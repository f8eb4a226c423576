"""Prefill and decode on nodes of their own: the best split of a setup's equal nodes, whole ones, joined by RDMA."""

from __future__ import annotations

from catalogs.message import message
from catalogs.schema import Gpu
from constraints.plan import Plan, RowKey
from constraints.rule import counted
from constraints.rules.software import engine_of
from optimizer.result.plan_facts import launch_of
from optimizer.sizing.schema import SizedApart, SizedHalf
from optimizer.throughput.plans import Planner
from optimizer.throughput.shapes import plan_words
from optimizer.throughput.splits import Asked


def apart_plan(planner: Planner, gpu: Gpu, key: RowKey) -> SizedApart | None:
    """The fastest split of a setup's nodes that an engine serves within the latency limits, else None."""
    (row,) = planner.splits.rows([Asked(gpu, key, 0)])
    if row is None:
        return None
    plan, perf = row.plan, row.perf
    prefill, _ = planner.splits.halves(gpu, row)
    run = engine_of(planner.llm, gpu, plan, planner.request, key.per_node)
    assert run is not None, "a split that was planned has an engine"
    first, second = (_half(half, key.per_node) for half in plan.halves)
    tok_s = perf.tenths / 10
    requests_s = tok_s / planner.request.osl
    started = launch_of(planner.llm, planner.policy, planner.request, gpu, plan, run.engine, key.nodes, key.per_node)
    return SizedApart(
        plan=_named(first, second),
        engine=str(run.engine),
        precision=plan.precision,
        kv_precision=plan.kv_precision,
        prefill=first,
        decode=second,
        users=plan.concurrency * plan.replicas,
        output_tok_s=tok_s,
        low=round(tok_s * perf.low, 1),
        high=round(tok_s * perf.high, 1),
        basis="roofline",
        per_user_tok_s=round(perf.per_user_tok_s, 2),
        ttft_ms=round(perf.ttft_ms, 1),
        tpot_ms=round(perf.tpot_ms, 2),
        requests_s=round(requests_s, 3),
        prefill_busy=round(requests_s / float(prefill.most_requests_s[0]), 3),
        handing_over_ms=round(float(prefill.handing_s[0]) * 1e3, 2),
        network_gbit_s=key.net_gbit_s,
        launch=list(started.commands),
        launch_note=started.note,
    )


def _named(prefill: SizedHalf, decode: SizedHalf) -> str:
    """`2 nodes prefill tp8 + 3 nodes decode dp8 ep8 x3`."""
    return message(
        "{first} prefill {prefill} + {second} decode {decode}",
        first=counted(prefill.nodes, "node"), prefill=_words(prefill), second=counted(decode.nodes, "node"),
        decode=_words(decode),
    )  # fmt: skip


def _words(half: SizedHalf) -> str:
    return plan_words((half.tp, half.pp, half.dp, half.ep, half.replicas))


def _half(half: Plan, per_node: int) -> SizedHalf:
    return SizedHalf(
        nodes=half.gpus * half.replicas // per_node, tp=half.tp, pp=half.pp, dp=half.dp, ep=half.ep,
        redundant_experts=half.redundant_experts, replicas=half.replicas,
    )  # fmt: skip
