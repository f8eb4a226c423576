"""Memory and speed of a model with its routed experts in host memory, on given GPUs, CPUs and modules; no buying."""

from __future__ import annotations

from typing import Any

from catalogs.llm import Llm
from catalogs.message import message
from catalogs.schema import Gpu
from constraints.physics.offload import HostSpec, expert_gb
from constraints.physics.reserve import usable_bytes
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import wanted
from constraints.rules.software import engines_for
from constraints.rules.vram import demand_bytes
from optimizer.throughput.jobs import speed_unknown
from optimizer.throughput.offload import HostPlanner


def host_size(
    llm: Llm, request: Request, policy: Policy, gpu: Gpu, per_node: int, nodes: int, spec: HostSpec
) -> dict[str, Any]:
    """Users, tok/s, TTFT, GB on GPU and host of the best plan; `fits` False gives a reason."""
    have = spec.host(policy)
    key = RowKey(
        gpu.id, gpu.tdp_w or 1, per_node, 1, 1, gpu.pcie_gen or 4, 16, "none", 0, have.gb_s, have.gb, have.gflops
    )  # fmt: skip
    planner = HostPlanner(llm, request.model_copy(update={"offload": True}), policy)
    precisions = planner.precisions(gpu)
    rows = planner.rows(gpu, [key], nodes) if have.gb_s and have.gflops else []
    facts = {"bandwidth_gb_s": have.gb_s, "room_gib": have.gb, "compute_gflops": have.gflops}
    if not rows:
        if not precisions:
            reason = _unserved(planner, gpu)
        elif not have.gflops:
            reason = "nothing is known of this CPU generation"
        elif (least := min(expert_gb(llm, p) for p in precisions)) > have.gb:
            reason = message("the experts take {a} GiB, {b} GiB are there", a=least, b=have.gb)
        elif unknown := speed_unknown(gpu, precisions):
            reason = unknown
        else:
            reason = "GPU memory or the latency limits"
        return {"fits": False, "experts": "host", "reason": reason, **facts}
    plan, perf = rows[0].plan, rows[0].perf
    return {
        "fits": True,
        "experts": "host",
        **facts,
        "precision": plan.precision,
        "tp": plan.tp,
        "replicas": plan.replicas,
        "experts_gb": round(llm.expert_bytes(plan.precision) / 1e9, 2),
        "needed_gb": round(demand_bytes(gpu, llm, policy, plan, request) / 1e9, 2),
        "vram_gb": round(usable_bytes(gpu) / 1e9, 2),
        "users": plan.concurrency * plan.replicas,
        "output_tok_s": perf.tenths / 10,
        "low": round(perf.tenths / 10 * perf.low, 1),
        "high": round(perf.tenths / 10 * perf.high, 1),
        "basis": perf.basis,
        "one_user_tok_s": round(planner.alone_tok_s(gpu, key, plan.precision), 2),
        "per_user_tok_s": round(perf.per_user_tok_s, 2),
        "ttft_ms": round(perf.ttft_ms, 1),
        "tpot_ms": round(perf.tpot_ms, 2),
    }


def _unserved(planner: HostPlanner, gpu: Gpu) -> str:
    """Why no precision is left: no engine does it, or an experimental one alone."""
    llm, request = planner.llm, planner.request
    free = request.model_copy(update={"allow_experimental": True})
    found = [e for p in wanted(llm, request) for e in engines_for(llm, gpu, p, free, offload=True)]
    if found and not request.allow_experimental:
        return message(
            "{engine} keeps the experts in host memory only experimentally (--allow-experimental)", engine=found[0]
        )
    return "no engine keeps the experts of this model in host memory with this GPU and precision"
