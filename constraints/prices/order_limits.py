"""Limits on the orders of a build as a whole: the share of its cost on estimates or with one seller, the number of
sellers, and nothing ordered to no use. In CP-SAT's words, for the model of a family and for the orders of a finished
build (constraints/prices/basket.py), and the first three in plain arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalogs.offers import Bundle, Offer
from constraints.prices.ordering import at_least, upper
from constraints.prices.sums import whole

if TYPE_CHECKING:
    from constraints.prices.ordering import Expr, Shopping
    from constraints.prices.purchase import Purchase
    from constraints.request import Request


def limit_estimates(model: Shopping) -> None:
    """At most a share of the sum of lines rests on prices of confidence `estimate`."""
    percent = model.request.max_estimated_percent
    if percent is not None:
        rough = _spent(model, lambda offer: offer.confidence == "estimate", "estimated cents")
        model.cp.add(100 * rough <= percent * _lines(model))


def limit_sellers(model: Shopping) -> None:
    """At most so many sellers, and at most a share of the sum of lines with any one of them."""
    most, percent = model.request.max_sellers, model.request.max_share_percent
    sellers = dict.fromkeys(o.offer.seller for o in model.ordered if o.offer)
    if most is not None:
        used = {seller: model.cp.new_bool_var(seller) for seller in sellers}
        model.cp.add(sum(used.values()) <= most)
        for seller, is_used in used.items():
            orders = [order.pieces for order in model.ordered if order.offer and order.offer.seller == seller]
            for pieces in orders:
                model.cp.add(pieces <= upper(pieces) * is_used)
            model.cp.add(sum(orders) >= is_used)
    if percent is not None:
        lines = _lines(model)
        for name in sellers:
            model.cp.add(100 * _with_seller(model, name) <= percent * lines)


def limit_surplus(model: Shopping) -> None:
    """Nothing is ordered to no use: pieces beyond the need only where each order is as small as its offer allows, and
    neither an order nor a bundle can be left out."""
    for part, beyond in model.beyond.items():
        some = model.cp.new_bool_var("")
        model.cp.add(beyond == 0).only_enforce_if(~some)
        for order in model.ordered:
            if order.part == part:
                model.cp.add(order.pieces <= order.least).only_enforce_if(some)
                # Without this order something would be missing.
                model.cp.add(beyond <= order.pieces - 1).only_enforce_if(some, at_least(model, order.pieces, 1))
    for order in model.ordered:
        if isinstance(order.offer, Bundle):
            _no_useless_bundle(model, order.offer, order.pieces)


def _no_useless_bundle(model: Shopping, bundle: Bundle, count: Expr) -> None:
    """None of a bundle is bought, or one less would leave some part of it missing."""
    useful = [~at_least(model, count, 1)]
    for piece in bundle.parts:
        if piece.part in model.beyond:
            useful.append(model.cp.new_bool_var(""))
            model.cp.add(model.beyond[piece.part] <= piece.qty - 1).only_enforce_if(useful[-1])
    model.cp.add_bool_or(useful)


def kept(orders: Purchase, request: Request) -> bool:
    """Whether orders are within all three limits."""
    cents_with = orders.sellers
    estimated, sellers, share = request.max_estimated_percent, request.max_sellers, request.max_share_percent
    if estimated is not None and 100 * orders.estimated_cents > estimated * orders.cents:
        return False
    if sellers is not None and len(cents_with) > sellers:
        return False
    return share is None or 100 * max(cents_with.values(), default=0) <= share * orders.cents


def _spent(model: Shopping, counts: Callable[[Offer | Bundle], bool], name: str) -> Expr:
    """Cents of all lines whose offer counts."""
    counted = [order for order in model.ordered if order.offer and counts(order.offer)]
    # A part of one price has one order: its cents are those of each piece, wherever it is.
    steady = whole(model, {order.part: order.cents for order in counted if not order.stepped}, name)
    return steady + sum(order.cents * order.pieces for order in counted if order.stepped)


def _lines(model: Shopping) -> Expr:
    """Cents of all lines, spares among them, support not."""
    lines = _spent(model, lambda offer: True, "cents of all lines")
    model.cp.add(model.book.scale * lines <= model.total_cents)  # follows from their definitions; binds them early
    return lines


def _with_seller(model: Shopping, name: str) -> Expr:
    return _spent(model, lambda offer: offer.seller == name, f"cents of {name}")
