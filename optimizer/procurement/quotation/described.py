"""What a part is in words, by the catalog's figures: `32 GB DDR5-5600 RDIMM`, `2 x 25 Gbit/s SFP28 network card`.

A figure that the catalog leaves blank is left out. The texts are messages: a view shows them in its language.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce

from catalogs.load import Catalog
from catalogs.message import N_, joined, message
from catalogs.offers import Bundle
from catalogs.schema import (
    Bridge,
    Cooling,
    Cpu,
    Drive,
    Gpu,
    GpuBoard,
    Kind,
    Link,
    Memory,
    Nic,
    Pdu,
    Platform,
    Psu,
    Rack,
    Switch,
)

MEDIA = {
    "nvme": "NVMe SSD", "nvme-consumer": N_("consumer NVMe SSD"), "sata-ssd": "SATA SSD", "hdd": N_("hard disk"),
}  # fmt: skip
COOLING = {
    "cpu-cooler": N_("CPU cooler"), "rdhx": N_("rear-door heat exchanger"), "cdu-l2l": N_("liquid-to-liquid CDU"),
    "cdu-l2a": N_("liquid-to-air CDU"), "manifold": N_("coolant manifold of a rack"),
    "facility": N_("connection to the building's water"), "coldplate-kit": N_("cold-plate loop kit"),
    "fans": N_("fans of the chassis"), "room": N_("share of the room's air conditioning"),
}  # fmt: skip
WIRES = {
    "copper": N_("copper cable"), "AOC": N_("active optical cable"), "MMF": N_("multimode fibre"),
    "SMF": N_("single-mode fibre"), "power": N_("power cord"),
}  # fmt: skip
MEASURES = {
    Kind.GPU: "块", Kind.GPU_BOARD: "块", Kind.BRIDGE: "个", Kind.SYSTEM: "台", Kind.PLATFORM: "台", Kind.CPU: "颗",
    Kind.MEMORY: "条", Kind.DRIVE: "块", Kind.NIC: "块", Kind.PSU: "个", Kind.COOLING: "套", Kind.SWITCH: "台",
    Kind.OPTIC: "个", Kind.CABLE: "根", Kind.RACK: "台", Kind.PDU: "个",
}  # fmt: skip
"""What Chinese counts a kind by; English counts pieces."""
SETS = {Kind.SYSTEM: "set", Kind.COOLING: "set"}
"""What English counts otherwise than by the piece."""


def measure(category: str) -> tuple[str, str]:
    """The unit that a category is counted by, in English and Chinese; a bundle by the set."""
    if category not in set(Kind):
        return "set", "套"
    kind = Kind(category)
    return SETS.get(kind, "pc"), MEASURES[kind]


def described(catalog: Catalog, part: str) -> str:
    """What a part or bundle is; never empty. Raises KeyError for an id that the catalog lacks."""
    if (item := catalog.parts.get(part)) is not None:
        return SAYERS[item.kind](catalog, item)
    return _bundle(catalog, catalog.bundles[part])


def _facts(*texts: str) -> str:
    """Facts one after the other, blank ones left out."""
    return reduce(lambda first, other: message("{first}, {next}", first=first, next=other), filter(None, texts))


def _watts(watts: int | None) -> str:
    return f"{watts:,} W" if watts else ""


def _size(gigabytes: int) -> str:
    return f"{gigabytes / 1000:g} TB" if gigabytes >= 1000 else f"{gigabytes} GB"


def _model(gpu: Gpu) -> str:
    """A GPU's name without its memory."""
    return re.sub(rf"\s*\b{gpu.vram_gb}\s?GB\b", "", gpu.name).strip()


def _gpu(_: Catalog, gpu: Gpu) -> str:
    return _facts(message("{gb} GB accelerator, {form}", gb=gpu.vram_gb, form=gpu.form_factor), _watts(gpu.tdp_w))


def _board(catalog: Catalog, board: GpuBoard) -> str:
    gpu = catalog.parts[board.gpu]
    if not isinstance(gpu, Gpu):
        raise TypeError(f"{board.gpu} is no GPU")
    return message("{n} x {gpu} {gb} GB board", n=board.gpus, gpu=_model(gpu), gb=gpu.vram_gb)


def _bridge(_: Catalog, bridge: Bridge) -> str:
    return message("NVLink bridge, {pieces} per {n} GPUs", n=bridge.group_gpus, pieces=bridge.per_group)


def _chassis(_: Catalog, platform: Platform) -> str:
    head = message("tower with mainboard")
    if platform.rack_mount:
        head = message("server chassis with mainboard")
        if platform.rack_units:
            head = message("{n} U server chassis with mainboard", n=platform.rack_units)
    cards = message("up to {n} GPUs", n=platform.gpu_slots) if platform.gpu_slots else ""
    slots = message("{n} memory slots", n=platform.dimm_slots) if platform.dimm_slots else ""
    return _facts(
        head, cards, f"{platform.sockets} x {platform.socket}" if platform.socket != "soldered" else "", slots
    )


def _system(catalog: Catalog, system: Platform) -> str:
    """With the GPUs, CPUs, memory and drives that it holds."""
    head = message("complete system")
    if system.rack_mount and system.rack_units:
        head = message("{n} U complete system", n=system.rack_units)
    chips: list[str] = []
    memory = drives = 0
    for inside in system.contents:
        part = catalog.parts[inside.part]
        if isinstance(part, Gpu | GpuBoard):
            chips.insert(0, _inside(catalog, part, inside.qty))
        elif isinstance(part, Cpu):
            chips.append(f"{inside.qty} x {part.name}")
        elif isinstance(part, Memory):
            memory += part.capacity_gb * inside.qty
        elif isinstance(part, Drive):
            drives += part.capacity_gb * inside.qty
    more = [message("{gb} GB of memory", gb=f"{memory:,}") if memory else "",
            message("{size} of drives", size=_size(drives)) if drives else ""]  # fmt: skip
    return _facts(head, *chips, *more)


def _inside(catalog: Catalog, part: Gpu | GpuBoard, qty: int) -> str:
    """GPUs in a system: `8 x H200 SXM 141 GB`."""
    gpu, pieces = (part, qty) if isinstance(part, Gpu) else (catalog.parts[part.gpu], part.gpus * qty)
    return f"{pieces} x {_model(gpu)} {gpu.vram_gb} GB" if isinstance(gpu, Gpu) else f"{pieces} x {gpu.name}"


def _cpu(_: Catalog, cpu: Cpu) -> str:
    cores = message("processor, {n} cores", n=cpu.cores)
    return _facts(cores, "" if cpu.socket == "soldered" else cpu.socket, _watts(cpu.tdp_w))


def _memory(_: Catalog, memory: Memory) -> str:
    if memory.dimm_type == "soldered":
        return message("{gb} GB {gen}-{mts}, soldered", gb=memory.capacity_gb, gen=memory.mem_gen, mts=memory.mts)
    return f"{memory.capacity_gb} GB {memory.mem_gen}-{memory.mts} {memory.dimm_type}"


def _drive(_: Catalog, drive: Drive) -> str:
    head = message("{size} {media}", size=_size(drive.capacity_gb), media=message(MEDIA[drive.media]))
    forms = [f'{form}"' if form in ("2.5", "3.5") else form for form in drive.forms if form != "builtin"]
    return _facts(head, "/".join(forms), f"PCIe {drive.pcie_gen}.0" if drive.pcie_gen else "")


def _nic(_: Catalog, nic: Nic) -> str:
    said = {"n": nic.ports, "rate": nic.gbit_s, "plugs": "/".join(nic.connectors)}
    bus = f"{'OCP 3.0, ' * (nic.form == 'OCP3')}PCIe {nic.pcie_gen}.0 x{nic.lanes}"
    return _facts(message("{n} x {rate} Gbit/s {plugs} network card", **said), _fabrics(nic.fabrics), bus)


def _fabrics(fabrics: tuple[str, ...]) -> str:
    return joined([message(fabric) for fabric in fabrics], "/")


def _psu(_: Catalog, psu: Psu) -> str:
    return _facts(message("{watts} W power supply", watts=f"{psu.watts:,}"), f"80 PLUS {psu.efficiency}")


def _cooling(_: Catalog, cooling: Cooling) -> str:
    carries = message("carries {watts} W", watts=f"{cooling.capacity_w:,}") if cooling.capacity_w else ""
    return _facts(message(COOLING[cooling.role]), cooling.socket or "", carries)


def _switch(_: Catalog, switch: Switch) -> str:
    speeds = [tuple(map(int, speed.split(":"))) for speed in switch.speeds]
    ports = joined([f"{n} x {rate} Gbit/s" for rate, n in speeds], " or ")
    return _facts(message("{fabric} switch", fabric=message(switch.fabric)), ports, "/".join(switch.connectors))


def _link(_: Catalog, link: Link) -> str:
    ends = link.end_a if link.end_a == link.end_b else f"{link.end_a} – {link.end_b}"
    rate = f"{link.links} x {link.gbit_s} Gbit/s" if link.links > 1 else f"{link.gbit_s} Gbit/s"
    kind = message("optical transceiver") if link.kind is Kind.OPTIC else message(WIRES[link.medium])
    length = f"{link.length_m:g} m" if link.length_m else ""
    return _facts(kind, rate if link.gbit_s else "", ends, length)


def _rack(_: Catalog, rack: Rack) -> str:
    return message("rack, {n} U, bears {kg} kg", n=rack.rack_units, kg=f"{rack.load_kg:,}")


def _pdu(_: Catalog, pdu: Pdu) -> str:
    sockets = ((pdu.outlets_c13, "C13"), (pdu.outlets_c19, "C19"))
    phases = message("three-phase") if pdu.phases == 3 else message("single-phase")
    head = message("power distribution unit, {kw} kW", kw=f"{pdu.power_w / 1000:g}")
    return _facts(head, f"{pdu.volts} V", phases, *(f"{n} x {name}" for n, name in sockets if n))


def _bundle(catalog: Catalog, bundle: Bundle) -> str:
    inside = [f"{part.qty} x {catalog.parts[part.part].name}" for part in bundle.parts]
    return message("bundle of {list}", list=joined(inside))


SAYERS: dict[Kind, Callable[..., str]] = {
    Kind.GPU: _gpu, Kind.GPU_BOARD: _board, Kind.BRIDGE: _bridge, Kind.SYSTEM: _system, Kind.PLATFORM: _chassis,
    Kind.CPU: _cpu, Kind.MEMORY: _memory, Kind.DRIVE: _drive, Kind.NIC: _nic, Kind.PSU: _psu,
    Kind.COOLING: _cooling, Kind.SWITCH: _switch, Kind.OPTIC: _link, Kind.CABLE: _link, Kind.RACK: _rack,
    Kind.PDU: _pdu,
}  # fmt: skip
"""Of each kind, what says it."""
