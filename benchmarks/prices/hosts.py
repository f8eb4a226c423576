"""What dsopt would build around the GPUs of a published system: the proven cheapest build with all that the listing
states, at the floor that the rules ask and at the grade that is sold (`common`)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.prices.published import System
from catalogs.load import Catalog
from catalogs.schema import GpuBoard, Kind, Memory, Platform
from constraints.policy import Policy
from constraints.request import Grade, Request
from optimizer.result.answer import solve as solved

MODELS = ("r1-distill-qwen-1.5b", "r1-distill-qwen-32b", "v3-0324")
"""The first of them that the GPUs run: the smallest, since its weights ask for no drive that a listing without drives
would not have."""
GRADES: tuple[Grade, ...] = ("floor", "common")


def build_of(system: System, grade: Grade, catalog: Catalog, day: date) -> dict[str, int] | None:
    """Pieces by part id of the cheapest build with the system's GPUs; None where no build exists."""
    boards = [part for part in catalog.of(Kind.GPU_BOARD) if isinstance(part, GpuBoard)]
    gpus, count = _gpus(system, catalog)
    settings = []
    if system.memory:
        # What the listing states, no more: of the floor and, of each kind of machine, of the grade.
        stated = 100 * system.memory[0] * system.memory[1] // (catalog.parts[gpus[0]].vram_gb * count)  # type: ignore[attr-defined]
        kinds = ("floor", *(f"common_{machine}" for machine in ("board", "server", "tower")))
        settings = [f"host_memory.{kind}_percent={stated}" for kind in kinds]
    excluded = {part.id for part in catalog.of(Kind.SYSTEM)}
    excluded |= {board.id for board in boards if board.gpu in gpus and board.id not in system.gpus}
    excluded |= {part.id for part in catalog.of(Kind.PLATFORM) if not _may_hold(part, system)}  # type: ignore[arg-type]
    if system.memory:
        excluded |= {
            part.id
            for part in catalog.of(Kind.MEMORY)
            if isinstance(part, Memory) and part.capacity_gb != system.memory[1] and _sold(system.memory[1], catalog)
        }
    request = Request(
        model=MODELS[0], market="any", as_of=day, users=1, workload="batch", min_tok_s_user=0, max_nodes=1, grade=grade,
        gpus=frozenset(gpus), gpu_count=count, allow_experimental=True, include=tuple(system.cpus),
        exclude=frozenset(excluded), have=frozenset({"racks", "network"}),
    )  # fmt: skip
    policy = Policy().with_settings(settings)
    for model in MODELS:
        answer = solved(catalog, request.model_copy(update={"model": model}), policy)
        if answer.front.points:
            lines = answer.data["front"][0]["bom"]
            return {part: sum(x["qty"] for x in lines if x["part"] == part) for part in {x["part"] for x in lines}}
    return None


def _gpus(system: System, catalog: Catalog) -> tuple[tuple[str, ...], int]:
    """GPU ids that a system may hold, and the number of its GPUs."""
    held = catalog.parts[system.gpus[0]]
    return ((held.gpu,), held.gpus * system.count) if isinstance(held, GpuBoard) else (system.gpus, system.count)


def _sold(capacity_gb: int, catalog: Catalog) -> bool:
    """Whether the catalog has an offer of a DDR5 RDIMM of this size."""
    modules = [
        part
        for part in catalog.of(Kind.MEMORY)
        if isinstance(part, Memory) and part.mem_gen == "DDR5" and part.dimm_type == "RDIMM"
    ]
    return any(part.capacity_gb == capacity_gb and catalog.offers.get(part.id) for part in modules)


def _may_hold(platform: Platform, system: System) -> bool:
    """Whether a listing of this form may mean the platform: a server is no board in an open frame."""
    if system.platform:
        return platform.id == system.platform
    if system.cpus and sum(system.cpus.values()) != platform.sockets:
        return False
    if system.form == "tower":
        return platform.price_class == "diy" and "open-frame" not in platform.id
    return platform.rack_mount and platform.price_class != "diy"


def host_of(build: Mapping[str, int], catalog: Catalog) -> dict[str, int]:
    """The build without boards and platform: what is priced by offers of its own."""
    return {part: qty for part, qty in build.items() if not isinstance(catalog.parts[part], GpuBoard | Platform)}
