"""Figures with intervals and their basis, for rows of a table: what `size --batch` writes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalogs.file_kinds import FILE_KINDS
from optimizer.throughput.batch import Table, figures
from optimizer.throughput.calibration import Calibration, Fact, Setup
from optimizer.throughput.curves import Bent, Curves, bend
from optimizer.throughput.demand import kin
from optimizer.throughput.file_kinds import in_file_kinds
from optimizer.throughput.roofline import Floats, Times
from optimizer.throughput.setups import Resolved


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


def answers(table: Table, calibration: Calibration) -> Answers:
    """The figures of every row, of its fastest plan; setups that were measured follow their measurements."""
    known = _Known(table, calibration)
    f = figures(table, calibration.constants, known.curves)
    n = len(table.errors)
    low, high = np.full(n, np.nan), np.full(n, np.nan)
    basis, source = [""] * n, [""] * n
    for i, found in enumerate(table.found):
        if found is not None:
            fact = known.fact(found, int(f.plan[i]), float(f.concurrency[i]))
            low[i], high[i], basis[i], source[i] = fact.low, fact.high, fact.basis, fact.source
    tok_s = f.output_tok_s
    return Answers(tok_s, tok_s * low, tok_s * high, f.ttft_ms, f.tpot_ms, tuple(basis), tuple(source), table.errors)


class _Known:
    """What a calibration knows of the candidates of a table."""

    def __init__(self, table: Table, calibration: Calibration) -> None:
        self.table, self.calibration = table, calibration
        jobs = table.jobs
        shape = (
            np.broadcast_to(x, table.owner.shape) for x in (jobs.tp, jobs.pp, jobs.dp, jobs.ep, jobs.isl, jobs.osl)
        )
        self.shapes = np.stack([*shape], axis=1).tolist() if len(table.owner) else []
        self.measured: dict[int, Setup] = {}
        """Candidates whose very setup was measured, without speculation and every prompt computed; what these runs are
        off from the roofline holds with both too, but is no measurement of them."""
        for entry, row in enumerate(table.owner.tolist()):
            setup = self._setup(_sure(table.found[row]), entry)
            if setup in calibration.curves:
                self.measured[entry] = setup
        self._facts: dict[tuple[object, ...], Fact] = {}

    def curves(self, model: Times) -> Curves:
        """The curves of all candidates. One bend serves the candidates of equal hardware, which differ in their
        concurrency alone."""
        table, alike = self.table, dict[tuple[Setup, tuple[float, ...]], list[int]]()
        for entry, setup in self.measured.items():
            links = tuple(
                float(np.broadcast_to(x, table.owner.shape)[entry])
                for x in (
                    table.jobs.near[0],
                    table.jobs.far[0],
                    table.jobs.near[1],
                    table.jobs.far[1],
                    table.jobs.hop[0],
                    table.jobs.hop[1],
                )
            )
            alike.setdefault((setup, links), []).append(entry)
        made = []
        for (setup, _), entries in alike.items():
            most = float(np.max(table.cap[entries]))
            made.append(Bent(np.array(entries), bend(model.of(entries[0]), self.calibration.curves[setup], most)))
        pairs = {
            id(x): 1.0 if x.precision in FILE_KINDS else 1 / self.calibration.pair(kin(x.llm), x.gpu)
            for x in table.found
            if x is not None
        }
        slower = np.array([pairs[id(table.found[row])] for row in table.owner.tolist()])
        return Curves(model.slowed(slower), tuple(made))

    def fact(self, found: Resolved, entry: int, concurrency: float) -> Fact:
        """How far to trust a candidate."""
        if found.precision in FILE_KINDS:
            return in_file_kinds(found.precision)
        setup = self.measured.get(entry) if self.table.plain[entry] else None
        across = bool(self.table.spans[entry])
        key = (id(found), across) if setup is None else (setup, concurrency, across)
        if key not in self._facts:
            curve = self.calibration.curves[setup] if setup else ()
            self._facts[key] = self.calibration.fact(kin(found.llm), found.gpu, curve, concurrency, across)
        return self._facts[key]

    def _setup(self, found: Resolved, entry: int) -> Setup:
        return Setup(kin(found.llm), found.precision, found.kv, found.gpu.id, *self.shapes[entry])


def _sure(found: Resolved | None) -> Resolved:
    assert found is not None, "a row with an error has no candidates"
    return found
