"""Memory of a GPU that trains: weights, gradients, optimizer states, gathered layers, activations and logits.

Mixed-precision Adam keeps 16 bytes per trained parameter (ZeRO, arXiv 1910.02054). LoRA freezes the base weights and
trains adapters alone. Sharding (ZeRO stage 3, FSDP) divides all of it by the GPUs that share it; gathered layers and
activations stay. Activations: Korthikanti et al. (arXiv 2205.05198) with fused attention, their 34 bytes per token and
hidden unit taken apart so that gated feed-forward parts, grouped and latent attention and routed experts are counted
by their own widths; with full checkpointing only the layers' inputs stay, and one layer is computed again at a time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from catalogs.errors import InputError
from catalogs.llm import Layer, Llm
from catalogs.schema import Gpu
from constraints.physics.reserve import reserve_bytes
from constraints.plan import Plan, Training
from constraints.policy import Policy
from constraints.request import Request

HALF = 2
"""Bytes of a 16-bit number."""
CHECKPOINT_BYTES = 14
"""Bytes per trained parameter on disk: 16-bit weight, FP32 weight and the two moments; gradients are not kept."""
LAST_MATRICES = ("down_proj", "w2")
"""What checkpoints call the last matrix of a feed-forward part, whose input is as wide as the part is inside."""


class Footprint(NamedTuple):
    """Bytes on the fullest GPU. `states`: gradients and optimizer; `gathered`: layers held whole under sharding."""

    weights: int
    states: int
    gathered: int
    activations: int
    reserve: int

    @property
    def total(self) -> int:
        return sum(self)


def seq_len(request: Request, policy: Policy) -> int:
    """Tokens of one training sequence."""
    return request.seq_len or policy.whole("training.seq_len")


def base_precisions(llm: Llm, request: Request) -> list[str]:
    """Precisions that training admits, highest first.

    The published floor of serving says nothing here: what is trained stays in 16 bits with FP32 states. FP8 (matrix
    products only) and low-bit frozen bases for LoRA come when the request asks."""
    wide = ["bf16", "fp16"]
    lora = request.workload == "finetune-lora"
    low = [precision for precision in ("fp8", "int4") if lora and precision in llm.precisions()] if lora else ["fp8"]
    if request.precision in wide:
        return wide
    if request.precision is not None:
        return [precision for precision in low if precision == request.precision]
    bits = {"fp8": 8, "int4": 4}
    return wide + [precision for precision in low if lora and bits[precision] >= (request.min_precision_bits or 16)]


def layer_params(llm: Llm, layer: Layer, *, experts: bool = True) -> int:
    """Parameters of a layer, with or without its routed experts."""
    total = sum(matrix.params for matrix in layer.linears if experts or not matrix.expert) + layer.bf16 + layer.fp32
    return int(total * llm.scale)


@lru_cache(maxsize=256)
def adapter_params(llm: Llm, rank: int) -> int:
    """Parameters of LoRA adapters: rank x (in + out) of every linear layer outside the routed experts."""
    each = sum(
        rank * (matrix.into + matrix.out) * matrix.count
        for layer in llm.layer_list
        for matrix in layer.linears
        if not matrix.expert
    )
    return int(each * llm.scale)


def trained_params(llm: Llm, request: Request, policy: Policy) -> int:
    """Parameters that have gradients and optimizer states."""
    return adapter_params(llm, policy.whole("training.lora_rank")) if request.lora else llm.params_total


@lru_cache(maxsize=256)
def base_bytes(llm: Llm, precision: str) -> int:
    """Bytes of all weights in the plan's precision; FP8 training keeps them in 16 bits (that is up to the caller)."""
    return HALF * llm.params_total if precision in ("bf16", "fp16") else llm.weight_bytes(precision)


def checkpoint_bytes(llm: Llm, request: Request, policy: Policy) -> int:
    """Bytes that one saved state of the training takes."""
    return CHECKPOINT_BYTES * trained_params(llm, request, policy)


@lru_cache(maxsize=256)
def layer_activation_bytes(llm: Llm) -> tuple[int, ...]:
    """Bytes of activations per token of each layer without checkpointing.

    Attention: input 2h, queries, keys, values and output 2 each by their widths, mask h; two norms 4h; feed-forward:
    input 2h, three intermediates of 2 x width (gate, up, product), mask h. With all widths h and an ungated 4h
    feed-forward part (two intermediates) this is the paper's 34h."""
    config, hidden = llm.config, llm.hidden
    if llm.attention in ("mla", "dsa"):
        key, value = config["qk_nope_head_dim"] + config["qk_rope_head_dim"], config["v_head_dim"]
        attention = 2 * llm.heads * (key + value)
    else:
        head = int(config.get("head_dim") or hidden // llm.heads)
        attention = 2 * head * (llm.heads + llm.kv_heads)
    return tuple(10 * hidden + 2 * attention + 6 * _feed_forward_width(llm, layer) for layer in llm.layer_list)


def _feed_forward_width(llm: Llm, layer: Layer) -> int:
    """Inner width of a layer's feed-forward part, of all experts that a token uses together."""
    last = [matrix for matrix in layer.linears if matrix.name.endswith(LAST_MATRICES)]
    return sum(matrix.into * (llm.experts_per_token if matrix.expert else matrix.count) for matrix in last)


@lru_cache(maxsize=4096)
def sequence_bytes(llm: Llm, tokens: int, checkpointing: bool, tp: int) -> int:
    """Activations and FP32 logits of one sequence on a GPU of a tensor-parallel group (sequence parallel with it)."""
    layers = layer_activation_bytes(llm)
    kept = HALF * llm.hidden * llm.layers + max(layers) if checkpointing else sum(layers)
    logits = 4 * int(llm.config["vocab_size"]) + 4 * llm.hidden
    return -(-tokens * (kept + logits) // tp)


@lru_cache(maxsize=4096)
def gathered_bytes(llm: Llm, precision: str, tp: int, ep: int, shard: int, lora: bool, prefetched: int) -> int:
    """16-bit layers that a GPU holds whole: under sharding the prefetched ones (and one of gradients when all is
    trained); unsharded low-bit weights need the largest matrix that is unpacked."""
    if shard == 1:
        largest = max(matrix.out * matrix.into for layer in llm.layer_list for matrix in layer.linears)
        return -(-HALF * largest // tp) if precision not in ("bf16", "fp16") else 0
    unit = max(layer_params(llm, layer, experts=ep == 1) for layer in (*llm.layer_list, llm.head))
    return -(-HALF * unit * (prefetched if lora else prefetched + 1) // tp)


def fixed_footprint(gpu: Gpu, llm: Llm, policy: Policy, plan: Plan, request: Request) -> Footprint:
    """All but the activations."""
    training = _training(plan)
    over = plan.tp * training.shard
    trained = trained_params(llm, request, policy)
    state = policy.whole("training.state_bytes")
    if request.lora:
        weights, states = base_bytes(llm, plan.precision), state * trained
    else:
        weights, states = HALF * trained, (state - HALF) * trained
    precision = plan.precision if request.lora else "bf16"
    prefetched = policy.whole("training.prefetched_layers")
    gathered = gathered_bytes(llm, precision, plan.tp, plan.ep, training.shard, request.lora, prefetched)
    return Footprint(-(-weights // over), -(-states // over), gathered, 0, reserve_bytes(gpu, policy))


def footprint(gpu: Gpu, llm: Llm, policy: Policy, plan: Plan, request: Request) -> Footprint:
    """Bytes on each GPU of the plan."""
    training = _training(plan)
    each = sequence_bytes(llm, seq_len(request, policy), training.checkpointing, plan.tp)
    return fixed_footprint(gpu, llm, policy, plan, request)._replace(activations=training.micro_batch * each)


def _training(plan: Plan) -> Training:
    if plan.training is None:
        raise InputError("a serving plan has no training memory", "not-training", "Ask with a training workload.")
    return plan.training
