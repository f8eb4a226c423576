"""Gated DeltaNet: linear attention with full attention every few layers (Qwen3-Next, Qwen3.5, Qwen3.6).

Formulas: transformers qwen3_next, qwen3_5, qwen3_5_moe; vLLM mamba_utils.py for shapes and formats of the states."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from catalogs.architectures.base import (
    Architecture,
    Config,
    DraftModule,
    beside,
    dense_feed_forward,
    experts_of,
    head_dim_of,
    joining,
    routed_experts,
)
from catalogs.architectures.towers import qwen3_tower
from catalogs.transformer import Cache, Layer, Linear, State

WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2}
"""Bytes of a figure of a running state, as configs spell its format."""
QWEN3_NEXT = "Qwen3NextForCausalLM"


def is_full_attention(config: Config, layer: int) -> bool:
    """Whether a layer attends to all tokens; the others have linear attention."""
    if kinds := config.get("layer_types"):
        return bool(kinds[layer] == "full_attention")
    return (layer + 1) % (config.get("full_attention_interval") or 4) == 0


def full_attention(config: Config) -> Layer:
    """Grouped-query attention whose query projection also makes a gate for the output."""
    hidden_size, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = head_dim_of(config)
    linears = (
        Linear(2 * heads * head_dim, hidden_size, name="self_attn.q_proj"),
        Linear(kv_heads * head_dim, hidden_size, 2, name="self_attn.k_proj"),
        Linear(hidden_size, heads * head_dim, name="self_attn.o_proj"),
    )
    norms, flops = 2 * head_dim, 4 * heads * head_dim
    cache = Cache(4 * kv_heads * head_dim, 2 * kv_heads * head_dim, flops, flops)
    return Layer(linears, norms, vectors=norms, caches=(cache,))


def delta_net(config: Config) -> Layer:
    """Linear attention by the gated delta rule, behind a short convolution over queries, keys and values.

    A value head keeps a matrix of key width x value width, a channel of the convolution its last inputs. A token
    decays the matrix, reads what it holds for the key, writes the difference and reads it for the query: seven
    operations per figure."""
    hidden_size, kernel = config["hidden_size"], config["linear_conv_kernel_dim"]
    key_heads, value_heads = config["linear_num_key_heads"], config["linear_num_value_heads"]
    key_width, value_width = config["linear_key_head_dim"], config["linear_value_head_dim"]
    keys, values = key_heads * key_width, value_heads * value_width
    if config["architectures"][0] == QWEN3_NEXT:
        inputs = [Linear(2 * keys + 2 * values, hidden_size, name="linear_attn.in_proj_qkvz")]
    else:
        inputs = [
            Linear(2 * keys + values, hidden_size, name="linear_attn.in_proj_qkv"),
            Linear(values, hidden_size, name="linear_attn.in_proj_z"),
        ]
    # The two figures per head that gate decay and writing stay in 16 bits in every published conversion.
    gates, convolution = 2 * value_heads * hidden_size, (2 * keys + values) * kernel
    vectors = value_heads + value_width
    figure = WIDTHS[config.get("mamba_ssm_dtype") or "float32"]
    return Layer(
        (*inputs, Linear(hidden_size, values, name="linear_attn.out_proj")),
        gates + convolution + vectors,
        fp32=value_heads,
        vectors=vectors + value_heads,
        states=(
            State(2 * 2 * key_width * (kernel - 1), key_heads),
            State(2 * value_width * (kernel - 1) + figure * key_width * value_width, value_heads),
        ),
        state_flops=7 * value_heads * key_width * value_width,
    )


def hybrid_layer(config: Config, layer: int) -> Layer:
    """A layer with either attention, and a feed-forward part: dense, or of experts with a gated shared one."""
    hidden_size, experts = config["hidden_size"], experts_of(config)
    mixer = full_attention(config) if is_full_attention(config, layer) else delta_net(config)
    norms = 2 * hidden_size
    if not experts:
        part, router = dense_feed_forward(hidden_size, config["intermediate_size"]), 0
    else:
        part = routed_experts(hidden_size, config["moe_intermediate_size"], experts)
        part += dense_feed_forward(hidden_size, config["shared_expert_intermediate_size"], "mlp.shared_expert")
        router = (experts + 1) * hidden_size  # the shared expert has a gate of its own
    return Layer(
        (*mixer.linears, *part),
        mixer.bf16 + norms + router,
        mixer.fp32,
        vectors=mixer.vectors + norms,
        caches=mixer.caches,
        states=mixer.states,
        state_flops=mixer.state_flops,
    )


def contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Layers said in two ways that differ, and value heads that do not share the key heads evenly."""
    if config["linear_num_value_heads"] % config["linear_num_key_heads"]:
        yield "linear_num_value_heads", "must be a multiple of linear_num_key_heads"
    layers, interval = range(config["num_hidden_layers"]), config.get("full_attention_interval") or 0
    if not any(is_full_attention(config, layer) for layer in layers):
        yield "layer_types" if config.get("layer_types") else "full_attention_interval", "leaves no full attention"
    said_twice = interval and config.get("layer_types")
    if said_twice and any(is_full_attention(config, i) == bool((i + 1) % interval) for i in layers):
        yield "full_attention_interval", "contradicts layer_types"


def draft(config: Config) -> DraftModule:
    """MTP layers with full attention (vLLM 0.33.0 qwen3_5_mtp, qwen3_next_mtp). Configs of Qwen3-Next do not say how
    many: its checkpoints hold one (SGLang 0.5.23 qwen3_next_mtp)."""
    hidden_size = config["hidden_size"]
    unsaid = int(config["architectures"][0] == QWEN3_NEXT)
    said = next((config[x] for x in ("mtp_num_hidden_layers", "num_nextn_predict_layers") if x in config), unsaid)
    layer = hybrid_layer({**config, "layer_types": ["full_attention"]}, 0)
    tables = []
    if config.get("mtp_use_dedicated_embeddings"):
        tables.append(Linear(config["vocab_size"], hidden_size, name="embed_tokens", whole=True, looked_up=True))
    # The joining matrix and three norms lie beside the layers, once.
    layers = [beside(layer, [joining(config, "fc"), *tables], 3 * hidden_size)] + [layer] * ((said or 1) - 1)
    return DraftModule("MTP", tuple((f"mtp.layers.{i}", each) for i, each in enumerate(layers))) if said else NO_DRAFT


NO_DRAFT = DraftModule()

_text = partial(Architecture, attention="gqa", build=hybrid_layer, contradictions=contradictions, draft=draft)
_with_vision = partial(_text, tower=qwen3_tower)

ARCHITECTURES = {
    QWEN3_NEXT: _text("qwen3-next"),
    "Qwen3_5ForCausalLM": _text("qwen3.5"),
    "Qwen3_5MoeForCausalLM": _text("qwen3.5-moe"),
    "Qwen3_5ForConditionalGeneration": _with_vision("qwen3.5"),
    "Qwen3_5MoeForConditionalGeneration": _with_vision("qwen3.5-moe"),
}
