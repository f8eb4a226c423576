"""One infeasibility question per family: is there a build strictly under the staircase? Answered by CP-SAT.

The model's variables are parts, quantities, node count and performance row, and every rule is in it. INFEASIBLE
means that nothing of the family lies under the known front; otherwise the cheapest missing build comes back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from catalogs.schema import Gpu
from constraints.build import Build
from constraints.cp_sat import cp_model
from constraints.model.axis import MONEY
from constraints.model.family_model import Candidates, FamilyModel
from constraints.plan import Row
from constraints.rule import Rule
from constraints.rules.registry import RULES
from optimizer.market.market import Market
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.cp_sat_call import solved
from optimizer.search.front import Found
from optimizer.search.parameters import parameters


class FamilyProof:
    """The model of one family; asked again and again while the staircase comes down.

    `settings`: CP-SAT's parameters other than the proof's, for a second proof."""

    settings: ClassVar[dict[str, int]] = {}

    def __init__(
        self, market: Market, gpu: Gpu, per_node: int, rows: Sequence[Row], candidates: Candidates,
        rules: Sequence[Rule] = RULES,
    ) -> None:  # fmt: skip
        model = FamilyModel(
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
        self.widen(model)
        for rule in rules:
            if rule.phase != "money":
                rule.encode(model)
        # Order matters: rules of the phases parts and shared add watts and pieces, which the sums must hold.
        model.close_power()
        model.close_cost()
        # These read orders and totals, which are there only now.
        for rule in rules:
            if rule.phase == "money":
                rule.encode(model)
        self.cost = market.axis.encode(model)
        self.market, self.model, self.seconds, self.ticks = market, model, 0.0, 0.0
        self.cut = False

    def widen(self, model: FamilyModel) -> None:
        """Called before the rules are written: room for a subclass's own variables, which rules then count in."""

    def asked(self, ceiling: Callable[[Row], int]) -> cp_model.CpModel:
        """The model with the question in it: a cost of at most `ceiling(row)`."""
        model = self.model
        # The model itself stays as it is: the next question has other ceilings.
        asked = model.cp.clone()
        cost = asked.get_int_var_from_proto_index(self.cost.index)
        highest = max(ceiling(row) for row in model.rows)
        if highest >= 0:
            # Follows from the ceilings of the rows below; said at once, for CP-SAT sees those only where a row is
            # chosen.
            asked.add(cost <= self._on_axis(highest))
        for row, chosen in model.rows.items():
            literal = asked.get_bool_var_from_proto_index(chosen.index)
            top = ceiling(row)
            if top < 0:
                # No cost is negative: a build at no cost (all in hand) is known that is as fast.
                asked.add(literal == 0)
            else:
                asked.add(cost <= self._on_axis(top)).only_enforce_if(literal)
        return asked

    def _on_axis(self, top: int) -> int:
        """A cost as the model's variable counts it: of money the largest scaled cents that round to `top` at most, so
        that no build whose printed total is within it is left out."""
        return self.model.book.scaled(top) if self.market.axis is MONEY else top

    def under(self, ceiling: Callable[[Row], int], clock: Clock | None = None) -> Found | None:
        """The build of least cost that costs at most `ceiling(row)`; None when there is none. Raises TimeUp.

        On another axis than money the cheapest of those at least as fast with its cost comes back, and where prices
        depend on quantity the one with the fewest pieces of these: some may be free, in hand or beyond a minimum
        order. `cut` says afterwards that the clock's time or a stop came before the least was proven. Of several
        builds of least cost any may come back; `settled` chooses among them."""
        model, asked, clock = self.model, self.asked(ceiling), clock or Clock()
        cost = asked.get_int_var_from_proto_index(self.cost.index)
        total = asked.get_int_var_from_proto_index(model.total_cents.index)
        found = self._solved(asked, cost, clock)
        money = self.market.axis is MONEY
        if found is None or self.cut or (money and not model.book.by_quantity):
            return found
        for row, chosen in model.rows.items():
            # Slower rows are left out: the build asked for stands on the staircase in the place of the one found.
            if row.perf.tenths < found.row.perf.tenths:
                asked.add(asked.get_bool_var_from_proto_index(chosen.index) == 0)
        if not money:
            asked.add(cost <= found.cost)
            found = self._solved(asked, total, clock) or found
        return self._of_fewest_pieces(found, asked, clock)

    def settled(self, found: Found, clock: Clock) -> Found:
        """The build that stands for all of its cost and throughput: the same whatever number of workers found it."""
        tenths = found.row.perf.tenths
        # A clock of its own has one worker, whose answer is the same every time.
        alone = Clock(clock.left())
        return self.under(lambda row: found.cost if row.perf.tenths == tenths else -1, alone) or found

    def cheaper(self, known: Found, clock: Clock) -> Found | None:
        """The build of fewest cents among those of a known one's cost and throughput, if any costs less than it."""
        tenths, model = known.row.perf.tenths, self.model
        asked = self.asked(lambda row: known.cost if row.perf.tenths == tenths else -1)
        total = asked.get_int_var_from_proto_index(model.total_cents.index)
        # A cent less: the same build must not come back.
        asked.add(total <= model.book.scaled(known.parts_cents - 1))
        found = self._solved(asked, total, clock)
        return found and self._of_fewest_pieces(found, asked, clock)

    def _of_fewest_pieces(self, found: Found, asked: cp_model.CpModel, clock: Clock) -> Found:
        """Where prices depend on quantity, the build with the fewest pieces of those that cost no more."""
        model = self.model
        if not model.book.by_quantity:
            return found
        total = asked.get_int_var_from_proto_index(model.total_cents.index)
        pieces = asked.get_int_var_from_proto_index(model.pieces.index)
        asked.add(total <= model.book.scaled(found.parts_cents))
        return self._solved(asked, pieces, clock) or found

    def _solved(self, asked: cp_model.CpModel, least: cp_model.IntVar, clock: Clock) -> Found | None:
        """The build for which `least` is smallest; None when there is none. Raises TimeUp."""
        asked.minimize(least)
        settings = {**parameters(self.market), **self.settings, "num_workers": clock.workers}
        solver, status = solved(asked, settings, clock)
        self.seconds += solver.wall_time
        self.ticks += solver.response_proto.deterministic_time
        if status == cp_model.INFEASIBLE:
            return None
        if status == cp_model.MODEL_INVALID:
            raise AssertionError(f"CP-SAT model invalid: {asked.validate()}")
        # UNKNOWN: time ended before a first build. Only INFEASIBLE says that there is none, and so closes a family.
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise TimeUp
        self.cut = status == cp_model.FEASIBLE
        return self.read(lambda expression: int(solver.value(expression)))

    def read(self, valued: Callable[[Any], int]) -> Found:
        """The build that a solution means; `valued` gives the value of a linear expression."""
        model = self.model

        def value(expression: Any) -> int:
            return expression if isinstance(expression, int) else valued(expression)

        row = next(row for row, literal in model.rows.items() if value(literal))
        node: dict[str, int] = {}
        for part, terms in model.quantities().items():
            if part not in model.shared_qty:
                qty = sum(value(term) for term in terms)
                if qty:
                    node[part] = qty
        shared: dict[str, int] = {}
        for part, pairs in model.shared_qty.items():
            qty = sum(each * value(literal) for each, literal in pairs)
            if qty:
                shared[part] = qty
        build = Build(row.key.nodes, dict(sorted(node.items())), dict(sorted(shared.items())))
        # The model counts in parts of a cent where support has odd rates; a bill is rounded once, at its end.
        cents = model.book.rounded(value(model.total_cents))
        if model.book.by_quantity:
            # Where another sum was made small, or time ended first, the solution's orders need not be the cheapest.
            cents = min(cents, model.book.cost(build.total()))
        axis = self.market.axis
        cost = cents if axis is MONEY else axis.measure(self.market.case(build, row.plan, row.key))
        return Found(row, build, cents, cost)
