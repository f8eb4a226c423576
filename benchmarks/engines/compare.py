"""What engines say today of models and GPUs, beside catalogs/engines/software.csv: the differences, for review.

    python -m benchmarks.engines.compare FOLDER

FOLDER holds files as their projects publish them, in any folders below it:

- vLLM's recipes (vllm-project/recipes, models/**/*.yaml): GPUs that a recipe calls verified, its least release, the
  precisions of its variants;
- support tables in Markdown (*.md: vllm-ascend and vllm-gaudi docs, TensorRT-LLM and SGLang support matrices): rows
  that name a model. The engine is the first of ENGINES whose word stands in the file's path.

Printed: what a file says and no row does (`new`), and rows whose release or status differs (`differs`). Nothing is
written: a person reads the source and edits the table. Needs PyYAML (`pip install pyyaml`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalogs.engines.support import SupportRow, support_rows
from catalogs.errors import InputError
from catalogs.llm import Llm, get
from catalogs.registry import shipped_names

ENGINES = {
    "ascend": "vLLM Ascend", "gaudi": "vLLM Gaudi", "tensorrt": "TensorRT-LLM", "trtllm": "TensorRT-LLM",
    "sglang": "SGLang", "vllm": "vLLM",
}  # fmt: skip
CLASSES = {
    "a100": "SM80", "rtx_3090": "SM86", "l40s": "SM89", "rtx_4090": "SM89", "h100": "SM90", "h200": "SM90",
    "gh200": "SM90", "b200": "SM100", "gb200": "SM100", "b300": "SM103", "gb300": "SM103", "dgx_station_gb300": "SM103",
    "rtx_pro_6000": "SM120", "rtx_5090": "SM120", "dgx_spark_gb10": "SM121", "mi300x": "CDNA3", "mi325x": "CDNA3",
    "mi350x": "CDNA4", "mi355x": "CDNA4",
}  # fmt: skip
"""A recipe's word for a GPU -> its kernel class; others (XPU, TPU) are no GPUs of the catalog."""
MOST_BYTES = 2_000_000


@dataclass(frozen=True)
class Statement:
    """What a file says: an engine runs a model on a kernel class (empty: not said) at precisions, since a release."""

    llm: Llm
    engine: str
    kernel_class: str
    precisions: tuple[str, ...]
    release: str
    source: str


def known(name: str) -> Llm | None:
    """The shipped model that a name means; None where there is none."""
    try:
        return get(name) if name.casefold() in shipped_names() else None
    except InputError:
        return None


def statements_of_recipe(path: Path) -> Iterator[Statement]:
    """Those of one of vLLM's recipes; none of a file that is no recipe."""
    import yaml

    recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(recipe, dict) or not isinstance(recipe.get("model"), dict):
        return
    llm = known(str(recipe["model"].get("model_id", "")))
    if llm is None:
        return
    hardware = (recipe.get("meta") or {}).get("hardware") or {}
    variants = (recipe.get("variants") or {}).values()
    precisions = tuple(sorted({str(variant.get("precision")) for variant in variants if isinstance(variant, dict)}))
    release = str(recipe["model"].get("min_vllm_version", ""))
    for gpu, status in hardware.items():
        if status == "verified" and gpu in CLASSES:
            engine = "vLLM ROCm" if CLASSES[gpu].startswith("CDNA") else "vLLM"
            yield Statement(llm, engine, CLASSES[gpu], precisions, release, path.name)


def statements_of_table(path: Path) -> Iterator[Statement]:
    """Models that the rows of a Markdown file's tables name, by the engine of its path."""
    engine = next((name for word, name in ENGINES.items() if word in str(path).casefold()), "")
    if not engine:
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.lstrip().startswith("|"):
            continue
        for word in dict.fromkeys(re.findall(r"[\w.-]+(?:/[\w.-]+)?", line)):
            if (llm := known(word)) is not None:
                yield Statement(llm, engine, "", (), "", path.name)


def difference(said: Statement, rows: tuple[SupportRow, ...]) -> str:
    """How a statement differs from the table; empty where it does not."""
    mine = [
        row
        for row in rows
        if row.engine == said.engine
        and said.llm.architecture in row.architectures
        and (not row.models or said.llm.id in row.models)
        and (not said.kernel_class or said.kernel_class in row.kernel_classes)
    ]
    if not mine:
        return "new: no row says it"
    runs = [row for row in mine if row.status in ("stable", "experimental")]
    if not runs:
        return f"differs: {mine[-1].status} here ({mine[-1].date})"
    lacking = [p for p in said.precisions if not any(p in row.precisions for row in runs)]
    if lacking:
        return f"new: at {', '.join(lacking)}"
    return ""


def main(folder: Path) -> int:
    """Prints the differences; returns how many there are."""
    rows, count = support_rows("serve"), 0
    for path in sorted(x for x in folder.rglob("*") if x.suffix in (".yaml", ".yml", ".md") and x.is_file()):
        if path.stat().st_size > MOST_BYTES:
            continue
        read = statements_of_table if path.suffix == ".md" else statements_of_recipe
        for said in dict.fromkeys(read(path)):
            if text := difference(said, rows):
                count += 1
                where = f" on {said.kernel_class}" if said.kernel_class else ""
                since = f" since {said.release}" if said.release else ""
                print(f"{said.source}: {said.engine} runs {said.llm.id}{where}{since}: {text}")
    print(f"{count} differences")
    return count


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit("usage: python -m benchmarks.engines.compare FOLDER")
    main(Path(sys.argv[1]))
