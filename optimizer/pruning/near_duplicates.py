"""Near-duplicates taken off the shelf before anything is planned: chassis, GPUs, boards, switches, cables and optics.

A part goes only when another of equal figures is at least as good in what is declared here, for no more money. Equal
means every column of its class but the descriptive and the declared ones, so that a column added later keeps parts
apart until someone argues otherwise. docs/proof.md gives the argument for each declared column.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from typing import Any

from catalogs.load import Catalog
from catalogs.schema import Bridge, Gpu, GpuBoard, Kind, Link, Part, Platform, Switch
from constraints.physics.weight import gear_kg
from constraints.rules.rack import node_kg
from optimizer.market.market import Market
from optimizer.market.options import UNBOUNDED
from optimizer.pruning.dominance import in_systems, undominated
from optimizer.pruning.enough import Enough

DESCRIPTIVE = frozenset(
    {"kind", "id", "name", "vendor", "country", "markets", "source", "notes", "aliases", "price_class", "noise_dba"}
)
"""Columns that no rule and no planner reads from a part on sale; of GPUs, whose makers' lists name vendors, the vendor
is compared beside them (`pairs_of_gpu`)."""


@cache
def _columns(cls: type[Part], without: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(column for column in cls.model_fields if column not in DESCRIPTIVE and column not in without)


def figures(part: Part, *without: str) -> tuple[Any, ...]:
    """What rules and planner read of a part, `without` some columns."""
    values = part.__dict__
    return (part.kind, *(values[column] for column in _columns(type(part), without)))


def pairs_of_platform(platform: Platform, catalog: Catalog) -> tuple[Any, ...]:
    """What the makers of two machines must list alike for one to take the other's place."""
    rows = catalog.maker_lists.get(platform.id, ())
    return tuple((row.gpu, row.most, row.complete_for, row.leaves_open, row.list_date) for row in rows)


def pairs_of_gpu(gpu: Gpu, catalog: Catalog) -> tuple[Any, ...]:
    """What makers must say alike of two GPUs: the same numbers in the same machines, nothing by the same lists, and of
    the same vendor."""
    if not catalog.maker_lists:
        return ()
    listed = [catalog.qualified(platform, gpu.id) for platform in sorted(catalog.maker_lists)]
    open_by = [row.id for rows in catalog.maker_lists.values() for row in rows if gpu.id in row.leaves_open]
    return gpu.vendor, tuple((row.platform, row.most) for row in listed if row is not None), tuple(open_by)


def thinned(market: Market) -> Market:
    """The market without the near-duplicates that another part beats; the front's values stay as they are.

    Where sellers, shares or another axis than money count, all stay: what a part beats there is not declared here."""
    request = market.request
    if request.cost_axis != "money" or request.shares or request.max_sellers is not None or not market.prunes_by_price:
        return market
    gpus = market.request.gpus
    on_sale = market.catalog.of(
        Kind.PLATFORM, Kind.SYSTEM, Kind.GPU, Kind.GPU_BOARD, Kind.SWITCH, Kind.CABLE, Kind.OPTIC
    )
    have = [
        part
        for part in on_sale
        if part.id in market.book.prices and (not isinstance(part, Gpu) or not gpus or part.id in gpus)
    ]
    kept = {part.id for part in [*_platforms(market, have), *_accelerators(market, have), *_gear(market, have)]}
    prices, ledger = dict(market.book.prices), dict(market.book.ledger)
    for part in have:
        if part.id not in kept:
            del prices[part.id]
            ledger[part.id] = "another part of equal figures costs no more"
    return replace(market, book=replace(market.book, prices=prices, ledger=ledger))


def _platforms(market: Market, have: Collection[Part]) -> list[Platform]:
    policy, enough = market.policy, Enough(market)
    return undominated(
        market, [p for p in have if isinstance(p, Platform)],
        lambda p: figures(p, "overhead_w", "weight_kg", "nvme_bays", "m2_slots", "nic_slots", "cpu_max_w",
                          "chipset_lanes", "inlet_max_c") + pairs_of_platform(p, market.catalog),
        lambda p: (p.nvme_bays, p.m2_slots, p.nic_slots, UNBOUNDED if p.cpu_max_w is None else p.cpu_max_w,
                   p.chipset_lanes, UNBOUNDED if p.inlet_max_c is None else p.inlet_max_c),
        lambda p: (p.overhead_w, node_kg(p, policy)), lambda p: (*enough.more(p), *(-x for x in enough.less(p))),
    )  # fmt: skip


def _accelerators(market: Market, have: Collection[Part]) -> list[Gpu | GpuBoard]:
    """GPUs are twins when nothing that throughput or a rule reads tells them apart but a lower TDP where every chassis
    that takes them gives each its TDP: neither a measurement, a bridge nor a complete system may know one of them by
    name. A board's twin carries such a twin."""
    inside = in_systems(market)
    measured = {s.gpu for s in market.calibration.curves} | market.calibration.seen.gpus
    bridges = [part for part in market.catalog.of(Kind.BRIDGE) if isinstance(part, Bridge)]
    slots: dict[str, int] = {}
    for part in market.catalog.of(Kind.PLATFORM, Kind.SYSTEM):
        if isinstance(part, Platform) and part.gpu_max_w is not None:
            slots |= {form: min(part.gpu_max_w, slots.get(form, UNBOUNDED)) for form in part.gpu_forms}

    def tdp(gpu: Gpu) -> int:
        return gpu.tdp_w or 0

    def twin(gpu: Gpu) -> tuple[Any, ...]:
        # A measurement or a system knows the card by its id: another one can't take its place.
        own = gpu.id if gpu.id in measured or gpu.id in inside else ""
        # Where a slot may hold a card below its TDP the clock, and with it throughput, depends on the TDP: not
        # compared then.
        capped = gpu.tdp_w is None or gpu.tdp_w > slots.get(gpu.form_factor, UNBOUNDED)
        joining = tuple(b.id for b in bridges if gpu.id in b.gpus)
        return (*figures(gpu, "tdp_w"), gpu.tdp_w if capped else 0, own, joining, pairs_of_gpu(gpu, market.catalog))

    def board(gpu_board: GpuBoard) -> tuple[Any, ...]:
        gpu = market.catalog.parts.get(gpu_board.gpu)
        chosen = gpu_board.gpu not in market.request.exclude and (
            not market.request.gpus or gpu_board.gpu in market.request.gpus
        )
        return (
            *figures(gpu_board, "gpu", "overhead_w"),
            chosen,
            *(twin(gpu) if isinstance(gpu, Gpu) else (gpu_board.gpu,)),
        )

    def board_w(gpu_board: GpuBoard) -> tuple[int, int]:
        gpu = market.catalog.parts.get(gpu_board.gpu)
        return gpu_board.overhead_w, tdp(gpu) if isinstance(gpu, Gpu) else 0

    gpus = undominated(market, [g for g in have if isinstance(g, Gpu)], twin, lambda g: (), lambda g: (tdp(g),))
    boards = [b for b in have if isinstance(b, GpuBoard)]
    return [*gpus, *undominated(market, boards, board, lambda b: (), board_w)]


def _gear(market: Market, have: Collection[Part]) -> list[Switch | Link]:
    return [
        *undominated(
            market, [s for s in have if isinstance(s, Switch)],
            lambda s: figures(s, "power_w", "rack_units", "weight_kg"), lambda s: (),
            lambda s: (s.power_w, s.rack_units, gear_kg(s, market.policy)),
        ),
        *undominated(
            market, [x for x in have if isinstance(x, Link)], lambda x: figures(x, "power_w"), lambda x: (),
            lambda x: (x.power_w,),
        ),
    ]  # fmt: skip
