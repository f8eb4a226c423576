"""Roofline of one replica: time of a decode step and of a prefill from bytes, FLOPs and collectives.

Decode step of a stage: max(bytes / bandwidth, FLOPs / compute) + collectives + latencies. The step time rises with
concurrency and grows less than proportionally, so throughput rises with it: the best admissible concurrency is the
largest one that memory and the latency limits allow. Many replicas are judged at once: fields are numpy arrays of one
length, an entry per replica.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.interconnect import PCIE_GB_S
from constraints.plan import RowKey
from constraints.precision import support

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DATA_FIELDS = frozenset(
    {"arch", "mem_gb_s", "fp16_tflops", "fp8_tflops", "int8_tops", "fp4_tflops", "tdp_w", "link_gb_s", "p2p", "vram_gb",
     "unified_reserve_gb", "pcie_gen"}
)  # fmt: skip
"""GPU attributes that throughput reads (pruning keeps cards apart that differ in one of them)."""


@cache
def constants() -> dict[str, float]:
    """The model's constants (constants.csv)."""
    with (Path(__file__).parent / "constants.csv").open(encoding="utf-8", newline="") as f:
        return {r["key"]: float(r["value"]) for r in csv.DictReader(f)}


@cache
def attained() -> dict[str, tuple[float, float]]:
    """GPU generation -> attained share of (memory bandwidth, dense tensor rate) (attained.csv)."""
    with (Path(__file__).parent / "attained.csv").open(encoding="utf-8", newline="") as f:
        return {r["arch"]: (float(r["bandwidth_share"]), float(r["compute_share"])) for r in csv.DictReader(f)}


def tensor_tflops(gpu: Gpu, precision: str) -> float:
    """Dense tensor rate that a precision computes at; 0 where nobody published it."""
    rates = {"fp16": gpu.fp16_tflops, "fp8": gpu.fp8_tflops, "int8": gpu.int8_tops, "fp4": gpu.fp4_tflops}
    mode = support(gpu.arch).get(precision)
    return (rates.get(mode[1]) or gpu.fp16_tflops or (gpu.fp4_tflops or 0) / 4) if mode else 0.0


@dataclass(frozen=True)
class Replicas:
    """Shapes of replicas (integers) and the bandwidths their collectives meet (bytes/s, one direction)."""

    tp: Ints
    pp: Ints
    dp: Ints
    ep: Ints
    pcie_b_s: Floats
    net_b_s: Floats

    @classmethod
    def of(cls, gpu: Gpu, shapes: list[tuple[int, int, int, int]], keys: list[RowKey]) -> Replicas:
        """One replica per shape (tp, pp, dp, ep) on the hardware of the key beside it."""
        table = np.array(shapes, dtype=np.int64).reshape(-1, 4)
        pcie = np.array([pcie_b_s(gpu, k) for k in keys])
        net = np.array([k.net_gbit_s / 8 * 1e9 for k in keys])
        return cls(table[:, 0], table[:, 1], table[:, 2], table[:, 3], pcie, net)


def pcie_b_s(gpu: Gpu, key: RowKey) -> float:
    """Bytes/s between two GPUs of a node over PCIe."""
    link = PCIE_GB_S.get(key.pcie_gen or gpu.pcie_gen or 4, 31.5) * 1e9 * (key.lanes or 16) / 16
    return link if gpu.p2p else link * constants()["no_p2p_share"]


@dataclass(frozen=True)
class Times:
    """Linear pieces of the roofline, an entry per replica; seconds."""

    prefill_s: Floats
    prefill_share_s: Floats
    stage_fixed_s: Floats
    mem_fixed_s: Floats
    mem_experts_s: Floats
    mem_user_s: Floats
    flops_user_s: Floats
    comm_user_s: Floats
    pp: Ints
    expert_miss: float

    def step_s(self, c: Ints) -> Floats:
        """Time between two tokens of each of `c` running requests, prefills of others not counted."""
        batch = c / self.pp
        coverage = 1.0 - np.power(self.expert_miss, batch)
        mem = self.mem_fixed_s + self.mem_experts_s * coverage + self.mem_user_s * batch
        busy = np.maximum(mem, self.flops_user_s * batch)
        return np.asarray(self.pp * (busy + self.comm_user_s * batch + self.stage_fixed_s))

    def tpot_s(self, c: Ints, osl: int) -> Floats:
        """Time per output token of a request with the others' prefills in between."""
        return np.asarray(self.step_s(c) + c * self.prefill_share_s / osl)


@dataclass(frozen=True)
class Demand:
    """What a model asks of the hardware for one workload, per request and token: bytes and FLOPs."""

    dense_b: float
    expert_b: float
    kv_read_b: float
    linear_flops: float
    prefill_flops: float
    attention_flops: float


@lru_cache(maxsize=1000)
def demand(llm: Llm, precision: str, isl: int, osl: int, kv: str) -> Demand:
    """Bytes read and FLOPs computed at half of the output length."""
    context = isl + osl // 2
    experts = llm.expert_bytes(precision) if llm.is_moe else 0
    linear = llm.linear_flops_per_token()
    return Demand(
        dense_b=float(llm.weight_bytes(precision) - experts),
        expert_b=float(experts),
        kv_read_b=float(llm.kv_bytes(context, kv)),
        linear_flops=float(linear),
        prefill_flops=float(isl * (linear + llm.attention_flops(isl // 2 or 1, "prefill"))),
        attention_flops=float(llm.attention_flops(context, "decode")),
    )


def times(gpu: Gpu, key: RowKey, llm: Llm, precision: str, kv: str, r: Replicas, isl: int, osl: int) -> Times | None:
    """The roofline's pieces for replicas on one GPU kind, power cap and NVLink domain (`key`; links come with `r`).

    None when the GPU's figures are unknown."""
    k = constants()
    rate = tensor_tflops(gpu, precision)
    if not rate or not gpu.mem_gb_s:
        return None
    cap = math.sqrt(key.cap_w / gpu.tdp_w) if gpu.tdp_w and key.cap_w < gpu.tdp_w else 1.0
    bandwidth_share, compute_share = attained().get(gpu.arch) or attained()["other"]
    compute = rate * 1e12 * compute_share * cap
    bandwidth = gpu.mem_gb_s * 1e9 * bandwidth_share
    d = demand(llm, precision, isl, osl, kv)
    tp, pp, dp = r.tp, r.pp, r.dp
    group, layers, moe_layers = tp * dp, llm.layers / pp, llm.moe_layers / pp
    nvlink = gpu.link_gb_s / 2 * 1e9
    fast, pcie, net = (k[f"collective_us_{x}"] * 1e-6 for x in ("nvlink", "pcie", "net"))

    def link(size: Ints) -> tuple[Floats, Floats]:
        """(bytes/s, latency) inside a node of a collective over `size` GPUs."""
        joined = (size <= key.domain) & (nvlink > 0)
        return np.where(joined, nvlink, r.pcie_b_s), np.where(joined, fast, pcie)

    inside_b, inside_s = link(tp)
    crossing, spanning = group > key.per_node, tp * pp * dp > key.per_node
    near_b, near_s = link(group)
    across_b, across_s = np.where(crossing, r.net_b_s, near_b), np.where(crossing, net, near_s)
    share, token_b = k["link_share"], llm.hidden * 2
    ring = 2 * (tp - 1) / tp * token_b / (inside_b * share)
    comm_user = 2 * layers * ring / dp
    comm_prompt = 2 * llm.layers * ring * isl / dp
    comm_fixed = np.where(tp > 1, 2 * layers * inside_s, 0.0)
    if llm.is_moe:
        with np.errstate(divide="ignore", invalid="ignore"):
            to_all = llm.experts_per_token * llm.hidden * 3 * (group - 1) / group / group / (across_b * share)
            reduce = 2 * (group - 1) / group * token_b / (across_b * share)
        each = np.where(r.ep > 1, to_all, np.where(group > tp, reduce, 0.0))
        comm_user = comm_user + moe_layers * each
        comm_prompt = comm_prompt + llm.moe_layers * each * isl
        comm_fixed = comm_fixed + np.where((group > tp) | (r.ep > 1), 2 * moe_layers * across_s, 0.0)
    hop_b, hop_s = np.where(spanning, r.net_b_s, r.pcie_b_s), np.where(spanning, net, pcie)
    with np.errstate(divide="ignore", invalid="ignore"):
        comm_user = comm_user + np.where(pp > 1, token_b / (hop_b * share), 0.0)
    comm_fixed = comm_fixed + np.where(pp > 1, hop_s, 0.0)
    imbalance = np.where(r.ep > 1, k["expert_imbalance"], 1.0)
    whole = d.prefill_flops / (group * compute) + comm_prompt
    shards = np.array([llm.kv_shards(int(x)) for x in tp.tolist()], dtype=np.int64)
    return Times(
        prefill_s=whole + (llm.layers * k["layer_us"] + k["step_us"]) * 1e-6 + comm_fixed * pp,
        prefill_share_s=whole / pp,
        stage_fixed_s=comm_fixed + (layers * k["layer_us"] + k["step_us"] / pp) * 1e-6,
        mem_fixed_s=d.dense_b / tp / pp / bandwidth,
        mem_experts_s=d.expert_b * imbalance / group / pp / bandwidth,
        mem_user_s=d.kv_read_b / pp / shards / dp / bandwidth,
        flops_user_s=(d.linear_flops + d.attention_flops) / group / pp / compute,
        comm_user_s=comm_user,
        pp=pp,
        expert_miss=1 - llm.experts_per_token / llm.experts if llm.is_moe else 0.0,
    )


@dataclass(frozen=True)
class Speeds:
    """Figures per replica: 0.1 tok/s (rounded down), tok/s of each user, latencies in ms."""

    tenths: Ints
    per_user_tok_s: Floats
    ttft_ms: Floats
    tpot_ms: Floats


def speeds(t: Times, c: Ints, osl: int) -> Speeds:
    """Figures at concurrency `c` (>= 1) of each replica."""
    tpot = t.tpot_s(c, osl)
    total = c * osl / (t.prefill_s + tpot * (osl - 1))
    return Speeds(_floor(total * 10), 1 / tpot, t.prefill_s * 1e3, tpot * 1e3)


def _floor(x: Floats) -> Ints:
    """Rounded down after rounding to nine digits, so that a last bit of the C library does not decide."""
    scale = 10.0 ** (8 - np.floor(np.log10(np.maximum(x, 1e-9))))
    rounded: Any = np.floor(np.rint(x * scale) / scale)
    return np.asarray(rounded.astype(np.int64))


def largest_concurrency(t: Times, most: Ints, osl: int, min_tok_s_user: float, max_ttft_ms: float | None) -> Ints:
    """The largest concurrency up to `most` (>= 1) that meets the latency limits, by bisection; 0 when none does."""
    one = np.ones_like(most)
    slack = 1 + 1e-9

    def ok(c: Ints) -> npt.NDArray[np.bool_]:
        return np.asarray(t.tpot_s(c, osl) * min_tok_s_user <= slack)

    low, high = np.where(ok(one), one, 0), most + 1
    low = np.where((low > 0) & ok(most), most, low)
    while np.any(open_ := (low > 0) & (high - low > 1)):
        middle = np.where(open_, (low + high) // 2, one)
        good = ok(middle)
        low, high = np.where(open_ & good, middle, low), np.where(open_ & ~good, middle, high)
    if max_ttft_ms is not None:
        low = np.where(t.prefill_s * 1e3 > max_ttft_ms * slack, 0, low)
    return low
