"""Open models of many makers, from their published configs (tests/data/configs): totals, caches, what is refused.

tests/data/published_families.csv: what is published of each. Its cache per token is what a long sequence grows by. An
indexer's keys are counted as its engines keep them, 128 bytes and a scale whatever the cache's precision; tables that
count them at two bytes (85,888 bytes a token of V3.2) say more than is stored."""

from __future__ import annotations

import copy
import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest

import catalogs.architectures
from catalogs.architectures import ARCHITECTURES, FAMILIES, from_config
from catalogs.config_check import faults, rules
from catalogs.decoder_config import NESTED
from catalogs.llm import get
from catalogs.transformer import Llm
from tests.support.long import one_in

DATA = Path(__file__).parents[1] / "data"
CONFIGS = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in sorted((DATA / "configs").glob("*--*.json"))}
CONFIGS = {name: config for name, config in CONFIGS.items() if "architectures" in config}
"""Published configs, without the quantisation files beside them."""
FACTS = {"id": "x", "name": "x", "native_precision": "bf16", "min_precision_bits": 16, "max_context": 1, "source": ""}
LONG = 1_000_000


def published() -> list[dict[str, str]]:
    with (DATA / "published_families.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def model(config: dict[str, Any]) -> Llm:
    return from_config(config, **FACTS)


def test_every_family_is_looked_in_and_no_name_stands_in_two() -> None:
    folder = Path(catalogs.architectures.__file__).parent
    with_architectures = {p.stem for p in folder.glob("*.py") if "\nARCHITECTURES" in p.read_text(encoding="utf-8")}
    assert set(FAMILIES) == with_architectures - {"__init__"}
    assert len(FAMILIES) > 15 and len(set(ARCHITECTURES)) == len(list(ARCHITECTURES)) > 60


def rounded(parameters: int, said: str) -> str:
    """A count as a maker rounds it: `743B`, `1.04T`, `30.5B`."""
    figure, unit = said[:-1], {"B": 1e9, "T": 1e12}[said[-1]]
    digits = len(figure.partition(".")[2])
    return f"{parameters / unit:.{digits}f}{said[-1]}"


@pytest.mark.parametrize("row", published(), ids=lambda r: r["config"])
def test_published_totals_and_caches(row: dict[str, str]) -> None:
    config = CONFIGS[row["config"]]
    assert faults(config) == []
    llm = model(config)
    assert rounded(llm.params_total, row["total"]) == row["total"]
    if row["active"]:
        assert rounded(llm.params_active, row["active"]) == row["active"]
    grown = llm.kv_bytes(LONG + 1024, "bf16") - llm.kv_bytes(LONG, "bf16")
    assert grown / 1024 == float(row["kv_bytes_per_token"])


def test_layers_that_share_an_indexer_have_none() -> None:
    """What another indexer chose is attended, and neither weights nor keys of an own one are kept."""
    all_choose, some_choose = model(CONFIGS["zai-org--GLM-5.1"]), model(CONFIGS["zai-org--GLM-5.2"])
    indexer = 2048 * 32 * 128 + 6144 * 128 + 6144 * 32 + 2 * 128
    assert all_choose.params_total - some_choose.params_total == 57 * indexer
    assert all_choose.kv_bytes(10, "fp8") - some_choose.kv_bytes(10, "fp8") == 57 * 10 * 132
    assert some_choose.kv_read_bytes(LONG, "fp8") == 78 * 2048 * 656 + 21 * LONG * 132


def test_a_schedule_says_the_same_as_a_list_of_layers() -> None:
    listed = CONFIGS["zai-org--GLM-5.2"]
    scheduled = {k: v for k, v in listed.items() if k != "indexer_types"}
    spelled = {**scheduled, "index_topk_pattern": "".join(kind[0].upper() for kind in listed["indexer_types"])}
    for config in (scheduled, spelled):
        assert faults(config) == []
        assert model(config).params_total == model(listed).params_total
    assert [f.column for f in faults({**listed, "index_topk_freq": 2})] == ["indexer_types"]
    assert [f.column for f in faults({**scheduled, "index_topk_pattern": "FS"})] == ["index_topk_pattern"]


@pytest.mark.parametrize(
    ("model_id", "parameters"),
    [("llama-4-maverick", 401_583_781_376), ("llama-4-scout", 108_641_793_536), ("phi-4", 14_659_507_200),
     ("phi-4-mini", 3_836_021_760),
     ("seed-oss-36b", 36_151_104_512), ("mixtral-8x7b", 46_702_792_704), ("qwen3-vl-2b", 2_127_532_032),
     ("granite-3.3-8b", 8_170_864_640), ("mistral-small-3.2-24b", 24_011_361_280), ("ministral-3-3b", 3_849_090_048),
     ("ministral-3-8b", 8_918_026_716 - 34 * 7 * 2)],  # a scale of weights and one of inputs for each FP8 matrix
)  # fmt: skip
def test_shipped_models_have_the_count_of_their_page(model_id: str, parameters: int) -> None:
    assert get(model_id).params_total == parameters


def test_mistral_large_3_is_673_and_two_and_a_half_billion() -> None:
    llm = get("mistral-large-3")
    assert rounded(llm.params_total - llm.tower_params, "673B") == "673B"
    assert rounded(llm.tower_params, "2.6B") == "2.6B" and rounded(llm.params_active, "39B") == "39B"
    assert rounded(get("glm-4.7-flash").params_total, "30B") == "30B"
    assert get("glm-4.7-flash").kv_bytes(1, "bf16") == 54_144
    assert rounded(get("glm-4.5v").params_total, "108B") == "108B"


@pytest.mark.parametrize("model_id", ["kimi-k2.5", "kimi-k2.6", "kimi-k2.7-code"])
def test_kimi_in_int4_is_as_large_as_its_repository(model_id: str) -> None:
    llm = get(model_id)
    assert llm.native_precision == "int4" and llm.weight_bytes("int4") / 1e9 == pytest.approx(595, rel=0.002)
    text = get("kimi-k2-thinking")
    assert llm.weight_bytes("int4") - text.weight_bytes("int4") == 2 * llm.tower_params


def test_a_chunk_is_kept_of_three_layers_in_four() -> None:
    llm = model(CONFIGS["meta-llama--Llama-4-Scout-17B-16E-Instruct"])
    assert llm.kv_bytes(8192, "bf16") == 48 * 4096 * 8192
    assert llm.kv_bytes(65536, "bf16") == 36 * 4096 * 8192 + 12 * 4096 * 65536
    said = {"layer_types": (["chunked_attention"] * 3 + ["full_attention"]) * 12, "no_rope_layers": [1, 1, 1, 0] * 12}
    config = copy.deepcopy(CONFIGS["meta-llama--Llama-4-Scout-17B-16E-Instruct"])
    config["text_config"] |= said
    assert faults(config) == [] and figures(model(config)) == figures(llm)
    config["text_config"]["no_rope_layers"] = [1] * 48
    assert [f.column for f in faults(config)] == ["layer_types"]


def test_a_tower_is_bytes_that_no_text_token_reads() -> None:
    config = CONFIGS["Qwen--Qwen3-VL-235B-A22B-Instruct"]
    llm, text = model(config), get("qwen3-235b-a22b")
    assert llm.params_total - llm.tower_params == text.params_total
    assert llm.params_active == text.params_active and llm.tower_params == 576_388_336
    assert llm.dense_read_bytes("bf16") == text.dense_read_bytes("bf16")
    without = {name: value for name, value in config.items() if name != "vision_config"}
    assert [f.column for f in faults(without)] == ["vision_config"]
    deeper = {**config, "vision_config": {**config["vision_config"], "surprise": 3}}
    assert [f.column for f in faults(deeper)] == ["vision_config.surprise"]


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [("attention", "window_length", 4096), ("attention", "replace_with_linear", True), ("ffn", "sparsify", [0.5]),
     ("attention", "n_heads_in_group", 7), ("ffn", "ffn_mult", None), ("ffn", "surprise", 3)],
)  # fmt: skip
def test_a_searched_layer_says_nothing_that_is_not_counted(part: str, field: str, value: object) -> None:
    config = copy.deepcopy(CONFIGS["nvidia--Llama-3_3-Nemotron-Super-49B-v1"])
    config["block_configs"][2][part][field] = value
    assert [f.column for f in faults(config)] == [f"block_configs[2].{part}.{field}"]
    config["block_configs"].pop()
    assert [f.column for f in faults(config)] == ["block_configs"]


def test_a_table_tied_at_one_level_alone_is_refused() -> None:
    config = {**CONFIGS["Qwen--Qwen3-VL-2B-Instruct"], "tie_word_embeddings": False}
    assert [f.column for f in faults(config)] == ["tie_word_embeddings"]


# Properties of every config -------------------------------------------------------------------------------------------

HARMLESS = [None, False, 0, "", [], {}]


@pytest.mark.parametrize("name", one_in(3, CONFIGS))
def test_a_field_that_says_there_is_none_changes_nothing(name: str) -> None:
    config, draw = CONFIGS[name], random.Random(name)
    if faults(config):
        pytest.skip("refused as it stands")
    changed = copy.deepcopy(config)
    for place in (changed, *(changed[part] for part in (*NESTED, "vision_config") if part in changed)):
        place["use_" + "".join(draw.choices("abcdefghij", k=8))] = draw.choice(HARMLESS)
    assert faults(changed) == []
    assert figures(model(changed)) == figures(model(config))


def figures(llm: Llm) -> tuple[Any, ...]:
    """Everything that a size may change."""
    context, tied = llm.config["max_position_embeddings"], bool(llm.config.get("tie_word_embeddings"))
    return llm.layer_list, llm.draft_list, llm.head, llm.tower_params, llm.experts, llm.experts_per_token, context, tied


WITHOUT_USE = {
    ("text_config", "intermediate_size_mlp"): "Llama-4-Scout has no dense layer",
    ("llm_config", "max_window_layers"): "no layer of InternVL3-1B has a window",
}
"""Fields that say the size of what a model has none of, whatever they say."""


def sizes(config: dict[str, Any]) -> list[tuple[tuple[str, ...], Any]]:
    """(path, another value) of every whole number and flag of a config, but for what a rule says to ignore."""
    ignored = {field for field, (rule, _) in rules(config["architectures"][0]).items() if rule == "ignored"}
    inner = next((config[part] for part in NESTED if part in config), {})
    if config.get("dspark_target_layer_ids"):
        ignored.add("num_nextn_predict_layers")  # DSpark has a block for each layer that it reads, whatever this says
    places = {(): config, ("vision_config",): config.get("vision_config") or {}}
    places |= {(part,): config[part] for part in NESTED if part in config}
    found: list[tuple[tuple[str, ...], Any]] = []
    for place, fields in places.items():
        for field, value in fields.items():
            overruled = not place and field in inner
            if overruled or (*place, field) in WITHOUT_USE or field in ignored or ".".join((*place, field)) in ignored:
                continue
            if isinstance(value, bool):
                found.append(((*place, field), not value))
            elif isinstance(value, int):
                found += [((*place, field), other) for other in (value + 1, 2 * value + 1) if other != value]
    return found


@pytest.mark.parametrize("name", one_in(7, CONFIGS))
def test_a_changed_size_never_goes_unnoticed(name: str) -> None:
    config = CONFIGS[name]
    if faults(config):
        pytest.skip("refused as it stands")
    before = figures(model(config))
    for path, value in sizes(config):
        changed = copy.deepcopy(config)
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        assert faults(changed) or figures(model(changed)) != before, path
