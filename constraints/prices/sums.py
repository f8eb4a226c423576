"""Sums over a whole build in the model: what its parts weigh by some figure of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from constraints.prices.totals import MAX_MONEY

if TYPE_CHECKING:
    from constraints.prices.ordering import Expr, Shopping


def whole(m: Shopping, each: Mapping[str, int], name: str) -> Expr:
    """A variable equal to the sum of `each[part]` per piece over all nodes and shared gear; others weigh nothing."""
    node = [each[x] * t for x, ts in m.quantities().items() if x in each and x not in m.shared_qty for t in ts]
    shared = [each[x] * q * v for x, pairs in m.shared_qty.items() if x in each for q, v in pairs]
    in_node = m.cp.new_int_var(0, MAX_MONEY, f"{name} of a node")
    total = m.cp.new_int_var(0, MAX_MONEY, name)
    m.cp.add(in_node == sum(node))
    m.cp.add(in_node <= total)  # follows from what comes, but only once the number of nodes is chosen
    for nodes, is_n in m.node_counts.items():
        m.cp.add(total == nodes * in_node + sum(shared)).only_enforce_if(is_n)
    return total
