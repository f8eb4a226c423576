"""Rival 2: HiGHS on the same linear model as a mixed-integer program, in an epsilon-constraint loop.

Conditions become the smallest big-M that exact propagation of the bounds leaves, as in `dsopt verify --prove`. What
HiGHS finds is rounded to integers and evaluated exactly; a solution that breaks a constraint is refused."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import Bounds, milp

from benchmarks.rivals.task import Outcome, Run, Task, epsilon
from benchmarks.rivals.whole import Whole, bounds_above, joined
from optimizer.search.front import Found
from optimizer.verify.highs import INFEASIBLE, PROVEN, _constraints
from optimizer.verify.linear import broken, tighten

OPTIMAL = 0


def front(task: Task, limit_s: float, whole: Whole | None = None) -> Outcome:
    """The loop; `whole` when it was built before (its seconds then do not show in `build_s`)."""
    run = Run(task, "HiGHS, epsilon loop", limit_s)
    whole = whole or joined(task)
    low, high = bounds_above(whole, 0, task.market.purse)
    live = tighten(whole.rows, low, high)
    if live is None:
        run.built()
        return run.done(complete=True)
    free = [v for v in range(len(low)) if low[v] < high[v]]
    column = {v: j for j, v in enumerate(free)}
    constraints = _constraints(live, low, high, column)
    cost = np.zeros(len(free))
    if whole.cost in column:
        cost[column[whole.cost]] = 1
    least = np.array([low[v] for v in free], float)
    run.built()

    def cheapest(above: int, seconds: float) -> tuple[Found | None, bool]:
        _, narrow = bounds_above(whole, above, task.market.purse)
        most = np.array([min(high[v], narrow[v]) for v in free], float)
        if any(low[v] > narrow[v] for v in whole.speeds):
            return None, True
        answer = milp(
            cost, integrality=np.ones(len(free)), bounds=Bounds(least, most), constraints=constraints,
            options={"time_limit": max(0.01, seconds), "mip_rel_gap": 0.0},
        )  # fmt: skip
        if answer.status == INFEASIBLE and PROVEN in answer.message:
            return None, True
        if answer.x is None:
            run.out.note = answer.message.split("(HiGHS")[0].strip()
            return None, False
        values = list(low)
        for v, x in zip(free, answer.x, strict=True):
            values[v] = round(float(x)) if math.isfinite(x) else 0
        if next(broken(whole.rows, values), None) is not None:
            run.out.note, run.out.refused = "its solution, rounded, breaks a constraint", run.out.refused + 1
            return None, False
        found = whole.read(task, values)
        if answer.status != OPTIMAL:
            run.found(found)
        return found, answer.status == OPTIMAL

    return epsilon(run, cheapest)
