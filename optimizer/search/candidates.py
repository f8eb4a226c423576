"""Candidate builds: the cheapest options of a platform and row put together until every rule passes.

Imperfect search costs time, never exactness: CP-SAT proves afterwards that nothing cheaper is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice, product

from catalogs.schema import Cpu, Nic
from constraints.build import Build, efficiency_percent
from constraints.model.axis import MONEY
from constraints.physics.contents import inside
from constraints.physics.demanded import demanded, of_network
from constraints.physics.draw import drawn
from constraints.plan import RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.interconnect import host_gbit_s
from optimizer.market.market import Market
from optimizer.market.options import Option
from optimizer.search.bounds import Bound
from optimizer.search.front import Found, Judge
from optimizer.search.seller_bound import SellerBound
from optimizer.search.shared_gear import Cluster, Joined, Ways

DEPTH = 4
"""Options of each category that the search looks at."""
TRIES = 40
"""Combinations of options that it puts together for one row and platform."""
TRIES_BY_OFFERS = 10
"""The same where offers are chosen for the whole build: each takes a purchase of its own."""


@dataclass(frozen=True)
class _Contents:
    """What goes into a node beside its platform, network and supplies: an option of each category."""

    gpus: Option
    cpus: Option
    memory: Option
    drives: Option
    bridges: Option
    cards: Option

    @property
    def options(self) -> tuple[Option, ...]:
        """All of them."""
        return self.gpus, self.cpus, self.memory, self.drives, self.bridges, self.cards

    @property
    def parts(self) -> tuple[tuple[str, int], ...]:
        """Parts of all options."""
        return tuple(part for option in self.options for part in option.parts)

    @property
    def lanes(self) -> int:
        """PCIe lanes that drives and cards take."""
        return self.drives.lanes + self.cards.lanes


Networks = tuple[Joined, ...]
"""A way to build each network that a row asks for."""


def assemble(market: Market, cluster: Cluster, judge: Judge, bound: Bound, cost: int) -> Found | None:
    """A cheap build of the bound's row and platform that costs at most `cost` on the axis and passes every rule."""
    contents = _contents(market, bound)
    networks = _networks(market, bound)
    if not contents or not networks:
        return None
    least = min(cents for _, cents in contents) + min(cents for _, cents in networks)
    tries = TRIES_BY_OFFERS if market.request.picks_offers else TRIES
    best: Found | None = None
    for cents, at_contents, at_networks in nsmallest(tries, _pairs(market, bound, contents, networks)):
        most_cents = market.purse_at(cost)
        # Sorted by rank: all that follow cost more still. `least` is in the bound already, so that only the
        # difference counts.
        if bound.cents + cents - least > most_cents:
            break
        chosen, joined = contents[at_contents][0], networks[at_networks][0]
        if found := _finish(market, cluster, judge, bound, chosen, joined, most_cents, cost):
            # Only a cheaper one is of use from here on.
            best, cost = found, found.cost - 1
    return best


def _contents(market: Market, bound: Bound) -> list[tuple[_Contents, int]]:
    """Options to try together, with the price of all nodes that hold them, without networks and supplies."""
    node_options, row, key, seller_bound = bound.node_options, bound.row, bound.row.key, bound.bounds.seller_bound
    drives = node_options.platform_options.drives(node_options.need_gb(row.plan.precision))
    cards = node_options.nics if key.nodes == 1 else [Option(0, 0)]
    least_lanes = sum(min((option.lanes for option in pool[:DEPTH]), default=0) for pool in (drives, cards))
    cpus = [option for option in node_options.cpus_for(key) if node_options.lanes_left(option, key) >= least_lanes]
    pools = (node_options.gpus, cpus, node_options.memory_for(key), drives, node_options.bridges(key), cards)
    found = []
    for options in product(*(_first(market, seller_bound, pool) for pool in pools)):
        contents = _Contents(*options)
        if contents.lanes > node_options.lanes_left(contents.cpus, key):
            continue
        if key.host_gb_s and node_options.platform_options.pair_gb_s(contents.cpus, contents.memory) < key.host_gb_s:
            continue
        each = node_options.own.cents + sum(option.cents for option in options)
        found.append((contents, key.nodes * each))
    return found


def _networks(market: Market, bound: Bound) -> list[tuple[Networks, int]]:
    """Ways to build all networks of the row whose cards find slots, with their prices."""
    platform = bound.node_options.platform
    slots = platform.nic_slots - sum(pieces for _, pieces in inside(platform, market.catalog, Nic))
    return [
        (networks, sum(way.cents for way in networks))
        for networks in product(*(_few(market, ways) for ways in bound.ways))
        if sum(pieces for way in networks for pieces in way.node.values()) <= slots
    ]


def _pairs(
    market: Market, bound: Bound, contents: list[tuple[_Contents, int]], networks: list[tuple[Networks, int]]
) -> Iterator[tuple[int, int, int]]:
    """Contents and networks that go together: their rank (the price, or more where a share of the cost is limited) and
    their places in the two lists."""
    node_options, key, seller_bound = bound.node_options, bound.row.key, bound.bounds.seller_bound
    needed = [_lanes(market, ways) for ways, _ in networks]
    carried: dict[tuple[object, int], bool] = {}
    for at_contents, (chosen, cents) in enumerate(contents):
        free = node_options.lanes_left(chosen.cpus, key) - chosen.lanes
        rank = cents
        if market.request.shares:
            # Where a share is limited, parts that count against it call for others that do not: the whole cost at
            # least so much.
            rank = max(cents, key.nodes * seller_bound.lines_for((*node_options.own.parts, *chosen.parts)))
        for at_networks, (ways, more) in enumerate(networks):
            # Complete: `_carries` reads the CPUs and the networks alone, the row being one.
            pair = chosen.cpus.parts, at_networks
            if pair not in carried:
                carried[pair] = _carries(market, chosen.cpus, ways, key)
            if carried[pair] and needed[at_networks] <= free:
                yield rank + more, at_contents, at_networks


def _lanes(market: Market, networks: Networks) -> int:
    """PCIe lanes that the cards of networks take in a node."""
    cards = [(market.catalog.parts[part], pieces) for way in networks for part, pieces in way.node.items()]
    return sum(card.lanes * pieces for card, pieces in cards if isinstance(card, Nic))


def _first(market: Market, seller_bound: SellerBound, pool: list[Option]) -> list[Option]:
    """The options to look at: the cheapest; on another axis than money those that add least to it. What --include
    demands comes first. Where sellers or shares are limited some of each seller and kind of price."""
    request, axis = market.request, market.axis
    if request.picks_offers and not request.soonest and not request.include:
        return seller_bound.varied(pool, DEPTH)

    def on_axis(option: Option) -> int:
        return axis.share(option.watts, (part for part, _ in option.parts), market.book)

    def lacks_demanded(option: Option) -> bool:
        return not any(part in request.include for part, _ in option.parts)

    # Both sorts are stable: among equals the cheapest stays first.
    if axis is not MONEY:
        pool = sorted(pool, key=on_axis)
    if request.include:
        pool = sorted(pool, key=lacks_demanded)
    return pool[:DEPTH]


def _few(market: Market, ways: Ways) -> list[Joined]:
    """The cheapest ways to build a network; where cards or wires are demanded some with them too."""
    asked = [part for part in demanded(market.request, market.catalog) if of_network(part)]
    if not asked:
        return ways[:DEPTH]
    cheapest = range(min(2, len(ways)))
    with_some = (place for place in range(len(ways)) if any(ways.has(place, part) for part in asked))
    return [ways[place] for place in sorted({*cheapest, *islice(with_some, DEPTH - len(cheapest))})]


def _carries(market: Market, cpus: Option, networks: Networks, key: RowKey) -> bool:
    """Whether the CPUs' slots carry the RDMA cards at the row's rate."""
    if key.net != "rdma" or not cpus.parts:
        return True
    # The RDMA fabric is the last of a row's networks (`Cluster.networks`).
    nic = networks[-1].network.nic
    if nic is None:
        return True
    part, _ = cpus.parts[0]
    cpu = market.catalog.parts[part]
    return not isinstance(cpu, Cpu) or host_gbit_s(nic, cpu) >= key.net_gbit_s


def _finish(
    market: Market,
    cluster: Cluster,
    judge: Judge,
    bound: Bound,
    contents: _Contents,
    networks: Networks,
    most_cents: int,
    most: int,
) -> Found | None:
    """The build with supplies, racks and liquid cooling added; None where it costs more than `most` on the axis or
    breaks a rule."""
    node_options, row, seller_bound = bound.node_options, bound.row, bound.bounds.seller_bound
    platform, nodes = node_options.platform, row.key.nodes
    node = Counter(dict(node_options.own.parts))
    shared: Counter[str] = Counter()
    for part, pieces in contents.parts:
        node[part] += pieces
    for way in networks:
        node.update(way.node)
        shared.update(way.shared)
    cards = [(market.catalog.parts[part], pieces) for way in networks for part, pieces in way.node.items()]
    static_w = node_options.static_w + sum(option.watts for option in contents.options)
    static_w += sum(card.power_w * pieces for card, pieces in cards if isinstance(card, Nic))
    # Supplies last: only now is it known what they carry.
    banks = node_options.psus(static_w)
    if not banks:
        return None
    # Where watts are the cost, those that lose the least of them come first.
    thrifty = market.request.cost_axis == "power"

    def rank(option: Option) -> tuple[int, int]:
        lost = -efficiency_percent(option.bank, market.policy) if thrifty else 0
        return lost, max(option.cents, seller_bound.lines_for(option.parts))

    supplies = min(banks, key=rank)
    for part, pieces in supplies.parts:
        node[part] += pieces
    load_w = node_options.load_w(static_w)
    draw = drawn(load_w, efficiency_percent(supplies.bank, market.policy))
    outlets = (supplies.bank.inlet, supplies.bank.fitted) if supplies.bank and supplies.bank.inlet else None
    rack_cents, racks, rack_count = cluster.racks_for(platform, nodes, draw, shared, outlets)
    if rack_cents >= NEVER:
        return None
    liquid = cluster.liquid(platform, load_w * nodes, rack_count)
    if liquid is None:
        return None
    shared.update(racks)
    shared.update(liquid)
    build = Build(nodes, dict(sorted(node.items())), dict(sorted(shared.items())))
    # Cheaper than a purchase: the check of shares would fail, whatever is bought from whom.
    if market.request.shares and seller_bound.lines_for(build.total().items()) > most_cents:
        return None
    total = market.book.cost(build.total())
    if total > most_cents:
        return None
    axis = market.axis
    cost = total if axis is MONEY else axis.measure(market.case(build, row.plan, row.key))
    return Found(row, build, total, cost) if cost <= most and judge.passes(build, row) else None
