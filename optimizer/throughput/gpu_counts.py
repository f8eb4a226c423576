"""Numbers of GPUs by which a model divides: what to say where it divides by none of a setup's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from catalogs.message import joined, message
from catalogs.schema import Gpu
from constraints.physics.lookup_tables import with_tables
from constraints.plan import Plan, RowKey
from constraints.rules.precision import kv_precision
from constraints.rules.software import Shape, Started, starter, why_unstarted
from optimizer.throughput.plans import Planner
from optimizer.throughput.shapes import divisors, shapes, sizes_of

MOST = 1024
"""GPUs of a node up to which a number that divides is looked for."""
AROUND = 8
"""How far above a node's GPUs the next number that divides is looked for, as a multiple of them."""


def whole_shapes(planner: Planner, count: int) -> list[tuple[int, int, int, int]]:
    """Shapes that cut every layer over all `count` GPUs of a node."""
    found = shapes(count, count, "none", planner.llm.heads, planner.llm.is_moe, 1)
    return [shape for shape in found if shape[1] == 1]


def _runs_of(planner: Planner, gpu: Gpu, count: int) -> Iterator[tuple[Shape, Started]]:
    """Replicas with every layer cut over all `count` GPUs of a node, and the engines that start them."""
    experimental = planner.request.allow_experimental
    for precision in planner.precisions(gpu):
        for shape in whole_shapes(planner, count):
            among = planner.fits.engines(gpu, precision)
            if run := starter(planner.llm, gpu, precision, shape, among, experimental):
                yield shape, run


def cuts(planner: Planner, gpu: Gpu, count: int) -> bool:
    """Whether an engine starts a replica with every layer cut over all `count` GPUs of a node."""
    return next(_runs_of(planner, gpu, count), None) is not None


def divides(planner: Planner, gpu: Gpu, count: int) -> bool:
    """Whether in such a replica every GPU has as many heads, or as many experts without copies of some."""
    return any(
        (tp == count or ep == count) and not run.redundant_experts
        for (tp, _, _, ep), run in _runs_of(planner, gpu, count)
    )


def counts(planner: Planner, gpu: Gpu, key: RowKey) -> str:
    """Where the model divides by no way of cutting it over a node's GPUs, and another number of them does more per GPU:
    which numbers do, the nearest below and above; else empty."""
    per_node = key.per_node
    if per_node == 1 or not planner.precisions(gpu) or divides(planner, gpu, per_node):
        return ""
    below = next((x for x in range(per_node - 1, 0, -1) if divides(planner, gpu, x)), None)
    above = next((x for x in range(per_node + 1, min(MOST, AROUND * per_node) + 1) if divides(planner, gpu, x)), None)
    better = [x for x in (below, above) if x and _per_gpu(planner, gpu, key, x) > _per_gpu(planner, gpu, key, per_node)]
    if not better:
        return ""
    others = joined((str(x) for x in (below, above) if x), " and ")
    why = why_unstarted(planner.llm, gpu, planner.precisions(gpu)[-1], (per_node, 1, 1, 1))
    if cuts(planner, gpu, per_node):
        return message(
            "no engine gives {n} GPUs of a node equal shares of heads or experts ({why}); it divides by {list}",
            n=per_node, why=why, list=others,
        )  # fmt: skip
    return message(
        "no engine cuts the model over {n} GPUs of a node ({why}); it divides by {list}",
        n=per_node,
        why=why,
        list=others,
    )


def _per_gpu(planner: Planner, gpu: Gpu, key: RowKey, count: int) -> float:
    """0.1 tok/s per GPU of the best plan with `count` of them in each node; 0 where none runs."""
    domain = min(gpu.wired_domain_gpus, count)
    host = (0, 0) if domain >= count else (gpu.pcie_gen or 4, 16)
    other = replace(key, per_node=count, domain=domain, pcie_gen=host[0], lanes=host[1])
    row = next(iter(planner.rows_together(gpu, [other])), None)
    return row.perf.tenths / other.total if row else 0.0


def leanest(planner: Planner, gpu: Gpu, key: RowKey, precision: str) -> Plan:
    """The plan with the least memory per GPU that an engine starts; where none does, one stage after the other."""
    kv = kv_precision(planner.llm, planner.request)
    found: list[tuple[int, int, Plan]] = []
    for placed in with_tables(planner.llm, key, planner.policy):
        for size in sizes_of(key.per_node, key.total):
            for row in planner.fits.shapes_of(gpu, precision, placed, size):
                tp, pp, dp, ep, redundant, weights = row
                plan = Plan(
                    precision, kv, tp, pp, dp, ep, key.total // size, 1, redundant_experts=redundant,
                    host_tables=bool(placed.tables_gb),
                )  # fmt: skip
                found.append((weights, size, plan))
    if found:
        return min(found, key=lambda each: each[:2])[2]
    pp = max(stages_ for stages_ in divisors(key.total) if stages_ <= planner.max_pp)
    return Plan(precision, kv, 1, pp, 1, 1, key.total // pp, 1)
