"""A family's question put to HiGHS instead of CP-SAT: one mixed-integer program per performance row.

The model is the very one that CP-SAT gets, read from its proto; with one row fixed, exact integer propagation
settles most conditional constraints, and what is left becomes rows with the smallest big-M. HiGHS computes in
floating point: what it finds is evaluated exactly and refused when it breaks a constraint, and its "infeasible"
holds within its tolerance of 1e-6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from constraints.cp_sat import cp_model
from constraints.plan import Row
from optimizer.search.certificate import FamilyProof
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Found
from optimizer.verify.linear import (
    INFINITE,
    LinearRow,
    Untranslatable,
    activity,
    broken,
    literal,
    rows_of,
    tighten,
    variable_of,
)

INFEASIBLE, TIME_UP = 2, 1
"""Status numbers of scipy.optimize.milp."""
PROVEN = "model_status is Infeasible"
"""HiGHS's own words; scipy gives the same number to a model that HiGHS refuses."""


class Undecided(Exception):
    """HiGHS gave no answer that stands."""


class HighsFamily(FamilyProof):
    """The model of one family, asked through HiGHS."""

    def under(self, ceiling: Callable[[Row], int], clock: Clock | None = None) -> Found | None:
        """The cheapest build with parts at most `ceiling(row)` cents; None when there is none.

        Raises TimeUp, and Undecided where HiGHS fails or its solution breaks a constraint by more than rounding."""
        proto, seconds = self.asked(ceiling).proto, (clock or Clock()).left()
        try:
            rows = rows_of(proto)
        except Untranslatable as e:
            raise Undecided(str(e)) from None
        domains = [list(variable.domain) for variable in proto.variables]
        best: list[int] | None = None
        total = self.cost.index
        for chosen in self.model.rows.values():
            low, high = [domain[0] for domain in domains], [domain[-1] for domain in domains]
            # A build has one row: with it fixed most conditions are settled, and the least of all rows is the answer.
            low[chosen.index] = 1
            if best is not None:
                high[total] = min(high[total], best[total] - 1)
            best = self._cheapest(rows, low, high, total, seconds) or best
        return None if best is None else self.read(lambda expression: _value(expression, best))

    def _cheapest(
        self, rows: Sequence[LinearRow], low: list[int], high: list[int], total: int, seconds: float
    ) -> list[int] | None:
        """The solution within these bounds with the least `total`."""
        live = tighten(rows, low, high)
        if live is None:
            return None
        free = [variable for variable in range(len(low)) if low[variable] < high[variable]]
        column = {variable: at for at, variable in enumerate(free)}
        cost = np.zeros(len(free))
        if total in column:
            cost[column[total]] = 1
        values = list(low)
        if free:
            answer = milp(
                cost,
                integrality=np.ones(len(free)),
                bounds=Bounds(
                    np.array([low[variable] for variable in free], float),
                    np.array([high[variable] for variable in free], float),
                ),
                constraints=_constraints(live, low, high, column),
                options={"time_limit": min(seconds, 1e6), "mip_rel_gap": 0.0},
            )
            if answer.status == INFEASIBLE and PROVEN in answer.message:
                return None
            if answer.status == TIME_UP:
                raise TimeUp
            if answer.x is None:
                raise Undecided(answer.message)
            for variable, solved in zip(free, answer.x, strict=True):
                values[variable] = round(float(solved))
        if bad := next(broken(rows, values), None):
            raise Undecided(f"its solution, rounded to integers, breaks a constraint of {len(bad.terms)} terms")
        return values


def _constraints(
    rows: Sequence[LinearRow], low: Sequence[int], high: Sequence[int], column: dict[int, int]
) -> list[LinearConstraint]:
    """Rows over the free variables; a row under conditions is let go by its smallest big-M where one fails."""
    at: list[int] = []
    to: list[int] = []
    by: list[float] = []
    least: list[float] = []
    most: list[float] = []
    for row in rows:
        sides = [(row.low, math.inf, -1), (-math.inf, row.high, 1)] if row.when else [(row.low, row.high, 0)]
        bottom, top = activity(row, low, high)
        for floor, ceiling, sign in sides:
            if max(floor, -INFINITE) <= bottom and top <= min(ceiling, INFINITE):
                continue
            terms = dict(row.terms)
            # The smallest big-M: how far the sum may lie beyond this side at all. A condition that fails gives it that
            # much room, so that the row then excludes nothing; a literal v counts as slack x (1 - v), its negation as
            # slack x v.
            slack = top - row.high if sign > 0 else row.low - bottom
            for reference in row.when if sign else ():
                if literal(reference, low, high) is None:
                    positive = reference >= 0
                    variable, coefficient = variable_of(reference), sign * slack * (1 if positive else -1)
                    terms[variable] = terms.get(variable, 0) + coefficient
                    ceiling, floor = ceiling + coefficient * positive, floor + coefficient * positive
            fixed = sum(
                coefficient * low[variable] for variable, coefficient in terms.items() if variable not in column
            )
            here = [
                (column[variable], coefficient)
                for variable, coefficient in terms.items()
                if variable in column and coefficient
            ]
            at += [len(least)] * len(here)
            to += [at_column for at_column, _ in here]
            by += [float(coefficient) for _, coefficient in here]
            least.append(-math.inf if floor <= -INFINITE else float(floor - fixed))
            most.append(math.inf if ceiling >= INFINITE else float(ceiling - fixed))
    if not least:
        return []
    matrix = coo_array((by, (at, to)), shape=(len(least), len(column))).tocsr()
    return [LinearConstraint(matrix, np.array(least), np.array(most))]


def _value(expression: Any, values: Sequence[int]) -> int:
    flat = cp_model.FlatIntExpr(expression)
    return int(
        flat.offset
        + sum(
            coefficient * values[variable.index] for variable, coefficient in zip(flat.vars, flat.coeffs, strict=True)
        )
    )
