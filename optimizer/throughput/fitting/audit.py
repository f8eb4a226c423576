"""Which measured rows contradict themselves, each other or physics: left out of the fit by rule, never by hand.

Each rule gives (row, reason). The findings on the shipped file are in data/audit.csv; a test keeps the two equal.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from optimizer.throughput.batch import BURST, Table
from optimizer.throughput.fitting.measured import Runs
from optimizer.throughput.roofline import Floats

Finding = tuple[int, str]
CLOSED_LOOP = "closed_loop"
SERVING = ("closed_loop", "offline", "burst_1000", "single_stream", "")
"""Scenarios that measure a whole system at a load that a row names or that is the largest."""
OTHERS = {
    "fleet": "its prefills ran on other machines",
    "fleet_decode": "its prefills ran on other machines",
    "online": "its output follows from the rate at which requests were sent",
    "server": "its load follows from latency limits that the row does not name",
    "interactive": "its load follows from latency limits that the row does not name",
    "offload": "its experts lie in host memory (data/offload_measured.csv)",
}
OVERTAKEN = re.compile(r"early software|unoptimised stack|later software")
"""What a note says of a run on a stack that runs the same twice as fast half a year later."""
PLAN = ("model", "gpu", "precision", "n_gpus", "tp", "pp", "dp", "ep")
LOAD = ("model", "gpu", "precision", "isl", "osl", "concurrency")
PLAN_IN_ID = re.compile(r"_tp(\d+)(?:_0)?_ep(\d+)")
MARGIN = 1.05
"""What rounding in a published figure may add."""
ENGINE_SPREAD = 5.0
"""Between engines on the same machine: well beyond the 1.2-3 x of the other rows."""
SLOWER_WITH_LESS = 1.25
"""Time per token over that at a higher concurrency: noise stays below."""


@dataclass(frozen=True)
class Rule:
    """One reason to leave rows out."""

    name: str
    why: str
    find: Callable[[Runs, Table], Iterator[Finding]]


def no_figure(runs: Runs, table: Table) -> Iterator[Finding]:
    for i in np.flatnonzero(~np.isfinite(runs.output_tok_s)).tolist():
        yield i, f"output_tok_s is {runs.rows[i].get('output_tok_s')!r}"


def not_a_system(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, row in enumerate(runs.rows):
        scenario = row.get("scenario") or ""
        if scenario not in SERVING:
            yield i, f"scenario {scenario}: {OTHERS.get(scenario, 'not known')}"


def two_halves(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, row in enumerate(runs.rows):
        if row.get("disagg") == "yes":
            yield i, f"{row['prefill_gpus']} GPUs prefill for {row['decode_gpus']} that decode: no plan of one kind"


def overtaken(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, row in enumerate(runs.rows):
        if found := OVERTAKEN.search(row.get("note") or ""):
            yield i, f"the note says {found[0]}: the latest runs are the ones to judge by"


def unknown_speculation(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, row in enumerate(runs.rows):
        if row.get("spec") == "unknown":
            yield i, "whether a module proposed tokens is not known"


def unanswered(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, text in enumerate(table.errors):
        if text:
            yield i, text


def formula(runs: Runs, table: Table) -> Iterator[Finding]:
    """tok/s of a closed loop follow from latency and concurrency; figures that do not agree are of different runs."""
    c, osl = _numbers(runs, "concurrency"), _numbers(runs, "osl")
    implied = c * osl / (runs.ttft_ms + runs.tpot_ms * (osl - 1)) * 1e3
    off = np.flatnonzero(np.abs(np.log(implied / runs.output_tok_s)) > np.log(1.25)).tolist()
    for i in (i for i in off if runs.rows[i].get("scenario") != BURST):
        yield i, f"latency and concurrency imply {implied[i]:.1f} tok/s, the row says {runs.output_tok_s[i]:.1f}"


def columns_against_id(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, row in enumerate(runs.rows):
        named = PLAN_IN_ID.search(row.get("id") or "")
        if named and int(named[1]) != (n := int(float(row["n_gpus"]))):
            yield i, f"the id says tp{named[1]} ep{named[2]}, the columns {n} GPUs: tp was multiplied by ep"


def name_against_precision(runs: Runs, table: Table) -> Iterator[Finding]:
    for i, row in enumerate(runs.rows):
        if "W8A8" in row["model"] and row["precision"] not in ("int8", "fp8"):
            yield i, f"the model's name says W8A8, the precision {row['precision']}"


def same_figures(runs: Runs, table: Table) -> Iterator[Finding]:
    """Latencies equal to the last digit on machines of different size: one run, entered twice. The smallest stays."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(runs.rows):
        if row.get("ttft_ms") and row.get("tpot_ms"):
            alike[
                tuple(row[c] for c in ("model", "gpu", "precision", "isl", "osl", "concurrency", "ttft_ms", "tpot_ms"))
            ].append(i)
    for found in alike.values():
        size = [int(float(runs.rows[i]["n_gpus"])) for i in found]
        for i, n in zip(found, size, strict=True):
            if n > min(size):
                first = runs.rows[found[size.index(min(size))]]["id"]
                yield i, f"same latencies to the digit as {first} on {min(size)} GPUs"


def faster_than_memory(runs: Runs, table: Table) -> Iterator[Finding]:
    """A step reads the weights and the KV cache of those that run: no step is shorter than that at peak bandwidth."""
    jobs, c, osl = table.jobs, _numbers(runs, "concurrency"), _numbers(runs, "osl")
    decoding = runs.tpot_ms * (osl - 1)
    running = (c * decoding / (runs.ttft_ms + decoding))[table.owner] / table.replicas
    batch = np.maximum(running / jobs.pp, 1)
    touched = np.where(jobs.expert_b > 0, 1 - np.power(jobs.miss, np.power(batch, 0.8)), 0)
    group = jobs.tp * jobs.dp * jobs.pp
    least = (jobs.dense_b / jobs.tp / jobs.pp + jobs.expert_b * touched / group) / jobs.mem_b_s
    kept = jobs.kv_read_b / np.minimum(jobs.tp, jobs.kv_heads) + jobs.kv_whole_b + jobs.state_b / jobs.tp
    kept = kept + jobs.kv_other_b / np.minimum(jobs.tp, jobs.kv_other_heads)
    least = least + kept * batch / jobs.dp / jobs.mem_b_s
    took = runs.tpot_ms[table.owner] / 1e3
    for e in np.flatnonzero(took * MARGIN < least).tolist():
        i = int(table.owner[e])
        if runs.rows[i].get("tp"):
            yield i, f"{runs.tpot_ms[i]:.2f} ms per token, reading its weights and KV takes {least[e] * 1e3:.2f} ms"


def slower_with_less(runs: Runs, table: Table) -> Iterator[Finding]:
    """Time per token may not fall as concurrency rises: the fewest rows of a curve without which it does not."""
    for curve in _curves(runs).values():
        kept = _longest_rising([float(runs.tpot_ms[i]) for i in curve])
        for place, i in enumerate(curve):
            if place not in kept:
                yield i, f"{runs.tpot_ms[i]:.1f} ms per token does not fit the other concurrencies of the same system"


def _longest_rising(values: list[float]) -> set[int]:
    """Places of the longest part of a sequence that never falls by more than SLOWER_WITH_LESS."""
    best: list[list[int]] = []
    for i, v in enumerate(values):
        longest: list[int] = []
        for b in best:
            if values[b[-1]] <= SLOWER_WITH_LESS * v and len(b) > len(longest):
                longest = b
        best.append([*longest, i])
    return set(sorted(best, key=len)[-1]) if best else set()


def engine_spread(runs: Runs, table: Table) -> Iterator[Finding]:
    """Far below another engine on the same machine with the same load: a setting of that run, not the hardware."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(runs.rows):
        if np.isfinite(runs.output_tok_s[i]):
            lengths = (f"{float(row['isl'] or 0):.1e}", f"{float(row['osl'] or 0):.0e}")
            alike[(*(row.get(c) or "" for c in (*PLAN, "scenario", "concurrency", "spec", "disagg")), *lengths)].append(
                i
            )
    for found in alike.values():
        best = max(found, key=lambda i: runs.output_tok_s[i])
        for i in found:
            if runs.output_tok_s[i] * ENGINE_SPREAD < runs.output_tok_s[best]:
                yield (
                    i,
                    f"{runs.output_tok_s[i]:.1f} tok/s, {runs.rows[best]['id']} reached {runs.output_tok_s[best]:.1f}",
                )


RULES = (
    Rule("no-figure", "no number was measured", no_figure),
    Rule("not-a-system", "the figure is not of the system in the columns", not_a_system),
    Rule("two-halves", "prefill and decode ran on GPUs of their own", two_halves),
    Rule("overtaken", "an early stack, of which later runs are known", overtaken),
    Rule("unknown-speculation", "whether it speculates is unknown", unknown_speculation),
    Rule("unanswered", "the model can't answer the row", unanswered),
    Rule("formula", "latency, concurrency and throughput contradict each other", formula),
    Rule("columns-against-id", "the row's id and its columns name different plans", columns_against_id),
    Rule("name-against-precision", "the model's name and the precision contradict each other", name_against_precision),
    Rule("same-figures", "one run entered for machines of different size", same_figures),
    Rule("faster-than-memory", "faster than the memory bandwidth allows", faster_than_memory),
    Rule("slower-with-less", "slower per token than at a higher concurrency", slower_with_less),
    Rule("engine-spread", "far below another engine on the same machine", engine_spread),
)


def findings(runs: Runs, table: Table) -> dict[int, tuple[str, str]]:
    """Row -> (rule, reason) of the first rule that leaves it out."""
    out: dict[int, tuple[str, str]] = {}
    for rule in RULES:
        for i, reason in rule.find(runs, table):
            out.setdefault(i, (rule.name, reason))
    return out


def _numbers(runs: Runs, column: str) -> Floats:
    return np.array([float(x) if x else np.nan for x in runs.columns[column]])


def _curves(runs: Runs) -> dict[tuple[str, ...], list[int]]:
    """Rows of one system, load and day by ascending concurrency."""
    out: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(runs.rows):
        if row.get("scenario") == CLOSED_LOOP and row.get("concurrency") and np.isfinite(runs.tpot_ms[i]):
            engine = (row.get("engine") or "").split(" ")[0]
            stack = (row.get(c) or "" for c in ("measured", "spec", "disagg", "kv_precision"))
            out[(*(row[c] for c in (*PLAN, "isl", "osl")), engine, *stack)].append(i)
    return {k: sorted(v, key=lambda i: float(runs.rows[i]["concurrency"])) for k, v in out.items()}
