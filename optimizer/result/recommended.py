"""Which point of a front is recommended, and which cheaper one can hardly be told apart from it.

With users or a load asked for: the cheapest point that serves them at the lower end of its interval. With a budget
alone: the fastest. Else: the cheapest. Where that point has prefill and decode apart, a point that has them on the
same nodes goes before it if it serves what is asked for too and their intervals overlap by more than half of the
shorter: figures of splits rest on no fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalogs.message import message
from constraints.model.axis import MONEY
from constraints.plan import Row
from constraints.prices.totals import totals
from constraints.request import Request
from optimizer.market.at_load import LoadView
from optimizer.market.market import Market
from optimizer.search.front import Point
from optimizer.text.languages import N_
from optimizer.text.minor_units import money_words

LEAST = {
    "money": N_("the cheapest"),
    "power": N_("the one with the least power"),
    "rack-units": N_("the one with the fewest rack units"),
    "lead-time": N_("the one with the shortest lead time"),
}
"""What comes first on a front, by what it ascends in."""


def load_view(market: Market) -> LoadView:
    """Judges rows of a market's request at the load that it asks for."""
    return LoadView(market.llm, market.request, market.policy, market.calibration)


def asks_for_load(market: Market) -> bool:
    """Whether the request says how much is to be served: users at once, or a mean load."""
    return market.request.users is not None or market.request.mean_tok_s is not None


def serving(market: Market, points: Sequence[Point]) -> int | None:
    """The first point that serves what is asked for at the lower end of its interval; None where none does."""
    view = load_view(market)
    served = (place for place, point in enumerate(points) if view.serves_at_low_end(point.case.gpu, point.found.row))
    return next(served, None)


def recommended(market: Market, points: Sequence[Point]) -> int | None:
    """The index of the recommended point; None of an empty front. Where no point serves the load for certain, the
    fastest comes nearest to it."""
    at = _first_choice(market, points)
    return at if at is None else _on_the_same_nodes(market, points, at)


def _on_the_same_nodes(market: Market, points: Sequence[Point], at: int) -> int:
    """In the place of a point with prefill and decode apart the nearest one that has them on the same nodes, does what
    is asked for and can hardly be told apart from it: the cheapest of a load, else the fastest; `at` where none is."""
    if points[at].found.row.plan.prefill is None:
        return at
    view, loaded = load_view(market), asks_for_load(market)
    served = not loaded or serving(market, points) is not None
    able = [
        place
        for place, point in enumerate(points)
        if point.found.row.plan.prefill is None
        and overlapping(points[at], point)
        and (not loaded or not served or view.serves_at_low_end(point.case.gpu, point.found.row))
    ]
    if not able:
        return at
    return min(able) if loaded and served else max(able)


def _first_choice(market: Market, points: Sequence[Point]) -> int | None:
    """The same whatever the plan is."""
    if not points:
        return None
    if asks_for_load(market):
        first = serving(market, points)
        return len(points) - 1 if first is None else first
    return len(points) - 1 if market.request.budget_cents is not None else 0


def reason(market: Market, points: Sequence[Point]) -> str:
    """Why that point is the recommended one, in a sentence; "" of an empty front."""
    at, first = recommended(market, points), _first_choice(market, points)
    if at is None or first is None:
        return ""
    if at != first:
        return message(
            "{point} is recommended: {other} has prefill and decode apart, on nodes of their own, and its throughput "
            "can hardly be told from that of {point}.",
            point=f"p{at + 1}", other=f"p{first + 1}",
        )  # fmt: skip
    name, least = f"p{at + 1}", LEAST[market.axis.name]
    if asks_for_load(market):
        asked = _asked(market.request)
        if serving(market, points) is None:
            return message(
                "No point serves {why} at the lower end of its 80 % interval; {point}, the fastest, is recommended.",
                why=asked, point=name,
            )  # fmt: skip
        return message(
            "{point} is recommended: {first} that serves {why} at the lower end of its 80 % interval.",
            point=name, first=least, why=asked,
        )  # fmt: skip
    if market.request.budget_cents is not None:
        return message("{point} is recommended: the fastest within the budget.", point=name)
    return message("{point} is recommended: {first}.", point=name, first=least)


def _asked(request: Request) -> str:
    """The users or the load of a request, in words."""
    if request.users is None:
        return message("the load")
    return message("one user") if request.users == 1 else message("{qty} users at once", qty=f"{request.users:,}")


def indistinct(market: Market, points: Sequence[Point]) -> str:
    """A sentence on the cheapest point whose interval overlaps the recommended one's by more than half of the shorter;
    "" where there is none."""
    at = recommended(market, points)
    if at is None:
        return ""
    low, high = interval(points[at])
    for place, point in enumerate(points[:at]):
        other_low, other_high = interval(point)
        # Of a point that was passed over for its plan that is said already (reason).
        if overlapping(points[at], point) and not (
            point.found.row.plan.prefill and at != _first_choice(market, points)
        ):
            if market.axis is MONEY:
                less = less_words(market, points[at].found.cost, point.found.cost)
                key = N_(
                    "{a} can hardly be told apart from {b} in throughput ({c} against {d} tok/s) and costs {e} less in "
                    "total."
                )
            else:
                less = f"{points[at].found.cost - point.found.cost:,} {market.axis.unit}"
                key = N_(
                    "{a} can hardly be told apart from {b} in throughput ({c} against {d} tok/s) and takes {e} less."
                )
            return message(
                key,
                a=f"p{place + 1}", b=f"p{at + 1}", c=f"{other_low:,.0f}-{other_high:,.0f}", d=f"{low:,.0f}-{high:,.0f}",
                e=less,
            )  # fmt: skip
    return ""


def overlapping(one: Point, other: Point) -> bool:
    """Whether the intervals of two points overlap by more than half of the shorter."""
    (low, high), (other_low, other_high) = interval(one), interval(other)
    return min(high, other_high) - max(low, other_low) > min(high - low, other_high - other_low) / 2


def less_words(market: Market, parts_cents: int, other_cents: int) -> str:
    """By how much the total of parts for `other_cents` is below that for `parts_cents`, support and tax included."""
    dearer, cheaper = (totals(cents, market.policy)[2] for cents in (parts_cents, other_cents))
    return money_words(dearer - cheaper, market.request.currency)


def interval(point: Point) -> tuple[float, float]:
    """Output tok/s between which 80 % of measurements lie, as a result states them."""
    return limits(point.found.row)


def limits(row: Row) -> tuple[float, float]:
    """Output tok/s between which 80 % of measurements lie, to a tenth."""
    perf = row.perf
    return round(perf.tenths * perf.low / 10, 1), round(perf.tenths * perf.high / 10, 1)
