"""Kimi Delta Attention with latent attention every few layers (Kimi Linear, Kimi K3).

Formulas: transformers kimi_linear; vLLM models/kimi_k3 for K3's gates, experts on a latent and residuals over blocks of
layers, and mamba_utils.py for shapes and formats of the states."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import Architecture, Config, dense_feed_forward, experts_of, plain_head
from catalogs.architectures.latent import latent_cache, latent_matrices
from catalogs.architectures.towers import kimi_k3_tower
from catalogs.transformer import Layer, Linear, State

SPELLINGS = {
    "num_experts_per_token": "num_experts_per_tok",
    "num_shared_experts": "n_shared_experts",
    "num_local_experts": "num_experts",
    "model_max_length": "max_position_embeddings",
}
OF_LINEAR = {
    "head_dim": "linear_head_dim",
    "num_heads": "linear_num_heads",
    "short_conv_kernel_size": "linear_conv_kernel_dim",
}
"""Names of fields in Moonshot's configs -> in those that transformers writes; the second inside linear_attn_config."""
COPIED = ("self_attn.q_a_proj", "self_attn.kv_a_proj_with_mqa")
"""Matrices whose output all heads share: each tensor-parallel rank holds them whole."""


def read(config: Config) -> Config:
    """One list of the layers, and the names of transformers."""
    found: dict[str, Any] = dict(config)
    given = config.get("linear_attn_config")
    linear = given if isinstance(given, dict) else {}
    for theirs, ours in SPELLINGS.items():
        if found.get(ours) is None and theirs in found:
            found[ours] = found[theirs]
    for theirs, ours in OF_LINEAR.items():
        if found.get(ours) is None and theirs in linear:
            found[ours] = linear[theirs]
    if found.get("layer_types") is None and (kinds := _kinds(config, linear)) is not None:
        found["layer_types"] = kinds
    listed = found.get("mlp_layer_types")
    if isinstance(listed, list) and found.get("first_k_dense_replace") is None:
        found["first_k_dense_replace"] = next((i for i, kind in enumerate(listed) if kind != "dense"), len(listed))
    return found


def _kinds(config: Config, linear: Config) -> list[str | None] | None:
    """Kind of each layer by the two lists of layers, which count from 1; None for one that neither or both name."""
    full, delta, layers = linear.get("full_attn_layers"), linear.get("kda_layers"), config.get("num_hidden_layers")
    if not isinstance(full, list) or not isinstance(delta, list) or not isinstance(layers, int) or layers > 1000:
        return None
    return [
        "full_attention"
        if i in full and i not in delta
        else "linear_attention"
        if i in delta and i not in full
        else None
        for i in range(1, layers + 1)
    ]


def kimi_layer(config: Config, layer: int) -> Layer:
    """A layer with either attention, and a feed-forward part: dense, or of experts with shared ones."""
    hidden_size = config["hidden_size"]
    mixer = latent(config) if config["layer_types"][layer] == "full_attention" else delta(config)
    if layer < config["first_k_dense_replace"]:
        part = Layer(tuple(dense_feed_forward(hidden_size, config["intermediate_size"])), 0)
    else:
        part = experts(config)
    norms, weights, flops = 2 * hidden_size, 0, 0
    if size := config.get("attn_res_block_size"):
        # Before each part what blocks of layers put out is weighed anew: a norm and a vector, and a product and a sum
        # with the output of every block so far.
        norms, weights = norms + 2 * hidden_size, 2 * hidden_size
        flops = 2 * 4 * hidden_size * -(-(layer + 1) // size)
    return Layer(
        (*mixer.linears, *part.linears),
        mixer.bf16 + part.bf16 + norms + weights,
        mixer.fp32 + part.fp32,
        vectors=mixer.vectors + part.vectors + norms,
        caches=mixer.caches,
        states=mixer.states,
        state_flops=mixer.state_flops + flops,
    )


def latent(config: Config) -> Layer:
    """Latent attention without positions; K3 gates its output."""
    hidden_size, values = config["hidden_size"], config["num_attention_heads"] * config["v_head_dim"]
    linears = [replace(x, copied=x.name in COPIED) for x in latent_matrices(config)]
    if config.get("mla_use_output_gate"):
        linears.append(Linear(values, hidden_size, name="self_attn.g_proj"))
    norms = config["kv_lora_rank"] + (config.get("q_lora_rank") or 0)
    return Layer(tuple(linears), norms, vectors=norms, caches=(latent_cache(config),))


def delta(config: Config) -> Layer:
    """The gated delta rule with a decay for each channel, behind short convolutions of queries, keys and values.

    States and operations are those of gated DeltaNet with keys as wide as values."""
    hidden_size, heads, width = config["hidden_size"], config["linear_num_heads"], config["linear_head_dim"]
    kernel, inner = config["linear_conv_kernel_dim"], heads * width
    linears = [
        Linear(inner, hidden_size, 3, name="self_attn.q_proj"),
        Linear(width, hidden_size, name="self_attn.f_a_proj", copied=True),
        Linear(inner, width, name="self_attn.f_b_proj"),
        Linear(hidden_size, inner, name="self_attn.o_proj"),
    ]
    if (config.get("linear_attn_config") or {}).get("use_full_rank_gate"):
        linears.append(Linear(inner, hidden_size, name="self_attn.g_proj"))
    else:
        linears.append(Linear(width, hidden_size, name="self_attn.g_a_proj", copied=True))
        linears.append(Linear(inner, width, name="self_attn.g_b_proj"))
    figures = heads + inner  # decay of heads and of channels
    return Layer(
        tuple(linears),
        heads * hidden_size + 3 * inner * kernel + width,  # how much is written, convolutions, norm
        fp32=figures,
        vectors=width + figures,
        states=(State(3 * 2 * width * (kernel - 1) + 4 * width * width, heads),),
        state_flops=7 * inner * width,
    )


def experts(config: Config) -> Layer:
    """Routed experts, on the hidden state or on a latent of it (K3), and shared experts beside them."""
    hidden_size, count, width = config["hidden_size"], experts_of(config), config["moe_intermediate_size"]
    inner, name = config.get("routed_expert_hidden_size"), "block_sparse_moe"
    into = inner or hidden_size
    linears = [
        Linear(width, into, 2 * count, True, name=f"{name}.experts.0.w1"),
        Linear(into, width, count, True, name=f"{name}.experts.0.w2"),
    ]
    if shared := config["n_shared_experts"] * width:
        linears += dense_feed_forward(hidden_size, shared, f"{name}.shared_experts")
    norm = 0
    if inner:
        linears.append(Linear(inner, hidden_size, name=f"{name}.routed_expert_down_proj", copied=True))
        linears.append(Linear(hidden_size, inner, name=f"{name}.routed_expert_up_proj", copied=True))
        norm = inner if config.get("latent_moe_use_norm") else 0
    return Layer(tuple(linears), count * hidden_size + norm, fp32=count, vectors=count + norm)


def kimi_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head and final norm, and the last weighing of blocks of layers."""
    head, hidden_size = plain_head(config, stored), config["hidden_size"]
    if not config.get("attn_res_block_size"):
        return head
    return replace(head, bf16=head.bf16 + 2 * hidden_size, vectors=head.vectors + hidden_size)


def contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Sizes and layers said in two ways that differ."""
    for theirs, ours in SPELLINGS.items():
        if config.get(theirs) not in (None, config[ours]):
            yield theirs, f"contradicts {ours}"
    linear = config.get("linear_attn_config") or {}
    for theirs, ours in OF_LINEAR.items():
        if linear.get(theirs) not in (None, config[ours]):
            yield ours, f"contradicts linear_attn_config.{theirs}"
    kinds = config["layer_types"][: config["num_hidden_layers"]]
    if _kinds(config, linear) not in (None, kinds):
        yield "layer_types", "contradicts linear_attn_config"
    if "full_attention" not in kinds:
        yield "layer_types", "leaves no full attention"
    named = len(linear.get("full_attn_layers") or []) + len(linear.get("kda_layers") or [])
    if named not in (0, len(kinds)):
        yield "linear_attn_config.full_attn_layers", "names layers that there are not"
    listed, dense = config.get("mlp_layer_types"), config["first_k_dense_replace"]
    if listed and any((listed[i] == "dense") != (i < dense) for i in range(len(kinds))):
        yield "mlp_layer_types", "contradicts first_k_dense_replace"
    if (config.get("vision_config") or {}).get("text_hidden_size") not in (None, config["hidden_size"]):
        yield "vision_config.text_hidden_size", "contradicts hidden_size"


# Ling -----------------------------------------------------------------------------------------------------------------


def ling_fields(config: Config) -> Config:
    """Ling 3.0: as Kimi Linear, where nothing else is said with heads of linear attention as many as the others and
    every sixth layer of full attention."""
    found = dict(read(config))
    for ours, theirs in (
        ("linear_num_heads", "num_attention_heads"),
        ("linear_conv_kernel_dim", "short_conv_kernel_size"),
    ):
        if found.get(ours) is None:
            found[ours] = found.get(theirs)
    layers, every = found.get("num_hidden_layers"), found.get("layer_group_size") or 6
    if found.get("layer_types") is None and isinstance(layers, int) and isinstance(every, int) and layers <= 1000:
        found["layer_types"] = _every(every, layers)
    return found


def _every(every: int, layers: int) -> list[str]:
    return ["linear_attention" if (i + 1) % every else "full_attention" for i in range(layers)]


def ling_layer(config: Config, layer: int) -> Layer:
    """Kimi Linear's layers, but a decay and a gate by one matrix each, and a gate per head of the latent attention."""
    full = kimi_layer({**config, "linear_attn_config": {"use_full_rank_gate": True}}, layer)
    hidden_size = config["hidden_size"]
    if config["layer_types"][layer] == "full_attention":
        gate = Linear(config["num_attention_heads"], hidden_size, name="self_attn.g_proj")
        return replace(full, linears=(*full.linears, gate))
    decay = Linear(config["linear_num_heads"] * config["linear_head_dim"], hidden_size, name="self_attn.f_proj")
    kept = [x for x in full.linears if x.name not in ("self_attn.f_a_proj", "self_attn.f_b_proj")]
    return replace(full, linears=(decay, *kept))


def ling_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    yield from contradictions(config)
    every, layers = config.get("layer_group_size"), config["num_hidden_layers"]
    if every and config["layer_types"][:layers] != _every(every, layers):
        yield "layer_types", "contradicts layer_group_size"
    for name in ("linear_conv_kernel_dim", "num_attention_heads"):
        theirs = {"linear_conv_kernel_dim": "short_conv_kernel_size", "num_attention_heads": "linear_num_heads"}[name]
        if config.get(theirs) not in (None, config[name]):
            yield theirs, f"contradicts {name}"
    whole = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    if config.get("qk_head_dim") not in (None, whole):
        yield "qk_head_dim", "contradicts qk_nope_head_dim + qk_rope_head_dim"


K3_FORMATS = ("bf16", "fp8", "nvfp4", "mxfp4")

ARCHITECTURES = {
    "KimiLinearForCausalLM": Architecture(
        "kimi-linear", "mla", kimi_layer, head=kimi_head, read=read, contradictions=contradictions
    ),
    **dict.fromkeys(
        ("BailingHybridForCausalLM", "BailingMoeV3ForCausalLM"),
        Architecture("ling-3", "mla", ling_layer, read=ling_fields, contradictions=ling_contradictions),
    ),
    "KimiK3ForConditionalGeneration": Architecture(
        "kimi-k3", "mla", kimi_layer, K3_FORMATS, {"nvfp4": "bf16", "mxfp4": "bf16"}, tower=kimi_k3_tower,
        head=kimi_head, read=read, contradictions=contradictions,
    ),
}  # fmt: skip
