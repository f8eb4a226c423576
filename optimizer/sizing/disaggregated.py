"""Prefill and decode on nodes of their own: the best split of a setup's equal nodes, whole ones, joined by RDMA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from catalogs.engines.features import has_feature
from catalogs.engines.support import Engine
from catalogs.formats import BITS
from catalogs.message import message
from catalogs.schema import Gpu
from constraints.plan import RowKey
from constraints.rule import counted
from constraints.rules.precision import kv_precision
from constraints.rules.software import starter
from optimizer.sizing.schema import SizedApart, SizedHalf
from optimizer.throughput.disaggregation import (
    BUSY,
    Decode,
    Prefill,
    Steady,
    decode_half,
    handing_over_s,
    prefill_half,
    steady,
)
from optimizer.throughput.plans import Planner
from optimizer.throughput.roofline import SLACK, Flags, Ints, largest_keeping
from optimizer.throughput.shapes import shape_words, sizes_of

MOST_SPLITS = 32
"""Splits that are tried: of more nodes only so many, evenly apart."""


@dataclass(frozen=True)
class Pool:
    """Plans of some nodes at one precision, each filling them with replicas of one shape: rows of (tp, pp, dp, ep,
    redundant experts), and what they are as either half."""

    nodes: int
    plans: Ints
    replicas: Ints
    prefill: Prefill
    decode: Decode


def apart_plan(planner: Planner, gpu: Gpu, key: RowKey) -> SizedApart | None:
    """The fastest split of a setup's nodes that an engine serves within the latency limits, else None."""
    if key.nodes < 2 or key.net != "rdma":
        return None
    found = [split for precision in planner.precisions(gpu) for split in _splits(planner, gpu, key, precision)]
    best = max(found, key=lambda split: split.rank, default=None)
    return best.sized(planner, gpu, key) if best else None


@dataclass(frozen=True)
class Split:
    """One way to share out the nodes, at the most requests that it serves within the limits (`asked`)."""

    engine: Engine
    precision: str
    first: Pool
    second: Pool
    prefill_plan: int
    decode_plan: int
    asked: int

    @cached_property
    def state(self) -> Steady:
        """With as many requests."""
        prefill, decode = self.first.prefill.of([self.prefill_plan]), self.second.decode.of([self.decode_plan])
        return steady(prefill, decode, np.array([float(self.asked)]))

    @property
    def rank(self) -> tuple[Any, ...]:
        """More throughput, then higher precision, a sooner first token, fewer nodes that prefill."""
        tenths = int(self.state.requests_s[0] * float(np.max(self.second.decode.times.osl)) * 10)
        return tenths, BITS[self.precision], -round(float(self.state.ttft_s[0]), 6), -self.first.nodes

    def sized(self, planner: Planner, gpu: Gpu, key: RowKey) -> SizedApart:
        """As an answer has it."""
        state, width = self.state, planner.calibration.width_apart(gpu)
        prefill = self.first.prefill.of([self.prefill_plan])
        tok_s = float(state.requests_s[0]) * planner.request.osl
        halves = _half(self.first, self.prefill_plan), _half(self.second, self.decode_plan)
        return SizedApart(
            plan=_named(*halves),
            engine=str(self.engine),
            precision=self.precision,
            kv_precision=kv_precision(planner.llm, planner.request),
            prefill=halves[0],
            decode=halves[1],
            users=self.asked,
            output_tok_s=round(tok_s, 1),
            low=round(tok_s * width.low, 1),
            high=round(tok_s * width.high, 1),
            basis="roofline",
            per_user_tok_s=round(1 / float(state.tpot_s[0]), 2),
            ttft_ms=round(float(state.ttft_s[0]) * 1e3, 1),
            tpot_ms=round(float(state.tpot_s[0]) * 1e3, 2),
            requests_s=round(float(state.requests_s[0]), 3),
            prefill_busy=round(float(state.requests_s[0] / prefill.most_requests_s[0]), 3),
            handing_over_ms=round(float(prefill.handing_s[0]) * 1e3, 2),
            network_gbit_s=key.net_gbit_s,
        )


def _named(prefill: SizedHalf, decode: SizedHalf) -> str:
    """`2 nodes prefill tp8 + 3 nodes decode dp8 ep8 x3`."""
    return message(
        "{first} prefill {prefill} + {second} decode {decode}",
        first=counted(prefill.nodes, "node"), prefill=_words(prefill), second=counted(decode.nodes, "node"),
        decode=_words(decode),
    )  # fmt: skip


def _words(half: SizedHalf) -> str:
    shape = shape_words((half.tp, half.pp, half.dp, half.ep))
    return shape + (f" x{half.replicas}" if half.replicas > 1 else "")


def _half(pool: Pool, plan: int) -> SizedHalf:
    tp, pp, dp, ep, redundant = pool.plans[plan].tolist()
    return SizedHalf(
        nodes=pool.nodes, tp=tp, pp=pp, dp=dp, ep=ep, redundant_experts=redundant, replicas=int(pool.replicas[plan])
    )


def _splits(planner: Planner, gpu: Gpu, key: RowKey, precision: str) -> Iterator[Split]:
    """The best split of each engine at one precision."""
    llm, may_try = planner.llm, planner.request.allow_experimental
    for engine in planner.fits.engines(gpu, precision):
        if not has_feature(engine.name, "disaggregation", llm.architecture, may_try):
            continue
        firsts = sorted({max(1, key.nodes * i // MOST_SPLITS) for i in range(1, MOST_SPLITS)} | {key.nodes - 1})
        pools: dict[int, Pool | None] = {}
        for nodes in {n for first in firsts for n in (first, key.nodes - first) if 0 < n < key.nodes}:
            pools[nodes] = pool_of(planner, gpu, replace(key, nodes=nodes), precision, engine)
        for first in firsts:
            one, two = pools.get(first), pools.get(key.nodes - first)
            if one and two:
                yield from _of_split(planner, engine, precision, one, two)


def _of_split(planner: Planner, engine: Engine, precision: str, one: Pool, two: Pool) -> Iterator[Split]:
    """The best plans of two pools: the quickest plan and the one of most prompts per second for the first half, each
    with all for the second."""
    prefill_plans = {int(np.argmin(one.prefill.alone_s)), int(np.argmax(one.prefill.most_requests_s))}
    for prefill_plan in sorted(prefill_plans):
        every, users = np.full(len(two.plans), prefill_plan), planner.request.users or 1
        most = _most_requests(planner, one.prefill.of(every), two.decode, BUSY)
        if not (most >= users).any():
            most = _most_requests(planner, one.prefill.of(every), two.decode, 1.0)
        able = np.flatnonzero(most >= users)
        if len(able):
            state = steady(one.prefill.of(every[able]), two.decode.of(able), most[able].astype(np.float64))
            best = int(able[np.argmax(state.requests_s)])
            yield Split(engine, precision, one, two, prefill_plan, best, int(most[best]))


def _most_requests(planner: Planner, prefill: Prefill, decode: Decode, busy: float) -> Ints:
    """The most requests at once, up to what decode has room for, that keep the latency limits and leave the first half
    `busy` so much of the time; 0 where none do. By bisection: more requests make no latency shorter."""
    request = planner.request
    least_tok_s = 0.0 if request.workload == "batch" else request.min_tok_s_user

    def keeps(asked: Ints) -> Flags:
        state = steady(prefill, decode, asked.astype(np.float64))
        fine = (state.tpot_s * least_tok_s <= SLACK) & (state.requests_s <= busy * prefill.most_requests_s)
        if request.max_ttft_ms is not None:
            fine = fine & (state.ttft_s * 1e3 <= request.max_ttft_ms * SLACK)
        return np.asarray(fine)

    return largest_keeping(np.asarray(decode.room, dtype=np.int64), keeps)


def pool_of(planner: Planner, gpu: Gpu, key: RowKey, precision: str, engine: Engine) -> Pool | None:
    """All plans of some nodes that an engine starts and that fit; None where there are none."""
    request, llm, constants = planner.request, planner.llm, planner.calibration.constants
    setups = [(gpu, key, size) for size in sizes_of(key.per_node, key.total)]
    table, owner = planner.fits.of(precision, setups)
    started = [
        starter(llm, gpu, precision, (tp, pp, dp, ep), (engine,), request.allow_experimental, key.per_node)
        for tp, pp, dp, ep in table[:, :4].tolist()
    ]
    spare = table[:, 4].tolist()
    kept = [i for i, run in enumerate(started) if run and run.redundant_experts == spare[i]]
    # No half of any measured run has pipeline stages: they are taken where nothing else fits.
    kept = [i for i in kept if table[i, 1] == 1] or kept
    if not kept or not planner.runs(gpu, precision):
        return None
    table, owner = table[kept], owner[kept]
    found = planner.pieces(precision, setups, table, owner)
    tp, pp, dp, _ = table[:, :4].T
    replicas, net_b_s = key.total // (tp * pp * dp), key.net_gbit_s / 8 * 1e9
    handing_s = handing_over_s(llm, request.isl, kv_precision(llm, request), tp, pp, net_b_s, constants)
    return Pool(
        key.nodes,
        table[:, :5],
        replicas,
        prefill_half(found, replicas, handing_s, dp, constants),
        decode_half(found, replicas, table[:, 5] * replicas),
    )
