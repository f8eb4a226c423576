"""The commands that serve a plan, one per node and engine instance.

Addresses, and weights that nobody published in the plan's precision, are placeholders in angle brackets. Spellings are
data (catalogs/engines/launch_arguments.csv); what stands here is how an engine's sizes follow from a plan's.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Literal

from catalogs.engines.launch import LaunchArguments, checkpoint, kv_cache_asked, launch_arguments
from catalogs.engines.published import file_checkpoint, is_published, makers
from catalogs.llm import Llm
from catalogs.message import joined, message
from constraints.physics.layer_split import tensor_split
from constraints.plan import Plan

FIRST_PORT = 8000
BOOTSTRAP_PORT = 8998
"""Where decode asks nodes that prefill for a KV cache (SGLang's default)."""
KV_PORT, KV_PORTS = 30000, 100
"""The first port on which ranks of an instance hand over KV caches, and how many it may take (vLLM Ascend)."""
SIDE_PORT = 5600
"""Where data-parallel ranks do so (vLLM's default of the first one)."""
HOST_METHODS = {"int4": "AMXINT4", "int8": "AMXINT8", "fp8": "FP8", "bf16": "BF16", "fp16": "BF16", "fp4-mix": "MXFP4"}
"""Formats in which KTransformers' CPU kernels take experts (`--kt-method`, kt-kernel README)."""
CONFIG_FILE = "engine.yaml"
"""Where settings go that an engine takes from a file alone."""
MOST_FRACTION = 0.99
"""Of a GPU's memory an engine never gets more than this."""


@dataclass(frozen=True)
class Memory:
    """Bytes on the fullest GPU: all that it has, weights, KV cache, and the runtime's reserve."""

    gpu: int
    weights: int
    kv: int
    reserve: int


@dataclass(frozen=True)
class Deployment:
    """A plan on its machines. `context` is in tokens; `cores` and `sockets` are of a node's CPUs, for experts in host
    memory; `drafted`: tokens that the module for several tokens proposes per step, 0 where no number is asked for;
    `role`: what its nodes do where prefill and decode are apart (launch_apart.py), `before`: nodes before its own,
    `prompt`: tokens of a prompt, `halves`: the plans of both."""

    engine: str
    release: str
    llm: Llm
    plan: Plan
    routed_experts: int
    redundant_experts: int
    nodes: int
    gpus_per_node: int
    context: int
    memory: Memory
    cores: int = 0
    sockets: int = 1
    drafted: int = 0
    role: Literal["", "prefill", "decode"] = ""
    before: int = 0
    prompt: int = 0
    halves: tuple[Plan, ...] = ()


@dataclass(frozen=True)
class Launch:
    """The commands, in the order of nodes and of instances on them, and what must be said of them ("" for nothing)."""

    commands: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Place:
    """Where one command runs: `node` and `instance` count from 0; `rank` is the node's place within its replica."""

    node: int
    instance: int
    rank: int
    first_node: int


def launch(deployment: Deployment) -> Launch:
    """How the plan is started; without commands, and with the reason, where nobody publishes how."""
    plan = deployment.plan
    if plan.training is not None:
        return Launch((), "Training is started by the engine's own recipes; no command is given.")
    arguments = launch_arguments(deployment.engine, deployment.release)
    if arguments is None:
        return Launch(
            (),
            message(
                "{name} publishes no command-line arguments; none are given.", name=deployment.engine or "The engine"
            ),
        )
    if _rank_crosses_nodes(deployment, arguments):
        ranks, gpus_per_node = plan.tp * plan.pp, deployment.gpus_per_node
        return Launch(
            (),
            message(
                "A data-parallel rank takes {ranks} GPUs and nodes have {k}: no command places such ranks.",
                ranks=ranks,
                k=gpus_per_node,
            ),
        )
    settings = _config_file(deployment, arguments)
    commands = tuple(settings + shlex.join(words) for words in _commands(deployment, arguments))
    return Launch(commands, _note(deployment, arguments))


def _rank_crosses_nodes(deployment: Deployment, arguments: LaunchArguments) -> bool:
    """Whether data-parallel ranks, each an engine of its own, fit whole neither into nodes nor onto them."""
    plan, per_node = deployment.plan, deployment.gpus_per_node
    rank = plan.tp * plan.pp
    apart = "data_parallel_local" in arguments.spellings and plan.dp > 1 and plan.gpus > per_node
    return apart and bool(per_node % rank and rank % per_node)


def weights_of(llm: Llm, precision: str, engine: str) -> str:
    """The id of a model's weights in a precision that an engine reads, else a placeholder that says what is needed."""
    if found := file_checkpoint(llm.id, precision) or checkpoint(llm.id, precision, engine):
        return found
    if precision == "fp8" and engine in makers(llm, precision) and not is_published(llm, precision):
        return _published_name(llm)  # the engine makes them while it loads: weights_fp8_made
    if precision == "fp16" and (found := checkpoint(llm.id, "bf16", engine)):
        return found  # the engine converts while it loads: weights_fp16
    return f"<folder with the weights of {_published_name(llm)} in {precision}>"


def _published_name(llm: Llm) -> str:
    """The Hugging Face id of a model as it was published."""
    return next((checkpoint(llm.id, p) for p in (llm.native_precision, "bf16") if checkpoint(llm.id, p)), llm.name)


def _note(deployment: Deployment, arguments: LaunchArguments) -> str:
    """What a reader of the commands has to know."""
    notes: list[str] = []
    if weights_of(deployment.llm, deployment.plan.precision, deployment.engine).startswith("<"):
        precision, model = deployment.plan.precision, deployment.llm.name
        notes.append(
            message(
                "dsopt knows no published {precision} weights of {model} for {engine}.",
                precision=precision,
                model=model,
                engine=deployment.engine,
            )
        )
    asked = _kv_cache_against_the_plan(deployment, arguments)
    if asked == "fp8":
        notes.append(
            message(
                "{engine} has no argument for a KV cache in bf16 and the checkpoint asks for FP8: set "
                "kv_cache_quant_algo to null in its hf_quant_config.json.",
                engine=deployment.engine,
            )
        )
    elif asked == "unknown":
        notes.append(
            message(
                "{engine} has no argument for a KV cache in bf16: where the checkpoint's "
                "hf_quant_config.json says kv_cache_quant_algo FP8, set it to null.",
                engine=deployment.engine,
            )
        )
    if deployment.llm.with_draft and _speculation(deployment) not in arguments.spellings:
        notes.append(
            message("How {engine} loads the module for several tokens is not known here.", engine=deployment.engine)
        )
    if deployment.plan.gpus > deployment.gpus_per_node and "several_nodes" in arguments.spellings:
        notes.append("Each replica is started once, on its first node.")
        if _config_lines(deployment, arguments):
            notes.append(message("{file} must lie on every node of a replica.", file=CONFIG_FILE))
    return joined(notes, " ")


def _kv_cache_against_the_plan(deployment: Deployment, arguments: LaunchArguments) -> str:
    """What the checkpoint says of its KV cache (`fp8`, `unknown`) where the plan wants bf16 and the engine, having no
    argument for it, does as the checkpoint says; else ""."""
    if deployment.plan.kv_precision != "bf16" or "kv_by_checkpoint" not in arguments.spellings:
        return ""
    asked = kv_cache_asked(weights_of(deployment.llm, deployment.plan.precision, deployment.engine))
    return asked if asked in ("fp8", "unknown") else ""


def _speculation(deployment: Deployment) -> str:
    """The argument that loads the model's module for several tokens."""
    return f"speculate_{deployment.llm.draft_kind.casefold()}" + ("_depth" if deployment.drafted else "")


def _commands(deployment: Deployment, arguments: LaunchArguments) -> Iterator[list[str]]:
    """The words of each command."""
    for place in places(deployment, arguments):
        environment = _visible_gpus(deployment, arguments, place)
        if deployment.role:
            side_port = SIDE_PORT + place.instance * deployment.plan.dp
            environment += _words(arguments, "environment_apart", address=address(place.node), side_port=side_port)
        words = ["env", *environment] if environment else []
        words += _program(deployment, arguments, place)
        words += _sizes(deployment, arguments, place)
        words += _settings(deployment, arguments, place)
        words += _half(deployment, arguments, place)
        yield words


def places(deployment: Deployment, arguments: LaunchArguments) -> Iterator[Place]:
    """Every node and engine instance; a replica over several nodes is one instance on each of them, or is started from
    its first node alone."""
    spanned = max(1, deployment.plan.gpus // deployment.gpus_per_node)
    nodes = range(deployment.before, deployment.before + deployment.nodes)
    if spanned > 1:
        for node in nodes:
            first = node - (node - deployment.before) % spanned
            if node == first or "several_nodes" not in arguments.spellings:
                yield Place(node, 0, node - first, first)
        return
    for node in nodes:
        for instance in range(deployment.gpus_per_node // deployment.plan.gpus):
            yield Place(node, instance, 0, node)


def _words(arguments: LaunchArguments, argument: str, **values: object) -> list[str]:
    """An argument split as a shell splits it; values in angle brackets stay one word."""
    quoted = {name: shlex.quote(value) if isinstance(value, str) else value for name, value in values.items()}
    return shlex.split(arguments.spell(argument, **quoted))


def _visible_gpus(deployment: Deployment, arguments: LaunchArguments, place: Place) -> list[str]:
    """The GPUs of an instance that shares its node with others."""
    size = deployment.plan.gpus
    if size >= deployment.gpus_per_node:
        return []
    first = place.instance * size
    gpu_list = ",".join(str(gpu) for gpu in range(first, first + size))
    return _words(arguments, "visible_gpus", gpu_list=gpu_list)


def _program(deployment: Deployment, arguments: LaunchArguments, place: Place) -> list[str]:
    model = weights_of(deployment.llm, deployment.plan.precision, deployment.engine)
    if _kv_cache_against_the_plan(deployment, arguments) == "fp8":
        model = f"<copy of {model} whose hf_quant_config.json says kv_cache_quant_algo null>"
    gguf = f"<GGUF file with the weights of {_published_name(deployment.llm)} in {deployment.plan.precision}>"
    fetched = "program_published" in arguments.spellings and file_checkpoint(
        deployment.llm.id, deployment.plan.precision
    )
    program = "program_published" if fetched else "program"
    words = _words(arguments, program, model=model, gguf=gguf)
    if deployment.plan.gpus > deployment.gpus_per_node and "several_nodes" in arguments.spellings:
        spanned = deployment.plan.gpus // deployment.gpus_per_node
        hosts = ",".join(f"{address(place.first_node + rank)}:{deployment.gpus_per_node}" for rank in range(spanned))
        words = _words(arguments, "several_nodes", gpus=deployment.plan.gpus, hosts=hosts) + words
    return words


def address(node: int) -> str:
    """The placeholder for a node's address; nodes count from 0, readers from 1."""
    return f"<address-of-node-{node + 1}>"


def _sizes(deployment: Deployment, arguments: LaunchArguments, place: Place) -> list[str]:
    """Tensor, pipeline, data and expert parallel sizes, redundant experts, and the nodes of a replica."""
    plan = deployment.plan
    stage_gpus = plan.tp * plan.dp
    split = "tensor" if plan.tp > 1 else "layer"
    words = _words(arguments, "tensor_parallel", tp=plan.tp, stage_gpus=stage_gpus, split_mode=split)
    if plan.pp > 1:
        words += _words(arguments, "pipeline_parallel", pp=plan.pp)
    if len(plan.stages) > 1:
        words += _words(arguments, "layers_by_card", layers=",".join(map(str, tensor_split(plan.stages))))
    if plan.ep > 1:
        words += _words(arguments, "expert_parallel", ep=plan.ep)
        if plan.dp > 1 and plan.ep == stage_gpus:
            words += _words(arguments, "all_to_all")
    if "config_file" in arguments.spellings:
        if _config_lines(deployment, arguments):
            words += _words(arguments, "config_file", file=CONFIG_FILE)
    else:
        if plan.dp > 1:
            words += _words(arguments, "data_parallel", dp=plan.dp)
        if deployment.redundant_experts:
            words += _words(arguments, "redundant_experts", redundant=deployment.redundant_experts)
    return words + _over_nodes(deployment, arguments, place)


def _over_nodes(deployment: Deployment, arguments: LaunchArguments, place: Place) -> list[str]:
    """What tells the nodes of one replica about each other."""
    plan = deployment.plan
    spanned = plan.gpus // deployment.gpus_per_node
    if spanned <= 1 or "nodes" not in arguments.spellings:
        return []
    first = address(place.first_node)
    rank_nodes = max(1, plan.tp * plan.pp // deployment.gpus_per_node)
    words: list[str] = []
    if "data_parallel_local" in arguments.spellings and plan.dp > 1:
        # An engine of its own per data-parallel rank; the first node's brings them together.
        local = max(1, deployment.gpus_per_node // (plan.tp * plan.pp))
        words += _words(arguments, "data_parallel_local", dp_local=local)
        if start := local * (place.rank // rank_nodes):
            words += _words(arguments, "data_parallel_start", dp_start=start)
        words += _words(arguments, "data_parallel_address", address=first)
    if rank_nodes > 1 or not words:
        words += _words(arguments, "nodes", nodes=spanned, node_rank=place.rank, address=first)
    return words + (_words(arguments, "follower") if place.rank else [])


def _config_file(deployment: Deployment, arguments: LaunchArguments) -> str:
    """The shell's way to write the file of settings before an engine starts that reads them from one; "" without."""
    lines = _config_lines(deployment, arguments)
    return f"printf '%s\\n' {shlex.join(lines)} > {CONFIG_FILE} && " if lines else ""


def _config_lines(deployment: Deployment, arguments: LaunchArguments) -> list[str]:
    """The lines of that file; none where the engine takes arguments for everything, or all stays as it is."""
    plan = deployment.plan
    if "config_file" not in arguments.spellings:
        return []
    lines = []
    if plan.dp > 1:
        lines.append(arguments.spell("data_parallel", dp=plan.dp))
    if redundant := deployment.redundant_experts:
        lines.append(arguments.spell("redundant_experts", expert_slots=deployment.routed_experts + redundant))
    if plan.kv_precision == "fp8":
        lines.append(arguments.spell("kv_fp8"))
    if deployment.drafted:
        lines.append(arguments.spell(_speculation(deployment), drafted=deployment.drafted))
    if deployment.role:
        lines += filter(None, [arguments.spell(f"as_{deployment.role}")])
        lines.append(arguments.spell("handing_over", prompt=deployment.prompt))
    return lines


def _settings(deployment: Deployment, arguments: LaunchArguments, place: Place) -> list[str]:
    """Precision of weights and KV cache, context, requests at once, memory and the port."""
    plan, memory = deployment.plan, deployment.memory
    words: list[str] = []
    if plan.host_tables and plan.dp == 1:  # data-parallel ranks share a copy of their own accord
        words += _words(arguments, "host_tables")
    if plan.precision in ("fp16", "int8"):
        words += _words(arguments, f"weights_{plan.precision}")
    llm = deployment.llm
    if plan.precision == "fp8" and deployment.engine in makers(llm, "fp8") and not is_published(llm, "fp8"):
        words += _words(arguments, "weights_fp8_made")
    if "config_file" not in arguments.spellings:
        words += _words(arguments, f"kv_{plan.kv_precision}")
    if deployment.llm.with_draft and "config_file" not in arguments.spellings:
        drafted = deployment.drafted
        words += _words(arguments, _speculation(deployment), drafted=drafted, proved=drafted + 1)
    if plan.offload:
        words += _words(
            arguments, "host_experts", host_weights=f"<folder with the experts in {plan.precision} for the CPUs>",
            host_method=HOST_METHODS.get(plan.precision, plan.precision),
            free_cores=max(1, deployment.cores - deployment.gpus_per_node), sockets=deployment.sockets,
        )  # fmt: skip
    words += _words(
        arguments, "context", context=deployment.context, context_of_all=deployment.context * plan.concurrency
    )
    words += _words(
        arguments, "requests", requests=plan.concurrency, requests_per_rank=ceil(plan.concurrency / plan.dp)
    )
    words += _words(
        arguments, "memory_fraction",
        fraction_of_all=_fraction(memory.weights + memory.kv + memory.reserve, memory.gpu),
        fraction_static=_fraction(memory.weights + memory.kv, memory.gpu),
        fraction_of_free=_fraction(memory.kv, memory.gpu - memory.weights - memory.reserve),
    )  # fmt: skip
    if deployment.gpus_per_node > plan.gpus or (deployment.role and not place.rank):
        words += _words(arguments, "port", port=FIRST_PORT + place.instance)
    return words


def _half(deployment: Deployment, arguments: LaunchArguments, place: Place) -> list[str]:
    """What tells an instance that it only prefills, or only decodes."""
    if not deployment.role:
        return []
    words = _words(arguments, "listening")
    if "config_file" not in arguments.spellings:
        first, second = deployment.halves
        words += _words(
            arguments, f"as_{deployment.role}", bootstrap_port=BOOTSTRAP_PORT + place.instance,
            kv_port=KV_PORT + KV_PORTS * place.instance, engine_id=f"{place.first_node}{place.instance:02}",
            prefill_dp=first.dp, prefill_tp=first.tp, decode_dp=second.dp, decode_tp=second.tp,
        )  # fmt: skip
    return words


def _fraction(part: int, whole: int) -> str:
    """A share with two decimals, rounded up so that what the plan counts on is there."""
    return f"{min(MOST_FRACTION, ceil(100 * part / max(whole, 1)) / 100):.2f}"
