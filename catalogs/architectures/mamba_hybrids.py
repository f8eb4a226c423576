"""Mamba-2 in layers that have a feed-forward part too (Granite 4), or beside an attention in each layer (Falcon-H1).

Formulas: transformers 5.24.0 granitemoehybrid, granitemoe, granitemoeshared, falcon_h1. vLLM 0.33.0 keeps their states
in the model's 16 bits (models/granitemoehybrid.py, falcon_h1.py; layers/mamba/mamba_utils.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from catalogs.architectures.base import Architecture, Config, dense_feed_forward, routed_experts
from catalogs.architectures.grouped_families import grouped_attention
from catalogs.architectures.mamba import WORDS, mamba
from catalogs.architectures.near_llama import as_many_kv_heads
from catalogs.transformer import Layer

OF_MAMBA = {
    "mamba_num_heads": "mamba_n_heads",
    "mamba_head_dim": "mamba_d_head",
    "n_groups": "mamba_n_groups",
    "ssm_state_size": "mamba_d_state",
    "conv_kernel": "mamba_d_conv",
    "use_conv_bias": "mamba_conv_bias",
}
"""Name of a field of Mamba in NVIDIA's configs, which `mamba` reads -> in those of IBM and TII."""


def mixer(config: Config, *, norm: bool = True) -> Layer:
    """Mamba-2 by the fields of these configs; `norm`: before its output projection."""
    said = {ours: config[theirs] for ours, theirs in OF_MAMBA.items() if theirs in config}
    made = mamba({**config, **said, "mamba_ssm_cache_dtype": "bfloat16"})
    inner = 0 if norm else config["mamba_n_heads"] * config["mamba_d_head"]
    linears = tuple(replace(x, name=x.name.replace("mixer", "mamba")) for x in made.linears)
    return replace(made, linears=linears, bf16=made.bf16 - inner, vectors=made.vectors - inner)


def granite_layer(config: Config, i: int) -> Layer:
    """Mamba-2 or attention, and behind either a shared feed-forward part with experts beside it or without."""
    hidden_size, experts = config["hidden_size"], config.get("num_local_experts") or 0
    if config["layer_types"][i] == "linear_attention":
        first = mixer(config)
    else:
        attention = grouped_attention(config)
        first = Layer(attention.linears, 0, caches=(attention.cache,))
    linears, router = [*first.linears], 0
    if experts:
        name = "block_sparse_moe.experts.0"
        linears += routed_experts(hidden_size, config["intermediate_size"], experts, name=name)
        router = experts * hidden_size
    if shared := config.get("shared_intermediate_size"):
        linears += dense_feed_forward(hidden_size, shared, "shared_mlp")
    norms = 2 * hidden_size
    return replace(
        first, linears=tuple(linears), bf16=first.bf16 + norms + router, vectors=first.vectors + norms, parts=2
    )


def falcon_layer(config: Config, i: int) -> Layer:
    """Mamba-2 and attention side by side on one norm, and a feed-forward part."""
    hidden_size, attention = config["hidden_size"], grouped_attention(config)
    first = mixer(config, norm=bool(config.get("mamba_rms_norm")))
    part = dense_feed_forward(hidden_size, config["intermediate_size"], "feed_forward")
    norms = 2 * hidden_size
    return replace(
        first,
        linears=(*first.linears, *attention.linears, *part),
        bf16=first.bf16 + norms,
        vectors=first.vectors + norms,
        caches=(attention.cache,),
        parts=2,
    )


# How they are read ----------------------------------------------------------------------------------------------------


def _with_head_width(config: Config) -> Config:
    """A config with the width of a head of Mamba where it says `auto`, or nothing."""
    inner, heads = config.get("mamba_d_ssm"), config.get("mamba_n_heads")
    if inner is None and isinstance(config.get("mamba_expand"), int) and isinstance(config.get("hidden_size"), int):
        inner = config["mamba_expand"] * config["hidden_size"]
    if config.get("mamba_d_head") not in (None, "auto") or not isinstance(inner, int) or not isinstance(heads, int):
        return config
    return {**config, "mamba_d_head": inner // heads if heads > 0 else None}


def granite_fields(config: Config) -> Config:
    found, kinds = dict(_with_head_width(as_many_kv_heads(config))), config.get("layer_types")
    if isinstance(kinds, list):
        found["layer_types"] = [WORDS.get(kind, kind) if isinstance(kind, str) else kind for kind in kinds]
    return found


def granite_moe_fields(config: Config) -> Config:
    """Granite 3's experts: attention in every layer, and a shared part in research models alone."""
    layers = config.get("num_hidden_layers")
    count = layers if isinstance(layers, int) and 0 < layers <= 1000 else 0
    return {**as_many_kv_heads(config), "layer_types": ["full_attention"] * count}


def _of_mamba(config: Config) -> Iterator[tuple[str, str]]:
    """Heads of Mamba that do not make up its width."""
    inner = config.get("mamba_d_ssm") or config["mamba_expand"] * config["hidden_size"]
    if config["mamba_n_heads"] * config["mamba_d_head"] != inner:
        yield "mamba_d_head", "times mamba_n_heads is not the width of Mamba"
    if config["mamba_n_heads"] % config["mamba_n_groups"]:
        yield "mamba_n_groups", "must divide mamba_n_heads"


def _granite_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    kinds, experts = config["layer_types"][: config["num_hidden_layers"]], config.get("num_local_experts")
    yield from _of_mamba(config)
    if "full_attention" not in kinds:
        yield "layer_types", "leaves no layer with attention"
    if not experts and not config.get("shared_intermediate_size"):
        yield "shared_intermediate_size", "is missing, and there are no experts"
    for name in ("num_experts_per_tok", "intermediate_size"):
        if experts and not config.get(name):
            yield name, "is missing, though layers have experts"
    if config.get("num_experts_per_tok") and not experts:
        yield "num_experts_per_tok", "speaks of experts, and there are none"


_GRANITE = Architecture("granite-4", "gqa", granite_layer, read=granite_fields, contradictions=_granite_contradictions)
ARCHITECTURES = {
    "GraniteMoeHybridForCausalLM": _GRANITE,
    "GraniteMoeForCausalLM": Architecture("granite-moe", "gqa", granite_layer, read=granite_moe_fields),
    "GraniteMoeSharedForCausalLM": Architecture("granite-moe", "gqa", granite_layer, read=granite_moe_fields),
    "FalconH1ForCausalLM": Architecture(
        "falcon-h1", "gqa", falcon_layer, read=_with_head_width, contradictions=_of_mamba
    ),
}
