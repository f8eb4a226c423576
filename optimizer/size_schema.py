"""Typed shape of what `dsopt size --json` writes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Basis = Literal["measured", "interpolated", "roofline"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SizedModel(Strict):
    id: str
    name: str
    note: str


class SizedBy(Strict):
    """What throughput rests on: the calibration's name, and a hash over its files and a user's own measurements."""

    calibration: str
    sha256: str


class UsersRow(Strict):
    """A number of users at the plan that is best for it."""

    users: int
    per_user_tok_s: float
    output_tok_s: float
    low: float
    high: float
    basis: Basis
    source: str
    ttft_ms: float
    precision: str
    tp: int
    pp: int
    dp: int
    ep: int
    replicas: int
    at_once: int = Field(description="requests that run at once; the rest waits")
    cut: str = Field(description="latency limit or memory that stands against this many users, in words; else empty")


class LoadFacts(Strict):
    """The load asked for (output tok/s; requests per second of the busiest hour) and what it does to the setup."""

    mean_tok_s: float
    peak_tok_s: float
    needed_tok_s: float
    requests_s: float
    utilisation: float | None = None
    requests_at_once: float | None = None
    mean_wait_s: float | None = None


class SecondOpinion(Strict):
    """The figure of another engine for the same setup."""

    engine: str
    version: str
    output_tok_s: float
    ttft_ms: float | None
    tpot_ms: float | None
    concurrency: int | None
    plan: str


class Sized(Strict):
    """One GPU setup. Memory is of the fullest GPU, in GB of 1e9 bytes; figures are of `users` requests at once."""

    gpu: str
    name: str
    per_node: int
    nodes: int
    gpus: int
    fits: bool
    reason: str = Field(default="", description="why it does not fit")
    missing_gb: float = 0
    precision: str = ""
    kv_precision: str = ""
    tp: int | None = None
    pp: int | None = None
    dp: int | None = None
    ep: int | None = None
    replicas: int | None = None
    engine: str = ""
    weights_gb: float | None = None
    kv_gb: float | None = None
    reserve_gb: float | None = None
    needed_gb: float | None = None
    vram_gb: float | None = None
    users: int | None = None
    output_tok_s: float | None = None
    low: float | None = None
    high: float | None = None
    basis: Basis | None = None
    source: str = ""
    per_user_tok_s: float | None = None
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    load: LoadFacts | None = None
    table: list[UsersRow] = []
    second_opinion: SecondOpinion | None = None
    details: dict[str, Any] = Field(default={}, description="further facts of training and of experts in host memory")


class SizeReport(Strict):
    """The answer of `dsopt size --json`."""

    schema_version: Literal["1"]
    model: SizedModel
    workload: str
    isl: int | None
    osl: int | None
    min_tok_s_user: float | None
    max_ttft_ms: float | None
    throughput_model: SizedBy
    setups: list[Sized]
    messages: list[str]


class ModelFit(Strict):
    """One model (with those of the same architecture and sizes) on a GPU setup."""

    model: SizedModel
    same: list[str] = Field(description="models that the same figures hold for")
    params_total: int
    size: Sized


class ModelsReport(Strict):
    """The answer of `dsopt size --gpu ... --json` without a model."""

    schema_version: Literal["1"]
    workload: str
    throughput_model: SizedBy
    models: list[ModelFit]
    messages: list[str]
