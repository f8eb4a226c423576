"""Ways out of a request that no build meets: the smallest change of each condition, and what two changes save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

from optimizer.explanation.conditions.conditions import Condition, conditions
from optimizer.explanation.conditions.levers import Budget, Lever, Loosened
from optimizer.explanation.conditions.loosening import levers
from optimizer.explanation.questions import NOTHING, Asking, Change
from optimizer.search.front import Found


@dataclass(frozen=True)
class Way:
    """One way out: conditions changed (by key) with words, the change in all, and the cheapest build then.

    `smaller`: per condition the next smaller change, shown to fail with the others as they are (`failed`: as asked).
    `smallest`: false where the time was up before it was known that no smaller change does."""

    keys: tuple[str, ...]
    texts: tuple[str, ...]
    smaller: tuple[str, ...]
    failed: tuple[Change | None, ...]
    change: Change
    found: Found
    total_cents: int
    smallest: bool = True


Tell = Callable[[Way], None]
UNNESTED = frozenset({"precision", "circuit", "market", "condition", "confidence", "price-age", "lead", "strict-lead"})
"""Conditions that give way to what is not admitted without them: precisions that count only where they are named,
another line voltage, offers that come before dearer ones."""
WORTH_PERMILLE = 5
"""What a second change must save of the budget to be worth a line."""
SINGLE_SHARE = 0.75
"""Of the effort that is left, what one condition may take."""


def ways_out(asking: Asking, tell: Tell = lambda way: None, clashing: Iterable[Condition] | None = None) -> list[Way]:
    """Ways out, the cheapest build first; each is told when found. With the clock's end those found so far, and
    `asking.cut` is set. `clashing`: conditions that are known to allow no build, whatever else is given up."""
    found: list[Way] = []
    with asking.at_most(1):
        for way in _search(asking, _Hopeless.of(asking, clashing)):
            found.append(way)
            tell(way)
    return sorted(found, key=lambda w: (w.total_cents, len(w.keys), w.keys))


@dataclass(frozen=True)
class _Hopeless:
    """Conditions that give way to no build, given up alone or together: all that are in no conflict with others.

    Not those of `UNNESTED`, which give way to values that giving them up does not admit."""

    keys: frozenset[str]

    @classmethod
    def of(cls, asking: Asking, clashing: Iterable[Condition] | None) -> _Hopeless:
        if clashing is None:
            return cls(frozenset())
        all_, members = conditions(asking.base), {c.key for c in clashing}
        return cls(frozenset(c.key for c in all_ if c.key not in members) - UNNESTED)

    def __call__(self, *levers_: Lever) -> bool:
        return all(lever.key in self.keys for lever in levers_)


def _search(asking: Asking, hopeless: _Hopeless) -> Iterator[Way]:
    """The budget, the other conditions one by one, each with a smaller budget; two together when all of these ask for
    more money; two and three when nothing else helps."""
    all_ = sorted(levers(asking.base), key=lambda x: x.key != "budget")
    singles = []
    for lever in all_:
        if not hopeless(lever) and (loose := _alone(asking, lever)) is not None:
            singles.append(_way(asking, (lever.key,), (loose,)))
            yield singles[-1]
    budget = next((x for x in all_ if isinstance(x, Budget)), None)
    helped = {w.keys[0] for w in singles}
    least = min((w.total_cents for w in singles if w.keys == ("budget",)), default=None)
    if budget:
        for lever in all_:
            if lever.key in helped or lever is budget or hopeless(lever, budget):
                continue
            if way := _with_budget(asking, budget, lever, least):
                singles.append(way)
                yield way
    dearer = budget and singles and all(budget.key in w.keys for w in singles)
    if dearer and (together := _within(asking, [x for x in all_ if x is not budget], hopeless)):
        yield together
    budget_last = sorted(all_, key=lambda x: x is budget)
    for size in (2, 3):
        if not singles and (together := _together(asking, budget_last, size, hopeless)):
            singles.append(together)
            yield together


def _alone(asking: Asking, lever: Lever) -> Loosened | None:
    """A condition loosened alone; no more than its share of the effort, lest the others get none."""
    with asking.at_most(SINGLE_SHARE):
        return _least(asking, lever, NOTHING)
    return None


def _least(asking: Asking, lever: Lever, also: Change) -> Loosened | None:
    """The least of a lever; none where the build does without what the lever allows: another lever has it then."""
    found = lever.least(asking, also)
    return None if found and lever.key == "offload" and not found.found.row.plan.offload else found


def _way(asking: Asking, keys: tuple[str, ...], loose: tuple[Loosened, ...]) -> Way:
    last = loose[-1]
    texts, smaller = tuple(x.text for x in loose), tuple(x.smaller for x in loose)
    return Way(
        keys,
        texts,
        smaller,
        tuple(x.failed for x in loose),
        last.change,
        last.found,
        asking.total(last.change, last.found),
        all(x.smallest for x in loose),
    )


def _with_budget(asking: Asking, budget: Budget, lever: Lever, least: int | None) -> Way | None:
    """A condition loosened by the least that makes a build cheaper than `least` by what is worth a line, and the
    budget for it."""
    worth = None if least is None else least - max(1, least * WORTH_PERMILLE // 1000)
    other = None
    # Some effort stays for the budget: what is found of the condition alone is no way out.
    with asking.at_most(SINGLE_SHARE):
        other = _least(asking, lever, Change.of(budget_cents=worth))
    if other is None:
        return None
    more = budget.least(asking, other.change)
    return _way(asking, (lever.key, budget.key), (other, more)) if more else None


def _within(asking: Asking, others: list[Lever], hopeless: _Hopeless) -> Way | None:
    """The best two conditions to change within the budget asked for."""
    given_up = [c for c in conditions(asking.base) if c.key in {x.key for x in others}]
    if not asking.possible(_all(c.without for c in given_up)):
        return None
    return _together(asking, others, 2, hopeless)


def _together(asking: Asking, all_: list[Lever], size: int, hopeless: _Hopeless) -> Way | None:
    """Of all sets of so many conditions the one with the cheapest build, each loosened by no more than it takes.

    With all of a set given up its build costs no more than with all loosened, so that sets are tried from the cheapest
    such build on until the next one's costs more than the best way known."""
    given_up = {c.key: c for c in conditions(asking.base)}
    bounds: list[tuple[int, int, tuple[Lever, ...]]] = []
    for levers_ in combinations([x for x in all_ if x.key in given_up], size):
        if hopeless(*levers_):
            continue
        change = _all(given_up[x.key].without for x in levers_)
        if found := asking.cheapest(change):
            bounds.append((asking.total(change, found), len(bounds), levers_))
    best: Way | None = None
    for least, _, levers_ in sorted(bounds, key=lambda x: x[:2]):
        if best and least >= best.total_cents:
            break
        way = _loosened(asking, levers_, [given_up[x.key] for x in levers_])
        if way and (best is None or way.total_cents < best.total_cents):
            best = way
    return best


def _loosened(asking: Asking, all_: tuple[Lever, ...], given_up: list[Condition]) -> Way | None:
    """Conditions loosened one after the other, those not yet dealt with given up meanwhile."""
    loose: list[Loosened] = []
    for i, lever in enumerate(all_):
        dealt_with = _only(loose[-1].change, given_up[i]) if loose else NOTHING
        found = lever.least(asking, dealt_with | _all(c.without for c in given_up[i + 1 :]))
        if found is None:
            return None
        loose.append(found)
    return _way(asking, tuple(x.key for x in all_), tuple(loose))


def _all(changes: Iterable[Change]) -> Change:
    return reduce(Change.__or__, changes, NOTHING)


def _only(change: Change, free: Condition) -> Change:
    """A change without what was given up only to find it."""
    fields = {k: v for k, v in change.fields.items() if k not in free.without.fields}
    policy = {k: v for k, v in change.policy.items() if k not in free.without.policy}
    return Change(fields, policy)
