"""Shapes of a replica: tensor, pipeline, data and expert parallel sizes that tile the GPUs of a build."""

from __future__ import annotations

from functools import cache

from constraints.plan import Plan
from constraints.rules.interconnect import net_of

NET_ORDER = {"none": 0, "pp": 1, "rdma": 2}


@cache
def divisors(n: int) -> tuple[int, ...]:
    return tuple(d for d in range(1, n + 1) if n % d == 0)


@cache
def shapes(
    size: int, per_node: int, net: str, heads: int, moe: bool, max_pp: int
) -> tuple[tuple[int, int, int, int], ...]:
    """(tp, pp, dp, ep) of replicas of `size` GPUs on nodes of `per_node` that need no more than `net`."""
    out = []
    for tp in divisors(size):
        if tp > per_node or per_node % tp or heads % tp:
            continue
        for pp in divisors(size // tp):
            dp = size // tp // pp
            if pp > max_pp or (dp > 1 and not moe):
                continue
            group = tp * dp
            if size > per_node and group <= per_node and per_node % group:
                continue
            if NET_ORDER[net_of(Plan("", "", tp, pp, dp, 1, 1, 1), per_node)] <= NET_ORDER[net]:
                out += [(tp, pp, dp, ep) for ep in sorted({1, group} if moe else {1})]
    return tuple(out)


@cache
def sizes_of(per_node: int, total: int) -> tuple[int, ...]:
    """Numbers of GPUs that a replica may take so that replicas tile the build without cutting across nodes."""
    return tuple(d for d in divisors(total) if (per_node % d == 0 if d <= per_node else d % per_node == 0))
