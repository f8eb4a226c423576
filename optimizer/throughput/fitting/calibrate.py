"""Fits the constants on measured runs: a robust maximum a posteriori fit around the priors of data/constants.csv.

Residuals are logarithms of predicted over measured tok/s, time per token and time to first token, with a soft L1 loss,
so that the spread between engines and a bad row do not pull the fit. A constant moves away from its prior only as far
as the rows pay for it, so that generations with few rows stay near what is known of their kind.

The fit is Gauss-Newton with damping (Levenberg 1944), reweighted for the loss (Huber 1981), each constant kept within
its limits. Of each row the candidate plan that is fastest is held while the constants move. What a fit without a group
of rows would give is found from the fit on all: one step of the same normal equations without that group's rows (Cook
1977, doi:10.2307/1268249), and one with the derivatives taken anew.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from optimizer.throughput.batch import BURST, Table, figures
from optimizer.throughput.constants import Constants
from optimizer.throughput.demand import kin
from optimizer.throughput.fitting.measured import Runs
from optimizer.throughput.roofline import Floats, Ints

Matrix = npt.NDArray[np.float64]
WEIGHTS = {"output_tok_s": 1.0, "tpot_ms": 0.5, "ttft_ms": 0.12}
"""How much an error of each figure counts; the time to first token mostly measures how a client sends."""
SIDES = ("least", "most")
FULL_GROUP = 20
"""Rows of a model on a GPU from which on the group counts in full for the model's own time."""
DOUBT = 0.6
"""Weight of the prior that a model has no time of its own, in groups."""
MOST_TUNED = 0.3
"""Most that a model's time may differ (log): engines differ by 1.2-2 x."""
SOFT = 0.15
"""Log error at which the loss turns from square to linear: about the spread between engines."""
NUDGE = 1e-3
"""Step of a derivative, in spreads of the prior."""
STEPS, FEW_STEPS = 12, 4
"""Most steps of a fit, and after the candidates of rows without a plan were chosen anew."""
ENOUGH = 1e-3
"""A step that lowers the loss by less than this part of it is the last."""


@dataclass(frozen=True)
class Prior:
    """What is known of a constant before the fit: value, how far (log) the fit moves it (0 keeps it), limits."""

    key: str
    value: float
    spread: float
    least: float
    most: float


def priors(rows: Sequence[Mapping[str, str]]) -> list[Prior]:
    """The priors of constants.csv."""
    return [Prior(row["key"], *(float(row[c]) for c in ("prior", "spread", "least", "most"))) for row in rows]


def errors(runs: Runs, table: Table, constants: Constants) -> dict[str, Floats]:
    """Log of predicted over measured, per figure and row; NaN where either is missing."""
    found = figures(table, constants)
    burst = np.array([row.get("scenario") == BURST for row in runs.rows])
    with np.errstate(invalid="ignore", divide="ignore"):
        out = {
            "output_tok_s": np.log(found.output_tok_s / runs.output_tok_s),
            "tpot_ms": np.log(found.tpot_ms / runs.tpot_ms),
            "ttft_ms": np.log(found.ttft_ms / runs.ttft_ms),
        }
    for name in ("tpot_ms", "ttft_ms"):
        out[name] = np.where(burst, np.nan, out[name])
    return out


def row_weights(groups: Sequence[str]) -> Floats:
    """Rows of a large group count less each: a group weighs the square root of its size."""
    size = Counter(groups)
    w = np.array([1 / math.sqrt(size[group]) for group in groups])
    return np.asarray(w * len(w) / w.sum())


class Fitted(NamedTuple):
    """Shared constants, and where they lie: in spreads from their priors (`at`)."""

    constants: Constants
    at: Floats


@dataclass(frozen=True)
class Problem:
    """Rows with one candidate plan each, and the constants that are free to move."""

    runs: Runs
    table: Table
    free: tuple[Prior, ...]
    fixed: Mapping[str, float]

    def constants(self, at: Floats) -> Constants:
        """Constants so many spreads (log) from their priors."""
        moved = {p.key: p.value * math.exp(p.spread * v) for p, v in zip(self.free, at.tolist(), strict=True)}
        return Constants({**self.fixed, **moved})

    @property
    def limits(self) -> tuple[Floats, Floats]:
        """Least and most of each free constant, in spreads from its prior."""
        edges = ([math.log(getattr(p, side) / p.value) / p.spread for p in self.free] for side in SIDES)
        least, most = (np.array(edge) for edge in edges)
        return least, most

    def residuals(self, at: Floats) -> Matrix:
        """Weighted errors of the rows (figures x rows)."""
        found = errors(self.runs, self.table, self.constants(at))
        weight = np.sqrt(row_weights(self.runs.groups))
        return np.stack([np.nan_to_num(found[name]) * weight * math.sqrt(w) for name, w in WEIGHTS.items()])

    def derivatives(self, at: Floats, here: Matrix) -> npt.NDArray[np.float64]:
        """Of the residuals by each free constant (constants x figures x rows)."""
        _, most = self.limits
        out = []
        for i in range(len(at)):
            step = NUDGE if at[i] + NUDGE <= most[i] else -NUDGE
            moved = at.copy()
            moved[i] += step
            out.append((self.residuals(moved) - here) / step)
        return np.array(out).reshape(len(at), *here.shape)


def loss(residuals: Matrix, at: Floats) -> float:
    """Soft L1 of the rows (square below SOFT, linear beyond), and the square of the distance from the priors."""
    rows = 2 * SOFT**2 * (np.sqrt(1 + (residuals / SOFT) ** 2) - 1)
    return float(rows.sum() + ((at * SOFT) ** 2).sum())


def normal_equations(residuals: Matrix, derivatives: npt.NDArray[np.float64], at: Floats) -> tuple[Matrix, Floats]:
    """Curvature and slope of the loss there."""
    # Soft L1 as reweighted squares.
    weight = 1 / np.sqrt(1 + (residuals / SOFT) ** 2)
    flat = derivatives.reshape(len(at), -1)
    weighted = flat * weight.ravel()
    return weighted @ flat.T + SOFT**2 * np.eye(len(at)), weighted @ residuals.ravel() + SOFT**2 * at


def step(curvature: Matrix, slope: Floats, at: Floats, limits: tuple[Floats, Floats], damping: float) -> Floats:
    """Where one damped step leads; a constant at a limit that wants beyond it stays."""
    least, most = limits
    moves = ~(((at <= least + 1e-9) & (slope > 0)) | ((at >= most - 1e-9) & (slope < 0)))
    inside = curvature[np.ix_(moves, moves)]
    ahead = np.zeros(len(at))
    ahead[moves] = -np.linalg.solve(inside + damping * np.diag(np.diag(inside)), slope[moves])
    return np.clip(at + ahead, least, most)


def descend(problem: Problem, at: Floats, steps: int) -> Floats:
    """Where the loss is least, from `at` on, in at most so many steps."""
    here = problem.residuals(at)
    now, damping = loss(here, at), 1e-2
    for _ in range(steps):
        curvature, slope = normal_equations(here, problem.derivatives(at, here), at)
        for _ in range(8):
            there = step(curvature, slope, at, problem.limits, damping)
            residuals = problem.residuals(there)
            lower = loss(residuals, there)
            if lower < now:
                break
            damping *= 4
        else:
            break
        gained, at, here, now = now - lower, there, residuals, lower
        damping = max(damping / 4, 1e-4)
        if gained < ENOUGH * now:
            break
    return at


def fit(runs: Runs, table: Table, known: Sequence[Prior]) -> Constants:
    """Constants that the rows of `runs` (made ready in `table`) and the priors agree on; then each model's own time."""
    return tuned(runs, table, shared(runs, table, known).constants)


def problem_of(runs: Runs, table: Table, known: Sequence[Prior], constants: Constants) -> Problem:
    """The rows with the plan that is fastest at these constants."""
    free = tuple(p for p in known if p.spread > 0)
    fixed = {p.key: p.value for p in known if p.spread == 0}
    chosen: Ints = figures(table, constants).plan
    return Problem(runs, table.pinned(chosen), free, fixed)


def shared(runs: Runs, table: Table, known: Sequence[Prior]) -> Fitted:
    """The constants that all models share, each model's own time at its prior."""
    at = np.zeros(sum(p.spread > 0 for p in known))
    constants = Constants({p.key: p.value for p in known})
    for steps in (STEPS, FEW_STEPS):
        problem = problem_of(runs, table, known, constants)
        at = np.clip(at, *problem.limits)
        at = descend(problem, at, steps)
        constants = problem.constants(at)
    return Fitted(constants, at)


def tuned(runs: Runs, table: Table, constants: Constants) -> Constants:
    """The constants with a time for each model: what its rows are off in common on several GPUs, drawn towards none.
    Bursts say too little of a model's kernels.

    Fitted after the shared constants: at once, they would explain by a model what belongs to all."""
    off = errors(runs, table, constants)["output_tok_s"]
    found: dict[str, dict[str, list[float]]] = {}
    for x, row, e in zip(table.found, runs.rows, off.tolist(), strict=True):
        if x is not None and math.isfinite(e) and row.get("scenario") != BURST:
            found.setdefault(kin(x.llm), {}).setdefault(x.gpu.id, []).append(e)
    times = {}
    for model, cards in found.items():
        weight = [min(len(card), FULL_GROUP) / FULL_GROUP for card in cards.values()]
        mean = sum(w * median(v) for w, v in zip(weight, cards.values(), strict=True)) / (sum(weight) + DOUBT)
        times[f"model_time.{model}"] = math.exp(max(-MOST_TUNED, min(MOST_TUNED, mean)))
    return Constants({**constants.values, **{key: t for key, t in times.items() if key in constants.values}})
