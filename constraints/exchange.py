"""Exchange rates as they are quoted, and amounts converted exactly: rounded once, half up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalogs.offers import Currency

DERIVED_DIGITS = Context(prec=12)
"""Digits of the reciprocal that is shown beside a rate quoted as units per USD."""
AGREEMENT = Fraction(1, 100_000)
"""How far, as a share, a stated `usd_per_unit` may differ from the reciprocal of `units_per_usd`."""
Quoted = Annotated[Decimal, Field(gt=0, le=10**6)]


class ExchangeRate(BaseModel):
    """A rate of a day, exact in the direction in which it is quoted.

    Give `usd_per_unit` (1.15 USD/EUR) or `units_per_usd` (7.00 CNY/USD). Where `units_per_usd` is given it is the rate,
    and `usd_per_unit` merely shows its reciprocal: 7.00 CNY/USD makes exactly 1,260,000.00 CNY of 180,000 USD."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    usd_per_unit: Quoted
    units_per_usd: Quoted | None = Field(default=None, description="set: the rate is quoted so, and exact so")
    date: date
    source: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _reciprocal(cls, data: Any) -> Any:
        """`usd_per_unit` from `units_per_usd` where that alone is given; blank cells of a file are not given."""
        if not isinstance(data, Mapping):
            return data
        given = {k: v for k, v in data.items() if k not in ("usd_per_unit", "units_per_usd") or v not in (None, "")}
        if "units_per_usd" not in given or "usd_per_unit" in given:
            return given
        try:
            units = Decimal(str(given["units_per_usd"]))
            return {**given, "usd_per_unit": DERIVED_DIGITS.divide(Decimal(1), units)} if units > 0 else given
        except (InvalidOperation, OverflowError):
            return given

    @model_validator(mode="after")
    def _agreeing(self) -> ExchangeRate:
        units = self.units_per_usd
        if units is not None and abs(Fraction(self.usd_per_unit) * Fraction(units) - 1) > AGREEMENT:
            raise ValueError(f"usd_per_unit {self.usd_per_unit} and units_per_usd {units} contradict")
        if self.currency == "USD" and self.usd != 1:
            raise ValueError("one USD is 1 USD")
        return self

    @property
    def usd(self) -> Fraction:
        """USD for one unit, exact."""
        return 1 / Fraction(self.units_per_usd) if self.units_per_usd is not None else Fraction(self.usd_per_unit)

    @property
    def quote(self) -> str:
        """As people write it: `7.00 CNY/USD`, `1.15 USD/EUR`."""
        if self.units_per_usd is not None:
            return f"{self.units_per_usd} {self.currency}/USD"
        return f"{self.usd_per_unit} USD/{self.currency}"


class FxRate(ExchangeRate):
    """An exchange rate of a currency that offers and requests may be in."""

    currency: Currency


def half_up(amount: Fraction) -> int:
    """The nearest integer; halves go away from zero, as ROUND_HALF_UP has it."""
    doubled = 2 * abs(amount.numerator) + amount.denominator
    size = doubled // (2 * amount.denominator)
    return size if amount.numerator >= 0 else -size


def minor_digits(currency: str) -> int:
    """Digits after the point: JPY has none."""
    return 0 if currency == "JPY" else 2
