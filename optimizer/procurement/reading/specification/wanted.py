"""A line's words -> what they say of a part: its kind, and by attribute the values that are said."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from catalogs.schema import Kind
from optimizer.procurement.reading.row_words import has
from optimizer.procurement.reading.specification import figures
from optimizer.procurement.reading.specification.grammar import values

Says = dict[str, frozenset[object]]
LEAST_DRIVE_GB = 100
"""Below it a size beside a drive is of its cache."""
LEAST_SUPPLY_W = 200
STACKED_RANKS = 8
"""Modules of eight ranks are stacked (3DS)."""
REGISTERED_BITS = 4
"""Chips of four bits stand on registered modules alone; unbuffered ones have chips of eight or sixteen."""
OPTIC = re.compile(r"transceiver|\boptics?\b|光模块|收发器|光トランシーバ")
BY_CONTENTS = re.compile(r"(?:\b(?:incl(?:uding|uded)?|with|w/|inkl|mit|samt)\b\.?|含|带|附|配有).*")


@dataclass(frozen=True)
class Wanted:
    """A kind of parts, and by attribute the values that fit; an attribute that is missing was not said."""

    kind: Kind
    says: Mapping[str, frozenset[object]] = field(default_factory=dict)


def kind_of(plain: str, *, cpu_named: bool) -> Kind | None:
    """The kind of part that a text names first of all; None where it names none, or something that goes with one.

    `cpu_named`: a CPU's number stands in it. A CPU's words may name its memory (`8480+ ... DDR5-4800`), a supply's its
    cord (`C22 inlet`), a network card's its plugs."""
    if values("attachment", BY_CONTENTS.sub(" ", plain)):
        return None
    if cpu_named and (has("of_cpu", plain) or values("cpu_family", plain)):
        return Kind.CPU
    return next((kind for kind, names in ORDER if names(plain)), None)


def _psu(plain: str) -> bool:
    return has("of_psu", plain) and bool(figures.watts(plain))


def _memory(plain: str) -> bool:
    return has("of_memory", plain) and bool(_module_sizes(plain)) and not has("of_gpu", plain)


def _drive(plain: str) -> bool:
    return has("of_drive", plain) and any(size >= LEAST_DRIVE_GB for size in figures.sizes_gb(plain))


def _cable(plain: str) -> bool:
    return has("of_cable", plain) or bool(values("medium", plain) & {"copper", "AOC", "power"})


def _optic(plain: str) -> bool:
    return bool(OPTIC.search(plain)) or (
        has("of_optic", plain) and bool(values("medium", plain)) and not has("of_nic_card", plain)
    )


ORDER: tuple[tuple[Kind, Callable[[str], bool]], ...] = (
    (Kind.PSU, _psu),
    (Kind.MEMORY, _memory),
    (Kind.DRIVE, _drive),
    (Kind.SWITCH, lambda plain: has("of_switch", plain)),
    (Kind.NIC, lambda plain: has("of_nic_card", plain)),
    (Kind.CABLE, _cable),
    (Kind.OPTIC, _optic),
    (Kind.NIC, lambda plain: has("of_nic", plain)),
)


def wanted(plain: str, kind: Kind) -> Wanted:
    """What a text says of a part of that kind; attributes without a value are left out."""
    says = SAYS[kind](plain) if kind in SAYS else {}
    return Wanted(kind, {attribute: said for attribute, said in says.items() if said})


def _module_sizes(plain: str) -> list[int]:
    """Whole gigabytes, not those of a server's memory in all."""
    return [int(size) for size in figures.sizes_gb(plain) if size == int(size) and size <= 512]


def _of_memory(plain: str) -> Says:
    sizes = frozenset(_module_sizes(plain))
    kit = [int(said[1]) for said in figures.MODULES_OF_KIT.finditer(plain)]
    kind = values("dimm_type", plain)
    organised = figures.ranks(plain)
    if not kind and any(bits == REGISTERED_BITS for _, bits in organised):
        kind = frozenset({"RDIMM"})
    if "RDIMM-3DS" in kind or any(ranks == STACKED_RANKS for ranks, _ in organised):
        kind = frozenset({"RDIMM-3DS"})
    elif "RDIMM" in kind and not kind & {"MRDIMM", "LRDIMM"}:
        kind = frozenset({"RDIMM", "RDIMM-3DS"})
    elif len(kind) > 1:
        kind = kind - {"RDIMM"}
    return {
        "capacity_gb": frozenset({min(sizes)}) if kit and len(sizes) > 1 else sizes,
        "pack": frozenset(kit),
        "mem_gen": values("ddr", plain),
        "mts": figures.speeds_mts(plain),
        "dimm_type": kind,
    }  # fmt: skip


def _of_drive(plain: str) -> Says:
    media = values("media", plain)
    if "hdd" in media:
        said = {"hdd", "sas"} if "sas" in media else {"hdd"}
        of_media = frozenset(said - {"hdd"} if "sas" in media else said)
    elif media:
        of_media = (media | {"nvme-consumer"}) if "nvme" in media else media
    else:
        of_media = frozenset({"nvme", "nvme-consumer", "sata-ssd"}) if re.search(r"ssd|固态", plain) else media
    return {
        "capacity_gb": frozenset(size for size in figures.sizes_gb(plain) if size >= LEAST_DRIVE_GB),
        "media": of_media,
        "forms": _bay(values("form", plain), media),
        "pcie_gen": figures.pcie_generations(plain),
        "endurance": values("endurance", plain),
    }  # fmt: skip


def _bay(said: frozenset[str], media: frozenset[str]) -> frozenset[object]:
    """Bays; of 2.5 inches are those of NVMe drives (U.2, U.3) and those of SATA."""
    if said <= {"2.5"} or not said - {"2.5"}:
        of_nvme, of_sata = {"U.2", "U.3"}, {"2.5"}
        if not said:
            return frozenset()
        return frozenset(of_nvme if "nvme" in media else of_sata if media else of_nvme | of_sata)
    return frozenset(said - {"2.5"})


def _of_nic(plain: str) -> Says:
    plugs = values("connector", plain)
    family = values("nic_family", plain)
    return {
        "gbit_s": figures.rates_gbit(plain),
        "ports": figures.ports(plain),
        "connectors": plugs | {"OSFP-FLT"} if "OSFP" in plugs else plugs,
        "fabrics": values("fabric", plain),
        "form": frozenset({"OCP3"}) if "OCP3" in (form := values("nic_form", plain)) else form,
        "dpu": values("dpu", plain) or frozenset({"no"}),
        "family": family,
        "vendor": values("nic_vendor", plain),
    }  # fmt: skip


def _of_psu(plain: str) -> Says:
    form = values("psu_form", plain)
    return {
        "watts": frozenset(watts for watts in figures.watts(plain) if watts >= LEAST_SUPPLY_W),
        "efficiency": values("efficiency", plain),
        "form": frozenset({"HPE-MCRPS"}) if "HPE-MCRPS" in form else form,
    }  # fmt: skip


def _of_link(plain: str) -> Says:
    plugs = values("connector", plain)
    together = frozenset(int(said[1]) * int(said[2]) for said in figures.TIMES.finditer(plain))
    return {
        "gbit_s": together or figures.rates_gbit(plain),
        "connectors": plugs,
        "breakout": values("breakout", plain) or frozenset({"no"}),
        "medium": values("medium", plain),
        "length_m": frozenset(float(metres) for metres in figures.metres(plain)),
        "fabrics": values("fabric", plain),
    }  # fmt: skip


def _of_switch(plain: str) -> Says:
    return {
        "gbit_s": figures.rates_gbit(plain),
        "ports": figures.ports(plain),
        "fabrics": values("fabric", plain),
    }  # fmt: skip


def _of_cpu(plain: str) -> Says:
    return {
        "family": values("cpu_family", plain),
        "tier": values("cpu_tier", plain),
        "generation": values("cpu_generation", plain),
        "cores": figures.cores(plain),
    }  # fmt: skip


def _of_gpu(plain: str) -> Says:
    return {
        "vram_gb": frozenset(int(size) for size in figures.sizes_gb(plain) if 8 <= size <= 512),
        "form": values("gpu_form", plain),
        "edition": values("gpu_edition", plain),
        "nvl": values("gpu_nvl", plain) or frozenset({"no"}),
        "tdp_w": frozenset(watts for watts in figures.watts(plain) if watts <= 1500),
    }  # fmt: skip


SAYS: dict[Kind, Callable[[str], Says]] = {
    Kind.MEMORY: _of_memory,
    Kind.DRIVE: _of_drive,
    Kind.NIC: _of_nic,
    Kind.PSU: _of_psu,
    Kind.CABLE: _of_link,
    Kind.OPTIC: _of_link,
    Kind.SWITCH: _of_switch,
    Kind.CPU: _of_cpu,
    Kind.GPU: _of_gpu,
}
