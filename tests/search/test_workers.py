"""The same result for any number of CP-SAT's workers and any hash seed, and a stop that no CP-SAT call swallows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest
from ortools.sat.python import cp_model

from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.search.certificate import FamilyProof
from optimizer.search.clock import Clock, TimeUp, interruptible
from optimizer.search.cp_sat_call import solved
from optimizer.search.solver import Solver
from tests.support.long import sampled
from tests.support.random_procurement import procurement_scenario

RESULTS = """
import json
from constraints.policy import Policy
from optimizer.search.clock import Clock
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from optimizer.result.contract import result
from tests.support.random_catalogs import scenario
from tests.support.random_procurement import procurement_scenario

for clever, (catalog, request, _) in ((True, procurement_scenario(7, "estimated", "money")), (False, scenario(3))):
    for workers in (1, 2, 8):
        market = Market.open(catalog, request, Policy())
        data = result(market, Solver(market, clock=Clock(workers=workers), clever=clever).front(), {})
        assert data["front"] and data["proof"]["families"]["closed_by_cp_sat"]
        print(json.dumps(data))
"""


def test_same_bytes_for_any_workers_and_hash_seed() -> None:
    """CP-SAT finds points of both fronts; in the second nothing is searched and it finds them all."""
    texts: list[str] = []
    for seed in sampled(2, ("0", "1", "2")):
        done = subprocess.run(
            [sys.executable, "-c", RESULTS], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
            check=True, timeout=120,
        )  # fmt: skip
        texts.append(done.stdout)
    lines = texts[0].splitlines()
    assert len(set(lines[:3])) == len(set(lines[3:])) == 1
    assert len(set(texts)) == 1


def test_settled_build_does_not_depend_on_what_was_found() -> None:
    """Of tied builds the same one comes back, whichever of them a run with several workers found."""
    catalog, request, _ = procurement_scenario(1, "share", "money")
    solver = Solver(Market.open(catalog, request, Policy()), clever=False)
    points = solver.front().points
    assert points
    for point in points:
        key = point.found.row.key
        unit = next(u for u in solver.families if u.gpu.id == key.gpu and u.per_node == key.per_node)
        family = FamilyProof(solver.market, unit.gpu, unit.per_node, unit.rows, solver.candidates(unit))
        assert family.settled(point.found, Clock(workers=8)) == point.found


def within(seconds: float, action: Any) -> threading.Timer:
    timer = threading.Timer(seconds, action)
    timer.start()
    return timer


@pytest.mark.parametrize("how", ["signal", "thread"])
def test_stop_reaches_a_running_call(how: str) -> None:
    """Ctrl-C, or another thread's stop, ends CP-SAT, which has all the time in the world."""
    m = cp_model.CpModel()
    x = [m.new_int_var(0, 10**6, "") for _ in range(40)]
    m.add(sum((2 * i + 10**6) * v for i, v in enumerate(x)) == 10**9 + 1)  # odd: no solution, and no quick proof
    with interruptible(clock := Clock()):  # no limit of its own: nothing but the stop ends it
        stop = (lambda: os.kill(os.getpid(), signal.SIGINT)) if how == "signal" else clock.stop
        timer = within(0.5, stop)
        _, status = solved(m, {"num_workers": 1, "cp_model_presolve": False}, clock)
        timer.join()
    assert clock.stopped
    assert status == cp_model.UNKNOWN


def test_stop_as_a_call_ends_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the very moment that CP-SAT answers INFEASIBLE: the next look at the clock ends the solve."""
    solve = cp_model.CpSolver.solve

    def interrupted(self: cp_model.CpSolver, model: cp_model.CpModel) -> Any:
        assert not self.parameters.catch_sigint_signal
        status = solve(self, model)
        os.kill(os.getpid(), signal.SIGINT)
        return status

    monkeypatch.setattr(cp_model.CpSolver, "solve", interrupted)
    m = cp_model.CpModel()
    m.add_bool_or([])
    with interruptible(clock := Clock()):
        _, status = solved(m, {}, clock)
        assert status == cp_model.INFEASIBLE
        with pytest.raises(TimeUp):
            clock.left()
