"""Typed shape of explanations, as they stand in results and come from the library."""

from __future__ import annotations

from pydantic import Field

from optimizer.result.document import Text
from optimizer.result.strict import Money, Strict, TokS


class ConditionFacts(Strict):
    """A condition of the request, of the site, of the purchase or of policy."""

    key: str = Field(description="short name of the condition: budget, vram, power, ...")
    rule: str = Field(description="the rule that carries it")
    text: Text
    asked: bool = Field(description="false of a default that nobody typed")
    without_total: Money | None = Field(
        default=None, description="total of the cheapest build without this condition alone; null: none, or not known"
    )


class BuildFacts(Strict):
    """A build in a line."""

    total: Money = Field(description="in `currency`, with support and tax")
    currency: str
    output_tok_s: TokS = Field(description="of the whole build")
    gpus: str
    nodes: int
    precision: str


class ChangeFacts(Strict):
    """One condition changed by the least that does."""

    key: str
    text: Text
    smaller: Text = Field(description="the next smaller change, shown to fail; empty where there is none")


class WayOut(Strict):
    """Conditions changed, the cheapest build then, and the command that gives it."""

    changes: list[ChangeFacts] = Field(min_length=1)
    build: BuildFacts
    command: str = Field(description="dsopt solve ... of the changed request")
    smallest: bool = Field(
        default=True, description="false when time ended before it was known that no smaller change does"
    )


class Dropped(Strict):
    """GPUs that carry no build for one reason."""

    reason: Text
    gpus: list[str]


class MissingCategory(Strict):
    """A category of which nothing can be bought as asked."""

    category: str = Field(description="memory, drive, gpu, ...")
    reason: Text
    parts: list[str] = Field(description="admitted ones, of which nobody publishes a price; by name")


class NoBuild(Strict):
    """Why a request has no build and what to change: everything solved for."""

    conflict: list[ConditionFacts] = Field(
        description="can't be met together, whatever else is given up; only that weights leave GPU memory is not tried "
        "where `offload` was not asked. Without any one of them a build exists. Empty when none exists whatever is "
        "given up. Where `minimal` is false they clash all the same, but "
        "not each may be needed"
    )
    minimal: bool = Field(default=True, description="false when time ended before the smallest conflict was known")
    verified: bool = Field(description="the conflict was proven again with other parameters of the solver")
    ways_out: list[WayOut] = Field(description="the cheapest build first")
    complete: bool = Field(description="false when time ended the search for ways out")
    dropped: list[Dropped]
    missing: list[MissingCategory] = Field(default=[], description="categories of which nothing can be bought as asked")


class Margin(Strict):
    """A finding of a rule with the distance between what was measured and its limit."""

    rule: str
    status: str
    text: Text
    measured: float | None = Field(description="in `unit`")
    limit: float | None = Field(description="in `unit`")
    unit: str
    margin_percent: float | None = Field(
        description="of the limit that is left, negative where it is missed; null without figures"
    )


class StepFacts(Strict):
    """One condition moved by a step at the point's throughput."""

    key: str = Field(description="the condition, as in a conflict")
    text: Text
    looser: bool = Field(description="else tighter")
    binds: bool = Field(description="looser is cheaper, or tighter is dearer or impossible")
    more: Money | None = Field(description="what the cheapest build then costs more than the point; null: no build")
    build: BuildFacts | None


class Spent(Strict):
    """Money of a category of parts, of support or of tax."""

    category: str
    amount: Money = Field(description="in the result's currency")
    share: float = Field(description="0 to 1, of the total")


class SwapFacts(Strict):
    """A part whose number differs."""

    part: str
    name: str
    before: int = Field(description="pieces in the point's build")
    after: int = Field(description="pieces in the neighbour's build")
    more: Money = Field(description="what the change costs; negative where it saves")


class Neighbour(Strict):
    """The next point up or down the front, or what lies beyond the budget."""

    id: str = Field(description="its id on the front; empty for the next faster build beyond it")
    total: Money
    more: Money = Field(description="its total less the point's")
    output_tok_s: TokS = Field(description="of the whole build")
    swaps: list[SwapFacts]
    figures: list[Text] = Field(description="what makes one faster than the other")


class Saving(Strict):
    """A cheaper build, as fast, that every rule admits and that the search does not look at."""

    text: Text
    total: Money = Field(description="of that build, in the result's currency, with support and tax")
    less: Money = Field(description="what it costs less than the point")
    swaps: list[SwapFacts]


class Note(Strict):
    """A remark with a stable code; docs/notes.md has a paragraph on each."""

    code: str
    text: Text


class PointExplained(Strict):
    """A point of the front: margins, what binds and the price of a step, where the money goes, its neighbours."""

    id: str
    total: Money = Field(description="in `currency`, with support and tax")
    net: Money = Field(description="the total without tax")
    tax: Money
    currency: str
    output_tok_s: TokS = Field(description="of the whole build")
    margins: list[Margin]
    steps: list[StepFacts] = Field(description="those that bind first")
    money: list[Spent] = Field(description="the dearest category first")
    cheaper: Neighbour | None = Field(description="null at the front's low end")
    faster: Neighbour | None = Field(description="null where nothing faster exists, whatever the budget")
    savings: list[Saving] = Field(
        default=[], description="what `check` admits and `solve` does not look at, where it costs less"
    )
    launch: list[str] = Field(default=[], description="commands that serve the plan, one per node and engine instance")
    launch_note: Text = Field(default="", description="what must be said of the commands, or why there are none")
    notes: list[Note]
