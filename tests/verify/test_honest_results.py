"""What `solve` answers is borne out by verify, whatever was asked; what verify does not make anew is said, and can't
hold what does not belong there."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from catalogs.load import Catalog
from constraints.request import Request
from optimizer.library import solve, verify_result
from optimizer.result.schema import Result
from optimizer.search.clock import Clock
from optimizer.verify.consistent import consistent
from tests.support.long import one_in
from tests.support.random_catalogs import scenario
from tests.verify.test_verify import SEED

Data = dict[str, Any]
ASKED: dict[str, Data] = {
    "a budget": {},
    "tokens a day": {"tokens_per_day": 1e6},
    "requests a second": {"requests_per_second": 0.01},
    "a load that nothing serves": {"tokens_per_day": 1e14},
    "users": {"users": 2},
    "power": {"cost_axis": "power"},
    "rack units": {"cost_axis": "rack-units"},
    "days of delivery": {"cost_axis": "lead-time"},
    "power without a budget": {"cost_axis": "power", "budget_cents": None},
    "too small a budget": {"budget_cents": 100},
    "too small a budget, power": {"budget_cents": 100, "cost_axis": "power"},
    "no build at any price": {"budget_cents": None, "throughput_tenths": 10**11},
    "a part in hand that none needs": {"own": [{"part": "rack0", "qty": 3}]},
}


@cache
def scene() -> tuple[Catalog, Request]:
    catalog, request, _ = scenario(SEED)
    return catalog, request


@cache
def answer(name: str) -> Result:
    catalog, request = scene()
    return solve(Request.model_validate({**request.model_dump(mode="json"), **ASKED[name]}), catalog=catalog)


@pytest.mark.parametrize("name", one_in(3, ASKED))
def test_borne_out(name: str) -> None:
    found = verify_result(answer(name), catalog=scene()[0])
    assert [str(w) for w in found.wrong] == []
    proven = verify_result(answer(name), catalog=scene()[0], prove=True)
    assert [str(w) for w in proven.wrong] == [] and (proven.unchecked == []) == (answer(name).explanation is None)


class Stopping(Clock):
    """Ends when a proof begins."""

    def tick(self, step: str, done: int, of: int) -> None:
        if step == "proof" and done:
            self.stop()
        super().tick(step, done, of)


@pytest.mark.parametrize("asked", [{}, {"cost_axis": "power"}, {"tokens_per_day": 1e6}])
def test_borne_out_as_far_as_time_went(asked: Data) -> None:
    catalog, request = scene()
    stopped = solve(
        Request.model_validate({**request.model_dump(mode="json"), **asked}), catalog=catalog, clock=Stopping()
    )
    assert stopped.proof.status == "feasible"
    found = verify_result(stopped, catalog=catalog)
    assert [str(w) for w in found.wrong] == [] and "proof was stopped" in found.verdict


def beside(code: str) -> Callable[[Data], None]:
    def change(d: Data) -> None:
        d["messages"].append({"code": code, "severity": "note", "text": "Certified by nobody."})

    return change


def explained(d: Data) -> None:
    d["explanation"] = copy.deepcopy(answer("too small a budget").model_dump(mode="json")["explanation"])


def other_family(d: Data) -> None:
    d["proof"]["families"]["each"][0]["gpu"] = "gpu-of-none"


def other_number(d: Data) -> None:
    d["proof"]["families"]["each"][-1]["per_node"] += 50


def fewer_families(d: Data) -> None:
    families = d["proof"]["families"]
    gone = families["each"].pop()
    if gone["closed_by"] != "no_build":
        families[f"closed_by_{gone['closed_by']}"] -= 1


def no_families(d: Data) -> None:
    d["proof"]["families"] = {"closed_by_bound": 0, "closed_by_cp_sat": 0, "each": []}


def more_closed(d: Data) -> None:
    d["proof"]["families"]["closed_by_bound"] += 1


FAMILIES = (other_family, other_number, fewer_families, no_families, more_closed)


@pytest.mark.parametrize("name", ["a budget", "power", "rack units", "too small a budget, power"])
@pytest.mark.parametrize("change", FAMILIES)
def test_families_of_every_axis(name: str, change: Callable[[Data], None]) -> None:
    data = answer(name).model_dump(mode="json")
    change(data)
    found = verify_result(Result.model_validate(data), catalog=scene()[0])
    assert any(w.where.startswith("proof.families") for w in found.wrong)


@pytest.mark.parametrize("name, change", [
    ("a budget", explained),
    ("a budget", beside("lower-precision-note")),
    ("a budget", beside("not-explained")),
    ("a budget", beside("not-proven")),
    ("tokens a day", beside("load")),
    ("too small a budget", beside("single-card")),
    ("too small a budget", beside("lower-precision")),
])  # fmt: skip
def test_nothing_is_said_where_nothing_belongs(name: str, change: Callable[[Data], None]) -> None:
    data = answer(name).model_dump(mode="json")
    change(data)
    assert not verify_result(Result.model_validate(data), catalog=scene()[0]).ok


def test_what_a_solver_says_is_made_anew_by_a_proof() -> None:
    data = answer("a budget").model_dump(mode="json")
    message = next(m for m in data["messages"] if m["code"] == "lower-precision")
    message["text"] = "Certified by nobody."
    assert not verify_result(Result.model_validate(data), catalog=scene()[0]).ok  # its key says something else
    message |= {"key": message["text"], "values": {}}
    stored = Result.model_validate(data)
    found = verify_result(stored, catalog=scene()[0])
    assert found.ok and any("lower precisions" in x for x in found.unchecked) and "Not checked" in found.verdict
    assert not verify_result(stored, catalog=scene()[0], prove=True).ok


def test_a_result_saved_before_messages_had_keys_is_consistent() -> None:
    data = answer("a budget").model_dump(mode="json")
    for message in data["messages"]:
        message |= {"key": "", "values": {}}
    assert verify_result(Result.model_validate(data), catalog=scene()[0], prove=True).ok
    data["messages"][0]["text"] += " And more."
    assert not verify_result(Result.model_validate(data), catalog=scene()[0]).ok


def test_a_result_from_before_prices_had_states_is_told_in_one_sentence() -> None:
    catalog, _ = scene()
    data = answer("a budget").model_dump(mode="json")
    for point in data["front"]:
        del point["cost"]["shares"]
    report, read = consistent(copy.deepcopy(data), catalog)
    assert read is None and [wrong.where for wrong in report.wrong] == ["front"]
    assert "before 0.3.0" in str(report.wrong[0])
    # One point alone without its shares is no older result: what it lacks is named.
    whole = answer("a budget").model_dump(mode="json")
    assert len(whole["front"]) > 1
    del whole["front"][0]["cost"]["shares"]
    report, _ = consistent(whole, catalog)
    assert "front[0].cost.shares" in [wrong.where for wrong in report.wrong]
