"""Gemma 2, 3 and 4: most layers look back a window, every few look at all; heads of both kinds differ from Gemma 4 on.

Gemma 4's small sizes have a second embedding table with a row per token for each layer, and their last layers read keys
of earlier ones; its large ones derive values from keys, and one has experts beside a dense feed-forward part.

Formulas: transformers 5.24.0 gemma2, gemma3, gemma4, gemma4_unified, siglip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import (
    Architecture,
    Config,
    dense_feed_forward,
    of_layers,
    plain_head,
    routed_experts,
    tied,
)
from catalogs.transformer import Cache, Layer, Linear

GEMMA_3: Mapping[str, Any] = {
    "vocab_size": 262_208, "intermediate_size": 9216, "num_attention_heads": 8, "num_key_value_heads": 4,
    "head_dim": 256, "max_position_embeddings": 131_072, "tie_word_embeddings": True, "sliding_window": 4096,
}  # fmt: skip
"""What Gemma3TextConfig says of a field that a file leaves out; the published files leave many out."""
PATTERN = 6
"""Every sixth layer looks at all, where the kinds of layers are not said."""


def gemma3_fields(config: Config) -> Config:
    """A config with the fields that its class adds."""
    return {**GEMMA_3, **config}


def gemma4_fields(config: Config) -> Config:
    """A config with the experts that a token uses under the common name, none where the layers have no experts; heads
    of the layers that look at all also where `per_layer_config` says them."""
    config = {**config, **_heads_apart(config)}
    if not config.get("enable_moe_block"):
        return {**config, "num_experts": None, "num_local_experts": None, "n_routed_experts": None}
    return {**config, "num_experts_per_tok": config.get("top_k_experts")}


def _heads_apart(config: Config) -> Config:
    """Width and kv heads of the layers that look at all, where `per_layer_config` alone says them."""
    kinds = config.get("layer_types")
    found: dict[str, Any] = {}
    for name, own in (("global_head_dim", "head_dim"), ("num_global_key_value_heads", "num_key_value_heads")):
        each = of_layers(config, own)
        if config.get(name) is not None or each is None or not isinstance(kinds, list):
            continue
        said = [value for value, kind in zip(each, kinds, strict=False) if kind == "full_attention"]
        # As many kv heads as in the other layers is what files leave out.
        apart = name == "global_head_dim" or said[:1] != [config.get(own)]
        if said and apart and all(value == said[0] for value in said):
            found[name] = said[0]
    return found


def looks_at_all(config: Config, i: int) -> bool:
    """Whether layer `i` attends the whole sequence."""
    if kinds := config.get("layer_types"):
        return bool(kinds[i] == "full_attention")
    every = config.get("sliding_window_pattern") or config.get("_sliding_window_pattern") or PATTERN
    return bool((i + 1) % every == 0)


def gemma3_layer(config: Config, i: int) -> Layer:
    """Four norms around attention and feed-forward part, and norms of queries and keys."""
    hidden_size, heads, kv_heads = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
    width = config["head_dim"]
    linears = [
        *_queries_and_output(hidden_size, heads, width),
        Linear(kv_heads * width, hidden_size, 2, name="self_attn.k_proj"),
        *dense_feed_forward(hidden_size, config["intermediate_size"]),
    ]
    window = None if looks_at_all(config, i) else config["sliding_window"]
    norms = 4 * hidden_size + 2 * width
    return Layer(tuple(linears), norms, vectors=norms, caches=(_cache(heads, kv_heads, width, window),))


def gemma2_fields(config: Config) -> Config:
    """A config with the kind of each layer: every second has a window where nothing else is said."""
    config, layers = tied(config), config.get("num_hidden_layers")
    if config.get("layer_types") is not None or not isinstance(layers, int) or layers > 1000:
        return config
    return {**config, "layer_types": ["full_attention" if i % 2 else "sliding_attention" for i in range(layers)]}


def gemma2_layer(config: Config, i: int) -> Layer:
    """As Gemma 3, without norms of queries and keys."""
    layer, norms = gemma3_layer(config, i), 2 * int(config["head_dim"])
    return replace(layer, bf16=layer.bf16 - norms, vectors=layer.vectors - norms)


def gemma4_layer(config: Config, i: int) -> Layer:
    """As Gemma 3, with a factor for the whole layer, and what a size has beside that."""
    hidden_size, heads = config["hidden_size"], config["num_attention_heads"]
    whole = looks_at_all(config, i)
    width, kv_heads = _head_dim(config, whole), _kv_heads(config, whole)
    linears = [*_queries_and_output(hidden_size, heads, width)]
    norms = 4 * hidden_size + width + 1
    borrows = _borrows(config, i)
    if not borrows:
        one = bool(config.get("attention_k_eq_v")) and whole
        linears.append(Linear(kv_heads * width, hidden_size, 1 if one else 2, name="self_attn.k_proj"))
        norms += width
    wide = 2 if borrows and config.get("use_double_wide_mlp") else 1
    linears += dense_feed_forward(hidden_size, wide * config["intermediate_size"])
    if per_layer := config.get("hidden_size_per_layer_input"):
        linears.append(Linear(per_layer, hidden_size, name="per_layer_input_gate"))
        linears.append(Linear(hidden_size, per_layer, name="per_layer_projection"))
        norms += hidden_size
    router = 0
    if experts := config.get("num_experts"):
        linears += routed_experts(hidden_size, config["moe_intermediate_size"], experts, name="experts.0")
        router = experts * hidden_size
        norms += 4 * hidden_size + experts
    window = None if whole else config["sliding_window"]
    cache = replace(_cache(heads, kv_heads, width, window), borrowed=borrows)
    return Layer(tuple(linears), norms + router, vectors=norms, caches=(cache,))


def gemma4_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding that also is the output head, final norm, and the embeddings of the layers with what mixes them."""
    plain = plain_head(config, stored)
    per_layer = config.get("hidden_size_per_layer_input")
    if not per_layer:
        return plain
    whole, hidden_size = config["num_hidden_layers"] * per_layer, config["hidden_size"]
    name = "model.embed_tokens_per_layer"
    table = Linear(
        config["vocab_size_per_layer_input"], whole, name=name, stored=stored(name), whole=True, looked_up=True
    )
    projection = Linear(whole, hidden_size, name="model.per_layer_model_projection", whole=True)
    small = plain.bf16 + per_layer
    return Layer((*plain.linears, table, projection), small, vectors=small)


def _queries_and_output(hidden_size: int, heads: int, width: int) -> tuple[Linear, Linear]:
    return (
        Linear(heads * width, hidden_size, name="self_attn.q_proj"),
        Linear(hidden_size, heads * width, name="self_attn.o_proj"),
    )


def _cache(heads: int, kv_heads: int, width: int, window: int | None) -> Cache:
    work = 4 * heads * width
    return Cache(4 * kv_heads * width, 2 * kv_heads * width, work, work, keep=window, heads=kv_heads)


def _head_dim(config: Config, whole: bool) -> int:
    """Width of a head; other where layers look at all."""
    return int(config["global_head_dim"] if whole else config["head_dim"])


def _kv_heads(config: Config, whole: bool) -> int:
    """Heads of keys; fewer where layers look at all and derive values from keys."""
    fewer = config.get("num_global_key_value_heads") if whole and config.get("attention_k_eq_v") else None
    return int(fewer or config["num_key_value_heads"])


def _borrows(config: Config, i: int) -> bool:
    """Whether layer `i` reads the keys and values of an earlier one of its kind."""
    first = config["num_hidden_layers"] - (config.get("num_kv_shared_layers") or 0)
    return i >= int(first)


# Towers ---------------------------------------------------------------------------------------------------------------


def siglip_tower(config: Config) -> int:
    """Gemma 3's tower: a plain vision transformer, whose patches are averaged, normed and projected."""
    vision = config.get("vision_config")
    if not vision:
        return 0
    width, inner = vision["hidden_size"], vision["intermediate_size"]
    layer = 4 * (width + 1) * width + (width + 1) * inner + (inner + 1) * width + 4 * width
    patches = (3 * vision["patch_size"] ** 2 + 1) * width
    positions = (vision["image_size"] // vision["patch_size"]) ** 2 * width
    joined = width * config["hidden_size"] + width
    return int(vision["num_hidden_layers"] * layer + patches + positions + 2 * width + joined)


def gemma4_tower(config: Config) -> int:
    """Gemma 4's towers of vision and of sound, each with what projects it into the language model."""
    return _vision_tower(config) + _audio_tower(config)


def _vision_tower(config: Config) -> int:
    vision = config.get("vision_config")
    if not vision:
        return 0
    width, heads, kv_heads, head = (
        vision[name] for name in ("hidden_size", "num_attention_heads", "num_key_value_heads", "head_dim")
    )
    clipped = 4 * 7 if vision.get("use_clipped_linears") else 0  # four limits of each matrix
    layer = 2 * (heads + kv_heads) * head * width + 3 * width * vision["intermediate_size"] + 4 * width + 2 * head
    patches = 3 * vision["patch_size"] ** 2 * width + 2 * vision["position_embedding_size"] * width
    standard = 2 * width if vision.get("standardize") else 0
    whole = vision["num_hidden_layers"] * (layer + clipped) + patches + standard
    return int(whole + width * config["hidden_size"])


def _audio_tower(config: Config) -> int:
    """A conformer: two feed-forward parts around attention and a convolution in every layer."""
    audio = config.get("audio_config")
    if not audio:
        return 0
    width, heads = audio["hidden_size"], audio["num_attention_heads"]
    first, second = audio["subsampling_conv_channels"]
    entry = 9 * first + first + 9 * first * second + second + first // 4 * second * width
    feed_forward = 8 * width * width + 2 * width
    attention = 5 * width * width + width // heads
    convolution = 3 * width * width + audio["conv_kernel_size"] * width + 2 * width
    clipped = 4 * (2 * 2 + 4 + 2) if audio.get("use_clipped_linears", True) else 0
    layer = 2 * feed_forward + attention + convolution + 3 * width + clipped
    out = audio["output_proj_dims"]
    return int(entry + audio["num_hidden_layers"] * layer + (width + 1) * out + out * config["hidden_size"])


def unified_tower(config: Config) -> int:
    """Gemma 4 without encoders: patches and sound are normed and projected."""
    vision, audio, hidden_size = config.get("vision_config"), config.get("audio_config"), config["hidden_size"]
    found = 0
    if vision:
        width, patch = vision["mm_embed_dim"], 3 * (vision["patch_size"] * vision["pooling_kernel_size"]) ** 2
        norms = 2 * patch + 2 * 2 * width
        found += norms + (patch + 1) * width + vision["mm_posemb_size"] * 2 * width + width * hidden_size
    if audio:
        found += audio["audio_embed_dim"] * hidden_size
    return int(found)


def _siglip_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from _contradictions(config)
    yield from _towers_said(config, "vision_config")
    vision = config.get("vision_config")
    if vision and vision["image_size"] % vision["patch_size"]:
        yield "vision_config.image_size", "must be a multiple of patch_size"


def _gemma4_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from _contradictions(config)
    yield from _layers_apart(config)
    # The large sizes do not hear, and some of their files say nothing of sound.
    hears = config.get("hidden_size_per_layer_input") or config["architectures"][0].startswith("Gemma4Unified")
    yield from _towers_said(config, "vision_config", *(("audio_config",) if hears else ()))


def _layers_apart(config: Config) -> Iterator[tuple[str, str]]:
    """`per_layer_config` says nothing but the heads of the layers that look at all."""
    if config.get("per_layer_config") is None:
        return
    layers = range(config["num_hidden_layers"])
    heads = {
        "head_dim": [_head_dim(config, looks_at_all(config, i)) for i in layers],
        "num_key_value_heads": [_kv_heads(config, looks_at_all(config, i)) for i in layers],
    }
    named = {name for fields in config["per_layer_config"].values() if isinstance(fields, dict) for name in fields}
    if not named <= set(heads) or any(of_layers(config, name) != known for name, known in heads.items()):
        yield "per_layer_config", "says more than the heads of layers that look at all"


def _towers_said(config: Config, *names: str) -> Iterator[tuple[str, str]]:
    """Of a model with towers, those of which the config says neither sizes nor that there are none."""
    for name in names if config["architectures"][0].endswith("ForConditionalGeneration") else ():
        if name not in config:
            yield name, "is missing (null where there is no such tower)"


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    """Heads that kv heads do not divide, experts half said, keys that no earlier layer of the kind has."""
    heads, layers = config["num_attention_heads"], config["num_hidden_layers"]
    for name in ("num_key_value_heads", "num_global_key_value_heads"):
        if config.get(name) and heads % config[name]:
            yield name, "must divide num_attention_heads"
    if config.get("enable_moe_block"):
        for name in ("num_experts", "top_k_experts", "moe_intermediate_size"):
            if not config.get(name):
                yield name, "is missing, though layers have experts"
    rows = config.get("vocab_size_per_layer_input")
    if config.get("hidden_size_per_layer_input") and not rows:
        yield "vocab_size_per_layer_input", "is missing, though layers have embeddings"
    if not config.get("hidden_size_per_layer_input") and rows not in (None, config["vocab_size"]):
        yield "vocab_size_per_layer_input", "differs from vocab_size, though layers have no embeddings"
    own = max(0, layers - (config.get("num_kv_shared_layers") or 0))
    if own == layers and config.get("use_double_wide_mlp"):
        yield "use_double_wide_mlp", "speaks of layers that read keys of earlier ones, and there are none"
    if config.get("num_global_key_value_heads") and not config.get("attention_k_eq_v"):
        yield "num_global_key_value_heads", "counts only with attention_k_eq_v"
    if {looks_at_all(config, i) for i in range(own, layers)} - {looks_at_all(config, i) for i in range(own)}:
        yield "num_kv_shared_layers", "leaves a kind of layer without keys"


_GEMMA_3 = Architecture(
    "gemma-3", "gqa", gemma3_layer, tower=siglip_tower, read=gemma3_fields, contradictions=_siglip_contradictions
)
_GEMMA_4 = Architecture(
    "gemma-4", "gqa", gemma4_layer, tower=gemma4_tower, head=gemma4_head, read=gemma4_fields,
    contradictions=_gemma4_contradictions,
)  # fmt: skip
ARCHITECTURES = {
    "Gemma2ForCausalLM": Architecture(
        "gemma-2", "gqa", gemma2_layer, read=gemma2_fields, contradictions=_contradictions
    ),
    "Gemma3ForConditionalGeneration": _GEMMA_3,
    "Gemma3ForCausalLM": _GEMMA_3,
    "Gemma4ForConditionalGeneration": _GEMMA_4,
    "Gemma4ForCausalLM": _GEMMA_4,
    "Gemma4UnifiedForConditionalGeneration": replace(_GEMMA_4, tower=unified_tower),
}
