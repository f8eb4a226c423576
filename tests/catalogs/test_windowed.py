"""MiMo-V2 and Step-3.5: windows between layers that look at all, each kind with heads of its own."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs.config_check import faults
from catalogs.engines import sizes
from catalogs.llm import from_config, get
from catalogs.transformer import Llm
from catalogs.user_models import open_config
from constraints.rules.vram import kv_per_gpu_user
from optimizer.throughput.demand import demand

CONFIGS = Path(__file__).parents[1] / "data" / "configs"
GIB = 2**30
FACTS = {"id": "x", "name": "x", "native_precision": "bf16", "min_precision_bits": 16, "max_context": 1, "source": ""}


def config(name: str) -> dict[str, Any]:
    return json.loads((CONFIGS / f"{name}.json").read_text(encoding="utf-8"))


def opened(changed: dict[str, Any], folder: Path) -> Llm:
    path = folder / "config.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    return open_config(path, "x")


def mtp_layers(hidden: int, attention: int, values: int, heads: int, dense: int, scales: int) -> tuple[int, int]:
    """(elements with scales, bytes) of three MTP layers: FP8 matrices with 32-bit scales, the rest in 16 bits."""
    fp8 = 3 * hidden * dense + attention * hidden
    plain = 2 * hidden * hidden + values * hidden + 5 * hidden + heads
    blocks = 3 * hidden * dense // 128**2 + scales * hidden // 128
    return 3 * (fp8 + plain + blocks), 3 * (fp8 + 2 * plain + 4 * blocks)


@pytest.mark.parametrize(
    ("id_", "mtp", "scales", "elements", "gib"),
    [
        (
            "mimo-v2.5",
            mtp_layers(4096, 14_848, 8192, 64, 16_384, 116),
            47 * 256 * 3 * 512 + 3 * 32 * 128 + (9 * 108 + 39 * 116) * 32,
            310_775_040_000,
            "293.40",
        ),
        (
            "mimo-v2.5-pro",
            mtp_layers(6144, 27_136, 16_384, 128, 16_384, 216),
            69 * 384 * 3 * 16 * 48 + 3 * 48 * 128 + 70 * 216 * 48,
            1_023_244_718_976,
            "962.40",
        ),
    ],
)
def test_the_weight_files_are_counted_to_the_element(
    id_: str, mtp: tuple[int, int], scales: int, elements: int, gib: str
) -> None:
    """The files also hold three MTP layers, and each scale is an element."""
    llm = get(id_)
    assert llm.params_total + scales + mtp[0] == elements
    assert f"{(llm.weight_bytes('fp8') + mtp[1]) / GIB:.2f}" == gib


def test_windows_have_twice_the_key_heads() -> None:
    llm, tokens = get("mimo-v2-flash"), 100_000
    windows, whole = 39 * 128 * 8 * (192 + 128) * 2, 9 * tokens * 4 * (192 + 128) * 2
    assert llm.kv_bytes(tokens, "bf16") == 2 * llm.kv_bytes(tokens, "fp8") == windows + whole
    # Four key heads lie on four of eight ranks, copied; eight are spread over all.
    assert kv_per_gpu_user(llm, tokens, "bf16", 8, 1) == windows // 8 + whole // 4
    asked = demand(llm, "fp8", tokens - 512, 1024, "bf16")
    assert (asked.kv_read_b, asked.kv_heads, asked.kv_other_b, asked.kv_other_heads) == (whole, 4, windows, 8)
    # A token's query meets each key of 192, and weighs each value of 128.
    per_entry = llm.attention_flops(tokens + 1, "decode") - llm.attention_flops(tokens, "decode")
    assert per_entry == 9 * 2 * 64 * (192 + 128)


def test_output_projections_stay_in_16_bits() -> None:
    llm = get("mimo-v2-flash")
    projections = 48 * 8192 * 4096
    plain = sum(layer.bf16 for layer in llm.layer_list) + 2 * 152_576 * 4096 + 4096
    fp32 = 47 * (256 * 4096 + 256)
    fp8 = llm.params_total - projections - plain - fp32
    assert llm.weight_bytes("fp8") > fp8 + 2 * (projections + plain) + 4 * fp32
    assert llm.weight_bytes("fp8") < 1.0003 * (fp8 + 2 * (projections + plain) + 4 * fp32)


def test_experts_of_v2_6_are_in_four_bits(tmp_path: Path) -> None:
    """MiMo-V2.6-Flash: FP8 in blocks, whose `store_dtype` speaks of the routed experts; its router is in 16 bits."""
    changed = config("XiaomiMiMo--MiMo-V2.5")
    changed["moe_router_dtype"] = "bfloat16"
    changed["quantization_config"] |= {"store_dtype": "mxfp4", "mxfp4_block_size": 32}
    llm, before = opened(changed, tmp_path), get("mimo-v2.5")
    assert (llm.native_precision, llm.params_total) == ("mxfp4", before.params_total)
    experts, router = 47 * 256 * 3 * 4096 * 2048, 47 * 256 * 4096
    saved = experts * (1 + 4 / 128**2 - 0.5 - 1 / 32) + 2 * router
    assert before.weight_bytes("fp8") - llm.weight_bytes("mxfp4") == saved
    changed["quantization_config"]["store_dtype"] = "int3"
    with pytest.raises(Exception, match="store_dtype"):
        opened(changed, tmp_path)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"hybrid_layer_pattern": [0, 1] * 12}, "hybrid_layer_pattern"),
        ({"moe_layer_freq": 1}, "moe_layer_freq"),
        ({"swa_num_key_value_heads": 3}, "swa_num_key_value_heads"),
        ({"num_key_value_heads": 3}, "num_key_value_heads"),
        ({"sliding_window_size": 256}, "sliding_window_size"),
        ({"layer_types": ["full_attention"] * 48}, "layer_types"),
        ({"attention_projection_layout": "mixed"}, "attention_projection_layout"),
        ({"n_shared_experts": 1}, "n_shared_experts"),
        ({"attention_bias": True}, "attention_bias"),
        ({"add_full_attention_sink_bias": None}, "add_full_attention_sink_bias"),
        ({"vision_config": ...}, "vision_config"),
    ],
)
def test_what_is_not_modelled_is_refused(changes: dict[str, Any], column: str) -> None:
    changed = copy.deepcopy(config("XiaomiMiMo--MiMo-V2.5")) | changes
    changed = {name: value for name, value in changed.items() if value is not ...}
    assert column in {fault.column for fault in faults(changed)}


def test_vocabularies_of_sound_are_one_number_or_one_for_each_channel(tmp_path: Path) -> None:
    changed = config("XiaomiMiMo--MiMo-V2.5")
    before = opened(changed, tmp_path).tower_params
    changed["audio_config"]["speech_vocab_size"] = "-".join(["1281"] + ["1280"] * 19)
    assert opened(changed, tmp_path).tower_params == before + 1024
    for wrong in ("1280-1280", "many", None):
        changed["audio_config"]["speech_vocab_size"] = wrong
        assert "audio_config.speech_vocab_size" in {fault.column for fault in faults(changed)}


# Step -----------------------------------------------------------------------------------------------------------------

STEP_EXPERTS = 42 * 288 * 3 * 1280 * 4096


def test_step_is_counted_to_the_element_and_its_nvfp4_files_to_the_byte() -> None:
    """stepfun-ai/Step-3.7-Flash-NVFP4, model.safetensors.index.json: 103,810,330,432 parameters of which two experts'
    are one, and 124,385,012,840 bytes: with two scales per expert matrix, a scale of keys and of values per layer, and
    the router in 16 bits where engines hold it in 32."""
    llm = get("step-3.7-flash")
    assert llm.params_total - STEP_EXPERTS // 2 == 103_810_330_432
    scales, router = 42 * 288 * 3 * 2 * 4 + 45 * 2 * 4, 42 * 288 * 4096
    packed = STEP_EXPERTS // 2 + STEP_EXPERTS // 16
    whole = llm.weight_bytes("bf16") - 2 * STEP_EXPERTS
    assert packed + whole - 2 * router + scales == 124_385_012_840
    # Of an NVFP4 matrix dsopt counts one 32-bit scale.
    assert llm.weight_bytes("nvfp4") - packed - whole in range(scales)


def test_layers_with_a_window_have_more_heads() -> None:
    llm = get("step-3.5-flash")
    outputs = [next(x.into for x in y.linears if x.name == "self_attn.o_proj") for y in llm.layer_list[:5]]
    assert outputs == [64 * 128, 96 * 128, 96 * 128, 96 * 128, 64 * 128]
    gates = [next(x.out for x in y.linears if x.name == "self_attn.g_proj") for y in llm.layer_list[:2]]
    assert gates == [64, 96]
    windows, tokens = 33 * 512 * 2 * 8 * 128 * 2, 100_000
    assert llm.kv_bytes(tokens, "bf16") == windows + 12 * tokens * 2 * 8 * 128 * 2
    assert llm.attention_flops(tokens, "decode") == 33 * 512 * 4 * 96 * 128 + 12 * tokens * 4 * 64 * 128


def test_only_the_experts_of_step_are_in_fewer_bits() -> None:
    llm = get("step-3.5-flash")
    saved = llm.weight_bytes("bf16") - llm.weight_bytes("fp8")
    assert saved == STEP_EXPERTS - STEP_EXPERTS // 128**2 * 4


def test_step_has_two_spellings() -> None:
    """StepFun's own files and those that transformers writes."""
    own = config("stepfun-ai--Step-3.5-Flash")
    other = {name: value for name, value in own.items() if not name.startswith("moe_") and name != "share_expert_dim"}
    del other["attention_other_setting"], other["num_attention_groups"]
    other |= {
        "num_key_value_heads": 8, "n_routed_experts": 288, "num_experts_per_tok": 8, "moe_intermediate_size": 1280,
        "share_expert_dims": 1280, "num_sliding_attention_heads": 96,
        "mlp_layer_types": ["dense"] * 3 + ["sparse"] * 42,
    }  # fmt: skip
    assert faults(own) == faults(other) == []
    assert get("step-3.5-flash").params_total == from_config(other, **FACTS).params_total


def test_what_a_flat_file_of_step_leaves_out_its_class_says() -> None:
    """As many heads in all layers, a gate per head, untied tables, the tower of Step-3.7-Flash: 198B, as published."""
    own = config("stepfun-ai--Step-3.5-Flash")
    flat = {name: value for name, value in own.items() if not name.startswith(("moe_layer", "use_", "tie_"))}
    del flat["attention_other_setting"], flat["need_fp32_gate"]
    flat |= {"architectures": ["Step3p7FlashForCausalLM"], "first_k_dense_replace": 3, "n_shared_experts": 1}
    assert faults(flat) == []
    fewer = 33 * (2 * 32 * 128 * 4096 + 32 * 4096)
    llm = from_config(flat, **FACTS)
    assert llm.params_total - llm.tower_params == get("step-3.5-flash").params_total - fewer
    assert llm.tower_params == get("step-3.7-flash").tower_params and round(llm.params_total / 1e9) == 198


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"attention_other_setting": None}, "num_sliding_attention_heads"),
        ({"attention_other_setting": {"num_attention_heads": 96, "head_dim": 64}}, "attention_other_setting.head_dim"),
        ({"attention_other_setting": {"num_attention_heads": 96, "v_norm": True}}, "attention_other_setting.v_norm"),
        ({"attention_other_setting": {"num_attention_heads": 90}}, "num_key_value_heads"),
        ({"num_sliding_attention_heads": 64}, "attention_other_setting.num_attention_heads"),
        ({"moe_layers_enum": "3,x"}, "mlp_layer_types"),
        ({"moe_layers_enum": None}, "mlp_layer_types"),
        ({"mlp_layer_types": ["sparse"] * 45}, "mlp_layer_types"),
        ({"num_key_value_heads": 4}, "num_attention_groups"),
        ({"num_attention_groups": None}, "num_attention_groups"),
        ({"num_attention_groups": 0}, "num_attention_groups"),
        ({"moe_num_experts": None}, "moe_num_experts"),
        ({"moe_num_experts": 288.0}, "moe_num_experts"),
        ({"moe_layers_enum": "3,x", "mlp_layer_types": ["sparse"] * 45}, "moe_layers_enum"),
        ({"moe_layers_enum": None, "mlp_layer_types": None}, "moe_layers_enum"),
        ({"attention_other_setting": 96}, "attention_other_setting"),
        ({"use_moe_router_bias": False}, "use_moe_router_bias"),
        ({"sink": True}, "sink"),
        ({"latent_moe_enabled": True}, "latent_moe_enabled"),
    ],
)  # fmt: skip
def test_what_step_does_not_have_is_refused(changes: dict[str, Any], column: str) -> None:
    assert column in {fault.column for fault in faults(config("stepfun-ai--Step-3.5-Flash") | changes)}


def test_ranks_divide_the_heads_of_both_kinds() -> None:
    assert sizes.from_config(config("stepfun-ai--Step-3.7-Flash")).heads == 32
    assert sizes.from_config(config("stepfun-ai--Step-3.7-Flash")).kv_heads == 8
    assert sizes.from_config(config("XiaomiMiMo--MiMo-V2-Flash")).heads == 64
