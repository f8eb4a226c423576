"""ERNIE 4.5 VL: experts for text and for what is seen, in the spelling of transformers and in Baidu's own."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs import registry
from catalogs.config_check import faults
from tests.catalogs.test_open_families import model, rounded

CONFIG: dict[str, Any] = json.loads((Path(registry.DATA) / "ernie-4.5-vl-28b-a3b.json").read_text(encoding="utf-8"))
OWN: dict[str, Any] = {
    "architectures": ["Ernie4_5_VLMoeForConditionalGeneration"], "model_type": "ernie4_5_moe_vl", "hidden_size": 2560,
    "intermediate_size": 12288, "num_hidden_layers": 28, "num_attention_heads": 20, "num_key_value_heads": 4,
    "vocab_size": 103424, "moe_num_experts": [64, 64], "moe_intermediate_size": [1536, 512], "moe_k": 6,
    "moe_layer_start_index": [1, 1], "moe_layer_end_index": [29, 28], "moe_layer_interval": 1,
    "moe_num_shared_experts": 2, "max_position_embeddings": 131072, "tie_word_embeddings": True,
    "pixel_hidden_size": 1280, "spatial_conv_size": 2, "temporal_conv_size": 2, "use_temporal_conv": True,
    "vision_config": {"depth": 32, "embed_dim": 1280, "hidden_size": 1280, "mlp_ratio": 4, "num_heads": 16,
                      "in_channels": 3, "patch_size": 14, "spatial_merge_size": 2, "hidden_act": "quick_gelu"},
}  # fmt: skip
"""Sizes as public code that reads the checkpoint of 28B quotes them (its layers, experts and widths), with the tower of
the class in transformers under the names that vLLM 0.33.0 reads."""


def test_as_large_as_its_makers_say() -> None:
    """28B with 3B active, as the name says: 28.7B without the tower of what sees."""
    llm = registry.get("baidu/ERNIE-4.5-VL-28B-A3B-PT")
    text = registry.get("ernie-4.5-21b-a3b")
    assert faults(CONFIG) == []
    assert llm.params_total - llm.tower_params == text.params_total
    seeing = 27 * 64 * (3 * 2560 * 512 + 2560 + 1)
    assert int((text.params_total + seeing) / 1e9) == 28
    assert 0 < llm.tower_params - seeing < 1e9
    assert rounded(llm.params_active, "3B") == "3B"
    assert llm.kv_bytes(1, "bf16") == 28 * 2 * 2 * 4 * 128


def test_both_spellings_count_the_same() -> None:
    assert faults(OWN) == []
    assert model(OWN).params_total == model(CONFIG).params_total
    assert model(OWN).tower_params == model(CONFIG).tower_params


def test_experts_for_what_is_seen_count_with_the_tower() -> None:
    wider = copy.deepcopy(CONFIG)
    wider["text_config"]["moe_intermediate_size"] = [1536, 513]
    more = model(wider)
    assert more.tower_params - model(CONFIG).tower_params == 27 * 64 * 3 * 2560
    assert more.params_active == model(CONFIG).params_active


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"moe_intermediate_size": 1536}, "vision_moe_intermediate_size"),
        ({"use_bias": True}, "use_bias"),
        ({"moe_use_token_type_bias": True}, "moe_use_token_type_bias"),
        ({"vision_config": OWN["vision_config"] | {"embed_dim": 1152}}, "vision_config.embed_dim"),
        ({"vision_config": OWN["vision_config"] | {"mlp_ratio": None}}, "vision_config.intermediate_size"),
    ],
)
def test_what_is_not_counted_is_named(changes: dict[str, Any], column: str) -> None:
    assert column in {fault.column for fault in faults(OWN | changes)}
