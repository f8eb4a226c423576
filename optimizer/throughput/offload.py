"""Speed of a node with routed experts in host memory: attention and shared experts on the GPUs, experts on the CPUs.

Decode step = GPU part (weights and KV cache / bandwidth, FLOPs / compute, latencies per layer) + host part (the larger
of touched expert bytes / attained host bandwidth and expert FLOPs / attained CPU compute) + a hand-over per MoE layer.
Prefill: the experts are computed on the CPUs or streamed to the GPU chunk by chunk, whichever is faster. Many nodes are
judged at once: fields are numpy arrays of one length, an entry per node kind. Constants are offload.csv.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from catalogs.formats import BITS
from catalogs.inputs import shipped_rows
from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.physics.offload import expert_gb
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import PCIE_GB_S
from constraints.rules.precision import kv_precision, wanted
from constraints.rules.precision import support as arch_support
from constraints.rules.software import engine_of, served
from constraints.rules.vram import most_users
from optimizer.throughput.constants import DATA

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@cache
def constants() -> dict[str, float]:
    """The constants of this file (offload.csv)."""
    return {row["key"]: float(row["value"]) for row in shipped_rows(DATA / "offload.csv")}


def tensor_tflops(gpu: Gpu, precision: str) -> float:
    """Dense tensor rate that the GPU computes a precision at; 0 where nobody published it."""
    rates = {"fp16": gpu.fp16_tflops, "fp8": gpu.fp8_tflops, "int8": gpu.int8_tops, "fp4": gpu.fp4_tflops}
    mode = arch_support(gpu.arch).get(precision)
    return (rates.get(mode[1]) or gpu.fp16_tflops or 0.0) if mode else 0.0


@dataclass(frozen=True)
class Steps:
    """Pieces of a step and a prefill in seconds, an entry per node kind; `experts_s` is all experts read once."""

    fixed_s: Floats
    user_s: Floats
    experts_s: Floats
    expert_user_s: Floats
    prefill_s: Floats
    expert_miss: float

    def step_s(self, running: Ints) -> Floats:
        """Time between two tokens of each of `c` running requests, prefills not counted."""
        touched = 1.0 - np.power(self.expert_miss, running)
        host = np.maximum(self.experts_s * touched, self.expert_user_s * running)
        return np.asarray(self.fixed_s + self.user_s * running + host)

    def tpot_s(self, running: Ints, osl: int) -> Floats:
        """Time per output token of a request with the prefills of the others in between."""
        return np.asarray(self.step_s(running) + (running - 1) * self.prefill_s / osl)

    def total_tok_s(self, running: Ints, osl: int) -> Floats:
        """Output tokens per second of all `c` requests together."""
        return np.asarray(running * osl / (self.prefill_s + self.tpot_s(running, osl) * (osl - 1)))


def steps(gpu: Gpu, llm: Llm, precision: str, kv: str, isl: int, osl: int, keys: list[RowKey]) -> Steps | None:
    """The pieces for node kinds of one GPU kind; None when the GPU's figures are unknown."""
    k, rate = constants(), tensor_tflops(gpu, precision)
    if not rate or not gpu.mem_gb_s:
        return None
    tp = np.array([x.per_node for x in keys], dtype=np.int64)
    slow = np.array([math.sqrt(x.cap_w / gpu.tdp_w) if gpu.tdp_w and x.cap_w < gpu.tdp_w else 1.0 for x in keys])
    compute = rate * 1e12 * k["gpu_compute_share"] * slow * tp
    gpu_b_s = gpu.mem_gb_s * 1e9 * k["gpu_bandwidth_share"] * tp
    host_b_s = np.array([x.host_gb_s for x in keys]) * 1e9 * k["bandwidth_share"]
    host_flops = np.array([x.host_gflops for x in keys]) * 1e9
    pcie_b_s = (
        np.array([PCIE_GB_S.get(x.pcie_gen, 15.75) * min(x.lanes, gpu.pcie_lanes) / 16 for x in keys])
        * 1e9
        * k["pcie_share"]
    )

    expert_b = float(llm.expert_bytes(precision))
    dense_b = float(llm.weight_bytes(precision)) - expert_b
    expert_flops = 2.0 * llm.params_routed_experts * llm.experts_per_token / llm.experts
    rest_flops = llm.linear_flops_per_token() - expert_flops
    context = isl + osl // 2
    kept_by = {ranks: float(llm.kv_rank_bytes(context, kv, ranks) * ranks) for ranks in {x.per_node for x in keys}}
    kept = np.array([kept_by[x.per_node] for x in keys])
    kv_s = (kept + llm.state_moved_bytes / 2) / gpu_b_s  # state is read as the cache is, and written back
    hand_over = 2 * llm.moe_layers * llm.hidden * 2 / pcie_b_s
    latency = llm.depth * (k["layer_us"] + np.where(tp > 1, 2 * k["collective_us"], 0.0)) + k["step_us"]
    latency = (latency + llm.moe_layers * k["hop_us"]) * 1e-6

    passes = -(-isl // int(k["chunk_tokens"]))
    touched = 1.0 - (1 - llm.experts_per_token / llm.experts) ** min(isl, int(k["chunk_tokens"]))
    read = passes * expert_b * touched
    by_cpu = np.maximum(isl * expert_flops / host_flops, read / host_b_s)
    streamed = read / np.minimum(pcie_b_s * tp, host_b_s) + isl * expert_flops / compute
    prefill_flops = isl * (rest_flops + llm.attention_flops(isl // 2 or 1, "prefill"))
    return Steps(
        fixed_s=dense_b / gpu_b_s + latency,
        user_s=kv_s + (rest_flops + llm.attention_flops(context, "decode")) / compute + hand_over,
        experts_s=expert_b / host_b_s,
        expert_user_s=expert_flops / host_flops,
        prefill_s=prefill_flops / compute + passes * latency + isl * hand_over + np.minimum(by_cpu, streamed),
        expert_miss=1 - llm.experts_per_token / llm.experts,
    )


def largest(s: Steps, most: Ints, osl: int, min_tok_s_user: float, max_ttft_ms: float | None) -> Ints:
    """The largest concurrency up to `most` that meets the latency limits; 0 when none does.

    A step grows with concurrency and less than proportionally, so the largest is also the one of most throughput."""
    best = np.zeros_like(most)
    for c in range(1, int(most.max(initial=0)) + 1):
        fine = (s.tpot_s(np.full_like(most, c), osl) * min_tok_s_user <= 1 + 1e-9) & (most >= c)
        best = np.where(fine, c, best)
    if max_ttft_ms is not None:
        best = np.where(s.prefill_s * 1e3 > max_ttft_ms * (1 + 1e-9), 0, best)
    return best


def tenths(tok_s: float) -> int:
    """0.1 tok/s, rounded down after rounding to nine digits, so that a last bit of the C library does not decide."""
    return math.floor(float(f"{tok_s * 10:.9g}"))


class Judged(NamedTuple):
    """A node at its best concurrency with one precision; `rank` orders by 0.1 tok/s, then by bits."""

    rank: tuple[int, int]
    precision: str
    concurrency: int
    tpot_s: float
    ttft_s: float


class HostPlanner:
    """Best plan of each row with experts in host memory: one replica per node, tensor parallel over its GPUs."""

    def __init__(self, llm: Llm, request: Request, policy: Policy) -> None:
        self.llm, self.request, self.policy = llm, request, policy
        self._precisions: dict[str, list[str]] = {}
        self._known: dict[RowKey, list[Judged]] = {}

    def precisions(self, gpu: Gpu) -> list[str]:
        """Precisions that the GPU runs, an engine with experts on the CPU serves and the request admits."""
        if gpu.id not in self._precisions:
            llm, request = self.llm, self.request
            self._precisions[gpu.id] = [
                precision
                for precision in (wanted(llm, request) if llm.is_moe and request.offload and not request.trains else [])
                if precision in arch_support(gpu.arch) and served(llm, gpu, precision, request, offload=True)
            ]
        return self._precisions[gpu.id]

    def rows(self, gpu: Gpu, keys: list[RowKey], nodes: int = 1) -> list[Row]:
        """The row of `nodes` nodes of each key that a plan can run on. Keys are of one node and one GPU kind."""
        best = zip(keys, self.best(gpu, keys, nodes), strict=True)
        return [self.row(key, node, nodes) for key, node in best if node is not None]

    def best(self, gpu: Gpu, keys: list[RowKey], nodes: int = 1) -> list[Judged | None]:
        """Of each key the fastest node that serves its share of the users; None where no plan does."""
        self._judge(gpu, [key for key in keys if key not in self._known])
        least = -(-(self.request.users or 1) // nodes)
        return [next((node for node in self._known[key] if node.concurrency >= least), None) for key in keys]

    def row(self, key: RowKey, node: Judged, nodes: int) -> Row:
        """The row of `nodes` judged nodes of a key."""
        plan = self._plan(node.precision, key.per_node, nodes, node.concurrency)
        figures = (nodes * node.rank[0], 1 / node.tpot_s, node.ttft_s * 1e3, node.tpot_s * 1e3)
        perf = Perf(*figures, constants()["interval_low"], constants()["interval_high"])
        return Row(key if nodes == 1 else replace(key, nodes=nodes), plan, perf)

    def pieces(self, gpu: Gpu, precision: str, keys: list[RowKey]) -> Steps | None:
        """The pieces of a step under the request, an entry per key; None where the GPU's figures are unknown."""
        request = self.request
        return steps(gpu, self.llm, precision, kv_precision(self.llm, request), request.isl, request.osl, keys)

    def alone_tok_s(self, gpu: Gpu, key: RowKey, precision: str) -> float:
        """Output tok/s of one request that has a node of a judged row to itself."""
        found = self.pieces(gpu, precision, [key])
        assert found is not None, "a row that was judged has a speed"
        return 1 / float(found.tpot_s(np.array([1]), self.request.osl)[0])

    def held(self, gpu: Gpu, precision: str, per_node: int) -> int:
        """Requests at once that the GPUs of a node have memory for, and the figures are good for."""
        plan = self._plan(precision, per_node, 1, 1)
        most = most_users(gpu, self.llm, self.policy, plan, self.request.tokens)
        return min(most, int(constants()["max_batch"]))

    def most_users(self, gpu: Gpu, keys: list[RowKey]) -> int:
        """Requests at once that any of these nodes serves at most."""
        self._judge(gpu, [key for key in keys if key not in self._known])
        return max((x.concurrency for key in keys for x in self._known[key]), default=0)

    def _judge(self, gpu: Gpu, keys: list[RowKey]) -> None:
        """All precisions of new keys, the best first."""
        for key in keys:
            self._known[key] = []
        for precision in self.precisions(gpu):
            need = expert_gb(self.llm, precision)
            able = {n for n in {k.per_node for k in keys} if self._starts(gpu, precision, n)}
            self._at(gpu, precision, [k for k in keys if k.host_gb >= need and k.per_node in able])
        for key in keys:
            self._known[key].sort(key=lambda x: x.rank, reverse=True)

    def _at(self, gpu: Gpu, precision: str, keys: list[RowKey]) -> None:
        request = self.request
        s = self.pieces(gpu, precision, keys) if keys else None
        if s is None:
            return
        users = {n: self.held(gpu, precision, n) for n in {k.per_node for k in keys}}
        most = np.array([users[k.per_node] for k in keys], dtype=np.int64)
        limit = 0.0 if request.workload == "batch" else request.min_tok_s_user
        chosen = largest(s, most, request.osl, limit, request.max_ttft_ms)
        c = np.maximum(chosen, 1)
        total, tpot = s.total_tok_s(c, request.osl).tolist(), s.tpot_s(c, request.osl).tolist()
        for key, n, tok_s, each, ttft in zip(keys, chosen.tolist(), total, tpot, s.prefill_s.tolist(), strict=True):
            if n >= 1:
                self._known[key].append(Judged((tenths(tok_s), BITS[precision]), precision, n, each, ttft))

    def _starts(self, gpu: Gpu, precision: str, tp: int) -> bool:
        """Whether an engine starts a node of `tp` GPUs with experts in host memory."""
        return engine_of(self.llm, gpu, self._plan(precision, tp, 1, 1), self.request) is not None

    def _plan(self, precision: str, tp: int, replicas: int, concurrency: int) -> Plan:
        return Plan(precision, kv_precision(self.llm, self.request), tp, 1, 1, 1, replicas, concurrency, offload=True)
