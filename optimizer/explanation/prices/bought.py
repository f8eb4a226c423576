"""A build in the words of an answer about prices: what is in it, what it costs and does, and how two differ."""

from __future__ import annotations

from pydantic import Field

from constraints.prices.totals import totals
from optimizer.market.market import Market
from optimizer.result.strict import Strict
from optimizer.search.front import Found
from optimizer.text.minor_units import money


class Bought(Strict):
    """A build at the prices of one market. Money is a decimal string of the request's currency."""

    total: str = Field(description="with spares, support and tax")
    output_tok_s: float
    gpus: str = Field(description="nodes x GPUs per node and their name")
    nodes: int
    parts: dict[str, int] = Field(description="bought pieces of the whole build, by part id")


class Change(Strict):
    """A part whose number differs between two builds."""

    part: str
    before: int
    after: int


def bought(market: Market, found: Found) -> Bought:
    """A found build at a market's prices."""
    case = market.case(found.build, found.row.plan, found.row.key)
    pieces = found.build.total()
    return Bought(
        total=money(totals(market.book.cost(pieces), market.policy)[2], market.request.currency),
        output_tok_s=found.row.perf.tenths / 10,
        gpus=f"{found.build.nodes} x {case.per_node} {case.gpu.name}",
        nodes=found.build.nodes,
        parts=dict(sorted(pieces.items())),
    )


def changes(a: Bought, b: Bought) -> tuple[Change, ...]:
    """What of `a` another build has in another number."""
    parts = sorted({*a.parts, *b.parts})
    return tuple(
        Change(part=part, before=a.parts.get(part, 0), after=b.parts.get(part, 0))
        for part in parts
        if a.parts.get(part, 0) != b.parts.get(part, 0)
    )
