"""Many configurations at once: rows of a table in, throughput and latencies out, as arrays and not in a loop.

A row names model, precision, GPU, number of GPUs and nodes, and may name the plan (tp, pp, dp, ep), lengths and
concurrency. Without tp the fastest plan is taken, without concurrency as many requests as memory holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from catalogs.errors import InputError
from catalogs.llm import Llm, get
from catalogs.load import Catalog
from catalogs.schema import Gpu, Kind
from constraints.interconnect import net_of
from constraints.plan import Plan
from constraints.policy import Policy
from constraints.vram import kv_per_gpu_user, reserve_bytes, usable_bytes, weights_per_gpu
from optimizer.throughput.constants import Constants, constants
from optimizer.throughput.demand import Demand, demand
from optimizer.throughput.jobs import Accelerator, accelerator, jobs, pcie_b_s
from optimizer.throughput.roofline import Floats, Ints, Jobs, times
from optimizer.throughput.shapes import shapes, sizes_of

TEXTS = ("model", "precision", "gpu")
NUMBERS = ("n_gpus", "nodes", "tp", "pp", "dp", "ep", "isl", "osl", "concurrency")
DEFAULTS = {"nodes": 1, "pp": 1, "isl": 1024, "osl": 1024}
NET_GBIT_S = 400
"""RDMA per GPU that rows of several nodes are taken to have: a table names no network (DeepSeek-V3 report: 400G)."""
KV = "bf16"


@dataclass(frozen=True)
class Table:
    """Rows made ready. `jobs` has an entry per candidate plan, `owner` says of which row; `errors` are per row.

    `asked`: requests at once in the whole system, 0 where the row names none; `cap`: what a replica has memory for."""

    errors: list[str]
    jobs: Jobs
    owner: Ints
    replicas: Ints
    asked: Floats
    cap: Ints
    size: int
    models: tuple[Llm | None, ...]
    gpus: tuple[Gpu | None, ...]
    formats: tuple[str, ...]

    def take(self, rows: Sequence[int]) -> Table:
        """Some of the rows, numbered anew."""
        place = np.full(self.size, -1, dtype=np.int64)
        place[list(rows)] = np.arange(len(rows))
        keep = np.flatnonzero(place[self.owner] >= 0)
        return Table(
            [self.errors[i] for i in rows], _taken(self.jobs, keep), place[self.owner[keep]], self.replicas[keep],
            self.asked[keep], self.cap[keep], len(rows), *(tuple(x[i] for i in rows) for x in (self.models, self.gpus, self.formats)),
        )  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """Per row of the table: tok/s of the whole system, latencies in ms, requests at once per busy replica; NaN where
    it has an error. `plan`: index of the row's candidate, -1 there."""

    output_tok_s: Floats
    ttft_ms: Floats
    tpot_ms: Floats
    concurrency: Floats
    plan: Ints


def numbers(column: Sequence[str]) -> Floats:
    """Cells as numbers; a blank is NaN, what is no number is infinite."""
    out = np.empty(len(column))
    for i, cell in enumerate(column):
        text = cell.strip() if isinstance(cell, str) else cell
        try:
            out[i] = float(text) if text not in ("", None) else np.nan
        except (TypeError, ValueError):
            out[i] = np.inf
    return out


def known(names: Sequence[str], find: Callable[[str], Any]) -> tuple[Ints, list[Any]]:
    """(index of each name in the result, what `find` gives for each different name, or its InputError)."""
    different = list(dict.fromkeys(names))
    found: list[Any] = []
    for name in different:
        try:
            found.append(find(name))
        except InputError as e:
            found.append(e)
    place = {n: i for i, n in enumerate(different)}
    return np.array([place[n] for n in names], dtype=np.int64), found


def prepare(columns: Mapping[str, Sequence[str]], catalog: Catalog, policy: Policy, k: Constants | None = None) -> Table:
    """Names resolved, plans enumerated where a row has none, memory counted. Raises nothing for a bad row."""
    k = k or constants()
    n = len(columns["model"])
    gpus = Catalog({i: p for i, p in catalog.parts.items() if p.kind == Kind.GPU}, {}, "")
    which_model, models = known(columns["model"], get)
    which_gpu, cards = known(columns["gpu"], gpus.find)
    value = {c: numbers(columns.get(c, [""] * n)) for c in NUMBERS}
    for c, default in DEFAULTS.items():
        value[c] = np.where(np.isnan(value[c]), default, value[c])
    errors = _number_errors(value, n)
    formats = [format_of(models, cards, m, g, p, errors, i)
               for i, (m, g, p) in enumerate(zip(which_model.tolist(), which_gpu.tolist(), columns["precision"], strict=True))]  # fmt: skip
    cells = {c: np.nan_to_num(v, nan=0, posinf=0, neginf=0) for c, v in value.items()}
    whole = {c: v.astype(np.int64).tolist() for c, v in cells.items()}
    plans: list[tuple[int, int, int, int]] = []
    owner: list[int] = []
    for i in range(n):
        if errors[i]:
            continue
        llm: Llm = models[which_model[i]]
        here = plans_of(llm, *(whole[c][i] for c in ("n_gpus", "nodes", "tp", "pp", "dp", "ep")))
        if isinstance(here, str):
            errors[i] = here
            continue
        plans += here
        owner += [i] * len(here)
    return _ready(errors, np.array(owner, dtype=np.int64), plans, which_model, models, which_gpu, cards, formats, whole,
                  cells["concurrency"], policy, k)  # fmt: skip


def _number_errors(value: Mapping[str, Floats], n: int) -> list[str]:
    errors = [""] * n
    for c in NUMBERS:
        least = 0 if c == "concurrency" else 1
        for i in np.flatnonzero(np.isinf(value[c]) | (value[c] < least) | (value[c] > 10**7)).tolist():
            errors[i] = f"{c}: needs a number of at least 1"
    for i in np.flatnonzero(np.isnan(value["n_gpus"])).tolist():
        errors[i] = errors[i] or "n_gpus: is missing"
    return errors


def format_of(
    models: list[Any], cards: list[Any], m: int, g: int, precision: str, errors: list[str], i: int
) -> str:  # fmt: skip
    """Weight format of a row; notes why there is none."""
    llm, gpu = models[m], cards[g]
    for found in (llm, gpu):
        if isinstance(found, InputError):
            errors[i] = errors[i] or found.faults[0].text + f". {found.faults[0].remedy}"
            return ""
    try:
        return str(llm.format_of(precision))
    except InputError as e:
        errors[i] = errors[i] or f"{e.faults[0].text}. {e.faults[0].remedy}"
        return ""


@cache
def plans_of(
    llm: Llm, n_gpus: int, nodes: int, tp: int, pp: int, dp: int, ep: int
) -> list[tuple[int, int, int, int]] | str:
    """Plans (tp, pp, dp, ep) of a row: the one it names (0 = blank), else all that tile its GPUs; or what is wrong."""
    if n_gpus % nodes:
        return f"n_gpus {n_gpus} is no multiple of nodes {nodes}"
    per_node = n_gpus // nodes
    if tp:
        dp = dp or (n_gpus // (tp * pp) if llm.is_moe and ep > tp and n_gpus % (tp * pp) == 0 else 1)
        if n_gpus % (tp * pp * dp):
            return f"tp x pp x dp = {tp * pp * dp} does not divide n_gpus {n_gpus}"
        return [(tp, pp, dp, ep or 1)]
    found = []
    for size in sizes_of(per_node, n_gpus):
        found += shapes(size, min(per_node, size), "rdma" if size > per_node else "none", llm.heads, llm.is_moe, 8)
    return [s for s in found if net_of(Plan("", "", *s, 1, 1), per_node) != "pp"] or found


def _ready(
    errors: list[str], owner: Ints, plans: list[tuple[int, int, int, int]], which_model: Ints, models: list[Any],
    which_gpu: Ints, cards: list[Any], formats: list[str], whole: Mapping[str, list[int]], asked: Floats,
    policy: Policy, k: Constants,
) -> Table:  # fmt: skip
    """Arrays of all candidate plans; those that memory can't hold are dropped."""
    needs: dict[tuple[Any, ...], int] = {}
    gives: dict[tuple[Any, ...], int] = {}
    demands: list[Demand] = []
    accelerators: list[Accelerator] = []
    keep, need_of, give_of, cap = [], [], [], []
    for j, (i, shape) in enumerate(zip(owner.tolist(), plans, strict=True)):
        llm, gpu, precision = models[which_model[i]], cards[which_gpu[i]], formats[i]
        isl, osl = whole["isl"][i], whole["osl"][i]
        most = memory(gpu, llm, precision, shape, isl + osl, reserve_bytes(gpu, policy))
        if most < 1:
            errors[i] = errors[i] or f"memory: weights of {precision} and one request do not fit {gpu.name}"
            continue
        give = (gpu.id, precision)
        if give not in gives:
            found = accelerator(gpu, precision, k)
            if found is None:
                errors[i] = errors[i] or f"{gpu.name}: bandwidth or tensor rate at {precision} is unknown"
                continue
            gives[give] = len(accelerators)
            accelerators.append(found)
        need = (llm.id, precision, isl, osl)
        if need not in needs:
            needs[need] = len(demands)
            demands.append(demand(llm, precision, isl, osl, KV))
        keep.append(j)
        need_of.append(needs[need])
        give_of.append(gives[give])
        cap.append(most)
    answered = set(owner[keep].tolist())
    errors = ["" if i in answered else e for i, e in enumerate(errors)]
    rows = owner[keep]
    n_gpus, nodes = (np.array(whole[c])[rows] for c in ("n_gpus", "nodes"))
    shape = np.array(plans, dtype=np.int64).reshape(-1, 4)[keep]
    gpus: list[Gpu] = [cards[g] for g in which_gpu[rows].tolist()]
    tp, pp, dp, ep = shape.T
    found_jobs = jobs(
        _columns(Demand, demands, need_of), _columns(Accelerator, accelerators, give_of), (tp, pp, dp, ep),
        per_node=n_gpus // nodes,
        domain=np.array([g.wired_domain_gpus for g in gpus]),
        pcie=np.array([_pcie(g, k) for g in gpus]),
        net=NET_GBIT_S / 8 * 1e9,
        lengths=(np.array(whole["isl"])[rows], np.array(whole["osl"])[rows]),
    )  # fmt: skip
    batch_limit = np.array(cap) if cap else np.zeros(0, dtype=np.int64)
    resolved = ([x if isinstance(x, cls) else None for x in (items[w] for w in which.tolist())]
                for cls, items, which in ((Llm, models, which_model), (Gpu, cards, which_gpu)))  # fmt: skip
    return Table(errors, found_jobs, rows, n_gpus // (tp * pp * dp), asked[rows], batch_limit, len(errors),
                 *(tuple(x) for x in resolved), tuple(formats))  # fmt: skip


@cache
def _pcie(gpu: Gpu, k: Constants) -> float:
    return pcie_b_s(gpu, 0, 0, k)


def _taken(j: Jobs, keep: Ints) -> Jobs:
    """Some entries of jobs whose fields are arrays, numbers or pairs of them."""

    def cut(x: Any) -> Any:
        return tuple(cut(y) for y in x) if isinstance(x, tuple) else x[keep] if np.ndim(x) else x

    return Jobs(**{f.name: cut(getattr(j, f.name)) for f in fields(Jobs)})


def _columns(cls: type, items: list[Any], which: list[int]) -> dict[str, Any]:
    return {f.name: np.array([getattr(x, f.name) for x in items])[which] for f in fields(cls)}


@cache
def memory(
    gpu: Gpu, llm: Llm, precision: str, shape: tuple[int, int, int, int], tokens: int, reserve: int
) -> int:
    """Requests at once that a replica holds. With weights so large that the runtime reserve is what is missing, one."""
    free = usable_bytes(gpu) * 2**30 // 10**9 - weights_per_gpu(llm, precision, *shape)
    each = kv_per_gpu_user(llm, tokens, KV, shape[0], shape[1])
    most = (free - reserve) // each * shape[2]
    return int(most) if most >= 1 else int(free >= each)


def figures(t: Table, k: Constants | None = None) -> Figures:
    """Figures of every row at its concurrency, of the fastest of its plans."""
    k = k or constants()
    pieces = times(t.jobs, k)
    most = np.minimum(t.cap, (k["max_batch"] * t.jobs.dp).astype(np.int64))
    busy = np.where(t.asked > 0, np.minimum(t.replicas, np.maximum(t.asked, 1)), t.replicas)
    wanted = np.where(t.asked > 0, np.maximum(t.asked / busy, 1), most)
    running = np.minimum(wanted, most)
    one = pieces.request_s(running)
    total = busy * running * t.jobs.osl / one
    waiting = (wanted / running - 1) * one
    best = _best(t.owner, total, t.size)
    out = [np.full(t.size, np.nan) for _ in range(4)]
    have = best >= 0
    at = best[have]
    for column, values in zip(
        out, (total, (pieces.ttft_s(running) + waiting) * 1e3, pieces.tpot_s(running) * 1e3, wanted), strict=True
    ):
        column[have] = values[at]
    return Figures(*out, best)


def _best(owner: Ints, total: Floats, size: int) -> Ints:
    """Index of each row's fastest candidate (the first of equals), -1 where it has none."""
    best = np.full(size, -1, dtype=np.int64)
    order = np.lexsort((-np.arange(len(owner)), total))
    best[owner[order]] = order
    return best


def columns_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; what a row lacks is blank."""
    listed = list(rows)
    return {c: [r.get(c) or "" for r in listed] for c in (*TEXTS, *NUMBERS)}


Bools = npt.NDArray[np.bool_]
