"""Performance rows of a catalog under a request: what hardware keys exist, and how fast each is.

`rows_of` yields a family (GPU, GPUs per node) with its rows; a ledger says why a GPU has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from catalogs.schema import Bridge, Cpu, Gpu, GpuBoard, Kind, Nic, Platform
from constraints.case import power_cap
from constraints.contents import gpus_inside, inside
from constraints.fit import gpu_fits
from constraints.lanes import direct
from constraints.plan import Row, RowKey
from optimizer.market import Market
from optimizer.throughput.plans import Planner
from optimizer.throughput.training_plans import TrainingPlanner

RDMA_RATES = (100, 200, 400)


def families(market: Market) -> list[tuple[Gpu, int, list[Platform]]]:
    """(GPU, GPUs per node, platforms that hold them), bought or inside complete systems."""
    catalog, book = market.catalog, market.book
    platforms = [p for p in catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(p, Platform) and p.id in book.prices]
    boards = [b for b in catalog.of(Kind.GPU_BOARD) if isinstance(b, GpuBoard) and b.id in book.prices]
    allowed = market.request.gpus
    singles = [g for g in catalog.of(Kind.GPU) if isinstance(g, Gpu) and g.id in book.prices and g.sold_as == "single"]
    fitting: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    out: dict[tuple[str, int], list[Platform]] = {}
    for p in platforms:
        gpu_id, count = gpus_inside(p, catalog)
        if gpu_id:
            out.setdefault((gpu_id, count), []).append(p)
            continue
        for b in boards:
            gpu = catalog.parts.get(b.gpu)
            if isinstance(gpu, Gpu) and not gpu_fits(p, gpu, b.gpus, b):
                found = out.setdefault((gpu.id, b.gpus), [])
                if not found or found[-1] is not p:
                    found.append(p)
        slots = (p.kind, p.gpu_forms, p.gpu_cooling, p.gpu_boards, p.gpu_slots, p.gpu_width_total, p.gpu_max_w,
                 p.system_max_w)  # fmt: skip
        if slots not in fitting:
            fitting[slots] = [
                (g.id, k) for g in singles for k in range(1, p.gpu_slots + 1) if not gpu_fits(p, g, k, None)
            ]
        for family in fitting[slots]:
            out.setdefault(family, []).append(p)
    result = []
    for (gpu_id, k), holders in sorted(out.items()):
        g = catalog.parts[gpu_id]
        assert isinstance(g, Gpu)
        if (not allowed or gpu_id in allowed) and gpu_id not in market.request.exclude:
            result.append((g, k, holders))
    return result


def hardware_keys(market: Market, gpu: Gpu, k: int, holders: list[Platform], nodes: int) -> list[RowKey]:
    """All keys that parts of the catalog can realise for `nodes` nodes of `k` GPUs."""
    caps = sorted({power_cap(gpu, p) for p in holders} - {0})
    domains = {gpu.wired_domain_gpus}
    if gpu.fabric == "nvlink-bridge" and k > 1:
        bridges = [b for b in market.catalog.of(Kind.BRIDGE) if isinstance(b, Bridge) and b.id in market.book.prices]
        domains |= {b.group_gpus for b in bridges if gpu.id in b.gpus and k % b.group_gpus == 0}
    hosts: set[tuple[int, int]] = {(0, 0)}
    if k > 1 and min(domains) < k:
        hosts = set()
        for p in holders:
            held = {c.pcie_gen or 4 for c, _ in inside(p, market.catalog, Cpu)}
            gens = {min(gpu.pcie_gen or 4, gen) for gen in held or market.pcie_gens_of(p)}
            hosts |= {(g, w) for g in gens for w in (p.gpu_lane_widths if direct(p) else (16,))}
    nets: list[tuple[str, int]] = [("none", 0)]
    if nodes > 1:
        nets.append(("pp", market.policy.whole("interconnect.pp_gbit_s")))
        nics = [n for n in market.catalog.of(Kind.NIC) if isinstance(n, Nic) and n.id in market.book.prices]
        rates = {x for x in RDMA_RATES if any(n.rdma and n.gbit_s >= x for n in nics)}
        if market.llm.is_moe or market.request.trains:
            nets += [("rdma", x) for x in sorted(rates)]
    return [
        RowKey(gpu.id, cap, k, nodes, min(d, k), gen, width, net, rate)
        for cap in caps for d in sorted(domains) for gen, width in sorted(hosts) for net, rate in nets
    ]  # fmt: skip


def rows_of(
    market: Market,
    planner: Planner | TrainingPlanner,
    gpu: Gpu,
    k: int,
    holders: list[Platform],
    node_counts: Sequence[int],
) -> list[Row]:
    """Rows of each node count with everything on the GPUs."""
    one, many = (hardware_keys(market, gpu, k, holders, n) for n in (1, 2))
    keys = [replace(key, nodes=n) for n in node_counts for key in (one if n == 1 else many)]
    return undominated(planner.rows(gpu, keys))


class RowMemory:
    """`rows_of`, remembered over markets that differ in prices alone: throughput does not read them. All have the
    same request (budget, cost axis and least throughput aside) and the same parts on sale."""

    def __init__(self) -> None:
        self._planner: Planner | TrainingPlanner | None = None
        self._known: dict[tuple[str, int, tuple[str, ...]], dict[int, list[Row]]] = {}

    def __call__(
        self,
        market: Market,
        planner: Planner | TrainingPlanner,
        gpu: Gpu,
        k: int,
        holders: list[Platform],
        node_counts: Sequence[int],
    ) -> list[Row]:
        self._planner = self._planner or planner
        known = self._known.setdefault((gpu.id, k, tuple(p.id for p in holders)), {})
        if new := [n for n in node_counts if n not in known]:
            known |= {n: [] for n in new}
            for row in rows_of(market, self._planner, gpu, k, holders, new):
                known[row.key.nodes].append(row)
        return [row for n in node_counts for row in known[n]]


def undominated(rows: Iterable[Row]) -> list[Row]:
    """Rows but those no faster than one with a weaker key before them (the weaker costs no more)."""
    out: dict[int, list[Row]] = {}
    for row in rows:
        same = out.setdefault(row.key.nodes, [])
        if not any(o.perf.tenths >= row.perf.tenths and _weaker(o.key, row.key) for o in same):
            same.append(row)
    return [row for found in out.values() for row in found]


def _weaker(a: RowKey, b: RowKey) -> bool:
    """Whether every build that realises `b` also realises `a` at no more cost."""
    order = {"none": 0, "pp": 1, "rdma": 2}
    same = (a.gpu, a.per_node, a.nodes, a.cap_w, a.domain) == (b.gpu, b.per_node, b.nodes, b.cap_w, b.domain)
    return (
        same and a.pcie_gen <= b.pcie_gen and a.lanes == b.lanes
        and order[a.net] <= order[b.net] and (a.net != "rdma" or b.net != "rdma" or a.net_gbit_s <= b.net_gbit_s)
        and not (a.net == "pp" and b.net == "rdma")
        and a.host_gb_s <= b.host_gb_s and a.host_gb <= b.host_gb and a.host_gflops <= b.host_gflops
    )  # fmt: skip
