"""Mamba-2 with a few layers of attention, and layers of experts or dense feed-forward parts between them (Nemotron-H,
Nemotron 3).

Formulas: transformers nemotron_h; vLLM mamba_utils.py for shapes and formats of the states. A layer is one of the four,
with a norm before it. NVIDIA's FP8 and NVFP4 checkpoints keep attention, latent projections and the MTP module in 16
bits; routed experts alone are in NVFP4, shared experts and Mamba in FP8 (docs.nvidia.com/nemotron: super3/quantization,
ultra3/quantization, read 2026-11-30; copies of their hf_quant_config.json that name no module leave that out)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import Architecture, Config, DraftModule, beside, experts_of, head_dim_of
from catalogs.architectures.delta_net import WIDTHS
from catalogs.transformer import Cache, Layer, Linear, State

LETTERS = {"M": "linear_attention", "*": "full_attention", "E": "moe", "-": "mlp"}
WORDS = {"mamba": "linear_attention", "attention": "full_attention"}
"""Kinds of layers in patterns and older lists -> in transformers' words."""
OF_EXPERTS = (
    "n_routed_experts",
    "num_experts_per_tok",
    "moe_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "n_shared_experts",
    "moe_latent_size",
)


def read(config: Config) -> Config:
    """One list of the layers, however a config says them; without experts none of their sizes, which transformers
    writes into every config."""
    found: dict[str, Any] = dict(config)
    kinds = _kinds(config)
    if kinds is not None:
        found["layer_types"] = kinds
        if found.get("num_hidden_layers") is None:
            found["num_hidden_layers"] = len(kinds)
        if "moe" not in kinds:
            for name in OF_EXPERTS:
                found.pop(name, None)
    if found.get("head_dim") is None and "attention_head_dim" in found:
        found["head_dim"] = found["attention_head_dim"]
    return found


def _kinds(config: Config) -> list[Any] | None:
    pattern, listed = (
        config.get("hybrid_override_pattern"),
        config.get("layer_types") or config.get("layers_block_type"),
    )
    if isinstance(listed, list):
        return [WORDS.get(each, each) if isinstance(each, str) else each for each in listed]
    return [LETTERS.get(each, each) for each in pattern] if isinstance(pattern, str) else None


def nemotron_layer(config: Config, layer: int) -> Layer:
    """A layer: a mixer over tokens, or a feed-forward part."""
    kind = config["layer_types"][layer]
    made = {"linear_attention": mamba, "full_attention": attention, "moe": experts, "mlp": dense}[kind](config)
    hidden_size = config["hidden_size"]
    return Layer(
        made.linears,
        made.bf16 + hidden_size,
        made.fp32,
        vectors=made.vectors + hidden_size,
        caches=made.caches,
        states=made.states,
        state_flops=made.state_flops,
        parts=1,
    )


def mamba(config: Config) -> Layer:
    """Mamba-2 behind a short convolution.

    A head keeps a matrix of its width x state size, a channel of the convolution its last inputs; groups share what
    writes and reads the matrices. A token decays the matrix, adds a product to it and reads it: five operations per
    figure."""
    heads, width, groups = config["mamba_num_heads"], config["mamba_head_dim"], config["n_groups"]
    state_size, kernel, hidden_size = config["ssm_state_size"], config["conv_kernel"], config["hidden_size"]
    inner = heads * width
    channels = inner + 2 * groups * state_size
    bias = channels if config.get("use_conv_bias", True) else 0
    figure = WIDTHS[config.get("mamba_ssm_cache_dtype") or "float32"]
    return Layer(
        (
            Linear(inner + channels + heads, hidden_size, name="mixer.in_proj"),
            Linear(hidden_size, inner, name="mixer.out_proj"),
        ),
        channels * kernel + bias + heads + inner,  # convolution, step sizes, norm
        fp32=2 * heads,  # decay and what passes by the state
        vectors=bias + heads + inner + 2 * heads,
        states=(
            State(2 * width * (kernel - 1) + figure * width * state_size, heads),
            State(2 * 2 * state_size * (kernel - 1), groups),
        ),
        state_flops=5 * inner * state_size,
    )


def attention(config: Config) -> Layer:
    """Grouped-query attention without positions."""
    hidden_size, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = head_dim_of(config)
    flops = 4 * heads * head_dim
    linears = (
        Linear(heads * head_dim, hidden_size, name="mixer.q_proj", whole=True),
        Linear(kv_heads * head_dim, hidden_size, 2, name="mixer.k_proj", whole=True),
        Linear(hidden_size, heads * head_dim, name="mixer.o_proj", whole=True),
    )
    return Layer(linears, 0, caches=(Cache(4 * kv_heads * head_dim, 2 * kv_heads * head_dim, flops, flops),))


def dense(config: Config) -> Layer:
    """A feed-forward part of two matrices, without gate."""
    return Layer(tuple(_two(config["hidden_size"], config["intermediate_size"], "mixer")), 0)


def experts(config: Config) -> Layer:
    """Experts of two matrices on the hidden state, or on a latent of it that all experts share (LatentMoE), and a
    shared expert beside them."""
    hidden_size, latent, count = config["hidden_size"], config.get("moe_latent_size"), experts_of(config)
    into, width = latent or hidden_size, config["moe_intermediate_size"]
    linears = [
        Linear(width, into, count, True, name="mixer.experts.0.up_proj"),
        Linear(into, width, count, True, name="mixer.experts.0.down_proj"),
        *_two(hidden_size, config["moe_shared_expert_intermediate_size"], "mixer.shared_experts"),
    ]
    if latent:
        linears.append(Linear(latent, hidden_size, name="mixer.fc1_latent_proj", whole=True, copied=True))
        linears.append(Linear(hidden_size, latent, name="mixer.fc2_latent_proj", whole=True, copied=True))
    return Layer(tuple(linears), 0, fp32=count * hidden_size + count, vectors=count)


def _two(hidden_size: int, width: int, name: str) -> list[Linear]:
    return [Linear(width, hidden_size, name=f"{name}.up_proj"), Linear(hidden_size, width, name=f"{name}.down_proj")]


def contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Layers said in several ways that differ, and sizes of layers that are missing or that no layer has."""
    kinds, count = config["layer_types"], config["num_hidden_layers"]
    if len(kinds) != count:
        yield "num_hidden_layers", "contradicts the list of layers"
    for name in ("hybrid_override_pattern", "layers_block_type"):
        if config.get(name) is not None and _kinds({name: config[name]}) != kinds:
            yield name, "contradicts layer_types"
    if "full_attention" not in kinds:
        yield "layer_types", "leaves no attention"
    for kind, names in (("moe", OF_EXPERTS[:4]), ("mlp", ("intermediate_size",))):
        for name in names:
            if kind in kinds and config.get(name) is None:
                yield name, "is missing"
    if "moe" in kinds and "moe_shared_expert_overlap" in config and "moe_latent_size" not in config:
        yield "moe_latent_size", "is missing: it came into these configs together with moe_shared_expert_overlap"
    if "mlp" not in kinds and config.get("intermediate_size") not in (None, config.get("moe_intermediate_size")):
        yield "intermediate_size", "no layer is dense, and experts are of another width"
    if config.get("attention_head_dim") not in (None, config["head_dim"]):
        yield "attention_head_dim", "contradicts head_dim"
    if config["mamba_num_heads"] % config["n_groups"]:
        yield "n_groups", "must divide mamba_num_heads"


def draft(config: Config) -> DraftModule:
    """One MTP module of layers in a pattern of its own, of attention and of experts (vLLM 0.33.0 and SGLang 0.5.23
    nemotron_h_mtp, which know no more than one)."""
    if config.get("num_nextn_predict_layers") != 1:
        return DraftModule()
    pattern = config.get("mtp_hybrid_override_pattern"), config.get("mtp_layers_block_type")
    kinds = _kinds({"hybrid_override_pattern": pattern[0], "layers_block_type": pattern[1]}) or []
    if not kinds or set(kinds) - {"full_attention", "moe"}:
        return DraftModule()
    hidden_size = config["hidden_size"]
    layers = [nemotron_layer({**config, "layer_types": kinds}, i) for i in range(len(kinds))]
    layers[0] = beside(layers[0], [Linear(hidden_size, 2 * hidden_size, name="eh_proj")], 2 * hidden_size)
    layers[-1] = beside(layers[-1], norms=hidden_size)
    layers = [replace(layer, linears=tuple(replace(x, whole=True) for x in layer.linears)) for layer in layers]
    return DraftModule("MTP", tuple((f"mtp.layers.{i}", layer) for i, layer in enumerate(layers)))


ARCHITECTURES = {
    "NemotronHForCausalLM": Architecture(
        "nemotron-h",
        "gqa",
        nemotron_layer,
        mixed={"nvfp4": "fp8"},
        read=read,
        contradictions=contradictions,
        draft=draft,
    ),
}
