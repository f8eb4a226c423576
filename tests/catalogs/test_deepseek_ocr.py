"""DeepSeek-OCR: DeepSeek-V2's experts behind attention with keys and values, two towers that engines create by name."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs import registry
from catalogs.config_check import faults

CONFIG: dict[str, Any] = json.loads((Path(registry.DATA) / "deepseek-ocr.json").read_text(encoding="utf-8"))


def test_as_large_as_its_makers_say() -> None:
    """DeepSeek3B-MoE-A570M behind an encoder of 380M (SAM's 80M, CLIP's 300M; the two convolutions between add 6M)."""
    llm = registry.get("deepseek-ai/DeepSeek-OCR")
    assert faults(CONFIG) == []
    assert llm.params_total / 1e9 == pytest.approx(3.34, abs=0.005)
    assert llm.params_active / 1e6 == pytest.approx(570, rel=0.01)
    assert 380e6 < llm.tower_params < 402e6
    assert llm.kv_bytes(1, "bf16") == 12 * 2 * 10 * 128 * 2


@pytest.mark.parametrize(
    ("path", "value", "column"),
    [
        (("language_config", "use_mla"), True, "use_mla"),
        (("language_config", "kv_lora_rank"), 512, "kv_lora_rank"),
        (("language_config", "topk_method"), "noaux_tc", "topk_method"),
        (("vision_config", "model_name"), "siglip", "vision_config.model_name"),
        (("vision_config", "width", "sam_vit_b", "layers"), 24, "vision_config.width"),
        (("projector_config", "n_embed"), 2048, "projector_config.n_embed"),
        (("projector_config", "projector_type"), "mlp_gelu", "projector_config.projector_type"),
    ],
)
def test_what_is_not_counted_is_named(path: tuple[str, ...], value: object, column: str) -> None:
    changed = copy.deepcopy(CONFIG)
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert column in {fault.column for fault in faults(changed)}
