"""Plans that may train on a row of hardware, and the fastest of them.

One replica takes the whole build: tensor parallel inside a node, data parallel over the rest, with weights, gradients
and optimizer states whole on each group, sharded inside a node, or sharded over all GPUs. Experts move with the other
weights (ep 1) or stay where they are (ep = the GPUs of the sharding group). No pipeline stages.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.physics.reserve import usable_bytes
from constraints.physics.training import fixed_footprint, seq_len, sequence_bytes
from constraints.plan import Perf, Plan, Row, RowKey, Training
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import plan_fault
from constraints.rules.precision import runs, wanted
from constraints.rules.software import engine_of, served
from optimizer.throughput.training import Links, interval, tenths, tokens_s


class Shape(NamedTuple):
    """Tensor-parallel size, groups, groups that share the states, expert-parallel size, checkpointing."""

    tp: int
    dp: int
    shard: int
    ep: int
    checkpointing: bool


@dataclass(frozen=True)
class Candidate:
    """A plan, 0.1 tok/s that it reaches where links take no time, and by what it is preferred among equally fast ones:
    higher precision, smaller tp, ep and shard, no checkpointing."""

    most_tenths: int
    preference: tuple[int, ...]
    plan: Plan


class TrainingPlanner:
    """Fastest training plan per performance row of one request."""

    def __init__(self, llm: Llm, request: Request, policy: Policy) -> None:
        self.llm, self.request, self.policy = llm, request, policy
        self._precisions: dict[str, list[str]] = {}
        self._most: dict[tuple[str, str, Shape], int] = {}
        self._plans: dict[tuple[str, str, Shape], Plan | None] = {}
        self._known: dict[tuple[str, int, int, int], list[Candidate]] = {}

    def precisions(self, gpu: Gpu) -> list[str]:
        """Precisions that the GPU runs, a training stack knows and the request admits."""
        if gpu.id not in self._precisions:
            self._precisions[gpu.id] = [
                precision
                for precision in wanted(self.llm, self.request)
                if runs(gpu.arch, precision, self.request) and served(self.llm, gpu, precision, self.request)
            ]
        return self._precisions[gpu.id]

    def alike(self, gpu: Gpu) -> str:
        """What GPUs of equal rows share; here each has its own."""
        return gpu.id

    def fewest(self, gpu: Gpu, apart: bool = False) -> float:
        """GPUs below which no row has a plan; not known here."""
        return 1

    def most_tenths(self, gpu: Gpu) -> float:
        """0.1 tok/s that no plan exceeds per GPU; not known here."""
        return math.inf

    def bound(self, gpus: Iterable[Gpu]) -> None:
        """No bounds are known ahead here."""

    def judge(self, wanted: Iterable[tuple[Gpu, Sequence[RowKey]]]) -> None:
        """Nothing is judged ahead of its row."""

    def rows(self, gpu: Gpu, keys: Sequence[RowKey]) -> list[Row]:
        """The row of each key that a plan can run on."""
        return [row for key in keys if (row := self._best(gpu, key))]

    def rows_of(self, asked: Sequence[tuple[Gpu, Sequence[RowKey]]]) -> list[list[Row]]:
        """The same of several GPUs."""
        return [self.rows(gpu, keys) for gpu, keys in asked]

    def apart(self, gpu: Gpu) -> bool:
        """Prefill and decode are nothing of training."""
        return False

    def roughest(self, gpu: Gpu, key: RowKey) -> Row | None:
        """The plan with the least memory per GPU, whether it fits or not; None when no precision is left."""
        precisions = self.precisions(gpu) or wanted(self.llm, self.request)
        if not precisions:
            return None
        shape = Shape(1, key.total, key.total, 1, True)
        return Row(key, self._plan(precisions[-1], shape, 1), Perf(0, 0.0, 0.0, 0.0))

    def _best(self, gpu: Gpu, key: RowKey) -> Row | None:
        """Most throughput, then higher precision, smaller tp, ep and shard, and no checkpointing."""
        if key.nodes > 1 and key.net != "rdma":
            return None
        best: tuple[tuple[int, ...], Plan] | None = None
        links = Links.of(gpu, key)
        for candidate in self._candidates(gpu, key):
            if best and candidate.most_tenths < best[0][0]:
                break  # Sound: links only take time, and the candidates that follow are no faster without them.
            plan = candidate.plan
            if plan_fault(plan, key, self.policy):
                continue
            speed = tenths(tokens_s(gpu, key, self.llm, plan, self.request, self.policy, links))
            rank = (speed, *candidate.preference)
            if speed and (best is None or rank > best[0]):
                best = rank, plan
        return Row(key, best[1], Perf(best[0][0], 0.0, 0.0, 0.0, *interval(gpu.arch))) if best else None

    def _candidates(self, gpu: Gpu, key: RowKey) -> list[Candidate]:
        """Plans that an engine starts on the key's GPUs, the fastest without regard to links first. Kept for all keys
        that differ in links alone, which most do."""
        memo = (gpu.id, key.cap_w, key.per_node, key.nodes)
        if memo not in self._known:
            endless, found = Links.of(gpu, key).endless(), []
            for precision in self.precisions(gpu):
                for shape in shapes(key, self.llm):
                    if plan := self._startable(gpu, precision, shape):
                        most = tenths(tokens_s(gpu, key, self.llm, plan, self.request, self.policy, endless))
                        preference = (BITS[precision], -shape.tp, -shape.ep, -shape.shard, -shape.checkpointing)
                        found.append(Candidate(most, preference, plan))
            self._known[memo] = sorted(found, key=lambda x: (x.most_tenths, x.preference), reverse=True)
        return self._known[memo]

    def _startable(self, gpu: Gpu, precision: str, shape: Shape) -> Plan | None:
        """The plan of a shape with the most sequences at once that an engine starts; None without one. It does not
        depend on the links between the GPUs, in which many rows alone differ."""
        memo = (gpu.id, precision, shape)
        if memo not in self._plans:
            most = self._micro_batch(gpu, precision, shape)
            plan = self._plan(precision, shape, most) if most >= 1 else None
            served = plan is not None and engine_of(self.llm, gpu, plan, self.request)
            self._plans[memo] = plan if served else None
        return self._plans[memo]

    def _plan(self, precision: str, shape: Shape, micro_batch: int) -> Plan:
        training = Training(shape.shard, micro_batch, shape.checkpointing)
        kv = self.request.kv_precision or "bf16"
        return Plan(precision, kv, shape.tp, 1, shape.dp, shape.ep, 1, micro_batch * shape.dp, training)

    def _micro_batch(self, gpu: Gpu, precision: str, shape: Shape) -> int:
        """The most sequences at once that memory and the optimizer step's batch have room for; 0 when none fits."""
        memo = (gpu.id, precision, shape)
        if memo not in self._most:
            llm, request, policy = self.llm, self.request, self.policy
            fixed = fixed_footprint(gpu, llm, policy, self._plan(precision, shape, 0), request)
            length = seq_len(request, policy)
            each = sequence_bytes(llm, length, shape.checkpointing, shape.tp)
            fits = (usable_bytes(gpu) - fixed.total) // each
            batch = max(1, policy.whole("training.batch_tokens") // (length * shape.dp))
            self._most[memo] = max(0, min(fits, batch, policy.whole("training.micro_batch_most")))
        return self._most[memo]


def shapes(key: RowKey, llm: Llm) -> list[Shape]:
    """All shapes of plans on the key's hardware."""
    out = []
    for tp in range(1, key.per_node + 1):
        if key.per_node % tp:
            continue
        dp = key.total // tp
        for shard in sorted({1, key.per_node // tp, dp}):
            whole = shard * tp
            experts = {1, whole} if llm.is_moe and shard > 1 and llm.experts % whole == 0 else {1}
            out += [Shape(tp, dp, shard, ep, again) for ep in sorted(experts) for again in (False, True)]
    return out
