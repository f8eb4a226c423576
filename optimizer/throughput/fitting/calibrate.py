"""Fits the constants on measured runs: a robust maximum a posteriori fit around the priors of data/constants.csv.

Residuals are logarithms of predicted over measured tok/s, time per token and time to first token, with a soft L1 loss,
so that the spread between engines and a bad row do not pull the fit. A constant moves away from its prior only as far
as the rows pay for it, so that generations with few rows stay near what is known of their kind.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from optimizer.throughput.batch import Table, figures
from optimizer.throughput.constants import Constants
from optimizer.throughput.demand import kin
from optimizer.throughput.fitting.measured import BURST, Runs
from optimizer.throughput.roofline import Floats

WEIGHTS = {"output_tok_s": 1.0, "tpot_ms": 0.5, "ttft_ms": 0.12}
"""How much an error of each figure counts; the time to first token mostly measures how a client sends."""
SIDES = ("least", "most")
FULL_GROUP = 20
"""Rows of a model on a GPU from which on the group counts in full for the model's own time."""
DOUBT = 0.3
"""Weight of the prior that a model has no time of its own, in groups."""
MOST_TUNED = 0.3
"""Most that a model's time may differ (log): engines differ by 1.2-2 x."""
SOFT = 0.15
"""Log error at which the loss turns from square to linear: about the spread between engines."""


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


def fit(runs: Runs, table: Table, known: Sequence[Prior]) -> Constants:
    """Constants that the rows of `runs` (made ready in `table`) and the priors agree on; then each model's own time."""
    return tuned(runs, table, shared(runs, table, known))


def shared(runs: Runs, table: Table, known: Sequence[Prior]) -> Constants:
    """The constants that all models share, each model's own time at its prior."""
    from scipy.optimize import least_squares

    free = [p for p in known if p.spread > 0]
    fixed = {p.key: p.value for p in known if p.spread == 0}
    weight = np.sqrt(row_weights(runs.groups))

    def constants(x: Floats) -> Constants:
        return Constants({**fixed, **{p.key: p.value * math.exp(p.spread * v) for p, v in zip(free, x, strict=True)}})

    def residuals(x: Floats) -> Floats:
        found = errors(runs, table, constants(x))
        parts = [np.nan_to_num(found[name]) * weight * math.sqrt(w) for name, w in WEIGHTS.items()]
        return np.concatenate([*parts, x * SOFT])

    limits = [[math.log(edge / p.value) / p.spread for p in free for edge in (getattr(p, side),)] for side in SIDES]
    best = least_squares(
        residuals, np.zeros(len(free)), loss="soft_l1", f_scale=SOFT, bounds=limits, xtol=1e-4, ftol=1e-4, max_nfev=60
    )
    return constants(best.x)


def tuned(runs: Runs, table: Table, constants: Constants) -> Constants:
    """The constants with a time for each model: what its rows are off in common on several GPUs, drawn towards none.

    Fitted after the shared constants: at once, they would explain by a model what belongs to all."""
    off = errors(runs, table, constants)["output_tok_s"]
    found: dict[str, dict[str, list[float]]] = {}
    for x, e in zip(table.found, off.tolist(), strict=True):
        if x is not None and math.isfinite(e):
            found.setdefault(kin(x.llm), {}).setdefault(x.gpu.id, []).append(e)
    times = {}
    for model, cards in found.items():
        weight = [min(len(card), FULL_GROUP) / FULL_GROUP for card in cards.values()]
        mean = sum(w * median(v) for w, v in zip(weight, cards.values(), strict=True)) / (sum(weight) + DOUBT)
        times[f"model_time.{model}"] = math.exp(max(-MOST_TUNED, min(MOST_TUNED, mean)))
    return Constants({**constants.values, **{key: t for key, t in times.items() if key in constants.values}})
