"""The front as a picture: points with both intervals, the steps between them, and what is proven to be empty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from optimizer.procurement.labels import gpus, unit, word
from optimizer.report.facts import machine, pieces, with_maker
from optimizer.report.formats import Formats, figure
from optimizer.report.scales import Scale, brief, brief_zh, over
from optimizer.result.plan_line import plan_line
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result
from optimizer.text.languages import N_, Words

SPREAD_FOR_LOGARITHMIC = 12
"""From so many times the cheapest point on, the axes are logarithmic at first."""
BUDGET_SHOWN = 1.6
"""A budget is drawn where it is at most so many times what the dearest point costs."""
NEAR = 30.0
"""Units of the picture between two labels at least."""

TITLE = N_("Cost and throughput of every build on the front")
DESCRIPTION = N_(
    "{n} points from {low} at {slow} to {high} at {fast} {unit}. Each has an 80 % interval of its throughput and the "
    "range of its price. The table below holds the same figures."
)
TOTAL_COST = N_("total cost, {unit}")
POINT = N_("{id}: {cost}, {speed} {unit}, {gpus}")


@dataclass(frozen=True)
class Size:
    """A canvas: its width, height and margins in units of the picture."""

    name: str
    width: int
    height: int
    left: int
    right: int = 20
    top: int = 26
    bottom: int = 52


WIDE = Size("wide", 860, 430, 76)
NARROW = Size("narrow", 420, 400, 58, right=14)


@dataclass(frozen=True)
class Mark:
    """A value on an axis: where it lies and what is written there."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    """A point: its place, the ends of its intervals, and how much of its money rests on what."""

    id: str
    x: float
    y: float
    low_y: float
    high_y: float
    low_x: float | None
    high_x: float | None
    read: str
    indexed: str
    basis: str
    recommended: bool
    label: str
    label_x: float
    label_y: float
    anchor: str
    said: str


@dataclass(frozen=True)
class Key:
    """What a sign of the picture means: `kind` is its style."""

    kind: str
    text: str
    x: float = 0
    y: float = 0


@dataclass(frozen=True)
class FrontPicture:
    """All that the template writes."""

    key: str
    size: Size
    logarithmic: bool
    title: str
    description: str
    x_title: str
    y_title: str
    x_marks: list[Mark]
    y_marks: list[Mark]
    dots: list[Dot]
    steps: str
    empty: str
    budget: Mark | None
    heading: str
    legend: list[Key]
    legend_height: int


def cost_of(point: FrontPoint) -> float:
    """What a point costs on the front's axis, for drawing alone."""
    return float(Decimal(point.axis_cost))


def starts_logarithmic(points: Sequence[FrontPoint]) -> bool:
    """Whether the points lie so far apart that linear axes would heap the cheaper ones up."""
    costs = [cost_of(point) for point in points if cost_of(point) > 0]
    return bool(costs) and max(costs) / min(costs) >= SPREAD_FOR_LOGARITHMIC


def front_picture(result: Result, words: Words, logarithmic: bool = False, size: Size = WIDE) -> FrontPicture:
    """The front of a result that has one, ready for its template."""
    points = result.front
    money = result.axis.name == "money"
    budget = _budget(result, points) if money else None
    ends = [float(Decimal(end)) for p in points for end in (p.cost.low, p.cost.high)] if money else []
    costs = [*map(cost_of, points), *ends, *([budget] if budget else [])]
    speeds = [speed for p in points for speed in (p.throughput.low, p.throughput.high, p.throughput.output_tok_s)]
    x = over(costs, size.left, size.width - size.right, logarithmic)
    y = over(speeds, size.height - size.bottom, size.top, logarithmic)
    legend = legend_of(result, words)
    laid, legend_height = _laid_out(legend, size)
    short = brief_zh if words.language == "zh" else brief
    return FrontPicture(
        key=f"{size.name}-{'log' if logarithmic else 'linear'}",
        size=size,
        logarithmic=logarithmic,
        title=words(TITLE),
        description=_description(result, words),
        x_title=_x_title(result, words),
        y_title=unit(words, points[0].throughput.unit),
        x_marks=[Mark(x.at(value), short(value)) for value in x.marks(7 if size is WIDE else 4)],
        y_marks=[Mark(y.at(value), short(value)) for value in y.marks(6)],
        dots=_dots(result, words, x, y, money),
        steps=_steps(points, x, y),
        empty=_empty(result, points, x, y, size, budget),
        budget=Mark(x.at(budget), words("budget")) if budget else None,
        heading=result.model.name,
        legend=laid,
        legend_height=legend_height,
    )


LEGEND = {
    "read": N_("prices that somebody read"),
    "indexed": N_("brought up to date by an index"),
    "estimated": N_("estimated prices"),
    "measured": N_("throughput measured"),
    "interpolated": N_("throughput interpolated"),
    "roofline": N_("throughput by the roofline model"),
    "empty": N_("proven: no build that meets the request lies here"),
}
LEGEND_ROW = 20
CELL = 6.6
"""Width of a cell of text in a legend, at most."""


def legend_of(result: Result, words: Words) -> list[Key]:
    """The signs that a picture of this front has, with their meanings."""
    bases = {point.throughput.basis for point in result.front}
    absent = {"measured", "interpolated", "roofline"} - bases
    if not result.proof.complete:
        absent.add("empty")
    return [Key(kind, words(text)) for kind, text in LEGEND.items() if kind not in absent]


def _laid_out(legend: Sequence[Key], size: Size) -> tuple[list[Key], int]:
    """The legend in rows below a picture, and how high it is."""
    from rich.cells import cell_len

    x, y, placed = float(size.right), float(size.height + LEGEND_ROW // 2), []
    for key in legend:
        width = 40 + CELL * cell_len(key.text)
        if x > size.right and x + width > size.width:
            x, y = float(size.right), y + LEGEND_ROW
        placed.append(Key(key.kind, key.text, round(x, 1), y))
        x += width
    return placed, int(y - size.height) + LEGEND_ROW


def _budget(result: Result, points: Sequence[FrontPoint]) -> float | None:
    """The budget in units of the currency, where it is near enough to be drawn."""
    from optimizer.text.minor_units import money

    if result.request.budget_cents is None:
        return None
    budget = float(money(result.request.budget_cents, result.request.currency))
    return budget if budget <= BUDGET_SHOWN * max(map(cost_of, points)) else None


def _x_title(result: Result, words: Words) -> str:
    said = words.sentence(result.axis.unit)
    if result.axis.name == "money":
        return words(TOTAL_COST, unit=said)
    return words(result.axis.name) + words.comma + said


def cost_words(result: Result, point: FrontPoint, words: Words) -> str:
    """A point's cost on the front's axis in words: money to the cent, other axes with their unit."""
    if result.axis.name == "money":
        return Formats(words, point.cost.currency).exact(point.cost.total)
    return f"{cost_of(point):,.6g} {words.sentence(result.axis.unit)}"


def _description(result: Result, words: Words) -> str:
    first, last = result.front[0], result.front[-1]
    return words(
        DESCRIPTION, n=str(len(result.front)), low=cost_words(result, first, words),
        slow=figure(first.throughput.output_tok_s), high=cost_words(result, last, words),
        fast=figure(last.throughput.output_tok_s), unit=unit(words, last.throughput.unit),
    )  # fmt: skip


def _dots(result: Result, words: Words, x: Scale, y: Scale, money: bool) -> list[Dot]:
    taken: list[tuple[float, float]] = []
    dots = []
    # Named points get their labels first: a label that would lie on another one is left out.
    named = {*result.named.values(), result.recommended}
    order = sorted(result.front, key=lambda point: (point.id != result.recommended, point.id not in named))
    for point in order:
        at = (x.at(cost_of(point)), y.at(point.throughput.output_tok_s))
        free = all(math.dist(at, other) >= NEAR for other in taken)
        if free:
            taken.append(at)
        dots.append(_dot(result, point, words, x, y, money, free))
    return sorted(dots, key=lambda dot: dot.x)


def _dot(result: Result, point: FrontPoint, words: Words, x: Scale, y: Scale, money: bool, labelled: bool) -> Dot:
    cost, throughput = point.cost, point.throughput
    at_x, at_y = x.at(cost_of(point)), y.at(throughput.output_tok_s)
    recommended = point.id == result.recommended
    label = point.id + (f" {word(words, 'recommended')}" if recommended else "")
    # Left of its point, on the empty side of the front, unless the picture ends there.
    left = at_x - x.start > (130 if recommended else 50)
    said = words(
        POINT, id=point.id, cost=cost_words(result, point, words), speed=figure(throughput.output_tok_s, 1),
        unit=unit(words, throughput.unit), gpus=gpus(point),
    )  # fmt: skip
    return Dot(
        id=point.id,
        x=at_x,
        y=at_y,
        low_y=y.at(throughput.low),
        high_y=y.at(throughput.high),
        low_x=x.at(float(Decimal(cost.low))) if money else None,
        high_x=x.at(float(Decimal(cost.high))) if money else None,
        read=_sector(at_x, at_y, 0, cost.shares.read),
        indexed=_sector(at_x, at_y, cost.shares.read, cost.shares.read + cost.shares.indexed),
        basis=throughput.basis,
        recommended=recommended,
        label=label if labelled else "",
        label_x=at_x + (-12 if left else 12),
        label_y=at_y - 10 if left else at_y + 20,
        anchor="end" if left else "start",
        said=said,
    )


RADIUS = 7.0


def _sector(x: float, y: float, start: float, end: float) -> str:
    """The path of a sector of a point's disc between two shares of its circle; empty where there is none."""
    if end - start < 0.005:
        return ""
    if end - start > 0.995:
        return f"M{x - RADIUS} {y}a{RADIUS} {RADIUS} 0 1 0 {2 * RADIUS} 0a{RADIUS} {RADIUS} 0 1 0 {-2 * RADIUS} 0z"
    (x1, y1), (x2, y2) = (
        (x + RADIUS * math.sin(2 * math.pi * share), y - RADIUS * math.cos(2 * math.pi * share))
        for share in (start, end)
    )
    large = 1 if end - start > 0.5 else 0
    return f"M{x} {y}L{x1:.2f} {y1:.2f}A{RADIUS} {RADIUS} 0 {large} 1 {x2:.2f} {y2:.2f}z"


def _steps(points: Sequence[FrontPoint], x: Scale, y: Scale) -> str:
    """The line along the front: what money buys is level until the next point's price."""
    places = [(x.at(cost_of(point)), y.at(point.throughput.output_tok_s)) for point in points]
    return "M{} {}".format(*places[0]) + "".join(f"H{at_x}V{at_y}" for at_x, at_y in places[1:])


def _empty(result: Result, points: Sequence[FrontPoint], x: Scale, y: Scale, size: Size, budget: float | None) -> str:
    """The outline of what is proven to hold no build: cheaper than a point and as fast. Right of the last point only up
    to the budget, where the request has one. Nothing of a search that was stopped."""
    if not result.proof.complete:
        return ""
    outline = f"M{size.left} {size.top}V{y.start}"
    for point in points:
        outline += f"H{x.at(cost_of(point))}V{y.at(point.throughput.output_tok_s)}"
    if budget is not None:
        outline += f"H{x.at(budget)}"
    return f"{outline}V{size.top}z"


def hover_lines(result: Result, point: FrontPoint, words: Words) -> list[str]:
    """What is shown of a point under the pointer: GPUs and plan, price with its range and what it rests on, throughput
    with its interval, power."""
    formats, cost, throughput = Formats(words, point.cost.currency), point.cost, point.throughput
    shares = words.list(
        words(text, share=formats.share(share))
        for text, share in (
            (N_("{share} read"), cost.shares.read),
            (N_("{share} indexed"), cost.shares.indexed),
            (N_("{share} estimated"), cost.shares.estimated),
        )
        if share >= 0.0005
    )
    line = machine(point)
    inside = [f"{piece.pieces} x {piece.name}" for piece in pieces(point, ("cpu", "memory"))]
    lines = [
        f"{gpus(point)}{words.comma}{plan_line(vars(point.plan), once=False)}",
        words.between(", ").join([*([with_maker(line)] if line else []), *inside]),
        words(
            N_("{total}, range {low} to {high}"), total=formats.exact(cost.total), low=formats.bare(cost.low),
            high=formats.bare(cost.high),
        ),
        shares,
        words(
            N_("{speed} {unit}, 80 % interval {low} to {high}"), speed=figure(throughput.output_tok_s, 1),
            unit=unit(words, throughput.unit), low=figure(throughput.low), high=figure(throughput.high),
        ),
        words(N_("{kw} kW at the wall"), kw=figure(point.power.total_w / 1000, 1)),
    ]  # fmt: skip
    return [line for line in lines if line]
