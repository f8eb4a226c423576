"""What a buyer asks for: model, workload, limits of money, site and procurement."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from catalogs.errors import InputError
from catalogs.nearest import one_of
from catalogs.offers import PRICE_WORDS, BoughtAs, Condition, Currency, PriceLevel, PriceWord
from catalogs.schema import Kind, MarketCode
from constraints.exchange import FxRate

LEAST_SUPPLY_V = 200
"""Supplies for servers take 200 to 240 V: below it they are on another range, or on none."""
MOST_SUPPLY_V = 264
"""10 % above 240 V: what lies over it no supply of the catalog takes."""
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Grade = Literal["floor", "common", "full"]
"""`floor`: what makes a build work, the guide's rules; `common`: what is sold; `full`: what reference designs ask."""
CostAxis = Literal["money", "power", "rack-units", "lead-time"]
TRAINING = ("finetune-lora", "finetune-full", "train")
WORKLOADS = {"chat": (1024, 1024), "rag": (8192, 1024), "reasoning": (1024, 8192), "batch": (1024, 1024)}


class Circuit(BaseModel):
    """One branch circuit, `15A@120V`; of three phases `32A@400V3`, with the voltage between two of them."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    amps: int = Field(ge=1, le=5000)
    volts: int = Field(ge=100, le=480)
    phases: Literal[1, 3] = 1

    @model_validator(mode="after")
    def _taken_by_supplies(self) -> Circuit:
        if self.supply_volts > MOST_SUPPLY_V:
            raise ValueError(f"supplies would see {self.supply_volts} V, and none takes more than {MOST_SUPPLY_V} V")
        return self

    @property
    def supply_volts(self) -> int:
        """Volts that a supply on it sees: between two wires of one phase. Of three phases between one and the neutral
        (230 of 400, 240 of 415), or between two where that is too little for supplies (208, 200)."""
        return volts_at_supply(self.volts, self.phases)

    @property
    def volt_amps(self) -> int:
        """Apparent power at its rated current, rounded down: of three phases sqrt(3) x volts x amperes."""
        one_phase = self.amps * self.volts
        return math.isqrt(3 * one_phase**2) if self.phases == 3 else one_phase


def volts_at_supply(volts: int, phases: int) -> int:
    """Volts that a supply sees on a circuit of so many volts between two phases, see `Circuit.supply_volts`."""
    to_neutral = round(volts / math.sqrt(3))
    return to_neutral if phases == 3 and to_neutral >= LEAST_SUPPLY_V else volts


class Listed(BaseModel):
    """A row of an approved list: a part id, or a vendor (folded; of one category or of all)."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    part: str = ""
    vendor: str = ""
    category: str = ""
    status: Literal["approved", "barred"]
    note: str = ""


class Owned(BaseModel):
    """Pieces of a part in hand, at no cost."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    part: str
    qty: int = Field(ge=1, le=100_000)


class Spare(BaseModel):
    """Of a category `pieces` spare ones per `per` bought, rounded up for each part."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    category: Kind
    pieces: int = Field(ge=1, le=100_000)
    per: int = Field(ge=1, le=1_000_000)


class SupportRate(BaseModel):
    """Support of a category, in percent of its lines."""

    model_config = ConfigDict(defer_build=True, frozen=True)
    category: Kind
    percent: Decimal = Field(ge=0, le=100, decimal_places=1)


class Request(BaseModel):
    """One question to dsopt. Money is in minor units of `currency` (cents), latency in ms, power in W.

    Raises pydantic's ValidationError for a field that is unknown, out of range, or contradicts another one.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    model: str = Field(description="id, Hugging Face id, Ollama tag or short name (`dsopt models list`)")
    as_of: date = Field(description="day of the prices: later offers do not count")
    currency: Currency = "USD"
    market: MarketCode | Literal["any"] | None = Field(
        default=None, description="where the buyer buys; that of the currency without, any: no part is left out for it"
    )
    budget_cents: int | None = Field(
        default=None, gt=0, le=10**14, description="with spares, support and tax; minor units of `currency`: cents, yen"
    )
    throughput_tenths: int | None = Field(default=None, gt=0, le=10**12, description="0.1 tok/s")
    users: int | None = Field(default=None, ge=1, le=10**6, description="requests that run at once, at least")
    tokens_per_day: float | None = Field(
        default=None, gt=0, le=1e15, allow_inf_nan=False, description="mean load in output tokens"
    )
    requests_per_second: float | None = Field(
        default=None, gt=0, le=1e7, allow_inf_nan=False, description="mean load in requests of osl output tokens"
    )
    workload: Literal["chat", "rag", "reasoning", "batch", "finetune-lora", "finetune-full", "train"] = "chat"
    seq_len: int | None = Field(default=None, ge=1, le=10**7, description="training: tokens of a sequence")
    dataset_tb: float | None = Field(default=None, gt=0, le=10**6, allow_inf_nan=False, description="training set")
    train_tokens: float | None = Field(default=None, ge=1, le=1e18, allow_inf_nan=False, description="token budget")
    isl: int = Field(default=1024, ge=1, le=10**7, description="tokens in per request")
    osl: int = Field(default=1024, ge=1, le=10**7, description="tokens out per request")
    min_tok_s_user: float = Field(
        default=10, ge=0, le=10**6, allow_inf_nan=False, description="output tok/s that each user sees at least"
    )
    max_ttft_ms: float | None = Field(
        default=None, gt=0, le=10**9, allow_inf_nan=False, description="longest time to first token"
    )
    precision: str | None = Field(
        default=None, description="format of the weights: fp16, fp8, int4, ...; several are compared without"
    )
    min_precision_bits: int | None = Field(
        default=None, ge=1, le=32, description="lowest precision of the weights; the published one without"
    )
    any_precision: bool = Field(default=False, description="formats count of which no published weights are listed")
    kv_precision: Literal["bf16", "fp8", "q8_0"] | None = Field(
        default=None,
        description="of the KV cache; without it the one that the checkpoint names, else bf16. q8_0 is llama.cpp's",
    )
    speculate: Literal["mtp", "mtp1", "mtp2", "mtp3", "mtp4", "mtp5"] | None = Field(
        default=None,
        description="mtp: the checkpoint's module for several tokens (MTP, DSpark) takes memory; mtp1 to mtp5: and "
        "speed counts so many tokens that it proposes per step",
    )
    cached_share_percent: int | None = Field(
        default=None, ge=0, le=100, description="tokens of a prompt that are found in the prefix cache, in the mean"
    )
    allow_experimental: bool = Field(default=False, description="engines marked experimental count")
    offload: bool = Field(default=False, description="plans with routed experts in host memory too")
    grade: Grade = Field(
        default="common",
        description="what a build must have: floor (what makes it work), common (what is sold), full (what reference "
        "designs ask); of builds that are given (check, mend, xray, compare) floor where it is not named",
    )
    max_nodes: int = Field(default=32, ge=1, le=1000, description="most nodes")
    max_power_w: int | None = Field(default=None, gt=0, le=10**9, description="of the whole build, worst case")
    circuit: Circuit | None = Field(default=None, description="the one branch circuit that a build hangs on")
    rack_units: int | None = Field(default=None, gt=0, le=10**6, description="U that there are")
    site_water: bool = Field(default=False, description="the site has facility water for liquid cooling")
    have: frozenset[Literal["racks", "network"]] = Field(
        default=frozenset(), description="what the site has and need not be bought"
    )
    vendors: frozenset[str] = Field(default=frozenset(), description="only these, lower case; all when empty")
    barred_vendors: frozenset[str] = Field(default=frozenset(), description="lower case")
    conditions: frozenset[Condition] = frozenset({"new"})
    max_price_age_days: int | None = Field(
        default=None, ge=0, le=36500, description="oldest price admitted, before `as_of`"
    )
    include: tuple[str, ...] = Field(default=(), description="part ids that the build must contain")
    exclude: frozenset[str] = Field(default=frozenset(), description="part ids that it must not")
    gpus: frozenset[str] = Field(default=frozenset(), description="only these part ids; all when empty")
    gpu_count: int | None = Field(default=None, ge=1, le=100_000, description="GPUs of the whole build, exactly")
    origins: tuple[Country, ...] = Field(default=(), description="countries of origin admitted; all when empty")
    barred_origins: tuple[Country, ...] = ()
    confidences: tuple[PriceWord, ...] = Field(
        default=PRICE_WORDS, min_length=1, description="kinds of price admitted; indexed: read ones that an index moved"
    )
    price_level: PriceLevel = Field(default="middle", description="at which end of its band every price counts")
    bought_as: BoughtAs = Field(
        default="configured", description="purchase whose prices go first where a part has one for each"
    )
    prefer: Literal["any", "mine"] = Field(
        default="any", description="mine: a part that the buyer's own offers have is priced by them alone"
    )
    max_estimated_percent: int | None = Field(
        default=None, ge=0, le=100, description="most of the sum of lines on estimated prices"
    )
    max_lead_days: int | None = Field(default=None, ge=0, le=3650, description="longest lead time of a part")
    strict_lead: bool = Field(default=False, description="an unknown lead time is not admitted")
    avl: tuple[Listed, ...] = Field(default=(), description="approved and barred parts and vendors")
    max_sellers: int | None = Field(default=None, ge=1, le=1000, description="most sellers to buy from")
    max_share_percent: int | None = Field(
        default=None, ge=1, le=100, description="most of the sum of lines with one seller"
    )
    cost_axis: CostAxis = Field(default="money", description="what the front ascends in")
    own: tuple[Owned, ...] = Field(default=(), description="parts in hand, at cost 0 up to their number")
    spares: tuple[Spare, ...] = Field(default=(), description="spare parts to buy with the build")
    support: tuple[SupportRate, ...] = Field(default=(), description="by category; else policy money.support_percent")
    fx: tuple[FxRate, ...] = Field(default=(), description="rates laid over those of constraints/data/fx.csv")

    @field_serializer("have", "vendors", "barred_vendors", "conditions", "exclude", "gpus", when_used="json")
    def _in_order(self, members: frozenset[str]) -> list[str]:
        """Sets in order: the same bytes for any hash seed."""
        return sorted(members)

    @field_validator("as_of", mode="before")
    @classmethod
    def _a_day(cls, value: object) -> object:
        """A day, not a moment: prices know no time of day, and a number may be one of seconds."""
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
        if isinstance(value, datetime) or not isinstance(value, date):
            raise ValueError("a day is written YYYY-MM-DD, without a time")
        return value

    @field_validator("confidences")
    @classmethod
    def _not_by_index_alone(cls, words: tuple[PriceWord, ...]) -> tuple[PriceWord, ...]:
        """A quote's price, or one that is supposed, is admitted by some confidence."""
        if set(words) == {"indexed"}:
            raise ValueError("indexed prices alone are too few to build from: name a confidence too")
        return words

    @field_validator("kv_precision", mode="before")
    @classmethod
    def _as_llama_cpp_writes_it(cls, asked: object) -> object:
        """`q8`, as people say it, is llama.cpp's q8_0."""
        return "q8_0" if isinstance(asked, str) and asked.casefold() in ("q8", "q8_0") else asked

    @field_validator("precision")
    @classmethod
    def _in_small_letters(cls, value: str | None) -> str | None:
        """Formats are written in any case: `q4_K_M` is `q4_k_m`."""
        return value.casefold() if value else value

    @model_validator(mode="after")
    def _context(self) -> Request:
        if self.isl + self.osl > 10**7:
            raise ValueError("isl + osl beyond any model's context")
        if self.trains and (self.users is not None or self.max_ttft_ms is not None):
            raise ValueError(f"users and latency limits are of serving, not of {self.workload}")
        if self.speculate and self.trains:
            raise ValueError(f"speculate is of serving, not of {self.workload}")
        if self.speculate and self.offload:
            raise ValueError("speculate does not go with offload: such plans are not counted")
        if self.cached_share_percent is not None and self.trains:
            raise ValueError(f"cached_share_percent is of serving, not of {self.workload}")
        if self.cached_share_percent and self.offload:
            raise ValueError("cached_share_percent does not go with offload: such plans are not counted")
        if self.trains and self.mean_tok_s:
            raise ValueError(f"tokens_per_day and requests_per_second are of serving, not of {self.workload}")
        if self.tokens_per_day and self.requests_per_second:
            raise ValueError("tokens_per_day and requests_per_second are two ways to say one thing: give one")
        if not self.trains and (self.seq_len or self.dataset_tb or self.train_tokens):
            raise ValueError(f"seq_len, dataset_tb and train_tokens are of training, not of {self.workload}")
        return self

    @property
    def mean_tok_s(self) -> float | None:
        """Output tok/s of the load that the request names, in the mean of the day; None without one."""
        if self.requests_per_second:
            return self.requests_per_second * self.osl
        return self.tokens_per_day / 86400 if self.tokens_per_day else None

    @property
    def shares(self) -> bool:
        """Whether a share of the sum of lines is limited."""
        return self.max_estimated_percent is not None or self.max_share_percent is not None

    @property
    def soonest(self) -> bool:
        """Whether the front ascends in days of delivery."""
        return self.cost_axis == "lead-time"

    @property
    def picks_offers(self) -> bool:
        """Whether another offer of a part than the cheapest may be the better one, for the sake of its seller, its lead
        time or its kind of price."""
        return self.max_sellers is not None or self.soonest or self.shares

    @property
    def trains(self) -> bool:
        """Whether the workload trains or fine-tunes."""
        return self.workload in TRAINING

    @property
    def lora(self) -> bool:
        """Whether adapters alone are trained."""
        return self.workload == "finetune-lora"

    @property
    def dataset_gb(self) -> int:
        """GB of the training set, rounded up."""
        return math.ceil((self.dataset_tb or 0) * 1000)

    @property
    def tokens(self) -> int:
        """Tokens of KV cache that one running request holds."""
        return self.isl + self.osl

    @property
    def cached_tokens(self) -> int:
        """First tokens of a prompt that are found in the prefix cache."""
        return cached_tokens(self.isl, self.cached_share_percent or 0)

    @property
    def drafted(self) -> int:
        """Tokens that the module for several tokens proposes per step of a request, as far as speed counts them; 0
        where none is asked for, or none by number."""
        return int((self.speculate or "").removeprefix("mtp") or 0)

    @property
    def line_volts(self) -> int | None:
        return self.circuit.supply_volts if self.circuit else None


def cached_tokens(isl: int, percent: int) -> int:
    """Tokens of a prompt of `isl` that need not be computed where the prefix cache holds so much of it; never all."""
    return min(isl * percent // 100, isl - 1)


def workload_lengths(name: str) -> tuple[int, int]:
    """(isl, osl) of a named workload."""
    if name not in WORKLOADS:
        raise InputError(f"no workload {name!r}", "unknown-workload", one_of(name, (*WORKLOADS, *TRAINING)))
    return WORKLOADS[name]
