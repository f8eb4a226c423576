"""Many configurations at once: rows of a table in, throughput and latencies out, as arrays and not in a loop.

A row names model, precision, GPU, number of GPUs and nodes, and may name the plan (tp, pp, dp, ep), its engine,
lengths and concurrency. Without tp the fastest plan is taken, without concurrency as many requests as memory holds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from catalogs.file_kinds import FILE_KINDS
from catalogs.load import Catalog
from catalogs.message import message
from constraints.policy import Policy
from optimizer.throughput.constants import Constants, constants
from optimizer.throughput.demand import Demand
from optimizer.throughput.jobs import Accelerator, jobs, pcie_b_s, with_redundant
from optimizer.throughput.roofline import DEPTH_OF_ENGINE, Flags, Floats, Ints, Jobs, Latencies, Times, times
from optimizer.throughput.setups import Asked, Resolved, Resolver

TEXTS = ("model", "precision", "gpu")
NUMBERS = ("n_gpus", "nodes", "tp", "pp", "dp", "ep", "isl", "osl", "concurrency")
ENGINE = "engine"
"""A column that a table may have: the engine by whose rules a row's plan is judged; any where it is blank."""
KV = "kv_precision"
"""The same for the precision of the KV cache: the usual one where it is blank (see `usual_kv`)."""
SPEC = "spec"
"""The same for speculative decoding: `none` or blank, `mtp` with as many tokens as serve the load best, `mtp2`."""
SCENARIO = "scenario"
"""The same for how requests come: BURST, or as many at once all the time."""
BURST = "burst_1000"
"""1,000 requests come at once, and the last of them ends the run."""
PREFIX_CACHE = "prefix_cache"
"""The same for tokens of prompts that are in the prefix cache: so many per cent of them, none where it is blank,
`no` or `yes` without a number."""
NETWORK = "network"
"""The same for the network between nodes: Gbit/s of each GPU, alone or behind a name (`ib-400`); NET_GBIT_S where it is
blank or the name says none."""
OPTIONAL = (ENGINE, KV, PREFIX_CACHE, NETWORK, SPEC, SCENARIO)
SETTLED = (*TEXTS, ENGINE, KV, PREFIX_CACHE)
NUMBERS_SETTLED = tuple(column for column in NUMBERS if column != "concurrency")
"""Texts and numbers of a row that its setup is resolved by."""
BLANK = {"nodes": 1, "tp": 0, "pp": 1, "dp": 0, "ep": 0, "isl": 1024, "osl": 1024, "concurrency": 0}
"""What a blank cell means; a blank n_gpus is an error."""
KV_PRECISIONS = ("", "bf16", "fp8")
SPECULATION = re.compile(r"(|none|mtp|eagle|dspark|unknown)([1-9]?)")
CACHED = re.compile(r"|no|yes|(\d{1,3})\s*%?", re.ASCII)
GBIT_S = re.compile(r"(?:|nvl\d+|(?:ib|roce|ib-or-roce)(?:-(\d{1,5}))?|(\d{1,5}))", re.ASCII)
MOST = 10**7
NET_GBIT_S = 400
"""RDMA per GPU that rows of several nodes are taken to have where they name none (DeepSeek-V3 report: 400G)."""


@dataclass(frozen=True)
class Table:
    """Rows made ready: per row what it resolved to, or its error. `jobs` has an entry per candidate plan, `owner` says
    of which row, `asked` the requests at once in the whole system (0: none named), `cap` those a replica holds, `spans`
    whether it spans nodes that no fabric joins, `burst` whether the requests come all at once and drain, `net_b_s`
    bytes per second of each GPU between nodes."""

    errors: tuple[str, ...]
    found: tuple[Resolved | None, ...]
    jobs: Jobs
    owner: Ints
    replicas: Ints
    asked: Floats
    cap: Ints
    spans: Flags
    burst: Flags
    net_b_s: Floats

    @property
    def drafts(self) -> Flags:
        """Candidates that speculate."""
        return np.broadcast_to(np.asarray(self.jobs.drafted) != 0, self.owner.shape)

    @cached_property
    def plain(self) -> Flags:
        """Candidates that compute every token of their prompts, and of the answer one in each step."""
        return np.asarray(~self.drafts & (np.asarray(self.jobs.prefilled) == np.asarray(self.jobs.isl)))

    def take(self, rows: Sequence[int]) -> Table:
        """Some of the rows, numbered anew."""
        place = np.full(len(self.errors), -1, dtype=np.int64)
        place[list(rows)] = np.arange(len(rows))
        found = self._entries(np.flatnonzero(place[self.owner] >= 0))
        return replace(
            found,
            errors=tuple(self.errors[row] for row in rows),
            found=tuple(self.found[row] for row in rows),
            owner=place[found.owner],
        )

    def pinned(self, entries: Ints) -> Table:
        """The same rows with one candidate each; -1 where a row has none."""
        return self._entries(entries[entries >= 0])

    def _entries(self, keep: Ints) -> Table:
        return replace(
            self, jobs=_taken(self.jobs, keep), owner=self.owner[keep], replicas=self.replicas[keep],
            asked=self.asked[keep], cap=self.cap[keep], spans=self.spans[keep], burst=self.burst[keep],
            net_b_s=self.net_b_s[keep],
        )  # fmt: skip


def per_candidate(field: Any, table: Table) -> Any:
    """A field of a table's jobs with an entry per candidate."""
    return np.broadcast_to(field, table.owner.shape)


@dataclass(frozen=True)
class Figures:
    """Per row of the table: tok/s of the whole system, latencies in ms, requests that run at once per busy replica;
    NaN where it has an error. `plan`: index of the row's candidate, -1 there."""

    output_tok_s: Floats
    ttft_ms: Floats
    tpot_ms: Floats
    concurrency: Floats
    plan: Ints


def numbers(column: Sequence[str]) -> Floats:
    """Cells as numbers; a blank is NaN, what is no number is infinite."""
    known = {cell: _number(str(cell).strip()) for cell in set(column)}
    return np.array([known[cell] for cell in column], dtype=np.float64)


def _number(text: str) -> float:
    if not text:
        return math.nan
    try:
        found = float(text) if text.isascii() and "_" not in text else math.inf
    except ValueError:
        return math.inf
    return math.inf if math.isnan(found) else found


def prepare(
    columns: Mapping[str, Sequence[str]], catalog: Catalog, policy: Policy, k: Constants | None = None
) -> Table:
    """Names resolved, plans enumerated where a row has none, memory counted; a row that can't be gets an error.

    Each different setup is resolved once; the rest is arrays."""
    k = k or constants()
    rows = len(columns["model"])
    blank = [""] * rows
    texts = {column: [*map(str.strip, map(str, columns.get(column, blank)))] for column in (*TEXTS, *OPTIONAL)}
    texts[KV] = [*map(str.casefold, texts[KV])]
    cells = {column: numbers(columns[column]) if column in columns else np.full(rows, np.nan) for column in NUMBERS}
    errors = _cell_errors(cells, texts, rows)
    drafted = _looked_up(lambda text: drafted_of(text) or 0, texts[SPEC])
    gbit_s = _looked_up(lambda text: gbit_s_of(text) or NET_GBIT_S, texts[NETWORK])
    burst = np.array([text == BURST for text in texts[SCENARIO]], dtype=bool)
    for column, default in BLANK.items():
        cells[column] = np.where(np.isnan(cells[column]), default, cells[column])
    fine = np.array([not error for error in errors], dtype=bool)
    whole = {column: np.where(fine, values, 1).astype(np.int64).tolist() for column, values in cells.items()}
    resolver = Resolver(catalog, policy, k)
    setups: dict[Any, int] = {}
    resolved: list[Resolved | str] = []
    which = np.zeros(rows, dtype=np.int64)
    settled = (*(texts[column] for column in SETTLED), *(whole[column] for column in NUMBERS_SETTLED))
    keys = list(zip(*settled, strict=True))
    for row in np.flatnonzero(fine).tolist():
        at = setups.setdefault(keys[row], len(resolved))
        if at == len(resolved):
            resolved.append(resolver.resolve(_asked_of(texts, whole, row)))
        which[row] = at
        found = resolved[at]
        if isinstance(found, str):
            errors[row] = found
    for row in (row for row, text in enumerate(texts[SPEC]) if text.casefold().startswith("mtp") and not errors[row]):
        found = resolved[which[row]]
        if isinstance(found, Resolved) and not found.llm.draft_list:
            errors[row] = message("no module for several tokens (MTP, DSpark) of {model} is known", model=found.llm.id)
    good = np.flatnonzero(np.array([not error for error in errors], dtype=bool))
    loads = Loads(cells["concurrency"], drafted, gbit_s, burst)
    return _arrays(errors, resolved, which, good, whole, loads, k)


def _asked_of(texts: Mapping[str, list[str]], whole: Mapping[str, list[int]], row: int) -> Asked:
    """What a row asks for."""
    model, precision, gpu = (texts[column][row] for column in TEXTS)
    n_gpus, nodes, tp, pp, dp, ep, isl, osl = (whole[column][row] for column in NUMBERS_SETTLED)
    cached = cached_percent(texts[PREFIX_CACHE][row]) or 0
    return Asked(
        model, precision, gpu, n_gpus, nodes, tp, pp, dp, ep, isl, osl, texts[ENGINE][row], texts[KV][row], cached
    )  # fmt: skip


def _looked_up(of: Callable[[str], int], column: Sequence[str]) -> Ints:
    """A number for each cell; equal cells are read once."""
    known = {text: of(text) for text in set(column)}
    return np.array([known[text] for text in column], dtype=np.int64)


def drafted_of(text: str) -> int | None:
    """Tokens that a module proposes per step of a request (see Jobs); None for what is no kind of speculation."""
    found = SPECULATION.fullmatch(text.casefold())
    if not found:
        return None
    kind, depth = found.groups()
    return 0 if kind in ("", "none") else int(depth) if depth else DEPTH_OF_ENGINE


def cached_percent(text: str) -> int | None:
    """Tokens of a prompt that are in the prefix cache, in percent; None for what is no percentage."""
    found = CACHED.fullmatch(text.casefold())
    percent = int(found[1] or 0) if found else 101
    return percent if percent <= 100 else None


def gbit_s_of(text: str) -> int | None:
    """Gbit/s of each GPU on the network that a cell names, NET_GBIT_S where it says none; None for no network."""
    found = GBIT_S.fullmatch(text.casefold())
    return int(found[1] or found[2] or NET_GBIT_S) or None if found else None


def spec_words(text: str) -> str:
    """Speculation of a row as it is counted: `none`, `mtp`, `mtp2`."""
    drafted = drafted_of(text) or 0
    return "none" if not drafted else "mtp" if drafted == DEPTH_OF_ENGINE else f"mtp{drafted}"


TEXT_CHECKS: dict[str, tuple[Callable[[str], bool], str]] = {
    KV: (lambda text: text in KV_PRECISIONS, f"is none of {', '.join(filter(None, KV_PRECISIONS))}"),
    SPEC: (lambda text: drafted_of(text) is not None, "is none of none, mtp, mtp1 to mtp9"),
    PREFIX_CACHE: (lambda text: cached_percent(text) is not None, "is none of no, yes, 0% to 100%"),
    NETWORK: (lambda text: gbit_s_of(text) is not None, "is none of Gbit/s per GPU, ib-400, roce-400, nvl72"),
}
"""Column -> whether a cell of it is understood, and what else to say."""


def _cell_errors(cells: Mapping[str, Floats], texts: Mapping[str, list[str]], rows: int) -> list[str]:
    errors = [""] * rows
    for column, (understood, said) in TEXT_CHECKS.items():
        if strange := {text for text in set(texts[column]) if not understood(text)}:
            for row, text in enumerate(texts[column]):
                if text in strange:
                    errors[row] = errors[row] or f"{column}: {said}"
    for column, values in cells.items():
        least = 0 if column == "concurrency" else 1
        with np.errstate(invalid="ignore"):
            bad = (
                np.isinf(values)
                | (values < least)
                | (values > MOST)
                | ((values != np.floor(values)) & (column != "concurrency") & ~np.isnan(values))
            )
        for row in np.flatnonzero(bad).tolist():
            errors[row] = errors[row] or f"{column}: needs a whole number from {least} to {MOST:,}"
    for row in np.flatnonzero(np.isnan(cells["n_gpus"])).tolist():
        errors[row] = errors[row] or "n_gpus: is missing"
    return errors


@dataclass(frozen=True)
class Loads:
    """What rows of one setup differ in: requests at once in the whole system, tokens that a module proposes, Gbit/s of
    each GPU between nodes, whether requests come all at once."""

    asked: Floats
    drafted: Ints
    gbit_s: Ints
    burst: Flags


def _arrays(
    errors: list[str], resolved: list[Resolved | str], which: Ints, good: Ints, whole: Mapping[str, list[int]],
    loads: Loads, k: Constants,
) -> Table:  # fmt: skip
    """Candidates of every different setup side by side, spread over the rows that ask for it."""
    ready = [r if isinstance(r, Resolved) else None for r in resolved]
    count = np.array([len(r.plans) if r else 0 for r in ready], dtype=np.int64)
    first = np.cumsum(count) - count
    owner = np.repeat(good, count[which[good]])
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(count[which[good]]) - count[which[good]], count[which[good]])
    entry, setup = first[which[owner]] + inside, which[owner]
    have = [r for r in ready if r]
    of = (np.cumsum(np.array([r is not None for r in ready], dtype=np.int64)) - 1)[setup]
    tp, pp, dp, ep = np.array([plan for r in have for plan in r.plans], dtype=np.int64).reshape(-1, 4)[entry].T
    cap = np.array([c for r in have for c in r.caps], dtype=np.int64)[entry]
    n_gpus, nodes, isl, osl = (np.array(whole[c])[owner] for c in ("n_gpus", "nodes", "isl", "osl"))
    domain = np.array([r.gpu.wired_domain_gpus for r in have], dtype=np.int64)[of]
    made = jobs(
        k, _columns(Demand, [r.demand for r in have], of), _columns(Accelerator, [r.accelerator for r in have], of),
        (tp, pp, dp, ep),
        per_node=n_gpus // nodes,
        domain=domain,
        pcie=np.array([pcie_b_s(r.gpu, 0, 0, k) for r in have])[of],
        net=loads.gbit_s[owner] / 8 * 1e9,
        lengths=(isl, osl),
        in_turn=np.array([int(r.precision in FILE_KINDS) for r in have], dtype=np.int64)[of],
        drafted=loads.drafted[owner],
    )  # fmt: skip
    if any(r.redundant and any(r.redundant) for r in have):
        spare = np.array([x for r in have for x in r.redundant], dtype=np.int64)[entry]
        made = with_redundant(made, spare, np.array([max(1, r.llm.experts) for r in have])[of])
    found = tuple(None if e else ready[w] for e, w in zip(errors, which.tolist(), strict=True))
    group = tp * pp * dp
    spans = group > np.maximum(n_gpus // nodes, domain)
    net_b_s = loads.gbit_s[owner] / 8 * 1e9
    return Table(
        tuple(errors), found, made, owner, n_gpus // group, loads.asked[owner], cap, spans, loads.burst[owner], net_b_s
    )  # fmt: skip


def _taken(made: Jobs, keep: Ints) -> Jobs:
    """Some entries of jobs whose fields are arrays, numbers or pairs of them."""

    def cut(value: Any) -> Any:
        return (
            tuple(cut(each) for each in value) if isinstance(value, tuple) else value[keep] if np.ndim(value) else value
        )

    return Jobs(**{field_.name: cut(getattr(made, field_.name)) for field_ in fields(Jobs)})


def _columns(cls: type, items: list[Any], which: Ints) -> dict[str, Any]:
    kind = None if items else np.int64  # nothing to index, and indices are whole numbers
    return {
        field_.name: np.array([getattr(item, field_.name) for item in items], dtype=kind)[which]
        for field_ in fields(cls)
    }


def figures(table: Table, k: Constants | None = None, curves: Callable[[Times], Latencies] = lambda x: x) -> Figures:
    """Figures of every row at its concurrency, of the fastest of its plans; `curves` makes of the roofline of all
    candidates what is known of them.

    Requests beyond what memory or the engine takes at once wait: they count in the time to the first token."""
    if not len(table.owner):
        nothing = np.full(len(table.errors), np.nan)
        return Figures(nothing, nothing, nothing, nothing, np.full(len(table.errors), -1, dtype=np.int64))
    k = k or constants()
    pieces = curves(times(table.jobs, k))
    most = np.minimum(table.cap, (k["max_batch"] * table.jobs.dp).astype(np.int64))
    busy = np.where(table.asked > 0, np.minimum(table.replicas, np.maximum(table.asked, 1)), table.replicas)
    wanted = np.where(table.asked > 0, np.maximum(table.asked / busy, 1), most)
    running = np.minimum(wanted, most)
    one = pieces.request_s(running)
    total = busy * running * table.jobs.osl / one * np.where(table.burst, k["drained_share"], 1.0)
    ttft_ms = (pieces.ttft_s(running) + (wanted / running - 1) * one) * 1e3
    best = best_of(table.owner, total, len(table.errors))

    def of_best(values: Floats) -> Floats:
        return np.where(best >= 0, values[best], np.nan)

    return Figures(
        of_best(total), of_best(ttft_ms), of_best(pieces.tpot_s(running) * 1e3), of_best(running), best
    )  # fmt: skip


def best_of(owner: Ints, values: Floats, size: int) -> Ints:
    """Index of each row's candidate with the largest value (the first of equals), -1 where it has none."""
    largest = np.full(size, -np.inf)
    np.maximum.at(largest, owner, values)
    found = np.flatnonzero(values == largest[owner])[::-1]
    best = np.full(size, -1, dtype=np.int64)
    best[owner[found]] = found
    return best
