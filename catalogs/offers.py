"""Prices of parts and of bundles of parts: who sells them, when, in which condition, and how sure the price is."""

from __future__ import annotations

import re
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
PriceState = Literal["read", "indexed", "estimate"]
"""What a price rests on: somebody read it; somebody read it long ago, and its category's index brought it to the day
asked for; nobody quoted it."""
PriceWord = Literal["list", "contract", "street", "sold", "indexed", "estimate"]
"""What a request admits prices by: confidences, of which `indexed` stands for all read prices that an index has
moved."""
PRICE_WORDS: tuple[PriceWord, ...] = (*READ, "indexed", ESTIMATE)
PriceLevel = Literal["low", "middle", "high"]
"""At which end of its band every price counts."""
BoughtAs = Literal["configured", "loose"]
"""How a build is bought: put together by who sells it, or as loose parts."""
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
    pieces on each piece of the order costs `price`; quantities rise and prices fall.
    `valid_until`: the last day on which the price counts. `own`: one of the buyer's own, which `--prefer mine` asks
    for; what a folder brings that is laid over the shipped catalog is, unless its row says `false`."""

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
    valid_until: Day | None = None
    warranty_months: Positive | None = None
    own: bool = False
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


class PricedOffer(Offer):
    """An offer at another price than its row's: brought to a day by an index, or at one end of its band. No row of a
    file.

    `read_price` is the row's own; `middle` the price between the ends of the band; `index_percent` how far the index
    may be off either way, None of a price that no index has moved. `fixed`: somebody says this price (a quote, a
    what-if), which holds at every end."""

    read_price: Decimal
    middle: Decimal
    index_percent: Decimal | None = None
    fixed: bool = False


def state_of(offer: Offer | Bundle) -> PriceState:
    """What the price of an offer rests on."""
    if isinstance(offer, PricedOffer) and offer.index_percent is not None:
        return "indexed"
    return "estimate" if offer.confidence == ESTIMATE else "read"


def word_of(offer: Offer | Bundle) -> PriceWord:
    """What a request admits the price of an offer by."""
    return "indexed" if state_of(offer) == "indexed" else offer.confidence


IndexCategory = Literal[
    "ddr5_rdimm", "ddr5_udimm", "ddr4_rdimm", "ddr4_udimm", "nvme_enterprise", "nvme_consumer", "server_cpu"
]
"""What price indices are of: categories of parts as the market quotes them."""


def _month(value: object) -> object:
    text = str(value)
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        raise ValueError("a month is written YYYY-MM")
    return text


Month = Annotated[str, BeforeValidator(_month)]


def month_number(month: str) -> int:
    """Months since year 0 of `YYYY-MM`."""
    return 12 * int(month[:4]) + int(month[5:7]) - 1


class IndexPoint(BaseModel):
    """The level of prices in a category in a month, and through a later one where it stayed.

    `value`: in `unit`, which is the same for all rows of a category, for only ratios count. `uncertainty_percent`:
    how far the level may be off, either way. `basis`: `read` in a source, `forecast` there, or `derived` from a
    neighbour by a published rise."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.+-]*$")
    category: IndexCategory
    month: Month
    through: Month | None = None
    value: Decimal = Field(gt=0, max_digits=15, decimal_places=6)
    unit: str
    uncertainty_percent: Decimal = Field(ge=0, le=100, max_digits=5, decimal_places=2)
    basis: Literal["read", "forecast", "derived"]
    source: str = Field(min_length=1)
    link: str = ""
    notes: str = ""

    @property
    def first(self) -> int:
        """The number of its first month."""
        return month_number(self.month)

    @property
    def last(self) -> int:
        """The number of its last month."""
        return month_number(self.through or self.month)

    @model_validator(mode="after")
    def _runs_forward(self) -> IndexPoint:
        if self.last < self.first:
            raise ValueError("a level does not end before its month; leave `through` blank or give a later month")
        return self


PRICE_FILES: dict[str, type[BaseModel]] = {"offers": Offer, "bundles": Bundle, "price_index": IndexPoint}
