"""Grouped-query attention of other makers: GLM-4.5 to 4.7, Qwen3-VL, Mixtral, Llama 4, MiMo-7B, Seed-OSS, Granite,
Phi-3 and 4, Command A.

Formulas: transformers glm4_moe, glm4v_moe, qwen3_vl, qwen3_vl_moe, mixtral, llama4, seed_oss, granite, phi3, cohere2;
modeling_mimo.py of XiaomiMiMo/MiMo-7B-Base."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalogs.architectures.base import (
    Architecture,
    Config,
    DraftModule,
    FeedForward,
    beside,
    dense_feed_forward,
    experts_of,
    feed_forward,
    head_dim_of,
    joining,
    layers_behind,
    routed_experts,
)
from catalogs.architectures.grouped import grouped_layer
from catalogs.architectures.towers import glm_tower, llama4_tower, qwen3_omni_tower, qwen3_tower, whole_patches
from catalogs.transformer import Cache, Layer, Linear


@dataclass(frozen=True)
class Attention:
    """Matrices of an attention, its vectors (biases) in parameters, and what it keeps of a sequence."""

    linears: tuple[Linear, ...]
    vectors: int
    cache: Cache


def grouped_attention(
    config: Config, *, biased: bool = False, biased_output: bool = False, window: int | None = None
) -> Attention:
    """Attention whose heads share keys and values in groups. `biased`: vectors of queries, keys and values;
    `window`: the last so many tokens are attended and kept."""
    hidden_size, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    width = head_dim_of(config)
    linears = (
        Linear(heads * width, hidden_size, name="self_attn.q_proj"),
        Linear(kv_heads * width, hidden_size, 2, name="self_attn.k_proj"),
        Linear(hidden_size, heads * width, name="self_attn.o_proj"),
    )
    vectors = ((heads + 2 * kv_heads) * width if biased else 0) + (hidden_size if biased_output else 0)
    work = 4 * heads * width
    return Attention(linears, vectors, Cache(4 * kv_heads * width, 2 * kv_heads * width, work, work, keep=window))


def layer_of(config: Config, attention: Attention, part: FeedForward, *, norms: int = 2, vectors: int = 0) -> Layer:
    """A layer of an attention and a feed-forward part, with `norms` vectors of the hidden size and other `vectors`."""
    small = norms * config["hidden_size"] + attention.vectors + vectors
    bias = part.routing_bias
    return Layer((*attention.linears, *part.linears), small + part.router, bias, 0, small + bias, (attention.cache,))


def glm_layer(config: Config, i: int) -> Layer:
    """GLM-4.5 to 4.7: biases, norms of queries and keys in the large ones, experts behind dense layers."""
    attention = grouped_attention(config, biased=bool(config.get("attention_bias")))
    query_key_norms = 2 * head_dim_of(config) if config.get("use_qk_norm") else 0
    return layer_of(config, attention, feed_forward(config, i, routing_bias=True), vectors=query_key_norms)


def biased_layer(config: Config, i: int) -> Layer:
    """Dense layers of Llama's shape, with biases of queries, keys and values where the config says so."""
    attention = grouped_attention(
        config,
        biased=bool(config.get("attention_bias")),
        biased_output=bool(config.get("attention_out_bias")),
    )
    return layer_of(config, attention, feed_forward(config, i))


def glm_draft(config: Config) -> DraftModule:
    """MTP layers of GLM-4.5 to 4.7 (vLLM 0.33.0 glm4_moe_mtp)."""
    return layers_behind(config, glm_layer)


def mimo_draft(config: Config) -> DraftModule:
    """MTP layers of MiMo-7B, in a list of their own (vLLM 0.33.0 mimo_mtp)."""
    layer = beside(biased_layer(config, 0), [joining(config, "input_proj")], 3 * config["hidden_size"])
    count = config.get("num_nextn_predict_layers") or 0
    return DraftModule("MTP" if count else "", tuple((f"model.mtp_layers.{i}", layer) for i in range(count)))


def phi_layer(config: Config, i: int) -> Layer:
    """Phi-3 and Phi-4: Llama's shape, with a window over all layers in some sizes."""
    attention = grouped_attention(config, window=config.get("sliding_window"))
    return layer_of(config, attention, feed_forward(config, i))


def mixtral_layer(config: Config, i: int) -> Layer:
    hidden_size, width, experts = config["hidden_size"], config["intermediate_size"], config["num_local_experts"]
    name = "block_sparse_moe.experts.0"
    linears = [
        Linear(width, hidden_size, 2 * experts, True, name=f"{name}.w1"),
        Linear(hidden_size, width, experts, True, name=f"{name}.w2"),
    ]
    return layer_of(config, grouped_attention(config), FeedForward(linears, experts * hidden_size))


def cohere_layer(config: Config, i: int) -> Layer:
    """Command A: one norm before an attention and a feed-forward part side by side; a window in most layers."""
    kinds, every = config.get("layer_types"), config.get("sliding_window_pattern") or 4
    full = kinds[i] == "full_attention" if kinds else (i + 1) % every == 0
    attention = grouped_attention(config, window=None if full else config.get("sliding_window"))
    return layer_of(config, attention, feed_forward(config, i), norms=1)


# Llama 4 --------------------------------------------------------------------------------------------------------------


def llama4_layer(config: Config, i: int) -> Layer:
    """Llama 4: experts with a shared one in every layer or every second; chunks of the context in three of four layers.

    A chunked layer attends the tokens of its own chunk alone, so no more than a chunk is kept of it."""
    attention = grouped_attention(config, window=config.get("attention_chunk_size") if _chunked(config, i) else None)
    hidden_size, experts = config["hidden_size"], experts_of(config)
    if not _sparse(config, i):
        part = FeedForward(dense_feed_forward(hidden_size, config["intermediate_size_mlp"], "feed_forward"))
        return layer_of(config, attention, part)
    width = config["intermediate_size"]
    linears = routed_experts(hidden_size, width, experts, name="feed_forward.experts")
    linears += dense_feed_forward(hidden_size, width, "feed_forward.shared_expert")
    return layer_of(config, attention, FeedForward(linears, experts * hidden_size))


def _chunked(config: Config, layer: int) -> bool:
    """Whether a layer attends its chunk alone: those with rotary positions, unless the kinds of layers are said."""
    if kinds := config.get("layer_types"):
        return bool(kinds[layer] == "chunked_attention")
    if rotary := config.get("no_rope_layers"):  # despite its name 1 means with rotary positions
        return bool(rotary[layer])
    every = config.get("no_rope_layer_interval") or 4
    return bool((layer + 1) % every)


def _sparse(config: Config, layer: int) -> bool:
    if (listed := config.get("moe_layers")) is not None:
        return layer in listed
    step = config.get("interleave_moe_layer_step") or 1
    return bool((layer + 1) % step == 0)


def _llama4_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    layers = range(config["num_hidden_layers"])
    listed = config.get("moe_layers")
    if listed is not None:
        if not all(isinstance(layer, int) and layer in layers for layer in listed):
            yield "moe_layers", "must be numbers of layers"
            return
        step = config.get("interleave_moe_layer_step")
        if step is not None and [layer for layer in layers if (layer + 1) % step == 0] != sorted(listed):
            yield "moe_layers", "contradicts interleave_moe_layer_step"
    if not any(_sparse(config, layer) for layer in layers):
        yield "interleave_moe_layer_step", "leaves no layer with experts"
    kinds, rotary = config.get("layer_types"), config.get("no_rope_layers")
    if kinds and rotary and any((kinds[layer] == "chunked_attention") != bool(rotary[layer]) for layer in layers):
        yield "layer_types", "contradicts no_rope_layers"


def _cohere_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    kinds, every = config.get("layer_types"), config.get("sliding_window_pattern")
    if kinds and every:
        layers = range(config["num_hidden_layers"])
        if any((kinds[layer] == "full_attention") != ((layer + 1) % every == 0) for layer in layers):
            yield "layer_types", "contradicts sliding_window_pattern"


ARCHITECTURES = {
    "Glm4MoeForCausalLM": Architecture("glm-4.5", "gqa", glm_layer, draft=glm_draft),
    "Glm4vMoeForConditionalGeneration": Architecture(
        "glm-4.5v", "gqa", glm_layer, tower=glm_tower, contradictions=whole_patches, draft=glm_draft
    ),
    "Qwen3VLForConditionalGeneration": Architecture("qwen3-vl", "gqa", grouped_layer, tower=qwen3_tower),
    "Qwen3VLMoeForConditionalGeneration": Architecture("qwen3-vl-moe", "gqa", grouped_layer, tower=qwen3_tower),
    "Qwen3OmniMoeForConditionalGeneration": Architecture(
        "qwen3-omni-moe", "gqa", grouped_layer, tower=qwen3_omni_tower
    ),
    "MixtralForCausalLM": Architecture("mixtral", "gqa", mixtral_layer),
    "Llama4ForConditionalGeneration": Architecture(
        "llama-4", "gqa", llama4_layer, tower=llama4_tower, contradictions=_llama4_contradictions
    ),
    "Llama4ForCausalLM": Architecture("llama-4", "gqa", llama4_layer, contradictions=_llama4_contradictions),
    "MiMoForCausalLM": Architecture("mimo", "gqa", biased_layer, draft=mimo_draft),
    "SeedOssForCausalLM": Architecture("seed-oss", "gqa", biased_layer),
    "GraniteForCausalLM": Architecture("granite", "gqa", biased_layer),
    "Phi3ForCausalLM": Architecture("phi-3", "gqa", phi_layer),
    "Cohere2ForCausalLM": Architecture("cohere2", "gqa", cohere_layer, contradictions=_cohere_contradictions),
}
