"""DeepSeek V4.1-Flash against its published tensors (elements and bytes of safetensors headers) and its card."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from catalogs.config_check import faults
from catalogs.llm import from_config, get
from catalogs.transformer import Llm
from catalogs.user_models import open_config

CONFIGS = Path(__file__).parents[1] / "data" / "configs"
TRIMMED = CONFIGS / "deepseek-ai--DeepSeek-V4.1-Flash.json"
"""The config with fewer fields than the published one, of which the shipped model has all."""

ELEMENTS = 763_205_315_794
ENGRAM = 196_613_849_600
BYTES = 510_286_023_000
LAYERS, HIDDEN, STREAMS = 40, 5120, 4


@pytest.fixture(scope="module")
def flash() -> Llm:
    return get("v4.1-flash")


def drafter() -> tuple[int, int]:
    """Elements and bytes of the three DSpark blocks, which are not counted: attention, mixing, 128 experts, heads."""
    dense = 3 * (1280 * HIDDEN + 32_768 * 1280 + 512 * HIDDEN + 8192 * 4096 + HIDDEN * 8192 + 3 * 2304 * HIDDEN)
    dense += HIDDEN * 3 * HIDDEN  # what joins the three layers that it reads
    experts = 3 * 128 * 3 * 2304 * HIDDEN
    bf16 = 3 * (128 * HIDDEN + 2 * HIDDEN + 1280 + 512) + 2 * HIDDEN + 2 * 129_280 * 256 + HIDDEN + 256
    fp32 = 3 * (2 * (24 * STREAMS * HIDDEN + 24 + 3) + 64 + 2 * 128)
    held = dense + dense // 1024 + experts // 2 + experts // 32 + 2 * bf16 + 4 * fp32
    return dense + experts + bf16 + fp32, held


def test_every_element_and_every_byte_of_the_checkpoint_is_counted(flash: Llm) -> None:
    elements, held = drafter()
    assert flash.host_table_params == ENGRAM == (384_006_168 + 384_016_682) * 256
    assert flash.params_total + flash.host_table_params + elements == ELEMENTS
    assert flash.weight_bytes("fp4-mix") + held == BYTES


def test_the_card_s_figures(flash: Llm) -> None:
    assert round(flash.params_total / 1e9) == 552
    assert round(flash.params_active / 1e9) == 16
    assert round(flash.host_table_bytes / 1e9, 1) == 202.8
    assert flash.tower_params == 485_268_480


def test_nvidia_s_conversion_has_nvfp4_experts_alone(flash: Llm) -> None:
    stored = flash.weight_bytes("nvfp4") + drafter()[1]
    assert abs(stored - 527_309_220_165) < 0.0002 * stored


def test_only_source_layers_keep_what_is_compressed(flash: Llm) -> None:
    """Checkpoints hold four sets of index keys (`indexer.wk`), at the sources of keys: 2.5 entries of 128 per token.

    The table of models says 6.5, an entry for each of the eight layers that choose."""
    per_token = (flash.kv_bytes(2 * 10**6, "bf16") - flash.kv_bytes(10**6, "bf16")) / 10**6
    assert per_token == 2.5 * 2 * 512 + 2.5 * 2 * 128 == 3200
    ring = 3 * 8 * 2 * 512 * 4
    assert flash.kv_bytes(128, "bf16") == LAYERS * 128 * 2 * 512 + 128 * 3200 + ring
    packed = (flash.kv_bytes(2 * 10**6, "fp8") - flash.kv_bytes(10**6, "fp8")) / 10**6
    assert packed == 2.5 * (584 + 132)


def test_layers_that_borrow_keys_read_them(flash: Llm) -> None:
    """At 1M tokens: 40 windows, 38 choices of 512 entries, 4 scans of all index keys, 4 of 16,384 candidates."""
    read = 40 * 128 * 1024 + 38 * 512 * 1024 + 256 * (3 * 2**19 + 2**20) + 4 * 16_384 * 256
    assert flash.kv_read_bytes(2**20, "bf16") == read
    work = 4 * 64 * 512 * (40 * 128 + 38 * 512) + 2 * 32 * 128 * (3 * 2**19 + 2**20 + 4 * 16_384)
    assert flash.attention_flops(2**20, "decode") == work


def test_a_config_with_fewer_fields_is_the_same_network() -> None:
    shipped, trimmed = get("v4.1-flash"), open_config(TRIMMED)
    assert trimmed.native_precision == "fp4-mix"
    assert (trimmed.params_total, trimmed.tower_params) == (shipped.params_total, shipped.tower_params)
    assert trimmed.weight_bytes("fp4-mix") == shipped.weight_bytes("fp4-mix")
    # Where no candidates are named, all index layers look through all keys.
    assert trimmed.kv_read_bytes(2**20, "bf16") > shipped.kv_read_bytes(2**20, "bf16")


def changed(**fields: object) -> dict[str, object]:
    config = json.loads(TRIMMED.read_text(encoding="utf-8"))
    config["text_config"] |= fields
    return config


def count(config: dict[str, object]) -> Llm:
    known = get("v4.1-flash")
    facts = {name: getattr(known, name) for name in ("id", "name", "native_precision", "min_precision_bits", "source")}
    return from_config(config, max_context=known.max_context, **facts)


@pytest.mark.parametrize(
    "fields",
    [
        {"engram_num_embeddings": [384_006_168, 384_016_690]}, {"engram_head_dim": 512}, {"engram_max_ngram_size": 5},
        {"kv_source_layer_ids": [2, 8, 20]}, {"index_source_layer_ids": [2, 8, 14, 20]}, {"hc_mult": 2},
        {"compress_ratios": [0, 0, *[1] * 38]}, {"o_groups": 16}, {"q_lora_rank": 1024},
    ],
    ids=lambda fields: next(iter(fields)),
)  # fmt: skip
def test_a_changed_size_changes_the_counts(fields: dict[str, object]) -> None:
    config = changed(**fields)
    assert not faults(config)
    before, after = open_config(TRIMMED), count(config)
    figures = [
        (m.params_total, m.host_table_bytes, m.weight_bytes("fp4-mix"), m.kv_bytes(10**6, "bf16"))
        for m in (before, after)
    ]
    assert figures[0] != figures[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"compress_ratios": [0, 0, *[4] * 38]}, {"num_key_value_heads": 2}, {"kv_source_layer_ids": [2.5]},
        {"engram_num_embeddings": "many"}, {"tie_word_embeddings": True}, {"attention_bias": True},
        {"kv_source_layer_ids": [1, 8, 14, 20]}, {"kv_source_layer_ids": [8, 14, 20]},
        {"index_source_layer_ids": [40]}, {"engram_layer_ids": [1]}, {"engram_layer_ids": [1, 41]},
        {"candidate_source_layer_id": 20},
    ],
    ids=lambda fields: f"{next(iter(fields))}-{next(iter(fields.values()))}"[:40],
)  # fmt: skip
def test_what_contradicts_itself_or_is_not_modelled_is_refused(fields: dict[str, object]) -> None:
    assert faults(changed(**fields))


def test_a_layer_that_borrows_stores_nothing(flash: Llm) -> None:
    cache = next(c for c in flash.layer_list[3].caches if c.borrowed)
    assert cache.kept(10**6) == 0 and cache.attended(10**6) == 512
    assert replace(cache, borrowed=False).attended(10**6) == 512
