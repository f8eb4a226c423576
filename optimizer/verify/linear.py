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
    for c in proto.constraints:
        when = tuple(c.enforcement_literal)
        if c.has_linear():
            if len(c.linear.domain) != 2:
                raise Untranslatable("a linear constraint with holes in its domain")
            low, high = c.linear.domain
            terms = _sum(zip(c.linear.vars, c.linear.coeffs, strict=True))
            out.append(LinearRow(tuple(terms.items()), max(low, -INFINITE), min(high, INFINITE), when))
        elif c.has_bool_and():
            out += [_count([x], 1, 1, when) for x in c.bool_and.literals]
        elif c.has_bool_or():
            out.append(_count(c.bool_or.literals, 1, INFINITE, when))
        elif c.has_at_most_one():
            out.append(_count(c.at_most_one.literals, 0, 1, when))
        elif c.has_exactly_one():
            out.append(_count(c.exactly_one.literals, 1, 1, when))
        else:
            raise Untranslatable(f"a constraint of another kind: {str(c)[:60]}")
    return out


def _sum(pairs: Any) -> Terms:
    terms: Terms = {}
    for v, a in pairs:
        terms[v] = terms.get(v, 0) + a
    return terms


def _count(literals: Sequence[int], low: int, high: int, when: tuple[int, ...]) -> LinearRow:
    """low <= number of literals that hold <= high."""
    negated = sum(x < 0 for x in literals)
    terms = _sum((x, 1) if x >= 0 else (-x - 1, -1) for x in literals)
    return LinearRow(tuple(terms.items()), low - negated, min(high - negated, INFINITE), when)


def literal(x: int, low: Sequence[int], high: Sequence[int]) -> bool | None:
    """Whether a literal holds under the bounds; None when both can be."""
    v = x if x >= 0 else -x - 1
    return None if low[v] != high[v] else bool(low[v]) == (x >= 0)


def activity(row: LinearRow, low: Sequence[int], high: Sequence[int]) -> tuple[int, int]:
    """Least and largest value of a row's sum under the bounds."""
    least = sum(a * (low[v] if a > 0 else high[v]) for v, a in row.terms)
    return least, sum(a * (high[v] if a > 0 else low[v]) for v, a in row.terms)


def tighten(rows: Sequence[LinearRow], low: list[int], high: list[int]) -> list[LinearRow] | None:
    """Integer bounds moved in place until nothing moves; the rows still needed, or None when no solution is left."""
    live = list(rows)
    for _ in range(ROUNDS):
        moved, kept = False, []
        for row in live:
            states = [literal(x, low, high) for x in row.when]
            least, most = activity(row, low, high)
            if False in states or (row.low <= least and most <= row.high):
                continue
            if None in states:
                kept.append(row)
                open_ = [x for x, s in zip(row.when, states, strict=True) if s is None]
                if len(open_) == 1 and (least > row.high or most < row.low):
                    v = open_[0] if open_[0] >= 0 else -open_[0] - 1
                    low[v] = high[v] = int(open_[0] < 0)
                    moved = True
                continue
            if least > row.high or most < row.low:
                return None
            kept.append(row)
            for v, a in row.terms:
                if not a:
                    continue
                up, down = (high[v], low[v]) if a > 0 else (low[v], high[v])
                top, bottom = row.high - (least - a * down), row.low - (most - a * up)
                new_high, new_low = (top // a, -(-bottom // a)) if a > 0 else (bottom // a, -(-top // a))
                if new_high < high[v] or new_low > low[v]:
                    high[v], low[v] = min(high[v], new_high), max(low[v], new_low)
                    if low[v] > high[v]:
                        return None
                    least, most = activity(row, low, high)
                    moved = True
        live = kept
        if not moved:
            break
    return live


def broken(rows: Sequence[LinearRow], values: Mapping[int, int] | Sequence[int]) -> Iterator[LinearRow]:
    """Rows that an assignment of integers breaks, in exact arithmetic."""
    for row in rows:
        holds = all(bool(values[x]) if x >= 0 else not values[-x - 1] for x in row.when)
        if holds and not row.low <= sum(a * values[v] for v, a in row.terms) <= row.high:
            yield row
