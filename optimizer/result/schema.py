"""Typed shape of what dsopt writes (Result) and of a build written by hand (BuildFile)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from catalogs.schema import MarketCode
from constraints.request import CostAxis, Grade, Request
from optimizer.result.document import Document, MessageParts, Text
from optimizer.result.explanation_schema import NoBuild
from optimizer.result.graded_request import GradedRequest
from optimizer.result.point_schema import CheckFacts, FrontPoint
from optimizer.result.strict import Money, Strict, TokS

if TYPE_CHECKING:
    import pandas as pd


class Embedded(Strict):
    """Catalog rows; a field at its default is left out."""

    parts: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    bundles: list[dict[str, Any]]
    price_index: list[dict[str, Any]] = Field(default=[], description="points of the indices of the parts' categories")
    qualified_gpus: list[dict[str, Any]] = Field(default=[], description="GPUs that makers list for their machines")


class CatalogFacts(Strict):
    sha256: str = Field(description="over all catalog files read")
    parts: int
    offers: int
    oldest_price: str | None = Field(description="day, YYYY-MM-DD, of those that somebody read")
    newest_price: str | None = Field(description="day, YYYY-MM-DD, of those that somebody read")
    embedded: Embedded | None = Field(description="of --embed-catalog: the rows that the front rests on")


class ModelFacts(Strict):
    id: str
    name: str
    note: Text
    source: str


class ThroughputModel(Strict):
    """What throughput rests on: the calibration's name, and a hash over its files and a user's own measurements."""

    calibration: str
    sha256: str


class RefusedFacts(Strict):
    """What a rule refused of a family before any model was built: no build of it passes the rule."""

    of: Literal["family", "platform", "part", "row"] = Field(
        description="family: as such; platform: those in `platforms`; part: all parts on sale of a category that "
        "`platforms` need; row: performance rows"
    )
    rule: str
    reason: Text = Field(description="of parts: what is said of the first")
    number: int = Field(description="of families, platforms, parts or rows refused for this reason")
    platforms: list[str] = Field(description="ids; empty of a family and of rows")


class RefusedPartFacts(Strict):
    """A part on sale that no platform of the families takes, for a rule's sake."""

    part: str
    rule: str
    reason: Text = Field(description="that the rule gives most often")


class FamilyFacts(Strict):
    """How a family (GPU, GPUs per node) was closed."""

    gpu: str
    per_node: int
    closed_by: Literal["bound", "cp_sat", "no_build"] = Field(
        description="bound: its price can't reach the staircase; cp_sat: INFEASIBLE under the staircase; "
        "no_build: no plan runs on the GPU, or no platform has all that a node needs"
    )
    least: list[Money] = Field(description="per step of the staircase: the family's bound; no more rows after the last")
    refused: list[RefusedFacts] | None = Field(
        default=None, description="what rules refused of it early; null in results saved before it was kept"
    )


class Families(Strict):
    closed_by_bound: int = Field(description="families")
    closed_by_cp_sat: int = Field(description="families")
    each: list[FamilyFacts] = Field(description="every family of the catalog; empty when the proof was stopped")
    refused_parts: list[RefusedPartFacts] | None = Field(
        default=None,
        description="parts on sale that rules refuse in every platform, empty when the proof was stopped; null in "
        "results saved before it was kept",
    )


class StepFacts(Strict):
    """No build faster than this has parts that cost less than `below` (sum of lines, before support and tax)."""

    faster_than_tok_s: TokS
    below: Money


class Proof(Strict):
    status: Literal["optimal", "feasible", "infeasible"] = Field(
        description="feasible: stopped by the time limit, not proven; infeasible: proven that no build exists"
    )
    complete: bool
    scope: Text = Field(description="what is proven, in a sentence")
    solver: str
    families: Families
    seconds: dict[str, float] = Field(description="wall time by phase, and `total`")
    version: str = Field(description="of the solver")
    parameters: dict[str, int] = Field(description="CP-SAT's")
    staircase: list[StepFacts] = Field(description="what the front claims, ascending; empty where it is not in money")


class Fx(Strict):
    currency: str
    usd_per_unit: str = Field(description="USD for one unit of `currency`, to 12 digits where `units_per_usd` is set")
    units_per_usd: str | None = Field(
        default=None, description="units of `currency` for one USD: set where the rate is quoted so, and exact so"
    )
    date: str = Field(description="YYYY-MM-DD")
    source: str


class Checked(Strict):
    """Every rule on one build; `node_w` is the load of a node in W with its fans, on its supplies."""

    build: str
    gpus: int
    gpu: str = Field(description="its name; of unlike cards each with their number")
    kinds: int = Field(default=1, description="kinds of GPUs in a node")
    per_node: int
    nodes: int
    node_w: int
    currency: str = Field(default="USD", description="of the three sums below")
    net: Money | None = Field(default=None, description="the total without tax; null where the parts can't be had")
    tax: Money | None = Field(default=None, description="null where the parts can't be had")
    total: Money | None = Field(default=None, description="with support and tax; null where the parts can't be had")
    unpriced: list[str] = Field(
        default=[], description="parts without a price: the three sums are at least, or null where nothing has one"
    )
    unknown: list[str] = Field(
        default=[], description="categories of which it is not known what the machine has; in none of the sums"
    )
    ok: bool = Field(description="no rule fails")
    faster_without: Text = Field(default="", description="of unlike cards slower than the faster ones alone: how much")
    checks: list[CheckFacts]


class AxisFacts(Strict):
    """What the front ascends in besides throughput."""

    name: CostAxis
    unit: str = Field(description="a currency, W, U or days")


class Message(Strict):
    """A remark: its English text, and what it was made of, for programs and for other languages."""

    code: str
    severity: Literal["note", "warning"]
    text: str
    key: str = Field(default="", description="the English sentence with {names} for its values; empty in old results")
    values: dict[str, str | MessageParts] = Field(
        default_factory=dict, description="by name; a value may be a message itself"
    )


class Result(Document):
    """The answer of `dsopt solve --json`."""

    schema_version: Literal["1"]
    request: GradedRequest
    policy: dict[str, str] = Field(description="keys changed from the default, as decimal strings")
    catalog: CatalogFacts
    fx: list[Fx] = Field(description="exchange rates in force")
    model: ModelFacts
    throughput_model: ThroughputModel
    proof: Proof
    axis: AxisFacts
    front: list[FrontPoint] = Field(description="ascending in cost and in throughput; no point is dominated")
    named: dict[str, str | None] = Field(
        description="fastest, cheapest, value (most tok/s per money), read (the fastest of which policy "
        "named.read_percent of the money goes to prices that somebody read; null: none) -> id"
    )
    recommended: str | None = Field(
        description="id: with users or a load asked for, the cheapest that serves them at the lower end of its "
        "interval; with a budget alone, the fastest; else the cheapest; null without builds"
    )
    messages: list[Message]
    explanation: NoBuild | None = Field(default=None, description="of a request that no build meets")

    def to_frame(self, table: Literal["front", "bill"] = "front") -> pd.DataFrame:
        """The front, or the bills of materials of all its points, as a pandas DataFrame.

        Columns are named by their paths in the JSON (`cost.total`, `throughput.output_tok_s`). Money is Decimal, exact
        to the cent; what is unknown is `<NA>`.

        Parameters:
            table: `front`: a row for each point under its id, `named` says which is cheapest, fastest, value and
                recommended. `bill`: a row for each line, `point` says whose.
        """
        if table not in ("front", "bill"):
            raise ValueError(f"a result has no table {table!r}: front or bill")
        from optimizer.result import frames

        return frames.bill(self.front) if table == "bill" else frames.front(self.front, self.named, self.recommended)


class BestBuild(Strict):
    """The recommended build of one model (and of those with the same figures) within the request."""

    model: ModelFacts
    same: list[str]
    params_total: int
    status: Literal["optimal", "feasible", "infeasible"]
    point: FrontPoint | None
    least_cost: str | None = Field(description="where the budget is too small: what the cheapest build costs")
    reason: Text


class BestBuilds(Document):
    """The answer of `dsopt solve --json` without a model. The request's own model is a placeholder."""

    schema_version: Literal["1"]
    request: Request
    policy: dict[str, str]
    throughput_model: ThroughputModel
    complete: bool
    models: list[BestBuild]


class BuildFile(Strict):
    """A build written by hand: quantities by part id or plain name, per node and shared."""

    model: str
    nodes: int = Field(default=1, ge=1, le=1000)
    market: MarketCode | Literal["any"] | None = Field(default=None, description="where it is bought; without it US")
    precision: str | None = None
    parts: dict[str, int] = Field(description="per node: part -> quantity")
    shared: dict[str, int] = Field(default_factory=dict, description="in all: part -> quantity")
    unknown: list[Literal["memory", "drive", "nic", "psu", "cooling"]] = Field(
        default=[], description="categories of which it is not known what the machine has: not judged, with a warning"
    )
    memory_gb: int | None = Field(
        default=None, ge=1, le=1_000_000, description="RAM of a node, where nothing but its capacity is known"
    )
    storage_gb: int | None = Field(
        default=None, ge=1, le=100_000_000, description="drives of a node, where nothing but their capacity is known"
    )
    workload: str = "chat"
    users: int | None = None
    dataset_tb: float | None = Field(default=None, description="training set on disk")
    offload: bool = Field(default=False, description="plans with routed experts in host memory too")
    allow_experimental: bool = Field(default=False, description="engines marked experimental count")
    min_precision: Literal["4bit", "8bit", "16bit"] | None = None
    grade: Grade = Field(default="floor", description="what it is judged by: floor, common or full")
    kv_precision: Literal["bf16", "fp8", "q8_0"] | None = Field(default=None, description="of the KV cache")
    speculate: Literal["mtp", "mtp1", "mtp2", "mtp3", "mtp4", "mtp5"] | None = Field(
        default=None, description="tokens that the checkpoint's module proposes per step; mtp: its memory alone"
    )
    cached_share_percent: int | None = Field(
        default=None, ge=0, le=100, description="of a prompt's tokens, found in the prefix cache"
    )
    min_tok_s_user: float = Field(default=10, description="output tok/s that each user sees at least")
    have: list[Literal["racks", "network"]] = Field(default=[], description="what the site has already")
    site_water: bool = False
    raw: list[dict[str, Any]] = Field(
        default=[],
        description="figures of parts that no catalog knows: kind, id and the columns of that kind; price_usd",
    )
    expect: dict[str, list[str]] = Field(default={}, description="for tests: the rules that fail")
