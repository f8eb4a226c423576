"""A CP-SAT model of Booleans and linear constraints as integer rows: read, tightened and evaluated exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Terms = dict[int, int]
INFINITE = 2**62
ROUNDS = 50
"""Most sweeps of `tighten`; it stops when nothing moves."""


class Untranslatable(Exception):
    """A kind of constraint that has no exact linear form here."""


@dataclass(frozen=True)
class LinearRow:
    """low <= sum of coefficient x variable <= high wherever every literal of `when` holds (negative: its negation)."""

    terms: tuple[tuple[int, int], ...]
    low: int
    high: int
    when: tuple[int, ...] = ()


def rows_of(proto: Any) -> list[LinearRow]:
    """The constraints of a model; raises Untranslatable for what is neither linear nor Boolean."""
    out: list[LinearRow] = []
    for constraint in proto.constraints:
        when = tuple(constraint.enforcement_literal)
        if constraint.has_linear():
            if len(constraint.linear.domain) != 2:
                raise Untranslatable("a linear constraint with holes in its domain")
            low, high = constraint.linear.domain
            terms = _sum(zip(constraint.linear.vars, constraint.linear.coeffs, strict=True))
            out.append(LinearRow(tuple(terms.items()), max(low, -INFINITE), min(high, INFINITE), when))
        elif constraint.has_bool_and():
            out += [_count([each], 1, 1, when) for each in constraint.bool_and.literals]
        elif constraint.has_bool_or():
            out.append(_count(constraint.bool_or.literals, 1, INFINITE, when))
        elif constraint.has_at_most_one():
            out.append(_count(constraint.at_most_one.literals, 0, 1, when))
        elif constraint.has_exactly_one():
            out.append(_count(constraint.exactly_one.literals, 1, 1, when))
        else:
            raise Untranslatable(f"a constraint of another kind: {str(constraint)[:60]}")
    return out


def _sum(pairs: Any) -> Terms:
    terms: Terms = {}
    for variable, coefficient in pairs:
        terms[variable] = terms.get(variable, 0) + coefficient
    return terms


def _count(literals: Sequence[int], low: int, high: int, when: tuple[int, ...]) -> LinearRow:
    """low <= number of literals that hold <= high."""
    negated = sum(each < 0 for each in literals)
    terms = _sum((each, 1) if each >= 0 else (-each - 1, -1) for each in literals)
    return LinearRow(tuple(terms.items()), low - negated, min(high - negated, INFINITE), when)


def variable_of(reference: int) -> int:
    """The variable of a literal. CP-SAT writes the negation of variable v as -v - 1."""
    return reference if reference >= 0 else -reference - 1


def literal(reference: int, low: Sequence[int], high: Sequence[int]) -> bool | None:
    """Whether a literal holds under the bounds; None when both can be."""
    variable = variable_of(reference)
    if low[variable] != high[variable]:
        return None
    return bool(low[variable]) == (reference >= 0)


def activity(row: LinearRow, low: Sequence[int], high: Sequence[int]) -> tuple[int, int]:
    """Least and largest value of a row's sum under the bounds."""
    least = sum(
        coefficient * (low[variable] if coefficient > 0 else high[variable]) for variable, coefficient in row.terms
    )
    return least, sum(
        coefficient * (high[variable] if coefficient > 0 else low[variable]) for variable, coefficient in row.terms
    )


def tighten(rows: Sequence[LinearRow], low: list[int], high: list[int]) -> list[LinearRow] | None:
    """Integer bounds moved in place until nothing moves; the rows still needed, or None when no solution is left."""
    live = list(rows)
    for _ in range(ROUNDS):
        moved, kept = False, []
        for row in live:
            states = [literal(each, low, high) for each in row.when]
            least, most = activity(row, low, high)
            # A row of which a condition fails, or that no values within the bounds break, says nothing more.
            if False in states or (row.low <= least and most <= row.high):
                continue
            impossible = least > row.high or most < row.low
            if None in states:
                kept.append(row)
                undecided = [each for each, state in zip(row.when, states, strict=True) if state is None]
                # A row that can't hold under one condition alone decides that condition.
                if len(undecided) == 1 and impossible:
                    variable = variable_of(undecided[0])
                    low[variable] = high[variable] = int(undecided[0] < 0)
                    moved = True
                continue
            if impossible:
                return None
            kept.append(row)
            narrowed = _narrow(row, low, high, least, most)
            if narrowed is None:
                return None
            moved |= narrowed
        live = kept
        if not moved:
            break
    return live


def _narrow(row: LinearRow, low: list[int], high: list[int], least: int, most: int) -> bool | None:
    """Moves the bounds of a row's variables, of which `least` and `most` are the sums that they allow; whether any
    moved, None when one is left without a value."""
    moved = False
    for variable, coefficient in row.terms:
        if not coefficient:
            continue
        # What is left for this term when all others are at their least, or at their most.
        up, down = high[variable], low[variable]
        if coefficient < 0:
            up, down = down, up
        top, bottom = row.high - (least - coefficient * down), row.low - (most - coefficient * up)
        # Integers: rounded into the interval, never out of it.
        if coefficient > 0:
            new_high, new_low = top // coefficient, -(-bottom // coefficient)
        else:
            new_high, new_low = bottom // coefficient, -(-top // coefficient)
        if new_high < high[variable] or new_low > low[variable]:
            high[variable], low[variable] = min(high[variable], new_high), max(low[variable], new_low)
            if low[variable] > high[variable]:
                return None
            least, most = activity(row, low, high)
            moved = True
    return moved


def broken(rows: Sequence[LinearRow], values: Mapping[int, int] | Sequence[int]) -> Iterator[LinearRow]:
    """Rows that an assignment of integers breaks, in exact arithmetic."""
    for row in rows:
        holds = all(bool(values[each]) if each >= 0 else not values[-each - 1] for each in row.when)
        if (
            holds
            and not row.low <= sum(coefficient * values[variable] for variable, coefficient in row.terms) <= row.high
        ):
            yield row
