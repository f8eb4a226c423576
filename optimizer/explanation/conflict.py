"""A minimal set of conditions that can't be met together, and its verification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from optimizer.certify import Family
from optimizer.explanation.asking import Asking, Change
from optimizer.explanation.conditions import Condition, conditions

T = TypeVar("T")


class Otherwise(Family):
    """CP-SAT with other parameters, for the second proof: presolve on, no linear relaxation, another seed.

    OR-tools has called feasible models infeasible through one of these (issue 5141); not through all of them."""

    settings: ClassVar[dict[str, int]] = {"random_seed": 1, "linearization_level": 0, "cp_model_presolve": 1}


@dataclass(frozen=True)
class Conflict:
    """Conditions that clash: none can be left out. Empty when no build exists whatever is given up.

    `verified`: solved again with other parameters of the solver, there is none either."""

    members: tuple[Condition, ...]
    verified: bool = True


def minimal(items: Sequence[T], clash: Callable[[Sequence[T]], bool]) -> list[T]:
    """A subset that clashes while no proper subset of it does; `clash` is monotone, holds for all items and not for
    none of them.

    QuickXplain (Junker, AAAI 2004): members come from the front of `items` where there is a choice."""

    def among(known: list[T], added: bool, rest: list[T]) -> list[T]:
        if added and clash(known):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        late = among([*known, *first], bool(first), second)
        early = among([*known, *late], bool(late), first)
        return [*early, *late]

    return among([], False, list(items)) if items else []


def conflict(asking: Asking) -> Conflict:
    """Why the request has no build: call it only when it has none. Raises TimeUp."""
    all_ = conditions(asking.base)

    def without(kept: Sequence[Condition], by: Asking) -> bool:
        change = Change()
        for c in all_:
            if c not in kept:
                change |= c.without
        return by.cheapest(change) is None

    members = minimal(all_, lambda kept: without(kept, asking))
    members.sort(key=all_.index)
    if not all(not without([c for c in members if c is not left], asking) for left in members):
        return Conflict((), True)  # whatever is given up, there is no build: the conditions are not to blame
    return Conflict(tuple(members), without(members, asking.again(Otherwise)))
