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
from constraints.physics.grades import BOOT, PORT, most_asked
from constraints.physics.weight import gear_kg
from constraints.rules.lanes import needs_lanes
from constraints.rules.precision import wanted
from constraints.rules.rack import node_kg, racked
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market
from optimizer.market.options import UNBOUNDED


class Enough:
    """Limits of one market. Prices that depend on quantity void them: fewer pieces may cost more there."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._light: dict[int, float] = {}

    @cached_property
    def need_gb(self) -> int:
        """NVMe that the weights of any precision ask for; UNBOUNDED where a training set comes on top."""
        market = self.market
        if market.request.dataset_gb:
            return UNBOUNDED
        return max(
            (
                needed_gb(market.llm, precision, market.policy, market.request)
                for precision in wanted(market.llm, market.request)
            ),
            default=0,
        )

    @cached_property
    def read_mb_s(self) -> int:
        """NVMe read speed of a node that the rules ask for."""
        return self.market.policy.whole("storage.read_mb_s")

    @cached_property
    def drives(self) -> int:
        """Drives of a node beyond which taking one away keeps every rule, with any drive on sale in any place."""
        on_sale = self.market.catalog.of(Kind.DRIVE)
        have = [
            drive
            for drive in on_sale
            if isinstance(drive, Drive) and needs_lanes(drive) and drive.id in self.market.book.prices
        ]
        if not have or self.need_gb == UNBOUNDED:
            return UNBOUNDED
        by_room = -(-self.need_gb // min(drive.capacity_gb for drive in have))
        by_speed = -(-self.read_mb_s // max(1, min(drive.read_mb_s for drive in have)))
        system = most_asked(BOOT, self.market.policy, self.market.request.grade)
        return max(by_room, by_speed) + system + len(self.market.request.include)

    @cached_property
    def _ports(self) -> int:
        """Cards of a node beside those of its GPUs: for the front end, and a faster port where a grade asks for one."""
        return 2 if most_asked(PORT, self.market.policy, self.market.request.grade) else 1

    @cached_property
    def cpu_w(self) -> dict[tuple[str, str], int]:
        """Largest TDP of the CPUs of a socket and generation."""
        out: dict[tuple[str, str], int] = {}
        for part in self.market.catalog.of(Kind.CPU):
            if isinstance(part, Cpu):
                alike = part.socket, part.generation
                out[alike] = max(out.get(alike, 0), part.tdp_w or 0)
        return out

    @cached_property
    def racks(self) -> list[Rack]:
        """Racks on sale."""
        return [
            part
            for part in self.market.catalog.of(Kind.RACK)
            if isinstance(part, Rack) and part.id in self.market.book.prices
        ]

    @cached_property
    def kg_per_unit(self) -> float:
        """The most that shared gear weighs for the rack units it takes; infinite with liquid cooling's own gear."""
        if self.market.request.site_water:
            return float("inf")
        gear = (
            (gear_kg(switch, self.market.policy), switch.rack_units)
            for switch in self.market.switches
            if isinstance(switch, Switch)
        )
        return max((kg / units if units else float("inf") for kg, units in gear if kg), default=0.0)

    def light_kg(self, platform: Platform) -> float:
        """Weight up to which nodes as tall as this one fill a rack's units, with shared gear, before its load."""
        if not racked(platform) or "racks" in self.market.request.have:
            return float("inf")
        if self.kg_per_unit == float("inf"):
            return 0.0
        tall = platform.rack_units or 1
        if tall not in self._light:
            self._light[tall] = min(
                (
                    (rack.load_kg - self.kg_per_unit * (rack.rack_units - count * tall)) / count
                    for rack in self.racks
                    for count in range(1, rack.rack_units // tall + 1)
                ),
                default=float("inf"),
            )
        return self._light[tall]

    def more(self, platform: Platform) -> tuple[float, ...]:
        """Of a chassis what `twins` compares as "more"."""
        policy, most = self.market.policy, self.drives
        watts = max(
            (self.cpu_w.get((platform.socket, generation), 0) for generation in platform.cpu_generations), default=0
        )
        slots = (
            platform.nic_slots
            if platform.contents
            else min(platform.nic_slots, platform.gpu_slots + self._ports + len(self.market.request.include))
        )
        return (
            min(platform.nvme_bays, most), min(platform.m2_slots, most), slots,
            watts if platform.cpu_max_w is None else min(platform.cpu_max_w, watts), platform.chipset_lanes,
            platform.inlet_max_c is None or platform.inlet_max_c >= policy.whole("cooling.inlet_c"),
        )  # fmt: skip

    def less(self, platform: Platform) -> tuple[float, ...]:
        """Of a chassis what `twins` compares as "less"."""
        return platform.overhead_w, max(node_kg(platform, self.market.policy), self.light_kg(platform))

    def drive(self, drive: Drive) -> tuple[float, ...]:
        """Of a drive what `buyable` compares as "more"."""
        if self.need_gb == UNBOUNDED or not needs_lanes(drive):
            return drive.capacity_gb, drive.read_mb_s
        return min(drive.capacity_gb, self.need_gb), min(drive.read_mb_s, self.read_mb_s)


def beaten(cents: int, worth: tuple[float, ...], enough: tuple[float, ...], by: Iterable[Kept]) -> bool:
    """Whether one of the parts no dearer is as good in all, or a cheaper one as good in all that is needed."""
    for its_cents, its_worth, its_enough in by:
        if _as_good(its_worth, worth):
            return True
        # Strictly cheaper: of two parts of one price a build of the front may hold the better one, and ties count.
        if its_cents < cents and _as_good(its_enough, enough):
            return True
    return False


def _as_good(mine: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether figures are at least others, each of them."""
    return all(have >= want for have, want in zip(mine, other, strict=True))


Kept = tuple[int, tuple[float, ...], tuple[float, ...]]
"""Cents, figures, and these cut off at what is needed."""
