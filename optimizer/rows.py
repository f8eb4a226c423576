"""Performance rows of a catalog under a request: what hardware keys exist, and how fast each is.

`rows_of` yields a family (GPU, GPUs per node) with its rows; a ledger says why a GPU has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from catalogs.schema import Bridge, Cpu, Gpu, GpuBoard, Kind, Memory, Nic, Platform
from constraints.case import power_cap
from constraints.fit import gpu_fits, memory_fits
from constraints.lanes import direct
from constraints.model import dimm_counts, gpus_inside, inside
from constraints.offload import Host, expert_gb, host, offloads
from constraints.plan import Row, RowKey
from optimizer.market import Market
from optimizer.throughput.offload import HostPlanner
from optimizer.throughput.plans import Planner

RDMA_RATES = (100, 200, 400)


def families(market: Market) -> list[tuple[Gpu, int, list[Platform]]]:
    """(GPU, GPUs per node, platforms that hold them), bought or inside complete systems."""
    catalog, book = market.catalog, market.book
    platforms = [p for p in catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(p, Platform) and p.id in book.prices]
    boards = [b for b in catalog.of(Kind.GPU_BOARD) if isinstance(b, GpuBoard) and b.id in book.prices]
    allowed = market.request.gpus
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
                if p not in found:
                    found.append(p)
        for g in catalog.of(Kind.GPU):
            if isinstance(g, Gpu) and g.id in book.prices and g.sold_as == "single":
                for k in range(1, p.gpu_slots + 1):
                    if not gpu_fits(p, g, k, None):
                        out.setdefault((g.id, k), []).append(p)
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
            cpus = [c for c, _ in inside(p, market.catalog, Cpu)] or market.cpus_of(p)
            gens = {min(gpu.pcie_gen or 4, c.pcie_gen or 4) for c in cpus}
            hosts |= {(g, w) for g in gens for w in (p.gpu_lane_widths if direct(p) else (16,))}
    nets: list[tuple[str, int]] = [("none", 0)]
    if nodes > 1:
        nets.append(("pp", market.policy.whole("interconnect.pp_gbit_s")))
        nics = [n for n in market.catalog.of(Kind.NIC) if isinstance(n, Nic) and n.id in market.book.prices]
        rates = {x for x in RDMA_RATES if any(n.rdma and n.gbit_s >= x for n in nics)}
        if market.llm.is_moe:
            nets += [("rdma", x) for x in sorted(rates)]
    return [
        RowKey(gpu.id, cap, k, nodes, min(d, k), gen, width, net, rate)
        for cap in caps for d in sorted(domains) for gen, width in sorted(hosts) for net, rate in nets
    ]  # fmt: skip


def hosts_of(market: Market, p: Platform) -> set[Host]:
    """What CPUs and memory of the catalog give to experts in a platform's memory, every channel filled."""
    if not offloads(p):
        return set()
    book, policy = market.book, market.policy
    cpus = {(c.mem_channels, c.mem_max_mts, c.generation, c.cores): c for c in market.cpus_of(p) if c.id in book.prices}
    modules = [m for m in market.catalog.of(Kind.MEMORY) if isinstance(m, Memory) and m.id in book.prices]
    kinds = {(m.mts, m.capacity_gb): m for m in modules if memory_fits(p, m)}
    return {host(p, c, m, n, policy) for c in cpus.values() for m in kinds.values() for n in dimm_counts(p)}


def host_keys(
    market: Market, gpu: Gpu, k: int, holders: dict[Platform, set[Host]], nodes: int, precisions: Sequence[str]
) -> list[RowKey]:
    """Keys of `nodes` nodes with experts in host memory, weak ones first; they ask for room by the precisions' sizes."""
    if k > market.policy.whole("plans.offload_gpus"):
        return []
    sizes = sorted({expert_gb(market.llm, x) for x in precisions})
    found = set()
    for p, hosts in holders.items():
        cap = power_cap(gpu, p)
        gens = {min(gpu.pcie_gen or 4, c.pcie_gen or 4) for c in market.cpus_of(p)}
        links = [(g, w) for g in gens for w in (p.gpu_lane_widths if direct(p) else (16,))]
        found |= {
            RowKey(gpu.id, cap, k, nodes, 1, gen, width, "none", 0, h.gb_s, size, h.gflops)
            for h in hosts if cap and h.gb_s and h.gflops
            for size in sizes if size <= h.gb
            for gen, width in links
        }  # fmt: skip
    return sorted(found)


def rows_of(
    market: Market, planner: Planner, gpu: Gpu, k: int, holders: list[Platform], node_counts: Sequence[int],
    on_host: HostPlanner | None = None,
) -> list[Row]:  # fmt: skip
    """Rows of each node count; a key that is no faster than a weaker one is dropped (the weaker costs no more)."""
    one, many = (hardware_keys(market, gpu, k, holders, n) for n in (1, 2))
    keys = [replace(key, nodes=n) for n in node_counts for key in (one if n == 1 else many)]
    rows = planner.rows(gpu, keys)
    if on_host and (precisions := on_host.precisions(gpu)):
        hosts = {p: hosts_of(market, p) for p in holders}
        for n in node_counts:
            rows += on_host.rows(gpu, host_keys(market, gpu, k, hosts, n, precisions))
    out: dict[int, list[Row]] = {}
    for row in rows:
        same = out.setdefault(row.key.nodes, [])
        if not any(_weaker(o.key, row.key) and o.perf.tenths >= row.perf.tenths for o in same):
            same.append(row)
    return [row for rows in out.values() for row in rows]


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
