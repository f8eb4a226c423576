"""Fronts for ten models that people ask for, at three budgets.

    python -m benchmarks.models.fronts > benchmarks/models/fronts.md

Each is one cold `dsopt solve --budget B --model M --json`. The table shows the recommended build with the share of its
cost that rests on estimated prices, or that no build exists and the least budget of the ways out."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from benchmarks.machine import machine

AS_OF = "2026-11-24"
FOUR_BITS = ("--min-precision", "4bit")
ASKED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("v4.1-flash", ()), ("v4-pro-0813", ()), ("kimi-k2.7-code", ()), ("glm-5.3", ()), ("glm-5.3", FOUR_BITS),
    ("qwen3.5-397b-a17b", ()), ("qwen3.5-397b-a17b", FOUR_BITS), ("minimax-m3", ()), ("minimax-m3", FOUR_BITS),
    ("gpt-oss-120b", ()), ("qwen3-coder-480b-a35b", ()), ("qwen3-coder-480b-a35b", FOUR_BITS), ("gemma-4-26b-a4b", ()),
    ("gemma-4-26b-a4b", FOUR_BITS), ("r1-671b", FOUR_BITS),
)  # fmt: skip
"""Ten models as published; those of more than 4 bits with formats and files of 4 bits too, R1 with these alone."""
BUDGETS = (10_000, 60_000, 300_000)


def answered(model: str, options: tuple[str, ...], budget: int) -> tuple[int, dict[str, Any], str]:
    """(exit code, JSON answer, first line of errors) of one cold run."""
    words = ["solve", "--budget", str(budget), "--model", model, *options, "--as-of", AS_OF, "--json"]
    code = "from optimizer.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
    data = json.loads(done.stdout) if done.stdout.strip() else {}
    return done.returncode, data, next(iter(done.stderr.splitlines()), "")


def line(model: str, options: tuple[str, ...], budget: int) -> str:
    """A row of the table."""
    code, data, error = answered(model, options, budget)
    head = f"| {' '.join((model, *options))} | {budget:,} |"
    if code == 0:
        point = next(x for x in data["front"] if x["id"] == data["recommended"])
        gpus, plan, speed = point["gpus"], point["plan"], point["throughput"]
        build = f"{point['nodes'][0]['count']} x {gpus['per_node']} {gpus['name']}"
        return (
            f"{head} {len(data['front'])} | {build} | {float(point['cost']['total']):,.0f} | {plan['precision']} | "
            f"{speed['output_tok_s']:,.0f} ({speed['low']:,.0f}-{speed['high']:,.0f}) | {plan['engine']} | "
            f"{point['cost']['estimated_share']:.0%} | {data['proof']['status']} |"
        )
    if code == 4:
        ways = (data.get("explanation") or {}).get("ways_out") or []
        budgets = [x["build"]["total"] for x in ways if [c["key"] for c in x["changes"]] == ["budget"]]
        least = f"from {float(budgets[0]):,.0f}" if budgets else "no budget among the ways out"
        return f"{head} 0 | none; {least} | | | | | | {data['proof']['status']} |"
    return f"{head} exit {code}: {error} | | | | | | | |"


def main() -> None:
    print(f"# Fronts for ten models at three budgets\n\n{machine()}; prices of {AS_OF}.\n")
    print("| dsopt solve --model | budget, USD | points | recommended | total, USD | weights | tok/s (80 %) | engine "
          "| estimated | proof |\n|---|---:|---:|---|---:|---|---:|---|---:|---|")  # fmt: skip
    for model, options in ASKED:
        for budget in BUDGETS:
            print(line(model, options, budget), flush=True)


if __name__ == "__main__":
    main()
