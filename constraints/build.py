"""A finished build and everything plain arithmetic can read off it. Shares nothing with the CP-SAT model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from catalogs.errors import InputError
from catalogs.gpu_names import part_named
from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.message import joined
from catalogs.schema import (
    Cooling,
    Cpu,
    Drive,
    Efficiency,
    Gpu,
    GpuBoard,
    Kind,
    Link,
    Memory,
    Nic,
    Part,
    Platform,
    Psu,
    Switch,
)
from constraints.physics.circuits import Region
from constraints.physics.draw import gear_w, grade_percent, stands_in_a_rack, wall_w
from constraints.physics.markets import line_volts, region_at
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.prices.purchase import PriceBook
from constraints.request import Request

UNKNOWABLE = ("memory", "drive", "nic", "psu", "cooling")
"""Categories of which a description of a machine may say nothing; GPUs, CPUs and platform have to be known."""


@dataclass(frozen=True)
class Build:
    """`nodes` equal servers of `node` parts (id -> pieces bought per node) and `shared` parts (id -> pieces in all).

    What a description of a machine leaves open: `unknown` are the categories (of UNKNOWABLE) of which it does not say
    what the machine has, `memory_gb` and `storage_gb` the RAM and the drives of a node where it gives nothing but their
    capacity. No build that is found by `solve` leaves anything open."""

    nodes: int
    node: Mapping[str, int]
    shared: Mapping[str, int]
    unknown: frozenset[str] = frozenset()
    memory_gb: int | None = None
    storage_gb: int | None = None

    def total(self) -> dict[str, int]:
        """Quantity of each bought part in the whole build."""
        out = dict(self.shared)
        for part, qty in self.node.items():
            out[part] = out.get(part, 0) + qty * self.nodes
        return out


@dataclass(frozen=True)
class PsuBank:
    """The supplies of one node: `fitted` pieces of `watts`, of which `needed` must carry the load."""

    fitted: int
    needed: int
    watts: int
    watts_low_line: int
    efficiency: Efficiency
    inlet: str | None
    """None where nobody states it: no cord, outlet or current is judged then."""
    atx: bool


@dataclass(frozen=True)
class Case:
    """A build with its request: what `check` of every rule sees."""

    build: Build
    catalog: Catalog
    request: Request
    policy: Policy
    llm: Llm
    book: PriceBook
    plan: Plan
    row: RowKey | None = None
    exists: bool = False
    """The machine stands already: whether its parts can be bought is no condition, and populations that makers support
    are warned of, not refused."""

    @cached_property
    def priced(self) -> dict[str, int]:
        """Pieces in the whole build of each part that has a price."""
        return {part: qty for part, qty in self.build.total().items() if qty and part in self.book.prices}

    @cached_property
    def unpriced(self) -> list[str]:
        """Parts of the build that have no price: what they cost is unknown, and no sum holds it."""
        prices = self.book.prices
        return sorted(
            part for part, qty in self.build.total().items() if qty and (part not in prices or prices[part].no_price)
        )

    @cached_property
    def platform(self) -> Platform:
        found = [
            self.catalog.parts[p] for p in self.build.node if self.catalog.parts[p].kind in (Kind.PLATFORM, Kind.SYSTEM)
        ]
        if len(found) != 1 or self.build.node[found[0].id] != 1:
            names = ", ".join(p.id for p in found) or "none"
            raise InputError(f"a node needs exactly one platform or system, found: {names}", "no-platform")
        assert isinstance(found[0], Platform)
        return found[0]

    @cached_property
    def node_all(self) -> dict[str, int]:
        """Parts of one node, with what is inside a complete system."""
        out = {p: q for p, q in self.build.node.items() if q}
        for inside in self.platform.contents:
            out[inside.part] = out.get(inside.part, 0) + inside.qty
        return out

    def parts(self, cls: type[Part], *, shared: bool = False) -> list[tuple[Part, int]]:
        """Parts of a class with quantities, of one node or of what is shared."""
        source = self.build.shared if shared else self.node_all
        return [(self.catalog.parts[p], q) for p, q in sorted(source.items()) if isinstance(self.catalog.parts[p], cls)]

    @cached_property
    def gpus(self) -> dict[str, int]:
        """GPU id -> count per node, boards opened."""
        out: dict[str, int] = {}
        for part, qty in self.parts(Gpu):
            out[part.id] = out.get(part.id, 0) + qty
        for part, qty in self.parts(GpuBoard):
            assert isinstance(part, GpuBoard)
            out[part.gpu] = out.get(part.gpu, 0) + qty * part.gpus
        return out

    @cached_property
    def cards(self) -> list[tuple[Gpu, int]]:
        """Kinds of GPUs with their number in a node; several kinds are a mix, which llama.cpp alone starts."""
        found = [(self.catalog.parts[gpu], pieces) for gpu, pieces in self.gpus.items()]
        return [(gpu, pieces) for gpu, pieces in found if isinstance(gpu, Gpu)]

    @property
    def mixed(self) -> bool:
        return len(self.gpus) > 1

    @cached_property
    def gpu(self) -> Gpu:
        if len(self.gpus) != 1:
            raise InputError(f"a node needs GPUs of one kind, found: {', '.join(self.gpus) or 'none'}", "no-gpu")
        return self.cards[0][0]

    @cached_property
    def per_node(self) -> int:
        return sum(self.gpus.values())

    @property
    def unified(self) -> bool:
        """Whether GPUs and CPUs share one memory."""
        return any(gpu.form_factor == "integrated" for gpu, _ in self.cards)

    @cached_property
    def vram_gb(self) -> int:
        """GPU memory of a node."""
        return sum(pieces * gpu.vram_gb for gpu, pieces in self.cards)

    @cached_property
    def gpus_w(self) -> int:
        """Power of a node's GPUs."""
        return sum(pieces * self.gpu_w(gpu) for gpu, pieces in self.cards)

    def gpu_w(self, gpu: Gpu) -> int:
        """Power of one GPU: its cap, or its TDP where the slot can't carry that (rule fit fails it)."""
        return power_cap(gpu, self.platform) or gpu.tdp_w or 0

    @cached_property
    def power_unknown(self) -> str:
        """GPUs and CPUs whose draw nobody published, where no figure of a complete system stands for it: what a node
        draws is unknown then. Rule fit fails them."""
        gpus = [gpu for gpu, _ in self.cards if not self.gpu_w(gpu)]
        cpus = [
            part
            for part, _ in self.parts(Cpu)
            if isinstance(part, Cpu) and part.tdp_w is None and part.id in self.build.node
        ]
        return joined(unknown.name or unknown.id for unknown in [*gpus, *cpus])

    @cached_property
    def static_w(self) -> int:
        """Power of one node's parts, fans not counted; without those of `power_unknown`."""
        watts = self.gpus_w + self.platform.overhead_w
        for part_id, qty in self.node_all.items():
            part = self.catalog.parts[part_id]
            if isinstance(part, GpuBoard):
                watts += qty * part.overhead_w
            elif isinstance(part, Cpu):
                watts += qty * (part.tdp_w or 0)
            elif isinstance(part, Memory | Drive | Nic):
                watts += qty * part.power_w
            elif isinstance(part, Link) and part.kind == Kind.OPTIC:
                watts += qty * int(-(-part.power_w // 1))
        return watts

    @cached_property
    def load_w(self) -> int:
        """Worst-case load of one node with fans on its supplies; of a complete system at least what its maker
        publishes."""
        fan = fan_percent(self.platform, self.policy)
        load = -(-100 * self.static_w // (100 - fan))
        return max(load, published_load_w(self.platform, self.catalog, self.policy))

    @cached_property
    def wall_w(self) -> int:
        """What a node takes from the wall: its load and the losses of its supplies, rounded up."""
        return wall_w(self.load_w, efficiency_percent(self.psus, self.policy))

    @cached_property
    def psus(self) -> PsuBank | None:
        """The supplies fitted; None for a built-in one."""
        bought = [(part, pieces) for part, pieces in self.parts(Psu) if part.id in self.build.node]
        if not bought and brings_supplies(self.platform):
            return included_bank(self.platform, self.catalog)
        if len(bought) != 1:
            return None
        psu, fitted = bought[0]
        assert isinstance(psu, Psu)
        needed = dict(supply_patterns(self.platform)).get(fitted, fitted)
        return bank(psu, fitted, needed)

    @property
    def liquid(self) -> bool:
        return "air" not in self.platform.cooling

    @cached_property
    def line_volts(self) -> int:
        """Volts that its supplies see."""
        return line_volts(self.request, self.policy)

    @cached_property
    def region(self) -> Region | None:
        """Whose breakers and couplers hold for it."""
        return region_at(self.line_volts, self.request)


def names(cards: Sequence[tuple[Gpu, int]]) -> str:
    """What GPUs a node has: the name of the one kind, of a mix `GeForce RTX 3090 + 2 x RTX A6000`."""
    if len(cards) == 1:
        return cards[0][0].name
    return " + ".join(f"{pieces} x {gpu.name}" if pieces > 1 else gpu.name for gpu, pieces in cards)


def power_cap(gpu: Gpu, platform: Platform) -> int:
    """Power cap of a GPU in a platform: its TDP, or the slot's limit if it can be set down to that; 0 when it can't."""
    tdp = gpu.tdp_w
    if tdp is None:
        return 1 if platform.kind == Kind.SYSTEM and platform.system_max_w else 0
    limit = platform.gpu_max_w
    if limit is None or tdp <= limit:
        return tdp
    return limit if gpu.tdp_min_w is not None and gpu.tdp_min_w <= limit else 0


def fan_percent(platform: Platform, policy: Policy) -> int:
    """Fan share of the node's power by class."""
    if "air" not in platform.cooling:
        return policy.whole("power.fan_liquid_percent")
    return policy.whole("power.fan_air_percent" if platform.rack_mount else "power.fan_tower_percent")


def supply_patterns(platform: Platform) -> list[tuple[int, int]]:
    """Accepted (fitted, needed) numbers of power supplies: N+1 is (N + 1, N), 3+3 is (6, 3); n+0 allows 1..n."""
    out: set[tuple[int, int]] = set()
    for text in platform.psu_redundancy or (f"{platform.psu_bays}+0",):
        needed, _, spare = text.partition("+")
        if int(spare or 0) == 0:
            out |= {(fitted, fitted) for fitted in range(1, int(needed) + 1)}
        elif int(needed) + int(spare) <= max(platform.psu_bays, 1):
            out.add((int(needed) + int(spare), int(needed)))
    return sorted(out)


def brings_supplies(platform: Platform) -> bool:
    """Whether its supplies come with it, or are built in: none is bought."""
    return "psu" in platform.includes or "builtin" in platform.psu_forms


def efficiency_percent(supplies: PsuBank | None, policy: Policy) -> int:
    """Efficiency of the supplies of a node; of those built in, of which nobody states it, that of Titanium."""
    return grade_percent(supplies.efficiency if supplies else "Titanium", policy)


def published_load_w(platform: Platform, catalog: Catalog, policy: Policy) -> int:
    """Load on the supplies of a complete system whose maker publishes what it takes at most; 0 of others. Makers state
    what their machines take from the wall: what the supplies lose of it is off."""
    if platform.kind != Kind.SYSTEM or not platform.system_max_w:
        return 0
    return efficiency_percent(included_bank(platform, catalog), policy) * platform.system_max_w // 100


def bank(psu: Psu, fitted: int, needed: int) -> PsuBank:
    """A bank of bought supplies."""
    return PsuBank(fitted, needed, psu.watts, psu.watts_low_line, psu.efficiency, psu.inlet, psu.form == "ATX")


def included_bank(platform: Platform, catalog: Catalog) -> PsuBank | None:
    """The supplies that come with a platform: those of its contents, else all bays of its wattage."""
    inside = [(catalog.parts[content.part], content.qty) for content in platform.contents]
    found = [(supply, qty) for supply, qty in inside if isinstance(supply, Psu)]
    options = supply_patterns(platform)
    if not options or (not found and not platform.psu_watts) or "builtin" in platform.psu_forms:
        return None
    fitted, needed = options[-1]
    if found:
        return bank(found[0][0], fitted, needed)
    watts = max(platform.psu_watts)
    inlets = {supply.inlet for supply in same_supplies(platform, catalog)}
    return PsuBank(fitted, needed, watts, 0, "Titanium", inlets.pop() if len(inlets) == 1 else None, False)


def same_supplies(platform: Platform, catalog: Catalog) -> list[Psu]:
    """Rows of the supplies that a platform comes with, where it names only their form and watts."""
    supplies = [supply for supply in catalog.of(Kind.PSU) if isinstance(supply, Psu)]
    return [
        supply
        for supply in supplies
        if supply.form in platform.psu_forms and supply.watts == max(platform.psu_watts, default=0)
    ]


def gear(case: Case) -> list[tuple[Switch | Cooling, int]]:
    """Switches and cooling gear that the nodes share, with their pieces."""
    shared = case.parts(Switch, shared=True) + case.parts(Cooling, shared=True)
    return [(part, pieces) for part, pieces in shared if isinstance(part, Switch | Cooling)]


def shared_w(case: Case) -> int:
    """Power of switches, CDUs and rear doors."""
    return sum(gear_w(part, case.policy) * pieces for part, pieces in gear(case))


def racked_w(case: Case) -> int:
    """Power of the shared gear that stands in the racks."""
    return sum(gear_w(part, case.policy) * pieces for part, pieces in gear(case) if stands_in_a_rack(part))


def total_w(case: Case) -> int:
    """Worst-case power of nodes and shared gear at the wall. Makers of switches and CDUs state what these take from the
    wall."""
    return case.wall_w * case.build.nodes + shared_w(case)


def computing_w(case: Case) -> int:
    """Worst-case power at the wall of nodes and switches, to which the PUE adds what cools them."""
    return total_w(case) - sum(
        gear_w(part, case.policy) * pieces for part, pieces in gear(case) if part.kind != Kind.SWITCH
    )


def units(case: Case) -> int:
    """Rack units of nodes, switches and CDUs."""
    return case.build.nodes * (case.platform.rack_units or 0) + sum(unit.rack_units * qty for unit, qty in gear(case))


def build_of(catalog: Catalog, nodes: int, parts: Mapping[str, int], shared: Mapping[str, int]) -> Build:
    """A Build from names; raises InputError for unknown parts and bad quantities."""
    if not 1 <= nodes <= 1000:
        raise InputError(f"number of nodes must be 1 to 1000, not {nodes}", "bad-quantity")
    for name, qty in [*parts.items(), *shared.items()]:
        if not 1 <= qty <= 100_000:
            raise InputError(f"quantity of {name!r} must be 1 to 100000, not {qty}", "bad-quantity")
    node: dict[str, int] = {}
    for name, qty in parts.items():
        part = part_named(name, catalog)
        if isinstance(part, Gpu) and part.sold_as == "board":
            boards = [
                board
                for board in catalog.of(Kind.GPU_BOARD)
                if isinstance(board, GpuBoard) and board.gpu == part.id and board.gpus == qty
            ]
            if boards:
                part, qty = boards[0], 1
        node[part.id] = node.get(part.id, 0) + qty
    return Build(nodes, node, {part_named(part_id, catalog).id: q for part_id, q in shared.items()})
