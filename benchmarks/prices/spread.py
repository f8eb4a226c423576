"""How near to published prices a search of parts can come at all: what sellers of the same machine ask, and the range
that a listing states where it does not show its CPUs, memory and drives. docs/prices.md, How near one can come."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, median, stdev

from benchmarks.prices.published import System, systems

FEWEST_SELLERS = 3
"""Of a machine whose sellers' scatter is computed."""
OF_A_SIGMA = NormalDist().inv_cdf(0.75)
"""Median deviation of a normal distribution, in its standard deviations."""


@dataclass(frozen=True)
class Alike:
    """Listings of servers with the same GPUs, one a seller, the cheapest first."""

    listings: tuple[System, ...]

    @property
    def between_two(self) -> float:
        """By how much the dearer of two of them is above the other, percent, in the middle of all pairs."""
        prices = [system.usd for system in self.listings]
        return median(100 * (max(pair) / min(pair) - 1) for pair in combinations(prices, 2))

    @property
    def from_the_others(self) -> list[float]:
        """Deviation of the middle of the others from each listing, percent."""
        prices = [system.usd for system in self.listings]
        return [100 * (median([*prices[:place], *prices[place + 1 :]]) / usd - 1) for place, usd in enumerate(prices)]

    @property
    def scatter(self) -> float:
        """Standard deviation of the logarithms, percent."""
        return 100 * stdev(math.log(system.usd) for system in self.listings)


def alike() -> list[Alike]:
    """Judged servers that several sellers offer with the very same GPUs, the most sellers first."""
    by_gpus: dict[tuple[tuple[str, ...], int, str], dict[str, System]] = {}
    for system in systems():
        if system.use == "judged" and system.form == "server":
            by_gpus.setdefault((system.gpus, system.count, system.region), {}).setdefault(system.seller, system)
    found = [Alike(tuple(sorted(each.values(), key=lambda one: one.usd))) for each in by_gpus.values()]
    return sorted((one for one in found if len(one.listings) > 1), key=lambda one: -len(one.listings))


def stated() -> list[System]:
    """Judged listings with a range of prices."""
    return [system for system in systems() if system.use == "judged" and system.range_usd]


def half_width(system: System) -> float:
    """Of a stated range: percent above and below its middle."""
    assert system.range_usd is not None
    low, high = system.range_usd
    return 100 * (high - low) / (high + low)


def least_deviation(scatter: float, half: float) -> float:
    """Median deviation (percent) of a search that knows the middle of what sellers ask for a machine, exactly, and
    neither the seller nor where in a listing's range its configuration lies (as likely at any place of it)."""
    return OF_A_SIGMA * math.hypot(scatter, half / math.sqrt(3))


def by_chance(nearer: int, farther: int) -> float:
    """Sign test, both sides: how often a coin says as much."""
    tosses, fewer = nearer + farther, min(nearer, farther)
    return float(min(1.0, 2 * sum(math.comb(tosses, heads) for heads in range(fewer + 1)) / 2**tosses))


def kind_of(system: System, boards: Sequence[str]) -> str:
    """Boards of eight GPUs, cards in servers, towers."""
    if system.form == "tower":
        return "towers"
    return "servers with a board of GPUs" if system.gpus[0] in boards else "servers with loose cards"
