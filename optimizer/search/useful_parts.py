"""What a family's model is made of: the parts and networks that a build under the staircase may need.

A part goes when its extra price over the bound does not fit under the staircase, or when another part is no dearer and
as good in all that this family's rows ask for. The model is asked for builds that cost less than those known, so that
of two parts of equal use one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from catalogs.schema import Bridge, Cooling, Cpu, Drive, GpuBoard, Link, Memory, Nic, Part, Pdu, Rack
from constraints.model.family_model import Candidates
from constraints.physics.contents import dimm_counts
from constraints.plan import Row
from constraints.rules.power import LOW_LINE_V
from constraints.rules.rack import node_kg
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market
from optimizer.pruning.dominance import NVME, undominated
from optimizer.search.bounds import Bound


def narrowed(
    market: Market, parts: Iterable[Part], open_: list[Bound], ceiling: Callable[[Row], int]
) -> tuple[Market, Candidates]:
    """Market and parts for the model of a family with these open bounds; what --include demands stays."""
    kept = affordable(market, parts, open_, ceiling)
    r = market.request
    if r.cost_axis != "money" or r.shares or r.max_sellers is not None:
        return market, Candidates(kept)
    # Sound where some prices depend on quantity too: `_useful` lets parts of one price alone replace one another, piece
    # by piece, and wires are compared where all of them have one price (docs/proof.md, Within one family).
    useful = Candidates(_useful(market, kept, open_))
    wired = set(r.include).union(*(w.wires for w in {id(w): w for b in open_ for w in b.ways}.values()))
    shared = {x.id for x in (*market.links, *market.switches) if not (isinstance(x, Link) and x.medium == "power")}
    if any(market.book.prices[x].tariff is not None for x in shared):
        return market, useful
    prices = {x: price for x, price in market.book.prices.items() if x not in shared or x in wired}
    return replace(market, book=replace(market.book, prices=prices)), useful


def affordable(market: Market, parts: Iterable[Part], open_: list[Bound], ceiling: Callable[[Row], int]) -> list[Part]:
    """Parts that a build under the staircase may hold: the bound with the part's extra price still fits.

    Shared gear, coolers, boards and bridges stay."""
    keep: set[str] = {b.outfit.platform.id for b in open_} | set(market.request.include)
    loose: dict[str, int] = {}
    for b in open_:
        room = (ceiling(b.row) - b.cents) // b.row.key.nodes
        for pool in b.node.pools:
            keep |= {part for o in pool if o.cents - pool[0].cents <= room for part, _ in o.parts}
        loose["drive"] = max(loose.get("drive", 0), room + b.node.least_drives)
        nic = b.outfit.nics[0].cents if b.row.key.nodes == 1 else 0
        loose["nic"] = max(loose.get("nic", 0), room + nic)
        for ways in b.ways:
            keep |= {x for w in ways if w.cents - ways[0].cents <= room * b.row.key.nodes for x in w.node}
    always = (Cooling, Rack, Pdu, GpuBoard, Bridge)
    kept: list[Part] = [b.outfit.platform for b in {id(b.outfit): b for b in open_}.values()]
    for part in parts:
        if (
            part.id in keep
            or isinstance(part, always)
            or (isinstance(part, Drive | Nic) and market.cents(part.id) <= loose.get(part.kind.value, 0))
        ):
            kept.append(part)
    return kept


def _useful(market: Market, kept: list[Part], open_: list[Bound]) -> list[Part]:
    """Parts that no other one of no higher price replaces in every build of the open rows."""
    policy, request = market.policy, market.request
    gpu, k = open_[0].outfit.gpu, open_[0].row.key.per_node
    rows, platforms = [b.row for b in open_], [b.outfit.platform for b in open_]
    on_host = any(r.plan.offload for r in rows)
    cores = policy.whole("cores.per_gpu_min") * k
    modules = min((n for p in platforms for n in dimm_counts(p)), default=1)
    memory_gb = -(-policy.whole("host_memory.floor_percent") * k * gpu.vram_gb // (100 * modules))
    nvme_gb = max(needed_gb(market.llm, r.plan.precision, policy, request) for r in rows)
    read_mb_s = policy.whole("storage.read_mb_s")

    def cpu(c: Cpu) -> tuple[float, ...]:
        fixed = (c.lanes_1p or 0, c.lanes_2p or 0, c.pcie_gen or 0)
        if on_host:
            return c.cores, *fixed, c.mem_channels or 99, c.mem_max_mts or 0
        return min(c.cores, cores), *fixed

    def module(m: Memory) -> tuple[float, ...]:
        return (m.capacity_gb, m.mts) if on_host else (min(m.capacity_gb, memory_gb),)

    def drive(d: Drive) -> tuple[float, ...]:
        if request.dataset_gb or d.media not in NVME:
            return d.capacity_gb, d.read_mb_s
        return min(d.capacity_gb, nvme_gb), min(d.read_mb_s, read_mb_s)

    cpus = undominated(
        market, [x for x in kept if isinstance(x, Cpu)],
        lambda c: (c.socket, c.generation, c.mem_gen, c.max_sockets), cpu, lambda c: (c.tdp_w or 0,),
    )  # fmt: skip
    sockets: dict[str, int] = {c.socket: 0 for c in cpus}
    for c in cpus:
        sockets[c.socket] = max(sockets[c.socket], c.tdp_w or 0)
    cooling = [x for x in kept if isinstance(x, Cooling)]
    alone = all(r.key.nodes == 1 for r in rows) and all("air" in p.cooling for p in platforms)
    racks, pdus = [x for x in kept if isinstance(x, Rack)], [x for x in kept if isinstance(x, Pdu)]
    if alone:  # nothing shared stands beside the one node
        tall, kg = max(p.rack_units or 1 for p in platforms), max(node_kg(p, policy) for p in platforms)
        racks = undominated(
            market, racks, lambda r: 0, lambda r: (min(r.rack_units, tall), min(r.load_kg, kg)), lambda r: ()
        )
    high = (request.line_volts or policy.whole("power.line_volts")) >= LOW_LINE_V
    rest = (Cpu, Memory, Drive, Rack, Pdu, Cooling)
    return [
        *(x for x in kept if not isinstance(x, rest)), *cpus,
        *undominated(
            market, [x for x in kept if isinstance(x, Memory)], lambda m: (m.mem_gen, m.dimm_type), module,
            lambda m: (m.power_w,), keep={c.part for p in platforms for c in p.contents},
        ),
        *undominated(
            market, [x for x in kept if isinstance(x, Drive)], lambda d: (d.media in NVME, d.forms), drive,
            lambda d: (d.power_w,),
        ),
        *(x for x in cooling if x.role != "cpu-cooler"),
        *undominated(
            market, [x for x in cooling if x.role == "cpu-cooler" and (x.socket in sockets or x.id in request.include)],
            lambda x: x.socket, lambda x: (min(x.capacity_w or 0, sockets.get(x.socket or "", 0)),), lambda x: (),
        ),
        *racks, *(d for d in pdus if (d.volts >= LOW_LINE_V) == high or d.id in request.include),
    ]  # fmt: skip
