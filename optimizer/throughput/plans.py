"""Plans that may run on a row of hardware, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
from optimizer.throughput.calibration import Calibration, Curve, Shape, measured, shipped
from optimizer.throughput.demand import demand, kin
from optimizer.throughput.jobs import DATA_FIELDS, of_keys
from optimizer.throughput.roofline import SLACK, Floats, Ints, Times, largest_concurrency, speeds, times
from optimizer.throughput.shapes import shapes, sizes_of

Rank = tuple[int, int, int, int, int]
Memo = tuple[object, ...]


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
        self._replicas: dict[Memo, list[Replica]] = {}
        self._precisions: dict[str, list[str]] = {}
        self._alike: dict[str, int] = {}
        self._kinds: dict[tuple[object, ...], int] = {}
        self._fits: dict[tuple[object, ...], Ints] = {}
        self._held: dict[tuple[int, int, str], dict[Shape, int]] = {}
        self._rates: dict[tuple[Shape, int], int] = {}
        self.kin = kin(llm)

    def alike(self, gpu: Gpu) -> int:
        """One number for all GPUs of equal figures: what throughput reads of them, and no measurement names them."""
        if gpu.id not in self._alike:
            known = gpu.id if gpu.id in self.calibration.seen.gpus else ""
            figures = (known, gpu.fabric, *(getattr(gpu, x) for x in sorted(DATA_FIELDS - {"id", "tdp_w"})))
            self._alike[gpu.id] = self._kinds.setdefault(figures, len(self._kinds))
        return self._alike[gpu.id]

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
        users, like = self.request.users, self.alike(gpu)
        best: tuple[Rank, Replica, int] | None = None
        for size in sizes_of(key.per_node, key.total):
            replicas = key.total // size
            least = 1 if users is None else -(-users // replicas)
            judged = self._replicas.get(_memo(like, gpu, key, size), ())
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
        curve = self.curves(gpu, found.precision).get(found.shape, ())
        fact = self.calibration.fact(self.kin, gpu, curve, found.concurrency)
        perf = Perf(
            best[0][0], found.per_user_tok_s, found.ttft_ms, found.tpot_ms, fact.low, fact.high, fact.basis, fact.source
        )
        return Row(key, plan, perf)

    def _judge(self, gpu: Gpu, keys: list[RowKey]) -> None:
        """Judge all replicas that the keys may hold, in one sweep per power cap, NVLink domain and precision."""
        like = self.alike(gpu)
        new: dict[tuple[int, int], dict[Memo, tuple[RowKey, int]]] = {}
        for key in keys:
            for size in sizes_of(key.per_node, key.total):
                memo = _memo(like, gpu, key, size)
                if memo not in self._replicas:
                    self._replicas[memo] = []
                    new.setdefault((key.cap_w, key.domain), {})[memo] = key, size
        for todo in new.values():
            for precision in self.precisions(gpu):
                self._sweep(gpu, precision, todo)
        for group in new.values():
            for memo in group:
                self._replicas[memo].sort(key=lambda r: r.rank, reverse=True)

    def _sweep(self, gpu: Gpu, precision: str, todo: dict[Memo, tuple[RowKey, int]]) -> None:
        """Judge the replicas of `todo` at one precision; its keys share power cap and fabric."""
        r, llm, k = self.request, self.llm, self.calibration.constants
        found = [(memo, key, self.candidates(gpu, precision, key, size)) for memo, (key, size) in todo.items()]
        found = [x for x in found if len(x[2])]
        if not found:
            return
        count = np.array([len(x[2]) for x in found])
        owner = np.repeat(np.arange(len(found)), count)
        table = np.concatenate([x[2] for x in found])
        shape, users = table[:, :4], table[:, 4]
        asked = demand(llm, precision, r.isl, r.osl, r.kv_precision)
        jobs = of_keys(gpu, shape, [x[1] for x in found], owner, asked, precision, (r.isl, r.osl), k)
        if jobs is None:
            return
        t = times(jobs, k).slowed(1 / self.calibration.pair(self.kin, gpu.id))
        limit = 0.0 if r.workload == "batch" else r.min_tok_s_user
        most = largest_concurrency(t, users, limit, r.max_ttft_ms)
        factor, most = self._measured(gpu, precision, shape, most, t, limit)
        s = speeds(t, np.maximum(most, 1))
        tenths = np.where(factor == 1, s.tenths, (s.tenths * factor).astype(np.int64))
        tp, pp, _, ep = shape.T
        order = np.lexsort((ep, tp, pp, -tenths, owner))
        order = order[most[order] >= 1]
        if r.users is None:
            order = order[np.unique(owner[order], return_index=True)[1]]
        bits = BITS[precision]
        for i in order.tolist():
            f, (a, b, c, d) = float(factor[i]), shape[i].tolist()
            self._replicas[found[owner[i]][0]].append(
                Replica(
                    (int(tenths[i]), bits, -b, -a, -d), int(most[i]), precision, (a, b, c, d),
                    float(s.per_user_tok_s[i]) * f, float(s.ttft_ms[i]) / f, float(s.tpot_ms[i]) / f,
                )
            )  # fmt: skip

    def candidates(self, gpu: Gpu, precision: str, key: RowKey, size: int) -> Ints:
        """(tp, pp, dp, ep, requests at once) of the replicas of `size` GPUs that fit memory and the key's network."""
        spans = size > key.per_node
        per_node, net, rate = (key.per_node, key.net, key.net_gbit_s) if spans else (size, "none", 0)
        memo = (gpu.vram_gb, gpu.unified_reserve_gb, precision, size, per_node, net, rate)
        if memo not in self._fits:
            held = self._held.setdefault((gpu.vram_gb, gpu.unified_reserve_gb, precision), {})
            fits = []
            for shape in shapes(size, per_node, net, self.llm.heads, self.llm.is_moe, self.max_pp):
                users = held.get(shape)
                if users is None:
                    users = held[shape] = self._users(gpu, precision, shape)
                if users >= 1 and (not spans or rate >= self._rate(shape, per_node)):
                    fits.append((*shape, users))
            self._fits[memo] = np.array(fits, dtype=np.int64).reshape(-1, 5)
        return self._fits[memo]

    def _users(self, gpu: Gpu, precision: str, shape: Shape) -> int:
        """Requests at once that a replica has memory and the engine room for."""
        plan = Plan(precision, self.request.kv_precision, *shape, 1, 1)
        users = most_users(gpu, self.llm, self.policy, plan, self.request.tokens)
        return min(users, int(self.calibration.constants["max_batch"]) * shape[2])

    def _rate(self, shape: Shape, per_node: int) -> int:
        """Network speed that a replica across nodes of `per_node` GPUs needs."""
        memo = (shape, per_node)
        if memo not in self._rates:
            self._rates[memo] = least_gbit_s(Plan("", "", *shape, 1, 1), per_node, self.policy)
        return self._rates[memo]

    def _measured(
        self, gpu: Gpu, precision: str, shape: Ints, most: Ints, t: Times, limit: float
    ) -> tuple[Floats, Ints]:
        """What measurements of the very setups say over the model (1 without any), and the largest concurrency at
        which they meet the latency limits: the model's, else the largest measured one below it that does."""
        factor, most = np.ones(len(shape)), most.copy()
        model = self.calibration.pair(self.kin, gpu.id)
        for setup, curve in self.curves(gpu, precision).items():
            for i in np.flatnonzero((shape == np.array(setup)).all(axis=1) & (most >= 1)).tolist():
                if measured(curve, int(most[i])) is None:
                    continue
                below = [int(p.concurrency) for p in reversed(curve) if p.concurrency < most[i]]
                tries = {c: math.exp(p.log_ratio) / model for c in (int(most[i]), *below) if (p := measured(curve, c))}
                most[i] = next((c for c, f in tries.items() if self._meets(t, i, c, f, limit)), 0)
                factor[i] = tries.get(int(most[i]), 1.0)
        return factor, most

    def _meets(self, t: Times, i: int, c: int, factor: float, limit: float) -> bool:
        """Whether entry `i` at concurrency `c` meets the latency limits when it is `factor` times as fast."""
        at = np.full(len(t.stage_fixed_s), c)
        longest = self.request.max_ttft_ms
        fine = float(t.tpot_s(at)[i]) * limit <= factor * SLACK
        return fine and (longest is None or float(t.ttft_s(at)[i]) * 1e3 <= longest * factor * SLACK)

    def curves(self, gpu: Gpu, precision: str) -> Mapping[Shape, Curve]:
        """Measured curves of the request's workload on a GPU, by (tp, pp, dp, ep)."""
        r = self.request
        return self.calibration.curves_of(self.kin, precision, gpu.id, r.isl, r.osl)


def _memo(like: object, gpu: Gpu, key: RowKey, size: int) -> Memo:
    """All that a replica's speed depends on."""
    spans = (key.per_node, key.net, key.net_gbit_s) if size > key.per_node else None
    slow = (key.cap_w, gpu.tdp_w) if gpu.tdp_w and key.cap_w < gpu.tdp_w else None
    return like, slow, key.domain, key.pcie_gen, key.lanes, size, spans
