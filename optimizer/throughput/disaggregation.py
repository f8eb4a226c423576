"""Prefill and decode on GPUs of their own: the steady state of requests that go through both.

A replica of the first half computes a prompt and its first token, the KV cache goes over the network, a replica of the
second half makes the other tokens. Neither does the other's work, but requests queue where the first half is busy
(mean-value analysis of a closed loop; Reiser and Lavenberg 1980, doi:10.1145/322186.322195), and a share of them comes
at the same time, as where the same GPUs do both. Nothing is fitted here: the constants are those of such GPUs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from catalogs.llm import Llm
from optimizer.throughput.constants import Constants
from optimizer.throughput.roofline import SLACK, Field, Flags, Floats, Ints, Times, largest_keeping

STEPS = 28
"""Of a bisection: the requests in decode are known to a part in 10^8 of those that there is room for."""


@dataclass(frozen=True)
class Prefill:
    """The half that computes prompts, an entry per configuration. `alone_s`: time of a prompt with no other there, its
    KV cache handed over in `handing_s` of it; `each_s`: by how much it holds up the next one of its replica; `at_once`:
    share of the others' prompts that come at the same time; `ranks`: data-parallel ones of a replica."""

    alone_s: Floats
    each_s: Floats
    handing_s: Floats
    replicas: Any
    ranks: Any
    at_once: float

    @property
    def most_requests_s(self) -> Floats:
        """Prompts per second that the half computes at most."""
        return np.asarray(self.replicas / self.each_s)

    def ttft_s(self, requests_s: Floats, asked: Floats) -> Floats:
        """Time to the first token at a rate below the most, where `asked` requests are under way in all."""
        # A prompt finds before it what queues of all requests but itself.
        others = np.maximum(asked - 1, 0)
        busy = requests_s / self.most_requests_s * others / np.maximum(asked, 1)
        before = busy / np.maximum(1 - busy, 1e-12) + self.at_once * others
        return np.asarray(self.alone_s + before * self.each_s / self.replicas)

    def of(self, at: Any) -> Prefill:
        """Some of the configurations."""
        return replace(
            self, alone_s=self.alone_s[at], each_s=self.each_s[at], handing_s=self.handing_s[at],
            replicas=np.asarray(self.replicas)[at], ranks=np.asarray(self.ranks)[at],
        )  # fmt: skip

    def estimated_s(self, asked: Floats) -> Floats:
        """A prompt's time beside its share of the others', by which plans are chosen: data-parallel ranks without a
        prompt of their own idle."""
        others = np.maximum(asked - 1, 0)
        idle = np.maximum(self.ranks * self.replicas / np.maximum(asked, 1), 1)
        return np.asarray(self.alone_s * idle + self.at_once * others * self.each_s / self.replicas)


@dataclass(frozen=True)
class Decode:
    """The half that makes the tokens behind the first. `room`: requests that its memory holds, in all replicas."""

    times: Times
    replicas: Any
    room: Any

    def of(self, at: Any) -> Decode:
        """Some of the configurations."""
        return Decode(self.times.of(at), np.asarray(self.replicas)[at], np.asarray(self.room)[at])

    def tpot_s(self, running: Any) -> Floats:
        """Time per token with so many requests in all replicas."""
        return self.times.tpot_s(np.maximum(running / self.replicas, 1.0))

    def after_first_s(self, running: Any) -> Floats:
        """From a request's first token to its last; a step at least."""
        return np.asarray(self.tpot_s(running) * np.maximum(self.times.osl - 1, 1))


@dataclass(frozen=True)
class Steady:
    """What both halves do together: requests per second, requests in decode, latencies in seconds."""

    requests_s: Floats
    running: Floats
    ttft_s: Floats
    tpot_s: Floats


def prefill_half(times: Times, replicas: Any, handing_s: Any, ranks: Any, constants: Constants) -> Prefill:
    """From the roofline of its replicas. `handing_s`: time in which a prompt's KV cache goes over the network; each of
    `ranks` data-parallel ranks sends on its own links while the next prompt is computed."""
    return Prefill(
        np.asarray(times.prefill_fixed_s + times.prefill_s + handing_s),
        np.maximum(times.prefill_s, handing_s / ranks),
        np.broadcast_to(np.asarray(handing_s, dtype=np.float64), np.shape(times.prefill_s)),
        replicas,
        ranks,
        constants["burst_share"] * constants["prefill_mixing"],
    )


def decode_half(times: Times, replicas: Any, room: Any) -> Decode:
    """The same of GPUs on which no prompts are computed."""
    return Decode(replace(times, prefill_s=np.zeros_like(times.prefill_s)), replicas, room)


def handing_over_s(llm: Llm, isl: int, kv: str, tp: Any, pp: Any, net_b_s: Field, constants: Constants) -> Any:
    """Time in which a prompt's KV cache goes over the network: each rank sends what it holds on a link of its own. A
    latent cache, which every rank holds whole, goes once."""
    held = {size: _rank_bytes(llm, isl, kv, size) for size in set(np.asarray(tp).ravel().tolist())}
    each = np.vectorize(held.get, otypes=[np.float64])(tp) / pp
    return each / (net_b_s * constants["link_share"])


@lru_cache(maxsize=20_000)
def _rank_bytes(llm: Llm, isl: int, kv: str, tp: int) -> int:
    return llm.kv_rank_bytes(isl, kv, tp)


BUSY = 0.95
"""How much of the time the half that computes prompts is to do so at most, where nobody asks for more requests: beyond,
they lengthen the queue before it and little else."""


def most_in_balance(prefill: Prefill, decode: Decode) -> Ints:
    """The most requests at once that decode has room for and that leave the first half no busier than BUSY; one at
    least."""

    def keeps(asked: Ints) -> Flags:
        return np.asarray(
            steady(prefill, decode, asked.astype(np.float64)).requests_s <= BUSY * prefill.most_requests_s
        )

    return np.maximum(largest_keeping(np.asarray(decode.room, dtype=np.int64), keeps), 1)


def asked_for(prefill: Prefill, decode: Decode, running: Floats) -> Floats:
    """Requests under way in both halves where `running` of them are in decode and the first half is not busy all the
    time: the inverse of `steady`.

    With u = the share of time that the first half is busy and b = `at_once`, `Prefill.ttft_s` gives a + 1 = running +
    rate x alone_s + u^2 a / (a (1 - u) + 1) + u b a for the a others of a request: a quadratic equation."""
    rate = running / decode.after_first_s(running)
    busy = rate / prefill.most_requests_s
    alone = running + rate * prefill.alone_s - 1
    square = (1 - busy * prefill.at_once) * (1 - busy)
    linear = (1 - busy * prefill.at_once) - alone * (1 - busy) - busy**2
    root = np.sqrt(np.maximum(linear**2 + 4 * square * alone, 0.0))
    # Of both ways to write the root the one that subtracts no near-equal numbers.
    others = np.where(linear > 0, 2 * alone / np.maximum(linear + root, 1e-300), (root - linear) / (2 * square))
    return np.asarray(others + 1)


def most_running(prefill: Prefill, decode: Decode, least_tok_s: float, max_ttft_s: float, most_rate: Floats) -> Ints:
    """The most requests in decode of each of its replicas with which all under way have room there and that keep the
    latency limits and `most_rate` requests per second, the first half no busier than BUSY; 0 where none do. More
    requests make no latency shorter: by bisection."""
    rate_limit = np.minimum(most_rate, BUSY * prefill.most_requests_s)

    def keeps(each: Ints) -> Flags:
        running = each * decode.replicas
        after_s = decode.after_first_s(running)
        rate = running / after_s
        able = (decode.tpot_s(running) * least_tok_s <= SLACK) & (rate <= rate_limit)
        asked = asked_for(prefill, decode, np.where(able, running, 0.0))
        return np.asarray(able & (asked <= decode.room) & (asked / rate - after_s <= max_ttft_s * SLACK))

    return largest_keeping(np.maximum(decode.room // decode.replicas, 1), keeps)


def steady(prefill: Prefill, decode: Decode, asked: Floats) -> Steady:
    """The state in which `asked` requests are under way in both halves, by bisection over those in decode: more of them
    raise the rate, and with it the prompts that queue. Requests that decode has no room for wait before it."""
    asked = np.asarray(asked, dtype=np.float64)
    low, high = np.zeros_like(asked), np.minimum(decode.room, asked)
    for _ in range(STEPS):
        running = (low + high) / 2
        requests_s = running / decode.after_first_s(running)
        able = requests_s < prefill.most_requests_s
        fits = able & (running + requests_s * prefill.ttft_s(requests_s, asked) <= asked)
        low, high = np.where(fits, running, low), np.where(fits, high, running)
    requests_s = low / decode.after_first_s(low)
    return Steady(requests_s, low, asked / requests_s - decode.after_first_s(low), decode.tpot_s(low))
