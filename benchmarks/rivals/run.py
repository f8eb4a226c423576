"""Ways to the Pareto front side by side: `python -m benchmarks.rivals.run [--seconds 60]`.

All get the same catalog, request and performance rows, dominated parts already gone. CP-SAT runs alone with two
workers; HiGHS and NSGA-II use one thread each and run beside each other. Every method is a process of its own. A
rival's seconds count from its built model on; those of dsopt hold all but reading the catalog. Writes results.md
and results.json next to this file. Needs two cores for five minutes, and `pip install .[bench]`.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import processor
from benchmarks.rivals import cp_sat, genetic, milp, ours, whole
from benchmarks.rivals.task import Outcome, Task, score
from benchmarks.scale.generate import generate
from catalogs.load import Catalog, load
from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.request import texts, typed_request

HERE = Path(__file__).parent
CATALOG_SEED = 1
SMALL = 220
MAX_NODES = 32
FORK = multiprocessing.get_context("fork")
Start = Callable[[], Outcome]


class Worker:
    """A method at work in a process of its own; `get` waits for its outcome."""

    def __init__(self, start: Start) -> None:
        self._mine, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=lambda: theirs.send(start()))
        self._process.start()
        theirs.close()

    def get(self) -> Outcome:
        """Raises EOFError when the method failed; its traceback is on stderr."""
        out: Outcome = self._mine.recv()
        self._process.join()
        print(f"{out.method}: {len(out.front())} points, {out.seconds_s:.1f} s", file=sys.stderr)
        return out


@dataclass
class Job:
    """A catalog with a largest number of nodes, and what each method made of it."""

    title: str
    task: Task
    model: whole.Whole | None = None
    model_s: float = 0.0
    outcomes: list[Outcome] = field(default_factory=list)

    def join(self) -> None:
        """The one linear model, CPU seconds noted."""
        started = time.process_time()
        self.model = whole.joined(self.task)
        self.model_s = time.process_time() - started


def job(title: str, catalog: Catalog, max_nodes: int) -> Job:
    """USD 300,000 for v2-670b, as in benchmarks/scale."""
    request = typed_request.request(
        model="v2-670b", as_of=date(2026, 11, 24), budget_cents=30_000_000, max_nodes=max_nodes,
        **texts.lengths("chat", None, None),
    )  # fmt: skip
    market = Market.open(catalog, request, Policy())
    nodes = "one node" if max_nodes == 1 else f"up to {max_nodes} nodes"
    return Job(f"{title}, {len(catalog.parts)} parts, {nodes}", Task.of(market))


def measured(limit_s: float) -> list[Job]:
    """All jobs, each method on each."""
    with tempfile.TemporaryDirectory() as tmp:
        small = load(base=generate(SMALL, CATALOG_SEED, Path(tmp)))
    shipped = load()
    jobs = [
        job(f"generated (seed {CATALOG_SEED})", small, MAX_NODES),
        job("shipped", shipped, 1),
        job("shipped", shipped, MAX_NODES),
    ]
    for j in jobs:
        j.outcomes.append(Worker(lambda j=j: ours.front(j.task, limit_s)).get())  # type: ignore[misc]
    a, b, c = jobs
    beside = Worker(lambda: genetic.front(c.task, limit_s))
    a.join()
    b.join()
    c.outcomes.append(beside.get())
    for j in (a, b):
        j.outcomes.append(Worker(lambda j=j: cp_sat.front(j.task, limit_s, j.model)).get())  # type: ignore[misc]
        pair = [
            Worker(lambda j=j: milp.front(j.task, limit_s, j.model)),  # type: ignore[misc]
            Worker(lambda j=j: genetic.front(j.task, limit_s)),  # type: ignore[misc]
        ]
        j.outcomes += [w.get() for w in pair]
    return jobs


def row(o: Outcome, j: Job, true: list[tuple[int, int]]) -> dict[str, Any]:
    """One line of the report."""
    s = score(o.front(), true)
    return {
        "method": o.method, "points": s.points, "on_front": s.hit, "missed": s.missed, "gap": s.gap,
        "beats_front": s.beaten, "proven": o.complete, "seconds": o.seconds_s, "cpu_s": o.cpu_s, "first_s": o.first_s,
        "build_s": o.build_s, "solves": o.solves, "refused": o.refused, "note": o.note,
        "values": [[f.row.perf.tenths, f.cost] for f in o.front()],
    }  # fmt: skip


def data_of(jobs: list[Job], limit_s: float) -> dict[str, Any]:
    """The whole run as data."""
    out = []
    for j in jobs:
        true = [(f.row.perf.tenths, f.cost) for f in j.outcomes[0].front()]
        out.append({
            "title": j.title, "rows": len(j.task.rows), "front": len(true), "proven": j.outcomes[0].complete,
            "families": len({(u.gpu.id, u.per_node) for u, _ in j.task.rows}), "model_s": j.model_s,
            "constraints": [j.model.before, len(j.model.rows), len(j.model.low)] if j.model else None,
            "methods": [row(o, j, true) for o in j.outcomes],
        })  # fmt: skip
    packages = ("ortools", "scipy", "pymoo", "numpy")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": processor(), "cores": os.cpu_count(),
        "python": platform.python_version(), "load_average": round(os.getloadavg()[0], 1), "limit_s": limit_s,
        "versions": ", ".join(f"{p} {importlib.metadata.version(p)}" for p in packages),
        "seeds": f"catalog {CATALOG_SEED}, CP-SAT {cp_sat.SEED}, NSGA-II {genetic.SEED}", "jobs": out,
    }  # fmt: skip


def busy(data: dict[str, Any]) -> str:
    """A warning when other work took the cores: rivals then got less of their time than the clock says."""
    shares = [m["cpu_s"] / m["seconds"] for j in data["jobs"] for m in j["methods"][1:] if m["seconds"]]
    if not shares or min(shares) >= 0.8:
        return ""
    return (
        f"**The machine was busy with other work:** a rival got as little as {min(shares):.2f} CPU seconds per second, "
        "and would come further on a quiet one.\n\n"
    )


def report(data: dict[str, Any]) -> str:
    """results.md."""
    out = [
        f"# Ways to the front, {data['date']}\n",
        f"`python -m benchmarks.rivals.run` on {data['machine']}, {data['cores']} cores, Python {data['python']}, "
        f"{data['versions']}; load average {data['load_average']} at the end. Random seeds: {data['seeds']}. "
        f"{data['limit_s']:g} s for each method; docs/rivals.md says what each one is.\n",
        f"{busy(data)}"
        "On the front: points equal to one of the proven front. Missed: speeds of it that no build of the method "
        "reaches. Worst gap: the method's cheapest build at least as fast as a proven point against that point's "
        "cost, over the points that it reaches.\n",
    ]
    for j in data["jobs"]:
        size = f"{j['rows']:,} performance rows in {j['families']} families"
        if j["constraints"]:
            before, rows, variables = j["constraints"]
            size += (
                f"; one model of everything: {before:,} constraints in the families, {rows:,} once those alike are "
                f"joined, {variables:,} variables, {j['model_s']:.0f} CPU s to make (not counted below)"
            )
        else:
            size += "; no model of everything: joining it takes longer than the whole benchmark may (docs/rivals.md)"
        out.append(f"## {j['title'][0].upper()}{j['title'][1:]}\n\n{size}.\n")
        out.append(
            "| method | points | on the front | missed | worst gap | complete | seconds | CPU s | first point, s "
            "| solves or genomes | note |\n|---|---:|---:|---:|---:|---|---:|---:|---:|---:|---|"
        )
        for m in j["methods"]:
            gap = "-" if m["gap"] is None else f"{m['gap']:.1%}"
            first = "-" if m["first_s"] is None else f"{m['first_s']:.2f}"
            note = "; ".join(filter(None, [m["note"], f"{m['refused']} refused by a rule" if m["refused"] else ""]))
            out.append(
                f"| {m['method']} | {m['points']} | {m['on_front']} of {j['front']} | {m['missed']} | {gap} | "
                f"{'proven' if m['proven'] else 'no'} | {m['seconds']:.1f} | {m['cpu_s']:.1f} | {first} | "
                f"{m['solves']:,} | {note} |"
            )
        out.append("")
    return "\n".join(out)


def main() -> None:
    ask = argparse.ArgumentParser()
    ask.add_argument("--seconds", type=float, default=60)
    asked = ask.parse_args()
    data = data_of(measured(asked.seconds), asked.seconds)
    (HERE / "results.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    (HERE / "results.md").write_text(report(data), encoding="utf-8")
    over = [m["method"] for j in data["jobs"] for m in j["methods"] if m["beats_front"]]
    if over:
        sys.exit(f"below the proven front: {', '.join(over)}")


if __name__ == "__main__":
    main()
