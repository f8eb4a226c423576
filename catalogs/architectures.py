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
    h, vocab, experts = config["hidden_size"], config["vocab_size"], _experts(config)
    x = config.get("hc_mult", 0)
    fp32, vectors = (x * x * h + x + 1, x + 1) if x else (0, 0)
    tables = 1 if config.get("tie_word_embeddings") else 2
    return Llm(
        architecture=a.name,
        attention=a.attention,
        config=config,
        layer_list=layers,
        head=Layer((), tables * vocab * h + h, fp32, 0, h + vectors),
        formats=a.formats,
        mixed=a.mixed,
        scale_bytes=a.scale_bytes,
        experts=experts,
        experts_per_token=config.get("num_experts_per_tok", 0) if experts else 0,
        **facts,
    )


def _experts(c: Config) -> int:
    return int(c.get("n_routed_experts") or c.get("num_experts") or c.get("num_local_experts") or 0)


def _head_dim(c: Config) -> int:
    return int(c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"])


def _ffn(c: Config, i: int) -> tuple[list[Linear], int, int]:
    """(matrices, router parameters, routing bias) of layer i's feed-forward part."""
    h, experts = c["hidden_size"], _experts(c)
    if not experts or i < c.get("first_k_dense_replace", 0):
        n = c["intermediate_size"]
        return [Linear(n, h, 2), Linear(h, n)], 0, 0
    m = c.get("moe_intermediate_size") or c["intermediate_size"]
    bias = c["architectures"][0] == "GptOssForCausalLM"
    out = [Linear(m, h, 2 * experts, True, bias), Linear(h, m, experts, True, bias)]
    shared = (c.get("n_shared_experts") or 0) * m
    if shared:
        out += [Linear(shared, h, 2), Linear(h, shared)]
    scored = c["architectures"][0] in ROUTING_BIAS and i >= c.get("num_hash_layers", 0)
    return out, experts * h, experts if scored else 0


def _mla_layer(c: Config, i: int) -> Layer:
    h, heads, k = c["hidden_size"], c["num_attention_heads"], c["kv_lora_rank"]
    n, r, v, q = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"], c.get("q_lora_rank")
    attention = [Linear(k + r, h), Linear(heads * (n + v), k), Linear(h, heads * v)]
    attention += [Linear(q, h), Linear(heads * (n + r), q)] if q else [Linear(heads * (n + r), h)]
    norms = 2 * h + k + (q or 0)
    linears, router, bias = _ffn(c, i)
    absorbed, direct = 2 * heads * (2 * k + r), 2 * heads * (n + r + v)
    if "index_head_dim" not in c:
        caches: tuple[Cache, ...] = (Cache(2 * (k + r), k + r, absorbed, direct),)
        return Layer((*attention, *linears), norms + router, bias, 0, norms + bias, caches)
    width, count = c["index_head_dim"], c["index_n_heads"]
    attention += [Linear(width * count, q or h), Linear(width, h)]
    packed = k + k // 128 * 4 + 2 * r
    caches = (
        Cache(2 * (k + r), packed, absorbed, absorbed, look=c["index_topk"]),
        Cache(width + 4, width + 4, 2 * count * width, 2 * count * width),
    )
    small = bias + 2 * width
    return Layer((*attention, *linears), norms + router + h * count, small, 0, norms + small, caches)


def _gqa_layer(c: Config, i: int) -> Layer:
    h, heads, kv, d = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"], _head_dim(c)
    linears, router, bias = _ffn(c, i)
    kind = c["architectures"][0]
    extra, window, router_fp32 = 0, None, 0
    if kind == "Qwen2ForCausalLM":
        extra = (heads + 2 * kv) * d
    elif kind.startswith("Qwen3"):
        extra = 2 * d
    elif kind == "MiniMaxM2ForCausalLM":
        extra, router, router_fp32 = (heads + kv) * d, 0, router
    elif kind == "GptOssForCausalLM":
        biases, sinks = (heads + 2 * kv) * d + h, heads
        extra = biases + sinks + _experts(c)
        window = c["sliding_window"] if c["layer_types"][i] == "sliding_attention" else None
    attention = [Linear(heads * d, h), Linear(kv * d, h, 2), Linear(h, heads * d)]
    cache = Cache(4 * kv * d, 2 * kv * d, 4 * heads * d, 4 * heads * d, keep=window)
    norms = 2 * h + extra
    return Layer((*attention, *linears), norms + router, bias + router_fp32, 0, norms + bias, (cache,))


def _v4_layer(c: Config, i: int) -> Layer:
    h, heads, d, q = c["hidden_size"], c["num_attention_heads"], c["head_dim"], c["q_lora_rank"]
    groups, o, ratio, x = c["o_groups"], c["o_lora_rank"], c["compress_ratios"][i], c["hc_mult"]
    attention = [
        Linear(q, h),
        Linear(heads * d, q),
        Linear(d, h),
        Linear(groups * o, heads * d // groups),
        Linear(h, groups * o),
    ]
    norms, bf16, fp32, vectors, state = 2 * h + q + d, 0, heads, heads, 0
    rope = c["qk_rope_head_dim"]
    entry = (2 * d, d - rope + 2 * rope + (d - rope) // 64 + 1, 4 * heads * d, 4 * heads * d)
    caches = [Cache(*entry, keep=c["sliding_window"])]
    if ratio:
        f = 2 if ratio == 4 else 1
        bf16 += 2 * h * f * d
        fp32 += ratio * f * d
        vectors += ratio * f * d
        norms += d
        caches.append(Cache(*entry, stride=ratio, look=c["index_topk"] if ratio == 4 else None))
        state = f * ratio * 2 * f * d * 4
    if ratio == 4:
        width, count = c["index_head_dim"], c["index_n_heads"]
        attention.append(Linear(width * count, q))
        bf16 += h * count + 2 * h * 2 * width
        fp32 += 4 * 2 * width
        vectors += 4 * 2 * width
        norms += width
        caches.append(Cache(2 * width, width + 4, 2 * count * width, 2 * count * width, stride=4))
        state += 8 * 2 * 2 * width * 4
    hyper_small = 2 * ((2 + x) * x + 3)
    fp32 += 2 * (2 + x) * x * x * h + hyper_small
    linears, router, bias = _ffn(c, i)
    table = c["vocab_size"] * c["num_experts_per_tok"] * 8 if i < c.get("num_hash_layers", 0) else 0
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
