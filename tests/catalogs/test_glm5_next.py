"""GLM-5.3-Flash: Kimi Delta Attention with sparse latent attention every fourth layer, streams, and a tower."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs import registry
from catalogs.config_check import faults
from tests.catalogs.test_open_families import model

CONFIG: dict[str, Any] = json.loads((Path(registry.DATA) / "glm-5.3-flash.json").read_text(encoding="utf-8"))


def changed(**fields: Any) -> dict[str, Any]:
    """The config with other fields of its language model."""
    made = copy.deepcopy(CONFIG)
    made["text_config"].update(fields)
    return made


def test_as_large_as_published() -> None:
    """321B with 18B active and files of about 643 GB in 16 bits, the module for several tokens with them (public notes
    on zai-org/GLM-5.3-Flash-BF16)."""
    llm = registry.get("zai-org/GLM-5.3-Flash")
    assert faults(CONFIG) == []
    assert (llm.params_total + llm.draft_params) / 1e9 == pytest.approx(321, abs=0.5)
    assert 16e9 < llm.params_active < 18.5e9
    assert 2 * (llm.params_total + llm.draft_params) / 1e9 == pytest.approx(643, abs=1)
    assert (llm.weight_bytes("fp8") + llm.draft_params) / 1e9 == pytest.approx(335, rel=0.04)


def test_what_a_token_keeps() -> None:
    """Eleven layers keep a latent of 512 and an index key of 128 with its scale per four tokens; the others a state."""
    llm = model(CONFIG)
    grown = llm.kv_bytes(101_024, "bf16") - llm.kv_bytes(100_000, "bf16")
    assert grown == 1024 * 11 * (2 * 512) + 256 * 11 * (128 + 4)
    assert llm.kv_read_bytes(104_096, "bf16") - llm.kv_read_bytes(100_000, "bf16") == 1024 * 11 * (128 + 4)


def test_either_spelling_of_the_layers_is_read() -> None:
    text = CONFIG["text_config"]
    kinds = [kind.replace("deepseek_sparse", "indexed") for kind in text["layer_types"]]
    other = changed(layer_types=kinds, linear_attn_config=None, linear_head_dim=128, linear_num_heads=64)
    other["text_config"]["linear_conv_kernel_dim"] = 4
    assert faults(other) == [] and model(other).params_total == model(CONFIG).params_total


def test_layers_that_share_a_choice_have_no_indexer() -> None:
    shared = ["full"] * 4 + ["shared"] * 41
    fewer = model(CONFIG).params_total - model(changed(indexer_types=shared)).params_total
    assert fewer == 10 * (1536 * 32 * 128 + (2 * 128 + 32) * 4096 + 6 * 128)


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"qk_rope_head_dim": 64}, "qk_rope_head_dim"),
        ({"mhc": False}, "mhc"),
        ({"index_topk": 2047}, "index_topk"),
        ({"indexer_types": ["shared"] * 45}, "indexer_types"),
        ({"mlp_layer_types": ["sparse"] * 45}, "mlp_layer_types"),
        ({"moe_router_dtype": "bfloat16"}, "moe_router_dtype"),
        ({"index_kpool": None}, "index_kpool"),
    ],
)
def test_what_is_not_counted_is_named(fields: dict[str, Any], column: str) -> None:
    assert column in {fault.column for fault in faults(changed(**fields))}
