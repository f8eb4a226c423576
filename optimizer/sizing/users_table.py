"""Speed over the number of users: at each number the best of all plans of a setup, and where it is cut."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from catalogs.formats import BITS
from catalogs.message import joined, message
from catalogs.schema import Gpu
from constraints.plan import Row, RowKey
from constraints.request import Request
from optimizer.throughput.curves import Curves
from optimizer.throughput.plans import Planner, together
from optimizer.throughput.roofline import SLACK, Ints
from optimizer.throughput.shapes import sizes_of

STEP = 4


@dataclass(frozen=True)
class Candidates:
    """Plans of one precision on one setup. `cap`: requests at once that a replica holds."""

    precision: str
    shapes: list[tuple[int, int, int, int]]
    redundant: Ints
    replicas: Ints
    cap: Ints
    curves: Curves


def candidates(planner: Planner, gpu: Gpu, key: RowKey) -> list[Candidates]:
    """All plans that have memory for a request, by precision."""
    found = []
    for precision in planner.precisions(gpu):
        setups = [(gpu, key, size) for size in sizes_of(key.per_node, key.total)]
        table, owner = planner.fits.of(precision, setups)
        if len(table) and planner.runs(gpu, precision):
            shapes = [(tp, pp, dp, ep) for tp, pp, dp, ep in table[:, :4].tolist()]
            replicas = key.total // table[:, :3].prod(axis=1)
            curves = planner.curves_of(precision, setups, table, owner)
            found.append(Candidates(precision, shapes, table[:, 4], replicas, table[:, 5], curves))
    return found


def ladder(most: int) -> list[int]:
    """1, 4, 16, ... up to `most`, `most` itself and one step beyond."""
    steps = [STEP**i for i in range(int(math.log(most, STEP) + 1e-9) + 1)]
    return sorted({*steps, most, steps[-1] * STEP})


def users_table(
    planner: Planner, gpu: Gpu, key: RowKey, counts: Iterable[int], best: Row | None = None
) -> list[dict[str, Any]]:
    """A row per number of users: the fastest plan among those that hold them all and meet the limits, else that hold
    the most of them and miss the limits least; with the cut in words.

    Read from the most users down, a plan that is as good as the row below in both latencies comes before a faster one
    that is not: there always is one, since the plan of the row below serves fewer users no worse. So neither column
    turns around where one plan takes over from another.

    `best`: the row that the answer's summary speaks of. At its number of users the table says the same plan and
    figures, and beyond it none that is better in both latencies: one answer never shows two plans for one thing."""
    found = candidates(planner, gpu, key)
    rows: list[dict[str, Any]] = []
    below: Served | None = None
    summed = best.plan.concurrency * best.plan.replicas if best else 0
    chosen = _of_row(planner, found, best) if best else None
    for users in sorted(set(counts), reverse=True) if found else ():
        if chosen and users == summed:
            below = chosen
        else:
            able = [s for c in found for s in served(planner, c, users)]
            if chosen and users > summed:
                able = [s for s in able if s.tpot_ms >= chosen.tpot_ms and s.ttft_ms >= chosen.ttft_ms] or able
            below = max(able, key=lambda s: s.place(users, below))
        rows.append(_row(planner, gpu, below, users, together(key)))
    return rows[::-1]


def _of_row(planner: Planner, found: list[Candidates], best: Row) -> Served | None:
    """The plan of a judged row at the users that it serves, with its figures."""
    plan, perf = best.plan, best.perf
    shape, users = (plan.tp, plan.pp, plan.dp, plan.ep), plan.concurrency * plan.replicas
    same = (s for c in found if c.precision == plan.precision for s in served(planner, c, users) if s.shape == shape)
    one = next(same, None)
    return replace(one, tok_s=perf.tenths / 10) if one else None


@dataclass(frozen=True)
class Served:
    """A plan with some users spread evenly over its replicas; those beyond what memory holds wait. `missed`: the
    latency limit missed most, as a multiple of it; 1 where all are met. `held`: users that memory holds at once."""

    precision: str
    shape: tuple[int, int, int, int]
    redundant_experts: int
    replicas: int
    held: int
    running: float
    holds: bool
    missed: float
    tok_s: float
    tpot_ms: float
    ttft_ms: float

    def place(self, users: int, below: Served | None) -> tuple[Any, ...]:
        """Sorts plans for a number of users, the best last. `below`: the row of more users. Ties go as the planner's
        do, so that one answer names one plan: higher precision, fewer stages, smaller tp, smaller ep."""
        tp, pp, _, ep = self.shape
        tie = (BITS[self.precision], -pp, -tp, -ep)
        tenths = math.floor(self.tok_s * 10 + 1e-6)
        ordered = below is None or (self.tpot_ms <= below.tpot_ms and self.ttft_ms <= below.ttft_ms)
        return min(users, self.held), self.missed == 1, ordered, -self.missed, tenths, *tie


def served(planner: Planner, c: Candidates, users: int) -> list[Served]:
    """Every candidate with this many users."""
    request = planner.request
    busy = np.minimum(c.replicas, users)
    wanted = users / busy
    running = np.minimum(wanted, c.cap)
    one_s = c.curves.request_s(running)
    tpot_ms = c.curves.tpot_s(running) * 1e3
    ttft_ms = c.curves.ttft_s(running) * 1e3 + (wanted / running - 1) * one_s * 1e3
    least = 0.0 if request.workload == "batch" else request.min_tok_s_user
    missed = np.maximum(1.0, tpot_ms * least / 1000 / SLACK)
    if request.max_ttft_ms is not None:
        missed = np.maximum(missed, ttft_ms / request.max_ttft_ms / SLACK)
    columns = (
        c.redundant,
        c.replicas,
        c.cap * c.replicas,
        running,
        wanted <= c.cap,
        missed,
        busy * running * request.osl / one_s,
    )
    values = zip(c.shapes, *(x.tolist() for x in (*columns, tpot_ms, ttft_ms)), strict=True)
    return [Served(c.precision, *one) for one in values]


def _row(planner: Planner, gpu: Gpu, s: Served, users: int, near: int) -> dict[str, Any]:
    tp, pp, dp, ep = s.shape
    fact = planner.fact(gpu, s.precision, s.shape, s.running, near)
    return {
        "users": users,
        "per_user_tok_s": round(1000 / s.tpot_ms, 2),
        "output_tok_s": round(s.tok_s, 1),
        "low": round(s.tok_s * fact.low, 1),
        "high": round(s.tok_s * fact.high, 1),
        "basis": fact.basis,
        "source": fact.source,
        "ttft_ms": round(s.ttft_ms, 1),
        "precision": s.precision,
        "tp": tp,
        "pp": pp,
        "dp": dp,
        "ep": ep,
        "redundant_experts": s.redundant_experts,
        "replicas": s.replicas,
        "at_once": min(users, s.held),
        "cut": _cut(planner, s, users),
    }


def _cut(planner: Planner, s: Served, users: int) -> str:
    """What stands against this many users, in words; "" when nothing does."""
    limits = cut_of(planner.request, s.tpot_ms, s.ttft_ms)
    return joined(filter(None, ["" if s.holds else waiting(s.held, users), limits]), "; ")


def waiting(held: int, users: int) -> str:
    """That memory holds fewer requests at once than there are users, in words."""
    return message("memory: {a} run at once, {b} wait", a=f"{held:,}", b=f"{users - held:,}")


def too_slow(rows: Sequence[Mapping[str, Any]]) -> str:
    """Why the latency limits leave no plan, from the row of one user, in words."""
    why = next((row["cut"] for row in rows if row["users"] == 1 and row["cut"]), "")
    return message("the latency limits, with one user too: {why}", why=why) if why else "the latency limits"


def cut_of(request: Request, tpot_ms: float, ttft_ms: float) -> str:
    """The latency limits that a plan misses, in words; "" where it keeps them."""
    words = []
    if request.workload != "batch" and 1000 / tpot_ms * SLACK < request.min_tok_s_user:
        words.append(message("each user below {n} tok/s", n=f"{request.min_tok_s_user:g}"))
    if request.max_ttft_ms is not None and ttft_ms > request.max_ttft_ms * SLACK:
        words.append(message("TTFT above {n} ms", n=f"{request.max_ttft_ms:g}"))
    return joined(words, "; ")
