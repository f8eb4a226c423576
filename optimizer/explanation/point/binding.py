"""What a step of each condition costs at a point's throughput: what binds there, and the price of giving way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.formats import BITS
from optimizer.explanation.conditions.conditions import conditions
from optimizer.explanation.conditions.levers import Choice, Lever, Members, Number
from optimizer.explanation.conditions.loosening import levers
from optimizer.explanation.questions import Asking, Change
from optimizer.search.front import Found, Point

USUAL = {
    "power": 1000, "rack-units": 1, "nodes": 1, "lead": 7, "price-age": 30, "estimates": 10, "share": 10, "sellers": 1,
    "dataset": 10, "load": 100, "user-speed": 10,
}  # fmt: skip
"""Grid steps that a buyer thinks in: a kW, a node, a week, ten percent, a TB, a tok/s. Others: a tenth."""
ANY = {"vendor": "any vendor", "origin": "any country of origin"}
"""Lists that name what is admitted, given up: the others are too long to be said member by member."""
USERS = ((50, 50), (10, 10), (1, 1))
"""(from so many users on, step)."""


@dataclass(frozen=True)
class Step:
    """One condition moved by a step, the rest as asked. `found` is the cheapest build at least as fast as the point,
    None where there is none; `more_cents`: what its total exceeds the point's by."""

    key: str
    text: str
    looser: bool
    found: Found | None
    more_cents: int | None

    @property
    def binds(self) -> bool:
        """Whether the condition holds the point where it is: looser is cheaper, or tighter dearer or impossible."""
        return self.more_cents is None or (self.more_cents < 0 if self.looser else self.more_cents > 0)


def steps(asking: Asking, point: Point) -> Iterator[Step]:
    """Steps of all conditions at the point's throughput, whatever they do to the budget."""
    base = Change.of(throughput_tenths=point.found.row.perf.tenths, budget_cents=None)
    start, in_force = asking.total(base, point.found), {c.key: c for c in conditions(asking.base)}

    def step(key: str, text: str, looser: bool, change: Change) -> Step:
        found = asking.cheapest(change)
        return Step(key, text, looser, found, None if found is None else asking.total(change, found) - start)

    for lever in levers(asking.base):
        if lever.key in ("budget", "throughput", "model", "gpu", "gpu-count"):
            continue
        if isinstance(lever, Number):
            yield from (step(lever.key, text, looser, base | change) for text, looser, change in _moved(lever))
        elif isinstance(lever, Choice):
            for text, change in [option for alike in lever.steps for option in alike][:4]:
                yield step(lever.key, text, _looser(asking, lever.key, change), base | change)
        else:
            yield step(lever.key, _given_up(lever), True, base | in_force[lever.key].without)


def next_faster(asking: Asking, point: Point) -> Point | None:
    """The cheapest build faster than the point, whatever it costs; None where nothing is faster."""
    change = Change.of(throughput_tenths=point.found.row.perf.tenths + 1, budget_cents=None)
    found = asking.cheapest(change)
    return asking.point(change, found) if found else None


def _moved(lever: Number) -> Iterator[tuple[str, bool, Change]]:
    """A figure one step looser and one step tighter."""
    sign = 1 if lever.loosest > lever.start else -1
    width = USUAL.get(lever.key, max(1, lever.start // 10))
    if lever.key == "users":
        width = next(step for least, step in USERS if lever.start >= least)
    for looser, to in ((True, lever.start + sign * width), (False, lever.start - sign * width)):
        inside = min(lever.start, lever.loosest) <= to <= max(lever.start, lever.loosest) if looser else to > 0
        if inside:
            yield lever.say(to), looser, lever.fields(to)


def _given_up(lever: Lever) -> str:
    """What is asked where a list is given up altogether."""
    if lever.key in ANY:
        return ANY[lever.key]
    assert isinstance(lever, Members)
    return lever.say(lever.extra)


def _looser(asking: Asking, key: str, change: Change) -> bool:
    """Whether an option admits more than the request; another precision does when it has fewer bits."""
    precision = change.fields.get("precision")
    if key != "precision" or precision is None:
        return True
    now = asking.base.request.precision
    return now is None or BITS[precision] < BITS.get(now, 0)
