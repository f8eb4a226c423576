"""Layers that look back a window between layers that look at all, each kind with heads of its own: MiMo-V2 and V2.5.

Formulas: vLLM 0.33.0 mimo_v2, mimo_v2_omni, mimo_audio; transformers 5.24.0 mimo_v2_flash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.architectures.base import Architecture, Config, dense_feed_forward, routed_experts
from catalogs.transformer import Cache, Layer, Linear


def mimo_v2_layer(config: Config, i: int) -> Layer:
    """Values narrower than keys; a sink for each head, where the config has them; experts behind dense layers."""
    hidden_size, sliding = config["hidden_size"], bool(config["hybrid_layer_pattern"][i])
    heads, kv_heads, key_width, value_width = _heads(config, sliding)
    sinks = heads if config["add_swa_attention_sink_bias" if sliding else "add_full_attention_sink_bias"] else 0
    linears = [
        *_projections(config, heads * key_width, kv_heads * key_width, kv_heads * value_width),
        Linear(hidden_size, heads * value_width, name="self_attn.o_proj"),
    ]
    kept, work = kv_heads * (key_width + value_width), 2 * heads * (key_width + value_width)
    window = config["sliding_window"] if sliding else None
    cache = Cache(2 * kept, kept, work, work, keep=window, heads=kv_heads)
    vectors = 2 * hidden_size + sinks
    if not config["moe_layer_freq"][i]:
        linears += dense_feed_forward(hidden_size, config["intermediate_size"])
        return Layer(tuple(linears), vectors, vectors=vectors, caches=(cache,))
    experts = config["n_routed_experts"]
    linears += routed_experts(hidden_size, config["moe_intermediate_size"], experts)
    # The router is in 32 bits unless the config says otherwise; a figure per expert beside it always is.
    router = experts * hidden_size
    short = router if config.get("moe_router_dtype") == "bfloat16" else 0
    fp32 = router - short + experts
    return Layer(tuple(linears), vectors + short, fp32, 0, vectors + experts, (cache,))


def _projections(config: Config, queries: int, keys: int, values: int) -> tuple[Linear, ...]:
    """The matrices of queries, keys and values, as the checkpoint has them."""
    hidden_size = config["hidden_size"]
    if config.get("attention_projection_layout") == "fused_qkv":
        # In one piece for each key head of the layers that look at all, whose scales are apart.
        rows, pieces = queries + keys + values, config["num_key_value_heads"]
        pieces = pieces if rows % pieces == 0 else 1
        return (Linear(rows // pieces, hidden_size, pieces, name="self_attn.qkv_proj"),)
    return (
        Linear(queries, hidden_size, name="self_attn.q_proj"),
        Linear(keys, hidden_size, name="self_attn.k_proj"),
        Linear(values, hidden_size, name="self_attn.v_proj"),
    )


def _heads(config: Config, sliding: bool) -> tuple[int, int, int, int]:
    """Heads of queries and of keys, width of a key and of a value, in layers with a window or without."""
    kind = "swa_" if sliding else ""
    names = ("num_attention_heads", "num_key_value_heads", "head_dim", "v_head_dim")
    return tuple(config[f"{kind}{name}"] for name in names)


# Towers ---------------------------------------------------------------------------------------------------------------


def mimo_v2_tower(config: Config) -> int:
    """MiMo-V2.5's tower of vision and what reads sound; the codes of sound come from a tokenizer beside the model."""
    return _vision_tower(config) + _speech(config)


HEAD_WIDTH = 64
"""Width of a head of the tower of vision, which no field says (qk_channels, kv_channels of vLLM's mimovl config)."""


def _vision_tower(config: Config) -> int:
    vision: dict[str, Any] = config.get("vision_config") or {}
    if not vision:
        return 0
    width, depth, heads = vision["hidden_size"], vision["depth"], vision["num_heads"]
    read, inner = (heads + 2 * vision["num_key_value_heads"]) * HEAD_WIDTH, vision["intermediate_size"]
    attention = (width + 1) * read + (heads * HEAD_WIDTH + 1) * width
    feed_forward = 2 * (width + 1) * inner + (inner + 1) * width
    sinks = (depth - len(vision["fullatt_block_indexes"])) * heads if vision.get("use_sink") else 0
    merged = width * vision["spatial_merge_size"] ** 2
    merger = width + merged**2 + merged * vision["out_hidden_size"]
    patches = vision["in_chans"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2 * width
    return int(patches + depth * (attention + feed_forward + 2 * width) + sinks + merger)


def _speech(config: Config) -> int:
    """Embeddings of the codes of sound, a small transformer over each group of them, and a projection."""
    audio: dict[str, Any] = config.get("audio_config") or {}
    if not audio:
        return 0
    width, heads = audio["input_local_dim"], audio["input_local_attn_heads"] * audio["input_local_head_dim"]
    layer = 3 * (width + 1) * heads + heads * width + 3 * width * audio["input_local_intermediate_size"] + 2 * width
    norm = width if audio.get("add_post_norm") else 0
    grouped, out = width * audio["group_size"], audio["out_hidden_size"]
    projection = grouped * out if audio["projection_layers"] == 1 else 4 * grouped * (grouped + out)
    codes = sum(_vocabularies(audio)) * width
    return int(codes + audio["input_local_layers"] * layer + norm + projection)


def _vocabularies(audio: dict[str, Any]) -> list[int]:
    """Codes of each channel of sound; one number stands for all channels."""
    said = [int(each) for each in str(audio["speech_vocab_size"]).split("-")]
    return said * audio["audio_channels"] if len(said) == 1 else said


SENSES = ("vision_config", "audio_config", "vision_model_type", "image_token_id", "processor_config")
"""Fields of the MiMo-V2 models that see and hear; those that only read have none of them."""


def _mimo_v2_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    if any(config.get(name) is not None for name in SENSES):
        for name in ("vision_config", "audio_config"):
            if name not in config:
                yield name, "is missing (null where there is no such tower)"
    layers = config["num_hidden_layers"]
    pattern = config["hybrid_layer_pattern"][:layers]
    for sliding in sorted({bool(kind) for kind in pattern}):
        heads, kv_heads, _, _ = _heads(config, sliding)
        if heads % kv_heads:
            name = "swa_num_attention_heads" if sliding else "num_attention_heads"
            yield f"{'swa_' if sliding else ''}num_key_value_heads", f"must divide {name}"
    if config.get("sliding_window_size") not in (None, config["sliding_window"]):
        yield "sliding_window_size", "contradicts sliding_window"
    kinds = config.get("layer_types")
    if kinds and [kind == "sliding_attention" for kind in kinds[:layers]] != [bool(kind) for kind in pattern]:
        yield "layer_types", "contradicts hybrid_layer_pattern"
    vision, audio = config.get("vision_config"), config.get("audio_config")
    if vision and any(each >= vision["depth"] for each in vision["fullatt_block_indexes"]):
        yield "vision_config.fullatt_block_indexes", "exceeds the layers there are"
    if audio:
        said = str(audio.get("speech_vocab_size")).split("-")
        if not all(each.isdecimal() for each in said) or len(said) not in (1, audio["audio_channels"]):
            yield "audio_config.speech_vocab_size", "must be a number, or one per channel with - between"


_MIMO_V2 = Architecture("mimo-v2", "gqa", mimo_v2_layer, tower=mimo_v2_tower, contradictions=_mimo_v2_contradictions)
ARCHITECTURES = {"MiMoV2FlashForCausalLM": _MIMO_V2, "MiMoV2ForCausalLM": _MIMO_V2}
