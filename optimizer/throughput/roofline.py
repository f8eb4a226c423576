"""Roofline of one replica: time of a decode step and of a prefill from bytes, FLOPs and collectives.

A decode step of a pipeline stage takes what is larger of memory time and compute time (joined smoothly), and on top
of it collectives, kernel launches and scheduling. Prefills of other requests come in between: what a request waits
for them is shared out between its first token and the time per token. The step time grows less than proportionally
with concurrency, so throughput rises with it: the best admissible concurrency is the largest one that memory and the
latency limits allow. Many configurations are judged at once: fields are numpy arrays of one length or scalars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from constraints.rules.vram import PROMPT_TOKENS
from optimizer.throughput.constants import Constants

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Field = Any
"""A numpy array with an entry per configuration, or a number that holds for all."""


IN_TURN_TOKENS = 512
"""Tokens of a prompt that a stage of llama.cpp takes at once (its --ubatch-size)."""
DEPTHS = (1, 2, 3)
"""Tokens that engines let a module for several tokens propose per step; recipes take fewer as the load grows."""
DEPTH_OF_ENGINE = -1
"""Of `Jobs.drafted`: the depth of DEPTHS that is fastest at a load."""
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
    a replica pass it together (llama.cpp's layer split), 0 or 1; `drafted`: tokens that a module proposes per step of a
    request (speculative decoding; 0: none, DEPTH_OF_ENGINE: as many as serve the load best). `isl`, `osl`: tokens.
    """

    model: Field
    layers: Field
    moe_layers: Field
    latent_layers: Field
    sparse_layers: Field
    heads: Field
    kv_heads: Field
    dense_b: Field
    whole_b: Field
    copied_b: Field
    expert_b: Field
    miss: Field
    kv_read_b: Field
    kv_whole_b: Field
    kv_other_b: Field
    kv_other_heads: Field
    state_b: Field
    linear_flops: Field
    expert_flops: Field
    attention_flops: Field
    prefilled: Field
    prefill_linear_flops: Field
    prefill_whole_flops: Field
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
    drafted: Field = 0


@dataclass(frozen=True)
class Times:
    """Linear pieces of the roofline; seconds. `mem_*` and `flops_*` are of one stage and per running request. `idle`:
    time of `pp` stages over that of their work; `waves`: batches under way at once, one for each of the stages or,
    where they work in turn, one alone; `hidden`, `accepted`, `draft_share`: see the constants of these names."""

    mem_fixed_s: Floats
    mem_experts_s: Floats
    mem_user_s: Floats
    flops_user_s: Floats
    link_user_s: Floats
    user_s: Floats
    stage_fixed_s: Floats
    prefill_s: Floats
    prefill_fixed_s: Floats
    miss: Field
    skew: float
    pp: Field
    idle: Field
    waves: Field
    osl: Field
    knee: float
    burst: float
    mixing: float
    hidden: float
    drafted: Field
    accepted: float
    draft_share: float

    def slowed(self, by: Field) -> Times:
        """The same with every time `by` times as long."""
        seconds = {
            field_.name: getattr(self, field_.name) * by for field_ in fields(self) if field_.name.endswith("_s")
        }
        return replace(self, **seconds)

    def of(self, at: Any) -> Times:
        """Those of one configuration, or of several."""
        size = len(self.stage_fixed_s)
        values = {field_.name: getattr(self, field_.name) for field_ in fields(self)}
        return replace(self, **{name: value[at] for name, value in values.items() if np.shape(value) == (size,)})

    @classmethod
    def joined(cls, parts: Sequence[Times]) -> Times:
        """Those of one table after the other, by the same constants."""
        sizes = [len(part.stage_fixed_s) for part in parts]

        def column(name: str) -> Any:
            values = [getattr(part, name) for part in parts]
            if name in ("skew", "knee", "burst", "mixing", "hidden", "accepted", "draft_share"):
                return values[0]
            return np.concatenate([np.broadcast_to(x, (size,)) for x, size in zip(values, sizes, strict=True)])

        return cls(**{field_.name: column(field_.name) for field_ in fields(cls)})

    def without_drafts(self) -> Times:
        """Times of steps that propose nothing, which at no load exceed those of these steps, all of one depth: what a
        step takes for the tokens that it proves, shared out over the tokens that it gives. Drafting, and the experts
        that further tokens touch, come on top."""
        if not np.any(self.drafted):
            return self
        depth = int(np.max(self.drafted))
        given = tokens_per_step(self.accepted, depth)
        proved = (depth + 1) / given
        return replace(
            self,
            mem_fixed_s=self.mem_fixed_s / given,
            mem_experts_s=self.mem_experts_s / given,
            mem_user_s=self.mem_user_s / given,
            flops_user_s=self.flops_user_s * proved,
            link_user_s=self.link_user_s * proved,
            user_s=self.user_s / given,
            stage_fixed_s=self.stage_fixed_s / given,
            drafted=0,
        )

    def tpot_s(self, running: Any) -> Floats:
        """Time per output token of a request, with its share of waiting for the others' prefills."""
        speculating = np.flatnonzero(self.drafted)
        if not len(speculating):
            return self._token_s(running, 0)
        if len(speculating) < np.size(self.drafted) == np.size(running):
            out, some = self._token_s(running, 0), self.of(speculating)
            out[speculating] = some.tpot_s(np.asarray(running)[speculating])
            return out
        # Time at any of the depths does not fall with more requests, so nor does the least of them.
        depths = DEPTHS if np.any(self.drafted == DEPTH_OF_ENGINE) else DEPTHS[:1]
        chosen = [np.where(self.drafted == DEPTH_OF_ENGINE, depth, self.drafted) for depth in depths]
        return np.asarray(np.min([self._token_s(running, depth) for depth in chosen], axis=0))

    def step_s(self, running: Any) -> Floats:
        """Time of a step that gives each of the `running` requests a token, no prefill of others in it."""
        return self._step_s(running, 1, 0.0)

    def _token_s(self, running: Any, depth: Any) -> Floats:
        """Time per output token where a module proposes `depth` tokens per step: a step that proves them, and their
        drafting, shared out over the tokens that it accepts (Leviathan et al. 2023, arXiv:2211.17192, eq. 1)."""
        waiting = (1 - self.burst) * self.mixing * (running - 1) * self.prefill_s / np.maximum(self.osl, 1)
        per_step = tokens_per_step(self.accepted, depth)
        step = self._step_s(running, depth + 1, waiting * per_step)
        drafting = depth * self.draft_share * self._step_s(running, 1, 0.0) if np.any(depth) else 0.0
        return np.asarray((step + drafting) / per_step)

    def _step_s(self, running: Any, tokens: Any, waiting: Any) -> Floats:
        """Time of a step that computes `tokens` of each of the `running` requests and the prefills that fall into it,
        `waiting` seconds of them: where pieces of prompts share a batch with decoding (chunked prefill), the `hidden`
        part of them is computed while the step's weights and KV cache are read."""
        # Stages work on as many parts of the batch as there are of them, one each; in turn, each on the whole batch.
        batch = running / self.waves
        touched = 1.0 - np.power(self.miss, np.power(batch * tokens, self.skew))
        mem = self.mem_fixed_s + self.mem_experts_s * touched + self.mem_user_s * batch
        flops = self.flops_user_s * batch * tokens + self.hidden * waiting / self.pp
        busy = np.power(np.power(mem, self.knee) + np.power(flops, self.knee), 1 / self.knee)
        linked = self.link_user_s * batch * tokens + self.user_s * batch + self.stage_fixed_s
        return np.asarray(self.pp * self.idle * (busy + linked) + (1 - self.hidden) * waiting)

    def ttft_s(self, running: Any) -> Floats:
        """Time to the first token: the own prefill, and the share of the others' that came at the same time."""
        return np.asarray(self.prefill_fixed_s + self.prefill_s * (1 + self.burst * self.mixing * (running - 1)))

    def request_s(self, running: Any) -> Floats:
        """From a request's arrival to its last token."""
        return np.asarray(self.ttft_s(running) + self.tpot_s(running) * (self.osl - 1))


def tokens_per_step(accepted: float, depth: Any) -> Any:
    """Tokens that a step gives a request, in the mean, where a module proposes `depth` and each is accepted with the
    probability `accepted` if the one before it was."""
    return (1 - np.power(accepted, depth + 1)) / (1 - accepted)


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
    whole_compute = jobs.attention_flop_s * constants.compute_share[jobs.arch] * jobs.clock / tuned
    moe = jobs.expert_b > 0
    comm_user, comm_fixed = _communication(jobs, constants, moe)
    launched_us = (
        jobs.layers * constants["layer_us"]
        + jobs.moe_layers * constants["moe_layer_us"]
        + jobs.latent_layers * constants["latent_layer_us"]
        + jobs.sparse_layers * constants["sparse_layer_us"]
    )
    # Engines that read files of other kinds bring kernels of their own: no server's stack slows or speeds them.
    own_kernels = np.asarray(jobs.in_turn) > 0
    launch_share = np.where(own_kernels, 1.0, constants.launch_share[jobs.arch])
    read_share = np.where(own_kernels, 1.0, constants.read_share[jobs.rate])
    # Matrices that stay in 16 bits are read and multiplied as such (2 FLOPs and 2 bytes each weight).
    read_b = jobs.whole_b + (jobs.dense_b - jobs.whole_b) / read_share
    slower_whole = 1 / whole_compute - 1 / compute
    launches = launched_us / pp * 1e-6 * launch_share * tuned
    scheduled = constants["step_us"] * 1e-6 / pp + comm_fixed
    fixed = launches + scheduled
    # CUDA graphs replay steps of decoding. The kernels of a prompt are launched from the host, whatever the GPU.
    prompt_launches = launched_us * 1e-6 * constants["prompt_launches"]
    uneven = np.where(jobs.ep > 1, constants["expert_imbalance"], 1.0)
    # Of the cache each tensor-parallel rank reads its heads, one at least; latent caches are read whole by every rank.
    kept = jobs.kv_read_b / pp / np.minimum(tp, jobs.kv_heads) + (jobs.kv_whole_b + jobs.state_b / tp) / pp
    kept = kept + jobs.kv_other_b / pp / np.minimum(tp, jobs.kv_other_heads)
    # A prompt goes through all stages one after the other, and its own first token waits for all of them. Stages work
    # side by side: another request is held up by one stage's share.
    # Grouped GEMMs over many small experts, and the permutation around them, take longer than dense ones; in a step
    # of decoding the more so, where the few tokens of an expert fill a tile in part.
    # That time is of the chip around the tensor units: where these were cut (H20), it does not grow.
    by_bandwidth = jobs.mem_b_s * constants["expert_ridge"] * constants.speedup[jobs.rate]
    around = np.maximum(1, by_bandwidth / jobs.flop_s)
    more = jobs.expert_flops * (1 / constants["expert_compute_share"] - 1) / around
    more_decoding = jobs.expert_flops * (1 / constants["expert_decode_share"] - 1) / around
    prefill = (
        (jobs.prefill_linear_flops + more * jobs.prefilled) / compute
        + jobs.prefill_whole_flops * slower_whole
        + jobs.prefill_attention_flops / attention
    ) / group + comm_user * pp * jobs.prefilled * constants["prefill_comm_share"]
    decoding = (jobs.linear_flops + more_decoding) / compute + jobs.whole_b * slower_whole
    decoding = decoding + jobs.attention_flops / attention
    # Layers that choose what they attend to score every earlier token first, on each tensor-parallel rank anew.
    prefill = prefill + np.asarray(jobs.prefilled) * jobs.sparse_layers * constants["sparse_token_us"] * 1e-6 / dp
    # Prompts are computed in batches of so many tokens, each with launches of its own, and admitted one by one.
    prefill = prefill + np.asarray(jobs.prefilled) / PROMPT_TOKENS * launches * pp + constants["request_ms"] * 1e-3
    # Stages in turn pass a prompt on piece by piece: the next one begins when the one before has done its first.
    pieces = np.maximum(np.ceil(np.asarray(jobs.prefilled) / IN_TURN_TOKENS), 1)
    of_stage = np.where(jobs.in_turn, (pieces + pp - 1) / pieces / pp, 1 / pp)
    # Stages wait for each other: (m + pp - 1) / m of the time for m batches under way (Huang et al. 2019,
    # arXiv:1811.06965, section 2.3).
    idle = 1 + constants["pipeline_idle"] * (pp - 1) * (1 - np.asarray(jobs.in_turn))
    # Weights lie spread over tp and pp, each data-parallel rank reads its own; experts over the whole group.
    found = Times(
        mem_fixed_s=((jobs.dense_b - jobs.copied_b) / tp + jobs.copied_b) / jobs.dense_b * read_b / pp / bandwidth,
        mem_experts_s=jobs.expert_b * uneven / group / pp / bandwidth / constants["expert_bandwidth_share"],
        mem_user_s=kept / dp / bandwidth / constants["kv_bandwidth_share"],
        flops_user_s=decoding / group / pp,
        link_user_s=comm_user,
        user_s=np.asarray(constants["user_us"] * 1e-6 / pp / dp),
        stage_fixed_s=fixed,
        prefill_s=prefill * of_stage * idle,
        prefill_fixed_s=np.where(jobs.in_turn, 0.0, prefill * (1 - 1 / pp))
        + scheduled * pp
        + prompt_launches
        + constants["first_token_ms"] * 1e-3,
        miss=np.where(moe, jobs.miss, 1.0),
        skew=constants["expert_skew"],
        pp=pp,
        idle=idle,
        waves=np.where(jobs.in_turn, 1, pp),
        osl=jobs.osl,
        knee=constants["knee"],
        burst=constants["burst_share"],
        mixing=constants["prefill_mixing"],
        hidden=constants["prefill_hidden"],
        drafted=jobs.drafted,
        accepted=constants["draft_accepted"],
        draft_share=constants["draft_share"],
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
    # Data-parallel ranks share out the experts: a token goes at 8 bits once to each other rank that holds one of those
    # chosen for it, and comes back from there at 16, once per layer.
    spread = moe & (dp > 1)
    chosen = jobs.route_b / jobs.token_b
    others = (group - 1) * (1 - np.power(1 - 1 / group, chosen))
    routed = np.where(spread, moe_layers * 1.5 * jobs.token_b * others / group / far_b, 0.0)
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
        floored(running * latencies.osl / latencies.request_s(running) * 10),
        1 / tpot,
        latencies.ttft_s(running) * 1e3,
        tpot * 1e3,
    )


def floored(exact: Floats) -> Ints:
    """Rounded down after rounding to nine digits, so that a last bit of the C library does not decide."""
    scale = 10.0 ** (8 - np.floor(np.log10(np.maximum(exact, 1e-9))))
    rounded: Any = np.floor(np.rint(exact * scale) / scale)
    return np.asarray(rounded.astype(np.int64))


def largest_concurrency(latencies: Latencies, most: Ints, min_tok_s_user: float, max_ttft_ms: float | None) -> Ints:
    """The largest concurrency up to `most` (>= 1) that meets the latency limits, by bisection; 0 when none does."""

    def ok(running: Ints) -> Flags:
        fine = latencies.tpot_s(running) * min_tok_s_user <= SLACK
        if max_ttft_ms is not None:
            fine = fine & (latencies.ttft_s(running) * 1e3 <= max_ttft_ms * SLACK)
        return np.asarray(fine)

    # Latencies never fall with more requests (`_assert_ordered`), so that bisection finds the largest number.
    return largest_keeping(most, ok)


def largest_keeping(most: Ints, keeps: Callable[[Ints], Flags]) -> Ints:
    """The largest number up to `most` (>= 1) that keeps what all smaller ones keep, by bisection; 0 where 1 does not.
    That nothing but `most` limits it is the common case: it is tried before anything between."""
    one = np.ones_like(most)
    low, high = np.where(keeps(one), one, 0), most + 1
    low = np.where((low > 0) & keeps(most), most, low)
    while np.any(open_ := (low > 0) & (high - low > 1)):
        middle = np.where(open_, (low + high) // 2, one)
        good = keeps(middle)
        low, high = np.where(open_ & good, middle, low), np.where(open_ & ~good, middle, high)
    return low
