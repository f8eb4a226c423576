"""Which precisions a request admits, a GPU generation runs and an engine serves; memory of a GPU to the byte."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from catalogs.engines.support import SupportRow, engines
from catalogs.file_kinds import BETWEEN_KINDS, COUNTED_KINDS, FILE_KINDS
from catalogs.formats import DYNAMIC_KINDS
from catalogs.llm import get
from constraints.physics.reserve import reserve_bytes, usable_bytes
from constraints.physics.training import trained_params
from constraints.plan import Plan
from constraints.policy import Policy
from constraints.request import Request
from constraints.rule import Check
from constraints.rules.precision import Precision, admitted, known_precisions, runs, wanted
from constraints.rules.software import Software, engines_for, served
from constraints.rules.storage import needed_gb
from constraints.rules.vram import demand_bytes, kv_per_gpu_user, most_users, stages, weights_per_gpu
from tests.conftest import AS_OF
from tests.support.scenes import scene, verdicts

ALL = ["bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4"]


def ask(model: str = "r1-671b", **fields: Any) -> Request:
    return Request(model=model, as_of=AS_OF, **fields)


def card(arch: str, kernel_class: str = "") -> Any:
    """A GPU as the rules of software see it."""
    return SimpleNamespace(id="card", arch=arch, kernel_class=kernel_class)


def checked(rule: Any, arch: str, precision: str, request: Request, offload: bool = False) -> tuple[str, str]:
    """(status, text) of the one finding about a plan."""
    plan = Plan(precision, "bf16", 1, 1, 1, 1, 1, 1, None, offload)
    gpu, llm = card(arch), get(request.model)
    case: Any = SimpleNamespace(
        gpu=gpu, cards=[(gpu, 1)], mixed=False, per_node=1, plan=plan, request=request, llm=llm
    )  # fmt: skip
    found: list[Check] = rule.check(case)
    return found[0].status, found[0].text


def test_precisions_above_the_floor() -> None:
    r1, lite = get("r1-671b"), get("v2-lite")
    assert wanted(r1, ask()) == ["bf16", "fp8", "int8"]
    assert wanted(lite, ask("v2-lite")) == ["bf16"]
    for bits, count in ((17, 1), (16, 1), (9, 1), (8, 3), (5, 3), (4, 6), (1, 6)):
        asked = ask("v2-lite", min_precision_bits=bits, any_precision=True)
        assert [p for p in wanted(lite, asked) if p not in FILE_KINDS] == ALL[:count]
    above = ["bf16", "fp8", "int8"]  # published in 8 bits: no loss
    assert [p for p in wanted(r1, ask(min_precision_bits=16)) if p not in FILE_KINDS] == above


def test_a_named_precision_admits_its_twin_alone() -> None:
    lite = get("v2-lite")
    assert wanted(lite, ask("v2-lite", precision="fp8")) == ["fp8"]
    assert wanted(lite, ask("v2-lite", precision="bf16")) == wanted(lite, ask("v2-lite", precision="fp16")) == ["bf16"]
    assert wanted(lite, ask("v2-lite", precision="fp4-mix")) == []


def test_experts_of_four_bits_are_four_bits() -> None:
    """A DeepSeek-V4 published in 8 bits: FP4 experts count as 4 bits, and 5 asked for keep them out. Flash is
    published in INT8 too."""
    eight = replace(get("v4-flash"), min_precision_bits=8)
    for bits, have in ((8, ["fp8", "int8"]), (5, ["fp8", "int8"]), (4, ["fp8", "int8", "fp4-mix", "nvfp4"])):
        asked = ask("v4-flash", min_precision_bits=bits, any_precision=True)
        assert wanted(eight, asked) == have  # its cache is in FP8, which engines of files don't have


def test_kinds_of_files_count_when_fewer_bits_are_asked_for() -> None:
    r1 = get("r1-671b")
    assert not set(wanted(r1, ask())) & set(FILE_KINDS)
    four = wanted(r1, ask(min_precision_bits=4))
    assert {"q4_k_m", "q8_0", "mlx-4bit"} <= set(four) and not {"q3_k_m", "q2_k", "mlx-3bit"} & set(four)
    assert {"q3_k_m", "q2_k", "mlx-2bit"} <= set(wanted(r1, ask(min_precision_bits=2)))
    assert wanted(r1, ask(precision="q4_K_M")) == ["q4_k_m"]
    assert wanted(r1, ask(precision="q4_k_m", kv_precision="fp8")) == []
    assert "q4_0" not in four and "q4_0" in wanted(r1, ask(min_precision_bits=4, any_precision=True))


def test_below_the_published_precision_only_what_is_to_be_had() -> None:
    """Published, or made by an engine when it loads the weights: FP8 of 16 bits by vLLM and SGLang, not by others."""
    phi = get("phi-4")
    assert wanted(phi, ask("phi-4", min_precision_bits=4)) == ["bf16", "fp8", "q4_k_m"]  # the one file that is listed
    assert wanted(phi, ask("phi-4", precision="nvfp4")) == []
    assert wanted(phi, ask("phi-4", precision="nvfp4", any_precision=True)) == ["nvfp4"]
    card_ = card("Hopper")
    asked = ask("phi-4", min_precision_bits=8)
    by = {e.name for e in engines_for(phi, card_, "fp8", asked)}
    everyone = {e.name for e in engines_for(phi, card_, "fp8", asked.model_copy(update={"any_precision": True}))}
    assert by == everyone & {"vLLM", "SGLang"} != set()
    distill = get("r1-distill-qwen-32b")
    assert "int4" in wanted(distill, ask("r1-distill-qwen-32b", min_precision_bits=4))
    assert "nvfp4" not in wanted(distill, ask("r1-distill-qwen-32b", min_precision_bits=4))


def test_what_the_checks_say_of_weights_that_nobody_published() -> None:
    asked = ask("phi-4", min_precision_bits=4)
    status, text = checked(Precision(), "Hopper", "nvfp4", asked)
    assert status == "fail" and "--any-precision" in text
    status, text = checked(Software(), "Hopper", "int4", ask("phi-4", precision="int4"))
    assert status == "fail" and "--any-precision" in text


def test_precisions_that_a_request_may_name() -> None:
    model = get("r1-distill-qwen-7b")
    served = known_precisions(model, ask("r1-distill-qwen-7b", any_precision=True))
    assert [p for p in served if p not in FILE_KINDS] == ALL
    assert set(COUNTED_KINDS) - set(DYNAMIC_KINDS) - BETWEEN_KINDS <= set(served)
    for kind in BETWEEN_KINDS:  # each is taken where it is named
        asked = ask("r1-distill-qwen-7b", any_precision=True, precision=kind)
        assert wanted(model, asked) == [kind] and kind not in served
    assert known_precisions(model, ask("r1-distill-qwen-7b", workload="train")) == ["bf16", "fp16", "fp8"]
    lora = ask("r1-distill-qwen-7b", workload="finetune-lora")
    assert known_precisions(model, lora) == ["bf16", "fp16", "fp8", "int4"]


def test_what_is_trained_must_be_native() -> None:
    serve, full, lora = (ask("r1-33b", workload=w) for w in ("chat", "finetune-full", "finetune-lora"))
    assert [runs("Ampere", "fp8", r) for r in (serve, full, lora)] == [True, False, True]
    assert [runs("Ada", "fp8", r) for r in (serve, full, lora)] == [True, True, True]
    assert not any(runs("Volta", "fp8", r) for r in (serve, full, lora))
    model = get("r1-33b")
    assert not admitted("Ampere", "int4", model, serve)
    assert admitted("Ampere", "int4", model, ask("r1-33b", min_precision_bits=4))
    assert not admitted("Volta", "fp8", model, ask("r1-33b", min_precision_bits=4))


@pytest.mark.parametrize(
    ("arch", "precision", "workload", "status", "words"),
    [("Ada", "fp8", "chat", "pass", "Ada runs fp8 natively"),
     ("Ampere", "fp8", "chat", "pass", "Ampere runs fp8 weight-only: it computes in "),
     ("Volta", "fp8", "chat", "fail", "Volta GPUs do not run fp8"),
     ("Ampere", "fp8", "train", "fail", "do not run fp8"),
     ("Ada", "int4", "chat", "fail", "int4 is below the precision floor")],
)  # fmt: skip
def test_what_the_precision_check_says(arch: str, precision: str, workload: Any, status: str, words: str) -> None:
    found = checked(Precision(), arch, precision, ask(workload=workload))
    assert found[0] == status and words in found[1]


# Software -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arch", "precision", "status", "words"),
    [("Hopper", "fp8", "pass", "vLLM 0.33.0 serves deepseek-v3 at fp8 on Hopper (SM90) and starts one GPU per replica"),
     ("Ampere", "fp8", "fail", "vLLM 0.33.0 serves deepseek-v3 at fp8 on Ampere only experimentally"),
     ("Volta", "fp16", "fail", "no released engine known that serves deepseek-v3 at fp16 on Volta")],
)  # fmt: skip
def test_what_the_software_check_says(arch: str, precision: str, status: str, words: str) -> None:
    found = checked(Software(), arch, precision, ask())
    assert found[0] == status and words in found[1]


def test_experimental_engines_when_allowed() -> None:
    free = ask(allow_experimental=True)
    assert checked(Software(), "Ampere", "fp8", free)[0] == "pass"
    r1 = get("r1-671b")
    assert served(r1, card("Ampere"), "fp8", free) and not served(r1, card("Ampere"), "fp8", ask())
    assert not served(r1, card("Volta"), "fp8", free)


def test_stable_engines_come_first_and_offload_has_its_own() -> None:
    v3 = ("v3-671b", "deepseek-v3")
    assert engines(*v3, card("Hopper"), "nvfp4", "offload") == ()
    found = engines(*v3, card("Ampere"), "fp8", "offload")
    assert [(e.name, e.status) for e in found] == [("KTransformers", "experimental")]  # support.csv, 2026-08-21
    status, text = checked(Software(), "Ampere", "fp8", ask(), offload=True)
    assert status == "fail" and text.endswith("only experimentally (--allow-experimental)")
    status, text = checked(Software(), "Ampere", "fp8", ask(allow_experimental=True), offload=True)
    assert status == "pass" and "with experts in host memory" in text
    assert "with experts" not in checked(Software(), "Hopper", "fp8", ask())[1]


def test_a_stable_engine_comes_before_an_experimental_one(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"architecture": "a", "kernel_classes": "SM90", "precisions": "fp8", "release": "1", "source": "test"}
    said = (("x", "experimental"), ("y", "stable"), ("z", "experimental"), ("w", "none"))
    rows = tuple(
        SupportRow.of({**row, "engine": name, "status": status, "date": "2026-01-01"}) for name, status in said
    )
    monkeypatch.setattr("catalogs.engines.support.support_rows", lambda does: rows)
    assert [e.status for e in engines("no-such", "a", card("Hopper"), "fp8")] == ["stable", *["experimental"] * 2]
    assert engines("no-such", "a", card("Hopper"), "bf16") == ()


def test_training_software_by_method() -> None:
    full, lora = (ask("r1-distill-llama-8b", workload=w) for w in ("finetune-full", "finetune-lora"))
    assert checked(Software(), "Hopper", "fp8", full)[0] == "pass"
    assert checked(Software(), "Hopper", "fp8", lora)[0] == "fail"
    assert "trains llama" in checked(Software(), "Ada", "bf16", lora)[1]


# Memory ---------------------------------------------------------------------------------------------------------------


def test_memory_that_the_system_keeps() -> None:
    gpu: Any = SimpleNamespace(vram_gb=128, unified_reserve_gb=16)
    assert usable_bytes(gpu) == 112 * 10**9
    assert reserve_bytes(gpu, Policy()) == 2 * 10**9 + 112 * 10**9 // 20


def test_stages_are_as_even_as_can_be() -> None:
    assert [len(x) for x in stages(61, 2)] == [30, 31]
    assert [len(x) for x in stages(61, 4)] == [15, 15, 15, 16]
    assert [i for run in stages(7, 3) for i in run] == list(range(7))


def test_requests_are_spread_over_data_parallel_ranks() -> None:
    gpu: Any = SimpleNamespace(vram_gb=80, unified_reserve_gb=0)
    llm = get("v2-lite")

    def need(dp: int, users: int) -> int:
        plan = Plan("bf16", "bf16", 1, 1, dp, 1, 1, users)
        return demand_bytes(gpu, llm, Policy(), plan, Request(model="v2-lite", as_of=AS_OF, isl=2048, osl=2048))

    one = need(2, 2) - need(2, 0)
    assert one > 0
    assert need(2, 1) == need(2, 2) and need(2, 3) - need(2, 2) == one
    assert need(2, 8) - need(2, 0) == 4 * one


@pytest.mark.parametrize("tp", (1, 2, 3, 7))
def test_shares_of_weights_and_cache_are_rounded_up(tp: int) -> None:
    """All shares together hold every byte, and no share holds one byte more than it must."""
    llm = get("r1-distill-qwen-7b")
    whole = sum(llm.layer_bytes("bf16")) + llm.head_bytes("bf16")
    assert weights_per_gpu(llm, "bf16", tp, 1, 1, 1) == math.ceil(Fraction(whole, tp))
    cache = sum(llm.kv_layer_bytes(4097, "bf16"))
    assert kv_per_gpu_user(llm, 4097, "bf16", tp, 1) == math.ceil(Fraction(cache, llm.kv_shards(tp)))


def test_a_first_stage_of_wide_dense_layers_is_the_fullest() -> None:
    """Six dense layers before ten routed ones, in four stages: with the experts spread over 256 GPUs the first stage,
    four dense layers and half of the head, is the fullest; its layers have no experts to spread."""
    v3 = get("v3-671b")
    llm = replace(v3, layer_list=(*(v3.layer_list[0],) * 6, *(v3.layer_list[-1],) * 10))
    each, head = llm.layer_bytes("bf16"), llm.head_bytes("bf16")
    dense, experts = each[0], llm.expert_bytes("bf16") // 10
    routed = math.ceil(Fraction(experts, 256)) + each[-1] - experts
    assert 2 * dense + 2 * routed < 4 * routed + head // 2 < 4 * dense + head // 2
    assert weights_per_gpu(llm, "bf16", 1, 4, 1, 256) == 4 * dense + head // 2


def test_half_of_an_odd_head_is_rounded_up() -> None:
    llm = get("r1-33b")
    each, head = llm.layer_bytes("fp8"), llm.head_bytes("fp8")
    assert head % 2 == 1
    assert weights_per_gpu(llm, "fp8", 1, 2, 1, 1) == max(sum(each[:32]), sum(each[32:])) + (head + 1) // 2


def test_shares_of_experts_are_rounded_up() -> None:
    llm = get("v2-lite")
    moe = llm.expert_bytes("bf16")
    rest = sum(llm.layer_bytes("bf16")) + llm.head_bytes("bf16") - moe
    assert moe % 26 == 0 and moe % 7
    assert weights_per_gpu(llm, "bf16", 1, 1, 1, 7) == math.ceil(Fraction(moe, 7)) + rest


@pytest.mark.parametrize(("dp", "vram_gb"), [(1, 80), (2, 80), (1, 24)])
def test_users_that_memory_holds(dp: int, vram_gb: int) -> None:
    """The GPU less 2 GB, a twentieth and the weights, divided by a user's cache; each data-parallel rank has its own.
    The 31 GB of weights do not fit 24."""
    llm, plan = get("v2-lite"), Plan("bf16", "bf16", 1, 1, dp, 1, 1, 1)
    gpu: Any = SimpleNamespace(vram_gb=vram_gb, unified_reserve_gb=0)
    moe = llm.expert_bytes("bf16")
    weights = math.ceil(moe / dp) + sum(llm.layer_bytes("bf16")) + llm.head_bytes("bf16") - moe
    left = vram_gb * 19 * 10**9 // 20 - 2 * 10**9 - weights
    each = sum(llm.kv_layer_bytes(4096, "bf16"))
    assert most_users(gpu, llm, Policy(), plan, 4096) == (left // each * dp if vram_gb == 80 else -1)


def test_a_plan_that_fills_its_memory_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    s = scene("tower")
    need = demand_bytes(s.case.gpu, s.market.llm, s.market.policy, s.row.plan, s.market.request)
    for have, found in ((need, (set(), True)), (need - 1, ({"vram"}, False))):
        monkeypatch.setattr("constraints.rules.vram.usable_bytes", lambda gpu, have=have: have)
        assert verdicts(s, s.market.catalog, s.market.request, s.market.policy, s.case.build) == found


@pytest.mark.parametrize("workload", ("train", "finetune-lora"))
def test_disks_of_a_node_that_trains(workload: Any) -> None:
    """The weights once, two copies of the checkpoint (14 bytes a parameter), the system, a fifth free on top."""
    llm, policy = get("r1-33b"), Policy()
    asked = ask("r1-33b", workload=workload)
    saved = math.ceil(Fraction(14 * trained_params(llm, asked, policy), 10**9))
    want = (2 * saved + math.ceil(Fraction(2 * llm.params_total, 10**9)) + 200) * Fraction(6, 5)
    assert needed_gb(llm, "bf16", policy, asked) == math.ceil(want)
