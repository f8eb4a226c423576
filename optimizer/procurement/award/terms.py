"""terms.toml: under which terms an award is made, the buyer's and the bidders' (`dsopt schema award-terms`)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from catalogs.errors import Fault, InputError
from catalogs.inputs import read_toml
from catalogs.other_file import AWARD_TERMS, expecting
from catalogs.refused_value import in_words
from optimizer.result.strict import Strict

Amount = Annotated[Decimal, Field(ge=0, le=10**10, decimal_places=2)]
Percent = Annotated[Decimal, Field(gt=0, lt=100, decimal_places=2)]
LineName = int | str
"""A line of the award: its item's number in the comparison, or its part's id, its title, or a category (memory)."""


class Rebate(Strict):
    """A rebate from an amount of goods on, net and before any rebate: `percent` of these goods, or `amount`.

    Of rebates over the same `lines` (all of the bidder's without) the one with the highest `from` that is reached
    counts, alone; rebates over other lines add up."""

    from_: Annotated[Decimal, Field(gt=0, le=10**10, decimal_places=2, alias="from")]
    percent: Percent | None = None
    amount: Amount | None = None
    lines: tuple[LineName, ...] = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Rebate:
        if (self.percent is None) == (self.amount is None):
            raise ValueError("needs either percent or amount")
        if self.amount is not None and self.amount > self.from_:
            raise ValueError("amount is above from: the rebate would be more than the goods")
        return self


class BidderTerms(Strict):
    """Terms of one bidder. `bid`: its letter, file or vendor's name."""

    bid: str
    minimum_order: Amount = Field(default=Decimal(0), description="goods, net, before rebates, of any order")
    freight: Amount | None = Field(
        default=None, description="net, once for its order; without it the freight that its bid states"
    )
    freight_free_from: Amount | None = Field(default=None, description="goods from which it delivers free")
    rebate: tuple[Rebate, ...] = ()


class LineSet(Strict):
    """Lines that one bidder gets whole."""

    name: str
    lines: Annotated[tuple[LineName, ...], Field(min_length=1)]


class AwardTerms(Strict):
    """The file. `set`: lines that stay together; `lot`: what --lots awards at once, each line in one lot at most.
    `apart`: lines that may go to another bidder than the machine, though bids offer different parts for them, or they
    are work on it. `drop`: lines that are not ordered at all."""

    schema_version: Literal[1] = 1
    currency: str = Field(default="", description="of the amounts here; the comparison's without")
    max_bidders: Annotated[int, Field(ge=1, le=12)] | None = None
    bidder: tuple[BidderTerms, ...] = ()
    set: tuple[LineSet, ...] = ()
    lot: tuple[LineSet, ...] = ()
    apart: tuple[LineName, ...] = ()
    drop: tuple[LineName, ...] = ()


def read_terms(path: Path) -> AwardTerms:
    """Raises InputError with every fault: no TOML, unknown keys, values that are none."""
    with expecting(path, AWARD_TERMS, column="--terms"):
        data: dict[str, Any] = read_toml(path, "bad-terms", "See `dsopt schema award-terms`.", "--terms")
        try:
            return AwardTerms.model_validate(data)
        except ValidationError as e:
            raise InputError(
                [
                    Fault(
                        "bad-terms", in_words(x), str(path), column=".".join(map(str, x["loc"])),
                        value=str(x["input"])[:60], remedy="See `dsopt schema award-terms`.",
                    )
                    for x in e.errors(include_url=False)
                ]
            ) from None  # fmt: skip
