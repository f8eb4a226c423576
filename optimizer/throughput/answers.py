"""Figures with intervals and their basis, for rows of a table: what `size --batch` writes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimizer.throughput.batch import Table, figures
from optimizer.throughput.calibration import Calibration, Fact, Setup
from optimizer.throughput.demand import kin
from optimizer.throughput.roofline import Floats


@dataclass(frozen=True)
class Answers:
    """Per row: tok/s of the whole system with the interval that holds 80 % of measurements, latencies in ms, basis and
    the measurement it rests on; NaN and "" where the row has an error."""

    output_tok_s: Floats
    low: Floats
    high: Floats
    ttft_ms: Floats
    tpot_ms: Floats
    basis: tuple[str, ...]
    source: tuple[str, ...]
    errors: tuple[str, ...]


def answers(t: Table, calibration: Calibration) -> Answers:
    """The figures of every row; measured setups are answered with their measurement."""
    f = figures(t, calibration.constants)
    n = len(t.errors)
    factor, low, high = np.ones(n), np.full(n, np.nan), np.full(n, np.nan)
    basis, source = [""] * n, [""] * n
    shape = (t.jobs.tp, t.jobs.pp, t.jobs.dp, t.jobs.ep, t.jobs.isl, t.jobs.osl)
    setups = np.stack([np.asarray(x)[f.plan] if len(t.owner) else f.plan for x in shape], axis=1).tolist()
    concurrency = f.concurrency.tolist()
    known: dict[tuple[object, ...], tuple[Setup, Fact | None]] = {}
    at: dict[tuple[Setup, float], Fact] = {}
    for i, found in enumerate(t.found):
        if found is None:
            continue
        key = (id(found), *setups[i])
        if key not in known:
            setup = Setup(kin(found.llm), found.precision, found.gpu.id, *setups[i])
            curve = calibration.curves.get(setup, ())
            known[key] = setup, None if curve else calibration.fact(setup.kin, found.gpu, (), concurrency[i])
        setup, fact = known[key]
        if fact is None:
            fact = at.get((setup, concurrency[i]))
        if fact is None:
            fact = calibration.fact(setup.kin, found.gpu, calibration.curves[setup], concurrency[i])
            at[setup, concurrency[i]] = fact
        factor[i], low[i], high[i], basis[i], source[i] = fact.factor, fact.low, fact.high, fact.basis, fact.source
    tok_s = f.output_tok_s * factor
    return Answers(tok_s, tok_s * low, tok_s * high, f.ttft_ms / factor, f.tpot_ms / factor, tuple(basis),
                   tuple(source), t.errors)  # fmt: skip
