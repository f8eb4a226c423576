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
        for i, point in enumerate(read.points):
            if point is not None and not admitted(solver, point):
                report.add(f"front[{i}]", "the solver's model excludes this build, though every rule's check admits it")
    except Undecided as e:
        report.add("proof", f"{name} could not decide it: {e}")
        return None
    _report(read.market, known, added, report)
    if not report.wrong:
        report.wrong += _messages(read, solver)
    report.unchecked = [x for x in report.unchecked if x not in (SOLVED_UNCHECKED, AXIS_UNCHECKED)]
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
        limit = SPAN * max(1, min(f.cost for f in known))
    staircase = Staircase(limit)
    for f in known:
        if f.cost <= staircase.ceiling(f.row.perf.tenths):
            staircase.add(f)
    solver.judge(market.purse_at(limit))
    for family in solver.families:
        solver.prove(family, staircase, out)
    return list(staircase.points)


def admitted(solver: Solver, point: Point) -> bool:
    """Whether the model that proves a family has a point of it among its solutions: no encode is too tight for it."""
    market, found = solver.market, point.found
    own = [market.catalog.parts[x] for x in found.build.node]
    parts = {x.id: x for x in [*own, *solver.parts]}
    family = solver.engine(
        market, point.case.gpu, point.case.per_node, [found.row], Candidates(parts.values()), solver.rules
    )
    return family.under(lambda _: found.cost) is not None


def _report(market: Market, known: list[Found], front: list[Found], report: Report) -> None:
    """Missing and beaten points by their place in the stored front."""
    currency = market.request.currency
    speeds = [f.row.perf.tenths for f in known]
    for point in front:
        if point in known:
            continue
        i = bisect_left(speeds, point.row.perf.tenths)
        key, last = point.row.key, len(known) - 1
        words = (
            f"{key.nodes} x {key.per_node} {market.catalog.parts[key.gpu].name}, "
            f"{point.row.perf.tenths / 10} tok/s for {money(point.parts_cents, currency)} {currency} of parts"
        )
        beaten = [j for j, k in enumerate(known) if _beats(point, k)]
        if beaten:
            report.add(f"front[{beaten[0]}]", f"is beaten by {words}")
        else:
            place = f"before front[{i}]" if i <= last else f"after front[{last}]" if known else "in an empty front"
            report.add("front", f"lacks a point {place}: {words}")
    for j, k in enumerate(known):
        if k not in front and not any(_beats(point, k) for point in front if point not in known):
            report.add(f"front[{j}]", "is dominated by another point of the front")


def _beats(found: Found, b: Found) -> bool:
    return found.row.perf.tenths >= b.row.perf.tenths and found.cost <= b.cost
