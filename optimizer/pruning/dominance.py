"""Sound pruning: a part goes only when another is at least as good in all that any rule reads, for no more money."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any, TypeVar

from catalogs.schema import Cooling, Cpu, Drive, Kind, Memory, Nic, Part, Pdu, Platform, Psu, Rack
from constraints.model.axis import lead_days
from constraints.rules.power import LOW_LINE_V
from optimizer.market.market import Market
from optimizer.pruning.enough import Ample, Kept, beaten

GRADES = ("Gold", "Platinum", "Titanium")
NVME = ("nvme", "nvme-consumer")
P = TypeVar("P", bound=Part)
IN_A_NODE = (
    Kind.CPU, Kind.MEMORY, Kind.DRIVE, Kind.NIC, Kind.PSU, Kind.COOLING, Kind.RACK, Kind.PDU, Kind.GPU_BOARD,
    Kind.BRIDGE,
)  # fmt: skip


def undominated(
    market: Market, parts: Iterable[P], same: Callable[[P], Any], more: Callable[[P], tuple[float, ...]],
    less: Callable[[P], tuple[float, ...]], enough: Callable[[P], tuple[float, ...]] | None = None,
    keep: Container[str] = (),
) -> list[P]:  # fmt: skip
    """Parts that none of the same group beats: `more` at least, `less` and price at most. Demanded parts and those to
    `keep` stay, and so do parts whose price depends on quantity, which beat none either.

    `enough`: of a part the figures cut off at what is needed (see `Ample`), larger ones better; a part that is no
    better in them than a strictly cheaper one goes as well. Not where any price depends on quantity.

    Where sellers are counted only a part of the same seller beats another, and on the axis of lead times only one
    that is not later."""
    sellers, late = market.request.max_sellers is not None, market.request.cost_axis == "lead-time"
    if enough and market.book.by_quantity:
        enough = None
    kept: dict[Any, list[Kept]] = {}
    out: list[P] = []
    steady: list[P] = []
    others: list[P] = []
    for p in parts:
        (others if market.book.prices[p.id].by_quantity else steady).append(p)
    ranked = sorted(steady, key=lambda p: (market.cents(p.id), tuple(-x for x in more(p)), less(p), p.id))
    for p in ranked:
        offer = market.book.prices[p.id].offer
        seller = offer.seller if sellers and offer else ""
        group = kept.setdefault((same(p), seller), [])
        late_by = -lead_days(market.book, p.id) if late else 0
        worth = (*more(p), *(-x for x in less(p)), late_by)
        needed = worth if enough is None else (*enough(p), late_by)
        cents = market.cents(p.id)
        if p.id in market.request.include or p.id in keep or not beaten(cents, worth, needed, group):
            group.append((cents, worth, needed))
            out.append(p)
    return [*out, *others]


def in_systems(market: Market) -> frozenset[str]:
    """Parts inside complete systems on sale: of these kinds alone are the modules and GPUs that fill free slots."""
    systems = [p for p in market.catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(p, Platform)]
    return frozenset(c.part for p in systems if p.id in market.book.prices for c in p.contents)


def buyable(market: Market, *, prune: bool = True) -> list[Part]:
    """Priced parts that a node may take, ordered by id; with `prune` the dominated ones are left out.

    Shares of the sum of lines keep all: a dearer part may be what brings a share down."""
    have = [p for p in market.catalog.of(*IN_A_NODE) if p.id in market.book.prices]
    if not prune or market.request.shares or not market.prunes_by_price:
        return have
    drives, ample = [d for d in have if isinstance(d, Drive)], Ample(market)
    host = market.request.offload  # experts in host memory: channels and MT/s carry throughput then
    kept = [
        *undominated(
            market, [c for c in have if isinstance(c, Cpu)],
            lambda c: (c.socket, c.generation, c.mem_gen, c.max_sockets),
            lambda c: (c.cores, c.lanes_1p or 0, c.lanes_2p or 0, c.pcie_gen or 0)
            + (((c.mem_channels or 99), c.mem_max_mts or 0) if host else ()),
            lambda c: (c.tdp_w or 0,),
        ),
        *undominated(
            market, [m for m in have if isinstance(m, Memory)], lambda m: (m.mem_gen, m.dimm_type),
            lambda m: (m.capacity_gb, m.mts) if host else (m.capacity_gb,), lambda m: (m.power_w,),
            keep=in_systems(market),
        ),
        *undominated(
            market, [u for u in have if isinstance(u, Psu)], lambda u: (u.form, u.watts, u.inlet),
            lambda u: (u.watts_low_line, GRADES.index(u.efficiency)), lambda u: (),
        ),
        *undominated(
            market,
            [d for d in drives if d.media in NVME or market.request.dataset_gb or d.id in market.request.include],
            lambda d: (d.media in NVME, d.forms), lambda d: (d.capacity_gb, d.read_mb_s), lambda d: (d.power_w,),
            lambda d: (*ample.drive(d), -d.power_w),
        ),
        *undominated(
            market, [n for n in have if isinstance(n, Nic)],
            lambda n: (n.form, n.fabrics, n.rdma, n.connectors, n.gbit_s), lambda n: (n.ports,),
            lambda n: (n.power_w, n.lanes),
        ),
        *undominated(
            market, [c for c in have if isinstance(c, Cooling)], lambda c: (c.role, c.medium, c.socket),
            lambda c: (c.capacity_w or 0,), lambda c: (c.rack_units, c.weight_kg, c.power_w),
        ),
        *undominated(
            market, [r for r in have if isinstance(r, Rack)], lambda r: 0, lambda r: (r.rack_units, r.load_kg),
            lambda r: (),
        ),
        *undominated(
            market, [d for d in have if isinstance(d, Pdu)], lambda d: d.volts >= LOW_LINE_V,
            lambda d: (d.power_w, d.outlets_c13, d.outlets_c19), lambda d: (),
        ),
        *(p for p in have if p.kind in (Kind.GPU_BOARD, Kind.BRIDGE)),
    ]  # fmt: skip
    return sorted(kept, key=lambda p: p.id)
