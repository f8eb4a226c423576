"""Results with prefill and decode apart: made anew from the saved JSON, each half, and which point is recommended."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.result.answer import solve
from optimizer.result.recommended import load_view, overlapping, reason, recommended
from optimizer.search.judging import check
from optimizer.search.solver import Solver
from optimizer.verify.consistent import consistent
from tests.support.random_catalogs import apart_scenario

SEED = 6


@pytest.fixture(scope="module")
def saved() -> tuple[Catalog, dict[str, Any]]:
    catalog, request, _ = apart_scenario(SEED)
    return catalog, json.loads(json.dumps(solve(catalog, request, Policy()).data))


def split(data: dict[str, Any]) -> dict[str, Any]:
    return next(point for point in data["front"] if point["plan"]["prefill"])


def test_a_split_is_made_anew(saved: tuple[Catalog, dict[str, Any]]) -> None:
    catalog, data = saved
    point = split(data)
    first = point["plan"]["prefill"]
    assert first["nodes"] + first["decode_nodes"] == point["nodes"][0]["count"]
    assert point["row"]["net"] == "rdma" and first["kv_gbit_s"] < point["row"]["net_gbit_s"]
    assert point["throughput"]["basis"] == "roofline" and point["plan"]["launch_note"]
    assert any(said["code"] == "prefill-apart" for said in data["messages"])
    report, _ = consistent(data, catalog)
    assert report.wrong == []


TAMPERED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "nodes that prefill": lambda point: point["plan"]["prefill"].update(nodes=9),
    "a size of the first half": lambda point: point["plan"]["prefill"].update(tp=4),
    "its memory": lambda point: point["plan"]["prefill"].update(weights_gb=1.0),
    "requests": lambda point: point["plan"]["prefill"].update(requests_s=99.0),
    "links": lambda point: point["plan"]["prefill"].update(kv_gbit_s=0.01),
    "no half": lambda point: point["plan"].update(prefill=None),
    "throughput": lambda point: point["throughput"].update(output_tok_s=point["throughput"]["output_tok_s"] + 1),
    "the network": lambda point: point["row"].update(net="pp", net_gbit_s=25),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_is_changed_of_a_split_is_named(what: str, saved: tuple[Catalog, dict[str, Any]]) -> None:
    catalog, data = saved
    changed = copy.deepcopy(data)
    TAMPERED[what](split(changed))
    report, _ = consistent(changed, catalog)
    assert report.wrong


def test_check_takes_the_split_that_its_parts_allow() -> None:
    """With the fabric's switches taken away the same nodes prefill and decode together, or fail."""
    catalog, request, _ = apart_scenario(SEED)
    market = Market.open(catalog, request, Policy())
    point = next(p for p in Solver(market).front().points if p.found.row.plan.prefill)
    case, checks = check(market, point.case.build)
    assert case.plan == point.found.row.plan and not any(x.status == "fail" for x in checks)
    bare = replace(point.case.build, shared={x: q for x, q in point.case.build.shared.items() if "rdma" not in x})
    case, _ = check(market, bare)
    assert case.plan.prefill is None


@pytest.mark.parametrize("seed", [2, 6, 8, 14])
def test_none_is_recommended_before_a_point_that_can_hardly_be_told_from_it(seed: int) -> None:
    catalog, request, _ = apart_scenario(seed)
    market = Market.open(catalog, request, Policy())
    points = Solver(market).front().points
    at = recommended(market, points)
    assert at is not None and reason(market, points)
    chosen, view = points[at], load_view(market)
    if chosen.found.row.plan.prefill is None:
        return
    for other in points:
        served = request.users is None or view.serves_at_low_end(other.case.gpu, other.found.row)
        assert other.found.row.plan.prefill or not served or not overlapping(chosen, other)
