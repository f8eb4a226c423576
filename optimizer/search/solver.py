"""The front: a search proposes builds, bounds close what lies above, CP-SAT proves that nothing lies under them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
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


class Disagreement(AssertionError):
    """CP-SAT returned a build that plain `check` rejects: an internal error, never dropped silently."""


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
        self.judge_builds = Judge(self.market, rules)

    def search(self, staircase: Staircase, families: Sequence[OpenFamily] | None = None) -> None:
        """Builds for the staircase from all families (or those), rows with the least bound first.

        A family whose builds keep failing is given up, be it for a rule that the search does not know. Sound: search
        only brings the staircase down, and `prove` closes every family, searched or not."""
        if not self.clever:
            return
        started = time.perf_counter()
        most, among = self.market.purse_at(staircase.limit), self.families if families is None else families
        order = [
            (r.key.nodes * u.least, -r.perf.tenths, r.key, r, u)
            for u in among for r in self.runnable(u) if r.key.nodes * u.least <= most
        ]  # fmt: skip
        failed = dict.fromkeys((id(u) for u in among), 0)
        # Cheap rows first: each build found lowers the ceiling, so that dearer rows are excluded by their bound
        # alone.
        for i, (_, _, _, row, u) in enumerate(sorted(order, key=lambda x: x[:3])):
            tenths = row.perf.tenths
            self.clock.tick("search", i, len(order))
            for b in self.bounds_of(u, row, staircase.ceiling(tenths)):
                top = staircase.ceiling(tenths)
                # The ceiling is read anew for each bound: a build found for an earlier one may have lowered it.
                if failed[id(u)] >= GIVE_UP or not b.fits(top):
                    continue
                self.clock.left()
                self.clock.spend(Work.BUILD_TRIED)
                found = assemble(self.market, self.cluster, self.judge_builds, b, top)
                failed[id(u)] = 0 if found else failed[id(u)] + 1
                if found:
                    staircase.add(found)
        self.seconds["search"] += time.perf_counter() - started

    def prove(self, open_family: OpenFamily, staircase: Staircase, out: Front) -> None:
        """Close one family: by bound, or by CP-SAT with whatever it still finds added to the staircase."""

        def ceiling(row: Row) -> int:
            # Sound: a higher ceiling only leaves more rows open. What lies close above the staircase is asked of
            # CP-SAT, so that no proof rests on the last percent of a bound (docs/proof.md, step 3).
            return staircase.ceiling(row.perf.tenths) * (100 + MARGIN_PERCENT) // 100

        tops = [(r, ceiling(r)) for r in (self.runnable(open_family) if self.clever else open_family.rows)]
        open_ = [b for r, top in tops for b in self.bounds_of(open_family, r, top) if b.fits(top)]
        if not open_:
            out.closed_by_bound += 1
            return
        started, ticks = time.perf_counter(), 0.0
        try:
            for among in self._asked_together(open_):
                ticks += self._close(open_family, among, staircase, ceiling)
        finally:
            self.seconds["proof"] += time.perf_counter() - started
        out.closed_by_cp_sat += 1
        out.ticks[open_family.gpu.id, open_family.per_node] = ticks
        self.seconds["cp_sat_deterministic"] += ticks

    def _asked_together(self, open_: Sequence[Bound]) -> list[list[Bound]]:
        """Bounds of a family in groups, each for a model of its own. Their rows are told apart by one choice, so that
        any split of them proves the same; models of one row each are proven many times faster where offers are chosen
        for the whole build (a limit on sellers: 5 s for what one model leaves open after 60)."""
        if not self.market.request.picks_offers:
            return [list(open_)]
        by_row: dict[RowKey, list[Bound]] = {}
        for bound in open_:
            by_row.setdefault(bound.row.key, []).append(bound)
        return [by_row[key] for key in sorted(by_row, key=lambda key: key.nodes)]

    def _close(
        self, open_family: OpenFamily, open_: list[Bound], staircase: Staircase, ceiling: Callable[[Row], int]
    ) -> float:
        """Asks CP-SAT for builds of these rows until none is left under the staircase; its deterministic seconds."""
        rows = list({b.row.key: b.row for b in open_}.values())
        market, parts = self.market, self.candidates(open_family)
        if self.clever:
            market, parts = narrowed(market, self.parts, open_, lambda r: self.market.purse_at(ceiling(r)))
        self.clock.spend(Work.ROW_MODELLED, len(rows))
        family, asked = (
            self.engine(market, open_family.gpu, open_family.per_node, rows, parts, self.rules),
            list[Found](),
        )
        # Ends, for every answer lowers the ceiling of its row by a unit of the axis at least; INFEASIBLE closes the
        # family.
        while found := family.under(lambda r: staircase.ceiling(r.perf.tenths), self.clock):
            staircase.add(found)
            asked.append(found)
            if family.cut:
                raise TimeUp
        # Which of several builds of equal cost CP-SAT finds depends on the number of workers: those that stayed on
        # the staircase are asked for once more, by one worker.
        for known in asked:
            if known in staircase.points:
                staircase.add(family.settled(known, self.clock))
        return family.ticks

    def cheapen(self, staircase: Staircase) -> None:
        """On another axis than money: each point becomes the cheapest build of its cost and throughput, proven."""
        for point in list(staircase.points) if self.market.axis is not MONEY else ():
            for u in self.families:
                rows = [
                    r for r in (self.runnable(u) if self.clever else u.rows) if r.perf.tenths == point.row.perf.tenths
                ]
                near = [b for row in rows for b in self.bounds_of(u, row, point.cost) if b.fits(point.cost)]
                open_ = {b.row.key: b.row for b in near if b.cents < point.parts_cents}
                if open_:
                    family = self.engine(
                        self.market, u.gpu, u.per_node, list(open_.values()), self.candidates(u), self.rules
                    )
                    if found := family.cheaper(point, self.clock):
                        staircase.add(found)
                        point = found
                    if family.cut:
                        raise TimeUp

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

    def _limits(self, limit: int | None) -> Iterator[int]:
        """Rising limits under which the cheapest build is looked for."""
        if self.market.axis is not MONEY:
            yield MAX_COST if limit is None else limit
            return
        top = max(1, 4 * min(family.least for family in self.families))
        dearest_node = max(family.least for family in self.families)
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
        chosen = {point.row.perf.tenths: [point] for point in staircase.points}
        for u, row in [
            (family, r) for family in self.families for r in self.runnable(family) if r.perf.tenths in chosen
        ]:
            cost = chosen[row.perf.tenths][0].cost
            for b in self.bounds_of(u, row, cost):
                if b.fits(cost):
                    found = assemble(self.market, self.cluster, self.judge_builds, b, cost)
                    if found and found.cost == cost:
                        chosen[row.perf.tenths].append(found)
        self.seconds["search"] += time.perf_counter() - started
        return [min(found, key=lambda f: (f.parts_cents, rank(self.market, f))) for found in chosen.values()]

    @collector_paused()
    def front(self) -> Front:
        """The whole front, proven unless the time limit came first."""
        out = Front(families=len(self.families), seconds=self.seconds)
        staircase: Staircase | None = None
        closed = 0
        try:
            limit = self.limit()
            if limit is None or self.market.request.budget_cents is None:
                first = self.cheapest()
                if first is None:
                    return out
                # A first build at no cost (all in hand) would leave the front no room.
                limit = SPAN * max(1, first.cost)
            staircase = Staircase(limit)
            purse, hurried = self.market.purse_at(limit), sorted(self.families, key=lambda u: (-u.per_node, u.least))
            # With a time limit large nodes come first, family by family: a first answer is there even when time ends
            # soon.
            for u in hurried if self.clock.deadline is not None else ():
                self.judge(purse, [u])
                self.search(staircase, [u])
            self.judge(purse)
            self.search(staircase)
            for u in self.families:
                self.clock.tick("proof", closed, len(self.families))
                self.prove(u, staircase, out)
                closed += 1
            self.cheapen(staircase)
        except TimeUp:
            out.complete = False
            out.open, out.least_missing_cents = self.missing(staircase, self.families[closed:])
        if staircase:
            # A stopped search keeps its points as found: the tie rule reads all families, and some were not looked
            # at.
            settled = self.settle(staircase) if self.clever and out.complete else staircase.points
            out.points = [self.point(f) for f in settled]
            if out.complete:
                known = [(point.found.row.perf.tenths, point.found.parts_cents) for point in out.points]
                out.stairs = staircase_steps(known, self.market.request, self.market.policy)
                floors = {
                    family.name: [(r.perf.tenths, partial(self.floor, family, r)) for r in self.runnable(family)]
                    for family in self.families
                }
                dropped = [family.name for family in self.dropped]
                out.record = record(floors, out.ticks, dropped, out.stairs, self.refused_early())
                out.refused_parts = self.refused_parts()
        return out

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
