"""Readers of what engines publish: a file -> what it says. Each tells a file that is no longer as it was published."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from benchmarks.engines.tables import FormatChanged, cell, known, of_class, plain, subjects, wanted
from catalogs.engines.tables import table
from constraints.rules.precision import support

CLASSES = {
    "a100": "SM80", "rtx_3090": "SM86", "l40s": "SM89", "rtx_4090": "SM89", "h100": "SM90", "h200": "SM90",
    "h20": "SM90", "gh200": "SM90", "b200": "SM100", "gb200": "SM100", "b300": "SM103", "gb300": "SM103",
    "dgx_station_gb300": "SM103", "rtx_pro_6000": "SM120", "rtx_pro_6000_server": "SM120", "rtx_pro_5000": "SM120",
    "rtx_5090": "SM120", "dgx_spark_gb10": "SM121", "mi300x": "CDNA3", "mi325x": "CDNA3", "mi350x": "CDNA4",
    "mi355x": "CDNA4", "ascend_950pr": "Ascend950",
}  # fmt: skip
"""A word for a GPU in recipes and system names -> its kernel class."""
NO_CLASS = ("xeon6", "trillium", "ironwood", "arc_pro_b60", "arc_pro_b70", "b60")
"""Words for hardware that no row of software.csv speaks of."""
ASCEND = {"a2": "Ascend910B", "a3": "Ascend910C", "ascend950": "Ascend950"}
MARKS = {"✅": "stable", "🔵": "experimental", "❌": "none", "🟡": "unknown"}


@dataclass(frozen=True)
class Statement:
    """What a file says: an engine runs an architecture (or one `model` of it) on a kernel class (empty: not said) at
    precisions, since a release. `status` is empty where it only says that it runs."""

    engine: str
    architecture: str
    model: str
    kernel_class: str = ""
    precisions: tuple[str, ...] = ()
    status: str = ""
    release: str = ""
    note: str = ""


@dataclass
class Reading:
    """Statements of a file, and names in it that nothing shipped bears. `whole`: it lists all that the engine runs on
    these kernel classes (none: on any), so that a row which it does not name is gone."""

    said: list[Statement] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    whole: tuple[str, tuple[str, ...]] | None = None

    def add(self, engine: str, name: str, classes: tuple[str, ...] = ("",), precisions: tuple[str, ...] = (),
            status: str = "", release: str = "", note: str = "") -> None:  # fmt: skip
        """A statement for each model that a name means and each kernel class."""
        found = subjects(name)
        if not found and plain(name) not in self.strangers:
            self.strangers.append(plain(name))
        for architecture, model, said in found:
            at = tuple(dict.fromkeys((*precisions, *([said] if said else []))))
            self.said += [Statement(engine, architecture, model, c, at, status, release, note) for c in classes]


def runnable(kernel_class: str, precisions: Iterable[str]) -> tuple[str, ...]:
    """Those that GPUs of a kernel class compute at all: a recipe lists weights of all makers together."""
    arch = next(row["arch"] for row in table("kernel_classes") if row["kernel_class"] == kernel_class)
    return tuple(x for x in sorted(precisions) if x in support(arch))


def recipe(text: str) -> Reading:
    """One of vLLM's recipes: GPUs that it calls verified, its least release, the precisions of its variants."""
    import yaml

    data = yaml.safe_load(text)
    model = data.get("model") if isinstance(data, dict) else None
    if not isinstance(model, dict) or "model_id" not in model:
        raise FormatChanged("expected a mapping model with model_id (a recipe of vllm-project/recipes)")
    hardware = (data.get("meta") or {}).get("hardware")
    if hardware is not None and not isinstance(hardware, dict):
        raise FormatChanged(f"expected meta.hardware as GPU: status; found {hardware!r:.80}")
    name, out = str(model["model_id"]), Reading()
    if known(name) is None:
        out.strangers.append(name)
        return out
    variants = [x for x in (data.get("variants") or {}).values() if isinstance(x, dict) and "precision" in x]
    for word, status in (hardware or {}).items():
        gpu = re.sub(r"_\d+x$", "", str(word))
        if gpu in NO_CLASS:
            continue
        if gpu not in CLASSES:
            raise FormatChanged(f"expected a GPU of {', '.join(CLASSES)} in meta.hardware; found {word}")
        if status not in ("verified", "supported", "unsupported"):
            raise FormatChanged(f"expected verified, supported or unsupported for {word}; found {status!r}")
        kernel_class = CLASSES[gpu]
        engine = {"CDNA": "vLLM ROCm", "Asce": "vLLM Ascend"}.get(kernel_class[:4], "vLLM")
        runs = status != "unsupported"
        at = {str(x["precision"]) for x in variants if word in x.get("supported_hardware", (word,))}
        since = str(model.get("min_vllm_version", "")) if runs else ""
        out.add(
            engine, name, (kernel_class,), runnable(kernel_class, at) if runs else (), "" if runs else "none", since
        )
    return out


def vllm_ascend(text: str) -> Reading:
    """vllm-ascend docs, supported_models.md: a mark per model and the hardware that it holds for."""
    out = Reading(whole=("vLLM Ascend", ("Ascend910B", "Ascend910C", "Ascend950")))
    for record in wanted(text, "Model", "Support", "Supported Hardware"):
        name, mark, on = (cell(record, x) for x in ("Model", "Support", "Supported Hardware"))
        status = next((status for sign, status in MARKS.items() if sign in mark), "")
        if not status:
            raise FormatChanged(f"expected one of {' '.join(MARKS)} under Support; found {mark!r} for {name}")
        words = re.findall(r"ascend ?950|a2|a3", on.split("(")[0].casefold())
        if on and not words and "300i" not in on.casefold():
            raise FormatChanged(
                f"expected A2, A3, Ascend 950 or 300I under Supported Hardware; found {on!r} for {name}"
            )
        for word in words or ([""] if not on else []):
            kernel_class = ASCEND.get(word.replace(" ", ""), "")
            here = "experimental" if f"{word} experimental" in on.casefold() else status
            at = ["bf16"] if MARKS["✅"] == MARKS.get(record.get("bf16", "")) else []
            # W8A8 is INT8 on A2 and A3; on Ascend 950 it may be MXFP8 (its tutorials), so nothing is said of it.
            at += ["int8"] if "✅" in record.get("w8a8", "") and kernel_class != "Ascend950" else []
            out.add("vLLM Ascend", name, (kernel_class,), tuple(at), here)
    return out


def vllm_gaudi(text: str) -> Reading:
    """vllm-gaudi docs, validated_models.md: models validated at datatypes on accelerators."""
    out = Reading(whole=("vLLM Gaudi", ("Gaudi2", "Gaudi3")))
    for record in wanted(text, "Model", "Datatype", "Validated AI accelerator"):
        on = cell(record, "Validated AI accelerator")
        classes = tuple(f"Gaudi{x}" for x in re.findall(r"Gaudi ?([23])", on))
        at = tuple(x.strip().casefold() for x in cell(record, "Datatype").split(",") if x.strip())
        if not classes or not at:
            raise FormatChanged(f"expected datatypes, Gaudi 2 or Gaudi 3; found {at}, {on!r}: {cell(record, 'Model')}")
        out.add("vLLM Gaudi", cell(record, "Model"), classes, at)
    return out


def classes_and_examples(engine: str, *columns: str) -> Callable[[str], Reading]:
    """A list of the classes that an engine implements, with examples (TensorRT-LLM, vLLM)."""

    def read(text: str) -> Reading:
        notes = dict(re.findall(r"^\[\^(\w+)\]: *(.*)$", text, re.MULTILINE))
        out = Reading(whole=(engine, ()))
        for record in wanted(text, *columns):
            named = cell(record, columns[0])
            if not re.match(r"`+\w+`|\w+$", named):
                raise FormatChanged(f"expected a model's class under {columns[0]}; found {named!r}")
            note = "; ".join(notes[x][:160] for x in re.findall(r"\[\^(\w+)\]", named) if x in notes)
            built = [x for word in re.findall(r"\w+", plain(named)) for x in of_class(word)]
            out.said += [Statement(engine, x, "", note=note) for x in dict.fromkeys(built)]
            if not built:
                examples = [x for x in re.findall(r"[\w.-]+/[\w.-]+", plain(cell(record, columns[-1]))) if known(x)]
                for name in examples:
                    out.add(engine, name, note=note)
                if not examples:
                    out.strangers.append(plain(named))
        return out

    return read


def sglang(text: str) -> Reading:
    """SGLang docs, generative_models.md: families with examples of identifiers, whatever the GPU."""
    column, out = "Example HuggingFace Identifier", Reading(whole=("SGLang", ()))
    for record in wanted(text, "Model Family (Variants)", column):
        names = re.findall(r"[\w.-]+/[\w.-]+", plain(cell(record, column)))
        if not names:
            raise FormatChanged(f"expected organization/model under {column}; found {cell(record, column)!r}")
        for name in names:
            out.add("SGLang", name)
    return out


def sglang_ascend(text: str) -> Reading:
    """SGLang docs, ascend_npu_support_models.md: a mark per model for Atlas A2 and A3."""
    out = Reading(whole=("SGLang Ascend", ("Ascend910B", "Ascend910C")))
    marks = {"√": "stable", "✓": "stable", "×": "none", "x": "none", "": "unknown", "-": "unknown"}
    for record in wanted(text, "Models", "A2 Supported", "A3 Supported"):
        for word in ("A2", "A3"):
            mark = plain(cell(record, f"{word} Supported"))
            if mark not in marks:
                raise FormatChanged(f"expected √ or × under {word} Supported; found {mark!r}")
            out.add("SGLang Ascend", cell(record, "Models"), (ASCEND[word.casefold()],), (), marks[mark])
    return out


def aiconfigurator(text: str) -> Reading:
    """aiconfigurator, support_matrix/*.csv: what it finds a configuration for from figures measured on that system
    (PASS), since the oldest version that has any. The other states say nothing of the engine: they are about its own
    figures and the quantization that it takes for the model."""
    columns = ("HuggingFaceID", "System", "Backend", "Version", "Mode", "Status")
    reader = csv.DictReader(io.StringIO(text))
    if not set(columns) <= set(reader.fieldnames or ()):
        raise FormatChanged(f"expected the columns {', '.join(columns)}; found: {', '.join(reader.fieldnames or ())}")
    rows = [row for row in reader if row["Mode"] == "agg"]
    if not rows:
        raise FormatChanged("expected rows with Mode agg; found none")
    engines = {"trtllm": "TensorRT-LLM", "sglang": "SGLang", "vllm": "vLLM"}
    states = ("PASS", "HYBRID_PASS", "FAIL", "HW_INCOMPATIBLE", "FRAMEWORK_INCOMPATIBLE")
    found: dict[tuple[str, str, str], str] = {}
    for row in sorted(rows, key=lambda x: _release(x["Version"]), reverse=True):
        backend, status = row["Backend"], row["Status"]
        gpu = re.sub(r"_(sxm|pcie)$", "", row["System"])
        if backend not in engines or status not in states or gpu not in (*CLASSES, *NO_CLASS):
            words = "; ".join(", ".join(x) for x in (engines, states, CLASSES))
            raise FormatChanged(f"expected a backend, status and system of {words}; found {backend}, {status}, {gpu}")
        if gpu in CLASSES and status == "PASS":
            found[engines[backend], row["HuggingFaceID"], gpu] = row["Version"]
    out = Reading()
    for (engine, name, gpu), version in found.items():
        out.add(engine, name, (CLASSES[gpu],), release=version)
    return out


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(x) for x in re.findall(r"\d+", version))


TRTLLM = classes_and_examples("TensorRT-LLM", "Architecture", "Model", "HuggingFace Example")
VLLM = classes_and_examples("vLLM", "Architecture", "Models", "Example HF Models")


def reader_of(path: PurePosixPath) -> Callable[[str], Reading] | None:
    """The reader of a file by its name and folder, as its project publishes it; None for any other file."""
    name, folders = path.name, str(path.parent).casefold()
    if name == "supported_models.md":
        return vllm_ascend if "ascend" in folders else VLLM
    if path.suffix in (".yaml", ".yml"):
        return recipe if "models" in path.parent.parts else None
    if path.suffix == ".csv":
        return aiconfigurator if path.parent.name == "support_matrix" else None
    if path.suffix not in (".md", ".mdx", ".rst"):
        return None
    return {
        "validated_models": vllm_gaudi, "ascend_npu_support_models": sglang_ascend, "generative_models": sglang,
        "supported-models": TRTLLM, "support-matrix": TRTLLM,
    }.get(path.stem)  # fmt: skip
