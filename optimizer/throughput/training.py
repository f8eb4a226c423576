"""Training throughput: tokens per second of a build from attained compute and the traffic of sharding.

FLOPs per token: full training 3 x forward (forward, and backward for inputs and for weights); LoRA 2 x forward of the
frozen weights, 3 x attention and adapters; full checkpointing one forward more. A step of one micro-batch takes the
longer of compute and sharding traffic plus what does not overlap of the shorter, then the collectives of tensor
parallel and its share of the optimizer step's gradient exchange. Attained shares and constants are CSV files with
sources; docs/training.md has the check against published runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from catalogs.inputs import shipped_rows
from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.physics.training import HALF, adapter_params, base_bytes, seq_len, trained_params
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import PCIE_GB_S
from optimizer.throughput.constants import DATA

DATA_FIELDS = frozenset(
    {
        "arch",
        "fp16_tflops",
        "fp8_tflops",
        "tdp_w",
        "link_gb_s",
        "p2p",
        "pcie_gen",
        "pcie_lanes",
        "vram_gb",
        "unified_reserve_gb",
    }
)
"""GPU attributes that training throughput and memory read."""


@cache
def constants() -> dict[str, float]:
    """The model's constants (training_constants.csv)."""
    return {row["key"]: float(row["value"]) for row in shipped_rows(DATA / "training_constants.csv")}


@cache
def attained() -> dict[tuple[str, str], float]:
    """(GPU generation, bf16 | fp8) -> attained share of the dense tensor rate, recomputation counted as work."""
    table = shipped_rows(DATA / "training_attained.csv")
    return {(row["arch"], row["precision"]): float(row["share"]) for row in table}


@cache
def interval(arch: str) -> tuple[float, float]:
    """Factors (low, high) on a figure that hold 80 % of published runs; wider where the attained share is an estimate
    without runs of the GPU generation."""
    table = shipped_rows(DATA / "training_attained.csv")
    known = any(row["arch"] == arch and "estimate" not in row["source"] for row in table)
    power = 1.0 if known else constants()["estimated_spread"]
    return constants()["interval_low"] ** power, constants()["interval_high"] ** power


@lru_cache(maxsize=256)
def flops_per_token(llm: Llm, lora_rank: int, tokens: int, checkpointing: bool) -> float:
    """FLOPs of one trained token; `lora_rank` 0 trains all weights. Causal attention sees half of the sequence."""
    linear = llm.linear_flops_per_token()
    attention = llm.attention_flops(max(1, tokens // 2), "prefill")
    adapters = 2 * adapter_params(llm, lora_rank) if lora_rank else 0
    again = linear + attention + adapters if checkpointing else 0
    return float((2 if lora_rank else 3) * linear + 3 * (attention + adapters) + again)


def compute_flops_s(gpu: Gpu, key: RowKey, llm: Llm, plan: Plan, request: Request) -> float:
    """Attained FLOP/s of one GPU; 0 where its rate or its generation's share is unknown."""
    fp8 = plan.precision == "fp8" and not request.lora
    rate = gpu.fp8_tflops if fp8 else gpu.fp16_tflops
    share = attained().get((gpu.arch, "fp8" if fp8 else "bf16"), 0.0)
    if not rate or not share:
        return 0.0
    k = constants()
    share *= k["moe_share"] if llm.is_moe else 1.0
    share *= k["low_bit_share"] if request.lora and plan.precision not in ("bf16", "fp16") else 1.0
    cap = math.sqrt(key.cap_w / gpu.tdp_w) if gpu.tdp_w and key.cap_w < gpu.tdp_w else 1.0
    return rate * 1e12 * share * cap


@dataclass(frozen=True)
class Links:
    """Bytes/s of one GPU, one direction, that large collectives reach: NVLink or xGMI, PCIe, network."""

    fast: float
    domain: int
    pcie: float
    net: float
    per_node: int

    @classmethod
    def of(cls, gpu: Gpu, key: RowKey) -> Links:
        k = constants()
        pcie = PCIE_GB_S.get(key.pcie_gen or gpu.pcie_gen or 4, 31.5) * 1e9 * min(key.lanes or 16, gpu.pcie_lanes) / 16
        pcie *= 1.0 if gpu.p2p else k["no_p2p_share"]
        share = k["link_share"]
        fast = gpu.link_gb_s / 2 * 1e9 * share
        return cls(fast, key.domain, pcie * share, key.net_gbit_s / 8 * 1e9 * share, key.per_node)

    def endless(self) -> Links:
        """The same GPUs with links that take no time."""
        return replace(self, fast=math.inf, pcie=math.inf, net=math.inf)

    def near(self, size: int) -> float:
        """Between `size` GPUs of a node."""
        return self.fast if self.fast and size <= self.domain else self.pcie

    def gather_s(self, n_bytes: float, shard: int, tp: int) -> float:
        """Time in which each GPU receives the `n_bytes` that lie on its `shard` peers, one per tensor-parallel group:
        a ring inside the node, and between nodes one NIC per GPU, each with its share of the node's traffic."""
        if shard <= 1:
            return 0.0
        inside = min(shard, self.per_node // tp)
        nodes = shard // inside
        near = n_bytes * (shard - 1) / shard / self.near(inside * tp) if inside > 1 else 0.0
        return max(near, n_bytes * (nodes - 1) / nodes / inside / self.net) if nodes > 1 else near

    def exchange_s(self, n_bytes: float, groups: int, spread: int) -> float:
        """All-reduce of `n_bytes` per GPU between `groups` groups of `spread` GPUs each."""
        if groups <= 1:
            return 0.0
        inside = max(1, min(groups, self.per_node // spread))
        nodes = groups // inside
        near = 2 * n_bytes * (inside - 1) / inside / self.near(inside * spread)
        far = 2 * n_bytes * (nodes - 1) / nodes / inside / self.net if nodes > 1 else 0.0
        return max(near, far)

    def swap_s(self, n_bytes: float, size: int) -> float:
        """All-to-all in which each of `size` GPUs sends `n_bytes`."""
        if size <= 1:
            return 0.0
        inside = min(size, self.per_node)
        near = n_bytes * (inside - 1) / size / self.near(inside) if inside > 1 else 0.0
        return max(near, n_bytes * (size - inside) / size / self.net) if size > inside else near


def tokens_s(
    gpu: Gpu, key: RowKey, llm: Llm, plan: Plan, request: Request, policy: Policy, links: Links | None = None
) -> float:
    """Training tokens per second of the whole build, over the key's links unless others are given; 0 where a figure of
    the GPU is unknown."""
    training, k = plan.training, constants()
    rate = compute_flops_s(gpu, key, llm, plan, request)
    if training is None or not rate:
        return 0.0
    links = links or Links.of(gpu, key)
    length = seq_len(request, policy)
    tokens = training.micro_batch * length
    rank = policy.whole("training.lora_rank") if request.lora else 0
    passes = 3 if training.checkpointing else 2
    busy = tokens * flops_per_token(llm, rank, length, training.checkpointing) / (plan.tp * rate)
    traffic = links.gather_s(_gathered_b(llm, plan, request), training.shard, plan.tp)
    if llm.is_moe and plan.ep > 1:
        busy *= k["expert_imbalance"]
        sent = tokens / plan.tp * llm.experts_per_token * llm.hidden * HALF
        traffic += 2 * passes * llm.moe_layers * links.swap_s(sent, plan.ep)
    step = max(busy, traffic) + (1 - k["overlap"]) * min(busy, traffic)
    if plan.tp > 1:
        reduced = 2 * (plan.tp - 1) / plan.tp * tokens * llm.hidden * HALF
        step += 2 * passes * llm.layers * reduced / links.near(plan.tp)
    groups = plan.dp // training.shard
    spread = training.shard * plan.tp
    gradients = HALF * trained_params(llm, request, policy) / spread
    parts = max(1.0, policy.whole("training.batch_tokens") / (tokens * plan.dp))
    step += links.exchange_s(gradients, groups, spread) / parts
    return tokens * plan.dp / step


def _gathered_b(llm: Llm, plan: Plan, request: Request) -> float:
    """Bytes that sharding moves to each GPU per micro-batch: weights for forward and backward, gradients back when all
    is trained. Experts that stay where they are (expert parallel) do not move."""
    if plan.training is None or plan.training.shard == 1:
        return 0.0
    weights = float(base_bytes(llm, plan.precision if request.lora else "bf16"))
    if plan.ep > 1:
        weights *= 1 - llm.params_routed_experts / llm.params_total
    return weights * (2 if request.lora else 3) / plan.tp


def tenths(tok_s: float) -> int:
    """0.1 tok/s, rounded down after rounding to nine digits, so that a last bit of the C library does not decide."""
    return math.floor(float(f"{tok_s * 10:.9g}"))
