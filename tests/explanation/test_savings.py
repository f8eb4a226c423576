"""What `check` admits and `solve` does not look at is offered where it is cheaper: fewer memory modules, even ones."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind, Memory
from constraints.build import Build
from constraints.policy import Policy
from constraints.request import Request
from optimizer.explanation.point.explained import explained
from optimizer.explanation.point.savings import fewer_modules
from optimizer.market.market import Market
from optimizer.search.front import Point
from optimizer.search.judging import check
from optimizer.search.solver import Solver
from tests.conftest import AS_OF


def market_of(catalog: Catalog, **fields: object) -> Market:
    asked = {"model": "v2-670b", "budget_cents": 300_000_00, "as_of": AS_OF} | fields
    return Market.open(catalog, Request.model_validate(asked), Policy())


@pytest.fixture(scope="module")
def main_job(shipped: Catalog) -> tuple[Market, tuple[Point, ...]]:
    market = market_of(shipped, grade="floor")  # what is sold leaves few modules to be spared
    return market, tuple(Solver(market).front().points)


def evenly(channels_per_cpu: int, sockets: int, count: int) -> bool:
    """Whether modules stand alike on every socket and leave channels of each empty, spelled out socket by socket."""
    each = [count // sockets + (socket < count % sockets) for socket in range(sockets)]
    alike = len(set(each)) == 1 and each[0] >= 2
    return alike and each[0] < channels_per_cpu and any(k * each[0] in (channels_per_cpu, 2 * channels_per_cpu)
                                                        for k in range(1, 2 * channels_per_cpu + 1))  # fmt: skip


def cheapest_by_hand(market: Market, point: Point) -> int | None:
    """Least sum of lines below the point's over every module and every even number, each judged by the public check."""
    parts, node, platform = market.catalog.parts, dict(point.case.build.node), point.case.platform
    bare = {x: q for x, q in node.items() if parts[x].kind is not Kind.MEMORY}
    sums = []
    for module in market.catalog.of(Kind.MEMORY):
        for count in range(1, platform.dimm_slots):
            build = Build(point.case.build.nodes, {**bare, module.id: count}, point.case.build.shared)
            if module.id not in market.book.prices or not evenly(platform.channels_per_cpu, platform.sockets, count):
                continue
            bought = market.book.purchase(build.total())
            if bought is None or bought.cents >= point.found.parts_cents:
                continue
            if all(x.status != "fail" for x in check(market, build)[1]):
                sums.append(bought.cents)
    return min(sums, default=None)


def test_the_offer_is_the_cheapest_that_check_passes(main_job: tuple[Market, tuple[Point, ...]]) -> None:
    market, points = main_job
    offers = [fewer_modules(market, p) for p in points]
    assert any(offers)
    for point, offer in zip(points, offers, strict=True):
        bought = None if offer is None else market.book.purchase(offer.build.total())
        assert (None if bought is None else bought.cents) == cheapest_by_hand(market, point)
        if offer is not None:
            case, found = check(market, offer.build)
            assert case.plan.precision and all(x.status != "fail" for x in found)
            assert offer.count * offer.module.capacity_gb * 5 >= case.per_node * case.gpu.vram_gb


def test_explain_says_what_it_saves(main_job: tuple[Market, tuple[Point, ...]]) -> None:
    market, points = main_job
    at = next(i for i, p in enumerate(points) if fewer_modules(market, p))
    told = explained(market, points, at)
    (saving,) = told.savings
    assert Decimal(saving.total) + Decimal(saving.less) == Decimal(told.total)
    assert sum(Decimal(x.more) for x in saving.swaps) == -Decimal(saving.less) < 0  # no tax, no support
    assert {market.catalog.parts[x.part].kind for x in saving.swaps} == {Kind.MEMORY}


def test_nothing_is_offered_that_the_request_or_a_price_forbids(main_job: tuple[Market, tuple[Point, ...]]) -> None:
    market, points = main_job
    point, offer = next((p, x) for p in points if (x := fewer_modules(market, p)))
    wish = market_of(market.catalog, grade="floor", include=(offer.before.id,))  # the modules are asked for
    found = fewer_modules(wish, point)
    assert found is None or found.module.id == offer.before.id
    dear = {
        x: tuple(replace_price(o) for o in offers) if is_other_memory(market, x, offer.before.id) else offers
        for x, offers in market.catalog.offers.items()
    }
    found = fewer_modules(market_of(replace(market.catalog, offers=dear), grade="floor"), point)
    assert found is None or found.module.id == offer.before.id


def replace_price(offer: object) -> object:
    return offer.model_copy(update={"price": Decimal(10**6)})  # type: ignore[attr-defined]


def is_other_memory(market: Market, part: str, own: str) -> bool:
    return isinstance(market.catalog.parts.get(part), Memory) and part != own
