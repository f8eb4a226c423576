"""Rule budget: the total with support and tax stays within the money."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from constraints.exchange import minor_digits
from constraints.policy import Policy
from constraints.rule import Check
from constraints.tariff import NEVER

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel

MAX_MONEY = 2**50
"""Minor units: 1,000 nodes times this stay below 2^62, and no budget of a request reaches it."""


def totals(parts_cents: int, policy: Policy) -> tuple[int, int, int]:
    """(support, tax, total) in minor units: one rounded line each on the sum of lines.

    Support by category is counted with the lines already; the policy's percentage is zero then."""

    def line(base: int, percent: Decimal) -> int:
        return int((Decimal(base) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))

    support = line(parts_cents, policy["money.support_percent"])
    tax = line(parts_cents + support, policy["money.tax_percent"])
    return support, tax, parts_cents + support + tax


def most_parts_cents(total_cents: int, policy: Policy) -> int:
    """The largest sum of lines whose total does not exceed `total_cents` (totals rise strictly with it)."""
    low, high = 0, total_cents
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if totals(middle, policy)[2] <= total_cents else (low, middle - 1)
    return low


class Budget:
    id = "budget"

    def encode(self, m: FamilyModel) -> None:
        if m.request.budget_cents is not None:
            m.cp.add(m.total_cents <= m.book.scaled(most_parts_cents(m.request.budget_cents, m.policy)))

    def check(self, c: Case) -> list[Check]:
        parts = c.book.cost(c.priced)
        if parts >= NEVER:
            return [Check.of(self.id, False, "no total: the parts can't be had in these numbers")]
        _, tax, total = totals(parts, c.policy)
        scale = 10 ** minor_digits(c.request.currency)
        if c.request.budget_cents is None:
            return [Check.of(self.id, True, "no budget given")]
        currency, digits = c.request.currency, minor_digits(c.request.currency)
        amount, budget = (f"{Decimal(x) / scale:,.{digits}f} {currency}" for x in (total, c.request.budget_cents))
        within = f"the total of {amount} is within the budget of {budget}"
        beyond = f"the total of {amount} exceeds the budget of {budget}"
        if tax:
            net, added = (f"{Decimal(x) / scale:,.{digits}f}" for x in (total - tax, tax))
            within = f"the total of {amount} with tax (net {net} plus tax {added}) is within the budget of {budget}"
            beyond = f"the total of {amount} with tax (net {net} plus tax {added}) exceeds the budget of {budget}"
        return [
            Check.at_most(
                self.id,
                total / scale,
                c.request.budget_cents / scale,
                currency,
                within,
                beyond,
            )
        ]
