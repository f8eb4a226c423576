"""The families (GPU, GPUs per node) of a request: the platforms that hold them, their rows, and bounds of these."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from catalogs.schema import Gpu
from constraints.model.candidates import Candidates
from constraints.plan import Row
from constraints.prices.tariff import NEVER
from constraints.rule import Refusal, Rule
from constraints.rules.registry import RULES
from optimizer.market.host_rows import HostRows
from optimizer.market.market import Market
from optimizer.market.refusals import Refusals
from optimizer.market.rows import Asked, GpuRows
from optimizer.pruning.demanded import least_nodes
from optimizer.search.assortment import Assortment, Family
from optimizer.search.bounds import Bound, Bounds
from optimizer.search.clock import Clock, Work
from optimizer.search.front import Name, Refused, RefusedPart
from optimizer.search.ledger import refused, refused_node, refused_parts
from optimizer.search.shared_gear import Cluster
from optimizer.search.staircase import Staircase

MARGIN_PERCENT = 10
"""The bound alone closes only what lies this much above the staircase; all that is nearer is proven by CP-SAT."""
TOGETHER = 64
"""Families whose plans are judged in one stroke, between two looks at the clock."""


@dataclass
class OpenFamily(Family):
    """A family while it is solved: `judged` is the largest node count whose `rows` are there, `judged_host` that of
    rows with experts in host memory."""

    rows: list[Row] = field(default_factory=list)
    judged: int = 0
    judged_host: int = 0
    asked: int = 0
    able: list[Row] = field(default_factory=list)
    barred: Counter[Refusal] = field(default_factory=Counter)
    """Of the first `asked` rows those that run, and what rules said of how many others (see `Families.runnable`)."""


class Families:
    """All families of one request. Without `clever` nothing is pruned and no bound excludes anything. `judged`: rows
    known already, of a request that asks the same of plans; `stock`: the assortment of a market alike; `admit`: rows
    that count at all, every one without it."""

    def __init__(
        self, market: Market, clock: Clock, clever: bool, judged: GpuRows | None = None,
        stock: Assortment | None = None, admit: Callable[[Gpu, Row], bool] | None = None,
        rules: Sequence[Rule] = RULES,
    ) -> None:  # fmt: skip
        self.clock, self.clever, self.admit = clock, clever, admit
        self.seconds = {"plans": 0.0, "search": 0.0, "proof": 0.0, "cp_sat_deterministic": 0.0}
        self.on_gpus = judged or GpuRows.of_market(market, clever)
        self.planner = self.on_gpus.planner
        started = time.perf_counter()
        if stock is None:
            stock = Assortment(market, self.planner, clever, rules=rules)
            stock.spend(self.clock)
            self.market, self.refusals = stock.market, stock.refusals
        else:
            # The rest of its request may say what the request of the market that lends the assortment does not.
            self.market = replace(market, book=stock.market.book)
            self.refusals = Refusals(self.market.facts, rules)
        market = self.market
        self.on_host = HostRows(market, stock.on_host, self.on_gpus.on_host(market)) if market.request.offload else None
        self.parts, self.dropped, self._by = stock.parts, stock.dropped, stock.by
        self.least_nodes = least_nodes(market) if clever else 1
        self.cluster = Cluster(market, stock.by, self.refusals)
        self.bounds = Bounds(market, self.cluster, self.refusals)
        self.families = [OpenFamily(**vars(family)) for family in stock.families]
        # The order changes no answer. Where shares are limited large nodes come first: what is found for them brings
        # down the ceiling under which the others are proven.
        self.families.sort(
            key=lambda family: (
                -family.per_node if market.request.shares else 0, family.least, family.gpu.id, family.per_node,
            )
        )  # fmt: skip
        self.planner.bound(family.gpu for family in self.families)
        self.seconds["plans"] += time.perf_counter() - started

    def max_nodes(self) -> int:
        return min(self.market.request.max_nodes, self.market.policy.whole("plans.max_nodes"))

    def judge(self, limit: int, families: Sequence[OpenFamily] | None = None) -> None:
        """Rows of all families (or those) for every node count that `limit` may pay."""
        started = time.perf_counter()
        among = self.families if families is None else families
        for start in range(0, len(among), TOGETHER):
            self.clock.tick("plans", start, len(self.families))
            self._judge_together(among[start : start + TOGETHER], limit)
        self.seconds["plans"] += time.perf_counter() - started

    def _judge_together(self, among: Sequence[OpenFamily], limit: int) -> None:
        """The same of some families in one stroke: plans of many GPUs are judged as one array."""
        wanted = self.market.request.throughput_tenths or 1
        on_gpus: list[tuple[OpenFamily, Asked]] = []
        on_host: list[tuple[OpenFamily, Asked]] = []
        for family in among:
            holders = [node_options.platform for node_options in family.all_node_options]
            new = self._new_counts(family.judged, family, family.least, limit)
            family.judged = max([family.judged, *new[-1:]])
            # Sound: no plan is faster than `most_tenths` of each GPU, so that fewer nodes can't be fast enough.
            most_tenths = family.per_node * self.planner.most_tenths(family.gpu)
            counts = [nodes for nodes in self._allowed(family, new) if nodes * most_tenths >= wanted]
            if counts:
                on_gpus.append((family, (family.gpu, family.per_node, holders, counts)))
            if self.on_host:
                new = self._new_counts(family.judged_host, family, family.least_host, limit)
                family.judged_host = max([family.judged_host, *new[-1:]])
                if counts := self._allowed(family, new):
                    on_host.append((family, (family.gpu, family.per_node, holders, counts)))
        found = self.on_gpus.of_all(self.market, [asked for _, asked in on_gpus])
        self.clock.spend(Work.ROW_JUDGED, sum(map(len, found)))
        if self.on_host:
            hosted = [self.on_host.rows(*asked) for _, asked in on_host]
            self.clock.spend(Work.ROW_ON_HOST_JUDGED, sum(map(len, hosted)))
            found += hosted
        for (family, _), rows in zip([*on_gpus, *on_host], found, strict=True):
            fast = [row for row in rows if row.perf.tenths >= wanted]
            family.rows += [row for row in fast if self.admit is None or self.admit(family.gpu, row)]

    def _new_counts(self, judged: int, open_family: OpenFamily, least: int, limit: int) -> range:
        """Node counts not yet judged that `limit` may pay and the site may hold."""
        most = self.max_nodes()
        if self.clever:
            # Sound: `least` bounds the price of each node. A node at no cost (all of it in hand) sets no limit.
            most = min(most, open_family.most, limit // max(1, least))
        return range(judged + 1, most + 1)

    def _allowed(self, open_family: OpenFamily, counts: range) -> list[int]:
        """Those that make the number of GPUs asked for."""
        wanted, least = self.market.request.gpu_count, self.least_nodes
        return [
            nodes for nodes in counts if nodes >= least and (wanted is None or open_family.per_node * nodes == wanted)
        ]

    def runnable(self, open_family: OpenFamily) -> list[Row]:
        """Rows that no rule refuses by itself (`may`): no build of another one passes."""
        # Rows only ever come at the end (`judge`): those before `asked` were asked for.
        for row in open_family.rows[open_family.asked :]:
            if said := self.refusals.of_row(open_family.gpu, open_family.per_node, row):
                open_family.barred[said] += 1
            else:
                open_family.able.append(row)
        open_family.asked = len(open_family.rows)
        return open_family.able

    def refusals_of(self, gpu: Gpu) -> list[Refusal]:
        """What rules said early of all platforms of a GPU's families, or else of all their rows; empty where a platform
        is left or was dropped for another reason, and some row runs."""
        all_families = (*self.families, *self.dropped)
        of_platforms = [self._of_platforms(family) for family in all_families if family.gpu is gpu]
        if all(of_platforms):
            return list(chain.from_iterable(of_platforms))
        mine = [family for family in self.families if family.gpu is gpu]
        if any(self.runnable(family) for family in mine):
            return []
        return list(chain.from_iterable(family.barred.elements() for family in mine))

    def _of_platforms(self, family: Family) -> list[Refusal]:
        """What rules said early of every platform of a family; empty where they did not of one."""
        said = [refused_node(self.refusals, node) for node in family.all_node_options]
        return [] if None in said else [*family.refused.values(), *(why for why in said if why is not None)]

    def refused_early(self) -> dict[Name, tuple[Refused, ...]]:
        """What rules refused early of each family, dropped ones too."""
        return {family.name: self._refused(family) for family in (*self.families, *self.dropped)}

    def _refused(self, family: Family) -> tuple[Refused, ...]:
        if early := self.refusals.of_family(family.gpu, family.per_node):
            return (Refused("family", early.rule, early.why, 1),)
        if isinstance(family, OpenFamily):
            self.runnable(family)
        rows = family.barred if isinstance(family, OpenFamily) else {}
        return refused(self.refusals, family.all_node_options, family.refused, rows)

    def refused_parts(self) -> tuple[RefusedPart, ...]:
        """Parts on sale that no platform of the families takes."""
        nodes = (node for family in self.families for node in family.all_node_options)
        platforms = {node.platform.id: node.platform for node in nodes}
        return refused_parts(self.refusals, platforms.values(), self._by)

    def bounds_of(self, open_family: OpenFamily, row: Row, top: int) -> Iterator[Bound]:
        """Bounds of a row on the family's platforms that a cost of `top` may pay, cheapest nodes first."""
        if not self.clever:
            return (self.bounds.nothing(node_options, row) for node_options in open_family.all_node_options)
        cents = self.market.purse_at(top)
        # Sound: the family's least bounds a node on each of its platforms.
        if row.key.nodes * open_family.least > cents:
            return iter(())
        return self.bounds.of(row, self.bounds.pool(open_family.all_node_options, row), cents)

    def floor(self, open_family: OpenFamily, row: Row, below: int) -> int:
        """Cents that no build of the row goes below, as exact as it takes to compare it with `below`."""
        if not self.clever:
            return 0
        nodes = row.key.nodes
        # Beyond `below` the least of the nodes will do: all that is asked is whether the floor reaches it.
        if nodes * open_family.least >= below:
            return nodes * open_family.least
        pool = self.bounds.pool(open_family.all_node_options, row)
        within = [max(bound.cents, nodes * bound.node.by_shares) for bound in self.bounds.of(row, pool, below - 1)]
        # Nodes dearer than these: none is cheaper than the first of them, by its nodes alone.
        beyond = pool.above((below - 1) // nodes)
        return min([*within, NEVER if beyond == NEVER else nodes * beyond])

    def candidates(self, open_family: OpenFamily) -> Candidates:
        """Every part that may stand in a node of the family."""
        return Candidates([*(node_options.platform for node_options in open_family.all_node_options), *self.parts])

    def missing(self, staircase: Staircase | None, families: Sequence[OpenFamily]) -> tuple[int, int]:
        """(families that may hold a missing build, cents that such a build costs at least), by the nodes' prices."""
        least = [self._least_missing(staircase, family) for family in families]
        found = [cents for cents in least if cents is not None]
        return len(found), min(found, default=0)

    def _least_missing(self, staircase: Staircase | None, family: OpenFamily) -> int | None:
        """Cents that a build of the family not yet found costs at least; None where nothing of it may be missing."""
        most = NEVER if staircase is None else self.market.purse_at(staircase.limit)
        low = []
        # Node counts that were not judged: the smallest is the cheapest.
        if unjudged := range(family.judged + 1, min(family.most, self.max_nodes()) + 1):
            low.append(unjudged[0] * family.least)
        if family.judged_host < self.max_nodes() and family.least_host < NEVER:
            low.append((family.judged_host + 1) * family.least_host)
        low = [cents for cents in low if cents <= most]
        # Rows that were: each is open up to its own ceiling.
        for row in family.rows:
            top = NEVER if staircase is None else self.market.purse_at(staircase.ceiling(row.perf.tenths))
            cents = row.key.nodes * family.least
            if cents <= top:
                low.append(cents)
        return min(low, default=None)
