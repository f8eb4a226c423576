"""Roofline of one replica: time of a decode step and of a prefill from bytes, FLOPs and collectives.

A decode step of a pipeline stage takes what is larger of memory time and compute time (joined smoothly), and on top
of it collectives, kernel launches and scheduling. Prefills of other requests come in between: what a request waits
for them is shared out between its first token and the time per token. The step time grows less than proportionally
with concurrency, so throughput rises with it: the best admissible concurrency is the largest one that memory and the
latency limits allow. Many configurations are judged at once: fields are numpy arrays of one length or scalars.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from optimizer.throughput.constants import Constants

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Field = Any
"""A numpy array with an entry per configuration, or a number that holds for all."""


IN_TURN_TOKENS = 512
"""Tokens of a prompt that a stage of llama.cpp takes at once (its --ubatch-size)."""
SLACK = 1 + 1e-9
"""Room for rounding at a latency limit."""


@dataclass(frozen=True)
class Jobs:
    """Configurations to judge: a model's demand (see Demand), a GPU with its links, and the shape of one replica.

    `model`: index of the model in `Constants.models`; `arch`: index of the GPU generation in `Constants.archs`;
    `mem_b_s`, `flop_s`, `attention_flop_s`: peaks of one
    GPU, `rate`: index of the precision class in `Constants.rates`; `clock`: share of the clock that a power cap
    leaves; `near`, `far`: links of a collective inside the tensor-parallel group and inside tp x dp, as
    (bytes/s, kind of link); `hop`: link between pipeline stages; `in_turn`: one stage works at a time, all requests of
    a replica pass it together (llama.cpp's layer split), 0 or 1. `isl`, `osl`: tokens.
    """

    model: Field
    layers: Field
    moe_layers: Field
    latent_layers: Field
    heads: Field
    kv_heads: Field
    dense_b: Field
    copied_b: Field
    expert_b: Field
    miss: Field
    kv_read_b: Field
    kv_whole_b: Field
    kv_other_b: Field
    kv_other_heads: Field
    state_b: Field
    linear_flops: Field
    attention_flops: Field
    prefill_linear_flops: Field
    prefill_attention_flops: Field
    token_b: Field
    route_b: Field
    arch: Field
    mem_b_s: Field
    flop_s: Field
    attention_flop_s: Field
    rate: Field
    clock: Field
    near: tuple[Field, Field]
    far: tuple[Field, Field]
    hop: tuple[Field, Field]
    tp: Field
    pp: Field
    dp: Field
    ep: Field
    isl: Field
    osl: Field
    in_turn: Field = 0


@dataclass(frozen=True)
class Times:
    """Linear pieces of the roofline; seconds. `mem_*` and `flops_*` are of one stage and per running request. `waves`:
    batches under way at once, one for each of the `pp` stages or, where they work in turn, one alone."""

    mem_fixed_s: Floats
    mem_experts_s: Floats
    mem_user_s: Floats
    flops_user_s: Floats
    user_s: Floats
    stage_fixed_s: Floats
    prefill_s: Floats
    prefill_fixed_s: Floats
    miss: Field
    skew: float
    pp: Field
    waves: Field
    osl: Field
    knee: float
    burst: float
    mixing: float

    def slowed(self, by: Field) -> Times:
        """The same with every time `by` times as long."""
        seconds = {
            field_.name: getattr(self, field_.name) * by for field_ in fields(self) if field_.name.endswith("_s")
        }
        return replace(self, **seconds)

    def of(self, at: int) -> Times:
        """Those of one configuration."""
        size = len(self.stage_fixed_s)
        values = {field_.name: getattr(self, field_.name) for field_ in fields(self)}
        return replace(self, **{name: value[at] for name, value in values.items() if np.shape(value) == (size,)})

    def step_s(self, running: Any) -> Floats:
        """Time between two tokens of each of the `running` requests, prefills of others not counted."""
        # Stages work on as many parts of the batch as there are of them, one each; in turn, each on the whole batch.
        batch = running / self.waves
        touched = 1.0 - np.power(self.miss, np.power(batch, self.skew))
        mem = self.mem_fixed_s + self.mem_experts_s * touched + self.mem_user_s * batch
        busy = np.power(np.power(mem, self.knee) + np.power(self.flops_user_s * batch, self.knee), 1 / self.knee)
        return np.asarray(self.pp * (busy + self.user_s * batch + self.stage_fixed_s))

    def tpot_s(self, running: Any) -> Floats:
        """Time per output token of a request, with its share of waiting for the others' prefills."""
        waiting = (1 - self.burst) * self.mixing * (running - 1) * self.prefill_s
        return np.asarray(self.step_s(running) + waiting / np.maximum(self.osl, 1))

    def ttft_s(self, running: Any) -> Floats:
        """Time to the first token: the own prefill, and the share of the others' that came at the same time."""
        return np.asarray(self.prefill_fixed_s + self.prefill_s * (1 + self.burst * self.mixing * (running - 1)))

    def request_s(self, running: Any) -> Floats:
        """From a request's arrival to its last token."""
        return np.asarray(self.ttft_s(running) + self.tpot_s(running) * (self.osl - 1))


def times(jobs: Jobs, constants: Constants) -> Times:
    """The roofline's pieces of every configuration. Raises AssertionError where more requests at once would be served
    faster (see `_assert_ordered`)."""
    tp, pp, dp, group = jobs.tp, jobs.pp, jobs.dp, jobs.tp * jobs.dp
    tuned = constants.model_time[jobs.model]
    bandwidth = jobs.mem_b_s * constants.bandwidth_share[jobs.arch] / tuned
    compute = jobs.flop_s * constants.compute_share[jobs.arch] * constants.rate_share[jobs.rate] * jobs.clock / tuned
    attention = (
        jobs.attention_flop_s
        * constants.compute_share[jobs.arch]
        * constants["attention_compute_share"]
        * jobs.clock
        / tuned
    )
    decode = constants["decode_compute_share"]
    moe = jobs.expert_b > 0
    comm_user, comm_fixed = _communication(jobs, constants, moe)
    launched_us = (
        jobs.layers * constants["layer_us"]
        + jobs.moe_layers * constants["moe_layer_us"]
        + jobs.latent_layers * constants["latent_layer_us"]
    )
    launches = launched_us / pp * 1e-6 * constants.launch_share[jobs.arch] * tuned
    fixed = launches + constants["step_us"] * 1e-6 / pp + comm_fixed
    uneven = np.where(jobs.ep > 1, constants["expert_imbalance"], 1.0)
    # Of the cache each tensor-parallel rank reads its heads, one at least; latent caches are read whole by every rank.
    kept = jobs.kv_read_b / pp / np.minimum(tp, jobs.kv_heads) + (jobs.kv_whole_b + jobs.state_b / tp) / pp
    kept = kept + jobs.kv_other_b / pp / np.minimum(tp, jobs.kv_other_heads)
    # A prompt goes through all stages one after the other, and its own first token waits for all of them. Stages work
    # side by side: another request is held up by one stage's share.
    prefill = (
        jobs.prefill_linear_flops / compute + jobs.prefill_attention_flops / attention
    ) / group + comm_user * pp * jobs.isl * constants["prefill_comm_share"]
    # Stages in turn pass a prompt on piece by piece: the next one begins when the one before has done its first.
    pieces = np.maximum(np.ceil(np.asarray(jobs.isl) / IN_TURN_TOKENS), 1)
    of_stage = np.where(jobs.in_turn, (pieces + pp - 1) / pieces / pp, 1 / pp)
    # Weights lie spread over tp and pp, each data-parallel rank reads its own; experts over the whole group.
    found = Times(
        mem_fixed_s=((jobs.dense_b - jobs.copied_b) / tp + jobs.copied_b) / pp / bandwidth,
        mem_experts_s=jobs.expert_b * uneven / group / pp / bandwidth / constants["expert_bandwidth_share"],
        mem_user_s=kept / dp / bandwidth / constants["kv_bandwidth_share"],
        flops_user_s=(jobs.linear_flops / compute + jobs.attention_flops / attention) / group / pp / decode,
        user_s=comm_user + constants["user_us"] * 1e-6 / pp,
        stage_fixed_s=fixed,
        prefill_s=prefill * of_stage,
        prefill_fixed_s=np.where(jobs.in_turn, 0.0, prefill * (1 - 1 / pp))
        + fixed * pp
        + constants["first_token_ms"] * 1e-3,
        miss=np.where(moe, jobs.miss, 1.0),
        skew=constants["expert_skew"],
        pp=pp,
        waves=np.where(jobs.in_turn, 1, pp),
        osl=jobs.osl,
        knee=constants["knee"],
        burst=constants["burst_share"],
        mixing=constants["prefill_mixing"],
    )
    _assert_ordered(found)
    return found


def _communication(jobs: Jobs, constants: Constants, moe: Any) -> tuple[Any, Any]:
    """Seconds on links for a token of one request, and for the messages of a step whatever they carry."""
    tp, pp, dp, group = jobs.tp, jobs.pp, jobs.dp, jobs.tp * jobs.dp
    layers, moe_layers = jobs.layers / pp, jobs.moe_layers / pp
    # Two all-reduces per layer inside a tensor-parallel group, whose ring sends 2 (tp - 1) / tp of a token's width.
    near_b, near_s = jobs.near[0] * constants["link_share"], constants.collective_s[jobs.near[1]]
    far_b, far_s = jobs.far[0] * constants["link_share"], constants.collective_s[jobs.far[1]]
    reduce_user = np.where(tp > 1, 2 * layers * 2 * (tp - 1) / tp * jobs.token_b / near_b / dp, 0.0)
    growth = np.where(jobs.near[1] == 0, np.power(np.maximum(tp, 2) / 2, constants["collective_growth"]), 1.0)
    reduce_fixed = np.where(tp > 1, 2 * layers * near_s * growth, 0.0)
    # Data-parallel ranks share out the experts: each token goes to those chosen and comes back, once per layer.
    spread = moe & (dp > 1)
    routed = np.where(spread, moe_layers * jobs.route_b * (group - 1) / group / group / far_b, 0.0)
    routed_fixed = np.where(spread, 2 * moe_layers * far_s, 0.0)
    to_next = hop(jobs, constants)
    hop_user, hop_fixed = (np.where(pp > 1, seconds, 0.0) for seconds in to_next)
    return reduce_user + routed + hop_user, reduce_fixed + routed_fixed + hop_fixed


def hop(jobs: Jobs, constants: Constants) -> tuple[Any, Any]:
    """Seconds in which a stage hands the width of one token on to the next, and of the message whatever it carries."""
    return jobs.token_b / (jobs.hop[0] * constants["link_share"]), constants.collective_s[jobs.hop[1]]


def _assert_ordered(found: Times) -> None:
    """More requests at once raise the latencies of each: all pieces grow with them or stay. They never lower the tok/s
    of all: no piece grows more than proportionally (constants.py keeps the exponents and shares that matter)."""
    seconds = [getattr(found, field_.name) for field_ in fields(found) if field_.name.endswith("_s")]
    assert all((seconds_ >= 0).all() for seconds_ in map(np.asarray, seconds)), (
        "a piece of the roofline takes less than no time"
    )
    assert np.all((np.asarray(found.miss) >= 0) & (np.asarray(found.miss) <= 1)), "a share of experts is beyond 0..1"


class Latencies(Protocol):
    """Latencies in seconds over the requests at once, an entry per replica: none falls with more of them."""

    @property
    def osl(self) -> Field: ...

    def ttft_s(self, running: Any, /) -> Floats: ...

    def tpot_s(self, running: Any, /) -> Floats: ...

    def request_s(self, running: Any, /) -> Floats: ...


@dataclass(frozen=True)
class Speeds:
    """Figures per replica: 0.1 tok/s (rounded down), tok/s of each user, latencies in ms."""

    tenths: Ints
    per_user_tok_s: Floats
    ttft_ms: Floats
    tpot_ms: Floats


def speeds(latencies: Latencies, running: Ints) -> Speeds:
    """Figures at concurrency `c` (>= 1) of each replica."""
    tpot = latencies.tpot_s(running)
    return Speeds(
        _floor(running * latencies.osl / latencies.request_s(running) * 10),
        1 / tpot,
        latencies.ttft_s(running) * 1e3,
        tpot * 1e3,
    )


def _floor(exact: Floats) -> Ints:
    """Rounded down after rounding to nine digits, so that a last bit of the C library does not decide."""
    scale = 10.0 ** (8 - np.floor(np.log10(np.maximum(exact, 1e-9))))
    rounded: Any = np.floor(np.rint(exact * scale) / scale)
    return np.asarray(rounded.astype(np.int64))


def largest_concurrency(latencies: Latencies, most: Ints, min_tok_s_user: float, max_ttft_ms: float | None) -> Ints:
    """The largest concurrency up to `most` (>= 1) that meets the latency limits, by bisection; 0 when none does."""
    one = np.ones_like(most)

    def ok(running: Ints) -> Flags:
        fine = latencies.tpot_s(running) * min_tok_s_user <= SLACK
        if max_ttft_ms is not None:
            fine = fine & (latencies.ttft_s(running) * 1e3 <= max_ttft_ms * SLACK)
        return np.asarray(fine)

    # Latencies never fall with more requests (`_assert_ordered`), so that bisection finds the largest number. That
    # memory alone limits it is the common case: `most` is tried before anything between.
    low, high = np.where(ok(one), one, 0), most + 1
    low = np.where((low > 0) & ok(most), most, low)
    while np.any(open_ := (low > 0) & (high - low > 1)):
        middle = np.where(open_, (low + high) // 2, one)
        good = ok(middle)
        low, high = np.where(open_ & good, middle, low), np.where(open_ & ~good, middle, high)
    return low
