"""What a quotation is made under: its head and its terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Terms:
    """What a quote sets: `request` holds changed fields of the request (currency, fx, spares, support), `policy`
    settings (tax, support); the discount in percent."""

    request: dict[str, Any] = field(default_factory=dict)
    policy: tuple[str, ...] = ()
    discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class Party:
    """Head of a quote. `confirmed`: the sellers have confirmed every price; without it the document is a budgetary
    estimate."""

    customer: str
    number: str
    day: date
    valid_days: int
    confirmed: bool = False

    @property
    def valid_until(self) -> date:
        return self.day + timedelta(days=self.valid_days)
