"""Rule vram: each GPU holds its share of weights, the KV cache of its users and the runtime reserve.

A GPU that trains holds gradients, optimizer states and activations instead of KV cache
(constraints/physics/training.py)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from catalogs.file_kinds import GGUF_KINDS
from catalogs.llm import Llm
from catalogs.message import N_, joined, message
from catalogs.schema import Gpu
from constraints.physics.layer_split import CardLoad, card_loads
from constraints.physics.reserve import given_bytes, reserve_bytes, usable_bytes
from constraints.physics.training import footprint
from constraints.plan import Plan
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check, Rule, counted, figure, gb

if TYPE_CHECKING:
    from constraints.build import Case
    from constraints.model.family_model import FamilyModel


def stages(layers: int, pp: int) -> list[range]:
    """Layers cut into `pp` runs with the smallest largest run."""
    # Runs cut so differ by one layer at most: the largest has layers / pp, rounded up, which no cut undercuts.
    cuts = [layers * stage // pp for stage in range(pp + 1)]
    return [range(first, end) for first, end in itertools.pairwise(cuts)]


def held_stages(llm: Llm, pp: int) -> list[range]:
    """The layers that engines hold, by stage: a module for several tokens lies on the last one (vLLM 0.33.0
    v1/worker/gpu_model_runner.py makes the drafter on the last rank alone)."""
    runs = stages(llm.layers, pp)
    return [*runs[:-1], range(runs[-1].start, len(llm.held_list))]


@lru_cache(maxsize=4096)
def _stage_bytes(llm: Llm, precision: str, pp: int) -> tuple[tuple[int, int, int, int], ...]:
    """(bytes of routed experts, of n-gram tables, of what each tensor-parallel rank holds whole, of all else) of the
    stages, each distinct four once; the ends hold the head, of GGUF files the last one all of it (llama.cpp keeps the
    embedding in host memory, and counts it as the output head too where both are one)."""
    whole = [0, *itertools.accumulate(llm.layer_bytes(precision))]
    experts = [0, *itertools.accumulate(llm.expert_layer_bytes(precision))]
    looked_up = [0, *itertools.accumulate(llm.host_table_layer_bytes)]
    copied = [0, *itertools.accumulate(llm.copied_layer_bytes(precision))]
    head = llm.head_bytes(precision)
    out = set()
    for place, run in enumerate(held_stages(llm, pp)):
        moe = experts[run.stop] - experts[run.start]
        tables = looked_up[run.stop] - looked_up[run.start]
        each = copied[run.stop] - copied[run.start]
        rest = whole[run.stop] - whole[run.start] - moe - tables - each
        if precision in GGUF_KINDS:
            rest += head if place == pp - 1 else 0
        elif place in (0, pp - 1):
            rest += head if pp == 1 else -(-head // 2)
        if place == pp - 1 > 0:
            rest += llm.draft_table_bytes(precision)
        out.add((moe, tables, each, rest))
    return tuple(sorted(out))


@lru_cache(maxsize=4096)
def weights_per_gpu(
    llm: Llm, precision: str, tp: int, pp: int, dp: int, ep: int, offload: bool = False, redundant: int = 0,
    host_tables: bool = False,
) -> int:  # fmt: skip
    """Bytes of weights on the fullest GPU: the largest stage, experts spread over ep (or tp), the rest over tp
    but for what each rank holds whole.

    With data-parallel attention (dp > 1) experts lie on all tp x dp GPUs of the stage; with `offload` on none. With
    redundant experts each rank holds (experts + redundant) / ep of every layer. N-gram tables lie on all tp x dp GPUs
    of the stage too, with `host_tables` on none."""
    spread, experts = max(ep, tp * dp), llm.experts or 1
    return max(
        (0 if offload else -(-moe * (experts + redundant) // (experts * spread)))
        + (0 if host_tables else -(-tables // (tp * dp)))
        + each
        + -(-rest // tp)
        for moe, tables, each, rest in _stage_bytes(llm, precision, pp)
    )


@lru_cache(maxsize=4096)
def kv_per_gpu_user(llm: Llm, tokens: int, kv: str, tp: int, pp: int) -> int:
    """Bytes of KV cache and running state that one request puts on the fullest GPU of its data-parallel rank."""
    return max(llm.kv_rank_bytes(tokens, kv, tp, run) for run in held_stages(llm, pp))


def plan_weights(llm: Llm, plan: Plan) -> int:
    """Bytes of weights on the fullest GPU of a plan."""
    return weights_per_gpu(
        llm, plan.precision, plan.tp, plan.pp, plan.dp, plan.ep, plan.offload, plan.redundant_experts, plan.host_tables
    )


def most_users(gpu: Gpu, llm: Llm, policy: Policy, plan: Plan, tokens: int) -> int:
    """The most requests at once that one replica has memory for; negative when not even the weights fit."""
    free = usable_bytes(gpu) - reserve_bytes(gpu, policy, plan.precision)
    free -= plan_weights(llm, plan)
    if free < 0:
        return -1
    return free // kv_per_gpu_user(llm, tokens, plan.kv_precision, plan.tp, plan.pp) * plan.dp


@dataclass(frozen=True)
class Held:
    """Bytes that the fullest GPU of a plan holds; of one that trains, the rest is gradients, optimizer states and
    activations."""

    weights: int
    kv: int
    reserve: int
    rest: int = 0

    @property
    def total(self) -> int:
        return self.weights + self.kv + self.reserve + self.rest


PROMPT_TOKENS = 8192
"""Tokens of prompts in a batch of prefills: the default of vLLM (max_num_batched_tokens) and TensorRT-LLM
(max_num_tokens)."""


def prompts_held(isl: int) -> int:
    """Prompts whose KV cache a rank that only prefills has memory for at least: those of a batch that is computed, and
    of the one before it, which is handed over meanwhile."""
    return 2 * max(1, PROMPT_TOKENS // isl)


def held_by_prefill(gpu: Gpu, llm: Llm, policy: Policy, plan: Plan, request: Request) -> Held:
    """What the fullest GPU of nodes that only prefill (`plan`: theirs) holds: prompts, no token behind them."""
    prompts = -(-plan.concurrency // plan.dp)
    kv = prompts * kv_per_gpu_user(llm, request.isl, plan.kv_precision, plan.tp, plan.pp)
    return Held(plan_weights(llm, plan), kv, reserve_bytes(gpu, policy, plan.precision))


def held_bytes(gpu: Gpu, llm: Llm, policy: Policy, plan: Plan, request: Request) -> Held:
    """What the fullest GPU holds at the plan's concurrency; where prefill is apart, of the nodes that decode."""
    reserve = reserve_bytes(gpu, policy, plan.precision)
    if plan.training is not None:
        trained = footprint(gpu, llm, policy, plan, request)
        return Held(trained.weights, 0, reserve, trained.total - trained.weights - reserve)
    users = -(-plan.concurrency // plan.dp)
    kv = users * kv_per_gpu_user(llm, request.tokens, plan.kv_precision, plan.tp, plan.pp)
    return Held(plan_weights(llm, plan), kv, reserve)


def demand_bytes(gpu: Gpu, llm: Llm, policy: Policy, plan: Plan, request: Request) -> int:
    """GPU memory that the request's workload needs on the fullest GPU."""
    need = held_bytes(gpu, llm, policy, plan, request).total
    if plan.prefill is None:
        return need
    return max(need, held_by_prefill(gpu, llm, policy, plan.prefill, request).total)


class Vram(Rule):
    id = "vram"
    title = N_("GPU memory")
    phase = "parts"
    reads = frozenset({"plan", "model"})
    cured_by = frozenset({"gpu"})

    def encode(self, model: FamilyModel) -> None:
        for row, chosen in model.rows.items():
            if demand_bytes(model.gpu, model.llm, model.policy, row.plan, model.request) > usable_bytes(model.gpu):
                model.cp.add(chosen == 0)

    def check(self, case: Case) -> list[Check]:
        if case.mixed:
            return self._cards(case)
        if case.plan.prefill is not None:
            return self._apart(case, case.plan.prefill)
        need, have = demand_bytes(case.gpu, case.llm, case.policy, case.plan, case.request), usable_bytes(case.gpu)
        said = {"need": figure(gb(need)), "list": contents(case.plan), "gpu": case.gpu.name, "have": figure(gb(have))}
        given = given_bytes(case.gpu, case.policy)
        if given < need <= have:
            text = message(
                "needs {need} GB per GPU ({list}); {gpu} offers {have} GB once macOS is told to give more than {given} "
                "GB (sudo sysctl iogpu.wired_limit_mb={mb})",
                **said, given=figure(gb(given)), mb=have // 2**20,
            )  # fmt: skip
            return [Check(self.id, "warn", gb(need), gb(have), "GB", text, "at_most")]
        text = message(
            "needs {need} GB per GPU ({list}); {gpu} offers {have} GB"
            if need <= have
            else "needs {need} GB per GPU ({list}); {gpu} offers only {have} GB",
            **said,
        )
        return [Check(self.id, "pass" if need <= have else "fail", gb(need), gb(have), "GB", text, "at_most")]

    def _apart(self, case: Case, prefill: Plan) -> list[Check]:
        """Nodes that prefill, and nodes that decode."""
        stated = case.gpu, case.llm, case.policy
        prompts = counted(-(-prefill.concurrency // prefill.dp), "prompt")
        found = (
            (
                held_by_prefill(*stated, prefill, case.request).total,
                joined(["weights", message("KV cache of {requests}", requests=prompts), "reserve"]),
                "nodes that prefill: each GPU needs {need} GB ({list}); {gpu} offers {have} GB",
                "nodes that prefill: each GPU needs {need} GB ({list}); {gpu} offers only {have} GB",
            ),
            (
                held_bytes(*stated, case.plan, case.request).total,
                contents(case.plan),
                "nodes that decode: each GPU needs {need} GB ({list}); {gpu} offers {have} GB",
                "nodes that decode: each GPU needs {need} GB ({list}); {gpu} offers only {have} GB",
            ),
        )
        have = usable_bytes(case.gpu)
        checks = []
        for need, held, passing, failing in found:
            said = {"need": figure(gb(need)), "list": held, "gpu": case.gpu.name, "have": figure(gb(have))}
            checks.append(
                Check.at_most(self.id, gb(need), gb(have), "GB", message(passing, **said), message(failing, **said))
            )
        return checks

    def _cards(self, case: Case) -> list[Check]:
        """Each card of a mix against what its layers need; cards without layers hold nothing."""
        gpus = {gpu.id: gpu for gpu, _ in case.cards}
        loads = card_loads(case.llm, case.policy, case.plan, gpus, case.request.tokens)
        return [self._card(case, place, load) for place, load in enumerate(loads, 1)]

    def _card(self, case: Case, place: int, load: CardLoad) -> Check:
        said = {
            "n": place, "gpu": load.gpu.name, "first": load.layers.start + 1, "last": load.layers.stop,
            "need": figure(gb(load.needed)), "list": contents(case.plan), "have": figure(gb(load.room)),
        }  # fmt: skip
        passing = "card {n}, {gpu}, layers {first} to {last}: needs {need} GB ({list}) and offers {have} GB"
        failing = "card {n}, {gpu}, layers {first} to {last}: needs {need} GB ({list}) and offers only {have} GB"
        return Check.at_most(
            self.id, gb(load.needed), gb(load.room), "GB", message(passing, **said), message(failing, **said)
        )


def contents(plan: Plan) -> str:
    """What a GPU's memory holds, of its fullest GPU: `weights, KV cache of 1 request, reserve`."""
    if plan.training is not None:
        sequences = counted(plan.training.micro_batch, "sequence")
        activations = message("activations of {sequences}", sequences=sequences)
        return joined(["weights", "gradients", "optimizer states", activations, "reserve"])
    requests = counted(-(-plan.concurrency // plan.dp), "request")
    cache = message("KV cache of {requests}", requests=requests)
    return joined(["weights without experts" if plan.offload else "weights", cache, "reserve"])
