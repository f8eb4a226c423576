"""What each kind of work takes, for optimizer/search/clock.py: `python -m benchmarks.latency.effort`.

Asks for the reasons of requests without a build (without_a_build.txt beside this file), counts the work of each
question and fits its CPU seconds by non-negative least squares. Prints a line per kind: what the clock says, what was
measured.
"""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls
from typer.testing import CliRunner

from optimizer.cli.app import app_for
from optimizer.explanation.questions import Asking
from optimizer.search.clock import Clock, Work

REQUESTS = Path(__file__).with_name("without_a_build.txt")


def main() -> None:
    """Measures and prints."""
    done = dict.fromkeys(Work, 0.0)
    questions: list[tuple[list[float], float]] = []
    spend, cheapest = Clock.spend, Asking.cheapest

    def counted(clock: Clock, work: Work, number: float = 1) -> None:
        done[work] += number
        spend(clock, work, number)

    def timed(asking: Asking, *args: Any) -> Any:
        before, started = dict(done), time.process_time()
        try:
            return cheapest(asking, *args)
        finally:
            questions.append(([done[x] - before[x] for x in Work], time.process_time() - started))

    Clock.spend = counted  # type: ignore[method-assign, assignment]
    Asking.cheapest = timed  # type: ignore[method-assign, assignment]
    for line in REQUESTS.read_text(encoding="utf-8").splitlines():
        arguments = ["solve", *shlex.split(line), "--as-of", "2026-11-24", "--json"]
        CliRunner().invoke(app_for(arguments), arguments)
    counts = np.array([x for x, _ in questions])
    seconds = np.array([x for _, x in questions])
    fitted, residual = nnls(counts, seconds)
    print(f"{len(questions)} questions, {seconds.sum():.1f} s of CPU, residual {residual:.2f} s")
    for work, measured, number in zip(Work, fitted, counts.sum(axis=0), strict=True):
        print(f"{work.name:24} {work.value:8.5f} s, measured {measured:8.5f} s, {number:12,.1f} of them")


if __name__ == "__main__":
    main()
