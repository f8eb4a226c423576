"""Plans of llama.cpp for unlike cards in one node: layers go to the cards in turn, each request passes all of them.

The time of a step is the sum over the stages, each by the roofline of its own card (roofline.py) at the share of bytes
and layers that it holds. The fastest card is filled first, so that the slow ones read as little as they must; more
requests at once leave less room for layers on it, and move some of them on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from catalogs.errors import Fault, InputError
from catalogs.file_kinds import GGUF_KINDS
from catalogs.formats import BITS
from catalogs.llm import Llm
from catalogs.message import Message, message
from catalogs.schema import Gpu
from constraints.physics.layer_split import LayerBytes, by_memory, filled, layer_bytes, runs
from constraints.physics.reserve import free_bytes
from constraints.plan import Perf, Plan, Row, RowKey, Stage
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import kv_precision, wanted
from constraints.rules.software import mix_fault
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.demand import demand
from optimizer.throughput.file_kinds import in_file_kinds
from optimizer.throughput.fits import MOST_SEQUENCES
from optimizer.throughput.jobs import PCIE, accelerator, of_setups, pcie_b_s
from optimizer.throughput.plans import Planner
from optimizer.throughput.roofline import IN_TURN_TOKENS, Floats, Jobs, Times, hop, largest_concurrency, speeds, times

UNCOUNTED = {"trains": "training", "offload": "offload (--offload)", "speculate": "speculation (--speculate)"}
"""What a request may ask that no plan of a mix is counted with: where the request says it -> in words."""


def require_counted(request: Request, nodes: int = 1) -> None:
    """Raises InputError (bad-mix) for a request, or a number of nodes, that no plan of unlike cards is counted with."""
    if nodes > 1:
        raise _uncounted(f"on {nodes} nodes", "Give the node alone (nodes = 1).")
    for asked, words in UNCOUNTED.items():
        if getattr(request, asked):
            raise _uncounted(f"with {words}", "It is counted for serving from the memory of the cards.")


def _uncounted(what: str, remedy: str) -> InputError:
    return InputError(Fault("bad-mix", f"a mix of unlike cards is not counted {what}", remedy=remedy))


@dataclass(frozen=True)
class InTurn:
    """Latencies of a replica whose stages work one after the other on all its requests (see roofline.Latencies).

    `stages`: times of each card at its share of the model; `handing_user_s`, `handing_s`: what all hops take for a
    token of one request, and whatever they carry; `prompt_s`: of the layers of each card, for one whole prompt, of
    which `prefilled` tokens are computed."""

    stages: Times
    handing_user_s: float
    handing_s: float
    prompt_s: Floats
    prefilled: int
    osl: int

    @property
    def prefill_s(self) -> float:
        """Of a prompt that is passed on piece by piece: the next card begins when the one before has done its first
        piece, and the slowest one keeps all others waiting."""
        pieces = max(-(-self.prefilled // IN_TURN_TOKENS), 1)
        return float((self.prompt_s.sum() + (pieces - 1) * self.prompt_s.max()) / pieces)

    def step_s(self, running: Any) -> Floats:
        """Time between two tokens of each of the `running` requests, prefills of others not counted."""
        each = self.stages.step_s(np.asarray(running, dtype=float)[..., None])
        return np.asarray(each.sum(axis=-1) + self.handing_user_s * running + self.handing_s)

    def tpot_s(self, running: Any) -> Floats:
        """Time per output token of a request, with its share of waiting for the others' prefills."""
        waiting = (1 - self.stages.burst) * self.stages.mixing * (running - 1) * self.prefill_s
        return np.asarray(self.step_s(running) + waiting / max(self.osl, 1))

    def ttft_s(self, running: Any) -> Floats:
        """Time to the first token: the own prefill, and the share of the others' that came at the same time."""
        fixed = float(np.asarray(self.stages.prefill_fixed_s).sum()) + self.handing_s
        return np.asarray(fixed + self.prefill_s * (1 + self.stages.burst * self.stages.mixing * (running - 1)))

    def request_s(self, running: Any) -> Floats:
        """From a request's arrival to its last token."""
        return np.asarray(self.ttft_s(running) + self.tpot_s(running) * (self.osl - 1))


@dataclass(frozen=True)
class Shares:
    """Shares of each card in the model's weights without routed experts, of these, of the KV cache, of layers."""

    dense: Floats
    experts: Floats
    kv: Floats
    layers: Floats


def latencies(times_: InTurn, users: int) -> tuple[float, float]:
    """Seconds per token and to the first one with so many requests at once."""
    return float(times_.tpot_s(users)), float(times_.ttft_s(users))


def no_better(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether one pair of latencies is as long as another in both, but for rounding."""
    return all(mine >= theirs * (1 - 1e-9) for mine, theirs in zip(one, other, strict=True))


def said_of_fewer(planner: MixPlanner, row: Row) -> Message | str:
    """What to say of a mix that is slower than its faster cards alone; empty where it is not."""
    found = planner.better_with_fewer(row)
    if found is None:
        return ""
    cards, alone = found
    numbers = Counter(card.name for card in cards)
    kinds = [f"{number} x {name}" if number > 1 else name for name, number in numbers.items()]
    return message(
        "{cards} without the slower cards would be faster: {alone} tok/s, with them {together} tok/s. The model fits "
        "there; slower cards add memory alone, for longer contexts, more bits or a larger model.",
        cards=" + ".join(kinds), alone=f"{alone.perf.tenths / 10:,.1f}", together=f"{row.perf.tenths / 10:,.1f}",
    )  # fmt: skip


def shares_of(each: LayerBytes, counts: Sequence[int]) -> Shares:
    """Shares of cards that hold `counts` layers."""
    dense = [whole - moe for whole, moe in zip(each.weights, each.experts, strict=True)]

    def share(of_layers: Sequence[int]) -> Floats:
        return np.array([sum(of_layers[run.start : run.stop]) for run in runs(counts)]) / max(sum(of_layers), 1)

    return Shares(share(dense), share(each.experts), share(each.request), share([1] * len(dense)))


@dataclass(frozen=True)
class Cut:
    """Layers on each card, and the most requests at once that they leave memory for."""

    counts: tuple[int, ...]
    most_users: int


class MixPlanner:
    """Plans of one request on unlike cards of a node. `cards`: one entry per card; the fastest memory comes first.
    `caps`: watts that the slots give cards which draw more."""

    def __init__(
        self, llm: Llm, request: Request, policy: Policy, calibration: Calibration, cards: Sequence[Gpu],
        caps: Mapping[str, int] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.llm, self.request, self.policy, self.calibration, self.caps = llm, request, policy, calibration, caps
        self.cards = sorted(cards, key=lambda card: (-(card.mem_gb_s or 0), -card.vram_gb, card.id))
        self.kv = kv_precision(llm, request)

    @cached_property
    def precisions(self) -> list[str]:
        """Kinds of GGUF files that the request admits and llama.cpp runs on every card, at a known speed."""
        constants = self.calibration.constants
        return [
            kind
            for kind in wanted(self.llm, self.request)
            if kind in GGUF_KINDS
            and not mix_fault(self.llm, self.cards, kind, self.request)
            and all(accelerator(card, kind, constants) for card in self.cards)
        ]

    def row(self, pcie_gen: int = 0, lanes: int = 16) -> Row | None:
        """The fastest plan with its speed, of equal ones that of more bits. `pcie_gen`: of the host links, that of each
        card where it is 0."""
        found = [row for kind in self.precisions for row in self._rows(kind, pcie_gen, lanes)]
        return max(found, key=lambda row: (row.perf.tenths, BITS[row.plan.precision]), default=None)

    def better_with_fewer(self, row: Row) -> tuple[list[Gpu], Row] | None:
        """The fastest of these cards without the slower kinds, and their plan in the same kind of file, where they are
        faster than all of them; None where all are as fast, or the model does not fit on fewer."""
        request = self.request.model_copy(update=dict(precision=row.plan.precision))
        kinds = list(dict.fromkeys(card.id for card in self.cards))
        best: tuple[list[Gpu], Row] | None = None
        for count in range(1, len(kinds)):
            cards = [card for card in self.cards if card.id in kinds[:count]]
            found = self._row_of(cards, request, row.key)
            if found and found.perf.tenths > (best[1] if best else row).perf.tenths:
                best = cards, found
        return best

    def _row_of(self, cards: Sequence[Gpu], request: Request, key: RowKey) -> Row | None:
        """The fastest plan of some of the cards on the host links of a key: equal ones are planned as such."""
        if any(card.id != cards[0].id for card in cards):
            fewer = MixPlanner(self.llm, request, self.policy, self.calibration, cards, self.caps)
            return fewer.row(key.pcie_gen, key.lanes)
        card = cards[0]
        cap = self.caps.get(card.id) or card.tdp_w or 1
        equal = RowKey(card.id, cap, len(cards), 1, 1, key.pcie_gen, key.lanes, "none", 0)
        rows = Planner(self.llm, request, self.policy, self.calibration).rows(card, [equal])
        return max(rows, key=lambda found: found.perf.tenths, default=None)

    def at(self, users: int, best: Plan, below: tuple[float, float] | None = None) -> tuple[Plan, InTurn]:
        """The plan of the best one's kind of files that serves as many requests at once as fast as any, and its times:
        the best one itself for its own number of them. The cards have memory for so many (`most_users`).

        A plan that is as good as the row of more requests in both latencies (`below`, see `latencies`) comes before a
        faster one that is not, and beyond the best one's number one that is no better than it in either: so neither
        latency falls as requests come."""
        kind = best.precision
        able = [cut for cut in self._cuts(kind) if cut.most_users >= users]
        plans = [(self._plan(kind, cut.counts, users), self._times(kind, cut.counts)) for cut in able]
        own = next((found for found in plans if found[0] == best), None)
        if own:
            return own
        waits = [latencies(times_, users) for _, times_ in plans]
        ordered = list(range(len(plans)))
        if users > best.concurrency:
            least = latencies(self._times(kind, tuple(stage.layers for stage in best.stages)), best.concurrency)
            ordered = [i for i in ordered if no_better(waits[i], least)] or ordered
        if below:
            ordered = [i for i in ordered if no_better(below, waits[i])] or ordered
        return plans[min(ordered, key=lambda i: float(plans[i][1].request_s(users)))]

    def leanest(self, kind: str) -> Plan:
        """The plan for one request: as `at` says, where the layers do not fit shared out by memory."""
        counts = self._counts(kind, 1) or by_memory(self.llm.layers, self._rooms(kind))
        return self._plan(kind, counts, 1)

    def missing_bytes(self, kind: str) -> int:
        """Bytes that all cards together lack for one request; 0 where the layers fit, or where only their sizes stand
        against it."""
        each = self._each(kind)
        return max(0, sum(each.weights) + sum(each.request) - sum(self._rooms(kind)))

    def most_users(self, kind: str) -> int:
        """Requests at once that the cards have memory for; 0 where the layers do not fit."""
        low, high = 0, min(int(self.calibration.constants["max_batch"]), MOST_SEQUENCES)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._counts(kind, middle) else (low, middle - 1)
        return low

    def _rooms(self, kind: str) -> list[int]:
        return [free_bytes(card, self.policy, kind) for card in self.cards]

    def _each(self, kind: str) -> LayerBytes:
        return layer_bytes(self.llm, kind, self.kv, self.request.tokens)

    def _counts(self, kind: str, users: int) -> tuple[int, ...] | None:
        return filled(self._each(kind), users, self._rooms(kind))

    def _plan(self, kind: str, counts: Sequence[int], users: int) -> Plan:
        stages = tuple(Stage(card.id, count) for card, count in zip(self.cards, counts, strict=True))
        return Plan(kind, self.kv, 1, len(stages), 1, 1, 1, users, stages=stages)

    @cache  # noqa: B019
    def _cuts(self, kind: str) -> list[Cut]:
        """All ways that requests at once leave the layers on the cards, the most requests first."""
        found: list[Cut] = []
        for users in range(self.most_users(kind), 0, -1):
            counts = self._counts(kind, users)
            assert counts is not None, "cards that hold more requests hold fewer"
            if not found or counts != found[-1].counts:
                found.append(Cut(counts, users))
        return found

    def _rows(self, kind: str, pcie_gen: int, lanes: int) -> list[Row]:
        """A row for each cut that serves what is asked for, with the most requests that its latencies allow."""
        request, found = self.request, list[Row]()
        least_tok_s = 0.0 if request.workload == "batch" else request.min_tok_s_user
        fact = in_file_kinds(kind)
        for cut in self._cuts(kind):
            times_ = self._times(kind, cut.counts, pcie_gen, lanes)
            most = largest_concurrency(times_, np.array([cut.most_users]), least_tok_s, request.max_ttft_ms)
            if most[0] < (request.users or 1):
                continue
            fast = speeds(times_, most)
            perf = Perf(
                int(fast.tenths[0]), float(fast.per_user_tok_s[0]), float(fast.ttft_ms[0]), float(fast.tpot_ms[0]),
                fact.low, fact.high, fact.basis, fact.source,
            )  # fmt: skip
            found.append(Row(self.key(pcie_gen, lanes), self._plan(kind, cut.counts, int(most[0])), perf))
        return found

    def key(self, pcie_gen: int, lanes: int) -> RowKey:
        """The hardware of a mix: cards on the PCIe slots of one node."""
        names = "+".join(card.id for card in self.cards)
        return RowKey(names, 0, len(self.cards), 1, 1, pcie_gen, lanes, "none", 0)

    def _times(self, kind: str, counts: Sequence[int], pcie_gen: int = 0, lanes: int = 16) -> InTurn:
        """Times of cards that hold `counts` layers."""
        request, constants = self.request, self.calibration.constants
        each = demand(self.llm, kind, request.isl, request.osl, self.kv, request.cached_tokens)
        hosts = [
            RowKey(card.id, self.caps.get(card.id) or card.tdp_w or 1, 1, 1, 1, pcie_gen, lanes, "none", 0)
            for card in self.cards
        ]
        jobs = of_setups(
            list(zip(self.cards, hosts, strict=True)), np.ones((len(hosts), 4), np.int64), np.arange(len(hosts)), each,
            kind, (request.isl, request.osl), constants,
        )  # fmt: skip
        alone, share = times(jobs, constants), shares_of(self._each(kind), counts)
        first_token_s = constants["first_token_ms"] * 1e-3
        stages = replace(
            alone,
            mem_fixed_s=alone.mem_fixed_s * share.dense,
            mem_experts_s=alone.mem_experts_s * share.experts,
            mem_user_s=alone.mem_user_s * share.kv,
            flops_user_s=alone.flops_user_s * share.layers,
            user_s=alone.user_s * share.layers,
            stage_fixed_s=alone.stage_fixed_s * share.layers,
            prefill_fixed_s=(alone.prefill_fixed_s - first_token_s) * share.layers + first_token_s / len(counts),
        )
        handing = self._handing(jobs, (pcie_gen, lanes))
        to_next_s = handing[0] * each.prefilled * constants["prefill_comm_share"]
        prompt_s = alone.prefill_s * share.layers + to_next_s
        return InTurn(stages, float(handing[0].sum()), float(handing[1].sum()), prompt_s, each.prefilled, request.osl)

    def _handing(self, jobs: Jobs, host: tuple[int, int]) -> tuple[Floats, Floats]:
        """Seconds in which each card hands on the width of a token, and of the message whatever it carries: over its
        own link to the host, for unlike cards have no fabric."""
        constants = self.calibration.constants
        links = np.array([pcie_b_s(card, *host, constants) for card in self.cards])
        over_host = replace(jobs, hop=(links, np.full(len(self.cards), PCIE)))
        user_s, fixed_s = hop(over_host, constants)
        return np.asarray(user_s), np.asarray(fixed_s)
