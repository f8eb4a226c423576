"""DeepSeek-OCR: DeepSeek-V2's experts behind attention that keeps keys and values, beside two towers.

Formulas: vLLM 0.33.0 deepseek_v2.py (DeepseekAttention), deepseek_ocr.py and deepencoder.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalogs.architectures.base import Architecture, Config, feed_forward
from catalogs.architectures.grouped_families import grouped_attention, layer_of
from catalogs.architectures.towers import dense, encoder_layer
from catalogs.transformer import Layer

TOWERS: Mapping[str, Mapping[str, Any]] = {
    "clip-l-14-224": {"heads": 16, "image_size": 224, "layers": 24, "patch_size": 14, "width": 1024},
    "sam_vit_b": {
        "downsample_channels": [512, 1024], "global_attn_indexes": [2, 5, 8, 11], "heads": 12, "layers": 12,
        "width": 768,
    },
}  # fmt: skip
"""The two towers that engines create, as configs describe them."""


def ocr_layer(config: Config, i: int) -> Layer:
    return layer_of(config, grouped_attention(config), feed_forward(config, i))


def ocr_tower(config: Config) -> int:
    """SAM's encoder of images, which feeds CLIP's layers; a matrix that joins what both see, and two vectors that part
    lines and views."""
    out = config["hidden_size"]
    joined = TOWERS["clip-l-14-224"]["width"] + TOWERS["sam_vit_b"]["downsample_channels"][-1]
    return int(_sam() + _clip() + dense(joined, out) + 2 * out)


def _sam() -> int:
    """16 x 16 patches of images of 1024; layers with positions relative to windows of 14, four of them to all; a neck,
    and two convolutions that halve each side."""
    sam, patch, grid, window, neck = TOWERS["sam_vit_b"], 16, 64, 14, 256
    width, layers, every = sam["width"], sam["layers"], len(sam["global_attn_indexes"])
    head = width // sam["heads"]
    positions = 2 * head * (every * (2 * grid - 1) + (layers - every) * (2 * window - 1))
    embeddings = dense(3 * patch**2, width) + grid**2 * width
    necks = dense(width, neck, bias=False) + 9 * neck**2 + 2 * 2 * neck
    between, last = sam["downsample_channels"]
    halving = 9 * neck * between + 9 * between * last
    return int(embeddings + layers * encoder_layer(width, 4 * width) + positions + necks + halving)


def _clip() -> int:
    """CLIP with a vector for the whole image, a norm before its layers and none behind them."""
    clip = TOWERS["clip-l-14-224"]
    width, patch = clip["width"], clip["patch_size"]
    positions = (clip["image_size"] // patch) ** 2 + 2
    embeddings = dense(3 * patch**2, width, bias=False) + positions * width
    return int(embeddings + 2 * width + clip["layers"] * encoder_layer(width, 4 * width))


def _contradictions(config: Config) -> Iterable[tuple[str, str]]:
    for name, tower in TOWERS.items():
        if (config["vision_config"].get("width") or {}).get(name) != tower:
            yield "vision_config.width", f"must describe {name} as engines create it"
    if config["projector_config"].get("n_embed") != config["hidden_size"]:
        yield "projector_config.n_embed", "contradicts hidden_size"


ARCHITECTURES = {
    "DeepseekOCRForCausalLM": Architecture(
        "deepseek-ocr", "gqa", ocr_layer, tower=ocr_tower, contradictions=_contradictions
    )
}
