"""An award as data (`dsopt award --json`). Money is decimal in the comparison's currency, net of tax."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from optimizer.procurement.award.terms import AwardTerms
from optimizer.procurement.bids.schema import Basis
from optimizer.result.document import Document, Text
from optimizer.result.strict import Strict

How = Literal["one", "lots", "lines"]
ConditionKind = Literal["bidders", "set", "lots", "machine", "minimum", "package", "freight", "rebate", "whole"]


class Offer(Strict):
    """What one bid asks for a line. `parts`: ids of the catalog, where matched."""

    bid: str
    net: Decimal
    pieces: int | None = Field(description="null for services")
    parts: tuple[str, ...] = ()
    text: Text = ""


class AwardLine(Strict):
    """A line of the award: an item of the comparison (`number`). `unit`: lines of one unit go to one bidder."""

    number: int = Field(description="of the item in the comparison")
    title: Text
    role: str
    unit: int = Field(description="from 1")
    lot: str = ""
    together: Text = Field(default="", description="by what its unit stays together: the machine, a set")
    offers: tuple[Offer, ...]
    winner: str
    net: Decimal


class Order(Strict):
    """What one bidder gets. net = goods - rebate - whole_rebate + freight; `whole_rebate` is what its bid takes off for
    all that it offers."""

    bid: str
    vendor: str
    source: str
    lines: tuple[int, ...] = Field(description="numbers of its lines")
    goods: Decimal
    rebate: Decimal
    whole_rebate: Decimal
    freight: Decimal = Field(description="with what of its bid nobody could place, and counts all the same")
    net: Decimal
    tax: Decimal
    gross: Decimal


class Excluded(Strict):
    """A bid that can't be awarded anything (`whole`), or not the lines of `lines`, and why. `code` is stable."""

    bid: str
    vendor: str
    code: str
    text: Text
    whole: bool
    lines: tuple[int, ...] = Field(default=(), description="numbers of lines")


class Alone(Strict):
    """What a bidder asks for everything under its own terms; null where it can't have everything."""

    bid: str
    net: Decimal | None
    why: Text = ""


class Condition(Strict):
    """A condition and its price: `price` = the award with it less the award without it, each proven. Negative for what
    saves (a rebate). Null where no award exists without it, or none was proven in time."""

    kind: ConditionKind
    name: Text
    bid: str = ""
    price: Decimal | None


class LeftOut(Strict):
    """What is in no total: a line that not all bids can be held to, or that the buyer dropped."""

    bid: str
    number: int = Field(description="of the item in the comparison")
    text: Text
    net: Decimal
    why: Text


class Bargain(Strict):
    """A line of a bid at the table. `lowest_other`: of the other bids that may get the line, where the line is the
    same. `target`: the least of quoted, lowest other and catalog. `break_even`: the highest price of this line, all
    else as quoted, at which the award with it costs less than every award without it; null where there is none."""

    bid: str
    number: int = Field(description="of the line")
    title: Text
    quoted: Decimal
    lowest_other: Decimal | None
    lowest_other_bid: str = ""
    catalog: Decimal | None
    catalog_source: Text = ""
    target: Decimal
    break_even: Decimal | None
    wins: bool


class Award(Document):
    """The answer of `dsopt award --json`. `proven`: no award under these conditions costs less; of equally cheap ones
    this is that of the fewest bidders, and then, line by line, of the bid named first."""

    schema_version: Literal["1"] = "1"
    kind: Literal["award"] = "award"
    how: How
    basis: Basis
    terms: AwardTerms
    proven: Literal[True] = True
    solver: str
    lines: tuple[AwardLine, ...]
    orders: tuple[Order, ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    alone: tuple[Alone, ...]
    best_alone: str | None = Field(description="the bid that asks least for everything")
    saving: Decimal | None = Field(description="of the award against the best single bidder; null where none can do it")
    conditions: tuple[Condition, ...]
    excluded: tuple[Excluded, ...]
    left_out: tuple[LeftOut, ...]
    bargains: tuple[Bargain, ...]
    catalog_sha256: str
    notes: tuple[Text, ...]
