"""Performance rows of a catalog under a request: what hardware keys exist, and how fast each is.

`families` lists what there is to judge (GPU, GPUs per node), `GpuRows` gives the rows of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from operator import attrgetter

from catalogs.load import Catalog
from catalogs.schema import Bridge, Gpu, GpuBoard, Kind, Platform
from constraints.build import power_cap
from constraints.physics.contents import gpus_inside
from constraints.physics.lookup_tables import needs_gb
from constraints.plan import AT_LEAST, Row, RowKey
from constraints.rules.fit import added_gpus_fault, gpu_fits
from constraints.rules.software import serves_apart
from optimizer.market.host_rows import KnownHostRows
from optimizer.market.market import Market
from optimizer.throughput.choice import planner_for
from optimizer.throughput.plans import Planner
from optimizer.throughput.shapes import sizes_of
from optimizer.throughput.training_plans import TrainingPlanner

RDMA_RATES = (100, 200, 400)
_at_least = attrgetter(*AT_LEAST)
Asked = tuple[Gpu, int, list[Platform], Sequence[int]]
"""A family with the node counts to judge."""


def families(market: Market) -> list[tuple[Gpu, int, list[Platform]]]:
    """(GPU, GPUs per node, platforms that hold them), bought or inside complete systems."""
    catalog, book = market.catalog, market.book
    platforms = [
        part for part in catalog.of(Kind.PLATFORM, Kind.SYSTEM) if isinstance(part, Platform) and part.id in book.prices
    ]
    allowed = market.request.gpus
    out: dict[tuple[str, int], list[Platform]] = {}
    for platform in platforms:
        gpu_id, count = gpus_inside(platform, catalog)
        if gpu_id:
            for k in _fillings(platform, catalog, gpu_id, count, gpu_id in book.prices):
                out.setdefault((gpu_id, k), []).append(platform)
            continue
        fitting = (family for part, family in _fitting(platform, catalog) if part in book.prices)
        for family in dict.fromkeys(fitting):
            out.setdefault(family, []).append(platform)
    result = []
    for (gpu_id, k), holders in sorted(out.items()):
        part = catalog.parts[gpu_id]
        assert isinstance(part, Gpu)
        if (not allowed or gpu_id in allowed) and gpu_id not in market.request.exclude:
            result.append((part, k, holders))
    return result


def _fitting(platform: Platform, catalog: Catalog) -> list[tuple[str, tuple[str, int]]]:
    """(board or single GPU that a chassis takes, (GPU, number of them)), priced or not.

    What fits follows from the catalog alone: it is asked once for all requests, and once for all chassis alike in what
    `gpu_fits` reads of them."""
    alike = (
        platform.kind,
        platform.gpu_forms,
        platform.gpu_cooling,
        platform.gpu_boards,
        platform.gpu_slots,
        platform.gpu_width_total,
        platform.gpu_max_w,
        platform.system_max_w,
    )
    key = _fitting, alike
    if key not in catalog.derived:
        boards = [part for part in catalog.of(Kind.GPU_BOARD) if isinstance(part, GpuBoard)]
        singles = [part for part in catalog.of(Kind.GPU) if isinstance(part, Gpu) and part.sold_as == "single"]
        found = [(board.id, (board.gpu, board.gpus)) for board in boards if _takes(platform, board, catalog)]
        found += [(gpu.id, (gpu.id, number)) for gpu in singles for number in _numbers(platform, gpu)]
        catalog.derived[key] = found
    fitting: list[tuple[str, tuple[str, int]]] = catalog.derived[key]
    return fitting


def _takes(platform: Platform, board: GpuBoard, catalog: Catalog) -> bool:
    """Whether a chassis takes a board with the GPUs on it."""
    gpu = catalog.parts.get(board.gpu)
    return isinstance(gpu, Gpu) and not gpu_fits(platform, gpu, board.gpus, board)


def _numbers(platform: Platform, gpu: Gpu) -> Iterable[int]:
    """Numbers of a GPU that a chassis holds; where one is too many, so are all above it."""
    return takewhile(lambda number: not gpu_fits(platform, gpu, number, None), range(1, platform.gpu_slots + 1))


def _fillings(platform: Platform, catalog: Catalog, gpu_id: str, count: int, on_sale: bool) -> list[int]:
    """GPUs of a complete system: those inside, and with each number of free slots filled."""
    gpu = catalog.parts[gpu_id]
    assert isinstance(gpu, Gpu)
    more = range(count + 1, platform.gpu_slots + 1) if on_sale else range(0)
    return [count, *(number for number in more if not added_gpus_fault(platform, catalog, gpu, number))]


def hardware_keys(market: Market, gpu: Gpu, per_node: int, holders: list[Platform], nodes: int) -> list[RowKey]:
    """All keys that parts of the catalog can realise for `nodes` nodes of `k` GPUs."""
    caps, domains, hosts = _facts(market, gpu, per_node, holders)
    apart = nodes > 1 and serves_apart(market.llm, gpu, market.request)
    return _keys(market, gpu, per_node, nodes, caps, domains, hosts, apart)


def _facts(
    market: Market, gpu: Gpu, per_node: int, holders: list[Platform]
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[tuple[int, int], ...]]:
    """Power caps, NVLink domains and host links (generation, lanes) that chassis, bridges and CPUs give to the GPUs."""
    slots = {
        (platform.gpu_max_w, platform.kind, platform.system_max_w is None): platform for platform in holders
    }.values()
    caps = sorted({power_cap(gpu, platform) for platform in slots} - {0})
    domains = {gpu.wired_domain_gpus}
    if gpu.fabric == "nvlink-bridge" and per_node > 1:
        bridges = [
            part
            for part in market.catalog.of(Kind.BRIDGE)
            if isinstance(part, Bridge) and part.id in market.book.prices
        ]
        domains |= {
            bridge.group_gpus for bridge in bridges if gpu.id in bridge.gpus and per_node % bridge.group_gpus == 0
        }
    hosts: set[tuple[int, int]] = {(0, 0)}
    if per_node > 1 and min(domains) < per_node:
        given = {link for links in {market.host_links(platform) for platform in holders} for link in links}
        hosts = {(min(gpu.pcie_gen or 4, gen), width) for gen, width in given}
    return tuple(caps), tuple(sorted(domains)), tuple(sorted(hosts))


def _keys(
    market: Market,
    gpu: Gpu,
    per_node: int,
    nodes: int,
    caps: Sequence[int],
    domains: Sequence[int],
    hosts: Sequence[tuple[int, int]],
    apart: bool,
) -> list[RowKey]:
    """`apart`: plans may have prefill and decode on nodes of their own, which RDMA joins."""
    nets: list[tuple[str, int]] = [("none", 0)]
    if nodes > 1:
        nets.append(("pp", market.policy.whole("interconnect.pp_gbit_s")))
        if market.llm.is_moe or market.request.trains or apart:
            nets += [("rdma", rate_) for rate_ in RDMA_RATES if rate_ <= market.rdma_gbit_s]
    return [
        RowKey(gpu.id, cap, per_node, nodes, min(domain, per_node), gen, width, net, rate, tables_gb=ram_gb)
        for ram_gb in needs_gb(market.llm, sizes_of(per_node, per_node * nodes), per_node, market.policy)
        for cap in caps
        for domain in domains
        for gen, width in hosts
        for net, rate in nets
    ]


class GpuRows:
    """Rows with everything on the GPUs, judged once for all GPUs whose figures throughput can't tell apart, and for all
    markets whose requests ask the same of plans: throughput reads no price, no site and no purchase."""

    def __init__(self, planner: Planner | TrainingPlanner) -> None:
        self.planner = planner
        self._known: dict[tuple[object, ...], tuple[tuple[int, ...], dict[int, list[Row]]]] = {}
        self._on_host: KnownHostRows | None = None

    @classmethod
    def of_market(cls, market: Market, bounded: bool = True) -> GpuRows:
        """Those of a market's own planner, nothing judged yet."""
        return cls(planner_for(market.llm, market.request, market.policy, market.calibration, bounded))

    def on_host(self, market: Market) -> KnownHostRows:
        """Rows of the same requests with experts in host memory."""
        if self._on_host is None:
            self._on_host = KnownHostRows.of_market(market)
        return self._on_host

    def of(
        self, market: Market, gpu: Gpu, per_node: int, holders: list[Platform], node_counts: Sequence[int]
    ) -> list[Row]:
        """Rows of each node count."""
        return self.of_all(market, [(gpu, per_node, holders, node_counts)])[0]

    def of_all(self, market: Market, asked: Sequence[Asked]) -> list[list[Row]]:
        """Rows of several families, judged together."""
        found = [self._known_of(market, *x) for x in asked]
        judged = self.planner.rows_of([(gpu, keys) for (gpu, *_), (_, _, _, keys) in zip(asked, found, strict=True)])
        out = []
        for (gpu, _, _, counts), (caps, of_caps, known, _), rows in zip(asked, found, judged, strict=True):
            theirs, mine = dict(zip(caps, of_caps, strict=True)), dict(zip(of_caps, caps, strict=True))
            for row in undominated(rows):
                known[row.key.nodes].append(_on(row, gpu.id, theirs))
            out.append([_on(row, gpu.id, mine) for n in counts for row in known[n]])
        return out

    def _known_of(
        self, market: Market, gpu: Gpu, per_node: int, holders: list[Platform], node_counts: Sequence[int]
    ) -> tuple[tuple[int, ...], tuple[int, ...], dict[int, list[Row]], list[RowKey]]:
        """Power caps of the GPU and of the first one like it, that one's rows by node count, and the keys that those
        node counts lack."""
        caps, domains, hosts = _facts(market, gpu, per_node, holders)
        slowed = tuple((cap, gpu.tdp_w) if gpu.tdp_w and cap < gpu.tdp_w else None for cap in caps)
        kind = (self.planner.alike(gpu), gpu.pcie_gen, per_node, slowed, domains, hosts, market.rdma_gbit_s)
        of_caps, known = self._known.setdefault(kind, (caps, {}))
        new = [nodes for nodes in node_counts if nodes not in known]
        known |= {nodes: [] for nodes in new}
        apart = self.planner.apart(gpu)
        fewest = {net: self.planner.fewest(gpu, apart and net == "rdma") for net in ("none", "pp", "rdma")}
        keys = [
            key
            for nodes in new
            if nodes * per_node >= min(fewest.values())
            for key in _keys(market, gpu, per_node, nodes, caps, domains, hosts, apart)
            if key.total >= fewest[key.net]
        ]
        return caps, of_caps, known, keys


def _on(row: Row, gpu: str, caps: dict[int, int]) -> Row:
    """The row of another GPU of the same figures under its own power caps."""
    key = row.key
    if key.gpu == gpu and key.cap_w == caps[key.cap_w]:
        return row
    return Row(replace(key, gpu=gpu, cap_w=caps[key.cap_w]), row.plan, row.perf)


def undominated(rows: Iterable[Row]) -> list[Row]:
    """Rows but those no faster than one with a weaker key before them (the weaker costs no more)."""
    out: dict[int, list[Row]] = {}
    for row in rows:
        same = out.setdefault(row.key.nodes, [])
        if not any(other.perf.tenths >= row.perf.tenths and _weaker(other.key, row.key) for other in same):
            same.append(row)
    return [row for found in out.values() for row in found]


def _weaker(key: RowKey, other: RowKey) -> bool:
    """Whether every build that realises `other` also realises `key`, at no more cost.

    What hardware gives is asked for as "at least" (`AT_LEAST`, rates of a network); widths of slots, caps and groups of
    GPUs are as they are. Any network serves replicas alone ("none"); a fabric for RDMA, though, is no front end of the
    speed that pipeline stages need."""
    if (key.gpu, key.per_node, key.nodes, key.cap_w, key.domain) != (
        other.gpu, other.per_node, other.nodes, other.cap_w, other.domain,
    ):  # fmt: skip
        return False
    if key.lanes != other.lanes or key.net not in ("none", other.net):
        return False
    if key.net == "rdma" and key.net_gbit_s > other.net_gbit_s:
        return False
    return all(less <= more for less, more in zip(_at_least(key), _at_least(other), strict=True))
