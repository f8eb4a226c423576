"""Multi-head latent attention (DeepSeek V2 and V3), with V3.2's indexer where the config has one.

Formulas: transformers deepseek_v2, deepseek_v3; DeepSeek-V3.2-Exp inference/model.py for the indexer."""

from __future__ import annotations

from catalogs.architectures.base import Architecture, Config, feed_forward
from catalogs.transformer import Cache, Layer, Linear

ROUTING_BIAS = ("DeepseekV3ForCausalLM", "DeepseekV32ForCausalLM")


def latent_layer(config: Config, i: int) -> Layer:
    hidden_size, heads, kv_lora_rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    qk_nope_head_dim, qk_rope_head_dim, v_head_dim, q = (
        config["qk_nope_head_dim"],
        config["qk_rope_head_dim"],
        config["v_head_dim"],
        config.get("q_lora_rank"),
    )
    attention = [
        Linear(kv_lora_rank + qk_rope_head_dim, hidden_size, name="self_attn.kv_a_proj_with_mqa"),
        Linear(heads * (qk_nope_head_dim + v_head_dim), kv_lora_rank, name="self_attn.kv_b_proj"),
        Linear(hidden_size, heads * v_head_dim, name="self_attn.o_proj"),
    ]
    queries = heads * (qk_nope_head_dim + qk_rope_head_dim)
    if q:
        attention.append(Linear(q, hidden_size, name="self_attn.q_a_proj"))
        attention.append(Linear(queries, q, name="self_attn.q_b_proj"))
    else:
        attention.append(Linear(queries, hidden_size, name="self_attn.q_proj"))
    norms = 2 * hidden_size + kv_lora_rank + (q or 0)
    part = feed_forward(config, i, routing_bias=config["architectures"][0] in ROUTING_BIAS)
    linears, router, bias = part.linears, part.router, part.routing_bias
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
    attention.append(Linear(width * count, q or hidden_size, name="self_attn.indexer.wq_b"))
    attention.append(Linear(width, hidden_size, name="self_attn.indexer.wk"))
    packed = kv_lora_rank + kv_lora_rank // 128 * 4 + 2 * qk_rope_head_dim
    caches = (
        Cache(2 * (kv_lora_rank + qk_rope_head_dim), packed, absorbed, absorbed, look=config["index_topk"]),
        Cache(width + 4, width + 4, 2 * count * width, 2 * count * width),
    )
    small = bias + 2 * width
    return Layer((*attention, *linears), norms + router + hidden_size * count, small, 0, norms + small, caches)


ARCHITECTURES = {
    "DeepseekV2ForCausalLM": Architecture("deepseek-v2", "mla", latent_layer),
    "DeepseekV3ForCausalLM": Architecture("deepseek-v3", "mla", latent_layer),
    "DeepseekV32ForCausalLM": Architecture("deepseek-v3.2", "dsa", latent_layer),
}
