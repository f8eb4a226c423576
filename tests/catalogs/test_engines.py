"""Which plans a released engine starts: published vectors and layouts, the data's integrity, the oracle's words."""

from __future__ import annotations

import csv
import itertools
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from catalogs.engines.balancer import balancer_rows, redundant_for, run_of_uneven
from catalogs.engines.judge import judge
from catalogs.engines.rules import OPTIONS, PlanRule, newest, plan_faults, plan_rules, releases
from catalogs.engines.sizes import ModelSizes, from_config, named, of, unknown
from catalogs.engines.support import WORSE, engines, kernel_classes, support_rows
from catalogs.engines.tables import release_of, table, within
from catalogs.errors import InputError
from catalogs.llm import all_models, get
from catalogs.load import Catalog
from catalogs.load import load as load_catalog
from catalogs.schema import Gpu, Kind
from constraints.plan import Plan
from constraints.request import Request
from constraints.rules.software import engine_of, engines_for, software_fault, spare_experts, starter
from constraints.rules.vram import plan_weights, weights_per_gpu
from optimizer.throughput.constants import constants
from tests.conftest import AS_OF
from tests.support import plan_oracle
from tests.support.long import one_in, sampled

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


# Published vectors and layouts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("v", rows("plan_vectors"), ids=lambda v: f"{v['engine'][:12]} {v['model'][-24:]}")
def test_a_plan_vector_is_judged_as_its_source_says(v: dict[str, str]) -> None:
    sizes = (int(v[x]) for x in ("tp", "pp", "dp", "ep", "nodes", "redundant_experts"))
    found = judge(v["engine"], v["model"], *sizes, v["detail"])
    assert found.outcome == v["outcome"], found.reason
    if not int(v["redundant_experts"]):
        assert found.planned == (v["outcome"] == "starts" or found.rules == ("V8",))
    said = set(re.findall(r"(?:^|; )([VST]\d+[a-z]?):", v["reason"]))
    assert said <= set(found.rules), found.reason


def class_of(runner: str) -> str:
    """The kernel class of a runner's GPUs."""
    names = {
        "gb300": "SM103", "b300": "SM103", "gb200": "SM100", "b200": "SM100", "h200": "SM90", "h100": "SM90",
        "rtx6000": "SM120", "mi355": "CDNA4", "mi3": "CDNA3",
    }  # fmt: skip
    return next(c for name, c in names.items() if name in runner)


def layout(row: dict[str, str]) -> dict[str, int]:
    """A layout's sizes as its engine counts them (tp is the width of data-parallel attention where that is on)."""
    tp, pp, ep = int(row["tp"]), int(row["pp"]), int(row["ep"])
    if row["dp_attn"] == "False":
        return {"tp": tp, "pp": pp, "dp": 1, "ep": ep}
    if row["framework"] == "vllm":
        return {"tp": max(1, ep // tp), "pp": pp, "dp": tp, "ep": ep}
    if "vllm" in row["framework"]:
        return {"tp": 1, "pp": pp, "dp": max(tp, ep), "ep": ep}
    return {"tp": tp, "pp": pp, "dp": tp, "ep": ep}


RUN = [r for r in rows("layouts_run") if not r["framework"].startswith(("atom", "tilert"))]


def test_no_layout_that_was_run_is_refused() -> None:
    assert len(RUN) == 502
    for row in RUN:
        gpus = class_of(row["runner"])
        detail = "rocm=True" if gpus.startswith("CDNA") else ""
        for known in ("", gpus):
            found = judge(
                row["framework"], row["model"], **layout(row), redundant=None, detail=detail, kernel_class=known
            )
            assert found.rules in ((), ("V8",)), (row, found.reason)
            assert found.planned or (found.redundant_experts and not known), row


def test_the_layouts_with_uneven_experts_take_redundant_ones() -> None:
    uneven = {}
    for row in RUN:
        found = judge(
            row["framework"], row["model"], **layout(row), redundant=None, kernel_class=class_of(row["runner"])
        )
        if found.redundant_experts:
            uneven[found.layout.ep] = found.redundant_experts
    assert uneven == {24: 8, 40: 24, 48: 32, 56: 24} or uneven == {24: 8, 40: 16, 48: 32, 56: 24}


def test_a_layout_that_was_run_has_a_speed_in_a_batch(catalog: Catalog) -> None:
    """Also with 1 < ep < tp: what no assert refuses is answered when it is asked for."""
    known = {
        "deepseek-ai/DeepSeek-R1-0528": "fp8",
        "nvidia/MiniMax-M2.5-NVFP4": "nvfp4",
        "openai/gpt-oss-120b": "mxfp4",
    }
    gpus = {"SM90": "nvidia-h200-sxm5-141gb", "SM100": "nvidia-b200-sxm6-180gb", "SM103": "nvidia-b300-sxm6-288gb"}
    ours = {"nvidia/MiniMax-M2.5-NVFP4": "minimax-m2.5"}
    tried = 0
    for row in RUN:
        gpu = catalog.parts.get(gpus.get(class_of(row["runner"]), ""))
        if row["model"] not in known or gpu is None:
            continue
        sizes, llm = layout(row), get(ours.get(row["model"], row["model"]))
        inside = "vllm" not in row["framework"]
        tp = sizes["tp"] // sizes["dp"] if inside else sizes["tp"]
        assert isinstance(gpu, Gpu)
        shape = (tp, sizes["pp"], sizes["dp"], sizes["ep"])
        for engine in ("", row["framework"]):
            assert spare_experts(llm, gpu, known[row["model"]], shape, engine) is not None, (engine, row)
        tried += 1
    assert tried > 60


LIMITED = {"moonshotai--Kimi-K3", "stepfun-ai--Step-3.7-Flash-FP8", "stepfun-ai--Step-3.7-Flash"}
"""Models of which the file lists only some of the data-parallel sizes."""


@pytest.mark.parametrize(
    "row", one_in(4, [r for r in rows("legal_counts") if r["vllm_pure_tp"]]), ids=lambda r: r["model"]
)
def test_card_counts_per_model(row: dict[str, str]) -> None:
    model = row["model"].replace("--", "/")
    if named(model).dense_width is None:
        pytest.skip("its config does not say the dense width")

    def legal(engine: str, most: int, bad: set[str], *names: str) -> set[int]:
        return {n for n in range(1, most) if judge(engine, model, **{x: n for x in names}).outcome not in bad}

    unsafe = {"refused", "warns", "experimental"}
    found = {
        "vllm_pure_tp": legal("vllm 0.33.0", 17, {"refused"}, "tp"),
        "vllm_tp_ep_even": legal("vllm 0.33.0", 17, unsafe, "tp", "ep"),
        "vllm_dp_ep_even(tp1)": legal("vllm 0.33.0", 73, unsafe, "dp", "ep"),
        "sglang_tp_ep1": legal("sglang 0.5.23", 17, unsafe, "tp"),
        "sglang_dpattn_ep": legal("sglang 0.5.23", 73, unsafe, "tp", "dp", "ep"),
        "trt_tp_ep": legal("trtllm 1.3.0rc", 17, unsafe, "tp", "ep"),
    }
    for column, counts in found.items():
        listed = {int(n) for n in row[column].split()}
        if listed and "dp" in column and row["model"] in LIMITED:
            assert listed <= counts, column
        elif listed:
            assert listed == counts, column


# Redundant experts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "model", "sizes", "redundant", "detail", "kernels", "outcome"),
    [("sglang 0.5.23", "zai-org/GLM-5-FP8", (48, 1, 48, 48), 32, "a2a=True", "SM103", "starts"),
     ("sglang 0.5.23", "zai-org/GLM-5-FP8", (48, 1, 48, 48), 24, "a2a=True", "SM103", "refused"),
     ("sglang 0.5.23", "zai-org/GLM-5-FP8", (48, 1, 48, 48), 32, "a2a=True", "SM90", "refused"),
     ("sglang 0.5.23", "deepseek-ai/DeepSeek-V4-Pro", (40, 1, 40, 40), 16, "backend=megamoe", "SM103", "starts"),
     ("sglang 0.5.23", "deepseek-ai/DeepSeek-V4-Pro", (40, 1, 40, 40), 16, "megamoe, mtp=True", "SM103", "refused"),
     ("sglang 0.5.16", "deepseek-ai/DeepSeek-R1", (8, 1, 1, 8), 48, "kernel=eplb", "", "refused"),
     ("sglang 0.5.23", "moonshotai/Kimi-K3", (40, 1, 40, 40), 24, "a2a=True", "SM103", "refused"),
     ("vllm 0.33.0", "MiniMaxAI/MiniMax-M2.5", (1, 1, 12, 12), 8, "", "", "refused"),
     ("vllm 0.33.0", "moonshotai/Kimi-K2.5", (1, 1, 20, 20), 16, "", "", "refused"),
     ("vllm 0.33.0", "deepseek-ai/DeepSeek-V3", (1, 1, 24, 24), 8, "", "SM90", "refused"),
     ("vllm 0.33.0", "deepseek-ai/DeepSeek-V4-Flash", (1, 1, 5, 5), 4, "", "SM120", "refused"),
     ("vllm 0.33.0", "deepseek-ai/DeepSeek-V4-Pro", (1, 1, 14, 14), 8, "", "SM121", "refused"),
     ("sglang 0.5.23", "deepseek-ai/DeepSeek-V4-Flash", (5, 1, 5, 5), 4, "a2a=True", "SM120", "refused"),
     ("trtllm 1.3.0rc", "nvidia/DeepSeek-R1-NVFP4", (24, 1, 24, 24), 8, "", "SM100", "refused"),
     ("trtllm 1.3.0rc", "moonshotai/Kimi-K3", (40, 1, 40, 40), 24, "", "", "refused"),
     ("vllm-ascend main", "deepseek-ai/DeepSeek-V3", (1, 1, 16, 16), 16, "", "Ascend910B", "refused")],
)  # fmt: skip
def test_redundant_experts_need_a_run_that_shows_them(
    engine: str, model: str, sizes: tuple[int, ...], redundant: int, detail: str, kernels: str, outcome: str
) -> None:
    found = judge(engine, model, *sizes, redundant=redundant, detail=detail, kernel_class=kernels)
    assert found.outcome == outcome, found.reason
    assert found.planned == (outcome == "starts")


def test_the_fewest_redundant_experts_are_taken() -> None:
    release = newest("SGLang")
    assert release is not None
    r1 = of(get("r1-671b"), "fp8")
    for ep in range(2, 73):
        at = release.layout(1, 1, ep, ep, kernel_class="SM103")
        found = redundant_for(release, r1, at)
        assert found == min(r for r in range(ep) if (256 + r) % ep == 0)
        assert plan_faults(release, r1, replace(at, redundant=found)) == ()
        hopper = redundant_for(release, r1, replace(at, kernel_class="SM90"))
        assert hopper == (0 if 256 % ep == 0 else None)
    assert run_of_uneven(replace(release, release="0.5.7"), r1, "SM103") is None  # before the run


@pytest.mark.parametrize(
    ("model", "gpu", "shape"),
    [("v4-flash", "RTX PRO 5000 Blackwell 72GB", (1, 1, 5, 5)),
     ("v4-flash", "RTX PRO 5000 Blackwell 72GB", (1, 1, 6, 6)),
     ("v4-pro", "GB10 (DGX Spark)", (1, 1, 14, 14)), ("r1-671b", "H100 SXM5 80GB", (1, 1, 24, 24))],
)  # fmt: skip
def test_uneven_experts_are_not_planned_where_no_run_shows_them(
    catalog: Catalog, model: str, gpu: str, shape: tuple[int, int, int, int]
) -> None:
    llm, card = get(model), catalog.find(gpu)
    assert isinstance(card, Gpu)
    request = Request(model=model, as_of=AS_OF, allow_experimental=True)
    found = engines_for(llm, card, llm.native_precision, request)
    assert starter(llm, card, llm.native_precision, shape, found, True) is None
    plan = Plan(llm.native_precision, "bf16", *shape, 1, 1)
    assert software_fault(llm, card, plan, request)


def test_uneven_experts_are_planned_with_redundant_ones_where_a_run_shows_them(catalog: Catalog) -> None:
    llm, card = get("r1-671b"), catalog.find("nvidia-gb300-nvl72-288gb")
    assert isinstance(card, Gpu)
    request = Request(model="r1-671b", as_of=AS_OF)
    found = starter(llm, card, "fp8", (1, 1, 12, 12), engines_for(llm, card, "fp8", request), False)
    assert found is not None and (found.engine.name, found.redundant_experts) == ("SGLang", 8)
    plan = Plan("fp8", "bf16", 1, 1, 12, 12, 1, 1, redundant_experts=8)
    assert not software_fault(llm, card, plan, request)
    assert "8 redundant experts, the plan has 0" in software_fault(
        llm, card, replace(plan, redundant_experts=0), request
    )
    even, spare = (weights_per_gpu(llm, "fp8", 1, 1, 12, 12, redundant=r) for r in (0, 8))
    assert spare - even == pytest.approx(llm.expert_bytes("fp8") / 12 * 8 / 256, rel=1e-6)


def test_uneven_stages_keep_their_redundant_experts(catalog: Catalog) -> None:
    """What an engine only warns of (61 layers over 2 stages) takes as many redundant experts as without it."""
    llm, card = get("r1-671b"), catalog.find("nvidia-gb300-nvl72-288gb")
    assert isinstance(card, Gpu)
    request = Request(model="r1-671b", as_of=AS_OF)
    found = starter(llm, card, "fp8", (1, 2, 12, 12), engines_for(llm, card, "fp8", request), False)
    assert found is not None and found.redundant_experts == 8
    plan = Plan("fp8", "bf16", 1, 2, 12, 12, 1, 1)
    assert "8 redundant experts, the plan has 0" in software_fault(llm, card, plan, request)
    with_spares = replace(plan, redundant_experts=8)
    assert not software_fault(llm, card, with_spares, request)
    assert plan_weights(llm, with_spares) > plan_weights(llm, plan)


# The data -------------------------------------------------------------------------------------------------------------


def test_every_row_has_engine_release_status_source_and_date() -> None:
    for does in ("serve", "offload", "full", "lora"):
        for row in support_rows(does):
            assert row.engine and row.source and row.date and row.status in WORSE
            assert row.release or row.status in ("unknown", "experimental") or "documentation" in row.source
    assert all(r.source and re.fullmatch(r"\d{4}-\d\d-\d\d", r.date) for r in releases())
    assert len(balancer_rows()) == 90 and sum(r.uneven for r in balancer_rows()) == 14
    assert all(r.source for r in plan_rules())
    known = {x for r in releases() for x in r.rules}
    assert {r.rules for r in plan_rules()} <= known
    assert {e.engine for e in support_rows("serve") if e.status in ("stable", "experimental")} <= {
        r.engine for r in releases()
    }


@pytest.mark.parametrize(
    "change",
    [{"divisor": "tq"}, {"relation": "divide"}, {"when": "moon"}, {"outcome": "fails"}, {"source": ""},
     {"date": "soon"}, {"relation": "never"}, {"dividend": ""}, {"when": "kind=v4"}],
)  # fmt: skip
def test_a_rule_that_says_nothing_known_is_refused(change: dict[str, str]) -> None:
    row = dict(table("plan_rules")[0])
    PlanRule.of(row)
    with pytest.raises(ValueError):
        PlanRule.of({**row, **change})


def test_every_gpu_has_a_kernel_class_of_its_generation(catalog: Catalog) -> None:
    known = {r["kernel_class"]: r["arch"] for r in table("kernel_classes")}
    for gpu in catalog.of(Kind.GPU):
        assert isinstance(gpu, Gpu)
        assert known[gpu.kernel_class] == gpu.arch


def test_a_gpu_without_a_kernel_class_may_be_any_of_its_generation(catalog: Catalog) -> None:
    b200 = catalog.find("nvidia-b200-sxm6-180gb")
    assert isinstance(b200, Gpu)
    unsaid = b200.model_copy(update={"kernel_class": ""})
    assert kernel_classes(unsaid) == ("SM100", "SM120", "SM121")
    assert engines("r1-671b", "deepseek-v3", b200, "fp8") and not engines("r1-671b", "deepseek-v3", unsaid, "fp8")
    assert engines("llama-3.1-70b", "llama", unsaid, "fp8")


def test_every_generation_has_constants_or_named_kin(catalog: Catalog) -> None:
    have = set(constants().archs)
    for gpu in catalog.of(Kind.GPU):
        assert isinstance(gpu, Gpu)
        assert gpu.arch in have or constants().kin_of(gpu.arch) in have
    assert constants().stack("Blackwell Ultra") == constants().stack("Blackwell") != 0
    assert constants().stack_name("Blackwell", "SM121") == "SM120"


@pytest.mark.parametrize(
    ("model", "gpu", "precision", "status"),
    [("v4-flash", "nvidia-rtx-pro-6000-blackwell-server-96gb", "fp4-mix", "experimental"),
     ("v4-flash", "nvidia-rtx-5090-32gb", "fp4-mix", "experimental"),
     ("v4-flash", "nvidia-gb10-dgx-spark-128gb", "fp4-mix", "experimental"),
     ("v4-pro", "nvidia-gb10-dgx-spark-128gb", "fp4-mix", ""),
     ("v3.2", "nvidia-rtx-pro-6000-blackwell-server-96gb", "fp8", "experimental"),
     ("r1-671b", "nvidia-rtx-pro-6000-blackwell-server-96gb", "fp8", "experimental"),
     ("r1-671b", "intel-gaudi-3-hl-325l-128gb", "fp8", ""), ("r1-671b", "intel-gaudi-3-hl-325l-128gb", "bf16", ""),
     ("v3-671b", "intel-gaudi-2-hl-225h-96gb", "bf16", ""),
     ("v4-pro", "amd-mi355x-288gb", "fp4-mix", "stable"), ("v4-flash", "amd-mi355x-288gb", "fp4-mix", "stable"),
     ("v4-flash", "amd-mi325x-256gb", "fp4-mix", "experimental"), ("v4-flash", "amd-mi300x-192gb", "fp4-mix", ""),
     ("v4-pro", "amd-mi325x-256gb", "fp4-mix", ""),
     ("gpt-oss-120b", "nvidia-h100-sxm5-80gb", "fp8", ""), ("gpt-oss-120b", "nvidia-h100-sxm5-80gb", "int4", ""),
     ("gpt-oss-120b", "nvidia-h100-sxm5-80gb", "bf16", ""),
     ("gpt-oss-120b", "nvidia-h100-sxm5-80gb", "mxfp4", "stable"),
     ("gpt-oss-120b", "amd-mi300x-192gb", "mxfp4", "stable"),
     ("r1-671b", "nvidia-b300-sxm6-288gb", "fp8", "stable"), ("r1-671b", "huawei-ascend-910b3-64gb", "int8", "stable"),
     ("v3.2", "nvidia-l40s-48gb", "fp8", ""), ("v4-flash", "nvidia-a100-sxm4-80gb", "fp4-mix", ""),
     ("minimax-m2.5", "nvidia-h100-sxm5-80gb", "int4", "")],
)  # fmt: skip
def test_what_is_supported_where(catalog: Catalog, model: str, gpu: str, precision: str, status: str) -> None:
    llm, card = get(model), catalog.parts[gpu]
    assert isinstance(card, Gpu)
    found = engines(llm.id, llm.architecture, card, precision)
    assert (found[0].status if found else "") == status


def test_where_rows_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The narrower card, then the newer date, then the worse status."""
    from catalogs.engines import support

    row = {"architecture": "a", "kernel_classes": "SM90", "precisions": "fp8", "engine": "vLLM", "release": "1",
           "source": "s"}  # fmt: skip

    def held(*said: dict[str, str]) -> list[str]:
        made = tuple(support.SupportRow.of({**row, **x}) for x in said)
        monkeypatch.setattr(support, "support_rows", lambda does: made)
        support._engines.cache_clear()
        support._rows_about.cache_clear()
        card: Any = SimpleNamespace(id="x", arch="Hopper", kernel_class="SM90")
        return [e.status for e in support.engines("m", "a", card, "fp8")]

    old, new = {"date": "2026-01-01"}, {"date": "2026-09"}
    stable, trial, broken = ({"status": s} for s in ("stable", "experimental", "broken"))
    assert held({**old, **stable}, {**new, **trial}) == ["experimental"]
    assert held({**new, **stable}, {**new, **broken}) == []
    assert held({**new, **broken}, {**old, **stable, "gpus": "x"}) == ["stable"]
    assert held({**new, **broken}, {**old, **stable, "gpus": "y"}) == []
    monkeypatch.undo()
    support._engines.cache_clear()
    support._rows_about.cache_clear()


# Sizes ----------------------------------------------------------------------------------------------------------------


def test_sizes_of_a_config_that_memory_does_not_understand() -> None:
    config = {
        "architectures": ["Step3p7FlashForCausalLM"], "num_attention_heads": 64, "num_key_value_heads": 8,
        "num_hidden_layers": 45, "vocab_size": 128896, "hidden_size": 4096, "n_routed_experts": 288,
        "moe_intermediate_size": 1280, "share_expert_dim": 1280, "first_k_dense_replace": 3, "intermediate_size": 11264,
        "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    }  # fmt: skip
    found = judge("vllm 0.33.0", config, tp=4)
    assert (found.outcome, found.rules) == ("refused", ("V7d",))
    assert judge("vllm 0.33.0", config, tp=2).outcome == "starts"
    assert judge("vllm 0.33.0", {**config, "quantization_config": None}, tp=4).outcome == "starts"
    nested = {"architectures": ["X"], "text_config": config}
    assert from_config(nested).experts == 288


def test_what_is_not_known_is_said_and_refused() -> None:
    found = judge("vllm 0.33.0", "nobody/Such-A-Model", tp=2)
    assert found.outcome == "refused" and "not known of this model" in found.reason
    assert judge("vllm 0.33.0", "nobody/Such-A-Model").outcome == "starts"  # nothing is cut over one GPU
    assert judge("llama.cpp 0c1e57098", "nobody/Such-A-Model", pp=3).outcome == "starts"  # layer split: nothing divides
    assert judge("vllm 0.33.0", replace(named("Qwen/Qwen3-32B"), kv_heads=None), tp=2).outcome == "refused"
    with pytest.raises(InputError, match="no rules of engine"):
        judge("mystery 1.0", "Qwen/Qwen3-32B")


def test_a_conversion_has_the_sizes_of_its_model() -> None:
    base = named("deepseek-ai/DeepSeek-R1")
    for name in ("nvidia/DeepSeek-R1-0528-FP4-V2", "amd/DeepSeek-R1-0528-MXFP4-Preview", "deepseek-r1-fp4"):
        found = named(name)
        assert found.fp8_block == 0 and found.weights in ("nvfp4", "mxfp4")
        assert replace(found, name="", fp8_block=0, weights="") == replace(base, name="", fp8_block=0, weights="")
    assert named("Qwen/Qwen3.5-397B-A17B-FP8").fp8_block == 128
    assert named("nobody/Such-A-Model-FP8") == unknown("nobody/Such-A-Model-FP8")


def test_every_shipped_model_has_all_sizes() -> None:
    for llm in all_models():
        for precision in llm.precisions():
            sizes = of(llm, precision)
            assert None not in vars(sizes).values(), (llm.id, precision, sizes)


def test_releases_compare_as_numbers() -> None:
    assert release_of("0.5.8.post1") == (0, 5, 8) < release_of("0.5.23") < release_of("main")
    assert within((0, 20), "", "0.32") and not within((0, 33), "", "0.32") and within((0, 32, 4), "", "0.32")
    assert judge("vllm 0.20.1", "MiniMaxAI/MiniMax-M2.5", tp=8).outcome == "refused"
    assert judge("vllm 0.33.0", "MiniMaxAI/MiniMax-M2.5", tp=8).outcome == "warns"


# The oracle's own words -----------------------------------------------------------------------------------------------


def test_the_engine_rules_agree_with_the_oracle(catalog: Catalog) -> None:
    """Random plans of all shipped models on all GPUs: planner's data and the oracle's arithmetic say the same."""
    rng = random.Random(20261128)
    models, gpus = all_models(), [g for g in catalog.of(Kind.GPU) if isinstance(g, Gpu)]
    seen = {True: 0, False: 0}
    for _ in range(4_500):
        llm, gpu = rng.choice(models), rng.choice(gpus)
        precision = rng.choice(llm.precisions())
        tp, dp = rng.choice((1, 1, 2, 3, 4, 5, 6, 8, 16)), rng.choice((1, 1, 2, 3, 4, 5, 7, 8, 12, 24))
        pp = rng.choice((1, 1, 2, 3, 8))
        dp = dp if llm.is_moe else 1
        ep = rng.choice((1, tp * dp)) if llm.is_moe else 1
        does = rng.choice(("serve", "serve", "serve", "offload", "lora", "full"))
        if does != "serve":
            pp = 1
        if does == "offload":
            dp = ep = 1
        request = Request(
            model=llm.id, as_of=AS_OF, workload={"lora": "finetune-lora", "full": "train"}.get(does, "chat"),
            allow_experimental=does == "offload", any_precision=True,  # what is published is no rule of engines
        )  # fmt: skip
        plan = Plan(precision, "bf16", tp, pp, dp, ep, 1, 1, offload=does == "offload")
        ours = engine_of(llm, gpu, plan, request) is not None
        theirs = plan_oracle.starts(llm, gpu, precision, tp, pp, dp, ep, does, does == "offload")
        assert ours == theirs, (llm.id, gpu.id, precision, plan, does)
        seen[ours] += 1
    assert min(seen.values()) > 300


def test_all_engines_agree_with_the_oracle_on_every_small_plan() -> None:
    """Engine by engine, whether the support table names it or not."""
    for llm, engine in itertools.product(
        sampled(7, all_models()), ("vLLM", "SGLang", "TensorRT-LLM", "vLLM ROCm", "vLLM Gaudi")
    ):
        release = newest(engine)
        assert release is not None
        for precision, tp, dp in itertools.product(llm.precisions(), (1, 2, 3, 4, 6, 8), (1, 2, 5, 8)):
            if dp > 1 and not llm.is_moe:
                continue
            for ep in {1, tp * dp} if llm.is_moe else {1}:
                at = release.layout(tp, 1, dp, ep, kernel_class="SM90")
                sizes = of(llm, precision)
                faults = plan_faults(release, sizes, at)
                ours = not faults and redundant_for(release, sizes, at) == 0
                theirs = plan_oracle.engine_starts(engine, llm, "SM90", precision, tp, 1, dp, ep)
                assert ours == theirs, (engine, llm.id, precision, tp, dp, ep, faults)


def test_options_are_those_that_rules_read() -> None:
    read = {c.removeprefix("!") for r in plan_rules() for c in r.when}
    assert {x for x in read if x in OPTIONS} <= OPTIONS and {"rocm", "a2a", "offset"} <= read
    json.dumps(sorted(OPTIONS))
    assert isinstance(named("Qwen/Qwen3-32B"), ModelSizes)
