"""Multi-head latent attention (DeepSeek V2 and V3, Kimi K2, GLM-4.7-Flash, Mistral Small 4), with an indexer (V3.2,
GLM-5) or without.

Formulas: transformers deepseek_v2, deepseek_v3, deepseek_v32, glm_moe_dsa, glm4_moe_lite, mistral4,
longcat_flash; DeepSeek-V3.2-Exp
inference/model.py for the indexer; modeling_kimi_k25.py of moonshotai/Kimi-K2.5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from catalogs.architectures.base import (
    Architecture,
    Config,
    DraftModule,
    Names,
    contradicting_names,
    dense_feed_forward,
    feed_forward,
    layers_behind,
    no_draft,
    renamed,
    routed_experts,
)
from catalogs.architectures.towers import deepseek_vl2_tower, kimi_tower
from catalogs.transformer import Cache, Layer, Linear

VISION_NAMES: Names = {
    "vt_hidden_size": ("hidden_size",),
    "vt_intermediate_size": ("intermediate_size",),
    "vt_num_hidden_layers": ("num_hidden_layers",),
    "init_pos_emb_height": ("pos_emb_height",),
    "init_pos_emb_width": ("pos_emb_width",),
}
"""Name of a field of the vision tower in Moonshot's own files -> what transformers calls it."""
WITHOUT_ROUTING_BIAS = ("DeepseekV2ForCausalLM", "MistralLarge3ForCausalLM", "Mistral4ForCausalLM")


def latent_matrices(config: Config) -> list[Linear]:
    """Matrices of latent attention without indexer: down and up again for keys and values, queries, output."""
    hidden_size, heads, kv_lora_rank = config["hidden_size"], config["num_attention_heads"], config["kv_lora_rank"]
    qk_nope_head_dim, qk_rope_head_dim = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
    v_head_dim, q = config["v_head_dim"], config.get("q_lora_rank")
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
    return attention


def latent_cache(config: Config) -> Cache:
    """What latent attention without indexer keeps of a token: one for keys and values, and a key with positions."""
    heads, kv_lora_rank, rope = config["num_attention_heads"], config["kv_lora_rank"], config["qk_rope_head_dim"]
    absorbed = 2 * heads * (2 * kv_lora_rank + rope)
    direct = 2 * heads * (config["qk_nope_head_dim"] + rope + config["v_head_dim"])
    return Cache(2 * (kv_lora_rank + rope), kv_lora_rank + rope, absorbed, direct)


def latent_layer(config: Config, i: int) -> Layer:
    """A layer of latent attention, with an indexer where the config has one, and a feed-forward part."""
    hidden_size, kv_lora_rank, q = config["hidden_size"], config["kv_lora_rank"], config.get("q_lora_rank")
    attention, cache = latent_matrices(config), latent_cache(config)
    norms = 2 * hidden_size + kv_lora_rank + (q or 0)
    part = feed_forward(config, i, routing_bias=config["architectures"][0] not in WITHOUT_ROUTING_BIAS)
    linears, router, bias = part.linears, part.router, part.routing_bias
    if "index_head_dim" not in config:
        return Layer((*attention, *linears), norms + router, bias, 0, norms + bias, (cache,))
    packed = kv_lora_rank + kv_lora_rank // 128 * 4 + 2 * config["qk_rope_head_dim"]
    cache = replace(cache, fp8=packed, prefill=cache.decode, look=config["index_topk"])
    if not has_indexer(config, i):
        return Layer((*attention, *linears), norms + router, bias, 0, norms + bias, (cache,))
    width, count = config["index_head_dim"], config["index_n_heads"]
    attention.append(Linear(width * count, q or hidden_size, name="self_attn.indexer.wq_b"))
    attention.append(Linear(width, hidden_size, name="self_attn.indexer.wk"))
    keys = Cache(width + 4, width + 4, 2 * count * width, 2 * count * width)
    small = bias + 2 * width
    return Layer((*attention, *linears), norms + router + hidden_size * count, small, 0, norms + small, (cache, keys))


def has_indexer(config: Config, layer: int) -> bool:
    """Whether a layer chooses for itself which entries it attends; the others take the choice of the last that did.

    GLM-5.2 says it per layer (`indexer_types`); what that is made of are a pattern (F: chooses, S: shares) or every
    how many layers one chooses, and up to which layer all do."""
    if kinds := config.get("indexer_types"):
        return bool(kinds[layer] == "full")
    return _scheduled(config, layer)


SCHEDULES = ("indexer_types", "index_topk_pattern", "index_topk_freq", "index_skip_topk_offset")


def latent_draft(config: Config) -> DraftModule:
    """MTP layers, each with an indexer of its own where the model has one (GLM-5.2-FP8 names that of layer 78)."""
    return layers_behind({name: value for name, value in config.items() if name not in SCHEDULES}, latent_layer)


def _scheduled(config: Config, layer: int) -> bool:
    if pattern := config.get("index_topk_pattern"):
        return bool(pattern[layer] == "F")
    every, offset = int(config.get("index_topk_freq") or 1), config.get("index_skip_topk_offset")
    return max(layer - int(2 if offset is None else offset) + 1, 0) % every == 0


def _indexer_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    layers = range(config["num_hidden_layers"])
    pattern = config.get("index_topk_pattern") or ""
    if pattern and (set(pattern) - {"F", "S"} or len(pattern) < len(layers)):
        yield "index_topk_pattern", "must be one F or S per layer"
        return
    schedule = (config.get("index_topk_freq"), config.get("index_skip_topk_offset"))
    if (pattern or None not in schedule) and any(
        has_indexer(config, layer) != _scheduled(config, layer) for layer in layers
    ):
        yield "indexer_types", "contradicts the schedule beside it (index_topk_*, index_skip_topk_offset)"
    if not has_indexer(config, 0):
        yield "indexer_types", "must begin with a layer that has an indexer"


def latent_fields(config: Config) -> Config:
    """A config with the number of dense layers in front also where each layer's kind is listed instead."""
    kinds = config.get("mlp_layer_types")
    if config.get("first_k_dense_replace") is not None or not isinstance(kinds, list):
        return config
    dense = next((i for i, kind in enumerate(kinds) if kind != "dense"), len(kinds))
    return {**config, "first_k_dense_replace": dense}


def _kimi_fields(config: Config) -> Config:
    vision = config.get("vision_config")
    read = latent_fields(config)
    return {**read, "vision_config": renamed(vision, VISION_NAMES)} if isinstance(vision, dict) else read


def _kimi_vl_fields(config: Config) -> Config:
    """Kimi-VL, whose projector is as wide as its tower."""
    read = _kimi_fields(config)
    vision = read.get("vision_config")
    if not isinstance(vision, dict):
        return read
    return {**read, "vision_config": {**vision, "mm_hidden_size": vision.get("vt_hidden_size")}}


def vl2_layer(config: Config, i: int) -> Layer:
    """DeepSeek-VL2: V2's layers, with a bias of the routing in the largest."""
    biased = config.get("topk_method") == "noaux_tc"
    return latent_layer({**config, "architectures": [f"DeepseekV{3 if biased else 2}ForCausalLM"]}, i)


def _vl2_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    yield from latent_contradictions(config)
    if (config.get("projector_config") or {}).get("n_embed", 2048) != config["hidden_size"]:
        yield "projector_config.n_embed", "contradicts hidden_size"


def latent_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Widths and layers that are said twice and differ."""
    whole = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    if config.get("qk_head_dim") not in (None, whole):
        yield "qk_head_dim", "contradicts qk_nope_head_dim + qk_rope_head_dim"
    if kinds := config.get("mlp_layer_types"):
        dense = config["first_k_dense_replace"]
        layers = range(config["num_hidden_layers"])
        if any((kinds[layer] == "dense") != (layer < dense) for layer in layers):
            yield "mlp_layer_types", "contradicts first_k_dense_replace"


def _glm_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    yield from latent_contradictions(config)
    if config.get("num_experts") not in (None, config["n_routed_experts"]):
        yield "num_experts", "contradicts n_routed_experts"
    yield from _indexer_contradictions(config)


def _kimi_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    vision = config["vision_config"]
    yield from latent_contradictions(config)
    for name, text in contradicting_names(vision, VISION_NAMES):
        yield f"vision_config.{name}", text
    if config.get("projection_hidden_size") not in (None, vision["mm_hidden_size"]):
        yield "projection_hidden_size", "contradicts vision_config.mm_hidden_size"
    if vision["vt_hidden_size"] != vision["mm_hidden_size"]:
        yield "vision_config.mm_hidden_size", "contradicts vt_hidden_size"
    if vision.get("text_hidden_size") not in (None, config["hidden_size"]):
        yield "vision_config.text_hidden_size", "contradicts hidden_size"


# LongCat --------------------------------------------------------------------------------------------------------------

LONGCAT_NAMES: Names = {
    "num_hidden_layers": ("num_layers",),
    "intermediate_size": ("ffn_hidden_size",),
    "moe_intermediate_size": ("expert_ffn_hidden_size",),
}


def longcat_fields(config: Config) -> Config:
    """LongCat-Flash under common names.

    Of the experts that a token chooses some do nothing (`zero_expert_num`): their share of all is counted as not
    chosen, as if each were chosen as often."""
    found = dict(renamed(config, LONGCAT_NAMES))
    chosen, experts, idle = (config.get(name) for name in ("moe_topk", "n_routed_experts", "zero_expert_num"))
    if (
        found.get("num_experts_per_tok") is None
        and isinstance(chosen, int)
        and isinstance(experts, int)
        and experts > 0
    ):
        found["num_experts_per_tok"] = -(-chosen * experts // (experts + (idle if isinstance(idle, int) else 0)))
    return found


def longcat_layer(config: Config, i: int) -> Layer:
    """Two latent attentions, each with a dense feed-forward part behind it, and experts beside the second half."""
    hidden_size, experts = config["hidden_size"], config["n_routed_experts"]
    attention, cache = latent_matrices(config), latent_cache(config)
    linears = [*attention, *attention]
    linears += 2 * dense_feed_forward(hidden_size, config["intermediate_size"], "mlps.0")
    linears += routed_experts(hidden_size, config["moe_intermediate_size"], experts)
    norms = 2 * (2 * hidden_size + config["kv_lora_rank"] + config["q_lora_rank"])
    choices = experts + config["zero_expert_num"]
    fp32 = choices * hidden_size + choices  # the router, and a figure per expert beside it
    return Layer(tuple(linears), norms, fp32, 0, norms + choices, (cache, cache), parts=4)


def _longcat_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    yield from contradicting_names(config, LONGCAT_NAMES)
    whole = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    if config.get("qk_head_dim") not in (None, whole):
        yield "qk_head_dim", "contradicts qk_nope_head_dim + qk_rope_head_dim"
    experts = config["n_routed_experts"]
    if config["moe_topk"] * experts % (experts + config["zero_expert_num"]):
        yield "moe_topk", "does not give a whole number of experts that a token uses on average"


_LATENT = Architecture(
    "deepseek-v3", "mla", latent_layer, read=latent_fields, contradictions=latent_contradictions, draft=latent_draft
)
ARCHITECTURES = {
    "DeepseekV2ForCausalLM": replace(_LATENT, name="deepseek-v2", draft=no_draft),
    "DeepseekV3ForCausalLM": _LATENT,
    "DeepseekV32ForCausalLM": replace(_LATENT, name="deepseek-v3.2", attention="dsa"),
    "LongcatFlashForCausalLM": Architecture(
        "longcat-flash", "mla", longcat_layer, read=longcat_fields, contradictions=_longcat_contradictions
    ),
    "Mistral4ForCausalLM": replace(_LATENT, name="mistral-4", draft=no_draft),
    "Glm4MoeLiteForCausalLM": replace(_LATENT, name="glm-4.7-flash"),
    "GlmMoeDsaForCausalLM": replace(_LATENT, name="glm-5", attention="dsa", contradictions=_glm_contradictions),
    "DeepseekVLV2ForCausalLM": replace(
        _LATENT,
        name="deepseek-vl2",
        build=vl2_layer,
        tower=deepseek_vl2_tower,
        contradictions=_vl2_contradictions,
        draft=no_draft,
    ),
    "KimiVLForConditionalGeneration": replace(
        _LATENT,
        name="kimi-vl",
        tower=kimi_tower,
        read=_kimi_vl_fields,
        contradictions=_kimi_contradictions,
        draft=no_draft,
    ),
    "KimiK25ForConditionalGeneration": replace(
        _LATENT, name="kimi-k2", tower=kimi_tower, read=_kimi_fields, contradictions=_kimi_contradictions
    ),
}
