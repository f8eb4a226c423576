"""Mutation testing of rules: each comparison, operator, number and constraint of a rule file is changed in turn.

    PYTHONPATH=. python benchmarks/mutation/run.py --most=40 power rack         # mutants that have no result yet
    PYTHONPATH=. python benchmarks/mutation/run.py --again=test_networks links  # survivors, with new tests alone
    PYTHONPATH=. python benchmarks/mutation/run.py --table                      # docs/mutation.md

Every mutant has a process of its own, forked from one that has loaded all libraries and catalogs/, no rule:
the changed source is what it imports. A mutant is killed when a front of the random catalogs (clever, or CP-SAT alone)
differs from that of the rules as they are, which the tests hold equal to brute force, or when a test of the rule
fails. Results go to results.jsonl, one line a mutant; lines of a source that has changed since are left aside.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from benchmarks.mutation.mutants import Mutant, numbered, sample  # noqa: E402
from benchmarks.mutation.suites import SUITES, Suite  # noqa: E402

RESULTS = HERE / "results.jsonl"
TRUTH = ROOT / "build" / "mutation-truth.pickle"
MOST = 40
"""Mutants of a file unless --most says otherwise; of more a sample seeded with the file's name."""
CPU_S, WALL_S = 120, 400
LIBRARIES = (
    "numpy", "pandas", "pydantic", "ortools.sat.python.cp_model", "pytest", "hypothesis", "typer.testing", "jsonschema",
    "rapidfuzz", "rich.console", "openpyxl", "scipy.optimize", "catalogs.load", "catalogs.llm",
)  # fmt: skip


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other code."""

    def __init__(self, name: str, path: Path, code: types.CodeType) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self.code, module.__dict__)


def forked(work: Callable[[], str]) -> str:
    """What a child process says; "timeout" when it takes too long, "died" when it ends without a word."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            os.write(write, work().encode()[:4000])
        finally:
            os._exit(0)
    os.close(write)
    ready, _, _ = select.select([read], [], [], WALL_S)
    said = os.read(read, 4096).decode() if ready else "timeout"
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(read)
    if not said:
        return "timeout" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU else "died"
    return said


def noticed(suite: Suite, first: list[Any]) -> str:
    """The front or test that notices what was changed, "survived" when none does."""
    import pickle

    import pytest

    try:
        from benchmarks.mutation import fronts

        known, builds = pickle.loads(TRUTH.read_bytes())
        if by := fronts.differs(suite.fronts, first, known):
            return by
        fronts.lend_builds(builds)
    except Exception as e:
        return f"import: {type(e).__name__}"
    seen = types.SimpleNamespace(name="")

    class Note:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed and not seen.name:
                seen.name = report.nodeid

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed and not seen.name:
                seen.name = report.nodeid

    quiet = ["-x", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "--tb=no", "--no-header"]
    code = pytest.main([*quiet, *(["-k", suite.keyword] if suite.keyword else []), *suite.tests], plugins=[Note()])
    return (seen.name or f"pytest {code}") if code else "survived"


def module_of(rule: str) -> tuple[str, Path]:
    return f"constraints.{rule}", ROOT / "constraints" / f"{rule}.py"


def sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def results() -> dict[tuple[str, int], dict[str, Any]]:
    """(rule, mutant) -> latest result for the source as it is."""
    out = {}
    for line in RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []:
        row = json.loads(line)
        if row["source"] == sha(module_of(row["rule"])[1]):
            out[row["rule"], row["mutant"]] = row
    return out


def run(rule: str, most: int, again: Sequence[str], fine: dict[Suite, str]) -> None:
    """Try mutants of the rule that have no result yet; with `again` its survivors, with those tests alone."""
    name, path = module_of(rule)
    suite, have = SUITES[rule], {n: row for (x, n), row in results().items() if x == rule}
    if again:
        suite = suite._replace(fronts=(), tests=tuple(t for t in suite.tests if t.split("::")[0] in again))
        every = numbered(path)
        all_, few = len(every), [every[n] for n, row in have.items() if row["by"] == "survived" and suite.tests]
    else:
        all_, few = sample(path, most)
        few = [x for x in few if x[0].number not in have]
    first: list[Any] = []
    for mutant, code in few:
        if suite not in fine:
            fine[suite] = forked(lambda: noticed(suite, []))
        if fine[suite] != "survived":
            raise SystemExit(f"{rule}: without a change {fine[suite]} fails")
        started = time.monotonic()

        def work(code: types.CodeType = code, first: list[Any] = first) -> str:
            sys.meta_path.insert(0, Mutated(name, path, code))
            return noticed(suite, first)

        by = forked(work)
        if by.startswith("front ("):
            case = ast.literal_eval(by[6 : by.rindex(":")])
            first = [case, *(x for x in first if x != case)][:4]
        write(rule, path, all_, mutant, by, time.monotonic() - started)


def write(rule: str, path: Path, all_: int, m: Mutant, by: str, seconds: float) -> None:
    row = {"rule": rule, "source": sha(path), "all": all_, "mutant": m.number, "line": m.line, "before": m.before,
           "after": m.after, "by": by, "seconds": round(seconds, 1)}  # fmt: skip
    with RESULTS.open("a", encoding="utf-8") as f:
        f.write(json.dumps(row) + "\n")
    if by in ("survived", "timeout"):
        print(f"{rule} {m.line}: {m.before} -> {m.after}: {by}", flush=True)


def main(args: Sequence[str]) -> None:
    if "--table" in args:
        from benchmarks.mutation import table

        table.write(results(), CPU_S)
        return
    if not TRUTH.exists():
        TRUTH.parent.mkdir(exist_ok=True)

        def prepare() -> str:
            from benchmarks.mutation import fronts

            fronts.truth(TRUTH)
            return "done"

        if (said := forked(prepare)) != "done":
            raise SystemExit(f"no truth: {said}")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for lib in LIBRARIES:
        importlib.import_module(lib)
    fine: dict[Suite, str] = {}
    options = dict(a[2:].split("=") for a in args if a.startswith("--"))
    again = [f"tests/{x}.py" for x in options.get("again", "").split(",") if x]
    for rule in [a for a in args if not a.startswith("-")] or list(SUITES):
        run(rule, int(options.get("most", MOST)), again, fine)


if __name__ == "__main__":
    main(sys.argv[1:])
