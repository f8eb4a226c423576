"""ERNIE 4.5 VL: ERNIE's experts for text, as many narrower ones for what is seen in the same layers, and a tower.

Text runs through the first ones alone: the others are counted with the tower, in 16 bits and idle while text is made.
Formulas: transformers 5.24.0 ernie4_5_vl_moe; vLLM 0.33.0 ernie45_vl and ernie45_vl_moe for the spelling of Baidu's own
files, which say experts, widths and layers once for each of both."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.architectures.base import Architecture, Config, Names, contradicting_names, experts_of, renamed
from catalogs.architectures.grouped_experts import ernie_fields, ernie_layer, experts_contradictions
from catalogs.architectures.towers import dense, encoder_layer

VISION_NAMES: Names = {"hidden_size": ("embed_dim",), "in_channels": ("in_chans",)}
"""Name of a field of the tower in transformers -> what Baidu's files call it."""
MERGING: Names = {"spatial_merge_size": ("spatial_conv_size",), "temporal_merge_size": ("temporal_conv_size",)}
"""The same of what joins patches, which Baidu's files say beside the tower."""
FOR_EACH = ("moe_num_experts", "num_experts", "moe_layer_start_index", "moe_layer_end_index")
WIDTH = "moe_intermediate_size"


def vl_fields(config: Config) -> Config:
    """A config that says of text alone what files say of text and of what is seen."""
    found: dict[str, Any] = dict(config)
    for name in FOR_EACH:
        if isinstance(found.get(name), list) and found[name]:
            found[name] = found[name][0]
    last, layers = found.get("moe_layer_end_index"), found.get("num_hidden_layers")
    if isinstance(last, int) and isinstance(layers, int):
        found["moe_layer_end_index"] = min(last, layers - 1)
    widths = found.get(WIDTH)
    if isinstance(widths, list) and len(widths) == 2:
        found[WIDTH], found["vision_moe_intermediate_size"] = widths
    vision = found.get("vision_config")
    if isinstance(vision, dict):
        vision = dict(renamed(vision, VISION_NAMES))
        for name, others in MERGING.items():
            if vision.get(name) is None:
                vision[name] = next((found[other] for other in others if found.get(other) is not None), 2)
        ratio, width = vision.get("mlp_ratio"), vision.get("hidden_size")
        if vision.get("intermediate_size") is None and isinstance(ratio, int) and isinstance(width, int):
            vision["intermediate_size"] = ratio * width
        found["vision_config"] = vision
    return ernie_fields(found)


def vl_tower(config: Config) -> int:
    """A plain tower without positions of its own; what joins patches and frames; the experts for what is seen."""
    vision, hidden_size = config["vision_config"], config["hidden_size"]
    width, side, frames = vision["hidden_size"], vision["spatial_merge_size"], vision["temporal_merge_size"]
    patches = dense((vision.get("in_channels") or 3) * vision["patch_size"] ** 2, width, bias=False)
    layers = vision["depth"] * encoder_layer(width, vision["intermediate_size"]) + 2 * width
    joined = width * side**2
    joining = dense(joined, joined) + dense(joined, joined) + 2 * joined
    if config.get("use_temporal_conv") is not False:
        joining += dense(joined * frames, joined) + dense(joined, joined) + 2 * joined
    projection = dense(joined, hidden_size) + hidden_size
    return int(patches + layers + joining + projection + _seeing_experts(config))


def _seeing_experts(config: Config) -> int:
    experts, sparse = experts_of(config), config["mlp_layer_types"].count("sparse")
    each = 3 * config["hidden_size"] * config["vision_moe_intermediate_size"]
    return int(sparse * experts * (each + config["hidden_size"] + 1))


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from experts_contradictions(config)
    for name, text in contradicting_names(config["vision_config"], VISION_NAMES):
        yield f"vision_config.{name}", text


_VL = Architecture("ernie-4.5-vl", "gqa", ernie_layer, read=vl_fields, contradictions=_contradictions, tower=vl_tower)
ARCHITECTURES = {
    "Ernie4_5_VLMoeForConditionalGeneration": _VL,
    "Ernie4_5_VL_MoeForConditionalGeneration": _VL,
}
