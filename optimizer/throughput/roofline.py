"""Roofline of one replica: time of a decode step and of a prefill from bytes, FLOPs and collectives.

Decode step of a stage: max(bytes / bandwidth, FLOPs / compute) + collectives + latencies. The step time rises with
concurrency and grows less than proportionally, so throughput rises with it: the best admissible concurrency is the
largest one that memory and the latency limits allow.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.plan import Perf, Plan, RowKey
from constraints.precision import support

PCIE_GB_S = {3: 15.75, 4: 31.5, 5: 63.0, 6: 121.0, 7: 242.0}
"""One direction of an x16 link (PCI-SIG, 128b/130b coding)."""
DATA_FIELDS = frozenset(
    {"arch", "mem_gb_s", "fp16_tflops", "fp8_tflops", "int8_tops", "fp4_tflops", "tdp_w", "link_gb_s", "p2p", "vram_gb",
     "unified_reserve_gb"}
)  # fmt: skip
"""GPU attributes that throughput reads (pruning keeps cards apart that differ in one of them)."""


@cache
def constants() -> dict[str, float]:
    """The model's constants (constants.csv)."""
    with (Path(__file__).parent / "constants.csv").open(encoding="utf-8", newline="") as f:
        return {r["key"]: float(r["value"]) for r in csv.DictReader(f)}


def tensor_tflops(gpu: Gpu, precision: str) -> float:
    """Dense tensor rate that a precision computes at; 0 where nobody published it."""
    rates = {"fp16": gpu.fp16_tflops, "fp8": gpu.fp8_tflops, "int8": gpu.int8_tops, "fp4": gpu.fp4_tflops}
    mode = support(gpu.arch).get(precision)
    return (rates.get(mode[1]) or gpu.fp16_tflops or (gpu.fp4_tflops or 0) / 4) if mode else 0.0


@dataclass(frozen=True)
class Times:
    """Linear pieces of the roofline for one replica; seconds."""

    prefill_s: float
    prefill_share_s: float
    stage_fixed_s: float
    mem_fixed_s: float
    mem_experts_s: float
    mem_user_s: float
    flops_user_s: float
    comm_user_s: float
    pp: int
    expert_miss: float

    def step_s(self, c: int) -> float:
        """Time between two tokens of each of `c` running requests, prefills of others not counted."""
        batch = c / self.pp
        coverage = 1.0 - float(self.expert_miss**batch)
        mem = self.mem_fixed_s + self.mem_experts_s * coverage + self.mem_user_s * batch
        return self.pp * (max(mem, self.flops_user_s * batch) + self.comm_user_s * batch + self.stage_fixed_s)

    def tpot_s(self, c: int, osl: int) -> float:
        """Time per output token of a request with the others' prefills in between."""
        return self.step_s(c) + c * self.prefill_share_s / osl


@lru_cache(maxsize=100_000)
def _llm_facts(
    llm: Llm, precision: str, isl: int, osl: int, kv: str
) -> tuple[float, float, float, float, float, float]:
    """Bytes: dense, experts, KV read per token. FLOPs: linear per token, prefill of a prompt, decode attention."""
    context = isl + osl // 2
    experts = llm.expert_bytes(precision) if llm.is_moe else 0
    linear = llm.linear_flops_per_token()
    prefill = isl * (linear + llm.attention_flops(isl // 2 or 1, "prefill"))
    return (
        float(llm.weight_bytes(precision) - experts),
        float(experts),
        float(llm.kv_bytes(context, kv)),
        float(linear),
        float(prefill),
        float(llm.attention_flops(context, "decode")),
    )


def times(gpu: Gpu, key: RowKey, llm: Llm, plan: Plan, isl: int, osl: int) -> Times | None:
    """The roofline's pieces for one replica of `plan`; None when the GPU's figures are unknown."""
    k = constants()
    rate = tensor_tflops(gpu, plan.precision)
    if not rate or not gpu.mem_gb_s:
        return None
    cap = math.sqrt(key.cap_w / gpu.tdp_w) if gpu.tdp_w and key.cap_w < gpu.tdp_w else 1.0
    compute = rate * 1e12 * k["compute_share"] * cap
    bandwidth = gpu.mem_gb_s * 1e9 * k["bandwidth_share"]
    dense, experts, kv_read, linear, prefill, attention = _llm_facts(llm, plan.precision, isl, osl, plan.kv_precision)
    tp, pp, dp = plan.tp, plan.pp, plan.dp
    group, layers = tp * dp, llm.layers / pp
    pcie = PCIE_GB_S.get(key.pcie_gen or gpu.pcie_gen or 4, 31.5) * 1e9 * (key.lanes or 16) / 16
    if not gpu.p2p:
        pcie *= k["no_p2p_share"]
    nvlink = gpu.link_gb_s / 2 * 1e9
    inside = (nvlink, k["collective_us_nvlink"]) if tp <= key.domain and nvlink else (pcie, k["collective_us_pcie"])
    if group > key.per_node:
        across = (key.net_gbit_s / 8 * 1e9, k["collective_us_net"])
    else:
        across = (
            (nvlink, k["collective_us_nvlink"]) if group <= key.domain and nvlink else (pcie, k["collective_us_pcie"])
        )
    share, token_b = k["link_share"], llm.hidden * 2
    comm_user, comm_fixed, comm_prompt = 0.0, 0.0, 0.0
    if tp > 1:
        ring = 2 * (tp - 1) / tp * token_b / (inside[0] * share)
        comm_user += 2 * layers * ring / dp
        comm_prompt += 2 * llm.layers * ring * isl / dp
        comm_fixed += 2 * layers * inside[1] * 1e-6
    if (llm.is_moe and group > tp) or plan.ep > 1:
        if plan.ep > 1:
            each = llm.experts_per_token * llm.hidden * 3 / (across[0] * share) / group * (group - 1) / group
        else:
            each = 2 * (group - 1) / group * token_b / (across[0] * share)
        moe = llm.moe_layers / pp
        comm_user += moe * each
        comm_prompt += llm.moe_layers * each * isl
        comm_fixed += 2 * moe * across[1] * 1e-6
    if pp > 1:
        hop = key.net_gbit_s / 8 * 1e9 if plan.gpus > key.per_node else pcie
        comm_user += token_b / (hop * share)
        comm_fixed += (k["collective_us_net"] if plan.gpus > key.per_node else k["collective_us_pcie"]) * 1e-6
    imbalance = k["expert_imbalance"] if plan.ep > 1 else 1.0
    whole = prefill / (group * compute) + comm_prompt
    return Times(
        prefill_s=whole + (layers * pp * k["layer_us"] + k["step_us"]) * 1e-6 + comm_fixed * pp,
        prefill_share_s=whole / pp,
        stage_fixed_s=comm_fixed + (layers * k["layer_us"] + k["step_us"] / pp) * 1e-6,
        mem_fixed_s=dense / tp / pp / bandwidth,
        mem_experts_s=experts * imbalance / group / pp / bandwidth,
        mem_user_s=kv_read / pp / llm.kv_shards(tp) / dp / bandwidth,
        flops_user_s=(linear + attention) / group / pp / compute,
        comm_user_s=comm_user,
        pp=pp,
        expert_miss=1 - llm.experts_per_token / llm.experts if llm.is_moe else 0.0,
    )


def perf(t: Times, c: int, osl: int, replicas: int) -> Perf:
    """Figures at concurrency `c` per replica; the throughput is rounded down to 0.1 tok/s of the whole build.

    Rounded to nine digits before, so that a last bit of the C library does not decide."""
    tpot = t.tpot_s(c, osl)
    total = c * osl / (t.prefill_s + tpot * (osl - 1)) if osl > 1 else c / t.prefill_s
    return Perf(replicas * int(float(f"{total * 10:.9g}")), 1 / tpot, t.prefill_s * 1e3, tpot * 1e3)


def largest_concurrency(t: Times, most: int, osl: int, min_tok_s_user: float, max_ttft_ms: float | None) -> int:
    """The largest concurrency up to `most` that meets the latency limits; 0 when none does."""
    if max_ttft_ms is not None and t.prefill_s * 1e3 > max_ttft_ms:
        return 0

    def ok(c: int) -> bool:
        return min_tok_s_user <= 0 or t.tpot_s(c, osl) * min_tok_s_user <= 1

    if most < 1 or not ok(1):
        return 0
    if ok(most):
        return most
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if ok(middle) else (low, middle)
    return low
