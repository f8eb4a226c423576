"""What is paid in all for a sum of lines: support, tax and total, each rounded once, and the way back."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from constraints.policy import Policy

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
