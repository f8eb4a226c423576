"""Typed shape of one point of a front: costs, throughput, plan, parts, checks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from optimizer.result.document import Text
from optimizer.result.strict import Money, Strict, TokS


class PriceShares(Strict):
    """0 to 1: shares of the sum of lines, by what their prices rest on."""

    read: float = Field(description="somebody read them, fresh or stale")
    indexed: float = Field(description="somebody read them, and their category's index brought them to `as_of`")
    estimated: float = Field(description="nobody has quoted them")


class Cost(Strict):
    """Decimal strings in `currency`."""

    parts: Money = Field(description="bought parts of the build")
    spares: Money
    support: Money = Field(description="percent of the policy, or by category as asked")
    net: Money = Field(description="parts, spares and support")
    tax: Money = Field(description="at the policy's money.tax_percent on the net sum; 0 where no tax is added")
    total: Money = Field(description="net and tax")
    low: Money = Field(
        description="total at the low end of its range: bands of one category added up, those of several in quadrature"
    )
    high: Money = Field(description="total at the high end; both around the middle of every price")
    shares: PriceShares
    estimated_share: float = Field(description="0 to 1: share of the sum of lines that rests on estimated prices")
    currency: str


class AtLoadFacts(Strict):
    """What the build gives to the users asked for; of a mean load, to the fewest requests at once that reach the
    tokens per second of the busiest hour."""

    users: int = Field(description="requests at once, spread evenly over the replicas")
    tok_s: TokS = Field(description="output tokens/s of all of them together")
    per_user_tok_s: float
    ttft_ms: float


class Throughput(Strict):
    output_tok_s: TokS = Field(description="of the whole build, in `unit`")
    low: float = Field(description="80 % of measurements lie between low and high")
    high: float = Field(description="in `unit`")
    basis: Literal["measured", "interpolated", "roofline"] = Field(
        description="interpolated: model or GPU was measured; roofline: neither, or not at such a load"
    )
    source: str = Field(description="the measurement behind basis measured")
    per_user_tok_s: float | None = Field(description="null of training")
    ttft_ms: float | None = Field(description="null of training")
    concurrency: int = Field(description="requests, of training sequences, at once")
    unit: Literal["output tokens/s", "training tokens/s"]
    days: float | None = Field(description="of training with a token budget: days that it takes")
    at_load: AtLoadFacts | None = Field(
        default=None, description="with users or a load asked for; the other figures are of the build filled up"
    )


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


class PrefillFacts(Strict):
    """Nodes that only prefill, where prefill and decode are apart, and what goes from them to the nodes that decode."""

    nodes: int = Field(description="that prefill: the first ones of the build")
    decode_nodes: int = Field(description="all others")
    tp: int = Field(description="tensor-parallel GPUs")
    pp: int = Field(description="pipeline stages")
    ep: int = Field(description="expert-parallel GPUs")
    dp: int = Field(description="data-parallel attention groups of a replica")
    replicas: int = Field(description="independent copies of the model")
    redundant_experts: int = Field(description="copies of routed experts that even them out over ep")
    prompts: int = Field(description="whose KV cache all these nodes have memory for")
    weights_gb: float = Field(description="on the fullest GPU, GB of 1e9 bytes")
    kv_gb: float = Field(description="KV cache on the fullest GPU")
    vram_gb: float = Field(description="all that the fullest GPU needs, with the reserve")
    requests_s: float = Field(description="that both halves serve in balance, per second, rounded up")
    kv_gbit_s: float = Field(description="what their KV caches take of each GPU's link, sending or receiving")


class PlanFacts(Strict):
    """A plan. Where prefill and decode are apart, its sizes and memory are of the nodes that decode."""

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
    redundant_experts: int = Field(default=0, description="copies of routed experts that even them out over ep")
    engine: str = Field(description="engine and release that start this plan on this GPU")
    kernel_class: str = Field(default="", description="what engines build kernels for: SM90, SM100, SM120, CDNA3, ...")
    launch: list[str] = Field(
        default=[], description="commands that serve the plan, one per node and engine instance, in this order; "
        "placeholders in angle brackets"
    )  # fmt: skip
    launch_note: Text = Field(default="", description="what must be said of the commands, or why there are none")
    training: TrainingFacts | None = Field(description="null of serving")
    experts: Literal["gpu", "host"]
    tables: Literal["", "gpu", "host"] = Field(default="", description="where n-gram tables lie; empty: there are none")
    host: HostFacts | None
    prefill: PrefillFacts | None = Field(
        default=None, description="nodes that only prefill; null where the same nodes prefill and decode"
    )


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
    price_date: str | None = Field(description="YYYY-MM-DD on which somebody read it; null of an estimate")
    price_confidence: str | None
    price_state: Literal["read", "indexed", "estimate"] | None = Field(
        description="indexed: an old price that its category's index brought to `as_of`; null of what has no offer"
    )
    read_price: Money | None = Field(description="unit price that was read, where `unit_price` is another")
    holds_for: Literal["", "configured", "loose"] = Field(description="purchase for which the price holds; empty: any")
    price_source: str | None
    stale: bool = Field(description="read, older than policy's freshness, and in no index")
    seller: str | None
    lead_time_days: int | None


class CheckFacts(Strict):
    rule: str
    status: Literal["pass", "warn", "fail"]
    measured: float | None = Field(description="in `unit`; null of a yes-or-no finding")
    limit: float | None = Field(description="in `unit`: a most or a least, as `relation` says")
    unit: str
    text: Text = Field(description="a sentence that says the status and both figures")
    relation: Literal["", "at_most", "at_least"] = Field(
        default="", description="how the measured value has to stand to the limit"
    )


class PowerFacts(Strict):
    node_w: int = Field(description="worst-case load of a node with its fans, on its supplies")
    node_wall_w: int = Field(description="what a node takes from the wall for it, with the losses of its supplies")
    total_w: int = Field(description="all nodes and shared gear, at the wall")
    heat_btu_h: int = Field(description="the same as heat: 3.412142 BTU/h for a watt")


class CircuitNeed(Strict):
    amps: int = Field(description="A that its breaker is rated for")
    volts: int = Field(description="V; of three phases between two of them")
    phases: int = Field(description="1 or 3")
    count: int
    of: Literal["build", "rack", "nodes"] = Field(
        description="build: the one asked for; rack: two feeds for each rack, each able to carry it alone; "
        "nodes: nodes outside racks"
    )


class SupplyNeed(Strict):
    fitted: int = Field(description="inlets of a node")
    needed: int = Field(description="supplies that carry it when the spare ones have failed")
    inlet: str | None = Field(description="IEC 60320 sheet; null where nobody states it")
    volts: int = Field(description="V at its inlet")
    amps: float = Field(description="A that each takes then")


class SiteFacts(Strict):
    """What a build asks of the site and of its sellers."""

    circuits: list[CircuitNeed] = Field(description="empty where the site's racks feed it, or nobody says")
    supplies: SupplyNeed | None = Field(description="null where the supply is built in")
    noise_dba: float | None = Field(description="of a node; null where nobody states it")
    lead_days: int | None = Field(description="the longest that an offer states")
    undated_lines: int = Field(description="lines ordered that state no lead time")
    ready: str | None = Field(description="YYYY-MM-DD on which all can be there; null where a line says nothing")
    power: Text
    heat: Text
    delivery: Text
    ask: list[Text] = Field(max_length=3, description="prices and facts that move the answer most, the first the most")


class Energy(Strict):
    kwh_year: int = Field(description="at the policy's average load, with pue")
    price_per_kwh: str = Field(
        description="in the request's currency: the buyer's own, else the default's USD converted"
    )
    cost_year: str = Field(description="kwh_year at price_per_kwh")
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
    tables_gb: int = Field(default=0, ge=0, le=10**9, description="memory for n-gram tables in a node, with the system")


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
    unquoted: list[str] = Field(description="parts whose price is an estimate: nobody has quoted one")
    equivalents: list[dict[str, Any]] = Field(description="parts that could stand in at the same cost and throughput")
    checks: list[CheckFacts]
    power: PowerFacts
    site: SiteFacts
    energy: Energy
    rack_units: int = Field(description="U that the build takes")
    racks: int
    row: RowFacts
