"""The front: families in order of their bound, each asked for builds under the staircase until none is left."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from catalogs.schema import Gpu, Platform
from constraints.budget import most_parts_cents
from constraints.case import Case
from constraints.model import Candidates
from constraints.plan import Row
from constraints.rule import Check, Rule
from constraints.rules import RULES
from optimizer.bound import NONE, node_bound
from optimizer.certify import Family, Found, TimeUp
from optimizer.market import Market
from optimizer.prune import candidates
from optimizer.rows import families, rows_of
from optimizer.throughput.plans import Planner

SPAN = 3
"""Without a budget the front goes to three times the cheapest cost (SEMANTICS)."""


class Disagreement(AssertionError):
    """CP-SAT returned a build that plain `check` rejects: an internal error, never dropped silently."""


@dataclass
class Point:
    """A point of the front."""

    found: Found
    case: Case
    checks: list[Check]


@dataclass
class Front:
    """Points ascending in cost and throughput, with the proof's record."""

    points: list[Point] = field(default_factory=list)
    complete: bool = True
    closed_by_bound: int = 0
    closed_by_cp_sat: int = 0
    families: int = 0
    seconds: dict[str, float] = field(default_factory=dict)


class Staircase:
    """Known points by throughput; `ceiling(row)` is the most that a still missing build of the row may cost."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.tenths: list[int] = []
        self.cents: list[int] = []
        self.points: list[Found] = []

    def ceiling(self, tenths: int) -> int:
        i = bisect_left(self.tenths, tenths)
        return min(self.limit, self.cents[i] - 1 if i < len(self.cents) else self.limit)

    def add(self, found: Found) -> None:
        t = found.row.perf.tenths
        keep = [p for p in self.points if p.row.perf.tenths > t or p.parts_cents < found.parts_cents]
        self.points = sorted([*keep, found], key=lambda p: p.row.perf.tenths)
        self.tenths = [p.row.perf.tenths for p in self.points]
        self.cents = [p.parts_cents for p in self.points]


@dataclass
class Unit:
    """A family with its candidates and the bound of one node."""

    gpu: Gpu
    per_node: int
    holders: list[Platform]
    parts: Candidates
    bound: int
    rows: dict[int, list[Row]] = field(default_factory=dict)


class Solver:
    """One request solved; `deadline` is a time.monotonic() value."""

    def __init__(
        self, market: Market, rules: Sequence[Rule] = RULES, deadline: float | None = None, prune: bool = True
    ) -> None:
        self.market, self.rules, self.deadline = market, rules, deadline
        self.planner = Planner(market.llm, market.request, market.policy)
        started = time.perf_counter()
        self.units: list[Unit] = []
        for gpu, k, holders in families(market):
            if not self.planner.precisions(gpu):
                continue
            parts = candidates(market, holders, prune=prune)
            bound = node_bound(market, parts, gpu, k)
            if bound < NONE:
                self.units.append(Unit(gpu, k, holders, parts, bound))
        self.units.sort(key=lambda u: (u.bound, u.gpu.id, u.per_node))
        self.seconds = {"plans": 0.0, "search": time.perf_counter() - started, "proof": 0.0}

    def left(self) -> float:
        """Seconds left; raises TimeUp when none are."""
        if self.deadline is None:
            return 1e6
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeUp
        return left

    def rows(self, u: Unit, nodes: int) -> list[Row]:
        """Rows of a unit for a node count, judged once."""
        if nodes not in u.rows:
            started = time.perf_counter()
            wanted, count = self.market.request.throughput_tenths or 0, self.market.request.gpu_count
            fits = count is None or u.per_node * nodes == count
            found = rows_of(self.market, self.planner, u.gpu, u.per_node, u.holders, nodes) if fits else []
            u.rows[nodes] = [r for r in found if r.perf.tenths >= max(wanted, 1)]
            self.seconds["plans"] += time.perf_counter() - started
        return u.rows[nodes]

    def max_nodes(self) -> int:
        return min(self.market.request.max_nodes, self.market.policy.whole("plans.max_nodes"))

    def cheapest(self, limit: int = NONE) -> Found | None:
        """The cheapest build of all, best bound first."""
        best: Found | None = None
        order = sorted((u.bound * n, i, n) for i, u in enumerate(self.units) for n in range(1, self.max_nodes() + 1))
        for bound, i, n in order:
            top = limit if best is None else best.parts_cents - 1
            if bound > top:
                break
            rows = self.rows(self.units[i], n)
            if rows:
                found = self._ask(self.units[i], rows, lambda r, t=top: t)  # type: ignore[misc]
                best = found or best
        return best

    def _ask(self, u: Unit, rows: list[Row], ceiling: Callable[[Row], int]) -> Found | None:
        started = time.perf_counter()
        try:
            return Family(self.market, u.gpu, u.per_node, rows, u.parts, self.rules).under(ceiling, self.left())
        finally:
            self.seconds["proof"] += time.perf_counter() - started

    def front(self) -> Front:
        """The whole front, proven unless the time limit came first."""
        request = self.market.request
        out = Front(families=len(self.units), seconds=self.seconds)
        try:
            if request.budget_cents is not None:
                limit = most_parts_cents(request.budget_cents, self.market.policy)
            else:
                first = self.cheapest()
                if first is None:
                    return out
                limit = SPAN * first.parts_cents
        except TimeUp:
            out.complete = False
            return out
        stairs = Staircase(limit)
        try:
            for u in self.units:
                rows = [r for n in range(1, self.max_nodes() + 1) if u.bound * n <= limit for r in self.rows(u, n)]
                self._close(u, rows, stairs, out)
        except TimeUp:
            out.complete = False
        out.points = [self._point(f) for f in stairs.points]
        return out

    def _close(self, u: Unit, rows: list[Row], stairs: Staircase, out: Front) -> None:
        def open_rows() -> list[Row]:
            return [r for r in rows if u.bound * r.key.nodes <= stairs.ceiling(r.perf.tenths)]

        alive = open_rows()
        if not alive:
            out.closed_by_bound += 1
            return
        started = time.perf_counter()
        family = Family(self.market, u.gpu, u.per_node, alive, u.parts, self.rules)
        try:
            while True:
                found = family.under(lambda r: stairs.ceiling(r.perf.tenths), self.left())
                if found is None:
                    break
                stairs.add(found)
        finally:
            self.seconds["proof"] += time.perf_counter() - started
        out.closed_by_cp_sat += 1

    def _point(self, found: Found) -> Point:
        case = self.case(found)
        checks = [x for rule in RULES for x in rule.check(case)]
        if self.rules is RULES and any(x.status == "fail" for x in checks):
            raise Disagreement(
                "; ".join(f"{x.rule}: {x.text}" for x in checks if x.status == "fail") + f" in {found.build}"
            )
        return Point(found, case, checks)

    def case(self, found: Found) -> Case:
        """The found build as `check` sees it."""
        m = self.market
        return Case(found.build, m.catalog, m.request, m.policy, m.llm, m.book, found.row.plan, found.row.key)
