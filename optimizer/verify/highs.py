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
from optimizer.verify.linear import INFINITE, LinearRow, Untranslatable, activity, broken, literal, rows_of, tighten

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
        domains = [list(v.domain) for v in proto.variables]
        best: list[int] | None = None
        total = self.cost.index
        for chosen in self.model.rows.values():
            low, high = [d[0] for d in domains], [d[-1] for d in domains]
            low[chosen.index] = 1
            if best is not None:
                high[total] = min(high[total], best[total] - 1)
            best = self._cheapest(rows, low, high, total, seconds) or best
        return None if best is None else self.read(lambda x: _value(x, best))

    def _cheapest(
        self, rows: Sequence[LinearRow], low: list[int], high: list[int], total: int, seconds: float
    ) -> list[int] | None:
        """The solution within these bounds with the least `total`."""
        live = tighten(rows, low, high)
        if live is None:
            return None
        free = [v for v in range(len(low)) if low[v] < high[v]]
        column = {v: j for j, v in enumerate(free)}
        cost = np.zeros(len(free))
        if total in column:
            cost[column[total]] = 1
        values = list(low)
        if free:
            answer = milp(
                cost,
                integrality=np.ones(len(free)),
                bounds=Bounds(np.array([low[v] for v in free], float), np.array([high[v] for v in free], float)),
                constraints=_constraints(live, low, high, column),
                options={"time_limit": min(seconds, 1e6), "mip_rel_gap": 0.0},
            )
            if answer.status == INFEASIBLE and PROVEN in answer.message:
                return None
            if answer.status == TIME_UP:
                raise TimeUp
            if answer.x is None:
                raise Undecided(answer.message)
            for v, x in zip(free, answer.x, strict=True):
                values[v] = round(float(x))
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
            slack = top - row.high if sign > 0 else row.low - bottom
            for x in row.when if sign else ():
                if literal(x, low, high) is None:
                    v, a = (x, sign * slack) if x >= 0 else (-x - 1, -sign * slack)
                    terms[v] = terms.get(v, 0) + a
                    ceiling, floor = (ceiling + a * (x >= 0), floor + a * (x >= 0))
            fixed = sum(a * low[v] for v, a in terms.items() if v not in column)
            here = [(column[v], a) for v, a in terms.items() if v in column and a]
            at += [len(least)] * len(here)
            to += [j for j, _ in here]
            by += [float(a) for _, a in here]
            least.append(-math.inf if floor <= -INFINITE else float(floor - fixed))
            most.append(math.inf if ceiling >= INFINITE else float(ceiling - fixed))
    if not least:
        return []
    matrix = coo_array((by, (at, to)), shape=(len(least), len(column))).tocsr()
    return [LinearConstraint(matrix, np.array(least), np.array(most))]


def _value(expression: Any, values: Sequence[int]) -> int:
    flat = cp_model.FlatIntExpr(expression)
    return int(flat.offset + sum(a * values[v.index] for v, a in zip(flat.vars, flat.coeffs, strict=True)))
