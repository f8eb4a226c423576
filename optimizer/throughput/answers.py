"""Figures with intervals and their basis, for rows of a table: what `size --batch` writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from catalogs.file_kinds import FILE_KINDS
from optimizer.throughput.batch import Table, figures, per_candidate
from optimizer.throughput.calibration import Calibration, Fact, Setup, Shape, measured
from optimizer.throughput.curves import Bent, Curves, bend
from optimizer.throughput.demand import kin
from optimizer.throughput.file_kinds import in_file_kinds
from optimizer.throughput.interval import Width
from optimizer.throughput.roofline import Floats, Ints, Times
from optimizer.throughput.setups import Resolved
from optimizer.throughput.shapes import plan_words


@dataclass(frozen=True)
class Answers:
    """Per row: tok/s of the whole system with the interval that holds 80 % of measurements, latencies in ms, basis and
    the measurement it rests on, plan in words, precision of the KV cache; NaN and "" where the row has an error."""

    output_tok_s: Floats
    low: Floats
    high: Floats
    ttft_ms: Floats
    tpot_ms: Floats
    basis: tuple[str, ...]
    source: tuple[str, ...]
    errors: tuple[str, ...]
    plan: tuple[str, ...]
    kv: tuple[str, ...]

    @classmethod
    def empty(cls, errors: Sequence[str]) -> Answers:
        """Rows without figures."""
        nothing, blank = np.full(len(errors), np.nan), ("",) * len(errors)
        return cls(nothing, nothing, nothing, nothing, nothing, blank, blank, tuple(errors), blank, blank)


def answers(table: Table, calibration: Calibration) -> Answers:
    """The figures of every row, of its fastest plan; setups that were measured follow their measurements."""
    known = _Known(table, calibration)
    f = figures(table, calibration.constants, known.curves)
    n = len(table.errors)
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    basis, source = [""] * n, [""] * n
    rows = zip(table.found, f.plan.tolist(), f.concurrency.tolist(), strict=True)
    facts = [known.fact(found, entry, running) if found else None for found, entry, running in rows]
    for i, fact in enumerate(facts):
        if fact is not None:
            low[i], high[i], basis[i], source[i] = fact.low, fact.high, fact.basis, fact.source
    tok_s = f.output_tok_s
    kv = tuple(found.kv if found else "" for found in table.found)
    return Answers(
        tok_s, tok_s * low, tok_s * high, f.ttft_ms, f.tpot_ms, tuple(basis), tuple(source), table.errors,
        tuple(row_plans(table, f.plan)), kv,
    )  # fmt: skip


def row_plans(table: Table, entries: Ints) -> list[str]:
    """The plans of some candidates in words: `tp8`, `dp8 ep8 x2` for two replicas; "" for -1."""
    jobs, some = table.jobs, np.maximum(entries, 0)
    if not len(table.owner):
        return [""] * len(entries)
    sizes = (per_candidate(x, table)[some].tolist() for x in (jobs.tp, jobs.pp, jobs.dp, jobs.ep, table.replicas))
    plans = zip(*sizes, strict=True)
    return [plan_words(plan) if entry >= 0 else "" for entry, plan in zip(entries.tolist(), plans, strict=True)]


class _Known:
    """What a calibration knows of the candidates of a table."""

    def __init__(self, table: Table, calibration: Calibration) -> None:
        self.table, self.calibration = table, calibration
        self.kinds = {id(x): x for x in table.found if x is not None}
        """The different setups of the rows."""
        self.kind_of = np.array([id(x) for x in table.found], dtype=np.int64)
        self.measured: dict[int, Setup] = self._measured()
        """Candidates whose very setup was measured, without speculation and every prompt computed; what these runs are
        off from the roofline holds with both too, but is no measurement of them."""
        self.plain: list[bool] = table.plain.tolist()
        self.spans: list[bool] = table.spans.tolist()
        self.bursts: list[bool] = table.burst.tolist()
        jobs = table.jobs
        self.gpus: list[int] = per_candidate(jobs.tp * jobs.pp * jobs.dp, table).tolist()
        """Of a replica."""
        self._as_measured: dict[int, Width] = {}
        self._facts: dict[tuple[int, bool, bool, bool], Fact] = {}

    def _measured(self) -> dict[int, Setup]:
        table, known = self.table, {kind: self._setups(x) for kind, x in self.kinds.items()}
        some = np.array([kind for kind, setups in known.items() if setups], dtype=np.int64)
        entries = np.flatnonzero(np.isin(self.kind_of[table.owner], some))
        jobs, kinds = table.jobs, self.kind_of[table.owner[entries]].tolist()
        plans = zip(
            *(per_candidate(x, table)[entries].tolist() for x in (jobs.tp, jobs.pp, jobs.dp, jobs.ep)), strict=True
        )
        found = (
            (entry, known[kind].get(plan)) for entry, kind, plan in zip(entries.tolist(), kinds, plans, strict=True)
        )
        return {entry: setup for entry, setup in found if setup}

    def _setups(self, found: Resolved) -> dict[Shape, Setup]:
        """Plans of a setup that were measured."""
        setups = {
            plan: Setup(kin(found.llm), found.precision, found.kv, found.gpu.id, *plan, found.isl, found.osl)
            for plan in found.plans
        }
        return {plan: setup for plan, setup in setups.items() if setup in self.calibration.curves}

    def curves(self, model: Times) -> Curves:
        """The curves of all candidates. One bend serves the candidates of equal hardware, which differ in their
        concurrency, speculation or cached prompts alone."""
        table, jobs = self.table, self.table.jobs
        entries = list(self.measured)
        differs = *jobs.near, *jobs.far, *jobs.hop, jobs.drafted, jobs.prefilled
        columns = zip(*(per_candidate(x, table)[entries].tolist() for x in differs), strict=True)
        alike: dict[tuple[Setup, tuple[float, ...]], list[int]] = defaultdict(list)
        for (entry, setup), hardware in zip(self.measured.items(), columns, strict=True):
            alike[setup, hardware].append(entry)
        firsts = [members[0] for members in alike.values()]
        made = []
        for ((setup, _), members), one in zip(alike.items(), _singly(model, firsts), strict=True):
            most = float(np.max(table.cap[members]))
            made.append(Bent(np.array(members), remembered_bend(one, self.calibration.curves[setup], most)))
        pairs = {
            kind: 1.0 if x.precision in FILE_KINDS else 1 / self.calibration.pair(kin(x.llm), x.gpu)
            for kind, x in self.kinds.items()
        }
        slower = np.array([pairs.get(kind, 1.0) for kind in self.kind_of.tolist()])[table.owner]
        return Curves(model.slowed(slower), tuple(made))

    def fact(self, found: Resolved, entry: int, concurrency: float) -> Fact:
        """How far to trust a candidate."""
        if found.precision in FILE_KINDS:
            return in_file_kinds(found.precision)
        setup = self.measured.get(entry) if self.plain[entry] else None
        across, burst = self.spans[entry], self.bursts[entry]
        if setup and not burst and (point := measured(self.calibration.curves[setup], concurrency)):
            if id(found) not in self._as_measured:
                self._as_measured[id(found)] = self.calibration.width("same", found.gpu)
            width = self._as_measured[id(found)]
            return Fact(width.low, width.high, "measured", point.source)
        model, per_gpu = kin(found.llm), concurrency / self.gpus[entry]
        key = id(found), across, burst, self.calibration.beyond(model, found.gpu, per_gpu)
        if key not in self._facts:
            self._facts[key] = self.calibration.fact(model, found.gpu, (), concurrency, across, burst, per_gpu)
        return self._facts[key]


remembered_bend = lru_cache(maxsize=4096)(bend)
"""Tables that are asked for one after the other have setups in common."""


def _singly(model: Times, entries: Sequence[int]) -> Iterator[Times]:
    """The times of each of some configurations, in plain numbers."""
    some = model.of(np.array(entries, dtype=np.int64))
    columns = (np.broadcast_to(getattr(some, x.name), (len(entries),)).tolist() for x in fields(Times))
    return (Times(*values) for values in zip(*columns, strict=True))
