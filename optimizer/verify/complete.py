"""`dsopt verify --prove`: nothing lies under the stored points, proven anew from the catalog and the request.

Neither the stored staircase nor the stored families are read: the families, their rows, bounds and models are made
again, and each open family's model is asked for a build strictly under the stored points. Each stored point must also
be a solution of its family's model: a rule encoded too tightly would prove too much.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

from constraints.model.family_model import Candidates
from optimizer.market.market import Market
from optimizer.result.answer import Answer
from optimizer.result.cheaper import solved_messages
from optimizer.search.certificate import FamilyProof
from optimizer.search.front import Found, Front, Point
from optimizer.search.parameters import SPAN
from optimizer.search.solver import Solver
from optimizer.search.staircase import Staircase
from optimizer.text.minor_units import money
from optimizer.verify.consistent import AXIS_UNCHECKED, SOLVED, SOLVED_UNCHECKED, Read, as_stored
from optimizer.verify.highs import HighsFamily, Undecided
from optimizer.verify.wrong import Report, Wrong, differences

ENGINES: dict[str, tuple[str, type[FamilyProof]]] = {"cp-sat": ("CP-SAT", FamilyProof), "highs": ("HiGHS", HighsFamily)}


def complete(read: Read | None, report: Report, engine: str, thorough: bool = False) -> dict[str, Any] | None:
    """Proves the front anew and reports builds that it lacks; None when it can't be judged.

    `thorough`: every family goes to the solver with all rows and parts, none closed by a bound."""
    if read is None or read.market is None or not read.whole:
        report.add("front", "completeness can't be proven without the whole catalog and a readable result")
        return None
    if not read.result.proof.complete:
        report.add("proof.complete", "the result itself says that it is not proven complete")
        return None
    name, family = ENGINES[engine]
    known = [point.found for point in read.points if point is not None]
    if len(known) < len(read.points):
        report.unchecked.append("points that make no build are left out of the proof")
    started = time.perf_counter()
    solver = Solver(read.market, clever=not thorough, engine=family)
    out = Front()
    try:
        added = prove(solver, known, out)
        for at, point in enumerate(read.points):
            if point is not None and not admitted(solver, point):
                report.add(
                    f"front[{at}]", "the solver's model excludes this build, though every rule's check admits it"
                )
    except Undecided as e:
        report.add("proof", f"{name} could not decide it: {e}")
        return None
    _report(read.market, known, added, report)
    if not report.wrong:
        report.wrong += _messages(read, solver)
    # What plain arithmetic left open is made anew by now.
    report.unchecked = [said for said in report.unchecked if said not in (SOLVED_UNCHECKED, AXIS_UNCHECKED)]
    return {
        "engine": name,
        "thorough": thorough,
        "closed_by_bound": out.closed_by_bound,
        "closed_by_solver": out.closed_by_cp_sat,
        "deterministic_time": round(sum(out.ticks.values()), 6),
        "seconds": round(time.perf_counter() - started, 3),
    }


def _messages(read: Read, solver: Solver) -> Iterator[Wrong]:
    """Messages that a solver makes, made anew."""
    points = [point for point in read.points if point is not None]
    if read.market is None or len(points) < len(read.points):
        return
    data = read.result.model_dump(mode="json")
    stored = [message_ for message_ in data["messages"] if message_["code"] in SOLVED]
    # Results made by `optimizer.api` alone, without the library, carry none.
    if points and stored:
        true = solved_messages(Answer(read.market, Front(points=points), data, solver.on_gpus))
        yield from differences(*as_stored(stored, true), "messages")


def prove(solver: Solver, known: list[Found], out: Front) -> list[Found]:
    """The whole front as proven from `known` points on: those that nothing beats, and the builds that were missing."""
    market = solver.market
    limit = solver.limit()
    if limit is None or market.request.budget_cents is None:
        if not known:
            found = solver.cheapest()
            return [found] if found else []
        # How far up the front goes rests on the cheapest point: were a cheaper one missing, it would lie under the
        # staircase and be found.
        limit = SPAN * max(1, min(point.cost for point in known))
    staircase = Staircase(limit)
    for point in known:
        # A point that another one beats, or that lies beyond the limit, raises no stair.
        if point.cost <= staircase.ceiling(point.row.perf.tenths):
            staircase.add(point)
    solver.judge(market.purse_at(limit))
    for family in solver.families:
        solver.prove(family, staircase, out)
    return list(staircase.points)


def admitted(solver: Solver, point: Point) -> bool:
    """Whether the model that proves a family has a point of it among its solutions: no encode is too tight for it."""
    market, found = solver.market, point.found
    own = [market.catalog.parts[part] for part in found.build.node]
    parts = {part.id: part for part in [*own, *solver.parts]}
    family = solver.engine(
        market, point.case.gpu, point.case.per_node, [found.row], Candidates(parts.values()), solver.rules
    )
    # At its own cost and not a unit below: the point itself is asked for, or a build as good in its row.
    return family.under(lambda row: found.cost) is not None


def _report(market: Market, known: list[Found], front: list[Found], report: Report) -> None:
    """Missing and beaten points by their place in the stored front."""
    currency = market.request.currency
    speeds = [point.row.perf.tenths for point in known]
    for point in front:
        if point in known:
            continue
        key = point.row.key
        words = (
            f"{key.nodes} x {key.per_node} {market.catalog.parts[key.gpu].name}, "
            f"{point.row.perf.tenths / 10} tok/s for {money(point.parts_cents, currency)} {currency} of parts"
        )
        beaten = [at for at, stored in enumerate(known) if _beats(point, stored)]
        if beaten:
            report.add(f"front[{beaten[0]}]", f"is beaten by {words}")
        else:
            report.add("front", f"lacks a point {_place(bisect_left(speeds, point.row.perf.tenths), known)}: {words}")
    missing = [point for point in front if point not in known]
    for at, stored in enumerate(known):
        # One that a missing build beats was reported with that build.
        if stored not in front and not any(_beats(point, stored) for point in missing):
            report.add(f"front[{at}]", "is dominated by another point of the front")


def _place(before: int, known: list[Found]) -> str:
    """Where in the stored front a point is missing."""
    if not known:
        return "in an empty front"
    return f"before front[{before}]" if before < len(known) else f"after front[{len(known) - 1}]"


def _beats(found: Found, other: Found) -> bool:
    """Whether a build is no slower and no dearer than another."""
    return found.row.perf.tenths >= other.row.perf.tenths and found.cost <= other.cost
