"""One linear model of everything: every family's model joined, exactly one family chosen.

Variables are the project's own: parts, quantities, node count and row. Families share a variable of the same name (a
CPU, a number of modules, a network), and a constraint that several families have alike stands once, under a literal
for these families. As exactly one family holds, any such sharing is exact so long as no two variables of one family
become one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ortools.sat.python import cp_model

from benchmarks.rivals.task import Task
from constraints.build import Build
from constraints.plan import Row
from optimizer.search.certificate import FamilyProof
from optimizer.search.front import Found
from optimizer.verify.linear import LinearRow, rows_of

Flat = tuple[int, tuple[tuple[int, int], ...]]
"""A linear expression: offset and (coefficient, variable) terms."""


MOST_NODE_W = 10**6
"""Largest load of a node in the project's models. Without such bounds a big-M would be past what HiGHS takes: a node
costs no more than the budget, and all nodes take no more than so many times the most of one."""


@dataclass
class Bill:
    """How a solution in one family is read: rows by literal, parts of a node and shared parts as expressions."""

    rows: dict[int, Row]
    node: dict[str, list[Flat]]
    shared: dict[str, list[Flat]]


@dataclass
class Whole:
    """The joined model: bounds of the variables, its rows, and how to read them. `before`: constraints of all
    families before those alike were joined."""

    low: list[int] = field(default_factory=list)
    high: list[int] = field(default_factory=list)
    rows: list[LinearRow] = field(default_factory=list)
    families: list[int] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    speeds: dict[int, int] = field(default_factory=dict)
    cost: int = -1
    before: int = 0

    def new(self, low: int, high: int) -> int:
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def read(self, task: Task, values: Mapping[int, int] | list[int]) -> Found:
        """The build that a solution means."""
        bill = next(b for f, b in zip(self.families, self.bills, strict=True) if values[f])

        def sums(parts: dict[str, list[Flat]]) -> dict[str, int]:
            found = {
                p: sum(offset + sum(a * values[v] for a, v in terms) for offset, terms in each)
                for p, each in parts.items()
            }
            return {p: q for p, q in sorted(found.items()) if q}

        row = next(r for v, r in bill.rows.items() if values[v])
        build = Build(row.key.nodes, sums(bill.node), sums(bill.shared))
        cents = task.market.book.cost(build.total())
        return Found(row, build, cents, cents)


def joined(task: Task) -> Whole:
    """The model of all families that have rows."""
    out, names = Whole(), _Names()
    alike: dict[LinearRow, int] = {}
    for u in task.solver.families:
        rows = task.solver.runnable(u)
        if not rows:
            continue
        family = FamilyProof(task.market, u.gpu, u.per_node, rows, task.solver.candidates(u))
        number, chosen = len(out.families), out.new(0, 1)
        out.families.append(chosen)
        proto = family.model.cp.proto
        found = rows_of(proto)
        out.before += len(found)
        at = names.of(number, family, found, out)
        for i, v in enumerate(proto.variables):
            names.domains.append((chosen, at[i], *_span(v)))
        for r in found:
            terms = tuple(sorted((at[v], a) for v, a in r.terms if a))
            when = tuple(sorted(at[x] if x >= 0 else -at[-x - 1] - 1 for x in r.when))
            key = LinearRow(terms, r.low, r.high, when)
            alike[key] = alike.get(key, 0) | 1 << number
        literals = [at[x.index] for x in family.model.rows.values()]
        for row, v in zip(family.model.rows, literals, strict=True):
            out.speeds[v] = row.perf.tenths
        out.rows.append(LinearRow((*((v, 1) for v in literals), (chosen, -1)), 0, 0))
        out.bills.append(_bill(family, at))
        out.cost = at[family.cost.index]
    out.rows.append(LinearRow(tuple((f, 1) for f in out.families), 1, 1))
    out.rows += [LinearRow(((v, 1),), low, high, (f,)) for f, v, low, high in names.domains
                 if (low, high) != (out.low[v], out.high[v])]  # fmt: skip
    _stated(out, alike)
    purse, most = task.market.purse, max(r.key.nodes for _, r in task.rows) if task.rows else 1
    for name, high in (("node_cents", purse), ("total_cents", purse), ("load_w", most * MOST_NODE_W)):
        if (v := names.known.get((name, 1))) is not None:
            out.high[v] = min(out.high[v], high)
    return out


def _stated(out: Whole, alike: dict[LinearRow, int]) -> None:
    """Each row once: for all families as it is, for some of them under a literal that holds in these."""
    groups = {(1 << len(out.families)) - 1: None} | {1 << i: f for i, f in enumerate(out.families)}
    for row, who in alike.items():
        if who not in groups:
            literal = groups[who] = out.new(0, 1)
            members = [f for i, f in enumerate(out.families) if who >> i & 1]
            out.rows.append(LinearRow((*((f, 1) for f in members), (literal, -1)), 0, 0))
        g = groups[who]
        out.rows.append(row if g is None else LinearRow(row.terms, row.low, row.high, (*row.when, g)))


class _Names:
    """Which variables of different families are one."""

    def __init__(self) -> None:
        self.known: dict[tuple[object, ...], int] = {}
        self.domains: list[tuple[int, int, int, int]] = []

    def of(self, number: int, family: FamilyProof, rows: list[LinearRow], out: Whole) -> list[int]:
        """The joined index of each variable of a family."""
        m, proto = family.model, family.model.cp.proto
        names: dict[int, tuple[object, ...]] = {i: (v.name,) for i, v in enumerate(proto.variables) if v.name}
        for i, v in enumerate(m.rows.values()):
            names[v.index] = ("row", number, i)
        for i, (literals, per_node) in enumerate(m.nets):
            for k, v in literals.items():
                pieces = tuple(x.id for x, _ in (*k.pieces, *k.trunk))
                names[v.index] = ("net", min(i, 2), per_node, k.nic and k.nic.id, k.lan, k.switch and k.switch.id,
                                  k.gbit_s, pieces)  # fmt: skip
        both = {}
        for r in rows:  # z >= a + b - 1 defines z
            if r.low == -1 and len(r.terms) == 3 and not r.when and (up := [v for v, a in r.terms if a == 1]):
                rest = [v for v, a in r.terms if a == -1]
                if len(up) == 1 and len(rest) == 2 and up[0] not in names and up[0] not in both:
                    both[up[0]] = tuple(rest)
        at: list[int] = []
        taken: dict[tuple[object, ...], int] = {}
        for i, v in enumerate(proto.variables):
            name = names.get(i)
            if name is None and i in both and all(x < i for x in both[i]):
                name = ("both", *(at[x] for x in both[i]))
            name = name or ("other", number, i)
            taken[name] = taken.get(name, 0) + 1
            at.append(self._one(out, (*name, taken[name]), *_span(v)))
        return at

    def _one(self, out: Whole, key: tuple[object, ...], low: int, high: int) -> int:
        if key not in self.known:
            self.known[key] = out.new(low, high)
        v = self.known[key]
        if low < out.low[v] or high > out.high[v]:  # families before this one keep theirs by a row
            out.low[v], out.high[v] = min(low, out.low[v]), max(high, out.high[v])
        return v


def _span(variable: Any) -> tuple[int, int]:
    """Least and largest value of a variable."""
    domain = list(variable.domain)
    return domain[0], domain[-1]


def _bill(family: FamilyProof, at: list[int]) -> Bill:
    def flat(x: Any) -> Flat:
        if isinstance(x, int):
            return x, ()
        e = cp_model.FlatIntExpr(x)
        return int(e.offset), tuple((int(a), at[v.index]) for v, a in zip(e.vars, e.coeffs, strict=True))

    m = family.model
    node = {p: [flat(t) for t in terms] for p, terms in m.quantities().items() if p not in m.shared_qty}
    shared = {p: [flat(q * v) for q, v in pairs] for p, pairs in m.shared_qty.items()}
    return Bill({at[v.index]: r for r, v in m.rows.items()}, node, shared)


def bounds_above(whole: Whole, tenths: int, purse: int) -> tuple[list[int], list[int]]:
    """Bounds under which only rows faster than `tenths` and costs of at most `purse` are left."""
    low, high = list(whole.low), list(whole.high)
    high[whole.cost] = min(high[whole.cost], purse)
    for v, t in whole.speeds.items():
        if t <= tenths:
            high[v] = 0
    return low, high
