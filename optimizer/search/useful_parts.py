"""What a family's model is made of: the parts and networks that a build under the staircase may need.

A part goes when its extra price over the bound does not fit under the staircase, or when another part is no dearer and
as good in all that this family's rows ask for. The model is asked for builds that cost less than those known, so that
of two parts of equal use one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from catalogs.schema import (
    Bridge,
    Cooling,
    Cpu,
    Drive,
    GpuBoard,
    Kind,
    Link,
    Memory,
    Nic,
    Part,
    Pdu,
    Platform,
    Rack,
)
from constraints.model.family_model import Candidates
from constraints.physics.contents import dimm_counts
from constraints.physics.grades import least_cores, least_ram_gb
from constraints.physics.markets import line_volts
from constraints.plan import Row
from constraints.rules.power import LOW_LINE_V
from constraints.rules.rack import node_kg
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market
from optimizer.pruning.dominance import (
    NVME,
    cpu_group,
    cpu_memory,
    cpu_slots,
    drive_group,
    module_group,
    of_kind,
    undominated,
)
from optimizer.search.bounds import Bound

ALWAYS = (Cooling, Rack, Pdu, GpuBoard, Bridge)
"""Parts that stay whatever they cost: there are few of each, and the bound counts racks and PDUs together and cooling
not at all."""


def narrowed(
    market: Market, parts: Iterable[Part], open_bounds: list[Bound], ceiling: Callable[[Row], int]
) -> tuple[Market, Candidates]:
    """Market and parts for the model of a family with these open bounds; what --include demands stays."""
    kept = affordable(market, parts, open_bounds, ceiling)
    request = market.request
    # Not argued for other axes, nor where a dearer part may be what keeps a build within its limits.
    if request.cost_axis != "money" or request.shares or request.max_sellers is not None:
        return market, Candidates(kept)
    # Sound where some prices depend on quantity too: `_useful` lets parts of one price alone replace one another, piece
    # by piece, and wires are compared where all of them have one price (docs/proof.md, Within one family).
    # Only builds under the staircase are asked for: of two parts of equal use one is enough.
    useful = Candidates(_useful(market, kept, open_bounds))
    shared = {gear.id for gear in (*market.links, *market.switches) if not _is_cord(gear)}
    if any(market.book.prices[part].tariff is not None for part in shared):
        return market, useful
    wired = set(request.include)
    for ways in {id(ways): ways for bound in open_bounds for ways in bound.ways}.values():
        wired |= ways.wires
    # Without a price a switch, cable or optic is in no network of the model.
    prices = {part: price for part, price in market.book.prices.items() if part not in shared or part in wired}
    return replace(market, book=replace(market.book, prices=prices)), useful


def _is_cord(gear: Part) -> bool:
    """Whether it brings power, which networks do not."""
    return isinstance(gear, Link) and gear.medium == "power"


def affordable(
    market: Market, parts: Iterable[Part], open_bounds: list[Bound], ceiling: Callable[[Row], int]
) -> list[Part]:
    """Parts that a build under the staircase may hold: the bound with the part's extra price still fits.

    Sound: categories add up in the bound, each at its cheapest option, so that a build with another option costs the
    bound and the difference at least. Shared gear, coolers, boards and bridges stay."""
    keep: set[str] = {bound.node_options.platform.id for bound in open_bounds} | set(market.request.include)
    most_cents: dict[Kind, int] = {Kind.DRIVE: 0, Kind.NIC: 0}
    for bound in open_bounds:
        nodes = bound.row.key.nodes
        # Cents that a node may cost beyond its bound; rounded down, for a node's parts are bought for every node.
        room = (ceiling(bound.row) - bound.cents) // nodes
        for pool in bound.node.pools:
            keep |= {part for option in pool if option.cents - pool[0].cents <= room for part, _ in option.parts}
        # Drives and cards of any kinds go together: a piece of one may take the place of all that the bound counts.
        most_cents[Kind.DRIVE] = max(most_cents[Kind.DRIVE], room + bound.node.least_drives)
        ports = bound.node_options.nics[0].cents if nodes == 1 else 0
        most_cents[Kind.NIC] = max(most_cents[Kind.NIC], room + ports)
        for ways in bound.ways:
            for way in ways:
                if way.cents - ways[0].cents <= room * nodes:
                    keep |= set(way.node)
    kept: list[Part] = [bound.node_options.platform for bound in {id(b.node_options): b for b in open_bounds}.values()]
    for part in parts:
        loose = isinstance(part, Drive | Nic) and market.cents(part.id) <= most_cents[part.kind]
        if loose or part.id in keep or isinstance(part, ALWAYS):
            kept.append(part)
    return kept


@dataclass(frozen=True)
class _Needs:
    """What the open rows of a family ask of a part at most: beyond it a better figure does not count."""

    market: Market
    rows: list[Row]
    platforms: list[Platform]
    cores: int
    module_gb: int
    nvme_gb: float

    @staticmethod
    def of(market: Market, open_bounds: list[Bound]) -> _Needs:
        """The needs of rows of one GPU in one number per node."""
        policy, gpu = market.policy, open_bounds[0].node_options.gpu
        per_node = open_bounds[0].row.key.per_node
        rows = [bound.row for bound in open_bounds]
        platforms = [bound.node_options.platform for bound in open_bounds]
        # The fewest modules ask the most of each: one that is enough there is enough in every chassis. Rounded up, for
        # a module is too small until it holds its whole share.
        fewest = min((count for platform in platforms for count in dimm_counts(platform)), default=1)
        # Each platform asks what its grade does: what is enough for the most demanding is enough for all.
        grade = market.request.grade
        least_gb = max(least_ram_gb(per_node * gpu.vram_gb, platform, policy, grade) for platform in platforms)
        tables_gb = max(row.key.tables_gb for row in rows)
        return _Needs(
            market,
            rows,
            platforms,
            cores=max(least_cores(per_node, platform, policy, grade) for platform in platforms),
            module_gb=-(-max(least_gb, tables_gb) // fewest),
            nvme_gb=max(needed_gb(market.llm, row.plan.precision, policy, market.request) for row in rows),
        )

    @cached_property
    def on_host(self) -> bool:
        """Experts in host memory: channels and MT/s carry throughput then, and nothing is enough."""
        return any(row.plan.offload for row in self.rows)

    @cached_property
    def alone(self) -> bool:
        """Nothing shared stands beside the one node."""
        return all(row.key.nodes == 1 for row in self.rows) and all(
            "air" in platform.cooling for platform in self.platforms
        )


def _useful(market: Market, kept: list[Part], open_bounds: list[Bound]) -> list[Part]:
    """Parts that no other one of no higher price replaces in every build of the open rows."""
    needs = _Needs.of(market, open_bounds)
    cpus = _cpus(needs, of_kind(kept, Cpu))
    compared = (Cpu, Memory, Drive, Rack, Pdu, Cooling)
    return [
        *(part for part in kept if not isinstance(part, compared)),
        *cpus,
        *_modules(needs, of_kind(kept, Memory)),
        *_drives(needs, of_kind(kept, Drive)),
        *_cooling(needs, of_kind(kept, Cooling), cpus),
        *_racks(needs, of_kind(kept, Rack)),
        *_pdus(needs, of_kind(kept, Pdu)),
    ]


def _cpus(needs: _Needs, cpus: list[Cpu]) -> list[Cpu]:
    def more(cpu: Cpu) -> tuple[float, ...]:
        if needs.on_host:
            return cpu.cores, *cpu_slots(cpu), *cpu_memory(cpu)
        # Compared by one CPU's cores: one that has enough by itself has enough in any number of sockets.
        return min(cpu.cores, needs.cores), *cpu_slots(cpu)

    return undominated(needs.market, cpus, cpu_group, more, lambda cpu: (cpu.tdp_w or 0,))


def _modules(needs: _Needs, modules: list[Memory]) -> list[Memory]:
    def more(module: Memory) -> tuple[float, ...]:
        if needs.on_host:
            return module.capacity_gb, module.mts
        return (min(module.capacity_gb, needs.module_gb),)

    # Beside modules inside a system go modules of their kind alone: no other one takes their place.
    held = {content.part for platform in needs.platforms for content in platform.contents}
    return undominated(
        needs.market, modules, module_group, more,
        lambda module: (module.power_w,), keep=held,
    )  # fmt: skip


def _drives(needs: _Needs, drives: list[Drive]) -> list[Drive]:
    read_mb_s = needs.market.policy.whole("storage.read_mb_s")

    def more(drive: Drive) -> tuple[float, ...]:
        # A training set goes on top of what the weights need, on as many pieces as it takes: no size is enough.
        if needs.market.request.dataset_gb or drive.media not in NVME:
            return drive.capacity_gb, drive.read_mb_s
        return min(drive.capacity_gb, needs.nvme_gb), min(drive.read_mb_s, read_mb_s)

    return undominated(needs.market, drives, drive_group, more, lambda drive: (drive.power_w,))


def _cooling(needs: _Needs, cooling: list[Cooling], cpus: list[Cpu]) -> list[Cooling]:
    """CPU coolers count up to the hottest CPU of their socket; all other cooling stays."""
    hottest_w: dict[str, int] = {}
    for cpu in cpus:
        hottest_w[cpu.socket] = max(hottest_w.get(cpu.socket, 0), cpu.tdp_w or 0)
    include = needs.market.request.include
    coolers = [unit for unit in cooling if unit.role == "cpu-cooler"]
    return [
        *(unit for unit in cooling if unit.role != "cpu-cooler"),
        *undominated(
            needs.market,
            [cooler for cooler in coolers if cooler.socket in hottest_w or cooler.id in include],
            lambda cooler: cooler.socket,
            lambda cooler: (min(cooler.capacity_w or 0, hottest_w.get(cooler.socket or "", 0)),),
            lambda cooler: (),
        ),
    ]


def _racks(needs: _Needs, racks: list[Rack]) -> list[Rack]:
    # What stands beside the nodes, or several of them in one rack, may need all of its height and load.
    if not needs.alone:
        return racks
    units = max(platform.rack_units or 1 for platform in needs.platforms)
    kg = max(node_kg(platform, needs.market.policy) for platform in needs.platforms)
    return undominated(
        needs.market,
        racks,
        lambda rack: 0,
        lambda rack: (min(rack.rack_units, units), min(rack.load_kg, kg)),
        lambda rack: (),
    )


def _pdus(needs: _Needs, pdus: list[Pdu]) -> list[Pdu]:
    """Those for the line; what --include demands stays."""
    request, policy = needs.market.request, needs.market.policy
    high = line_volts(request, policy) >= LOW_LINE_V
    return [pdu for pdu in pdus if (pdu.volts >= LOW_LINE_V) == high or pdu.id in request.include]
