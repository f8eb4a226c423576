"""DeepSeek V4.1: V4's attention with the keys of a few source layers shared by those behind them, and Engram tables.

A layer keeps a window of its own. Of what is compressed, only source layers store entries and index keys; index sources
choose entries, the other layers attend to what the last of them chose. Behind the candidate source, index sources look
through its candidates alone. Two layers look up rows of n-gram tables (Engram) and mix them into the streams.

Formulas: the tensors of deepseek-ai/DeepSeek-V4.1-Flash (revision dba1be0a), the model files of vLLM 0.33.0
(models/deepseek_v41) and SGLang 0.5.23."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.architectures.base import Architecture, Config, DraftModule, dense_feed_forward, routed_experts
from catalogs.architectures.deepseek_v4 import dspark, dspark_contradictions
from catalogs.transformer import Cache, Layer, Linear

RING = 8
"""Rows of a request's ring of open groups in a compressor (vLLM 0.33.0 compressor.py)."""
SCALED = 32
"""Weights of an Engram row that share a scale of one byte."""
VISION = {
    "num_hidden_layers": 32,
    "hidden_size": 1024,
    "intermediate_size": 2816,
    "patch_size": 14,
    "downsample_ratio": 3,
}
"""Sizes of V4.1-Flash's vision tower, for configs that leave some of them out."""


def v41_layer(config: Config, i: int) -> Layer:
    """Layer `i`: attention and experts of every layer, and what sources and Engram layers have beside them."""
    hidden_size, streams = config["hidden_size"], config["hc_mult"]
    q_lora_rank, head_dim = config["q_lora_rank"], config["head_dim"]
    experts, width = config["n_routed_experts"], config["moe_intermediate_size"]
    linears = [*_attention(config), *routed_experts(hidden_size, width, experts, name="ffn.experts.0")]
    if shared := config["n_shared_experts"] * width:
        linears += dense_feed_forward(hidden_size, shared, "ffn.shared_experts")
    norms = 2 * hidden_size + q_lora_rank + head_dim
    mixing = 2 * (2 + streams) * streams
    # Routing has a bias for text and one for images.
    small = config["num_attention_heads"] + 2 * experts + mixing + 6
    bf16, fp32, vectors = norms + experts * hidden_size, small + mixing * streams * hidden_size, norms + small
    state = 0
    ratio = config["compress_ratios"][i]
    if i in _sources(config):
        gates, width_of_keys = int(ratio > 1), config["index_head_dim"]
        bf16 += (1 + gates) * head_dim * hidden_size + head_dim + width_of_keys * head_dim + width_of_keys
        vectors += head_dim + width_of_keys
        state = gates * RING * 2 * head_dim * 4
    if i in config["index_source_layer_ids"]:
        heads = config["index_n_heads"]
        linears.append(Linear(heads * config["index_head_dim"], q_lora_rank, name="attn.indexer.wq_b"))
        bf16 += heads * hidden_size
    if i not in (config.get("engram_layer_ids") or ()):
        return Layer(tuple(linears), bf16, fp32, 0, vectors, tuple(_caches(config, i)), state)
    row = config["engram_head_dim"]
    columns = (config["engram_max_ngram_size"] - 1) * config["engram_n_heads"]
    linears.append(Linear((streams + 1) * hidden_size, columns * row, name="engram.wkv"))
    weights = config["engram_num_embeddings"][config["engram_layer_ids"].index(i)] * row
    gates = 2 * streams * hidden_size
    return Layer(
        tuple(linears), bf16 + gates, fp32, 0, vectors + gates, tuple(_caches(config, i)), state,
        host_table_params=weights, host_table_bytes=weights + weights // SCALED,
    )  # fmt: skip


def _attention(config: Config) -> list[Linear]:
    """Queries and outputs of low rank, the outputs in groups, and one key and value of all heads."""
    hidden_size, heads, head_dim = config["hidden_size"], config["num_attention_heads"], config["head_dim"]
    groups, o_lora_rank, q_lora_rank = config["o_groups"], config["o_lora_rank"], config["q_lora_rank"]
    return [
        Linear(q_lora_rank, hidden_size, name="attn.wq_a"),
        Linear(heads * head_dim, q_lora_rank, name="attn.wq_b"),
        Linear(head_dim, hidden_size, name="attn.wkv"),
        Linear(groups * o_lora_rank, heads * head_dim // groups, name="attn.wo_a"),
        Linear(hidden_size, groups * o_lora_rank, name="attn.wo_b"),
    ]


def _sources(config: Config) -> list[int]:
    return list(config["kv_source_layer_ids"])


def _caches(config: Config, i: int) -> Iterator[Cache]:
    """The window of layer `i`, the compressed entries that it attends to, and the index keys that it looks through."""
    heads, head_dim, rope = config["num_attention_heads"], config["head_dim"], config["qk_rope_head_dim"]
    work, packed = 4 * heads * head_dim, head_dim + rope - (rope - head_dim) // 64 + 1
    yield Cache(2 * head_dim, packed, work, work, keep=config["sliding_window"])
    ratio = config["compress_ratios"][i]
    if not ratio:
        return
    own = i in _sources(config)
    yield Cache(2 * head_dim, packed, work, work, stride=ratio, look=config["index_topk"], borrowed=not own)
    if i in config["index_source_layer_ids"]:
        width = config["index_head_dim"]
        scored = 2 * config["index_n_heads"] * width
        yield Cache(2 * width, width + 4, scored, scored, stride=ratio, look=_candidates(config, i), borrowed=not own)


def _candidates(config: Config, i: int) -> int | None:
    """Index keys that layer `i` looks through at most: those behind the candidate source see its candidates alone."""
    source = config.get("candidate_source_layer_id")
    if source is None or not 0 <= source < i:
        return None
    return int(config["candidate_topk_blocks"] * config["candidate_block_size"])


def v41_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """Layers that are not there, layers without keys to read, and tables, candidates and towers that are half said."""
    yield from dspark_contradictions(config)
    layers, ratios, sources = config["num_hidden_layers"], config["compress_ratios"], _sources(config)
    for name in ("kv_source_layer_ids", "index_source_layer_ids", "engram_layer_ids"):
        named = config.get(name) or []
        if any(i >= layers for i in named) or len(set(named)) < len(named):
            yield name, "must name layers that there are, each once"
            return
    if any(not ratios[i] for i in sources):
        yield "kv_source_layer_ids", "must name layers with a compression ratio"
    for i in range(layers):
        before = [j for j in sources if j <= i]
        if ratios[i] and (not before or ratios[before[-1]] != ratios[i]):
            yield "kv_source_layer_ids", f"leaves layer {i} without keys of its compression ratio"
            break
    chosen = min(config["index_source_layer_ids"], default=layers)
    if any(ratios[i] and i < chosen for i in range(layers)) or not all(
        ratios[i] for i in config["index_source_layer_ids"]
    ):
        yield "index_source_layer_ids", "must name layers with a compression ratio, and the first of them"
    if len(config.get("engram_num_embeddings") or []) != len(config.get("engram_layer_ids") or []):
        yield "engram_num_embeddings", "needs one number per layer of engram_layer_ids"
    elif config.get("engram_layer_ids"):
        for name in ("engram_head_dim", "engram_n_heads", "engram_max_ngram_size"):
            if not config.get(name):
                yield name, "is missing, though there are n-gram tables"
    if (config.get("candidate_source_layer_id") or -1) >= 0:
        for name in ("candidate_topk_blocks", "candidate_block_size"):
            if not config.get(name):
                yield name, "is missing, though a layer chooses candidates"
    if "vision_config" not in config:
        yield "vision_config", "is missing (null where there is no vision tower)"


def v41_tower(config: Config) -> int:
    """The vision tower with what joins it to the language model, and the three embeddings of an image's ends."""
    if not config.get("vision_config"):
        return 0
    said = {**VISION, **config["vision_config"]}
    width, inner, hidden_size = said["hidden_size"], said["intermediate_size"], config["hidden_size"]
    block = 4 * width * width + 4 * width + 3 * inner * width + 2 * width
    patches = width * 3 * said["patch_size"] ** 2 + width
    joined = width * said["downsample_ratio"] ** 2
    aligner = (joined + hidden_size + 2) * hidden_size
    return int(said["num_hidden_layers"] * block + patches + width + aligner + 3 * hidden_size)


def v41_draft(config: Config) -> DraftModule:
    """DSpark: blocks with a window alone, experts of their own number and nothing that mixes the streams into one."""
    if not config.get("dspark_target_layer_ids"):
        return DraftModule()
    block = {
        "n_routed_experts": config.get("dspark_n_routed_experts") or config["n_routed_experts"],
        "compress_ratios": [0],
        "kv_source_layer_ids": [],
        "index_source_layer_ids": [],
        "engram_layer_ids": [],
    }
    return dspark(config, v41_layer({**config, **block}, 0), 0)


ARCHITECTURES = {
    "DeepseekV41ForCausalLM": Architecture(
        "deepseek-v4.1", "v4", v41_layer, ("fp8", "fp4-mix", "nvfp4"), {"fp4-mix": "fp8", "nvfp4": "fp8"}, 1,
        tower=v41_tower, fp8_block=32, contradictions=v41_contradictions, draft=v41_draft,
    ),
}  # fmt: skip
