"""Lower bounds of a node's price: relaxations of the rules, so that a family above the staircase needs no solver."""

from __future__ import annotations

from catalogs.schema import Drive, Gpu, Memory, Platform
from constraints.case import patterns
from constraints.fit import memory_fits, needs_cpu, needs_psu, psu_fits
from constraints.model import Candidates, dimm_counts, gpus_inside, inside
from optimizer.market import Market

NONE = 2**52


def node_bound(market: Market, c: Candidates, gpu: Gpu, k: int) -> int:
    """Cents below which no node of the family can be bought; NONE when no platform can be filled."""
    return min((_platform_bound(market, c, p, gpu, k) for p in c.platforms), default=NONE)


def _platform_bound(market: Market, c: Candidates, p: Platform, gpu: Gpu, k: int) -> int:
    cents, policy = market.cents, market.policy
    total = cents(p.id)
    if not gpus_inside(p, market.catalog)[0]:
        if gpu.sold_as == "board":
            total += min((cents(b.id) for b in c.boards if b.gpu == gpu.id and b.gpus == k), default=NONE)
        else:
            total += k * cents(gpu.id)
    if needs_cpu(p):
        fits = [x for x in market.cpus_of(p)]
        total += p.sockets * cents(fits[0].id) if fits else NONE
    if p.dimm_slots and not inside(p, market.catalog, Memory) and gpu.form_factor != "integrated":
        floor = policy.whole("host_memory.floor_percent") * k * gpu.vram_gb
        options = [
            n * cents(m.id)
            for m in c.memory
            if memory_fits(p, m)
            for n in dimm_counts(p)
            if 100 * n * m.capacity_gb >= floor
        ]
        total += min(options, default=NONE)
    if needs_psu(p):
        total += min((f * cents(u.id) for u in c.psus if psu_fits(p, u) for f, _ in patterns(p)), default=NONE)
    if not inside(p, market.catalog, Drive) and "storage" not in p.includes:
        total += min((cents(d.id) for d in c.drives), default=NONE)
    return min(total, NONE)


__all__ = ["NONE", "node_bound"]
