"""dsopt as a library: silent, frozen, the same from many threads at once; what solve gives, explain and check take."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from catalogs.errors import CheckFailed, InputError
from catalogs.schema import Kind
from constraints.build import Build
from constraints.physics.offload import HostSpec
from constraints.request import Owned, Request, Spare
from optimizer.library import (
    answer_rows,
    best_builds,
    changes,
    check,
    explain,
    mend,
    open_result,
    price_risk,
    read_calibration,
    shipped_catalog,
    size,
    size_models,
    solve,
    solving,
    validate_request,
    vary,
    verify_result,
    why_not,
)
from optimizer.request.command import Typed
from optimizer.result.explanation_schema import NoBuild
from optimizer.result.schema import Result
from optimizer.search.clock import Clock, TimeUp
from tests.conftest import AS_OF
from tests.support.long import sampled, wanted

LARGE, SMALL = "nvidia-rtx-pro-5000-blackwell-48gb", "nvidia-rtx-a6000-48gb"
SPARE = Spare(category=Kind.DRIVE, pieces=1, per=20)
ASKED: list[dict[str, Any]] = [
    {"model": "r1-distill-llama-70b", "gpus": LARGE, "budget_cents": 60_000_00, "users": 8},
    {"model": "r1-distill-qwen-14b", "gpus": SMALL, "budget_cents": 30_000_00, "currency": "EUR"},
    {"model": "v2-lite", "gpus": SMALL, "budget_cents": 20_000_00, "spares": [SPARE]},
    {"model": "r1-distill-qwen-1.5b", "gpus": SMALL, "budget_cents": 2_000_00, "max_nodes": 1, "max_power_w": 2000},
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


@pytest.fixture(scope="module")
def told(alone: list[Result]) -> Any:
    """The third of them explained."""
    return explain(alone[2])


@pytest.mark.parametrize(
    "wrong",
    [
        {"vendors": frozenset({"Nvidai"})}, {"origins": frozenset({"XX"})}, {"model": "v9"},
        {"own": (Owned(part="no-such-part", qty=1),)},
    ],
)  # fmt: skip
def test_a_request_is_refused_before_anything_is_solved_as_solve_refuses_it(wrong: dict[str, Any]) -> None:
    asked = REQUESTS[0].model_copy(update=wrong)
    with pytest.raises(InputError) as early:
        validate_request(asked)
    with pytest.raises(InputError) as late:
        solve(asked)
    assert str(early.value) == str(late.value)


def test_a_request_that_makes_sense_passes() -> None:
    for asked in REQUESTS:
        validate_request(asked)


def test_threads_answer_as_one_does_and_print_nothing(
    alone: list[Result], told: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    times, explained = (2, alone[1:3]) if wanted() else (1, alone[2:3])
    before = {id(alone[2]): told}
    asked = REQUESTS * times
    with ThreadPoolExecutor(len(asked)) as pool:
        solved = list(pool.map(solve, asked))
        found = list(pool.map(explain, explained))
    assert [facts(x) for x in solved] == [facts(x) for x in alone] * times
    assert found == [before.get(id(x)) or explain(x) for x in explained]
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


def test_answers_are_frozen(alone: list[Result], told: Any) -> None:
    answers: list[BaseModel] = [
        alone[0], alone[0].front[0], alone[0].front[0].cost, alone[0].proof, told,
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
    clock, real = Clock(), solving.solved

    def stopping(*args: Any) -> Any:
        answer = real(*args)
        clock.stop()
        return answer

    monkeypatch.setattr(solving, "solved", stopping)
    result = solve(REQUESTS[3], clock=clock)
    assert result.proof.status == "infeasible" and result.explanation is not None
    assert "not-explained" in {m.code for m in result.messages}
    known = result.explanation
    assert (known.minimal, known.verified, known.complete, known.ways_out) == (False, False, False, [])
    assert {c.key for c in known.conflict if c.asked}, "that the conditions asked for clash is known by then"
    assert isinstance(explain(result), NoBuild)


def test_check_of_a_front_point_finds_what_solve_found(alone: list[Result]) -> None:
    p = alone[0].front[0]
    node = p.nodes[0]
    build = Build(node.count, {x.part: x.qty for x in node.parts}, {x.part: x.qty for x in p.shared})
    # What is given is judged by the floor where no grade is named; what was solved is of grade common.
    found = check(build, REQUESTS[0].model_copy(update={"grade": "common"}))
    assert found.ok and found.checks == p.checks and found.gpus == p.gpus.total and found.node_w == p.power.node_w
    for nodes, parts, code in (
        (1, {"no-such-part": 1}, "unknown-part"), (1, {SMALL: 1}, "no-platform"), (0, build.node, "bad-quantity"),
        (1, {SMALL: -1}, "bad-quantity"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=code):
            check(Build(nodes, parts, {}), REQUESTS[0])
        with pytest.raises(InputError, match=code):
            mend(Build(nodes, parts, {}), REQUESTS[0])


def test_questions_take_a_result_its_file_or_an_open_one(alone: list[Result], told: Any, tmp_path: Path) -> None:
    result, part = alone[2], next(iter(shipped_catalog().of(Kind.DRIVE))).id
    file = tmp_path / "r.json"
    file.write_text(result.model_dump_json())
    opened = open_result(file)
    assert open_result(opened) is opened
    assert explain(file) == told
    for ask in sampled(3, (lambda x: price_risk(x, 1).low, explain, lambda x: why_not(x, part))):
        assert ask(file) == ask(opened) == ask(result)
    kept = vary(opened, "gpu=+1%", "recommended").model_dump(exclude={"seconds"})
    assert kept == vary(result, "gpu=+1%").model_dump(exclude={"seconds"})
    assert verify_result(file).ok and verify_result(result).points == len(result.front)
    with pytest.raises(InputError, match="unknown-engine"):
        verify_result(file, engine="other")  # type: ignore[arg-type]


def test_every_question_ends_with_its_clock(alone: list[Result]) -> None:
    opened = open_result(alone[0])
    clock = Clock()
    clock.stop()
    asked: list[Callable[..., Any]] = [
        explain, lambda x, **k: why_not(x, "1x H100 PCIe", **k), lambda x, **k: price_risk(x, **k)
    ]  # fmt: skip
    for ask in asked:
        for limits in ({"clock": clock}, {"time_limit_s": 0}):
            with pytest.raises(TimeUp):
                ask(opened, **limits)
    assert not vary(opened, "gpu=±20%", clock=clock).complete
    assert not vary(opened, "gpu=±20%", time_limit_s=0).complete
    none = explain(alone[3], clock=clock)  # that its conditions clash is proven by the result itself
    assert isinstance(none, NoBuild) and none.conflict and not (none.minimal or none.verified or none.complete)


def test_what_changed_between_two_results_at_hand(alone: list[Result], tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text(alone[0].model_dump_json())
    assert {x.code for x in changes(file, alone[0]).reasons} == {"same-build"}
    told = changes(alone[0], alone[2])
    assert "request-changed" in {x.code for x in told.reasons} and told.after.source == "after"


def test_no_build_is_told_as_it_becomes_known(alone: list[Result]) -> None:
    told: list[Any] = []
    typed = Typed(rest=("--catalog", "mine"))
    found = explain(alone[3], typed=typed, tell=told.append)
    assert isinstance(found, NoBuild)
    assert told[0] == found.conflict and {x.command for x in told[1:]} >= {x.command for x in found.ways_out}
    assert all(x.command.endswith("--catalog mine") for x in found.ways_out)


def test_the_best_build_of_each_model() -> None:
    request = REQUESTS[2].model_copy(update={"budget_cents": 4_000_00, "max_nodes": 1, "spares": ()})
    told: list[Any] = []
    clock = Clock()

    def tell(one: Any) -> None:
        told.append(one)
        if len(told) == 2:
            clock.stop()

    found = best_builds(request, clock=clock, tell=tell)
    assert not found.complete and found.models == told and len(told) == 2
    assert [x.params_total for x in told] == sorted((x.params_total for x in told), reverse=True)


def test_size_on_a_host_and_of_all_models() -> None:
    request = Request(model="v3-671b", as_of=AS_OF, offload=True, allow_experimental=True, min_tok_s_user=1)
    spec = HostSpec("Genoa", 1, 96, 12, 4800, 768)
    hosted = size(request, [("RTX 4090", 1, 1)], host=spec).setups[0]
    assert hosted.fits and hosted.details["experts"] == "host"
    assert not size(request, [("RTX 4090", 1, 1)]).setups[0].fits
    every = size_models(request, ("H200 SXM5", 8, 1))
    same = next(m for m in every.models if m.model.id == "v3-671b" or "v3-671b" in m.same)
    alone = size(request, [("H200 SXM5", 8, 1)]).setups[0]
    assert same.size.output_tok_s == alone.output_tok_s and len(every.models) > 5
    with pytest.raises(InputError, match="unknown-engine"):
        size(request, [("H200 SXM5", 8, 1)], second_opinion="oracle")


def test_own_measurements_speak_for_themselves(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("model,precision,gpu,n_gpus,tp,isl,osl,concurrency,output_tok_s\n"
                    "v3-671b,fp8,H200,8,8,1024,1024,64,5000\n")  # fmt: skip
    by = read_calibration(measured=mine)
    request = Request(model="v3-671b", as_of=AS_OF)
    assert "mine.csv: 1 of 1 rows used" in by.notes[0]
    assert size(request, [("H200 SXM5", 8, 1)], calibration=by).messages[:1] == list(by.notes)
    rows = tmp_path / "rows.csv"
    rows.write_text("model,gpu,n_gpus,tp,isl,osl,concurrency\nv3-671b,H200,8,8,1024,1024,64\nnone,H200,8,8,1,1,1\n")
    found = answer_rows(rows, calibration=by)
    assert (found.rows, found.errors) == (2, 1) and "5000.00" in found.csv


def test_size_takes_names_and_refuses_what_is_no_gpu() -> None:
    two = size(REQUESTS[0], [("H200 SXM5", 8, 1), ("nvidia-rtx-a6000-48gb", 1, 1)])
    assert [(s.gpus, s.fits) for s in two.setups] == [(8, True), (1, False)]
    cpu = next(iter(shipped_catalog().of(Kind.CPU))).id
    for gpus, code in (([(cpu, 1, 1)], "unknown-part"), ([("h200", 0, 1)], "bad-count")):
        with pytest.raises(InputError, match=code):
            size(REQUESTS[0], gpus)
