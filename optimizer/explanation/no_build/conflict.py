"""A minimal set of conditions that can't be met together, and its verification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import ClassVar, TypeVar

from optimizer.explanation.conditions.conditions import Condition, conditions
from optimizer.explanation.questions import Asking, Change
from optimizer.search.certificate import FamilyProof
from optimizer.search.clock import TimeUp

T = TypeVar("T")
FIRST_SHARE = 0.25
"""Of the effort that is left, what one condition may take when it is given up alone."""


class Otherwise(FamilyProof):
    """CP-SAT with other parameters, for the second proof: presolve on, no linear relaxation, another seed.

    OR-tools has called feasible models infeasible through one of these (issue 5141); not through all of them."""

    settings: ClassVar[dict[str, int]] = {"random_seed": 1, "linearization_level": 0, "cp_model_presolve": 1}


@dataclass(frozen=True)
class Conflict:
    """Conditions that clash: none can be left out. Empty when no build exists whatever is given up.

    `needed`: those of them without which alone there is a build. `verified`: solved again with other parameters of the
    solver, there is none either. `minimal`: false where the clock ended first; the members clash then, but one may be
    left out perhaps."""

    members: tuple[Condition, ...]
    needed: tuple[Condition, ...] = ()
    verified: bool = True
    minimal: bool = True


def minimal(items: Sequence[T], clash: Callable[[Sequence[T]], bool]) -> list[T]:
    """A subset that clashes while no proper subset of it does; `clash` is monotone, holds for all items and not for
    none of them.

    QuickXplain (Junker, AAAI 2004): members come from the front of `items` where there is a choice."""

    def among(known: list[T], added: bool, rest: list[T]) -> list[T]:
        if added and clash(known):
            return []
        if len(rest) == 1:
            return rest
        # The second half is reduced with all of the first at hand, the first with what is left of the second: a member
        # stays only where without it the rest does not clash.
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        late = among([*known, *first], bool(first), second)
        early = among([*known, *late], bool(late), first)
        return [*early, *late]

    return among([], False, list(items)) if items else []


def conflict(asking: Asking) -> Conflict:
    """Why the request has no build: call it only when it has none. Where the clock ends first, what is known by then.

    A condition without which alone there is a build is in every conflict, and a request changed in one condition is
    answered soon: those are asked first. Where they don't clash on their own, QuickXplain finds the rest."""
    all_ = conditions(asking.base)
    clashing = all_
    needed = _needed(asking, [c for c in all_ if c.asked])
    built = [{c.key} for c in needed]

    def without(kept: Sequence[Condition], by: Asking) -> bool:
        gone = [c for c in all_ if c not in kept]
        keys = {c.key for c in gone}
        # With more given up, what was there with less is there still.
        if any(some <= keys for some in built):
            return False
        if not by.possible(reduce(Change.__or__, (c.without for c in gone), Change())):
            return True
        built.append(keys)
        return False

    def clash(kept: Sequence[Condition]) -> bool:
        nonlocal clashing
        clashes = without(kept, asking)
        if clashes and len(kept) < len(clashing):
            clashing = list(kept)
        return clashes

    try:
        if needed and clash(needed):
            members = list(needed)
        else:
            rest = [c for c in all_ if c not in needed]
            members = [*needed, *minimal(rest, lambda kept: clash([*needed, *kept]))]
            members.sort(key=all_.index)
        if not all(not without([member for member in members if member is not left], asking) for left in members):
            return Conflict(())  # whatever is given up, there is no build: the conditions are not to blame
    except TimeUp:
        return Conflict(tuple(clashing), needed=tuple(needed), verified=False, minimal=False)
    try:
        return Conflict(tuple(members), tuple(needed), without(members, asking.again(Otherwise)))
    except TimeUp:
        return Conflict(tuple(members), tuple(needed), verified=False)


def _needed(asking: Asking, asked: Sequence[Condition]) -> list[Condition]:
    """Conditions without which alone there is a build; those whose question took too long are left out."""
    found = []
    for c in asked:
        with asking.at_most(FIRST_SHARE):
            if asking.cheapest(c.without) is not None:
                found.append(c)
    return found
