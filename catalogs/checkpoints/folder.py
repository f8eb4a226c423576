"""What a person gives as a model: a config.json, or the folder of a downloaded checkpoint."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogs.checkpoints.published import BESIDE, with_beside
from catalogs.checkpoints.weight_files import WeightFiles, weight_files
from catalogs.errors import Fault, InputError
from catalogs.inputs import LIST_BYTES, read_json

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
    NAME.hf_quant_config.json), or the folder of a checkpoint. Raises InputError."""
    if path.is_dir():
        path = _config_of(path)
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


def _config_of(folder: Path) -> Path:
    if (folder / CONFIG).is_file():
        return folder / CONFIG
    remedy = f"Name the folder of a checkpoint: {CONFIG}, and the safetensors files or their index beside it."
    raise InputError(Fault("no-file", f"holds no {CONFIG}", str(folder), remedy=remedy))
