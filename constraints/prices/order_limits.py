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


def limit_estimates(m: Shopping) -> None:
    """At most a share of the sum of lines rests on prices of confidence `estimate`."""
    percent = m.request.max_estimated_percent
    if percent is not None:
        rough = _spent(m, lambda o: o.confidence == "estimate", "estimated cents")
        m.cp.add(100 * rough <= percent * _lines(m))


def limit_sellers(m: Shopping) -> None:
    """At most so many sellers, and at most a share of the sum of lines with any one of them."""
    most, percent = m.request.max_sellers, m.request.max_share_percent
    sellers = dict.fromkeys(o.offer.seller for o in m.ordered if o.offer)
    if most is not None:
        used = {seller: m.cp.new_bool_var(seller) for seller in sellers}
        m.cp.add(sum(used.values()) <= most)
        for _, offer, pieces, *_ in m.ordered:
            if offer:
                m.cp.add(pieces <= upper(pieces) * used[offer.seller])
    if percent is not None:
        all_ = _lines(m)
        for name in sellers:
            m.cp.add(100 * _with_seller(m, name) <= percent * all_)


def limit_surplus(m: Shopping) -> None:
    """Nothing is ordered to no use: pieces beyond the need only where each order is as small as its offer allows, and
    neither an order nor a bundle can be left out."""
    for part, beyond in m.beyond.items():
        some = m.cp.new_bool_var("")
        m.cp.add(beyond == 0).only_enforce_if(~some)
        for order in (x for x in m.ordered if x.part == part):
            m.cp.add(order.pieces <= order.least).only_enforce_if(some)
            m.cp.add(beyond <= order.pieces - 1).only_enforce_if(some, at_least(m, order.pieces, 1))
    for bundle, count in ((x.offer, x.pieces) for x in m.ordered if isinstance(x.offer, Bundle)):
        useful = [~at_least(m, count, 1)]
        for piece in bundle.parts:
            if piece.part in m.beyond:
                useful.append(m.cp.new_bool_var(""))
                m.cp.add(m.beyond[piece.part] <= piece.qty - 1).only_enforce_if(useful[-1])
        m.cp.add_bool_or(useful)


def kept(orders: Purchase, request: Request) -> bool:
    """Whether orders are within all three limits."""
    rough, most, share, by = (
        request.max_estimated_percent,
        request.max_sellers,
        request.max_share_percent,
        orders.sellers,
    )
    return (
        (rough is None or 100 * orders.estimated_cents <= rough * orders.cents)
        and (most is None or len(by) <= most)
        and (share is None or 100 * max(by.values(), default=0) <= share * orders.cents)
    )


def _spent(m: Shopping, counts: Callable[[Offer | Bundle], bool], name: str) -> Expr:
    """Cents of all lines whose offer counts."""
    of = [o for o in m.ordered if o.offer and counts(o.offer)]
    steady = whole(m, {o.part: o.cents for o in of if not o.stepped}, name)
    return steady + sum(o.cents * o.pieces for o in of if o.stepped)


def _lines(m: Shopping) -> Expr:
    """Cents of all lines, spares among them, support not."""
    lines = _spent(m, lambda o: True, "cents of all lines")
    m.cp.add(m.book.scale * lines <= m.total_cents)  # follows from their definitions; binds them early
    return lines


def _with_seller(m: Shopping, name: str) -> Expr:
    return _spent(m, lambda o: o.seller == name, f"cents of {name}")
