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
    least_cents = [NEVER] * len(steps)
    for tenths, floor in rows:
        # The last step that the row is faster than; where it is slower than them all it is in no claim.
        place = bisect_left(above, tenths) - 1
        if place >= 0:
            least_cents[place] = min(least_cents[place], floor(steps[place].below))
    # A row faster than a step is faster than all before it, so that its floor counts there too.
    for place in reversed(range(len(steps) - 1)):
        least_cents[place] = min(least_cents[place], least_cents[place + 1])
    # Steps that no row reaches are said by their absence: no figure stands for "never" in a stored record.
    while least_cents and least_cents[-1] >= NEVER:
        least_cents.pop()
    return tuple(least_cents)


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
    return tuple(sorted(closed, key=lambda family: (family.gpu, family.per_node)))
