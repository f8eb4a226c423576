"""Shapes of a replica: tensor, pipeline, data and expert parallel sizes that tile the GPUs of a build."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from constraints.plan import Plan
from constraints.rules.interconnect import net_of

NAMES = ("tp", "pp", "dp", "ep")
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


def shape_words(shape: Sequence[int]) -> str:
    """`tp8`, `dp8 ep8`: sizes (tp, pp, dp, ep) above 1."""
    return " ".join(f"{name}{size}" for name, size in zip(NAMES, shape, strict=True) if size > 1) or "tp1"


@cache
def plan_words(plan: tuple[int, ...]) -> str:
    """The same of (tp, pp, dp, ep, replicas): `dp8 ep8 x2`."""
    *shape, replicas = plan
    return shape_words(shape) + (f" x{replicas}" if replicas > 1 else "")


@cache
def shape_of(words: str) -> tuple[int, int, int, int] | None:
    """The sizes that such words say, in any order; None for what says none, or one twice."""
    found = re.findall(r"(tp|pp|dp|ep)([1-9]\d{0,4})", words.casefold())
    sizes = {name: int(size) for name, size in found}
    if "".join(words.casefold().split()) != "".join(name + size for name, size in found) or len(sizes) < len(found):
        return None
    tp, pp, dp, ep = (sizes.get(name, 1) for name in NAMES)
    return (tp, pp, dp, ep) if found else None
