"""MiMo-V2: windows between layers that look at all, each kind with heads of its own; values narrower than keys."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from catalogs.config_check import faults
from catalogs.llm import get
from catalogs.transformer import Llm
from catalogs.user_models import open_config
from constraints.rules.vram import kv_per_gpu_user
from optimizer.throughput.demand import demand

CONFIGS = Path(__file__).parents[1] / "data" / "configs"
GIB = 2**30


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
