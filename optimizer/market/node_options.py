"""A platform with `k` GPUs of a kind: what may fill the rest of the node, given what those GPUs ask of it."""

from __future__ import annotations

from catalogs.offers import MOST_PIECES
from catalogs.schema import Bridge, Gpu, GpuBoard
from constraints.build import PsuBank, power_cap
from constraints.physics.contents import gpus_inside
from constraints.physics.grades import NODES, at_most, fan_cards_sold, gpus_qualified, least_cores, least_ram_gb
from constraints.physics.markets import line_volts, region_at
from constraints.physics.offload import room_gb
from constraints.plan import RowKey
from constraints.prices.tariff import NEVER
from constraints.rules.lanes import gpu_lanes, gpu_width
from constraints.rules.power import circuit_limit_w, node_limit_w, transient_extra_w, watts_at
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market
from optimizer.market.options import UNBOUNDED, Option, Parts, PlatformOptions, cheapest_first


class NodeOptions:
    """Options of a shelf that serve `k` GPUs; `unfit` when some category has none."""

    def __init__(self, platform_options: PlatformOptions, parts: Parts, gpu: Gpu, per_node: int) -> None:
        self.platform_options, self.platform, self.gpu, self.k = (
            platform_options,
            platform_options.platform,
            gpu,
            per_node,
        )
        self.market, self._parts = platform_options.market, parts
        policy, platform = self.market.policy, self.platform
        self.cap_w = power_cap(gpu, platform)
        self.gpus = self._gpus()
        cores = least_cores(per_node, platform, policy, self.market.request.grade)
        self.cpus = platform_options.shared(
            ("cores", cores, platform_options.alike),
            lambda: [option for option in platform_options.cpus if option.size >= cores],
        )
        self.floor_gb = 0 if gpu.form_factor == "integrated" or not platform.dimm_slots else per_node * gpu.vram_gb
        least_gb = least_ram_gb(self.floor_gb, platform, policy, self.market.request.grade)
        self.memory = platform_options.shared(
            ("floor", least_gb, platform_options.alike),
            lambda: [option for option in platform_options.memory if option.size >= least_gb],
        )
        self.nics = platform_options.nics
        most = at_most(NODES, platform, policy, self.market.request.grade)
        self.most_nodes = UNBOUNDED if most is None else most
        self.static_w, self.own = self.cap_w * per_node + platform_options.static_w, platform_options.own
        self.unfit = not (self.gpus and self.cpus and self.memory and self.nics and self.platform_options.banks)
        self.least_cents = self._least_cents()

    def _least_cents(self) -> int:
        """A first bound of one node, for any row: the cheapest of everything but drives and bridges."""
        if self.unfit:
            return NEVER
        pools = (self.gpus, self.cpus, self.memory, self.platform_options.banks)
        return min(NEVER, self.own.cents + sum(pool[0].cents for pool in pools))

    def least_host_cents(self, expert_gb: int) -> int:
        """The same with `expert_gb` GiB of experts in host memory."""
        policy = self.market.policy
        large = [option.cents for option in self.memory if option.gb_s and room_gb(option.size, policy) >= expert_gb]
        return min(NEVER, self.least_cents + large[0] - self.memory[0].cents) if large else NEVER

    def _gpus(self) -> list[Option]:
        platform, gpu, k, platform_options = self.platform, self.gpu, self.k, self.platform_options
        market = self.market
        policy, grade = market.policy, market.request.grade
        if not fan_cards_sold(platform, gpu, k, policy, grade):
            return []
        if not gpus_qualified(platform, gpu, k, market.catalog, policy, grade):
            return []
        inside = gpus_inside(platform, self.market.catalog)[1] if platform.contents else 0
        if inside == k:
            return [Option(0, 0)]
        if gpu.sold_as == "board":
            boards = [board for board in platform_options.admitted(GpuBoard) if board.gpu == gpu.id and board.gpus == k]
            options = [platform_options.option((board, 1), watts=board.overhead_w) for board in boards]
            return cheapest_first(platform_options.with_demanded(options, GpuBoard))
        on_sale = gpu.id in self.market.book.prices and self.cap_w
        more = k - inside
        return (
            platform_options.shared(("gpus", gpu.id, more), lambda: [platform_options.option((gpu, more))])
            if on_sale
            else []
        )

    def need_gb(self, precision: str) -> int:
        """NVMe that the weights of a precision ask for."""
        return needed_gb(self.market.llm, precision, self.market.policy, self.market.request)

    def psus(self, static_w: int) -> list[Option]:
        """Sets of supplies that carry a node of `static_w` (fans not counted)."""
        load, peak = self.load_w(static_w), transient_extra_w(self.k * self.cap_w, self.market.policy)
        return self.platform_options.shared(
            ("carry", load, peak, self.platform_options.bank), lambda: self._carrying(load, load + peak)
        )

    def _carrying(self, load: int, peak: int) -> list[Option]:
        policy = self.market.policy
        volts = line_volts(self.market.request, policy)
        region = region_at(volts, self.market.request)

        def carries(supplies: PsuBank | None) -> bool:
            # Built in, of unknown figures: its maker vouches for the load (rule power).
            if supplies is None:
                return True
            within = load <= node_limit_w(supplies, volts, policy, region)
            return within and (not supplies.atx or peak <= supplies.fitted * watts_at(supplies, volts))

        return [option for option in self.platform_options.banks if carries(option.bank)]

    def load_w(self, static_w: int) -> int:
        """Load of a node with fans on its supplies; of a complete system at least that of its published maximum."""
        load = -(-100 * static_w // (100 - self.platform_options.fan))
        return max(load, self.platform_options.published_w)

    def bridges(self, key: RowKey) -> list[Option]:
        """Bridges of the row's NVLink groups; a free option where it needs none."""
        if self.gpu.fabric != "nvlink-bridge" or key.domain <= 1:
            return [Option(0, 0)]
        refusals = self.platform_options.refusals
        sold = [bridge for bridge in self._parts.get(Bridge, []) if isinstance(bridge, Bridge)]
        of_group = [bridge for bridge in sold if bridge.group_gpus == key.domain]
        fits = [bridge for bridge in of_group if not refusals.of_bridge(self.gpu, self.k, bridge)]
        return cheapest_first(
            self.platform_options.option((bridge, self.k // bridge.group_gpus * bridge.per_group)) for bridge in fits
        )

    def cpus_for(self, key: RowKey) -> list[Option]:
        """CPUs of the row's PCIe generation whose lanes feed the GPUs, and fast enough for experts in host memory."""
        memo = (self.k, key.pcie_gen, key.lanes, key.host_gb_s, key.host_gflops)
        known = self.platform_options.pools
        if memo not in known:
            known[memo] = [
                option
                for option in self.cpus
                if option.pcie_gen >= key.pcie_gen
                and option.gb_s >= key.host_gb_s
                and option.gflops >= key.host_gflops
                and self.lanes_left(option, key) >= 0
            ]
        return known[memo]

    def memory_for(self, key: RowKey) -> list[Option]:
        """Memory that is large and fast enough for the row's experts, or large enough for its n-gram tables."""
        if key.tables_gb:
            return self._of_size(key.tables_gb)
        if not key.host_gb_s:
            return self.memory
        memo = (self.floor_gb, key.host_gb_s, key.host_gb)
        known, policy = self.platform_options.pools, self.market.policy
        if memo not in known:
            known[memo] = [
                option
                for option in self.memory
                if option.gb_s >= key.host_gb_s and room_gb(option.size, policy) >= key.host_gb
            ]
        return known[memo]

    def _of_size(self, least_gb: int) -> list[Option]:
        """Memory of a platform with modules that holds so many GB."""
        if not self.floor_gb:
            return []
        memo = (self.floor_gb, least_gb)
        known = self.platform_options.pools
        if memo not in known:
            known[memo] = [option for option in self.memory if option.size >= least_gb]
        return known[memo]

    def lanes_left(self, cpu: Option, key: RowKey) -> int:
        """CPU lanes left beside the GPUs; negative when even those find too few."""
        width = gpu_width(self.platform, key.lanes)
        if not width:
            return -1
        return (
            cpu.lanes + self.platform.chipset_lanes - gpu_lanes(self.k, width)
            if self.platform_options.direct
            else 10**6
        )


def most_to_be_had(market: Market, all_node_options: list[NodeOptions]) -> int:
    """Nodes of a family that sellers have chassis and GPUs for at most."""
    nodes = [
        (*node_options.own.parts, *gpu.parts)
        for node_options in all_node_options
        if not node_options.unfit
        for gpu in node_options.gpus
    ]
    return max((min(pieces_to_be_had(market, part) // qty for part, qty in held) for held in nodes), default=0)


def pieces_to_be_had(market: Market, part: str) -> int:
    """Pieces of a priced part that sellers have at most; UNBOUNDED where they have all that a build may hold."""
    if market.book.prices[part].tariff is None:
        return UNBOUNDED  # one price for any number
    short = market.book.short(part, MOST_PIECES)  # no build holds more
    return short[1] if short else UNBOUNDED


def most_on_site(market: Market, all_node_options: list[NodeOptions]) -> int:
    """Nodes of a family that the site's power, circuit and rack units hold at most: by what stands in every node."""
    request, limits = market.request, [UNBOUNDED]
    fitting = [node_options for node_options in all_node_options if not node_options.unfit]
    # Sound: GPUs and chassis draw what they draw whatever stands beside them, and supplies take no less from the wall.
    watts = min((node_options.load_w(node_options.static_w) for node_options in fitting), default=0)
    circuit_w = circuit_limit_w(request.circuit, request, market.policy) if request.circuit else None
    limits += [most_w // watts for most_w in (request.max_power_w, circuit_w) if most_w is not None and watts]
    units = min((node_options.platform.rack_units or 0 for node_options in fitting), default=0)
    if request.rack_units is not None and units:
        limits.append(request.rack_units // units)
    return min(limits)
