"""Questions that people asked in public: the command that answers each, and whether the answer is right.

    python -m benchmarks.models.questions > benchmarks/models/questions.md
    python -m benchmarks.models.questions --tree ../older --save benchmarks/models/questions_before.csv

questions.csv: what is true with its source, the command, and what a right answer holds: a pattern (`says`) whose first
group, where it is a figure, lies from `low` to `high`, and a pattern that it never holds (`never`). A command that ends
as bad usage or bad input cannot be expressed. `waits`: where an answer that is not right is to be mended (`parts` of
the catalog, `throughput`). questions_before.csv: the answers of 433bdfa, the last one before open models by name."""

from __future__ import annotations

import argparse
import csv
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.machine import machine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RIGHT, WRONG, NOT = "right", "wrong", "cannot be expressed"
REFUSED = (2, 3)
"""Exit codes of bad usage and of bad input."""
Row = Mapping[str, str]


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(command: str, tree: Path) -> tuple[int, str]:
    """Exit code and text of a command by the program of a tree, one cold run."""
    words = shlex.split(command.format(here=HERE, configs=ROOT / "tests" / "data" / "configs"))
    program = "import sys; from optimizer.cli import main; main()"
    env = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "170", "NO_COLOR": "1", "DSOPT_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, env=env, cwd=tree, check=False
    )
    return done.returncode, f"{done.stdout}\n{done.stderr}".replace(f"{ROOT}/", "")


def judged(row: Row, code: int, text: str) -> tuple[str, str]:
    """(right, wrong or cannot be expressed; what was said)."""
    if code in REFUSED:
        return NOT, text.strip().splitlines()[-1][:120]
    found = re.search(row["says"], text, re.M)
    said = re.sub(r"\s+", " ", found[1] if found else "").strip(" ,")
    if found is None or (row["never"] and re.search(row["never"], text)):
        return WRONG, said or "nothing of the kind"
    if row["low"] or row["high"]:
        figure = float(said.replace(",", ""))
        fine = float(row["low"] or 0) <= figure <= float(row["high"] or "inf")
        return RIGHT if fine else WRONG, said
    return RIGHT, said


def answers(tree: Path) -> list[tuple[str, str, str]]:
    """(id, verdict, what was said) of each question."""
    found = []
    for row in rows(HERE / "questions.csv"):
        verdict, said = judged(row, *run(row["command"], tree)) if row["command"] else (NOT, "")
        found.append((row["id"], verdict, said))
    return found


def page(before: Sequence[Row], now: Sequence[tuple[str, str, str]]) -> str:
    """The table of both, and what is left."""
    known, asked = {row["id"]: row for row in before}, {row["id"]: row for row in rows(HERE / "questions.csv")}
    lines, left, counts = [], [], {"before": Counter[str](), "now": Counter[str]()}
    for id_, verdict, said in now:
        row, old = asked[id_], known[id_]
        counts["before"][old["verdict"]] += 1
        counts["now"][verdict] += 1
        cells = (id_, row["question"], row["truth"], _cell(old["verdict"], old["said"]), _cell(verdict, said))
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
        if verdict != RIGHT:
            left.append(f"- {id_}: {row['why'] or 'see the table'} ({row['waits'] or 'open'}).")
    sums = [
        f"| {when} | {count[RIGHT]} | {count[WRONG]} | {count[NOT]} |"
        for when, count in (("before (433bdfa)", counts["before"]), ("now", counts["now"]))
    ]
    commands = [
        f"- {row['id']} ({row['source']}): `dsopt {row['command']}`" for row in asked.values() if row["command"]
    ]
    return "\n".join([
        "# Public questions, answered", "", machine() + ".", "", "| | right | wrong | cannot be expressed |",
        "|---|---:|---:|---:|", *sums, "", "| | question | what is true | before | now |", "|---|---|---|---|---|",
        *lines, "", "## What is left", "", *left, "", "## Commands and sources", "", *commands, "",
    ])  # fmt: skip


def _cell(verdict: str, said: str) -> str:
    return f"{verdict}: {said}" if said else verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tree", type=Path, default=ROOT, help="folder of the program that answers")
    parser.add_argument("--save", type=Path, help="CSV for the answers, instead of the page")
    given = parser.parse_args()
    found = answers(given.tree.resolve())
    if given.save is None:
        print(page(rows(HERE / "questions_before.csv"), found), end="")
        return
    with given.save.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([("id", "verdict", "said"), *found])


if __name__ == "__main__":
    main()
