"""The scoreboard: how far the throughput model is off on groups of measurements that it was not fitted on.

    python benchmarks/throughput/run.py            # write docs/throughput-scoreboard.md
    python benchmarks/throughput/run.py --check    # recompute it; exit 1 when the page differs
    python benchmarks/throughput/run.py --refit    # first refit the shipped constants (optimizer/throughput/data)

Whole groups are left out, never single rows: each model x GPU, each model (kin together), each GPU, each vendor, runs
across nodes. Beside it stand a roofline of ten constants (ten_constants.csv) on the same rows and splits, and other
people's models on the rows that they answer (rivals/).
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.throughput.picture import FILE as PICTURE
from benchmarks.throughput.picture import picture
from benchmarks.throughput.rivals.compare import RIVALS, answers
from catalogs.load import load
from constraints.policy import Policy
from optimizer.throughput import interval
from optimizer.throughput.answers import Answers
from optimizer.throughput.batch import BURST, figures, per_candidate, prepare
from optimizer.throughput.calibration import Calibration, shipped
from optimizer.throughput.calibration import read as calibration_in
from optimizer.throughput.constants import DATA, Constants, read_constants, rows
from optimizer.throughput.demand import has_experts
from optimizer.throughput.disaggregated_rows import (
    DECODE_GPUS,
    DECODE_PLAN,
    DISAGG,
    PREFILL_GPUS,
    PREFILL_PLAN,
    all_answers,
    is_apart,
)
from optimizer.throughput.fitting import measured
from optimizer.throughput.fitting.calibrate import Prior, priors, row_weights
from optimizer.throughput.fitting.heldout import Evidence, Fit, fit_all, judge, judge_loads, weights
from optimizer.throughput.fitting.measured import Runs
from optimizer.throughput.fitting.recalibrate import evidence, pool_of, recalibrate, stack_of
from optimizer.throughput.roofline import Floats

PAGE = Path(__file__).parents[2] / "docs" / "throughput-scoreboard.md"
TEN = Path(__file__).with_name("ten_constants.csv")
SPLITS = {
    "model x GPU": "model-and-gpu",
    "model": "model-or-gpu",
    "GPU": "model-or-gpu",
    "model and GPU": "generation",
    "vendor": "nothing",
    "several nodes": "nothing",
}
"""Split -> the distance whose interval a figure there carries."""
BEFORE = {
    "AMD": ("42", "94"),
    "DeepSeek": ("33", "129"),
    "maximum load": ("31", "79"),
    "speculation": ("71", ""),
}
"""Median and 90th percentile of the model before, which took every cache for 16 bits and knew no speculation."""
BEFORE_SAID = (
    "`before`: the model of 2026-11 on rows of the second edition that it had not seen (21.5 % in the median, 62 %\n"
    "at the 90th percentile, rank 0.978, 71 % inside), as far as it was judged by kind."
)
FEW = 10
"""Rows of a kind below which the scoreboard does not show them apart."""
TOLERANCE = 1.0
"""By how much a percentage may differ between machines (last bits of the fit)."""


def ten(e: Evidence) -> Evidence:
    """The same rows, made ready for the ten constants."""
    table = prepare(e.runs.columns, load(), Policy(), read_constants(TEN))
    return replace(e, table=table)


def ranks(x: Floats) -> Floats:
    """Ranks, equals sharing their mean."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def summary(e: Evidence, errors: Floats, at: np.ndarray) -> tuple[float, float, float]:
    """(median, 90th percentile, rank correlation) of rows; relative errors in %."""
    x = errors[at]
    y = np.log(e.runs.output_tok_s[at])
    off = 100 * np.abs(np.expm1(x))
    rank = float(np.corrcoef(ranks(y), ranks(y + x))[0, 1]) if len(at) > 2 else float("nan")
    return float(np.median(off)), float(np.quantile(off, 0.9)), rank


def inside(e: Evidence, errors: Floats, at: np.ndarray, constants: Constants) -> np.ndarray:
    """Which rows lie inside an interval whose width comes from the other groups' held-out errors on their stack."""
    labels = np.array([" ".join(e.label(i)[:2]) for i in at])
    pools = np.array([pool_of(e, i, constants) for i in at])
    vendors = np.array([e.label(i).vendor for i in at])
    bursts = pools == interval.BURSTS
    out = np.zeros(len(at), dtype=bool)
    for group, pool in sorted(set(zip(labels.tolist(), pools.tolist(), strict=True))):
        here = (labels == group) & (pools == pool)
        rest = (labels != group) & (bursts == (pool == interval.BURSTS))
        weight = weights(e, at[rest])
        for own in (pools[rest] == pool, vendors[rest] == vendors[here][0]):
            if own.sum() >= interval.SHARED:
                weight = interval.on_stack(weight, own)
                break
        low, high = interval.quantiles(errors[at[rest]], weight)
        ratio = np.exp(-errors[at[here]])
        out[here] = (ratio >= low) & (ratio <= high)
    return out


def over_groups(e: Evidence, errors: Floats, at: np.ndarray) -> float:
    """The median over groups (model x GPU) of their median errors, in %: each counts alike, whatever its size."""
    groups: dict[object, list[float]] = {}
    for i in at.tolist():
        groups.setdefault(e.label(i)[:2], []).append(100 * abs(float(np.expm1(errors[i]))))
    return float(np.median([np.median(group) for group in groups.values()]))


def requests(e: Evidence, i: int) -> float:
    """Requests at once in the system; infinite at the largest load."""
    named = e.runs.rows[i].get("concurrency")
    return float(named) if named else float("inf")


CLASSES: dict[str, Callable[[Evidence, int], bool]] = {
    "NVIDIA": lambda e, i: e.label(i).vendor == "NVIDIA",
    "AMD": lambda e, i: e.label(i).vendor == "AMD",
    "Intel": lambda e, i: e.label(i).vendor == "Intel",
    "Huawei": lambda e, i: e.label(i).vendor == "Huawei",
    "DeepSeek": lambda e, i: e.label(i)[0].startswith("deepseek"),
    "1 to 8 requests": lambda e, i: requests(e, i) <= 8,
    "9 to 63 requests": lambda e, i: 8 < requests(e, i) < 64,
    "64 requests and more": lambda e, i: 64 <= requests(e, i) < float("inf"),
    "maximum load": lambda e, i: e.runs.rows[i].get("scenario") == "offline",
    "burst of 1,000": lambda e, i: e.runs.rows[i].get("scenario") == BURST,
    "several nodes": lambda e, i: e.runs.rows[i].get("nodes") not in ("", "1"),
    "speculation": lambda e, i: e.runs.rows[i].get("spec") not in ("", "none"),
    "no speculation": lambda e, i: e.runs.rows[i].get("spec") in ("", "none"),
}
"""Kinds of rows that the scoreboard shows apart."""


LAYOUT = re.compile(r"prefill (\d+) x tp(\d+) ep(\d+) dpa=(\w+); decode (\d+) x tp(\d+) ep(\d+) dpa=(\w+)")
"""What the note of a run says of its halves: replicas, sizes, and whether attention is data-parallel."""


def plan_of(gpus: str, replicas: str, tp: str, ep: str, data_parallel: str) -> str:
    """The plan of a half as a table has it: ranks of attention are dp here, and experts lie over all GPUs."""
    size = int(gpus) // int(replicas)
    return f"dp{size} ep{size}" if data_parallel == "True" or int(tp) != size else f"tp{tp} ep{ep}"


def halves(calibration: Calibration) -> tuple[Runs, Answers, Answers, int]:
    """Runs whose prefill and decode had GPUs of their own, what is said of them by the fastest plans and by those of
    each half as far as the run names them, and how many do."""
    runs = measured.read(measured.SHIPPED)
    runs = runs.take([i for i, x in enumerate(runs.rows) if is_apart(x["disagg"]) and x["scenario"] == "closed_loop"])
    layouts = [LAYOUT.search(row["note"]) for row in runs.rows]
    columns = {**runs.columns, **{c: [row[c] for row in runs.rows] for c in (DISAGG, PREFILL_GPUS, DECODE_GPUS)}}
    free = all_answers(columns, load(), Policy(), calibration)
    for half, (gpus, plan) in enumerate(((PREFILL_GPUS, PREFILL_PLAN), (DECODE_GPUS, DECODE_PLAN))):
        named = [found.groups()[4 * half : 4 * half + 4] if found else None for found in layouts]
        columns[plan] = [plan_of(x[gpus], *sizes) if sizes else "" for x, sizes in zip(runs.rows, named, strict=True)]
    as_run = all_answers(columns, load(), Policy(), calibration)
    return runs, free, as_run, sum(found is not None for found in layouts)


def halves_width() -> interval.Width:
    """What holds 80 % of these runs, groups weighing the square root of their size: none of them is fitted on."""
    runs, _, as_run, _ = halves(calibration_in(DATA, "shipped"))
    at = np.flatnonzero(np.isfinite(as_run.output_tok_s))
    groups = [runs.groups[i] for i in at.tolist()]
    errors = np.log(as_run.output_tok_s[at] / runs.output_tok_s[at])
    low, high = interval.quantiles(errors, row_weights(groups))
    return interval.Width(low, high, len(at), len(set(groups)))


def add_halves() -> None:
    """That width into the shipped intervals."""
    width, path = halves_width(), DATA / interval.FILE
    line = f"{interval.NOTHING},{interval.HALVES},roofline,{width.low:.4f},{width.high:.4f},{width.rows},{width.groups}"
    path.write_text(path.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")


def apart() -> list[str]:
    """Lines on runs whose prefill and decode had GPUs of their own: none of them is fitted on."""
    runs, free, as_run, named = halves(shipped())
    kinds: dict[str, Callable[[Mapping[str, str]], bool]] = {
        "all": lambda x: True,
        "NVIDIA": lambda x: not x["gpu"].startswith("MI"),
        "AMD": lambda x: x["gpu"].startswith("MI"),
        "speculation": lambda x: x["spec"] != "none",
        "no speculation": lambda x: x["spec"] == "none",
        "1 to 8 requests": lambda x: float(x["concurrency"]) <= 8,
        "9 to 63 requests": lambda x: 8 < float(x["concurrency"]) < 64,
        "64 to 511 requests": lambda x: 64 <= float(x["concurrency"]) < 512,
        "512 requests and more": lambda x: float(x["concurrency"]) >= 512,
    }
    lines = [
        "",
        "## Prefill and decode on GPUs of their own",
        "",
        f"{len(runs.rows)} runs of DeepSeek-R1 and V4-Pro that no constant is fitted on, by the plan of each half",
        f"where the run names it ({named}), else the fastest; in the last column by the fastest plans alone. The",
        "interval is what holds 80 % of them (basis `roofline`).",
        "",
        "| rows of | rows | median | p90 | bias | in interval | TTFT: median | fastest plans: median |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, belongs in kinds.items():
        at = np.array([i for i, row in enumerate(runs.rows) if belongs(row) and not as_run.errors[i]])
        truth = runs.output_tok_s[at]
        off = as_run.output_tok_s[at] / truth - 1
        inside = np.mean((truth >= as_run.low[at]) & (truth <= as_run.high[at]))
        first = np.abs(as_run.ttft_ms[at] / runs.ttft_ms[at] - 1)
        lines.append(
            f"| {name} | {len(at)} | {100 * np.median(np.abs(off)):.1f} | {100 * np.quantile(np.abs(off), 0.9):.1f} "
            f"| {100 * np.median(off):+.1f} | {100 * inside:.0f} | {100 * np.nanmedian(first):.0f} "
            f"| {100 * np.median(np.abs(free.output_tok_s[at] / truth - 1)):.1f} |"
        )
    return lines


def loads(e: Evidence, constants: Constants) -> dict[int, float]:
    """Requests at once on each GPU of the rows that were fitted on."""
    found, jobs = figures(e.table, constants), e.table.jobs
    sizes = per_candidate(jobs.tp * jobs.pp * jobs.dp, e.table)
    return {i: float(found.concurrency[i]) / int(sizes[found.plan[i]]) for i in sorted(e.kept)}


def beyond(e: Evidence, known: Sequence[Prior], whole: Fit, constants: Constants) -> list[str]:
    """Lines on loads beyond those that were fitted on: how errors grow, and the reach of each stack."""
    per_gpu = loads(e, constants)
    lines = [
        "",
        "## Beyond the measured loads",
        "",
        "The upper half of each stack's rows by requests at once per GPU, predicted from the lower half (median as the",
        "cut) and without the row's own group; bursts apart. `times`: the load over the largest that was fitted on.",
        "",
        "| rows of | times | rows | median | p90 | bias | in interval of model-and-gpu | of beyond |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, experts in (("mixtures of experts", True), ("dense models", False)):
        stacks = {i: stack_of(e, i, constants) for i in per_gpu if has_experts(e.label(i).model) == experts}
        errors, times = judge_loads(e, per_gpu, stacks, known, whole)
        steady = [i for i in times if pool_of(e, i, constants) != interval.BURSTS]
        x = np.full(len(e.runs.rows), np.nan)
        x[steady] = [errors[i] for i in steady]
        far = np.array([i for i in steady if times[i] > interval.FAR])
        within = dict(zip(far.tolist(), inside(e, x, far, constants).tolist(), strict=True))
        for said, least, most in (("1 to 2", 1, 2), ("2 to 4", 2, 4), ("above 4", 4, np.inf)):
            for vendor in ("", "NVIDIA", "AMD"):
                here = [i for i in steady if least < times[i] <= most and vendor in ("", e.label(i).vendor)]
                if len(here) < FEW:
                    continue
                at = np.array(here)
                middle, high, _ = summary(e, x, at)
                near = 100 * np.mean([holds(e, i, "model-and-gpu", x[i]) for i in here])
                own = f"{100 * np.mean([within[i] for i in here]):.0f}" if experts and least >= interval.FAR else ""
                lines.append(
                    f"| {', '.join(filter(None, (kind, vendor)))} | {said} | {len(at)} | {middle:.1f} | {high:.1f} "
                    f"| {100 * np.expm1(np.median(x[at])):+.1f} | {near:.0f} | {own} |"
                )
    reach = ", ".join(f"{stack} {most:,.0f}" for stack, most in sorted(shipped().expert_loads.items()))
    return [
        *lines,
        "",
        "The most requests per GPU at once that were measured of a mixture of experts:",
        f"{reach}.",
        "Beyond twice that a figure is `roofline`, and its interval is no narrower than that of `beyond`. Dense",
        "models, of which the ordinary interval holds as many rows there as it ought to, are judged as before.",
    ]


def holds(e: Evidence, i: int, distance: str, error: float) -> bool:
    """Whether the shipped interval of a distance holds a row that is predicted with an error (log)."""
    found = e.table.found[i]
    assert found is not None
    width = shipped().width(distance, found.gpu)
    return bool(width.low <= np.exp(-error) <= width.high)


def page() -> str:
    started = time.perf_counter()
    e, left_out, lines = evidence(measured.read(measured.SHIPPED), load(), Policy(), rows())
    lean = ten(e)
    known, known_ten = priors(lines), priors(rows(TEN))
    whole, whole_ten = fit_all(e, known), fit_all(lean, known_ten)
    constants = whole.problem.constants(whole.at)
    ours = {s: judge(e, s, known, whole)["output_tok_s"] for s in SPLITS}
    theirs = {s: judge(lean, s, known_ten, whole_ten)["output_tok_s"] for s in SPLITS}
    kept = np.array(sorted(e.kept))
    every = np.array(e.answered)
    out = [
        "# How far the throughput model is off on what it has not seen",
        "",
        "Written by `python benchmarks/throughput/run.py`; CI recomputes it. Each line leaves whole groups out of the",
        "fit (never single rows) and judges them: errors of tok/s in %, rank correlation, and the share of rows inside",
        "the 80 % interval, whose width comes from the held-out errors of the other groups.",
        "",
        f"{len(e.runs.rows)} measured rows, {len(every)} answered, {len(left_out)} left out of the fit by rule",
        "(optimizer/throughput/data/audit.csv; `audited rows too` judges those that are answered as well, among them",
        "prefill and decode on GPUs of their own and early stacks). Goal: median <= 12 %, 90th percentile <= 40 %,",
        "rank >= 0.975, coverage 75-88 %.",
        "",
        "| left out | rows | median | p90 | rank | median over groups | in interval | ten constants: median | p90 "
        "| rank |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    within: dict[int, bool] = {}
    for split in SPLITS:
        for name, at in (("", kept), (", audited rows too", every)):
            at = at[np.isfinite(ours[split][at]) & np.isfinite(theirs[split][at])]
            if split == "several nodes":  # the other fold, all of one node without them, says nothing
                at = np.array([i for i in at if e.label(i).nodes == split.split(" ")[0]])
            m, p, r = summary(e, ours[split], at)
            m10, p10, r10 = summary(lean, theirs[split], at)
            found = inside(e, ours[split], at, constants)
            if not within:
                within = dict(zip(at.tolist(), found.tolist(), strict=True))
            out.append(
                f"| {split}{name} | {len(at)} | {m:.1f} | {p:.1f} | {r:.3f} "
                f"| {over_groups(e, ours[split], at):.1f} | {100 * found.mean():.0f} "
                f"| {m10:.1f} | {p10:.1f} | {r10:.3f} |"
            )
    out += [
        "",
        "The ten constants stand in the same code (collectives, queueing, memory, plans), so they are the harder",
        "rival. Without a vendor the constants of its GPUs are those of constants.csv before any fit; `several nodes`",
        "are predicted from runs on one node alone.",
        "",
        *beside_rivals(e, ours["model x GPU"], theirs["model x GPU"], kept),
        "## By kind of row (model x GPU left out)",
        "",
        "| rows of | rows | median | p90 | bias | in interval | before: median | p90 | ten constants: median | p90 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, belongs in CLASSES.items():
        at = np.array([i for i in within if belongs(e, i)])
        if not len(at):
            continue
        x = ours["model x GPU"][at]
        (m, p, _), (m10, p10, _) = summary(e, ours["model x GPU"], at), summary(lean, theirs["model x GPU"], at)
        before = " | ".join(BEFORE.get(name, ("", "")))
        out.append(
            f"| {name} | {len(at)} | {m:.1f} | {p:.1f} | {100 * np.expm1(np.median(x)):+.1f} "
            f"| {100 * np.mean([within[i] for i in at.tolist()]):.0f} | {before} | {m10:.1f} | {p10:.1f} |"
        )
    out += [
        "",
        BEFORE_SAID,
        *apart(),
        *beyond(e, known, whole, constants),
        "",
        "## Interval widths by distance",
        "",
        "Of all stacks together, of bursts apart, and of each stack and vendor with enough held-out rows of its own.",
        "",
        "| what was measured | stack | basis | low | high | high over low | held-out rows |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for (d, stack), w in shipped().widths.items():
        out.append(
            f"| {d} | {stack or 'all'} | {interval.basis(d, stack)} | {w.low:.2f} | {w.high:.2f} "
            f"| {w.high / w.low:.2f} | {w.rows} |"
        )
    out += [
        "",
        "## Per group (model x GPU left out)",
        "",
        "| group | rows | median | p90 | bias | in interval | ten constants: median |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    groups: dict[str, list[int]] = {}
    for i in within:
        groups.setdefault(" on ".join(e.label(i)[:2]), []).append(i)
    for g, listed in sorted(groups.items()):
        at = np.array(listed)
        x = ours["model x GPU"][at]
        m, p, _ = summary(e, ours["model x GPU"], at)
        m10, _, _ = summary(lean, theirs["model x GPU"], at)
        share = 100 * np.mean([within[i] for i in listed])
        out.append(
            f"| {g} | {len(at)} | {m:.0f} | {p:.0f} | {100 * np.expm1(np.median(x)):+.0f} | {share:.0f} | {m10:.0f} |"
        )
    if "--check" not in sys.argv:
        PICTURE.write_text(picture(panels(e, ours["model x GPU"], np.array(list(within)))), encoding="utf-8")
    print(f"{time.perf_counter() - started:.1f} s", file=sys.stderr)
    return "\n".join(out) + "\n"


def beside_rivals(e: Evidence, ours: Floats, ten_constants: Floats, kept: np.ndarray) -> list[str]:
    """The lines on other people's models, each on the rows that it answers."""
    out = [
        "## Beside other people's models",
        "",
        "On the rows that each answers, of 1,813 that can be asked (NVIDIA, closed loop, plan named, no speculation);",
        "dsopt and the ten constants without that model on that GPU, the others as they come. What they said is stored",
        "in benchmarks/throughput/rivals, with how to ask again.",
        "",
        "| model | version, asked | rows | median | p90 | rank | dsopt: median | p90 | rank | ten constants: median "
        "| p90 |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for rival in RIVALS:
        said = answers(rival)
        at = np.array([i for i in kept.tolist() if e.runs.rows[i].get("id") in said.tok_s])
        theirs = np.full(len(ours), np.nan)
        theirs[at] = [np.log(said.tok_s[e.runs.rows[i]["id"]] / e.runs.output_tok_s[i]) for i in at.tolist()]
        (m, p, r), (m1, p1, r1), (m10, p10, _) = (summary(e, x, at) for x in (theirs, ours, ten_constants))
        out.append(
            f"| {rival} | {said.version}, {said.day} | {len(at)} | {m:.1f} | {p:.1f} | {r:.3f} | {m1:.1f} | {p1:.1f} "
            f"| {r1:.3f} | {m10:.1f} | {p10:.1f} |"
        )
    return [*out, ""]


def panels(e: Evidence, errors: Floats, at: np.ndarray) -> dict[str, list[tuple[float, float]]]:
    """(measured, predicted) tok/s of rows, by vendor; those of few rows together."""
    out: dict[str, list[tuple[float, float]]] = {"NVIDIA": [], "AMD": [], "Intel, Huawei": []}
    for i in at.tolist():
        measured_tok_s, maker = float(e.runs.output_tok_s[i]), e.label(i).vendor
        place = next(title for title in out if maker in title)
        out[place].append((measured_tok_s, measured_tok_s * float(np.exp(errors[i]))))
    return out


def same(a: str, b: str) -> bool:
    """Whether two pages agree, their numbers up to TOLERANCE (ranks up to a hundredth of it)."""
    number = re.compile(r"[-+]?\d+(?:\.\d+)?")
    if number.sub("#", a) != number.sub("#", b):
        return False

    def near(x: str, y: str) -> bool:
        return abs(float(x) - float(y)) <= (TOLERANCE / 100 if x.startswith("0.") else TOLERANCE)

    return all(near(x, y) for x, y in zip(number.findall(a), number.findall(b), strict=True))


if __name__ == "__main__":
    if "--refit" in sys.argv:
        recalibrate(measured.read(measured.SHIPPED), load(), Policy(), DATA)
        add_halves()
    found = page()
    if "--check" in sys.argv:
        if not same(PAGE.read_text(encoding="utf-8"), found):
            print(found)
            raise SystemExit("docs/throughput-scoreboard.md differs from what the code computes")
    else:
        PAGE.write_text(found, encoding="utf-8")
