"""Performance rows with routed experts in host memory: what CPUs and modules of a catalog can give them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

import numpy as np

from catalogs.schema import Gpu, Kind, Memory, Platform
from constraints.build import power_cap
from constraints.physics.contents import dimm_counts
from constraints.physics.offload import LEAST_GFLOPS, Host, expert_gb, host, offloads
from constraints.plan import AT_LEAST, Perf, Plan, Row, RowKey
from constraints.rules.lanes import direct
from constraints.rules.precision import kv_precision
from optimizer.market.market import Market
from optimizer.throughput.offload import HostPlanner, Judged

Hosts = Mapping[Platform, Iterable[Host]]
NodeKinds = frozenset[tuple[int, frozenset[tuple[int, int]], frozenset[Host]]]
"""What throughput reads of platforms: power cap of the GPU, its links (generation, lanes), what the hosts give."""


class HostRows:
    """Rows of a market with experts in host memory; what each platform can give is remembered, and known from those
    of a market alike (optimizer/search/assortment.py)."""

    def __init__(self, market: Market, like: HostRows | None = None, judged: KnownHostRows | None = None) -> None:
        self.market = market
        self.known = judged or KnownHostRows.of_market(market)
        self.planner = self.known.planner
        self._hosts: dict[str, frozenset[Host]] = like._hosts if like else {}

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
        kinds = frozenset(self._node_kind(platform, given, gpu) for platform, given in hosts.items())
        users, most = self.market.request.users, self.known.most_users(gpu, per_node, kinds)
        counts = [nodes for nodes in node_counts if nodes * most >= (users or 1)]
        return [row for nodes in counts for row in self.known.rows(gpu, per_node, kinds, nodes)]

    def roughest(self, gpu: Gpu, per_node: int, nodes: int) -> Row:
        """The plan that a failing build is judged by: the smallest precision, one request per node."""
        llm, request = self.market.llm, self.market.request
        precision = min(self.planner.precisions(gpu), key=llm.expert_bytes)
        plan = Plan(precision, kv_precision(llm, request), per_node, 1, 1, 1, nodes, 1, offload=True)
        host = (1, expert_gb(llm, precision), LEAST_GFLOPS)
        return Row(
            RowKey(gpu.id, gpu.tdp_w or 0, per_node, nodes, 1, 0, 0, "none", 0, *host), plan, Perf(0, 0.0, 0.0, 0.0)
        )

    def hosts(self, platform: Platform) -> frozenset[Host]:
        """What CPUs and memory of the catalog give in a platform."""
        if platform.id not in self._hosts:
            market, policy = self.market, self.market.policy
            priced = market.book.prices
            modules = [part for part in market.catalog.of(Kind.MEMORY) if part.id in priced]
            admitted = market.refusals.admitted(platform, Memory, modules)
            kinds = {(module.mts, module.dimm_type, module.capacity_gb): module for module in admitted}.values()
            cpus = [cpu for cpu in market.cpus_of(platform) if cpu.id in priced] if offloads(platform) else []
            alike = {
                (cpu.mem_channels, cpu.mem_max_mts, cpu.mrdimm_max_mts, cpu.generation, cpu.cores): cpu for cpu in cpus
            }.values()
            self._hosts[platform.id] = frozenset(
                host(platform, cpu, module_, count, policy)
                for cpu in alike
                for module_ in kinds
                for count in dimm_counts(platform)
            )
        return self._hosts[platform.id]

    def _node_kind(
        self, platform: Platform, given: Iterable[Host], gpu: Gpu
    ) -> tuple[int, frozenset[tuple[int, int]], frozenset[Host]]:
        """What throughput reads of a platform."""
        gens = {min(gpu.pcie_gen or 4, cpu.pcie_gen or 4) for cpu in self.market.cpus_of(platform)}
        widths = platform.gpu_lane_widths if direct(platform) else (16,)
        links = frozenset((gen, width) for gen in gens for width in widths)
        return power_cap(gpu, platform), links, frozenset(given)


class KnownHostRows:
    """Rows with experts in host memory, judged once for all markets whose requests ask the same of plans."""

    def __init__(self, planner: HostPlanner) -> None:
        self.planner = planner
        self._keys: dict[tuple[str, int, NodeKinds], list[RowKey]] = {}
        self._rows: dict[tuple[str, int, NodeKinds, int], list[Row]] = {}

    @classmethod
    def of_market(cls, market: Market) -> KnownHostRows:
        """Those of a market's own planner, nothing judged yet."""
        return cls(HostPlanner(market.llm, market.request, market.policy))

    def most_users(self, gpu: Gpu, per_node: int, kinds: NodeKinds) -> int:
        """Requests at once that any node of these kinds serves at most."""
        return self.planner.most_users(gpu, self._keys_of(gpu, per_node, kinds))

    def rows(self, gpu: Gpu, per_node: int, kinds: NodeKinds, nodes: int) -> list[Row]:
        """Rows of so many nodes of these kinds, but those no faster than a weaker node's."""
        name = (gpu.id, per_node, kinds, nodes)
        if name not in self._rows:
            keys = self._keys_of(gpu, per_node, kinds)
            best = self.planner.best(gpu, keys, nodes)
            able = [(key, node) for key, node in zip(keys, best, strict=True) if node is not None]
            self._rows[name] = [self.planner.row(key, node, nodes) for key, node in _undominated(able)]
        return self._rows[name]

    def _keys_of(self, gpu: Gpu, per_node: int, kinds: NodeKinds) -> list[RowKey]:
        """Keys of one node, weak ones first; they ask for room by the precisions' sizes."""
        name = (gpu.id, per_node, kinds)
        if name not in self._keys:
            sizes = sorted({expert_gb(self.planner.llm, x) for x in self.planner.precisions(gpu)})
            found = {
                RowKey(gpu.id, cap, per_node, 1, 1, gen, width, "none", 0, host.gb_s, size_gb, host.gflops)
                for cap, links, hosts in kinds
                if cap
                for host in hosts
                if host.gb_s and host.gflops
                for size_gb in sizes
                if size_gb <= host.gb
                for gen, width in links
            }
            weak_first = attrgetter("cap_w", "pcie_gen", "lanes", "host_gb_s", "host_gb", "host_gflops")
            self._keys[name] = sorted(found, key=weak_first)
        return self._keys[name]


def _undominated(nodes: list[tuple[RowKey, Judged]]) -> list[tuple[RowKey, Judged]]:
    """Nodes but those no faster than one before them with a weaker key, as `undominated` of optimizer/market/rows.py
    has it; all of one cap and width of the slot are compared at once, for there are hundreds."""
    alike: dict[tuple[int, int], list[int]] = {}
    for place, (key, _) in enumerate(nodes):
        alike.setdefault((key.cap_w, key.lanes), []).append(place)
    kept: list[int] = []
    for places in alike.values():
        tenths = np.array([nodes[place][1].rank[0] for place in places])
        dominates = np.triu(tenths[:, None] >= tenths[None, :], 1)
        for name in AT_LEAST:
            figure = np.array([getattr(nodes[place][0], name) for place in places])
            dominates &= figure[:, None] <= figure[None, :]
        kept += np.array(places)[~dominates.any(axis=0)].tolist()
    return [nodes[place] for place in sorted(kept)]
