"""A front as a value: builds found, their findings, and the record of how each family was closed. No solver here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from constraints.build import Build, Case
from constraints.plan import Row
from constraints.rule import Check, Rule
from constraints.rules.registry import RULES
from optimizer.market.market import Market

Name = tuple[str, int]
"""A family: id of the GPU, GPUs per node."""


@dataclass(frozen=True)
class Found:
    """A build under the staircase: its row, the sum of its lines, and what it costs on the request's axis."""

    row: Row
    build: Build
    parts_cents: int
    cost: int


@dataclass
class Point:
    """A point of the front."""

    found: Found
    case: Case
    checks: list[Check]


@dataclass(frozen=True)
class Step:
    """One step of the final staircase: nothing faster than `faster_than` (0.1 tok/s) costs less than `below` cents."""

    faster_than: int
    below: int


@dataclass(frozen=True)
class Refused:
    """What a rule refused early of a family (`of`), and why: the family as such, `platforms`, performance rows, or all
    parts on sale of a category that `platforms` need, where `why` is said of the first. `number` of them."""

    of: Literal["family", "platform", "part", "row"]
    rule: str
    why: str
    number: int
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True)
class RefusedPart:
    """A part on sale that rules refuse in every platform of the search; `why` is what they say most often."""

    part: str
    rule: str
    why: str


@dataclass(frozen=True)
class Closed:
    """How a family (GPU, GPUs per node) was closed.

    `least`: per step of the staircase the cents that no build of the family faster than it goes below, by the
    bound alone; it ends with the last step that a row of the family reaches. `refused`: what rules refused of it before
    any model was built; None where a stored record does not say it.
    """

    gpu: str
    per_node: int
    by: Literal["bound", "cp_sat", "no_build"]
    least: tuple[int, ...] = ()
    refused: tuple[Refused, ...] | None = ()


@dataclass
class Front:
    """Points ascending in cost and throughput, with the proof's record. Of an incomplete one `open` families may
    hold missing builds, none of which costs less than `least_missing_cents`."""

    points: list[Point] = field(default_factory=list)
    complete: bool = True
    closed_by_bound: int = 0
    closed_by_cp_sat: int = 0
    families: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    open: int = 0
    least_missing_cents: int = 0
    ticks: dict[tuple[str, int], float] = field(default_factory=dict)
    stairs: tuple[Step, ...] = ()
    record: tuple[Closed, ...] = ()
    refused_parts: tuple[RefusedPart, ...] | None = ()


class Judge:
    """Whether builds pass all of some rules. The rule that refused last is asked first: builds of one family tend to
    fail for the same reason, and the order of rules changes no verdict."""

    def __init__(self, market: Market, rules: Sequence[Rule] = RULES) -> None:
        self.market, self._rules = market, list(rules)

    def passes(self, build: Build, row: Row) -> bool:
        """Whether no rule fails."""
        case = self.market.case(build, row.plan, row.key)
        for place, rule in enumerate(self._rules):
            if any(finding.status == "fail" for finding in rule.check(case)):
                # The list changes under the loop, which ends here.
                self._rules.insert(0, self._rules.pop(place))
                return False
        return True


def passes(market: Market, build: Build, row: Row) -> bool:
    """Whether no rule fails."""
    return Judge(market).passes(build, row)
