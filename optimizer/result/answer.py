"""A solved request: market, search and proof, and the result contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.request.fields import broken
from optimizer.request.load import with_load
from optimizer.request.named_model import settled
from optimizer.result.contract import result
from optimizer.result.embedded_catalog import rows, used
from optimizer.search.clock import Clock
from optimizer.search.front import Front
from optimizer.search.solver import Disagreement, Solver, Watch
from optimizer.throughput.calibration import Calibration

TELL_EVERY_S = 1.0
TellFront = Callable[[dict[str, Any]], None]
"""Hears of the front so far as the data of a result that is not proven."""


@dataclass(frozen=True)
class Answer:
    """A solved request: the front as objects, and the result contract as data. `judged`: the rows of its plans."""

    market: Market
    front: Front
    data: dict[str, Any]
    judged: GpuRows


def solve(
    catalog: Catalog,
    request: Request,
    policy: Policy,
    time_limit: float | None = None,
    calibration: Calibration | None = None,
    clock: Clock | None = None,
    tell_front: TellFront | None = None,
) -> Answer:
    """The front of a request, or the best checked one when `time_limit` (s) or `clock` ends before the proof;
    throughput by `calibration` (the shipped one without). `tell_front` hears of the front so far, every TELL_EVERY_S
    at most. Raises InputError for what makes no sense."""
    request = with_load(settled(request), policy)
    market = Market.open(catalog, request, policy, calibration)
    started = time.perf_counter()
    solver = Solver(market, clock=clock or Clock(time_limit))
    if tell_front is not None:
        solver.watch = _telling(market, started, tell_front)
    front = solver.front()
    for point in front.points:
        if faults := broken(point.case, point.found.row):
            raise Disagreement(f"{faults[0].text} in {point.found.build}")
    seconds = {**solver.seconds, "total": time.perf_counter() - started}
    data = result(market, front, seconds)
    return Answer(market, front, data, solver.on_gpus)


def _telling(market: Market, started: float, tell: TellFront) -> Watch:
    """Makes results of fronts so far, not more often than people look."""
    last = -TELL_EVERY_S

    def watch(so_far: Callable[[], Front]) -> None:
        nonlocal last
        seconds = time.perf_counter() - started
        if seconds - last >= TELL_EVERY_S:
            last = seconds
            tell(result(market, so_far(), {"total": seconds}))

    return watch


def embedded(answer: Answer) -> dict[str, list[dict[str, Any]]]:
    """Catalog rows that the front rests on: its parts and those demanded, what is inside them, and all their offers."""
    catalog, demanded = answer.market.catalog, answer.market.request.include
    return rows(
        catalog, used(catalog, {*demanded, *(x for point in answer.front.points for x in point.case.build.total())})
    )
