"""Step3: narrow queries that all heads share, one head of keys and values, and a tower of EVA2-CLIP's size."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs import registry
from catalogs.config_check import faults
from tests.catalogs.test_open_families import model, rounded

CONFIG: dict[str, Any] = json.loads((Path(registry.DATA) / "step3.json").read_text(encoding="utf-8"))
TEXT = {**CONFIG["text_config"], "architectures": ["Step3TextForCausalLM"], "tie_word_embeddings": False}


def test_as_large_as_its_makers_say() -> None:
    """321B of parameters, 316B without what sees, 38B of them active (README of stepfun-ai/Step3)."""
    llm = registry.get("stepfun-ai/step3")
    assert faults(CONFIG) == []
    assert rounded(llm.params_total, "321B") == "321B" and rounded(llm.params_active, "38B") == "38B"
    assert rounded(llm.params_total - llm.tower_params, "316B") == "316B"
    assert llm.kv_bytes(1, "bf16") == 61 * 2 * 256 * 2


def test_every_rank_holds_the_one_head_of_keys() -> None:
    llm = registry.get("step3")
    assert llm.kv_rank_bytes(1000, "bf16", 8) == llm.kv_bytes(1000, "bf16")


def test_the_language_model_alone_is_read() -> None:
    assert faults(TEXT) == []
    assert model(TEXT).params_total == model(CONFIG).params_total - model(CONFIG).tower_params


def test_experts_begin_behind_the_first_layer_where_none_are_listed() -> None:
    """As vLLM reads a config without `moe_layers_enum`; a list may be one, or a text."""
    listed = TEXT | {"moe_layers_enum": list(range(4, 60))}
    assert faults(listed) == [] and model(listed).params_total == model(TEXT).params_total
    unsaid = {name: value for name, value in TEXT.items() if name != "moe_layers_enum"}
    wider = 48 * 3 * 7168 * 5120 + 3 * 7168 * 5120 + 48 * 7168 - 3 * 7168 * 18432
    assert faults(unsaid) == []
    assert model(unsaid).params_total - model(TEXT).params_total == 4 * wider


@pytest.mark.parametrize(
    ("path", "value", "column"),
    [
        (("text_config", "num_attention_groups"), 2, "num_attention_groups"),
        (("text_config", "moe_layers_enum"), "four", "moe_layers_enum"),
        (("text_config", "attention_bias"), True, "attention_bias"),
        (("text_config", "share_expert_dim"), None, "share_expert_dim"),
        (("vision_config", "image_size"), 729, "vision_config.image_size"),
        (("vision_config", "intermediate_size"), None, "vision_config.intermediate_size"),
    ],
)
def test_what_is_not_counted_is_named(path: tuple[str, str], value: object, column: str) -> None:
    changed = copy.deepcopy(CONFIG)
    changed[path[0]][path[1]] = value
    assert column in {fault.column for fault in faults(changed)}
