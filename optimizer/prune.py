"""Sound pruning: a part goes only when another is at least as good in all that any rule reads, for no more money."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from catalogs.schema import Cooling, Cpu, Drive, Kind, Memory, Nic, Part, Pdu, Platform, Psu, Rack
from constraints.fit import cpu_fits, memory_fits, needs_cpu, needs_psu, psu_fits
from constraints.model import Candidates
from optimizer.market import Market

P = TypeVar("P", bound=Part)


def undominated(
    market: Market, parts: Iterable[P], same: Callable[[P], Any], more: Callable[[P], tuple[float, ...]],
    less: Callable[[P], tuple[float, ...]],
) -> list[P]:  # fmt: skip
    """Parts that none of the same group beats: `more` at least, `less` and price at most. Demanded parts stay."""
    kept: list[P] = []
    ranked = sorted(parts, key=lambda p: (market.cents(p.id), tuple(-x for x in more(p)), less(p), p.id))
    for p in ranked:
        beaten = any(
            same(k) == same(p)
            and all(a >= b for a, b in zip(more(k), more(p), strict=True))
            and all(a <= b for a, b in zip(less(k), less(p), strict=True))
            for k in kept
        )
        if not beaten or p.id in market.request.include:
            kept.append(p)
    return kept


def candidates(market: Market, holders: list[Platform], *, prune: bool = True) -> Candidates:
    """Priced parts that fit some platform of the family, dominated ones removed."""
    have = [p for p in market.catalog.parts.values() if p.id in market.book.prices]

    def of(cls: type[P], fits: Callable[[P], bool]) -> list[P]:
        return sorted((p for p in have if isinstance(p, cls) and fits(p)), key=lambda p: p.id)

    cpus = of(Cpu, lambda c: any(needs_cpu(p) and cpu_fits(p, c) for p in holders))
    memory = of(Memory, lambda m: any(memory_fits(p, m) for p in holders))
    psus = of(Psu, lambda u: any(needs_psu(p) and psu_fits(p, u) for p in holders))
    forms = {f for p in holders for f in (*p.nvme_forms, *(("M.2",) if p.m2_slots else ()), *p.sata_forms)}
    drives = of(Drive, lambda d: bool(set(d.forms) & forms))
    nic_forms = {f for p in holders for f in p.nic_forms}
    nics = of(Nic, lambda n: n.form in nic_forms)
    if prune:
        cpus = undominated(
            market, cpus, lambda c: (c.socket, c.generation, c.mem_gen, c.max_sockets),
            lambda c: (c.cores, c.lanes_1p or 0, c.lanes_2p or 0, c.pcie_gen or 0), lambda c: (c.tdp_w or 0,),
        )  # fmt: skip
        memory = undominated(
            market,
            memory,
            lambda m: (m.mem_gen, m.dimm_type),
            lambda m: (m.capacity_gb,),
            lambda m: (m.power_w,),
        )
        psus = undominated(
            market,
            psus,
            lambda u: (u.form, u.watts, u.inlet),
            lambda u: (u.watts_low_line, _grade(u)),
            lambda u: (),
        )
        drives = [d for d in drives if d.media in ("nvme", "nvme-consumer") or d.id in market.request.include]
        drives = undominated(
            market,
            drives,
            lambda d: (d.media[:4], d.forms),
            lambda d: (d.capacity_gb, d.read_mb_s),
            lambda d: (d.power_w,),
        )
        nics = undominated(
            market, nics, lambda n: (n.form, n.fabrics, n.rdma, n.connectors, n.gbit_s), lambda n: (n.ports,),
            lambda n: (n.power_w, n.lanes),
        )  # fmt: skip
    rest = [p for p in have if p.kind in (Kind.GPU_BOARD, Kind.BRIDGE, Kind.COOLING, Kind.RACK, Kind.PDU)]
    if prune:
        rest = [p for p in rest if not isinstance(p, Cooling | Rack | Pdu)] + [
            *undominated(market, [p for p in rest if isinstance(p, Cooling)], lambda c: (c.role, c.medium, c.socket),
                         lambda c: (c.capacity_w or 0,), lambda c: (c.rack_units, c.weight_kg, c.power_w)),
            *undominated(market, [p for p in rest if isinstance(p, Rack)], lambda r: 0,
                         lambda r: (r.rack_units, r.load_kg), lambda r: ()),
            *undominated(market, [p for p in rest if isinstance(p, Pdu)], lambda d: d.volts >= 200,
                         lambda d: (d.power_w, d.outlets_c13, d.outlets_c19), lambda d: ()),
        ]  # fmt: skip
    return Candidates([*holders, *cpus, *memory, *psus, *drives, *nics, *sorted(rest, key=lambda p: p.id)])


def _grade(u: Psu) -> int:
    return ("Gold", "Platinum", "Titanium").index(u.efficiency)
