"""The front: a search proposes builds, bounds close what lies above, CP-SAT proves that nothing lies under them."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from catalogs.schema import Gpu
from constraints.axis import MAX_COST, MONEY
from constraints.interconnect import plan_fault
from constraints.model import Candidates
from constraints.plan import Row
from constraints.rule import Rule
from constraints.rules import RULES, findings
from optimizer.bound import Bound, Bounds, narrowed
from optimizer.certify import Family
from optimizer.clock import Clock, TimeUp
from optimizer.cluster import Cluster
from optimizer.front import Found, Front, Point
from optimizer.host_rows import HostRows
from optimizer.market import Market
from optimizer.outfit import Outfit
from optimizer.proofdata import SPAN, staircase
from optimizer.prune import buyable
from optimizer.record import record
from optimizer.rows import RowMemory, families, rows_of
from optimizer.search import assemble
from optimizer.shelf import NONE, Parts, Shelf, Stock
from optimizer.throughput.choice import planner_for
from optimizer.ties import rank
from optimizer.twins import thinned

MARGIN_PERCENT = 10
"""The bound alone closes only what lies this much above the staircase; all that is nearer is proven by CP-SAT."""


DEAREST = 2**49
"""Cents that no build costs; half of the model's largest sum."""


class Disagreement(AssertionError):
    """CP-SAT returned a build that plain `check` rejects: an internal error, never dropped silently."""


class Staircase:
    """Known points by throughput; `ceiling(tenths)` is the most that a still missing build may cost.

    A flat one keeps only the cheapest point, whatever its speed."""

    def __init__(self, limit: int, flat: bool = False) -> None:
        self.limit, self.flat = limit, flat
        self.tenths: list[int] = []
        self.costs: list[int] = []
        self.points: list[Found] = []

    def ceiling(self, tenths: int) -> int:
        i = 0 if self.flat else bisect_left(self.tenths, tenths)
        return min(self.limit, self.costs[i] - 1 if i < len(self.costs) else self.limit)

    def add(self, found: Found) -> None:
        t = found.row.perf.tenths
        if self.flat:
            self.points = []
        keep = [p for p in self.points if p.row.perf.tenths > t or p.cost < found.cost]
        self.points = sorted([*keep, found], key=lambda p: p.row.perf.tenths)
        self.tenths = [p.row.perf.tenths for p in self.points]
        self.costs = [p.cost for p in self.points]


@dataclass
class Unit:
    """A family with the outfits of its platforms. `least` bounds the price of one node, `judged` is the largest
    node count whose `rows` are there; `..._host` for rows with experts in host memory."""

    gpu: Gpu
    per_node: int
    outfits: list[Outfit]
    least: int
    rows: list[Row] = field(default_factory=list)
    judged: int = 0
    least_host: int = NONE
    judged_host: int = 0


class Solver:
    """One request solved while `clock` lasts. Without `clever` nothing is pruned or searched; with `judged` the rows of
    markets at other prices are not judged again."""

    def __init__(
        self, market: Market, rules: Sequence[Rule] = RULES, clock: Clock | None = None, clever: bool = True,
        engine: type[Family] = Family, judged: RowMemory | None = None,
    ) -> None:  # fmt: skip
        self.rows_of = judged or rows_of
        self.whole, self.rules, self.clock, self.clever, self.engine = market, rules, clock or Clock(), clever, engine
        self.market = market = thinned(market) if clever else market
        self.planner = planner_for(market.llm, market.request, market.policy, market.calibration)
        self.on_host = HostRows(market) if market.request.offload else None
        self.seconds = {"plans": 0.0, "search": 0.0, "proof": 0.0}
        started = time.perf_counter()
        self.parts = buyable(market, prune=clever)
        by: Parts = {}
        for p in self.parts:
            by.setdefault(type(p), []).append(p)
        self.cluster = Cluster(market, by)
        self.bounds = Bounds(market, self.cluster)
        self.units: list[Unit] = []
        self.dropped: list[tuple[str, int]] = []
        shelves: dict[str, Shelf] = {}
        stock: Stock = {}
        for gpu, k, holders in families(market):
            on_host = self.on_host if self.on_host and self.on_host.able(gpu, k) else None
            if self.planner.precisions(gpu) or on_host:
                shelves |= {p.id: Shelf(market, by, p, stock) for p in holders if p.id not in shelves}
                outfits = [Outfit(shelves[p.id], by, gpu, k) for p in holders]
                least = min((o.least_cents for o in outfits), default=NONE)
                if least < NONE or not clever:
                    u = Unit(gpu, k, outfits, least)
                    if on_host:
                        u.least_host = min((o.least_host_cents(on_host.least_gb(gpu)) for o in outfits), default=NONE)
                    self.units.append(u)
                    continue
            self.dropped.append((gpu.id, k))
        self.units.sort(key=lambda u: (u.least, u.gpu.id, u.per_node))
        self.seconds["plans"] += time.perf_counter() - started

    def max_nodes(self) -> int:
        return min(self.market.request.max_nodes, self.market.policy.whole("plans.max_nodes"))

    def judge(self, limit: int, units: Sequence[Unit] | None = None) -> None:
        """Rows of all units (or those) for every node count that `limit` may pay."""
        started = time.perf_counter()
        wanted = self.market.request.throughput_tenths or 1
        for i, u in enumerate(self.units if units is None else units):
            self.clock.tick("plans", i, len(self.units))
            holders = [o.platform for o in u.outfits]
            rows: list[Row] = []
            if new := self._new_counts(u.judged, u.least, limit):
                u.judged = max(u.judged, new[-1])
                rows = self.rows_of(self.market, self.planner, u.gpu, u.per_node, holders, self._allowed(u, new))
            if self.on_host and (new := self._new_counts(u.judged_host, u.least_host, limit)):
                u.judged_host = max(u.judged_host, new[-1])
                rows += self.on_host.rows(u.gpu, u.per_node, holders, self._allowed(u, new))
            u.rows += [r for r in rows if r.perf.tenths >= wanted]
        self.seconds["plans"] += time.perf_counter() - started

    def _new_counts(self, judged: int, least: int, limit: int) -> range:
        """Node counts not yet judged that `limit` may pay."""
        most = min(self.max_nodes(), limit // max(1, least)) if self.clever else self.max_nodes()
        return range(judged + 1, most + 1)

    def _allowed(self, u: Unit, counts: range) -> list[int]:
        """Those that make the number of GPUs asked for."""
        wanted = self.market.request.gpu_count
        return [n for n in counts if wanted is None or u.per_node * n == wanted]

    def runnable(self, u: Unit) -> list[Row]:
        """Rows whose plan runs on their own network; no rule lets another one be built."""
        return [r for r in u.rows if not plan_fault(r.plan, r.key, self.market.policy)]

    def bounds_of(self, u: Unit, row: Row, top: int) -> Iterator[Bound]:
        """Bounds of a row on the unit's platforms that a cost of `top` may pay, cheapest nodes first."""
        if not self.clever:
            return (self.bounds.nothing(o, row) for o in u.outfits)
        cents = self.market.purse_at(top)
        if row.key.nodes * u.least > cents:
            return iter(())
        return self.bounds.of(row, self.bounds.pool(u.outfits, row), cents)

    def floor(self, u: Unit, row: Row, below: int) -> int:
        """Cents that no build of the row goes below, as exact as it takes to compare it with `below`."""
        if not self.clever:
            return 0
        if row.key.nodes * u.least >= below:
            return row.key.nodes * u.least
        pool, n = self.bounds.pool(u.outfits, row), row.key.nodes
        beyond = (n * node.cents for _, node in pool if n * node.cents >= below)
        return min([*(b.cents for b in self.bounds.of(row, pool, below - 1)), next(beyond, NONE)])

    def search(self, stairs: Staircase, units: Sequence[Unit] | None = None) -> None:
        """Builds for the staircase from all units (or those), rows with the least bound first."""
        if not self.clever:
            return
        started = time.perf_counter()
        most, among = self.market.purse_at(stairs.limit), self.units if units is None else units
        order = [
            (r.key.nodes * u.least, -r.perf.tenths, r.key, r, u)
            for u in among for r in self.runnable(u) if r.key.nodes * u.least <= most
        ]  # fmt: skip
        for i, (_, _, _, row, u) in enumerate(sorted(order, key=lambda x: x[:3])):
            tenths = row.perf.tenths
            self.clock.tick("search", i, len(order))
            for b in self.bounds_of(u, row, stairs.ceiling(tenths)):
                top = stairs.ceiling(tenths)
                if not b.fits(top):
                    continue
                self.clock.left()
                found = assemble(self.market, self.cluster, b, top)
                if found:
                    stairs.add(found)
        self.seconds["search"] += time.perf_counter() - started

    def prove(self, u: Unit, stairs: Staircase, out: Front) -> None:
        """Close one unit: by bound, or by CP-SAT with whatever it still finds added to the staircase."""

        def ceiling(row: Row) -> int:
            return stairs.ceiling(row.perf.tenths) * (100 + MARGIN_PERCENT) // 100

        tops = [(r, ceiling(r)) for r in (self.runnable(u) if self.clever else u.rows)]
        open_ = [b for r, top in tops for b in self.bounds_of(u, r, top) if b.fits(top)]
        if not open_:
            out.closed_by_bound += 1
            return
        started = time.perf_counter()
        rows = list({b.row.key: b.row for b in open_}.values())
        parts = (
            narrowed(self.market, self.parts, open_, lambda r: self.market.purse_at(ceiling(r)))
            if self.clever
            else self.candidates(u)
        )
        family = self.engine(self.market, u.gpu, u.per_node, rows, parts, self.rules)
        try:
            while found := family.under(lambda r: stairs.ceiling(r.perf.tenths), self.clock.left()):
                stairs.add(found)
                if family.cut:
                    raise TimeUp
        finally:
            self.seconds["proof"] += time.perf_counter() - started
        out.closed_by_cp_sat += 1
        out.ticks[u.gpu.id, u.per_node] = family.ticks

    def candidates(self, u: Unit) -> Candidates:
        """Every part that may stand in a node of the unit."""
        return Candidates([*(o.platform for o in u.outfits), *self.parts])

    def limit(self) -> int | None:
        """The most on the axis that the request allows; None for money without a budget."""
        if self.market.axis is not MONEY:
            return MAX_COST
        return None if self.market.request.budget_cents is None else self.market.purse

    def cheapest(self, limit: int | None = None) -> Found | None:
        """The build of least cost, up to `limit` on the axis; proven."""
        if limit is None:
            limit = self.limit()
        for top in self._limits(limit) if self.units else ():
            self.judge(self.market.purse_at(top))
            stairs = Staircase(top, flat=True)
            self.search(stairs)
            for u in self.units:
                self.prove(u, stairs, Front())
            if stairs.points:
                return stairs.points[0]
        return None

    def _limits(self, limit: int | None) -> Iterator[int]:
        """Rising limits under which the cheapest build is looked for."""
        if limit is not None:
            yield limit
            return
        top = max(1, 4 * min(u.least for u in self.units))
        most = self.max_nodes() * max(u.least for u in self.units) * 8
        yield top
        while top < most:
            top *= 4
            yield top
        if self.market.book.by_quantity:  # minimum orders may cost far more than the bounds say
            yield DEAREST

    def settle(self, stairs: Staircase) -> list[Found]:
        """The points, each with the build that the tie rule prefers among those of equal cost and throughput."""
        started = time.perf_counter()
        chosen = {p.row.perf.tenths: [p] for p in stairs.points}
        for u, row in [(x, r) for x in self.units for r in self.runnable(x) if r.perf.tenths in chosen]:
            cost = chosen[row.perf.tenths][0].cost
            for b in self.bounds_of(u, row, cost):
                if b.fits(cost):
                    found = assemble(self.market, self.cluster, b, cost)
                    if found and found.cost == cost:
                        chosen[row.perf.tenths].append(found)
        self.seconds["search"] += time.perf_counter() - started
        return [min(found, key=lambda f: (f.parts_cents, rank(self.market, f))) for found in chosen.values()]

    def front(self) -> Front:
        """The whole front, proven unless the time limit came first."""
        out = Front(families=len(self.units), seconds=self.seconds)
        stairs: Staircase | None = None
        closed = 0
        try:
            limit = self.limit()
            if limit is None or self.market.request.budget_cents is None:
                first = self.cheapest()
                if first is None:
                    return out
                limit = SPAN * max(1, first.cost)
            stairs = Staircase(limit)
            purse, hurried = self.market.purse_at(limit), sorted(self.units, key=lambda u: (-u.per_node, u.least))
            for u in hurried if self.clock.deadline is not None else ():
                self.judge(purse, [u])
                self.search(stairs, [u])
            self.judge(purse)
            self.search(stairs)
            for u in self.units:
                self.clock.tick("proof", closed, len(self.units))
                self.prove(u, stairs, out)
                closed += 1
        except TimeUp:
            out.complete = False
            out.open, out.least_missing_cents = self.missing(stairs, self.units[closed:])
        if stairs:
            settled = self.settle(stairs) if self.clever and out.complete else stairs.points
            out.points = [self.point(f) for f in settled]
            if out.complete:
                known = [(p.found.row.perf.tenths, p.found.parts_cents) for p in out.points]
                out.stairs = staircase(known, self.market.request, self.market.policy)
                floors = {
                    (u.gpu.id, u.per_node): [(r.perf.tenths, partial(self.floor, u, r)) for r in self.runnable(u)]
                    for u in self.units
                }
                out.record = record(floors, out.ticks, self.dropped, out.stairs)
        return out

    def missing(self, stairs: Staircase | None, units: Sequence[Unit]) -> tuple[int, int]:
        """(families that may hold a missing build, cents that such a build costs at least), by the nodes' prices."""
        most = NONE if stairs is None else self.market.purse_at(stairs.limit)
        least = {}
        for i, u in enumerate(units):
            counts = range(u.judged + 1, self.max_nodes() + 1)
            low = [counts[0] * u.least] if counts else []
            if u.judged_host < self.max_nodes() and u.least_host < NONE:
                low.append((u.judged_host + 1) * u.least_host)
            low = [x for x in low if x <= most]
            for r in u.rows:
                top = NONE if stairs is None else self.market.purse_at(stairs.ceiling(r.perf.tenths))
                if (x := r.key.nodes * u.least) <= top:
                    low.append(x)
            if low:
                least[i] = min(low)
        return len(least), min(least.values(), default=0)

    def point(self, found: Found) -> Point:
        """A found build with every rule's finding; raises Disagreement when one fails."""
        case = self.whole.case(found.build, found.row.plan, found.row.key)
        checks = findings(case)
        if self.rules is RULES and any(x.status == "fail" for x in checks):
            failed = "; ".join(f"{x.rule}: {x.text}" for x in checks if x.status == "fail")
            raise Disagreement(f"{failed} in {found.build}")
        return Point(found, case, checks)
