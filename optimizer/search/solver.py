"""The front: a search proposes builds, bounds close what lies above, CP-SAT proves that nothing lies under them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from catalogs.collector import collector_paused
from catalogs.schema import Gpu
from constraints.model.axis import MAX_COST, MONEY
from constraints.plan import Row, RowKey
from constraints.prices.totals import MAX_MONEY
from constraints.rule import Rule
from constraints.rules.registry import RULES, findings
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.search.assortment import Assortment
from optimizer.search.bounds import Bound
from optimizer.search.candidates import assemble
from optimizer.search.certificate import FamilyProof
from optimizer.search.clock import Clock, TimeUp, Work
from optimizer.search.families import MARGIN_PERCENT, Families, OpenFamily
from optimizer.search.front import Found, Front, Judge, Point
from optimizer.search.parameters import SPAN, staircase_steps
from optimizer.search.record import record
from optimizer.search.staircase import Staircase
from optimizer.search.ties import rank
from optimizer.search.useful_parts import narrowed

GIVE_UP = 12
"""Builds in a row that the search fails to complete before it gives up a family: CP-SAT finds what is missing there."""
DEAREST = MAX_MONEY // 2
"""Most cents of a build that CP-SAT is asked for where nothing else limits them: its largest sum has room for two."""


Watch = Callable[[Callable[[], Front]], None]
"""Hears that there are builds; what it is given makes a front of them, checked and not proven, and may be left."""


class Disagreement(AssertionError):
    """CP-SAT returned a build that plain `check` rejects: an internal error, never dropped silently."""


@dataclass(frozen=True, slots=True)
class _Trial:
    """A row that the search looks at, with what its nodes cost at least."""

    least_cents: int
    family: OpenFamily
    row: Row


class Solver(Families):
    """One request solved while `clock` lasts. Without `clever` nothing is pruned or searched. `judged`, `stock`: rows
    and assortment known already, `admit`: rows that count, as `Families` takes them."""

    @collector_paused()
    def __init__(
        self, market: Market, rules: Sequence[Rule] = RULES, clock: Clock | None = None, clever: bool = True,
        engine: type[FamilyProof] = FamilyProof, judged: GpuRows | None = None, stock: Assortment | None = None,
        admit: Callable[[Gpu, Row], bool] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(market, clock or Clock(), clever, judged, stock, admit, rules)
        self.whole, self.rules, self.engine = market, rules, engine
        self.watch: Watch | None = None
        self.judge_builds = Judge(self.market, rules)

    def search(self, staircase: Staircase, families: Sequence[OpenFamily] | None = None) -> None:
        """Builds for the staircase from all families (or those), rows with the least bound first.

        A family whose builds keep failing is given up, be it for a rule that the search does not know. Sound: search
        only brings the staircase down, and `prove` closes every family, searched or not."""
        if not self.clever:
            return
        started = time.perf_counter()
        among = self.families if families is None else families
        trials = self._trials(among, self.market.purse_at(staircase.limit))
        failures = {family.name: 0 for family in among}
        for done, trial in enumerate(trials):
            family, tenths = trial.family, trial.row.perf.tenths
            self.clock.tick("search", done, len(trials))
            self._shown(staircase)
            for bound in self.bounds_of(family, trial.row, staircase.ceiling(tenths)):
                # The ceiling is read anew for each bound: a build found for an earlier one may have lowered it.
                ceiling = staircase.ceiling(tenths)
                if failures[family.name] >= GIVE_UP or not bound.fits(ceiling):
                    continue
                self.clock.left()
                self.clock.spend(Work.BUILD_TRIED)
                found = assemble(self.market, self.cluster, self.judge_builds, bound, ceiling)
                if found is None:
                    failures[family.name] += 1
                    continue
                failures[family.name] = 0
                staircase.add(found)
        self.seconds["search"] += time.perf_counter() - started

    def _trials(self, among: Sequence[OpenFamily], most_cents: int) -> list[_Trial]:
        """Rows that `most_cents` may pay, in the order in which the search looks at them.

        Cheap rows first: each build found lowers the ceiling, so that dearer rows are excluded by their bound alone. Of
        rows of one price the faster goes first, then the order of their keys: the same on every machine."""
        trials = []
        for family in among:
            for row in self.runnable(family):
                least_cents = row.key.nodes * family.least
                if least_cents <= most_cents:
                    trials.append(_Trial(least_cents, family, row))
        trials.sort(key=lambda trial: (trial.least_cents, -trial.row.perf.tenths, trial.row.key))
        return trials

    def prove(self, open_family: OpenFamily, staircase: Staircase, out: Front) -> None:
        """Close one family: by bound, or by CP-SAT with whatever it still finds added to the staircase."""

        def ceiling(row: Row) -> int:
            # Sound: a higher ceiling only leaves more rows open. What lies close above the staircase is asked of
            # CP-SAT, so that no proof rests on the last percent of a bound (docs/proof.md, step 3).
            return staircase.ceiling(row.perf.tenths) * (100 + MARGIN_PERCENT) // 100

        open_bounds: list[Bound] = []
        for row in self._rows_of(open_family):
            top = ceiling(row)
            open_bounds += [bound for bound in self.bounds_of(open_family, row, top) if bound.fits(top)]
        # Sound: every build of the family has one of its rows and platforms, and the bound of each of these pairs lies
        # above what a build under the staircase may cost. Rows of more nodes than were judged cost more than the
        # front's limit by their nodes alone (`_new_counts`).
        if not open_bounds:
            out.closed_by_bound += 1
            return
        started, ticks = time.perf_counter(), 0.0
        try:
            for together in self._asked_together(open_bounds):
                ticks += self._close(open_family, together, staircase, ceiling)
        finally:
            self.seconds["proof"] += time.perf_counter() - started
        out.closed_by_cp_sat += 1
        out.ticks[open_family.gpu.id, open_family.per_node] = ticks
        self.seconds["cp_sat_deterministic"] += ticks

    def _rows_of(self, open_family: OpenFamily) -> list[Row]:
        """Rows that a build of the family may have: those that no rule refuses early, all where nothing is pruned."""
        return self.runnable(open_family) if self.clever else open_family.rows

    def _asked_together(self, open_bounds: Sequence[Bound]) -> list[list[Bound]]:
        """Bounds of a family in groups, each for a model of its own. Their rows are told apart by one choice, so that
        any split of them proves the same; models of one row each are proven many times faster where offers are chosen
        for the whole build (a limit on sellers: 5 s for what one model leaves open after 60)."""
        if not self.market.request.picks_offers:
            return [list(open_bounds)]
        by_row: dict[RowKey, list[Bound]] = {}
        for bound in open_bounds:
            by_row.setdefault(bound.row.key, []).append(bound)
        # Few nodes first: what is found there brings the ceiling down for the larger builds. Rows of equal node counts
        # keep their order, for sorting is stable.
        return [by_row[key] for key in sorted(by_row, key=lambda key: key.nodes)]

    def _close(
        self, open_family: OpenFamily, open_bounds: list[Bound], staircase: Staircase, ceiling: Callable[[Row], int]
    ) -> float:
        """Asks CP-SAT for builds of these rows until none is left under the staircase; its deterministic seconds."""
        rows = list({bound.row.key: bound.row for bound in open_bounds}.values())
        market, parts = self.market, self.candidates(open_family)
        if self.clever:
            # Sound: parts are left out by the ceiling with the margin on it, which is the higher of the two: none is
            # left out that a build under the staircase itself could afford.
            market, parts = narrowed(market, self.parts, open_bounds, lambda row: self.market.purse_at(ceiling(row)))
        self.clock.spend(Work.ROW_MODELLED, len(rows))
        family = self.engine(market, open_family.gpu, open_family.per_node, rows, parts, self.rules)
        answers: list[Found] = []
        # Ends, for every answer lowers the ceiling of its row by a unit of the axis at least; INFEASIBLE closes the
        # family.
        while found := family.under(lambda row: staircase.ceiling(row.perf.tenths), self.clock):
            staircase.add(found)
            answers.append(found)
            if family.cut:
                raise TimeUp
        # Which of several builds of equal cost CP-SAT finds depends on the number of workers: those that stayed on
        # the staircase are asked for once more, by one worker.
        for known in answers:
            if known in staircase.points:
                staircase.add(family.settled(known, self.clock))
        return family.ticks

    def cheapen(self, staircase: Staircase) -> None:
        """On another axis than money: each point becomes the cheapest build of its cost and throughput, proven."""
        if self.market.axis is MONEY:
            return
        for point in list(staircase.points):
            for open_family in self.families:
                rows = self._cheaper_rows(open_family, point)
                if not rows:
                    continue
                # Nothing is pruned here: near-duplicates and dominance are argued for money alone.
                parts = self.candidates(open_family)
                family = self.engine(self.market, open_family.gpu, open_family.per_node, rows, parts, self.rules)
                if found := family.cheaper(point, self.clock):
                    staircase.add(found)
                    # The next family has to go below the cheaper build, not below the first one.
                    point = found
                if family.cut:
                    raise TimeUp

    def _cheaper_rows(self, open_family: OpenFamily, point: Found) -> list[Row]:
        """Rows of a point's throughput whose bound lies within its cost on the axis and below its cents."""
        found: dict[RowKey, Row] = {}
        for row in self._rows_of(open_family):
            if row.perf.tenths != point.row.perf.tenths:
                continue
            bounds = self.bounds_of(open_family, row, point.cost)
            if any(bound.fits(point.cost) and bound.cents < point.parts_cents for bound in bounds):
                found[row.key] = row
        return list(found.values())

    def limit(self) -> int | None:
        """The most on the axis that the request allows; None for money without a budget."""
        if self.market.axis is not MONEY:
            return MAX_COST
        return None if self.market.request.budget_cents is None else self.market.purse

    @collector_paused()
    def cheapest(self, limit: int | None = None) -> Found | None:
        """The build of least cost, up to `limit` on the axis; proven."""
        if limit is None:
            limit = self.limit()
        for top in self._limits(limit) if self.families else ():
            self.judge(self.market.purse_at(top))
            staircase = Staircase(top, flat=True)
            self.search(staircase)
            for family in self.families:
                self.prove(family, staircase, Front())
            if staircase.points:
                return staircase.points[0]
        return None

    @collector_paused()
    def possible(self) -> bool:
        """Whether there is any build, proven: the first one found will do."""
        for top in self._limits(self.limit()) if self.families else ():
            self.judge(self.market.purse_at(top))
            staircase = Staircase(top, flat=True)
            self.search(staircase)
            for family in self.families:
                if staircase.points:
                    return True
                self.prove(family, staircase, Front())
            if staircase.points:
                return True
        return False

    def _limits(self, limit: int | None) -> Iterator[int]:
        """Rising limits under which the cheapest build is looked for."""
        if self.market.axis is not MONEY:
            yield MAX_COST if limit is None else limit
            return
        top = max(1, 4 * min(family.least for family in self.families))
        dearest_node = max(family.least for family in self.families)
        # Where the steps end without a budget: nodes by their bounds, and what is shared at several times as much.
        most = min(DEAREST, self.max_nodes() * dearest_node * 8) if limit is None else limit
        while top < most:
            # Sound: a limit under which nothing is found proves that nothing is there, and the next one is higher.
            # Low ones first, because the rows that a limit may pay grow with it.
            yield top
            top *= 4
        yield DEAREST if limit is None else limit  # what is shared, and minimum orders, may cost far more than nodes

    def settle(self, staircase: Staircase) -> list[Found]:
        """The points, each with the build that the tie rule prefers among those of equal cost and throughput."""
        started = time.perf_counter()
        tied = {point.row.perf.tenths: [point] for point in staircase.points}
        for family in self.families:
            for row in self.runnable(family):
                if row.perf.tenths in tied:
                    among = tied[row.perf.tenths]
                    among += self._as_dear(family, row, among[0].cost)
        self.seconds["search"] += time.perf_counter() - started
        # Cents come first: on another axis than money builds of one cost may differ in price.
        return [min(among, key=lambda found: (found.parts_cents, rank(self.market, found))) for among in tied.values()]

    def _as_dear(self, family: OpenFamily, row: Row, cost: int) -> Iterator[Found]:
        """Builds of a row that the search finds at exactly this cost, one of each platform at most."""
        for bound in self.bounds_of(family, row, cost):
            if bound.fits(cost):
                found = assemble(self.market, self.cluster, self.judge_builds, bound, cost)
                if found and found.cost == cost:
                    yield found

    @collector_paused()
    def front(self) -> Front:
        """The whole front, proven unless the time limit came first."""
        out = Front(families=len(self.families), seconds=self.seconds)
        staircase: Staircase | None = None
        closed = 0
        try:
            limit = self._front_limit()
            if limit is None:
                return out
            staircase = Staircase(limit)
            self._propose(staircase)
            for family in self.families:
                self.clock.tick("proof", closed, len(self.families))
                self._shown(staircase)
                self.prove(family, staircase, out)
                closed += 1
            self.cheapen(staircase)
        except TimeUp:
            out.complete = False
            out.open, out.least_missing_cents = self.missing(staircase, self.families[closed:])
        if staircase:
            # A stopped search keeps its points as found: the tie rule reads all families, and some were not looked
            # at.
            settled = self.settle(staircase) if self.clever and out.complete else staircase.points
            out.points = [self.point(found) for found in settled]
            if out.complete:
                self._write_record(out)
        return out

    def _shown(self, staircase: Staircase) -> None:
        """Offers the front so far to whoever watches."""
        if self.watch is None or not staircase.points:
            return

        def so_far() -> Front:
            out = Front(families=len(self.families), seconds=self.seconds, complete=False)
            out.open, out.least_missing_cents = self.missing(staircase, self.families)
            out.points = [self.point(found) for found in staircase.points]
            return out

        self.watch(so_far)

    def _front_limit(self) -> int | None:
        """How far up the front goes on its axis; None where nothing is there at any cost."""
        limit = self.limit()
        if limit is not None and self.market.request.budget_cents is not None:
            return limit
        first = self.cheapest()
        # A first build at no cost (all in hand) would leave the front no room.
        return None if first is None else SPAN * max(1, first.cost)

    def _propose(self, staircase: Staircase) -> None:
        """Judges rows and searches for builds, before anything is proven."""
        purse = self.market.purse_at(staircase.limit)
        if self.clock.deadline is not None:
            # With a time limit large nodes come first, family by family: a first answer is there even when time ends
            # soon.
            for family in sorted(self.families, key=lambda family: (-family.per_node, family.least)):
                self.judge(purse, [family])
                self.search(staircase, [family])
        self.judge(purse)
        self.search(staircase)

    def _write_record(self, out: Front) -> None:
        """The final staircase of a complete front, and what closed each family under it."""
        known = [(point.found.row.perf.tenths, point.found.parts_cents) for point in out.points]
        out.stairs = staircase_steps(known, self.market.request, self.market.policy)
        floors = {
            family.name: [(row.perf.tenths, partial(self.floor, family, row)) for row in self.runnable(family)]
            for family in self.families
        }
        dropped = [family.name for family in self.dropped]
        out.record = record(floors, out.ticks, dropped, out.stairs, self.refused_early())
        out.refused_parts = self.refused_parts()

    def point(self, found: Found) -> Point:
        """A found build with every rule's finding; raises Disagreement when one fails."""
        case = self.whole.case(found.build, found.row.plan, found.row.key)
        checks = findings(case)
        # The proof rests on `encode`, this on `check`: a build that a rule fails here is an error of ours, never
        # dropped in silence (docs/proof.md, step 5).
        if self.rules is RULES and any(check.status == "fail" for check in checks):
            failed = "; ".join(f"{check.rule}: {check.text}" for check in checks if check.status == "fail")
            raise Disagreement(f"{failed} in {found.build}")
        return Point(found, case, checks)
