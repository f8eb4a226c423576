"""Architectures of which no published config is at hand: configs as the classes of transformers make them.

tests/data/class_defaults: what `to_json_string` of the configuration class of transformers 5.24.0 gives, by model type,
with the class's own values or with the changes that the file's name says; counts.csv beside them: how many parameters
the model class of that release has when it is built from the config (its routing biases among them), and which
published model has this size. Published totals: models' pages and vllm-project/recipes 8959cf6."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs.architectures import flat_config
from catalogs.config_check import faults
from catalogs.engines import sizes as engine_sizes
from catalogs.engines.support import support_rows
from tests.catalogs.test_open_families import figures, model, rounded, sizes
from tests.support.long import one_in, sampled

FOLDER = Path(__file__).parents[1] / "data" / "class_defaults"
CONFIGS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))
}


def counts() -> list[dict[str, str]]:
    with (FOLDER / "counts.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_config_has_a_count() -> None:
    assert {row["config"] for row in counts()} == set(CONFIGS)


@pytest.mark.parametrize("row", counts(), ids=lambda row: row["config"])
def test_as_many_parameters_as_the_class_of_transformers(row: dict[str, str]) -> None:
    config = CONFIGS[row["config"]]
    assert faults(config) == []
    llm = model(config)
    assert llm.params_total == int(row["parameters"])
    assert llm.kv_bytes(101_024, "bf16") - llm.kv_bytes(100_000, "bf16") == 1024 * int(row["kv_bytes_per_token"])
    if row["published"]:
        assert rounded(llm.params_total, row["published"]) == row["published"]
    if row["active"]:
        assert rounded(llm.params_active, row["active"]) == row["active"]


WITHOUT_USE = {
    ("laguna", "sliding_window"): "no layer has a window",
    ("mellum", "sliding_window"): "no layer has a window",
    ("mistral4", "intermediate_size"): "no layer is dense",
    ("granitemoehybrid--without-experts", "intermediate_size"): "there are no experts",
    ("falcon_h1", "mamba_expand"): "mamba_d_ssm says the width",
    ("falcon_h1--with-norm", "mamba_expand"): "mamba_d_ssm says the width",
    ("dots1--as-published", "max_window_layers"): "no layer has a window",
    **{
        (name, "max_window_layers"): "no layer has a window"
        for name in ("qwen2_audio", "internvl", "llava_onevision", "lighton_ocr")
    },
    ("internvl--rms-norm_qk-norm_qwen3-moe", "intermediate_size"): "no layer of the language model is dense",
    ("lfm2_vl", "conv_L_cache"): "every layer attends",
    ("lfm2_vl", "intermediate_size"): "two thirds of one more are the same multiple of 256",
    **{
        (name, "image_size"): "a part of a patch at the edge is left out"
        for name in (
            "llava",
            "llava_next",
            "llava_onevision",
            "cohere2_vision",
            "idefics3",
            "smolvlm",
            "paligemma",
            "lighton_ocr",
        )
    },
    ("lfm2", "intermediate_size"): "two thirds of one more are the same multiple of 256",
    ("lfm2--1.2b", "intermediate_size"): "two thirds of one more are the same multiple of 256",
}
"""(config, field): the size of what the class's own values have none of."""


@pytest.mark.parametrize("name", one_in(4, CONFIGS))
def test_a_changed_size_never_goes_unnoticed(name: str) -> None:
    before = figures(model(CONFIGS[name]))
    for path, value in sizes(CONFIGS[name]):
        if (name, path[-1]) in WITHOUT_USE:
            continue
        changed = copy.deepcopy(CONFIGS[name])
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert faults(changed) or figures(model(changed)) != before, path


BY_CLASS = {
    "tie_word_embeddings", "attention_bias", "lm_head_bias", "layer_types", "mlp_layer_types", "gating",
    "num_attention_heads_per_layer", "mamba_conv_bias", "mamba_rms_norm", "moe_layer_start_index",
    "moe_layer_end_index", "moe_layer_interval", "use_parallel_residual", "qk_layernorm", "use_qkv_bias", "use_qk_norm",
    "use_post_norm",
}  # fmt: skip
"""Fields that a file may leave out: its class says what they are then."""
AS_MANY_AS_HEADS = ("Olmo", "HunYuan", "Afmoe", "Apertus", "Granite", "Cohere", "Arcee")
"""Architectures whose class takes a key head for each head where a file says none, and heads of the usual width."""


@pytest.mark.parametrize("name", one_in(4, CONFIGS))
def test_a_missing_field_is_named_or_changes_nothing(name: str) -> None:
    config = CONFIGS[name]
    before = figures(model(config))
    for field in config:
        less = {other: value for other, value in config.items() if other != field}
        found = faults(less)
        if found:
            assert field in {fault.column for fault in found}
        elif figures(model(less)) != before and field not in BY_CLASS:
            usual = field == "sliding_window" and config["architectures"] == ["PhimoeForCausalLM"]
            assert usual or config["architectures"][0].startswith(AS_MANY_AS_HEADS), field
            kept = {"num_key_value_heads": config["num_attention_heads"], "head_dim": None, "sliding_window": None}
            assert flat_config(less).get(field) == kept[field]


@pytest.mark.parametrize("name", ["ernie4_5", "ernie4_5_moe", "gemma2", "minicpm3", "smollm3", "youtu"])
def test_a_file_that_says_nothing_of_its_head_is_tied_where_its_class_is(name: str) -> None:
    """Published files leave out what the class says itself: Gemma 2's never name `tie_word_embeddings`."""
    less = {field: value for field, value in CONFIGS[name].items() if field != "tie_word_embeddings"}
    assert faults(less) == [] and figures(model(less)) == figures(model(CONFIGS[name]))


def every_field() -> list[tuple[dict[str, Any], str]]:
    return [(config, field) for config in CONFIGS.values() for field in config]


NONSENSE: list[object] = [None, [], {}, "x", -1, 2.5, [1, "a"], True]


@pytest.mark.parametrize("value", NONSENSE, ids=str)
def test_nonsense_is_refused_or_counted(value: object) -> None:
    for config, field in sampled(17, every_field()[NONSENSE.index(value) % 17 :]):
        changed = {**config, field: value}
        if not faults(changed):
            assert model(changed).kv_bytes(1000, "bf16") > 0


@pytest.mark.parametrize(
    ("name", "changes", "column"),
    [
        ("mistral", {"sliding_window": ...}, "sliding_window"),
        ("mistral", {"attention_bias": True}, "attention_bias"),
        ("exaone4", {"sliding_window_pattern": "LGL"}, "sliding_window_pattern"),
        ("exaone4", {"sliding_window_pattern": 2}, "layer_types"),
        ("exaone4", {"sliding_window": None}, "sliding_window"),
        ("olmo3", {"layer_types": ["chunked_attention"] * 32}, "layer_types"),
        ("smollm3", {"use_sliding_window": True}, "use_sliding_window"),
        ("ernie4_5_moe", {"use_bias": True}, "use_bias"),
        ("ernie4_5_moe", {"moe_num_experts": ...}, "moe_num_experts"),
        ("ernie4_5_moe", {"num_experts": 32}, "moe_num_experts"),
        ("ernie4_5_moe", {"moe_layer_end_index": 28}, "moe_layer_end_index"),
        ("ernie4_5_moe", {"moe_num_experts": [64, 64]}, "num_experts"),
        ("hunyuan_v1_moe--64-experts", {"use_cla": True}, "use_cla"),
        ("hunyuan_v1_moe--64-experts", {"moe_topk": [8, 4] * 16}, "moe_topk"),
        ("hunyuan_v1_moe--64-experts", {"use_mixed_mlp_moe": 0}, "use_mixed_mlp_moe"),
        ("hy_v3", {"first_k_dense_replace": 3}, "mlp_layer_types"),
        ("afmoe", {"global_attn_every_n_layers": 2}, "layer_types"),
        ("laguna", {"num_attention_heads_per_layer": [48, 50] * 20}, "num_attention_heads_per_layer"),
        ("laguna", {"gating": False}, "gating"),
        ("qwen2_moe", {"mlp_only_layers": [0]}, "mlp_only_layers"),
        ("mistral4", {"topk_method": "noaux_tc"}, "topk_method"),
        ("bailing_hybrid", {"layer_group_size": 5}, "layer_types"),
        ("bailing_hybrid", {"short_conv_kernel_size": 3}, "short_conv_kernel_size"),
        ("apertus", {"hidden_act": "silu"}, "hidden_act"),
        ("qwen2_vl", {"vision_config": ...}, "vision_config"),
        ("gemma2", {"attention_bias": True}, "attention_bias"),
        ("longcat_flash", {"zero_expert_num": 250}, "moe_topk"),
        ("longcat_flash", {"zero_expert_num": ...}, "zero_expert_num"),
        ("longcat_flash", {"zero_expert_type": "copy"}, "zero_expert_type"),
        ("longcat_flash", {"intermediate_size": 4096}, "ffn_hidden_size"),
        ("falcon_h1", {"mamba_n_heads": 100}, "mamba_d_head"),
        ("falcon_h1--with-norm", {"mamba_n_groups": 5}, "mamba_n_groups"),
        ("granitemoehybrid--with-attention", {"layer_types": ["mamba"] * 32}, "layer_types"),
        ("granitemoehybrid--without-experts", {"shared_intermediate_size": 0}, "shared_intermediate_size"),
        ("granitemoehybrid--with-attention", {"num_experts_per_tok": 0}, "num_experts_per_tok"),
    ],
)
def test_what_is_not_modelled_is_refused(name: str, changes: dict[str, Any], column: str) -> None:
    changed = {field: value for field, value in (CONFIGS[name] | changes).items() if value is not ...}
    assert column in {fault.column for fault in faults(changed)}


def test_sizes_said_once_for_each_layer_are_read_where_all_are_alike() -> None:
    """Hunyuan's own files (configuration_hunyuan.py of Tencent): lists, and names of their own."""
    config = CONFIGS["hunyuan_v1_moe--64-experts"]
    listed = {
        "moe_topk": [8] * 32, "moe_intermediate_size": [3072] * 32, "num_shared_expert": [1] * 32, "use_qk_norm": True,
        "use_mixed_mlp_moe": True, "moe_layer_num_skipped": 0, "use_cla": False, "attention_head_dim": 128,
    }  # fmt: skip
    assert faults(config | listed) == []
    assert figures(model(config | listed)) == figures(model(config))
    wider = model(config | listed | {"num_shared_expert": [2] * 32})
    assert wider.params_total - model(config).params_total == 32 * 3 * 4096 * 3072


def test_letters_say_which_layers_have_a_window() -> None:
    config = CONFIGS["exaone4"]
    spelled = {**config, "sliding_window_pattern": "LLLG"}
    del spelled["layer_types"]
    assert faults(spelled) == [] and figures(model(spelled)) == figures(model(config))


def test_a_window_keeps_no_more_than_its_tokens() -> None:
    llm = model(CONFIGS["olmo3"])
    assert llm.kv_bytes(10_000, "bf16") == 2 * 2 * 32 * 128 * (24 * 4096 + 8 * 10_000)
    laguna = model(CONFIGS["laguna--heads-of-each-layer"])
    assert laguna.kv_bytes(10_000, "bf16") == 2 * 2 * 8 * 128 * (39 * 512 + 10_000)
    assert engine_sizes.from_config(laguna.config).heads == 16


def test_each_of_these_architectures_has_an_engine_and_a_family() -> None:
    served = {name for row in support_rows("serve") for name in row.architectures}
    for name, config in CONFIGS.items():
        llm = model(config)
        assert llm.architecture in served or llm.architecture in WITHOUT_ENGINE, name
        assert engine_sizes.from_config(config).family == llm.architecture


def test_linear_attention_of_ling_keeps_a_state_for_each_head() -> None:
    """Seven layers of 42 keep a latent, the others 32 heads of 128 x 128 in 32 bits and three tokens before."""
    llm = model(CONFIGS["bailing_hybrid"])
    state = 32 * (128 * 128 * 4 + 3 * 3 * 128 * 2)
    assert llm.kv_bytes(1000, "bf16") == 35 * state + 7 * 1000 * (512 + 64) * 2
    own = {
        name: value for name, value in CONFIGS["bailing_hybrid"].items() if not name.startswith(("linear_", "layer_"))
    }
    said = {**own, "linear_head_dim": 128, "layer_group_size": 6}
    assert faults(said) == [] and figures(model(said)) == figures(llm)


def test_mamba_of_granite_and_falcon_keeps_a_state_in_16_bits() -> None:
    """As vLLM 0.33.0 keeps it where nothing else is asked: a matrix per head, and three tokens before the next."""
    granite = model(CONFIGS["granitemoehybrid--with-attention"])
    state = 2 * 128 * 64 * 256 + 2 * 3 * (128 * 64 + 2 * 256)
    assert granite.kv_bytes(1000, "bf16") == 28 * state + 4 * 1000 * 4 * 8 * 128
    falcon = model(CONFIGS["falcon_h1--with-norm"])
    state = 2 * 24 * 128 * 256 + 2 * 3 * (24 * 128 + 2 * 2 * 256)
    assert falcon.kv_bytes(1000, "bf16") == 32 * (state + 1000 * 4 * 8 * 128)


def test_older_words_say_the_kinds_of_layers_too() -> None:
    config = CONFIGS["granitemoehybrid--with-attention"]
    words = {"linear_attention": "mamba", "full_attention": "attention"}
    older = {**config, "layer_types": [words[kind] for kind in config["layer_types"]], "mamba_d_head": "auto"}
    assert faults(older) == [] and figures(model(older)) == figures(model(config))


def test_behind_a_tower_is_the_model_that_only_reads() -> None:
    seeing, reading = model(CONFIGS["glm4v"]), model(CONFIGS["glm4"])
    assert seeing.params_total - seeing.tower_params == reading.params_total
    assert seeing.params_active == reading.params_active
    assert seeing.dense_read_bytes("bf16") == reading.dense_read_bytes("bf16")


WITHOUT_ENGINE = {"solar-open": "in no wheel that was read", "mistral-4": "served by Mistral3's class in vLLM"}
