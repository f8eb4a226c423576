"""Cold answers to many different requests: `python -m benchmarks.latency.run > benchmarks/latency/results.md`.

Each line of requests.txt is run once, in a process of its own, as `dsopt solve ... --json`: wall and CPU seconds,
memory, exit code, and whether the answer is proven. `--drawn 40 --seed 7` runs 40 requests drawn at random instead
(draw.py). `--limit 60` stops a request after so many seconds of CPU time. results.json holds every run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.latency.draw import draw
from benchmarks.machine import machine

HERE = Path(__file__).parent
AS_OF = "2026-11-24"
PROVEN = ("optimal", "infeasible")
ANSWERED = (0, 4)
"""Exit codes of an answer: a front, or that no build exists."""


@dataclass(frozen=True)
class Run:
    """One cold run. `proof` is the status of the proof; empty where the request was refused."""

    request: str
    wall_s: float
    cpu_s: float
    memory_mb: int
    exit_code: int
    proof: str
    points: int
    note: str = ""

    @property
    def answered(self) -> bool:
        """Whether the request made sense to dsopt: refusals are no measure of a search."""
        return self.exit_code not in (2, 3)


def read_requests(path: Path) -> list[list[str]]:
    """The words of each request; lines that start with # are headings."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = [shlex.split(x) for x in lines if x.strip() and not x.startswith("#")]
    return [[w.replace("DATA/", f"{HERE / 'data'}{os.sep}") for w in words] for words in found]


def proof_of(data: dict[str, Any]) -> tuple[str, int]:
    """(status of the proof, number of points), of the answer for one model or for every model."""
    if "models" in data:
        return "optimal" if data["complete"] else "feasible", len(data["models"])
    return data["proof"]["status"], len(data["front"])


def timed(words: list[str], limit_s: int) -> Run:
    """A cold run of `dsopt solve` with these words."""
    if "--as-of" not in words:
        words = [*words, "--as-of", AS_OF]
    code = "from optimizer.cli import main; main()"
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-c", code, "solve", *words, "--json"], stdout=out, stderr=err,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_CPU, (limit_s, limit_s)),
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        text, said = out.read(), err.read().decode(errors="replace").strip()
    proof, points = "", 0
    if process.returncode in ANSWERED:
        proof, points = proof_of(json.loads(text))
    note = "" if proof or not said else said.splitlines()[-1][:200]
    if process.returncode < 0:
        note = f"stopped after {limit_s} s of CPU time"
    shown = shlex.join(words).replace(f"{HERE / 'data'}{os.sep}", "DATA/")
    cpu = usage.ru_utime + usage.ru_stime
    return Run(shown, round(wall, 2), round(cpu, 2), usage.ru_maxrss // 1024, process.returncode, proof, points, note)


def summary(runs: list[Run]) -> list[str]:
    """Median, 90th percentile and worst of what was answered, as lines of Markdown."""
    lines = ["| of | median | 90 % | worst |", "|---|---:|---:|---:|"]
    for title, values in (
        ("wall, s", [r.wall_s for r in runs]), ("CPU, s", [r.cpu_s for r in runs]),
        ("memory, MB", [float(r.memory_mb) for r in runs]),
    ):  # fmt: skip
        tenths = quantiles(values, n=10, method="inclusive") if len(values) > 1 else values * 9
        lines.append(f"| {title} | {median(values):g} | {tenths[8]:.2f} | {max(values):g} |")
    return lines


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=Path, default=HERE / "requests.txt")
    options.add_argument("--drawn", type=int, default=0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--limit", type=int, default=120)
    options.add_argument("--json", type=Path, default=None)
    asked = options.parse_args()
    requests = draw(asked.seed, asked.drawn) if asked.drawn else read_requests(asked.requests)
    runs = []
    for words in requests:
        runs.append(timed(words, asked.limit))
        r = runs[-1]
        print(f"{r.wall_s:7.2f} {r.cpu_s:7.2f} {r.memory_mb:6d} {r.exit_code} {r.request} {r.note}", file=sys.stderr)
    answered = [r for r in runs if r.answered]
    unproven = [r for r in answered if r.proof not in PROVEN]
    how = f"{asked.drawn} drawn with seed {asked.seed}" if asked.drawn else f"{len(runs)} of {asked.requests.name}"
    print(f"# Cold answers to varied requests, {datetime.now(UTC):%Y-%m-%d}\n")
    print(f"{machine()}; {how}, prices of {AS_OF}, one process each, CP-SAT with seed 0 and one worker.\n")
    print("\n".join(summary(answered)))
    proven = len(answered) - len(unproven)
    print(f"\n{len(answered)} answered, {proven} of them proven; {len(runs) - len(answered)} refused.\n")
    print("| dsopt solve | exit | proof | points | wall, s | CPU, s | MB |\n|---|---:|---|---:|---:|---:|---:|")
    for r in sorted(runs, key=lambda r: -r.wall_s):
        print(
            f"| {r.request} | {r.exit_code} | {r.proof or r.note} | {r.points} | {r.wall_s:.2f} | {r.cpu_s:.2f} | "
            f"{r.memory_mb} |"
        )
    target = asked.json or (None if asked.drawn else HERE / "results.json")
    if target is not None:
        data = {"machine": machine(), "as_of": AS_OF, "requests": how, "runs": [asdict(r) for r in runs]}
        target.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
