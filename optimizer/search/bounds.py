"""Lower bounds of a build's price, a relaxation of the rules: each category's cheapest option, powers at their least.

A row on a platform whose bound lies above the staircase needs no solver; what stays open goes to CP-SAT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from catalogs.schema import Kind
from constraints.build import efficiency_percent
from constraints.physics.draw import Draw, drawn
from constraints.plan import Row, RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.power import circuit_limit_w
from optimizer.market.market import Market
from optimizer.market.node_options import NodeOptions
from optimizer.market.options import Option
from optimizer.market.refusals import Refusals
from optimizer.search.seller_bound import SellerBound, from_few
from optimizer.search.shared_gear import NO_PARTS, Cluster, Ways

NO_CARD = [Option(0, 0)]
"""The choice of a card where none is bought."""


@dataclass(frozen=True)
class NodeBound:
    """What a node of one kind costs and draws at least; `pools` are the options it was summed from.

    `by_shares`: cents that it costs at least for the sake of limits on shares of the cost."""

    cents: int
    draw: Draw
    pools: tuple[list[Option], ...]
    least_drives: int
    by_shares: int = 0


@dataclass
class Bound:
    """A row on a platform. `least` bounds its price by the nodes alone, `cents` with networks and racks.

    One without pools (`Bounds.nothing`) excludes nothing."""

    bounds: Bounds
    node_options: NodeOptions
    row: Row
    node: NodeBound

    @cached_property
    def least(self) -> int:
        """Cents that the nodes cost at least."""
        if not self.node.pools:
            return 0
        nodes = self.row.key.nodes
        return min(NEVER, nodes * self.node.cents + self.bounds.beyond_least(self.node_options, nodes))

    @property
    def floor(self) -> int:
        """A cost on the request's axis below which no build of the row on this platform exists; of money `least`."""
        market, node, nodes = self.bounds.market, self.node, self.row.key.nodes
        return market.axis.least(nodes, self.node_options.platform, node.draw.wall_w, node.cents, market.book)

    def fits(self, top: int) -> bool:
        """Whether a build of at most `top` on the axis, within the budget, is not excluded."""
        if not self.node.pools:
            return True
        purse = self.bounds.market.purse_at(top)
        # Sound: each of the three is a lower bound by itself. The cheap ones come first, for `cents` lays networks and
        # fills racks.
        dearest = max(self.least, self.row.key.nodes * self.node.by_shares)
        return self.floor <= top and dearest <= purse and self.cents <= purse

    @cached_property
    def ways(self) -> list[Ways]:
        """The networks' ways to be built, cheapest first."""
        if not self.node.pools:
            return []
        ways = self.bounds.cluster.networks(self.node_options.platform, self.row.key)
        # Sound: nodes that draw more, and gear beside them, leave room for fewer in a rack, never for more.
        racks = self.bounds.fewest_racks(self.node_options, self.row.key.nodes, self.node.draw) if ways else 0
        return [self.bounds.reaching(way, racks) for way in ways]

    @cached_property
    def cents(self) -> int:
        """Cents below which no build of the row on this platform exists; NEVER when there is none at all."""
        if not self.node.pools:
            return 0
        key, node_options = self.row.key, self.node_options
        # A node alone needs a port too. Those of a cluster are in its networks' price, and where the site has the
        # networks nothing is counted for them.
        ports = node_options.nics if key.nodes == 1 else NO_CARD
        # Sound: rule fit lets no build of more nodes of this platform stand. The record of families reads it here too.
        if key.nodes > node_options.most_nodes or not ports or not all(self.ways):
            return NEVER
        # Sound: nodes, networks and racks share no part, so that what each costs at least adds up; racks are counted as
        # if nothing but the nodes stood in them.
        networks = sum(ways.cents[0] for ways in self.ways)
        racks = self.bounds.racks(node_options, key.nodes, self.node.draw)
        return min(NEVER, self.least + networks + ports[0].cents + racks)


class Pool:
    """Node options of some rows, one set for each platform, written out as far as a price is asked for.

    No node of a set costs less than its `least_cents`: that leaves out drives and bridges, and counts the cheapest of
    options among which the node's are. So sets beyond a price hold no node within it."""

    def __init__(
        self, all_node_options: Iterable[NodeOptions], node: Callable[[NodeOptions], NodeBound | None]
    ) -> None:
        # The cheapest is last, where a list gives up its elements at once.
        self._waiting = sorted(all_node_options, key=lambda node_options: -node_options.least_cents)
        self._node, self._made = node, list[tuple[NodeOptions, NodeBound]]()

    def up_to(self, cents: int) -> list[tuple[NodeOptions, NodeBound]]:
        """Nodes, the least price first; all of at most `cents`, and perhaps some more."""
        new = []
        while self._waiting and self._waiting[-1].least_cents <= cents:
            node_options = self._waiting.pop()
            # None: no node of these options exists, so that nothing is left out.
            if node := self._node(node_options):
                new.append((node_options, node))
        if new:
            # A new list, for others may be walking along the old one. Sorted by id too: equal prices come in the same
            # order whatever was asked for before.
            self._made = sorted([*self._made, *new], key=_by_price)
        return self._made

    def above(self, cents: int) -> int:
        """The least price of a node above `cents`; NEVER without one."""
        while True:
            found = next((node.cents for _, node in self._made if node.cents > cents), NEVER)
            # Sound: what still waits costs its `least_cents` at least, so that once the cheapest of these is no cheaper
            # than what was found, nothing that is written out later can be.
            if not self._waiting or self._waiting[-1].least_cents >= found:
                return found
            self.up_to(self._waiting[-1].least_cents)


def _by_price(made: tuple[NodeOptions, NodeBound]) -> tuple[int, str]:
    """Order of nodes: by price, of one price by the platform's id."""
    node_options, node = made
    return node.cents, node_options.platform.id


class Bounds:
    """Bounds of a market; node bounds and racks are remembered."""

    def __init__(self, market: Market, cluster: Cluster, refusals: Refusals) -> None:
        self.market, self.cluster, self.seller_bound = market, cluster, SellerBound(market)
        self._pools: dict[tuple[object, ...], Pool] = {}
        self._made: dict[tuple[int, int], tuple[Row, Bound | None]] = {}
        self._watts: dict[int, tuple[list[Option], int]] = {}
        self._beyond: dict[tuple[str, int], int] = {}
        self._refusals = refusals
        self._racks: dict[tuple[str, int, Draw], int] = {}
        self._fewest: dict[tuple[str, int, Draw], int] = {}
        self._reaching: dict[tuple[int, int], tuple[Ways, Ways]] = {}

    def pool(self, all_node_options: list[NodeOptions], row: Row) -> Pool:
        """Node options that the row may have; one pool for all rows alike."""
        key, precision = row.key, row.plan.precision
        # Complete: `_node` reads nothing else of a row, so that rows alike in these share their nodes.
        memo = (id(all_node_options), *_node_key(key, precision))
        if memo not in self._pools:
            # A row's speed was judged at one clock of the GPU; a slot with another limit belongs to another row.
            capped = (each for each in all_node_options if each.cap_w == key.cap_w)
            self._pools[memo] = Pool(capped, lambda node_options: self._node(node_options, key, precision))
        return self._pools[memo]

    def of(self, row: Row, pool: Pool, top: int) -> Iterator[Bound]:
        """Bounds of a row on the node options of its pool whose nodes cost `top` cents at most, cheapest first."""
        nodes = row.key.nodes
        for node_options, node in pool.up_to(top // nodes):
            # Sound: nodes come by rising price, and all that follow are beyond the top too.
            if nodes * node.cents > top:
                return
            # By identity, for hashing a row takes longer than all else here. The row is kept alive beside its bound and
            # the options by their family, so that no other object takes over an identity.
            memo = (id(node_options), id(row))
            if memo not in self._made:
                # Sound: `wall_w` is the least that a node draws, and the site's limits are "at most".
                within = not self._beyond_site(node_options, row.key, node.draw.wall_w)
                self._made[memo] = row, Bound(self, node_options, row, node) if within else None
            _, bound = self._made[memo]
            if bound is not None:
                yield bound

    def fewest_racks(self, node_options: NodeOptions, nodes: int, draw: Draw) -> int:
        """Racks that nodes stand in at least."""
        memo = (node_options.platform.id, nodes, draw)
        if memo not in self._fewest:
            self._fewest[memo] = self.cluster.fewest_racks(node_options.platform, nodes, draw)
        return self._fewest[memo]

    def reaching(self, ways: Ways, racks: int) -> Ways:
        """The ways whose cables reach so many racks."""
        memo = (id(ways), racks)
        if memo not in self._reaching:
            # The ways asked about are kept beside the answer, so that no other object takes over their identity.
            self._reaching[memo] = ways, ways.reaching(racks)
        return self._reaching[memo][1]

    def racks(self, node_options: NodeOptions, nodes: int, draw: Draw) -> int:
        """Cents that racks and PDUs cost at least."""
        memo = (node_options.platform.id, nodes, draw)
        if memo not in self._racks:
            # Sound: with more load, shared gear and outlets to feed there are fewer ways to fill racks, never more.
            cents, _, _ = self.cluster.racks_for(node_options.platform, nodes, draw, NO_PARTS, None)
            self._racks[memo] = cents
        return self._racks[memo]

    def beyond_least(self, node_options: NodeOptions, nodes: int) -> int:
        """Cents that GPUs and chassis of so many nodes cost beyond the least price of each piece: what is in hand, in
        stock or at a lower step of the price does not reach for all. NEVER where there are too few.

        Sound: every build of these node options has these pieces, the orders of a part depend on no other part where no
        bundle holds it, and the tariff gives their least cost exactly (docs/proof.md, Prices by quantity)."""
        book, more = self.market.book, 0
        # Of several boards none is sure to be in the build: only where there is one choice its price is known.
        gpus = node_options.gpus[0].parts if len(node_options.gpus) == 1 else ()
        for part, qty in (*node_options.own.parts, *gpus):
            # A bundle may bring a piece for less than its own tariff says: no difference is added for its parts.
            if book.prices[part].tariff is not None and part not in book.bundled:
                more += self._beyond_least(part, nodes * qty)
        return min(NEVER, more)

    def _beyond_least(self, part: str, pieces: int) -> int:
        """The same of so many pieces of one part with a tariff."""
        memo = part, pieces
        if memo not in self._beyond:
            book = self.market.book
            priced = book.prices[part]
            assert priced.tariff is not None
            cents = priced.tariff.cents(priced.tariff.need(pieces))
            # Rounded down, as `least` is: a bound may be too low, never too high.
            with_support = cents * book.weight(part) // book.scale
            self._beyond[memo] = NEVER if cents >= NEVER else max(0, with_support - pieces * priced.least)
        return self._beyond[memo]

    def nothing(self, node_options: NodeOptions, row: Row) -> Bound:
        """The bound that excludes nothing."""
        return Bound(self, node_options, row, NodeBound(0, Draw(0, 0), (), 0))

    def _node(self, node_options: NodeOptions, key: RowKey, precision: str) -> NodeBound | None:
        """What a node of these options costs and draws at least in a row of this key and precision; None where no such
        node passes the rules."""
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
        # Sound: the supplies that carry more are among those that carry the least load.
        if not banks:
            return None
        # Of a chassis the heat that it can move; of a complete system the same column is what it draws (`load_w`).
        if platform.system_max_w and platform.kind != Kind.SYSTEM and load > platform.system_max_w:
            return None
        by_shares = self.seller_bound.least_cents(platform.id, (*pools, banks))
        if by_shares is None:
            return None
        drives = node_options.platform_options.least_drives(node_options.need_gb(precision))
        # Sound: pools are sorted by price, and categories are summed as if any options went together (docs/proof.md,
        # step 3).
        cents = node_options.own.cents + sum(pool[0].cents for pool in (*pools, banks)) + drives
        # Sound: a build has one of these sets of supplies, and none of them loses less.
        percent = max(efficiency_percent(option.bank, self.market.policy) for option in banks)
        return NodeBound(cents, drawn(load, percent), (*pools, banks), drives, by_shares)

    def _least_w(self, pool: list[Option]) -> int:
        """The least power among options; remembered with the list, which outlives its id so."""
        if id(pool) not in self._watts:
            self._watts[id(pool)] = pool, min(option.watts for option in pool)
        return self._watts[id(pool)][1]

    def _beyond_site(self, node_options: NodeOptions, key: RowKey, node_w: int) -> bool:
        """Whether nodes that draw so much at least are more than the site's power, circuit or rack units hold."""
        request, policy = self.market.request, self.market.policy
        watts = key.nodes * node_w
        if request.max_power_w is not None and watts > request.max_power_w:
            return True
        if request.circuit is not None and watts > circuit_limit_w(request.circuit, request, policy):
            return True
        units = key.nodes * (node_options.platform.rack_units or 0)
        return request.rack_units is not None and units > request.rack_units


def _node_key(key: RowKey, precision: str) -> tuple[object, ...]:
    """All of a row that the bound of a node reads."""
    host = (key.host_gb_s, key.host_gb, key.host_gflops, key.tables_gb)
    return key.cap_w, key.domain, key.pcie_gen, key.lanes, precision, *host
