"""How much of a build's money goes to prices that somebody read, that an index moved, and that nobody has quoted."""

from __future__ import annotations

from fractions import Fraction

from constraints.exchange import half_up
from constraints.policy import Policy
from constraints.prices.purchase import Purchase


def price_shares(bought: Purchase) -> dict[str, float]:
    """Shares of the sum of lines by what their prices rest on, to four digits, 1 together; nothing bought is read."""
    estimated, indexed = (
        half_up(Fraction(10_000 * bought.cents_of(state), max(1, bought.cents))) for state in ("estimate", "indexed")
    )
    indexed = min(indexed, 10_000 - estimated)  # halves rounded up twice
    return {
        "read": (10_000 - estimated - indexed) / 10_000,
        "indexed": indexed / 10_000,
        "estimated": estimated / 10_000,
    }


def rests_on_read(share: float, policy: Policy) -> bool:
    """Whether a share of 0 to 1 on read prices, as a result states it, is enough to be named for it."""
    return round(10_000 * share) >= 100 * policy["named.read_percent"]
