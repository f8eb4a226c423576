"""Dense models whose layers are near to Llama's: Mistral, ERNIE 4.5, Hunyuan, SmolLM3, GLM-4 and 4.1V, OLMo 2 and 3,
EXAONE 4, Apertus, Qwen2-VL and 2.5-VL.

Formulas: transformers 5.24.0 mistral, ernie4_5, hunyuan_v1_dense, smollm3, glm, glm4, glm4v, olmo2, olmo3, exaone4,
apertus, qwen2_vl, qwen2_5_vl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from catalogs.architectures.base import Architecture, Config, FeedForward, feed_forward, head_dim_of, tied
from catalogs.architectures.grouped_families import grouped_attention, layer_of
from catalogs.architectures.towers import (
    glm_tower,
    qwen2_tower,
    qwen25_omni_tower,
    qwen25_tower,
    whole_patches,
)
from catalogs.transformer import Layer, Linear


def near_llama_layer(
    config: Config, i: int, *, norms: int = 2, head_norms: bool = False, whole_norms: bool = False
) -> Layer:
    """A dense layer, with biases where `attention_bias` says so. `norms`: of the hidden size; `head_norms`: of queries
    and keys, one figure per element of a head; `whole_norms`: the same over all heads."""
    biased = bool(config.get("attention_bias"))
    attention = grouped_attention(config, biased=biased, window=window_of(config, i))
    heads = 2 if head_norms else config["num_attention_heads"] + config["num_key_value_heads"] if whole_norms else 0
    return layer_of(config, attention, feed_forward(config, i), norms=norms, vectors=heads * head_dim_of(config))


def apertus_layer(config: Config, i: int) -> Layer:
    """Apertus: a feed-forward part of two matrices, whose activation has two figures of its own."""
    attention, hidden_size, width = grouped_attention(config), config["hidden_size"], config["intermediate_size"]
    part = FeedForward([
        Linear(width, hidden_size, name="mlp.up_proj"),
        Linear(hidden_size, width, name="mlp.down_proj"),
    ])  # fmt: skip
    return layer_of(config, attention, part, vectors=2 * head_dim_of(config) + 2)


def hunyuan_layer(config: Config, i: int) -> Layer:
    """Norms of queries and keys; biases of the output too, where the config has any."""
    biased = bool(config.get("attention_bias"))
    attention = grouped_attention(config, biased=biased, biased_output=biased)
    norms = 2 * head_dim_of(config) if config.get("use_qk_norm", True) else 0
    return layer_of(config, attention, feed_forward(config, i), vectors=norms)


def window_of(config: Config, i: int) -> int | None:
    """The last so many tokens that layer `i` attends and keeps; None where it attends all."""
    kinds = config.get("layer_types")
    if kinds and kinds[i] != "sliding_attention":
        return None
    return config.get("sliding_window")


# What a file leaves out -----------------------------------------------------------------------------------------------


def as_many_kv_heads(config: Config) -> Config:
    """A config with kv heads of its own for each head, where none are said."""
    if config.get("num_key_value_heads") is None:
        return {**config, "num_key_value_heads": config.get("num_attention_heads")}
    return config


def every_fourth_looks_at_all(config: Config) -> Config:
    """A config with the kind of each layer: every fourth looks at all, or as many as a pattern says."""
    layers = config.get("num_hidden_layers")
    if config.get("layer_types") is not None or not isinstance(layers, int) or not 0 < layers <= 1000:
        return config
    return {**config, "layer_types": kinds_by_pattern(config, layers)}


def kinds_by_pattern(config: Config, layers: int) -> list[str]:
    """Kinds of layers by `sliding_window_pattern`: every how many layers one looks at all, or letters (`LLLG`)."""
    pattern: Any = config.get("sliding_window_pattern") or 4
    if not config.get("sliding_window"):
        return ["full_attention"] * layers
    every = len(pattern) if isinstance(pattern, str) else pattern if isinstance(pattern, int) else 4
    return ["full_attention" if (i + 1) % every == 0 else "sliding_attention" for i in range(layers)]


def pattern_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """A pattern of windows that the kinds of layers contradict, or that is no pattern."""
    layers = config["num_hidden_layers"]
    pattern: Any = config.get("sliding_window_pattern")
    kinds, letters = config["layer_types"][:layers], isinstance(pattern, str)
    number = pattern is None or (isinstance(pattern, int) and not isinstance(pattern, bool) and pattern >= 0)
    if not number and not (letters and pattern == "L" * (len(pattern) - 1) + "G"):
        yield "sliding_window_pattern", "must be a number, or letters such as LLLG"
    elif pattern and config.get("sliding_window") and kinds != kinds_by_pattern(config, layers):
        yield "layer_types", "contradicts sliding_window_pattern"
    yield from unsaid_window(config)


def unsaid_window(config: Config) -> Iterator[tuple[str, str]]:
    """A window that layers have, and nobody says how wide it is."""
    kinds = (config.get("layer_types") or [])[: config["num_hidden_layers"]]
    if "sliding_attention" in kinds and not config.get("sliding_window"):
        yield "sliding_window", "is missing, though layers have a window"


def without_window(config: Config) -> Config:
    """A config whose window no layer has (`use_sliding_window` is false)."""
    return {**config, "sliding_window": None}


def smol_fields(config: Config) -> Config:
    return tied(without_window(config))


def olmo3_fields(config: Config) -> Config:
    return every_fourth_looks_at_all(as_many_kv_heads(config))


_PLAIN = Architecture("llama", "gqa", near_llama_layer)
_EXAONE = replace(
    _PLAIN, name="exaone-4", build=partial(near_llama_layer, head_norms=True), read=every_fourth_looks_at_all,
    contradictions=pattern_contradictions,
)  # fmt: skip
_OLMO = replace(
    _PLAIN, name="olmo-2", build=partial(near_llama_layer, whole_norms=True), read=as_many_kv_heads,
    contradictions=unsaid_window,
)  # fmt: skip


def glm_fields(config: Config) -> Config:
    """GLM-4, which has biases of queries, keys and values where the file says nothing of them."""
    return config if config.get("attention_bias") is not None else {**config, "attention_bias": True}


def glm_vision_fields(config: Config) -> Config:
    """GLM-4.1V, whose language model has biases of queries, keys and values."""
    return {**config, "attention_bias": True}


def vision_fields(config: Config) -> Config:
    """A config without a window that `use_sliding_window` switches off, whose language model has biases."""
    return {**without_window(config), "attention_bias": True}


def _channels_said_twice(config: Config) -> Iterator[tuple[str, str]]:
    vision = config["vision_config"]
    if vision.get("in_channels") is None and vision.get("in_chans") is None:
        yield "vision_config.in_channels", "is missing, and so is in_chans"
    elif (
        None not in (vision.get("in_channels"), vision.get("in_chans")) and vision["in_channels"] != vision["in_chans"]
    ):
        yield "vision_config.in_chans", "contradicts in_channels"
    if vision.get("spatial_patch_size") not in (None, vision["patch_size"]):
        yield "vision_config.spatial_patch_size", "contradicts patch_size"


_QWEN_VL = replace(_PLAIN, name="qwen2-vl", read=vision_fields, contradictions=_channels_said_twice)
ARCHITECTURES: Mapping[str, Architecture] = {
    "MistralForCausalLM": replace(_PLAIN, name="mistral"),
    "Ernie4_5ForCausalLM": replace(_PLAIN, name="ernie-4.5", read=tied),
    "SmolLM3ForCausalLM": replace(_PLAIN, name="smollm-3", read=smol_fields),
    "GlmForCausalLM": replace(_PLAIN, name="glm-4", read=glm_fields),
    "Glm4ForCausalLM": replace(_PLAIN, name="glm-4", build=partial(near_llama_layer, norms=4), read=glm_fields),
    "Glm4vForConditionalGeneration": replace(
        _PLAIN,
        name="glm-4v",
        build=partial(near_llama_layer, norms=4),
        tower=glm_tower,
        read=glm_vision_fields,
        contradictions=whole_patches,
    ),
    "Qwen2VLForConditionalGeneration": replace(_QWEN_VL, tower=qwen2_tower),
    "Qwen2_5_VLForConditionalGeneration": replace(_QWEN_VL, name="qwen2.5-vl", tower=qwen25_tower),
    "Qwen2_5OmniForConditionalGeneration": replace(_QWEN_VL, name="qwen2.5-omni", tower=qwen25_omni_tower),
    "Qwen2_5OmniModel": replace(_QWEN_VL, name="qwen2.5-omni", tower=qwen25_omni_tower),
    "ApertusForCausalLM": replace(_PLAIN, name="apertus", build=apertus_layer, read=as_many_kv_heads),
    "HunYuanDenseV1ForCausalLM": replace(_PLAIN, name="hunyuan", build=hunyuan_layer, read=as_many_kv_heads),
    "Olmo2ForCausalLM": _OLMO,
    "Olmo3ForCausalLM": replace(_OLMO, name="olmo-3", read=olmo3_fields),
    "Exaone4ForCausalLM": _EXAONE,
}
