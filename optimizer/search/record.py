"""The record of a proof: the final staircase, and per family what closed it. Written after the proof, read by none."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Mapping

from constraints.prices.tariff import NEVER
from optimizer.search.front import Closed, Name, Refused, Step

Floor = tuple[int, Callable[[int], int]]
"""Of a row its 0.1 tok/s, and the cents that no build of it goes below (given the step's cents)."""


def least(rows: Iterable[Floor], steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Per step the cents below which the bounds leave no build faster than it."""
    above = [step.faster_than for step in steps]
    out = [NEVER] * len(steps)
    for tenths, floor in rows:
        i = bisect_left(above, tenths) - 1
        if i >= 0:
            out[i] = min(out[i], floor(steps[i].below))
    for i in reversed(range(len(out) - 1)):
        out[i] = min(out[i], out[i + 1])
    while out and out[-1] >= NEVER:
        out.pop()
    return tuple(out)


def record(
    units: Mapping[Name, Iterable[Floor]],
    proven: Container[Name],
    dropped: Iterable[Name],
    steps: tuple[Step, ...],
    refused: Mapping[Name, tuple[Refused, ...]],
) -> tuple[Closed, ...]:
    """What closed each family, by name: `proven` ones went to CP-SAT, and no plan or platform gives `dropped` ones a
    build. `refused`: what rules refused of each early."""
    closed = [
        Closed(*name, "cp_sat" if name in proven else "bound", least(rows, steps), refused.get(name, ()))
        for name, rows in units.items()
    ]
    closed += [Closed(*name, "no_build", (), refused.get(name, ())) for name in dropped]
    return tuple(sorted(closed, key=lambda c: (c.gpu, c.per_node)))
