"""Mamba-1 in most layers, attention in one of eight, experts in every second (AI21's Jamba).

Formulas: transformers 5.24.0 jamba; vLLM 0.33.0 keeps the states in the model's 16 bits (models/jamba.py:
mamba1_state_dtype and mamba1_state_shape of layers/mamba/mamba_utils.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from catalogs.architectures.base import Architecture, Config, dense_feed_forward, routed_experts
from catalogs.architectures.grouped_families import grouped_attention
from catalogs.transformer import Layer, Linear, State


def jamba_layer(config: Config, i: int) -> Layer:
    """Mamba-1 or attention, and a feed-forward part, dense or of experts."""
    hidden_size, width = config["hidden_size"], config["intermediate_size"]
    if i % config["attn_layer_period"] == config["attn_layer_offset"]:
        attention = grouped_attention(config)
        first = Layer(attention.linears, 0, caches=(attention.cache,))
    else:
        first = mamba(config)
    experts, router = config["num_experts"] if _sparse(config, i) else 1, 0
    if experts > 1:
        part, router = routed_experts(hidden_size, width, experts, name="feed_forward.experts.0"), experts * hidden_size
    else:
        part = dense_feed_forward(hidden_size, width, "feed_forward")
    norms = 2 * hidden_size
    return replace(
        first,
        linears=(*first.linears, *part),
        bf16=first.bf16 + norms + router,
        vectors=first.vectors + norms,
    )


def _sparse(config: Config, i: int) -> bool:
    return bool(i % config["expert_layer_period"] == config["expert_layer_offset"])


def mamba(config: Config) -> Layer:
    """Mamba-1 behind a short convolution, with norms of what steps, writes and reads.

    A channel keeps a row of the state's size and its last inputs to the convolution. A token decays the row, adds a
    product to it and reads it: five operations per figure."""
    hidden_size, size, kernel = config["hidden_size"], config["mamba_d_state"], config["mamba_d_conv"]
    inner, rank = config["mamba_expand"] * hidden_size, config["mamba_dt_rank"]
    linears = (
        Linear(2 * inner, hidden_size, name="mamba.in_proj"),
        Linear(rank + 2 * size, inner, name="mamba.x_proj"),
        Linear(inner, rank, name="mamba.dt_proj"),
        Linear(hidden_size, inner, name="mamba.out_proj"),
    )
    biases = inner + (inner if config.get("mamba_conv_bias", True) else 0)  # of the step sizes, of the convolution
    norms = rank + 2 * size
    fp32 = inner * size + inner  # decay and what passes by the state
    return Layer(
        linears,
        inner * kernel + biases + norms,
        fp32=fp32,
        vectors=biases + norms + fp32,
        states=(State(2 * (kernel - 1 + size), inner),),
        state_flops=5 * inner * size,
    )


def read(config: Config) -> Config:
    """A config with the rank of its step sizes where it says `auto`, or nothing."""
    found = dict(config)
    hidden_size = found.get("hidden_size")
    if found.get("mamba_dt_rank") in (None, "auto") and isinstance(hidden_size, int):
        found["mamba_dt_rank"] = -(-hidden_size // 16)
    return found


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    layers = range(config["num_hidden_layers"])
    for kind in ("attn", "expert"):
        period, offset = config[f"{kind}_layer_period"], config[f"{kind}_layer_offset"]
        if not any(i % period == offset for i in layers):
            yield f"{kind}_layer_offset", "leaves no layer of the kind"


ARCHITECTURES = {
    "JambaForCausalLM": Architecture("jamba", "gqa", jamba_layer, read=read, contradictions=_contradictions)
}
