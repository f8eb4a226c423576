"""Candidate builds: the cheapest options of a platform and row put together until every rule passes.

Imperfect search costs time, never exactness: CP-SAT proves afterwards that nothing cheaper is missing.
"""

from __future__ import annotations

from heapq import nsmallest
from itertools import product

from constraints.case import Build
from constraints.plan import Row
from constraints.rules import findings
from optimizer.bound import Bound
from optimizer.certify import Found
from optimizer.cluster import Cluster, Joined
from optimizer.market import Market
from optimizer.outfit import Outfit
from optimizer.shelf import NONE, Option

DEPTH = 4
"""Options of each category that the search looks at."""
TRIES = 40
"""Combinations of options that it puts together for one row and platform."""


def assemble(market: Market, cluster: Cluster, bound: Bound, ceiling: int) -> Found | None:
    """A cheap build of the bound's row and platform with parts at most `ceiling` cents that every rule passes."""
    o, row, key = bound.outfit, bound.row, bound.row.key
    pools = (o.gpus, o.cpus_for(key), o.memory_for(key), o.shelf.drives(o.need_gb(row.plan.precision)), o.bridges(key),
             o.nics if key.nodes == 1 else [Option(0, 0)])  # fmt: skip
    nets = [(net, sum(n.cents for n in net)) for net in product(*(w[:DEPTH] for w in bound.ways))]
    combos = [
        (c, key.nodes * (o.own.cents + sum(x.cents for x in c)))
        for c in product(*(p[:DEPTH] for p in pools))
        if not key.host_gb_s or o.shelf.pair_gb_s(c[1], c[2]) >= key.host_gb_s
    ]
    both = ((a + b, i, j) for i, (_, a) in enumerate(combos) for j, (_, b) in enumerate(nets))
    if not combos or not nets:
        return None
    least = min(c for _, c in combos) + min(c for _, c in nets)
    best: Found | None = None
    for cents, i, j in nsmallest(TRIES, both):
        top = ceiling if best is None else best.parts_cents - 1
        if bound.cents + cents - least > top:
            break
        best = _finish(market, cluster, o, row, combos[i][0], nets[j][0], top) or best
    return best


def _finish(
    market: Market, cluster: Cluster, o: Outfit, row: Row, combo: tuple[Option, ...], net: tuple[Joined, ...], top: int
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
    for part, qty in banks[0].parts:
        node[part] = node.get(part, 0) + qty
    load, held = o.load_w(static), banks[0].bank
    outlets = (held.inlet, held.fitted) if held else None
    cents, racks, count = cluster.racks_for(p, key.nodes, load, shared, outlets)
    if cents >= NONE:
        return None
    wet = cluster.liquid(p, load * key.nodes, count)
    if wet is None:
        return None
    for extra in (racks, wet):
        for part, qty in extra.items():
            shared[part] = shared.get(part, 0) + qty
    build = Build(key.nodes, dict(sorted(node.items())), dict(sorted(shared.items())))
    total = market.book.cost(build.total())
    if total > top or not passes(market, build, row):
        return None
    return Found(row, build, total)


def passes(market: Market, build: Build, row: Row) -> bool:
    """Whether no rule fails."""
    return not any(x.status == "fail" for x in findings(market.case(build, row.plan, row.key)))
