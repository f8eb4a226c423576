"""Plans that may run on a row of hardware, and the best of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.interconnect import net_of
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.policy import Policy
from constraints.precision import BITS, wanted
from constraints.precision import support as arch_support
from constraints.request import Request
from constraints.software import served
from constraints.vram import most_users
from optimizer.throughput.roofline import constants, largest_concurrency, perf, times

NET_ORDER = {"none": 0, "pp": 1, "rdma": 2}


@cache
def divisors(n: int) -> tuple[int, ...]:
    return tuple(d for d in range(1, n + 1) if n % d == 0)


@cache
def shapes(
    per_node: int, nodes: int, net: str, heads: int, moe: bool, max_pp: int
) -> tuple[tuple[int, int, int, int], ...]:
    """(tp, pp, dp, ep) of all replicas that tile `nodes` x `per_node` GPUs and need no more than `net`."""
    total = per_node * nodes
    out = []
    for g in divisors(total):
        if (g < per_node and per_node % g) or (g > per_node and g % per_node):
            continue
        for tp in divisors(g):
            if tp > per_node or per_node % tp or heads % tp:
                continue
            for pp in divisors(g // tp):
                dp = g // tp // pp
                if pp > max_pp or (dp > 1 and not moe):
                    continue
                group = tp * dp
                if g > per_node and group <= per_node and per_node % group:
                    continue
                if NET_ORDER[net_of(Plan("", "", tp, pp, dp, 1, 1, 1), per_node)] > NET_ORDER[net]:
                    continue
                for ep in {1, group} if moe else {1}:
                    out.append((tp, pp, dp, ep))
    return tuple(out)


class Planner:
    """Best plan per performance row for one request; replicas are judged once and shared by all node counts."""

    def __init__(self, llm: Llm, request: Request, policy: Policy) -> None:
        self.llm, self.request, self.policy = llm, request, policy
        self._replica: dict[tuple[object, ...], tuple[Plan, int, object] | None] = {}

    def precisions(self, gpu: Gpu) -> list[str]:
        """Precisions that the GPU runs, an engine serves and the request admits."""
        have = arch_support(gpu.arch)
        return [
            p
            for p in wanted(self.llm, self.request)
            if p in have and served(self.llm.architecture, gpu.arch, p, self.request)
        ]

    def best(self, gpu: Gpu, key: RowKey) -> Row | None:
        """The row with its best plan: most throughput, then higher precision, fewer stages, smaller tp, smaller ep."""
        best: tuple[tuple[int, ...], Plan, Perf] | None = None
        max_pp = min(self.policy.whole("plans.max_pp"), self.llm.layers)
        for precision in self.precisions(gpu):
            for tp, pp, dp, ep in shapes(key.per_node, key.nodes, key.net, self.llm.heads, self.llm.is_moe, max_pp):
                found = self._judge(gpu, key, precision, tp, pp, dp, ep)
                if found is None:
                    continue
                plan, figures = found
                rank = (figures.tenths, BITS[precision], -pp, -tp, -ep)
                if best is None or rank > best[0]:
                    best = rank, plan, figures
        return Row(key, best[1], best[2]) if best else None

    def _judge(
        self, gpu: Gpu, key: RowKey, precision: str, tp: int, pp: int, dp: int, ep: int
    ) -> tuple[Plan, Perf] | None:
        r = self.request
        size = tp * pp * dp
        spans = size > key.per_node
        memo = (gpu.id, key.cap_w, key.domain, key.pcie_gen, key.lanes, key.net_gbit_s if spans else 0,
                key.per_node if spans else min(key.per_node, 1), precision, tp, pp, dp, ep)  # fmt: skip
        if memo not in self._replica:
            self._replica[memo] = self._replica_of(gpu, key, Plan(precision, r.kv_precision, tp, pp, dp, ep, 1, 1))
        found = self._replica[memo]
        if found is None:
            return None
        plan, most, t = found
        replicas = key.total // size
        if r.users is not None and most < -(-r.users // replicas):
            return None
        figures = perf(t, most, r.osl, replicas)  # type: ignore[arg-type]
        return replace(plan, replicas=replicas, concurrency=most), figures

    def _replica_of(self, gpu: Gpu, key: RowKey, plan: Plan) -> tuple[Plan, int, object] | None:
        r = self.request
        memory = most_users(gpu, self.llm, self.policy, plan, r.tokens)
        memory = min(memory, int(constants()["max_batch"]) * plan.dp)
        if memory < 1:
            return None
        t = times(gpu, key, self.llm, plan, r.isl, r.osl)
        if t is None:
            return None
        limit = 0.0 if r.workload == "batch" else r.min_tok_s_user
        most = largest_concurrency(t, memory, r.osl, limit, r.max_ttft_ms)
        return (plan, most, t) if most >= 1 else None
