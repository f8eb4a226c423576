"""What may fill one platform around `k` GPUs of a kind: options of every category with price and power.

The bound sums the cheapest option of each category; the search combines them into a build. Both read the rules'
own helpers, neither decides: the bound is a relaxation, and a build that the search makes is checked by every rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations_with_replacement

from catalogs.schema import Bridge, Cooling, Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Platform, Psu
from constraints.case import PsuBank, bank, fan_percent, included_bank, patterns, power_cap
from constraints.fit import bayless, cooler_fits, cpu_fits, gpu_fits, memory_fits, needs_cooler, needs_cpu, needs_psu, psu_fits
from constraints.lanes import cpu_lanes, direct, gpu_lanes, needs_lanes
from constraints.model import dimm_counts, fixed_w, gpus_inside, inside
from constraints.plan import RowKey
from constraints.power import node_limit_w, transient_extra_w, watts_at
from constraints.rack import cord_links, racked
from constraints.storage import needed_gb
from optimizer.market import Market

NONE = 2**52


@dataclass(frozen=True)
class Option:
    """Parts of one category for one node. `lanes` are given by CPUs and taken by drives."""

    cents: int
    watts: int
    parts: tuple[tuple[str, int], ...] = ()
    lanes: int = 0
    pcie_gen: int = 9
    bank: PsuBank | None = None


def cheapest_first(options: Iterable[Option]) -> list[Option]:
    """Sorted by price, then power, then parts; options that cost more and draw more for the same use stay."""
    return sorted(options, key=lambda o: (o.cents, o.watts, o.parts))


class Outfit:
    """Options of one platform with `k` GPUs of a kind; `unfit` when no option of some category exists."""

    def __init__(self, market: Market, parts: dict[type[Part], list[Part]], gpu: Gpu, k: int, p: Platform) -> None:
        self.market, self.gpu, self.k, self.platform, self._parts = market, gpu, k, p, parts
        self.cap_w = power_cap(gpu, p)
        self.fan = fan_percent(p, market.policy)
        self.gpus = self._gpus()
        self.cpus = self._cpus()
        self.memory = self._memory()
        self.nics = self._nics()
        self._drives: dict[str, list[Option]] = {}
        self._psus = self._banks()
        self.static_w = self.cap_w * k + p.overhead_w + fixed_w(p, market.catalog)
        self.own = Option(market.cents(p.id), 0, ((p.id, 1),))

    @property
    def unfit(self) -> bool:
        return not (self.gpus and self.cpus and self.memory and self.nics and self._psus)

    @property
    def least_cents(self) -> int:
        """A first bound of one node, for any row: the cheapest of everything but drives and bridges."""
        if self.unfit:
            return NONE
        pools = (self.gpus, self.cpus, self.memory, self._psus)
        return min(NONE, self.own.cents + sum(pool[0].cents for pool in pools))

    def _all(self, cls: type[Part]) -> list[Part]:
        return self._parts.get(cls, [])

    def _option(self, *parts: tuple[Part, int], watts: int = 0, lanes: int = 0, pcie_gen: int = 9) -> Option:
        cents = sum(self.market.cents(p.id) * q for p, q in parts)
        return Option(cents, watts, tuple((p.id, q) for p, q in parts), lanes, pcie_gen)

    def _gpus(self) -> list[Option]:
        p, gpu, k = self.platform, self.gpu, self.k
        if gpus_inside(p, self.market.catalog) == (gpu.id, k):
            return [Option(0, 0)]
        if gpu.sold_as == "board":
            boards = [b for b in self._all(GpuBoard) if isinstance(b, GpuBoard) and b.gpu == gpu.id and b.gpus == k]
            fits = [b for b in boards if not gpu_fits(p, gpu, k, b)]
            return cheapest_first(self._option((b, 1), watts=b.overhead_w) for b in fits)
        return [self._option((gpu, k))] if gpu.id in self.market.book.prices and self.cap_w else []

    def _cpus(self) -> list[Option]:
        """CPUs with their coolers, enough cores for the GPUs."""
        p, market = self.platform, self.market
        if not needs_cpu(p):
            held = [(c, q) for c, q in inside(p, market.catalog, Cpu)]
            cores = sum(c.cores * q for c, q in held)
            enough = cores >= market.policy.whole("cores.per_gpu_min") * self.k
            lanes = sum(cpu_lanes(c, p.sockets) for c, _ in held)
            return [Option(0, 0, (), lanes, min((c.pcie_gen or 0 for c, _ in held), default=0))] if enough else []
        out = []
        for c in self._all(Cpu):
            assert isinstance(c, Cpu)
            if not cpu_fits(p, c) or c.cores * p.sockets < market.policy.whole("cores.per_gpu_min") * self.k:
                continue
            bill: list[tuple[Part, int]] = [(c, p.sockets)]
            if needs_cooler(p):
                coolers = [x for x in self._all(Cooling) if isinstance(x, Cooling) and x.role == "cpu-cooler"]
                fits = sorted((market.cents(x.id), x.id, x) for x in coolers if cooler_fits(x, c))
                if not fits:
                    continue
                bill.append((fits[0][2], p.sockets))
            watts, lanes = (c.tdp_w or 0) * p.sockets, cpu_lanes(c, p.sockets)
            out.append(self._option(*bill, watts=watts, lanes=lanes, pcie_gen=c.pcie_gen or 0))
        return cheapest_first(out)

    def _memory(self) -> list[Option]:
        """Fillings of all channels that hold the floor."""
        p, market = self.platform, self.market
        floor = market.policy.whole("host_memory.floor_percent") * self.k * self.gpu.vram_gb
        contained = inside(p, market.catalog, Memory)
        if contained or not p.dimm_slots:
            have = 100 * sum(m.capacity_gb * n for m, n in contained)
            free = self.gpu.form_factor == "integrated" or not p.dimm_slots
            return [Option(0, 0)] if free or have >= floor else []
        if self.gpu.form_factor == "integrated":
            floor = 0
        return cheapest_first(
            self._option((m, n), watts=m.power_w * n)
            for m in self._all(Memory) if isinstance(m, Memory) and memory_fits(p, m)
            for n in dimm_counts(p) if 100 * n * m.capacity_gb >= floor
        )  # fmt: skip

    def _nics(self) -> list[Option]:
        """The one network port that every node needs."""
        p = self.platform
        if p.onboard_lan or inside(p, self.market.catalog, Nic):
            return [Option(0, 0)]
        nics = [n for n in self._all(Nic) if isinstance(n, Nic) and n.form in p.nic_forms and p.nic_slots]
        return cheapest_first(self._option((n, 1), watts=n.power_w, lanes=n.lanes) for n in nics)

    def drives(self, precision: str) -> list[Option]:
        """NVMe for the weights of a precision: up to two kinds and two pieces, or more pieces of one kind."""
        if precision not in self._drives:
            self._drives[precision] = self._bundles(needed_gb(self.market.llm, precision, self.market.policy))
        return self._drives[precision]

    def _bundles(self, need_gb: int) -> list[Option]:
        p, least = self.platform, self.market.policy.whole("storage.read_mb_s")
        held = [(d, q) for d, q in inside(p, self.market.catalog, Drive) if needs_lanes(d)]
        if "storage" in p.includes and not inside(p, self.market.catalog, Drive):
            return [Option(0, 0)]
        need_gb -= sum(d.capacity_gb * q for d, q in held)
        least -= sum(d.read_mb_s * q for d, q in held)
        if need_gb <= 0 and least <= 0:
            return [Option(0, 0)]
        fits = [d for d in self._all(Drive) if isinstance(d, Drive) and needs_lanes(d) and not bayless(d, p)]
        out = []
        for combo in (c for n in (1, 2) for c in combinations_with_replacement(fits, n)):
            if sum(d.capacity_gb for d in combo) >= need_gb and sum(d.read_mb_s for d in combo) >= least:
                out.append(self._drive_option({d: combo.count(d) for d in combo}))
        for d in fits:
            n = max(-(-need_gb // d.capacity_gb), -(-least // d.read_mb_s))
            if n > 2:
                out.append(self._drive_option({d: n}))
        return cheapest_first(out)

    def _drive_option(self, drives: dict[Drive, int]) -> Option:
        watts = sum(d.power_w * q for d, q in drives.items())
        return self._option(*drives.items(), watts=watts, lanes=4 * sum(drives.values()))

    def least_drives(self, precision: str) -> int:
        """Cents below which no set of drives will do, bundles of three and more kinds or pieces included."""
        known = self.drives(precision)
        if known and not known[0].cents:
            return 0
        fits = [d for d in self._all(Drive) if isinstance(d, Drive) and needs_lanes(d) and not bayless(d, self.platform)]
        three = 3 * min((self.market.cents(d.id) for d in fits), default=NONE)
        return min(three, known[0].cents if known else NONE)

    def _banks(self) -> list[Option]:
        """Accepted sets of supplies with their cords, cheapest first."""
        p, market = self.platform, self.market
        if not needs_psu(p):
            held = included_bank(p, market.catalog)
            return [self._cords(Option(0, 0, bank=held), held)]
        out = []
        for u in self._all(Psu):
            assert isinstance(u, Psu)
            if psu_fits(p, u):
                for fitted, needed in patterns(p):
                    held = bank(u, fitted, needed)
                    out.append(self._cords(Option(market.cents(u.id) * fitted, 0, ((u.id, fitted),), bank=held), held))
        return cheapest_first(out)

    def _cords(self, o: Option, held: PsuBank | None) -> Option:
        market = self.market
        if held is None or not racked(self.platform) or "racks" in market.request.have:
            return o
        options = sorted((market.cents(x.id), x.id) for x in cord_links(market.links)[held.inlet])
        if not options:
            return Option(NONE, 0, bank=held)
        cents, cord = options[0]
        return Option(o.cents + cents * held.fitted, 0, (*o.parts, (cord, held.fitted)), bank=held)

    def psus(self, static_w: int) -> list[Option]:
        """Sets of supplies that carry a node of `static_w` (fans not counted)."""
        policy = self.market.policy
        load = self.load_w(static_w)
        volts = self.market.request.line_volts or policy.whole("power.line_volts")
        peak = load + transient_extra_w(self.k * self.cap_w, policy)
        return [
            o for o in self._psus
            if o.bank is None
            or (load <= node_limit_w(o.bank, volts, policy)
                and (not o.bank.atx or peak <= o.bank.fitted * watts_at(o.bank, volts)))
        ]  # fmt: skip

    def load_w(self, static_w: int) -> int:
        """Load of a node with fans; of a complete system at least its published maximum."""
        p = self.platform
        load = -(-100 * static_w // (100 - self.fan))
        return max(load, p.system_max_w) if p.kind == Kind.SYSTEM and p.system_max_w else load

    def bridges(self, key: RowKey) -> list[Option]:
        """Bridges of the row's NVLink groups; a free option where it needs none."""
        if self.gpu.fabric != "nvlink-bridge" or key.domain <= 1:
            return [Option(0, 0)]
        fits = [
            b for b in self._all(Bridge)
            if isinstance(b, Bridge) and self.gpu.id in b.gpus and b.group_gpus == key.domain
        ]  # fmt: skip
        return cheapest_first(self._option((b, self.k // b.group_gpus * b.per_group)) for b in fits)

    def lanes_left(self, cpu: Option, key: RowKey) -> int:
        """CPU lanes left beside the GPUs; negative when even those find too few."""
        p = self.platform
        if not direct(p):
            return 10**6
        width = key.lanes or min(p.gpu_lane_widths)
        return cpu.lanes + p.chipset_lanes - gpu_lanes(self.k, width)
