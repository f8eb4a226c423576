"""Money of a quote, in integer minor units: what the workbook's formulas compute, computed the same way.

goods    = sum of (pieces + spares) x unit price
discount = goods x discount %, rounded half up once
support  = (goods - discount) x support % + sum of (line x its category's %) x (1 - discount %), rounded half up once
tax      = (goods - discount + support) x tax %, rounded half up once
total    = goods - discount + support + tax

Without a discount these are `constraints.prices.totals.totals` and the support by category of
`constraints.prices.purchase`. The tax of a line is what the rounded tax of the running sum rises by at it, so that the
lines' taxes add up to the tax.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal


def half_up(x: Decimal) -> int:
    """Whole minor units."""
    return int(x.quantize(Decimal(1), ROUND_HALF_UP))


@dataclass(frozen=True)
class Sums:
    """In minor units; `taxes`: of each line, then of the discount and of support."""

    goods: int
    spares: int
    discount: int
    support: int
    tax: int
    taxes: tuple[int, ...]

    @property
    def net(self) -> int:
        return self.goods - self.discount + self.support

    @property
    def total(self) -> int:
        return self.net + self.tax


def sums(
    lines: Sequence[int], spares: int, weighted: Decimal, discount: Decimal, support: Decimal, tax: Decimal
) -> Sums:
    """`lines`: minor units of each; `spares`: the part of them that is spares; `weighted`: lines times their
    category's support, as a fraction; the rest in percent."""
    goods = sum(lines)
    off = half_up(goods * discount / 100)
    served = half_up((goods - off) * support / 100 + weighted * (1 - discount / 100))
    taxes, running, before = [], 0, 0
    for amount in (*lines, -off, served):
        running += amount
        now = half_up(running * tax / 100)
        taxes.append(now - before)
        before = now
    return Sums(goods, spares, off, served, before, tuple(taxes))
