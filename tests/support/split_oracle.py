"""Prefill and decode on nodes of their own, by brute force: every split, every plan of both halves, every number of
requests, from the words of docs/throughput.md. The time of one given plan is the roofline's; all else is written anew.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from catalogs.schema import Gpu
from constraints.plan import RowKey
from optimizer.throughput import roofline
from optimizer.throughput.calibration import shipped
from optimizer.throughput.constants import constants
from optimizer.throughput.demand import demand
from optimizer.throughput.jobs import of_keys
from tests.support.plan_oracle import classes, engine_places, engine_starts, engines, lines

if TYPE_CHECKING:
    from tests.support.oracle import Oracle

GGUF_LIKE = ("q", "iq", "ud-", "mxfp4_moe", "mlx")
BUSIEST = 0.95
BATCH = 8192


@dataclass(frozen=True)
class Way:
    """Nodes of one half with replicas of one shape. `prompts`: whether they have memory for those; `room`: requests
    that a replica holds."""

    shape: tuple[int, int, int, int]
    replicas: int
    engines: frozenset[str]
    prompts: bool
    room: int
    link_b: float
    times: Any


def split_tenths(oracle: Oracle, gpu: Gpu, key: RowKey, precision: str) -> int:
    """0.1 tok/s of the fastest split of a key's nodes; 0 where there is none."""
    if key.nodes < 2 or key.net != "rdma" or oracle.ask.model.host_table_bytes or precision.startswith(GGUF_LIKE):
        return 0
    best = 0
    for first in range(1, key.nodes):
        starting = _plain([way for way in _ways(oracle, gpu, key, precision, first) if way.prompts])
        following = _plain([way for way in _ways(oracle, gpu, key, precision, key.nodes - first) if way.room])
        for one, other in itertools.product(starting, following):
            if one.engines & other.engines:
                best = max(best, _pair(oracle, key, one, other))
    return best


def _plain(ways: list[Way]) -> list[Way]:
    """Those without pipeline stages, or where there are none all."""
    return [way for way in ways if way.shape[1] == 1] or ways


def _ways(oracle: Oracle, gpu: Gpu, key: RowKey, precision: str, nodes: int) -> Iterator[Way]:
    ask, llm, k = oracle.ask, oracle.ask.model, key.per_node
    able = [
        row["engine"]
        for row in lines("features")
        if row["feature"] == "disaggregation"
        and (row["status"] == "stable" or ask.allow_experimental)
        and llm.architecture in (row["architectures"].split("|") if row["architectures"] else [llm.architecture])
    ]
    made = oracle._among(precision)
    names = [e for e in engines(llm, gpu, precision, "serve", ask.allow_experimental) if e in able]
    names = [e for e in names if made is None or e in made]
    kernels = next(iter(classes(gpu))) if len(classes(gpu)) == 1 else ""
    prompts = copy.copy(oracle)
    prompts.ask = replace(ask, osl=0)
    total = nodes * k
    for tp, pp, dp in itertools.product(range(1, k + 1), range(1, 9), range(1, total + 1)):
        size = tp * pp * dp
        if total % size or llm.heads % tp or k % tp or pp > llm.layers or (dp > 1 and not llm.is_moe):
            continue
        if (size < k and k % size) or (size > k and size % k) or (size > k and tp * dp < k and k % (tp * dp)):
            continue
        for ep in {1, tp * dp} if llm.is_moe else {1}:
            if size > k and tp * dp > k and key.net_gbit_s < (400 if ep > 8 else 100):
                continue
            started = {
                e
                for e in names
                if engine_starts(e, llm, kernels, precision, tp, pp, dp, ep)
                and engine_places(e, tp, pp, dp, k, ask.allow_experimental)
            }
            if not started:
                continue
            room = min(oracle._room(gpu, precision, tp, pp, dp, ep), 1024 * dp)
            held = prompts._room(gpu, precision, tp, pp, dp, ep) // dp
            if room < 1 and held < 1:
                continue
            link_b = math.ceil(sum((oracle._request_bytes(y, ask.isl, tp) for y in llm.layer_list), Fraction(0))) / pp
            need = oracle._without_cached(demand(llm, precision, ask.isl, ask.osl, oracle._kv), precision)
            one = np.array([(tp, pp, dp, ep)]), [key], np.zeros(1, dtype=np.int64)
            jobs = of_keys(gpu, *one, need, precision, (ask.isl, ask.osl), constants())
            assert jobs is not None
            pieces = roofline.times(jobs, constants()).slowed(1 / shipped().pair(need.kin, gpu))
            enough = held >= 2 * max(1, BATCH // ask.isl)
            yield Way((tp, pp, dp, ep), total // size, frozenset(started), enough, max(room, 0), link_b, pieces)


def _pair(oracle: Oracle, key: RowKey, one: Way, other: Way) -> int:
    """0.1 tok/s of two halves with as many requests as fit and keep the limits."""
    ask, k = oracle.ask, constants()
    link_b_s = key.net_gbit_s * 1e9 / 8
    handing = one.link_b / (link_b_s * k["link_share"])
    prompt = float(np.ravel(one.times.prefill_s)[0])
    alone = float(np.ravel(one.times.prefill_fixed_s)[0]) + prompt + handing
    each = max(prompt, handing / one.shape[2]) / one.replicas  # between two prompts of the whole half
    together = k["burst_share"] * k["prefill_mixing"]
    quiet = replace(other.times, prefill_s=np.zeros(1))

    def token_s(running: Any) -> Any:
        return quiet.tpot_s(np.maximum(running / other.replicas, 1.0))

    def after(running: Any) -> Any:
        return token_s(running) * max(ask.osl - 1, 1)

    held = other.room * other.replicas
    running = np.arange(1, other.room + 1, dtype=float) * other.replicas
    rate = running / after(running)
    fine = (token_s(running) * ask.min_tok_s_user <= 1 + 1e-9) & (rate * each <= BUSIEST)
    for half in (one, other):
        fine &= rate * half.link_b / (half.replicas * half.shape[2]) <= BUSIEST * link_b_s
    # Requests under way in both halves, those in decode and those that wait for their first token.
    low, high = np.zeros(len(running)), np.full(len(running), held + 1.0)
    for _ in range(80):
        all_ = (low + high) / 2
        others = np.maximum(all_ - 1, 0)
        busy = np.minimum(rate * each, 0.999) * others / np.maximum(all_, 1)
        waits = alone + each * (busy / (1 - busy) + together * others)
        more = running + rate * waits > all_
        low, high = np.where(more, all_, low), np.where(more, high, all_)
    fine &= low <= held
    if ask.users is not None:
        fine &= np.floor(low / other.replicas * (1 + 1e-9)) * other.replicas >= ask.users
    tok_s = float(np.max(np.where(fine, rate, 0.0))) * ask.osl
    return math.floor(float(f"{tok_s * 10:.9g}"))
