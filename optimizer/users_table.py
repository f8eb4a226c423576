"""Speed over the number of users: at each number the best of all plans of a setup, and where it is cut."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from catalogs.schema import Gpu
from constraints.plan import RowKey
from optimizer.throughput.calibration import measured
from optimizer.throughput.demand import demand
from optimizer.throughput.jobs import of_keys
from optimizer.throughput.plans import Planner
from optimizer.throughput.roofline import SLACK, Floats, Ints, Times, times
from optimizer.throughput.shapes import sizes_of

STEP = 4


@dataclass(frozen=True)
class Candidates:
    """Plans of one precision on one setup. `cap`: requests at once that a replica holds."""

    precision: str
    shapes: list[tuple[int, int, int, int]]
    replicas: Ints
    cap: Ints
    times: Times


def candidates(planner: Planner, gpu: Gpu, key: RowKey) -> list[Candidates]:
    """All plans that have memory for a request, by precision."""
    r, llm, k = planner.request, planner.llm, planner.calibration.constants
    pair = planner.calibration.pair(planner.kin, gpu.id)
    found = []
    for precision in planner.precisions(gpu):
        table, _ = planner.fits.of(precision, [(gpu, key, size) for size in sizes_of(key.per_node, key.total)])
        shape, cap = table[:, :4], table[:, 4]
        asked = demand(llm, precision, r.isl, r.osl, r.kv_precision)
        owner = np.zeros(len(table), dtype=np.int64)
        jobs = of_keys(gpu, shape, [key], owner, asked, precision, (r.isl, r.osl), k) if len(table) else None
        if jobs is not None:
            kept = [(a, b, c, d) for a, b, c, d in shape.tolist()]
            found.append(
                Candidates(
                    precision, kept, key.total // shape[:, :3].prod(axis=1), cap, times(jobs, k).slowed(1 / pair)
                )
            )
    return found


def ladder(most: int) -> list[int]:
    """1, 4, 16, ... up to `most`, `most` itself and one step beyond."""
    steps = [STEP**i for i in range(int(math.log(most, STEP) + 1e-9) + 1)]
    return sorted({*steps, most, steps[-1] * STEP})


def users_table(planner: Planner, gpu: Gpu, key: RowKey, counts: Iterable[int]) -> list[dict[str, Any]]:
    """A row per number of users: the fastest plan among those that meet the limits and hold them all, else among
    those that hold them, else among all, with the cut in words."""
    found = candidates(planner, gpu, key)
    return [_row(planner, gpu, found, n) for n in counts] if found else []


def _row(planner: Planner, gpu: Gpu, found: list[Candidates], users: int) -> dict[str, Any]:
    best: tuple[tuple[Any, ...], Candidates, int, dict[str, float]] | None = None
    for c in found:
        figures = _figures(planner, gpu, c, users)
        rank = np.lexsort((figures["tok_s"], figures["meets"], figures["holds"]))[-1]
        one = {name: float(values[rank]) for name, values in figures.items()}
        place = (one["holds"], one["meets"], one["tok_s"])
        if best is None or place > best[0]:
            best = place, c, int(rank), one
    assert best is not None
    _, c, i, one = best
    tp, pp, dp, ep = shape = c.shapes[i]
    curve = planner.curves(gpu, c.precision).get(shape, ())
    fact = planner.calibration.fact(planner.kin, gpu, curve, one["running"])
    held = int(c.cap[i] * c.replicas[i])
    return {
        "users": users,
        "per_user_tok_s": round(one["each"], 2),
        "output_tok_s": round(one["tok_s"], 1),
        "low": round(one["tok_s"] * fact.low, 1),
        "high": round(one["tok_s"] * fact.high, 1),
        "basis": fact.basis,
        "source": fact.source,
        "ttft_ms": round(one["ttft_ms"], 1),
        "precision": c.precision,
        "tp": tp,
        "pp": pp,
        "dp": dp,
        "ep": ep,
        "replicas": int(c.replicas[i]),
        "at_once": min(users, held),
        "cut": _cut(planner, one, users, held),
    }


def _figures(planner: Planner, gpu: Gpu, c: Candidates, users: int) -> dict[str, Floats]:
    """Figures of every candidate at `users` requests spread evenly over its replicas; those beyond its cap wait."""
    r = planner.request
    busy = np.minimum(c.replicas, users)
    wanted = users / busy
    running = np.minimum(wanted, c.cap)
    factor, model = np.ones(len(c.shapes)), planner.calibration.pair(planner.kin, gpu.id)
    curves = planner.curves(gpu, c.precision)
    for i, shape in enumerate(c.shapes if curves else ()):
        if known := measured(curves.get(shape, ()), float(running[i])):
            factor[i] = math.exp(known.log_ratio) / model
    one = c.times.request_s(running) / factor
    tpot_ms = c.times.tpot_s(running) / factor * 1e3
    ttft_ms = c.times.ttft_s(running) / factor * 1e3 + (wanted / running - 1) * one * 1e3
    least = 0.0 if r.workload == "batch" else r.min_tok_s_user
    meets = tpot_ms * least <= 1000 * SLACK
    if r.max_ttft_ms is not None:
        meets = meets & (ttft_ms <= r.max_ttft_ms * SLACK)
    return {
        "holds": np.asarray(wanted <= c.cap, dtype=np.float64),
        "meets": np.asarray(meets, dtype=np.float64),
        "tok_s": np.asarray(busy * running * r.osl / one),
        "each": 1000 / tpot_ms,
        "ttft_ms": ttft_ms,
        "running": running,
    }


def _cut(planner: Planner, one: dict[str, float], users: int, held: int) -> str:
    """What stands against this many users, in words; "" when nothing does."""
    r, words = planner.request, []
    if not one["holds"]:
        words.append(f"memory: {held:,} run at once, {users - held:,} wait")
    if r.workload != "batch" and one["each"] * SLACK < r.min_tok_s_user:
        words.append(f"each user below {r.min_tok_s_user:g} tok/s")
    if r.max_ttft_ms is not None and one["ttft_ms"] > r.max_ttft_ms * SLACK:
        words.append(f"TTFT above {r.max_ttft_ms:g} ms")
    return ", ".join(words)
