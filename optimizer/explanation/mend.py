"""The nearest mended build: of all builds that pass, the one with the fewest parts changed, then the least money added.

Proven over every family of the catalog. A bound on the changes closes a platform that can't be as near as the best
build known; what it leaves open goes to CP-SAT with every rule, the build's own parts among the candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from catalogs.schema import Gpu, Kind, Memory, Part, Platform, Psu
from constraints.budget import totals
from constraints.case import Build
from constraints.contents import dimm_counts
from constraints.fit import memory_fits
from constraints.interconnect import plan_fault
from constraints.model import Candidates
from constraints.plan import Row
from constraints.rules import findings
from constraints.tariff import NEVER
from optimizer.api import best_row, check
from optimizer.clock import Clock, TimeUp
from optimizer.explanation.mend_bound import ChangeBound, difference, partial
from optimizer.explanation.mend_family import MendFamily
from optimizer.front import Found
from optimizer.host_rows import HostRows
from optimizer.market import Market
from optimizer.pareto import Disagreement, Solver
from optimizer.planfacts import throughput
from optimizer.point_schema import CheckFacts, PartQty, Throughput
from optimizer.proofdata import money
from optimizer.prune import buyable
from optimizer.rows import GpuRows, families
from optimizer.shelf import NONE
from optimizer.strict import Money, Strict
from optimizer.twins import thinned


class Change(Strict):
    """A part of which the mended build holds another number: in each node, or shared by all.

    `price` is what the change adds to the sum of lines of the whole build (negative: what it saves), by this part's
    own price; null where the part has none."""

    part: str
    name: str
    where: Literal["node", "shared"]
    from_qty: int
    to_qty: int
    price: Money | None


class MendProof(Strict):
    """How the families (GPU, GPUs per node) were closed; `optimal`: nothing nearer exists, nor as near for less."""

    status: Literal["optimal", "feasible"]
    families: int
    closed_by_bound: int
    closed_by_cp_sat: int


class Mended(Strict):
    """A build mended. Totals are with support and tax; `total_before` is null where a part has no price."""

    currency: str
    broken: list[CheckFacts] = Field(description="what fails before")
    nodes_before: int
    nodes: int
    changed: int = Field(description="part ids that differ, and one for another number of nodes")
    changes: list[Change]
    total_before: Money | None
    total: Money
    added: Money | None
    node: list[PartQty] = Field(description="of one node, after")
    shared: list[PartQty]
    checks: list[CheckFacts] = Field(description="of the mended build: none fails")
    throughput: Throughput
    precision: str
    proof: MendProof


@dataclass
class _Near:
    """A platform of a family with the changes that it takes at least."""

    least: int
    gpu: Gpu
    per_node: int
    platform: Platform


class Mender:
    """The search for the nearest build. `best` is (changes, cents, build) of the nearest one known."""

    def __init__(
        self, market: Market, build: Build, clock: Clock | None = None, judged: GpuRows | None = None
    ) -> None:  # fmt: skip
        self.market, self.build, self.clock = market.asking(cost_axis="money"), build, clock or Clock()
        r = self.market.request
        own = tuple(x for x in (*build.node, *build.shared) if x not in r.include)
        kept = replace(self.market, request=r.model_copy(update={"include": (*r.include, *own)}))
        thin = thinned(kept)  # neither twins nor dominated parts, but all of the build's own
        self.parts = buyable(thin)
        self.tight = replace(thin, request=r.model_copy(update={"cost_axis": "power"}))
        self.rows = judged or GpuRows.of_market(self.market)
        self.on_host = HostRows(self.tight) if r.offload else None
        self.best: tuple[int, int, Found] | None = None
        self.families = self.closed_by_bound = self.closed_by_cp_sat = 0
        self.complete = True
        self.solver = Solver(self.market, clock=self.clock, judged=self.rows)
        units = Solver(self.tight, clock=self.clock, judged=self.rows).units  # the build's own parts are no twins there
        self.least = {(u.gpu.id, u.per_node): min(u.least, u.least_host) for u in units}
        self.slack = {p.id: x for p in market.catalog.of(Kind.PLATFORM, Kind.SYSTEM) if (x := self._slack(p))}
        """Cents by which a node in a platform may stay below `least`: modules that fill channels in part may stay,
        while a front's bounds count whole sets and the supplies for them."""

    def _slack(self, p: Part) -> int:
        parts, prices, slack = self.market.catalog.parts, self.market.book.prices, 0
        assert isinstance(p, Platform)
        for part, qty in self.build.node.items():
            x = parts[part]
            if isinstance(x, Memory) and part in prices and memory_fits(p, x) and partial(p, qty):
                supplies = max((prices[u.id].least for u in parts.values() if isinstance(u, Psu) and u.id in prices),
                               default=0)  # fmt: skip
                modules = max(prices[m.id].least for m in parts.values() if isinstance(m, Memory) and m.id in prices)
                slack = max(slack, dimm_counts(p)[0] * modules + max(p.psu_bays, 1) * supplies)
        return slack

    def run(self) -> Found | None:
        """The nearest build that passes; the nearest known one when the clock came first (`complete` says which)."""
        try:
            if first := self.solver.cheapest():
                self._keep(first)
            elif not self.slack:
                return None
            groups = self._groups()
            for same_nodes in (True, False):
                for near in groups:
                    self._close(near, same_nodes)
        except TimeUp:
            self.complete = False
        return self.best[2] if self.best else None

    def _groups(self) -> list[list[_Near]]:
        """Families, the one that may be nearest first, each with its platforms."""
        bound, groups = ChangeBound(self.tight, self.build), []
        for gpu, k, holders in families(self.tight):
            on_host = self.on_host is not None and self.on_host.able(gpu, k)
            precisions = self.rows.planner.precisions(gpu)
            if precisions or on_host:
                wanted = () if on_host else precisions
                near = [_Near(bound.node(p, gpu, k, wanted), gpu, k, p) for p in holders]
                groups.append(sorted(near, key=lambda x: (x.least, x.platform.id)))
        self.families = len(groups)
        return sorted(groups, key=lambda g: (g[0].least, g[0].gpu.id, g[0].per_node))

    def _close(self, near: list[_Near], same_nodes: bool) -> None:
        self.clock.left()
        r, n0 = self.tight.request, self.build.nodes
        most = min(r.max_nodes, self.tight.policy.whole("plans.max_nodes"))
        gpu, k = near[0].gpu, near[0].per_node
        counts = [n for n in range(1, most + 1) if (n == n0) is same_nodes and r.gpu_count in (None, n * k)]
        extra = 0 if same_nodes else 1
        if not same_nodes and n0 == 1 and "network" not in r.have and not self.build.shared:
            extra += 2  # a front-end and an out-of-band switch
        top = self.best[0] if self.best else 10**5
        paid = self.best[1] - 1 if self.best and near[0].least + extra == top else self.market.purse
        least = self.least.get((gpu.id, k), NONE)

        def payable(p: Platform, n: int) -> bool:
            return n * (least - self.slack.get(p.id, 0)) <= paid

        open_ = [x.platform for x in near if x.least + extra <= top and any(payable(x.platform, n) for n in counts)]
        counts = [n for n in counts if any(payable(p, n) for p in open_)]
        rows = self._rows(gpu, k, open_, counts) if open_ and counts else []
        if not rows:
            self.closed_by_bound += same_nodes
            return
        family = MendFamily(self.tight, gpu, k, rows, Candidates([*open_, *self.parts]), self.build)
        while found := family.least(self.best[:2] if self.best else None, self.clock):
            self._keep(found)
            if family.cut:
                raise TimeUp
        self.closed_by_cp_sat += same_nodes

    def _rows(self, gpu: Gpu, k: int, holders: list[Platform], counts: list[int]) -> list[Row]:
        rows = self.rows.of(self.tight, gpu, k, holders, counts) if self.rows.planner.precisions(gpu) else []
        if self.on_host and self.on_host.able(gpu, k):
            rows += self.on_host.rows(gpu, k, holders, counts)
        wanted = self.tight.request.throughput_tenths or 1
        return [x for x in rows if x.perf.tenths >= wanted and not plan_fault(x.plan, x.key, self.tight.policy)]

    def _keep(self, found: Found) -> None:
        """A build that CP-SAT found, checked by every rule in plain code; raises Disagreement when one fails."""
        case = self.market.case(found.build, found.row.plan, found.row.key)
        if failed := [x for x in findings(case) if x.status == "fail"]:
            raise Disagreement(f"{'; '.join(f'{x.rule}: {x.text}' for x in failed)} in {found.build}")
        self.best = difference(self.build, found.build), found.parts_cents, found


def mended(
    market: Market, build: Build, clock: Clock | None = None, keep: Collection[str] = (), judged: GpuRows | None = None
) -> Mended | None:  # fmt: skip
    """The passing build nearest to one that fails, under the market's request (model, users, speed, budget, site); the
    build itself where nothing fails. None when no build passes.

    Builds are those that a front may hold and, of the given build, what may stay with a warning or beyond the need.
    `keep`: ids of parts of which the mended build must hold some. `judged`: rows known already, of a request that asks
    the same of plans.
    Raises InputError for a build without platform or GPUs, TimeUp where the clock came before any build was found."""
    include = tuple(dict.fromkeys((*market.request.include, *keep)))
    market = market.asking(cost_axis="money", include=include)
    _, before = check(market, build)
    mender = Mender(market, build, clock, judged)
    if any(x.status == "fail" for x in before):
        found = mender.run()
        if found is None and not mender.complete:
            raise TimeUp
        if found is None:
            return None
        after = found.build
    else:
        after = build
    case, checks = check(market, after)
    row = best_row(market, case, case.gpu, case.per_node)
    assert row is not None and not any(x.status == "fail" for x in checks), f"mended, yet failing: {after}"
    unit, spent = market.request.currency, market.book.cost(after.total())
    known = all(p in market.book.prices for p in build.total())
    paid = market.book.cost(build.total()) if known else NEVER
    old, new = (None if x >= NEVER else totals(x, market.policy)[2] for x in (paid, spent))
    assert new is not None
    return Mended(
        currency=unit,
        broken=[CheckFacts(**vars(x)) for x in before if x.status == "fail"],
        nodes_before=build.nodes,
        nodes=after.nodes,
        changed=difference(build, after),
        changes=[*_changes(market, build, after)],
        total_before=None if old is None else money(old, unit),
        total=money(new, unit),
        added=None if old is None else money(new - old, unit),
        node=[PartQty(part=p, qty=q) for p, q in after.node.items()],
        shared=[PartQty(part=p, qty=q) for p, q in after.shared.items()],
        checks=[CheckFacts(**vars(x)) for x in checks],
        throughput=Throughput.model_validate(throughput(market, row)),
        precision=row.plan.precision,
        proof=MendProof(
            status="optimal" if mender.complete else "feasible",
            families=mender.families,
            closed_by_bound=mender.closed_by_bound,
            closed_by_cp_sat=mender.closed_by_cp_sat,
        ),
    )


def _changes(market: Market, a: Build, b: Build) -> Iterable[Change]:
    """What goes first, then what comes or changes in number."""
    out: list[tuple[Any, Change]] = []
    for where, x, y in (("node", a.node, b.node), ("shared", a.shared, b.shared)):
        for part in sorted({*x, *y}):
            old, new = x.get(part, 0), y.get(part, 0)
            n, m = (a.nodes, b.nodes) if where == "node" else (1, 1)
            if old != new:
                cents = _line(market, part, new * m), _line(market, part, old * n)
                price = None if None in cents else money(cents[0] - cents[1], market.request.currency)  # type: ignore[operator]
                name, kind = market.catalog.parts[part].name, market.catalog.parts[part].kind.value
                change = Change(part=part, name=name, where=where, from_qty=old, to_qty=new, price=price)  # type: ignore[arg-type]
                out.append(((where, kind, new > 0, part), change))
    return (c for _, c in sorted(out, key=lambda x: x[0]))


def _line(market: Market, part: str, qty: int) -> int | None:
    if not qty:
        return 0
    cents = market.book.cost({part: qty}) if part in market.book.prices else NEVER
    return None if cents >= NEVER else cents
