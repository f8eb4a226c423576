"""Cold starts of the main jobs, phase by phase: `python -m benchmarks.solve.run > benchmarks/solve/results.md`.

Each job runs in a process of its own; phases come from `proof.seconds`, the rest of the wall time is Python, imports,
catalog and printing. CP-SAT runs with random seed 0 and one worker.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import machine

EXAMPLES = Path(__file__).parents[2] / "examples" / "commands.txt"
JOBS = [line.removeprefix("dsopt solve ") for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
PHASES = ("plans", "search", "proof")


def timed(args: list[str]) -> tuple[float, str]:
    """(wall seconds, stdout) of one cold run."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", "from optimizer.cli import main; main()", *args],
        capture_output=True,
        text=True,
        check=True,
    )
    return time.perf_counter() - started, done.stdout


def main() -> None:
    print(f"# Cold starts, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{machine()}; best of three, seconds.\n")
    print(f"| dsopt solve | points | by bound | by CP-SAT | {' | '.join(PHASES)} | wall |")
    print("|---|---:|---:|---:|" + "---:|" * (len(PHASES) + 1))
    for job in JOBS:
        best: tuple[float, str] | None = None
        for _ in range(3):
            run = timed(["solve", *job.split(), "--as-of", "2026-11-24", "--json"])
            best = min(best, run) if best else run
        assert best
        data = json.loads(best[1])
        s, f = data["proof"]["seconds"], data["proof"]["families"]
        phases = " | ".join(f"{s[p]:.2f}" for p in PHASES)
        counts = f"{len(data['front'])} | {f['closed_by_bound']} | {f['closed_by_cp_sat']}"
        print(f"| {job} | {counts} | {phases} | {best[0]:.2f} |")
    print(f"\n`dsopt --help`: {min(timed(['--help'])[0] for _ in range(3)):.2f} s.")


if __name__ == "__main__":
    main()
