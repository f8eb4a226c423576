"""The orders of a finished build where shares of its cost are limited: the certificate's words for orders and shares,
with the pieces of every part fixed. What comes back is judged again by plain arithmetic (`check` of the rules)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from constraints.cp_sat import cp_model
from constraints.prices.order_limits import limit_estimates, limit_sellers, limit_surplus
from constraints.prices.ordering import Ordered, orders
from constraints.prices.purchase import Orders, PriceBook
from constraints.prices.tariff import Order, Source
from constraints.prices.totals import MAX_MONEY
from constraints.request import Request


class Basket:
    """The model of the orders of these pieces."""

    def __init__(self, book: PriceBook, request: Request, pieces: Mapping[str, int]) -> None:
        self.book, self.request = book, request
        self.cp = cp_model.CpModel()
        self.node_counts = {1: self.cp.new_constant(1)}
        self.shared_qty = {x: [(q, 1)] for x, q in pieces.items()}
        self.beyond: dict[str, Any] = {}
        steady = {x: p for x in pieces if (p := book.prices[x]).tariff is None}
        self.ordered = [Ordered(x, p.offer, pieces[x], p.cents, False, p.stale) for x, p in steady.items()]
        self.total_cents = self.cp.new_int_var(0, MAX_MONEY, "total_cents")
        alone = sum(p.cents * book.weight(x) * pieces[x] for x, p in steady.items())
        self.cp.add(self.total_cents == alone + orders(self))
        limit_surplus(self)
        limit_estimates(self)
        limit_sellers(self)

    def quantities(self) -> dict[str, list[Any]]:
        return {x: [q for q, _ in pairs] for x, pairs in self.shared_qty.items()}

    def cheapest(self) -> Orders | None:
        """The cheapest orders within the limits; None where there are none."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        self.cp.minimize(self.total_cents)
        status = solver.solve(self.cp)
        if status == cp_model.INFEASIBLE:
            return None
        if status != cp_model.OPTIMAL:
            raise AssertionError(f"the cheapest orders were not found: {solver.status_name(status)}")
        of_bundle = {k.bundle.id: 0 for k in self.book.kits}
        picks: dict[str, list[Order]] = {x: [] for x in self.shared_qty}
        for o in self.ordered:
            n = int(solver.value(o.pieces))
            if o.part in of_bundle:
                of_bundle[o.part] = n
            elif n:
                picks[o.part].append(Order(Source(o.offer, (), o.stale), n, o.cents))  # type: ignore[arg-type]
        return Orders(self.book, tuple(of_bundle.values()), int(solver.value(self.total_cents)), picks)
