"""Sums over a whole build in the model: what its parts weigh by some figure of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from constraints.prices.totals import MAX_MONEY

if TYPE_CHECKING:
    from constraints.prices.ordering import Expr, Shopping


def whole(model: Shopping, each: Mapping[str, int], name: str) -> Expr:
    """A variable equal to the sum of `each[part]` per piece over all nodes and shared gear; others weigh nothing."""
    node: list[Expr] = []
    for part, terms in model.quantities().items():
        if part in each and part not in model.shared_qty:
            node += [each[part] * term for term in terms]
    shared: list[Expr] = []
    for part, pairs in model.shared_qty.items():
        if part in each:
            shared += [each[part] * qty * literal for qty, literal in pairs]
    in_node = model.cp.new_int_var(0, MAX_MONEY, f"{name} of a node")
    total = model.cp.new_int_var(0, MAX_MONEY, name)
    model.cp.add(in_node == sum(node))
    model.cp.add(in_node <= total)  # follows from what comes, but only once the number of nodes is chosen
    for nodes, is_n in model.node_counts.items():
        model.cp.add(total == nodes * in_node + sum(shared)).only_enforce_if(is_n)
    return total
