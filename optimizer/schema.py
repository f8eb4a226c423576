"""Typed shape of what dsopt writes (Result) and of a build written by hand (BuildFile)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from constraints.request import CostAxis, Request
from optimizer.explanation.schema import NoBuild
from optimizer.strict import Money, Strict, TokS


class Embedded(Strict):
    """Catalog rows; a field at its default is left out."""

    parts: list[dict[str, Any]]
    offers: list[dict[str, Any]]
    bundles: list[dict[str, Any]]


class CatalogFacts(Strict):
    sha256: str = Field(description="over all catalog files read")
    parts: int
    offers: int
    oldest_price: str | None = Field(description="day, YYYY-MM-DD")
    newest_price: str | None = Field(description="day, YYYY-MM-DD")
    embedded: Embedded | None = Field(description="of --embed-catalog: the rows that the front rests on")


class ModelFacts(Strict):
    id: str
    name: str
    note: str
    source: str


class ThroughputModel(Strict):
    """What throughput rests on: the calibration's name, and a hash over its files and a user's own measurements."""

    calibration: str
    sha256: str


class FamilyFacts(Strict):
    """How a family (GPU, GPUs per node) was closed."""

    gpu: str
    per_node: int
    closed_by: Literal["bound", "cp_sat", "no_build"] = Field(
        description="bound: its price can't reach the staircase; cp_sat: INFEASIBLE under the staircase; "
        "no_build: no plan runs on the GPU, or no platform has all that a node needs"
    )
    least: list[Money] = Field(description="per step of the staircase: the family's bound; no more rows after the last")


class Families(Strict):
    closed_by_bound: int = Field(description="families")
    closed_by_cp_sat: int = Field(description="families")
    each: list[FamilyFacts] = Field(description="every family of the catalog; empty when the proof was stopped")


class StepFacts(Strict):
    """No build faster than this has parts that cost less than `below` (sum of lines, before support and tax)."""

    faster_than_tok_s: TokS
    below: Money


class Proof(Strict):
    status: Literal["optimal", "feasible", "infeasible"] = Field(
        description="feasible: stopped by the time limit, not proven; infeasible: proven that no build exists"
    )
    complete: bool
    scope: str = Field(description="what is proven, in a sentence")
    solver: str
    families: Families
    seconds: dict[str, float] = Field(description="wall time by phase, and `total`")
    version: str = Field(description="of the solver")
    parameters: dict[str, int] = Field(description="CP-SAT's")
    staircase: list[StepFacts] = Field(description="what the front claims, ascending; empty where it is not in money")


class Cost(Strict):
    """Decimal strings in `currency`."""

    parts: Money = Field(description="bought parts of the build")
    spares: Money
    support: Money = Field(description="percent of the policy, or by category as asked")
    tax: Money
    total: Money = Field(description="parts, spares, support and tax")
    estimated_share: float = Field(description="0 to 1: share of the sum of lines that rests on estimated prices")
    currency: str


class Throughput(Strict):
    output_tok_s: TokS = Field(description="of the whole build, in `unit`")
    low: float = Field(description="80 % of measurements lie between low and high")
    high: float = Field(description="in `unit`")
    basis: Literal["measured", "interpolated", "roofline"] = Field(
        description="interpolated: model or GPU was measured; roofline: neither"
    )
    source: str = Field(description="the measurement behind basis measured")
    per_user_tok_s: float | None = Field(description="null of training")
    ttft_ms: float | None = Field(description="null of training")
    concurrency: int = Field(description="requests, of training sequences, at once")
    unit: Literal["output tokens/s", "training tokens/s"]
    days: float | None = Field(description="of training with a token budget: days that it takes")


class TrainingFacts(Strict):
    """How a plan trains. Memory per GPU: gradients and optimizer states, layers gathered whole, activations."""

    method: Literal["lora", "full"]
    seq_len: int = Field(description="tokens")
    zero_stage: Literal[0, 3] = Field(description="ZeRO (Rajbhandari et al., SC 2020)")
    shard_gpus: int = Field(description="GPUs that share weights, gradients and optimizer states")
    micro_batch: int = Field(description="sequences of a tensor-parallel group at once")
    checkpointing: bool = Field(description="activations are made again in the backward pass")
    lora_rank: int | None = Field(description="null of full training")
    states_gb: float
    gathered_gb: float
    activations_gb: float


class HostFacts(Strict):
    """What a node's CPUs and memory give to routed experts in host memory."""

    experts_gb: float = Field(description="weights of the routed experts, GB of 1e9 bytes")
    room_gib: int = Field(description="memory of the node")
    bandwidth_gb_s: int = Field(description="memory bandwidth that the experts get")
    compute_gflops: int = Field(description="of the CPUs")


class PlanFacts(Strict):
    precision: str
    kv_precision: str
    tp: int = Field(description="tensor-parallel GPUs")
    pp: int = Field(description="pipeline stages")
    ep: int = Field(description="expert-parallel GPUs")
    dp: int = Field(description="data-parallel attention groups of a replica")
    replicas: int = Field(description="independent copies of the model")
    weights_gb: float = Field(description="on the fullest GPU, GB of 1e9 bytes")
    kv_gb: float = Field(description="KV cache on the fullest GPU")
    vram_gb: float = Field(description="all that the fullest GPU needs, with the reserve")
    engine: str = Field(description="software that serves or trains the model on this GPU")
    training: TrainingFacts | None = Field(description="null of serving")
    experts: Literal["gpu", "host"]
    host: HostFacts | None


class GpuFacts(Strict):
    part: str
    name: str
    per_node: int
    total: int


class PartQty(Strict):
    part: str
    qty: int = Field(ge=1, le=10**8)


class Node(Strict):
    count: int = Field(ge=1, le=1000)
    parts: list[PartQty] = Field(description="per node")


class Fx(Strict):
    currency: str
    usd_per_unit: str = Field(description="USD for one unit of `currency`")
    date: str = Field(description="YYYY-MM-DD")
    source: str


class BomLine(Strict):
    part: str
    category: str
    name: str
    vendor: str
    role: Literal["node", "shared", "spare", "included"]
    qty: int = Field(description="pieces in the whole build")
    pack_qty: int = Field(description="pieces in a pack that the price was of")
    origin: Literal["offer", "owned", "bundle", "included"] = Field(
        description="owned: in hand, at price 0; bundle: a kit's own line (category bundle) and its parts at price 0"
    )
    offer_id: str | None = Field(description="of a bundle's lines the bundle")
    unit_price: Money
    line_total: Money = Field(description="qty x unit_price")
    currency: str
    condition: str | None
    price_date: str | None = Field(description="YYYY-MM-DD")
    price_confidence: str | None
    price_source: str | None
    stale: bool = Field(description="older than policy's freshness")
    seller: str | None
    lead_time_days: int | None


class CheckFacts(Strict):
    rule: str
    status: Literal["pass", "warn", "fail"]
    measured: float | None = Field(description="in `unit`; null of a yes-or-no finding")
    limit: float | None = Field(description="in `unit`: a most or a least, as the rule says")
    unit: str
    text: str


class Checked(Strict):
    """Every rule on one build; `node_w` is the load of a node in W with its fans."""

    build: str
    gpus: int
    gpu: str
    per_node: int
    nodes: int
    node_w: int
    ok: bool = Field(description="no rule fails")
    checks: list[CheckFacts]


class PowerFacts(Strict):
    node_w: int = Field(description="worst-case load of a node with its fans")
    total_w: int = Field(description="all nodes and shared gear")


class Energy(Strict):
    kwh_year: int = Field(description="at the policy's average load, with pue")
    cost_year: str = Field(description="kwh_year at the policy's energy.price_per_kwh")
    pue: str = Field(description="power usage effectiveness of the room")


class RowFacts(Strict):
    """Hardware facts that throughput depends on, beside GPU, GPUs per node and nodes; 0 where no plan needs them."""

    cap_w: int = Field(description="power limit of a GPU")
    domain: int = Field(description="GPUs joined by the fast fabric")
    pcie_gen: int = Field(description="of the GPU's host link")
    lanes: int = Field(description="of the GPU's host link")
    net: Literal["none", "pp", "rdma"] = Field(description="between nodes: pp carries pipeline stages, rdma everything")
    net_gbit_s: int = Field(description="per node for pp, per GPU for rdma")
    host_gb_s: int = Field(ge=0, le=10**9, description="memory bandwidth of a node's CPUs")
    host_gb: int = Field(ge=0, le=10**9, description="memory for experts in a node")
    host_gflops: int = Field(ge=0, le=10**12, description="of a node's CPUs")


class AxisFacts(Strict):
    """What the front ascends in besides throughput."""

    name: CostAxis
    unit: str = Field(description="a currency, W, U or days")


class FrontPoint(Strict):
    id: str = Field(description="p1, p2, ... in ascending order")
    axis_cost: str = Field(description="cost on the front's axis; of money the total")
    cost: Cost
    throughput: Throughput
    plan: PlanFacts
    gpus: GpuFacts
    nodes: list[Node] = Field(description="one kind of node")
    shared: list[PartQty] = Field(description="parts beside the nodes: switches, racks, PDUs")
    bom: list[BomLine]
    equivalents: list[dict[str, Any]] = Field(description="parts that could stand in at the same cost and throughput")
    checks: list[CheckFacts]
    power: PowerFacts
    energy: Energy
    rack_units: int = Field(description="U that the build takes")
    racks: int
    row: RowFacts


class Message(Strict):
    code: str
    severity: Literal["note", "warning"]
    text: str


class Result(Strict):
    """The answer of `dsopt solve --json`."""

    schema_version: Literal["1"]
    request: Request
    policy: dict[str, str] = Field(description="keys changed from the default, as decimal strings")
    catalog: CatalogFacts
    fx: list[Fx] = Field(description="exchange rates in force")
    model: ModelFacts
    throughput_model: ThroughputModel
    proof: Proof
    axis: AxisFacts
    front: list[FrontPoint] = Field(description="ascending in cost and in throughput; no point is dominated")
    named: dict[str, str] = Field(description="fastest, cheapest, value (most tok/s per money) -> id")
    recommended: str | None = Field(
        description="id: the fastest within a budget, else the cheapest; null without builds"
    )
    messages: list[Message]
    explanation: NoBuild | None = Field(default=None, description="of a request that no build meets")


class BestBuild(Strict):
    """The recommended build of one model (and of those with the same figures) within the request."""

    model: ModelFacts
    same: list[str]
    params_total: int
    status: Literal["optimal", "feasible", "infeasible"]
    point: FrontPoint | None
    least_cost: str | None = Field(description="where the budget is too small: what the cheapest build costs")
    reason: str


class BestBuilds(Strict):
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
    precision: str | None = None
    parts: dict[str, int] = Field(description="per node: part -> quantity")
    shared: dict[str, int] = Field(default_factory=dict, description="in all: part -> quantity")
    workload: str = "chat"
    users: int | None = None
    dataset_tb: float | None = Field(default=None, description="training set on disk")
    offload: bool = Field(default=False, description="plans with routed experts in host memory too")
    min_precision: Literal["4bit", "8bit", "16bit"] | None = None
    min_tok_s_user: float = Field(default=10, description="output tok/s that each user sees at least")
    have: list[Literal["racks", "network"]] = Field(default=[], description="what the site has already")
    site_water: bool = False
    raw: list[dict[str, Any]] = Field(
        default=[],
        description="figures of parts that no catalog knows: kind, id and the columns of that kind; price_usd",
    )
    expect: dict[str, list[str]] = Field(default={}, description="for tests: the rules that fail")
