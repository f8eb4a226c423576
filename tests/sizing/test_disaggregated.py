"""`size` with prefill and decode on nodes of their own: the best split of whole nodes, within the limits."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import numpy as np
import pytest

from catalogs.engines.features import has_feature
from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.policy import Policy
from constraints.request import Request
from optimizer.sizing.disaggregated import apart_plan
from optimizer.sizing.schema import SizedApart
from optimizer.sizing.serving import key_of
from optimizer.throughput.calibration import shipped as calibration
from optimizer.throughput.disaggregation import steady
from optimizer.throughput.plans import Planner

DAY = date(2026, 11, 24)


def planner_of(model: str, **asked: Any) -> Planner:
    request = Request(model=model, as_of=DAY, **asked)
    llm = get(model).drafting if request.speculate else get(model)
    return Planner(llm, request, Policy(), calibration())


def split_of(catalog: Catalog, gpu: str, nodes: int, model: str = "r1-671b", **asked: Any) -> SizedApart | None:
    card = catalog.find(gpu)
    assert isinstance(card, Gpu)
    return apart_plan(planner_of(model, **asked), card, key_of(card, 8, nodes))


def test_a_split_names_its_halves(shipped: Catalog) -> None:
    found = split_of(shipped, "H200 SXM5 141GB", 5)
    assert found is not None
    halves = found.prefill, found.decode
    assert sum(half.nodes for half in halves) == 5 and found.basis == "roofline"
    for half in halves:
        assert half.tp * half.pp * half.dp * half.replicas == 8 * half.nodes
    assert found.plan.startswith(f"{found.prefill.nodes} node") and " prefill " in found.plan
    assert 0 < found.prefill_busy <= 0.95 and found.low < found.output_tok_s < found.high
    assert found.requests_s * 1024 == pytest.approx(found.output_tok_s, rel=1e-3)
    # Little's law over both halves.
    seconds = found.ttft_ms / 1e3 + found.tpot_ms / 1e3 * 1023
    assert found.requests_s * seconds == pytest.approx(found.users, rel=2e-3)
    assert has_feature(found.engine.rsplit(" ", 1)[0], "disaggregation", "deepseek-v3", experimental=False)


@pytest.mark.parametrize(
    "asked",
    [{}, {"isl": 8192, "max_ttft_ms": 3000.0}, {"min_tok_s_user": 40.0}, {"users": 700, "min_tok_s_user": 12.0},
     {"speculate": "mtp2"}, {"cached_share_percent": 80, "isl": 8192}],
)  # fmt: skip
def test_no_split_is_faster_within_the_limits(asked: dict[str, Any], shipped: Catalog) -> None:
    """All splits, plans of both halves and numbers of requests under way, one by one."""
    card = shipped.find("H200 SXM5 141GB")
    assert isinstance(card, Gpu)
    planner, key = planner_of("r1-671b", precision="fp8", **asked), key_of(card, 8, 3)
    found = apart_plan(planner, card, key)
    request, best, splits = planner.request, 0.0, planner.splits
    group = splits._group("fp8", card, key)
    for first in (1, 2):
        for a, b in itertools.product(group._of(first, group.table.prefills), group.decode(3 - first)):
            prefill = splits._prefill_of("fp8", np.array([a]), first, np.array([key.net_gbit_s / 8 * 1e9]))
            decode = splits._decode_of("fp8", np.array([b]), 3 - first)
            users = np.unique(np.geomspace(1, int(decode.room[0]), 60).astype(int)).astype(float)
            state = steady(prefill.of([0] * len(users)), decode.of([0] * len(users)), users)
            fine = (state.tpot_s * request.min_tok_s_user <= 1) & (users >= (request.users or 1))
            fine &= state.ttft_s * 1e3 <= (request.max_ttft_ms or np.inf)
            fine &= state.requests_s <= 0.95 * prefill.most_requests_s
            best = max(best, float(np.max(np.where(fine, state.requests_s, 0.0))) * request.osl)
    assert (found.output_tok_s if found else 0.0) >= 0.995 * best
    if found:
        assert found.per_user_tok_s >= request.min_tok_s_user * 0.999 and found.users >= (request.users or 1)
        assert request.max_ttft_ms is None or found.ttft_ms <= request.max_ttft_ms * 1.001


def test_where_no_split_is(shipped: Catalog) -> None:
    """One node is not split, two cannot hold bf16 of R1 apart, and engines that are not known to do so do not."""
    assert split_of(shipped, "H200 SXM5 141GB", 1) is None
    assert split_of(shipped, "H200 SXM5 141GB", 2, precision="bf16") is None
    assert split_of(shipped, "H200 SXM5 141GB", 2, max_ttft_ms=1.0) is None
    assert split_of(shipped, "H200 SXM5 141GB", 2, users=100_000) is None
    assert split_of(shipped, "Gaudi 3", 2, "qwen3-32b") is None
    assert split_of(shipped, "H200 SXM5 141GB", 2, "qwen3-32b", precision="q4_k_m") is None


def test_more_nodes_serve_more(shipped: Catalog) -> None:
    speeds = [found.output_tok_s for n in (2, 3, 4, 6) if (found := split_of(shipped, "H200 SXM5 141GB", n))]
    assert len(speeds) == 4 and speeds == sorted(speeds)
