"""The KV cache that a model is published for: plans, memory, commands and conditions count on that one."""

from __future__ import annotations

import csv
import re

import pytest
from typer.testing import CliRunner

from catalogs.architectures import ARCHITECTURES
from catalogs.kv_caches import FILE, published_kv_cache
from catalogs.load import Catalog
from catalogs.registry import all_models, get
from catalogs.schema import Gpu
from constraints.plan import RowKey
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.precision import kv_precision
from constraints.rules.vram import kv_per_gpu_user
from optimizer.cli.app import app
from optimizer.throughput.plans import Planner
from tests.conftest import AS_OF


def test_every_row_names_a_known_architecture_a_source_and_a_day() -> None:
    with FILE.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    known = {m.architecture for m in all_models()}
    for r in rows:
        assert r["architecture"] in known and r["kv_cache"] in ("bf16", "fp8")
        assert r["source"] and re.fullmatch(r"\d{4}-\d\d-\d\d", r["date"])
    assert ARCHITECTURES and rows


@pytest.mark.parametrize("asked", ["bf16", "fp8"])
def test_all_others_take_what_is_asked(asked: str) -> None:
    for llm in all_models():
        request = Request.model_validate({"model": llm.id, "as_of": AS_OF, "kv_precision": asked})
        assert kv_precision(llm, request) == ("fp8" if llm.architecture in ("deepseek-v4", "deepseek-v4.1") else asked)
        assert published_kv_cache(llm.architecture) in ("", "fp8")


@pytest.mark.parametrize("name", ["H200 SXM5 141GB", "Instinct MI350X", "B200 SXM6 180GB"])
def test_plans_of_v4_hold_the_cache_that_engines_start(shipped: Catalog, name: str) -> None:
    gpu, llm = shipped.find(name), get("v4-flash")
    assert isinstance(gpu, Gpu)
    request = Request(model=llm.id, as_of=AS_OF)
    key = RowKey(gpu.id, gpu.tdp_w or 1, 8, 1, 8, 0, 0, "none", 0)
    rows = [Planner(llm, r, Policy()).rows(gpu, [key]) for r in (request, request.model_copy(
        update={"kv_precision": "fp8"}))]  # fmt: skip
    assert rows[0] and rows[0] == rows[1]
    assert {r.plan.kv_precision for r in rows[0]} == {"fp8"}
    assert kv_per_gpu_user(llm, request.tokens, "fp8", 1, 1) < kv_per_gpu_user(llm, request.tokens, "bf16", 1, 1)


@pytest.mark.parametrize("command", [["solve", "--budget", "300k"], ["size", "--gpu", "8xH200 SXM5 141GB"]])
def test_another_cache_is_refused_where_it_is_typed(command: list[str]) -> None:
    run = CliRunner().invoke(app, [*command, "--model", "v4-flash", "--kv-precision", "bf16"], env={"COLUMNS": "200"})
    assert run.exit_code == 2
    assert "published for a KV cache in FP8" in " ".join(re.sub(r"[│\n]", " ", run.output).split())
