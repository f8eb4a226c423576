"""Which engines run an architecture on a GPU at a precision (software.csv and its like for training and offloading).

Where rows of one engine disagree, the one for the narrower card holds, then the newer, then the worse."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast, get_args

from catalogs.engines.rules import newest
from catalogs.engines.tables import read, release_of, sourced, split, table
from catalogs.errors import InputError
from catalogs.file_kinds import with_all_gguf
from catalogs.formats import BITS_STORED
from catalogs.nearest import one_of
from catalogs.schema import Gpu

Status = Literal["stable", "experimental", "unknown", "none", "broken"]
WORSE = {status: place for place, status in enumerate(get_args(Status))}
FILES = {"serve": "software", "offload": "offload_software", "full": "training_software", "lora": "training_software"}
"""What is done with the model -> the file that says which engine does it."""


FRESH_DAYS = 120
"""An engine releases every few weeks: what was read longer ago is to be read again before one relies on it."""


def age_days(date: str, today: datetime.date) -> int:
    """Days from a row's date to a day; from the first of a month where the row names no day."""
    day = date if len(date) == len("2026-11-24") else f"{date}-01"
    return (today - datetime.date.fromisoformat(day)).days


@dataclass(frozen=True)
class Engine:
    """An engine that does what is asked. `since`: the release from which the row of data holds; `release`: the newest
    whose rules are known, which is the one that plans are judged by."""

    name: str
    release: str
    since: str
    status: Status
    source: str
    date: str

    def __str__(self) -> str:
        return f"{self.name} {self.release}"


@dataclass(frozen=True)
class SupportRow:
    """One row: an engine's support of an architecture on classes of GPUs. Empty `models` and `gpus` mean all."""

    architectures: tuple[str, ...]
    models: tuple[str, ...]
    kernel_classes: tuple[str, ...]
    gpus: tuple[str, ...]
    precisions: tuple[str, ...]
    methods: tuple[str, ...]
    engine: str
    release: str
    status: Status
    source: str
    date: str

    @classmethod
    def of(cls, row: dict[str, str]) -> SupportRow:
        """A row as a record; raises ValueError."""
        if row["status"] not in WORSE or not row["date"]:
            raise ValueError(f"{row['status']!r}, {row['date']!r}")
        if unknown := set(split(row["kernel_classes"])) - {r["kernel_class"] for r in table("kernel_classes")}:
            raise ValueError(f"no kernel class {', '.join(unknown)}")
        return cls(
            split(row["architecture"]), split(row.get("models", "")), split(row["kernel_classes"]),
            split(row.get("gpus", "")), with_all_gguf(split(row["precisions"])), split(row.get("methods", "")),
            row["engine"], row["release"], cast(Status, row["status"]), sourced(row), row["date"],
        )  # fmt: skip

    def speaks_of(self, model: str, architecture: str, gpu: str, classes: tuple[str, ...], precision: str) -> bool:
        """Whether the row holds for a model, a GPU (all the classes that it may be of) and a precision."""
        return (
            architecture in self.architectures
            and (not self.models or model in self.models)
            and (not self.gpus or gpu in self.gpus)
            and bool(classes)
            and set(classes) <= set(self.kernel_classes)
            and precision in self.precisions
        )

    @property
    def weight(self) -> tuple[bool, bool, str, int]:
        """Orders rows of one engine: the last one holds."""
        return bool(self.gpus), bool(self.models), self.date, WORSE[self.status]


@cache
def support_rows(does: str) -> tuple[SupportRow, ...]:
    """All rows of the file for `does`: serve, offload, full or lora."""
    if does not in FILES:
        raise InputError(f"no engine data for {does!r}", "unknown-method", one_of(does, FILES))
    return read(FILES[does], SupportRow.of)


@cache
def _classes_of(arch: str) -> tuple[str, ...]:
    return tuple(r["kernel_class"] for r in table("kernel_classes") if r["arch"] == arch)


def kernel_classes(gpu: Gpu) -> tuple[str, ...]:
    """The kernel class of a GPU; where its row of the catalog does not say it, all those of its generation."""
    return (gpu.kernel_class,) if gpu.kernel_class else _classes_of(gpu.arch)


def engines(model: str, architecture: str, gpu: Gpu, precision: str, does: str = "serve") -> tuple[Engine, ...]:
    """Engines that do it, stable ones first, then the newest; experimental ones among them, no others.

    `model`: its id. `does`: serve, offload (routed experts in host memory), full or lora (training)."""
    return _engines(model, architecture, gpu.id, kernel_classes(gpu), precision, does)


@cache
def _engines(
    model: str, architecture: str, gpu: str, classes: tuple[str, ...], precision: str, does: str
) -> tuple[Engine, ...]:
    held = _held(model, architecture, gpu, classes, precision, does)
    found = [_engine(row) for row in held.values() if row.status in ("stable", "experimental")]
    by_name = sorted(found, key=lambda e: e.name)
    by_date = sorted(by_name, key=lambda e: known.date if (known := newest(e.name)) else e.date, reverse=True)
    return tuple(sorted(by_date, key=lambda e: WORSE[e.status]))


@cache
def _rows_about(architecture: str, does: str) -> tuple[SupportRow, ...]:
    """The rows for `does` that speak of an architecture: a few of hundreds, asked of every GPU."""
    rows = support_rows(does)
    return tuple(row for row in rows if architecture in row.architectures and (not row.methods or does in row.methods))


def _held(
    model: str, architecture: str, gpu: str, classes: tuple[str, ...], precision: str, does: str
) -> dict[str, SupportRow]:
    """The row that holds of each engine that has one."""
    held: dict[str, SupportRow] = {}
    for row in _rows_about(architecture, does):
        if not row.speaks_of(model, architecture, gpu, classes, precision):
            continue
        if row.engine not in held or row.weight >= held[row.engine].weight:
            held[row.engine] = row
    return held


@dataclass(frozen=True)
class Support:
    """What is known of one engine with a model on a GPU, whether it runs there or not: since `release`, at these
    weight formats, by whom it was said and when that was read. `does` as in `engines`."""

    engine: str
    does: str
    release: str
    status: Status
    precisions: tuple[str, ...]
    source: str
    date: str

    def age_days(self, today: datetime.date) -> int:
        """Days since it was read."""
        return age_days(self.date, today)


def support_of(
    model: str, architecture: str, gpu: Gpu, precisions: Sequence[str], does: Sequence[str] = ("serve", "offload")
) -> list[Support]:
    """What the tables say of a model on a GPU, engine by engine: what runs first, by status, then by name; weight
    formats of which an engine's row is one and the same stand together."""
    found: dict[tuple[str, SupportRow], list[str]] = {}
    for work in does:
        for precision in precisions:
            for row in _held(model, architecture, gpu.id, kernel_classes(gpu), precision, work).values():
                found.setdefault((work, row), []).append(precision)
    said = [
        Support(row.engine, work, row.release, row.status, tuple(formats), row.source, row.date)
        for (work, row), formats in found.items()
    ]
    return sorted(said, key=lambda one: (WORSE[one.status], one.does != "serve", one.engine, one.release))


@cache
def engines_on(kernel_class: str, precision: str = "") -> tuple[Engine, ...]:
    """Engines that serve any model on GPUs of a kernel class, at the releases whose rules are known; where a precision
    is named, for kinds of GGUF those that read such files, for other formats those that read others."""
    of_gguf = precision not in BITS_STORED
    names = {
        r.engine
        for r in support_rows("serve")
        if kernel_class in r.kernel_classes
        and r.status in ("stable", "experimental")
        and (not precision or any((name not in BITS_STORED) == of_gguf for name in r.precisions))
    }
    known = [k for name in sorted(names) if (k := newest(name)) is not None]
    return tuple(Engine(k.engine, k.release, k.release, "stable", k.source, k.date) for k in known)


def _engine(row: SupportRow) -> Engine:
    known = newest(row.engine)
    release = row.release if known is None or release_of(row.release) > known.number else known.release
    return Engine(row.engine, release, row.release, row.status, row.source, row.date)
