"""A point of a front explained: margins, the price of a step, where the money goes, what its neighbours change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalogs.message import message
from constraints.build import Build
from constraints.prices.totals import totals
from constraints.rule import Check
from optimizer.explanation.no_build.explained import build_facts
from optimizer.explanation.point.binding import Step, next_faster, steps
from optimizer.explanation.point.neighbours import swapped, why_faster
from optimizer.explanation.point.savings import fewer_modules
from optimizer.explanation.questions import Asking, Change
from optimizer.market.market import Market
from optimizer.result.bill import BUNDLE, purchase
from optimizer.result.explanation_schema import (
    Margin,
    Neighbour,
    Note,
    PointExplained,
    Saving,
    Spent,
    StepFacts,
    SwapFacts,
)
from optimizer.result.notes import notes
from optimizer.result.plan_facts import launch_facts
from optimizer.search.clock import Clock
from optimizer.search.front import Point
from optimizer.text.minor_units import money


def explained(
    market: Market, points: Sequence[Point], at: int, clock: Clock | None = None,
    tell: Callable[[str, int], None] = lambda text, done: None,
) -> PointExplained:  # fmt: skip
    """The point `points[at]` of a front in ascending order. Raises TimeUp when the clock ends."""
    asking, point, currency = Asking(market, clock), points[at], market.request.currency
    moved = []
    for step in steps(asking, point):
        moved.append(_step(asking, point, step))
        tell(step.text, len(moved))
    bought = purchase(market, point.case.build)
    _, tax, total = totals(bought.cents + bought.support_cents, market.policy)
    return PointExplained(
        id=f"p{at + 1}",
        total=money(total, currency),
        net=money(total - tax, currency),
        tax=money(tax, currency),
        currency=currency,
        output_tok_s=point.found.row.perf.tenths / 10,
        margins=[margin(check) for check in point.checks],
        steps=sorted(moved, key=lambda s: (not s.binds, s.key, not s.looser)),
        money=_money(market, point),
        cheaper=_neighbour(asking, point, points[at - 1], f"p{at}") if at else None,
        faster=_neighbour(asking, point, points[at + 1], f"p{at + 2}")
        if at + 1 < len(points)
        else _beyond(asking, point),
        savings=_savings(market, point),
        notes=[Note(code=code, text=text) for code, text in notes(market, point)],
        **launch_facts(market, point.case),
    )


def margin(check: Check) -> Margin:
    """A finding with the share of its limit that is left (of a least value: that it is exceeded by); negative where
    the limit is missed, be it one that is only advised."""
    measured, limit = check.measured, check.limit
    left = None
    if measured is not None and limit:
        beyond = measured - limit if check.relation == "at_least" else limit - measured
        left = round(beyond / abs(limit) * 100, 1)
    return Margin(
        rule=check.rule, status=check.status, text=check.text, measured=measured, limit=limit, unit=check.unit,
        margin_percent=left,
    )  # fmt: skip


def _step(asking: Asking, point: Point, step: Step) -> StepFacts:
    currency = asking.base.request.currency
    base = Change.of(throughput_tenths=point.found.row.perf.tenths, budget_cents=None)
    return StepFacts(
        key=step.key,
        text=step.text,
        looser=step.looser,
        binds=step.binds,
        more=None if step.more_cents is None else money(step.more_cents, currency),
        build=None if step.found is None else build_facts(asking, base, step.found),
    )


def _money(market: Market, point: Point) -> list[Spent]:
    """Sum of lines per category, then support and tax; the dearest category first."""
    bought, parts, currency = purchase(market, point.case.build), market.catalog.parts, market.request.currency
    sums: dict[str, int] = {}
    for line in bought.lines:
        category = parts[line.part].kind.value if line.part in parts else BUNDLE
        sums[category] = sums.get(category, 0) + line.qty * line.cents
    support, tax, total = totals(bought.cents + bought.support_cents, market.policy)
    ranked = sorted(sums.items(), key=lambda x: (-x[1], x[0]))
    ranked += [(k, v) for k, v in (("support", support + bought.support_cents), ("tax", tax)) if v]
    return [
        Spent(category=k, amount=money(v, currency), share=round(v / total, 4) if total else 0.0) for k, v in ranked
    ]


def _neighbour(asking: Asking, point: Point, other: Point, name: str) -> Neighbour:
    market, currency = asking.base, asking.base.request.currency
    now, then = (asking.total(Change(), x.found) for x in (point, other))
    return Neighbour(
        id=name, total=money(then, currency), more=money(then - now, currency),
        output_tok_s=other.found.row.perf.tenths / 10, swaps=_swaps(market, point.case.build, other.case.build),
        figures=why_faster(point, other),
    )  # fmt: skip


def _swaps(market: Market, now: Build, then: Build) -> list[SwapFacts]:
    """Parts and bundles whose number differs."""
    parts, kits, currency = market.catalog.parts, market.catalog.bundles, market.request.currency
    return [
        SwapFacts(
            part=swap.part, name=parts[swap.part].name if swap.part in parts else kits[swap.part].name or swap.part,
            before=swap.before, after=swap.after, more=money(swap.more_cents, currency),
        )
        for swap in swapped(market, now, then)
    ]  # fmt: skip


def _savings(market: Market, point: Point) -> list[Saving]:
    """Fewer memory modules that spread evenly, where they cost less."""
    offer = fewer_modules(market, point)
    if offer is None:
        return []
    costs = (market.book.cost(build.total()) for build in (point.case.build, offer.build))
    total_now, total_then = (totals(cost, market.policy)[2] for cost in costs)
    gb, gb_before = offer.count * offer.module.capacity_gb, offer.before_count * offer.before.capacity_gb
    text = message(
        "{a} x {b} per node ({c} GB on {d} of {e} memory channels) in place of {f} x {g} ({h} GB): "
        "less memory bandwidth",
        a=offer.count,
        b=offer.module.name,
        c=f"{gb:,}",
        d=offer.count,
        e=offer.channels,
        f=offer.before_count,
        g=offer.before.name,
        h=f"{gb_before:,}",
    )
    currency = market.request.currency
    return [
        Saving(
            text=text,
            total=money(total_then, currency),
            less=money(total_now - total_then, currency),
            swaps=_swaps(market, point.case.build, offer.build),
        )
    ]


def _beyond(asking: Asking, point: Point) -> Neighbour | None:
    """The next faster build, beyond the budget or beyond the front's end."""
    other = next_faster(asking, point)
    return _neighbour(asking, point, other, "") if other else None
