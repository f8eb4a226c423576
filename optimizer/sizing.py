"""Memory and speed of a model on given GPUs."""

from __future__ import annotations

from typing import Any

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.precision import wanted
from constraints.request import Request
from constraints.reserve import reserve_bytes, usable_bytes
from constraints.vram import needed_bytes, weights_per_gpu
from optimizer.market import Market
from optimizer.throughput.plans import Planner
from optimizer.training_sizing import training_size


def size(catalog: Catalog, request: Request, policy: Policy, gpu_id: str, per_node: int, nodes: int) -> dict[str, Any]:
    """Memory per GPU in GB, users, tok/s, TTFT; `fits` False says by how many GB per GPU it misses."""
    if not 1 <= per_node <= 1024 or not 1 <= nodes <= 1000:
        raise InputError(f"{per_node} GPUs per node on {nodes} nodes is out of range", "bad-count")
    market = Market.open(catalog, request, policy)
    gpu = catalog.parts[gpu_id]
    assert isinstance(gpu, Gpu)
    domain = gpu.wired_domain_gpus
    host = (0, 0) if domain >= per_node else (gpu.pcie_gen or 4, 16)
    key = RowKey(
        gpu.id,
        gpu.tdp_w or 1,
        per_node,
        nodes,
        min(domain, per_node),
        *host,
        *(("rdma", 400) if nodes > 1 else ("none", 0)),
    )
    out: dict[str, Any] = {
        "model": market.llm.id,
        "gpu": gpu.name,
        "gpus": key.total,
        "note": market.llm.note,
        "basis": "roofline",
    }
    if request.trains:
        return {**out, **training_size(market, gpu, key)}
    row = next(iter(Planner(market.llm, request, policy).rows(gpu, [key])), None)
    if row is None:
        precisions = wanted(market.llm, request)
        if not precisions:
            return {**out, "fits": False, "reason": "no precision of the model is admitted"}
        tp = max(t for t in range(1, per_node + 1) if per_node % t == 0 and market.llm.heads % t == 0)
        plan = Plan(precisions[-1], request.kv_precision, tp, min(key.total // tp, 8), 1, 1, 1, 1)
        need, have = needed_bytes(gpu, market.llm, policy, plan, request.tokens), usable_bytes(gpu)
        reason = "memory" if need > have else "no precision or engine for this GPU, or the latency limits"
        return {
            **out,
            "fits": False,
            "reason": reason,
            "precision": plan.precision,
            "needed_gb": round(need / 1e9, 2),
            "vram_gb": round(have / 1e9, 2),
            "missing_gb": round(max(0, need - have) / 1e9, 2),
        }
    plan, perf = row.plan, row.perf
    weights = weights_per_gpu(market.llm, plan.precision, plan.tp, plan.pp, plan.dp, plan.ep)
    need = needed_bytes(gpu, market.llm, policy, plan, request.tokens)
    reserve = reserve_bytes(gpu, policy)
    return {
        **out,
        "fits": True,
        "precision": plan.precision,
        "tp": plan.tp,
        "pp": plan.pp,
        "dp": plan.dp,
        "ep": plan.ep,
        "replicas": plan.replicas,
        "weights_gb": round(weights / 1e9, 2),
        "kv_gb": round((need - weights - reserve) / 1e9, 2),
        "reserve_gb": round(reserve / 1e9, 2),
        "vram_gb": round(usable_bytes(gpu) / 1e9, 2),
        "users": plan.concurrency * plan.replicas,
        "output_tok_s": perf.tenths / 10,
        "per_user_tok_s": round(perf.per_user_tok_s, 2),
        "ttft_ms": round(perf.ttft_ms, 1),
        "tpot_ms": round(perf.tpot_ms, 2),
    }
