"""What `--include` demands, held against families before anything is planned: rules let no other node hold the part."""

from __future__ import annotations

from catalogs.load import Catalog
from catalogs.schema import Cooling, Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Pdu, Platform, Psu, Rack
from constraints.physics.contents import module_fits_inside
from constraints.physics.demanded import demanded, of_network, serves_alone
from constraints.rules.fit import bayless, cpu_fits, memory_fits, needs_cooler, needs_psu, psu_fits
from constraints.rules.rack import racked
from optimizer.market.market import Market


class Included:
    """The parts that a request demands."""

    def __init__(self, market: Market) -> None:
        prices, parts = market.book.prices, market.catalog.parts
        self._catalog = market.catalog
        self.parts = [parts[x] for x in market.request.include]
        inside = {c.part for p in parts.values() if isinstance(p, Platform) and p.id in prices for c in p.contents}
        self.possible = all(p.id in prices or p.id in inside for p in self.parts)
        """False when one of them can neither be bought nor comes inside of something that can."""

    def held_by(self, platform: Platform, gpu: Gpu, per_node: int) -> bool:
        """False when a node of `per_node` GPUs in a platform can't hold them all; true says nothing."""
        contents = {c.part for c in platform.contents}
        return all(p.id in contents or _may(p, platform, self._catalog, gpu, per_node) for p in self.parts)


def _may(part: Part, platform: Platform, catalog: Catalog, gpu: Gpu, per_node: int) -> bool:
    """Whether a node may hold a part that is bought for it."""
    if part.kind in (Kind.PLATFORM, Kind.SYSTEM):
        return part.id == platform.id
    if isinstance(part, Gpu):
        return part.id == gpu.id
    if isinstance(part, GpuBoard):
        return part.gpu == gpu.id and part.gpus == per_node
    if isinstance(part, Cpu):
        return cpu_fits(platform, part)
    if isinstance(part, Memory):
        return memory_fits(platform, part) and module_fits_inside(platform, catalog, part)
    if isinstance(part, Psu):
        return needs_psu(platform) and psu_fits(platform, part)
    if isinstance(part, Drive):
        return not bayless(part, platform)
    if isinstance(part, Nic):
        return part.form in platform.nic_forms and platform.nic_slots > 0
    if isinstance(part, Cooling):
        wet = "air" not in platform.cooling and platform.kind != Kind.SYSTEM
        cooler = needs_cooler(platform) and part.socket == platform.socket
        return cooler if part.role == "cpu-cooler" else wet
    return racked(platform) if isinstance(part, Rack | Pdu) else True


def least_nodes(market: Market) -> int:
    """Nodes below which a demanded part has nothing to connect."""
    parts = [p for p in demanded(market.request, market.catalog) if of_network(p)]
    inside = {c.part for p in market.catalog.of(Kind.SYSTEM) if isinstance(p, Platform) for c in p.contents}
    return 2 if any(not serves_alone(p, market.request, 1) and p.id not in inside for p in parts) else 1
