"""GLM-5.3-Flash (glm5_next): Kimi Delta Attention with latent attention every few layers, whose indexer chooses by the
pooled keys of a few tokens; streams that each part of a layer mixes; a tower for images and videos.

Formulas: transformers 5.24.0 glm5_next; vLLM 0.33.0 models/glm5next for caches, formats and the module for several
tokens, whose layers have no streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from catalogs.architectures.base import Architecture, Config, DraftModule, beside, feed_forward, layers_behind
from catalogs.architectures.kimi_delta import delta, read
from catalogs.architectures.latent import has_indexer, latent_cache, latent_matrices
from catalogs.architectures.towers import dense
from catalogs.transformer import Cache, Layer, Linear

SPARSE = ("indexed_attention", "deepseek_sparse_attention")
"""What transformers and the published file call the layers with latent attention."""
COPIED = ("self_attn.q_a_proj", "self_attn.kv_a_proj_with_mqa")


def next_layer(config: Config, i: int) -> Layer:
    """Either attention, a dense part or experts with a shared one, and the mixing of streams before each."""
    mixer = _latent(config, i) if config["layer_types"][i] == "full_attention" else _delta(config)
    streams = config["hc_mult"]
    outputs = 2 * (2 + streams) * streams
    small = outputs + 2 * 3
    layer = _with_experts(config, i, mixer)
    mixing = outputs * streams * config["hidden_size"]
    return replace(layer, fp32=layer.fp32 + mixing + small, vectors=layer.vectors + small)


def next_draft(config: Config) -> DraftModule:
    """MTP layers behind the last one, with latent attention, an indexer and experts, without streams."""
    own = {**config, "indexer_types": None}
    return layers_behind(own, lambda inner, i: _with_experts(inner, i, _latent(inner, i, chooses=True)))


def _delta(config: Config) -> Layer:
    """Kimi's, with convolutions in 32 bits."""
    layer = delta(config)
    width = config["linear_num_heads"] * config["linear_head_dim"]
    convolutions = 3 * width * config["linear_conv_kernel_dim"]
    return replace(layer, bf16=layer.bf16 - convolutions, fp32=layer.fp32 + convolutions)


def _latent(config: Config, i: int, *, chooses: bool = False) -> Layer:
    """Latent attention to what an indexer chose, its own or that of an earlier layer, and to the tokens behind the last
    whole pool. The indexer keeps one key of so many tokens, in FP8 with a scale."""
    hidden_size, latent, narrow = config["hidden_size"], config["kv_lora_rank"], config["q_lora_rank"]
    linears = [replace(linear, copied=linear.name in COPIED) for linear in latent_matrices(config)]
    cache = latent_cache(config)
    packed = latent + latent // 128 * 4 + 2 * config["qk_rope_head_dim"]
    pool = config["index_kpool"]
    cache = replace(cache, fp8=packed, prefill=cache.decode, look=config["index_topk"] + pool - 1)
    norms = latent + narrow
    if not (chooses or has_indexer(config, i)):
        return Layer(tuple(linears), norms, vectors=norms, caches=(cache,))
    width, heads = config["index_head_dim"], config["index_n_heads"]
    linears.append(Linear(width * heads, narrow, name="self_attn.indexer.wq_b", copied=True))
    linears.append(Linear(width, hidden_size, name="self_attn.indexer.wk", copied=True))
    scored = 2 * heads * width
    keys = Cache(width + width // 128 * 4, width + width // 128 * 4, scored, scored, stride=pool, heads=1)
    # A weight per head, and what pools keys: a gate, and a vector for each place in a pool.
    small, gates = (2 + pool) * width, (heads + width) * hidden_size
    return Layer(tuple(linears), norms + gates, small, 0, norms + small, (cache, keys))


def _with_experts(config: Config, i: int, mixer: Layer) -> Layer:
    """A layer of an attention with its feed-forward part behind it, whose router is in 32 bits, and two norms."""
    part = feed_forward(config, i, routing_bias=True)
    layer = beside(mixer, part.linears, 2 * config["hidden_size"], part.router + part.routing_bias)
    return replace(layer, vectors=layer.vectors + part.routing_bias)


def next_tower(config: Config) -> int:
    """Gated layers with norms of queries and keys, a convolution that shrinks the image, and a gated merger."""
    vision = config["vision_config"]
    width, out, bias = vision["hidden_size"], vision["out_hidden_size"], vision.get("attention_bias") is not False
    patch = vision["in_channels"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2
    attention = dense(width, 3 * width, bias=bias) + dense(width, width, bias=bias) + 2 * (width // vision["num_heads"])
    gated = 2 * dense(width, vision["intermediate_size"], bias=bias)
    layer = attention + gated + dense(vision["intermediate_size"], width, bias=bias) + 2 * width
    shrunk = dense(width * vision["spatial_merge_size"] ** 2, out)
    merger = out**2 + 2 * out + 3 * out * vision["projection_intermediate_size"]
    return int(dense(patch, width) + vision["depth"] * layer + width + shrunk + merger)


# How it is read -------------------------------------------------------------------------------------------------------


def next_fields(config: Config) -> Config:
    """A config with one list of the layers, and sizes of linear attention under common names."""
    kinds = config.get("layer_types")
    if isinstance(kinds, list):
        config = {**config, "layer_types": ["full_attention" if kind in SPARSE else kind for kind in kinds]}
    return read(config)


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    if config["index_topk"] % config["index_kpool"]:
        yield "index_topk", "must be a multiple of index_kpool"
    kinds = config["layer_types"][: config["num_hidden_layers"]]
    if "full_attention" not in kinds:
        yield "layer_types", "leaves no layer that keeps keys and values"
    dense_ones = config["first_k_dense_replace"]
    parts = config.get("mlp_layer_types")
    if parts and any((kind == "dense") != (i < dense_ones) for i, kind in enumerate(parts[: len(kinds)])):
        yield "mlp_layer_types", "must be dense layers in front, and experts behind them"
    said = config.get("indexer_types")
    if said:
        attending = [said[i] for i, kind in enumerate(kinds) if kind == "full_attention"]
        if attending[:1] == ["shared"]:
            yield "indexer_types", "must let the first layer with latent attention choose"


_NEXT = Architecture(
    "glm-5-next", "dsa", next_layer, read=next_fields, contradictions=_contradictions, draft=next_draft
)
ARCHITECTURES = {
    "Glm5NextForCausalLM": _NEXT,
    "Glm5NextForConditionalGeneration": replace(_NEXT, tower=next_tower),
}
