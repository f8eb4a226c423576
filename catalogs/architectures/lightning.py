"""Lightning attention: linear attention with full attention every few layers (MiniMax-Text-01, MiniMax-M1).

Formulas: transformers minimax; vLLM minimax_text_01.py, mamba_utils.py for shape and format of the states."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from catalogs.architectures.base import Architecture, Config, experts_of, head_dim_of, routed_experts
from catalogs.transformer import Cache, Layer, Linear, State


def is_full_attention(config: Config, layer: int) -> bool:
    """Whether a layer attends to all tokens; the others have lightning attention. MiniMax's own configs say it in
    numbers, those made for transformers in words."""
    if kinds := config.get("attn_type_list"):
        return bool(kinds[layer] == 1)
    return bool(config["layer_types"][layer] == "full_attention")


def full_attention(config: Config) -> Layer:
    """Grouped-query attention without norms of queries and keys."""
    hidden_size, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = head_dim_of(config)
    linears = (
        Linear(heads * head_dim, hidden_size, name="self_attn.q_proj"),
        Linear(kv_heads * head_dim, hidden_size, 2, name="self_attn.k_proj"),
        Linear(hidden_size, heads * head_dim, name="self_attn.o_proj"),
    )
    flops = 4 * heads * head_dim
    return Layer(linears, 0, caches=(Cache(4 * kv_heads * head_dim, 2 * kv_heads * head_dim, flops, flops),))


def lightning_attention(config: Config) -> Layer:
    """Linear attention with a fixed decay per head, a norm over all heads and a gate for the output.

    A head keeps a matrix of its width x its width, in the model's own format. A token decays it, adds key x value and
    reads it for the query: five operations per figure."""
    hidden_size, heads, head_dim = config["hidden_size"], config["num_attention_heads"], head_dim_of(config)
    inner = heads * head_dim
    linears = (
        Linear(3 * inner, hidden_size, name="self_attn.qkv_proj"),
        Linear(inner, hidden_size, name="self_attn.output_gate"),
        Linear(hidden_size, inner, name="self_attn.out_proj"),
    )
    state = State(2 * head_dim * head_dim, heads)
    return Layer(linears, inner, vectors=inner, states=(state,), state_flops=5 * inner * head_dim)


def lightning_layer(config: Config, layer: int) -> Layer:
    """A layer with either attention, and routed experts, whose router is held in 32 bits."""
    hidden_size, experts = config["hidden_size"], experts_of(config)
    mixer = full_attention(config) if is_full_attention(config, layer) else lightning_attention(config)
    part = routed_experts(hidden_size, config["intermediate_size"], experts, name="block_sparse_moe.experts.0")
    norms, router = 2 * hidden_size, experts * hidden_size
    return Layer(
        (*mixer.linears, *part),
        mixer.bf16 + norms,
        router,
        vectors=mixer.vectors + norms,
        caches=mixer.caches,
        states=mixer.states,
        state_flops=mixer.state_flops,
    )


def contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Layers of which nothing is said, or two things that differ; none with full attention."""
    layers, words = range(config["num_hidden_layers"]), config.get("layer_types")
    if not words and not config.get("attn_type_list"):
        yield "attn_type_list", "is missing (attention of each layer)"
        return
    if not any(is_full_attention(config, layer) for layer in layers):
        yield "attn_type_list" if config.get("attn_type_list") else "layer_types", "leaves no full attention"
    if words and any(is_full_attention(config, i) != (words[i] == "full_attention") for i in layers):
        yield "layer_types", "contradicts attn_type_list"


_minimax = partial(Architecture, "minimax-01", "gqa", lightning_layer, contradictions=contradictions)

ARCHITECTURES = {
    "MiniMaxForCausalLM": _minimax(),
    "MiniMaxText01ForCausalLM": _minimax(),
    "MiniMaxM1ForCausalLM": _minimax(),
}
