"""The nearest mended build: of all builds that pass, the one with the fewest parts changed, then with the least
throughput lost, then the cheapest.

Proven over every family of the catalog. A bound on the changes closes a platform that can't be as near as the best
build known; what it leaves open goes to CP-SAT with every rule, the build's own parts among the candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from catalogs.schema import Gpu, Kind, Memory, Part, Platform, Psu
from constraints.build import Build
from constraints.model.family_model import Candidates
from constraints.physics.contents import dimm_counts, inside
from constraints.plan import Row
from constraints.prices.tariff import NEVER
from constraints.prices.totals import totals
from constraints.rules.registry import findings
from optimizer.explanation.mend.bound import ChangeBound, difference, partial, spread
from optimizer.explanation.mend.family import MendFamily, Near, lost_tenths
from optimizer.market.host_rows import HostRows
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows, families, hardware_keys
from optimizer.pruning.dominance import buyable
from optimizer.pruning.near_duplicates import thinned
from optimizer.result.plan_facts import throughput
from optimizer.result.point_schema import CheckFacts, PartQty, Throughput
from optimizer.result.strict import Money, Strict
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.search.judging import best_row, check
from optimizer.search.solver import Disagreement, Solver
from optimizer.text.minor_units import money


class Change(Strict):
    """A part of which the mended build holds another number of pieces, all nodes and what they share together.

    `price` is what the change adds to the sum of lines of the whole build (negative: what it saves), by this part's
    own price; null where the part has none."""

    part: str
    name: str
    from_qty: int = Field(description="pieces of the whole build")
    to_qty: int = Field(description="pieces of the whole build")
    price: Money | None


class MendProof(Strict):
    """How the families (GPU, GPUs per node) were closed; `optimal`: nothing nearer exists, nor as near with less
    throughput lost, nor as near and fast for less."""

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
    changed: int = Field(description="part ids of which the whole builds hold another number of pieces")
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


class Mender:
    """The search for the nearest build. `best` is the nearest one known, and how near it is."""

    def __init__(self, market: Market, build: Build, clock: Clock | None = None, judged: GpuRows | None = None) -> None:
        self.market, self.build, self.clock = market.asking(cost_axis="money"), build, clock or Clock()
        request = self.market.request
        own = tuple(x for x in (*build.node, *build.shared) if x not in request.include)
        kept = replace(self.market, request=request.model_copy(update={"include": (*request.include, *own)}))
        thin = thinned(kept)  # neither twins nor dominated parts, but all of the build's own
        self.parts = buyable(thin)
        # A market on another axis than money is not thinned once more: the build's own parts stay in it.
        self.tight = replace(thin, request=request.model_copy(update={"cost_axis": "power"}))
        self.rows = judged or GpuRows.of_market(self.market)
        self.on_host = HostRows(self.tight) if request.offload else None
        self.best: tuple[Near, Found] | None = None
        self.meant_tenths = self._meant()
        self.families = 0
        self.solved: set[tuple[str, int]] = set()
        """Families that went to CP-SAT; a bound closed the others."""
        self.complete = True
        self.most = min(request.max_nodes, self.tight.policy.whole("plans.max_nodes"))
        self._bounds = self._by_nodes()
        self._known: dict[tuple[ChangeBound, str, str, int], int] = {}
        self.solver = Solver(self.market, clock=self.clock, judged=self.rows)
        tight = Solver(self.tight, clock=self.clock, judged=self.rows)
        self.least = {family.name: min(family.least, family.least_host) for family in tight.families}
        slack = {part.id: self._slack(part) for part in market.catalog.of(Kind.PLATFORM, Kind.SYSTEM)}
        self.slack = {platform: cents for platform, cents in slack.items() if cents}
        """Cents by which a node in a platform may stay below `least`: modules that fill channels in part may stay,
        while a front's bounds count whole sets and the supplies for them."""

    def _slack(self, platform: Part) -> int:
        """Cents by which a node in a platform may stay below `least`, where modules of the build may stay as they are:
        all that a whole set of the dearest modules and the dearest supplies cost, which is more than it can come to."""
        assert isinstance(platform, Platform)
        catalog, prices = self.market.catalog, self.market.book.prices
        contained = sum(qty for _, qty in inside(platform, catalog, Memory))
        for part_id, qty in self.build.node.items():
            part = catalog.parts[part_id]
            stays = isinstance(part, Memory) and part_id in prices
            if not stays or self.market.refusals.of_part(platform, part) is not None:
                continue
            if partial(platform, contained + qty):
                modules = dimm_counts(platform)[0] * self._dearest(Memory)
                return modules + max(platform.psu_bays, 1) * self._dearest(Psu)
        return 0

    def _dearest(self, kind: type[Part]) -> int:
        """Cents of the dearest piece of a kind on sale."""
        catalog, prices = self.market.catalog, self.market.book.prices
        sold = [part for part in catalog.parts.values() if isinstance(part, kind) and part.id in prices]
        return max((prices[part.id].least for part in sold), default=0)

    def run(self) -> Found | None:
        """The nearest build that passes; the nearest known one when the clock came first (`complete` says which)."""
        try:
            # The cheapest build that passes is the first to beat: a catalog without any needs no search for the
            # nearest, but for builds of the given one's surplus, which no front holds.
            if first := self.solver.cheapest():
                self._keep(first)
            elif not self.slack:
                return None
            near = self._families()
            wanted, own = self.tight.request.gpu_count, self.build.nodes
            # The build's own number of nodes first: another number changes nearly every part, and a good build known
            # early closes most of it by the bound.
            others = [nodes for nodes in range(1, self.most + 1) if nodes != own]
            for counts in ([own] if own <= self.most else [], others):
                for gpu, per_node, holders in near:
                    fitting = [nodes for nodes in counts if wanted in (None, nodes * per_node)]
                    self._close(gpu, per_node, holders, fitting)
        except TimeUp:
            self.complete = False
        return self.best[1] if self.best else None

    def _meant(self) -> int:
        """Throughput (0.1 tok/s) of the given build's GPUs where nothing else fails; 0 where no plan runs on them."""
        case, _ = check(self.market, self.build)
        gpu, per_node = case.gpu, case.per_node
        keys = hardware_keys(self.market, gpu, per_node, [case.platform], self.build.nodes)
        rows = self.rows.planner.rows(gpu, keys) if keys else []
        own = best_row(self.market, case, gpu, per_node)  # experts in host memory too
        return max((row.perf.tenths for row in (*rows, *([own] if own else []))), default=0)

    def _families(self) -> list[tuple[Gpu, int, tuple[Platform, ...]]]:
        """Families with the platforms that hold them, the one that may be nearest at the build's own nodes first."""
        found: list[tuple[int, Gpu, int, tuple[Platform, ...]]] = []
        for gpu, per_node, holders in families(self.tight):
            if self.rows.planner.precisions(gpu) or self._on_host(gpu, per_node):
                found.append(
                    (
                        min(self._least(platform, gpu, per_node, self.build.nodes) for platform in holders),
                        gpu,
                        per_node,
                        tuple(holders),
                    )
                )
        self.families = len(found)
        return [family[1:] for family in sorted(found, key=lambda family: (family[0], family[1].id, family[2]))]

    def _on_host(self, gpu: Gpu, per_node: int) -> bool:
        return self.on_host is not None and self.on_host.able(gpu, per_node)

    def _least(self, platform: Platform, gpu: Gpu, per_node: int, nodes: int) -> int:
        """Changes at least of a build of `nodes` nodes with `k` of a GPU in a platform."""
        bound = self._bounds[nodes]
        key = bound, platform.id, gpu.id, per_node
        if key not in self._known:
            precisions = () if self._on_host(gpu, per_node) else self.rows.planner.precisions(gpu)
            self._known[key] = bound.node(platform, gpu, per_node, precisions)
        request, extra = self.tight.request, 0
        if nodes > 1 == self.build.nodes and "network" not in request.have and not self.build.shared:
            extra = 2  # a front-end and an out-of-band switch
        return self._known[key] + extra

    def _by_nodes(self) -> dict[int, ChangeBound]:
        """The bound by number of nodes: the same one for all over which the build's pieces spread alike."""
        alike: dict[tuple[int, ...], ChangeBound] = {}
        out = {}
        # Most numbers of nodes divide no number of pieces: all these share one bound.
        for nodes in (self.build.nodes, *range(1, self.most + 1)):
            node = spread(self.build, nodes)
            out[nodes] = alike.setdefault(tuple(node.values()), ChangeBound(self.tight, node))
        return out

    def _close(self, gpu: Gpu, per_node: int, holders: Sequence[Platform], counts: Sequence[int]) -> None:
        """Proves that no build of a family with one of these numbers of nodes is nearer than the best known, or finds
        the nearest."""
        self.clock.left()
        best = self.best[0] if self.best else Near(10**5, 0, self.market.purse + 1)
        node = self.least.get((gpu.id, per_node), NEVER)

        def may_be_nearer(platform: Platform, count: int) -> bool:
            # Sound: both figures are bounds. As many changes as the best has are of use only where less throughput is
            # lost, or as little for less money.
            cents = count * (node - self.slack.get(platform.id, 0))
            if cents > self.market.purse:
                return False
            changes = self._least(platform, gpu, per_node, count)
            if changes != best.changes:
                return changes < best.changes
            return best.lost_tenths > 0 or cents < best.cents

        left = {platform.id: [count for count in counts if may_be_nearer(platform, count)] for platform in holders}
        platforms = [platform for platform in holders if left[platform.id]]
        numbers = sorted({count for open_counts in left.values() for count in open_counts})
        rows = self._rows(gpu, per_node, platforms, numbers) if platforms else []
        least = [self._least(each, gpu, per_node, count) for each in platforms for count in left[each.id]]
        if all(changes == best.changes for changes in least):
            rows = [row for row in rows if lost_tenths(row, self.meant_tenths) <= best.lost_tenths]
        if not rows:
            return
        parts = Candidates([*platforms, *self.parts])
        family = MendFamily(self.tight, gpu, per_node, rows, parts, self.build, self.meant_tenths)
        while found := family.least(self.best[0] if self.best else None, self.clock):
            self._keep(found)
            if family.cut:
                raise TimeUp
        self.solved.add((gpu.id, per_node))

    def _rows(self, gpu: Gpu, per_node: int, holders: list[Platform], counts: list[int]) -> list[Row]:
        rows = self.rows.of(self.tight, gpu, per_node, holders, counts) if self.rows.planner.precisions(gpu) else []
        if self.on_host and self._on_host(gpu, per_node):
            rows += self.on_host.rows(gpu, per_node, holders, counts)
        wanted = self.tight.request.throughput_tenths or 1
        fast = [row for row in rows if row.perf.tenths >= wanted]
        return [row for row in fast if self.tight.refusals.of_row(gpu, per_node, row) is None]

    def _keep(self, found: Found) -> None:
        """A build that CP-SAT found, checked by every rule in plain code; raises Disagreement when one fails."""
        case = self.market.case(found.build, found.row.plan, found.row.key)
        if failed := [finding for finding in findings(case) if finding.status == "fail"]:
            raise Disagreement(f"{'; '.join(f'{x.rule}: {x.text}' for x in failed)} in {found.build}")
        lost = lost_tenths(found.row, self.meant_tenths)
        self.best = Near(difference(self.build, found.build), lost, found.parts_cents), found


def mended(
    market: Market, build: Build, clock: Clock | None = None, keep: Collection[str] = (), judged: GpuRows | None = None
) -> Mended | None:
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
            closed_by_bound=mender.families - len(mender.solved),
            closed_by_cp_sat=len(mender.solved),
        ),
    )


def _changes(market: Market, build: Build, after: Build) -> Iterable[Change]:
    """By category, what goes first, then what comes or changes in number."""
    out: list[tuple[Any, Change]] = []
    had, has, parts = build.total(), after.total(), market.catalog.parts
    for part in sorted({*had, *has}):
        old, new = had.get(part, 0), has.get(part, 0)
        if old != new:
            now, before = _line(market, part, new), _line(market, part, old)
            price = None
            if now is not None and before is not None:
                price = money(now - before, market.request.currency)
            change = Change(part=part, name=parts[part].name, from_qty=old, to_qty=new, price=price)
            shared = part not in build.node and part not in after.node
            out.append(((shared, parts[part].kind.value, new > 0, part), change))
    return (change for _, change in sorted(out, key=lambda entry: entry[0]))


def _line(market: Market, part: str, qty: int) -> int | None:
    """Cents of so many pieces; None where they have no price."""
    if not qty:
        return 0
    cents = market.book.cost({part: qty}) if part in market.book.prices else NEVER
    return None if cents >= NEVER else cents
