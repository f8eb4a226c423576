"""Hugging Face config -> layers. One builder per attention kind; an architecture not understood is refused by name.

Formulas: Hugging Face reference implementations deepseek_v2, v3, v32, v4, qwen2, qwen3, qwen3_moe, llama, gpt_oss and
minimax_m2 of transformers; DeepSeek-V3.2-Exp inference/model.py for the indexer; vLLM for the V4 cache layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalogs.errors import InputError
from catalogs.transformer import Cache, Layer, Linear, Llm

Config = Mapping[str, Any]
ROUTING_BIAS = ("DeepseekV3ForCausalLM", "DeepseekV32ForCausalLM", "DeepseekV4ForCausalLM", "MiniMaxM2ForCausalLM")
COMMON = ("bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4")


@dataclass(frozen=True)
class Architecture:
    """Name in support tables, attention kind, layer builder; `formats` and `mixed` as in Llm."""

    name: str
    attention: str
    build: Callable[[Config, int], Layer]
    formats: tuple[str, ...] = COMMON
    mixed: Mapping[str, str] = field(default_factory=dict)
    scale_bytes: int = 4


def from_config(config: Config, **facts: Any) -> Llm:
    """A model from a Hugging Face config; an architecture not understood is refused by name."""
    names = config.get("architectures") or ["(none)"]
    if names[0] not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InputError(f"architecture {names[0]!r} is not understood", "unknown-architecture", f"Known: {known}.")
    a = ARCHITECTURES[names[0]]
    layers = tuple(a.build(config, i) for i in range(config["num_hidden_layers"]))
    hidden_size, vocab, experts = config["hidden_size"], config["vocab_size"], _experts(config)
    x = config.get("hc_mult", 0)
    fp32, vectors = (x * x * hidden_size + x + 1, x + 1) if x else (0, 0)
    tables = 1 if config.get("tie_word_embeddings") else 2
    return Llm(
        architecture=a.name,
        attention=a.attention,
        config=config,
        layer_list=layers,
        head=Layer((), tables * vocab * hidden_size + hidden_size, fp32, 0, hidden_size + vectors),
        formats=a.formats,
        mixed=a.mixed,
        scale_bytes=a.scale_bytes,
        experts=experts,
        experts_per_token=config.get("num_experts_per_tok", 0) if experts else 0,
        **facts,
    )


def _experts(config: Config) -> int:
    return int(config.get("n_routed_experts") or config.get("num_experts") or config.get("num_local_experts") or 0)


def _head_dim(config: Config) -> int:
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def _ffn(config: Config, i: int) -> tuple[list[Linear], int, int]:
    """(matrices, router parameters, routing bias) of layer i's feed-forward part."""
    hidden_size, experts = config["hidden_size"], _experts(config)
    if not experts or i < config.get("first_k_dense_replace", 0):
        intermediate_size = config["intermediate_size"]
        return [Linear(intermediate_size, hidden_size, 2), Linear(hidden_size, intermediate_size)], 0, 0
    m = config.get("moe_intermediate_size") or config["intermediate_size"]
    bias = config["architectures"][0] == "GptOssForCausalLM"
    out = [Linear(m, hidden_size, 2 * experts, True, bias), Linear(hidden_size, m, experts, True, bias)]
    shared = (config.get("n_shared_experts") or 0) * m
    if shared:
        out += [Linear(shared, hidden_size, 2), Linear(hidden_size, shared)]
    scored = config["architectures"][0] in ROUTING_BIAS and i >= config.get("num_hash_layers", 0)
    return out, experts * hidden_size, experts if scored else 0


def _mla_layer(config: Config, i: int) -> Layer:
    hidden_size, heads, kv_lora_rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    qk_nope_head_dim, qk_rope_head_dim, v_head_dim, q = (
        config["qk_nope_head_dim"],
        config["qk_rope_head_dim"],
        config["v_head_dim"],
        config.get("q_lora_rank"),
    )
    attention = [
        Linear(kv_lora_rank + qk_rope_head_dim, hidden_size),
        Linear(heads * (qk_nope_head_dim + v_head_dim), kv_lora_rank),
        Linear(hidden_size, heads * v_head_dim),
    ]
    attention += (
        [Linear(q, hidden_size), Linear(heads * (qk_nope_head_dim + qk_rope_head_dim), q)]
        if q
        else [Linear(heads * (qk_nope_head_dim + qk_rope_head_dim), hidden_size)]
    )
    norms = 2 * hidden_size + kv_lora_rank + (q or 0)
    linears, router, bias = _ffn(config, i)
    absorbed, direct = (
        2 * heads * (2 * kv_lora_rank + qk_rope_head_dim),
        2 * heads * (qk_nope_head_dim + qk_rope_head_dim + v_head_dim),
    )
    if "index_head_dim" not in config:
        caches: tuple[Cache, ...] = (
            Cache(2 * (kv_lora_rank + qk_rope_head_dim), kv_lora_rank + qk_rope_head_dim, absorbed, direct),
        )
        return Layer((*attention, *linears), norms + router, bias, 0, norms + bias, caches)
    width, count = config["index_head_dim"], config["index_n_heads"]
    attention += [Linear(width * count, q or hidden_size), Linear(width, hidden_size)]
    packed = kv_lora_rank + kv_lora_rank // 128 * 4 + 2 * qk_rope_head_dim
    caches = (
        Cache(2 * (kv_lora_rank + qk_rope_head_dim), packed, absorbed, absorbed, look=config["index_topk"]),
        Cache(width + 4, width + 4, 2 * count * width, 2 * count * width),
    )
    small = bias + 2 * width
    return Layer((*attention, *linears), norms + router + hidden_size * count, small, 0, norms + small, caches)


def _gqa_layer(config: Config, i: int) -> Layer:
    hidden_size, heads, kv, d = (
        config["hidden_size"],
        config["num_attention_heads"],
        config["num_key_value_heads"],
        _head_dim(config),
    )
    linears, router, bias = _ffn(config, i)
    kind = config["architectures"][0]
    extra, window, router_fp32 = 0, None, 0
    if kind == "Qwen2ForCausalLM":
        extra = (heads + 2 * kv) * d
    elif kind.startswith("Qwen3"):
        extra = 2 * d
    elif kind == "MiniMaxM2ForCausalLM":
        extra, router, router_fp32 = (heads + kv) * d, 0, router
    elif kind == "GptOssForCausalLM":
        biases, sinks = (heads + 2 * kv) * d + hidden_size, heads
        extra = biases + sinks + _experts(config)
        window = config["sliding_window"] if config["layer_types"][i] == "sliding_attention" else None
    attention = [Linear(heads * d, hidden_size), Linear(kv * d, hidden_size, 2), Linear(hidden_size, heads * d)]
    cache = Cache(4 * kv * d, 2 * kv * d, 4 * heads * d, 4 * heads * d, keep=window)
    norms = 2 * hidden_size + extra
    return Layer((*attention, *linears), norms + router, bias + router_fp32, 0, norms + bias, (cache,))


def _v4_layer(config: Config, i: int) -> Layer:
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
        Linear(q_lora_rank, hidden_size),
        Linear(heads * head_dim, q_lora_rank),
        Linear(head_dim, hidden_size),
        Linear(groups * o_lora_rank, heads * head_dim // groups),
        Linear(hidden_size, groups * o_lora_rank),
    ]
    norms, bf16, fp32, vectors, state = 2 * hidden_size + q_lora_rank + head_dim, 0, heads, heads, 0
    rope = config["qk_rope_head_dim"]
    entry = (
        2 * head_dim,
        head_dim - rope + 2 * rope + (head_dim - rope) // 64 + 1,
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
        attention.append(Linear(width * count, q_lora_rank))
        bf16 += hidden_size * count + 2 * hidden_size * 2 * width
        fp32 += 4 * 2 * width
        vectors += 4 * 2 * width
        norms += width
        caches.append(Cache(2 * width, width + 4, 2 * count * width, 2 * count * width, stride=4))
        state += 8 * 2 * 2 * width * 4
    hyper_small = 2 * ((2 + hc_mult) * hc_mult + 3)
    fp32 += 2 * (2 + hc_mult) * hc_mult * hc_mult * hidden_size + hyper_small
    linears, router, bias = _ffn(config, i)
    table = config["vocab_size"] * config["num_experts_per_tok"] * 8 if i < config.get("num_hash_layers", 0) else 0
    vectors += norms + hyper_small + bias
    return Layer((*attention, *linears), bf16 + norms + router, fp32 + bias, table, vectors, tuple(caches), state)


ARCHITECTURES = {
    "DeepseekV2ForCausalLM": Architecture("deepseek-v2", "mla", _mla_layer),
    "DeepseekV3ForCausalLM": Architecture("deepseek-v3", "mla", _mla_layer),
    "DeepseekV32ForCausalLM": Architecture("deepseek-v3.2", "dsa", _mla_layer),
    "DeepseekV4ForCausalLM": Architecture(
        "deepseek-v4", "v4", _v4_layer, ("fp8", "fp4-mix", "nvfp4"), {"fp4-mix": "fp8"}, 1
    ),
    "Qwen2ForCausalLM": Architecture("qwen2", "gqa", _gqa_layer),
    "Qwen3ForCausalLM": Architecture("qwen3", "gqa", _gqa_layer),
    "Qwen3MoeForCausalLM": Architecture("qwen3-moe", "gqa", _gqa_layer),
    "LlamaForCausalLM": Architecture("llama", "gqa", _gqa_layer),
    "MiniMaxM2ForCausalLM": Architecture("minimax-m2", "gqa", _gqa_layer),
    "GptOssForCausalLM": Architecture("gpt-oss", "gqa", _gqa_layer, mixed={"mxfp4": "bf16"}),
}
