"""DeepSeek V4: compressed attention with a window, an indexer, hyper-connections, layers routed by a table.

Formulas: transformers deepseek_v4; vLLM for the layout of its cache."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import Architecture, Config, DraftModule, beside, feed_forward, plain_head
from catalogs.transformer import Cache, Layer, Linear


def v4_layer(config: Config, i: int) -> Layer:
    hidden_size, heads, head_dim, q_lora_rank = (
        config["hidden_size"],
        config["num_attention_heads"],
        config["head_dim"],
        config["q_lora_rank"],
    )
    groups, o_lora_rank, ratio, hc_mult = (
        config["o_groups"],
        config["o_lora_rank"],
        config["compress_ratios"][i],
        config["hc_mult"],
    )
    attention = [
        Linear(q_lora_rank, hidden_size, name="attn.wq_a"),
        Linear(heads * head_dim, q_lora_rank, name="attn.wq_b"),
        Linear(head_dim, hidden_size, name="attn.wkv"),
        Linear(groups * o_lora_rank, heads * head_dim // groups, name="attn.wo_a"),
        Linear(hidden_size, groups * o_lora_rank, name="attn.wo_b"),
    ]
    norms, bf16, fp32, vectors, state = 2 * hidden_size + q_lora_rank + head_dim, 0, heads, heads, 0
    rope = config["qk_rope_head_dim"]
    entry = (
        2 * head_dim,
        head_dim - rope + 2 * rope + -(-(head_dim - rope) // 64) + 1,
        4 * heads * head_dim,
        4 * heads * head_dim,
    )
    caches = [Cache(*entry, keep=config["sliding_window"])]
    if ratio:
        f = 2 if ratio == 4 else 1
        bf16 += 2 * hidden_size * f * head_dim
        fp32 += ratio * f * head_dim
        vectors += ratio * f * head_dim
        norms += head_dim
        caches.append(Cache(*entry, stride=ratio, look=config["index_topk"] if ratio == 4 else None))
        state = f * ratio * 2 * f * head_dim * 4
    if ratio == 4:
        width, count = config["index_head_dim"], config["index_n_heads"]
        attention.append(Linear(width * count, q_lora_rank, name="attn.indexer.wq_b"))
        bf16 += hidden_size * count + 2 * hidden_size * 2 * width
        fp32 += 4 * 2 * width
        vectors += 4 * 2 * width
        norms += width
        caches.append(Cache(2 * width, width + 4, 2 * count * width, 2 * count * width, stride=4))
        state += 8 * 2 * 2 * width * 4
    hyper_small = 2 * ((2 + hc_mult) * hc_mult + 3)
    fp32 += 2 * (2 + hc_mult) * hc_mult * hc_mult * hidden_size + hyper_small
    part = feed_forward(config, i, routing_bias=i >= config.get("num_hash_layers", 0), name="ffn")
    linears, router, bias = part.linears, part.router, part.routing_bias
    table = config["vocab_size"] * config["num_experts_per_tok"] * 8 if i < config.get("num_hash_layers", 0) else 0
    vectors += norms + hyper_small + bias
    return Layer((*attention, *linears), bf16 + norms + router, fp32 + bias, table, vectors, tuple(caches), state)


def v4_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head and final norm, with what mixes the hyper-connections into one stream."""
    plain, streams = plain_head(config, stored), config["hc_mult"]
    small = streams + 1
    return replace(plain, fp32=streams * streams * config["hidden_size"] + small, vectors=plain.vectors + small)


def v4_draft(config: Config) -> DraftModule:
    """The DSpark blocks of a checkpoint that names the layers which they read, else MTP layers; both attend a window
    alone and are routed by no table (SGLang 0.5.23 deepseek_v4_dspark, deepseek_v4_nextn; vLLM 0.33.0
    models/deepseek_v4/nvidia/mtp.py)."""
    hidden_size, streams = config["hidden_size"], config["hc_mult"]
    plain = v4_layer({**config, "compress_ratios": [0], "num_hash_layers": 0}, 0)
    head = streams * streams * hidden_size + streams + 1  # what mixes the streams into one
    if config.get("dspark_target_layer_ids"):
        return dspark(config, plain, head)
    both = [Linear(hidden_size, hidden_size, name=f"{of}_proj", copied=True) for of in ("e", "h")]
    layer, count = beside(plain, both, 3 * hidden_size, head), config.get("num_nextn_predict_layers") or 0
    return DraftModule("MTP" if count else "", tuple((f"mtp.{i}", layer) for i in range(count)))


def dspark(config: Config, plain: Layer, head: int) -> DraftModule:
    """DSpark: a block for each layer that it reads. The first joins what they say, the last has the norm before the
    output head, `head` figures in 32 bits, a first guess by the token before (two tables of a low rank) and how sure it
    is of each token."""
    hidden_size, vocabulary, rank = config["hidden_size"], config["vocab_size"], config.get("dspark_markov_rank") or 0
    read = len(config["dspark_target_layer_ids"])
    first = Linear(hidden_size, read * hidden_size, name="main_proj", copied=True)
    tables = [
        Linear(vocabulary, rank, name="markov_head.markov_w1", whole=True, copied=True, looked_up=True),
        Linear(vocabulary, rank, name="markov_head.markov_w2", whole=True, copied=True),
        Linear(1, hidden_size + rank, name="confidence_head.proj", whole=True, copied=True),
    ]
    blocks = [plain] * read
    blocks[0] = beside(blocks[0], [first], hidden_size)
    blocks[-1] = beside(blocks[-1], tables if rank else [], hidden_size, head)
    return DraftModule("DSpark", tuple((f"mtp.{i}", block) for i, block in enumerate(blocks)))


def dspark_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """DSpark reads layers that there are, each once."""
    read = config.get("dspark_target_layer_ids") or []
    if len(set(read)) < len(read) or any(layer >= config["num_hidden_layers"] for layer in read):
        yield "dspark_target_layer_ids", "must name layers that there are, each once"


RATES = {"sliding_attention": None, "compressed_sparse_attention": 4, "heavily_compressed_attention": 128}
"""Kind of a layer in files that transformers wrote -> tokens of a compressed entry there, none in a window alone."""


def v4_fields(config: Config) -> Config:
    """A config of either spelling (DeepSeek's own, transformers') under DeepSeek's names."""
    found = dict(config)
    kinds, parts = config.get("layer_types"), config.get("mlp_layer_types")
    if found.get("compress_ratios") is None and isinstance(kinds, list):
        rates = {kind: _rate(config, kind) for kind in RATES}
        found["compress_ratios"] = [rates.get(kind, kind) if isinstance(kind, str) else kind for kind in kinds]
    if found.get("num_hash_layers") is None and isinstance(parts, list):
        found["num_hash_layers"] = next((i for i, part in enumerate(parts) if part != "hash_moe"), len(parts))
    return found


def _rate(config: Config, kind: str) -> Any:
    """Tokens of a compressed entry in layers of a kind; 0 where they have a window alone."""
    said = config.get("compress_rates")
    return (said.get(kind) if isinstance(said, dict) else None) or RATES[kind] or 0


def _v4_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from dspark_contradictions(config)
    layers = config["num_hidden_layers"]
    kinds, parts, ratios = config.get("layer_types"), config.get("mlp_layer_types"), config["compress_ratios"][:layers]
    if kinds and [_rate(config, kind) for kind in kinds[:layers]] != ratios:
        yield "layer_types", "contradicts compress_ratios"
    hashed = config.get("num_hash_layers") or 0
    if parts and any((part == "hash_moe") != (i < hashed) for i, part in enumerate(parts[:layers])):
        yield "mlp_layer_types", "contradicts num_hash_layers"


ARCHITECTURES = {
    "DeepseekV4ForCausalLM": Architecture(
        "deepseek-v4", "v4", v4_layer, ("fp8", "int8", "fp4-mix", "nvfp4"), {"fp4-mix": "fp8"}, 1,
        head=v4_head, read=v4_fields, contradictions=_v4_contradictions, draft=v4_draft,
    ),
}  # fmt: skip
