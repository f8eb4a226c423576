"""Memory and speed of a model on unlike cards in one node: which layers go to which card, and how llama.cpp is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from catalogs.engines.support import Engine
from catalogs.errors import Fault, InputError
from catalogs.llm import Llm
from catalogs.message import joined, message
from catalogs.schema import Gpu
from constraints.build import names
from constraints.physics.layer_split import CardLoad, card_loads
from constraints.plan import Plan, Row
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import wanted
from constraints.rules.software import mix_engine, mix_fault
from optimizer.request.load import facts, load_of, queue
from optimizer.result.launch import Deployment, Memory, launch
from optimizer.sizing.schema import LoadFacts, Sized, SizedCard, UsersRow
from optimizer.sizing.serving import plan_fields, speed_fields
from optimizer.sizing.users_table import cut_of, ladder, too_slow, waiting
from optimizer.text.figures import amount
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.file_kinds import in_file_kinds
from optimizer.throughput.mix import InTurn, MixPlanner, latencies, require_counted, said_of_fewer
from optimizer.throughput.roofline import speeds


@dataclass(frozen=True)
class Cards:
    """Kinds of cards in a node, with their numbers. Raises InputError for numbers that make none."""

    kinds: tuple[tuple[Gpu, int], ...]

    def __post_init__(self) -> None:
        for gpu, number in self.kinds:
            if not 1 <= number <= 1024:
                raise InputError(Fault("bad-count", f"{number} GPUs per node is out of range", value=gpu.name))

    @property
    def each(self) -> list[Gpu]:
        """One entry per card."""
        return [gpu for gpu, number in self.kinds for _ in range(number)]


def named_mix(cards: Cards) -> dict[str, Any]:
    """Which setup it is."""
    total = len(cards.each)
    gpus = " + ".join(f"{number} x {gpu.id}" if number > 1 else gpu.id for gpu, number in cards.kinds)
    return {
        "gpu": gpus, "name": names(cards.kinds), "kinds": len(cards.kinds), "per_node": total, "nodes": 1,
        "gpus": total,
    }  # fmt: skip


def mix_size(
    llm: Llm, request: Request, policy: Policy, calibration: Calibration, cards: Cards, table: bool = True
) -> Sized:
    """Memory of each card, the best plan with its speed and command, and with `table` the speed over the number of
    users. Raises InputError for a request that is not counted on a mix."""
    require_counted(request)
    planner = MixPlanner(llm, request, policy, calibration, cards.each)
    row = planner.row()
    if row is None:
        return Sized(**named_mix(cards), **_misfit(planner))
    return _served(planner, cards, row, table)


def _served(planner: MixPlanner, cards: Cards, row: Row, table: bool) -> Sized:
    request, plan, perf = planner.request, row.plan, row.perf
    tok_s, load = perf.tenths / 10, load_of(request, planner.policy)
    engine = mix_engine(planner.llm, planner.cards, plan.precision, request)
    assert engine is not None
    return Sized(
        **named_mix(cards),
        **plan_fields(plan),
        **_memory(planner, plan),
        **_started(planner, plan, engine),
        fits=True,
        faster_without=said_of_fewer(planner, row),
        engine=str(engine),
        users=plan.concurrency,
        **speed_fields(perf),
        load=LoadFacts(**facts(load, queue(load, tok_s, plan.concurrency, request.osl))) if load and tok_s else None,
        table=_table(planner, plan) if table else [],
    )


def _loads(planner: MixPlanner, plan: Plan) -> list[CardLoad]:
    gpus = {card.id: card for card in planner.cards}
    return card_loads(planner.llm, planner.policy, plan, gpus, planner.request.tokens)


def _memory(planner: MixPlanner, plan: Plan) -> dict[str, Any]:
    """GB on each card with layers, and on the one with the least room left."""
    loads = _loads(planner, plan)
    fullest = _card(min(loads, key=lambda load: load.room - load.needed))
    figures = ("weights_gb", "kv_gb", "reserve_gb", "needed_gb", "vram_gb")
    return {"cards": [_card(load) for load in loads], **{figure: getattr(fullest, figure) for figure in figures}}


def _card(load: CardLoad) -> SizedCard:
    held = {
        "weights_gb": load.weights, "kv_gb": load.kv, "reserve_gb": load.reserve, "needed_gb": load.needed,
        "vram_gb": load.room,
    }  # fmt: skip
    return SizedCard(
        gpu=load.gpu.id,
        name=load.gpu.name,
        first_layer=load.layers.start + 1,
        last_layer=load.layers.stop,
        **{figure: round(held_bytes / 1e9, 2) for figure, held_bytes in held.items()},
    )


def _started(planner: MixPlanner, plan: Plan, engine: Engine) -> dict[str, Any]:
    """The command that starts the plan, with the order of cards that it counts on."""
    fullest = min(_loads(planner, plan), key=lambda load: load.room - load.needed)
    deployment = Deployment(
        engine=engine.name, release=engine.release or engine.since, llm=planner.llm, plan=plan, routed_experts=0,
        redundant_experts=0, nodes=1, gpus_per_node=len(plan.stages), context=planner.request.tokens,
        memory=Memory(fullest.room, fullest.weights, fullest.kv, fullest.reserve),
    )  # fmt: skip
    found, gpus = launch(deployment), {card.id: card.name for card in planner.cards}
    order = joined(gpus[stage.gpu] for stage in plan.stages)
    ordered = message(
        "--tensor-split counts on the cards in this order, which --device sets: {list} (llama-server --list-devices).",
        list=order,
    )
    return {"launch": list(found.commands), "launch_note": joined(filter(None, [ordered, found.note]), " ")}


def _misfit(planner: MixPlanner) -> dict[str, Any]:
    """Why no plan runs, and by how much the cards miss in sum."""
    admitted = wanted(planner.llm, planner.request)
    if not admitted:
        return {"fits": False, "reason": "no precision of the model is admitted"}
    kind = (planner.precisions or admitted)[-1]
    if fault := mix_fault(planner.llm, planner.cards, kind, planner.request):
        return {"fits": False, "reason": fault}
    if not planner.precisions:
        dark = joined(dict.fromkeys(card.name for card in planner.cards if not card.mem_gb_s)) or kind
        unknown = message("the speed of {list} cannot be judged: figures of it are not published", list=dark)
        return {"fits": False, "judged": False, "reason": unknown}
    if planner.most_users(kind):
        plan = planner.leanest(kind)
        why = _against_users(planner, plan) or too_slow([_row(planner, *planner.at(1, plan), 1).model_dump()])
        return {**plan_fields(plan), **_memory(planner, plan), "fits": False, "reason": why}
    missing_gb = round(planner.missing_bytes(kind) / 1e9, 2)
    reason = (
        message("memory: the cards lack {gb} GB in sum", gb=f"{missing_gb:,.2f}")
        if missing_gb
        else "memory: no cut into whole layers fits the cards"
    )
    return {"precision": kind, "fits": False, "reason": reason, "missing_gb": missing_gb}


def _against_users(planner: MixPlanner, plan: Plan) -> str:
    """What stands against the number of users asked for, in words; "" where none is."""
    users, most = planner.request.users, planner.most_users(plan.precision)
    if users is None:
        return ""
    cut = _row(planner, *planner.at(users, plan), users).cut if users <= most else waiting(most, users)
    cut = cut or message("memory or the latency limits")
    return message("{why}: {cut}", why=amount("{} users at once", users), cut=cut)


def _table(planner: MixPlanner, best: Plan) -> list[UsersRow]:
    """The plan's kind of files over the number of users, up to those that the cards have memory for."""
    most = planner.most_users(best.precision)
    steps = {users for users in ladder(most) if users <= most} | {best.concurrency}
    rows: list[UsersRow] = []
    below: tuple[float, float] | None = None
    for users in sorted(steps, reverse=True):
        plan, times = planner.at(users, best, below)
        below = latencies(times, users)
        rows.append(_row(planner, plan, times, users))
    return rows[::-1]


def _row(planner: MixPlanner, plan: Plan, times: InTurn, users: int) -> UsersRow:
    fast, fact = speeds(times, np.array([users])), in_file_kinds(plan.precision)
    tok_s, ttft_ms, tpot_ms = int(fast.tenths[0]) / 10, float(fast.ttft_ms[0]), float(fast.tpot_ms[0])
    return UsersRow(
        users=users,
        per_user_tok_s=round(float(fast.per_user_tok_s[0]), 2),
        output_tok_s=tok_s,
        low=round(tok_s * fact.low, 1),
        high=round(tok_s * fact.high, 1),
        basis=fact.basis,
        source=fact.source,
        ttft_ms=round(ttft_ms, 1),
        precision=plan.precision, tp=1, pp=plan.pp, dp=1, ep=1, replicas=1,
        at_once=users,
        cut=cut_of(planner.request, tpot_ms, ttft_ms),
    )  # fmt: skip
