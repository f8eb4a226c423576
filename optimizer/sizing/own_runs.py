"""Which calibration answers: the shipped one or a folder's, with a user's own measurements over it."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from catalogs.errors import Fault, InputError
from catalogs.inputs import CATALOG_BYTES, read_bytes
from catalogs.load import Catalog
from catalogs.message import Message, joined, message
from catalogs.other_file import MEASUREMENTS, expecting
from constraints.policy import Policy
from optimizer.text.csv_table import read_csv, wide_rows
from optimizer.throughput.batch import (
    KV,
    NUMBERS,
    PREFIX_CACHE,
    SPEC,
    TEXTS,
    Table,
    cached_percent,
    drafted_of,
    figures,
    prepare,
)
from optimizer.throughput.calibration import Calibration, Point, Setup, read, shipped
from optimizer.throughput.fitting import audit, measured
from optimizer.throughput.fitting.measured import Runs, of_rows
from optimizer.throughput.fitting.recalibrate import residuals, spanning
from optimizer.throughput.interval import seen

MOST_REASONS = 5
"""Left-out rows that a note names one by one."""


def calibration(folder: Path | None, own: Path | None, catalog: Catalog, policy: Policy) -> Calibration:
    """The calibration of --calibration (the shipped one without) with the measurements of --measured. Raises
    InputError for a folder or file that is none."""
    chosen = shipped()
    if folder is not None:
        note = message("calibration of {folder}: constants, intervals and measurements are its own.", folder=folder)
        chosen = replace(read(folder, str(folder)), notes=(note,))
    return chosen if own is None else with_own(chosen, own, catalog, policy)


def own_rows(path: Path) -> Runs:
    """A user's measured rows; each has an id, `file row N` where it names none."""
    remedy = f"Columns: {', '.join((*TEXTS, *NUMBERS))}, output_tok_s, ttft_ms, tpot_ms."
    with expecting(path, MEASUREMENTS):
        table = read_csv(path, measured.NEEDED, remedy)
    if faults := wide_rows(table):
        raise InputError(faults)
    names = [h.casefold() for h in table.header]
    rows = [dict(zip(names, cells, strict=True)) for cells in table.rows]
    for row, line in zip(rows, table.lines, strict=True):
        for name in (*TEXTS, *NUMBERS, KV, SPEC, "ttft_ms", "tpot_ms"):
            row.setdefault(name, "")
        row["id"] = row.get("id") or f"{path.name} row {line}"
    if not rows:
        raise InputError(Fault("empty-file", "has no rows", str(path), remedy=remedy))
    return of_rows(rows)


def with_own(base: Calibration, path: Path, catalog: Catalog, policy: Policy) -> Calibration:
    """`base` with a user's own rows in the place of its measurements of the same configurations."""
    runs = own_rows(path)
    table = prepare(runs.columns, catalog, policy, base.constants)
    left_out = {i: ("unanswered", text) for i, text in enumerate(table.errors) if text}
    for i in np.flatnonzero(~np.isfinite(runs.output_tok_s)).tolist():
        left_out[i] = ("no-figure", "output_tok_s is no number above 0")
    for i, reason in _otherwise_run(runs):
        left_out.setdefault(i, reason)
    good = [i for i in range(len(runs.rows)) if i not in left_out]
    found = audit.findings(runs.take(good), table.take(good))
    left_out |= {good[i]: reason for i, reason in found.items()}
    for i, reason in _impossible(runs, table, base).items():
        left_out.setdefault(i, reason)
    points: list[tuple[Setup, Point]] = []
    kept = [i for i in good if i not in left_out]
    for i, (setup, p) in residuals(runs, table, kept, base.constants).items():
        if math.isnan(p.concurrency):
            left_out[i] = ("no-concurrency", "names no concurrency")
        else:
            points.append((setup, Point(p.concurrency, p.log_ratio, _where(path, runs.rows[i]["id"]))))
    used = [i for i in kept if i not in left_out]
    spans = spanning(table, base.constants)
    known = [(made, bool(spans[i])) for i in used if (made := table.found[i]) is not None]
    stacks = {r.gpu.id: base.constants.stack_name(r.gpu.arch, r.gpu.kernel_class) for r, _ in known}
    sha = hashlib.sha256(base.sha256.encode() + read_bytes(path, CATALOG_BYTES)).hexdigest()
    chosen = base.with_points(points, seen((r.llm, r.gpu, across) for r, across in known), stacks)
    count = len({s for s, _ in points})
    text = message(
        "{file}: {n} of {all} rows used, they speak for {count} configuration and beat the model there "
        "(basis measured)."
        if count == 1
        else "{file}: {n} of {all} rows used, they speak for {count} configurations and beat the model there "
        "(basis measured).",
        file=path.name, n=len(points), all=len(runs.rows), count=count,
    )  # fmt: skip
    notes = [*base.notes, text]
    if left_out:
        notes.append(message("{file}: left out are {what}.", file=path.name, what=_reasons(runs, left_out)))
    return replace(chosen, name=f"{base.name} + {path.name}", sha256=sha, notes=tuple(notes))


def _otherwise_run(runs: Runs) -> Iterator[tuple[int, tuple[str, str]]]:
    """Rows that speak for no plan which computes every token of its prompts and one of the answer per step."""
    for i, row in enumerate(runs.rows):
        percent = cached_percent((row.get(PREFIX_CACHE) or "").strip())
        if percent is None:
            yield i, ("unanswered", message("prefix_cache is no percentage"))
        elif percent:
            yield i, ("prefix-cache", message("{percent} % of its prompts were in the prefix cache", percent=percent))
        elif drafted_of((row.get(SPEC) or "").strip()):
            yield i, ("speculation", message("ran with speculation ({kind})", kind=row[SPEC]))


def _impossible(runs: Runs, table: Table, base: Calibration) -> dict[int, tuple[str, str]]:
    """Rows without latencies that no memory allows: each token of a request takes one reading of the weights of at
    least one request at peak bandwidth, so concurrency / throughput is never less than that."""
    jobs, at = table.jobs, figures(table, base.constants).plan
    group = jobs.tp * jobs.dp
    least_s = (
        jobs.dense_b / jobs.tp + jobs.expert_b * np.where(jobs.expert_b > 0, 1 - jobs.miss, 0) / group
    ) / jobs.mem_b_s
    out: dict[int, tuple[str, str]] = {}
    for i, e in enumerate(at.tolist()):
        if e >= 0 and table.asked[e] and runs.output_tok_s[i] * least_s[e] > table.asked[e] * audit.MARGIN:
            most = float(table.asked[e] / least_s[e])
            text = message(
                "{speed} tok/s, its memory bandwidth allows {most} at this concurrency",
                speed=f"{runs.output_tok_s[i]:,.0f}", most=f"{most:,.0f}",
            )  # fmt: skip
            out[i] = ("faster-than-memory", text)
    return out


def _where(path: Path, name: str) -> str:
    return name if name.startswith(path.name) else f"{path.name}: {name}"


def _reasons(runs: Runs, left_out: dict[int, tuple[str, str]]) -> str:
    """Which rows and why; of many only how many per rule."""
    if len(left_out) <= MOST_REASONS:
        return joined((_left_out(runs.rows[i]["id"], why) for i, (_, why) in sorted(left_out.items())), "; ")
    counts = Counter(rule for rule, _ in left_out.values())
    rules = joined(f"{n} {rule}" for rule, n in counts.most_common())
    return message("{n} rows: {rules}", n=len(left_out), rules=rules)


def _left_out(row: str, why: str) -> str:
    return Message("{row} ({why})", {"row": row, "why": why.rstrip(".") if why.endswith(".") else why})
