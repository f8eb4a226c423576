"""Cost of a proven front against the size of the catalog: `python -m benchmarks.scale.run [--seeds 5] [--sizes ...]`.

Each run is a process of its own: the catalog is generated (benchmarks/scale/generate.py), then loaded, priced,
planned, searched and proven for one job, a budget of USD 300,000 for v2-670b. Seconds are CPU seconds of the process
(`time.process_time`) after the imports, wall seconds stand beside them; memory is the process's peak. Writes
results.json, results.md and cost.svg next to this file.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import processor

HERE = Path(__file__).parent
SIZES = (30, 220, 880, 3520, 10_000)
PHASES = ("load", "prices", "plans", "search", "model", "proof")
BARS_S = {220: 0.5, 880: 1.5, 3520: 4.0, 10_000: 8.0}
BAR_MB = 1000
JOB = "--budget 300000 --model v2-670b"


def one(folder: Path) -> dict[str, Any]:
    """Solve the job on a catalog in this process."""
    from catalogs.load import load
    from constraints.policy import Policy
    from optimizer.market.market import Market
    from optimizer.request import texts, typed_request
    from optimizer.search.certificate import FamilyProof
    from optimizer.search.solver import Solver

    request = typed_request.request(
        model="v2-670b", as_of=date(2026, 11, 24), budget_cents=30_000_000, **texts.lengths("chat", None, None)
    )
    cpu: dict[str, float] = dict.fromkeys(PHASES, 0.0)
    wall, started = time.perf_counter(), time.process_time()

    def timed(name: str, call: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            before, inner = time.process_time(), sum(cpu.values())
            try:
                return call(*args, **kwargs)
            finally:  # what ran inside has been counted by itself
                cpu[name] += time.process_time() - before - (sum(cpu.values()) - inner)

        return run

    FamilyProof.__init__ = timed("model", FamilyProof.__init__)  # type: ignore[method-assign]
    FamilyProof.under = timed("proof", FamilyProof.under)  # type: ignore[method-assign]
    Solver.search = timed("search", Solver.search)  # type: ignore[method-assign]
    Solver.settle = timed("search", Solver.settle)  # type: ignore[method-assign]
    Solver.prove = timed("search", Solver.prove)  # type: ignore[method-assign]
    catalog = timed("load", load)(base=folder)
    market = timed("prices", Market.open)(catalog, request, Policy())
    solver = timed("plans", Solver)(market)
    front = timed("plans", solver.front)()
    return {
        "parts": len(catalog.parts),
        "offers": sum(len(x) for x in catalog.offers.values()),
        "cpu_s": time.process_time() - started,
        "wall_s": time.perf_counter() - wall,
        "phases_cpu_s": cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "points": len(front.points),
        "proven": front.complete,
        "families": len(solver.families),
        "closed_by_cp_sat": front.closed_by_cp_sat,
    }


def measured(size: int, seed: int) -> dict[str, Any]:
    """One run in a fresh process."""
    from benchmarks.scale.generate import generate

    with tempfile.TemporaryDirectory() as tmp:
        folder = generate(size, seed, Path(tmp))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale.run", "--one", str(folder)],
            capture_output=True, text=True, check=True, cwd=HERE.parents[1],
        )  # fmt: skip
    return {"size": size, "seed": seed, "load_average": os.getloadavg()[0], **json.loads(done.stdout)}


def exponent(runs: list[dict[str, Any]]) -> float:
    """Slope of log CPU seconds over log parts by least squares, 220 parts and more."""
    points = [(math.log(r["parts"]), math.log(r["cpu_s"])) for r in runs if r["size"] >= 220]
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len({x for x, _ in points}) > 1 else 0.0


def picture(runs: list[dict[str, Any]], slope: float) -> str:
    """CPU seconds against parts, both logarithmic, as SVG: runs as dots, bars as lines."""
    wide, high, left, low = 640, 400, 60, 350

    def x(parts: float) -> float:
        return left + (math.log10(parts) - 1) / 3.3 * (wide - left - 20)

    def y(seconds: float) -> float:
        return low - (math.log10(max(seconds, 0.01)) + 2) / 4 * (low - 20)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" font-family="sans-serif" font-size="12">',
        f'<rect width="{wide}" height="{high}" fill="white"/>',
    ]
    for s in (0.01, 0.1, 1, 10, 100):
        out.append(f'<line x1="{left}" y1="{y(s):.1f}" x2="{wide - 20}" y2="{y(s):.1f}" stroke="#ddd"/>')
        out.append(f'<text x="{left - 8}" y="{y(s) + 4:.1f}" text-anchor="end">{s:g} s</text>')
    for n in SIZES:
        out.append(f'<text x="{x(n):.1f}" y="{low + 18}" text-anchor="middle">{n:,}</text>')
        if n in BARS_S:
            at = y(BARS_S[n])
            out.append(f'<line x1="{x(n) - 14:.1f}" y1="{at:.1f}" x2="{x(n) + 14:.1f}" y2="{at:.1f}" stroke="#c00"/>')
    for r in runs:
        out.append(f'<circle cx="{x(r["parts"]):.1f}" cy="{y(r["cpu_s"]):.1f}" r="3.5" fill="#06c" fill-opacity=".6"/>')
    text = f"parts of the catalog; CPU seconds after the imports grow as parts^{slope:.2f}; red: bars"
    out.append(f'<text x="{wide / 2}" y="{high - 8}" text-anchor="middle">{text}</text></svg>')
    return "\n".join(out) + "\n"


def report(data: dict[str, Any]) -> str:
    """results.md."""
    runs = data["runs"]
    out = [
        f"# Scale, {data['date']}\n",
        f"{data['machine']}, {data['cores']} cores, Python {data['python']}, {data['versions']}. Job:"
        f" `dsopt solve {JOB}` on generated catalogs, seeds {data['seeds']};"
        f" {sum(r['proven'] for r in runs)} of {len(runs)} fronts proven. Seconds are CPU seconds of one process after"
        " the imports, at a load average of "
        f"{min(r['load_average'] for r in runs):.1f} to {max(r['load_average'] for r in runs):.1f} on"
        f" {data['cores']} cores; where two processes share a core they run high, as all times do. "
        "Median of the seeds, range in brackets.\n",
        "| parts | offers | families (by CP-SAT) | points | "
        + " | ".join(PHASES)
        + " | CPU s | wall s | peak MB | bar |",
        "|---:|---:|---:|---:|" + "---:|" * (len(PHASES) + 3) + "---|",
    ]
    for size in sorted({r["size"] for r in runs}):
        these = [r for r in runs if r["size"] == size]

        def median(key: str, these: list[dict[str, Any]] = these) -> float:
            return float(statistics.median(r[key] for r in these))

        phases = " | ".join(f"{statistics.median(r['phases_cpu_s'][p] for r in these):.2f}" for p in PHASES)
        cpu = [r["cpu_s"] for r in these]
        bar = BARS_S.get(size)
        mb = max(r["peak_mb"] for r in these)
        words = "" if bar is None else f"{bar:g} s: {'met' if median('cpu_s') <= bar else 'missed'}"
        if size == max(SIZES):
            words += f"; {BAR_MB} MB: {'met' if mb <= BAR_MB else 'missed'}"
        out.append(
            f"| {median('parts'):,.0f} | {median('offers'):,.0f} | {median('families'):.0f} "
            f"({median('closed_by_cp_sat'):.0f}) | {median('points'):.0f} | {phases} | "
            f"{median('cpu_s'):.2f} ({min(cpu):.2f}-{max(cpu):.2f}) | {median('wall_s'):.2f} | {mb:.0f} | {words} |"
        )
    out.append(
        f"\nGrowth from 220 parts on: CPU seconds ~ parts^{data['exponent']:.2f} (least squares over all runs)."
        "\n\n![CPU seconds against parts](cost.svg)\n"
        "\nPhases: load (CSV to catalog), prices (offers to price book), plans (pruning, platforms, performance rows),"
        " search (bounds, candidate builds, ties), model (CP-SAT models built), proof (CP-SAT)."
    )
    most = max(r["size"] for r in runs)
    spent = {p: sum(r["phases_cpu_s"][p] for r in runs if r["size"] == most) for p in PHASES}
    shares = sorted(((s / sum(spent.values()), p) for p, s in spent.items()), reverse=True)
    out.append(f"\nWhere the time goes at {most:,} parts: " + ", ".join(f"{p} {s:.0%}" for s, p in shares) + ".\n")
    return "\n".join(out)


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--one", type=Path)
    ask.add_argument("--seeds", type=int, default=5)
    ask.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    asked = ask.parse_args()
    if asked.one:
        print(json.dumps(one(asked.one)))
        return
    runs: list[dict[str, Any]] = []
    for size in asked.sizes:
        for seed in range(1, asked.seeds + 1):
            runs.append(measured(size, seed))
            print(size, seed, round(runs[-1]["cpu_s"], 2), "s", runs[-1]["peak_mb"], "MB", file=sys.stderr)
        write(runs, asked.seeds)


def write(runs: list[dict[str, Any]], seeds: int) -> None:
    """results.json, results.md and the picture."""
    slope = exponent(runs)
    data = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": ", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("ortools", "numpy", "pydantic")),
        "seeds": f"1 to {seeds}",
        "exponent": slope,
        "runs": runs,
    }
    (HERE / "results.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(report(data), encoding="utf-8")
    (HERE / "cost.svg").write_text(picture(runs, slope), encoding="utf-8")


if __name__ == "__main__":
    main()
