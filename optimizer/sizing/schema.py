"""Typed shape of what `dsopt size --json` writes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from optimizer.result.document import Document, Text
from optimizer.result.strict import Strict

Basis = Literal["measured", "interpolated", "roofline"]


class SizedModel(Strict):
    id: str
    name: str
    note: Text


class SizedBy(Strict):
    """What throughput rests on: the calibration's name, and a hash over its files and a user's own measurements."""

    calibration: str
    sha256: str


class UsersRow(Strict):
    """A number of users at the plan that is best for it."""

    users: int = Field(description="requests that users make at once")
    per_user_tok_s: float = Field(description="output tok/s that each running request sees")
    output_tok_s: float = Field(description="of the whole setup")
    low: float = Field(description="80 % of measurements lie between low and high, tok/s")
    high: float = Field(description="tok/s")
    basis: Basis
    source: str = Field(description="the measurement behind basis measured")
    ttft_ms: float = Field(description="time to first token, with the wait for a place")
    precision: str
    tp: int = Field(description="tensor-parallel GPUs")
    pp: int = Field(description="pipeline stages")
    dp: int = Field(description="data-parallel attention groups of a replica")
    ep: int = Field(description="expert-parallel GPUs")
    redundant_experts: int = Field(default=0, description="copies of routed experts that even them out over ep")
    replicas: int = Field(description="independent copies of the model")
    at_once: int = Field(description="requests that run at once; the rest waits")
    cut: Text = Field(description="latency limit or memory that stands against this many users, in words; else empty")


class LoadFacts(Strict):
    """The load asked for (output tok/s; requests per second of the busiest hour) and what it does to the setup."""

    mean_tok_s: float
    peak_tok_s: float
    needed_tok_s: float = Field(
        description="peak_tok_s over the share that may be used (policy load.utilisation_percent)"
    )
    requests_s: float
    utilisation: float | None = Field(
        default=None, description="0 to 1 in the busiest hour; above 1 the load is not served"
    )
    requests_at_once: float | None = Field(default=None, description="Little's law")
    mean_wait_s: float | None = Field(default=None, description="M/M/c, Erlang C; null where the load is not served")


class SecondOpinion(Strict):
    """The figure of another engine for the same setup."""

    engine: str
    version: str
    output_tok_s: float
    ttft_ms: float | None = Field(description="time to first token")
    tpot_ms: float | None = Field(description="time per output token")
    concurrency: int | None = Field(description="requests at once")
    plan: Text


class SizedCard(Strict):
    """A card of a mix with the layers that it holds, in the order of layers. Memory in GB of 1e9 bytes."""

    gpu: str
    name: str
    first_layer: int = Field(description="counted from 1")
    last_layer: int = Field(description="counted from 1")
    weights_gb: float
    kv_gb: float
    reserve_gb: float
    needed_gb: float = Field(description="weights, KV cache and reserve")
    vram_gb: float = Field(description="usable memory of the card")


class SizedHalf(Strict):
    """Nodes that prefill alone, or decode alone, with the plan of their replicas."""

    nodes: int
    tp: int = Field(description="tensor-parallel GPUs")
    pp: int = Field(description="pipeline stages")
    dp: int = Field(description="data-parallel attention groups of a replica")
    ep: int = Field(description="expert-parallel GPUs")
    redundant_experts: int = Field(description="copies of routed experts that even them out over ep")
    replicas: int = Field(description="independent copies of the model")


class SizedApart(Strict):
    """Prefill and decode on nodes of their own: the best split of whole nodes, at `users` requests at once."""

    plan: Text = Field(description="2 nodes prefill tp8 + 3 nodes decode dp8 ep8 x3")
    engine: str
    precision: str
    kv_precision: str
    prefill: SizedHalf
    decode: SizedHalf
    users: int = Field(description="requests at once in both halves")
    output_tok_s: float = Field(description="of the whole setup")
    low: float = Field(description="80 % of measurements lie between low and high, tok/s")
    high: float = Field(description="tok/s")
    basis: Basis
    per_user_tok_s: float = Field(description="output tok/s that each running request sees")
    ttft_ms: float = Field(description="time to first token: waiting, prefill, handing over")
    tpot_ms: float = Field(description="time per output token")
    requests_s: float = Field(description="requests per second that both halves serve in balance")
    prefill_busy: float = Field(description="share of the time in which the nodes that prefill do so; 1: they bind")
    handing_over_ms: float = Field(description="time in which a prompt's KV cache goes over the network")
    network_gbit_s: int = Field(description="of each GPU")
    launch: list[str] = Field(
        default=[], description="commands of the nodes that prefill, of those that decode, and of the router"
    )
    launch_note: Text = Field(default="", description="what a reader of the commands has to know")


class Sized(Strict):
    """One GPU setup. Memory is of the fullest GPU, in GB of 1e9 bytes; figures are of `users` requests at once."""

    gpu: str
    name: str
    kinds: int = Field(default=1, description="kinds of GPUs; of several `gpu` and `name` say each with its number")
    per_node: int
    nodes: int
    gpus: int
    fits: bool
    judged: bool = Field(default=True, description="false where nobody publishes what its speed is reckoned from")
    reason: Text = Field(default="", description="why it does not fit or is not judged")
    counts: Text = Field(default="", description="where nothing divides by this number of GPUs: the numbers that do")
    missing_gb: float = Field(default=0, description="per GPU, of the leanest plan; 0 when it fits")
    precision: str = ""
    kv_precision: str = ""
    tp: int | None = Field(default=None, description="tensor-parallel GPUs")
    pp: int | None = Field(default=None, description="pipeline stages")
    dp: int | None = Field(default=None, description="data-parallel attention groups of a replica")
    ep: int | None = Field(default=None, description="expert-parallel GPUs")
    redundant_experts: int = Field(default=0, description="copies of routed experts that even them out over ep")
    replicas: int | None = Field(default=None, description="independent copies of the model")
    engine: str = ""
    weights_gb: float | None = None
    kv_gb: float | None = None
    reserve_gb: float | None = Field(default=None, description="kept free for engine and graphs")
    needed_gb: float | None = Field(default=None, description="weights, KV cache and reserve")
    vram_gb: float | None = Field(default=None, description="usable memory of a GPU")
    ram_gb: int = Field(default=0, description="RAM that each node needs for n-gram tables in host memory; 0: for none")
    host_memory: Text = Field(default="", description="what lies in host memory, in words; empty for nothing")
    users: int | None = Field(default=None, description="requests at once of the best plan")
    output_tok_s: float | None = Field(default=None, description="of the whole setup")
    low: float | None = Field(default=None, description="80 % of measurements lie between low and high, tok/s")
    high: float | None = Field(default=None, description="tok/s")
    basis: Basis | None = None
    source: str = ""
    beyond: Text = Field(
        default="", description="what a load beyond the measured ones means for the figures; else empty"
    )
    per_user_tok_s: float | None = None
    ttft_ms: float | None = Field(default=None, description="time to first token")
    tpot_ms: float | None = Field(default=None, description="time per output token")
    load: LoadFacts | None = None
    cards: list[SizedCard] = Field(default=[], description="of a mix of unlike cards; else empty")
    launch: list[str] = Field(default=[], description="of a mix: the command that starts the plan")
    launch_note: Text = Field(default="", description="what a reader of the command has to know")
    faster_without: Text = Field(
        default="", description="of a mix that is slower than its faster cards alone: how much"
    )
    table: list[UsersRow] = Field(default=[])
    apart: SizedApart | None = Field(
        default=None, description="the best plan with prefill and decode on nodes of their own; null where none runs"
    )
    second_opinion: SecondOpinion | None = None
    details: dict[str, Any] = Field(default={}, description="further facts of training and of experts in host memory")

    @property
    def all_gpus(self) -> str:
        """`16 x H200 SXM5 141GB`; of unlike cards their names with numbers."""
        return self.name if self.kinds > 1 else f"{self.per_node * self.nodes} x {self.name}"


class SizeReport(Document):
    """The answer of `dsopt size --json`."""

    schema_version: Literal["1"]
    model: SizedModel
    workload: str
    isl: int | None = Field(description="tokens in per request; null of training")
    osl: int | None = Field(description="tokens out per request; null of training")
    min_tok_s_user: float | None = Field(description="least output tok/s for each user; null where none is asked")
    max_ttft_ms: float | None = Field(description="longest time to first token")
    throughput_model: SizedBy
    setups: list[Sized]
    messages: list[Text]


class ModelFit(Strict):
    """One model (with those of the same architecture and sizes) on a GPU setup."""

    model: SizedModel
    same: list[str] = Field(description="models that the same figures hold for")
    params_total: int
    size: Sized


class ModelsReport(Document):
    """The answer of `dsopt size --gpu ... --json` without a model."""

    schema_version: Literal["1"]
    workload: str
    throughput_model: SizedBy
    models: list[ModelFit]
    messages: list[Text]


class RowsAnswered(Strict):
    """A CSV of configurations with its answers."""

    csv: str = Field(description="the text: all rows and columns, the figures behind them")
    rows: int = Field(description="without the header")
    errors: int = Field(description="rows with an error in the place of figures")


class HeldOut(Strict):
    """Errors of the throughput model on rows that it was not fitted on, as factors on a figure: 80 % of measurements
    lie between low and high."""

    distance: str = Field(description="from the data: same, model-and-gpu, ..., nothing")
    low_before: float = Field(description="factor, by the shipped constants")
    high_before: float = Field(description="factor, by the shipped constants")
    low_after: float = Field(description="factor, by the constants fitted")
    high_after: float = Field(description="factor, by the constants fitted")
    rows: int = Field(description="measurements at this distance")
    groups: int = Field(description="of these, each judged by a fit without it")


class Residual(Strict):
    """One's own rows of a model on a GPU: predicted over measured tok/s; after the fit they are in the sample."""

    group: str
    rows: int = Field(description="that took part")
    before: float = Field(description="median factor, by the shipped constants")
    after: float = Field(description="median factor, by the constants fitted")
    worst_after: float = Field(description="factor of the row farthest off")
    worst_row: str


class Calibrated(Strict):
    """What a fit on one's own measurements changed. Its files lie in `folder`, audit.csv with the rows left out."""

    folder: str
    rows: int = Field(description="of one's own")
    used: int = Field(description="of these, rows that took part")
    held_out: list[HeldOut]
    residuals: list[Residual]
