"""Performance rows with routed experts in host memory: what CPUs and modules of a catalog can give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from catalogs.schema import Gpu, Kind, Memory, Platform
from constraints.build import power_cap
from constraints.physics.contents import dimm_counts
from constraints.physics.offload import LEAST_GFLOPS, Host, expert_gb, host, offloads
from constraints.plan import Perf, Plan, Row, RowKey
from constraints.rules.lanes import direct
from constraints.rules.precision import kv_precision
from optimizer.market.market import Market
from optimizer.market.rows import undominated
from optimizer.throughput.offload import HostPlanner

Hosts = Mapping[Platform, Iterable[Host]]


class HostRows:
    """Rows of a market with experts in host memory; what each platform can give is remembered, and known from those
    of a market alike (optimizer/search/assortment.py)."""

    def __init__(self, market: Market, like: HostRows | None = None) -> None:
        self.market = market
        self.planner = HostPlanner(market.llm, market.request, market.policy)
        self._hosts: dict[str, set[Host]] = like._hosts if like else {}

    def least_gb(self, gpu: Gpu) -> int:
        """GiB of experts at the smallest precision that the GPU may run them beside."""
        return min(expert_gb(self.market.llm, precision) for precision in self.planner.precisions(gpu))

    def able(self, gpu: Gpu, per_node: int) -> bool:
        """Whether an engine serves the model with such a node."""
        return per_node <= self.market.policy.whole("plans.offload_gpus") and bool(self.planner.precisions(gpu))

    def rows(self, gpu: Gpu, per_node: int, holders: Iterable[Platform], node_counts: Sequence[int]) -> list[Row]:
        """Rows of each node count that parts of the catalog can realise, every channel filled."""
        return self.of({platform: self.hosts(platform) for platform in holders}, gpu, per_node, node_counts)

    def of(self, hosts: Hosts, gpu: Gpu, per_node: int, node_counts: Sequence[int]) -> list[Row]:
        """Rows of platforms that give this to the experts."""
        if not self.able(gpu, per_node):
            return []
        keys, out = self._keys(hosts, gpu, per_node), []
        users, most = self.market.request.users, self.planner.most_users(gpu, keys)
        for nodes in node_counts:
            if nodes * most < (users or 1):
                continue
            found = undominated(self.planner.rows(gpu, keys, nodes))
            if users is None:
                kept = {replace(row.key, nodes=1) for row in found}  # replicas: what one node drops, many drop too
                keys = [key for key in keys if key in kept]
            out += found
        return out

    def roughest(self, gpu: Gpu, per_node: int, nodes: int) -> Row:
        """The plan that a failing build is judged by: the smallest precision, one request per node."""
        llm, request = self.market.llm, self.market.request
        precision = min(self.planner.precisions(gpu), key=llm.expert_bytes)
        plan = Plan(precision, kv_precision(llm, request), per_node, 1, 1, 1, nodes, 1, offload=True)
        host = (1, expert_gb(llm, precision), LEAST_GFLOPS)
        return Row(
            RowKey(gpu.id, gpu.tdp_w or 0, per_node, nodes, 1, 0, 0, "none", 0, *host), plan, Perf(0, 0.0, 0.0, 0.0)
        )

    def hosts(self, platform: Platform) -> set[Host]:
        """What CPUs and memory of the catalog give in a platform."""
        if platform.id not in self._hosts:
            market, policy = self.market, self.market.policy
            priced = market.book.prices
            modules = [part for part in market.catalog.of(Kind.MEMORY) if part.id in priced]
            admitted = market.refusals.admitted(platform, Memory, modules)
            kinds = {(module.mts, module.capacity_gb): module for module in admitted}.values()
            cpus = [cpu for cpu in market.cpus_of(platform) if cpu.id in priced] if offloads(platform) else []
            alike = {(cpu.mem_channels, cpu.mem_max_mts, cpu.generation, cpu.cores): cpu for cpu in cpus}.values()
            self._hosts[platform.id] = {
                host(platform, cpu, module_, count, policy)
                for cpu in alike
                for module_ in kinds
                for count in dimm_counts(platform)
            }
        return self._hosts[platform.id]

    def _keys(self, hosts: Hosts, gpu: Gpu, per_node: int) -> list[RowKey]:
        """Keys of one node, weak ones first; they ask for room by the precisions' sizes."""
        sizes = sorted({expert_gb(self.market.llm, x) for x in self.planner.precisions(gpu)})
        found = set()
        for p, given in hosts.items():
            cap = power_cap(gpu, p)
            gens = {min(gpu.pcie_gen or 4, c.pcie_gen or 4) for c in self.market.cpus_of(p)}
            links = [(g, w) for g in gens for w in (p.gpu_lane_widths if direct(p) else (16,))]
            classes = {(h.gb_s, n, h.gflops) for h in given for n in sizes if h.gb_s and h.gflops and n <= h.gb}
            found |= {
                RowKey(gpu.id, cap, per_node, 1, 1, g, w, "none", 0, *c) for c in classes for g, w in links if cap
            }
        return sorted(found, key=attrgetter("cap_w", "pcie_gen", "lanes", "host_gb_s", "host_gb", "host_gflops"))
