"""Terminal view of `dsopt explain` on a result that has builds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from optimizer.cli.front_view import number
from optimizer.cli.output import table
from optimizer.clock import Clock
from optimizer.explanation.schema import Neighbour, PointExplained
from optimizer.front import Point
from optimizer.market import Market

SWAPS = 12
"""Swapped parts shown of a neighbour."""


def answers(
    market: Market, front: Sequence[Point], at: int, clock: Clock, why_not: Sequence[str], vary: Sequence[str],
    bad_prices: int | None, show: bool,
) -> dict[str, Any]:  # fmt: skip
    """What was asked about a point, shown if wanted and as data; the point itself where nothing special was asked."""
    said: dict[str, Any] = {}
    if why_not:
        from optimizer.cli.why_not_view import show_why_not
        from optimizer.explanation.asked_for import asked_for
        from optimizer.explanation.why_not import why_not as held_against

        for text in why_not:
            own, what = asked_for(text, market)  # a build's file may bring parts of its own
            found = held_against(own, front[at], what)
            said.setdefault("why_not", []).append(found.model_dump(mode="json"))
            if show:
                show_why_not(found)
    if vary:
        from optimizer.cli.prices_view import show_variation
        from optimizer.explanation.vary import vary as over

        for text in vary:
            span = over(market, front[at], text, clock)
            said.setdefault("vary", []).append(span.model_dump(mode="json"))
            if show:
                show_variation(span)
    if bad_prices is not None:
        from optimizer.cli.prices_view import show_price_risk
        from optimizer.explanation.price_risk import price_risk

        risk = price_risk(market, bad_prices or None, clock)
        said["price_risk"] = risk.model_dump(mode="json")
        if show:
            show_price_risk(risk)
    if not said:
        from optimizer.explanation.point import explained

        point = explained(market, front, at, clock)
        said["point"] = point.model_dump(mode="json")
        if show:
            show_point(point)
    return said


def show_point(p: PointExplained) -> None:
    """Margins, steps, money, neighbours, notes."""
    print(f"Point {p.id}: {p.total} {p.currency}, {p.output_tok_s:,.1f} tok/s\n")
    print("What binds, and the price of a step (cheapest build at least as fast, whatever the budget):")
    table(
        ["", "changed to", f"{p.currency} more", "build"],
        [
            ["binds" if s.binds else "", f"{s.text} ({'looser' if s.looser else 'tighter'})",
             "no build" if s.more is None else number(float(s.more)) if float(s.more) else "0",
             f"{s.build.gpus}, {s.build.precision}" if s.build else ""]
            for s in p.steps
        ],
        {2},
    )  # fmt: skip
    print("Margins:")
    table(
        ["rule", "", "measured", "limit", "unit", "margin", "finding"],
        [
            [m.rule, m.status, number(m.measured), number(m.limit), m.unit,
             "" if m.margin_percent is None else f"{m.margin_percent:.0f} %", m.text]
            for m in p.margins if m.measured is not None
        ],
        {2, 3, 5},
    )  # fmt: skip
    print("Where the money goes:")
    table(["category", p.currency, "share"], [[s.category, s.amount, f"{s.share:.1%}"] for s in p.money], {1, 2})
    for name, other in (("cheaper", p.cheaper), ("faster", p.faster)):
        if other:
            _neighbour(name, other, p)
    if p.faster is None:
        print("Nothing faster exists, whatever the budget.\n")
    for n in p.notes:
        print(f"note [{n.code}]: {n.text}")


def _neighbour(name: str, n: Neighbour, p: PointExplained) -> None:
    where = f"{n.id} of the front" if n.id else "beyond the budget"
    gain = n.output_tok_s / p.output_tok_s - 1
    print(f"Next {name} build ({where}): {n.more} {p.currency} more, {n.output_tok_s:,.1f} tok/s ({gain:+.1%})")
    rows = [[s.name, str(s.before), str(s.after), s.more] for s in n.swaps[:SWAPS]]
    table(["part", "now", "then", f"{p.currency} more"], rows, {1, 2, 3})
    print("  why: " + "\n       ".join(n.figures) + "\n")
