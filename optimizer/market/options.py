"""What fits a platform, whatever GPUs it holds: CPUs, memory, drives, network cards and supplies with their prices.

Which parts may stand in a platform is what no rule refuses early (`may`). Both the bound and the search read these
options and the rules' own figures; neither decides. The bound is a relaxation, and a build that the search makes is
checked by every rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from catalogs.schema import Cooling, Cpu, Drive, Memory, Nic, Part, Platform, Psu
from constraints.build import PsuBank, bank, fan_percent, included_bank, published_load_w, supply_patterns
from constraints.physics.contents import fixed_w, inside, modules_to_buy
from constraints.physics.demanded import demanded
from constraints.physics.grades import (
    ATX_SUPPLIES,
    at_most,
    boot_drives,
    data_in_bays,
    most_consumer_drives,
    port_gbit_s,
    supplies_sold,
)
from constraints.physics.links import fastest_port
from constraints.physics.offload import bandwidth_gb_s, gflops_class, offloads
from constraints.prices.tariff import NEVER
from constraints.rule import Refusal
from constraints.rules.fit import (
    bay_groups,
    bay_limits,
    bays_of,
    confined,
    cooler_fits,
    needs_cooler,
    needs_cpu,
    needs_psu,
)
from constraints.rules.lanes import NVME_LANES, cpu_lanes, direct, needs_lanes
from constraints.rules.rack import cord_links, racked
from constraints.rules.storage import for_system_alone, may_boot, of_consumers
from optimizer.market.market import Market
from optimizer.market.refusals import Refusals

UNBOUNDED = 10**9
"""A number of pieces, GB or watts where nothing limits it; what is not to be had at all costs NEVER."""
Parts = dict[type[Part], list[Part]]
Stock = dict[tuple[object, ...], list[Any]]
"""Options that platforms share, by all that they depend on."""
T = TypeVar("T")
P = TypeVar("P", bound=Part)
DEPTH = 4
"""NVMe sets that the search tries to complete with disks for a training set."""


@dataclass(frozen=True)
class Option:
    """Parts of one category for one node. `lanes` are given by CPUs and taken by drives and cards; `size` is the
    number of CPU cores, or the GB of memory or drives. `gb_s`: the most memory bandwidth in any company, for experts
    in host memory."""

    cents: int
    watts: int
    parts: tuple[tuple[str, int], ...] = ()
    lanes: int = 0
    pcie_gen: int = 9
    size: int = 0
    bank: PsuBank | None = None
    gb_s: int = 0
    gflops: int = 0


def cheapest_first(options: Iterable[Option]) -> list[Option]:
    """Sorted by price, then power, then parts."""
    return sorted(options, key=lambda option: (option.cents, option.watts, option.parts))


class PlatformOptions:
    """Options of one platform, cheapest first; none where nothing fits, a free one where nothing is needed."""

    def __init__(self, market: Market, parts: Parts, platform: Platform, stock: Stock, refusals: Refusals) -> None:
        self.market, self.platform, self._parts, self._stock = market, platform, parts, stock
        self.refusals = refusals
        holds = platform.contents
        self.demanded = [
            part
            for part in demanded(market.request, market.catalog)
            if part.id not in {content.part for content in holds}
        ]
        board = (
            self._named(Cpu),
            self._named(Cooling),
            platform.sockets,
            needs_cpu(platform),
            needs_cooler(platform),
            holds,
        )
        slots = (
            self._named(Memory),
            platform.mem_gen,
            *modules_to_buy(platform, market.catalog),
            platform.dimm_slots > 0,
            holds,
        )
        grade, policy = market.request.grade, market.policy
        self._boot = boot_drives(platform, policy, grade)
        most = most_consumer_drives(platform, policy, grade)
        self._enterprise = most == 0
        self._in_bays = data_in_bays(platform, policy, grade)
        # Which sets of drives find bays: platforms with the same drives may have bays of other kinds and numbers.
        bays = tuple(bay_groups(platform)) if self._boot else ()
        self._bays = self._number(
            "bays",
            self._named(Drive),
            "storage" in platform.includes,
            holds,
            self._boot,
            self._enterprise,
            self._in_bays,
            bays,
        )
        self.alike = self._number("board", *board, *slots)
        self.own, self.static_w = (
            Option(market.cents(platform.id), 0, ((platform.id, 1),)),
            platform.overhead_w + fixed_w(platform, market.catalog),
        )
        self.fan, self.direct = fan_percent(platform, market.policy), direct(platform)
        self.published_w = published_load_w(platform, market.catalog, market.policy)
        self.cpus = self.shared(("cpus", *board), self._cpus)
        self.memory = self.shared(("memory", *slots), self._memory)
        if market.request.offload and offloads(platform):
            self.cpus, self.memory = self._with_bandwidth()
        self._port = port_gbit_s(platform, policy, grade)
        nic = (self._own_port(), self._named(Nic), holds, self._port)
        self.nics = self.shared(("nics", *nic), self._nics)
        bank = (
            self._named(Psu),
            platform.psu_forms,
            platform.psu_watts,
            *supply_patterns(platform),
            needs_psu(platform),
            racked(platform),
            holds,
            at_most(ATX_SUPPLIES, platform, policy, grade),
        )
        self.bank = self._number("bank", *bank)
        self.banks = self.shared(("banks", *bank), self._banks)
        self.pools: dict[tuple[int, ...], list[Option]] = {}
        self._disks = self.admitted(Drive)
        # Consumer drives that a policy of the buyer's own lets in are left to the solver.
        self._fitting = self.shared(
            ("nvme", self._bays),
            lambda: [
                drive
                for drive in self._disks
                if needs_lanes(drive)
                and not (self._enterprise and of_consumers(drive))
                and not for_system_alone(drive, self._in_bays)
            ],
        )

    def shared(self, key: tuple[object, ...], make: Callable[[], list[T]]) -> list[T]:
        """What `make` gives, made once for all platforms with the same `key`."""
        if key not in self._stock:
            self._stock[key] = make()
        return self._stock[key]

    def _number(self, *facts: object) -> int:
        """One number for all platforms of equal facts, quicker to look up than these."""
        return int(self.shared(("number", *facts), lambda: [len(self._stock)])[0])

    def admitted(self, kind: type[P]) -> list[P]:
        """Parts of a category that no rule refuses in the platform; one list for all in which rules judge alike."""
        alike = self.refusals.alike(self.platform, kind)
        return self.shared(
            ("admitted", *alike), lambda: self.refusals.admitted(self.platform, kind, self._parts.get(kind, []))
        )

    @cached_property
    def without(self) -> list[tuple[Refusal, int]]:
        """Of each category that nodes need and that rules leave no part of: what they say of the first part on sale,
        and how many parts there are."""
        needed = (Cpu, self.cpus), (Memory, self.memory), (Nic, self.nics), (Psu, self.banks)
        sold = [self._parts.get(kind, []) for kind, options in needed if not options]
        refused = [parts for parts in sold if parts and not self.admitted(type(parts[0]))]
        said = [(self.refusals.of_part(self.platform, parts[0]), len(parts)) for parts in refused]
        return [(why, number) for why, number in said if why is not None]

    def _named(self, kind: type[Part]) -> int:
        """One number for all platforms that admit the same parts of a category."""
        return self._number(kind, *(part.id for part in self.admitted(kind)))

    def with_demanded(self, options: list[Option], kind: type[Part]) -> list[Option]:
        """Of options of which a node takes one, those with all demanded parts of a kind; all where none is.

        Sound: no build without these parts meets `--include`."""
        wanted = {part.id for part in self.demanded if isinstance(part, kind)}
        return [option for option in options if wanted <= {part for part, _ in option.parts}] if wanted else options

    def option(
        self, *parts: tuple[Part, int], watts: int = 0, lanes: int = 0, pcie_gen: int = 9, size: int = 0
    ) -> Option:
        """An option of priced parts."""
        cents = sum(self.market.cents(part.id) * pieces for part, pieces in parts)
        return Option(cents, watts, tuple((part.id, pieces) for part, pieces in parts), lanes, pcie_gen, size)

    def _cpus(self) -> list[Option]:
        """CPUs of all sockets with their coolers."""
        platform, market = self.platform, self.market
        if not needs_cpu(platform):
            held = inside(platform, market.catalog, Cpu)
            lanes = sum(cpu_lanes(cpu, platform.sockets) for cpu, _ in held)
            gen = min((cpu.pcie_gen or 0 for cpu, _ in held), default=0)
            return [Option(0, 0, (), lanes, gen, sum(cpu.cores * qty for cpu, qty in held))]
        out = []
        for cpu in self.admitted(Cpu):
            bill: list[tuple[Part, int]] = [(cpu, platform.sockets)]
            if needs_cooler(platform):
                coolers = [cooler for cooler in self.admitted(Cooling) if cooler.role == "cpu-cooler"]
                asked = [cooler for cooler in coolers if cooler in self.demanded]
                fits = sorted(
                    (market.cents(cooler.id), cooler.id, cooler)
                    for cooler in asked or coolers
                    if cooler_fits(cooler, cpu)
                )
                if not fits:
                    continue
                bill.append((fits[0][2], platform.sockets))
            watts, lanes = (cpu.tdp_w or 0) * platform.sockets, cpu_lanes(cpu, platform.sockets)
            out.append(
                self.option(
                    *bill, watts=watts, lanes=lanes, pcie_gen=cpu.pcie_gen or 0, size=cpu.cores * platform.sockets
                )
            )
        return cheapest_first(self.with_demanded(out, Cpu))

    def _memory(self) -> list[Option]:
        """Fillings of all channels; a complete system may stay as delivered."""
        platform, catalog = self.platform, self.market.catalog
        held_gb = sum(held_module.capacity_gb * number for held_module, number in inside(platform, catalog, Memory))
        counts = modules_to_buy(platform, catalog)
        delivered = [Option(0, 0, size=held_gb)] * (0 in counts)
        filled = [
            self.option((module, number), watts=module.power_w * number, size=held_gb + module.capacity_gb * number)
            for module in self.admitted(Memory)
            for number in counts
            if number
        ]
        return cheapest_first(self.with_demanded([*delivered, *filled], Memory))

    def pair_gb_s(self, cpu: Option, memory: Option) -> int:
        """GB/s that routed experts find with these CPUs and modules; 0 where they can't lie in host memory."""
        if not (cpu.parts and memory.parts and offloads(self.platform)):
            return 0
        parts, (module, count) = self.market.catalog.parts, memory.parts[0]
        part, m = parts[cpu.parts[0][0]], parts[module]
        assert isinstance(part, Cpu) and isinstance(m, Memory)
        return bandwidth_gb_s(self.platform, part, m, count, self.market.policy)

    def _with_bandwidth(self) -> tuple[list[Option], list[Option]]:
        """CPUs and memory with the most bandwidth that each reaches, and the CPUs' compute."""
        cpus, memory = self.cpus, self.memory
        parts = self.market.catalog.parts
        pairs = {(i, j): self.pair_gb_s(c, m) for i, c in enumerate(cpus) for j, m in enumerate(memory)}
        out = []
        for i, c in enumerate(cpus):
            part = parts[c.parts[0][0]] if c.parts else None
            gflops = gflops_class(part, self.platform.sockets) if isinstance(part, Cpu) else 0
            most = max((pairs[i, j] for j in range(len(memory))), default=0)
            out.append(replace(c, gb_s=most, gflops=gflops))
        return out, [
            replace(m, gb_s=max((pairs[i, j] for i in range(len(cpus))), default=0)) for j, m in enumerate(memory)
        ]

    def _own_port(self) -> bool:
        """Whether a node has a port as fast as its grade asks without a card that is bought."""
        cards = inside(self.platform, self.market.catalog, Nic)
        return fastest_port(self.platform, (card for card, _ in cards)) >= self._port

    def _nics(self) -> list[Option]:
        """The one network port that every node needs, or the cards that are demanded."""
        if asked := [part for part in self.demanded if isinstance(part, Nic)]:
            watts, lanes = sum(card.power_w for card in asked), sum(card.lanes for card in asked)
            return [self.option(*((card, 1) for card in asked), watts=watts, lanes=lanes)]
        if self._own_port():
            return [Option(0, 0)]
        return cheapest_first(
            self.option((card, 1), watts=card.power_w, lanes=card.lanes)
            for card in self.admitted(Nic)
            if card.gbit_s >= self._port
        )

    def _banks(self) -> list[Option]:
        """Accepted sets of supplies with their cords."""
        platform, market = self.platform, self.market
        if not needs_psu(platform):
            held = included_bank(platform, market.catalog)
            return [self._with_cords(Option(0, 0, bank=held), held)]
        out = []
        for supply in self.admitted(Psu):
            for fitted, needed in supply_patterns(platform):
                if not supplies_sold(platform, supply, fitted, market.policy, market.request.grade):
                    continue
                held = bank(supply, fitted, needed)
                option = Option(market.cents(supply.id) * fitted, 0, ((supply.id, fitted),), bank=held)
                out.append(self._with_cords(option, held))
        return cheapest_first(self.with_demanded(out, Psu))

    def _with_cords(self, option: Option, held: PsuBank | None) -> Option:
        market = self.market
        if held is None or held.inlet is None or not racked(self.platform) or "racks" in market.request.have:
            return option
        cords = sorted((market.cents(link.id), link.id) for link in cord_links(market.links)[held.inlet])
        if not cords:
            return Option(NEVER, 0, bank=held)
        cents, cord = cords[0]
        return Option(option.cents + cents * held.fitted, 0, (*option.parts, (cord, held.fitted)), bank=held)

    def drives(self, need_gb: int) -> list[Option]:
        """NVMe of `need_gb`, with disks of one kind for the rest of a training set, and a piece of each drive that is
        demanded."""
        asked = [drive for drive in self.demanded if isinstance(drive, Drive)]
        return (
            cheapest_first(self._beside(option, asked) for option in self._sets(need_gb))
            if asked
            else self._sets(need_gb)
        )

    def _beside(self, option: Option, asked: list[Drive]) -> Option:
        """An option with a piece of each of these drives that it lacks."""
        held = {part for part, _ in option.parts}
        more = self._drive_option(tuple(drive for drive in asked if drive.id not in held))
        return Option(
            option.cents + more.cents, option.watts + more.watts, option.parts + more.parts, option.lanes + more.lanes
        )

    def _sets(self, need_gb: int) -> list[Option]:
        data_gb = self.market.request.dataset_gb
        if not data_gb:
            return self.nvme(need_gb)
        held = sum(drive.capacity_gb * qty for drive, qty in inside(self.platform, self.market.catalog, Drive))
        out = []
        for option in self.nvme(need_gb)[:DEPTH]:
            missing = need_gb + data_gb - held - option.size
            if missing <= 0 or ("storage" in self.platform.includes and not held):
                out.append(option)
                continue
            for drive in self._disks:
                pieces = -(-missing // drive.capacity_gb)
                if pieces > bays_of(drive, self.platform) or for_system_alone(drive, self._in_bays):
                    continue
                # Bays are shared with the drives that hold the weights and those of the system.
                whole = self._together(option, self._drive_option((drive,) * pieces))
                if self._finds_bays(whole):
                    out.append(whole)
        return cheapest_first(out)

    def nvme(self, need_gb: int) -> list[Option]:
        """The cheapest NVMe sets of `need_gb` that read fast enough: two pieces of any kinds, or as many as it takes
        of one kind."""
        return self.shared(("with system", need_gb, self._bays), lambda: self._with_system(self._data(need_gb)))

    def _data(self, need_gb: int) -> list[Option]:
        """The same without the drives that the system lies on."""
        return self.shared(("bundles", need_gb, self._bays), lambda: self._bundles(need_gb))

    def _with_system(self, data: list[Option]) -> list[Option]:
        """Sets of drives with those that the system lies on, where the grade asks for them."""
        if not self._boot:
            return data
        return cheapest_first(
            replace(both, size=option.size)
            for option in data[:DEPTH]
            for drive in self._system_kinds()[:DEPTH]
            if self._finds_bays(both := self._together(option, self._drive_option((drive,) * self._boot)))
        )

    def _system_kinds(self) -> list[Drive]:
        """Drives that the system may lie on, the cheapest first."""
        kinds = [drive for drive in self._disks if may_boot(drive, self.market.policy)]
        return self.shared(
            ("system", self._bays), lambda: sorted(kinds, key=lambda drive: (self.market.cents(drive.id), drive.id))
        )

    def _together(self, one: Option, other: Option) -> Option:
        """Two sets of drives as one."""
        pieces = Counter(dict(one.parts)) + Counter(dict(other.parts))
        lanes, watts = one.lanes + other.lanes, one.watts + other.watts
        return Option(one.cents + other.cents, watts, tuple(pieces.items()), lanes, one.pcie_gen, one.size + other.size)

    def _finds_bays(self, option: Option) -> bool:
        """Whether all drives of a set and those inside the platform find bays."""
        platform, catalog = self.platform, self.market.catalog
        bought = [(catalog.parts[part], pieces) for part, pieces in option.parts]
        drives = [*((drive, n) for drive, n in bought if isinstance(drive, Drive)), *inside(platform, catalog, Drive)]
        return all(
            sum(n for drive, n in drives if confined(drive, platform, forms)) <= limit
            for forms, limit in bay_limits(platform)
        )

    def least_drives(self, need_gb: int) -> int:
        """Cents below which no set of drives will do, mixed sets of three and more pieces included."""
        asked = sum(self.market.cents(drive.id) for drive in self.demanded if isinstance(drive, Drive))
        known = self._data(need_gb)
        # Sound: a set of one kind, or of two pieces, costs what the cheapest of these does at least; any other has
        # three pieces or more.
        cheapest = self.shared(("least", self._bays), self._cheapest_nvme)[0]
        # Sound: the system's drives are bought beside those for data.
        kinds = self._system_kinds() if self._boot else []
        system = self._boot * (self.market.cents(kinds[0].id) if kinds else NEVER)
        return min(NEVER, max(asked, min(3 * cheapest, known[0].cents if known else NEVER) + system))

    def _cheapest_nvme(self) -> list[int]:
        """Cents of the cheapest NVMe drive that fits, alone in its list; NEVER without one."""
        return [min((self.market.cents(drive.id) for drive in self._fitting), default=NEVER)]

    def _bundles(self, need_gb: int) -> list[Option]:
        platform, least = self.platform, self.market.policy.whole("storage.read_mb_s")
        contained = inside(platform, self.market.catalog, Drive)
        if "storage" in platform.includes and not contained:
            return [Option(0, 0)]
        held = [(drive, qty) for drive, qty in contained if needs_lanes(drive)]
        need_gb -= sum(drive.capacity_gb * qty for drive, qty in held)
        least -= sum(drive.read_mb_s * qty for drive, qty in held)
        if need_gb <= 0 and least <= 0:
            return [Option(0, 0)]
        priced = [(self.market.cents(drive.id), drive) for drive in self._fitting]
        sets: list[tuple[int, tuple[Drive, ...]]] = []
        for place, (cents, drive) in enumerate(priced):
            pieces = max(1, -(-need_gb // drive.capacity_gb), -(-least // drive.read_mb_s))
            # Sound: pieces of one kind find bays only where there are as many (constraints/rules/fit.py, bay_limits).
            if pieces <= bays_of(drive, platform):
                sets.append((pieces * cents, (drive,) * pieces))
            # Where one piece of it will do, a second one beside it is of no use.
            for more_cents, other in priced[place + 1 :] if pieces > 1 else ():
                large = drive.capacity_gb + other.capacity_gb >= need_gb
                fast = drive.read_mb_s + other.read_mb_s >= least
                if large and fast:
                    sets.append((cents + more_cents, (drive, other)))
        sets.sort(key=lambda each: each[0])
        top = sets[DEPTH - 1][0] if len(sets) >= DEPTH else NEVER
        return cheapest_first(self._drive_option(drives) for cents, drives in sets if cents <= top)

    def _drive_option(self, drives: tuple[Drive, ...]) -> Option:
        count = Counter(drives)
        watts, size = sum(drive.power_w for drive in drives), sum(drive.capacity_gb for drive in drives)
        lanes = NVME_LANES * sum(needs_lanes(drive) for drive in drives)
        return self.option(*count.items(), watts=watts, lanes=lanes, size=size)
