"""The module of a checkpoint for several tokens (MTP, DSpark): its weights beside published sizes, its memory in plans.

tests/data/checkpoint_sizes.csv: sizes of weight files, and whether the module lies in them. What plans hold of a module
is counted here anew."""

from __future__ import annotations

import csv
import json
import math
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from catalogs.architectures import ARCHITECTURES, from_config
from catalogs.checkpoints.published import published
from catalogs.config_check import faults
from catalogs.llm import all_models, get
from catalogs.transformer import Layer, Llm
from catalogs.user_models import open_config
from constraints.plan import Plan
from constraints.policy import Policy
from constraints.rules.vram import kv_per_gpu_user, most_users, weights_per_gpu
from tests.catalogs.test_deepseek_v41 import BYTES, drafter
from tests.catalogs.test_windowed import mtp_layers
from tests.support.long import one_in
from tests.support.oracle import Oracle, held_by_module

DATA = Path(__file__).parents[1] / "data"
SHIPPED = Path(__file__).parents[2] / "catalogs" / "llms"


def sizes() -> list[dict[str, str]]:
    with (DATA / "checkpoint_sizes.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def opened(name: str) -> Llm:
    folder = DATA / "configs" if "--" in name else SHIPPED
    path = folder / f"{name}.json"
    return open_config(path if path.exists() else SHIPPED / f"{name}.json", "x")


@pytest.mark.parametrize("row", sizes(), ids=lambda row: row["config"])
def test_published_sizes_are_counted_within_two_percent(row: dict[str, str]) -> None:
    llm = opened(row["config"])
    assert llm.native_precision == row["precision"]
    assert bool(llm.draft_list) == (row["module"] != "none")
    counted = llm.drafting if row["module"] == "with" else llm
    assert counted.weight_bytes(row["precision"]) / 1e9 == pytest.approx(float(row["gb"]), rel=0.02)


NVFP4 = {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}
MXFP4 = {"dtype": "fp4", "qscheme": "per_group", "group_size": 32}
DENSE = ["*mlp.gate_proj", "*mlp.up_proj", "*mlp.down_proj"]
CONVERSIONS = [
    # All but the output head, the module beside it in 16 bits: card of CortexLM/GLM-5.1-NVFP4-MTP. 441 GB in
    # vllm-project/recipes are these, not NVIDIA's files, whose list leaves more in 16 bits (446 GB without the module).
    ("glm-5", NVFP4 | {"exclude_modules": ["lm_head", "model.layers.78*"]}, True, 441),
    # Attention in 16 bits: card of AH22-neb/GLM-4.6-NVFP4; with all in NVFP4 it would be 201 GB.
    ("glm-4.7", NVFP4 | {"exclude_modules": ["lm_head", "*self_attn*"]}, False, 220),
    ("glm-4.6v", NVFP4 | {"exclude_modules": ["lm_head", "*visual*"]}, False, 64),  # card of GadflyII/GLM-4.6V-NVFP4
    # vllm-project/recipes 8959cf6; what AMD leaves out: card of wafer-ai/Kimi-K2.6-MXFP4, which has it from AMD.
    ("kimi-k2.5", {"quant_method": "quark", "global_quant_config": {"weight": MXFP4},
                   "exclude": ["lm_head", "*self_attn*", "*shared_experts*", *DENSE]}, False, 557),
]  # fmt: skip
"""Network, quantization of a conversion of it, whether its files hold the module, GB of them."""


@pytest.mark.parametrize(("name", "quantization", "module", "gigabytes"), CONVERSIONS)
def test_conversions_are_counted_within_two_percent(
    name: str, quantization: dict[str, Any], module: bool, gigabytes: float
) -> None:
    config = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
    config.get("text_config", {}).pop("quantization_config", None)
    said = published({**config, "quantization_config": quantization})
    llm = from_config(config, id="x", name="x", min_precision_bits=4, max_context=1, source="", **said.facts())
    counted = llm.drafting if module else llm
    assert counted.weight_bytes(said.native) / 1e9 == pytest.approx(gigabytes, rel=0.02)


def test_indexes_of_files_are_met_to_the_byte() -> None:
    """Where a file says its size in bytes, and not in rounded GB."""
    exact = [row for row in sizes() if "total_size" in row["source"]]
    assert len(exact) >= 16
    for row in exact:
        assert opened(row["config"]).weight_bytes(row["precision"]) == round(float(row["gb"]) * 1e9), row["config"]


@pytest.mark.parametrize(
    ("name", "billions", "digits"),
    [
        ("zai-org--GLM-5", 754, 0),  # vllm-project/recipes 8959cf6; the card's 744B are without
        ("XiaomiMiMo--MiMo-7B-Base", 7.83, 2),  # the page of the repository
    ],
)
def test_totals_of_pages_hold_the_module(name: str, billions: float, digits: int) -> None:
    llm = opened(name)
    assert round((llm.params_total + llm.draft_params) / 1e9, digits) == billions


@pytest.mark.parametrize(("name", "billions"), [("v3-671b", 685), ("glm-4.7", 358)])
def test_some_files_hold_the_tables_once_more(name: str, billions: int) -> None:
    """DeepSeek-V3's README: 671B of the main model and 14B of the module, 0.9B of embedding and of output head each."""
    llm = get(name)
    tables = 2 * llm.config["vocab_size"] * llm.hidden
    total = llm.params_total + llm.draft_params + tables
    assert abs(total / 1e9 - billions) < 0.55


def test_dspark_s_blocks_are_counted_to_the_byte() -> None:
    llm = get("v4.1-flash")
    assert llm.draft_kind == "DSpark" and len(llm.draft_list) == 3
    assert (llm.draft_params, llm.draft_bytes("fp4-mix")) == drafter()
    assert llm.drafting.weight_bytes("fp4-mix") == BYTES


@pytest.mark.parametrize(
    ("name", "sizes_of"),
    [("mimo-v2.5", (4096, 14_848, 8192, 64, 16_384, 116)), ("mimo-v2.5-pro", (6144, 27_136, 16_384, 128, 16_384, 216))],
)
def test_layers_with_a_window_are_counted_to_the_byte(name: str, sizes_of: tuple[int, ...]) -> None:
    llm = get(name)
    assert llm.draft_bytes("fp8") == mtp_layers(*sizes_of)[1]
    # A window of 128 tokens of eight heads in each of three layers, whatever the context is.
    grown = llm.drafting.kv_bytes(100_000, "bf16") - llm.kv_bytes(100_000, "bf16")
    assert grown == 3 * 128 * 8 * (192 + 128) * 2


def test_a_revision_with_dspark_has_no_mtp_layer() -> None:
    assert [(get(x).draft_kind, len(get(x).draft_list)) for x in ("v4-flash", "v4-flash-0731", "v4-pro-0813")] == [
        ("MTP", 1), ("DSpark", 3), ("DSpark", 3),
    ]  # fmt: skip
    config = json.loads((SHIPPED / "deepseek-v4-flash-0731.json").read_text(encoding="utf-8"))
    for wrong in ([40, 41, 43], [40, 40, 41]):
        assert [f.column for f in faults({**config, "dspark_target_layer_ids": wrong})] == ["dspark_target_layer_ids"]
    without = {name: value for name, value in config.items() if not name.startswith("dspark")}
    assert faults(without) == []


FACTS = {"id": "x", "name": "x", "min_precision_bits": 16, "max_context": 1, "source": ""}


def built(config: dict[str, Any]) -> Llm:
    return from_config(config, **published(config).facts(), **FACTS)


def test_a_conversion_says_in_which_format_the_module_is() -> None:
    """NVIDIA's exclude it: layer 78 and `mtp.layers.0` in 16 bits, V4's experts as DeepSeek has them."""
    for name in ("nvidia--GLM-5.2-NVFP4", "nvidia--Qwen3.5-122B-A10B-NVFP4", "nvidia--DeepSeek-V3.1-NVFP4"):
        llm = opened(name)
        norms = 2 * sum(layer.fp32 for layer in llm.draft_list)
        assert llm.draft_bytes("nvfp4") == 2 * llm.draft_params + norms
    v4 = opened("nvidia--DeepSeek-V4-Flash-NVFP4")
    assert v4.draft_bytes("nvfp4") == get("v4-flash").draft_bytes("fp4-mix")
    # Of one's own conversion to 4 bits nobody says anything: 16 bits.
    flash = get("v4-flash")
    assert flash.draft_bytes("nvfp4") == pytest.approx(flash.draft_bytes("fp4-mix"), rel=1e-4)
    glm = get("glm-5.2")
    assert glm.draft_bytes("nvfp4") == glm.draft_bytes("bf16") > 1.9 * glm.draft_bytes("fp8")


def test_nvidia_s_nemotron_keeps_in_16_bits_what_its_pages_say() -> None:
    """docs.nvidia.com/nemotron, ultra3/quantization: routed experts in NVFP4, shared ones and Mamba in FP8, the rest in
    16 bits: 331 GB measured on GPUs."""
    llm = opened("nvidia--NVIDIA-Nemotron-3-Ultra-550B-A55B-NVFP4")
    assert llm.weight_bytes("nvfp4") / 1e9 == pytest.approx(331, rel=0.005)
    shares = llm.bytes_by_format()
    experts = sum(x.params for y in llm.layer_list for x in y.linears if x.expert)
    assert shares["nvfp4"] == pytest.approx(experts * 4.5 / 8, rel=0.001)
    # A file that lists what it leaves out means all others.
    config = json.loads((DATA / "configs" / "nvidia--NVIDIA-Nemotron-3-Ultra-550B-A55B-BF16.json").read_text("utf-8"))
    said = {"quant_method": "modelopt", "quant_algo": "NVFP4", "exclude_modules": ["*.mixer.q_proj"]}
    listed = built({**config, "quantization_config": said}).bytes_by_format()
    assert "fp8" not in listed and listed["nvfp4"] > shares["nvfp4"] + shares["fp8"] / 2


def test_only_what_is_asked_for_is_loaded() -> None:
    for llm in all_models():
        plain, loaded = llm.weight_bytes(llm.native_precision), llm.drafting.weight_bytes(llm.native_precision)
        assert loaded - plain == llm.draft_bytes(llm.native_precision)
        assert (loaded > plain) == bool(llm.draft_list) == bool(llm.draft_kind)
        assert llm.drafting.drafting is llm.drafting
        p = llm.native_precision
        for figure in ("dense_read_bytes", "expert_bytes", "copied_bytes"):
            assert getattr(llm.drafting, figure)(p) == getattr(llm, figure)(p)
        assert llm.drafting.linear_flops_per_token() == llm.linear_flops_per_token()
        assert llm.drafting.kv_read_bytes(5000, "bf16") == llm.kv_read_bytes(5000, "bf16")
        assert llm.drafting.layers == llm.layers


@pytest.mark.parametrize(("name", "precision"), [("v3-671b", "fp8"), ("v4-flash-0731", "fp4-mix"), ("glm-5", "fp8")])
@pytest.mark.parametrize(("tp", "pp", "dp"), [(8, 1, 1), (1, 1, 8), (8, 2, 1), (4, 1, 4)])
def test_a_module_lies_on_the_last_stage(name: str, precision: str, tp: int, pp: int, dp: int) -> None:
    llm, ep = get(name), tp * dp
    layers = llm.layer_bytes(precision)
    moe, head = llm.expert_layer_bytes(precision), llm.head_bytes(precision)
    module = held_by_module(llm, precision)
    worst = 0
    for stage in range(pp):
        run = range(llm.layers * stage // pp, llm.layers * (stage + 1) // pp)
        experts, rest = sum(moe[i] for i in run), sum(layers[i] - moe[i] for i in run)
        rest += head if pp == 1 else math.ceil(head / 2)
        each = 0
        if stage == pp - 1:
            experts, each, rest = experts + module[0], module[1], rest + module[2]
            rest += 2 * llm.config["vocab_size"] * llm.hidden if pp > 1 else 0  # the embedding lies on the first stage
        worst = max(worst, math.ceil(experts / max(ep, tp * dp)) + each + math.ceil(rest / tp))
    found = weights_per_gpu(llm.drafting, precision, tp, pp, dp, ep)
    assert abs(found - worst) <= 2 * len(llm.draft_list)


@pytest.mark.parametrize("llm", one_in(3, [m for m in all_models() if m.draft_list]), ids=lambda m: m.id)
def test_the_oracle_counts_the_same_requests(llm: Llm) -> None:
    """Requests that one replica has memory for beside its module, by the brute-force oracle's own arithmetic."""
    rng, oracle = random.Random(llm.id), object.__new__(Oracle)
    oracle.ask = cast(Any, SimpleNamespace(model=llm, isl=3000, osl=1096, speculate=True))
    kv, fits = "fp8" if llm.architecture.startswith("deepseek-v4") else "bf16", 0
    for _ in range(100):
        tp, pp, dp = rng.choice((1, 2, 4, 8)), rng.choice((1, 2, 3, 7)), rng.choice((1, 1, 2, 4)) if llm.is_moe else 1
        ep, precision = rng.choice((1, tp * dp)) if llm.is_moe else 1, rng.choice(llm.precisions())
        gpu: Any = SimpleNamespace(vram_gb=rng.choice((24, 80, 192, 288)), unified_reserve_gb=0)
        plan = Plan(precision, kv, tp, pp, dp, ep, 1, 1)
        ours, brute = most_users(gpu, llm.drafting, Policy(), plan, 4096), oracle._room(gpu, precision, tp, pp, dp, ep)
        # Sums are rounded up once here and per part there: a byte may decide about a request.
        assert abs(ours - brute) <= dp and (ours < 0) == (brute < 0)
        fits += ours > 0
    assert fits > 5


def kept(layer: Layer, tokens: int) -> int:
    return sum(2 * c.bf16 // 2 * (tokens if c.keep is None else min(tokens, c.keep)) for c in layer.caches)


@pytest.mark.parametrize(("name", "per_token", "once"), [("v3-671b", 1152, 0), ("v4-flash-0731", 0, 3 * 128 * 1024)])
def test_a_module_keeps_a_cache_of_its_own(name: str, per_token: int, once: int) -> None:
    """V3's layer a latent of 576 figures for each token; three DSpark blocks a window of 128 each."""
    llm, tokens = get(name), 10_000
    assert sum(kept(layer, tokens) for layer in llm.draft_list) == per_token * tokens + once
    grown = llm.drafting.kv_bytes(tokens, "bf16") - llm.kv_bytes(tokens, "bf16")
    assert grown == per_token * tokens + once
    last = kv_per_gpu_user(llm.drafting, tokens, "bf16", 1, 1) - kv_per_gpu_user(llm, tokens, "bf16", 1, 1)
    assert last == grown


def test_steps_layers_have_an_output_head_each() -> None:
    """vLLM 0.33.0 step3p5_mtp: a dense layer with a window, two norms, one before a head, and what joins."""
    llm = get("step-3.5-flash")
    attention = 4096 * 96 * 128 * 2 + 2 * 4096 * 8 * 128 + 4096 * 96
    layer = attention + 3 * 4096 * 11264 + 2 * 4096 + 2 * 128
    assert len(llm.draft_list) == 3
    assert llm.draft_params == 3 * (layer + 2 * 4096**2 + 3 * 4096 + 128896 * 4096)
    assert llm.drafting.kv_bytes(100_000, "bf16") - llm.kv_bytes(100_000, "bf16") == 3 * 4 * 8 * 128 * 512


def test_architectures_without_a_module_have_none() -> None:
    for name in ("LlamaForCausalLM", "MiniMaxM2ForCausalLM", "GptOssForCausalLM"):
        assert ARCHITECTURES[name].draft({"num_nextn_predict_layers": 1}).layers == ()
    assert get("kimi-k2.5").draft_kind == "" and get("minimax-m2.5").draft_kind == ""
