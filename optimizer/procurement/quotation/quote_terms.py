"""What a quotation is made under: its head and its terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from catalogs.days import days_after
from catalogs.errors import Fault, InputError
from optimizer.procurement.quotation.profile import Company, Profile

QUOTE_DAYS, REQUEST_DAYS = 15, 21
"""Days for which a quote holds, and for which bids on a request are taken, where nobody says."""


def document_day(as_of: date) -> date:
    """The day of a document: today, not before that of its prices."""
    return max(date.today(), as_of)


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
    estimate. `profile`: seller, buyer, project and what the seller states; `customer` wins over the buyer's name."""

    customer: str
    number: str
    day: date
    valid_days: int
    confirmed: bool = False
    profile: Profile = field(default_factory=Profile)

    @property
    def buyer(self) -> Company:
        """The profile's buyer under the customer's name; under another name its address is not this customer's."""
        buyer = self.profile.buyer
        if not self.customer or self.customer == buyer.name:
            return buyer
        return Company(name=self.customer) if buyer.name else buyer.model_copy(update={"name": self.customer})

    @property
    def valid_until(self) -> date:
        until = days_after(self.day, self.valid_days)
        if until is None:
            text = f"{self.valid_days} days after {self.day} are beyond the calendar"
            remedy = "Name an earlier day."
            raise InputError(Fault("bad-date", text, column="--date", value=str(self.day), remedy=remedy))
        return until
