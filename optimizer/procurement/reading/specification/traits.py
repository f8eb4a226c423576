"""What a catalog part is, by the attributes that quotes say (`Wanted.says`), and which of them make parts alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import cast

from catalogs.schema import Cpu, Drive, Gpu, Link, Memory, Nic, Part, Psu, Switch
from optimizer.procurement.reading.row_words import folded
from optimizer.procurement.reading.specification.grammar import values

Traits = Mapping[str, frozenset[object]]
ROUNDED = Decimal("0.011")
"""Sizes that differ by 1.1 % at most are one: 3.84 TB is written 3.8, 7.68 TB 7.6, never 4 or 8."""
MIXED_USE_GB = frozenset({800, 1600, 3200, 6400, 12800})
"""Sizes of drives that set more flash aside, for three writes of the whole drive a day."""


def traits(part: Part) -> Traits:
    """By attribute the values that a part has; an attribute that the catalog does not hold is missing."""
    of_kind = TRAITS.get(type(part))
    return {} if of_kind is None else of_kind(part)


def _one(value: object) -> frozenset[object]:
    return frozenset() if value is None else frozenset({value})


def _of_memory(part: Part) -> Traits:
    module = cast(Memory, part)
    fields = ("capacity_gb", "pack", "mem_gen", "mts", "dimm_type")
    return {name: _one(getattr(module, name)) for name in fields}


def _of_drive(part: Part) -> Traits:
    drive = cast(Drive, part)
    return {
        "capacity_gb": _one(drive.capacity_gb),
        "media": _one(drive.media),
        "forms": frozenset(drive.forms),
        "pcie_gen": _one(drive.pcie_gen),
        "endurance": _one("mixed" if drive.capacity_gb in MIXED_USE_GB else "read"),
    }  # fmt: skip


def _of_nic(part: Part) -> Traits:
    nic = cast(Nic, part)
    name = folded(nic.name)
    return {
        "gbit_s": _one(nic.gbit_s),
        "ports": _one(nic.ports),
        "connectors": frozenset(nic.connectors),
        "fabrics": frozenset(nic.fabrics),
        "form": _one(nic.form),
        "dpu": values("dpu", name) or _one("no"),
        "family": values("nic_family", name),
        "vendor": _one(nic.vendor),
        "rdma": _one(nic.rdma),
    }  # fmt: skip


def _of_psu(part: Part) -> Traits:
    psu = cast(Psu, part)
    return {"watts": _one(psu.watts), "efficiency": _one(psu.efficiency), "form": _one(psu.form)}


def _of_link(part: Part) -> Traits:
    link = cast(Link, part)
    return {
        "gbit_s": _one(link.gbit_s * link.links),
        "connectors": frozenset({link.end_a, link.end_b, link.end_a.removesuffix("-FLT")}),
        "breakout": _one("breakout" if values("breakout", folded(link.name)) else "no"),
        "medium": _one(link.medium),
        "length_m": _one(link.length_m),
        "fabrics": frozenset(link.fabrics),
    }  # fmt: skip


def _of_switch(part: Part) -> Traits:
    switch = cast(Switch, part)
    speeds = [speed.split(":") for speed in switch.speeds]
    return {
        "gbit_s": frozenset(int(rate) for rate, _ in speeds),
        "ports": frozenset(int(ports) for _, ports in speeds),
        "fabrics": _one(switch.fabric),
    }  # fmt: skip


def _of_cpu(part: Part) -> Traits:
    cpu = cast(Cpu, part)
    name = folded(f"{cpu.name} {cpu.generation}")
    return {
        "family": values("cpu_family", name),
        "tier": values("cpu_tier", name),
        "generation": _one(cpu.generation),
        "cores": _one(cpu.cores),
    }  # fmt: skip


def _of_gpu(part: Part) -> Traits:
    gpu = cast(Gpu, part)
    name = folded(gpu.name)
    form = "SXM" if gpu.form_factor.startswith("SXM") else "PCIe" if gpu.form_factor.startswith("PCIe") else ""
    return {
        "vram_gb": _one(gpu.vram_gb),
        "form": _one(form or gpu.form_factor),
        "edition": values("gpu_edition", name),
        "nvl": values("gpu_nvl", name) or _one("no"),
        "tdp_w": _one(gpu.tdp_w),
    }  # fmt: skip


TRAITS: dict[type[Part], Callable[[Part], Traits]] = {
    Memory: _of_memory,
    Drive: _of_drive,
    Nic: _of_nic,
    Psu: _of_psu,
    Link: _of_link,
    Switch: _of_switch,
    Cpu: _of_cpu,
    Gpu: _of_gpu,
}


def agrees(attribute: str, said: frozenset[object], has: Traits) -> bool:
    """Whether a part has one of the values that are said; sizes of drives within their rounding."""
    own = has.get(attribute, frozenset())
    if said & own:
        return True
    if attribute == "capacity_gb":
        return any(abs(Decimal(str(a)) - Decimal(str(b))) <= Decimal(str(b)) * ROUNDED for a in said for b in own)
    return False


def alike(part: Part) -> tuple[object, ...]:
    """The figures by which rules and prices tell parts of a kind apart; parts with the same are one by specification.

    A drive for U.2 and E3.S counts as that of its first bay."""
    if isinstance(part, Memory):
        return (part.capacity_gb, part.pack, part.mem_gen, part.mts, part.dimm_type)
    if isinstance(part, Drive):
        return (part.capacity_gb, part.media, part.pcie_gen, part.forms[0].replace("U.3", "U.2") if part.forms else "")
    if isinstance(part, Nic):
        return (part.gbit_s, part.ports, part.connectors, part.fabrics, part.form, part.rdma)
    if isinstance(part, Psu):
        return (part.watts, part.efficiency, part.form)
    if isinstance(part, Link):
        ends = (part.end_a, part.end_b)
        return (part.kind, part.gbit_s, part.links, *ends, part.medium, part.length_m, part.fabrics)
    if isinstance(part, Switch):
        return (part.fabric, part.speeds, part.connectors)
    return (part.id,)
