"""Typed shape of an X-ray. Money is decimal text in `currency`, net of tax, unless a field says otherwise."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from constraints.request import Request
from optimizer.explanation.mend.mended import Mended
from optimizer.procurement.reading.document import How
from optimizer.result.document import Document, Text
from optimizer.result.point_schema import CheckFacts, PartQty, Throughput
from optimizer.result.strict import Money, Strict

Mark = Literal["ok", "above", "below", "no-catalog-price", "not-comparable", "in-another-line", "not-placed", "service"]
ARITHMETIC = (
    "line-arithmetic", "discount-arithmetic", "subtotal-arithmetic", "sum-arithmetic", "tax-arithmetic",
    "words-arithmetic", "tax-counted-twice", "part-conflict", "size-conflict", "figure-conflict",
)  # fmt: skip
"""Issues of the reader that make an X-ray fail: amounts that are wrong, and a part that is not what its text says."""


class Basis(Strict):
    """On what all amounts were made comparable."""

    currency: str
    quote_currency: str = Field(description="blank: the quote names none")
    usd_per_quote_unit: str | None = Field(description="null: no exchange rate is known")
    usd_per_unit: str
    rate_source: str
    tax: Literal["net", "gross", "unknown"] = Field(description="of the quote's prices")
    tax_rate: str | None = Field(description="percent; of the quote, or given by the buyer where it says none")
    text: Text


class XLine(Strict):
    """A line of the quote. Unit prices are per piece, net, in the X-ray's currency.

    `how`: the way it was matched. Of parts at no price of their own the catalog's price counts in the line that
    carries them (`carries`: rows)."""

    row: int
    role: Literal["part", "service"]
    text: Text
    how: How
    score: int
    part: str | None
    name: str
    suggestions: list[str]
    reason: Text
    pieces: int | None
    optional: bool
    included: bool
    stated_price: str | None = Field(description="as the quote says it, in its own currency and tax")
    unit: Money | None
    amount: Money | None
    catalog_unit: Money | None = Field(description="with the parts that the line carries")
    catalog_amount: Money | None
    catalog_price: Text = Field(description="day, confidence and seller of the catalog's price; or why there is none")
    difference_percent: float | None = Field(description="of the amount, against the catalog's")
    mark: Mark
    carries: list[int]
    issues: list[Text]


class Finding(Strict):
    """What does not add up; amounts as the quote states them."""

    code: str
    severity: Literal["error", "warning", "note"]
    row: int | None
    text: Text
    stated: str | None
    computed: str | None
    difference: str | None


class Missing(Strict):
    """A part that the build needs and the quote lacks. `reminder`: nothing that a rule demands."""

    what: str
    qty: int | None = Field(description="pieces in all; null where it is a size")
    text: Text
    rule: str
    reminder: bool = False
    suggestion: list[PartQty] = Field(default=[], description="parts of the catalog that would fill it")
    cost: Money | None = Field(default=None, description="of the suggestion, by the catalog's prices")


class Unjudged(Strict):
    """A rule, or a part that the build may lack, which is left open: a line that was matched with nothing may be it."""

    rule: str
    what: str = Field(default="", description="the part; blank for a rule")
    text: Text
    where: Text = Field(description="`row 15`, `rows 8, 9`")
    rows: list[int]


class MemoryFacts(Strict):
    """How the memory channels of a node are filled."""

    modules: int
    channels: int
    full: list[int] = Field(description="numbers of modules that fill every channel equally")
    status: Literal["pass", "warn", "fail"]
    text: Text


class SupplyFacts(Strict):
    """Supplies of a node against its worst-case load."""

    load_w: int
    limit_w: int
    fitted: int
    needed: int
    watts: int
    status: Literal["pass", "warn", "fail"]
    text: Text


class BuildFacts(Strict):
    """The build as far as lines matched."""

    nodes: int
    gpu: str
    per_node: int
    node_w: int
    node: list[PartQty]
    shared: list[PartQty]
    left_over: list[PartQty] = Field(description="pieces beyond equal nodes")


class Stated(Strict):
    """A sum as the quote states it."""

    row: int
    label: str
    kind: str
    amount: str


class Totals(Strict):
    """Net, in the X-ray's currency. `hardware` = parts placed in the build and not; optional lines are in no sum."""

    stated: list[Stated]
    hardware: Money | None
    of_it_not_placed: Money | None = Field(description="lines that are no part of the build")
    services: Money | None
    rebates: Money | None = Field(default=None, description="on the whole, below 0; held to be on hardware")
    net: Money | None
    tax: Money | None = Field(
        default=None, description="on the net sum, at the basis' tax_rate; null: no rate is known"
    )
    gross: Money | None = Field(default=None, description="net and tax")
    unpriced_rows: list[int]
    compared: Money | None = Field(description="lines that the catalog prices too")
    compared_catalog: Money | None
    compared_percent: float | None


class Beside(Strict):
    """A build of the catalog beside the quoted one. Percent against the quote's hardware and its throughput, that of
    the mended build where the quoted one does not run."""

    gpus: str
    total: Money
    estimated_share: float
    throughput: Throughput
    precision: str
    power_kw: float
    money_percent: float | None
    throughput_percent: float | None
    parts: list[PartQty]
    names: list[str]


class Instead(Strict):
    """What the money would buy at the catalog's prices. `as_fast`: the cheapest build at least as fast as the quoted
    one, or as the mended one where the quoted one does not run."""

    budget: Money
    text: Text
    fastest: Beside | None
    as_fast: Beside | None
    as_fast_as: Literal["quoted", "mended", ""]
    cheapest: Beside | None = Field(description="where nothing is to be had for the budget")
    proof: Literal["optimal", "feasible", "infeasible"]


class XRay(Document):
    """A vendor's quote seen through. `ok`: a purchase, every rule of it judged, none failed, and no amount wrong."""

    schema_version: Literal["1"] = "1"
    kind: Literal["xray"] = "xray"
    source: str
    sheet: str
    vendor: str
    quote_no: str
    quote_date: date | None
    valid_until: date | None
    request: Request
    policy: dict[str, str]
    catalog_sha256: str
    basis: Basis
    above_percent: str
    below_percent: str
    not_comparable: list[Text] = Field(default=[], description="why its prices are no purchase's, first of all")
    summary: list[Text]
    lines: list[XLine]
    findings: list[Finding]
    notices: list[Text]
    scope: Text = Field(description="what was taken for the build, and what was not")
    build: BuildFacts | None
    checks: list[CheckFacts]
    not_judged: list[Unjudged] = Field(default=[], description="neither passed nor failed")
    missing: list[Missing]
    memory: MemoryFacts | None
    supplies: SupplyFacts | None
    throughput: Throughput | None
    precision: str
    totals: Totals
    instead: Instead | None
    mended: Mended | None
    mended_among: Text = Field(description="the builds of which the mended one is the nearest, in words")
    ok: bool
