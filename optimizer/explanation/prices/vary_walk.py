"""From today's price outward: which build is the recommended one, and up to which step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from constraints.prices.totals import totals
from optimizer.explanation.prices.step_costs import StepCosts, pieces_of
from optimizer.explanation.prices.vary_spec import Varied
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.result.recommended import asks_for_load, load_view
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.search.solver import Disagreement, Solver

Why = Literal[
    "today", "cheaper", "faster-within-budget", "over-budget", "none-within-budget", "none-serves-within-budget"
]


@dataclass(frozen=True)
class Stretch:
    """Steps `near`..`far`, as seen from today's price, over which a build stays the recommended one."""

    near: int
    far: int
    found: Found | None
    why: Why


class Walk:
    """The recommended build at any step of a varied price, and how far it stays."""

    def __init__(self, market: Market, varied: Varied, clock: Clock) -> None:
        self.market, self.varied, self.clock = market, varied, clock
        self.costs, self.judged, self.solves = StepCosts(market, varied), GpuRows.of_market(market), 0
        self._floors: dict[int, Market] = {}
        # With users or a load asked for, builds count that serve them at the lower end of their interval.
        self.admit = load_view(market).serves_at_low_end if asks_for_load(market) else None

    def outward(self, found: Found, end: int) -> Iterator[Stretch]:
        """Stretches from today's price to `end`; `found` is the recommended build today. Raises TimeUp."""
        towards = 1 if end > self.varied.today else -1
        step, why, now = self.varied.today, "today", found
        while True:
            far = self.stays(now, step, end)
            yield Stretch(step, far, now, why)  # type: ignore[arg-type]
            if far == end:
                return
            step = far + towards
            after = self.recommended(step, now)
            if after is None:  # prices only rise from here on
                none: Why = "none-within-budget" if self.admit is None else "none-serves-within-budget"
                yield Stretch(step, end, None, none)
                return
            if self.alike(after, now, step):
                raise Disagreement(f"{now.build} was beaten at step {step} of {self.varied.spec} and is not")
            why, now = self._why(now, after, step), after

    def stays(self, found: Found, step: int, end: int) -> int:
        """The last step on the way to `end` up to which a build recommended at `step` stays the recommended one."""
        x = self.costs.add(found)  # `alike` makes what is found on the way known
        towards, far, proven = 1 if end > step else -1, end, {step}
        while far != step:
            # What is known may end the stretch early: the budget, or a build of the pool that takes its place. Both are
            # exact at every step and cost no search.
            out = self.costs.over(x, step, far)
            first = [out] if out is not None else []
            for y in [y for y in self.costs.pool if y != x]:
                if (at := self.costs.beaten(x, y, step, far)) is not None:
                    first.append(at)
            if first:
                far = min(first, key=lambda n: abs(n - step)) - towards
            proven = {n for n in proven if abs(n - step) <= abs(far - step)}
            # Then a search at the far end either proves the build recommended there too, or makes a better one known,
            # which shortens the stretch. Between two proven steps a build stays the best as long as its cost does not
            # bend below the straight line between them: there it is asked for in between as well.
            open_ = far if far not in proven else self.costs.bend(x, proven)
            if open_ is None:
                break
            best = self.recommended(open_, found)
            known = best is not None and pieces_of(best) in self.costs.pool
            if best is not None and self.alike(best, found, open_):
                proven.add(open_)
            elif best is None or known:
                raise Disagreement(f"step {open_} of {self.varied.spec}: {best} against {found.build}")
        return far

    def alike(self, found: Found, b: Found, step: int) -> bool:
        """Whether two builds are the same to a buyer: equally fast and equally dear."""
        x, y = self.costs.add(found), self.costs.add(b)
        return found.row.perf.tenths == b.row.perf.tenths and self.costs.cost(x, step) == self.costs.cost(y, step)

    def recommended(self, step: int, than: Found | None = None) -> Found | None:
        """The recommended build at a step, proven and re-checked; `than` is one that was so nearby. Raises TimeUp."""
        self.clock.left()
        if not self.costs.fastest:
            return self._cheapest(step)
        if than is not None and self.costs.cost(self.costs.add(than), step) <= self.market.purse:
            return self._fastest(self._at(step, than.row.perf.tenths))
        return self._fastest(self._at(step, 0))

    def _at(self, step: int, floor: int) -> Market:
        """The market at a step for builds of `floor` (0.1 tok/s) at least."""
        if floor not in self._floors:
            least = max(floor, self.market.request.throughput_tenths or 0)
            self._floors[floor] = self.market.asking(throughput_tenths=least) if floor else self.market
        return self.varied.at(self._floors[floor], step)

    def _fastest(self, market: Market) -> Found | None:
        self.solves += 1
        front = Solver(market, clock=self.clock, judged=self.judged, admit=self.admit).front()
        if not front.complete:
            raise TimeUp
        return front.points[-1].found if front.points else None

    def _cheapest(self, step: int) -> Found | None:
        """The first point of the front of builds that count: of least cost, and the fastest of these."""
        market = self._at(step, 0)
        self.solves += 1
        found = Solver(market, clock=self.clock, judged=self.judged, admit=self.admit).cheapest()
        if found is None:
            return None
        return self._fastest(market.asking(budget_cents=totals(found.cost, market.policy)[2]))

    def _why(self, before: Found, after: Found, step: int) -> Why:
        if self.costs.budget:
            if self.costs.cost(self.costs.add(before), step) > self.market.purse:
                return "over-budget"
            if self.costs.fastest and after.row.perf.tenths > before.row.perf.tenths:
                return "faster-within-budget"
        return "cheaper"
