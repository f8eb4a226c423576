"""Brute force that keeps every whole build which breaks no rule: its parts, cents and speed (see
tests/support/oracle.py)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache

from tests.support.oracle import Built, Oracle, Speeds
from tests.support.random_catalogs import scenario

RICH = 2_000_000_00
"""Cents that no build of a random catalog costs."""

Whole = tuple[int, tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]
"""(nodes, parts of a node, shared parts)."""


@dataclass(eq=False)
class WholeBuilds(Oracle):
    """`passing`: build -> (cents, 0.1 tok/s of its fastest plan), within the budget asked for."""

    passing: dict[Whole, tuple[int, int]] = field(default_factory=dict)

    def _record(self, built: Built, broken: set[str], speeds: Speeds) -> None:
        before = self.builds
        self.builds = set()
        super()._record(built, broken, speeds)
        for _, cents, known, faults in self.builds:
            tenths = dict(known)[""]
            if not faults and tenths > 0 and cents <= self.ask.budget_cents:
                parts = tuple(sorted((x, q) for x, q in built.node.items() if q))
                whole = built.nodes, parts, tuple(sorted((x, q) for x, q in built.shared.items() if q))
                if self.passing.get(whole, (0, 0))[1] < tenths:
                    self.passing[whole] = cents, tenths
        self.builds = before


@cache
def whole_builds(seed: int) -> WholeBuilds:
    """Of the seed's random catalog, whatever they cost."""
    catalog, _, ask = scenario(seed)
    return WholeBuilds(catalog, replace(ask, budget_cents=RICH), 2 if seed % 6 >= 3 else 1)
