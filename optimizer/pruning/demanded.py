"""What `--include` demands, held against families before anything is planned: rules let no other node hold the part."""

from __future__ import annotations

from collections.abc import Iterable

from catalogs.schema import Gpu, Kind, Platform
from constraints.physics.demanded import demanded, of_network, serves_alone
from constraints.rule import Refusal
from optimizer.market.market import Market
from optimizer.market.refusals import Refusals


class Included:
    """The parts that a request demands."""

    def __init__(self, market: Market, refusals: Refusals) -> None:
        prices, parts = market.book.prices, market.catalog.parts
        self._refusals = refusals
        self.parts = [parts[part_id] for part_id in market.request.include]
        inside = {
            content.part
            for part in parts.values()
            if isinstance(part, Platform) and part.id in prices
            for content in part.contents
        }
        self.possible = all(part.id in prices or part.id in inside for part in self.parts)
        """False when one of them can neither be bought nor comes inside of something that can."""

    def refused_of(self, platforms: Iterable[Platform], gpu: Gpu, per_node: int) -> dict[str, Refusal]:
        """Of the platforms in which a node of `per_node` GPUs can't hold them all, by id, the reason."""
        among = platforms if self.parts else ()
        said = ((platform.id, self._refused(platform, gpu, per_node)) for platform in among)
        return {platform: why for platform, why in said if why is not None}

    def _refused(self, platform: Platform, gpu: Gpu, per_node: int) -> Refusal | None:
        """The same of one platform; None says nothing."""
        if self._refusals.of_node(platform, gpu, per_node):
            return None  # a platform that is refused whatever is demanded is closed by its bound
        contents = {content.part for content in platform.contents}
        bought = (part for part in self.parts if part.id not in contents)
        said = (self._refusals.of_demanded(platform, gpu, per_node, part) for part in bought)
        return next((found for found in said if found), None)


def least_nodes(market: Market) -> int:
    """Nodes below which a demanded part has nothing to connect."""
    parts = [wired for wired in demanded(market.request, market.catalog) if of_network(wired)]
    inside = {
        content.part
        for part in market.catalog.of(Kind.SYSTEM)
        if isinstance(part, Platform)
        for content in part.contents
    }
    return 2 if any(not serves_alone(part, market.request, 1) and part.id not in inside for part in parts) else 1
