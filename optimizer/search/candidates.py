"""Candidate builds: the cheapest options of a platform and row put together until every rule passes.

Imperfect search costs time, never exactness: CP-SAT proves afterwards that nothing cheaper is missing.
"""

from __future__ import annotations

from heapq import nsmallest
from itertools import islice, product

from catalogs.schema import Cpu, Nic
from constraints.build import Build
from constraints.model.axis import MONEY
from constraints.physics.contents import inside
from constraints.physics.demanded import demanded, of_network
from constraints.plan import Row, RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.interconnect import host_gbit_s
from optimizer.market.market import Market
from optimizer.market.node_options import Outfit
from optimizer.market.options import Option
from optimizer.search.bounds import Bound
from optimizer.search.front import Found, Judge
from optimizer.search.seller_bound import Leaning
from optimizer.search.shared_gear import Cluster, Joined, Ways

DEPTH = 4
"""Options of each category that the search looks at."""
TRIES = 40
"""Combinations of options that it puts together for one row and platform."""
TRIES_BY_OFFERS = 10
"""The same where offers are chosen for the whole build: each takes a purchase of its own."""


def assemble(market: Market, cluster: Cluster, judge: Judge, bound: Bound, cost: int) -> Found | None:
    """A cheap build of the bound's row and platform that costs at most `cost` on the axis and passes every rule."""
    o, row, key, leaning = bound.outfit, bound.row, bound.row.key, bound.bounds.leaning
    drives, cards = o.shelf.drives(o.need_gb(row.plan.precision)), o.nics if key.nodes == 1 else [Option(0, 0)]
    taken = min((d.lanes for d in drives[:DEPTH]), default=0) + min((x.lanes for x in cards[:DEPTH]), default=0)
    cpus = [c for c in o.cpus_for(key) if o.lanes_left(c, key) >= taken]
    pools = (o.gpus, cpus, o.memory_for(key), drives, o.bridges(key), cards)
    slots = o.platform.nic_slots - sum(q for _, q in inside(o.platform, market.catalog, Nic))
    nets = [
        (net, sum(n.cents for n in net))
        for net in product(*(_few(market, w) for w in bound.ways))
        if sum(q for n in net for q in n.node.values()) <= slots
    ]
    combos = [
        (c, key.nodes * (o.own.cents + sum(x.cents for x in c)))
        for c in product(*(_first(market, leaning, p) for p in pools))
        if c[3].lanes + c[5].lanes <= o.lanes_left(c[1], key)
        and (not key.host_gb_s or o.shelf.pair_gb_s(c[1], c[2]) >= key.host_gb_s)
    ]
    carried = {
        (c.parts, j): _carries(market, c, net, key)
        for c in _first(market, leaning, pools[1])
        for j, (net, _) in enumerate(nets)
    }
    lanes = [sum(q * market.catalog.parts[x].lanes for n in net for x, q in n.node.items()) for net, _ in nets]  # type: ignore[attr-defined]
    spare = [o.lanes_left(c[1], key) - c[3].lanes - c[5].lanes for c, _ in combos]
    rank = [a for _, a in combos]
    if market.request.shares:
        rank = [
            max(a, key.nodes * leaning.lines_for((*o.own.parts, *(x for y in c for x in y.parts)))) for c, a in combos
        ]
    both = (
        (rank[i] + b, i, j)
        for i, (c, _) in enumerate(combos)
        for j, (_, b) in enumerate(nets)
        if carried[c[1].parts, j] and lanes[j] <= spare[i]
    )
    if not combos or not nets:
        return None
    least = min(c for _, c in combos) + min(c for _, c in nets)
    best: Found | None = None
    for cents, i, j in nsmallest(TRIES_BY_OFFERS if market.request.picks_offers else TRIES, both):
        top = market.purse_at(cost)
        if bound.cents + cents - least > top:
            break
        if found := _finish(market, cluster, judge, leaning, o, row, combos[i][0], nets[j][0], top, cost):
            best, cost = found, found.cost - 1
    return best


def _first(market: Market, leaning: Leaning, pool: list[Option]) -> list[Option]:
    """The options to look at: the cheapest; on another axis than money those that add least to it. What --include
    demands comes first. Where sellers or shares are limited some of each seller and kind of price."""
    if market.request.picks_offers and not market.request.soonest and not market.request.include:
        return leaning.varied(pool, DEPTH)
    axis, wanted = market.axis, market.request.include
    if axis is not MONEY:
        pool = sorted(pool, key=lambda x: axis.share(x.watts, (part for part, _ in x.parts), market.book))
    if wanted:
        pool = sorted(pool, key=lambda x: not any(part in wanted for part, _ in x.parts))
    return pool[:DEPTH]


def _few(market: Market, ways: Ways) -> list[Joined]:
    """The cheapest ways to build a network; where cards or wires are demanded some with them too."""
    asked = [x for x in demanded(market.request, market.catalog) if of_network(x)]
    if not asked:
        return ways[:DEPTH]
    those = (i for i in range(len(ways)) if any(ways.has(i, x) for x in asked))
    return [ways[i] for i in sorted({*range(min(2, len(ways))), *islice(those, DEPTH - 2)})]


def _carries(market: Market, cpus: Option, net: tuple[Joined, ...], key: RowKey) -> bool:
    """Whether the CPUs' slots carry the RDMA cards at the row's rate."""
    if key.net != "rdma" or not cpus.parts or (nic := net[-1].network.nic) is None:
        return True
    cpu = market.catalog.parts[cpus.parts[0][0]]
    return not isinstance(cpu, Cpu) or host_gbit_s(nic, cpu) >= key.net_gbit_s


def _finish(
    market: Market,
    cluster: Cluster,
    judge: Judge,
    leaning: Leaning,
    o: Outfit,
    row: Row,
    combo: tuple[Option, ...],
    net: tuple[Joined, ...],
    top: int,
    most: int,
) -> Found | None:
    key, p = row.key, o.platform
    node: dict[str, int] = {}
    shared: dict[str, int] = {}
    for part, qty in (*o.own.parts, *(x for option in combo for x in option.parts)):
        node[part] = node.get(part, 0) + qty
    for way in net:
        for part, qty in way.node.items():
            node[part] = node.get(part, 0) + qty
        for part, qty in way.shared.items():
            shared[part] = shared.get(part, 0) + qty
    cards = [(market.catalog.parts[x], q) for way in net for x, q in way.node.items()]
    static = o.static_w + sum(x.watts for x in combo) + sum(c.power_w * q for c, q in cards)  # type: ignore[attr-defined]
    banks = o.psus(static)
    if not banks:
        return None
    supplies = min(banks, key=lambda x: max(x.cents, leaning.lines_for(x.parts)))
    for part, qty in supplies.parts:
        node[part] = node.get(part, 0) + qty
    load, held = o.load_w(static), supplies.bank
    outlets = (held.inlet, held.fitted) if held else None
    cents, racks, count = cluster.racks_for(p, key.nodes, load, shared, outlets)
    if cents >= NEVER:
        return None
    wet = cluster.liquid(p, load * key.nodes, count)
    if wet is None:
        return None
    for extra in (racks, wet):
        for part, qty in extra.items():
            shared[part] = shared.get(part, 0) + qty
    build = Build(key.nodes, dict(sorted(node.items())), dict(sorted(shared.items())))
    if market.request.shares and leaning.lines_for(build.total().items()) > top:
        return None
    total = market.book.cost(build.total())
    if total > top:
        return None
    axis = market.axis
    cost = total if axis is MONEY else axis.measure(market.case(build, row.plan, row.key))
    return Found(row, build, total, cost) if cost <= most and judge.passes(build, row) else None
