"""What an import of a price list did, or would do: offers, doubts, unknown parts, changes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from catalogs.offers import Condition, Offer
from optimizer.procurement.reading.document import Frozen, How, Notice
from optimizer.procurement.reading.mapping import Mapping
from optimizer.result.document import Text

ChangeKind = Literal["new", "gone", "dearer", "cheaper", "unchanged", "other currency"]
CHANGES: tuple[ChangeKind, ...] = ("new", "gone", "dearer", "cheaper", "unchanged", "other currency")


class Taken(Frozen):
    """A row whose part is known and whose price is clear."""

    row: int = Field(description="of the list, as a spreadsheet counts")
    text: str
    how: How
    offer: Offer


class Doubt(Frozen):
    """A row that a person has to decide on: `suggestion` is a part id or blank."""

    row: int = Field(description="of the list, as a spreadsheet counts")
    part_number: str = ""
    text: str
    price: str = ""
    currency: str = ""
    reason: Text
    suggestion: str = ""
    others: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What `[parts]` of a map.toml names the row by."""
        return self.part_number or self.text


class UnknownPart(Frozen):
    """A row of a category that the catalog has, whose part it lacks. `figures`: what its words say, by the columns of
    the catalog's file `table`; `offer`: its price, by the columns of offers.csv."""

    row: int = Field(description="of the list, as a spreadsheet counts")
    text: str
    table: str
    figures: dict[str, str]
    offer: dict[str, str]


class PriceChange(Frozen):
    """What became of a part's price. Prices are as the lists have them, in `currency`; `percent` of the old price."""

    kind: ChangeKind
    part: str
    seller: str
    condition: Condition
    currency: str
    before: Decimal | None = Field(default=None, description="in `currency`")
    after: Decimal | None = Field(default=None, description="in `currency`")
    difference: Decimal | None = Field(default=None, description="in `currency`, above 0 where it got dearer")
    percent: Decimal | None = Field(default=None, description="of `before`")


class Import(Frozen):
    """One price list against a catalog folder. `day` is the list's own; `sha256` that of the file. `outside`: rows of
    things that no category of the catalog holds; `repeated`: rows that say again what another row says."""

    source: str
    sha256: str
    seller: str
    day: date
    currency: str
    rows: int = Field(description="lines of the list")
    taken: tuple[Taken, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    unknown: tuple[UnknownPart, ...] = ()
    outside: int = Field(default=0, description="rows")
    services: int = Field(default=0, description="rows")
    repeated: tuple[int, ...] = Field(default=(), description="rows")
    parts: tuple[str, ...] = Field(default=(), description="ids of parts that a filled template added")
    left: int = Field(default=0, description="rows of a template without yes in column take")
    changes: tuple[PriceChange, ...] = ()
    notices: tuple[Notice, ...] = ()
    mapping: Mapping = Mapping()

    @property
    def kinds(self) -> tuple[ChangeKind, ...]:
        """The kinds of changes that there are, in their order."""
        return tuple(kind for kind in CHANGES if any(change.kind == kind for change in self.changes))

    def of_kind(self, kind: ChangeKind) -> tuple[PriceChange, ...]:
        """The changes of one kind, by part."""
        return tuple(change for change in self.changes if change.kind == kind)


class PastPrice(Frozen):
    """A price that an import brought, as its history keeps it."""

    day: date
    seller: str
    price: Decimal = Field(description="of a piece, in `currency`")
    currency: str
    condition: Condition
    file: str
    sha256: str
    offer: Offer


class Stale(Frozen):
    """An own offer whose price is older than asked for, or past its validity."""

    offer: Offer
    days: int = Field(description="age of the price")
    expired: bool


class Repriced(Frozen):
    """A point of a saved result at today's prices: `after` is None where its parts can't be had, `unpriced` names
    those without a price; `changed` parts that an own offer prices now."""

    point: str
    currency: str
    before: Decimal = Field(description="in `currency`")
    after: Decimal | None = Field(default=None, description="in `currency`")
    difference: Decimal | None = Field(default=None, description="in `currency`, above 0 where it got dearer")
    percent: Decimal | None = Field(default=None, description="of `before`")
    unpriced: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class ImportAnswer(Frozen):
    """An import, whether it was written, and what it does to a saved result (`against`)."""

    found: Import
    written: bool
    against: tuple[Repriced, ...] = ()
