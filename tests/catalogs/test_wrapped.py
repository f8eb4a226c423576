"""Models that see or hear around a language model: the language model is counted as by itself, the rest as bytes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs.architectures.wrapped import LANGUAGE_MODELS, WRAPPERS
from catalogs.config_check import faults
from catalogs.llm import ARCHITECTURES, get
from tests.catalogs.test_open_families import CONFIGS, model

DEFAULTS = Path(__file__).parents[1] / "data" / "class_defaults"
INTERN: dict[str, Any] = CONFIGS["OpenGVLab--InternVL3-1B"]


def of_class(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DEFAULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_the_language_model_is_counted_as_by_itself() -> None:
    seeing, alone = model(INTERN), model({**INTERN["llm_config"], "tie_word_embeddings": False})
    assert seeing.params_total == 938_193_024 and seeing.tower_params == 308_495_104
    assert seeing.params_total - seeing.tower_params == alone.params_total
    assert (seeing.architecture, alone.architecture) == ("internvl", "qwen2")
    assert seeing.kv_bytes(1000, "bf16") == alone.kv_bytes(1000, "bf16")
    assert seeing.params_active == alone.params_active and seeing.weight_bytes("bf16") > alone.weight_bytes("bf16")


def test_both_spellings_of_internvl_are_one_model() -> None:
    vision = dict(INTERN["vision_config"])
    new = {name: vision[name] for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "norm_type")}
    new |= {"attention_bias": True, "use_qk_norm": False, "image_size": [448, 448], "patch_size": [14, 14]}
    config = {
        "architectures": ["InternVLForConditionalGeneration"], "text_config": INTERN["llm_config"],
        "vision_config": new, "downsample_ratio": 0.5, "tie_word_embeddings": False,
    }  # fmt: skip
    assert faults(config) == [] and model(config).params_total == model(INTERN).params_total


@pytest.mark.parametrize(
    ("changes", "column", "text"),
    [
        ({"llm_config": {"architectures": ["SomethingNew"]}}, "", "language model is not understood"),
        (
            {"llm_config": {"architectures": None, "model_type": "something_new"}},
            "",
            "language model is not understood",
        ),
        ({"vision_config": {"use_moe": True}}, "vision_config.use_moe", "must be false"),
        ({"vision_config": {"image_size": 224}}, "force_image_size", "contradicts"),
        ({"vision_config": {"patch_size": [14, 16]}}, "vision_config.patch_size", "twice the same"),
        ({"vision_config": {"surprise": 3}}, "vision_config.surprise", "no rule"),
        ({"llm_config": {"surprise": 3}}, "surprise", "no rule"),
        ({"downsample_ratio": 0.3}, "downsample_ratio", "must be"),
    ],
)
def test_what_is_not_understood_is_named(changes: dict[str, Any], column: str, text: str) -> None:
    config = copy.deepcopy(INTERN)
    for name, value in changes.items():
        config[name] = {**config[name], **value} if isinstance(value, dict) else value
    found = faults(config)
    assert [fault.column for fault in found] == [column] and text in str(found[0])


def test_the_class_says_which_language_model_it_is_where_the_config_does_not() -> None:
    config = of_class("llava")
    kind = config["text_config"].pop("model_type")
    config["text_config"].pop("architectures", None)
    assert kind == "llama" and model(config).params_total == model(of_class("llava")).params_total


def test_every_language_model_that_is_named_is_read() -> None:
    assert set(LANGUAGE_MODELS.values()) <= set(ARCHITECTURES)
    assert {wrapper.usual for wrapper in WRAPPERS.values()} <= set(LANGUAGE_MODELS)
    assert not set(WRAPPERS) & set(ARCHITECTURES)
    assert get("qwen3-8b").tower_params == 0
