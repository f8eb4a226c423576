"""Requests without a build, cold: `python -m benchmarks.explain.run > benchmarks/explain/results.md`.

Each line of examples/no-build.txt runs in a process of its own, three times, the quickest counts: CPU seconds, Python
and imports included, until the conflict is known, until the budget that would do is known, and in all. CP-SAT runs with
one worker and random seed 0, the second proof of the conflict with seed 1.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine

REQUESTS = (Path(__file__).parents[2] / "examples" / "no-build.txt").read_text(encoding="utf-8").splitlines()
CHILD = """
import sys, time
from optimizer.cli import main, no_build_view
known = []

def telling():
    return lambda said: known.append((time.process_time(), said))

no_build_view.telling = telling
try:
    main()
finally:
    budget = [t for t, x in known[1:] if [c.key for c in x.changes] == ["budget"]]
    print("seconds", known[0][0], budget[0] if budget else "", time.process_time(), file=sys.stderr)
"""


def explained(line: str) -> tuple[float, float | None, float, dict[str, Any]]:
    """(CPU seconds until the conflict, until the budget that would do, in all, the explanation) of one cold run."""
    words = [*shlex.split(line)[1:], "--as-of", "2026-11-24", "--json"]
    done = subprocess.run([sys.executable, "-c", CHILD, *words], capture_output=True, text=True, check=False)
    seconds = done.stderr.splitlines()[-1].split(" ")[1:]
    first, budget, last = (float(x) if x else None for x in seconds)
    assert done.returncode == 4 and first is not None and last is not None, done.stderr
    return first, budget, last, json.loads(done.stdout)["explanation"]


def main() -> None:
    print(f"# Requests without a build, cold, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{machine()}; the quickest of three, CPU seconds.")
    print("Bars: conflict and budget 3 s, all ways out 10 s.\n")
    print("| dsopt solve | conflict | ways out | conflict, s | budget, s | all, s |\n|---|---|---:|---:|---:|---:|")
    for line in REQUESTS:
        runs = [explained(line) for _ in range(3)]
        first, last = min(x[0] for x in runs), min(x[2] for x in runs)
        budget = min((x[1] for x in runs if x[1] is not None), default=None)
        found = runs[0][3]
        words = "; ".join(c["text"] for c in found["conflict"])
        budget_s = "" if budget is None else f"{budget:.1f}"
        asked = line.removeprefix("dsopt solve ").replace("|", "\\|")
        print(f"| {asked} | {words} | {len(found['ways_out'])} | {first:.1f} | {budget_s} | {last:.1f} |")


if __name__ == "__main__":
    main()
