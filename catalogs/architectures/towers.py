"""Parameters of vision towers: what turns images into tokens of the language model, idle while text is made.

Formulas: transformers qwen2_vl, qwen2_5_vl, qwen2_5_omni, qwen3_vl, qwen3_omni_moe, llama4, minimax_m3_vl;
modeling_kimi_k25.py of moonshotai/Kimi-K2.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalogs.architectures.base import Config


def dense(into: int, out: int, *, bias: bool = True) -> int:
    """Parameters of one matrix with its bias."""
    return into * out + (out if bias else 0)


def encoder_layer(width: int, feed_forward: int) -> int:
    """A layer of a plain vision transformer: queries, keys, values, output, two matrices and two norms, all biased."""
    attention = dense(width, 3 * width) + dense(width, width)
    return attention + dense(width, feed_forward) + dense(feed_forward, width) + 2 * 2 * width


def qwen3_tower(config: Config) -> int:
    """The tower of Qwen3-VL and its kin, with a merger of patches after it and one after each of the layers that also
    feed the first layers of the language model."""
    vision: dict[str, int] = config["vision_config"]
    width, out = vision["hidden_size"], vision["out_hidden_size"]
    patch = vision["in_channels"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2
    merged = width * vision["spatial_merge_size"] ** 2
    merger = dense(merged, merged) + dense(merged, out)
    early = len(config["vision_config"].get("deepstack_visual_indexes") or ())
    return (
        dense(patch, width)
        + vision["num_position_embeddings"] * width
        + vision["depth"] * encoder_layer(width, vision["intermediate_size"])
        + (merger + 2 * width)
        + early * (merger + 2 * merged)
    )


def whole_patches(config: Config) -> Iterator[tuple[str, str]]:
    """An image that patches with positions of their own do not fill."""
    vision: dict[str, int] = config.get("vision_config") or {}
    if vision and vision["image_size"] % vision["patch_size"]:
        yield "vision_config.image_size", "must be a multiple of patch_size"


def qwen2_tower(config: Config) -> int:
    """The tower of Qwen2-VL: a plain one, whose merger puts out `hidden_size`."""
    vision: dict[str, Any] = config["vision_config"]
    width, inner = vision["embed_dim"], int(vision["embed_dim"] * vision["mlp_ratio"])
    channels = vision.get("in_channels") or vision["in_chans"]
    patch = channels * vision["temporal_patch_size"] * vision["patch_size"] ** 2 * width
    merged = width * vision["spatial_merge_size"] ** 2
    merger = 2 * width + dense(merged, merged) + dense(merged, vision["hidden_size"])
    return int(patch + vision["depth"] * encoder_layer(width, inner) + merger)


def qwen25_tower(config: Config) -> int:
    """The tower of Qwen2.5-VL: gated layers with biases, norms without."""
    vision: dict[str, Any] = config["vision_config"]
    width, inner = vision["hidden_size"], vision["intermediate_size"]
    channels = vision.get("in_channels") or vision["in_chans"]
    patch = channels * vision["temporal_patch_size"] * vision["patch_size"] ** 2 * width
    attention = dense(width, 3 * width) + dense(width, width)
    layer = attention + 2 * dense(width, inner) + dense(inner, width) + 2 * width
    merged = width * vision["spatial_merge_size"] ** 2
    merger = width + dense(merged, merged) + dense(merged, vision["out_hidden_size"])
    return int(patch + vision["depth"] * layer + merger)


def hearing_layers(audio: dict[str, int], *, biased_keys: bool) -> int:
    """The layers of an audio tower and the norm behind them: Whisper's, whose keys have no biases, or near to them."""
    width, inner = audio["d_model"], audio["encoder_ffn_dim"]
    attention = 4 * dense(width, width) - (0 if biased_keys else width)
    layer = attention + dense(width, inner) + dense(inner, width) + 4 * width
    return audio["encoder_layers"] * layer + 2 * width


def qwen25_omni_tower(config: Config) -> int:
    """Vision and audio towers of Qwen2.5-Omni."""
    audio: dict[str, int] = config["audio_config"]
    width, out = audio["d_model"], audio["output_dim"]
    convolutions = 3 * width * (audio["num_mel_bins"] + width) + 2 * width
    ends = 2 * out  # embeddings of begin and end
    return qwen25_tower(config) + convolutions + hearing_layers(audio, biased_keys=False) + ends + dense(width, out)


def qwen3_omni_tower(config: Config) -> int:
    """Vision and audio towers of Qwen3-Omni."""
    audio: dict[str, int] = config["audio_config"]
    width, channels, bins = audio["d_model"], audio["downsample_hidden_size"], audio["num_mel_bins"]
    for _ in range(3):
        bins = (bins + 1) // 2
    convolutions = 9 * channels * (1 + 2 * channels) + 3 * channels + channels * bins * width
    projector = dense(width, width) + dense(width, audio["output_dim"])
    return qwen3_tower(config) + convolutions + hearing_layers(audio, biased_keys=True) + projector


def deepseek_vl2_tower(config: Config) -> int:
    """SigLIP so400m, 27 x 27 patches of 14 x 14, whatever else a config says of it (vLLM 0.33.0 deepseek_vl2.py creates
    timm's by name), with a projector and two vectors that part lines and views."""
    projector: dict[str, int] = config.get("projector_config") or {}
    width, inner, layers, patch = 1152, 4304, 27, 14
    out, ratio = projector.get("n_embed", 2048), projector.get("mlp_ratio", 1)
    merged, hidden = width * projector.get("downsample_ratio", 2) ** 2, out * ratio
    between = max(0, projector.get("depth", 2) - 2) * dense(hidden, hidden)
    siglip = dense(3 * patch**2, width) + 27**2 * width + layers * encoder_layer(width, inner) + 2 * width
    return siglip + dense(merged, hidden) + between + dense(hidden, out) + 2 * out


def kimi_tower(config: Config) -> int:
    """MoonViT of Kimi K2.5 and later, with its projector."""
    vision: dict[str, int] = config["vision_config"]
    width = vision["vt_hidden_size"]
    positions = vision["init_pos_emb_height"] * vision["init_pos_emb_width"] * width
    encoder = vision["vt_num_hidden_layers"] * encoder_layer(width, vision["vt_intermediate_size"])
    rows, columns = config["vision_config"]["merge_kernel_size"]
    merged = vision["mm_hidden_size"] * rows * columns
    projector = 2 * vision["mm_hidden_size"] + dense(merged, merged) + dense(merged, config["hidden_size"])
    return dense(3 * vision["patch_size"] ** 2, width) + positions + encoder + 2 * width + projector


LLAMA4_VISION = {
    "hidden_size": 1408, "intermediate_size": 5632, "num_hidden_layers": 34, "num_channels": 3, "patch_size": 14,
    "image_size": 336, "vision_output_dim": 4096, "projector_input_dim": 4096, "projector_output_dim": 4096,
}  # fmt: skip
"""vision_config of meta-llama/Llama-4-Scout-17B-16E-Instruct and Llama-4-Maverick-17B-128E-Instruct, which is the same:
what a config is taken to have that leaves it out (copies that keep the language model's fields alone)."""


def llama4_tower(config: Config) -> int:
    """The tower of Llama 4, with the adapter that shuffles pixels and the projector."""
    vision: dict[str, int] = {**LLAMA4_VISION, **(config.get("vision_config") or {})}
    width = vision["hidden_size"]
    positions = ((vision["image_size"] // vision["patch_size"]) ** 2 + 1 + 1) * width  # one of them a learned token
    adapter = dense(vision["intermediate_size"], vision["projector_input_dim"], bias=False)
    adapter += dense(vision["projector_output_dim"], vision["projector_output_dim"], bias=False)
    return (
        dense(vision["num_channels"] * vision["patch_size"] ** 2, width, bias=False)
        + positions
        + vision["num_hidden_layers"] * encoder_layer(width, vision["intermediate_size"])
        + 2 * 2 * width
        + adapter
        + dense(vision["vision_output_dim"], config["hidden_size"], bias=False)
    )


def minimax_tower(config: Config) -> int:
    """The tower of MiniMax-M3: patches of two frames without positions, and a projector of four matrices that merges
    neighbouring patches between the second and the third."""
    vision = config["vision_config"]
    width, hidden_size, projected = vision["hidden_size"], config["hidden_size"], config["projector_hidden_size"]
    compression = vision["img_token_compression_config"]
    patch = vision["num_channels"] * compression["temporal_patch_size"] * vision["patch_size"] ** 2
    encoder = vision["num_hidden_layers"] * encoder_layer(width, vision["intermediate_size"])
    merged = hidden_size * compression["spatial_merge_size"] ** 2
    projector = dense(width, projected) + dense(merged, projected) + 2 * dense(projected, hidden_size)
    return int(dense(patch, width, bias=False) + 2 * width + encoder + projector)


def pixtral_tower(config: Config) -> int:
    """Mistral's tower of gated layers without biases, with a merger of patches and a projector of two matrices."""
    vision: dict[str, int] = config["vision_config"]
    width, hidden_size = vision["hidden_size"], int(config["hidden_size"])
    heads = vision["num_attention_heads"] * (vision.get("head_dim") or width // vision["num_attention_heads"])
    layer = 4 * width * heads + 3 * width * vision["intermediate_size"] + 2 * width
    merged = width * int(config["spatial_merge_size"]) ** 2
    projector = width + merged * width + width * hidden_size + hidden_size**2
    patch = vision["num_channels"] * vision["patch_size"] ** 2
    return patch * width + width + vision["num_hidden_layers"] * layer + projector


def glm_tower(config: Config) -> int:
    """The tower of GLM-4.5V and 4.6V: gated layers without biases, then a merger that is gated too. The layers are as
    wide inside as the language model, and the merger as `intermediate_size` says."""
    vision: dict[str, int] = config["vision_config"]
    width, out = vision["hidden_size"], vision["out_hidden_size"]
    patch = vision["in_channels"] * vision["temporal_patch_size"] * vision["patch_size"] ** 2
    positions = (vision["image_size"] // vision["patch_size"]) ** 2 * width
    layer = 4 * width**2 + 3 * width * out + 2 * width
    shrunk = dense(width * vision["spatial_merge_size"] ** 2, out)
    merger = out**2 + 2 * out + 3 * out * vision["intermediate_size"]
    return dense(patch, width) + positions + vision["depth"] * layer + 2 * width + shrunk + merger


def kimi_k3_tower(config: Config) -> int:
    """MoonViT of Kimi K3: attention wider than the tower, no biases, norms without shift; with its projector."""
    vision: dict[str, Any] = config["vision_config"]
    width, inner = vision["vt_hidden_size"], vision["qkv_hidden_size"]
    encoder = 4 * width * inner + 2 * width * vision["vt_intermediate_size"] + 2 * width
    positions = vision["init_pos_emb_height"] * vision["init_pos_emb_width"] * width
    rows, columns = vision["merge_kernel_size"]
    merged, hidden_size = vision["mm_hidden_size"] * rows * columns, config["hidden_size"]
    projector = merged * merged + merged * hidden_size + hidden_size
    patches = 3 * vision["patch_size"] ** 2 * width
    return int(patches + positions + vision["vt_num_hidden_layers"] * encoder + width + projector)
