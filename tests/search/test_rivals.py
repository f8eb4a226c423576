"""Rivals of benchmarks/rivals on small random catalogs: whatever they find is a build, and none beats the front."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.rivals import cp_sat, milp, ours
from benchmarks.rivals.task import Outcome, Run, Task, Value, score
from constraints.policy import Policy
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.search.front import Found
from optimizer.search.solver import Solver
from tests.support.random_catalogs import scenario

LIMIT_S = 100
SEEDS = (1, 4)
"""A server and one with liquid cooling; both have builds of one and of two nodes."""


def market_of(seed: int, max_nodes: int = 2) -> Market:
    catalog, request, _ = scenario(seed)
    asked = {"budget_cents": 6_000_000, "max_nodes": max_nodes, "cost_axis": "money", "throughput_tenths": None}
    return Market.open(catalog, request.model_copy(update=asked), Policy())


def proven(market: Market) -> list[Value]:
    front = Solver(market).front()
    assert front.complete
    return [(p.found.row.perf.tenths, p.found.cost) for p in front.points]


def judged(market: Market, task: Task, out: Outcome, true: list[Value]) -> list[Value]:
    """The outcome's values, each build judged anew."""
    rows = {(r.key, r.plan): r.perf.tenths for _, r in task.rows}
    for f in out.front():
        assert not [x for x in findings(market.case(f.build, f.row.plan, f.row.key)) if x.status == "fail"]
        assert f.cost == f.parts_cents == market.book.cost(f.build.total()) <= market.purse
        assert rows[f.row.key, f.row.plan] == f.row.perf.tenths
    assert score(out.front(), true).beaten == 0
    return [(f.row.perf.tenths, f.cost) for f in out.front()]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("rival", [cp_sat.front, milp.front])
def test_a_loop_that_ends_has_the_whole_front(seed: int, rival: Callable[..., Outcome]) -> None:
    market = market_of(seed)
    true, task = proven(market), Task.of(market)
    assert true
    out = rival(task, LIMIT_S)
    assert out.complete
    assert judged(market, task, out, true) == true


@pytest.mark.parametrize("seed", SEEDS)
def test_nsga_finds_builds_and_none_beats_the_front(seed: int) -> None:
    pytest.importorskip("pymoo")
    from benchmarks.rivals import genetic

    market = market_of(seed)
    true, task = proven(market), Task.of(market)
    out = genetic.front(task, 2)
    assert judged(market, task, out, true)
    assert not out.complete


def test_ours_reports_the_front_it_proved() -> None:
    market = market_of(SEEDS[0])
    out = ours.front(Task.of(market), LIMIT_S)
    assert out.complete and out.first_s is not None and out.first_s <= out.seconds_s
    assert [(f.row.perf.tenths, f.cost) for f in out.front()] == proven(market)


def test_what_a_rule_refuses_is_not_counted() -> None:
    market = market_of(SEEDS[0])
    run = Run(Task.of(market), "rival", LIMIT_S)
    found = Solver(market).front().points[0].found
    without = dict(list(found.build.node.items())[1:])
    for part in [x for x in found.build.node if market.catalog.parts[x].kind == "memory"]:
        without = {k: v for k, v in found.build.node.items() if k != part}
    assert not run.found(replace(found, build=replace(found.build, node=without)))
    assert run.found(found)
    assert (run.out.refused, [f for _, f in run.out.seen]) == (1, [found])


def _found(like: Found, tenths: int, cost: int) -> Found:
    return replace(like, cost=cost, row=replace(like.row, perf=replace(like.row.perf, tenths=tenths)))


@pytest.mark.parametrize(
    ("mine", "hit", "missed", "gap", "beaten"),
    [
        ([(10, 100), (20, 200)], 2, 0, 0.0, 0),
        ([(10, 100)], 1, 1, 0.0, 0),
        ([(20, 250)], 0, 0, 1.5, 0),
        ([(10, 99), (20, 200)], 1, 0, 0.0, 1),
        ([(21, 900)], 0, 0, 8.0, 1),
        ([(11, 199)], 0, 1, 0.99, 1),
        ([], 0, 2, None, 0),
    ],
)
def test_scores(mine: list[Value], hit: int, missed: int, gap: Any, beaten: int) -> None:
    like = Solver(market_of(SEEDS[0])).front().points[0].found
    s = score([_found(like, t, c) for t, c in mine], [(10, 100), (20, 200)])
    assert (s.hit, s.missed, s.beaten) == (hit, missed, beaten)
    assert s.gap == (None if gap is None else pytest.approx(gap))


def test_rivals_refuse_what_they_were_not_written_for() -> None:
    with pytest.raises(ValueError, match="budget"):
        Task.of(market_of(SEEDS[0]).asking(budget_cents=None))
