"""What is on sale for a request: each family (GPU, GPUs per node) with its platforms and what may fill them.

An assortment costs more time than many a solve. It reads neither money to spend nor speed to reach, so that markets
which differ in these alone (`APART`) share one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from catalogs.schema import Gpu, Platform
from constraints.policy import Policy
from constraints.prices.tariff import NEVER
from constraints.request import Request
from constraints.rule import Refusal, Rule
from constraints.rules.registry import RULES
from optimizer.market.host_rows import HostRows
from optimizer.market.market import Market
from optimizer.market.node_options import NodeOptions, most_on_site, most_to_be_had
from optimizer.market.options import UNBOUNDED, Parts, PlatformOptions, Stock
from optimizer.market.refusals import Refusals
from optimizer.market.rows import families
from optimizer.pruning.demanded import Included
from optimizer.pruning.dominance import buyable
from optimizer.pruning.near_duplicates import thinned
from optimizer.request.fields import FIELDS
from optimizer.search.clock import Clock, Work
from optimizer.throughput.plans import Planner
from optimizer.throughput.training_plans import TrainingPlanner

APART = tuple(name for name, entry in FIELDS.items() if entry.shares == "assortment")
"""Request fields that neither prices nor an assortment depend on; a test holds that they read none of them."""


def alike(request: Request, policy: Policy) -> tuple[object, ...]:
    """Equal for requests with equal prices and assortments."""
    # Offers of a whole build are chosen within its budget.
    some = [name for name in APART if not (request.picks_offers and name == "budget_cents")]
    return request.model_copy(update=dict.fromkeys(some)), tuple(sorted(policy.changed.items()))


@dataclass
class Family:
    """A family with the options of a node on each of its platforms. `least` bounds the cents of one node, `least_host`
    of one with experts in host memory, `most` the nodes that the site can hold and sellers have parts for. `refused`:
    what rules said of platforms that can't hold what `--include` demands."""

    gpu: Gpu
    per_node: int
    all_node_options: list[NodeOptions]
    least: int
    least_host: int = NEVER
    most: int = UNBOUNDED
    refused: Mapping[str, Refusal] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, int]:
        """Id of the GPU and GPUs per node."""
        return self.gpu.id, self.per_node


class Assortment:
    """Families of a market, and those `dropped` that no node can be bought for or no plan runs on. `market` is the one
    given, of near-duplicates the best alone; without `clever` all of it. `per_node`: of families of so many GPUs per
    node alone, where nothing else is asked for."""

    def __init__(
        self,
        market: Market,
        planner: Planner | TrainingPlanner,
        clever: bool = True,
        per_node: int | None = None,
        rules: Sequence[Rule] = RULES,
    ) -> None:
        self.market = market = thinned(market) if clever else market
        self.parts = buyable(market, prune=clever)
        self.by: Parts = {}
        for part in self.parts:
            self.by.setdefault(type(part), []).append(part)
        self.families: list[Family] = []
        self.dropped: list[Family] = []
        self.on_host = HostRows(market) if market.request.offload else None
        self.refusals = Refusals(market.facts, rules)
        included = Included(market, self.refusals)
        self._made: dict[str, PlatformOptions] = {}
        self._stock: Stock = {}
        for gpu, number, holders in families(market):
            if per_node not in (None, number):
                continue
            refused = included.refused_of(holders, gpu, number) if clever else {}
            admitted = [platform for platform in holders if platform.id not in refused]
            family = Family(gpu, number, [], NEVER, refused=refused)
            on_host = self.on_host if self.on_host and self.on_host.able(gpu, number) else None
            runs = bool(planner.precisions(gpu) or on_host)
            if runs and (included.possible or not clever):
                self._fill(family, admitted, on_host)
                # Sound: a node without a price belongs to no build that can be bought.
                if family.least < NEVER or not clever:
                    if clever:
                        family.most = min(
                            most_on_site(market, family.all_node_options),
                            most_to_be_had(market, family.all_node_options),
                        )
                    self.families.append(family)
                    continue
            self.dropped.append(family)

    def _fill(self, family: Family, holders: list[Platform], on_host: HostRows | None) -> None:
        """Gives a family the options of its platforms, and the least that a node of them costs."""
        nodes = [NodeOptions(self._options(x), self.by, family.gpu, family.per_node) for x in holders]
        family.all_node_options = nodes
        family.least = min((node.least_cents for node in nodes), default=NEVER)
        if on_host and family.least < NEVER:
            room_gb = on_host.least_gb(family.gpu)
            family.least_host = min((node.least_host_cents(room_gb) for node in nodes), default=NEVER)

    def _options(self, platform: Platform) -> PlatformOptions:
        """What may fill a platform. Made once for a platform, whatever GPUs it holds; `_stock` shares lists among
        platforms alike in what they depend on."""
        if platform.id not in self._made:
            self._made[platform.id] = PlatformOptions(self.market, self.by, platform, self._stock, self.refusals)
        return self._made[platform.id]

    def spend(self, clock: Clock) -> None:
        """Takes from the clock what it took to put this together."""
        clock.spend(Work.MARKET_STOCKED)
        clock.spend(Work.PLATFORM_STOCKED, sum(len(family.all_node_options) for family in self.families))
