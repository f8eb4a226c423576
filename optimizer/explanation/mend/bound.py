"""How many parts of a build change at least when it is to stand in another platform: category by category, no solver.

Every count is a lower bound: categories share no part, a part that a rule refuses early (`may`) goes, and what is not
looked at here counts nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from catalogs.schema import Bridge, Cooling, Cpu, Drive, Gpu, GpuBoard, Kind, Memory, Nic, Part, Platform, Psu
from constraints.build import Build, supply_patterns
from constraints.physics.contents import gpus_inside, inside, modules_to_buy, population
from constraints.physics.grades import least_ram_gb
from constraints.rules.fit import needs_cooler, needs_cpu, needs_psu
from constraints.rules.lanes import needs_lanes
from constraints.rules.storage import needed_gb
from optimizer.market.market import Market

P = TypeVar("P", bound=Part)
NO_WAY = 10**6
"""Changes of a node that can't be had: more than any build has parts."""


def difference(build: Build, other: Build) -> int:
    """Part ids of which the whole builds hold another number of pieces."""
    mine, theirs = build.total(), other.total()
    return sum(mine.get(part, 0) != theirs.get(part, 0) for part in {*mine, *theirs})


def spread(build: Build, nodes: int) -> dict[str, int]:
    """Pieces per node when the whole build's are spread over a number of nodes; -1 where they can't be, so that their
    number is bound to change."""
    return {part: -1 if qty % nodes else qty // nodes for part, qty in build.total().items()}


def partial(platform: Platform, count: int) -> bool:
    """A number of equal modules that fills channels in part only, which passes with a warning (rule host_memory)."""
    return population(platform, count) == "partial"


class ChangeBound:
    """Least changes by platform and family of a build of which `node` are the pieces per node (see `spread`)."""

    def __init__(self, market: Market, node: Mapping[str, int]) -> None:
        self.market, self.held = market, node
        self.have = [(market.catalog.parts[part], qty) for part, qty in node.items()]
        self.buyable = market.book.prices
        self._of: dict[type[Part], list[tuple[Any, int]]] = {}
        self._counted: dict[tuple[object, ...], int] = {}
        """Counts by what they hang on: families of one platform share most of them."""

    def _stays(self, platform: Platform, part: Part) -> bool:
        """Whether a part of the build may be bought for nodes in a platform."""
        return part.id in self.buyable and self.market.refusals.of_part(platform, part) is None

    def of(self, cls: type[P]) -> list[tuple[P, int]]:
        if cls not in self._of:
            self._of[cls] = [(part, qty) for part, qty in self.have if isinstance(part, cls)]
        return self._of[cls]

    def node(self, platform: Platform, gpu: Gpu, per_node: int, precisions: Iterable[str]) -> int:
        """Changes at least when the node becomes `per_node` of a GPU in a platform and runs one of the precisions.

        Sound: each count is of parts of its own category alone, so that they add up."""
        changes = self._whatever_the_gpu(platform)
        changes += self._gpus(platform, gpu, per_node)
        changes += self._modules(platform, gpu, per_node)
        refused = [self.market.refusals.of_bridge(gpu, per_node, bridge) for bridge, _ in self.of(Bridge)]
        changes += sum(said is not None for said in refused)
        return changes + self._drives(platform, tuple(precisions))

    def _whatever_the_gpu(self, platform: Platform) -> int:
        """Changes of the platform itself, of CPUs, supplies, coolers and cards."""
        key = ("beside", platform.id)
        if key not in self._counted:
            # Another platform is two changes: the old one goes, the new one comes.
            changes = sum((part.id != platform.id or qty != 1) for part, qty in self.of(Platform))
            changes += platform.id not in self.held
            changes += self._one(Cpu, platform, needs_cpu(platform), lambda _, qty: qty == platform.sockets)
            numbers = dict(supply_patterns(platform))
            changes += self._one(Psu, platform, needs_psu(platform), lambda _, qty: qty in numbers)
            self._counted[key] = changes + self._coolers(platform) + self._cards(platform)
        return self._counted[key]

    def _modules(self, platform: Platform, gpu: Gpu, per_node: int) -> int:
        """Memory modules: of one kind, in a number that fills the channels or stays with a warning, and enough."""
        market = self.market
        least_gb = least_ram_gb(per_node * gpu.vram_gb, platform, market.policy, market.request.grade)
        # Memory of the GPU itself needs no modules: whichever are there may stay.
        unified = gpu.form_factor == "integrated"
        key = ("modules", platform.id, least_gb, unified)
        if key not in self._counted:
            self._counted[key] = self._modules_of(platform, least_gb, unified)
        return self._counted[key]

    def _modules_of(self, platform: Platform, least_gb: int, unified: bool) -> int:
        contained, counts = inside(platform, self.market.catalog, Memory), modules_to_buy(platform, self.market.catalog)
        held, held_gb = sum(qty for _, qty in contained), sum(part.capacity_gb * qty for part, qty in contained)

        def fit(module: Memory, qty: int) -> bool:
            spread = qty in counts or partial(platform, held + qty)
            return unified or (spread and held_gb + module.capacity_gb * qty >= least_gb)

        changes = self._one(Memory, platform, any(counts), fit)
        # A system may stay as delivered: then all modules go.
        return min(changes, len(self.of(Memory))) if 0 in counts else changes

    def _coolers(self, platform: Platform) -> int:
        """CPU coolers of any kinds that fit, one for each socket; which CPU they carry is left to the solver."""
        coolers = [(part, qty) for part, qty in self.of(Cooling) if part.role == "cpu-cooler"]
        wanted = platform.sockets if needs_cooler(platform) else 0
        fit = [qty for part, qty in coolers if wanted and self._stays(platform, part)]
        return len(coolers) - len(fit) + (sum(fit) != wanted)

    def _cards(self, platform: Platform) -> int:
        """Cards that find no slot of their form or too few slots, or a port where a node has none."""
        cards = [qty for card, qty in self.of(Nic) if self._stays(platform, card)]
        held = sum(qty for _, qty in inside(platform, self.market.catalog, Nic))
        changes = len(self.of(Nic)) - len(cards)
        changes += bool(cards) and sum(cards) + held > platform.nic_slots
        return changes + (not cards and not platform.onboard_lan and not held)

    def _gpus(self, platform: Platform, gpu: Gpu, per_node: int) -> int:
        """Over the ways to have the GPUs: none bought, loose, or on a board."""
        have = {x.id: qty for x, qty in self.have if isinstance(x, Gpu | GpuBoard)}
        ways: list[dict[str, int]] = []
        if held := gpus_inside(platform, self.market.catalog)[1]:
            ways = [{gpu.id: per_node - held} if per_node > held else {}]
        elif gpu.sold_as == "single":
            ways = [{gpu.id: per_node}]
        else:
            boards = [part for part in self.market.catalog.of(Kind.GPU_BOARD) if isinstance(part, GpuBoard)]
            fitting = [board for board in boards if board.gpu == gpu.id and board.gpus == per_node]
            ways = [{board.id: 1} for board in fitting if self._stays(platform, board)]
        changes = [sum(have.get(part, 0) != way.get(part, 0) for part in {*have, *way}) for way in ways]
        return min(changes, default=NO_WAY)

    def _one(self, cls: type[P], platform: Platform, wanted: bool, right: Callable[[P, int], bool]) -> int:
        """Of a category of which a node holds one kind, `right` in number, or none where none is `wanted`."""
        have = self.of(cls)
        if not wanted:
            return len(have)
        kept = [len(have) - 1 + (not right(part, qty)) for part, qty in have if self._stays(platform, part)]
        # One kind stays and all others go, or all go and a new one comes.
        return min([*kept, len(have) + 1])

    def _drives(self, platform: Platform, precisions: tuple[str, ...]) -> int:
        key = ("drives", platform.id, precisions)
        if key not in self._counted:
            self._counted[key] = self._drives_of(platform, precisions)
        return self._counted[key]

    def _drives_of(self, platform: Platform, precisions: tuple[str, ...]) -> int:
        market, have = self.market, self.of(Drive)
        kept = [(drive, qty) for drive, qty in have if self._stays(platform, drive)]
        gone = len(have) - len(kept)
        held: list[tuple[Any, int]] = inside(platform, market.catalog, Drive)
        if "storage" in platform.includes and not held:
            return gone
        fast = [(drive, qty) for drive, qty in [*kept, *held] if needs_lanes(drive)]
        needs = [needed_gb(market.llm, precision, market.policy, market.request) for precision in precisions]
        short = sum(drive.capacity_gb * qty for drive, qty in fast) < min(needs, default=0)
        slow = sum(drive.read_mb_s * qty for drive, qty in fast) < market.policy.whole("storage.read_mb_s")
        # Too small or too slow in sum: one change at least, of a number or of a drive; which one is left to the solver.
        return gone + int(short or slow)
