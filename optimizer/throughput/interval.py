"""Intervals: what held-out residuals say about a figure, by how far its configuration lies from what was measured.

A figure's `basis` is `measured` (this very configuration was), `interpolated` (its GPU was, or its model was and the
GPU is of a generation that was) or `roofline`. Widths are quantiles of held-out errors: whole groups of rows left out
at the same distance from the rest (split conformal prediction with groups; Lei et al. 2018,
doi:10.1080/01621459.2017.1307116), never in-sample ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from catalogs.llm import Llm
from catalogs.schema import Gpu
from optimizer.throughput.constants import arch_kin, rows
from optimizer.throughput.demand import kin
from optimizer.throughput.roofline import Floats

Basis = Literal["measured", "interpolated", "roofline"]
COVERAGE = 0.80
DISTANCES = ("same", "model-and-gpu", "model-or-gpu", "generation", "nothing")
"""What of a configuration was measured: itself; its model and its GPU apart; one of them; only the GPU's generation;
nothing, or a model on stacks other than the GPU's."""
FILE = "intervals.csv"


@dataclass(frozen=True)
class Width:
    """Factors on a figure within which 80 % of measurements lie, and the held-out rows and groups behind them."""

    low: float
    high: float
    rows: int
    groups: int


@dataclass(frozen=True)
class Seen:
    """Models (kin), GPUs (id) and GPU generations of measured rows."""

    models: frozenset[str]
    gpus: frozenset[str]
    archs: frozenset[str]

    def distance(self, kin: str, gpu: Gpu) -> str:
        """How far a configuration lies from the measured rows; one of DISTANCES but the first. A measured model says
        nothing of a GPU on whose generation, or on that one's kin (arch_kin.csv), nothing was measured."""
        model, card = kin in self.models, gpu.id in self.gpus
        stack = gpu.arch in self.archs or arch_kin().get(gpu.arch) in self.archs
        if model and card:
            return "model-and-gpu"
        if card or (model and stack):
            return "model-or-gpu"
        return "generation" if gpu.arch in self.archs else "nothing"


def basis(distance: str) -> Basis:
    """The basis that goes with a distance."""
    if distance == "same":
        return "measured"
    return "interpolated" if distance in ("model-and-gpu", "model-or-gpu") else "roofline"


def quantiles(errors: Floats, weights: Floats) -> tuple[float, float]:
    """Weighted 10 % and 90 % quantiles of log(predicted / measured), as factors (low, high) on a prediction."""
    order = np.argsort(errors)
    place = np.cumsum(weights[order]) / weights.sum()
    low, high = np.interp([(1 - COVERAGE) / 2, (1 + COVERAGE) / 2], place, errors[order])
    return float(np.exp(-high)), float(np.exp(-low))


def widths(held_out: Mapping[str, tuple[Floats, Floats, int]]) -> dict[str, Width]:
    """Distance -> width from its held-out (errors, weights, groups); a larger distance is never narrower."""
    out: dict[str, Width] = {}
    low, high = 1.0, 1.0
    for distance in DISTANCES:
        if distance in held_out:
            errors, weights, groups = held_out[distance]
            here = quantiles(errors, weights)
            low, high = min(low, here[0]), max(high, here[1])
            out[distance] = Width(low, high, len(errors), groups)
    return out


def read_widths(path: Path) -> dict[str, Width]:
    """Widths from intervals.csv."""
    return {
        row["distance"]: Width(float(row["low"]), float(row["high"]), int(row["rows"]), int(row["groups"]))
        for row in rows(path)
    }


def seen(rows: Iterable[tuple[Llm, Gpu]]) -> Seen:
    """What was measured, of the rows that the audit kept."""
    found = list(rows)
    return Seen(
        frozenset(kin(m) for m, _ in found), frozenset(g.id for _, g in found), frozenset(g.arch for _, g in found)
    )  # fmt: skip
