"""A time limit and Ctrl-C end a solve with the best checked front so far, never with a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pytest

from catalogs.load import load
from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.request import texts, typed_request
from optimizer.result.answer import solve
from optimizer.search.clock import Clock, TimeUp, interruptible
from optimizer.search.solver import Solver
from tests.support.long import one_in

JOB = ("solve", "--budget", "300000", "--model", "v2-670b", "--as-of", "2026-11-24", "--json")
INTERRUPT = """
import os, signal, sys
from optimizer.search.clock import Clock
tick, ticks = Clock.tick, []
def counting(self, phase, done, total):
    ticks.append(phase)
    if ticks.count({phase!r}) == {count}:
        os.kill(os.getpid(), signal.SIGINT)
    return tick(self, phase, done, total)
Clock.tick = counting
from optimizer.cli import main
main()
"""


def run(code: str, *args: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, cwd=root, check=False)


@pytest.mark.parametrize(("phase", "count"), one_in(2, [("search", 40), ("plans", 2), ("proof", 60)]))
def test_ctrl_c_returns_the_front_so_far(phase: str, count: int) -> None:
    done = run(INTERRUPT.format(phase=phase, count=count), *JOB)
    assert done.returncode == 6, done.stderr
    data = json.loads(done.stdout)
    assert data["proof"]["status"] == "feasible"
    assert not data["proof"]["complete"]
    assert any(m["code"] == "not-proven" and "families may still hold" in m["text"] for m in data["messages"])
    assert bool(data["front"]) == (phase != "plans")
    assert all(c["status"] != "fail" for p in data["front"] for c in p["checks"])


def test_ctrl_c_after_the_proof_ends_the_remarks_alone() -> None:
    done = run(INTERRUPT.format(phase="plans", count=3), *JOB)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["proof"]["complete"] and data["front"]
    assert not {"grade", "lower-precision"} & {said["code"] for said in data["messages"]}


def test_tiny_time_limit() -> None:
    done = run("from optimizer.cli import main; main()", *JOB, "--time-limit", "0.05")
    assert done.returncode == 6, done.stderr
    assert json.loads(done.stdout)["proof"]["status"] == "feasible"


def _request(budget_cents: int = 30_000_000) -> object:
    return typed_request.request(
        model="v2-670b", as_of=date(2026, 11, 24), budget_cents=budget_cents, **texts.lengths("chat", None, None)
    )


def test_a_stopped_front_lies_within_the_bound_it_states() -> None:
    """What the whole front holds beyond the stopped one costs at least what the stopped one says."""
    catalog, request, policy = load(), _request(), Policy()
    whole = solve(catalog, request, policy).front  # type: ignore[arg-type]
    stopped = Clock()

    def tell(phase: str, done: int, total: int) -> None:
        if phase == "search" and done == 5:
            stopped.stop()

    stopped._tell = tell
    part = Solver(Market.open(catalog, request, policy), clock=stopped).front()  # type: ignore[arg-type]
    assert not part.complete
    assert part.open > 0
    have = {(p.found.parts_cents, p.found.row.perf.tenths) for p in part.points}
    missing = [p.found.parts_cents for p in whole.points if (p.found.parts_cents, p.found.row.perf.tenths) not in have]
    assert missing
    assert min(missing) >= part.least_missing_cents > 0


def test_clock() -> None:
    assert Clock().left() == 1e6
    with pytest.raises(TimeUp):
        Clock(0.0).left()
    clock = Clock()
    with interruptible(clock):
        import os
        import signal

        os.kill(os.getpid(), signal.SIGINT)
    assert clock.stopped
    with pytest.raises(TimeUp):
        clock.left()


def test_interruptible_beside_the_main_thread() -> None:
    """Signals belong to the main thread; elsewhere the solve just runs."""
    seen: list[float] = []

    def work() -> None:
        with interruptible(clock := Clock()):
            seen.append(clock.left())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [1e6]
