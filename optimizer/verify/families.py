"""The families of a stored proof made anew: which have a build at all, what their bounds are, which a bound closes.

No solver: rows and bounds are arithmetic. What the solver found INFEASIBLE is for `--prove` to show; here it is judged
whether a family was for a bound to close, or for the solver.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import partial

from constraints.model.axis import MONEY
from optimizer.market.market import Market
from optimizer.search.clock import Clock
from optimizer.search.families import MARGIN_PERCENT, Families, OpenFamily
from optimizer.search.front import Closed, Name, Refused, RefusedPart, Step
from optimizer.search.record import record
from optimizer.search.staircase import Staircase
from optimizer.text.minor_units import money
from optimizer.verify.wrong import Wrong

Point = tuple[str, int, int, int]
"""(GPU, GPUs per node, 0.1 tok/s, cents) of a point of the front."""


class MadeAnew:
    """The families of a market with their rows as far as a run looked at them, under a staircase of points."""

    def __init__(self, market: Market, points: list[Point], steps: tuple[Step, ...]) -> None:
        self.market, self.points, self.steps = market, points, steps
        self.limit = steps[-1].below - 1
        self.families = Families(market, Clock(), clever=True)
        self._judge_rows()

    def _judge_rows(self) -> None:
        """Rows of every node count that the run looked at: up to the staircase's end, and on the way to the cheapest
        build where no budget ends it."""
        if self.market.request.budget_cents is None and self.points and self.families.families:
            # The same steps as `Solver._limits`: rows come by node counts that a limit may pay, and a run that looked
            # at fewer of them recorded fewer floors.
            _, _, _, cheapest = self.points[0]
            top = max(1, 4 * min(family.least for family in self.families.families))
            self.families.judge(top)
            while top < cheapest:
                top *= 4
                self.families.judge(top)
        self.families.judge(self.limit)

    def record(self, proven: Container[Name]) -> tuple[Closed, ...]:
        """The record of a proof in which those families went to the solver."""
        anew = self.families
        floors = {
            family.name: [(row.perf.tenths, partial(anew.floor, family, row)) for row in anew.runnable(family)]
            for family in anew.families
        }
        return record(floors, proven, [family.name for family in anew.dropped], self.steps, anew.refused_early())

    def is_open(self, open_family: OpenFamily, points: list[Point]) -> bool:
        """Whether a bound of the family lies within the margin above the staircase of these points: then the solver is
        asked."""
        staircase = Staircase(self.limit)
        staircase.tenths = [tenths for _, _, tenths, _ in points]
        staircase.costs = [cents for _, _, _, cents in points]
        for row in self.families.runnable(open_family):
            top = staircase.ceiling(row.perf.tenths) * (100 + MARGIN_PERCENT) // 100
            if any(bound.fits(top) for bound in self.families.bounds_of(open_family, row, top)):
                return True
        return False


def judged(
    market: Market,
    points: list[Point],
    steps: tuple[Step, ...],
    stored: tuple[Closed, ...],
    parts: tuple[RefusedPart, ...] | None,
) -> Iterator[Wrong]:
    """What is wrong in the record of a proof, of which the staircase and the list of families were judged already.
    `parts`: those that it says no platform takes."""
    if market.axis is not MONEY or not steps:
        return
    anew = MadeAnew(market, points, steps)
    place = {(family.gpu, family.per_node): at for at, family in enumerate(stored)}
    yield from _figures(anew, stored, place)
    yield from _labels(anew, stored, place)
    yield from _parts(anew, parts)


def _figures(anew: MadeAnew, stored: tuple[Closed, ...], place: dict[Name, int]) -> Iterator[Wrong]:
    """Families said to have no build that have some, or the other way round; bounds that are not theirs."""
    currency = anew.market.request.currency
    for found in anew.record({(c.gpu, c.per_node) for c in stored if c.by == "cp_sat"}):
        at = place.get((found.gpu, found.per_node))
        if at is None:
            continue
        have, where = stored[at], f"proof.families.each[{at}]"
        if (have.by == "no_build") != (found.by == "no_build"):
            says = "no build of it can be made" if found.by == "no_build" else "builds of it can be made"
            yield Wrong(f"{where}.closed_by", f"stored {have.by}, but {says}")
        elif have.least != found.least:
            ours, theirs = (", ".join(money(x, currency) for x in each.least) for each in (found, have))
            yield Wrong(f"{where}.least", f"stored {theirs or 'none'}, the bounds say {ours or 'none'}")
        elif have.refused is not None and have.refused != found.refused:
            ours, theirs = (_said(x.refused or ()) for x in (found, have))
            yield Wrong(f"{where}.refused", f"stored {theirs}, the rules say {ours}")


def _said(refused: tuple[Refused, ...]) -> str:
    """What was refused of a family, in short."""
    shown = (f"{said.number} {said.of} by {said.rule} ({', '.join([said.why, *said.platforms])})" for said in refused)
    return "; ".join(shown) or "none"


def _parts(anew: MadeAnew, stored: tuple[RefusedPart, ...] | None) -> Iterator[Wrong]:
    """Parts said to fit no platform that fit one, or the other way round; another rule or reason."""
    where, found = "proof.families.refused_parts", anew.families.refused_parts()
    if stored is None or stored == found:
        return
    ours, theirs = ({part_id.part: f"{part_id.rule} ({part_id.why})" for part_id in parts} for parts in (found, stored))
    wrong = [part_id for part_id in sorted({*ours, *theirs}) if ours.get(part_id) != theirs.get(part_id)]
    for part in wrong:
        says = f"{part}: stored {theirs.get(part, 'none')}, the rules say {ours.get(part, 'none')}"
        yield Wrong(where, says)
    if not wrong:
        yield Wrong(where, "parts are not in order, each once")


def _labels(anew: MadeAnew, stored: tuple[Closed, ...], place: dict[Name, int]) -> Iterator[Wrong]:
    """Families said to be closed by a bound that is too near, and those said to be the solver's that a bound closes.

    The run went through the families in order, and the solver may have found a point on the way: what a bound closes is
    held against all points, what went to the solver against those of families before it, which were known by then."""
    order = {(family.gpu.id, family.per_node): at for at, family in enumerate(anew.families.families)}
    for family in anew.families.families:
        name = family.gpu.id, family.per_node
        if name not in place:
            continue
        where, by = f"proof.families.each[{place[name]}].closed_by", stored[place[name]].by
        if by == "bound" and anew.is_open(family, anew.points):
            yield Wrong(where, f"stored bound, which lies less than {MARGIN_PERCENT} % above the staircase")
        before = [point for point in anew.points if order.get(point[:2], 0) < order[name]]
        if by == "cp_sat" and not anew.is_open(family, before):
            yield Wrong(where, "stored cp_sat, but its bound closes it")
