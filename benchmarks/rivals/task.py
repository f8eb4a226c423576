"""What every rival gets: one market, its performance rows and a clock; and what it hands back."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from constraints.model.axis import MONEY
from constraints.plan import Row
from optimizer.market.market import Market
from optimizer.search.families import OpenFamily
from optimizer.search.front import Found, passes
from optimizer.search.solver import Solver

Value = tuple[int, int]
"""(0.1 tok/s, cents of parts and spares)."""


@dataclass
class Task:
    """A market with the rows that the project's planner made; dominated parts and plans that no network carries are
    already gone, so that rivals start from the same preparation. Only money, with a budget and fixed prices."""

    market: Market
    solver: Solver
    rows: list[tuple[OpenFamily, Row]]

    @classmethod
    def of(cls, market: Market) -> Task:
        """Raises ValueError for a request that the rivals were not written for."""
        if market.axis is not MONEY or market.request.budget_cents is None or market.book.by_quantity:
            raise ValueError("the rivals need a budget in money and prices that do not depend on quantity")
        solver = Solver(market)
        solver.judge(market.purse)
        return cls(solver.market, solver, [(u, r) for u in solver.families for r in solver.runnable(u)])


@dataclass
class Outcome:
    """What a rival found: builds with the wall second each came at, wrong ones counted apart."""

    method: str
    seconds_s: float = 0.0
    cpu_s: float = 0.0
    build_s: float = 0.0
    complete: bool = False
    solves: int = 0
    note: str = ""
    refused: int = 0
    seen: list[tuple[float, Found]] = field(default_factory=list)

    @property
    def first_s(self) -> float | None:
        """Wall seconds to the first build that passes every rule."""
        return self.seen[0][0] if self.seen else None

    def front(self) -> list[Found]:
        """The builds that no other one of them beats, ascending."""
        out: list[Found] = []
        for f in sorted((f for _, f in self.seen), key=lambda f: (f.cost, -f.row.perf.tenths)):
            if not out or f.row.perf.tenths > out[-1].row.perf.tenths:
                out.append(f)
        return out


class Run:
    """One rival at work: its clock, and the judge of what it finds."""

    def __init__(self, task: Task, method: str, limit_s: float) -> None:
        self.task, self.limit_s, self.out = task, limit_s, Outcome(method)
        self._started, self._cpu = time.perf_counter(), time.process_time()

    def spent(self) -> float:
        """Wall seconds since the start, the build of the model not counted."""
        return time.perf_counter() - self._started - self.out.build_s

    def left(self) -> float:
        return self.limit_s - self.spent()

    def built(self) -> None:
        """All until here was the model's build, which is reported apart and not counted in the limit."""
        self.out.build_s = time.perf_counter() - self._started

    def found(self, f: Found) -> bool:
        """Keep a build when every rule passes it and the budget pays it."""
        if f.cost > self.task.market.purse or not passes(self.task.market, f.build, f.row):
            self.out.refused += 1
            return False
        self.out.seen.append((self.spent(), f))
        return True

    def done(self, complete: bool = False) -> Outcome:
        self.out.complete, self.out.seconds_s = complete, self.spent()
        self.out.cpu_s = time.process_time() - self._cpu
        return self.out


def epsilon(run: Run, cheapest: Callable[[int, float], tuple[Found | None, bool]]) -> Outcome:
    """The epsilon-constraint loop: the cheapest build, then the cheapest faster one, until there is none.

    `cheapest(t, seconds)` gives the cheapest build above `t` tenths of a tok/s found and whether that is proven."""
    above = 0
    while run.left() > 0:
        found, proven = cheapest(above, run.left())
        run.out.solves += 1
        if not proven:
            break
        if found is None:
            return run.done(complete=True)
        if not run.found(found):
            raise AssertionError(f"{run.out.method} holds a build optimal that a rule refuses: {found.build}")
        above = found.row.perf.tenths
    return run.done()


@dataclass(frozen=True)
class Score:
    """A rival's front against the proven one. `hit`: points of the proven front that it holds exactly; `missed`:
    speeds of it that the rival reaches at no price; `gap`: the worst (its cheapest build at least as fast as a proven
    point) / (that point's cost) - 1, over the points it reaches; `beaten`: its points below the proven front."""

    points: int
    hit: int
    missed: int
    gap: float | None
    beaten: int


def score(found: list[Found], true: list[Value]) -> Score:
    """Compares on (throughput, cost); `true` ascends in both."""
    mine = [(f.row.perf.tenths, f.cost) for f in found]
    gaps = []
    for t, c in true:
        costs = [x for s, x in mine if s >= t]
        if costs:
            gaps.append(min(costs) / c - 1)
    speeds = [t for t, _ in true]
    beaten = sum(
        (i := bisect_left(speeds, t)) == len(true) or c < true[i][1] for t, c in mine
    )  # fmt: skip
    hit = len(set(mine) & set(true))
    return Score(len(mine), hit, len(true) - len(gaps), max(gaps, default=None), beaten)
