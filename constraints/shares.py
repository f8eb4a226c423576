"""Rules of shares: how much of a build's sum of lines may rest on estimates, and on how few sellers it may lean.

Sellers are those of the offers that bring the parts (`offer.seller`): whom the buyer has to deal with. Makers are
`--vendor`'s business. A limit on their number chooses among a part's offers; limits on shares count the one offer that
prices a part, and where several may (prices by quantity) they are refused (docs/procurement.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constraints.buying import upper
from constraints.rule import Check
from constraints.sums import whole

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel


class Estimates:
    """At most a share of the sum of lines rests on prices of confidence `estimate`."""

    id = "estimates"

    def encode(self, m: FamilyModel) -> None:
        percent = m.request.max_estimated_percent
        if percent is None:
            return
        each = {x: p.cents for x, p in m.book.prices.items() if p.offer and p.offer.confidence == "estimate"}
        m.cp.add(100 * whole(m, each, "estimated cents") <= percent * m.total_cents)

    def check(self, c: Case) -> list[Check]:
        percent = c.request.max_estimated_percent
        if percent is None:
            return []
        lines = _lines(c)
        rough = sum(n for x, n in lines.items() if (o := c.book.prices[x].offer) and o.confidence == "estimate")
        return [_at_most(self.id, rough, sum(lines.values()), percent, "of the cost rests on estimated prices")]


class Sellers:
    """At most so many sellers, and at most a share of the sum of lines with any one of them."""

    id = "sellers"

    def encode(self, m: FamilyModel) -> None:
        most, percent = m.request.max_sellers, m.request.max_share_percent
        if most is not None:
            used: dict[str, Any] = {}
            for offer, pieces in m.ordered:
                if offer.seller not in used:
                    used[offer.seller] = m.cp.new_bool_var(offer.seller)
                m.cp.add(pieces <= upper(pieces) * used[offer.seller])
            m.cp.add(sum(used.values()) <= most)
        if percent is not None:
            sold: dict[str, dict[str, int]] = {}
            for x in m.quantities():
                if (p := m.book.prices.get(x)) and p.offer:
                    sold.setdefault(p.offer.seller, {})[x] = p.cents
            for s, each in sold.items():
                m.cp.add(100 * whole(m, each, f"cents of {s}") <= percent * m.total_cents)

    def check(self, c: Case) -> list[Check]:
        most, percent, found = c.request.max_sellers, c.request.max_share_percent, []
        if most is None and percent is None:
            return []
        orders = c.book.purchase({x: q for x, q in c.build.total().items() if q and x in c.book.prices})
        by = orders.sellers if orders else {}
        if most is not None:
            found.append(Check.at_most(self.id, len(by), most, "sellers", f"sellers: {', '.join(sorted(by))}"))
        if percent is not None and orders and by:
            largest = max(sorted(by), key=lambda s: by[s])
            found.append(_at_most(self.id, by[largest], orders.cents, percent, f"of the cost is with {largest}"))
        return found


def _lines(c: Case) -> dict[str, int]:
    """Part -> minor units of its line, of what has a price."""
    return {x: q * c.book.prices[x].cents for x, q in c.build.total().items() if q and x in c.book.prices}


def _at_most(rule: str, share: int, total: int, percent: int, text: str) -> Check:
    """share / total <= percent, judged in integers; measured in % for the eye."""
    fine = 100 * share <= percent * total
    return Check(rule, "pass" if fine else "fail", round(100 * share / max(1, total), 2), percent, "%", f"{text}")
