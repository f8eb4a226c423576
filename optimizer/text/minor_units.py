"""Minor units (cents, yen) as decimal strings and in sentences, and back."""

from __future__ import annotations

from decimal import Decimal

from constraints.exchange import minor_digits


def money(cents: int, currency: str) -> str:
    """Minor units as a decimal string."""
    digits = minor_digits(currency)
    return str(Decimal(cents).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)))


def money_words(cents: int, currency: str) -> str:
    """`237,138.72 USD`, as sentences write money."""
    return f"{Decimal(money(cents, currency)):,} {currency}"


def minor(text: str, currency: str) -> int:
    """A decimal string as minor units; raises ValueError for a fraction of one."""
    scaled = Decimal(text).scaleb(minor_digits(currency))
    if not scaled.is_finite() or scaled != int(scaled):
        raise ValueError(f"{text} is no whole number of minor units of {currency}")
    return int(scaled)
