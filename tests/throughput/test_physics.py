"""What the roofline counts of weights left in 16 bits, of prompts, of cut tensor units; plans that nobody names."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalogs.errors import InputError
from catalogs.llm import get
from catalogs.load import Catalog, load
from catalogs.schema import Gpu
from constraints.plan import RowKey
from constraints.policy import Policy
from optimizer.throughput import interval
from optimizer.throughput.answers import Answers, answers
from optimizer.throughput.batch import prepare
from optimizer.throughput.calibration import read, shipped
from optimizer.throughput.constants import DATA, constants
from optimizer.throughput.demand import demand
from optimizer.throughput.jobs import of_keys
from optimizer.throughput.roofline import Times, times


def card(catalog: Catalog, name: str) -> Gpu:
    found = catalog.find(name)
    assert isinstance(found, Gpu)
    return found


def pieces(gpu: Gpu, model: str, precision: str, tp: int) -> Times:
    key = RowKey(gpu.id, gpu.tdp_w or 1, 8, 1, gpu.wired_domain_gpus, 0, 0, "none", 0)
    need = demand(get(model), precision, 1024, 1024, "bf16")
    jobs = of_keys(gpu, np.array([[tp, 1, 1, 1]]), [key], np.array([0]), need, precision, (1024, 1024), constants())
    assert jobs is not None
    return times(jobs, constants())


def said(**columns: str) -> Answers:
    return answers(prepare({name: [cell] for name, cell in columns.items()}, load(), Policy()), shipped())


@pytest.mark.parametrize(
    ("model", "precision", "whole"),
    [
        (
            "gpt-oss-120b",
            "mxfp4",
            lambda llm: llm.dense_read_bytes("bf16"),
        ),  # all but its experts, norms and biases too
        ("r1-671b", "fp8", lambda llm: 2 * llm.hidden * 129280),  # the output head alone
        ("r1-671b", "nvfp4", lambda llm: 2 * llm.hidden * 129280),
    ],
)
def test_matrices_left_in_16_bits(model: str, precision: str, whole: object) -> None:
    llm = get(model)
    assert callable(whole)
    assert llm.dense_whole_bytes(precision) == pytest.approx(whole(llm), rel=0.01)
    assert llm.dense_whole_bytes(precision) <= llm.dense_read_bytes(precision)


def test_the_output_head_sees_one_token_of_a_prompt() -> None:
    llm = get("gpt-oss-120b")
    head = 2 * llm.hidden * 201088
    assert llm.prefill_linear_flops(1) == llm.linear_flops_per_token()
    assert llm.prefill_linear_flops(1000) == 1000 * llm.linear_flops_per_token() - 999 * head


def test_the_first_token_waits_for_launches_of_its_model(shipped: Catalog) -> None:
    """On eight B200 with few users 28 to 45 ms were measured for gpt-oss, 160 to 190 for R1; layers count anywhere."""
    b200, h100 = card(shipped, "B200 SXM6 180GB"), card(shipped, "H100 SXM5 80GB")
    small = float(pieces(b200, "gpt-oss-120b", "mxfp4", 8).prefill_fixed_s[0])
    latent = float(pieces(b200, "r1-671b", "fp8", 8).prefill_fixed_s[0])
    assert 0.02 < small < 0.06 < 0.1 < latent < 0.25
    k = constants()
    host = 80 * k["layer_us"] * k["prompt_launches"] * 1e-6
    for gpu in (b200, h100):
        assert float(pieces(gpu, "llama-3.3-70b", "fp8", 8).prefill_fixed_s[0]) > host


def test_cut_tensor_units_cost_dense_work_alone(shipped: Catalog) -> None:
    """An H20 is an H200 with 15 % of its tensor units and 83 % of its bandwidth: of experts it loses no more than what
    dense matrices lose, for the rest of their time is not of these units."""
    h200, h20 = card(shipped, "H200 SXM5 141GB"), card(shipped, "H20 SXM5 96GB")
    cut = h200.model_copy(update={"fp16_tflops": h20.fp16_tflops, "fp8_tflops": h20.fp8_tflops})
    assert h200.fp8_tflops and h20.fp8_tflops
    less = h200.fp8_tflops / h20.fp8_tflops
    moe = pieces(cut, "v3-671b", "fp8", 8).flops_user_s[0] / pieces(h200, "v3-671b", "fp8", 8).flops_user_s[0]
    dense = pieces(cut, "qwen3-32b", "fp8", 8).flops_user_s[0] / pieces(h200, "qwen3-32b", "fp8", 8).flops_user_s[0]
    assert dense == pytest.approx(less, rel=0.01) and 1 < moe < 0.6 * less


def test_a_plan_that_nobody_names_leaves_the_reserve() -> None:
    """Eight H100 hold R1 in FP8 to the brim: two nodes that name no plan are not taken for two such replicas; one node
    that was measured so is answered, for one request."""
    asked = {"model": "r1-671b", "precision": "fp8", "gpu": "nvidia-h100-sxm5-80gb", "isl": "128", "osl": "128",
             "kv_precision": "fp8", "concurrency": "1"}  # fmt: skip
    both, brim = said(**asked, n_gpus="16", nodes="2"), said(**asked, n_gpus="8", nodes="1")
    assert not any(both.errors + brim.errors)
    assert both.tpot_ms[0] > 1.5 * brim.tpot_ms[0]


def test_bursts_have_an_interval_of_their_own() -> None:
    asked = {"model": "qwen3-32b", "precision": "fp8", "gpu": "nvidia-h100-sxm5-80gb", "n_gpus": "1", "isl": "220",
             "osl": "200"}  # fmt: skip
    burst, steady = said(**asked, scenario="burst_1000"), said(**asked, concurrency="32")
    assert burst.basis == ("roofline",) and steady.basis != ("roofline",)
    assert burst.high[0] / burst.low[0] > steady.high[0] / steady.low[0]


def test_a_stack_with_few_runs_takes_the_width_of_its_vendor(shipped: Catalog) -> None:
    known = read(DATA, "shipped")
    a100 = card(shipped, "nvidia-a100-sxm4-80gb")
    assert ("model-or-gpu", "Ampere") not in known.widths
    assert known.width("model-or-gpu", a100) == known.widths["model-or-gpu", "NVIDIA"]
    named = replace(known, widths={k: v for k, v in known.widths.items() if k[1] == interval.ALL})
    assert named.width("model-or-gpu", a100) == known.widths["model-or-gpu", interval.ALL]


def test_a_calibration_without_a_constant_is_refused(tmp_path: Path) -> None:
    """One that an earlier version wrote says so where it is read, not where the constant is."""
    for name in ("constants.csv", "intervals.csv", "residuals.csv"):
        shutil.copy(DATA / name, tmp_path / name)
    lines = (tmp_path / "constants.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "constants.csv").write_text("".join(x for x in lines if not x.startswith("prompt_launches,")))
    with pytest.raises(InputError, match="no calibration") as told:
        read(tmp_path, "mine")
    assert "prompt_launches" in told.value.faults[0].text
