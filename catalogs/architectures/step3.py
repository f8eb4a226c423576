"""Step3: queries out of a narrow vector that all heads share, one head of keys and values; experts with a shared one.

Formulas: vLLM 0.33.0 step3_text and step3_vl."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.architectures.base import (
    Architecture,
    Config,
    Names,
    contradicting_names,
    dense_feed_forward,
    head_dim_of,
    no_tower,
    renamed,
    routed_experts,
)
from catalogs.architectures.towers import dense, encoder_layer, whole_patches
from catalogs.architectures.windowed import NAMES, kinds_of_feed_forward
from catalogs.transformer import Cache, Layer, Linear

LONGEST: Names = {"max_position_embeddings": ("max_position_embedding", "max_seq_len")}
"""Common name of the longest context -> what StepFun's files call it."""


def step3_layer(config: Config, i: int) -> Layer:
    """The narrow queries, the keys and the values lie whole on each rank, as does what is kept of them; the matrix that
    widens the queries to all heads is split."""
    hidden_size, heads, width = config["hidden_size"], config["num_attention_heads"], head_dim_of(config)
    narrow = config.get("share_q_dim") or width
    linears = [
        Linear(narrow, hidden_size, name="self_attn.q_proj", copied=True),
        Linear(width, hidden_size, 2, name="self_attn.k_proj", copied=True),
        Linear(heads * width, narrow, name="self_attn.wq"),
        Linear(hidden_size, heads * width, name="self_attn.o_proj"),
    ]
    work = 4 * heads * width
    caches = (Cache(4 * width, 2 * width, work, work, heads=1),)
    vectors = 2 * hidden_size + narrow
    if config["mlp_layer_types"][i] == "dense":
        linears += dense_feed_forward(hidden_size, config["intermediate_size"])
        return Layer(tuple(linears), vectors, vectors=vectors, caches=caches)
    experts = config["n_routed_experts"]
    linears += routed_experts(hidden_size, config["moe_intermediate_size"], experts, name="moe")
    linears += dense_feed_forward(hidden_size, config["share_expert_dim"], "share_expert")
    return Layer(tuple(linears), vectors + experts * hidden_size, vectors=vectors, caches=caches)


def step3_tower(config: Config) -> int:
    """A plain vision transformer with a vector for the whole image and no norm behind its layers, two convolutions that
    shrink the image, and a projection."""
    vision: dict[str, Any] = config["vision_config"]
    width, out = vision["hidden_size"], vision["output_hidden_size"]
    positions = (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    embeddings = dense((vision.get("num_channels") or 3) * vision["patch_size"] ** 2, width) + (positions + 1) * width
    layers = vision["num_hidden_layers"] * encoder_layer(width, vision["intermediate_size"])
    shrunk = dense(2**2 * width, out) + dense(3**2 * out, 2 * out)
    projection = dense(2 * out, config["hidden_size"], bias=config.get("projector_bias") is not False)
    return int(embeddings + layers + shrunk + projection)


def step3_fields(config: Config) -> Config:
    """A config under common names, with the kind of each layer's feed-forward part: experts behind the first layer
    where none are listed."""
    found = dict(renamed(config, {**NAMES, **LONGEST}))
    if found.get("num_key_value_heads") is None:
        found["num_key_value_heads"] = 1
    if found.get("mlp_layer_types") is None:
        listed = config if config.get("moe_layers_enum") is not None else {**config, "first_k_dense_replace": 1}
        found["mlp_layer_types"] = kinds_of_feed_forward(listed)
    return found


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from contradicting_names(config, NAMES)
    if config["mlp_layer_types"] is None:
        yield "moe_layers_enum", "must be a list of layers"
    elif config.get("moe_layers_enum") is not None and kinds_of_feed_forward(config) != config["mlp_layer_types"]:
        yield "mlp_layer_types", "contradicts moe_layers_enum"
    if config.get("vision_config"):
        yield from whole_patches(config)


_STEP3 = Architecture("step-3", "gqa", step3_layer, read=step3_fields, contradictions=_contradictions, tower=no_tower)
ARCHITECTURES = {
    "Step3TextForCausalLM": _STEP3,
    "Step3VLForConditionalGeneration": Architecture(
        "step-3", "gqa", step3_layer, read=step3_fields, contradictions=_contradictions, tower=step3_tower
    ),
}
