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


def orders(model: Shopping) -> Expr:
    """Scaled cents of all orders by quantity: offers, bundles and parts in hand together cover what the build needs."""
    cost: list[Expr] = []
    needs: dict[str, tuple[Expr, int]] = {}
    for part, terms in model.quantities().items():
        priced = model.book.prices.get(part)
        if priced is not None and priced.tariff is not None:
            needs[part] = need(model, part, sum(terms), priced.tariff.spare)
    from_kits: dict[str, list[Expr]] = {}
    for kit in model.book.kits:
        # More of a bundle than cover all that is needed of each of its parts is of use to nobody.
        covering = [-(-most // kit.parts[part]) for part, (_, most) in needs.items() if part in kit.parts]
        most = max(covering, default=0)
        most = most if kit.bundle.stock is None else min(most, kit.bundle.stock)
        count = model.cp.new_int_var(0, most, kit.bundle.id)
        model.ordered.append(Ordered(kit.bundle.id, kit.bundle, count, kit.cents, True))
        cost.append(kit.cents * model.book.weight(kit.bundle.id) * count)
        for part, qty in kit.parts.items():
            from_kits.setdefault(part, []).append(qty * count)
    for part, (needed, most) in needs.items():
        bought = _split(model, part, most)
        model.ordered.extend(bought)
        cost.append(model.book.weight(part) * sum(order.cents * order.pieces for order in bought))
        # At least what is needed, and not exactly that: a minimum order or a lower price may bring more.
        model.beyond[part] = sum(order.pieces for order in bought) + sum(from_kits.get(part, [])) - needed
        model.cp.add(model.beyond[part] >= 0)
    return sum(cost)


def at_least(model: Shopping, qty: Expr, pieces: int) -> Any:
    """A literal that holds exactly where there are so many pieces."""
    literal = model.cp.new_bool_var("")
    # Both halves: callers read the literal on either side, and a half alone would let it be chosen at will.
    model.cp.add(qty >= pieces).only_enforce_if(literal)
    model.cp.add(qty < pieces).only_enforce_if(~literal)
    return literal


def need(model: Shopping, part: str, pieces: Expr, spare: tuple[int, int]) -> tuple[Expr, int]:
    """(pieces of the whole build with spares, at most how many), of a part whose `pieces` are those of a node or, of
    shared gear, of all."""
    shared = part in model.shared_qty
    most = upper(pieces) * (1 if shared else max(model.node_counts))
    extra, per = spare
    in_all = model.cp.new_int_var(0, most, f"{part} in all")
    for nodes, is_n in model.node_counts.items():
        model.cp.add(in_all == (1 if shared else nodes) * pieces).only_enforce_if(is_n)
    if not extra:
        return in_all, most
    most_spares = -(-most * extra // per)
    spares = model.cp.new_int_var(0, most_spares, f"{part} spare")
    # Rounded up, no more: spares beyond it would dilute a share of the cost that is limited.
    model.cp.add(per * spares >= extra * in_all)
    model.cp.add(per * spares <= extra * in_all + per - 1)
    return in_all + spares, most + most_spares


def _split(model: Shopping, part: str, most: int) -> list[Ordered]:
    """The order of each step: at most one step of a source, its order within the step. No order needs to exceed both
    its step's least and what the build needs."""
    from constraints.cp_sat import cp_model  # loaded late: the plain check of sellers and shares reads this file too

    tariff = model.book.prices[part].tariff
    assert tariff is not None
    out = []
    for source in tariff.sources:
        chosen = []
        for step in source.steps:
            # Sound: no cheapest order exceeds both what is needed at most and the least that is sold at its price.
            top = most if step.most is None else min(step.most, most)
            if step.least == 1 and len(source.steps) == 1:
                pieces = model.cp.new_int_var(0, top, "")
            else:
                # None of a step, or its least at least: that may be more than is needed.
                top = max(step.least, top)
                pieces = model.cp.new_int_var_from_domain(
                    cp_model.Domain.from_intervals([[0, 0], [step.least, top]]), ""
                )
                taken = model.cp.new_bool_var("")
                model.cp.add(pieces >= step.least * taken)
                model.cp.add(pieces <= top * taken)
                chosen.append(taken)
            out.append(Ordered(part, source.offer, pieces, step.cents, True, source.stale, step.least))
        # One order goes to a source, at the price of the step that it falls into.
        if len(chosen) > 1:
            model.cp.add_at_most_one(chosen)
    return out


def upper(expr: Expr) -> int:
    """The largest value that the domains of its variables allow."""
    from constraints.cp_sat import cp_model

    if isinstance(expr, int):
        return expr
    flat = cp_model.FlatIntExpr(expr)
    top: int = flat.offset
    for coefficient, variable in zip(flat.coeffs, flat.vars, strict=True):
        ends = list(variable.proto.domain)
        # What counts negatively is largest where the variable is least.
        top += coefficient * (ends[-1] if coefficient > 0 else ends[0])
    return top
