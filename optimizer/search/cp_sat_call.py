"""One call of CP-SAT that the clock can stop: by its time, by Ctrl-C, or by another thread."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait

from constraints.cp_sat import cp_model
from optimizer.search.clock import Clock, Work

LOOK_S = 0.05
"""Seconds between two looks at the clock while CP-SAT runs."""


def solved(asked: cp_model.CpModel, settings: Mapping[str, int], clock: Clock) -> tuple[cp_model.CpSolver, int]:
    """The solver after its call, with its status. Raises TimeUp when the clock had stopped before.

    CP-SAT runs beside this thread, which goes on to handle signals: CP-SAT's own handler would take Ctrl-C to itself,
    and lose it where it comes as the call ends."""
    solver = cp_model.CpSolver()
    for name, setting in settings.items():
        setattr(solver.parameters, name, type(getattr(solver.parameters, name))(setting))  # an enum's own type
    solver.parameters.catch_sigint_signal = False
    solver.parameters.max_time_in_seconds = max(0.01, clock.left())
    if clock.effort is not None:
        solver.parameters.max_deterministic_time = max(0.001, clock.effort / Work.CP_SAT_SECOND.value)
    with ThreadPoolExecutor(1) as beside:
        call = beside.submit(solver.solve, asked)
        try:
            while not wait([call], LOOK_S).done:
                if clock.stopped:
                    solver.stop_search()
        finally:
            while not wait([call], LOOK_S).done:  # interrupted here: CP-SAT may not have begun to listen yet
                solver.stop_search()
    status = int(call.result())
    clock.spend(Work.CP_SAT_SECOND, solver.response_proto.deterministic_time)
    return solver, status
