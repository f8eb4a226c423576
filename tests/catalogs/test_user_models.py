"""Models given by a Hugging Face config.json: kept or for one run; what is not understood is refused by name."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.architectures import flat_config, from_config
from catalogs.architectures.gemma import GEMMA_3
from catalogs.checkpoints.published import native_format
from catalogs.config_check import faults
from catalogs.decoder_config import NESTED
from catalogs.errors import InputError
from catalogs.llm import all_models, get
from catalogs.registry import DATA
from catalogs.user_models import open_config
from tests.support.commands import dsopt
from tests.support.long import examples, sampled

FILES = sorted(DATA.glob("*.json"))
CONFIGS = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in FILES}
QWEN = CONFIGS["qwen3-8b"]


def written(folder: Path, config: Any, name: str = "my-model.json") -> Path:
    path = folder / name
    path.write_text(config if isinstance(config, str) else json.dumps(config), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_shipped_configs_are_understood_and_count_the_same(path: Path) -> None:
    llm = open_config(path, "mine")
    twin = next(m for m in all_models() if m.config == llm.config)
    assert llm.params_total * twin.scale == twin.params_total
    assert llm.user and llm.native_precision in llm.formats
    if twin.scale == 1 and twin.native_precision != "fp16":
        assert llm.native_precision == twin.native_precision
        assert llm.min_precision_bits == twin.min_precision_bits


def test_tied_embeddings_are_one_table_that_is_read(tmp_path: Path) -> None:
    fields = {"hidden_size": 2560, "intermediate_size": 9728, "tie_word_embeddings": True}
    m = open_config(written(tmp_path, {**QWEN, **fields}))
    assert m.id == "my-model"
    assert m.params_total == m.params_active == 4_022_468_096  # Qwen3-4B's published count
    assert m.dense_read_bytes("bf16") == m.weight_bytes("bf16") == 2 * m.params_total


REFUSED = [
    ({"architectures": ["MambaForCausalLM"]}, "unknown-architecture", "Mamba"),
    ({"architectures": ["Florence2ForConditionalGeneration"]}, "unknown-architecture", "Florence2"),
    ({"architectures": []}, "bad-config", "architectures"),
    ({"use_sliding_window": True, "sliding_window": 4096}, "not-modelled", "use_sliding_window"),
    ({"layer_types": ["linear_attention", "full_attention"] * 18}, "not-modelled", "layer_types"),
    ({"layer_types": ["full_attention"]}, "not-modelled", "layer_types"),
    ({"attention_bias": True}, "not-modelled", "attention_bias"),
    ({"hidden_act": "relu2"}, "not-modelled", "hidden_act"),
    ({"vision_config": {"depth": 32}}, "not-modelled", "vision_config"),
    ({"cross_attention_layers": [3]}, "not-modelled", "cross_attention_layers"),
    ({"linear_attn_config": {}}, "not-modelled", "linear_attn_config"),
    ({"num_experts": 8}, "unknown-field", "num_experts"),
    ({"surprise": 1}, "unknown-field", "surprise"),
    ({"num_attention_heads": 0}, "bad-config", "num_attention_heads"),
    ({"num_attention_heads": "32"}, "bad-config", "num_attention_heads"),
    ({"num_attention_heads": 32.0}, "bad-config", "num_attention_heads"),
    ({"num_attention_heads": True}, "bad-config", "num_attention_heads"),
    ({"hidden_size": -4096}, "bad-config", "hidden_size"),
    ({"hidden_size": 10**30}, "bad-config", "hidden_size"),
    ({"num_hidden_layers": 10**9}, "bad-config", "num_hidden_layers"),
    ({"num_key_value_heads": 5}, "bad-config", "num_key_value_heads"),
    ({"vocab_size": None}, "bad-config", "vocab_size"),
    ({"tie_word_embeddings": "yes"}, "bad-config", "tie_word_embeddings"),
    ({"quantization_config": {"quant_method": "bitsandbytes"}}, "unknown-quantization", "quantization_config"),
    ({"quantization_config": {"quant_method": "fp8"}}, "unknown-quantization", "quantization_config"),
    ({"quantization_config": [8]}, "unknown-quantization", "quantization_config"),
    ({"torch_dtype": "float64"}, "unknown-quantization", "torch_dtype"),
]


@pytest.mark.parametrize(("change", "code", "field"), REFUSED, ids=lambda x: str(x)[:40])
def test_what_is_not_understood_is_refused_by_name(
    tmp_path: Path, change: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(InputError) as e:
        open_config(written(tmp_path, {**QWEN, **change}))
    fault = e.value.faults[0]
    assert fault.code == code
    assert field in str(fault)


@pytest.mark.parametrize(
    ("stem", "change", "field"),
    [
        ("deepseek-v4-flash", {"compress_ratios": [7] * 44}, "compress_ratios"),
        ("deepseek-v4-flash", {"compress_ratios": [4]}, "compress_ratios"),
        ("deepseek-v4-flash", {"o_groups": 7}, "o_groups"),
        ("deepseek-v3", {"first_k_dense_replace": 70}, "first_k_dense_replace"),
        ("deepseek-v3", {"num_experts_per_tok": 300}, "num_experts_per_tok"),
        ("deepseek-v3", {"moe_layer_freq": 2}, "moe_layer_freq"),
        ("deepseek-v3", {"topk_method": "greedy"}, "topk_method"),
        ("gpt-oss-20b", {"layer_types": ["chunked_attention"] * 24}, "layer_types"),
        ("qwen3-235b-a22b", {"mlp_only_layers": [0]}, "mlp_only_layers"),
        ("minimax-m2.5", {"shared_intermediate_size": 512}, "shared_intermediate_size"),
        ("minimax-m2.5", {"attn_type_list": [0] * 62}, "attn_type_list"),
        ("llama-3.1-8b", {"sliding_window": 4096}, "sliding_window"),
    ],
)
def test_fields_of_other_architectures(stem: str, change: dict[str, Any], field: str) -> None:
    assert field in [f.column for f in faults({**CONFIGS[stem], **change})]


BY_CLASS = {
    ("Ernie4_5_MoeForCausalLM", "moe_layer_start_index"): "one dense layer in front (transformers ernie4_5_moe)",
    ("Ernie4_5_MoeForCausalLM", "tie_word_embeddings"): "one table for embedding and output head",
    ("HunYuanMoEV1ForCausalLM", "num_key_value_heads"): "a key head for each head",
    ("HunYuanMoEV1ForCausalLM", "tie_word_embeddings"): "an output head of its own",
    ("MistralForCausalLM", "head_dim"): "as wide as the hidden size gives",
}
"""What a class says where the file says nothing."""


def test_every_missing_field_is_named() -> None:
    for config in sampled(11, CONFIGS.values()):
        for name in config:
            less = {k: v for k, v in config.items() if k != name}
            found = faults(less)
            if not found:
                same = from_config(less, **FACTS).params_total == from_config(config, **FACTS).params_total
                # Gemma 3's own class says what a file leaves out, and the published files leave much out.
                by_class = name in GEMMA_3 and flat_config(less).get(name) == GEMMA_3[name]
                by_class |= (config["architectures"][0], name) in BY_CLASS
                assert same or by_class, f"{config['architectures'][0]} without {name} counts differently"
            else:
                # Of the language model inside of a config, the fields that it must have are named.
                missing = {f.column for f in found}
                assert name in missing or (name in NESTED and missing <= {*config[name]})


FACTS = {"id": "x", "name": "x", "native_precision": "fp8", "min_precision_bits": 8, "max_context": 1, "source": "test"}


@pytest.mark.parametrize(
    ("quantization", "want"),
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "int4"),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "int4"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}, "nvfp4"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "group_0": {"weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128}}
                },
            },
            "int4",
        ),
        (None, "bf16"),
    ],
)
def test_the_file_tells_the_native_format(quantization: Any, want: str) -> None:
    assert native_format({**QWEN, "quantization_config": quantization}) == want


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(max_size=8), x, max_size=4),
    max_leaves=8,
)


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_mutated_configs_give_a_model_or_faults(data: st.DataObject) -> None:
    config = copy.deepcopy(CONFIGS[data.draw(st.sampled_from(sorted(CONFIGS)))])
    for _ in range(data.draw(st.integers(1, 4))):
        name = data.draw(st.sampled_from([*config, "num_experts", "layer_types", "quantization_config"]))
        if data.draw(st.booleans()):
            config.pop(name, None)
        else:
            config[name] = data.draw(JUNK | st.integers(-1, 300))
    if faults(config):
        return
    try:
        native_format(config)
    except InputError as e:
        assert e.faults[0].code == "unknown-quantization"
    llm = from_config(config, **FACTS)
    for p in llm.formats:
        assert llm.weight_bytes(p) > 0 and llm.expert_bytes(p) <= llm.weight_bytes(p)
    assert 0 < llm.params_active <= llm.params_total
    # What layers borrow is stored once and read by each of them.
    borrowed = [c for layer in llm.layer_list for c in layer.caches if c.borrowed]
    lent = sum(c.bytes("fp8") * replace(c, borrowed=False).kept(1000) for c in borrowed)
    assert 0 < llm.kv_read_bytes(1000, "fp8") <= llm.kv_bytes(1000, "fp8") + lent
    assert llm.prefill_attention_flops(300) > 0


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00", "[" * 100_000, '{"a":' + "9" * 5000 + "}", "NaN"])
def test_files_that_are_no_config(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"bad-json|bad-config"):
        open_config(written(tmp_path, text))


def test_add_list_use_and_remove(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    file = str(written(tmp_path, {**QWEN, "num_hidden_layers": 8}))
    assert "GB in bf16" in dsopt("models", "add", file, "--id", "mine-8", DSOPT_HOME=home).stderr
    assert "model-exists" in dsopt("models", "add", file, "--id", "mine-8", DSOPT_HOME=home, code=3).stderr
    dsopt("models", "add", file, "--id", "mine-8", "--force", "--precision", "fp8", DSOPT_HOME=home)
    rows = json.loads(dsopt("models", "list", "--json", DSOPT_HOME=home).stdout)
    assert [r["id"] for r in rows if r["user"]] == ["mine-8"]
    shown = json.loads(dsopt("models", "show", "MINE-8", "--json", DSOPT_HOME=home).stdout)
    assert shown["layers"] == 8
    dsopt("models", "remove", "mine-8", DSOPT_HOME=home)
    assert "unknown-model" in dsopt("models", "remove", "mine-8", DSOPT_HOME=home, code=3).stderr
    assert "unknown-model" in dsopt("models", "show", "mine-8", DSOPT_HOME=home, code=3).stderr


@pytest.mark.parametrize("name", ["../evil", "v3-671b", "", "Qwen/Qwen3-8B", "a" * 65, ".hidden", "a\n"])
def test_names_that_a_model_cannot_have(tmp_path: Path, name: str) -> None:
    file = str(written(tmp_path, QWEN))
    code = 3 if name else 2  # An option with nothing after it is wrong use, whatever the option.
    assert "--id" in dsopt("models", "add", file, "--id", name, DSOPT_HOME=str(tmp_path / "h"), code=code).stderr
    assert not (tmp_path / "h").exists()


def test_damaged_and_unwritable_folders_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSOPT_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    written(tmp_path / "models", "{}", "broken.json")
    with pytest.raises(InputError, match="models remove broken"):
        get("broken")
    taken = written(tmp_path, "x", "not-a-folder")
    file = str(written(tmp_path, QWEN))
    assert "not-writable" in dsopt("models", "add", file, DSOPT_HOME=str(taken), code=3).stderr


def test_solve_with_a_config_for_one_run(tmp_path: Path) -> None:
    file = str(written(tmp_path, QWEN, "qwen3-8b.json"))
    args = ["--gpu", "L40S", "--max-nodes", "1", "--as-of", "2026-11-24", "--json", "--budget", "60k"]
    mine = json.loads(dsopt("solve", "--model-config", file, *args).stdout)
    ship = json.loads(dsopt("solve", "--model", "qwen3-8b", *args).stdout)
    assert [p["throughput"] for p in mine["front"]] == [p["throughput"] for p in ship["front"]]
    assert mine["front"] and mine["request"]["model"] == "user-qwen3-8b"
    both = dsopt("solve", "--model", "v3", "--model-config", file, "--budget", "60k", code=2).stderr
    assert "--model and --model-config contradict: give one" in both


def test_check_with_a_config_for_one_run(tmp_path: Path) -> None:
    file = str(written(tmp_path, CONFIGS["deepseek-v3"], "own-v3.json"))
    example = str(Path(__file__).parents[2] / "examples" / "guide-entry.toml")
    base = ["check", example, "--as-of", "2026-11-24", "--json"]
    mine, ship, plain = (
        [c["measured"] for b in json.loads(dsopt(*base, *extra, code=5).stdout) for c in b["checks"]]
        for extra in (["--model-config", file], ["--model", "v3-671b"], [])
    )
    assert mine == ship != plain
