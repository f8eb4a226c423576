"""The registry's figures against published ones (tests/data/published_models.csv: computed there from configs,
cross-checked with parameter counts of reference implementations and published checkpoint sizes). The computed
all-matrix mxfp4 figure of gpt-oss-120b is left out: its mxfp4 is the published one, experts only."""

import csv
from datetime import date
from pathlib import Path

import pytest

from catalogs.errors import InputError
from catalogs.llm import all_models, from_config, get

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "published_models.csv").open()))
STATE = {"v4-flash": 12_206_080, "v4-pro": 18_710_528}


def figure(model, quantity):
    m = get(model)
    if quantity.startswith("params_"):
        return getattr(m, quantity)
    if quantity == "flops_linear_per_token":
        return m.linear_flops_per_token()
    if quantity.startswith("flops_per_token_decode_"):
        return m.linear_flops_per_token() + m.attention_flops(int(quantity.rsplit("_", 1)[1]), "decode")
    if quantity == "weight_bytes_read_per_token_native":
        return m.dense_read_bytes(m.native_precision) + round(m.expert_read_bytes(m.native_precision, 1))
    if quantity == "weight_bytes_native_routed_experts":
        return m.expert_bytes(m.native_precision)
    if quantity.startswith("kv_bytes_per_seq_"):
        _, kv, tokens = quantity.rsplit("_", 2)
        return m.kv_bytes(int(tokens), kv) - STATE.get(model, 0)
    name = quantity.removeprefix("weight_bytes_").removesuffix("_weight_only").removesuffix("_g128")
    return m.weight_bytes(m.native_precision if name == "native" else name)


@pytest.mark.parametrize("row", ROWS, ids=lambda r: f"{r['model']}-{r['quantity']}")
def test_published_figures(row):
    m = get(row["model"])
    name = row["quantity"].removeprefix("weight_bytes_").removesuffix("_weight_only").removesuffix("_g128")
    if row["quantity"].startswith("weight_bytes_") and "native" not in name and name not in m.precisions():
        with pytest.raises(InputError):
            m.weight_bytes(name)
        return
    assert figure(row["model"], row["quantity"]) == int(row["value"])


def test_guide_names():
    assert get("v2-670b").weight_bytes("fp16") == 1_340_000_000_000
    assert get("r1-33b").weight_bytes("fp16") == 66_000_000_000
    assert "236 B" in get("v2-670b").note and "671 B" in get("r1-33b").note


@pytest.mark.parametrize("m", all_models(), ids=lambda m: m.id)
def test_family_and_day_of_publication(m):
    assert m.family and m.licence == m.licence.strip().lower()
    if m.released:
        assert date(2023, 1, 1) < date.fromisoformat(m.released)
    else:
        assert m.note, "only names that no model has go without a day"


@pytest.mark.parametrize("m", all_models(), ids=lambda m: m.id)
def test_layers_and_head_add_up(m):
    for p in m.precisions():
        assert sum(m.layer_bytes(p)) + m.head_bytes(p) == m.weight_bytes(p)
        assert m.expert_bytes(p) < m.weight_bytes(p)
    assert sum(m.kv_layer_bytes(5000, "bf16")) == m.kv_bytes(5000, "bf16")


def test_v3_cache_is_not_divided_by_tensor_parallel():
    assert get("deepseek-ai/DeepSeek-V3").kv_bytes(1, "bf16") == 70_272
    assert get("v3-671b").kv_shards(8) == 1
    assert get("r1-distill-llama-70b").kv_shards(16) == 8


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="Nearest"):
        get("v3-617b")
    with pytest.raises(InputError, match="Mamba"):
        from_config({"architectures": ["MambaForCausalLM"]})


def test_sliding_window_layers_keep_and_read_their_window():
    m = get("gpt-oss-20b")
    assert m.kv_bytes(4096, "bf16") == 12 * 2048 * 4096 + 12 * 2048 * 128 == m.kv_read_bytes(4096, "bf16")
    assert m.params_total == 20_914_757_184


def test_sparse_attention_reads_less_than_it_keeps():
    m = get("v3.2")
    assert m.kv_read_bytes(32768, "fp8") == 61 * (656 * 2048 + 132 * 32768)
    assert m.kv_read_bytes(2000, "fp8") == m.kv_bytes(2000, "fp8")
    flash = get("v4-flash")
    assert flash.kv_read_bytes(32768, "fp8") == 43 * 128 * 584 + 21 * (512 * 584 + 8192 * 132) + 20 * 256 * 584


@pytest.mark.parametrize("model", ["llama-3.1-8b", "gpt-oss-20b", "v3.2", "v4-flash"])
@pytest.mark.parametrize("isl", [1, 127, 515, 3001])
def test_prompt_attention_is_the_sum_over_its_positions(model, isl):
    m = get(model)
    assert m.prefill_attention_flops(isl) == sum(m.attention_flops(t, "prefill") for t in range(1, isl + 1))


def test_published_totals_of_reference_models():
    assert get("llama-2-70b").params_total == 68_976_648_192
    assert get("qwen3-14b").params_total == 14_768_307_200
    assert get("qwen3-30b-a3b").params_total == 30_532_122_624
    assert get("qwen3-4b").params_total == 4_022_468_096
