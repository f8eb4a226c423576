"""Machines that people run, by what they published, against `dsopt size --batch`: public_figures.md.

    python benchmarks/throughput/public_figures.py            # write the page
    python benchmarks/throughput/public_figures.py --check    # recompute it; exit 1 when it differs

None of the runs is in data/measured.csv, none was fitted on. Many were published because something was slow.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.throughput.run import same
from catalogs.load import load
from constraints.policy import Policy
from optimizer.throughput.answers import answers
from optimizer.throughput.batch import prepare
from optimizer.throughput.calibration import shipped

RUNS = Path(__file__).with_name("public_figures.csv")
PAGE = RUNS.with_suffix(".md")
COLUMNS = ("model", "precision", "gpu", "n_gpus", "nodes", "scenario", "tp", "pp", "dp", "ep", "isl", "osl",
           "concurrency", "kv_precision", "network")  # fmt: skip
"""What `size --batch` is asked; the engine is left to it."""


def page() -> str:
    with RUNS.open(encoding="utf-8", newline="") as file:
        runs = list(csv.DictReader(file))
    said = answers(prepare({c: [run[c] for run in runs] for c in COLUMNS}, load(), Policy()), shipped())
    published = np.array([float(run["output_tok_s"]) for run in runs])
    off = 100 * np.abs(said.output_tok_s / published - 1)
    inside = (said.low <= published) & (published <= said.high)
    machines = len({(run["gpu"], run["n_gpus"]) for run in runs})
    out = [
        "# Machines that people run, against `dsopt size`",
        "",
        "Written by `python benchmarks/throughput/public_figures.py` from public_figures.csv. None of these runs is",
        "among the measured rows. Many were published because something was slow, so the far ends say as much of them",
        "as of the model.",
        "",
        f"{len(runs)} figures of {machines} machines: off by {np.median(off):.0f} % in the median, "
        f"{int(inside.sum())} inside their 80 % interval.",
        "",
        "| machine | model | tp x ep | in / out | at once | published tok/s | dsopt tok/s | interval | basis | off |",
        "|---|---|---|---|---:|---:|---:|---:|---|---:|",
    ]
    for i, run in enumerate(runs):
        name = f"{run['model'].split('/')[-1]} {run['precision']}"
        at_once = "burst" if run["scenario"] else run["concurrency"] or "as many as fit"
        out.append(
            f"| [{run['machine']}]({run['source']}), {run['day']} | {name} | {run['tp']} x {run['ep']} "
            f"| {run['isl']} / {run['osl']} | {at_once} | {published[i]:,.4g} | {said.output_tok_s[i]:,.0f} "
            f"| {said.low[i]:,.0f} to {said.high[i]:,.0f} | {said.basis[i]} "
            f"| {100 * (said.output_tok_s[i] / published[i] - 1):+.0f} % |"
        )
    out += ["", "What is known of the figures outside, and how some are to be read:", ""]
    for i, run in enumerate(runs):
        if words := "; ".join(filter(None, (run["about"], run["cause"]))):
            out.append(f"- {run['machine']}, {published[i]:,.4g} tok/s: {words}.")
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    found = page()
    if "--check" in sys.argv:
        if not same(PAGE.read_text(encoding="utf-8"), found):
            print(found)
            raise SystemExit(f"{PAGE.name} differs from what the code computes")
    else:
        PAGE.write_text(found, encoding="utf-8")
