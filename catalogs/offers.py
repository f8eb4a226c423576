"""Prices of parts and of bundles of parts: who sells them, when, in which condition, and how sure the price is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from catalogs.schema import Contained, Positive, Whole


def _iso(value: object) -> object:
    if isinstance(value, str) and not (len(value) == 10 and value[4] == value[7] == "-"):
        raise ValueError("a day is written YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_iso)]
Price = Annotated[Decimal, Field(gt=0, max_digits=12, decimal_places=2)]
TaxRate = Annotated[Decimal, Field(ge=0, lt=1)]
Currency = Literal["USD", "CNY", "EUR", "GBP", "JPY"]
Condition = Literal["new", "refurbished", "used"]


def _no_ask(value: object) -> object:
    if value == "ask":
        raise ValueError(
            "is no price of a sale: what is asked for stands up to twice above what is paid; keep it out of the file, "
            "or write what was paid as sold"
        )
    return value


Confidence = Annotated[Literal["list", "contract", "street", "sold", "estimate"], BeforeValidator(_no_ask)]
"""How sure a price is. Somebody read it: a maker's or seller's `list`, agreed by `contract`, seen on the `street` (a
shop or a market), paid where something was `sold`. An `estimate` is one that nobody has quoted."""
READ: tuple[Confidence, ...] = ("list", "contract", "street", "sold")
"""Confidences of prices that somebody read."""
ESTIMATE: Confidence = "estimate"
CONFIDENCES: tuple[Confidence, ...] = (*READ, ESTIMATE)
HoldsFor = Literal["", "configured", "loose"]
"""For which purchase a price holds where there are two levels at once: of a part inside a configured machine, or of the
loose part. Blank: for both."""
MOST_PIECES = 100_000
"""Pieces of a part that an order may name."""


def days_of(offer: Offer | Bundle) -> int:
    """Known lead time; 0 when it is unknown."""
    return offer.lead_time_days or 0


class Offer(BaseModel):
    """A price for a part on a day, net of tax unless `tax_rate` is given (then gross at that rate).

    `holds_for`: `configured` of a part inside a configured machine, `loose` of the loose part; blank is both.
    `stock`: pieces that the seller has; blank is no limit. `min_qty`: least order. `breaks`: `qty:price`, from `qty`
    pieces on each piece of the order costs `price`; quantities rise and prices fall."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    id: str
    part: str
    price: Price
    currency: Currency
    date: Day
    condition: Condition
    confidence: Confidence
    seller: str
    source: str
    link: str = ""
    tax_rate: TaxRate = Decimal(0)
    lead_time_days: Whole | None = None
    holds_for: HoldsFor = ""
    low: Decimal | None = Field(default=None, gt=0)
    high: Decimal | None = Field(default=None, gt=0)
    stock: Whole | None = None
    min_qty: Positive = 1
    breaks: tuple[str, ...] = ()
    notes: str = ""

    @property
    def price_breaks(self) -> list[tuple[int, Decimal]]:
        """(pieces from which it holds, price of each piece)."""
        return [(int(q), Decimal(price)) for q, _, price in (b.partition(":") for b in self.breaks)]

    @model_validator(mode="after")
    def _breaks_fall(self) -> Offer:
        if not self.breaks and self.min_qty <= MOST_PIECES:
            return self  # nearly all offers
        try:
            steps = [(1, self.price), *self.price_breaks]
            if not all(price.is_finite() for _, price in steps):
                raise ValueError
        except (ValueError, ArithmeticError):
            raise ValueError("a price break is written qty:price, for example 10:95.00|100:90.00") from None
        for (q0, p0), (q1, p1) in pairwise(steps):
            if not (q0 < q1 <= MOST_PIECES and 0 < p1 < p0 and p1.as_tuple().exponent >= -2):  # type: ignore[operator]
                raise ValueError("quantities of price breaks must rise (from 2 on) and prices fall, in whole cents")
        if self.min_qty > MOST_PIECES:
            raise ValueError(f"a minimum order may not exceed {MOST_PIECES} pieces")
        return self


class Bundle(BaseModel):
    """A kit of parts at one price, all or nothing; `stock`: how many there are, blank is no limit."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")
    name: str = ""
    parts: tuple[Contained, ...] = Field(min_length=1)
    price: Price
    currency: Currency
    date: date
    condition: Condition
    confidence: Confidence
    seller: str
    source: str
    link: str = ""
    tax_rate: TaxRate = Decimal(0)
    lead_time_days: Whole | None = None
    stock: Whole | None = None
    notes: str = ""

    @model_validator(mode="after")
    def _named_once(self) -> Bundle:
        if len({part.part for part in self.parts}) < len(self.parts):
            raise ValueError("a part is named twice; give its whole number once")
        return self


PRICE_FILES: dict[str, type[BaseModel]] = {"offers": Offer, "bundles": Bundle}
