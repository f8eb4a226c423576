"""What a person gives as a model: a config.json, the folder of a downloaded checkpoint, or a GGUF file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogs.checkpoints.gguf import is_gguf, read_gguf
from catalogs.checkpoints.gguf_model import config_of
from catalogs.checkpoints.published import BESIDE, with_beside
from catalogs.checkpoints.weight_files import WeightFiles, weight_files
from catalogs.errors import Fault, InputError
from catalogs.inputs import LIST_BYTES, read_json
from catalogs.message import message

CONFIG = "config.json"


@dataclass(frozen=True)
class Given:
    """`config`: what config.json says, with the quantization file beside it; `file`: it or the folder; `name`: of the
    repository, folder or file; `weights`: what the weight files beside it say, None where there are none."""

    config: Any
    file: Path
    name: str
    weights: WeightFiles | None = None


def open_given(path: Path) -> Given:
    """Reads a config.json (with hf_quant_config.json and weight files beside it), NAME.json (with
    NAME.hf_quant_config.json), the folder of a checkpoint, or a GGUF file (with config.json, where there is one).
    Raises InputError."""
    if path.is_dir():
        path = _file_of(path)
    if is_gguf(path):
        return _of_gguf(path)
    whole = path.name == CONFIG
    config = read_json(path, LIST_BYTES, "bad-json", endless=True)
    beside = path.with_name(BESIDE if whole else f"{path.stem}.{BESIDE}")
    if isinstance(config, dict) and beside.is_file():
        config = with_beside(config, read_json(beside, LIST_BYTES, "bad-json"))
    return Given(config, path, name_of(path), weight_files(path.parent) if whole else None)


def name_of(path: Path) -> str:
    """What a config's file is called: by its own name, or its folder's; in a cache of Hugging Face's, where folders are
    called after revisions, by the repository's."""
    if path.stem != "config":
        return path.stem
    folder = Path(os.path.abspath(path)).parent
    if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
        return folder.parent.parent.name.rpartition("--")[2]
    return folder.name


def _of_gguf(path: Path) -> Given:
    """A GGUF file; a config.json beside it says more of the model than its own entries do."""
    header, weights = read_gguf(path)
    beside = path.with_name(CONFIG)
    name = re.sub(r"-\d{5}-of-\d{5}$", "", path.stem)
    if beside.is_file():
        return Given(read_json(beside, LIST_BYTES, "bad-json", endless=True), path, name, weights)
    return Given(config_of(header, weights.tensors, path), path, name, weights)


def _file_of(folder: Path) -> Path:
    """The file of a folder that is read first."""
    if (folder / CONFIG).is_file() and any(folder.glob("*.safetensors*")):
        return folder / CONFIG
    models = sorted(path for path in folder.glob("*.gguf") if not path.name.startswith("mmproj"))
    whole = [path for path in models if "-of-" not in path.stem or "-00001-of-" in path.stem]
    if len(whole) == 1:
        return whole[0]
    if whole and not (folder / CONFIG).is_file():
        text = message("holds {n} models", n=len(whole))
        remedy = f"Name one: {', '.join(path.name for path in whole[:6])}."
        raise InputError(Fault("ambiguous-model", text, str(folder), remedy=remedy))
    if (folder / CONFIG).is_file():
        return folder / CONFIG
    remedy = f"Name the folder of a checkpoint: {CONFIG} and what lies beside it, or a GGUF file."
    raise InputError(Fault("no-file", f"holds no {CONFIG}", str(folder), remedy=remedy))
