"""Typed shape of the answer to `why not`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from optimizer.result.document import Text
from optimizer.result.point_schema import CheckFacts, PartQty
from optimizer.result.strict import Money, Strict, TokS


class Offered(Strict):
    """A build in short. `node` are the parts of one of `nodes` equal nodes."""

    total: Money
    output_tok_s: TokS
    gpus: str
    nodes: int
    node: list[PartQty]
    shared: list[PartQty]


class Against(Strict):
    """What stands against it: conditions of the request that must go together, or a broken rule with its figures."""

    rules: list[str]
    conditions: list[Text] = Field(description="empty where no condition of the request is to blame")
    text: Text
    total: Money | None = Field(description="of the cheapest build without these conditions")


class BreakEven(Strict):
    """The largest unit price of `part` at which the cheapest build with it, at least as fast as `tok_s`, costs no
    more than the cheapest build of that speed without the part (of the point's speed: the point).

    `price` null: no price would, even at the smallest unit of money the build costs `total`. `total_above`: what the
    cheapest one costs at one unit of money more; null where the price decides nothing, the pieces being in hand."""

    part: str
    gpus: str = Field(description="of the cheapest build at that price")
    tok_s: TokS
    rival: Money = Field(description="total of the build that it is held against")
    price_now: Money | None = Field(description="null: nobody offers it")
    price: Money | None
    total: Money
    total_above: Money | None
    solves: int = Field(description="questions to the solver")


class WhyNot(Strict):
    """The answer. All totals in `currency`, with support and tax; every build in it is proven and re-checked."""

    what: str
    currency: str
    point: Offered = Field(description="the front's point that it is held against")
    inside: bool = Field(description="the point holds it already; nothing else is said then")
    against: list[Against] = Field(description="why it is not admissible; empty when it is")
    lifted: list[Text] = Field(description="conditions without which the rest of the answer holds")
    supposed: list[str] = Field(description="parts that nobody offers, counted at one unit of money in the rest")
    as_fast: Offered | None = Field(description="the cheapest build with it at least as fast as the point")
    any_number: Offered | None = Field(description="where that many GPUs are too slow: with any number of them")
    limit: Money = Field(description="the budget; without one the point's total")
    for_limit: Offered | None = Field(description="the fastest build with it within the limit")
    least: Offered | None = Field(description="the cheapest build with it, however fast")
    rival: Offered | None = Field(
        description="the cheapest build at its own speed: of GPUs or a part too slow for the point, without the part; "
        "of a build, of all"
    )
    checks: list[CheckFacts] = Field(description="of a build: every rule's finding")
    faster_for_less: Offered | None = Field(description="of a build: the fastest that costs no more")
    break_even: list[BreakEven] = Field(description="at the point's speed, and at its own where it is slower")
    no_break_even: Text = Field(description="why there is none; else empty")
    unanswered: list[Literal["as_fast", "for_limit", "any_number", "rival", "break_even", "faster_for_less"]] = Field(
        default=[],
        description="fields that the time did not suffice for: null or empty, they say nothing; empty: all is answered",
    )
