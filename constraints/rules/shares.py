"""Rules of shares: how much of a build's sum of lines may rest on estimates, and on how few sellers it may lean.

Sellers are those of the offers that bring the parts (`offer.seller`): whom the buyer has to deal with. Makers are
`--vendor`'s business. Which offers bring a part is chosen for the build as a whole
(constraints/prices/limited_book.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalogs.message import N_, joined, message
from constraints.prices.order_limits import limit_estimates, limit_sellers
from constraints.rule import Check, Rule, counted, figure

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.prices.ordering import Shopping
    from constraints.prices.purchase import Purchase


class Estimates(Rule):
    """At most a share of the sum of lines rests on prices of confidence `estimate`."""

    id = "estimates"
    title = N_("Share on estimated prices")
    phase = "money"
    reads = frozenset({"orders"})

    def encode(self, model: Shopping) -> None:
        limit_estimates(model)

    def check(self, case: Case) -> list[Check]:
        percent, orders = case.request.max_estimated_percent, _orders(case)
        if percent is None or orders is None:
            return []
        share = _percent(orders.estimated_cents, orders.cents)
        passing = message("{a} % of the cost is estimated, at most {b} % allowed", a=figure(share), b=percent)
        failing = message("{a} % of the cost is estimated, more than the {b} % allowed", a=figure(share), b=percent)
        return [Check.at_most(self.id, share, percent, "%", passing, failing)]


class Sellers(Rule):
    """At most so many sellers, and at most a share of the sum of lines with any one of them."""

    id = "sellers"
    title = N_("Shares of sellers")
    phase = "money"
    reads = frozenset({"orders"})

    def encode(self, model: Shopping) -> None:
        limit_sellers(model)

    def check(self, case: Case) -> list[Check]:
        most, percent, found, orders = case.request.max_sellers, case.request.max_share_percent, [], _orders(case)
        if orders is None:
            return []
        by = orders.sellers
        if most is not None:
            sellers, names = counted(len(by), "seller"), joined(sorted(by)) or "none"
            found.append(
                Check.at_most(
                    self.id,
                    len(by),
                    most,
                    "sellers",
                    message("{why}, at most {n} allowed: {names}", why=sellers, n=f"{most:,}", names=names),
                    message("{why}, more than the {n} allowed: {names}", why=sellers, n=f"{most:,}", names=names),
                )
            )
        if percent is not None and by:
            largest = max(sorted(by), key=lambda seller: by[seller])
            share = _percent(by[largest], orders.cents)
            found.append(
                Check.at_most(
                    self.id,
                    share,
                    percent,
                    "%",
                    message(
                        "{a} % of the cost is with {seller}, at most {b} % allowed",
                        a=figure(share),
                        seller=largest,
                        b=percent,
                    ),
                    message(
                        "{a} % of the cost is with {seller}, more than the {b} % allowed",
                        a=figure(share),
                        seller=largest,
                        b=percent,
                    ),
                )
            )
        return found


def _orders(case: Case) -> Purchase | None:
    """The orders of all that has a price; None where it can't be had, which is procurement's business."""
    return case.book.purchase(case.priced)


def _percent(share: int, total: int) -> float:
    """share / total in %, rounded up to two decimals: above a whole percentage exactly where share / total is."""
    return -(-10_000 * share // max(1, total)) / 100
