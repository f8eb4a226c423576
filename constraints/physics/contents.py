"""What stands inside a complete system, and what a platform's memory slots take."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from catalogs.load import Catalog
from catalogs.schema import Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Platform
from constraints.policy import table

Population = Literal["full", "partial", "uneven"]


def inside(platform: Platform, catalog: Catalog, cls: type) -> list[tuple[Any, int]]:
    """What a complete system contains of a class."""
    return [
        (catalog.parts[content.part], content.qty)
        for content in platform.contents
        if isinstance(catalog.parts[content.part], cls)
    ]


def gpus_inside(platform: Platform, catalog: Catalog) -> tuple[str, int]:
    """(GPU id, count) inside a complete system; ("", 0) when it has none."""
    if not platform.contents:
        return "", 0
    for board, qty in inside(platform, catalog, GpuBoard):
        return board.gpu, board.gpus * qty
    for gpu, qty in inside(platform, catalog, Gpu):
        return gpu.id, qty
    return "", 0


def holders(gpu: Gpu, catalog: Catalog) -> list[GpuBoard | Platform]:
    """Boards that carry a GPU, and complete systems with it inside."""
    found: list[GpuBoard | Platform] = []
    for part in catalog.of(Kind.GPU_BOARD, Kind.PLATFORM, Kind.SYSTEM):
        held = (
            part.gpu
            if isinstance(part, GpuBoard)
            else gpus_inside(part, catalog)[0]
            if isinstance(part, Platform)
            else ""
        )
        if held == gpu.id and isinstance(part, GpuBoard | Platform):
            found.append(part)
    return found


def dimm_counts(platform: Platform) -> list[int]:
    """Module counts that fill every wired channel equally, one or two modules each."""
    channels = min(platform.channels_per_cpu * platform.sockets, platform.dimm_slots)
    return [count for count in (channels, 2 * channels) if 0 < count <= platform.dimm_slots]


def population(platform: Platform, modules: int) -> Population:
    """How a number of equal modules fills the channels: all of them, a part of them evenly over sockets and channels,
    or unevenly."""
    counts = dimm_counts(platform)
    if modules in counts:
        return "full"
    even = (
        modules >= 2 * platform.sockets > 0
        and modules % platform.sockets == 0
        and any(count % modules == 0 for count in counts)
    )
    return "partial" if even else "uneven"


@cache
def populations() -> dict[str, tuple[int, ...]]:
    """CPU generation -> numbers of modules per CPU that its makers' population guides support, balanced or not
    (constraints/data/populations.csv)."""
    return {row["generation"]: tuple(map(int, row["modules_per_cpu"].split("|"))) for row in table("populations")}


def supported_counts(platform: Platform) -> list[int]:
    """Numbers of modules in all sockets that guides support for the platform's CPUs, each socket with as many, and that
    the slots hold; every slot filled is what the slots are for. Empty where no guide of the CPUs is known."""
    known = [populations().get(generation) for generation in platform.cpu_generations]
    if not platform.sockets or not known or None in known:
        return []
    each = set.intersection(*(set(counts) for counts in known if counts is not None))
    every = {count * platform.sockets for count in each} | {platform.dimm_slots}
    return sorted(count for count in every if 0 < count <= platform.dimm_slots)


def interchangeable(modules: Iterable[Memory]) -> bool:
    """Whether modules differ by maker and speed alone: generation, type and capacity are the same."""
    return len({(module.mem_gen, module.dimm_type, module.capacity_gb) for module in modules}) <= 1


def modules_to_buy(platform: Platform, catalog: Catalog) -> list[int]:
    """Numbers of equal modules that `solve` buys for a node, the fewest first; 0 where it needs none.

    Into the free slots of a complete system go modules of the kind inside until every channel is filled equally; it
    stays as delivered where its own are evenly spread. Empty where no number makes the population even."""
    held = inside(platform, catalog, Memory)
    if not platform.dimm_slots:
        return [0]
    if len(held) > 1:
        return []
    have = held[0][1] if held else 0
    as_delivered = [0] if held and population(platform, have) != "uneven" else []
    return as_delivered + [count - have for count in dimm_counts(platform) if count > have]


def module_fits_inside(platform: Platform, catalog: Catalog, module: Memory) -> bool:
    """Whether a module may stand beside those inside a complete system: it is of their kind, or there are none."""
    return all(module.id == held.id for held, _ in inside(platform, catalog, Memory))


def fixed_w(platform: Platform, catalog: Catalog) -> int:
    """Power of what is inside a complete system, GPUs aside."""
    watts = 0
    for content in platform.contents:
        part = catalog.parts[content.part]
        if isinstance(part, GpuBoard):
            watts += part.overhead_w * content.qty
        elif isinstance(part, Cpu):
            watts += (part.tdp_w or 0) * content.qty
        elif isinstance(part, Memory | Drive | Nic):
            watts += part.power_w * content.qty
    return watts
