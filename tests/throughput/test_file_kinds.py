"""Figures of llama.cpp and MLX: published runs lie within the interval, stages work in turn, a Mac's memory is said."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from catalogs.inputs import shipped_rows
from catalogs.llm import get
from catalogs.load import Catalog, load
from constraints.plan import Plan, RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.vram import Vram
from optimizer.throughput.constants import DATA, constants
from optimizer.throughput.demand import demand
from optimizer.throughput.file_kinds import RUNS, in_file_kinds
from optimizer.throughput.jobs import of_keys
from optimizer.throughput.roofline import Times, times

PUBLISHED = shipped_rows(DATA / RUNS)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def pieces(catalog: Catalog, model: str, precision: str, card: str, stages: int, isl: int, osl: int) -> Times:
    """The roofline of one replica whose layers lie on so many cards."""
    gpu: Any = catalog.find(card)
    key = RowKey(gpu.id, gpu.tdp_w or 1, stages, 1, 1, gpu.pcie_gen or 4, 16, "none", 0)
    need = demand(get(model), precision, isl, osl, "bf16")
    shape = np.array([[1, stages, 1, 1]])
    jobs = of_keys(gpu, shape, [key], np.array([0]), need, precision, (isl, osl), constants())
    assert jobs is not None
    return times(jobs, constants())


def test_published_runs_lie_within_the_interval(catalog: Catalog) -> None:
    fact = in_file_kinds()
    ratios = []
    for run in PUBLISHED:
        stages, isl, osl = (int(run[name]) for name in ("n_gpus", "isl", "osl"))
        found = pieces(catalog, run["model"], run["precision"], run["gpu"], stages, isl, osl)
        ratios.append(float(run["decode_tok_s"]) * float(found.step_s(1)[0]))
    assert all(fact.low <= ratio <= fact.high for ratio in ratios), ratios
    assert fact.low < 0.8 < 1.2 < fact.high and fact.basis == "roofline"


def test_stages_work_in_turn(catalog: Catalog) -> None:
    """One user sees one card's speed on any number of cards; many pass each stage together, not one part each."""
    one, four = (pieces(catalog, "qwen3-32b", "q4_k_m", "RTX 3090", stages, 1024, 1024) for stages in (1, 4))
    assert float(four.step_s(1)[0]) >= float(one.step_s(1)[0])
    piped = pieces(catalog, "qwen3-32b", "int4", "RTX 3090", 4, 1024, 1024)
    assert four.waves == 1 and piped.waves == 4
    grows = float(four.step_s(32)[0]) - float(four.step_s(1)[0])
    assert grows == pytest.approx(float(one.step_s(32)[0]) - float(one.step_s(1)[0]), rel=0.2)


def test_a_long_prompt_passes_stages_piece_by_piece(catalog: Catalog) -> None:
    short, long_ = (pieces(catalog, "qwen3-32b", "q4_k_m", "RTX 3090", 4, isl, 64) for isl in (512, 16 * 512))
    whole = [pieces(catalog, "qwen3-32b", "q4_k_m", "RTX 3090", 1, isl, 64) for isl in (512, 16 * 512)]
    assert float(short.prefill_s[0]) == pytest.approx(float(whole[0].prefill_s[0]), rel=0.05)
    assert float(long_.prefill_s[0]) == pytest.approx(float(whole[1].prefill_s[0]) * 19 / 64, rel=0.05)


def test_macos_gives_more_when_it_is_told_to(catalog: Catalog) -> None:
    gpu: Any = catalog.find("M3 Ultra")
    request = Request(model="r1-671b", as_of=date(2026, 11, 24), precision="q4_k_m")
    for model, precision, status in (
        ("r1-671b", "q4_k_m", "warn"),
        ("qwen3-32b", "q4_k_m", "pass"),
        ("r1-671b", "q5_k_m", "fail"),
    ):
        plan = Plan(precision, "bf16", 1, 1, 1, 1, 1, 1)
        case: Any = SimpleNamespace(gpu=gpu, mixed=False, llm=get(model), policy=Policy(), plan=plan, request=request)
        (found,) = Vram().check(case)
        assert found.status == status
        assert ("iogpu.wired_limit_mb" in found.text) == (status == "warn")


def test_the_one_run_of_a_mix_of_others_lies_within_its_interval(catalog: Catalog) -> None:
    """R1 at UD-IQ1_S on two H100 (unsloth.ai/blog/deepseekr1-dynamic): 14 tok/s for one user."""
    fact = in_file_kinds("ud-iq1_s")
    found = pieces(catalog, "r1-671b", "ud-iq1_s", "H100 SXM", 2, 64, 512)
    assert fact.low <= 14 * float(found.step_s(1)[0]) < in_file_kinds("q4_k_m").low
