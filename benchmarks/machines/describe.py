"""A system file of an MLPerf submission becomes a machine that `dsopt check` judges.

python benchmarks/machines/describe.py SYSTEM.json... [--build-files FOLDER]

Each file holds one description or a list of them (github.com/mlcommons/inference_results_v5.1, .../systems/*.json).
GPUs, CPUs, modules and a chassis that the catalog knows are named; a chassis that it does not know becomes a class of
`unnamed/`, and network cards, supplies, coolers and kinds of drives stay unknown. Prints a verdict for each; what can't
be expressed says why. By words alone: read the build file before you rely on it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.machines import run  # noqa: E402
from catalogs.load import Catalog  # noqa: E402
from catalogs.schema import Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Platform  # noqa: E402
from constraints.physics.contents import gpus_inside, inside  # noqa: E402
from constraints.rules.fit import needs_cooler, needs_cpu, needs_psu  # noqa: E402
from constraints.rules.precision import support  # noqa: E402

FORMS = {"SXM", "PCIE", "NVL", "OAM"}
NO_NAME = re.compile(r"^(\d+(GB|G|TB)|SXM\d?|PCIE|OAM|NVL\d+|GEFORCE|INSTINCT|GENERATION|HBM\d\w?|BLACKWELL|PLATINUM)$")
"""Words of a name that tell no model from another."""
CPU_MODEL = re.compile(
    r"(?<![\w-])(?:w\d-\d{4}x?|i\d-\d{4,5}\w?|e-\d{4}|\d{4}\w{0,2}\+?|\d{3}[hk])(?![\w])", re.IGNORECASE
)
MODULES = re.compile(
    r"(\d+)\s*x\s*(?:[^;,\d]+(?:ddr\d-\d+)?\s*|ddr\d-\d+\s*)?(\d+)\s*gi?b?\b|(\d+)\s*gi?b\s*x\s*(\d+)", re.IGNORECASE
)
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(t|g)i?b?\b", re.IGNORECASE)
SHARED_STORAGE = re.compile(r"cifs|lustre|nfs|clusterstor", re.IGNORECASE)
MODEL_BY_VRAM = ((400, "llama-2-70b"), (22, "llama-3.1-8b"), (0, "llama-3.2-3b"))
"""GPU memory of a node in GB at least -> a model that fits it."""
UNNAMED = "unnamed-"
MOST_IN_A_SERVER = 16
"""GPUs; a system with more is a rack."""
KIND_OF_BOARD = {
    "HGX-HOPPER-8": "hgx-hopper", "HGX-HOPPER-4": "hgx-hopper-4", "HGX-B200-8": "hgx-b200", "HGX-B300-8": "hgx-b300",
    "UBB-MI300": "oam-mi300", "UBB-MI350": "oam-mi350", "HGX-AMPERE-8": "hgx-ampere", "HGX-AMPERE-4": "hgx-ampere-4",
    "UBB-GAUDI3": "ubb-gaudi3",
}  # fmt: skip


class NotExpressed(Exception):
    """Why a description makes no machine of dsopt."""


def words(text: str) -> list[str]:
    """Upper-case words, parted at spaces, hyphens and brackets."""
    return [word for word in re.split(r"[\s\-_/(),]+", text.upper()) if word]


def gpu_of(said: str, gb: float, catalog: Catalog) -> Gpu:
    """The GPU whose every telling word the description has: most words first, then the form and the memory size."""
    have = set(words(said))
    best: tuple[int, int, float] | None = None
    found: Gpu | None = None
    for part in catalog.of(Kind.GPU):
        assert isinstance(part, Gpu)
        name = words(re.sub(r"\(.*?\)", "", part.name))
        telling = {word for word in name if not NO_NAME.match(word)} - FORMS
        if not telling or not telling <= have or abs(part.vram_gb - gb) > 0.08 * part.vram_gb:
            continue
        own = FORMS & {*name, part.form_factor.rstrip("0123456789").upper()}
        score = len(telling), len(own & have) - len((FORMS & have) - own), -abs(part.vram_gb - gb)
        if best is None or score > best:
            best, found = score, part
    if found is None:
        raise NotExpressed(f"no GPU of the catalog is {said!r} with {gb:g} GB")
    return found


def cpu_of(said: str, catalog: Catalog) -> Cpu:
    """The CPU with the model number that the description has."""
    numbers = {number.casefold().rstrip("+") for number in CPU_MODEL.findall(said)}
    for part in catalog.of(Kind.CPU):
        if words(part.name) and part.name.split()[-1].casefold().rstrip("+") in numbers:
            assert isinstance(part, Cpu)
            return part
    raise NotExpressed(f"no CPU of the catalog is {said!r}")


def named_in(part: Platform, text: str, gpu: Gpu) -> bool:
    """Whether a text has a model's name: of a system all of it, of a chassis its words with digits."""
    name = words(re.sub(r"\(.*?\)", "", part.name))
    if part.kind == Kind.SYSTEM:
        return f" {' '.join(name)} " in text
    model = [word for word in name if any(letter.isdigit() for letter in word) and word not in words(gpu.name)]
    return len("".join(model)) > 3 and f" {' '.join(model)} " in text


def chassis_of(
    said: str, gpu: Gpu, board: GpuBoard | None, cpu: Cpu | None, sockets: int, catalog: Catalog
) -> Platform:  # fmt: skip
    """The platform or system of which the description has the model's name; else the class of its GPUs and socket, of
    superchips the system that holds them."""
    text, all_of = f" {' '.join(words(said))} ", list[Platform]()
    for part in catalog.of(Kind.PLATFORM, Kind.SYSTEM):
        assert isinstance(part, Platform)
        fits = board.board_type in part.gpu_boards if board else not part.gpu_boards
        all_of += [part] if (gpus_inside(part, catalog)[0] == gpu.id if part.contents else fits) else []
    sold = [part for part in all_of if not part.id.startswith(UNNAMED) and not (part.contents and needs_cpu(part))]
    named = [part for part in sold if named_in(part, text, gpu)]
    if named:
        return max(named, key=lambda part: (len(part.name), part.id))
    if gpu.form_factor == "Superchip":
        systems = [part for part in all_of if part.contents]
        if systems:
            return max(systems, key=lambda part: part.gpu_slots)
    kind = KIND_OF_BOARD.get(board.board_type, "") if board else "pcie" if sockets > 1 else "pcie-1p"
    classes = [part for part in all_of if cpu and part.id.startswith(UNNAMED) and (part.socket == cpu.socket)]
    for part in classes:
        if cpu and cpu.generation in part.cpu_generations:
            tower = part.id.endswith("-tower") and gpu.cooling in part.gpu_cooling and sockets == 1
            if tower or re.fullmatch(rf"{UNNAMED}{kind}-[a-z]+-[a-z0-9]+", part.id):
                return part
    raise NotExpressed(f"no chassis for {gpu.name} beside {cpu.name if cpu else 'its CPU'}: {said!r}")


def modules_of(said: str, chassis: Platform, catalog: Catalog) -> list[tuple[str, int]]:
    """Modules by number and size, of a kind that the chassis takes; none where the description does not say them."""
    found: dict[str, int] = {}
    for number, gb, gb_first, number_last in MODULES.findall(re.sub(r"\(.*?\)", "", said)):
        pieces, size = int(number or number_last), int(gb or gb_first)
        kinds = [
            part
            for part in catalog.of(Kind.MEMORY)
            if isinstance(part, Memory)
            and (part.mem_gen, part.capacity_gb) == (chassis.mem_gen, size)
            and part.dimm_type in chassis.dimm_types
        ]
        if not kinds:
            return []
        first = min(kinds, key=lambda part: (not part.id.startswith("generic"), part.id))
        found[first.id] = found.get(first.id, 0) + pieces
    return list(found.items())


def gigabytes(said: str) -> int | None:
    """Capacities in a text added up, in GB; what lies on storage that machines share left out."""
    sizes = [
        (float(n), unit)
        for piece in said.split(",")
        if not SHARED_STORAGE.search(piece)
        for n, unit in SIZE.findall(piece)
    ]
    total = sum(number * (1000 if unit.casefold() == "t" else 1) for number, unit in sizes)
    return int(total) or None


def row_of(machine: Mapping[str, Any], catalog: Catalog, number: int) -> run.Row:
    """A description as a row of machines.csv; raises NotExpressed."""

    def text(key: str) -> str:
        return str(machine.get(key, "") or "")

    said, per_node = text("accelerator_model_name"), int(text("accelerators_per_node") or 0)
    if re.search(r"\(x\d+\).*\(x\d+\)", said):
        raise NotExpressed("mixed nodes: dsopt counts equal nodes; check each kind by itself")
    gb = gigabytes(text("accelerator_memory_capacity")) or 0
    gpu = gpu_of(said, gb, catalog)
    boards = sorted(
        (part for part in catalog.of(Kind.GPU_BOARD) if isinstance(part, GpuBoard) and part.gpu == gpu.id),
        key=lambda part: part.gpus,
    )
    board = next((part for part in boards if part.gpus >= per_node), None) if gpu.sold_as == "board" else None
    cpu = None if gpu.form_factor in ("Superchip", "integrated") else cpu_of(text("host_processor_model_name"), catalog)
    sockets = int(text("host_processors_per_node") or 2)
    chassis = chassis_of(text("system_name"), gpu, board, cpu, sockets, catalog)
    held = gpus_inside(chassis, catalog)[1] if chassis.contents else board.gpus if board else per_node
    nodes = int(text("number_of_nodes") or 1)
    if held > MOST_IN_A_SERVER:
        if nodes * per_node != held:
            raise NotExpressed(f"a rented part of a rack: {nodes * per_node} of the {held} GPUs of {chassis.name}")
        nodes, per_node = 1, held
    parts = [(chassis.id, 1)]
    if not chassis.contents:
        assert cpu is not None
        parts += [(board.id, 1) if board else (gpu.id, per_node), (cpu.id, chassis.sockets)]
    wants_modules = bool(chassis.dimm_slots) and not inside(chassis, catalog, Memory)
    wants_drives = "storage" not in chassis.includes and not inside(chassis, catalog, Drive)
    modules = modules_of(text("host_memory_configuration"), chassis, catalog) if wants_modules else []
    memory_gb = str(gigabytes(text("host_memory_capacity")) or "") if wants_modules and not modules else ""
    storage_gb = str(gigabytes(text("host_storage_capacity")) or "") if wants_drives else ""
    open_kinds = [] if inside(chassis, catalog, Nic) else ["nic"]
    open_kinds += ["psu"] if needs_psu(chassis) else []
    open_kinds += ["cooling"] if needs_cooler(chassis) or "air" not in chassis.cooling else []
    open_kinds += ["memory"] if wants_modules and not modules and not memory_gb else []
    open_kinds += ["drive"] if wants_drives and not storage_gb else []
    vram = gpu.vram_gb * max(held, per_node)
    return {
        "number": str(number), "submission": text("file"), "submitter": text("submitter"),
        "machine": text("system_name"),
        "expressed": "whole" if held <= per_node else "partly used",
        "model": next(model for least, model in MODEL_BY_VRAM if vram >= least), "nodes": str(nodes),
        "precision": "" if "bf16" in support(gpu.arch) else "q8_0",
        "parts": "|".join(f"{qty}*{part}" for part, qty in [*parts, *modules]), "unknown": "|".join(open_kinds),
        "memory_gb": memory_gb, "storage_gb": storage_gb,
        "site_water": "true" if "air" not in chassis.cooling else "", "note": "", "public_document": "", "fails": "",
    }  # fmt: skip


def descriptions(files: Iterable[Path]) -> list[dict[str, Any]]:
    """The descriptions in some files, each one or a list."""
    found: list[dict[str, Any]] = []
    for file in files:
        data = json.loads(file.read_text(encoding="utf-8"))
        for machine in data if isinstance(data, list) else [data]:
            found.append({"file": file.name, **machine})
    return found


def main(arguments: list[str]) -> int:
    folder = Path(arguments.pop(arguments.index("--build-files") + 1)) if "--build-files" in arguments else None
    parts = run.catalog()
    for number, machine in enumerate(descriptions(Path(name) for name in arguments if not name.startswith("--")), 1):
        name = str(machine.get("system_name", "")).strip() or machine["file"]
        try:
            row = row_of(machine, parts, number)
        except NotExpressed as why:
            print(f"{number} {name}: not expressed: {why}")
            continue
        found = run.judged(row, parts)
        assert found is not None
        print(f"{number} {name}: {run.verdict(found)} ({row['expressed']}; {row['parts']})")
        for finding in run.said(found, "fail"):
            print(f"    {finding}")
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{number:02}.toml").write_text(run.toml(row), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
