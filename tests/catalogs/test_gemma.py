"""Gemma 3 and 4: windows, heads of both kinds of layers, borrowed keys, embeddings of the layers."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs.config_check import faults
from catalogs.llm import from_config, get
from catalogs.transformer import Llm
from constraints.rules.vram import kv_per_gpu_user
from optimizer.throughput.demand import demand

CONFIGS = Path(__file__).parents[1] / "data" / "configs"
FACTS = {"id": "x", "name": "x", "native_precision": "bf16", "min_precision_bits": 16, "max_context": 1, "source": ""}


def config(name: str) -> dict[str, Any]:
    return json.loads((CONFIGS / f"google--{name}.json").read_text(encoding="utf-8"))


def test_text_and_towers_are_counted_apart() -> None:
    """The cards of Gemma 4 count the language models: 30.7B, 25.2B with 3.8B active; of E2B 2.3B effective."""
    large, sparse, small = get("gemma-4-31b"), get("gemma-4-26b-a4b"), get("gemma-4-e2b")
    assert [f"{(m.params_total - m.tower_params) / 1e9:.1f}" for m in (large, sparse)] == ["30.7", "25.2"]
    assert f"{sparse.params_active / 1e9:.1f}" == "3.8" and f"{small.params_active / 1e9:.1f}" == "2.3"
    assert all(540e6 < m.tower_params < 580e6 for m in (large, sparse))


def test_windows_stay_small_and_each_kind_has_its_heads() -> None:
    llm, tokens = get("gemma-4-31b"), 100_000
    windows, whole = 50 * 1024 * 2 * 16 * 256 * 2, 10 * tokens * 2 * 4 * 512 * 2
    assert llm.kv_bytes(tokens, "bf16") == windows + whole
    assert llm.kv_read_bytes(tokens, "bf16") == windows + whole
    # Four key heads lie on four of eight ranks, copied; sixteen are spread over all.
    assert kv_per_gpu_user(llm, tokens, "bf16", 8, 1) == windows // 8 + whole // 4
    asked = demand(llm, "bf16", tokens - 512, 1024, "bf16")
    assert (asked.kv_read_b, asked.kv_heads) == (windows, 16)
    assert (asked.kv_other_b, asked.kv_other_heads, asked.kv_whole_b) == (whole, 4, 0)


def test_a_single_key_head_is_on_every_rank() -> None:
    llm, tokens = get("gemma-4-12b"), 50_000
    windows, whole = 40 * 1024 * 2 * 8 * 256 * 2, 8 * tokens * 2 * 512 * 2
    assert kv_per_gpu_user(llm, tokens, "bf16", 4, 1) == windows // 4 + whole
    assert demand(llm, "bf16", tokens - 512, 1024, "bf16").kv_whole_b == whole


def test_the_last_layers_borrow_keys_and_are_wider() -> None:
    llm = get("gemma-4-e2b")
    own, last = llm.layer_list[13], llm.layer_list[34]
    names = [{linear.name: linear for linear in layer.linears} for layer in (own, last)]
    assert "self_attn.k_proj" in names[0] and "self_attn.k_proj" not in names[1]
    assert [n["mlp.gate_proj"].out for n in names] == [6144, 2 * 6144]
    assert [layer.caches[0].borrowed for layer in (own, last)] == [False, True]
    # Twelve windows of 512 and three caches of the whole are stored; every layer reads one.
    stored, tokens = 12 * 512 * 2 * 256 * 2, 10_000
    assert llm.kv_bytes(tokens, "bf16") == stored + 3 * tokens * 2 * 512 * 2
    assert llm.kv_read_bytes(tokens, "bf16") == 28 * 512 * 2 * 256 * 2 + 7 * tokens * 2 * 512 * 2


def test_embeddings_of_layers_are_looked_up() -> None:
    llm = get("gemma-4-e2b")
    table = 262_144 * 35 * 256
    assert llm.params_total - llm.tower_params - llm.params_active == table
    assert llm.weight_bytes("bf16") - llm.dense_read_bytes("bf16") == 2 * table + 2 * llm.tower_params
    assert llm.linear_flops_per_token() < 2 * llm.params_active


def counted(changed: dict[str, Any]) -> Llm:
    assert faults(changed) == []
    return from_config(changed, **FACTS)


def test_what_a_file_of_gemma_3_leaves_out_its_class_says() -> None:
    """gemma-3-4b-it names neither heads nor vocabulary."""
    said = config("gemma-3-4b-it")
    written = copy.deepcopy(said)
    written["text_config"] |= {"vocab_size": 262_208, "num_attention_heads": 8, "num_key_value_heads": 4}
    assert counted(said).params_total == counted(written).params_total == 4_300_079_472
    assert get("gemma-3-4b").max_context == 131_072
    nothing = {k: v for k, v in said.items() if k != "text_config"}
    assert {f.column for f in faults(nothing)} & {"text_config", "hidden_size"}


@pytest.mark.parametrize(
    ("name", "changes", "column"),
    [
        ("gemma-4-26B-A4B", {"top_k_experts": None}, "top_k_experts"),
        ("gemma-4-26B-A4B", {"num_key_value_heads": 3}, "num_key_value_heads"),
        ("gemma-4-26B-A4B", {"use_bidirectional_attention": "all"}, "use_bidirectional_attention"),
        ("gemma-4-26B-A4B", {"hidden_activation": "relu"}, "hidden_activation"),
        ("gemma-4-26B-A4B", {"layer_types": ["sliding_attention"] * 30 + ["x"]}, "layer_types"),
        ("gemma-4-E2B-it", {"num_kv_shared_layers": 35}, "num_kv_shared_layers"),
        ("gemma-4-E2B-it", {"vocab_size_per_layer_input": None}, "vocab_size_per_layer_input"),
        ("gemma-3-27b-it", {"attention_bias": True}, "attention_bias"),
    ],
)
def test_what_is_not_modelled_is_refused(name: str, changes: dict[str, Any], column: str) -> None:
    changed = config(name)
    changed["text_config"] |= changes
    assert column in {f.column for f in faults(changed)}
