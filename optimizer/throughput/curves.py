"""Speed of a plan over the number of requests at once: the roofline, bent through what was measured of its setup.

A plan has one curve. Where its setup was measured, the time of a request is the measured one at each measured
concurrency, and in between and beyond the roofline's times the ratio of both there (between two measurements
interpolated over the logarithm of the concurrency, beyond the outermost held). More requests at once never make any of
them faster nor bring its first token sooner, and never lower the tokens per second of all: engines may hold requests
back. Measurements that say otherwise are pooled with their neighbours (see `smoothed`). Searches by bisection, the
rule that the largest admissible concurrency is the best, and the bounds of reach.py rest on that; it is asserted here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optimizer.throughput.calibration import Curve, curve_of
from optimizer.throughput.roofline import Floats, Ints, Times

SINGLY = 16
"""Up to here a bent curve has a knot at every number of requests, beyond at each `STEP` times the last, rounded."""
STEP = 2 ** (1 / 12)
BETWEEN_KNOTS = (STEP * (1 + 1 / SINGLY)) ** 0.25
"""How far at most a bent curve strays between two knots from the roofline that it follows: logarithms of both rise
over that of the concurrency by between 0 and 1, so that they differ by a quarter of the distance between two knots."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class Bend:
    """The curve of one measured setup: latencies in seconds at ascending numbers of requests at once (`knots`), in
    between linear. Raises AssertionError when more requests would be served faster."""

    knots: Floats
    ttft_s: Floats
    tpot_s: Floats
    osl: int

    def __post_init__(self) -> None:
        request_s = self.ttft_s + self.tpot_s * (self.osl - 1)
        assert (np.diff(self.knots) > 0).all(), "knots ascend"
        assert (self.ttft_s > 0).all() and (np.diff(self.ttft_s) >= 0).all(), "TTFT falls with more requests"
        assert (self.tpot_s > 0).all() and (np.diff(self.tpot_s) >= 0).all(), "each is faster with more requests"
        shared = request_s / self.knots
        assert (np.diff(shared) <= shared[1:] * ROUNDING).all(), "all together are slower with more requests"

    def ttft_at(self, concurrency: Floats) -> Floats:
        return np.interp(concurrency, self.knots, self.ttft_s)

    def tpot_at(self, concurrency: Floats) -> Floats:
        return np.interp(concurrency, self.knots, self.tpot_s)


@dataclass(frozen=True)
class Bent:
    """Entries of a table that share one bend."""

    entries: Ints
    bend: Bend


@dataclass(frozen=True)
class Curves:
    """Curves of many plans, an entry each: `model` holds those that follow the roofline, `bent` the measured ones."""

    model: Times
    bent: tuple[Bent, ...] = ()

    @property
    def osl(self) -> Any:
        return self.model.osl

    def tpot_s(self, concurrency: Any) -> Floats:
        """Time per output token of each of `concurrency` running requests (a number, or one per entry)."""
        return self._laid_over(self.model.tpot_s(concurrency), concurrency, Bend.tpot_at)

    def ttft_s(self, concurrency: Any) -> Floats:
        """Time to a request's first token."""
        return self._laid_over(self.model.ttft_s(concurrency), concurrency, Bend.ttft_at)

    def request_s(self, concurrency: Any) -> Floats:
        """From a request's arrival to its last token."""
        return np.asarray(self.ttft_s(concurrency) + self.tpot_s(concurrency) * (self.osl - 1))

    def _laid_over(self, seconds: Floats, concurrency: Any, at: Callable[[Bend, Floats], Floats]) -> Floats:
        if not self.bent:
            return seconds
        wanted, out = np.broadcast_to(np.asarray(concurrency, dtype=np.float64), seconds.shape), seconds.copy()
        for some in self.bent:
            out[some.entries] = at(some.bend, wanted[some.entries])
        return out


def bent(model: Times, slower: Any, measured: Mapping[int, Curve], most: Ints) -> Curves:
    """Curves of a table of configurations, up to `most` requests at once each. `model`: their roofline; entries that
    were `measured` go through their measurements, the others take `slower` times as long as the roofline says."""
    made = (Bent(np.array([i]), bend(model.of(i), curve, float(most[i]))) for i, curve in measured.items())
    return Curves(model.slowed(slower), tuple(made))


def bend(one: Times, curve: Curve, most: float) -> Bend:
    """The curve of one configuration (`one`: its roofline without any factor) through its measurements, for up to
    `most` requests at once."""
    curve = curve_of(p._replace(concurrency=max(1.0, p.concurrency)) for p in curve)
    knots, place = _knots(curve, most)
    osl = int(one.osl)
    ttft_s, tpot_s = one.ttft_s(knots), one.tpot_s(knots)
    model_s = ttft_s + tpot_s * (osl - 1)
    log_model, log_knots = np.log(model_s), np.log(knots)
    log_ratio = smoothed(curve, log_knots[place].tolist(), log_model[place].tolist())
    log_s = (log_model - np.interp(log_knots, log_knots[place], log_ratio)).tolist()
    _keep_order(log_s, log_knots.tolist(), place)
    assert (np.diff(log_s) > -ROUNDING).all(), "a request is faster with more of them"
    # Both latencies are stretched alike between two knots: their sum is the bent time of a request, and neither falls.
    growth = np.diff(np.maximum.accumulate(np.exp(log_s))) / np.maximum(np.diff(model_s), 1e-300)
    first = math.exp(log_s[0]) / model_s[0]
    return Bend(
        knots,
        np.concatenate(([first * ttft_s[0]], np.diff(ttft_s) * growth)).cumsum(),
        np.concatenate(([first * tpot_s[0]], np.diff(tpot_s) * growth)).cumsum(),
        osl,
    )


def smoothed(curve: Curve, log_concurrency: Sequence[float], log_model: Sequence[float]) -> list[float]:
    """Logarithms of measured over modelled tok/s with the least moved that contradicts the order: first the tok/s of
    all, which fall nowhere, then the time of a request, which falls nowhere either: pool adjacent violators, each
    pool at its mean. The second never undoes the first, since a pool keeps its distance to both neighbours small.

    What is in order stays as it was measured. Pools never exceed the largest ratio in them (reach.py)."""
    ratio = [p.log_ratio for p in curve]
    together = [c - s + y for c, s, y in zip(log_concurrency, log_model, ratio, strict=True)]
    request = [c - x for c, x in zip(log_concurrency, pooled(together), strict=True)]
    if request == sorted(request) and together == sorted(together):
        return ratio
    return [s - r for s, r in zip(log_model, pooled(request), strict=True)]


def pooled(values: Sequence[float]) -> list[float]:
    """The ascending values nearest in squares: neighbours that descend are pooled at their mean."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, size = pools.pop()
            total, count = total + before, count + size
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def _knots(curve: Curve, most: float) -> tuple[Floats, Ints]:
    """Ascending numbers of requests at once that a bend is computed at, and where in them the measurements stand."""
    measured = np.array([p.concurrency for p in curve], dtype=np.float64)
    last = max(float(most), float(measured[-1]), SINGLY + 1.0)
    steps = math.ceil(math.log((last + 1) / SINGLY) / math.log(STEP))
    ladder = np.rint(SINGLY * STEP ** np.arange(1, steps + 1))
    # A set, since np.unique loads numpy's masked arrays, which nothing else here needs: 20 ms of a cold start.
    knots = np.array(sorted({*np.arange(1.0, SINGLY + 1).tolist(), *ladder.tolist(), *measured.tolist()}))
    return knots, np.searchsorted(knots, measured)


def _keep_order(log_s: list[float], log_knots: Sequence[float], place: Ints) -> None:
    """Between two measurements in order, keep what lies between them in order too: the roofline may rise more steeply
    there, or less, than both together do."""
    for first, last in zip(place[:-1].tolist(), place[1:].tolist(), strict=True):
        for i in range(first + 1, last):
            least = max(log_s[i - 1], log_s[last] - (log_knots[last] - log_knots[i]))
            most = min(log_s[last], log_s[i - 1] + (log_knots[i] - log_knots[i - 1]))
            log_s[i] = min(max(log_s[i], least), most)
