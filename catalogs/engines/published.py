"""Which weights of a model are published (checkpoints.csv: safetensors; file_checkpoints.csv: GGUF and MLX files), and
which an engine makes of others when it loads them (made_when_loading.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from catalogs.engines.tables import day_of, read, sourced, split, table
from catalogs.file_kinds import FILE_KINDS
from catalogs.formats import BITS
from catalogs.llm import Llm


@dataclass(frozen=True)
class FileCheckpoint:
    """A repository with a model's weights in kinds of files; `checkpoint`: its id, `{bits}` in place of MLX's bits."""

    model: str
    kinds: tuple[str, ...]
    checkpoint: str
    engine: str

    @classmethod
    def of(cls, row: dict[str, str]) -> FileCheckpoint:
        """A row of file_checkpoints.csv; raises ValueError."""
        sourced(row)
        day_of(row["date"])
        kinds = split(row["precisions"])
        if unknown := set(kinds) - set(FILE_KINDS):
            raise ValueError(f"no kind of file {', '.join(sorted(unknown))}")
        return cls(row["model"], kinds, row["checkpoint"], row["engine"])


@dataclass(frozen=True)
class Made:
    """Formats that an engine makes of weights in other formats while it loads them, or by its own tool before. `does`:
    serve, or offload (routed experts in host memory)."""

    engine: str
    does: str
    precisions: tuple[str, ...]
    of_formats: tuple[str, ...]

    @classmethod
    def of(cls, row: dict[str, str]) -> Made:
        """A row of made_when_loading.csv; raises ValueError."""
        sourced(row)
        day_of(row["date"])
        if row["does"] not in ("serve", "offload"):
            raise ValueError(f"{row['does']!r}")
        return cls(row["engine"], row["does"], split(row["precisions"]), split(row["of"]))


@cache
def _by_model() -> Mapping[str, Mapping[str, FileCheckpoint]]:
    """Model -> kind -> the first repository that has it."""
    found: dict[str, dict[str, FileCheckpoint]] = {}
    for row in read("file_checkpoints", FileCheckpoint.of):
        for kind in row.kinds:
            found.setdefault(row.model, {}).setdefault(kind, row)
    return found


@cache
def _folders() -> Mapping[str, frozenset[str]]:
    """Model -> formats of its published folders of safetensors."""
    found: dict[str, set[str]] = {}
    for row in table("checkpoints"):
        found.setdefault(row["model"], set()).add(row["precision"])
    return {model: frozenset(formats) for model, formats in found.items()}


@cache
def counted_as(model: str) -> str:
    """The model whose checkpoints count as a model's own: another one for the names of the hardware guide."""
    return next((row["counts_as"] for row in table("counted_as") if row["model"] == model), model)


def published_kinds(llm: Llm) -> tuple[str, ...]:
    """Kinds of files in which a model's weights are published, most bits first; of a model that a user brings the one
    that its own file is of."""
    known = {} if llm.user else _by_model().get(counted_as(llm.id), {})
    return tuple(kind for kind in FILE_KINDS if kind in known or kind == llm.native_precision)


def is_published(llm: Llm, precision: str) -> bool:
    """Whether weights of a model below its own precision are to be had: published, as far as is known. Of a model that
    a user brings nothing is known, and everything counts; so does what is not below."""
    if precision in FILE_KINDS:
        return precision in published_kinds(llm)
    if llm.user or BITS[precision] >= llm.min_precision_bits:
        return True
    return precision in _folders().get(counted_as(llm.id), ())


@cache
def _made() -> tuple[Made, ...]:
    return read("made_when_loading", Made.of)


def makers(llm: Llm, precision: str, does: str = "serve") -> tuple[str, ...]:
    """Engines that make weights in a format of those that the model is published in; `does`: serve or offload."""
    return tuple(
        row.engine
        for row in _made()
        if row.does == does and precision in row.precisions and llm.native_precision in row.of_formats
    )


def file_checkpoint(model: str, kind: str) -> str:
    """The id of a repository with a model's weights in a kind of file, as llama.cpp and mlx-lm take it; "" without."""
    row = _by_model().get(counted_as(model), {}).get(kind)
    if row is None:
        return ""
    if kind.startswith("mlx-"):
        return row.checkpoint.replace("{bits}", kind[len("mlx-") : -len("bit")])
    return f"{row.checkpoint}:{kind.upper().removesuffix('_MOE')}"  # files are called MXFP4, the kind MXFP4_MOE
