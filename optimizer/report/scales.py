"""Where a value lies on an axis of a picture, and the values at which an axis has its marks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STEPS = (1, 2, 2.5, 5, 10)
"""Distances of marks within a power of ten."""
DECADE = (1, 2, 5)
"""Marks within a decade of a logarithmic axis."""
FEWEST_MARKS = 3
ROOM = 1.06
"""An axis reaches so much farther than what it shows."""


@dataclass(frozen=True)
class Scale:
    """An axis from `least` to `most`, drawn from `start` to `end` in units of the picture."""

    least: float
    most: float
    start: float
    end: float
    logarithmic: bool

    def at(self, value: float) -> float:
        """Where a value lies; what is beyond the axis lies at its end."""
        held = min(max(value, self.least), self.most)
        if self.logarithmic:
            share = math.log(held / self.least) / math.log(self.most / self.least)
        else:
            share = (held - self.least) / (self.most - self.least)
        return round(self.start + share * (self.end - self.start), 1)

    def marks(self, wanted: int = 6) -> list[float]:
        """Values for marks, ascending, about so many."""
        if self.logarithmic and len(inside := self._decades()) >= FEWEST_MARKS:
            return inside[:: max(1, math.ceil(len(inside) / (wanted + 2)))]
        return self._even(wanted)

    def _decades(self) -> list[float]:
        first, last = math.floor(math.log10(self.least)), math.ceil(math.log10(self.most))
        values = (digit * 10.0**power for power in range(first, last + 1) for digit in DECADE)
        return [value for value in values if self.least <= value <= self.most]

    def _even(self, wanted: int) -> list[float]:
        span = self.most - self.least
        rough = span / wanted
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * digit for digit in STEPS if power * digit >= rough)
        first = math.ceil(self.least / step)
        return [count * step for count in range(first, math.floor(self.most / step + 1e-9) + 1)]


def over(values: Sequence[float], start: float, end: float, logarithmic: bool) -> Scale:
    """An axis over values: from zero, or logarithmic from a little below the least of those above zero."""
    positive = [value for value in values if value > 0]
    most = max(positive, default=1.0)
    if logarithmic and positive:
        return Scale(min(positive) / ROOM**2, most * ROOM**2, start, end, True)
    return Scale(0.0, most * ROOM, start, end, False)


def brief(value: float) -> str:
    """A mark's value: `250k`, `1.5M`."""
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.4g}{letter}"
    return f"{value:.4g}"


def brief_zh(value: float) -> str:
    """A mark's value as Chinese counts: `25万`, `1.5亿`."""
    for unit, letter in ((1e8, "亿"), (1e4, "万")):
        if value >= unit:
            return f"{value / unit:.4g}{letter}"
    return f"{value:.4g}"
