"""Intervals: what held-out residuals say about a figure, by how far its configuration lies from what was measured.

A figure's `basis` is `measured` (this very configuration was), `interpolated` (its GPU was, or its model was and the
GPU is of a generation that was) or `roofline`. Widths are quantiles of held-out errors: whole groups of rows left out
at the same distance from the rest (split conformal prediction with groups; Lei et al. 2018,
doi:10.1080/01621459.2017.1307116), never in-sample ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from catalogs.llm import Llm
from catalogs.schema import Gpu
from optimizer.throughput.constants import rows, same_stack
from optimizer.throughput.demand import kin
from optimizer.throughput.roofline import Floats

Basis = Literal["measured", "interpolated", "roofline"]
COVERAGE = 0.80
NOTHING = "nothing"
DISTANCES = ("same", "model-and-gpu", "model-or-gpu", "generation", NOTHING)
"""What of a configuration was measured: itself; its model and its GPU apart; one of them; only the GPU's generation;
nothing, or a model on stacks other than the GPU's."""
BEYOND = "beyond"
"""Stands in the place of a distance for mixtures of experts with more requests at once on each GPU than FAR times the
most that was measured of such models on its stack."""
FAR = 2
"""Times the largest measured load up to which the ordinary intervals hold what they should. Beyond it they hold too
little of mixtures of experts, and still enough of dense models (docs/throughput-scoreboard.md)."""
FILE = "intervals.csv"
ALL = ""
"""Stands for all stacks together in the place of one."""
BURSTS = "bursts"
"""Stands in the place of a stack for requests that come all at once and drain: how long the tail lasts says more of
them than the hardware does."""
HALVES = "halves"
"""The same for runs whose prefill and decode have GPUs of their own, none of which is fitted on."""
SHARED = 30
"""Held-out rows of one stack that weigh as much as all others together in its interval."""


@dataclass(frozen=True)
class Width:
    """Factors on a figure within which 80 % of measurements lie, and the held-out rows and groups behind them."""

    low: float
    high: float
    rows: int
    groups: int


Widths = Mapping[tuple[str, str], Width]
"""(distance; stack, vendor or ALL) -> width."""


@dataclass(frozen=True)
class HeldOut:
    """Held-out errors, log of predicted over measured, with their weights, the stack that each is of, BURSTS for a
    burst, and the vendor of the GPU; `groups`: number of models on a GPU among them."""

    errors: Floats
    weights: Floats
    stacks: tuple[str, ...]
    vendors: tuple[str, ...]
    groups: int


@dataclass(frozen=True)
class Seen:
    """Models (kin), GPUs (id) and GPU generations of measured rows; `across`: "model generation" of those in which a
    replica spans nodes."""

    models: frozenset[str]
    gpus: frozenset[str]
    archs: frozenset[str]
    across: frozenset[str] = frozenset()

    def distance(self, kin: str, gpu: Gpu, across: bool = False) -> str:
        """How far a configuration lies from the measured rows; one of DISTANCES but the first. A measured model says
        nothing of a GPU on whose generation, or on that one's kin (arch_kin.csv), nothing was measured, and runs on one
        node say nothing of a replica across nodes."""
        archs = {gpu.arch, same_stack().get(gpu.arch, gpu.arch)}
        if across:
            return "model-or-gpu" if any(f"{kin} {arch}" in self.across for arch in archs) else "nothing"
        model, card = kin in self.models, gpu.id in self.gpus
        stack = bool(archs & self.archs)
        if model and card:
            return "model-and-gpu"
        if card or (model and stack):
            return "model-or-gpu"
        return "generation" if gpu.arch in self.archs else "nothing"


def basis(distance: str, stack: str = ALL) -> Basis:
    """The basis that goes with a distance. Of a burst nothing is interpolated: engines drain it each in its way."""
    if distance == "same":
        return "measured"
    near = distance in ("model-and-gpu", "model-or-gpu") and stack != BURSTS
    return "interpolated" if near else "roofline"


def wider(one: Width, other: Width) -> Width:
    """What holds both, with the rows behind the second."""
    return Width(min(one.low, other.low), max(one.high, other.high), other.rows, other.groups)


def quantiles(errors: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted 10 % and 90 % quantiles of log(predicted / measured), as factors (low, high) on a prediction."""
    order = np.argsort(errors)
    place = np.cumsum(weights[order]) / weights.sum()
    low, high = np.interp([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], place, errors[order])
    return float(np.exp(-high)), float(np.exp(-low))


def widths(held_out: Mapping[str, HeldOut], distances: Sequence[str] = DISTANCES) -> dict[tuple[str, str], Width]:
    """Widths by distance (from near to far), of all stacks together, and of each stack and each vendor with as many
    held-out rows as weigh like the others (`SHARED`), of bursts from bursts alone; a larger distance is never narrower,
    so that the spread between engines and days on one machine, the width of what was measured itself, is the least of
    all."""
    stacks = {stack for found in held_out.values() for stack in (*found.stacks, *found.vendors)}
    out: dict[tuple[str, str], Width] = {}
    for stack in (ALL, *sorted(stacks)):
        low, high = 1.0, 1.0
        for distance in (distance for distance in distances if distance in held_out):
            found = held_out[distance]
            like = np.array([(of == BURSTS) == (stack == BURSTS) for of in found.stacks], dtype=bool)
            if not like.any():
                continue
            named = zip(found.stacks, found.vendors, strict=True)
            own = np.array([stack in (of, vendor, ALL) for of, vendor in named], dtype=bool) & like
            here = quantiles(found.errors[like], on_stack(found.weights[like], own[like]))
            low, high = min(low, here[0]), max(high, here[1])
            if int(own.sum()) >= SHARED:
                out[distance, stack] = Width(low, high, int(own.sum()), found.groups)
    return out


def on_stack(weights: Floats, own: npt.NDArray[np.bool_]) -> Floats:
    """Weights of held-out rows for one stack: its `own` as they are, the others as much together as SHARED of them."""
    others = float(weights[~own].sum())
    if not others or not own.any():
        return weights
    return np.where(own, weights, weights * SHARED * float(weights[own].mean()) / others)


def read_widths(path: Path) -> dict[tuple[str, str], Width]:
    """Widths from intervals.csv."""
    return {
        (row["distance"], row["stack"]): Width(
            float(row["low"]), float(row["high"]), int(row["rows"]), int(row["groups"])
        )
        for row in rows(path)
    }


def seen(rows: Iterable[tuple[Llm, Gpu, bool]]) -> Seen:
    """What was measured, of the rows that the audit kept: model, GPU, and whether a replica spans nodes."""
    found = list(rows)
    return Seen(
        frozenset(kin(llm) for llm, _, _ in found),
        frozenset(gpu.id for _, gpu, _ in found),
        frozenset(gpu.arch for _, gpu, _ in found),
        frozenset(f"{kin(llm)} {gpu.arch}" for llm, gpu, across in found if across),
    )
