"""Rules of shares: how much of a build's sum of lines may rest on estimates, and on how few sellers it may lean.

Sellers are those of the offers that bring the parts (`offer.seller`): whom the buyer has to deal with. Makers are
`--vendor`'s business. Which offers bring a part is chosen for the build as a whole (constraints/limited.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalogs.offers import Bundle, Offer
from constraints.buying import upper
from constraints.rule import Check, counted, figure
from constraints.sums import whole

if TYPE_CHECKING:
    from constraints.buying import Expr, Shopping
    from constraints.case import Case
    from constraints.purchase import Purchase
    from constraints.request import Request


def limit(m: Shopping) -> None:
    """Constraints of all three limits on the orders of a model."""
    for rule in (Estimates(), Sellers()):
        rule.encode(m)


class Estimates:
    """At most a share of the sum of lines rests on prices of confidence `estimate`."""

    id = "estimates"

    def encode(self, m: Shopping) -> None:
        percent = m.request.max_estimated_percent
        if percent is not None:
            rough = _spent(m, lambda o: o.confidence == "estimate", "estimated cents")
            m.cp.add(100 * rough <= percent * _lines(m))

    def check(self, c: Case) -> list[Check]:
        percent, orders = c.request.max_estimated_percent, _orders(c)
        if percent is None or orders is None:
            return []
        share = _percent(orders.estimated_cents, orders.cents)
        passing = f"{figure(share)} % of the cost is estimated, at most {percent} % allowed"
        failing = f"{figure(share)} % of the cost is estimated, more than the {percent} % allowed"
        return [Check.at_most(self.id, share, percent, "%", passing, failing)]


class Sellers:
    """At most so many sellers, and at most a share of the sum of lines with any one of them."""

    id = "sellers"

    def encode(self, m: Shopping) -> None:
        most, percent = m.request.max_sellers, m.request.max_share_percent
        sellers = dict.fromkeys(o.offer.seller for o in m.ordered if o.offer)
        if most is not None:
            used = {s: m.cp.new_bool_var(s) for s in sellers}
            m.cp.add(sum(used.values()) <= most)
            for _, offer, pieces, *_ in m.ordered:
                if offer:
                    m.cp.add(pieces <= upper(pieces) * used[offer.seller])
        if percent is not None:
            all_ = _lines(m)
            for name in sellers:
                m.cp.add(100 * _with_seller(m, name) <= percent * all_)

    def check(self, c: Case) -> list[Check]:
        most, percent, found, orders = c.request.max_sellers, c.request.max_share_percent, [], _orders(c)
        if orders is None:
            return []
        by = orders.sellers
        if most is not None:
            sellers, names = counted(len(by), "seller"), ", ".join(sorted(by)) or "none"
            found.append(
                Check.at_most(
                    self.id,
                    len(by),
                    most,
                    "sellers",
                    f"{sellers}, at most {most:,} allowed: {names}",
                    f"{sellers}, more than the {most:,} allowed: {names}",
                )
            )
        if percent is not None and by:
            largest = max(sorted(by), key=lambda s: by[s])
            share = _percent(by[largest], orders.cents)
            found.append(
                Check.at_most(
                    self.id,
                    share,
                    percent,
                    "%",
                    f"{figure(share)} % of the cost is with {largest}, at most {percent} % allowed",
                    f"{figure(share)} % of the cost is with {largest}, more than the {percent} % allowed",
                )
            )
        return found


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


def _orders(c: Case) -> Purchase | None:
    """The orders of all that has a price; None where it can't be had, which is procurement's business."""
    return c.book.purchase(c.priced)


def _percent(share: int, total: int) -> float:
    """share / total in %, rounded up to two decimals: above a whole percentage exactly where share / total is."""
    return -(-10_000 * share // max(1, total)) / 100
