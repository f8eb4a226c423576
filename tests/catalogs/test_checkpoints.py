"""The precision in which checkpoints are published: the traps of published files, each with the figures that the files
and their makers give (tests/data/configs; hf_quant_config.json beside a config is NAME.hf_quant_config.json)."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.architectures import ARCHITECTURES, from_config
from catalogs.checkpoints.names import Expression, Names, PatternError
from catalogs.checkpoints.published import native_format, published, with_beside
from catalogs.config_check import faults
from catalogs.decoder_config import decoder_config
from catalogs.errors import InputError
from catalogs.llm import Llm, get
from catalogs.registry import DATA as SHIPPED
from catalogs.transformer import Layer
from catalogs.user_models import open_config
from constraints.request import Request
from constraints.rules.precision import kv_precision
from tests.support.long import examples, sampled

FOLDER = Path(__file__).parents[1] / "data" / "configs"
QWEN = json.loads((SHIPPED / "qwen3-8b.json").read_text(encoding="utf-8"))
MOE = json.loads((SHIPPED / "qwen3-235b-a22b.json").read_text(encoding="utf-8"))


def opened(name: str) -> Llm:
    return open_config(FOLDER / f"{name}.json")


def asked(llm: Llm) -> Request:
    return Request(model=llm.id, budget_cents=1, as_of=date(2026, 11, 24))


def whole(layer: Layer) -> int:
    """Bytes of a layer in 16 bits."""
    return 2 * (sum(x.params for x in layer.linears) + layer.bf16) + 4 * layer.fp32


def native_bytes(llm: Llm) -> int:
    return llm.weight_bytes(llm.native_precision)


def formats(llm: Llm) -> Counter[str]:
    """Parameters of the layers' matrices by the format in which the checkpoint holds them."""
    found: Counter[str] = Counter()
    for layer in llm.layer_list:
        for linear in layer.linears:
            found[linear.stored or llm.native_precision] += linear.params
    return found


# 1: what lies beside config.json --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "precision", "gigabytes", "counted_before"),
    [
        ("nvidia--DeepSeek-V3.1-NVFP4", "nvfp4", 386.4, 1342.1),
        ("nvidia--GLM-5-NVFP4", "nvfp4", 440.9, 1487.8),
        ("nvidia--Qwen3-235B-A22B-NVFP4", "nvfp4", 134.1, 470.2),
        ("nvidia--Llama-3.1-70B-Instruct-FP8", "fp8", 72.7, 141.1),
    ],
)
def test_a_config_of_16_bits_takes_the_scheme_beside_it(
    name: str, precision: str, gigabytes: float, counted_before: float
) -> None:
    llm = opened(name)
    assert llm.native_precision == precision
    assert round(native_bytes(llm) / 1e9, 1) == gigabytes
    assert round(llm.weight_bytes("bf16") / 1e9, 1) == counted_before
    assert llm.kv_cache == "fp8"


def test_the_config_itself_goes_before_what_lies_beside_it() -> None:
    own = {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic"}
    config = with_beside({**QWEN, "quantization_config": own}, {"quantization": {"quant_algo": "NVFP4"}})
    assert native_format(config) == "fp8"
    assert native_format(with_beside(QWEN, {"quantization": {"quant_algo": "NVFP4"}})) == "nvfp4"


# 2: FP8 in name, FP4 in the experts -----------------------------------------------------------------------------------


def test_experts_of_v4_are_fp4_whatever_the_method_is_called() -> None:
    assert get("v4-flash").native_precision == "fp4-mix"
    llm = opened("nvidia--DeepSeek-V4-Flash-NVFP4")
    assert llm.native_precision == "nvfp4"
    found = formats(llm)
    assert found["nvfp4"] == llm.params_routed_experts
    assert set(found) == {"nvfp4", "fp8"}
    # 168 GB (a community's table) with the module for several tokens, which is a layer in FP4 and FP8.
    assert (native_bytes(llm) + max(get("v4-flash").layer_bytes("fp4-mix"))) / 1e9 == pytest.approx(168, rel=0.02)


def test_experts_of_v41_are_named_inside_the_quantization() -> None:
    config = json.loads((FOLDER / "deepseek-ai--DeepSeek-V4.1-Flash.json").read_text(encoding="utf-8"))
    assert "expert_dtype" not in config and config["quantization_config"]["expert_dtype"] == "fp4"
    assert native_format(config) == "fp4-mix"
    assert native_format(
        {**config, "quantization_config": {**config["quantization_config"], "expert_dtype": "fp8"}}
    ) == ("fp8")


# 3: the KV cache ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_names_its_kv_cache() -> None:
    for name in ("nvidia--DeepSeek-V3.1-NVFP4", "nvidia--GLM-5.2-NVFP4", "Qwen--Qwen3-32B-FP8-Static-PerTensor"):
        llm = opened(name)
        request = asked(llm)
        assert request.kv_precision is None
        assert kv_precision(llm, request) == "fp8"
        for typed in ("bf16", "fp8"):
            assert kv_precision(llm, request.model_copy(update={"kv_precision": typed})) == typed
    assert opened("moonshotai--Kimi-K2.5").kv_cache == ""
    assert kv_precision(get("v3.1"), asked(get("v3.1"))) == "bf16"


@pytest.mark.parametrize(
    ("said", "kv_cache"),
    [
        ({"kv_cache_scheme": {"num_bits": 8, "type": "float", "dynamic": False}}, "fp8"),
        ({"kv_cache_scheme": "FP8"}, "fp8"),
        ({"kv_cache_quant_algo": "FP8"}, "fp8"),
        ({"kv_cache_quant_algo": "NVFP4"}, ""),
        ({"kv_cache_quant_algo": "INT8"}, ""),
        ({"kv_cache_scheme": None, "kv_cache_quant_algo": None}, ""),
    ],
)
def test_schemes_of_kv_caches(said: dict[str, Any], kv_cache: str) -> None:
    config = {**QWEN, "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4", **said}}
    assert published(config).kv_cache == kv_cache


# 4: nested configs ----------------------------------------------------------------------------------------------------


def test_a_scheme_inside_the_language_model() -> None:
    """moonshotai/Kimi-K2.5: 595 GB in INT4 with a 16-bit scale for each 32 weights, attention in 16 bits."""
    llm = opened("moonshotai--Kimi-K2.5")
    assert llm.native_precision == "int4"
    assert native_bytes(llm) / 1e9 == pytest.approx(595, rel=0.002)
    found = formats(llm)
    assert found["int4"] == llm.params_routed_experts and set(found) == {"int4", "bf16"}


def test_a_scheme_at_the_top_of_a_nested_config() -> None:
    assert opened("nvidia--Qwen3.5-122B-A10B-NVFP4").native_precision == "nvfp4"


# 5: what is left in 16 bits -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "gigabytes"), [("nvidia--GLM-5.2-NVFP4", 465), ("nvidia--GLM-5.1-NVFP4", 441)])
def test_excluded_layers_are_in_16_bits(name: str, gigabytes: float) -> None:
    """GLM-5.2-NVFP4's 465 GB hold a module for several tokens in 16 bits, GLM-5.1-NVFP4's 441 GB one in NVFP4."""
    llm = opened(name)
    assert llm.layer_list[3].linears[0].stored == "bf16"
    module = whole(llm.layer_list[-1]) if gigabytes == 465 else 0
    assert (native_bytes(llm) + module) / 1e9 == pytest.approx(gigabytes, rel=0.02)
    assert llm.layer_bytes("nvfp4")[0] == whole(llm.layer_list[0])


def test_a_repository_to_the_thousandth() -> None:
    """nvidia/DeepSeek-R1-0528-NVFP4-v2 holds 413,340,567,567 bytes (350 files, as edwardsp/blobcache fetched them).

    Its lists are those of DeepSeek-V3.1-NVFP4, a network of the same sizes; layer 61, for a further token, is in 16
    bits with tables of its own."""
    llm = opened("nvidia--DeepSeek-V3.1-NVFP4")
    tables = 2 * 2 * llm.config["vocab_size"] * llm.hidden
    module = whole(llm.layer_list[-1]) + 2 * 2 * llm.hidden**2 + tables
    assert native_bytes(llm) + module == pytest.approx(413_340_567_567, rel=0.001)


def as_counted(name: str) -> str:
    """A module by the name of the first of those that are counted with it; experts are all counted with the first."""
    for behind, first in ((".up_proj", ".gate_proj"), (".w3", ".w1"), (".v_proj", ".k_proj")):
        name = name.replace(behind, first)
    return re.sub(r"experts\.\d+", "experts.0", name)


def test_each_name_on_a_list_meets_a_module() -> None:
    """A name that met none would leave its module in the wrong format, unseen."""
    for path in sampled(5, sorted(FOLDER.glob("*.json"))):
        config = json.loads(path.read_text(encoding="utf-8"), parse_constant=float)
        if "architectures" not in config or config["architectures"][0] not in ARCHITECTURES or faults(config):
            continue
        found = config.get("quantization_config") or {}
        listed = [*found.get("ignore", []), *found.get("quantized_layers", {})]
        llm = open_config(path)
        listed = sorted(set(map(as_counted, listed)))
        modules = [f"model.layers.{n}.{x.name}" for n, layer in enumerate(llm.layer_list) for x in layer.linears]
        layers = f"layers\\.({'|'.join(map(str, range(llm.layers)))})\\."
        for name in sampled(23, listed):
            # Routers, and gates of shared experts, are always in 16 bits and no matrices of a list.
            if re.search(layers, name) and not re.search(r"gate\*?$|shared_expert_gate|router|indexers_proj", name):
                assert any(module in Names((name,)) for module in modules), (path.stem, name)


# 6 and 9 are about what pages show, 7 and 10 about layers behind the last ---------------------------------------------


def test_lists_that_go_on_behind_the_last_layer_change_nothing() -> None:
    config = json.loads((SHIPPED / "deepseek-v4-flash.json").read_text(encoding="utf-8"))
    longer = {**config, "compress_ratios": [*config["compress_ratios"], 0, 0]}
    assert faults(longer) == []
    facts = {"id": "x", "name": "x", "native_precision": "fp4-mix", "min_precision_bits": 4, "max_context": 1}
    assert from_config(longer, **facts, source="").params_total == get("v4-flash").params_total
    hidden = opened("nvidia--GLM-5.2-NVFP4")
    assert "model.layers.78*" in json.dumps(hidden.config["quantization_config"]) and hidden.layers == 78


# 8: conversions of V4 whose experts are FP8 ---------------------------------------------------------------------------


def test_fp8_conversions_of_v4_have_twice_the_experts() -> None:
    llm = opened("sgl-project--DeepSeek-V4-Flash-FP8")
    assert llm.native_precision == "fp8" and llm.min_precision_bits == 8
    assert native_bytes(llm) / 1e9 == pytest.approx(285, rel=0.02)
    assert opened("sgl-project--DeepSeek-V4-Pro-FP8").native_precision == "fp8"


# One network, several precisions --------------------------------------------------------------------------------------


def test_mixed_precision_follows_its_list() -> None:
    """nvidia/Qwen3.6-27B-NVFP4: attention in FP8, feed-forward and output head in NVFP4, gates in 16 bits."""
    llm = opened("nvidia--Qwen3.6-27B-NVFP4")
    assert set(formats(llm)) == {"fp8", "nvfp4"}
    head = {linear.name: linear.stored for linear in llm.head.linears}
    assert head == {"model.embed_tokens": "bf16", "lm_head": "nvfp4"}
    assert llm.dense_read_bytes("nvfp4") == native_bytes(llm) - 2 * (llm.config["vocab_size"] * llm.hidden) - (
        2 * llm.tower_params
    )


@pytest.mark.parametrize(
    ("quantization", "want", "bits"),
    [
        ({"quant_method": "fp8", "activation_scheme": "static"}, "fp8", 8.0),
        ({"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [32, 32], "scale_fmt": "ue8m0"},
         "fp8", 8 + 8 / 1024),
        ({"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [1, 128]}, "fp8", 8.25),
        ({"quant_method": "modelopt", "quant_algo": "FP8_PB_WO"}, "fp8", 8 + 32 / 128**2),
        ({"quant_algo": "MXFP8", "producer": {"name": "modelopt"}}, "mxfp8", 8.25),
        ({"quant_method": "mxfp8"}, "mxfp8", 8.25),
        ({"quant_algo": "W4A16_AWQ", "group_size": 128}, "int4", 4.125),
        ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}, "int4", 4 + 20 / 128),
        ({"quant_method": "awq", "bits": 4, "group_size": 64}, "int4", 4 + 20 / 64),
        ({"quant_method": "gptq", "bits": 8, "group_size": 32}, "int8", 8.75),
        ({"quant_method": "auto-round", "bits": 4, "group_size": 128, "sym": True}, "int4", 4 + 20 / 128),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"], "weights": {
            "num_bits": 8, "type": "float", "strategy": "channel"}}}}, "fp8", 8.0),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"], "weights": {
            "num_bits": 4, "type": "float", "strategy": "group", "group_size": 32}}}}, "mxfp4", 4.25),
        ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"], "weights": {
            "num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": True}}}}, "int4", 4.5),
        ({"quant_method": "quark", "global_quant_config": {"weight": {
            "dtype": "fp4", "qscheme": "per_group", "group_size": 32}}, "exclude": ["lm_head"]}, "mxfp4", 4.25),
        ({"quant_method": "quark", "global_quant_config": {"weight": {
            "dtype": "fp8_e4m3", "qscheme": "per_tensor"}}}, "fp8", 8.0),
    ],
)  # fmt: skip
def test_real_bits_of_a_weight(quantization: dict[str, Any], want: str, bits: float) -> None:
    said = published({**QWEN, "quantization_config": quantization})
    assert said.native == want
    facts = {"id": "x", "name": "x", "min_precision_bits": 4, "max_context": 1, "source": ""}
    llm = from_config(QWEN, **facts, **said.facts())
    linear = llm.layer_list[0].linears[2]
    assert 8 * linear.bytes(want, llm.scales) / linear.params == pytest.approx(bits, rel=1e-3)


def test_mlx_quantizes_the_tables_too() -> None:
    other = {"bits": 8, "group_size": 64}
    said = {"group_size": 64, "bits": 4, "mode": "affine", "model.layers.0.self_attn.q_proj": other}
    for config in ({**QWEN, "quantization": said}, {**QWEN, "quantization": said, "quantization_config": said}):
        found = published(config)
        llm = from_config(config, id="x", name="x", min_precision_bits=4, max_context=1, source="", **found.facts())
        assert found.native == "int4" and llm.layer_list[0].linears[0].stored == "int8"
        assert [x.stored for x in llm.head.linears] == ["int4", "int4"]
        assert 8 * native_bytes(llm) / llm.params_total == pytest.approx(4.5, rel=0.01)


def test_experts_alone_and_lists_of_an_architecture() -> None:
    found = published({**MOE, "quantization_config": {"quant_method": "mxfp4"}})
    stored = found.stored()
    assert found.native == "mxfp4" and stored is not None
    assert [stored(f"model.layers.0.{x}") for x in ("mlp.experts.0.up_proj", "self_attn.o_proj")] == ["", "bf16"]
    dynamic = {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {"-:.*layers\\.0\\..*": {}}}
    stored = published({**MOE, "quantization_config": dynamic}).stored()
    assert stored is not None
    assert [stored(f"model.layers.{n}.self_attn.o_proj") for n in (0, 1, 10)] == ["bf16", "", ""]
    awq = {"quant_method": "awq", "bits": 4, "group_size": 128, "modules_to_not_convert": ["self_attn"]}
    stored = published({**MOE, "quantization_config": awq}).stored()
    assert stored is not None and stored("model.layers.7.self_attn.q_proj") == "bf16"


def test_the_output_head_of_gptq_is_quantized_where_it_says_so() -> None:
    gptq = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    for said, held in (({}, "bf16"), ({"lm_head": False}, "bf16"), ({"lm_head": True}, "int4")):
        stored = published({**QWEN, "quantization_config": gptq | said}).stored()
        assert stored is not None and (stored("lm_head") or "int4") == held
        assert stored("model.embed_tokens") == "bf16"


def test_names_of_kernels_mean_the_checkpoints_that_they_run() -> None:
    for kernel, method in (("awq_marlin", "awq"), ("gptq_marlin", "gptq"), ("gptq_v2", "gptq")):
        said = {"bits": 4, "group_size": 128}
        assert published({**QWEN, "quantization_config": {"quant_method": kernel, **said}}) == published(
            {**QWEN, "quantization_config": {"quant_method": method, **said}}
        )


@pytest.mark.parametrize(
    "quantization",
    [
        {"quant_method": "modelopt", "quant_algo": None, "kv_cache_quant_algo": "FP8"},
        {"quant_method": "compressed-tensors", "config_groups": {}, "kv_cache_scheme": {
            "num_bits": 8, "type": "float"}},
    ],
)  # fmt: skip
def test_the_kv_cache_alone_may_be_quantized(quantization: dict[str, Any]) -> None:
    said = published({**QWEN, "quantization_config": quantization})
    assert (said.native, said.kv_cache) == ("bf16", "fp8")


def test_w4afp8_has_experts_in_int4_and_all_else_in_fp8() -> None:
    said = published({**MOE, "quantization_config": {"quant_method": "w4afp8"}})
    llm = from_config(MOE, id="x", name="x", min_precision_bits=4, max_context=1, source="", **said.facts())
    found = llm.bytes_by_format()
    assert said.native == "int4"
    assert found["int4"] == llm.params_routed_experts * 33 // 64  # 4 bits, and 16 for each 128 weights
    assert found["fp8"] == pytest.approx(sum(
        x.params for y in llm.layer_list for x in y.linears if not x.expert
    ), rel=0.001)  # fmt: skip


def test_keys_and_values_may_be_in_other_formats_than_one_another() -> None:
    """mlx-lm's mixed quantization gives values more bits, and names routers and routed experts in its own way."""
    more, usual = {"bits": 8, "group_size": 64}, {"bits": 4, "group_size": 64}
    listed = {}
    for number in range(MOE["num_hidden_layers"]):
        place = f"model.layers.{number}"
        listed |= {f"{place}.self_attn.v_proj": more, f"{place}.mlp.gate": more}
        listed |= {f"{place}.mlp.switch_mlp.up_proj": more}
    of_16_bits = {**MOE, "quantization_config": None}
    said = published({**of_16_bits, "quantization": {**usual, **listed}})
    llm = from_config(MOE, id="x", name="x", min_precision_bits=4, max_context=1, source="", **said.facts())
    plain = from_config(
        MOE, id="x", name="x", min_precision_bits=4, max_context=1, source="",
        **published({**of_16_bits, "quantization": usual}).facts(),
    )  # fmt: skip
    assert llm.params_total == plain.params_total
    values = MOE["num_hidden_layers"] * MOE["hidden_size"] * MOE["num_key_value_heads"] * MOE["head_dim"]
    eights = values + llm.params_routed_experts // 3
    assert native_bytes(llm) - native_bytes(plain) == eights // 2


def test_auto_round_may_name_routers() -> None:
    named = {f"model.layers.{number}.mlp.gate": {"bits": 16, "data_type": "fp"} for number in range(94)}
    said = {"quant_method": "auto-round", "bits": 4, "group_size": 128}
    assert published({**MOE, "quantization_config": {**said, "extra_config": named}}).native == "int4"
    with pytest.raises(InputError):
        other = {"model.layers.0.self_attn.qkv_proj": {"bits": 16}}
        published({**MOE, "quantization_config": {**said, "extra_config": other}})


def test_weights_of_32_bits_are_loaded_in_16() -> None:
    assert published({**QWEN, "torch_dtype": "float32"}).native == "bf16"


REFUSED = [
    {"quant_method": "bitsandbytes", "load_in_4bit": True},
    {"quant_method": "fp8"},
    {"quant_method": "mxfp4"},  # a dense model has no experts
    {"quant_method": "hqq"},
    {"quant_method": "awq", "bits": 4, "group_size": "128"},
    {"quant_method": "gptq", "bits": 4.0 + 0.5, "group_size": 128},
    {"quant_algo": "NVFP4", "group_size": 32},
    {"quant_algo": "SOMETHING"},
    {"quant_algo": "MIXED_PRECISION"},
    {"quant_algo": "MIXED_PRECISION", "quantized_layers": {"model.layers.0.attn.wq": {"quant_algo": "FP8"}}},
    {"quant_algo": "FP8", "exclude_modules": ["a", 1]},
    {"quant_method": "compressed-tensors", "config_groups": {}},
    {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 4, "type": "int",
     "strategy": "group", "group_size": 128}}}, "ignore": ["re:(?<=x)y"]},
    {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": {"num_bits": 4, "type": "int",
     "strategy": "group", "group_size": 128}}}, "sparsity_config": {"format": "sparse-24-bitmask"}},
    {"group_size": 64, "bits": 7},
]  # fmt: skip


@pytest.mark.parametrize("quantization", REFUSED, ids=lambda q: json.dumps(q)[:50])
def test_what_is_not_known_to_the_byte_is_refused(quantization: dict[str, Any]) -> None:
    with pytest.raises(InputError) as e:
        published({**QWEN, "quantization_config": quantization})
    assert e.value.faults[0].code == "unknown-quantization"
    assert "--precision" in e.value.faults[0].remedy


# Names that say more than the files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["Qwen3-8B-NVFP4", "qwen3-8b-awq", "Qwen3-8B-GPTQ-Int4", "Qwen3-8B.FP8", "qwen3-8b_4bit", "Qwen3-8B-GGUF",
     "Qwen3-8B-Q4_K_M", "Qwen3-8B-UD-IQ2_XXS", "Qwen3-8B-exl3", "Qwen3-8B-4.0bpw", "Qwen3-8B-HQQ", "Qwen3-8B-NF4",
     "Qwen3-8B-W8A16", "Qwen3-8B-W4AFP8", "Qwen3-8B-int8mix", "Qwen3-8B-EETQ", "Qwen3-8B-AQLM"],
)  # fmt: skip
def test_a_name_that_says_more_than_the_files_asks(tmp_path: Path, name: str) -> None:
    text = json.dumps(QWEN)
    folder = tmp_path / name
    folder.mkdir()
    (folder / "config.json").write_text(text, encoding="utf-8")
    (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    for path in (folder / "config.json", tmp_path / f"{name}.json"):
        with pytest.raises(InputError) as e:
            open_config(path)
        assert e.value.faults[0].code == "unsaid-quantization"
        assert "--precision" in e.value.faults[0].remedy
        assert open_config(path, precision="fp8").native_precision == "fp8"
    plain = tmp_path / "plain.json"
    plain.write_text(json.dumps({**QWEN, "_name_or_path": f"/models/{name}"}), encoding="utf-8")
    with pytest.raises(InputError, match="unsaid-quantization"):
        open_config(plain)


@pytest.mark.parametrize(
    "name",
    [
        "Qwen3-8B",
        "Nemotron-3-Nano-30B-A3B-BF16",
        "Qwen3-8B-dequantized-from-FP8-to-BF16",
        "gemma-3-27b-it-qat-q4_0-unquantized",
        "Qwen3-8B-QAT",
    ],
)
def test_other_names_do_not(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.json"
    path.write_text(json.dumps(QWEN), encoding="utf-8")
    assert open_config(path, "x").native_precision == "bf16"


# Patterns -------------------------------------------------------------------------------------------------------------

ATOMS = ["a", "b", ".", "[ab]", "[^a]", r"\d", "(a|b)", "(ab|a)", "(?:a*b)", "^", "$", "(?=a)", "(?!b)"]
TIMES = ["", "", "*", "+", "?", "{2}", "{1,3}", "{0,}", "*?"]


def test_expressions_match_as_the_tools_match_them() -> None:
    draw = random.Random(17)
    for _ in range(3000):
        pattern = "".join(draw.choice(ATOMS) + draw.choice(TIMES) for _ in range(draw.randint(1, 6)))
        text = "".join(draw.choices("ab1", k=draw.randint(0, 9)))
        try:
            wanted = re.match(pattern, text) is not None
        except re.error:
            continue
        assert Expression.of(pattern).begins(text) == wanted, (pattern, text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(((((a*)*)*)*)*)*b",
        "((((a?){60}){60}){60}){60}b",
        ".*" * 400 + "x",
        "(a|a|a|a)*" * 50 + "b",
        "(a+)+$",
        "(?!.*b).*",
    ],
)
def test_no_expression_takes_more_than_a_moment(pattern: str) -> None:
    started = time.monotonic()
    Expression.of(pattern).begins("a" * 90)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "pattern", ["(", ")", "[a", "a{", "*", r"\b", "(?<=a)", "(?P<n>a)", "(?!a(?!b))", "(" * 30, "a" * 2000]
)
def test_expressions_that_are_not_understood(pattern: str) -> None:
    with pytest.raises(PatternError):
        Expression.of(pattern)


def test_what_names_cover() -> None:
    module = "model.layers.3.mlp.experts.17.gate_proj"
    covering = [
        module, "model.layers.3.mlp.experts", "model.language_model.layers.3.*", "layers.3.mlp*", "*.experts.*",
        "language_model.model.layers.3.mlp.experts", r"re:.*\.experts\..*_proj$", "re:model.layers.3.mlp.*",
        "experts", "mlp.experts", "mlp",
    ]  # fmt: skip
    assert [name for name in covering if module not in Names((name,))] == []
    others = [
        "model.layers.30*", "model.layers.3.mlp.experts.1", "gate", "model.layers.3.mlp.gate", "re:layers.4.*",
        "vision_tower*", r"re:.*mlp\.(gate|up)_proj.*",
    ]  # fmt: skip
    assert [name for name in others if module in Names((name,))] == []


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 200) | st.text("ab.*[(", max_size=6) | st.sampled_from(
        ["fp8", "modelopt", "awq", "NVFP4", "MIXED_PRECISION", "float", "int", "group", "compressed-tensors", "quark"]
    ),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5) | st.just("re:("), x, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = [
    "quant_method", "quant_algo", "bits", "group_size", "weight_block_size", "activation_scheme", "config_groups",
    "ignore", "exclude_modules", "quantized_layers", "kv_cache_scheme", "dynamic", "extra_config", "weight", "exclude",
    "global_quant_config", "layer_quant_config", "modules_to_not_convert", "mode", "targets", "weights", "num_bits",
    "type", "strategy", "expert_dtype", "scale_fmt", "format",
]  # fmt: skip
GROUP = st.fixed_dictionaries({}, optional={"weights": st.dictionaries(st.sampled_from(FIELDS), JUNK), "targets": JUNK})


@settings(max_examples=examples(300), deadline=None)
@given(st.dictionaries(st.sampled_from(FIELDS), JUNK | st.dictionaries(st.text(max_size=3), GROUP, max_size=2)))
def test_any_object_is_read_or_refused(quantization: dict[str, Any]) -> None:
    config = {**MOE, "quantization_config": quantization}
    try:
        found = published(config)
    except InputError as e:
        assert e.faults[0].code in ("unknown-quantization", "unsaid-quantization")
        return
    facts = {"id": "x", "name": "x", "min_precision_bits": 4, "max_context": 1, "source": ""}
    llm = from_config(config, **facts, **found.facts())
    scaled = {linear.stored or found.native for layer in llm.layer_list for linear in layer.linears}
    assert scaled and decoder_config(config)["vocab_size"] > 0
    assert sum(x.bytes(x.stored or found.native, llm.scales) for y in llm.layer_list for x in y.linears) > 0
