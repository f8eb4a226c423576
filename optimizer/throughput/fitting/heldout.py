"""Held-out judging: constants fitted without whole groups of rows, and the errors on what was left out.

A group is a model on a GPU. Single rows are never left out: the other rows of a curve would give them away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optimizer.throughput.batch import Table
from optimizer.throughput.constants import Constants
from optimizer.throughput.demand import kin
from optimizer.throughput.fitting.calibrate import (
    Prior,
    Problem,
    errors,
    fit,
    normal_equations,
    problem_of,
    row_weights,
    shared,
    step,
    tuned,
)
from optimizer.throughput.fitting.measured import Runs
from optimizer.throughput.roofline import Floats


class Label(NamedTuple):
    """What a row is of: the kin of its model, id, generation and maker of its GPU, one node or several."""

    model: str
    gpu: str
    arch: str
    vendor: str
    nodes: str


@dataclass(frozen=True)
class Evidence:
    """Measured rows with what was resolved of them; `kept`: rows that the audit left in, the only ones fitted on."""

    runs: Runs
    table: Table
    kept: frozenset[int]

    def take(self, rows: Sequence[int]) -> tuple[Runs, Table]:
        """Some of the rows."""
        return self.runs.take(rows), self.table.take(rows)

    @property
    def answered(self) -> list[int]:
        """Rows that have a model, a GPU and a figure."""
        return [i for i, e in enumerate(self.table.errors) if not e and np.isfinite(self.runs.output_tok_s[i])]

    def label(self, i: int) -> Label:
        """What an answered row is of."""
        found = self.table.found[i]
        assert found is not None
        one = self.runs.rows[i].get("nodes") in (None, "", "1")
        return Label(kin(found.llm), found.gpu.id, found.gpu.arch, found.gpu.vendor, "one node" if one else "several")


@dataclass(frozen=True)
class Fold:
    """Rows to judge, and the rows that may be fitted on."""

    test: tuple[int, ...]
    train: tuple[int, ...]


MOST_AT_ONCE = 2
"""A fold that leaves out more than one row in so many is fitted anew: one step from the fit on all would not do."""
Same = Callable[[Label, Label], bool]
SPLITS: dict[str, tuple[Callable[[Label], object], Same]] = {
    "model x GPU": (lambda x: x[:2], lambda a, b: a[:2] == b[:2]),
    "model": (lambda x: x.model, lambda a, b: a.model == b.model),
    "GPU": (lambda x: x.gpu, lambda a, b: a.gpu == b.gpu),
    "model and GPU": (lambda x: x[:2], lambda a, b: a.model == b.model or a.gpu == b.gpu),
    "model and generation": (lambda x: (x.model, x.arch), lambda a, b: a.model == b.model or a.arch == b.arch),
    "vendor": (lambda x: x.vendor, lambda a, b: a.vendor == b.vendor),
    "several nodes": (lambda x: x.nodes, lambda a, b: a.nodes == b.nodes),
}
"""Split -> (what makes a fold, which rows a fold may not be fitted on)."""


def folds(evidence: Evidence, split: str) -> list[Fold]:
    """The folds of a split: each answered row is judged once."""
    group, barred = SPLITS[split]
    labels = {i: evidence.label(i) for i in evidence.answered}
    tests: dict[object, list[int]] = {}
    for i, label in labels.items():
        tests.setdefault(group(label), []).append(i)
    return [
        Fold(tuple(test), tuple(i for i, x in labels.items() if i in evidence.kept and not barred(labels[test[0]], x)))
        for test in tests.values()
    ]


@dataclass(frozen=True)
class Fit:
    """The fit on all kept rows, from which those without a group of them are found: the problem, where its loss is
    least, and residuals and derivatives there. `rows`: the kept rows in the problem's order."""

    problem: Problem
    at: Floats
    residuals: Floats
    derivatives: Floats
    rows: tuple[int, ...]


def fit_all(evidence: Evidence, known: Sequence[Prior]) -> Fit:
    """The constants fitted on all kept rows, each model's own time left out."""
    rows = tuple(sorted(evidence.kept))
    runs, table = evidence.take(rows)
    found = shared(runs, table, known)
    problem = problem_of(runs, table, known, found.constants)
    here = problem.residuals(found.at)
    return Fit(problem, found.at, here, problem.derivatives(found.at, here), rows)


def without(whole: Fit, train: Sequence[int]) -> Constants:
    """Constants fitted on the `train` rows alone: one step from the fit on all, by the normal equations of these rows
    (see calibrate.py); then each model's own time."""
    place = {row: i for i, row in enumerate(whole.rows)}
    at = [place[row] for row in train]
    curvature, slope = normal_equations(whole.residuals[:, at], whole.derivatives[:, :, at], whole.at)
    moved = step(curvature, slope, whole.at, whole.problem.limits, 0.0)
    problem = whole.problem
    return tuned(problem.runs.take(at), problem.table.take(at), problem.constants(moved))


def judge(evidence: Evidence, split: str, known: Sequence[Prior], whole: Fit | None = None) -> dict[str, Floats]:
    """Figure -> log of predicted over measured per row, each predicted without its group (NaN: not answered). `whole`:
    the fit on all rows, where it is at hand."""
    whole = whole or fit_all(evidence, known)
    out = {name: np.full(len(evidence.runs.rows), np.nan) for name in ("output_tok_s", "tpot_ms", "ttft_ms")}
    for fold in folds(evidence, split):
        if fold.train:
            most = len(fold.train) * MOST_AT_ONCE >= len(whole.rows)
            constants = without(whole, fold.train) if most else fit(*evidence.take(fold.train), known)
            for name, values in errors(*evidence.take(fold.test), constants).items():
                out[name][list(fold.test)] = values
    return out


LEAST_ROWS = 30
"""Rows of a stack of which the upper half by load is left out; fewer have no upper half to speak of."""


def judge_loads(
    evidence: Evidence, loads: Mapping[int, float], stacks: Mapping[int, str], known: Sequence[Prior], whole: Fit
) -> tuple[dict[int, float], dict[int, float]]:
    """Row -> log of predicted over measured tok/s, and row -> its load over the largest that was fitted on, for the
    upper half by load (`loads`: requests at once on each GPU) of the rows of each stack (`stacks`: of the rows to
    judge). That half is not fitted on, nor is anything of the row's own group: the figure of a plan that runs with more
    requests than anybody measured."""
    found: dict[int, float] = {}
    times: dict[int, float] = {}
    for stack in sorted(set(stacks.values())):
        own = [i for i, of in stacks.items() if of == stack]
        if len(own) < LEAST_ROWS:
            continue
        most = float(np.median([loads[i] for i in own]))
        upper = {i for i in own if loads[i] > most}
        groups: dict[tuple[str, str], list[int]] = {}
        for i in sorted(upper):
            groups.setdefault(evidence.label(i)[:2], []).append(i)
        for group, test in groups.items():
            train = [i for i in whole.rows if i not in upper and evidence.label(i)[:2] != group]
            if not train:
                continue
            many = len(train) * MOST_AT_ONCE >= len(whole.rows)
            constants = without(whole, train) if many else fit(*evidence.take(train), known)
            values = errors(*evidence.take(test), constants)["output_tok_s"].tolist()
            found.update((i, x) for i, x in zip(test, values, strict=True) if np.isfinite(x))
            times.update((i, loads[i] / most) for i in test if i in found)
    return found, times


def weights(evidence: Evidence, rows: Iterable[int]) -> Floats:
    """Weights of rows: each model x GPU counts the square root of its size."""
    return row_weights([" ".join(evidence.label(row)[:2]) for row in rows])
