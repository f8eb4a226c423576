"""The smallest change of one condition that makes a build possible, each kind of condition by its own search.

Every search ends with a value that works and, where there is one, the next smaller change, solved for and failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Protocol

from catalogs.message import N_, message
from optimizer.explanation.questions import Asking, Change
from optimizer.search.clock import TimeUp
from optimizer.search.front import Found
from optimizer.text.figures import spent


@dataclass(frozen=True)
class Loosened:
    """A change that makes `found` possible. `smaller`, `failed`: the next smaller change, shown to fail, in words and
    as it was asked; empty where the condition can only be given up or not. `smallest`: false where the time was up
    before that was known."""

    change: Change
    text: str
    found: Found
    smaller: str = ""
    failed: Change | None = None
    smallest: bool = True


class Lever(Protocol):
    """How one condition gives way. `least` works on top of `also`, a change of other conditions."""

    @property
    def key(self) -> str: ...

    def least(self, asking: Asking, also: Change) -> Loosened | None: ...


@dataclass(frozen=True)
class Budget:
    """More money: the proven cheapest build's total."""

    key: str = "budget"

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        without = also | Change.of(budget_cents=None)
        # The cheapest build within some budget is the cheapest without one: whatever costs less would be within it too.
        within = asking.known(also)
        found = within if within and asking.stands(without, within) else asking.cheapest(without)
        if found is None:
            return None
        total, currency = asking.total(also, found), asking.base.request.currency
        change = also | Change.of(budget_cents=total)
        best = found if asking.stands(change, found) else asking.cheapest(change)
        smaller = also | Change.of(budget_cents=total - 1)
        if best is None or asking.cheapest(smaller) is not None:
            raise AssertionError(f"the cheapest build's total {total} is not the smallest budget")
        return Loosened(
            change,
            message("a budget of {money}", money=spent(total, currency)),
            best,
            spent(total - 1, currency),
            smaller,
        )


@dataclass(frozen=True)
class Number:
    """A figure on a grid of whole steps, from `start` (which fails) towards `loosest`.

    `reached`: the grid value that a build found attains, which narrows the search; None where it is not known.
    `guess`: a value that is likely to be the smallest change; it is tried first. `free`: the condition given up, where
    rows don't change with the figure: the cheapest build without it is the cheapest of each value that it attains.
    `climbs`: whether what a build attains is often the most that any does; not where plans are made to attain just what
    is asked for."""

    key: str
    start: int
    loosest: int
    fields: Callable[[int], Change]
    say: Callable[[int], str]
    reached: Callable[[Asking, Change, Found], int] | None = None
    guess: Callable[[Asking, Change], int | None] | None = None
    free: Change | None = None
    climbs: bool = True

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        if self.start == self.loosest:
            return None
        sign = 1 if self.loosest > self.start else -1

        def ask(steps: int) -> tuple[Found | None, int]:
            """(build, steps that it takes at least) at that many steps from the start."""
            change = also | self.fields(self.start + sign * steps)
            found = asking.cheapest(change)
            if found is None or self.reached is None:
                return found, steps
            return found, min(steps, max(low + 1, sign * (self.reached(asking, change, found) - self.start)))

        # `low` steps are known not to do, `high` steps are taken to do until the end shows it: three guesses narrow the
        # interval first, for every question may cost a proof that there is no build.
        low, high = 0, abs(self.loosest - self.start)
        if self.free is not None and self.reached is not None:
            freed = asking.cheapest(also | self.free)
            if freed is None:
                return None
            attained = self.reached(asking, also | self.free, freed)
            if 0 < sign * (attained - self.start) <= high and asking.stands(also | self.fields(attained), freed):
                high = sign * (attained - self.start)
        # A guess that does while one step less does not is the answer at once.
        likely = self.guess(asking, also) if self.guess else None
        if likely is not None and 0 < sign * (likely - self.start) <= high:
            high = sign * (likely - self.start)
            low = high - 1 if high > 1 and ask(high - 1)[0] is None else 0
        works, (found, high) = high, ask(high)
        if found is None:
            return None
        climbs = self.climbs and self.reached is not None
        climbing = climbs
        try:
            while high - low > 1:
                middle = high - 1 if climbing else (low + high) // 2  # what one attains is often the most that any does
                there, at = ask(middle)
                climbing = climbs and there is not None and not climbing
                if there is None:
                    low = middle
                else:
                    found, works, high = there, middle, at
            value = self.start + sign * high
            change = also | self.fields(value)
            best = asking.cheapest(change)
        except TimeUp:
            attained, asked = self.start + sign * high, self.start + sign * works
            return self._known(asking, also, found, attained, asked)
        if best is None or (low and asking.cheapest(also | self.fields(value - sign)) is not None):
            raise AssertionError(f"{self.key}: {value} is not the smallest change")
        failed = also | self.fields(value - sign) if low else None
        return Loosened(change, self.say(value), best, self.say(value - sign), failed)

    def _known(self, asking: Asking, also: Change, found: Found, attained: int, asked: int) -> Loosened:
        """The smallest change known to do when the time was up: what `found` attains by plain checks, else what it was
        found with."""
        asking.cut = True
        value = attained if asking.stands(also | self.fields(attained), found) else asked
        return Loosened(also | self.fields(value), self.say(value), found, smallest=False)


@dataclass(frozen=True)
class Choice:
    """Alternatives in steps from the smallest change to the largest: of the first step that has any that works, the
    one with the cheapest build."""

    key: str
    steps: Sequence[Sequence[tuple[str, Change]]]

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        failed: tuple[()] | tuple[str, Change] = ()
        for alike in self.steps:
            working: list[tuple[int, str, Change, Found]] = []
            for text, option in alike:
                change = also | option
                if found := asking.cheapest(change):
                    working.append((asking.total(change, found), text, change, found))
                else:
                    failed = text, change
            if working:
                _, text, change, found = min(working, key=lambda x: x[0])
                return Loosened(change, text, found, *failed)
        return None


@dataclass(frozen=True)
class Count:
    """Another number of the GPUs asked for: that of the cheapest build with any number."""

    key: str
    say: Callable[[int], str]

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        found = asking.cheapest(also | Change.of(gpu_count=None))
        if found is None:
            return None
        count = found.row.key.total
        change = also | Change.of(gpu_count=count)
        best = asking.cheapest(change)
        if best is None or asking.total(change, best) != asking.total(also | Change.of(gpu_count=None), found):
            raise AssertionError(f"{self.key}: {count} GPUs cost another sum when asked for")
        return Loosened(change, self.say(count), best)


@dataclass(frozen=True)
class Members:
    """A list that may be lengthened (or a bar that may be shortened): as few of `extra` as will do, and of as many
    those with the cheapest build. `used`: those that a build found rests on; `fields` of the members allowed in
    addition. `lacking`: the request without one of them, in words."""

    key: str
    extra: Sequence[str]
    fields: Callable[[frozenset[str]], Change]
    say: Callable[[Sequence[str]], str]
    used: Callable[[Asking, Change, Found], frozenset[str]]
    lacking: str = N_("without {list}")

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        try:
            return self._smallest(asking, also)
        except TimeUp:
            return self._known(asking, also)

    def _known(self, asking: Asking, also: Change) -> Loosened | None:
        """The members that the cheapest build with all of them rests on, where the time was up before fewer could be
        tried; None where that is not known either."""
        all_ = also | self.fields(frozenset(self.extra))
        found = asking.known(all_)
        need = frozenset() if found is None else self.used(asking, all_, found) & frozenset(self.extra)
        if found is None or not need or not asking.stands(also | self.fields(need), found):
            raise TimeUp
        asking.cut = True
        return Loosened(also | self.fields(need), self.say(sorted(need)), found, smallest=False)

    def _smallest(self, asking: Asking, also: Change) -> Loosened | None:
        """As few members as will do, proven."""
        need = (self._of_few if len(self.extra) <= FEW else self._of_many)(asking, also)
        if need is None:
            return None
        smaller, failed = "", None
        for name in sorted(need):
            less = also | self.fields(need - {name})
            if asking.cheapest(less) is None:
                smaller, failed = message(self.lacking, list=name), less
            else:
                need -= {name}  # one more offer may make a part dearer: a fresh one goes before a stale one
        change = also | self.fields(need)
        best = asking.cheapest(change)
        if best is None:
            raise AssertionError(f"{self.key}: {sorted(need)} do not do")
        return Loosened(change, self.say(sorted(need)), best, smaller, failed)

    def _of_few(self, asking: Asking, also: Change) -> frozenset[str] | None:
        """Of the smallest sets that do the one with the cheapest build: all are tried."""
        for size in range(1, len(self.extra) + 1):
            asked = [(self._ask(asking, also, frozenset(x)), x) for x in combinations(sorted(self.extra), size)]
            if working := [(found[0], x) for found, x in asked if found]:
                return frozenset(min(working)[1])
        return None

    def _of_many(self, asking: Asking, also: Change) -> frozenset[str] | None:
        """The same of a long list."""
        if self._ask(asking, also, frozenset(self.extra)) is None:
            return None
        enough = self._enough(asking, also)
        # Those without which all the others do not do are in every set that does, and so in `enough`.
        others = frozenset(self.extra)
        needed = frozenset(name for name in sorted(enough) if self._ask(asking, also, others - {name}) is None)
        if needed == enough:
            return enough
        sizes = range(max(1, len(needed)), len(enough) + 1)
        return next((found for size in sizes if (found := self._fewest(asking, also, size, enough, needed))), enough)

    def _ask(self, asking: Asking, also: Change, members: frozenset[str]) -> tuple[int, frozenset[str]] | None:
        """(total of the cheapest build with these members, those of them that it rests on); None without a build."""
        change = also | self.fields(members)
        found = asking.cheapest(change)
        return None if found is None else (asking.total(change, found), self.used(asking, change, found) & members)

    def _enough(self, asking: Asking, also: Change) -> frozenset[str]:
        """Some members that do, none of them superfluous."""
        found = self._ask(asking, also, frozenset(self.extra))
        assert found is not None
        need = sorted(found[1] or self.extra)
        for name in list(need):
            left = [x for x in need if x != name]
            if less := self._ask(asking, also, frozenset(left)):
                need = [x for x in left if x in less[1]] or left
        return frozenset(need)

    def _fewest(
        self, asking: Asking, also: Change, size: int, enough: frozenset[str], needed: frozenset[str]
    ) -> frozenset[str] | None:
        """Of all sets of `size` members, with those `needed` in each, the one with the cheapest build; None where none
        of them does.

        Branch and bound: more members never make the cheapest build dearer, so that its total with all members that a
        branch may take bounds all of its sets, and one that rests on no more than `size` of them attains the bound.
        Where that takes more than `QUESTIONS`, the best found so far, which `enough` is one of where it is as small."""
        known = self._ask(asking, also, enough) if len(enough) == size else None
        best: tuple[int, tuple[str, ...]] | None = (known[0], tuple(sorted(enough))) if known else None

        def branch(taken: frozenset[str], open_: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
            """Sets of `size` with all of `taken` and the rest from `open_`: once it is full, `taken` alone."""
            return taken, open_ if len(taken) < size else frozenset()

        todo = [branch(needed, frozenset(self.extra) - needed)]
        asked = 0
        while todo and asked < QUESTIONS:
            taken, open_ = todo.pop()
            found = self._ask(asking, also, taken | open_)
            asked += 1
            if found is None or (best and found[0] >= best[0]):  # no set of this branch is cheaper
                continue
            rests = found[1] & open_
            if len(taken) + len(rests) <= size:
                members = taken | rests
                alone = self._ask(asking, also, members)
                if alone and alone[0] == found[0]:
                    best = found[0], tuple(sorted(members))
                    continue
                rests = open_  # what it rests on is not known to the last part: try them all
            if len(taken) == size:
                continue
            # Sets without any of `rests`, and for each member of it those with it and without the ones before: every
            # set of the branch stands in exactly one of these.
            ordered = sorted(rests)
            todo.append(branch(taken, open_ - rests))
            todo += [branch(taken | {x}, open_ - frozenset(ordered[: i + 1])) for i, x in enumerate(ordered)][::-1]
        return frozenset(best[1]) if best else None


FEW = 4
"""Lists of so many members are searched through."""
QUESTIONS = 24
"""Most questions asked about longer ones to find the cheapest of equally small sets."""


def option(key: str, text: str, **fields: Any) -> Choice:
    """A condition that is given up or not."""
    return Choice(key, [[(text, Change.of(**fields))]])
