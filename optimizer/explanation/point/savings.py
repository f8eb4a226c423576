"""What the rules admit but the search does not look at, offered where it is cheaper: memory channels filled in part.

`solve` fills every memory channel; `check` admits fewer modules that spread evenly over sockets and channels. Each
offer is judged by the same rules as `check`, and priced by the same purchase.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.schema import Memory
from constraints.build import Build
from constraints.physics.contents import dimm_counts, inside, population
from optimizer.market.market import Market
from optimizer.search.front import Point
from optimizer.search.judging import asked_for, judge


@dataclass(frozen=True)
class FewerModules:
    """A build with `count` modules per node in place of the point's `before_count`, and what its lines cost less."""

    build: Build
    module: Memory
    count: int
    before: Memory
    before_count: int
    channels: int


def fewer_modules(market: Market, point: Point) -> FewerModules | None:
    """The cheapest build with some memory channels left empty that costs less than the point, is as fast and passes
    every rule and every wish; None where there is none."""
    parts_cents = market.book.cost(point.case.build.total())
    offers = []
    for offer in _partial(market, point):
        cents = market.book.cost(offer.build.total())
        if cents < parts_cents:
            offers.append((cents, offer.count, offer.module.id, offer))
    for *_, offer in sorted(offers, key=lambda x: x[:3]):
        if _holds(market, point, offer.build):
            return offer
    return None


def _partial(market: Market, point: Point) -> Iterator[FewerModules]:
    """The point's build with each module of the catalog in each number that fills a part of the channels evenly."""
    case = point.case
    own = [(part, pieces) for part, pieces in case.parts(Memory) if isinstance(part, Memory)]
    if len(own) != 1 or inside(case.platform, market.catalog, Memory) or case.gpu.form_factor == "integrated":
        return
    before, before_count = own[0]
    counts = dimm_counts(case.platform)
    others = {part: qty for part, qty in case.build.node.items() if part != before.id}
    for module in market.catalog.parts.values():
        if not isinstance(module, Memory) or module.id not in market.book.prices:
            continue
        for count in range(1, counts[0] if counts else 0):
            if population(case.platform, count) == "partial":
                build = Build(case.build.nodes, {**others, module.id: count}, case.build.shared)
                yield FewerModules(build, module, count, before, before_count, counts[0])


def _holds(market: Market, point: Point, build: Build) -> bool:
    """Whether a build passes everything and is as fast as the point."""
    judged = judge(market, build)
    if judged.row is None or judged.row.perf.tenths < point.found.row.perf.tenths:
        return False
    return all(x.status != "fail" for x in [*judged.checks, *asked_for(market, judged)])
