"""A point's plan as data for the result contract: throughput, memory on the fullest GPU, training, host memory."""

from __future__ import annotations

from datetime import date
from typing import Any

from catalogs.engines.support import FRESH_DAYS, Engine, age_days
from catalogs.llm import Llm
from catalogs.message import joined, message
from catalogs.schema import Cpu, Gpu
from constraints.build import Case
from constraints.physics.offload import Host
from constraints.physics.training import footprint, seq_len
from constraints.plan import Plan, Row
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.interconnect import kv_gbit_s
from constraints.rules.software import engine_of, kernel_class, method
from constraints.rules.vram import Held, held_by_prefill, held_bytes
from optimizer.market.market import Market
from optimizer.result.launch import Deployment, Launch, Memory, launch
from optimizer.result.launch_apart import launch_apart
from optimizer.result.recommended import limits, load_view

SECONDS_A_DAY = 86400


def throughput(market: Market, row: Row) -> dict[str, Any]:
    """The axis with its interval, and what each user sees; of training the days that the token budget takes."""
    perf, plan, request = row.perf, row.plan, market.request
    days = None if request.train_tokens is None else round(request.train_tokens / (perf.tenths / 10) / SECONDS_A_DAY, 3)
    return {
        "output_tok_s": perf.tenths / 10,
        "low": limits(row)[0],
        "high": limits(row)[1],
        "basis": perf.basis,
        "source": perf.source,
        "per_user_tok_s": None if request.trains else round(perf.per_user_tok_s, 2),
        "ttft_ms": None if request.trains else round(perf.ttft_ms, 1),
        "concurrency": plan.concurrency * plan.replicas,
        "unit": "training tokens/s" if request.trains else "output tokens/s",
        "days": days,
        "at_load": at_load(market, row),
    }


def at_load(market: Market, row: Row) -> dict[str, Any] | None:
    """What the plan gives to the users or the load asked for; None where neither is."""
    gpu = market.catalog.parts[row.key.gpu]
    seen = load_view(market).at_load(gpu, row) if isinstance(gpu, Gpu) else None
    if seen is None:
        return None
    return {
        "users": seen.users,
        "tok_s": round(seen.tok_s, 1),
        "per_user_tok_s": round(seen.per_user_tok_s, 2),
        "ttft_ms": round(seen.ttft_ms, 1),
    }


def plan_facts(market: Market, gpu: Gpu, plan: Plan, host: Host | None = None, per_node: int = 0) -> dict[str, Any]:
    """The plan with its memory on the fullest GPU; `host`: what holds its routed experts when that is the RAM;
    `per_node`: GPUs of a node, 0 where that is not said."""
    llm, policy, request = market.llm, market.policy, market.request
    run = engine_of(llm, gpu, plan, request, per_node)
    memory = held_bytes(gpu, llm, policy, plan, request)
    return {
        "precision": plan.precision,
        "kv_precision": plan.kv_precision,
        "tp": plan.tp,
        "pp": plan.pp,
        "ep": plan.ep,
        "dp": plan.dp,
        "replicas": plan.replicas,
        "weights_gb": round(memory.weights / 1e9, 2),
        "kv_gb": round(memory.kv / 1e9, 2),
        "vram_gb": round(memory.total / 1e9, 2),
        "redundant_experts": plan.redundant_experts,
        "engine": str(run.engine) if run else "",
        "kernel_class": kernel_class(gpu),
        "training": training_facts(market, gpu, plan),
        "experts": "host" if plan.offload else "gpu",
        "tables": "" if not llm.host_table_bytes else "host" if plan.host_tables else "gpu",
        "host": host_facts(llm, plan, host) if host else None,
        "prefill": prefill_facts(market, gpu, plan, per_node),
    }


def prefill_facts(market: Market, gpu: Gpu, plan: Plan, per_node: int) -> dict[str, Any] | None:
    """The nodes that only prefill, and what goes from them to those that decode; None where the same nodes do both."""
    first = plan.prefill
    if first is None:
        return None
    held = held_by_prefill(gpu, market.llm, market.policy, first, market.request)
    return {
        "nodes": first.gpus * first.replicas // per_node,
        "decode_nodes": plan.gpus * plan.replicas // per_node,
        "tp": first.tp,
        "pp": first.pp,
        "ep": first.ep,
        "dp": first.dp,
        "replicas": first.replicas,
        "redundant_experts": first.redundant_experts,
        "prompts": first.concurrency * first.replicas,
        "weights_gb": round(held.weights / 1e9, 2),
        "kv_gb": round(held.kv / 1e9, 2),
        "vram_gb": round(held.total / 1e9, 2),
        "requests_s": plan.prompts_ks / 1000,
        "kv_gbit_s": round(float(kv_gbit_s(market.llm, plan, market.request.isl)), 2),
    }


def launch_facts(market: Market, case: Case) -> dict[str, Any]:
    """The commands that serve a build's plan, and what must be said of them."""
    gpu, llm, plan = case.gpu, market.llm, case.plan
    run = engine_of(llm, gpu, plan, market.request, case.per_node)
    cpus = [(part, pieces) for part, pieces in case.parts(Cpu) if isinstance(part, Cpu)]
    found = launch_of(
        llm, market.policy, market.request, gpu, plan, run.engine if run else None, case.build.nodes, case.per_node,
        cores=sum(cpu.cores * q for cpu, q in cpus), sockets=sum(q for _, q in cpus),
    )  # fmt: skip
    return {"launch": list(found.commands), "launch_note": found.note}


def launch_of(
    llm: Llm, policy: Policy, request: Request, gpu: Gpu, plan: Plan, engine: Engine | None, nodes: int, per_node: int,
    cores: int = 0, sockets: int = 1,
) -> Launch:  # fmt: skip
    """The commands that serve a plan on some nodes by an engine; `cores`, `sockets`: of a node's CPUs."""
    held = held_bytes(gpu, llm, policy, plan, request)
    deployment = Deployment(
        engine=engine.name if engine else "",
        release=(engine.release or engine.since) if engine else "",
        llm=llm,
        plan=plan,
        routed_experts=llm.experts,
        redundant_experts=plan.redundant_experts,
        nodes=nodes,
        gpus_per_node=per_node,
        context=request.tokens,
        memory=_memory(gpu, held),
        cores=cores,
        sockets=sockets,
        drafted=request.drafted,
        prompt=request.isl,
    )
    if plan.prefill is None:
        found = launch(deployment)
    else:
        first = held_by_prefill(gpu, llm, policy, plan.prefill, request)
        found = launch_apart(deployment, plan.prefill, _memory(gpu, first))
    notes = [note for note in (found.note, _read_long_ago(engine, request.as_of) if engine else "") if note]
    return Launch(found.commands, joined(notes, " "))


def _memory(gpu: Gpu, held: Held) -> Memory:
    return Memory(gpu.vram_gb * 10**9, held.weights, held.kv, held.reserve)


def _read_long_ago(engine: Engine, day: date) -> str:
    """What must be said of an engine whose row of support was read more than `FRESH_DAYS` before a day."""
    days = age_days(engine.date, day)
    if days <= FRESH_DAYS:
        return ""
    return message(
        "That {engine} runs this here was read on {date}, {days} days earlier; engines release every few weeks: ask "
        "anew.",
        engine=engine.name, date=engine.date, days=f"{days:,}",
    )  # fmt: skip


def training_facts(market: Market, gpu: Gpu, plan: Plan) -> dict[str, Any] | None:
    """How a plan trains, memory per GPU; None of a serving plan."""
    training, request, policy = plan.training, market.request, market.policy
    if training is None:
        return None
    held = footprint(gpu, market.llm, policy, plan, request)
    return {
        "method": method(request),
        "seq_len": seq_len(request, policy),
        "zero_stage": 3 if training.shard > 1 else 0,
        "shard_gpus": training.shard * plan.tp,
        "micro_batch": training.micro_batch,
        "checkpointing": training.checkpointing,
        "lora_rank": policy.whole("training.lora_rank") if request.lora else None,
        "states_gb": round(held.states / 1e9, 2),
        "gathered_gb": round(held.gathered / 1e9, 2),
        "activations_gb": round(held.activations / 1e9, 2),
    }


def host_facts(llm: Llm, plan: Plan, have: Host) -> dict[str, Any]:
    """What a node's CPUs and memory give to routed experts there, and how much of it they fill."""
    return {
        "experts_gb": round(llm.expert_bytes(plan.precision) / 1e9, 2),
        "room_gib": have.gb,
        "bandwidth_gb_s": have.gb_s,
        "compute_gflops": have.gflops,
    }
