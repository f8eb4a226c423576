"""Fronts where prices depend on quantity: against brute force, and nothing pruned against everything pruned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind
from constraints.build import Build
from constraints.policy import Policy
from constraints.request import Owned
from optimizer.market.market import Market
from optimizer.search.front import passes
from optimizer.search.solver import Solver
from tests.search.test_oracle import nodes_tried, values
from tests.support.long import one_in
from tests.support.price_oracle import PriceOracle
from tests.support.price_terms import priced_scenario, with_few_terms, with_sellers

TRIED = (0, 1, 2, 3, 4, 5, 6, 8, 12, 13, 14, 16, 18, 19, 20, 22, 23, 24, 25, 26, 28, 30, 33, 36, 37, 42, 47, 48)
"""Catalogs that brute force goes through in some 15 s at most."""

SHARED = (0, 1, 7, 12, 13, 19, 42, 48)
"""Those of one air-cooled node."""
SOLD = (0, 1, 2, 3, 5, 8, 12, 14, 16)
"""Every choice of sellers and days is tried on these."""


@pytest.mark.parametrize("seed", one_in(5, TRIED))
def test_front_equals_brute_force(seed: int) -> None:
    catalog, request, ask, terms = priced_scenario(seed)
    found = values(Solver(Market.open(catalog, request, Policy())))
    assert found == PriceOracle(catalog, ask, nodes_tried(seed), terms=terms).front()


def agrees(market: Market, oracle: PriceOracle) -> None:
    """The same front, each point the cheapest of its cost on the axis and its throughput."""
    found = [(p.found.cost, p.found.parts_cents, p.found.row.perf.tenths) for p in Solver(market).front().points]
    assert [(cost, tenths) for cost, _, tenths in found] == oracle.front()
    dearest_first = sorted(oracle.builds, key=lambda b: -b[1])
    least = {(cost, dict(speeds)[""]): cents for cost, cents, speeds, _ in dearest_first}
    assert [least[cost, tenths] for cost, _, tenths in found] == [cents for _, cents, _ in found]


@pytest.mark.parametrize("axis", ("power", "rack-units"))
@pytest.mark.parametrize("seed", one_in(3, TRIED[:8]))
def test_front_of_another_axis_equals_brute_force(seed: int, axis: Literal["power", "rack-units"]) -> None:
    catalog, request, ask, terms = priced_scenario(seed)
    market = Market.open(catalog, request.model_copy(update={"cost_axis": axis}), Policy())
    agrees(market, PriceOracle(catalog, replace(ask, cost_axis=axis), nodes_tried(seed), terms=terms))


@pytest.mark.parametrize(
    ("seed", "limit"),
    one_in(3, [(x, {"max_sellers": 1 + i % 2}) for i, x in enumerate(SOLD)])
    + one_in(
        4, [(x, {"cost_axis": "lead-time", **({"max_sellers": 2} if i % 3 == 0 else {})}) for i, x in enumerate(SOLD)]
    ),
)
def test_sellers_and_days_with_prices_by_quantity(seed: int, limit: dict[str, Any]) -> None:
    """The orders of a build are chosen together; brute force tries every choice of sellers and every number of days."""
    catalog, request, ask, terms = priced_scenario(seed)
    catalog = with_sellers(seed, catalog)
    market = Market.open(catalog, request.model_copy(update=limit), Policy())
    agrees(market, PriceOracle(catalog, replace(ask, **limit), nodes_tried(seed), terms=terms))


@pytest.mark.parametrize("seed", one_in(3, SHARED))
def test_shares_with_prices_by_quantity(seed: int) -> None:
    catalog, request, ask, terms = priced_scenario(seed)
    catalog, limit = with_few_terms(seed, with_sellers(seed, catalog), 50)
    fields = {f"{x}_percent": percent for x, percent in limit.items()}
    market = Market.open(catalog, request.model_copy(update=fields), Policy())
    agrees(market, PriceOracle(catalog, replace(ask, **limit), 1, terms=terms))


@pytest.mark.parametrize("seed", one_in(7, range(48)))
def test_pruned_equals_unpruned(seed: int) -> None:
    catalog, request, _, _ = priced_scenario(seed)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market, clever=False)) == values(Solver(market))


def _without(catalog: Catalog, term: str) -> Catalog:
    """The catalog without a column of its offers, or without bundles."""
    plain = {"stock": None, "min_qty": 1, "breaks": ()}
    if term == "bundles":
        return replace(catalog, bundles={})
    offers = {x: tuple(o.model_copy(update={term: plain[term]}) for o in of) for x, of in catalog.offers.items()}
    return replace(catalog, offers=offers)


@pytest.mark.parametrize("term", ("stock", "min_qty", "breaks", "bundles", "own", "spares", "support"))
def test_every_term_decides_somewhere(term: str) -> None:
    """In some catalog that brute force confirms the front is another one without the term."""
    for seed in TRIED:
        catalog, request, _, _ = priced_scenario(seed)
        if term in ("own", "spares", "support"):
            other = Market.open(catalog, request.model_copy(update={term: ()}), Policy())
        else:
            other = Market.open(_without(catalog, term), request, Policy())
        if values(Solver(other)) != values(Solver(Market.open(catalog, request, Policy()))):
            return
    pytest.fail(f"{term} decides nothing")


@pytest.mark.parametrize("seed", (1, 7, 15, 21, 23))
def test_free_pieces_do_not_clutter_a_build(seed: int) -> None:
    """More pieces in hand than are needed, of everything: no build fails a check or holds what it does not need."""
    catalog, request, _, _ = priced_scenario(seed)
    sold = [x for x, p in catalog.parts.items() if p.kind not in (Kind.GPU, Kind.GPU_BOARD)]
    own = tuple(Owned(part=x, qty=40) for x in sold)
    market = Market.open(catalog, request.model_copy(update={"own": own, "spares": ()}), Policy())
    alone, clever = Solver(market, clever=False), Solver(market)
    assert values(alone) == values(clever)
    for p in alone.front().points:
        build = p.found.build
        for x, q in build.shared.items():
            fewer = Build(build.nodes, build.node, {**build.shared, x: q - 1} if q > 1 else {
                y: n for y, n in build.shared.items() if y != x
            })  # fmt: skip
            assert not passes(market, fewer, p.found.row)
