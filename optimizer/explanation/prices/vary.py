"""Over which prices the recommended build stays the recommended one, and what takes over beyond. Exact, proven.

From today's price outward: a build found at the far end that beats the known one says where it starts to, the step
before is solved next, until a solve there gives the known build again (Eisner and Severance's search for the break
points of a minimum of functions). Both sides of each break point are solved and re-checked. Between two steps at which
a build is the best it stays the best, since its costs run linearly in the price and the others' nowhere below a line;
where prices by quantity bend its own, the bends are solved too. Rounding of unit prices to cents may hide a difference
of half a cent for each varied piece there, nothing more, and of one part varied by its price nothing.
"""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Literal

from pydantic import Field

from catalogs.errors import Fault, InputError
from constraints.prices.totals import totals
from optimizer.explanation.prices.bought import Bought, Change, bought, changes
from optimizer.explanation.prices.reprice import refuse
from optimizer.explanation.prices.step_costs import pieces_of
from optimizer.explanation.prices.vary_spec import UNIT, parse
from optimizer.explanation.prices.vary_walk import Stretch, Walk, Why
from optimizer.market.market import Market
from optimizer.result.strict import Strict
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found, Point
from optimizer.text.minor_units import money


class Span(Strict):
    """A range of the price over which one build is the recommended one, both ends included."""

    low: str = Field(description="factor on today's price, or the unit price where one part varies")
    high: str
    why: Why = Field(description="why it takes over from its neighbour towards today's price")
    build: Bought | None = Field(
        default=None, description="at the end nearest to today's price; None: none within the budget"
    )
    total_at_low: str | None = None
    total_at_high: str | None = None
    changes: tuple[Change, ...] = Field(default=(), description="from the build recommended today")


class Variation(Strict):
    """Recommended builds over a range of prices. Money is a decimal string."""

    spec: str
    parts: tuple[str, ...] = Field(description="whose prices vary, all by the same factor")
    unit: Literal["factor", "price"] = Field(description="factor: steps of 0.0001; price: one part's, to the cent")
    currency: str
    today: str
    low: str = Field(description="least of the range looked at")
    high: str
    spans: tuple[Span, ...] = Field(description="ascending; each end next to another span was solved")
    stays: int = Field(description="index of the span of the build recommended today")
    target: int | None = Field(description="index of the span that holds the single value asked for")
    target_value: str | None
    complete: bool = Field(description="False: time ended, the spans do not reach over the whole range")
    solves: int
    seconds: float


def vary(market: Market, point: Point, spec: str, clock: Clock | None = None) -> Variation:
    """Recommended builds over the prices of `spec`; `point` is the one recommended today.

    `spec`: categories or part names, by comma, `=`, then `±20%`, `+50%`, `-30%`, `1.5x`, or a net unit price of one
    part. A category scales the offers of its parts; what is inside complete systems and bundles keeps its price.
    Raises InputError for a spec that makes no sense, a point that is not recommended, another cost axis than money,
    and limits on shares of the cost."""
    refuse(market, "--vary")
    varied = parse(market, spec)
    started = time.perf_counter()
    walk = Walk(market, varied, clock or Clock())
    down: list[Stretch] = []
    up: list[Stretch] = []
    complete = True
    try:
        today = walk.recommended(varied.today)
        if today is None or not walk.alike(today, point.found, varied.today):
            remedy = "Solve again and take its recommended build."
            raise InputError(Fault("not-recommended", "not recommended at today's prices", remedy=remedy))
        for found, end in ((down, varied.low), (up, varied.high)):
            found.extend(walk.outward(point.found, end))
    except TimeUp:
        complete = False
    spans = [_span(walk, point.found, s) for s in _ascending(varied.today, point.found, down, up)]
    stays = next(i for i, (_, s) in enumerate(spans) if s.why == "today")
    target = varied.target
    at = None if target is None else next((i for i, ((a, b), _) in enumerate(spans) if a <= target <= b), None)
    return Variation(
        spec=spec,
        parts=varied.parts,
        unit="price" if varied.by_price else "factor",
        currency=market.request.currency,
        today=_value(walk, varied.today),
        low=_value(walk, varied.low),
        high=_value(walk, varied.high),
        spans=tuple(s for _, s in spans),
        stays=stays,
        target=at,
        target_value=None if target is None else _value(walk, target),
        complete=complete,
        solves=walk.solves,
        seconds=round(time.perf_counter() - started, 3),
    )


def _ascending(today: int, found: Found, down: list[Stretch], up: list[Stretch]) -> list[Stretch]:
    """All stretches by price, each with its `near` and `far`; today's reaches both ways."""
    middle = Stretch(down[0].far if down else today, up[0].far if up else today, found, "today")
    return [*reversed(down[1:]), middle, *up[1:]]


def _span(walk: Walk, today: Found, stretch: Stretch) -> tuple[tuple[int, int], Span]:
    """((first step, last step), the span)."""
    low, high = sorted((stretch.near, stretch.far))
    market = walk.market
    if stretch.found is None:
        facts = Span(low=_value(walk, low), high=_value(walk, high), why=stretch.why)
        return (low, high), facts
    near = walk.varied.today if stretch.why == "today" else stretch.near
    pieces = pieces_of(stretch.found)
    ends = [money(totals(walk.costs.cost(pieces, n), market.policy)[2], market.request.currency) for n in (low, high)]
    build = bought(walk.varied.at(market, near), stretch.found)
    return (low, high), Span(
        low=_value(walk, low),
        high=_value(walk, high),
        why=stretch.why,
        build=build,
        total_at_low=ends[0],
        total_at_high=ends[1],
        changes=changes(bought(market, today), build),
    )


def _value(walk: Walk, step: int) -> str:
    """A step as its factor or its price."""
    if walk.varied.by_price:
        return money(step, walk.market.request.currency)
    return str((Decimal(step) / UNIT).quantize(Decimal("0.0001")))
