"""docs/mutation.md: what was tried, what survived, and why (why.csv)."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.mutation.suites import SUITES

HERE = Path(__file__).parent
DOCS = HERE.parent.parent / "docs" / "mutation.md"
WHY = HERE / "why.csv"
HEAD = """# Mutation testing of rules

    PYTHONPATH=. python benchmarks/mutation/run.py --most=40 power rack         # mutants that have no result yet
    PYTHONPATH=. python benchmarks/mutation/run.py --again=test_networks links  # survivors, with new tests alone
    PYTHONPATH=. python benchmarks/mutation/run.py --table                      # writes this file

Each comparison, operator, whole number, `min`/`max`, `any`/`all`, `not`, rounding up and constraint of a rule file is
changed in turn, in a process of its own that imports the changed source. A mutant is killed when

- a front of the rule's random catalogs (fronts.py: clever, or CP-SAT alone) differs from that of the rules as they
  are, which the tests hold equal to brute force, or when a build comes back that a check rejects,
- a test of the rule fails (suites.py names them),
- or it runs past {cpu_s} s of CPU (a time-out, counted apart).

Of a file with more mutants than are tried the tried ones are a sample seeded with the file's name. Results of single
mutants are in benchmarks/mutation/results.jsonl; a mutant of a source that has changed since is not counted: a file
whose every result is older than its source stands as not run. The rest of the test suite is not run on a mutant: it
may kill some that survive here.

## Files

| file of constraints/ | mutants | tried | killed | by fronts | by tests | timed out | survive |
|---|---|---|---|---|---|---|---|
"""
KINDS = {
    "equivalent": "no build, price or text can tell it from the original",
    "redundant": "another constraint, check or bound keeps out the same builds; it would show only if that went too",
    "text": "only a message, a measured figure or a warning of a finding changes",
    "unreached": "only inputs beyond what a catalog or a request may hold would tell",
    "gap": "a test is missing",
    "": "not explained yet",
}


def reasons() -> dict[tuple[str, int, str, str], tuple[str, str]]:
    """(rule, line, before, after) -> (kind, why)."""
    with WHY.open(encoding="utf-8", newline="") as f:
        return {(r["rule"], int(r["line"]), r["before"], r["after"]): (r["kind"], r["why"]) for r in csv.DictReader(f)}


def write(results: dict[tuple[str, int], dict[str, Any]], cpu_s: int) -> None:
    """The whole document."""
    rows, alive, total = [], [], Counter[str]()
    for rule in SUITES:
        mine = [r for (x, _), r in sorted(results.items()) if x == rule]
        if not mine:
            rows.append(f"| {rule} | not run | | | | | | |")
            continue
        by = Counter(_kind(r["by"]) for r in mine)
        killed = by["front"] + by["test"]
        counts = (mine[0]["all"], len(mine), killed, by["front"], by["test"], by["timeout"], by["survived"])
        total.update(dict(zip(("all", "tried", "killed", "front", "test", "timeout", "survived"), counts, strict=True)))
        rows.append(f"| {rule} | " + " | ".join(map(str, counts)) + " |")
        alive += [r for r in mine if r["by"] == "survived"]
    sums = (total[x] for x in ("all", "tried", "killed", "front", "test", "timeout", "survived"))
    rows.append("| **all** | " + " | ".join(f"**{n}**" for n in sums) + " |")
    why, seen = reasons(), Counter[str]()
    lines = []
    for r in sorted(alive, key=lambda r: (list(SUITES).index(r["rule"]), r["line"], r["mutant"])):
        kind, text = why.get((r["rule"], r["line"], r["before"], r["after"]), ("", ""))
        seen[kind] += 1
        before, after = (f"`{x.replace('|', chr(92) + '|')}`" for x in (r["before"], r["after"]))
        lines.append(f"| {r['rule']} | {r['line']} | {before} -> {after} | {kind} | {text} |")
    kinds = "\n".join(f"| {k or '-'} | {seen[k]} | {text} |" for k, text in KINDS.items() if seen[k])
    DOCS.write_text(
        HEAD.format(cpu_s=cpu_s) + "\n".join(rows)
        + "\n\n## Survivors\n\n| kind | number | meaning |\n|---|---|---|\n" + kinds
        + "\n\n| file | line | change | kind | why it survives |\n|---|---|---|---|---|\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )  # fmt: skip


def _kind(by: str) -> str:
    return by if by in ("survived", "timeout") else "front" if by.startswith("front") else "test"
