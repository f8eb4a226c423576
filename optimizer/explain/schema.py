"""Typed shape of explanations, as they stand in results and come from the library."""

from __future__ import annotations

from pydantic import Field

from optimizer.strict import Money, Strict, TokS


class ConditionFacts(Strict):
    """A condition of the request, of the site, of the purchase or of policy."""

    key: str
    rule: str = Field(description="the rule that carries it")
    text: str
    asked: bool = Field(description="false of a default that nobody typed")


class BuildFacts(Strict):
    """A build in a line."""

    total: Money
    currency: str
    output_tok_s: TokS
    gpus: str
    nodes: int
    precision: str


class ChangeFacts(Strict):
    """One condition changed by the least that does."""

    key: str
    text: str
    smaller: str = Field(description="the next smaller change, shown to fail; empty where there is none")


class WayOut(Strict):
    """Conditions changed, the cheapest build then, and the command that gives it."""

    changes: list[ChangeFacts] = Field(min_length=1)
    build: BuildFacts
    command: str


class Dropped(Strict):
    """GPUs that carry no build for one reason."""

    reason: str
    gpus: list[str]


class NoBuild(Strict):
    """Why a request has no build and what to change: everything solved for."""

    conflict: list[ConditionFacts] = Field(
        description="can't be met together, while without any one of them a build exists; empty when none exists "
        "whatever is given up"
    )
    verified: bool = Field(description="the conflict was proven again with other parameters of the solver")
    ways_out: list[WayOut] = Field(description="the cheapest build first")
    complete: bool = Field(description="false when time ended the search for ways out")
    dropped: list[Dropped]
