"""Layers of a short convolution among those of grouped-query attention (Liquid AI's LFM2), dense or with experts.

Formulas: transformers 5.24.0 lfm2, lfm2_moe; vLLM 0.33.0 keeps of a convolution its last inputs but one in 16 bits
(layers/mamba/mamba_utils.py: short_conv_state_shape, short_conv_state_dtype)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import Architecture, Config, FeedForward, experts_of, head_dim_of
from catalogs.architectures.grouped_families import grouped_attention
from catalogs.transformer import Layer, Linear, State

MOST_LAYERS = 1000


def lfm2_layer(config: Config, i: int) -> Layer:
    """A short convolution or an attention, and a feed-forward part."""
    return _with_feed_forward(config, i, FeedForward(_gated(config["hidden_size"], adjusted_width(config))))


def lfm2_experts_layer(config: Config, i: int) -> Layer:
    """The same with experts behind the dense layers in front."""
    hidden_size, experts = config["hidden_size"], experts_of(config)
    if i < config["num_dense_layers"]:
        return _with_feed_forward(config, i, FeedForward(_gated(hidden_size, config["intermediate_size"])))
    width, name = config["moe_intermediate_size"], "feed_forward.experts.0"
    linears = [
        Linear(width, hidden_size, 2 * experts, True, name=f"{name}.w1"),
        Linear(hidden_size, width, experts, True, name=f"{name}.w2"),
    ]
    bias = experts if config.get("use_expert_bias", True) else 0
    return _with_feed_forward(config, i, FeedForward(linears, experts * hidden_size, bias))


def adjusted_width(config: Config) -> int:
    """Width of the feed-forward part: two thirds of what is said, times a factor, up to a multiple of a number."""
    width = int(config["intermediate_size"])
    if not config.get("block_auto_adjust_ff_dim", True):
        return width
    factor, multiple = config.get("block_ffn_dim_multiplier"), config.get("block_multiple_of") or 256
    width = int((1 if factor is None else factor) * int(2 * width / 3))
    return int(multiple * -(-width // multiple))


def _gated(hidden_size: int, width: int) -> list[Linear]:
    return [
        Linear(width, hidden_size, 2, name="feed_forward.w1"),
        Linear(hidden_size, width, name="feed_forward.w2"),
    ]


def _with_feed_forward(config: Config, i: int, part: FeedForward) -> Layer:
    """An attention or a convolution by the kind of the layer, with its feed-forward part and two norms."""
    first = attention(config) if config["layer_types"][i] == "full_attention" else convolution(config)
    norms, bias = 2 * config["hidden_size"], part.routing_bias
    return replace(
        first,
        linears=(*first.linears, *part.linears),
        bf16=first.bf16 + norms + part.router,
        fp32=bias,
        vectors=first.vectors + norms + bias,
    )


def attention(config: Config) -> Layer:
    made, norms = grouped_attention(config), 2 * head_dim_of(config)
    return Layer(made.linears, norms, vectors=norms, caches=(made.cache,))


def convolution(config: Config) -> Layer:
    """Two gates and an input of the hidden size, of which each channel keeps its last inputs."""
    hidden_size, kernel = config["hidden_size"], config["conv_L_cache"]
    linears = (
        Linear(3 * hidden_size, hidden_size, name="conv.in_proj"),
        Linear(hidden_size, hidden_size, name="conv.out_proj"),
    )
    return Layer(linears, kernel * hidden_size, states=(State(2 * (kernel - 1), hidden_size),))


def read(config: Config) -> Config:
    """Kinds of layers as a list, where a config says the numbers of those with attention; older names of two fields."""
    found: dict[str, Any] = {"tie_word_embeddings": True, **config}
    for name, older in (("tie_word_embeddings", "tie_embedding"), ("intermediate_size", "block_ff_dim")):
        if found.get(older) is not None:
            found[name] = found[older]
    layers, listed = found.get("num_hidden_layers"), found.get("full_attn_idxs")
    whole = isinstance(layers, int) and 0 < layers <= MOST_LAYERS
    if found.get("layer_types") is None and isinstance(listed, list) and isinstance(layers, int) and whole:
        found["layer_types"] = ["full_attention" if i in listed else "conv" for i in range(layers)]
    return found


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    layers, listed = config["num_hidden_layers"], config.get("full_attn_idxs")
    kinds = config["layer_types"][:layers]
    if listed is not None and [i for i in range(layers) if kinds[i] == "full_attention"] != sorted(listed):
        yield "layer_types", "contradicts full_attn_idxs"
    if "full_attention" not in kinds:
        yield "layer_types", "leaves no layer with attention"
    factor = config.get("block_ffn_dim_multiplier")
    if factor is not None and (
        isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 < factor <= 100
    ):
        yield "block_ffn_dim_multiplier", "must be a number above 0"
    if config.get("conv_dim") not in (None, config["hidden_size"]):
        yield "conv_dim", "contradicts hidden_size"
    if config.get("conv_dim_out") not in (None, config["hidden_size"]):
        yield "conv_dim_out", "contradicts hidden_size"


def _experts_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from _contradictions(config)
    if config["num_dense_layers"] >= config["num_hidden_layers"]:
        yield "num_dense_layers", "leaves no layer with experts"


_LFM2 = Architecture("lfm2", "gqa", lfm2_layer, read=read, contradictions=_contradictions)
ARCHITECTURES = {
    "Lfm2ForCausalLM": _LFM2,
    "Lfm2MoeForCausalLM": replace(
        _LFM2, name="lfm2-moe", build=lfm2_experts_layer, contradictions=_experts_contradictions
    ),
}
