"""Rows of a table whose prefill and decode run on GPUs of their own, beside those of one kind of plan.

A row says `disagg` yes and how many GPUs each half has; it may name the plan of a replica of each (`dp8 ep8`), else
the fastest is taken. Both halves are rows of a table of their own (batch.py); together they are what disaggregation.py
makes of them. No constant is fitted on such runs, so that the basis is `roofline`; the interval is what they are off.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from operator import itemgetter
from typing import Any

import numpy as np

from catalogs.engines.features import has_feature
from catalogs.engines.judge import release_named
from catalogs.errors import InputError
from catalogs.file_kinds import FILE_KINDS
from catalogs.load import Catalog
from catalogs.message import message
from constraints.policy import Policy
from constraints.rules.software import kernel_class
from optimizer.throughput.answers import Answers, answers, row_plans
from optimizer.throughput.batch import (
    ENGINE,
    MOST,
    NUMBERS,
    OPTIONAL,
    TEXTS,
    Table,
    best_of,
    numbers,
    per_candidate,
    prepare,
)
from optimizer.throughput.calibration import Calibration
from optimizer.throughput.constants import Constants
from optimizer.throughput.demand import kin
from optimizer.throughput.disaggregation import (
    Decode,
    Prefill,
    decode_half,
    handing_over_s,
    most_in_balance,
    prefill_half,
    steady,
)
from optimizer.throughput.roofline import Floats, Ints, times
from optimizer.throughput.setups import Resolved
from optimizer.throughput.shapes import NAMES, shape_of

DISAGG, PREFILL_GPUS, DECODE_GPUS = "disagg", "prefill_gpus", "decode_gpus"
PREFILL_PLAN, DECODE_PLAN = "prefill_plan", "decode_plan"
COLUMNS = (DISAGG, PREFILL_GPUS, DECODE_GPUS, PREFILL_PLAN, DECODE_PLAN)
"""Columns that a table may have beside those of batch.py."""
ALL_COLUMNS = (*TEXTS, *OPTIONAL, *NUMBERS, *COLUMNS)
CONCURRENCY = "concurrency"
APART, TOGETHER = ("yes",), ("", "no")
MOST_GPUS = 100_000
"""Of a half: more than any machine has."""


def is_apart(text: str) -> bool:
    """Whether a cell of DISAGG says that prefill and decode have GPUs of their own."""
    return text.strip().casefold() in APART


def all_answers(
    columns: Mapping[str, Sequence[str]], catalog: Catalog, policy: Policy, calibration: Calibration
) -> Answers:
    """The figures of every row of a table, of one kind of plan and of two halves."""
    rows = len(columns["model"])
    kinds = [str(text).strip().casefold() for text in columns.get(DISAGG, [""] * rows)]
    if set(kinds) <= set(TOGETHER) and PREFILL_GPUS not in columns and DECODE_GPUS not in columns:
        return answers(prepare(columns, catalog, policy, calibration.constants), calibration)
    apart = [row for row, kind in enumerate(kinds) if kind in APART]
    others = [row for row, kind in enumerate(kinds) if kind not in APART]
    found = answers(prepare(_rows(columns, others), catalog, policy, calibration.constants), calibration)
    strange = [row for row, kind in enumerate(kinds) if kind not in (*APART, *TOGETHER)]
    halves = [columns.get(column, [""] * rows) for column in (PREFILL_GPUS, DECODE_GPUS)]
    lost = [row for row in others if any(str(cells[row]).strip() for cells in halves)]
    both = _merged([(others, found), (apart, answers_apart(_rows(columns, apart), catalog, policy, calibration))])
    said = f"{PREFILL_GPUS}, {DECODE_GPUS}: are of rows with {DISAGG} yes"
    return _refused(both, {row: said for row in lost} | {row: f"{DISAGG}: is none of yes, no" for row in strange})


def answers_apart(
    columns: Mapping[str, Sequence[str]], catalog: Catalog, policy: Policy, calibration: Calibration
) -> Answers:
    """The figures of rows of two halves."""
    texts, kind_of = _kinds(columns)
    halves, wrong = _halves(texts)
    first, second = (prepare(half, catalog, policy, calibration.constants) for half in halves)
    wrong = [a or b or c for a, b, c in zip(wrong, first.errors, second.errors, strict=True)]
    engines = texts.get(ENGINE, [""] * len(wrong))
    for kind, found in enumerate(first.found):
        if found is not None and not wrong[kind]:
            wrong[kind] = _unserved(found, engines[kind])
    asked = numbers([*map(str.strip, map(str, columns.get(CONCURRENCY, [""] * len(kind_of))))])
    strange = ((asked < 0) | (asked > MOST)).tolist()
    said = f"{CONCURRENCY}: needs a number from 0 to {MOST:,}"
    errors = [wrong[kind] or (said if odd else "") for kind, odd in zip(kind_of.tolist(), strange, strict=True)]
    good = [row for row, error in enumerate(errors) if not error]
    return _figures(first, second, kind_of[good], np.nan_to_num(asked[good]), good, errors, calibration)


def _kinds(columns: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], Ints]:
    """Rows that differ in more than their concurrency, and which of them each row is."""
    names = [column for column in columns if column != CONCURRENCY]
    rows = list(zip(*([*map(str.strip, map(str, columns[name]))] for name in names), strict=True))
    place = {row: at for at, row in enumerate(dict.fromkeys(rows))}
    different = dict(zip(names, map(list, zip(*place, strict=True)), strict=True)) if place else {}
    return different or {name: [] for name in names}, np.array([place[row] for row in rows], dtype=np.int64)


def _halves(texts: Mapping[str, list[str]]) -> tuple[list[dict[str, list[str]]], list[str]]:
    """Columns of a table of each half, and what is wrong with each row."""
    rows = len(texts["model"])
    blank = [""] * rows
    counts = {column: numbers(texts.get(column, blank)) for column in ("n_gpus", "nodes", PREFILL_GPUS, DECODE_GPUS)}
    halves = counts[PREFILL_GPUS], counts[DECODE_GPUS]
    fine = np.logical_and.reduce([(x >= 1) & (x <= MOST_GPUS) & (x == np.floor(x)) for x in halves])
    gpus = [np.where(fine, x, 1).astype(np.int64) for x in halves]
    both = gpus[0] + gpus[1]
    errors = [""] * rows
    for row, (right, whole, sum_) in enumerate(
        zip(fine.tolist(), counts["n_gpus"].tolist(), both.tolist(), strict=True)
    ):
        if not right:
            errors[row] = f"{PREFILL_GPUS}, {DECODE_GPUS}: each needs a whole number from 1 to {MOST_GPUS:,}"
        elif not math.isnan(whole) and whole != sum_:
            errors[row] = f"{PREFILL_GPUS} + {DECODE_GPUS} = {sum_}, n_gpus {whole:g}"
    nodes = np.where(np.isnan(counts["nodes"]), 1, counts["nodes"])
    whole_nodes = (nodes >= 1) & (nodes <= 2 * MOST_GPUS) & (nodes == np.floor(nodes))
    for row in np.flatnonzero(~whole_nodes).tolist():
        errors[row] = errors[row] or f"nodes: needs a whole number from 1 to {2 * MOST_GPUS:,}"
    nodes = np.where(whole_nodes, nodes, 1)
    per_node = np.ceil(both / nodes).astype(np.int64)
    tables = []
    for plan_column, of_half in zip((PREFILL_PLAN, DECODE_PLAN), gpus, strict=True):
        table = {column: list(cells) for column, cells in texts.items() if column not in COLUMNS}
        table["n_gpus"] = [str(x) for x in of_half.tolist()]
        table["nodes"] = [str(_nodes(x, y)) for x, y in zip(of_half.tolist(), per_node.tolist(), strict=True)]
        table.update({name: list(blank) for name in NAMES})
        for row, words in enumerate(texts.get(plan_column, blank)):
            shape = shape_of(words) if words else None
            if words and shape is None:
                errors[row] = errors[row] or f"{plan_column}: is no plan such as tp8 or dp8 ep8"
            for name, size in zip(NAMES, shape or (), strict=False):
                table[name][row] = str(size)
        tables.append(table)
    return tables, errors


def _nodes(gpus: int, per_node: int) -> int:
    """The fewest nodes of `per_node` GPUs or fewer that share out the GPUs of a half evenly."""
    nodes = max(1, -(-gpus // max(1, per_node)))
    while gpus % nodes:
        nodes += 1
    return nodes


def _unserved(found: Resolved, engine: str) -> str:
    """Why an engine does not serve a row's halves; empty where it does, or none is named."""
    if found.precision in FILE_KINDS:
        return message("no engine serves prefill and decode of {kind} apart", kind=found.precision)
    if not engine:
        return ""
    try:
        name = release_named(engine, kernel_class(found.gpu)).engine
    except InputError as e:
        return f"engine: {e.faults[0].text}. {e.faults[0].remedy}"
    if has_feature(name, "disaggregation", found.llm.architecture, experimental=True):
        return ""
    return message("{engine} is not known to serve prefill and decode apart", engine=name)


def _figures(
    first: Table, second: Table, kind_of: Ints, asked: Floats, good: Sequence[int], errors: list[str],
    calibration: Calibration,
) -> Answers:  # fmt: skip
    """Figures of the good rows, each of a kind that both tables have plans of; `asked`: requests at once of each, 0 for
    as many as are in balance."""
    rows = len(errors)
    out = Answers.empty(errors)
    if not good:
        return out
    prefills, decodes = sides(first, second, calibration)
    owner, entries = _candidates(first, kind_of)
    best_prefill = entries[best_of(owner, -prefills.of(entries).estimated_s(asked[owner]), len(good))]
    prefill = prefills.of(best_prefill)
    owner, entries = _candidates(second, kind_of)
    fast = _estimated_tok_s(decodes.of(entries), prefill.of(owner), asked[owner])
    best = entries[best_of(owner, fast, len(good))]
    decode = decodes.of(best)
    if len(blank := np.flatnonzero(asked <= 0)):
        asked[blank] = most_in_balance(prefill.of(blank), decode.of(blank))
    state = steady(prefill, decode, asked)
    found = [x for kind in kind_of.tolist() if (x := second.found[kind]) is not None]
    widths = [calibration.width_apart(x.gpu) for x in found]
    tok_s = state.requests_s * np.broadcast_to(decode.times.osl, asked.shape)
    plans = [
        f"prefill {a}, decode {b}" for a, b in zip(row_plans(first, best_prefill), row_plans(second, best), strict=True)
    ]

    place = np.array(good, dtype=np.int64)

    def spread(values: Any) -> Floats:
        wide = np.full(rows, np.nan)
        wide[place] = values
        return wide

    def words(values: Sequence[str]) -> tuple[str, ...]:
        wide = [""] * rows
        for row, value in zip(good, values, strict=True):
            wide[row] = value
        return tuple(wide)

    return replace(
        out,
        output_tok_s=spread(tok_s),
        low=spread(tok_s * [w.low for w in widths]),
        high=spread(tok_s * [w.high for w in widths]),
        ttft_ms=spread(state.ttft_s * 1e3),
        tpot_ms=spread(state.tpot_s * 1e3),
        basis=words(["roofline"] * len(good)),
        plan=words(plans),
        kv=words([x.kv for x in found]),
    )


def _candidates(table: Table, kind_of: Ints) -> tuple[Ints, Ints]:
    """The plans of each row's kind one after the other: whose they are, and which of the table. Those with pipeline
    stages are left out where there are others, for no half of any measured run has some."""
    kinds, staged = len(table.errors), per_candidate(table.jobs.pp, table) > 1
    plain = np.bincount(table.owner[~staged], minlength=kinds) > 0
    kept = np.flatnonzero(~(staged & plain[table.owner]))
    count = np.bincount(table.owner[kept], minlength=kinds)
    first = np.cumsum(count) - count  # candidates lie in the order of rows
    many = count[kind_of]
    owner = np.repeat(np.arange(len(kind_of)), many)
    inside = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
    return owner, kept[first[kind_of][owner] + inside]


def sides(first: Table, second: Table, calibration: Calibration) -> tuple[Prefill, Decode]:
    """Both halves of all candidates of two tables."""
    k = calibration.constants
    prefills = prefill_half(
        times(first.jobs, k).slowed(_slower(first, calibration)), first.replicas, _handing_over_s(first, k),
        per_candidate(first.jobs.dp, first), k,
    )  # fmt: skip
    room = np.minimum(second.cap, (k["max_batch"] * second.jobs.dp).astype(np.int64)) * second.replicas
    return prefills, decode_half(times(second.jobs, k).slowed(_slower(second, calibration)), second.replicas, room)


def _slower(table: Table, calibration: Calibration) -> Floats:
    """What the model's measured setups on each row's stack are off in common."""
    known: dict[int, float] = {}
    for found in table.found:
        if found is not None and id(found) not in known:
            known[id(found)] = 1 / calibration.pair(kin(found.llm), found.gpu)
    return np.array([known.get(id(found), 1.0) for found in table.found])[table.owner]


def _handing_over_s(table: Table, k: Constants) -> Floats:
    """Of each candidate, by the network of its row."""
    tp, pp, net = (per_candidate(x, table) for x in (table.jobs.tp, table.jobs.pp, table.net_b_s))
    kinds = {id(found): found for found in table.found if found is not None}
    kind_of = np.array([id(found) for found in table.found], dtype=np.int64)[table.owner]
    out = np.zeros(len(table.owner))
    for kind, found in kinds.items():
        of_kind = kind_of == kind
        out[of_kind] = handing_over_s(found.llm, found.isl, found.kv, tp[of_kind], pp[of_kind], net[of_kind], k)
    return out


def _estimated_tok_s(decode: Decode, prefill: Prefill, asked: Floats) -> Floats:
    """tok/s with nearly all requests in decode, by which plans of the second half are chosen; of those that the first
    half does not feed the quicker ones."""
    running = np.where(asked > 0, np.minimum(asked, decode.room), decode.room)
    after_s = decode.after_first_s(running)
    fed = np.minimum(running / after_s, prefill.most_requests_s)
    return np.asarray(fed * (1 + 1e-6 / after_s))


def _rows(columns: Mapping[str, Sequence[str]], rows: Sequence[int]) -> dict[str, list[str]]:
    if len(rows) < 2:
        return {column: [cells[row] for row in rows] for column, cells in columns.items()}
    pick = itemgetter(*rows)
    return {column: list(pick(cells)) for column, cells in columns.items()}


def _merged(parts: Sequence[tuple[Sequence[int], Answers]]) -> Answers:
    """Answers of parts of a table as those of the whole."""
    place = np.argsort(np.concatenate([np.array(which, dtype=np.int64) for which, _ in parts]))

    def whole(name: str) -> Any:
        values = [getattr(found, name) for _, found in parts]
        if isinstance(values[0], np.ndarray):
            return np.concatenate(values)[place]
        flat = [value for part in values for value in part]
        return tuple(flat[at] for at in place.tolist())

    return Answers(**{field_.name: whole(field_.name) for field_ in fields(Answers)})


def _refused(found: Answers, errors: Mapping[int, str]) -> Answers:
    """The same with errors in some rows."""
    return replace(found, errors=tuple(errors.get(row, error) for row, error in enumerate(found.errors)))
