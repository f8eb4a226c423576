"""Grouped-query attention (Llama, Qwen, MiniMax-M2, gpt-oss).

Formulas: transformers llama, qwen2, qwen3, qwen3_moe, minimax_m2, gpt_oss."""

from __future__ import annotations

from catalogs.architectures.base import Architecture, Config, experts_of, feed_forward, head_dim_of
from catalogs.transformer import Cache, Layer, Linear


def grouped_layer(config: Config, i: int) -> Layer:
    hidden_size, heads, kv, d = (
        config["hidden_size"],
        config["num_attention_heads"],
        config["num_key_value_heads"],
        head_dim_of(config),
    )
    kind = config["architectures"][0]
    minimax = kind == "MiniMaxM2ForCausalLM"
    name = "block_sparse_moe" if minimax else "mlp"
    part = feed_forward(config, i, routing_bias=minimax, bias=kind == "GptOssForCausalLM", name=name)
    linears, router, bias = part.linears, part.router, part.routing_bias
    extra, window, router_fp32 = 0, None, 0
    if kind == "Qwen2ForCausalLM":
        extra = (heads + 2 * kv) * d
    elif kind.startswith("Qwen3"):
        extra = 2 * d
    elif kind == "MiniMaxM2ForCausalLM":
        extra, router, router_fp32 = (heads + kv) * d, 0, router
    elif kind == "GptOssForCausalLM":
        biases, sinks = (heads + 2 * kv) * d + hidden_size, heads
        extra = biases + sinks + experts_of(config)
        window = config["sliding_window"] if config["layer_types"][i] == "sliding_attention" else None
    attention = [
        Linear(heads * d, hidden_size, name="self_attn.q_proj"),
        Linear(kv * d, hidden_size, 2, name="self_attn.k_proj"),
        Linear(hidden_size, heads * d, name="self_attn.o_proj"),
    ]
    cache = Cache(4 * kv * d, 2 * kv * d, 4 * heads * d, 4 * heads * d, keep=window)
    norms = 2 * hidden_size + extra
    return Layer((*attention, *linears), norms + router, bias + router_fp32, 0, norms + bias, (cache,))


ARCHITECTURES = {
    "Qwen2ForCausalLM": Architecture("qwen2", "gqa", grouped_layer),
    "Qwen3ForCausalLM": Architecture("qwen3", "gqa", grouped_layer),
    "Qwen3MoeForCausalLM": Architecture("qwen3-moe", "gqa", grouped_layer),
    "LlamaForCausalLM": Architecture("llama", "gqa", grouped_layer),
    "MiniMaxM2ForCausalLM": Architecture("minimax-m2", "gqa", grouped_layer),
    "GptOssForCausalLM": Architecture("gpt-oss", "gqa", grouped_layer, mixed={"mxfp4": "bf16"}),
}
