"""A calibration made from measured runs: audit, fit, held-out errors, interval widths, all written to a folder."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catalogs.files import write_text
from catalogs.load import Catalog
from catalogs.visible import safe_cell
from constraints.policy import Policy
from optimizer.throughput import interval
from optimizer.throughput.batch import BURST, Table, figures, prepare
from optimizer.throughput.calibration import COLUMNS, RESIDUALS, Point, Setup, curve_of, gpus_of, measured
from optimizer.throughput.constants import Constants, rows
from optimizer.throughput.demand import has_experts, kin
from optimizer.throughput.fitting import audit
from optimizer.throughput.fitting.calibrate import Prior, priors, tuned
from optimizer.throughput.fitting.heldout import Evidence, Fit, fit_all, judge, judge_loads, weights
from optimizer.throughput.fitting.measured import Runs
from optimizer.throughput.interval import HeldOut
from optimizer.throughput.roofline import Floats

SPLIT_OF = {
    "model-and-gpu": ("model x GPU",),
    "model-or-gpu": ("model", "GPU"),
    "generation": ("model and GPU",),
    "nothing": ("model and generation",),
}
"""Distance -> the splits whose held-out errors give its width."""


Line = dict[str, str]


def evidence(
    runs: Runs, catalog: Catalog, policy: Policy, lines: Sequence[Line]
) -> tuple[Evidence, dict[int, tuple[str, str]], list[Line]]:
    """Runs made ready, what the audit leaves out (row -> rule, reason), and the lines of constants.csv with a time for
    every measured model."""
    rough = prepare(runs.columns, catalog, policy)
    models = {kin(x.llm): x.llm.name for x in rough.found if x is not None}
    all_lines = [*lines, *(model_line(m, name) for m, name in sorted(models.items())
                           if f"model_time.{m}" not in {r["key"] for r in lines})]  # fmt: skip
    table = prepare(runs.columns, catalog, policy, Constants({r["key"]: float(r["value"]) for r in all_lines}))
    out = audit.findings(runs, table)
    return Evidence(runs, table, frozenset(range(len(runs.rows))) - out.keys()), out, all_lines


def model_line(model: str, name: str) -> Line:
    """The line of constants.csv for a model that has none yet."""
    title = f"Time of the kernels of {name} and its kin, relative"
    return {"key": f"model_time.{model}", "value": "1", "unit": "ratio", "title": title, "prior": "1",
            "spread": "0", "least": "0.74", "most": "1.35",
            "source": "its own rows on all GPUs, drawn to 1: engines are tuned better for some models"}  # fmt: skip


def recalibrate(runs: Runs, catalog: Catalog, policy: Policy, folder: Path) -> Constants:
    """Fits on `runs` and writes constants, residuals, interval widths and the audit's list to `folder`."""
    e, left_out, lines = evidence(runs, catalog, policy, rows())
    known = priors(lines)
    kept = sorted(e.kept)
    whole = fit_all(e, known)
    k = tuned(whole.problem.runs, whole.problem.table, whole.problem.constants(whole.at))
    points = residuals(runs, e.table, kept, k)
    held_out = {d: [judge(e, s, known, whole)["output_tok_s"] for s in splits] for d, splits in SPLIT_OF.items()}
    found = interval.widths(pools(e, held_out, k) | {"same": same(points, e, k)})
    running = figures(e.table, k).concurrency
    loads = {i: float(running[i]) / gpus_of(setup) for i, (setup, _) in points.items()}
    found |= interval.widths({interval.BEYOND: beyond(e, loads, known, whole, k)}, (interval.BEYOND,))
    spans = spanning(e.table, k)
    folder.mkdir(parents=True, exist_ok=True)
    table(folder / "constants.csv", list(lines[0]), [{**r, "value": f"{k[r['key']]:.4g}"} for r in lines])
    table(
        folder / RESIDUALS,
        COLUMNS,
        [line(i, setup, p, e, k, bool(spans[i]), loads[i]) for i, (setup, p) in points.items()],
    )
    table(folder / interval.FILE, ("distance", "stack", "basis", "low", "high", "rows", "groups"),
          [{"distance": d, "stack": stack, "basis": interval.basis(d, stack),
            "low": f"{w.low:.4f}", "high": f"{w.high:.4f}", "rows": w.rows, "groups": w.groups}
           for (d, stack), w in found.items()])  # fmt: skip
    table(folder / "audit.csv", ("id", "rule", "reason"),
          [{"id": named(runs, i), "rule": rule, "reason": why}
           for i, (rule, why) in sorted(left_out.items())])  # fmt: skip
    return k


def named(runs: Runs, i: int) -> str:
    """A row's id, else its place in the file."""
    return runs.rows[i].get("id") or f"row {i + 2}"


def residuals(runs: Runs, t: Table, kept: Iterable[int], constants: Constants) -> dict[int, tuple[Setup, Point]]:
    """Row -> its setup, and how far the measurement lies from the prediction at the requests that run at once (those
    asked, as far as memory holds them; NaN where the row names none, and of a burst or with speculation)."""
    predicted = figures(t, constants)
    out = {}
    for i in kept:
        found = t.found[i]
        assert found is not None
        at = int(predicted.plan[i])
        jobs = t.jobs
        tp, pp, dp, ep, isl, osl = (int(x[at]) for x in (jobs.tp, jobs.pp, jobs.dp, jobs.ep, jobs.isl, jobs.osl))
        setup = Setup(kin(found.llm), found.precision, found.kv, found.gpu.id, tp, pp, dp, ep, isl, osl)
        ratio = math.log(runs.output_tok_s[i] / predicted.output_tok_s[i])
        steady = t.asked[at] and not t.drafts[at] and not t.burst[at]
        c = float(predicted.concurrency[i]) if steady else math.nan
        out[i] = setup, Point(c, ratio, named(runs, i))
    return out


def spanning(t: Table, constants: Constants) -> npt.NDArray[np.bool_]:
    """Rows of which a replica of the fastest plan spans nodes."""
    plan = figures(t, constants).plan
    return np.where(plan >= 0, t.spans[plan], False) if len(t.spans) else np.zeros(len(plan), dtype=bool)


def stack_of(e: Evidence, i: int, constants: Constants) -> str:
    """The generation whose constants the GPU of a row takes."""
    found = e.table.found[i]
    assert found is not None
    return constants.stack_name(found.gpu.arch, found.gpu.kernel_class)


def pool_of(e: Evidence, i: int, constants: Constants) -> str:
    """What a row's errors say something of: its stack, or bursts."""
    return interval.BURSTS if e.runs.rows[i].get("scenario") == BURST else stack_of(e, i, constants)


def line(
    i: int, setup: Setup, point: Point, e: Evidence, constants: Constants, across: bool, per_gpu: float
) -> dict[str, object]:
    """A row of residuals.csv."""
    tok_s = float(e.runs.output_tok_s[i])
    return {
        **setup._asdict(), "arch": e.label(i)[2], "stack": stack_of(e, i, constants), "across": "yes" if across else "",
        "concurrency": "" if math.isnan(point.concurrency) else f"{point.concurrency:g}",
        "per_gpu": f"{per_gpu:.6g}",
        "output_tok_s": f"{tok_s:g}", "predicted_tok_s": f"{tok_s / math.exp(point.log_ratio):.1f}", "id": point.source,
    }  # fmt: skip


def pools(e: Evidence, held_out: Mapping[str, Sequence[Floats]], constants: Constants) -> dict[str, HeldOut]:
    """Distance -> held-out errors of the rows that the audit kept."""
    out = {}
    for distance, found in held_out.items():
        at = [(errors, i) for errors in found for i in sorted(e.kept) if np.isfinite(errors[i])]
        picked = np.array([errors[i] for errors, i in at])
        out[distance] = pooled(e, picked, [i for _, i in at], constants)
    return out


def beyond(e: Evidence, loads: Mapping[int, float], known: Sequence[Prior], whole: Fit, k: Constants) -> HeldOut:
    """Errors of mixtures of experts far beyond the loads that were fitted on (`loads`: row -> requests at once on each
    GPU)."""
    of_experts = {i: stack_of(e, i, k) for i in loads if has_experts(e.label(i).model)}
    errors, far = judge_loads(e, loads, of_experts, known, whole)
    picked = [i for i, times in far.items() if times > interval.FAR and pool_of(e, i, k) != interval.BURSTS]
    return pooled(e, np.array([errors[i] for i in picked]), picked, k)


def pooled(e: Evidence, errors: Floats, rows: Sequence[int], constants: Constants) -> HeldOut:
    """Errors of rows with their weights and stacks."""
    stacks = tuple(pool_of(e, i, constants) for i in rows)
    vendors = tuple(e.label(i).vendor for i in rows)
    return HeldOut(errors, weights(e, rows), stacks, vendors, len({e.label(i)[:2] for i in rows}))


def same(points: Mapping[int, tuple[Setup, Point]], e: Evidence, constants: Constants) -> HeldOut:
    """Errors of each row predicted from rows of its very setup that another engine or another day made: what a user
    who runs neither has to expect."""
    curves: dict[Setup, list[tuple[int, Point]]] = defaultdict(list)
    for i, (setup, p) in points.items():
        if not math.isnan(p.concurrency):
            curves[setup].append((i, p))
    found: list[tuple[int, float]] = []
    for curve in curves.values():
        for i, p in curve:
            others = (q for j, q in curve if run_of(e, j) != run_of(e, i))
            other = measured(curve_of(others), p.concurrency)
            if other is not None:
                found.append((i, other.log_ratio - p.log_ratio))
    return pooled(e, np.array([x for _, x in found]), [i for i, _ in found], constants)


def run_of(e: Evidence, i: int) -> tuple[str, str]:
    """Engine and day of a row."""
    row = e.runs.rows[i]
    return row.get("engine") or "", row.get("measured") or ""


def table(path: Path, columns: Sequence[str], lines: Iterable[Mapping[str, object]]) -> None:
    """A CSV file, written at once."""
    text = io.StringIO()
    out = csv.DictWriter(text, list(columns), lineterminator="\n")
    out.writeheader()
    out.writerows({k: safe_cell(v) if isinstance(v, str) else v for k, v in x.items()} for x in lines)
    write_text(path, text.getvalue())
