"""The record of a proof: the final staircase, and per family what closed it. Written after the proof, read by none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from optimizer.bound import Bound
from optimizer.front import Closed, Step
from optimizer.shelf import NONE

Name = tuple[str, int]


def least(bounds: Iterable[Bound], steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Per step the cents below which the bounds leave no build faster than it."""
    above = [s.faster_than for s in steps]
    out = [NONE] * len(steps)
    for b in bounds:
        i = bisect_left(above, b.row.perf.tenths) - 1
        if i >= 0:
            cents = b.least if b.least >= steps[i].below else b.cents
            out[i] = min(out[i], cents)
    for i in reversed(range(len(out) - 1)):
        out[i] = min(out[i], out[i + 1])
    while out and out[-1] >= NONE:
        out.pop()
    return tuple(out)


def record(
    units: Mapping[Name, Iterable[Bound]], ticks: Mapping[Name, float], dropped: Iterable[Name], steps: tuple[Step, ...]
) -> tuple[Closed, ...]:
    """What closed each family, by name; `dropped` are those that no plan or platform gives a build."""
    closed = [
        Closed(gpu, k, "cp_sat" if (gpu, k) in ticks else "bound", least(bounds, steps), ticks.get((gpu, k), 0.0))
        for (gpu, k), bounds in units.items()
    ]
    closed += [Closed(gpu, k, "no_build") for gpu, k in dropped]
    return tuple(sorted(closed, key=lambda c: (c.gpu, c.per_node)))
