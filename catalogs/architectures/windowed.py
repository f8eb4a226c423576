"""Layers that look back a window between layers that look at all, each kind with heads of its own: MiMo-V2 and V2.5,
Step-3.5 and 3.7.

Formulas: vLLM 0.33.0 mimo_v2, mimo_v2_omni, mimo_audio, step3p5, step3p5_mtp, step3p7, step_vl; transformers 5.24.0
mimo_v2_flash, step3p7."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import (
    Architecture,
    Config,
    DraftModule,
    Names,
    beside,
    contradicting_names,
    dense_feed_forward,
    experts_of,
    joining,
    of_layers,
    renamed,
    routed_experts,
)
from catalogs.architectures.grouped_families import grouped_attention
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


DRAFT_LAYERS = 3
"""MTP layers in the weight files of MiMo-V2-Flash, V2.5 and V2.5-Pro, whose configs do not say how many. vLLM 0.33.0
loads the first alone (mimo_v2_mtp), SGLang 0.5.23 all (mimo_v2_nextn)."""


def mimo_v2_draft(config: Config) -> DraftModule:
    """MTP layers with a window and a dense feed-forward part; their output projections stay in 16 bits."""
    behind = {**config, "hybrid_layer_pattern": [1], "moe_layer_freq": [0]}
    plain = mimo_v2_layer(behind, 0)
    whole = tuple(replace(x, whole=x.name == "self_attn.o_proj") for x in plain.linears)
    layer = beside(replace(plain, linears=whole), [joining(config)], 3 * config["hidden_size"])
    return DraftModule("MTP", tuple((f"model.mtp.layers.{i}", layer) for i in range(DRAFT_LAYERS)))


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
    parts = config.get("mlp_layer_types")
    if parts and [part == "sparse" for part in parts[:layers]] != [
        bool(one) for one in config["moe_layer_freq"][:layers]
    ]:
        yield "mlp_layer_types", "contradicts moe_layer_freq"
    vision, audio = config.get("vision_config"), config.get("audio_config")
    if vision and any(each >= vision["depth"] for each in vision["fullatt_block_indexes"]):
        yield "vision_config.fullatt_block_indexes", "exceeds the layers there are"
    if audio:
        said = str(audio.get("speech_vocab_size")).split("-")
        if not all(each.isdecimal() for each in said) or len(said) not in (1, audio["audio_channels"]):
            yield "audio_config.speech_vocab_size", "must be a number, or one per channel with - between"


# Step -----------------------------------------------------------------------------------------------------------------

NAMES: Names = {
    "num_key_value_heads": ("num_attention_groups",),
    "n_routed_experts": ("moe_num_experts", "num_experts"),
    "num_experts_per_tok": ("moe_top_k",),
    "share_expert_dim": ("share_expert_dims",),
}
"""Common name of a field -> what StepFun's own files call it."""
VISION_NAMES: Names = {
    "width": ("hidden_size",),
    "layers": ("num_hidden_layers",),
    "heads": ("num_attention_heads",),
    "ls_init_value": ("layer_scale_init_value",),
}
"""Name of a field of the vision tower in StepFun's own files -> what transformers calls it."""
IN_16_BITS = dict.fromkeys(("nvfp4", "mxfp4", "int4", "int8", "fp8"), "bf16")
"""StepFun's FP8 and NVFP4 files hold the routed experts alone in fewer bits; others are taken to do so too."""


def step_fields(config: Config) -> Config:
    """A config of either spelling (StepFun's own, transformers') with the fields under their common names."""
    found = dict(renamed(config, NAMES))
    vision = config.get("vision_config")
    if isinstance(vision, dict):
        found["vision_config"] = renamed(vision, VISION_NAMES)
    if found.get("num_sliding_attention_heads") is None:
        found["num_sliding_attention_heads"] = _other_setting(config).get("num_attention_heads")
    if found.get("mlp_layer_types") is None:
        found["mlp_layer_types"] = kinds_of_feed_forward(config)
    return found


def _other_setting(config: Config) -> Mapping[str, Any]:
    """What StepFun's files say of the layers with a window."""
    other = config.get("attention_other_setting")
    return other if isinstance(other, dict) else {}


def kinds_of_feed_forward(config: Config) -> list[str] | None:
    """Of each layer whether it has experts, out of the list of those that have, or the number of those in front."""
    listed, layers = config.get("moe_layers_enum"), config.get("num_hidden_layers")
    if not isinstance(layers, int) or layers > 1000:
        return None
    if isinstance(listed, str):
        listed = [int(each) if each.strip().isdecimal() else None for each in listed.split(",") if each.strip()]
    if listed is None and isinstance(first := config.get("first_k_dense_replace"), int):
        listed = list(range(first, layers))
    if not isinstance(listed, list) or not all(isinstance(each, int) for each in listed):
        return None
    return ["sparse" if layer in listed else "dense" for layer in range(layers)]


def step_layer(config: Config, i: int) -> Layer:
    """Norms of queries and keys, a gate per head, more heads in layers with a window; experts with a shared one."""
    hidden_size, sliding = config["hidden_size"], config["layer_types"][i] == "sliding_attention"
    heads = config.get("num_sliding_attention_heads") if sliding else None
    heads = heads or config["num_attention_heads"]
    window = config["sliding_window"] if sliding else None
    attention = grouped_attention({**config, "num_attention_heads": heads}, window=window)
    linears = [*attention.linears]
    if config.get("use_head_wise_attn_gate", True):
        linears.append(Linear(heads, hidden_size, name="self_attn.g_proj"))
    vectors, caches = 2 * hidden_size + 2 * config["head_dim"], (attention.cache,)
    if config["mlp_layer_types"][i] == "dense":
        linears += dense_feed_forward(hidden_size, config["intermediate_size"])
        return Layer(tuple(linears), vectors, vectors=vectors, caches=caches)
    experts = experts_of(config)
    linears += routed_experts(hidden_size, config["moe_intermediate_size"], experts, name="moe.experts.0")
    linears += dense_feed_forward(hidden_size, config["share_expert_dim"], "share_expert")
    # Engines hold the router in 32 bits (need_fp32_gate), and a figure per expert beside it.
    return Layer(tuple(linears), vectors, experts * (hidden_size + 1), 0, vectors + experts, caches)


def step_draft(config: Config) -> DraftModule:
    """MTP layers behind the last one, each with an output head of its own (vLLM 0.33.0 step3p5_mtp)."""
    first, count = config["num_hidden_layers"], config.get("num_nextn_predict_layers") or 0
    hidden_size, vocabulary = config["hidden_size"], config["vocab_size"]
    head = Linear(vocabulary, hidden_size, name="shared_head.head", whole=True)
    kinds, parts = _behind(config, "layer_types", "sliding_attention"), _behind(config, "mlp_layer_types", "dense")
    layers = []
    for number in range(count):
        place = {**config, "layer_types": [kinds[number]], "mlp_layer_types": [parts[number]]}
        layer = beside(step_layer(place, 0), [joining(config), head], 3 * hidden_size)
        layers.append((f"model.layers.{first + number}", layer))
    return DraftModule("MTP" if count else "", tuple(layers))


def _behind(config: Config, field: str, usual: str) -> list[str]:
    """What each MTP layer is: by the end of the list of all layers, or by a list of their own."""
    first, count = config["num_hidden_layers"], config.get("num_nextn_predict_layers") or 0
    said = [*(config.get(field) or [])[first:], *(config.get(f"mtp_{field}") or [])][:count]
    return said + [usual] * (count - len(said))


STEP_VISION: Mapping[str, Any] = {
    "width": 1536, "layers": 47, "heads": 16, "mlp_ratio": 8960 / 1536, "patch_size": 14, "image_size": 728,
    "use_abs_posemb": True, "use_ln_pre": True, "ls_init_value": 0.1,
}  # fmt: skip
"""What the class of Step-3.7's tower says of a field that a file leaves out."""


def step_tower(config: Config) -> int:
    """Step-3.7's perception encoder: layers with a scale behind each part, then two convolutions that shrink the image,
    each to twice the width, and a projection."""
    vision = {**STEP_VISION, **(config.get("vision_config") or {})}
    width, inner = vision["width"], round(vision["width"] * vision["mlp_ratio"])
    scales = 2 * width if vision["ls_init_value"] is not None else 0
    layer = 4 * (width + 1) * width + (width + 1) * inner + (inner + 1) * width + 2 * 2 * width + scales
    learned = 1 if vision.get("use_cls_token") else 0
    grid = (vision["image_size"] // vision["patch_size"]) ** 2
    positions = (grid + learned) * width if vision["use_abs_posemb"] else 0
    norms = 2 * width * (bool(vision["use_ln_pre"]) + bool(vision.get("use_ln_post")))
    patches = 3 * vision["patch_size"] ** 2 * width + learned * width
    shrunk = (9 * width + 1) * 2 * width + (9 * 2 * width + 1) * 4 * width
    projection = (4 * width + bool(config.get("projector_bias"))) * config["hidden_size"]
    return int(vision["layers"] * layer + patches + positions + norms + shrunk + projection)


def _step_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from contradicting_names(config, NAMES)
    yield from _step_vision_contradictions(config.get("vision_config") or {})
    yield from _step_layers_apart(config)
    setting = _other_setting(config)
    for name, here in (("num_attention_groups", "num_key_value_heads"), ("head_dim", "head_dim")):
        if setting.get(name) not in (None, config[here]):
            yield f"attention_other_setting.{name}", f"differs from {here}, which is not modelled"
    sliding = config.get("num_sliding_attention_heads")
    if setting.get("num_attention_heads") not in (None, sliding):
        yield "attention_other_setting.num_attention_heads", "contradicts num_sliding_attention_heads"
    if sliding and sliding % config["num_key_value_heads"]:
        yield "num_key_value_heads", "must divide the heads of layers with a window"
    listed = kinds_of_feed_forward(config)
    if listed is None and config.get("moe_layers_enum") is not None:
        yield "moe_layers_enum", "must be a list of layers"
    if listed is not None and listed != config["mlp_layer_types"][: config["num_hidden_layers"]]:
        yield "mlp_layer_types", "contradicts the layers that are listed as having experts"


def _step_layers_apart(config: Config) -> Iterator[tuple[str, str]]:
    """`per_layer_config` says nothing but the heads of layers with a window."""
    if config.get("per_layer_config") is None:
        return
    heads, sliding = config["num_attention_heads"], config.get("num_sliding_attention_heads")
    kinds = config["layer_types"][: config["num_hidden_layers"]]
    known = [(sliding or heads) if kind == "sliding_attention" else heads for kind in kinds]
    named = {name for fields in config["per_layer_config"].values() if isinstance(fields, dict) for name in fields}
    if named - {"num_attention_heads"} or of_layers(config, "num_attention_heads") != known:
        yield "per_layer_config", "says more than num_sliding_attention_heads does"


def _step_vision_contradictions(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, text in contradicting_names(said, VISION_NAMES):
        yield f"vision_config.{name}", text
    ratio = said.get("mlp_ratio")
    if not (ratio is None or (isinstance(ratio, int | float) and not isinstance(ratio, bool) and 0 < ratio < 1000)):
        yield "vision_config.mlp_ratio", "must be a number above 0"
        return
    vision = {**STEP_VISION, **said}
    if said.get("intermediate_size") not in (None, round(vision["width"] * vision["mlp_ratio"])):
        yield "vision_config.intermediate_size", "contradicts width x mlp_ratio"
    if vision["image_size"] % vision["patch_size"]:
        yield "vision_config.image_size", "must be a multiple of patch_size"
    elif said.get("max_position_embeddings") not in (None, (vision["image_size"] // vision["patch_size"]) ** 2):
        yield "vision_config.max_position_embeddings", "contradicts image_size and patch_size"


_MIMO_V2 = Architecture(
    "mimo-v2",
    "gqa",
    mimo_v2_layer,
    tower=mimo_v2_tower,
    contradictions=_mimo_v2_contradictions,
    draft=mimo_v2_draft,
)
_STEP = Architecture(
    "step-3.5",
    "gqa",
    step_layer,
    mixed=IN_16_BITS,
    read=step_fields,
    contradictions=_step_contradictions,
    draft=step_draft,
)
ARCHITECTURES = {
    "MiMoV2FlashForCausalLM": _MIMO_V2,
    "MiMoV2ForCausalLM": _MIMO_V2,
    "Step3p5ForCausalLM": _STEP,
    # Flat copies of Step-3.7-Flash's config leave its tower out, which its files have: it is as its class has it.
    "Step3p7FlashForCausalLM": replace(_STEP, tower=step_tower),
    "Step3p7ForConditionalGeneration": replace(_STEP, tower=step_tower),
}
