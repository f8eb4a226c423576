"""How a model runs on hardware (plan), and the performance row that throughput depends on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True)
class Training:
    """How a plan trains. `shard`: tensor-parallel groups that share weights, gradients and optimizer states (ZeRO
    stage 3; 1 is plain data parallel); `micro_batch`: sequences of a tensor-parallel group at once."""

    shard: int
    micro_batch: int
    checkpointing: bool


@dataclass(frozen=True)
class Mix:
    """Unlike cards in one node: (id or name of a GPU, number of them) of each kind."""

    cards: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, kinds: Iterable[tuple[str, int]]) -> Mix:
        """A kind that stands twice is one with both numbers."""
        found: dict[str, int] = {}
        for gpu, number in kinds:
            found[gpu] = found.get(gpu, 0) + number
        return cls(tuple(found.items()))


@dataclass(frozen=True, order=True)
class Stage:
    """A card of a mix of unlike ones (`gpu`: its id), and the number of layers that it holds."""

    gpu: str
    layers: int


@dataclass(frozen=True, order=True)
class Plan:
    """One replica takes tp x pp x dp GPUs; `replicas` of them fill the build. `concurrency` is per replica.

    A plan that trains is one replica of the whole build; its concurrency counts sequences. `offload`: the routed
    experts lie in host memory, a replica is a node. `redundant_experts`: copies of routed experts that even them out
    over ep; each card holds (experts + redundant_experts) / ep of every layer. `host_tables`: the model's n-gram
    tables lie in host memory, a copy for each replica in a node. `stages`: of a mix of unlike cards, in the order of
    layers; empty where all GPUs are equal and hold equal shares. Engine and release of a plan:
    `constraints.rules.software.engine_of`.

    `prefill`: where prefill and decode are apart, the plan of the nodes that compute prompts; all sizes of the plan
    itself are then of the nodes that decode, and its concurrency counts requests under way in both, for which decode
    has memory. Concurrency of `prefill` counts prompts. `prompts_ks`: prompts that go from one to the other in 1,000
    seconds, rounded up."""

    precision: str
    kv_precision: str
    tp: int
    pp: int
    dp: int
    ep: int
    replicas: int
    concurrency: int
    training: Training | None = None
    offload: bool = False
    redundant_experts: int = 0
    host_tables: bool = False
    stages: tuple[Stage, ...] = ()
    prefill: Plan | None = None
    prompts_ks: int = 0

    @property
    def gpus(self) -> int:
        return self.tp * self.pp * self.dp

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return self.tp, self.pp, self.dp, self.ep

    @property
    def halves(self) -> tuple[Plan, ...]:
        """The plans of the nodes that prefill and of those that decode, where they are apart; else the plan alone."""
        return (self,) if self.prefill is None else (self.prefill, replace(self, prefill=None, prompts_ks=0))

    @property
    def all_gpus(self) -> int:
        """GPUs of all replicas, of both halves."""
        return sum(half.gpus * half.replicas for half in self.halves)


@dataclass(frozen=True, order=True)
class RowKey:
    """All hardware facts that throughput depends on.

    `pcie_gen`, `lanes`: host link of each GPU, 0 where no plan of the row uses it. `domain`: GPUs joined by
    NVLink / xGMI. `net`: none (front end only), pp (pipeline stages), rdma (one NIC per GPU); `net_gbit_s`
    per node for pp and per GPU for rdma. `host_gb_s`, `host_gb`, `host_gflops`: what CPUs and memory of a node give
    at least to routed experts in host memory (constraints/physics/offload.py), 0 where they lie on the GPUs.
    `tables_gb`: RAM that a node has at least for n-gram tables in host memory, system and engine
    (constraints/physics/lookup_tables.py), 0 where they lie on the GPUs or the model has none.
    """

    gpu: str
    cap_w: int
    per_node: int
    nodes: int
    domain: int
    pcie_gen: int
    lanes: int
    net: str
    net_gbit_s: int
    host_gb_s: int = 0
    host_gb: int = 0
    host_gflops: int = 0
    tables_gb: int = 0

    @property
    def total(self) -> int:
        return self.per_node * self.nodes


AT_LEAST = ("pcie_gen", "host_gb_s", "host_gb", "host_gflops", "tables_gb")
"""Figures of a key that are asked for as "at least": hardware that has more realises it too."""


@dataclass(frozen=True)
class Perf:
    """Figures of one plan: throughput of the whole build in 0.1 tok/s, per-user speed and latencies.

    `low`, `high`: factors on the throughput that hold 80 % of measurements; `basis`: measured, interpolated or
    roofline; `source`: the measurement. None of them decides anything."""

    tenths: int
    per_user_tok_s: float
    ttft_ms: float
    tpot_ms: float
    low: float = 1.0
    high: float = 1.0
    basis: str = "roofline"
    source: str = ""


@dataclass(frozen=True)
class Row:
    """A performance row: what the certificate may select, with the best plan there."""

    key: RowKey
    plan: Plan
    perf: Perf
