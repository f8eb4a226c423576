"""A request without a build, explained: the conflict, the ways out with their commands, what was dropped and why."""

from __future__ import annotations

from collections.abc import Callable

from optimizer.explanation.conditions.conditions import Condition, conditions
from optimizer.explanation.no_build.conflict import Conflict, conflict
from optimizer.explanation.no_build.ledger import dropped
from optimizer.explanation.no_build.missing import missing
from optimizer.explanation.no_build.ways_out import Way, ways_out
from optimizer.explanation.questions import Asking, Change
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.request.command import UNTYPED, Typed, command
from optimizer.result.explanation_schema import (
    BuildFacts,
    ChangeFacts,
    ConditionFacts,
    Dropped,
    MissingCategory,
    NoBuild,
    WayOut,
)
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.text.minor_units import money

CONFLICT_SHARE = 0.5
"""Of the effort there is, what the conflict may take; the ways out have the rest."""
LEDGER_EFFORT = 2.0
"""What the ledger of GPUs may take, also where the ways out took all that was theirs."""
Tell = Callable[["list[ConditionFacts] | WayOut"], None]


def no_build(
    market: Market, clock: Clock | None = None, typed: Typed = UNTYPED,
    tell: Tell | None = None, judged: GpuRows | None = None,
) -> NoBuild:  # fmt: skip
    """Explains a request that no build meets. The conflict, then each way out is told as soon as it is known. `judged`:
    rows of the market's plans, where they are known. Where the clock ends first, what is known by then: at least that
    the conditions clash, which the caller has proven."""
    asking = Asking(market, clock, judged=judged)
    clash = Conflict(tuple(conditions(asking.base)), verified=False, minimal=False)
    with asking.at_most(CONFLICT_SHARE):
        clash = conflict(asking)
    tell = tell or (lambda said: None)
    members = _members(asking, clash)
    tell(members)
    asking.cut = False
    ways = ways_out(asking, lambda way: tell(_way(asking, way, typed)), clash.members)
    complete = not asking.cut
    ledger: list[Dropped] = []
    try:
        asking.clock = asking.clock.within(LEDGER_EFFORT)
        ledger = [Dropped(reason=why, gpus=list(names)) for why, names in dropped(asking)]
    except TimeUp:
        complete = False
    return NoBuild(
        conflict=members,
        minimal=clash.minimal,
        verified=clash.verified,
        ways_out=[_way(asking, w, typed) for w in ways],
        complete=complete,
        dropped=ledger,
        missing=[
            MissingCategory(category=x.kind.value, reason=x.why, parts=list(x.parts)) for x in missing(asking.base)
        ],
    )


def _members(asking: Asking, clash: Conflict) -> list[ConditionFacts]:
    """The conditions in conflict, with the cheapest build without each where that is known."""

    def total(condition: Condition) -> str | None:
        if condition not in clash.needed:
            return None
        found = asking.known(condition.without)
        return None if found is None else money(asking.total(condition.without, found), asking.base.request.currency)

    return [
        ConditionFacts(
            key=member.key, rule=member.rule, text=member.text, asked=member.asked, without_total=total(member)
        )
        for member in clash.members
    ]


def build_facts(asking: Asking, change: Change, found: Found) -> BuildFacts:
    """A build found under a change, in a line."""
    market, row = asking.market(change), found.row
    name = market.catalog.parts[row.key.gpu].name
    return BuildFacts(
        total=money(asking.total(change, found), market.request.currency),
        currency=market.request.currency,
        output_tok_s=row.perf.tenths / 10,
        gpus=f"{row.key.nodes} x {row.key.per_node} {name}",
        nodes=row.key.nodes,
        precision=row.plan.precision,
    )


def _way(asking: Asking, way: Way, typed: Typed) -> WayOut:
    request, policy = asking.market(way.change).request, asking.market(way.change).policy
    changes = [ChangeFacts(key=k, text=t, smaller=s) for k, t, s in zip(way.keys, way.texts, way.smaller, strict=True)]
    own = not asking.by_load(way.change)
    return WayOut(
        changes=changes,
        build=build_facts(asking, way.change, way.found),
        command=command(request, policy, typed.files, typed.rest, own),
        smallest=way.smallest,
    )
