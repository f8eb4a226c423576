"""How many parts of a build change at least when it is to stand in another platform: category by category, no solver.

Every count is a lower bound: categories share no part, a part that a rule refuses early (`may`) goes, and what is not
looked at here counts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from catalogs.schema import Bridge, Cooling, Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Platform, Psu
from constraints.build import Build, patterns
from constraints.physics.contents import gpus_inside, inside, modules_to_buy, population
from constraints.rules.fit import needs_cooler, needs_cpu, needs_psu
from constraints.rules.host_memory import floor_gb
from constraints.rules.lanes import needs_lanes
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market

P = TypeVar("P", bound=Part)


def difference(build: Build, b: Build) -> int:
    """Part ids of which the whole builds hold another number of pieces."""
    x, y = build.total(), b.total()
    return sum(x.get(p, 0) != y.get(p, 0) for p in {*x, *y})


def spread(build: Build, nodes: int) -> dict[str, int]:
    """Pieces per node when the whole build's are spread over a number of nodes; -1 where they can't be, so that their
    number is bound to change."""
    return {p: -1 if q % nodes else q // nodes for p, q in build.total().items()}


def partial(platform: Platform, count: int) -> bool:
    """A number of equal modules that fills channels in part only, which passes with a warning (rule host_memory)."""
    return population(platform, count) == "partial"


class ChangeBound:
    """Least changes by platform and family of a build of which `node` are the pieces per node (see `spread`)."""

    def __init__(self, market: Market, node: Mapping[str, int]) -> None:
        self.market, self.held = market, node
        self.have = [(market.catalog.parts[p], q) for p, q in node.items()]
        self.buyable = market.book.prices

    def _stays(self, platform: Platform, part: Part) -> bool:
        """Whether a part of the build may be bought for nodes in a platform."""
        return part.id in self.buyable and self.market.refusals.of_part(platform, part) is None

    def of(self, cls: type[P]) -> list[tuple[P, int]]:
        return [(p, q) for p, q in self.have if isinstance(p, cls)]

    def node(self, platform: Platform, gpu: Gpu, per_node: int, precisions: Iterable[str]) -> int:
        """Changes at least when the node becomes `k` of a GPU in `p` and runs one of the precisions."""
        market = self.market
        contained, counts = inside(platform, market.catalog, Memory), modules_to_buy(platform, market.catalog)
        held, held_gb = sum(q for _, q in contained), sum(x.capacity_gb * q for x, q in contained)
        least_gb = floor_gb(per_node * gpu.vram_gb, market.policy)

        def modules_fit(module: Memory, q: int) -> bool:
            spread = q in counts or partial(platform, held + q)
            return spread and held_gb + module.capacity_gb * q >= least_gb

        # Another platform is two changes: the old one goes, the new one comes.
        count = sum((x.id != platform.id or q != 1) for x, q in self.of(Platform)) + (platform.id not in self.held)
        count += self._gpus(platform, gpu, per_node)
        count += self._one(Cpu, platform, needs_cpu(platform), lambda x, q: q == platform.sockets)
        # Memory of the GPU itself needs no modules: whichever are there may stay.
        unified = gpu.form_factor == "integrated"
        modules = self._one(Memory, platform, any(counts), lambda x, q: unified or modules_fit(x, q))
        count += min(modules, len(self.of(Memory))) if 0 in counts else modules
        sets = dict(patterns(platform))
        count += self._one(Psu, platform, needs_psu(platform), lambda x, q: q in sets)
        coolers = [(x, q) for x, q in self.of(Cooling) if x.role == "cpu-cooler"]
        wanted = platform.sockets if needs_cooler(platform) else 0
        fit = [(x, q) for x, q in coolers if wanted and self._stays(platform, x)]
        count += len(coolers) - len(fit) + (sum(q for _, q in fit) != wanted)
        cards = [(x, q) for x, q in self.of(Nic) if self._stays(platform, x)]
        held_cards = sum(q for _, q in inside(platform, market.catalog, Nic))
        count += len(self.of(Nic)) - len(cards)
        count += bool(cards) and sum(q for _, q in cards) + held_cards > platform.nic_slots
        count += not cards and not platform.onboard_lan and not held_cards
        count += sum(market.refusals.of_bridge(gpu, per_node, x) is not None for x, _ in self.of(Bridge))
        return count + self._drives(platform, precisions)

    def _gpus(self, platform: Platform, gpu: Gpu, per_node: int) -> int:
        """Over the ways to have the GPUs: none bought, loose, or on a board."""
        have = {x.id: q for x, q in self.have if isinstance(x, Gpu | GpuBoard)}
        ways: list[dict[str, int]] = []
        if held := gpus_inside(platform, self.market.catalog)[1]:
            ways = [{gpu.id: per_node - held} if per_node > held else {}]
        elif gpu.sold_as == "single":
            ways = [{gpu.id: per_node}]
        else:
            boards = [part for part in self.market.catalog.of(Kind.GPU_BOARD) if isinstance(part, GpuBoard)]
            fitting = [b for b in boards if b.gpu == gpu.id and b.gpus == per_node]
            ways = [{b.id: 1} for b in fitting if self._stays(platform, b)]
        return min((sum(have.get(x, 0) != w.get(x, 0) for x in {*have, *w}) for w in ways), default=10**6)

    def _one(self, cls: type[P], platform: Platform, wanted: bool, right: Callable[[P, int], bool]) -> int:
        """Of a category of which a node holds one kind, `right` in number, or none where none is `wanted`."""
        have = self.of(cls)
        if not wanted:
            return len(have)
        kept = [len(have) - 1 + (not right(x, q)) for x, q in have if self._stays(platform, x)]
        # One kind stays and all others go, or all go and a new one comes.
        return min([*kept, len(have) + 1])

    def _drives(self, platform: Platform, precisions: Iterable[str]) -> int:
        market, have = self.market, self.of(Drive)
        kept = [(d, q) for d, q in have if self._stays(platform, d)]
        gone = len(have) - len(kept)
        held: list[tuple[Any, int]] = inside(platform, market.catalog, Drive)
        if "storage" in platform.includes and not held:
            return gone
        fast = [(d, q) for d, q in [*kept, *held] if needs_lanes(d)]
        needs = [needed_gb(market.llm, x, market.policy, market.request) for x in precisions]
        short = sum(d.capacity_gb * q for d, q in fast) < min(needs, default=0)
        slow = sum(d.read_mb_s * q for d, q in fast) < market.policy.whole("storage.read_mb_s")
        # Too small or too slow in sum: one change at least, of a number or of a drive; which one is left to the solver.
        return gone + int(short or slow)
