"""Lower bounds of a build's price, a relaxation of the rules: each category's cheapest option, powers at their least.

A row on a platform whose bound lies above the staircase needs no solver; what stays open goes to CP-SAT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from catalogs.schema import Kind
from constraints.plan import Row, RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.power import best_efficiency_percent, circuit_limit_w
from optimizer.market.market import Market
from optimizer.market.node_options import NodeOptions
from optimizer.market.options import Option
from optimizer.market.refusals import Refusals
from optimizer.search.seller_bound import SellerBound, from_few
from optimizer.search.shared_gear import NO_PARTS, Cluster, Ways


@dataclass(frozen=True)
class NodeBound:
    """What a node of one kind costs and draws at least; `pools` are the options it was summed from.

    `by_shares`: cents that it costs at least for the sake of limits on shares of the cost."""

    cents: int
    load_w: int
    pools: tuple[list[Option], ...]
    least_drives: int
    by_shares: int = 0


@dataclass
class Bound:
    """A row on a platform. `least` bounds its price by the nodes alone, `cents` with networks and racks."""

    bounds: Bounds
    node_options: NodeOptions
    row: Row
    node: NodeBound

    @cached_property
    def least(self) -> int:
        nodes = self.row.key.nodes
        more = self.bounds.beyond_least(self.node_options, nodes) if self.node.pools else 0
        return min(NEVER, nodes * self.node.cents + more)

    @property
    def floor(self) -> int:
        """A cost on the request's axis below which no build of the row on this platform exists; of money `least`."""
        market, node = self.bounds.market, self.node
        return market.axis.least(self.row.key.nodes, self.node_options.platform, node.load_w, node.cents, market.book)

    def fits(self, top: int) -> bool:
        """Whether a build of at most `top` on the axis, within the budget, is not excluded."""
        purse = self.bounds.market.purse_at(top)
        dearest = max(self.least, self.row.key.nodes * self.node.by_shares)
        return self.floor <= top and dearest <= purse and self.cents <= purse

    @cached_property
    def ways(self) -> list[Ways]:
        """The networks' ways to be built, cheapest first."""
        return self.bounds.cluster.networks(self.node_options.platform, self.row.key) if self.node.pools else []

    @cached_property
    def cents(self) -> int:
        """Cents below which no build of the row on this platform exists; NEVER when there is none at all."""
        key, node_options = self.row.key, self.node_options
        if not all(self.ways) or (key.nodes == 1 and not node_options.nics):
            return NEVER
        total = self.least + sum(w.cents[0] for w in self.ways) + (node_options.nics[0].cents if key.nodes == 1 else 0)
        return (
            min(NEVER, total + self.bounds.racks(node_options, key.nodes, self.node.load_w)) if self.node.pools else 0
        )


class Pool:
    """Node options of some rows, one set for each platform, written out as far as a price is asked for.

    No node of a set costs less than its `least_cents`: that leaves out drives and bridges, and counts the cheapest of
    options among which the node's are. So sets beyond a price hold no node within it."""

    def __init__(
        self, all_node_options: Iterable[NodeOptions], node: Callable[[NodeOptions], NodeBound | None]
    ) -> None:
        self._waiting = sorted(all_node_options, key=lambda o: -o.least_cents)
        self._node, self._made = node, list[tuple[NodeOptions, NodeBound]]()

    def up_to(self, cents: int) -> list[tuple[NodeOptions, NodeBound]]:
        """Nodes, the least price first; all of at most `cents`, and perhaps some more."""
        new = []
        while self._waiting and self._waiting[-1].least_cents <= cents:
            o = self._waiting.pop()
            if node := self._node(o):
                new.append((o, node))
        # Sorted by id too: equal prices come in the same order whatever was asked for before.
        if new:  # a new list: others may be walking along the old one
            self._made = sorted([*self._made, *new], key=lambda x: (x[1].cents, x[0].platform.id))
        return self._made

    def above(self, cents: int) -> int:
        """The least price of a node above `cents`; NEVER without one."""
        while True:
            found = next((n.cents for _, n in self._made if n.cents > cents), NEVER)
            if not self._waiting or self._waiting[-1].least_cents >= found:
                return found
            self.up_to(self._waiting[-1].least_cents)


class Bounds:
    """Bounds of a market; node bounds and racks are remembered."""

    def __init__(self, market: Market, cluster: Cluster, refusals: Refusals) -> None:
        self.market, self.cluster, self.seller_bound = market, cluster, SellerBound(market)
        self._pools: dict[tuple[object, ...], Pool] = {}
        self._made: dict[tuple[int, int], tuple[Row, Bound | None]] = {}
        self._watts: dict[int, tuple[list[Option], int]] = {}
        self._beyond: dict[tuple[str, int], int] = {}
        self._refusals = refusals
        self._racks: dict[tuple[str, int, int], int] = {}

    def pool(self, all_node_options: list[NodeOptions], row: Row) -> Pool:
        """Node options that the row may have; one pool for all rows alike."""
        key, precision = row.key, row.plan.precision
        # Complete: `_node` reads nothing else of a row, so that rows alike in these share their nodes.
        memo = (id(all_node_options), *_node_key(key, precision))
        if memo not in self._pools:
            # A row's speed was judged at one clock of the GPU; a slot with another limit belongs to another row.
            capped = (o for o in all_node_options if o.cap_w == key.cap_w)
            self._pools[memo] = Pool(capped, lambda o: self._node(o, key, precision))
        return self._pools[memo]

    def of(self, row: Row, pool: Pool, top: int) -> Iterator[Bound]:
        """Bounds of a row on the node options of its pool whose nodes cost `top` cents at most, cheapest first."""
        nodes = row.key.nodes
        for o, node in pool.up_to(top // nodes):
            if nodes * node.cents > top:
                return
            memo = (id(o), id(row))  # hashing a row takes longer than all else here; kept alive beside its bound
            if memo not in self._made:
                within = not self._beyond_site(o, row.key, node.load_w)
                self._made[memo] = row, Bound(self, o, row, node) if within else None
            if (b := self._made[memo][1]) is not None:
                yield b

    def racks(self, node_options: NodeOptions, nodes: int, load_w: int) -> int:
        """Cents that racks and PDUs cost at least."""
        memo = (node_options.platform.id, nodes, load_w)
        if memo not in self._racks:
            self._racks[memo] = self.cluster.racks_for(node_options.platform, nodes, load_w, NO_PARTS, None)[0]
        return self._racks[memo]

    def beyond_least(self, node_options: NodeOptions, nodes: int) -> int:
        """Cents that GPUs and chassis of so many nodes cost beyond the least price of each piece: what is in hand, in
        stock or at a lower step of the price does not reach for all. NEVER where there are too few.

        Sound: every build of these node options has these pieces, the orders of a part depend on no other part where no
        bundle holds it, and the tariff gives their least cost exactly (docs/proof.md, Prices by quantity)."""
        book, more = self.market.book, 0
        gpus = node_options.gpus[0].parts if len(node_options.gpus) == 1 else ()
        for part, qty in (*node_options.own.parts, *gpus):
            # A bundle may bring a piece for less than its own tariff says: no difference is added for its parts.
            priced = book.prices[part]
            if priced.tariff is None or part in book.bundled:
                continue
            memo = part, nodes * qty
            if memo not in self._beyond:
                cents = priced.tariff.cents(priced.tariff.need(nodes * qty))
                dearer = cents * book.weight(part) // book.scale - nodes * qty * priced.least
                self._beyond[memo] = NEVER if cents >= NEVER else max(0, dearer)
            more += self._beyond[memo]
        return min(NEVER, more)

    def nothing(self, node_options: NodeOptions, row: Row) -> Bound:
        """The bound that excludes nothing."""
        return Bound(self, node_options, row, NodeBound(0, 0, (), 0))

    def _node(self, node_options: NodeOptions, key: RowKey, precision: str) -> NodeBound | None:
        platform = node_options.platform
        if key.cap_w != node_options.cap_w or node_options.unfit:
            return None
        if self._refusals.of_node(platform, node_options.gpu, node_options.k) is not None:
            return None
        pools = from_few(
            self.market,
            platform.id,
            [node_options.gpus, node_options.cpus_for(key), node_options.memory_for(key), node_options.bridges(key)],
        )
        if pools is None or not all(pools):
            return None
        # Sound: the least power of each category, though its option may be a dearer one. Load enters every rule as
        # "at most".
        static = node_options.static_w + sum(self._least_w(pool) for pool in pools)
        load, banks = node_options.load_w(static), node_options.psus(static)
        if not banks or (platform.system_max_w and platform.kind != Kind.SYSTEM and load > platform.system_max_w):
            return None
        by_shares = self.seller_bound.least_cents(platform.id, (*pools, banks))
        if by_shares is None:
            return None
        drives = node_options.platform_options.least_drives(node_options.need_gb(precision))
        # Sound: pools are sorted by price, and categories are summed as if any options went together (docs/proof.md,
        # step 3).
        cents = node_options.own.cents + sum(pool[0].cents for pool in (*pools, banks)) + drives
        return NodeBound(cents, load, (*pools, banks), drives, by_shares)

    def _least_w(self, pool: list[Option]) -> int:
        """The least power among options; remembered with the list, which outlives its id so."""
        if id(pool) not in self._watts:
            self._watts[id(pool)] = pool, min(x.watts for x in pool)
        return self._watts[id(pool)][1]

    def _beyond_site(self, node_options: NodeOptions, key: RowKey, load_w: int) -> bool:
        request, policy = self.market.request, self.market.policy
        watts = key.nodes * load_w
        if request.max_power_w is not None and watts > request.max_power_w:
            return True
        if request.circuit is not None:
            wall = circuit_limit_w(request.circuit.amps, request.circuit.volts, policy)
            # Sound: whatever supply is bought loses at least as much, which only adds to the draw at the wall.
            if 100 * watts > best_efficiency_percent(policy) * wall:
                return True
        return (
            request.rack_units is not None and key.nodes * (node_options.platform.rack_units or 0) > request.rack_units
        )


def _node_key(key: RowKey, precision: str) -> tuple[object, ...]:
    """All of a row that the bound of a node reads."""
    host = (key.host_gb_s, key.host_gb, key.host_gflops, key.tables_gb)
    return key.cap_w, key.domain, key.pcie_gen, key.lanes, precision, *host
