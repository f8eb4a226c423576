"""Plans that may run on a row of hardware, and the best of them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.interconnect import least_gbit_s
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.policy import Policy
from constraints.precision import BITS, wanted
from constraints.precision import support as arch_support
from constraints.request import Request
from constraints.software import served
from constraints.vram import most_users
from optimizer.throughput.calibration import Calibration, Setup, measured, shipped
from optimizer.throughput.demand import demand, kin
from optimizer.throughput.jobs import of_keys
from optimizer.throughput.roofline import largest_concurrency, speeds, times
from optimizer.throughput.shapes import shapes, sizes_of

Rank = tuple[int, int, int, int, int]


class Replica(NamedTuple):
    """One replica judged at its best concurrency. `rank` orders by 0.1 tok/s, then by the tie rule."""

    rank: Rank
    concurrency: int
    precision: str
    shape: tuple[int, int, int, int]
    per_user_tok_s: float
    ttft_ms: float
    tpot_ms: float


class Planner:
    """Best plan per performance row of one request; a replica is judged once and shared by all node counts."""

    def __init__(self, llm: Llm, request: Request, policy: Policy, calibration: Calibration | None = None) -> None:
        self.llm, self.request, self.policy = llm, request, policy
        self.calibration = calibration or shipped()
        self.max_pp = min(policy.whole("plans.max_pp"), llm.layers)
        self._replicas: dict[tuple[object, ...], list[Replica]] = {}
        self._precisions: dict[str, list[str]] = {}
        self._users: dict[tuple[str, str, tuple[int, int, int, int]], int] = {}

    def precisions(self, gpu: Gpu) -> list[str]:
        """Precisions that the GPU runs, an engine serves and the request admits."""
        if gpu.arch not in self._precisions:
            have = arch_support(gpu.arch)
            self._precisions[gpu.arch] = [
                p
                for p in wanted(self.llm, self.request)
                if p in have and served(self.llm.architecture, gpu.arch, p, self.request)
            ]
        return self._precisions[gpu.arch]

    def rows(self, gpu: Gpu, keys: list[RowKey]) -> list[Row]:
        """The row of each key that a plan can run on. All keys are of one number of GPUs per node."""
        self._judge(gpu, keys)
        return [row for key in keys if (row := self._best(gpu, key))]

    def _best(self, gpu: Gpu, key: RowKey) -> Row | None:
        """The row with its best plan: most throughput, then higher precision, fewer stages, smaller tp and ep."""
        users = self.request.users
        best: tuple[Rank, Replica, int] | None = None
        for size in sizes_of(key.per_node, key.total):
            replicas = key.total // size
            least = 1 if users is None else -(-users // replicas)
            judged = self._replicas.get(_memo(gpu, key, size), ())
            found = next((r for r in judged if r.concurrency >= least), None)
            if found is None:
                continue
            rank = (replicas * found.rank[0], *found.rank[1:])
            if best is None or rank > best[0]:
                best = rank, found, replicas
        if best is None:
            return None
        _, found, replicas = best
        plan = Plan(found.precision, self.request.kv_precision, *found.shape, replicas, found.concurrency)
        r = self.request
        setup = Setup(kin(self.llm), found.precision, gpu.id, *found.shape, r.isl, r.osl)
        fact = self.calibration.fact(self.llm, gpu, setup, found.concurrency)
        perf = Perf(
            best[0][0], found.per_user_tok_s, found.ttft_ms, found.tpot_ms, fact.low, fact.high, fact.basis, fact.source
        )
        return Row(key, plan, perf)

    def _judge(self, gpu: Gpu, keys: list[RowKey]) -> None:
        """Judge all replicas that the keys may hold, in one sweep per power cap, NVLink domain and precision."""
        new: dict[tuple[int, int], dict[tuple[object, ...], tuple[RowKey, int]]] = {}
        for key in keys:
            for size in sizes_of(key.per_node, key.total):
                memo = _memo(gpu, key, size)
                if memo not in self._replicas:
                    self._replicas[memo] = []
                    new.setdefault((key.cap_w, key.domain), {})[memo] = key, size
        for todo in new.values():
            for precision in self.precisions(gpu):
                self._sweep(gpu, precision, todo)
        for group in new.values():
            for memo in group:
                self._replicas[memo].sort(key=lambda r: r.rank, reverse=True)

    def _sweep(self, gpu: Gpu, precision: str, todo: dict[tuple[object, ...], tuple[RowKey, int]]) -> None:
        r, llm = self.request, self.llm
        shape_list: list[tuple[int, int, int, int]] = []
        owners: list[tuple[object, ...]] = []
        key_list: list[RowKey] = []
        memory_list: list[int] = []
        k = self.calibration.constants
        most_batch = int(k["max_batch"])
        for memo, (key, size) in todo.items():
            spans = size > key.per_node
            per_node, net = (key.per_node, key.net) if spans else (size, "none")
            for shape in shapes(size, per_node, net, llm.heads, llm.is_moe, self.max_pp):
                users = self._memory(gpu, precision, shape)
                plan = Plan(precision, r.kv_precision, *shape, 1, 1)
                if users >= 1 and key.net_gbit_s >= least_gbit_s(plan, key.per_node, self.policy):
                    shape_list.append(shape)
                    owners.append(memo)
                    key_list.append(key)
                    memory_list.append(min(users, most_batch * shape[2]))
        if not shape_list:
            return
        asked = demand(llm, precision, r.isl, r.osl, r.kv_precision)
        jobs = of_keys(gpu, shape_list, key_list, asked, precision, (r.isl, r.osl), k)
        if jobs is None:
            return
        t = times(jobs, k)
        limit = 0.0 if r.workload == "batch" else r.min_tok_s_user
        most = largest_concurrency(t, np.array(memory_list, dtype=np.int64), limit, r.max_ttft_ms)
        s = speeds(t, np.maximum(most, 1))
        figures = zip(
            owners, shape_list, most.tolist(), s.tenths.tolist(), s.per_user_tok_s.tolist(), s.ttft_ms.tolist(),
            s.tpot_ms.tolist(), strict=True,
        )  # fmt: skip
        bits, curves = BITS[precision], self.calibration.curves_of(llm, precision, gpu, r.isl, r.osl)
        for memo, shape, c, tenths, each, ttft, tpot in figures:
            if c < 1:
                continue
            judged = self._replicas[memo]
            if curves and (known := measured(curves.get(shape, ()), c)):
                f = math.exp(known.log_ratio)
                tenths, each, ttft, tpot = int(tenths * f), each * f, ttft / f, tpot / f
            one = Replica((tenths, bits, -shape[1], -shape[0], -shape[3]), c, precision, shape, each, ttft, tpot)
            if r.users is not None or not judged:
                judged.append(one)
            elif one.rank > judged[0].rank:
                judged[0] = one

    def _memory(self, gpu: Gpu, precision: str, shape: tuple[int, int, int, int]) -> int:
        """Requests at once that a replica has memory for."""
        key = (gpu.id, precision, shape)
        if key not in self._users:
            plan = Plan(precision, self.request.kv_precision, *shape, 1, 1)
            self._users[key] = most_users(gpu, self.llm, self.policy, plan, self.request.tokens)
        return self._users[key]


def _memo(gpu: Gpu, key: RowKey, size: int) -> tuple[object, ...]:
    """All that a replica's speed depends on."""
    spans = (key.per_node, key.net, key.net_gbit_s) if size > key.per_node else None
    return gpu.id, key.cap_w, key.domain, key.pcie_gen, key.lanes, size, spans
