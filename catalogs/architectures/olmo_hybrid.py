"""OLMo-Hybrid: gated DeltaNet in most layers, OLMo 2's full attention in every fourth.

Formulas: transformers 5.24.0 olmo_hybrid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from catalogs.architectures.base import Architecture, Config, dense_feed_forward
from catalogs.architectures.delta_net import delta_net, is_full_attention
from catalogs.architectures.near_llama import as_many_kv_heads, near_llama_layer
from catalogs.transformer import Layer


def hybrid_fields(config: Config) -> Config:
    """What the class fills in: as many heads of linear attention as of attention, keys of three quarters of the hidden
    size over all heads, values twice as wide."""
    found = dict(as_many_kv_heads(config))
    hidden_size, heads = found.get("hidden_size"), found.get("num_attention_heads")
    for name in ("linear_num_key_heads", "linear_num_value_heads"):
        if found.get(name) is None:
            found[name] = heads
    key_heads = found["linear_num_key_heads"]
    if found.get("linear_key_head_dim") is None and isinstance(hidden_size, int) and isinstance(key_heads, int):
        found["linear_key_head_dim"] = int(0.75 * hidden_size / key_heads) if key_heads else None
    if found.get("linear_value_head_dim") is None and isinstance(found.get("linear_key_head_dim"), int):
        found["linear_value_head_dim"] = 2 * found["linear_key_head_dim"]
    return {"linear_conv_kernel_dim": 4, **found}


def hybrid_layer(config: Config, i: int) -> Layer:
    """A layer of either kind, each with two norms and a dense feed-forward part."""
    if is_full_attention(config, i):
        return near_llama_layer({**config, "layer_types": None}, i, whole_norms=True)
    mixer, norms = delta_net(config), 2 * config["hidden_size"]
    part = dense_feed_forward(config["hidden_size"], config["intermediate_size"])
    return replace(
        mixer, linears=(*mixer.linears, *part), bf16=mixer.bf16 + norms, vectors=mixer.vectors + norms
    )  # fmt: skip


def contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Value heads that do not share the key heads evenly, and layers of which none looks at all."""
    if config["linear_num_value_heads"] % config["linear_num_key_heads"]:
        yield "linear_num_value_heads", "must be a multiple of linear_num_key_heads"
    if not any(is_full_attention(config, layer) for layer in range(config["num_hidden_layers"])):
        yield "layer_types", "leaves no full attention"


ARCHITECTURES = {
    "OlmoHybridForCausalLM": Architecture(
        "olmo-hybrid", "gqa", hybrid_layer, read=hybrid_fields, contradictions=contradictions
    )
}
