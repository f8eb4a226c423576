"""The models that dsopt knows by name: catalogs/llms/registry.csv with the files beside it, and the user's own."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

from catalogs.architectures import from_config
from catalogs.decoder_config import decoder_config
from catalogs.errors import InputError
from catalogs.inputs import shipped_rows
from catalogs.transformer import Llm
from catalogs.user_models import open_config, open_saved, saved

DATA = Path(__file__).parent / "llms"


@cache
def _registry() -> tuple[dict[str, str], ...]:
    return shipped_rows(DATA / "registry.csv")


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
        max_context=decoder_config(config)["max_position_embeddings"],
        source=row["source"],
        hf_names=tuple(filter(None, row["hf_names"].split("|"))),
        note=row["note"],
        note_zh=row["note_zh"],
        family=row["family"],
        released=row["released"],
        licence=row["licence"],
    )
    if row["full_bytes"]:
        scale = Fraction(int(row["full_bytes"]), llm.weight_bytes("bf16"))
        llm = replace(llm, scale=scale, formats=("fp16", *llm.formats[1:]))
    return llm


_of_this_run: dict[str, Llm] = {}


def use_config(path: Path, precision: str | None = None) -> str:
    """Read a config.json for this run alone; returns the id by which `get` finds it. Raises InputError."""
    llm = open_config(path, None, precision)
    if llm.id in shipped_names():
        llm = replace(llm, id=f"user-{llm.id}"[:64])
    _of_this_run[llm.id] = llm
    return llm.id


def all_models() -> list[Llm]:
    """Every model that ships with dsopt, then the user's own."""
    return [_open(r["id"]) for r in _registry()] + [open_saved(p) for p in saved().values()]


@cache
def shipped_names() -> dict[str, str]:
    """Name in small letters -> id, of the models that ship with dsopt."""
    names: dict[str, str] = {}
    for r in _registry():
        for n in (r["id"], r["name"], *r["hf_names"].split("|")):
            if n:
                names.setdefault(n.casefold(), r["id"])
    return names


def get(name: str) -> Llm:
    """A model by id, Hugging Face name or alias, in any case; raises InputError with the nearest names."""
    wanted = name.strip().casefold()
    if wanted in _of_this_run:
        return _of_this_run[wanted]
    names = shipped_names()
    if wanted in names:
        return _open(names[wanted])
    own = saved()
    if wanted in own:
        return open_saved(own[wanted])
    near = difflib.get_close_matches(wanted, [*names, *own], n=3, cutoff=0.4)
    remedy = f"Nearest: {', '.join(near)}." if near else "See `dsopt models list`."
    raise InputError(f"no model named {name!r}", "unknown-model", remedy)
