"""What is more than enough: figures of a part beyond which no build of the request can tell it apart.

A chassis with eight bays serves no better than one with four where four drives always do.
`optimizer/pruning/near_duplicates.py` and `optimizer/pruning/dominance.py` compare figures cut off here, and only
against strictly cheaper parts: then no build of the front, ties included, holds the part that goes. docs/proof.md gives
the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from catalogs.schema import Cpu, Drive, Kind, Platform, Rack, Switch
from constraints.rules.lanes import needs_lanes
from constraints.rules.precision import wanted
from constraints.rules.rack import node_kg, racked
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market
from optimizer.market.options import UNBOUNDED


class Ample:
    """Limits of one market. Prices that depend on quantity void them: fewer pieces may cost more there."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._light: dict[int, float] = {}

    @cached_property
    def need_gb(self) -> int:
        """NVMe that the weights of any precision ask for; UNBOUNDED where a training set comes on top."""
        m = self.market
        if m.request.dataset_gb:
            return UNBOUNDED
        return max((needed_gb(m.llm, p, m.policy, m.request) for p in wanted(m.llm, m.request)), default=0)

    @cached_property
    def read_mb_s(self) -> int:
        """NVMe read speed of a node that the rules ask for."""
        return self.market.policy.whole("storage.read_mb_s")

    @cached_property
    def drives(self) -> int:
        """Drives of a node beyond which taking one away keeps every rule, with any drive on sale in any place."""
        on_sale = self.market.catalog.of(Kind.DRIVE)
        have = [d for d in on_sale if isinstance(d, Drive) and needs_lanes(d) and d.id in self.market.book.prices]
        if not have or self.need_gb == UNBOUNDED:
            return UNBOUNDED
        by_room = -(-self.need_gb // min(d.capacity_gb for d in have))
        by_speed = -(-self.read_mb_s // max(1, min(d.read_mb_s for d in have)))
        return max(by_room, by_speed) + len(self.market.request.include)

    @cached_property
    def cpu_w(self) -> dict[tuple[str, str], int]:
        """Largest TDP of the CPUs of a socket and generation."""
        out: dict[tuple[str, str], int] = {}
        for c in self.market.catalog.of(Kind.CPU):
            if isinstance(c, Cpu):
                alike = c.socket, c.generation
                out[alike] = max(out.get(alike, 0), c.tdp_w or 0)
        return out

    @cached_property
    def racks(self) -> list[Rack]:
        """Racks on sale."""
        return [r for r in self.market.catalog.of(Kind.RACK) if isinstance(r, Rack) and r.id in self.market.book.prices]

    @cached_property
    def kg_per_unit(self) -> float:
        """The most that shared gear weighs for the rack units it takes; infinite with liquid cooling's own gear."""
        if self.market.request.site_water:
            return float("inf")
        gear = [s for s in self.market.switches if isinstance(s, Switch) and round(s.weight_kg)]
        return max((round(s.weight_kg) / s.rack_units if s.rack_units else float("inf") for s in gear), default=0.0)

    def light_kg(self, p: Platform) -> float:
        """Weight up to which nodes as tall as `p` fill no rack's load before they and shared gear fill its units."""
        if not racked(p) or "racks" in self.market.request.have:
            return float("inf")
        if self.kg_per_unit == float("inf"):
            return 0.0
        tall = p.rack_units or 1
        if tall not in self._light:
            self._light[tall] = min(
                (
                    (r.load_kg - self.kg_per_unit * (r.rack_units - a * tall)) / a
                    for r in self.racks
                    for a in range(1, r.rack_units // tall + 1)
                ),
                default=float("inf"),
            )
        return self._light[tall]

    def more(self, p: Platform) -> tuple[float, ...]:
        """Of a chassis what `twins` compares as "more"."""
        policy, most = self.market.policy, self.drives
        watts = max((self.cpu_w.get((p.socket, g), 0) for g in p.cpu_generations), default=0)
        slots = p.nic_slots if p.contents else min(p.nic_slots, p.gpu_slots + 1 + len(self.market.request.include))
        return (
            min(p.nvme_bays, most), min(p.m2_slots, most), slots,
            watts if p.cpu_max_w is None else min(p.cpu_max_w, watts), p.chipset_lanes,
            p.inlet_max_c is None or p.inlet_max_c >= policy.whole("cooling.inlet_c"),
        )  # fmt: skip

    def less(self, p: Platform) -> tuple[float, ...]:
        """Of a chassis what `twins` compares as "less"."""
        return p.overhead_w, max(node_kg(p, self.market.policy), self.light_kg(p))

    def drive(self, d: Drive) -> tuple[float, ...]:
        """Of a drive what `buyable` compares as "more"."""
        if self.need_gb == UNBOUNDED or not needs_lanes(d):
            return d.capacity_gb, d.read_mb_s
        return min(d.capacity_gb, self.need_gb), min(d.read_mb_s, self.read_mb_s)


def beaten(cents: int, worth: tuple[float, ...], enough: tuple[float, ...], by: Iterable[Kept]) -> bool:
    """Whether one of the parts no dearer is as good in all, or a cheaper one as good in all that is needed."""
    return any(
        all(a >= b for a, b in zip(k_worth, worth, strict=True))
        or (k_cents < cents and all(a >= b for a, b in zip(k_enough, enough, strict=True)))
        for k_cents, k_worth, k_enough in by
    )


Kept = tuple[int, tuple[float, ...], tuple[float, ...]]
"""Cents, figures, and these cut off at what is needed."""
