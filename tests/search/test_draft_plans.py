"""A module for several tokens that is loaded: the front against brute force, what it costs, and what verify says."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from catalogs import registry
from catalogs.errors import InputError
from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.policy import Policy
from constraints.request import Request
from constraints.rules.software import served
from optimizer import library
from optimizer.market.asked import speculation_fault
from optimizer.market.market import Market
from optimizer.result.answer import solve
from optimizer.search.front import Front
from optimizer.search.solver import Solver
from optimizer.verify.consistent import consistent
from tests.conftest import AS_OF
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.random_catalogs import speculating_scenario

WITH_FRONTS = (0, 1, 3, 6, 8, 9, 12, 18, 19, 23)
"""Seeds whose front the module changes."""


def market_of(seed: int, monkeypatch: pytest.MonkeyPatch, speculate: str | None = "mtp") -> Market:
    catalog, request, ask = speculating_scenario(seed)
    monkeypatch.setitem(registry._of_this_run, ask.model.id, ask.model)
    return Market.open(catalog, request.model_copy(update={"speculate": speculate}), Policy())


def values(front: Front) -> list[tuple[int, int]]:
    return [(p.found.parts_cents, p.found.row.perf.tenths) for p in front.points]


@pytest.mark.parametrize("seed", [*one_in(3, WITH_FRONTS), *one_in(11, [s for s in range(24) if s not in WITH_FRONTS])])
def test_front_equals_brute_force(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    front = Solver(market_of(seed, monkeypatch)).front()
    catalog, request, ask = speculating_scenario(seed)
    assert front.complete
    assert values(front) == Oracle(catalog, ask, request.max_nodes).front()
    if seed in WITH_FRONTS:
        assert values(front) != values(Solver(market_of(seed, monkeypatch, None)).front())


@pytest.mark.parametrize(("seed", "drafted", "percent"), [(0, 2, 0), (3, 1, 0), (9, 3, 60), (8, 5, 100), (12, 0, 35)])
def test_front_with_counted_tokens_and_cached_prompts_equals_brute_force(
    seed: int, drafted: int, percent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Speed counts proposed tokens that are accepted, and leaves cached tokens of prompts out."""
    catalog, request, ask = speculating_scenario(seed)
    monkeypatch.setitem(registry._of_this_run, ask.model.id, ask.model)
    fields = {"speculate": f"mtp{drafted or ''}", "cached_share_percent": percent}
    market = Market.open(catalog, request.model_copy(update=fields), Policy())
    cached = min(ask.isl * percent // 100, ask.isl - 1)
    front = Solver(market).front()
    assert front.complete and front.points
    assert values(front) == Oracle(catalog, replace(ask, drafted=drafted, cached=cached), request.max_nodes).front()
    assert values(front) != values(Solver(market_of(seed, monkeypatch)).front())


def test_cp_sat_alone_finds_the_same_front(monkeypatch: pytest.MonkeyPatch) -> None:
    market = market_of(0, monkeypatch)
    assert values(Solver(market).front()) == values(Solver(market, clever=False).front())


@pytest.mark.parametrize(("asked", "changed"), [("mtp", None), (None, "mtp")])
def test_verify_names_a_result_that_was_asked_for_otherwise(
    asked: str | None, changed: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, request, ask = speculating_scenario(0)
    monkeypatch.setitem(registry._of_this_run, ask.model.id, ask.model)
    data = json.loads(json.dumps(solve(catalog, request.model_copy(update={"speculate": asked}), Policy()).data))
    assert consistent(data, catalog)[0].wrong == []
    data["request"]["speculate"] = changed
    places = [wrong.where for wrong in consistent(data, catalog)[0].wrong]
    assert any(place.startswith("front[0].plan.weights_gb") for place in places)


def asked(**fields: object) -> Request:
    return Request.model_validate({"as_of": AS_OF, "budget_cents": 30_000_000, **fields})


def test_a_model_without_a_module_is_refused(shipped: Catalog) -> None:
    with pytest.raises(InputError, match="no-draft-module"):
        Market.open(shipped, asked(model="qwen3-8b", speculate="mtp"), Policy())
    for more in ({"offload": True}, {"workload": "train"}, {"speculate": "mtp6"}, {"speculate": "eagle"}):
        with pytest.raises(ValueError, match=r"speculate|mtp"):
            asked(**{"model": "r1-671b", "speculate": "mtp", **more})
    with pytest.raises(InputError, match="unknown-acceptance"):
        Market.open(shipped, asked(model="v4-flash-0731", speculate="mtp2"), Policy())


def test_a_number_of_proposed_tokens_asks_for_an_engine_that_proposes_them(shipped: Catalog) -> None:
    """Hygon's branches of vLLM and SGLang are not known to, though they load the module."""
    for gpu, serves in (("H200 SXM5 141GB", True), ("Hygon BW1100 144GB", False)):
        card = shipped.find(gpu)
        assert isinstance(card, Gpu)
        for number, serving in (("mtp", True), ("mtp2", serves)):
            ask = asked(model="r1-671b", speculate=number, allow_experimental=True)
            assert served(get("r1-671b").drafting, card, "fp8", ask) == serving


def test_the_number_of_proposed_tokens_is_said_and_started(shipped: Catalog) -> None:
    request = asked(model="r1-671b", budget_cents=60_000_000, speculate="mtp3", cached_share_percent=25)
    result = library.solve(request, catalog=shipped)
    said = {m.code: m.text for m in result.messages}
    assert "counts 3 proposed per step" in said["speculate"] and "1,024 tokens of a prompt 256" in said["prefix-cache"]
    assert result.front
    for point in result.front:
        assert re.search(r"num_speculative_tokens\D+3|num-steps 3|nextn_predict_layers: 3", " ".join(point.plan.launch))


def test_what_is_loaded_is_said_and_started(shipped: Catalog) -> None:
    result = library.solve(asked(model="v4-flash-0731", speculate="mtp"), catalog=shipped)
    said = [m.text for m in result.messages if m.code == "speculate"]
    assert len(said) == 1 and "DSpark" in said[0] and "10.86 GB" in said[0]
    for point in result.front:
        words = " ".join(point.plan.launch)
        assert '"method": "dspark"' in words or "--speculative-algorithm DSPARK" in words
    plain = library.solve(asked(model="v4-flash-0731"), catalog=shipped)
    assert not [m for m in plain.messages if m.code == "speculate"]
    assert "specul" not in " ".join(" ".join(p.plan.launch) for p in plain.front)
    assert get("v4-flash-0731").draft_bytes("fp4-mix") == 10_862_838_300


def test_no_build_with_speculation_is_explained(shipped: Catalog) -> None:
    """Smaller models that cannot speculate as asked are no way out; to leave speculation out is one where it helps."""
    card = shipped.find("Hygon BW1100 144GB")
    request = asked(model="glm-4.7", speculate="mtp2", gpus=frozenset({card.id}), conditions=frozenset({"new", "used"}))
    result = library.solve(request, catalog=shipped)
    assert result.proof.status == "infeasible" and not result.front
    wanted = asked(model="r1-distill-qwen-14b")
    assert speculation_fault(get("v3.2"), request) is None and speculation_fault(get("v4-flash-0731"), request)
    assert speculation_fault(get("r1-distill-qwen-14b"), request) and not speculation_fault(get("qwen3-8b"), wanted)
