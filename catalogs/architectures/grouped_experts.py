"""Experts behind grouped-query attention of many makers: ERNIE 4.5, Hunyuan A13B, Hy3, EXAONE MoE, Trinity (AFMoE),
Laguna, Mellum 2, Phi-3.5-MoE, Qwen1.5-MoE and Qwen2-57B-A14B, Solar Open.

Formulas: transformers 5.24.0 ernie4_5_moe, hunyuan_v1_moe, hy_v3, exaone_moe, afmoe, laguna, mellum, phimoe, qwen2_moe,
solar_open; vLLM hunyuan_v1 for what Hunyuan A13B's own file calls the sizes of its experts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from catalogs.architectures.base import (
    Architecture,
    Config,
    Names,
    contradicting_names,
    dense_feed_forward,
    experts_of,
    head_dim_of,
    plain_head,
    renamed,
    routed_experts,
    tied,
)
from catalogs.architectures.grouped_families import grouped_attention
from catalogs.architectures.near_llama import (
    as_many_kv_heads,
    every_fourth_looks_at_all,
    kinds_by_pattern,
    pattern_contradictions,
    unsaid_window,
    window_of,
)
from catalogs.transformer import Layer, Linear

NAMES: Names = {
    "num_experts": ("n_routed_experts", "moe_num_experts", "num_local_experts"),
    "num_experts_per_tok": ("moe_k", "moe_topk"),
    "n_shared_experts": ("moe_num_shared_experts", "num_shared_experts", "num_shared_expert"),
    "num_dense_layers": ("first_k_dense_replace",),
    "head_dim": ("attention_head_dim",),
}
"""Common name of a field -> what makers call it."""


def experts_layer(
    config: Config,
    i: int,
    *,
    head_norms: bool = True,
    norms: int = 2,
    routing_bias: bool = True,
    router_fp32: bool = True,
    biased_output: bool = False,
    gate: int = 0,
) -> Layer:
    """A layer with a dense feed-forward part or experts, as `mlp_layer_types` says, and shared ones as wide as
    `shared_expert_intermediate_size` or as so many routed ones. `gate`: figures of the gate of the attention's output,
    one row each; `norms`: vectors of the hidden size."""
    hidden_size, biased = config["hidden_size"], bool(config.get("attention_bias"))
    attention = grouped_attention(
        config, biased=biased, biased_output=biased and biased_output, window=window_of(config, i)
    )
    linears = [*attention.linears]
    if gate:
        linears.append(Linear(gate, hidden_size, name="self_attn.gate_proj"))
    vectors = norms * hidden_size + attention.vectors + (2 * head_dim_of(config) if head_norms else 0)
    if config["mlp_layer_types"][i] == "dense":
        linears += dense_feed_forward(hidden_size, config["intermediate_size"])
        return Layer(tuple(linears), vectors, vectors=vectors, caches=(attention.cache,))
    experts, width = experts_of(config), config["moe_intermediate_size"]
    linears += routed_experts(hidden_size, width, experts)
    if shared := config.get("shared_expert_intermediate_size") or (config.get("n_shared_experts") or 0) * width:
        linears += dense_feed_forward(hidden_size, shared, "mlp.shared_experts")
    router, bias = experts * hidden_size, experts if routing_bias else 0
    short, fp32 = (vectors, router + bias) if router_fp32 else (vectors + router, bias)
    return Layer(tuple(linears), short, fp32, 0, vectors + bias, (attention.cache,))


# Families -------------------------------------------------------------------------------------------------------------


def ernie_layer(config: Config, i: int) -> Layer:
    return experts_layer(config, i, head_norms=False)


def hunyuan_layer(config: Config, i: int) -> Layer:
    """Norms of queries and keys; a router in 32 bits without a bias of the routing."""
    return experts_layer(config, i, head_norms=config.get("use_qk_norm", True), routing_bias=False, biased_output=True)


def afmoe_layer(config: Config, i: int) -> Layer:
    """Trinity: four norms, and a gate as wide as all heads."""
    gate = config["num_attention_heads"] * head_dim_of(config)
    return experts_layer(config, i, norms=4, router_fp32=False, gate=gate)


def laguna_layer(config: Config, i: int) -> Layer:
    """Laguna: heads of each layer's own, with a gate per head or per element."""
    heads = config["num_attention_heads_per_layer"][i]
    gate = heads if config.get("gating", True) in (True, "per-head") else heads * head_dim_of(config)
    return experts_layer({**config, "num_attention_heads": heads}, i, router_fp32=False, gate=gate)


def mellum_layer(config: Config, i: int) -> Layer:
    return experts_layer(config, i, routing_bias=False, router_fp32=False)


def phi_layer(config: Config, i: int) -> Layer:
    """Phi-3.5-MoE: norms with a shift, biases of all four projections, experts as wide as `intermediate_size`."""
    return experts_layer(
        {**config, "moe_intermediate_size": config["intermediate_size"]}, i,
        head_norms=False, norms=4, routing_bias=False, router_fp32=False, biased_output=True,
    )  # fmt: skip


def phi_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head with biases, and a final norm with a shift."""
    plain = plain_head(config, stored)
    more = config["hidden_size"] + (config["vocab_size"] if config.get("lm_head_bias") else 0)
    return replace(plain, bf16=plain.bf16 + more, vectors=plain.vectors + more)


def qwen2_layer(config: Config, i: int) -> Layer:
    """Biases of queries, keys and values; a shared expert behind a gate of its own."""
    layer = experts_layer(
        {**config, "attention_bias": True}, i, head_norms=False, routing_bias=False, router_fp32=False
    )
    return replace(layer, bf16=layer.bf16 + config["hidden_size"])


# How they are read ----------------------------------------------------------------------------------------------------


def experts_fields(config: Config) -> Config:
    """A config under common names, and whether each layer is dense or has experts."""
    found = dict(renamed(config, NAMES))
    layers = found.get("num_hidden_layers")
    if found.get("mlp_layer_types") is None and isinstance(layers, int) and 0 < layers <= 1000:
        found["mlp_layer_types"] = _parts(found, layers)
    return found


def _parts(config: Config, layers: int) -> list[str]:
    """Whether each layer is dense or has experts, by the number of dense ones in front, or first and last with experts
    and every how many (ERNIE)."""
    first, last, every = (config.get(f"moe_layer_{name}") for name in ("start_index", "end_index", "interval"))
    first = config.get("num_dense_layers") if first is None else first
    first = first if isinstance(first, int) else 0
    last = last if isinstance(last, int) and last >= 0 else layers - 1
    every = every if isinstance(every, int) and every > 0 else 1
    return ["sparse" if first <= i <= last and (i + 1) % every == 0 else "dense" for i in range(layers)]


def ernie_fields(config: Config) -> Config:
    return experts_fields(tied({"moe_layer_start_index": 1, **config}))


def one_dense_in_front(config: Config) -> Config:
    """Hy3 and Laguna: where nothing is said, the first layer is dense."""
    said = (*NAMES["num_dense_layers"], "num_dense_layers", "mlp_layer_types")
    if any(config.get(name) is not None for name in said):
        return experts_fields(config)
    return experts_fields({**config, "num_dense_layers": 1})


def laguna_fields(config: Config) -> Config:
    found = one_dense_in_front(config)
    heads, layers = found.get("num_attention_heads"), found.get("num_hidden_layers")
    if found.get("num_attention_heads_per_layer") is None and isinstance(layers, int) and 0 < layers <= 1000:
        return {**found, "num_attention_heads_per_layer": [heads] * layers}
    return found


def exaone_fields(config: Config) -> Config:
    return every_fourth_looks_at_all(one_dense_in_front(config))


def afmoe_fields(config: Config) -> Config:
    """Trinity: windows by every how many layers one looks at all."""
    every = config.get("global_attn_every_n_layers") or 4
    kinds = every_fourth_looks_at_all({**config, "sliding_window_pattern": every}).get("layer_types")
    return experts_fields({**as_many_kv_heads(config), "layer_types": kinds})


def hunyuan_fields(config: Config) -> Config:
    """Hunyuan A13B, whose file says the sizes of experts once for each layer: one figure, where all are alike."""
    alike = {}
    for name in ("moe_topk", "moe_intermediate_size", "num_shared_expert", "num_experts"):
        value = config.get(name)
        if isinstance(value, list) and value and all(each == value[0] for each in value):
            alike[name] = value[0]
    shared = {"num_shared_expert": 1, **config, **alike}
    width = shared.get("moe_intermediate_size") or shared.get("intermediate_size")
    many = shared.get("num_shared_expert")
    if isinstance(shared.get("intermediate_size"), int) and isinstance(many, int):
        shared["shared_expert_intermediate_size"] = many * shared["intermediate_size"]
    return experts_fields({**as_many_kv_heads(shared), "moe_intermediate_size": width})


def qwen2_fields(config: Config) -> Config:
    return experts_fields({**config, "num_dense_layers": 0, "sliding_window": None})


def experts_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """Sizes said twice that differ; windows and dense layers whose size nobody says."""
    yield from contradicting_names(config, NAMES)
    layers = config["num_hidden_layers"]
    parts = config["mlp_layer_types"][:layers]
    said = [config.get(name) for name in ("num_dense_layers", "moe_layer_start_index")]
    if any(each is not None for each in said) and parts != _parts(config, layers):
        yield "mlp_layer_types", "contradicts the dense layers in front"
    if (config.get("moe_layer_end_index") or 0) >= layers:
        yield "moe_layer_end_index", "exceeds the layers there are"
    if "sparse" not in parts:
        yield "mlp_layer_types", "leaves no layer with experts"
    if "dense" in parts and not config.get("intermediate_size"):
        yield "intermediate_size", "is missing, though layers are dense"
    yield from unsaid_window(config)


def _laguna_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from experts_contradictions(config)
    heads, kv_heads = config["num_attention_heads_per_layer"], config["num_key_value_heads"]
    if len(heads) != config["num_hidden_layers"]:
        yield "num_attention_heads_per_layer", "needs one value per layer"
    elif any(each % kv_heads for each in heads):
        yield "num_attention_heads_per_layer", "must be multiples of num_key_value_heads"


def _exaone_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from experts_contradictions(config)
    yield from pattern_contradictions(config)


def _afmoe_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from experts_contradictions(config)
    every, layers = config.get("global_attn_every_n_layers"), config["num_hidden_layers"]
    windows = kinds_by_pattern({**config, "sliding_window_pattern": every}, layers)
    if every is not None and config["layer_types"][:layers] != windows:
        yield "layer_types", "contradicts global_attn_every_n_layers"


_MOE = Architecture("", "gqa", experts_layer, read=experts_fields, contradictions=experts_contradictions)
ARCHITECTURES: Mapping[str, Architecture] = {
    "Ernie4_5_MoeForCausalLM": replace(_MOE, name="ernie-4.5-moe", build=ernie_layer, read=ernie_fields),
    "HunYuanMoEV1ForCausalLM": replace(_MOE, name="hunyuan-a13b", build=hunyuan_layer, read=hunyuan_fields),
    "HYV3ForCausalLM": replace(_MOE, name="hy-3", read=one_dense_in_front),
    "ExaoneMoeForCausalLM": replace(_MOE, name="exaone-moe", read=exaone_fields, contradictions=_exaone_contradictions),
    "ExaoneMoEForCausalLM": replace(_MOE, name="exaone-moe", read=exaone_fields, contradictions=_exaone_contradictions),
    "AfmoeForCausalLM": replace(
        _MOE, name="trinity", build=afmoe_layer, read=afmoe_fields, contradictions=_afmoe_contradictions
    ),
    "LagunaForCausalLM": replace(
        _MOE, name="laguna", build=laguna_layer, read=laguna_fields, contradictions=_laguna_contradictions
    ),
    "MellumForCausalLM": replace(_MOE, name="mellum-2", build=mellum_layer),
    "PhimoeForCausalLM": replace(_MOE, name="phi-moe", build=phi_layer, head=phi_head),
    "PhiMoEForCausalLM": replace(_MOE, name="phi-moe", build=phi_layer, head=phi_head),
    "Qwen2MoeForCausalLM": replace(_MOE, name="qwen2-moe", build=qwen2_layer, read=qwen2_fields),
    "SolarOpenForCausalLM": replace(_MOE, name="solar-open", build=ernie_layer),
}
