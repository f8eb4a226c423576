"""Hy4: gated latent attention whose layers share an indexer, sinks, experts, and streams in 32 bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalogs import registry
from catalogs.config_check import faults
from tests.catalogs.test_open_families import model, rounded

CONFIG: dict[str, Any] = json.loads((Path(registry.DATA) / "hy4-preview.json").read_text(encoding="utf-8"))


def test_as_large_as_published() -> None:
    """770B, 780B with the module for several tokens, which has 10B; 49B of it active (transformers model_doc/hy_v4.md,
    public notes on running the checkpoint in 16 bits)."""
    llm = registry.get("tencent/Hy4-preview")
    assert faults(CONFIG) == []
    assert rounded(llm.params_total, "770B") == "770B" and rounded(llm.draft_params, "10B") == "10B"
    assert rounded(llm.params_total + llm.draft_params, "780B") == "780B"
    assert 48e9 < llm.params_active < 49.5e9


def test_streams_have_the_published_parameters() -> None:
    """30,770,717 of 156 places and the head (public notes on the checkpoint's index)."""
    streams, wide, places = 4, 4 * 6144, 156
    published = places * (8 * wide + 2 + 8) + streams * wide + 1 + 4
    assert published == 30_770_717
    one_more = model(CONFIG | {"hc_mult": 5}).params_total - model(CONFIG).params_total
    assert one_more == places * (10 * 5 * 6144 + 2 + 10) + 5 * 5 * 6144 + 1 + 5 - published


def test_what_a_token_keeps() -> None:
    """A latent of 512 and a key of 64 with positions in each of 78 layers; 21 of them keep index keys."""
    llm = model(CONFIG)
    assert llm.kv_bytes(1, "bf16") == 78 * 2 * (512 + 64) + 21 * (128 + 4)


def test_layers_choose_as_the_class_says_where_the_file_says_nothing() -> None:
    unsaid = {name: value for name, value in CONFIG.items() if name != "indexer_types"}
    assert faults(unsaid) == [] and model(unsaid).params_total == model(CONFIG).params_total
    every = model(CONFIG | {"indexer_types": ["full"] * 78})
    assert every.kv_bytes(1, "bf16") - model(CONFIG).kv_bytes(1, "bf16") == 57 * (128 + 4)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"gated_mla": False}, "gated_mla"),
        ({"gating_type": "headwise"}, "gating_type"),
        ({"enable_ihc": False}, "enable_ihc"),
        ({"learnable_sink": False}, "learnable_sink"),
        ({"indexer_types": ["shared"] * 78}, "indexer_types"),
        ({"mlp_layer_types": ["sparse", "dense"] * 39}, "mlp_layer_types"),
        ({"hc_mult": None}, "hc_mult"),
    ],
)
def test_what_is_not_counted_is_named(changes: dict[str, Any], column: str) -> None:
    assert column in {fault.column for fault in faults(CONFIG | changes)}
