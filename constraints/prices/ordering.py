"""The orders of parts whose price depends on quantity, as CP-SAT sees them: one variable per step of a source.

Parts of one price stay a linear term of the model and are not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from catalogs.offers import Bundle, Offer
from constraints.prices.purchase import PriceBook
from constraints.request import Request

if TYPE_CHECKING:
    from constraints.cp_sat import cp_model

Expr = Any


class Ordered(NamedTuple):
    """Pieces of an offer at one price, as the model sees them; `offer` is None for what is in hand, `least` the fewest
    that are sold at this price.

    Of a part of one price `pieces` are those of a node (of shared gear, all), and `stepped` is false."""

    part: str
    offer: Offer | Bundle | None
    pieces: Expr
    cents: int
    stepped: bool
    stale: bool = False
    least: int = 1


class Shopping(Protocol):
    """What is read of a model that orders: a family's (constraints/model/family_model.py) or that of a finished build
    alone (constraints/prices/basket.py). `beyond`: pieces ordered beyond the need, of each part by quantity."""

    cp: cp_model.CpModel
    book: PriceBook
    request: Request
    node_counts: Any
    shared_qty: Any
    ordered: list[Ordered]
    beyond: dict[str, Expr]
    total_cents: Any

    def quantities(self) -> dict[str, list[Expr]]: ...


def orders(m: Shopping) -> Expr:
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
        m.ordered.append(Ordered(kit.bundle.id, kit.bundle, count, kit.cents, True))
        cost.append(kit.cents * m.book.weight(kit.bundle.id) * count)
        for part, qty in kit.parts.items():
            from_kits.setdefault(part, []).append(qty * count)
    for part, (needed, most) in needs.items():
        bought = _split(m, part, most)
        m.ordered.extend(bought)
        cost.append(m.book.weight(part) * sum(order.cents * order.pieces for order in bought))
        m.beyond[part] = sum(order.pieces for order in bought) + sum(from_kits.get(part, [])) - needed
        m.cp.add(m.beyond[part] >= 0)
    return sum(cost)


def at_least(m: Shopping, qty: Expr, pieces: int) -> Any:
    """A literal that holds exactly where there are so many pieces."""
    literal = m.cp.new_bool_var("")
    m.cp.add(qty >= pieces).only_enforce_if(literal)
    m.cp.add(qty < pieces).only_enforce_if(~literal)
    return literal


def need(m: Shopping, part: str, pieces: Expr, spare: tuple[int, int]) -> tuple[Expr, int]:
    """(pieces of the whole build with spares, at most how many), of a part whose `pieces` are those of a node or, of
    shared gear, of all."""
    shared = part in m.shared_qty
    most = upper(pieces) * (1 if shared else max(m.node_counts))
    extra, per = spare
    all_ = m.cp.new_int_var(0, most, f"{part} in all")
    for nodes, is_n in m.node_counts.items():
        m.cp.add(all_ == (1 if shared else nodes) * pieces).only_enforce_if(is_n)
    if not extra:
        return all_, most
    spares = m.cp.new_int_var(0, -(-most * extra // per), f"{part} spare")
    # Rounded up, no more: spares beyond it would dilute a share of the cost that is limited.
    m.cp.add(per * spares >= extra * all_)
    m.cp.add(per * spares <= extra * all_ + per - 1)
    return all_ + spares, most + -(-most * extra // per)


def _split(m: Shopping, part: str, most: int) -> list[Ordered]:
    """The order of each step: at most one step of a source, its order within the step. No order needs to exceed both
    its step's least and what the build needs."""
    from constraints.cp_sat import cp_model  # loaded late: the plain check of sellers and shares reads this file too

    tariff = m.book.prices[part].tariff
    assert tariff is not None
    out = []
    for source in tariff.sources:
        chosen = []
        for step in source.steps:
            if step.least == 1 and len(source.steps) == 1:
                top = most if step.most is None else min(step.most, most)
                pieces = m.cp.new_int_var(0, top, "")
            else:
                top = max(step.least, most if step.most is None else min(step.most, most))
                pieces = m.cp.new_int_var_from_domain(cp_model.Domain.from_intervals([[0, 0], [step.least, top]]), "")
                taken = m.cp.new_bool_var("")
                m.cp.add(pieces >= step.least * taken)
                m.cp.add(pieces <= top * taken)
                chosen.append(taken)
            out.append(Ordered(part, source.offer, pieces, step.cents, True, source.stale, step.least))
        if len(chosen) > 1:
            m.cp.add_at_most_one(chosen)
    return out


def upper(expr: Expr) -> int:
    """The largest value that the domains of its variables allow."""
    from constraints.cp_sat import cp_model

    if isinstance(expr, int):
        return expr
    top: int
    flat = cp_model.FlatIntExpr(expr)
    ends = ((c, list(v.proto.domain)) for c, v in zip(flat.coeffs, flat.vars, strict=True))
    top = flat.offset + sum(c * (d[-1] if c > 0 else d[0]) for c, d in ends)
    return top
