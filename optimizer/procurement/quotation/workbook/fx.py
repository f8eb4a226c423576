"""Exchange rates in workbooks: each as it is quoted (CNY per USD, USD per EUR), and formulas that convert with them."""

from __future__ import annotations

from decimal import Decimal

from constraints.exchange import ExchangeRate
from optimizer.text.languages import Words


def name(rate: ExchangeRate) -> str:
    """Name of the rate's cell: `usd_cny` holds CNY per USD, `fx_eur` USD per EUR."""
    code = rate.currency.lower()
    return f"fx_{code}" if rate.units_per_usd is None else f"usd_{code}"


def label(words: Words, rate: ExchangeRate) -> str:
    """What the cell holds."""
    text = "USD per {currency}" if rate.units_per_usd is None else "{currency} per USD"
    return words(text, currency=rate.currency)


def quoted(rate: ExchangeRate) -> Decimal:
    """The cell's value: the rate in the direction in which it is quoted, exact."""
    return rate.usd_per_unit if rate.units_per_usd is None else rate.units_per_usd


def factor(own: ExchangeRate, wanted: ExchangeRate) -> str:
    """What a formula multiplies and divides an amount in `own` by to have it in `wanted`."""
    to_usd = "*" if own.units_per_usd is None else "/"
    from_usd = "/" if wanted.units_per_usd is None else "*"
    return f"{to_usd}{name(own)}{from_usd}{name(wanted)}"
