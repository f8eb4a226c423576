"""A vendor's quote or price list as read: what each line says, how it was matched, what does not add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from optimizer.procurement.reading.mapping import Mapping, Tax
from optimizer.result.document import Text

How = Literal["exact", "normalised", "alias", "contained", "specification", "fuzzy", "mapped", "bundle", "none"]
Severity = Literal["error", "warning", "note"]
Period = Literal["hour", "day", "week", "month", "quarter", "year"]
TotalKind = Literal["total", "total_net", "total_gross", "subtotal", "tax", "discount", "in_words"]
WHOLE: tuple[TotalKind, ...] = ("total", "total_net", "total_gross")
"""Sums of everything, in figures."""


class Frozen(BaseModel):
    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Issue(Frozen):
    """Something that does not add up or could not be decided; money as decimal text where it is about money."""

    code: str
    severity: Severity
    text: Text
    row: int | None = None
    stated: Decimal | None = None
    computed: Decimal | None = None


class Notice(Frozen):
    """What the reader saw and did, for the buyer to know."""

    code: str
    text: Text


class Match(Frozen):
    """How a line was matched: `part` is a catalog id; `score` 0..100; `candidates` are suggestions, best first; with a
    match by specification the parts that are so, of which `part` is the generic or the cheapest one."""

    how: How = "none"
    part: str | None = None
    score: int = 0
    candidates: tuple[str, ...] = ()
    reason: Text = ""


class Line(Frozen):
    """One thing offered. `unit_price` is as stated, per `pack` pieces where `priced_per_pack`; amounts in major units.

    `qty` is as stated, `pieces` what it comes to (None where that is unclear). `included`: at no price of its own."""

    row: int
    role: Literal["part", "service"] = "part"
    text: str
    part_number: str = ""
    name: str = ""
    brand: str = ""
    section: str = ""
    qty: Decimal | None = None
    unit: str = ""
    pack: int = 1
    priced_per_pack: bool = False
    pieces: int | None = None
    unit_price: Decimal | None = None
    list_price: Decimal | None = None
    discount: Decimal | None = Field(default=None, description="share, 0.15 for 15 %")
    line_total: Decimal | None = None
    currency: str = ""
    tax: Tax = Field(default="unknown", description="of unit_price")
    total_tax: Tax = Field(default="unknown", description="of line_total")
    tax_rate: Decimal | None = Field(default=None, description="percent")
    lead_time: str = ""
    stock: str = Field(default="", description="what the list says of pieces in stock, as written")
    min_order: str = Field(default="", description="least order, as written")
    price_breaks: str = Field(default="", description="prices by quantity, as written or put together of columns")
    gtin: str = Field(default="", description="EAN, UPC")
    valid_until: str = Field(default="", description="of this line's price, as written")
    condition: str = ""
    warranty: str = ""
    origin: str = ""
    note: str = ""
    optional: bool = False
    included: bool = False
    on_request: bool = False
    hidden: bool = False
    per_node: bool = Field(default=False, description="qty counts what each of several servers holds, of how many open")
    item: int = Field(
        default=0, description="which part of the server that its row's one cell describes; 0: the row itself"
    )
    memory_gb: int | None = Field(default=None, description="a server's memory in all, the number of modules not said")
    contents: tuple[Line, ...] = Field(default=(), description="while reading: the parts of a server, to be lines")
    holds: tuple[int, ...] = Field(default=(), description="rows without a price whose price is this line's")
    periods: Decimal = Field(
        default=Decimal(1), description="how many times unit_price is paid: 3 for a year's over 36 months"
    )
    matched: Match = Match()
    issues: tuple[Issue, ...] = ()

    @property
    def key(self) -> tuple[int, int]:
        """What tells lines apart: the row, and the part of the server that its cell describes."""
        return self.row, self.item

    @property
    def amount(self) -> Decimal | None:
        """The stated line total, else quantity x unit price in the total's tax basis; None where it can't be told."""
        if self.line_total is not None:
            return self.line_total
        if self.included:
            return Decimal(0)
        if self.qty is None or self.unit_price is None:
            return None
        amount = self.qty * self.unit_price * self.periods / (self.pack if self.priced_per_pack else 1)
        if self.tax == self.total_tax:
            return amount
        if self.tax_rate is None:
            return None
        factor = 1 + self.tax_rate / 100
        return amount * factor if self.tax == "net" else amount / factor

    @property
    def settled(self) -> bool:
        """Whether nothing of the line needs a person's look."""
        unsettled = any(issue.severity == "error" for issue in self.issues)
        return not unsettled and (self.role == "service" or self.matched.part is not None or bool(self.holds))


class Total(Frozen):
    """A sum that the file states; `tax` as its label says."""

    row: int
    kind: TotalKind
    label: str
    amount: Decimal
    tax: Tax = "unknown"
    rate: Decimal | None = None


class Ignored(Frozen):
    """A row that was not taken as a line, and why."""

    row: int
    reason: str
    text: str


class Recurring(Frozen):
    """Prices that are paid again each period (a lease, a rental, a subscription), which no purchase price is compared
    with. `rows`: the lines that are so priced; `why`: the words that say so, `at` these rows; `period` None where the
    file does not say how often. `each`: the amount of a period, `over`: that over the file's own term.
    `term_at`: the rows that state this term. `counted_months`: the term that the buyer gave, over which all amounts of
    the quote then are."""

    why: str
    rows: tuple[int, ...]
    at: tuple[int, ...] = ()
    period: Period | None = None
    term_months: int | None = None
    term_at: tuple[int, ...] = ()
    over_term: tuple[int, ...] = Field(default=(), description="rows whose total the file states over its term")
    each: Decimal | None = None
    over: Decimal | None = None
    counted_months: int | None = None


class Quote(Frozen):
    """Everything read from one table of one file. `issues` are those of the file; each line carries its own."""

    source: str
    format: str
    sheet: str = ""
    vendor: str = ""
    quote_no: str = ""
    quote_date: date | None = None
    valid_until: date | None = None
    currency: str = ""
    tax: Tax = "unknown"
    tax_rate: Decimal | None = None
    lines: tuple[Line, ...] = ()
    totals: tuple[Total, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    notices: tuple[Notice, ...] = ()
    issues: tuple[Issue, ...] = ()
    mapping: Mapping = Mapping()
    recurring: Recurring | None = None
    variants: tuple[str, ...] = Field(default=(), description="names of all variants, of which this quote is one")

    @property
    def time_money(self) -> Recurring | None:
        """What is paid by time while no term is given: not comparable with a purchase."""
        return self.recurring if self.recurring is not None and self.recurring.counted_months is None else None

    @property
    def all_issues(self) -> tuple[Issue, ...]:
        """Of the lines by row, then of the file."""
        return (*(i for line in self.lines for i in line.issues), *self.issues)

    @property
    def open_lines(self) -> tuple[Line, ...]:
        """Lines that need a person's look: unmatched, only suggested, or with an error."""
        return tuple(line for line in self.lines if not line.settled)
