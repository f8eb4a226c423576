"""Experts behind grouped-query attention of further makers: dots.llm1, OLMoE and FlexOlmo, Ling and Ring up to 2.0.

Formulas: transformers 5.24.0 dots1, olmoe, flex_olmo; vLLM 0.33.0 bailing_moe and SGLang 0.5.23 bailing_moe_nextn for
Ling, whose code lies in the repositories of its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import Architecture, Config, DraftModule, beside, head_dim_of, joining
from catalogs.architectures.grouped_experts import experts_contradictions, experts_fields, experts_layer
from catalogs.architectures.near_llama import as_many_kv_heads
from catalogs.transformer import Layer

MOST_LAYERS = 1000


def dots_layer(config: Config, i: int) -> Layer:
    """dots.llm1: norms of queries and keys, a bias of the routing."""
    return experts_layer(config, i, router_fp32=False)


def olmoe_layer(config: Config, i: int) -> Layer:
    """OLMoE and FlexOlmo: norms over all heads, experts as wide as `intermediate_size`, no bias of the routing."""
    wide = {**config, "moe_intermediate_size": config["intermediate_size"]}
    layer = experts_layer(wide, i, head_norms=False, routing_bias=False, router_fp32=False)
    heads = config["num_attention_heads"] + config["num_key_value_heads"]
    return beside(layer, norms=heads * head_dim_of(config))


LING_MODULES = {
    "self_attn.q_proj": "attention.query_key_value",
    "self_attn.k_proj": "attention.query_key_value",
    "self_attn.o_proj": "attention.dense",
}
"""Our name of a module -> what Ling's checkpoints call it."""


def ling_layer(config: Config, i: int) -> Layer:
    """Ling: one matrix for queries, keys and values; norms of queries and keys in 2.0."""
    layer = experts_layer(
        {**config, "attention_bias": bool(config.get("use_qkv_bias"))},
        i,
        head_norms=bool(config.get("use_qk_norm")),
        routing_bias=bool(config.get("moe_router_enable_expert_bias")),
        router_fp32=config.get("router_dtype") == "fp32",
    )
    return replace(layer, linears=tuple(replace(x, name=LING_MODULES.get(x.name, x.name)) for x in layer.linears))


def ling_draft(config: Config) -> DraftModule:
    """MTP layers behind the last one, each like it, with a joining matrix and three norms."""
    first, count = config["num_hidden_layers"], config.get("num_nextn_predict_layers") or 0
    layer = beside(ling_layer(config, first - 1), [joining(config)], 3 * config["hidden_size"])
    layers = tuple((f"model.layers.{first + number}", layer) for number in range(count))
    return DraftModule("MTP" if count else "", layers)


# How they are read ----------------------------------------------------------------------------------------------------


def dots_fields(config: Config) -> Config:
    """A config with the window of each layer: of those from `max_window_layers` on, where a window is said."""
    found: dict[str, Any] = dict(experts_fields(as_many_kv_heads(config)))
    layers = found.get("num_hidden_layers")
    if found.get("layer_types") is None and isinstance(layers, int) and 0 < layers <= MOST_LAYERS:
        found["layer_types"] = _dots_kinds(found, layers)
    return found


def _dots_kinds(config: Config, layers: int) -> list[str]:
    first = config.get("max_window_layers")
    windowed = config.get("sliding_window") is not None and config.get("use_sliding_window") is not False
    start = first if isinstance(first, int) and windowed else layers
    return ["sliding_attention" if i >= start else "full_attention" for i in range(layers)]


def _dots_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from experts_contradictions(config)
    layers = config["num_hidden_layers"]
    if config.get("max_window_layers") is not None and config["layer_types"][:layers] != _dots_kinds(config, layers):
        yield "layer_types", "contradicts max_window_layers"


def olmoe_fields(config: Config) -> Config:
    return experts_fields(as_many_kv_heads({**config, "num_dense_layers": 0}))


def ling_fields(config: Config) -> Config:
    """A config with the width of all shared experts together."""
    found: dict[str, Any] = dict(experts_fields(as_many_kv_heads(config)))
    width = found.get("moe_shared_expert_intermediate_size") or found.get("moe_intermediate_size")
    if isinstance(width, int) and isinstance(found.get("num_shared_experts"), int):
        found["shared_expert_intermediate_size"] = width * found["num_shared_experts"]
    return found


def _ling_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from experts_contradictions(config)
    if config.get("score_function") == "sigmoid" and not config.get("moe_router_enable_expert_bias"):
        yield "moe_router_enable_expert_bias", "must be true where score_function is sigmoid"


_MOE = Architecture("", "gqa", experts_layer, contradictions=experts_contradictions)
_OLMOE = replace(_MOE, name="olmoe", build=olmoe_layer, read=olmoe_fields)
_LING = replace(
    _MOE, name="ling", build=ling_layer, read=ling_fields, contradictions=_ling_contradictions, draft=ling_draft
)
ARCHITECTURES: Mapping[str, Architecture] = {
    "Dots1ForCausalLM": replace(
        _MOE, name="dots-1", build=dots_layer, read=dots_fields, contradictions=_dots_contradictions
    ),
    "OlmoeForCausalLM": _OLMOE,
    "FlexOlmoForCausalLM": replace(_OLMOE, name="flex-olmo"),
    "BailingMoeForCausalLM": _LING,
    "BailingMoeV2ForCausalLM": replace(_LING, name="ling-2"),
}
