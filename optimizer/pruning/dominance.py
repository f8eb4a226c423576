"""Sound pruning: a part goes only when another is at least as good in all that any rule reads, for no more money."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any, TypeVar

from catalogs.schema import Cooling, Cpu, Drive, Kind, Memory, Nic, Part, Pdu, Platform, Psu, Rack
from constraints.model.axis import lead_days
from constraints.physics.draw import gear_w, grade_percent
from constraints.physics.offload import most_mts
from constraints.physics.weight import gear_kg
from constraints.rules.power import LOW_LINE_V
from optimizer.market.market import Market
from optimizer.pruning.enough import Enough, Kept, beaten

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

    `enough`: of a part the figures cut off at what is needed (see `Enough`), larger ones better; a part that is no
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
    for part in parts:
        # A price by quantity is no single figure: such a part neither beats nor is beaten.
        (others if market.book.prices[part.id].by_quantity else steady).append(part)
    # Cheapest first, then the better one: whatever beats a part has been kept before the part is looked at. The id
    # decides between equals, so that the same one stays in every run.
    ranked = sorted(
        steady, key=lambda part: (market.cents(part.id), tuple(-figure for figure in more(part)), less(part), part.id)
    )
    for part in ranked:
        offer = market.book.prices[part.id].offer
        seller = offer.seller if sellers and offer else ""
        group = kept.setdefault((same(part), seller), [])
        late_by = -lead_days(market.book, part.id) if late else 0
        worth = (*more(part), *(-figure for figure in less(part)), late_by)
        needed = worth if enough is None else (*enough(part), late_by)
        cents = market.cents(part.id)
        # Sound: a build with the beaten part stays admissible and gets no dearer with the other in its place
        # (docs/proof.md, Near-duplicates).
        if part.id in market.request.include or part.id in keep or not beaten(cents, worth, needed, group):
            group.append((cents, worth, needed))
            out.append(part)
    return [*out, *others]


def in_systems(market: Market) -> frozenset[str]:
    """Parts inside complete systems on sale: of these kinds alone are the modules and GPUs that fill free slots."""
    systems = [part for part in market.catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(part, Platform)]
    return frozenset(
        content.part for system in systems if system.id in market.book.prices for content in system.contents
    )


def buyable(market: Market, *, prune: bool = True) -> list[Part]:
    """Priced parts that a node may take, ordered by id; with `prune` the dominated ones are left out.

    Shares of the sum of lines keep all: a dearer part may be what brings a share down."""
    have = [part for part in market.catalog.of(*IN_A_NODE) if part.id in market.book.prices]
    # Sound only where less money is better: under a limit on shares a dearer line can make a build admissible.
    if not prune or market.request.shares or not market.prunes_by_price:
        return have
    kept: list[Part] = [
        *_cpus(market, of_kind(have, Cpu)),
        *_modules(market, of_kind(have, Memory)),
        *_supplies(market, of_kind(have, Psu)),
        *_drives(market, of_kind(have, Drive)),
        *_cards(market, of_kind(have, Nic)),
        *_cooling(market, of_kind(have, Cooling)),
        *_racks(market, of_kind(have, Rack)),
        *_pdus(market, of_kind(have, Pdu)),
        *(part for part in have if part.kind in (Kind.GPU_BOARD, Kind.BRIDGE)),
    ]
    return sorted(kept, key=lambda part: part.id)


def of_kind(parts: Iterable[Part], kind: type[P]) -> list[P]:
    """Those of the parts that are of a class."""
    return [part for part in parts if isinstance(part, kind)]


def cpu_group(cpu: Cpu) -> tuple[object, ...]:
    """What two CPUs must share for one to replace the other."""
    return cpu.socket, cpu.generation, cpu.mem_gen, frozenset(cpu.dimm_types), cpu.max_sockets


def cpu_slots(cpu: Cpu) -> tuple[int, ...]:
    """What a CPU gives to cards and drives; of an unknown figure the least."""
    return cpu.lanes_1p or 0, cpu.lanes_2p or 0, cpu.pcie_gen or 0


def cpu_memory(cpu: Cpu) -> tuple[int, ...]:
    """What a CPU gives to experts in host memory; an unknown number of channels is the board's."""
    return cpu.mem_channels or 99, most_mts(cpu, "RDIMM"), most_mts(cpu, "MRDIMM")


def module_group(module: Memory) -> tuple[object, ...]:
    """What two memory modules must share for one to replace the other."""
    return module.mem_gen, module.dimm_type


def drive_group(drive: Drive) -> tuple[object, ...]:
    """What two drives must share for one to replace the other: servers do not take those for desktops, nor lay their
    system on them."""
    return drive.media, drive.forms


def _cpus(market: Market, cpus: list[Cpu]) -> list[Cpu]:
    def more(cpu: Cpu) -> tuple[float, ...]:
        return (cpu.cores, *cpu_slots(cpu), *(cpu_memory(cpu) if market.request.offload else ()))

    return undominated(market, cpus, cpu_group, more, lambda cpu: (cpu.tdp_w or 0,))


def _modules(market: Market, modules: list[Memory]) -> list[Memory]:
    def more(module: Memory) -> tuple[float, ...]:
        # Experts in host memory: its MT/s carries throughput then.
        return (module.capacity_gb, module.mts) if market.request.offload else (module.capacity_gb,)

    return undominated(
        market, modules, module_group, more, lambda module: (module.power_w,),
        keep=in_systems(market),
    )  # fmt: skip


def _supplies(market: Market, supplies: list[Psu]) -> list[Psu]:
    return undominated(
        market, supplies, lambda supply: (supply.form, supply.watts, supply.inlet),
        lambda supply: (supply.watts_low_line, grade_percent(supply.efficiency, market.policy)), lambda supply: (),
    )  # fmt: skip


def _drives(market: Market, drives: list[Drive]) -> list[Drive]:
    request, enough = market.request, Enough(market)
    wanted = [drive for drive in drives if drive.media in NVME or request.dataset_gb or drive.id in request.include]
    return undominated(
        market, wanted, drive_group,
        lambda drive: (drive.capacity_gb, drive.read_mb_s), lambda drive: (drive.power_w,),
        lambda drive: (*enough.drive(drive), -drive.power_w),
    )  # fmt: skip


def _cards(market: Market, cards: list[Nic]) -> list[Nic]:
    return undominated(
        market, cards, lambda card: (card.form, card.fabrics, card.rdma, card.connectors, card.gbit_s),
        lambda card: (card.ports,), lambda card: (card.power_w, card.lanes),
    )  # fmt: skip


def _cooling(market: Market, cooling: list[Cooling]) -> list[Cooling]:
    return undominated(
        market, cooling, lambda unit: (unit.role, unit.medium, unit.socket), lambda unit: (unit.capacity_w or 0,),
        lambda unit: (unit.rack_units, gear_kg(unit, market.policy), gear_w(unit, market.policy)),
    )  # fmt: skip


def _racks(market: Market, racks: list[Rack]) -> list[Rack]:
    return undominated(market, racks, lambda rack: 0, lambda rack: (rack.rack_units, rack.load_kg), lambda rack: ())


def _pdus(market: Market, pdus: list[Pdu]) -> list[Pdu]:
    return undominated(
        market, pdus, lambda pdu: pdu.volts >= LOW_LINE_V,
        lambda pdu: (pdu.power_w, pdu.outlets_c13, pdu.outlets_c19), lambda pdu: (),
    )  # fmt: skip
