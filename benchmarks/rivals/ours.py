"""The project's own way: search, bounds and CP-SAT certificates per family, planning included in its seconds."""

from __future__ import annotations

from benchmarks.rivals.task import Outcome, Run, Task
from optimizer.search.clock import Clock
from optimizer.search.front import Found
from optimizer.search.solver import Solver
from optimizer.search.staircase import Staircase


def front(task: Task, limit_s: float) -> Outcome:
    """The front as `dsopt solve` makes it. Nothing of the task's preparation is used: the price book, pruning and rows
    are made anew, and counted."""
    run = Run(task, "dsopt", limit_s)
    seconds: list[float] = []
    add = Staircase.add

    def noted(self: Staircase, found: Found) -> None:
        seconds.append(run.spent())
        add(self, found)

    Staircase.add = noted  # type: ignore[method-assign]
    try:
        solver = Solver(task.solver.whole.asking(), clock=Clock(limit_s))
        made = solver.front()
    finally:
        Staircase.add = add  # type: ignore[method-assign]
    run.out.seen = [(seconds[0], p.found) for p in made.points]
    run.out.solves = made.closed_by_cp_sat
    run.out.note = f"{made.closed_by_bound} families closed by bound, {made.closed_by_cp_sat} by CP-SAT"
    return run.done(made.complete)
