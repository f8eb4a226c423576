"""dsopt as a library: silent, frozen, the same from many threads at once; what solve gives, explain and check take."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from catalogs.errors import CheckFailed, InputError
from catalogs.schema import Kind
from constraints.case import Build
from constraints.request import Request, Spare
from optimizer import library
from optimizer.clock import Clock, TimeUp
from optimizer.explanation.schema import NoBuild
from optimizer.library import check, explain, mend, shipped_catalog, size, solve
from optimizer.schema import Result
from tests.conftest import AS_OF

LARGE, SMALL = "nvidia-rtx-pro-5000-blackwell-48gb", "nvidia-rtx-a6000-48gb"
SPARE = Spare(category=Kind.DRIVE, pieces=1, per=20)
ASKED: list[dict[str, Any]] = [
    {"model": "r1-distill-llama-70b", "gpus": LARGE, "budget_cents": 60_000_00, "users": 8},
    {"model": "r1-distill-qwen-14b", "gpus": SMALL, "budget_cents": 30_000_00, "currency": "EUR"},
    {"model": "v2-lite", "gpus": SMALL, "budget_cents": 20_000_00, "spares": [SPARE]},
    {"model": "r1-distill-llama-70b", "gpus": LARGE, "budget_cents": 9_000_00, "max_nodes": 1, "max_power_w": 2000},
]  # fmt: skip
REQUESTS = [Request(as_of=AS_OF, **{**x, "gpus": frozenset({x["gpus"]})}) for x in ASKED]


def facts(result: Result) -> dict[str, Any]:
    """A result without what depends on the clock."""
    data = result.model_dump(mode="json")
    data["proof"].pop("seconds")
    return data


@pytest.fixture(scope="module")
def alone() -> list[Result]:
    """Each request solved by itself."""
    return [solve(r) for r in REQUESTS]


def test_threads_answer_as_one_does_and_print_nothing(alone: list[Result], capfd: pytest.CaptureFixture[str]) -> None:
    asked = [r for _ in range(2) for r in REQUESTS]
    with ThreadPoolExecutor(len(asked)) as pool:
        solved = list(pool.map(solve, asked))
        told = list(pool.map(explain, alone[1:3]))
    assert [facts(x) for x in solved] == [facts(x) for x in alone] * 2
    assert told == [explain(x) for x in alone[1:3]]
    assert capfd.readouterr() == ("", "")
    assert [x.proof.status for x in alone] == ["optimal", "optimal", "optimal", "infeasible"]


def test_a_result_comes_back_from_its_json_and_is_explained(alone: list[Result]) -> None:
    for result in alone:
        again = Result.model_validate(json.loads(result.model_dump_json()))
        assert again == result
    for again in alone[2:]:
        assert type(explain(again)).__name__ == ("PointExplained" if again.front else "NoBuild")


def test_a_changed_result_is_not_explained(alone: list[Result]) -> None:
    p = alone[0].front[0]
    wrong = p.model_copy(update={"cost": p.cost.model_copy(update={"total": "1.00"})})
    with pytest.raises(CheckFailed):
        explain(alone[0].model_copy(update={"front": [wrong, *alone[0].front[1:]]}))
    with pytest.raises(InputError, match="no-point"):
        explain(alone[0], "p99")
    with pytest.raises(TimeUp):
        explain(alone[0], time_limit_s=0)


def test_answers_are_frozen(alone: list[Result]) -> None:
    answers: list[BaseModel] = [
        alone[0], alone[0].front[0], alone[0].front[0].cost, alone[0].proof, explain(alone[2]),
        size(REQUESTS[0], [("h200", 8, 1)]), REQUESTS[0],
    ]  # fmt: skip
    for x in answers:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(x, next(iter(type(x).model_fields)), "other")


def test_another_thread_may_stop_the_clock() -> None:
    clock = Clock()
    clock.stop()
    stopped = solve(REQUESTS[0], clock=clock)
    assert (stopped.proof.status, stopped.proof.complete) == ("feasible", False)


def test_time_up_between_proof_and_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, real = Clock(), library.solved

    def stopping(*args: Any) -> Any:
        answer = real(*args)
        clock.stop()
        return answer

    monkeypatch.setattr(library, "solved", stopping)
    result = solve(REQUESTS[3], clock=clock)
    assert (result.proof.status, result.explanation) == ("infeasible", None)
    assert "not-explained" in {m.code for m in result.messages}
    assert isinstance(explain(result), NoBuild)


def test_check_of_a_front_point_finds_what_solve_found(alone: list[Result]) -> None:
    p = alone[0].front[0]
    node = p.nodes[0]
    build = Build(node.count, {x.part: x.qty for x in node.parts}, {x.part: x.qty for x in p.shared})
    found = check(build, REQUESTS[0])
    assert found.ok and found.checks == p.checks and found.gpus == p.gpus.total and found.node_w == p.power.node_w
    for nodes, parts, code in (
        (1, {"no-such-part": 1}, "unknown-part"), (1, {SMALL: 1}, "no-platform"), (0, build.node, "bad-quantity"),
        (1, {SMALL: -1}, "bad-quantity"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=code):
            check(Build(nodes, parts, {}), REQUESTS[0])
        with pytest.raises(InputError, match=code):
            mend(Build(nodes, parts, {}), REQUESTS[0])


def test_size_takes_names_and_refuses_what_is_no_gpu() -> None:
    two = size(REQUESTS[0], [("H200 SXM5", 8, 1), ("nvidia-rtx-a6000-48gb", 1, 1)])
    assert [(s.gpus, s.fits) for s in two.setups] == [(8, True), (1, False)]
    cpu = next(iter(shipped_catalog().of(Kind.CPU))).id
    for gpus, code in (([(cpu, 1, 1)], "unknown-part"), ([("h200", 0, 1)], "bad-count")):
        with pytest.raises(InputError, match=code):
            size(REQUESTS[0], gpus)
