"""Prefill and decode on nodes of their own, for rows: the fastest split of equal nodes, whole ones, over RDMA.

Nodes of one half hold replicas of one shape, inside a node or over whole nodes. A half has pipeline stages only where
no plan without fits: no half of any measured run has some. N-gram tables lie on the GPUs. The first half is busy at
most BUSY of the time, and each replica that decodes has as many requests, a whole number. All else is
disaggregation.py's; what can't be faster than a plan that does both is left out by bounds, and all that remains is
judged as one array.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from catalogs.engines.support import Engine
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.schema import Gpu
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.request import Request
from constraints.rules.precision import kv_precision, wanted
from constraints.rules.software import apart
from constraints.rules.vram import kv_per_gpu_user, prompts_held
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.disaggregation import (
    BUSY,
    Decode,
    Prefill,
    Steady,
    asked_for,
    decode_half,
    most_running,
    prefill_half,
    steady,
)
from optimizer.throughput.fits import Fits, Setup
from optimizer.throughput.roofline import SLACK, Flags, Floats, Ints, Times, floored
from optimizer.throughput.shapes import sizes_of

Kind = tuple[object, ...]
"""Hardware that replicas inside a node can't tell apart."""
KEEPING_STEPS = 40
"""Of a bisection that only bounds."""
MOST_ENGINES = 60
"""Engines of a GPU: bits of an integer."""


class Planner(Protocol):
    """What splits take from the planner of a request (plans.Planner)."""

    llm: Llm
    request: Request
    calibration: Calibration
    fits: Fits

    def alike(self, gpu: Gpu) -> int: ...

    def precisions(self, gpu: Gpu) -> list[str]: ...

    def runs(self, gpu: Gpu, precision: str) -> bool: ...

    def pieces(self, precision: str, setups: Sequence[Setup], table: Ints, owner: Ints) -> Times: ...


class Asked(NamedTuple):
    """A key whose nodes are to be split, and the 0.1 tok/s that a split has to exceed."""

    gpu: Gpu
    key: RowKey
    floor: int


@dataclass(frozen=True)
class Replicas:
    """Replicas of one precision, an entry each. `block`: hardware and span that it is of;
    `engines`: bits of those that start it; `span`: nodes that `per_span`
    of them fill; `prompt_b`: bytes of a prompt's KV cache on one link; `room`: requests that one holds, 0 for none;
    `keeps_s`: requests per second of one that decodes as many as keep the speed of each user."""

    block: Ints
    shape: Ints
    redundant: Ints
    engines: Ints
    span: Ints
    per_span: Ints
    prefills: Flags
    prompt_b: Floats
    room: Ints
    keeps_s: Floats
    times: Times

    @cached_property
    def keeping(self) -> Floats:
        """Requests per second of the replicas of a node that decode (see `keeps_s`)."""
        return self.keeps_s * self.per_span / self.span

    @classmethod
    def joined(cls, parts: Sequence[Replicas]) -> Replicas:
        """One table after the other."""
        names = [field_.name for field_ in fields(cls) if field_.name != "times"]
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**columns, times=Times.joined([part.times for part in parts]))


class Best(NamedTuple):
    """Requests per second that a node of some replicas does at most, as either half: of those without pipeline stages,
    and of those with some; 0 where there are none."""

    prefill: float
    staged_prefill: float
    decode: float
    staged_decode: float


@dataclass(frozen=True)
class Sending:
    """Entries of a table as the half that computes prompts, over one network: a prompt's own time, and prompts per
    second of the replicas of a node. `most`: of each block."""

    alone_s: Floats
    rate_s: Floats
    most: list[Best]


class Group:
    """Replicas on one kind of hardware and network: the block and the entries of a table, by the nodes that a replica
    spans."""

    def __init__(self, table: Replicas, sending: Sending) -> None:
        self.table, self.sending = table, sending
        self.spans: dict[int, tuple[int, Ints]] = {}
        self._known: dict[int, tuple[float, float]] = {}
        self._bounds: dict[int, Floats] = {}
        self._prefill: dict[int, Ints] = {}

    def bounds(self, nodes: int) -> Floats:
        """Requests per second that a split of as many nodes does at most, by the nodes that prefill, from one up."""
        if nodes not in self._bounds:
            most = np.array([self._most(count) for count in range(1, nodes)])
            self._bounds[nodes] = np.minimum(BUSY * most[:, 0], most[::-1, 1])
        return self._bounds[nodes]

    def _most(self, nodes: int) -> tuple[float, float]:
        """Requests per second that as many nodes prefill, and decode at the speed that each user must see, at most."""
        if nodes not in self._known:
            found = [self.sending.most[block] for span, (block, _) in self.spans.items() if nodes % span == 0]
            prefill, staged_prefill, decode, staged_decode = map(max, zip(*found, strict=True))
            self._known[nodes] = nodes * (prefill or staged_prefill), nodes * (decode or staged_decode)
        return self._known[nodes]

    def prefill(self, nodes: int) -> Ints:
        """Replicas for as many nodes that prefill, but those that another one beats in both a prompt's own time and
        prompts per second."""
        if nodes not in self._prefill:
            entries = self._of(nodes, self.table.prefills)
            rates, alone_s = self.sending.rate_s[entries], self.sending.alone_s[entries]
            bits = self.table.engines[entries]
            kept: list[int] = []
            for place in np.lexsort((-rates, alone_s)).tolist():
                # Sound: beside any half that decodes the one before serves no fewer requests, on the same engines.
                beaten = (rates[kept] >= rates[place]) & (bits[kept] & bits[place] == bits[place])
                if not beaten.any():
                    kept.append(place)
            self._prefill[nodes] = entries[kept]
        return self._prefill[nodes]

    def decode(self, nodes: int) -> Ints:
        """Replicas for as many nodes that decode."""
        return self._of(nodes, self.table.room > 0)

    def _of(self, nodes: int, able: Flags) -> Ints:
        """Replicas that fill so many nodes: without pipeline stages, or where there are none with them."""
        found = [entries for span, (_, entries) in self.spans.items() if nodes % span == 0]
        entries = np.concatenate(found)
        entries = entries[able[entries]]
        plain = entries[self.table.shape[entries, 1] == 1]
        return plain if len(plain) else entries


class Candidates(NamedTuple):
    """Splits to judge: which key, nodes that prefill and all, entries of the table of both halves, and the requests per
    second that they do at most."""

    asked: Ints
    first: Ints
    nodes: Ints
    prefill: Ints
    decode: Ints
    bound_s: Floats


class Found(NamedTuple):
    """What splits do: 0.1 tok/s, requests under way for each replica that decodes, requests per second, latencies."""

    tenths: Ints
    each: Ints
    requests_s: Floats
    ttft_s: Floats
    tpot_s: Floats


class Splits:
    """Splits of one request's keys; what is judged is judged once."""

    def __init__(self, planner: Planner) -> None:
        self.planner = planner
        self.tables: dict[str, Replicas] = {}
        self._blocks: dict[tuple[str, Kind, int, int], tuple[int, Ints]] = {}
        self._groups: dict[tuple[str, Kind, int], Group] = {}
        self._kinds: dict[tuple[str, int, int, int, int, int], Kind] = {}
        self._sending: dict[tuple[str, int], Sending] = {}
        self._able: dict[tuple[str, str], tuple[Engine, ...]] = {}

    def of(self, planner: Planner) -> Splits:
        """Those of another planner whose request differs in the number of users alone: tables serve both."""
        other = copy.copy(self)
        other.planner = planner
        return other

    def able(self, gpu: Gpu, precision: str) -> tuple[Engine, ...]:
        """Engines that serve prefill and decode apart on a GPU."""
        memo = gpu.id, precision
        if memo not in self._able:
            planner = self.planner
            runs = precision in planner.precisions(gpu) and planner.runs(gpu, precision)
            found = apart(planner.llm, planner.fits.engines(gpu, precision), planner.request) if runs else ()
            self._able[memo] = found[:MOST_ENGINES]
        return self._able[memo]

    def possible(self, gpu: Gpu) -> bool:
        """Whether prefill and decode can be apart on nodes of this GPU at all."""
        return any(self.able(gpu, precision) for precision in wanted(self.planner.llm, self.planner.request))

    def rows(self, asked: Sequence[Asked]) -> list[Row | None]:
        """The fastest split of each key that exceeds its floor."""
        out: list[Row | None] = [None] * len(asked)
        todo = [
            place
            for place, (gpu, key, _) in enumerate(asked)
            if key.nodes > 1 and key.net == "rdma" and not key.tables_gb and self.possible(gpu)
        ]
        for precision in wanted(self.planner.llm, self.planner.request) if todo else ():
            able = [place for place in todo if self.able(asked[place].gpu, precision)]
            self._judge(precision, [asked[place] for place in able])
            for place, row in zip(able, self._best(precision, [asked[place] for place in able]), strict=True):
                before = out[place]
                if row and (before is None or _preference(row) > _preference(before)):
                    out[place] = row
        return out

    def state(self, gpu: Gpu, row: Row, users: float) -> Steady:
        """What a row's split does with so many requests under way."""
        prefill, decode = self.halves(gpu, row)
        return steady(prefill, decode, np.array([float(users)]))

    def halves(self, gpu: Gpu, row: Row) -> tuple[Prefill, Decode]:
        """Both halves of a row's split."""
        plan, key = row.plan, row.key
        self._judge(plan.precision, [Asked(gpu, key, 0)])
        group, net_b_s = self._group(plan.precision, gpu, key), np.array([_b_s(key.net_gbit_s)])
        first, second = (half.gpus * half.replicas // key.per_node for half in plan.halves)
        one, other = (self._entry(group, half, nodes) for half, nodes in zip(plan.halves, (first, second), strict=True))
        return self._prefill_of(plan.precision, one, first, net_b_s), self._decode_of(plan.precision, other, second)

    @staticmethod
    def _entry(group: Group, half: Plan, nodes: int) -> Ints:
        """The entry of the table that a half of a plan has."""
        table = group.table
        for span, (_, entries) in group.spans.items():
            if nodes % span == 0:
                same = (table.shape[entries] == half.shape).all(axis=1)
                same &= table.redundant[entries] == half.redundant_experts
                if same.any():
                    return entries[np.flatnonzero(same)[:1]]
        raise ValueError(f"no such half: {half}")

    # Tables ------------------------------------------------------------------------------------------------------

    def _kind(self, gpu: Gpu, key: RowKey) -> Kind:
        memo = gpu.id, key.cap_w, key.domain, key.pcie_gen, key.lanes, key.per_node
        if memo not in self._kinds:
            slow = (key.cap_w, gpu.tdp_w) if gpu.tdp_w and key.cap_w < gpu.tdp_w else None
            self._kinds[memo] = self.planner.alike(gpu), slow, *memo[2:]
        return self._kinds[memo]

    def _block(self, gpu: Gpu, key: RowKey, precision: str, span: int) -> tuple[str, Kind, int, int]:
        return precision, self._kind(gpu, key), span, key.net_gbit_s if span > 1 else 0

    def _judge(self, precision: str, asked: Sequence[Asked]) -> None:
        """Adds to the table of a precision the replicas that these keys' splits may have, in one stroke."""
        new: dict[tuple[str, Kind, int, int], tuple[Gpu, RowKey, int]] = {}
        most: dict[tuple[Kind, int], tuple[Gpu, RowKey]] = {}
        for gpu, key, _ in asked:
            kind = self._kind(gpu, key), key.net_gbit_s
            if kind not in most or most[kind][1].nodes < key.nodes:
                most[kind] = gpu, key
        for gpu, key in most.values():
            for span in range(1, key.nodes):
                block = self._block(gpu, key, precision, span)
                if block not in self._blocks and block not in new:
                    new[block] = gpu, replace(key, nodes=span), span
        start = len(self.tables[precision].span) if precision in self.tables else 0
        first = len(self._blocks)
        parts = self._replicas(precision, list(new.values()), first)
        owners = parts.block if parts else np.zeros(0, dtype=np.int64)
        ends = np.searchsorted(owners, np.arange(first, first + len(new) + 1))
        for place, block in enumerate(new):
            self._blocks[block] = first + place, np.arange(start + ends[place], start + ends[place + 1])
        if parts:
            before = [self.tables[precision]] if precision in self.tables else []
            self.tables[precision] = Replicas.joined([*before, parts])

    def _replicas(self, precision: str, blocks: Sequence[tuple[Gpu, RowKey, int]], first: int) -> Replicas | None:
        """Replicas of some blocks, numbered from `first`."""
        planner, llm, request = self.planner, self.planner.llm, self.planner.request
        setups: list[Setup] = []
        of_block: list[int] = []
        owner_of: list[int] = []
        tables: list[tuple[int, ...]] = []
        bits: list[int] = []
        for place, (gpu, key, span) in enumerate(blocks):
            sizes = (span * key.per_node,) if span > 1 else sizes_of(key.per_node, key.per_node)
            for size in sizes:
                found: dict[tuple[int, ...], int] = {}
                for bit, engine in enumerate(self.able(gpu, precision)):
                    for row in planner.fits.table_of(gpu, precision, key, size, (engine,)):
                        found[row] = found.get(row, 0) | 1 << bit
                if found:
                    owner_of += [len(setups)] * len(found)
                    setups.append((gpu, key, size))
                    of_block.append(first + place)
                    tables += found
                    bits += found.values()
        if not tables:
            return None
        table, owner = np.array(tables, dtype=np.int64), np.array(owner_of, dtype=np.int64)
        free = np.array([planner.fits.free(gpu, precision) for gpu, _, _ in setups], dtype=np.int64)[owner]
        rate = np.array([key.net_gbit_s for _, key, _ in setups], dtype=np.int64)[owner]
        kv = kv_precision(llm, request)
        tp, pp, dp = table[:, 0], table[:, 1], table[:, 2]
        cuts = {
            cut: kv_per_gpu_user(llm, request.isl, kv, *cut) for cut in set(zip(tp.tolist(), pp.tolist(), strict=True))
        }
        prompt = np.array([cuts[cut] for cut in zip(tp.tolist(), pp.tolist(), strict=True)], dtype=np.int64)
        sent = {size: llm.kv_rank_bytes(request.isl, kv, size) for size in set(tp.tolist())}
        weights, each, least = table[:, 5], table[:, 6], table[:, 7]
        room = np.minimum((free - weights) // each, planner.fits.most_at_once(precision)) * dp
        room = np.where((free >= weights) & (rate >= least), np.maximum(room, 0), 0)
        prefills = (free - weights >= prompts_held(request.isl) * prompt) & (rate >= least)
        kept = (room > 0) | prefills
        table, owner, room, prefills = table[kept], owner[kept], room[kept], prefills[kept]
        if not len(table):
            return None
        times = planner.pieces(precision, setups, table, owner)
        size, per_node = table[:, :3].prod(axis=1), np.array([key.per_node for _, key, _ in setups])[owner]
        span = np.maximum(size // per_node, 1)
        decode = decode_half(times, 1, room)
        return Replicas(
            np.array(of_block, dtype=np.int64)[owner],
            table[:, :4],
            table[:, 4],
            np.array(bits, dtype=np.int64)[kept],
            span,
            np.maximum(per_node // size, 1),
            prefills,
            np.array([sent[x] for x in table[:, 0].tolist()]) / table[:, 1],
            room,
            self._keeping(decode),
            times,
        )

    def _keeping(self, decode: Decode) -> Floats:
        """Requests per second of a replica with the most requests that keep the speed of each user: no more come out of
        it, however many wait for it."""
        low, high = np.ones(len(decode.room)), np.maximum(np.asarray(decode.room, dtype=np.float64), 1.0)
        fine = decode.tpot_s(high) * self._least_tok_s <= SLACK
        low = np.where(fine, high, low)
        for _ in range(0 if fine.all() else KEEPING_STEPS):
            middle = (low + high) / 2
            keeps = decode.tpot_s(middle) * self._least_tok_s <= SLACK
            low, high = np.where(keeps, middle, low), np.where(keeps, high, middle)
        able = (decode.tpot_s(low) * self._least_tok_s <= SLACK) & (decode.room > 0)
        return np.where(able, high / decode.after_first_s(high), 0.0)

    @property
    def _least_tok_s(self) -> float:
        request = self.planner.request
        return 0.0 if request.workload == "batch" else request.min_tok_s_user

    def _group(self, precision: str, gpu: Gpu, key: RowKey) -> Group:
        """Replicas that the nodes of a key may hold; more nodes than those that were judged add to them."""
        memo, table = (precision, self._kind(gpu, key), key.net_gbit_s), self.tables[precision]
        group = self._groups.get(memo)
        if group is None or group.table is not table:
            group = self._groups[memo] = Group(table, self._sent(precision, key.net_gbit_s))
        # Blocks may have come without entries of their own.
        group.sending = self._sent(precision, key.net_gbit_s)
        for span in range(len(group.spans) + 1, key.nodes):
            group.spans[span] = self._blocks[self._block(gpu, key, precision, span)]
        return group

    def _sent(self, precision: str, net_gbit_s: int) -> Sending:
        """All of a table as the half that computes prompts."""
        memo, table = (precision, net_gbit_s), self.tables[precision]
        known = self._sending.get(memo)
        if known is None or len(known.most) != len(self._blocks):
            every = np.arange(len(table.span))
            half = self._prefill_of(precision, every, table.span, np.full(len(every), _b_s(net_gbit_s)))
            rate_s = half.most_requests_s / table.span
            able_s, staged = np.where(table.prefills, rate_s, 0.0), table.shape[:, 1] > 1
            most = np.zeros((len(self._blocks), len(Best._fields)))
            for half_, figures in enumerate((able_s, table.keeping)):
                for of, some in enumerate((~staged, staged)):
                    np.maximum.at(most[:, 2 * half_ + of], table.block[some], figures[some])
            known = Sending(half.alone_s, rate_s, [Best(*row) for row in most.tolist()])
            self._sending[memo] = known
        return known

    def _prefill_of(self, precision: str, entries: Ints, nodes: int | Ints, net_b_s: Floats) -> Prefill:
        table, constants = self.tables[precision], self.planner.calibration.constants
        replicas = nodes // table.span[entries] * table.per_span[entries]
        handing_s = table.prompt_b[entries] / (net_b_s * constants["link_share"])
        return prefill_half(table.times.of(entries), replicas, handing_s, table.shape[entries, 2], constants)

    def _decode_of(self, precision: str, entries: Ints, nodes: int | Ints) -> Decode:
        table = self.tables[precision]
        replicas = nodes // table.span[entries] * table.per_span[entries]
        return decode_half(table.times.of(entries), replicas, table.room[entries] * replicas)

    # Judging -----------------------------------------------------------------------------------------------------

    def _best(self, precision: str, asked: Sequence[Asked]) -> list[Row | None]:
        out: list[Row | None] = [None] * len(asked)
        if precision not in self.tables:
            return out
        floors = np.array([one.floor for one in asked], dtype=np.int64)
        by_tenths = self.planner.request.osl * 10 * SLACK
        groups = [self._group(precision, gpu, key) for gpu, key, _ in asked]
        # Sound: neither half does more requests than its own bound; rounding has room.
        able = [
            place
            for place, (one, group) in enumerate(zip(asked, groups, strict=True))
            if group.bounds(one.key.nodes).max() * by_tenths > one.floor
        ]
        # The likeliest split of each key first: what it reaches leaves out most of the others.
        for likeliest in (True, False):
            found = [
                part
                for place in able
                for part in self._worth(groups[place], place, asked[place].key.nodes, int(floors[place]), likeliest)
            ]
            if not found:
                continue
            every = Candidates(*(np.concatenate(column) for column in zip(*found, strict=True)))
            order = np.lexsort((-every.bound_s, every.asked))
            first = order[np.diff(every.asked[order], prepend=-1) != 0]
            for entries in (first, np.setdiff1d(order, first)):
                able_s = every.bound_s[entries] * by_tenths
                some = Candidates(*(column[entries[able_s > floors[every.asked[entries]]]] for column in every))
                for place, row in self._fastest(precision, asked, some, floors):
                    before = out[place]
                    if before is None or _preference(row) > _preference(before):
                        out[place], floors[place] = row, row.perf.tenths
        return out

    def _fastest(
        self, precision: str, asked: Sequence[Asked], c: Candidates, floors: Ints
    ) -> Iterable[tuple[int, Row]]:
        """The best of these splits of each key that reaches its floor."""
        if not len(c.asked):
            return
        request, table = self.planner.request, self.tables[precision]
        net_b_s = _b_s(np.array([one.key.net_gbit_s for one in asked], dtype=np.float64)[c.asked])
        prefill = self._prefill_of(precision, c.prefill, c.first, net_b_s)
        decode = self._decode_of(precision, c.decode, c.nodes - c.first)
        # Links of both sides carry the KV caches, to the same share of the time.
        links = [
            BUSY * net_b_s / table.prompt_b[entries] * (half.replicas * table.shape[entries, 2])
            for entries, half in ((c.prefill, prefill), (c.decode, decode))
        ]
        max_ttft_s = np.inf if request.max_ttft_ms is None else request.max_ttft_ms / 1e3
        most = most_running(prefill, decode, self._least_tok_s, max_ttft_s, np.minimum(*links))
        able = np.flatnonzero(most)
        prefill, decode = prefill.of(able), decode.of(able)
        running = (most[able] * decode.replicas).astype(np.float64)
        asked_at_once = asked_for(prefill, decode, running)
        requests_s = running / decode.after_first_s(running)
        found = Found(
            floored(requests_s * request.osl * 10),
            np.floor(asked_at_once * SLACK / decode.replicas).astype(np.int64),
            requests_s,
            asked_at_once / requests_s - decode.after_first_s(running),
            decode.tpot_s(running),
        )
        serves = found.each * decode.replicas >= (request.users or 1)
        done: set[int] = set()
        for place in self._ranked(table, c, able, found.tenths).tolist():
            at, tenths = int(able[place]), int(found.tenths[place])
            one = int(c.asked[at])
            if serves[place] and one not in done and tenths >= max(floors[one], asked[one].floor + 1):
                done.add(one)
                yield one, self._row(precision, asked[one], c, at, found, place)

    @staticmethod
    def _ranked(table: Replicas, c: Candidates, able: Ints, tenths: Ints) -> Ints:
        """The best first: more throughput, then fewer nodes that prefill, then of either half fewer stages, smaller tp
        and ep, fewer GPUs of a replica."""
        keys: list[Ints] = [tenths, -c.first[able]]
        for entries in (c.decode[able], c.prefill[able]):
            tp, pp, dp, ep = table.shape[entries].T
            keys += [-pp, -tp, -ep, -dp]
        return np.asarray(np.lexsort([-key for key in reversed(keys)]))

    def _worth(self, group: Group, place: int, nodes: int, floor: int, likeliest: bool) -> Iterable[Candidates]:
        """Pairs of halves that may exceed a floor and hold the users, of the split whose bound is highest or of all
        others."""
        request, table, bounds = self.planner.request, group.table, group.bounds(nodes)
        least_s, users = floor / 10 / request.osl, request.users or 1
        able, highest = bounds * SLACK > least_s, int(np.argmax(bounds))
        if likeliest:
            firsts = [highest + 1] if able[highest] else []
        else:
            able[highest] = False
            firsts = (np.flatnonzero(able) + 1).tolist()
        for first in firsts:
            prefills, decodes = group.prefill(first), group.decode(nodes - first)
            replicas = (nodes - first) // table.span[decodes] * table.per_span[decodes]
            decodes = decodes[table.room[decodes] * replicas >= users]
            prefill, decode = np.repeat(prefills, len(decodes)), np.tile(decodes, len(prefills))
            bound_s = np.minimum(BUSY * first * group.sending.rate_s[prefill], (nodes - first) * table.keeping[decode])
            kept = (table.engines[prefill] & table.engines[decode] > 0) & (bound_s * SLACK > least_s)
            if number := int(kept.sum()):
                yield Candidates(
                    np.full(number, place), np.full(number, first), np.full(number, nodes), prefill[kept],
                    decode[kept], bound_s[kept],
                )  # fmt: skip

    def _row(self, precision: str, one: Asked, c: Candidates, at: int, found: Found, place: int) -> Row:
        planner, table, key = self.planner, self.tables[precision], one.key
        kv, first = kv_precision(planner.llm, planner.request), int(c.first[at])

        def half(entry: int, nodes: int, each: int) -> Plan:
            replicas = nodes // int(table.span[entry]) * int(table.per_span[entry])
            tp, pp, dp, ep = table.shape[entry].tolist()
            return Plan(
                precision, kv, tp, pp, dp, ep, replicas, each, redundant_experts=int(table.redundant[entry])
            )  # fmt: skip

        prefill, decode = int(c.prefill[at]), int(c.decode[at])
        prompts = prompts_held(planner.request.isl) * int(table.shape[prefill, 2])
        plan = replace(
            half(decode, key.nodes - first, int(found.each[place])),
            prefill=half(prefill, first, prompts),
            prompts_ks=math.ceil(float(found.requests_s[place]) * 1000),
        )
        width, tpot_s = planner.calibration.width_apart(one.gpu), float(found.tpot_s[place])
        perf = Perf(
            int(found.tenths[place]), 1 / tpot_s, float(found.ttft_s[place]) * 1e3, tpot_s * 1e3, width.low, width.high
        )
        return Row(key, plan, perf)


def _b_s(gbit_s: Any) -> Any:
    return gbit_s / 8 * 1e9


def _preference(row: Row) -> tuple[int, ...]:
    """The better split the larger: more throughput, then higher precision, fewer nodes that prefill, then of the half
    that decodes and of the other fewer stages, smaller tp and ep, fewer GPUs of a replica."""
    first, second = row.plan.halves
    sizes = [-size for half in (second, first) for size in (half.pp, half.tp, half.ep, half.dp)]
    return row.perf.tenths, BITS[row.plan.precision], -first.gpus * first.replicas, *sizes
