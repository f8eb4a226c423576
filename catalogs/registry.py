"""The models that dsopt knows by name: catalogs/llms/registry.csv and the architecture files beside it."""

from __future__ import annotations

import csv
import difflib
import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

from catalogs.architectures import from_config
from catalogs.errors import InputError
from catalogs.transformer import Llm

DATA = Path(__file__).parent / "llms"


@cache
def _registry() -> tuple[dict[str, str], ...]:
    with (DATA / "registry.csv").open(encoding="utf-8", newline="") as f:
        return tuple(csv.DictReader(f))


@cache
def _open(row_id: str) -> Llm:
    row = next(r for r in _registry() if r["id"] == row_id)
    config = json.loads((DATA / row["config"]).read_text(encoding="utf-8"))
    llm = from_config(
        config,
        id=row["id"],
        name=row["name"],
        native_precision=row["native_precision"],
        min_precision_bits=int(row["min_precision_bits"]),
        max_context=config["max_position_embeddings"],
        source=row["source"],
        hf_names=tuple(filter(None, row["hf_names"].split("|"))),
        note=row["note"],
        note_zh=row["note_zh"],
    )
    if row["full_bytes"]:
        scale = Fraction(int(row["full_bytes"]), llm.weight_bytes("bf16"))
        llm = replace(llm, scale=scale, formats=("fp16", *llm.formats[1:]))
    return llm


def all_models() -> list[Llm]:
    """Every model of the registry."""
    return [_open(r["id"]) for r in _registry()]


def get(name: str) -> Llm:
    """A model by id, Hugging Face name or alias, in any case; raises InputError with the nearest names."""
    wanted = name.strip().casefold()
    names: dict[str, str] = {}
    for r in _registry():
        for n in (r["id"], r["name"], *r["hf_names"].split("|")):
            if n:
                names.setdefault(n.casefold(), r["id"])
    if wanted in names:
        return _open(names[wanted])
    near = difflib.get_close_matches(wanted, list(names), n=3, cutoff=0.4)
    remedy = f"Nearest: {', '.join(near)}." if near else "See `dsopt models list`."
    raise InputError(f"no model named {name!r}", "unknown-model", remedy)
