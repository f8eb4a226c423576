"""Qwen3.8-Flash-Next: streams, sparse attention between DeltaNet layers, and a table of n-grams beside the model."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs import registry
from catalogs.architectures.qwen4_exp import ngram_rows
from catalogs.config_check import faults
from catalogs.engines.lookup_tables import place_of_tables
from tests.catalogs.test_open_families import model

CONFIG: dict[str, Any] = json.loads((Path(registry.DATA) / "qwen3.8-flash-next.json").read_text(encoding="utf-8"))


def changed(**fields: Any) -> dict[str, Any]:
    """The config with other fields of its language model."""
    made = copy.deepcopy(CONFIG)
    made["text_config"].update(fields)
    return made


def test_the_checkpoint_is_as_large_as_published() -> None:
    """131 files of 360.0 GB with tower and module for several tokens; 125B of which a token uses 6B, and 51B of n-grams
    (public notes on revision de4b8e4d of Qwen/Qwen3.8-Flash-Next)."""
    llm = registry.get("Qwen/Qwen3.8-Flash-Next")
    assert faults(CONFIG) == []
    assert (llm.weight_bytes("bf16") + 2 * llm.draft_params) / 1e9 == pytest.approx(360.0, abs=0.05)
    assert (llm.params_total - llm.tower_params) / 1e9 == pytest.approx(125, rel=0.01)
    assert 6e9 < llm.params_active < 7e9


def test_the_table_of_ngrams_has_the_published_rows() -> None:
    """320,001,536 rows of 160 figures, 102,400,491,520 bytes in 16 bits (the same notes)."""
    assert ngram_rows(CONFIG["text_config"], 0) == 320_001_536
    llm = model(CONFIG)
    assert llm.host_table_bytes == 102_400_491_520
    assert model(changed(ple_embedding_dtype="float8_e4m3fn")).host_table_bytes == llm.host_table_bytes // 2
    assert place_of_tables("vLLM", llm.architecture) == "host"


def test_what_a_token_keeps_and_reads() -> None:
    """Twelve layers keep keys and values of two heads, and a mean index key of 128 per four tokens; a token attends
    2,051 others at most."""
    llm = model(CONFIG)
    assert llm.kv_bytes(101_024, "bf16") - llm.kv_bytes(100_000, "bf16") == 1024 * 12 * (2 * 2 * 2 * 256 + 2 * 128 // 4)
    more = llm.kv_read_bytes(104_096, "bf16") - llm.kv_read_bytes(100_000, "bf16")
    assert more == 12 * 1024 * 2 * 128


def test_the_layers_go_under_either_name() -> None:
    kinds = ["indexed_attention" if kind == "full_attention" else kind for kind in CONFIG["text_config"]["layer_types"]]
    other = changed(layer_types=kinds)
    assert faults(other) == [] and model(other).params_total == model(CONFIG).params_total


def test_a_second_table_takes_the_next_primes() -> None:
    both = model(changed(ple_layer_ids=[2, 3]))
    assert both.host_table_params > 2 * model(CONFIG).host_table_params
    assert model(changed(ple_layer_ids=[])).host_table_params == 0


@pytest.mark.parametrize(
    ("fields", "column"),
    [
        ({"indexer_kv_heads": 2}, "indexer_kv_heads"),
        ({"indexer_budget": 2049}, "indexer_budget"),
        ({"ple_layer_ids": [4]}, "ple_layer_ids"),
        ({"ple_layer_ids": [49]}, "ple_layer_ids"),
        ({"ple_embed_dim": 2561}, "ple_embed_dim"),
        ({"ple_embedding_dtype": "int4"}, "ple_embedding_dtype"),
        ({"hc_lowrank": None}, "hc_lowrank"),
        ({"mtp_use_dedicated_embeddings": True}, "mtp_use_dedicated_embeddings"),
    ],
)
def test_what_is_not_counted_is_named(fields: dict[str, Any], column: str) -> None:
    assert column in {fault.column for fault in faults(changed(**fields))}
