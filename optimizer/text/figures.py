"""Figures in words, the same in every explanation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from catalogs.message import joined, message
from constraints.exchange import minor_digits
from optimizer.text.money import CURRENCIES

ONE = re.compile(r"(?<=\{\} )((?:rack )?(?:user|node|unit|day|seller))s\b")
"""What is counted, in words with its number still to come."""


def spent(cents: int, currency: str) -> str:
    """Minor units as `103,194.72 USD`."""
    digits = minor_digits(currency)
    return f"{Decimal(cents).scaleb(-digits):,.{digits}f} {currency}"


def grouped(amount: str) -> str:
    """`1234.50` -> `1,234.50`."""
    return f"{Decimal(amount):,}"


def signed(cents: int, currency: str) -> str:
    """`+1,240.00 USD`, `-1,240.00 USD`."""
    return ("+" if cents > 0 else "") + spent(cents, currency)


def measured(value: float | None, unit: str | None) -> str:
    """What a rule measured, or its limit: money with all digits of its currency, other figures without zeros behind the
    point; nothing for None."""
    if value is None:
        return ""
    if unit in CURRENCIES:
        return f"{Decimal(str(value)):,.{minor_digits(unit)}f}"
    return trimmed(round(value, 6))


def trimmed(value: float | Decimal) -> str:
    """A figure without zeros behind the point: `2,000`, `6.737`."""
    text = f"{Decimal(str(value)):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(say: str, value: float | Decimal) -> str:
    """`say` with a figure: `{} users at once` -> `1 user at once`, `2,000 users at once`."""
    text = trimmed(value)
    return message((ONE.sub(r"\1", say) if text == "1" else say).replace("{}", "{qty}"), qty=text)


def days(count: int) -> str:
    """`1 day`, `30 days`."""
    return message("{qty} day" if count == 1 else "{qty} days", qty=f"{count:,}")


def listed(names: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return joined(names, ", ", f" {last} ")
