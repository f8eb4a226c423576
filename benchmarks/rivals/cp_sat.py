"""Rival 1: CP-SAT on one model of everything, in an epsilon-constraint loop with hints."""

from __future__ import annotations

import time

from ortools.sat.python import cp_model

from benchmarks.rivals.task import Outcome, Run, Task, epsilon
from benchmarks.rivals.whole import Whole, bounds_above, joined
from optimizer.search.front import Found
from optimizer.verify.linear import INFINITE

WORKERS, SEED = 2, 1
PROVES = (cp_model.OPTIMAL, cp_model.INFEASIBLE)


class Seen(cp_model.CpSolverSolutionCallback):
    """Keeps every solution on the way, each a build that may count for the front, and the last one's values."""

    def __init__(self, run: Run, whole: Whole, variables: list[cp_model.IntVar]) -> None:
        super().__init__()
        self.run, self.whole, self.variables = run, whole, variables
        self.last: list[int] | None = None
        self.found: Found | None = None

    def on_solution_callback(self) -> None:
        self.last = [self.value(v) for v in self.variables]
        self.found = self.whole.read(self.run.task, self.last)
        self.run.found(self.found)


def model_of(whole: Whole) -> tuple[cp_model.CpModel, list[cp_model.IntVar]]:
    """The joined model for CP-SAT."""
    cp = cp_model.CpModel()
    v = [cp.new_int_var(low, high, "") for low, high in zip(whole.low, whole.high, strict=True)]

    def literal(x: int) -> cp_model.LiteralT:
        return v[x] if x >= 0 else ~v[-x - 1]

    for r in whole.rows:
        expression = cp_model.LinearExpr.weighted_sum([v[i] for i, _ in r.terms], [a for _, a in r.terms])
        low, high = (
            (r.low if r.low > -INFINITE else cp_model.INT_MIN),
            (r.high if r.high < INFINITE else cp_model.INT_MAX),
        )
        made = cp.add_linear_constraint(expression, low, high)
        if r.when:
            made.only_enforce_if([literal(x) for x in r.when])
    cp.minimize(v[whole.cost])
    return cp, v


def front(task: Task, limit_s: float, whole: Whole | None = None) -> Outcome:
    """The loop; `whole` when it was built before (its seconds then do not show in `build_s`)."""
    run = Run(task, "CP-SAT, epsilon loop", limit_s)
    whole = whole or joined(task)
    model, variables = model_of(whole)
    run.built()
    last: list[int] | None = None

    def cheapest(above: int, seconds: float) -> tuple[Found | None, bool]:
        nonlocal last
        asked, started = model.clone(), time.perf_counter()
        _, high = bounds_above(whole, above, task.market.purse)
        for i in (*whole.speeds, whole.cost):
            if high[i] < whole.high[i]:
                asked.add(asked.get_int_var_from_proto_index(variables[i].index) <= high[i])
        if last is not None:
            asked.clear_hints()  # type: ignore[no-untyped-call]
            for i, x in enumerate(last):
                asked.add_hint(asked.get_int_var_from_proto_index(i), min(x, high[i]))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers, solver.parameters.random_seed = WORKERS, SEED
        solver.parameters.max_time_in_seconds = max(0.01, seconds - (time.perf_counter() - started))
        seen = Seen(run, whole, [asked.get_int_var_from_proto_index(v.index) for v in variables])
        status = solver.solve(asked, seen)
        if status == cp_model.MODEL_INVALID:
            raise AssertionError(asked.validate())
        last = seen.last or last
        run.out.note = "" if status in PROVES else f"stopped in step {run.out.solves + 1}: {solver.status_name(status)}"
        return seen.found, status in PROVES

    return epsilon(run, cheapest)
