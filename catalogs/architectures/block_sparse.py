"""Grouped-query attention that attends to blocks of keys which an index branch chose (MiniMax-M3).

Formulas: transformers minimax_m3_vl; vLLM models/minimax_m3 for the cache of index keys and the router in 32 bits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from catalogs.architectures.base import Architecture, Config, dense_feed_forward, experts_of, head_dim_of
from catalogs.architectures.towers import minimax_tower
from catalogs.transformer import Cache, Layer, Linear

SPELLINGS = {
    "sparse_num_index_heads": "index_n_heads",
    "sparse_index_dim": "index_head_dim",
    "sparse_block_size": "index_block_size",
    "sparse_topk_blocks": "index_topk_blocks",
}
"""Names of the index branch's sizes in MiniMax's configs -> in those that transformers writes."""


def read(config: Config) -> Config:
    """Sizes of the index branch under the names of transformers, and which layers have it and experts."""
    given = config.get("sparse_attention_config")
    sparse: Mapping[str, Any] = given if isinstance(given, dict) else {}
    said = {ours: sparse[theirs] for theirs, ours in SPELLINGS.items() if theirs in sparse}
    if isinstance(kinds := sparse.get("sparse_attention_freq"), list):
        said["layer_types"] = ["minimax_m3_sparse" if each else "full_attention" for each in kinds]
    if isinstance(kinds := config.get("moe_layer_freq"), list):
        said["mlp_layer_types"] = ["sparse" if each else "dense" for each in kinds]
    return {**said, **{name: value for name, value in config.items() if value is not None or name not in said}}


def block_sparse_layer(config: Config, layer: int) -> Layer:
    """A layer that attends to everything or to chosen blocks, with a dense feed-forward part or experts."""
    hidden_size, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = head_dim_of(config)
    linears = [
        Linear(heads * head_dim, hidden_size, name="self_attn.q_proj"),
        Linear(kv_heads * head_dim, hidden_size, 2, name="self_attn.k_proj"),
        Linear(hidden_size, heads * head_dim, name="self_attn.o_proj"),
    ]
    norms, flops, look, caches = 2 * hidden_size + 2 * head_dim, 4 * heads * head_dim, None, []
    if config["layer_types"][layer] == "minimax_m3_sparse":
        count, width = config["index_n_heads"], config["index_head_dim"]
        linears.append(Linear(count * width, hidden_size, name="self_attn.index_q_proj"))
        linears.append(Linear(width, hidden_size, name="self_attn.index_k_proj"))
        norms += 2 * width
        look = config["index_topk_blocks"] * config["index_block_size"]
        # One key for all index heads, in 16 bits whatever the cache is in, on every rank.
        caches.append(Cache(2 * width, 2 * width, 2 * count * width, 2 * count * width, heads=1))
    caches.insert(0, Cache(4 * kv_heads * head_dim, 2 * kv_heads * head_dim, flops, flops, look=look))
    part, router, bias = _feed_forward(config, layer)
    return Layer((*linears, *part), norms, router + bias, vectors=norms + bias, caches=tuple(caches))


def _feed_forward(config: Config, layer: int) -> tuple[list[Linear], int, int]:
    """Matrices, parameters of the router and of the bias of its routing."""
    hidden_size, experts = config["hidden_size"], experts_of(config)
    if config["mlp_layer_types"][layer] == "dense":
        return dense_feed_forward(hidden_size, config["dense_intermediate_size"]), 0, 0
    width, name = config["intermediate_size"], "block_sparse_moe.experts.0"
    part = [
        Linear(width, hidden_size, 2 * experts, True, name=f"{name}.w1"),
        Linear(hidden_size, width, experts, True, name=f"{name}.w2"),
    ]
    if shared := config["n_shared_experts"] * config["shared_intermediate_size"]:
        part += dense_feed_forward(hidden_size, shared, "block_sparse_moe.shared_experts")
    return part, experts * hidden_size, experts


def contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Sizes said twice that differ, and an index branch that makes more than a choice."""
    attention, feed_forward = (
        config[name][: config["num_hidden_layers"]] for name in ("layer_types", "mlp_layer_types")
    )
    sparse = config.get("sparse_attention_config") or {}
    for theirs, ours in SPELLINGS.items():
        if sparse.get(theirs) not in (None, config[ours]):
            yield ours, f"contradicts sparse_attention_config.{theirs}"
    frequency = sparse.get("sparse_attention_freq")
    if frequency and any(bool(a) != (b == "minimax_m3_sparse") for a, b in zip(frequency, attention, strict=False)):
        yield "layer_types", "contradicts sparse_attention_config.sparse_attention_freq"
    without_values = sparse.get("sparse_disable_index_value")
    if without_values and any(
        kind == "minimax_m3_sparse" and not none for kind, none in zip(attention, without_values, strict=False)
    ):
        yield "sparse_attention_config.sparse_disable_index_value", "leaves values in an index branch: not modelled"
    if config["index_n_heads"] != config["num_key_value_heads"]:
        yield "index_n_heads", "must be num_key_value_heads: each group of queries has a choice of its own"
    frequency = config.get("moe_layer_freq")
    if frequency and any(bool(a) != (b == "sparse") for a, b in zip(frequency, feed_forward, strict=False)):
        yield "mlp_layer_types", "contradicts moe_layer_freq"
    dense = config.get("first_k_dense_replace")
    if dense is not None and [kind == "dense" for kind in feed_forward] != [
        i < dense for i in range(len(feed_forward))
    ]:
        yield "first_k_dense_replace", "contradicts the layers that have experts"
    for name in ("moe_intermediate_size", "shared_intermediate_size"):
        if config.get(name) not in (None, config["intermediate_size"]):
            yield name, "contradicts intermediate_size"
    outer, vision = config.get("img_token_compression_config"), config.get("vision_config") or {}
    if outer not in (None, vision.get("img_token_compression_config")):
        yield "img_token_compression_config", "contradicts the one of vision_config"
    if vision.get("projection_dim") not in (None, config["hidden_size"]):
        yield "vision_config.projection_dim", "contradicts hidden_size"
    merge = vision.get("img_token_compression_config") or {}
    for name in ("spatial_merge_size", "temporal_patch_size"):
        if vision.get(name) not in (None, merge.get(name)):
            yield f"vision_config.{name}", "contradicts img_token_compression_config"
    merged = config.get("projector_hidden_size", 0) * merge.get("spatial_merge_size", 0) ** 2
    if vision and config.get("merged_hidden_size") not in (None, merged):
        yield "merged_hidden_size", "contradicts projector_hidden_size and spatial_merge_size"


FORMATS = ("bf16", "fp8", "mxfp8", "int8", "int4", "nvfp4", "mxfp4")
_text = partial(
    Architecture, "minimax-m3", "gqa", block_sparse_layer, FORMATS, read=read, contradictions=contradictions
)

ARCHITECTURES = {
    "MiniMaxM3ForCausalLM": _text(),
    "MiniMaxM3SparseForCausalLM": _text(),
    "MiniMaxM3SparseForConditionalGeneration": _text(tower=minimax_tower),
}
