"""One infeasibility question per family: is there a build strictly under the staircase? Answered by CP-SAT.

The model's variables are parts, quantities, node count and performance row, and every rule is in it. INFEASIBLE
means that nothing of the family lies under the known front; otherwise the cheapest missing build comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ortools.sat.python import cp_model

from catalogs.schema import Gpu
from constraints.case import Build
from constraints.model import Candidates, FamilyModel
from constraints.plan import Row
from constraints.rule import Rule
from constraints.rules import RULES
from optimizer.clock import TimeUp
from optimizer.market import Market


@dataclass(frozen=True)
class Found:
    """A build under the staircase: its row and the sum of its lines."""

    row: Row
    build: Build
    parts_cents: int


class Family:
    """The model of one family; asked again and again while the staircase comes down."""

    def __init__(
        self, market: Market, gpu: Gpu, per_node: int, rows: Sequence[Row], candidates: Candidates,
        rules: Sequence[Rule] = RULES,
    ) -> None:  # fmt: skip
        m = FamilyModel(
            market.catalog,
            market.request,
            market.policy,
            market.llm,
            market.book,
            gpu,
            per_node,
            rows,
            candidates,
        )
        closing = {"procurement", "budget"}
        for rule in rules:
            if rule.id not in closing:
                rule.encode(m)
        m.close_power()
        m.close_cost()
        for rule in rules:
            if rule.id in closing:
                rule.encode(m)
        m.cp.minimize(m.total_cents)
        self.model, self.seconds = m, 0.0
        self.cut = False

    def under(self, ceiling: Callable[[Row], int], seconds: float = 1e9) -> Found | None:
        """The cheapest build with parts at most `ceiling(row)` cents; None when there is none. Raises TimeUp.

        `cut` says afterwards that time or Ctrl-C (which CP-SAT takes itself) came before the cheapest was proven."""
        m = self.model
        asked = m.cp.clone()
        for row, chosen in m.rows.items():
            literal = asked.get_bool_var_from_proto_index(chosen.index)
            top = ceiling(row)
            if top < 0:
                asked.add(literal == 0)
            else:
                total = asked.get_int_var_from_proto_index(m.total_cents.index)
                asked.add(total <= top).only_enforce_if(literal)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.linearization_level = 1
        solver.parameters.random_seed = 0
        solver.parameters.max_time_in_seconds = max(0.01, min(seconds, 1e6))
        status = solver.solve(asked)
        self.seconds += solver.wall_time
        if status == cp_model.INFEASIBLE:
            return None
        if status == cp_model.MODEL_INVALID:
            raise AssertionError(f"CP-SAT model invalid: {asked.validate()}")
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise TimeUp
        self.cut = status == cp_model.FEASIBLE
        return self._read(solver)

    def _read(self, solver: cp_model.CpSolver) -> Found:
        m = self.model

        def value(x: object) -> int:
            return x if isinstance(x, int) else int(solver.value(x))  # type: ignore[arg-type]

        row = next(r for r, v in m.rows.items() if value(v))
        node: dict[str, int] = {}
        for part, terms in m.quantities().items():
            if part not in m.shared_qty:
                qty = sum(value(t) for t in terms)
                if qty:
                    node[part] = qty
        shared = {}
        for part, pairs in m.shared_qty.items():
            qty = sum(q * value(v) for q, v in pairs)
            if qty:
                shared[part] = qty
        return Found(
            row,
            Build(row.key.nodes, dict(sorted(node.items())), dict(sorted(shared.items()))),
            value(m.total_cents),
        )
