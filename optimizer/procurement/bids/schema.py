"""A comparison as data (`dsopt compare --json`). Money is decimal in the comparison's currency, net of tax."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from catalogs.message import message
from constraints.exchange import ExchangeRate
from constraints.request import Request
from optimizer.procurement.bids.flags import FLAGS, Severity
from optimizer.procurement.bids.scoring_rules import LowPriceRules, ScoringRules
from optimizer.result.document import Document, Text
from optimizer.result.point_schema import CheckFacts, Throughput
from optimizer.result.strict import Strict
from optimizer.text.languages import Words

State = Literal[
    "included", "equivalent", "in_system", "optional", "on_request", "not_needed", "excluded", "not_judged"
]  # fmt: skip
Apart = Literal["", "time", "list", "unread", "rate"]
FillBy = Literal["", "option", "median", "max", "other", "catalog", "none"]
FillPolicy = Literal["none", "max", "median", "catalog"]
InScope = Literal["build", "design", "all", "demanded", "own", "outside", "dropped"]
Measure = Literal["piece", "GB", "W", "Gbit/s", "line"]
CriterionKey = Literal["price", "throughput", "rules", "power", "delivery", "warranty"]


class Basis(Strict):
    """What all amounts stand on: one currency, net of tax, validity on one day; `tax_percent` makes gross totals."""

    currency: str
    digits: int
    tax_percent: Decimal
    as_of: date
    outlier_percent: Decimal
    rates: tuple[ExchangeRate, ...]


class Flag(Strict):
    """Something about a bid to be asked about. `code` is stable; `item` counts from 1."""

    code: str
    severity: Severity
    bid: str
    row: int | None = None
    item: int | None = None
    values: dict[str, Text] = Field(default={})

    @property
    def text(self) -> str:
        """The sentence."""
        return message(FLAGS[self.code].text, **self.values)

    def said(self, words: Words) -> str:
        """The sentence in a language."""
        return words.sentence(self.text)


class PricedLine(Strict):
    """A line on the common basis: net = qty x price / per / (1 + tax_in_price) x exchange rate, rounded half up once.

    `price` is as stated, in `currency`; where only a line total is stated, that at quantity 1."""

    row: int
    text: Text
    part: str | None
    role: str = Field(description="category of a part, or kind of service")
    pieces: int | None
    qty: Decimal
    price: Decimal
    per: int
    currency: str
    tax_in_price: Decimal = Field(description="share, 0.13 for a price with 13 % tax in it")
    net: Decimal
    stated_total: Decimal | None = Field(description="as the file says it, in its own basis")
    state: Literal["included", "in_system", "optional", "on_request", "not_counted", "dropped"]
    item: int = Field(default=0, description="the item that it belongs to, from 1; 0 of a bid that is not comparable")


class Cell(Strict):
    """A bid's side of an item. `unit_net` is per `measure` of the item; `over_median` in percent, where comparable.

    `filled` is what the scope adds for what is surely not offered, by `fill`: its own option, the highest or the median
    of the other bids, the only other bid's price, the catalog; `none`: nothing is added, the bid is not comparable.
    `not_judged`: a line of the bid that was matched with nothing may be it (`text` says which); nothing is added, and
    the scope is not settled where `open`. `outside`: its net is taken out of the bid's total."""

    state: State
    parts: tuple[str, ...] = ()
    text: Text = ""
    pieces: int | None = None
    size: Decimal | None = Field(default=None, description="pieces x measure (GB, W, Gbit/s, pieces)")
    net: Decimal | None = None
    unit_net: Decimal | None = None
    over_median: Decimal | None = None
    outlier: bool = False
    fill: FillBy = ""
    filled: Decimal | None = None
    filled_qty: int = 0
    demanded: bool = Field(default=False, description="the rules demand it of the bid's own build")
    outside: bool = Field(default=False, description="offered, but not of the scope: taken out of the total")
    open: bool = Field(default=False, description="of the scope, and a line that nobody could place may be it")
    comparable: bool = Field(default=False, description="its unit price is of the kind that most bids have")


class Item(Strict):
    """What several bids offer for the same end; `cells` in the order of the bids."""

    number: int
    role: str
    title: Text
    measure: Measure
    in_scope: InScope = Field(description="why it counts in the totals, or that it does not")
    median_unit: Decimal | None = Field(description="of the bids whose parts are comparable; null below three")
    min_net: Decimal | None
    median_net: Decimal | None
    cells: tuple[Cell, ...]


class NotJudged(Strict):
    """A rule that is neither passed nor failed: lines of the bid that were matched with nothing may count for it."""

    rule: str
    text: Text
    where: Text
    rows: tuple[int, ...]


class Technical(Strict):
    """What a bid's own build does; `runs` is false where the model does not run on it or it is no build, see `reason`.

    Figures per tok/s rest on the total on equal scope. `hardware_net`: parts alone, with fills. `cheapest`: the
    cheapest build of the catalog that is at least as fast and passes every rule, proven; null where none is."""

    runs: bool
    reason: Text = ""
    build: str = ""
    throughput: Throughput | None = None
    power_w: int | None = None
    rack_units: int | None = None
    failed: tuple[CheckFacts, ...] = ()
    warned: tuple[CheckFacts, ...] = ()
    not_judged: tuple[NotJudged, ...] = ()
    still_failed: tuple[CheckFacts, ...] = Field(default=(), description="with what the rules demand added to it")
    rules: int = Field(default=0, description="rules that were judged")
    hardware_net: Decimal | None = None
    money_per_tok_s: Decimal | None = None
    money_per_tok_s_low: Decimal | None = None
    money_per_tok_s_high: Decimal | None = None
    w_per_tok_s: Decimal | None = None
    same_parts_in_catalog: Decimal | None = Field(default=None, description="the bid's own parts at catalog prices")
    cheapest: Decimal | None = None
    cheapest_build: str = ""
    cheapest_proven: bool = True
    above_percent: Decimal | None = Field(default=None, description="hardware_net above cheapest")


class Points(Strict):
    """A criterion of a bid: its share of the criterion's full marks (0..1) and the points that it comes to."""

    key: str
    value: Decimal | None
    share: Decimal
    points: Decimal


class OverTerm(Strict):
    """What a bid that is paid by time comes to over the term that its own file states: periods x the amount of each,
    in its currency; `net` on the basis of the comparison. It stands beside the totals of purchases, in no rank and no
    median; `rows` state the term."""

    months: int
    periods: Decimal
    each: Decimal
    amount: Decimal
    rows: tuple[int, ...]
    net: Decimal | None = Field(description="null where its currency has no exchange rate")


class Bid(Strict):
    """A bid on the common basis. `offered_net`: firm lines; `equal_net`: without what is outside the scope, with what
    is added for it, what is compared; null where the scope of the bid is not settled.

    `apart`: it is not comparable: paid by `time`, a price `list` without quantities, a file that can't be read
    (`unread`), a currency without an exchange `rate`; its sums are null. A bid that can't be awarded (`responsive`
    false) has no rank, no score and no points."""

    apart: Apart = ""

    id: str
    source: str
    kind: Literal["quote", "result", "unread"]
    vendor: str
    quote_no: str
    quote_date: date | None
    valid_until: date | None
    currency: str
    tax: Literal["net", "gross", "unknown"]
    tax_rate: Decimal | None
    stated_total: Decimal | None = Field(description="as the file sums it up, in its own currency and basis")
    computed_total: Decimal | None = Field(description="the same from quantities and unit prices")
    lines: tuple[PricedLine, ...]
    offered_net: Decimal | None
    filled_net: Decimal | None
    outside_net: Decimal | None = Field(description="of the offered, what the scope takes out")
    equal_net: Decimal | None
    equal_tax: Decimal | None
    equal_gross: Decimal | None
    over_term: OverTerm | None = None
    negotiable_net: Decimal = Field(
        description="what its lines would cost less at the lowest comparable price of another bid"
    )
    complete: bool = Field(description="nothing of the scope is missing without a price, or not known to be there")
    lead_days: int | None
    warranty_months: int | None
    matched: dict[str, int] = Field(default={}, description="lines by how they were matched; `mapped`: by a person")
    technical: Technical
    points: tuple[Points, ...]
    deducted_percent: Decimal = Field(default=Decimal(0), description="off its original price, for the evaluation")
    evaluation_price: Decimal | None = Field(default=None, description="that is scored; the contract is never at it")
    index: Decimal | None = Field(default=None, description="of the method: points per price, weighted difference")
    score: Decimal | None
    rank: int | None
    responsive: bool = Field(description="can be awarded: comparable, priced, clear, valid, runs and passes every rule")
    flags: tuple[Flag, ...]


class ScopeTerms(Strict):
    """What the buyer says of the scope: how a missing item is priced, what is demanded beside the rules, what is
    dropped (categories, numbers of items, lines as `B:12`)."""

    fill: FillPolicy
    demanded: tuple[str, ...]
    dropped: tuple[str, ...]


class SourceFile(Strict):
    """A file that bids were read from, and the map by which a person matched its lines; `map_date`: when that was last
    written."""

    file: str
    sha256: str = Field(description="of its bytes; blank where it can't be read")
    map_file: str = ""
    map_sha256: str = ""
    map_date: date | None = None


class Weight(Strict):
    """Points of a criterion; all of them come to 100. `own`: of the tender, by experts, under its `title`."""

    key: str
    weight: Decimal
    title: Text = ""
    own: bool = False


class Comparison(Document):
    """The answer of `dsopt compare --json` to bids."""

    schema_version: Literal["1"] = "1"
    kind: Literal["bids"] = "bids"
    not_comparable: tuple[Text, ...] = Field(default=(), description="first of all: bids that can't be compared, why")
    request: Request
    policy: dict[str, str]
    basis: Basis
    scope: ScopeTerms
    scoring: ScoringRules
    low_price: LowPriceRules | None
    ceiling: Decimal | None
    weights: tuple[Weight, ...]
    sources: tuple[SourceFile, ...] = ()
    bids: tuple[Bid, ...]
    items: tuple[Item, ...]
    lowest_equal_net: Decimal | None
    recommended: str | None = Field(description="best rank among the responsive bids")
    catalog_sha256: str
    throughput_model: str
    notes: tuple[Text, ...]

    @property
    def ok(self) -> bool:
        """Whether all bids can be compared."""
        return not any(bid.apart for bid in self.bids)
