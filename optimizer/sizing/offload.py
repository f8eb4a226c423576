"""Memory and speed of a model with its routed experts in host memory, on given GPUs, CPUs and modules; no buying."""

from __future__ import annotations

from typing import Any

import numpy as np

from catalogs.llm import Llm
from catalogs.message import joined, message
from catalogs.schema import Gpu
from constraints.physics.offload import HostSpec, expert_gb
from constraints.physics.reserve import usable_bytes
from constraints.plan import Row, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import wanted
from constraints.rules.software import engine_of, engines_for
from constraints.rules.vram import demand_bytes
from optimizer.sizing.users_table import cut_of, ladder, too_slow, waiting
from optimizer.throughput.jobs import speed_unknown
from optimizer.throughput.offload import HostPlanner, constants


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
        able = [p for p in precisions if have.gb_s and have.gflops and expert_gb(llm, p) <= have.gb]
        tables = [table for p in able if (table := host_table(planner, gpu, key, p, nodes))]
        if not precisions:
            reason = _unserved(planner, gpu)
        elif not have.gflops:
            reason = "nothing is known of this CPU generation"
        elif (least := min(expert_gb(llm, p) for p in precisions)) > have.gb:
            reason = message("the experts take {a} GiB, {b} GiB are there", a=least, b=have.gb)
        elif unknown := speed_unknown(gpu, precisions):
            reason = unknown
        else:
            reason = too_slow(tables[0]) if tables else "GPU memory"
        fastest = max(tables, key=lambda table: table[0]["per_user_tok_s"], default=[])
        return {"fits": False, "experts": "host", "reason": reason, "table": fastest, **facts}
    plan, perf = rows[0].plan, rows[0].perf
    return {
        "fits": True,
        "experts": "host",
        **facts,
        "precision": plan.precision,
        "engine": str(started.engine) if (started := engine_of(llm, gpu, plan, planner.request)) else "",
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
        "table": host_table(planner, gpu, key, plan.precision, nodes, rows[0]),
    }


def host_table(
    planner: HostPlanner, gpu: Gpu, key: RowKey, precision: str, nodes: int, best: Row | None = None
) -> list[dict[str, Any]]:
    """A row per number of users of one plan, a replica on each node: speed with interval and basis, and what cuts it.
    Empty where the GPUs lack memory for a request or their figures are unknown. `best`: the row that the answer's
    summary speaks of, whose figures stand at its number of users."""
    held, pieces = planner.held(gpu, precision, key.per_node), planner.pieces(gpu, precision, [key])
    if not held or pieces is None:
        return []
    summed = best.plan.concurrency * best.plan.replicas if best else 0
    low, high = constants()["interval_low"], constants()["interval_high"]
    rows = []
    for users in sorted({*ladder(held * nodes), *filter(None, [summed])}):
        busy = min(nodes, users)
        wanted = users / busy
        running = np.array([min(wanted, held)])
        tpot_s = float(pieces.tpot_s(running, planner.request.osl)[0])
        tok_s = busy * float(pieces.total_tok_s(running, planner.request.osl)[0])
        if best and users == summed:
            tok_s = best.perf.tenths / 10
        # A request that waits begins when one before it ends, as in users_table.served.
        one_s = float(running[0]) * planner.request.osl * busy / tok_s
        ttft_s = float(pieces.prefill_s[0]) + (wanted / float(running[0]) - 1) * one_s
        waits = [waiting(held * nodes, users)] if users > held * nodes else []
        rows.append(
            {
                "users": users,
                "per_user_tok_s": round(1 / tpot_s, 2),
                "output_tok_s": round(tok_s, 1),
                "low": round(tok_s * low, 1),
                "high": round(tok_s * high, 1),
                "basis": "roofline",
                "source": "",
                "ttft_ms": round(ttft_s * 1e3, 1),
                "precision": precision,
                "tp": key.per_node,
                "pp": 1,
                "dp": 1,
                "ep": 1,
                "replicas": nodes,
                "at_once": min(users, held * nodes),
                "cut": joined(filter(None, [*waits, cut_of(planner.request, tpot_s * 1e3, ttft_s * 1e3)]), "; "),
            }
        )
    return rows


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
