"""The front as a picture of characters: cost to the right, throughput upwards, each point by its id."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from optimizer.cli.output import padded

LEAST_ROWS, MOST_ROWS = 3, 9
"""Rows of the picture without its axis: below, no shape is seen; above, a screen has better uses."""
LEAST_WIDTH, MOST_WIDTH = 48, 100
LOG_FROM = 10
"""An axis whose ends are so many times apart is logarithmic."""
CHOSEN, OTHER = "*", "o"


@dataclass(frozen=True)
class Dot:
    """A point of the front; `label`: its id where it is to be named."""

    cost: float
    speed: float
    label: str
    chosen: bool


def dots(data: dict[str, Any]) -> list[Dot]:
    """Of a result: the points with a name are labelled."""
    named = {*data["named"].values(), data["recommended"]}
    return [
        Dot(
            float(Decimal(point["axis_cost"])), point["throughput"]["output_tok_s"],
            point["id"] if point["id"] in named else "", point["id"] == data["recommended"],
        )
        for point in data["front"]
    ]  # fmt: skip


def picture(points: Sequence[Dot], width: int, rows: int, cost_unit: str, speed_unit: str) -> list[str]:
    """Lines of at most `width` cells: `rows` of the picture and two of the axis; none for one point, or where there is
    no room."""
    from rich.cells import cell_len

    width, rows = min(width, MOST_WIDTH), min(rows - 2, MOST_ROWS)
    if len(points) < 2 or width < LEAST_WIDTH or rows < LEAST_ROWS:
        return []
    top, bottom = (f"{pick(p.speed for p in points):,.0f}" for pick in (max, min))
    head = max(cell_len(speed_unit), len(top), len(bottom))
    grid = _placed(points, width - head - 3, rows)
    names = {0: top, 1: speed_unit, rows - 1: bottom}
    lines = [f"{padded(names.get(i, ''), head, right=True)} │{''.join(row).rstrip()}" for i, row in enumerate(grid)]
    least, most = (f"{pick(p.cost for p in points):,.0f}" for pick in (min, max))
    room = width - head - 2
    between = room - len(least) - len(most)
    middle = cost_unit if cell_len(cost_unit) + 2 <= between else ""
    left = (between - cell_len(middle)) // 2
    foot = least + " " * left + middle + " " * (between - left - cell_len(middle)) + most
    return [*lines, f"{' ' * head} └{'─' * room}", " " * (head + 2) + foot]


def _placed(points: Sequence[Dot], width: int, rows: int) -> list[list[str]]:
    """The grid with marks, then the labels beside them where nothing is yet; the chosen point goes first."""
    grid = [[" "] * width for _ in range(rows)]
    across, up = _scale([p.cost for p in points]), _scale([p.speed for p in points])
    places = [
        (round(across(p.cost) * (width - 1)), rows - 1 - round(up(p.speed) * (rows - 1)), p)
        for p in sorted(points, key=lambda p: not p.chosen)
    ]
    for column, row, point in reversed(places):
        grid[row][column] = CHOSEN if point.chosen else OTHER
    for column, row, point in places:
        size = len(point.label)
        for start in (column + 1, column - size):
            if start >= 0 and start + size <= width and set(grid[row][start : start + size]) <= {" "}:
                grid[row][start : start + size] = point.label
                break
    return grid


def _scale(values: Sequence[float]) -> Any:
    """From a value to its place from 0 to 1."""
    low, high = min(values), max(values)
    if low > 0 and high / low >= LOG_FROM:
        low_log, span = math.log(low), math.log(high / low)
        return lambda value: (math.log(value) - low_log) / span
    span = high - low or 1.0
    return lambda value: (value - low) / span
