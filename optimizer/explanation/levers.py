"""The smallest change of one condition that makes a build possible, each kind of condition by its own search.

Every search ends with a value that works and, where there is one, the next smaller change, solved for and failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from optimizer.explanation.asking import Asking, Change
from optimizer.explanation.words import spent
from optimizer.front import Found


@dataclass(frozen=True)
class Loosened:
    """A change that makes `found` possible. `smaller`, `failed`: the next smaller change, shown to fail, in words and
    as it was asked; empty where the condition can only be given up or not."""

    change: Change
    text: str
    found: Found
    smaller: str = ""
    failed: Change | None = None


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
        found = asking.cheapest(also | Change.of(budget_cents=None))
        if found is None:
            return None
        total, currency = asking.total(also, found), asking.base.request.currency
        change = also | Change.of(budget_cents=total)
        best = asking.cheapest(change)
        smaller = also | Change.of(budget_cents=total - 1)
        if best is None or asking.cheapest(smaller) is not None:
            raise AssertionError(f"the cheapest build's total {total} is not the smallest budget")
        return Loosened(change, f"a budget of {spent(total, currency)}", best, spent(total - 1, currency), smaller)


@dataclass(frozen=True)
class Number:
    """A figure on a grid of whole steps, from `start` (which fails) towards `loosest`.

    `reached`: the grid value that a build found attains, which narrows the search; None where it is not known.
    `guess`: a value that is likely to be the smallest change; it is tried first."""

    key: str
    start: int
    loosest: int
    fields: Callable[[int], Change]
    say: Callable[[int], str]
    reached: Callable[[Asking, Change, Found], int] | None = None
    guess: Callable[[Asking, Change], int | None] | None = None

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

        low, high = 0, abs(self.loosest - self.start)
        likely = self.guess(asking, also) if self.guess else None
        if likely is not None and 0 < sign * (likely - self.start) <= high:
            high = sign * (likely - self.start)
            low = high - 1 if high > 1 and ask(high - 1)[0] is None else 0
        found, high = ask(high)
        if found is None:
            return None
        climbing = self.reached is not None
        while high - low > 1:
            middle = high - 1 if climbing else (low + high) // 2  # what a build attains is often the most that any does
            there, at = ask(middle)
            low, high = (middle, high) if there is None else (low, at)
            climbing = there is not None and not climbing and self.reached is not None
        value = self.start + sign * high
        change = also | self.fields(value)
        best = asking.cheapest(change)
        if best is None or (low and asking.cheapest(also | self.fields(value - sign)) is not None):
            raise AssertionError(f"{self.key}: {value} is not the smallest change")
        failed = also | self.fields(value - sign) if low else None
        return Loosened(change, self.say(value), best, self.say(value - sign), failed)


@dataclass(frozen=True)
class Choice:
    """Alternatives from the smallest change to the largest: the first one that works."""

    key: str
    options: Sequence[tuple[str, Change]]

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        failed: list[tuple[str, Change]] = []
        for text, option in self.options:
            change = also | option
            if found := asking.cheapest(change):
                return Loosened(change, text, found, *(failed[-1] if failed else ()))
            failed.append((text, change))
        return None


@dataclass(frozen=True)
class Members:
    """A list that may be lengthened (or a bar that may be shortened): as few of `extra` as will do, none of them
    superfluous. `used`: those that a build found rests on; `fields` of the members allowed in addition."""

    key: str
    extra: Sequence[str]
    fields: Callable[[frozenset[str]], Change]
    say: Callable[[Sequence[str]], str]
    used: Callable[[Asking, Change, Found], frozenset[str]]

    def least(self, asking: Asking, also: Change) -> Loosened | None:
        change = also | self.fields(frozenset(self.extra))
        found = asking.cheapest(change)
        if found is None:
            return None
        need = sorted(self.used(asking, change, found) & set(self.extra)) or sorted(self.extra)
        smaller, failed = "", None
        for name in list(need):
            left = [x for x in need if x != name]
            if (less := asking.cheapest(also | self.fields(frozenset(left)))) is not None:
                need = [x for x in left if x in self.used(asking, also | self.fields(frozenset(left)), less)] or left
            else:
                smaller, failed = f"without {name}", also | self.fields(frozenset(left))
        change = also | self.fields(frozenset(need))
        best = asking.cheapest(change)
        if best is None:
            raise AssertionError(f"{self.key}: {need} do not do")
        return Loosened(change, self.say(need), best, smaller, failed)


def option(key: str, text: str, **fields: Any) -> Choice:
    """A condition that is given up or not."""
    return Choice(key, [(text, Change.of(**fields))])
