"""Tokens that a module proposes and prompts found in the prefix cache: what the planner's speed makes of them."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.policy import Policy
from constraints.request import Request
from optimizer import library
from optimizer.sizing.own_runs import calibration as calibration_of
from optimizer.sizing.schema import ModelsReport
from optimizer.sizing.serving import key_of
from optimizer.sizing.users_table import users_table
from optimizer.throughput import roofline
from optimizer.throughput.calibration import shipped as calibration
from optimizer.throughput.demand import demand
from optimizer.throughput.plans import Planner

DAY = date(2026, 11, 24)


def gpu_of(catalog: Catalog, name: str) -> Gpu:
    found = catalog.find(name)
    assert isinstance(found, Gpu)
    return found


def test_a_prefix_cache_spares_work_and_no_room(shipped: Catalog) -> None:
    """FLOPs of the first half of a prompt and of the rest make up the whole; what is read of the cache stays; the
    engine computes the last token in any case. No load is slower for it, with measurements or without."""
    llm = get("v3-671b")
    whole, half = (demand(llm, "fp8", 4096, 1024, "bf16", cached) for cached in (0, 2048))
    first = demand(llm, "fp8", 2048, 1024, "bf16")
    head = 2 * 7168 * 129280  # the output head sees the last token of each of the two parts
    assert first.prefill_linear_flops + half.prefill_linear_flops == whole.prefill_linear_flops + head
    assert first.prefill_attention_flops + half.prefill_attention_flops == whole.prefill_attention_flops
    assert (half.kv_whole_b, half.linear_flops, half.prefilled) == (whole.kv_whole_b, whole.linear_flops, 2048)
    card = gpu_of(shipped, "H200 SXM5 141GB")
    asked = [Request(model="r1-671b", as_of=DAY, cached_share_percent=p) for p in (None, 0, 30, 100)]
    assert [r.cached_tokens for r in asked] == [0, 0, 307, 1023]
    tables = [
        users_table(Planner(get("r1-671b"), r, Policy(), calibration()), card, key_of(card, 8, 1), (1, 4, 16, 64, 256))
        for r in asked
    ]
    assert tables[0] == tables[1] and "measured" in {row["basis"] for row in tables[0]}
    assert "measured" not in {row["basis"] for row in tables[2]}
    for more, less in itertools.pairwise(tables[1:]):
        for slow, fast in zip(more, less, strict=True):
            assert fast["ttft_ms"] <= slow["ttft_ms"] and fast["output_tok_s"] >= slow["output_tok_s"]


def test_no_replica_is_beyond_the_reach_of_one_that_proposes_tokens(shipped: Catalog) -> None:
    """The bounds of speculating replicas, and what a step gives: 1 + a + a^2 tokens."""
    assert roofline.tokens_per_step(0.5, 2) == pytest.approx(1.75)
    cases: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("H200 SXM5 141GB", "r1-671b", {}),
        ("B200 SXM6 180GB", "v3-671b", {"min_tok_s_user": 60.0}),
    )
    for gpu, model, more in cases:
        card = gpu_of(shipped, gpu)
        for number in ("mtp1", "mtp3", "mtp5"):
            request = Request(model=model, as_of=DAY, speculate=number, max_ttft_ms=4000, **more)
            bound, free = (Planner(get(model).drafting, request, Policy(), None, bounded) for bounded in (True, False))
            for nodes in (1, 2):
                key = key_of(card, 8, nodes)
                assert bound.rows(card, [key]) == free.rows(card, [key])
                for row in free.rows(card, [key]):
                    assert row.perf.tenths <= bound.most_tenths(card) * key.total


def test_models_are_told_apart_by_their_modules_where_these_count() -> None:
    """V4-Flash has MTP, its revision DSpark: one line of all models without speculation, two with it."""
    known = {speculate: report(speculate) for speculate in (None, "mtp2")}
    assert "v4-flash-0731" in next(fit.same for fit in known[None].models if fit.model.id == "v4-flash")
    fits = {fit.model.id: fit for fit in known["mtp2"].models}
    assert fits["v4-flash"].size.fits and "DSpark" in fits["v4-flash-0731"].size.reason
    assert not known[None].messages and "2 tokens that a model's module proposes" in known["mtp2"].messages[0]


def report(speculate: Any) -> ModelsReport:
    return library.size_models(
        Request(model="v3-671b", as_of=DAY, speculate=speculate), ("nvidia-h200-sxm5-141gb", 8, 1)
    )


def test_own_runs_with_cached_prompts_or_speculation_speak_for_no_other_plan(shipped: Catalog, tmp_path: Path) -> None:
    """They are left out with the reason, one that says neither takes the place of published ones."""
    head = "id,model,precision,gpu,n_gpus,tp,isl,osl,concurrency,output_tok_s,spec,prefix_cache\n"
    rows = [f"{name},r1-671b,fp8,H200,8,8,1024,1024,64,2000,{spec},{cached}" for name, spec, cached in
            (("a", "none", "no"), ("b", "mtp2", ""), ("c", "", "60%"), ("d", "", "lots"))]  # fmt: skip
    path = tmp_path / "mine.csv"
    path.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    notes = calibration_of(None, path, shipped, Policy()).notes
    assert "1 of 4 rows used" in notes[0]
    assert "b (ran with speculation (mtp2)); c (60 % of its prompts were in the prefix cache); d (prefix" in notes[1]
