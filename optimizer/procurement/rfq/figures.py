"""What a part has to be, in figures and without its maker's name: what another one must have to take its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalogs.load import Catalog
from catalogs.schema import (
    Cooling,
    Cpu,
    Drive,
    Gpu,
    GpuBoard,
    Link,
    Memory,
    Nic,
    Part,
    Pdu,
    Platform,
    Psu,
    Rack,
    Switch,
)
from optimizer.text.languages import N_, Words

GPU = N_(
    "GPU memory ≥ {gb} GB; memory bandwidth ≥ {bandwidth} GB/s; dense FP16/BF16 ≥ {fp16} TFLOPS; power ≤ {watts} W"
)
FP8 = N_("dense FP8 ≥ {fp8} TFLOPS")
LINKED = N_("linked GPU to GPU at ≥ {link} GB/s")
BOARD = N_("one board with {gpus} GPUs, each: {gpu}")
PLATFORM = N_(
    "server for {slots} GPUs; {sockets} CPU socket(s); {dimms} memory slots of {gen}; {nvme} NVMe bays; {nics} "
    "slots for network cards; height ≤ {units} U; inlet air ≥ {inlet} °C"
)
TOWER = N_("tower for {slots} GPUs; {sockets} CPU socket(s); {dimms} memory slots of {gen}; {nvme} NVMe bays")
CPU = N_(
    "cores ≥ {cores}; {channels} memory channels of {gen}; PCIe generation ≥ {pcie}; power ≤ {watts} W; fits the server"
)
MEMORY = N_("{gb} GB {gen} {kind}; ≥ {mts} MT/s; all modules alike")
DRIVE = N_("{media} drive; capacity ≥ {gb} GB; read ≥ {read} MB/s; form {form}")
NIC = N_("network card; {ports} port(s) of ≥ {speed} Gbit/s; {fabrics}; connector {connector}")
RDMA = N_("with RDMA")
PSU = N_("supply of ≥ {watts} W; efficiency {efficiency}; fits the server")
SWITCH = N_("{fabric} switch; ports (Gbit/s: number) ≥ {speeds}; connector {connectors}; height ≤ {units} U")
LINK = N_("{medium} link of ≥ {speed} Gbit/s; {a} to {b}; length ≥ {metres} m")
CORD = N_("power cord, {a} to {b}; length ≥ {metres} m")
RACK = N_("rack of ≥ {units} U; load ≥ {load} kg")
PDU = N_(
    "power distribution unit; ≥ {watts} W at {volts} V, {phases} phase(s); C13 outlets ≥ {c13}, C19 outlets ≥ {c19}"
)
COOLING = N_("{medium} cooling of ≥ {watts} W")
OTHER = N_("fits the other lines")


def required(_: Words, part: Part, catalog: Catalog) -> str:
    """The figures of a part, in a language."""
    for kind, write in WRITERS:
        if isinstance(part, kind):
            return write(_, part, catalog)
    return _.stacked(OTHER)


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:g}" if isinstance(value, float) else f"{value:,}"


def _joined(_: Words, texts: list[tuple[str, dict[str, Any]]]) -> str:
    """Sentences with their values one after the other, in each language by itself."""
    said = []
    for one in (Words("en"), Words("zh")):
        said.append(
            one.between("; ").join(one(text, **{k: str(v) for k, v in values.items()}) for text, values in texts)
        )
    return _.pair(*said)


def _gpu_texts(part: Gpu) -> list[tuple[str, dict[str, Any]]]:
    texts: list[tuple[str, dict[str, Any]]] = [
        (GPU, {"gb": _shown(part.vram_gb), "bandwidth": _shown(part.mem_gb_s), "fp16": _shown(part.fp16_tflops),
               "watts": _shown(part.tdp_w)})
    ]  # fmt: skip
    if part.fp8_tflops:
        texts.append((FP8, {"fp8": _shown(part.fp8_tflops)}))
    if part.link_gb_s and part.fast_domain_gpus and part.fast_domain_gpus > 1:
        texts.append((LINKED, {"link": _shown(part.link_gb_s)}))
    return texts


def _gpu(_: Words, part: Gpu, catalog: Catalog) -> str:
    return _joined(_, _gpu_texts(part))


def _board(_: Words, part: GpuBoard, catalog: Catalog) -> str:
    gpu = catalog.parts[part.gpu]
    assert isinstance(gpu, Gpu)
    each = _joined_both(_gpu_texts(gpu))
    said = [one(BOARD, gpus=part.gpus, gpu=text) for one, text in zip((Words("en"), Words("zh")), each, strict=True)]
    return _.pair(*said)


def _joined_both(texts: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [_joined(one, texts) for one in (Words("en"), Words("zh"))]


def _platform(_: Words, part: Platform, catalog: Catalog) -> str:
    values = {
        "slots": part.gpu_slots, "sockets": part.sockets, "dimms": part.dimm_slots, "gen": part.mem_gen,
        "nvme": part.nvme_bays, "nics": part.nic_slots, "units": part.rack_units, "inlet": part.inlet_max_c,
    }  # fmt: skip
    return _joined(
        _, [(PLATFORM if part.rack_mount else TOWER, {k: v if v is not None else "–" for k, v in values.items()})]
    )


def _cpu(_: Words, part: Cpu, catalog: Catalog) -> str:
    values = {
        "cores": part.cores,
        "channels": part.mem_channels,
        "gen": part.mem_gen,
        "pcie": part.pcie_gen,
        "watts": part.tdp_w,
    }
    return _joined(_, [(CPU, values)])


def _memory(_: Words, part: Memory, catalog: Catalog) -> str:
    values = {"gb": part.capacity_gb, "gen": part.mem_gen, "kind": part.dimm_type, "mts": part.mts}
    return _joined(_, [(MEMORY, values)])


def _drive(_: Words, part: Drive, catalog: Catalog) -> str:
    media = {"nvme": "NVMe"}.get(str(part.media), str(part.media).upper())
    values = {
        "media": media,
        "gb": _shown(part.capacity_gb),
        "read": _shown(part.read_mb_s),
        "form": "/".join(part.forms),
    }
    return _joined(_, [(DRIVE, values)])


def _nic(_: Words, part: Nic, catalog: Catalog) -> str:
    values = {
        "ports": part.ports,
        "speed": part.gbit_s,
        "fabrics": "/".join(part.fabrics),
        "connector": "/".join(part.connectors),
    }
    return _joined(_, [(NIC, values), *([(RDMA, {})] if part.rdma else [])])


def _psu(_: Words, part: Psu, catalog: Catalog) -> str:
    return _joined(_, [(PSU, {"watts": _shown(part.watts), "efficiency": part.efficiency or "–"})])


def _switch(_: Words, part: Switch, catalog: Catalog) -> str:
    values = {
        "fabric": part.fabric, "speeds": ", ".join(map(str, part.speeds)), "connectors": "/".join(part.connectors),
        "units": part.rack_units,
    }  # fmt: skip
    return _joined(_, [(SWITCH, values)])


def _link(_: Words, part: Link, catalog: Catalog) -> str:
    values = {
        "medium": part.medium, "speed": _shown(part.gbit_s), "a": part.end_a, "b": part.end_b,
        "metres": _shown(part.length_m),
    }  # fmt: skip
    return _joined(_, [(LINK if part.gbit_s else CORD, values)])


def _rack(_: Words, part: Rack, catalog: Catalog) -> str:
    return _joined(_, [(RACK, {"units": part.rack_units, "load": _shown(part.load_kg)})])


def _pdu(_: Words, part: Pdu, catalog: Catalog) -> str:
    values = {
        "watts": _shown(part.power_w), "volts": part.volts, "phases": part.phases,
        "c13": part.outlets_c13, "c19": part.outlets_c19,
    }  # fmt: skip
    return _joined(_, [(PDU, values)])


def _cooling(_: Words, part: Cooling, catalog: Catalog) -> str:
    return _joined(_, [(COOLING, {"medium": part.medium, "watts": _shown(part.capacity_w)})])


WRITERS: tuple[tuple[type[Any], Callable[[Words, Any, Catalog], str]], ...] = (
    (GpuBoard, _board), (Gpu, _gpu), (Platform, _platform), (Cpu, _cpu), (Memory, _memory), (Drive, _drive),
    (Nic, _nic), (Psu, _psu), (Switch, _switch), (Link, _link), (Rack, _rack), (Pdu, _pdu), (Cooling, _cooling),
)  # fmt: skip
"""What writes the figures of a kind of part."""
