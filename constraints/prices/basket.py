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
        # All pieces of the build stand as shared gear beside one node that holds nothing: they are counted once.
        self.node_counts = {1: self.cp.new_constant(1)}
        self.shared_qty = {part: [(qty, 1)] for part, qty in pieces.items()}
        self.beyond: dict[str, Any] = {}
        steady = {part: book.prices[part] for part in pieces if book.prices[part].tariff is None}
        self.ordered = [
            Ordered(part, priced.offer, pieces[part], priced.cents, False, priced.stale)
            for part, priced in steady.items()
        ]
        self.total_cents = self.cp.new_int_var(0, MAX_MONEY, "total_cents")
        alone = sum(priced.cents * book.weight(part) * pieces[part] for part, priced in steady.items())
        self.cp.add(self.total_cents == alone + orders(self))
        limit_surplus(self)
        limit_estimates(self)
        limit_sellers(self)

    def quantities(self) -> dict[str, list[Any]]:
        return {part: [qty for qty, _ in pairs] for part, pairs in self.shared_qty.items()}

    def cheapest(self) -> Orders | None:
        """The cheapest orders within the limits; None where there are none."""
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        # As in the proof: presolve of 9.15 calls models infeasible that are not (docs/proof.md, step 4). Such orders
        # would be said to break a share that they can keep.
        solver.parameters.cp_model_presolve = False
        self.cp.minimize(self.total_cents)
        status = solver.solve(self.cp)
        if status == cp_model.INFEASIBLE:
            return None
        if status != cp_model.OPTIMAL:
            raise AssertionError(f"the cheapest orders were not found: {solver.status_name(status)}")
        of_bundle = {kit.bundle.id: 0 for kit in self.book.kits}
        picks: dict[str, list[Order]] = {part: [] for part in self.shared_qty}
        for order in self.ordered:
            pieces = int(solver.value(order.pieces))
            if order.part in of_bundle:
                of_bundle[order.part] = pieces
            elif pieces:
                picks[order.part].append(Order(Source(order.offer, (), order.stale), pieces, order.cents))  # type: ignore[arg-type]
        return Orders(self.book, tuple(of_bundle.values()), int(solver.value(self.total_cents)), picks)
