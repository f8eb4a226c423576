"""The orders of parts whose price depends on quantity, as CP-SAT sees them: one variable per step of a source.

Parts of one price stay a linear term of the model and are not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ortools.sat.python import cp_model

if TYPE_CHECKING:
    from constraints.model import FamilyModel

Expr = Any


def orders(m: FamilyModel) -> Expr:
    """Scaled cents of all orders by quantity: offers, bundles and parts in hand together cover what the build needs."""
    cost: list[Expr] = []
    needs: dict[str, tuple[Expr, int]] = {}
    for part, terms in m.quantities().items():
        priced = m.book.prices.get(part)
        if priced is not None and priced.tariff is not None:
            needs[part] = need(m, part, sum(terms), priced.tariff.spare)
    from_kits: dict[str, list[Expr]] = {}
    for kit in m.book.kits:
        most = max((-(-needs[p][1] // n) for p, n in kit.parts.items() if p in needs), default=0)
        most = most if kit.bundle.stock is None else min(most, kit.bundle.stock)
        count = m.cp.new_int_var(0, most, kit.bundle.id)
        m.ordered.append((kit.bundle, count))
        cost.append(kit.cents * m.book.weight(kit.bundle.id) * count)
        for part, qty in kit.parts.items():
            from_kits.setdefault(part, []).append(qty * count)
    for part, (needed, most) in needs.items():
        bought, cents = _split(m, part, most)
        cost.append(m.book.weight(part) * cents)
        m.cp.add(sum(bought) + sum(from_kits.get(part, [])) >= needed)
    return sum(cost)


def need(m: FamilyModel, part: str, pieces: Expr, spare: tuple[int, int]) -> tuple[Expr, int]:
    """(pieces of the whole build with spares, at most how many), of a part whose `pieces` are those of a node or, of
    shared gear, of all."""
    shared = part in m.shared_qty
    most = upper(pieces) * (1 if shared else max(m.node_counts))
    extra, per = spare
    all_ = m.cp.new_int_var(0, most, f"{part} in all")
    for n, is_n in m.node_counts.items():
        m.cp.add(all_ == (1 if shared else n) * pieces).only_enforce_if(is_n)
    if not extra:
        return all_, most
    spares = m.cp.new_int_var(0, -(-most * extra // per), f"{part} spare")
    m.cp.add(per * spares >= extra * all_)
    return all_ + spares, most + -(-most * extra // per)


def _split(m: FamilyModel, part: str, most: int) -> tuple[list[Expr], Expr]:
    """(pieces from each step, cents): at most one step of a source, its order within the step. No order needs to
    exceed both its step's least and what the build needs."""
    tariff = m.book.prices[part].tariff
    assert tariff is not None
    bought: list[Expr] = []
    cents: list[Expr] = []
    for source in tariff.sources:
        chosen = []
        for s in source.steps:
            if s.least == 1 and len(source.steps) == 1:
                top = most if s.most is None else min(s.most, most)
                pieces = m.cp.new_int_var(0, top, "")
            else:
                top = max(s.least, most if s.most is None else min(s.most, most))
                pieces = m.cp.new_int_var_from_domain(cp_model.Domain.from_intervals([[0, 0], [s.least, top]]), "")
                taken = m.cp.new_bool_var("")
                m.cp.add(pieces >= s.least * taken)
                m.cp.add(pieces <= top * taken)
                chosen.append(taken)
            bought.append(pieces)
            if source.offer:
                m.ordered.append((source.offer, pieces))
            cents.append(s.cents * pieces)
        if len(chosen) > 1:
            m.cp.add_at_most_one(chosen)
    return bought, sum(cents)


def upper(expr: Expr) -> int:
    """The largest value that the domains of its variables allow."""
    if isinstance(expr, int):
        return expr
    top: int
    flat = cp_model.FlatIntExpr(expr)
    ends = ((c, list(v.proto.domain)) for c, v in zip(flat.coeffs, flat.vars, strict=True))
    top = flat.offset + sum(c * (d[-1] if c > 0 else d[0]) for c, d in ends)
    return top
