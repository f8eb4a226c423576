"""Sums stay within CP-SAT's 64 bits, from prices of a cent to budgets of a billion and a thousand nodes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from constraints.model.family_model import INT64, MAX_MONEY, within_int64
from constraints.policy import Policy
from optimizer.market.market import Market
from optimizer.request import texts, typed_request
from optimizer.search.certificate import FamilyProof
from optimizer.search.solver import Solver
from optimizer.search.useful_parts import narrowed
from tests.support.random_catalogs import scenario


def test_within_int64() -> None:
    assert within_int64([("a", 2, 3), ("b", -4, 5)], "sum") == 26
    assert within_int64([("a", INT64, 1)], "sum") == INT64
    assert within_int64([("nodes", 1000, MAX_MONEY)], "sum") < INT64
    with pytest.raises(InputError, match=r"above 2\^63: its largest term is b, 9223372036854775807 x 2"):
        within_int64([("a", 1, 1), ("b", INT64, 2)], "sum")


def priced(price: str) -> Market:
    """A random catalog with every price the same."""
    catalog, request, _ = scenario(0)
    offers = {
        k: tuple(o.model_copy(update={"price": Decimal(price), "currency": "USD"}) for o in v)
        for k, v in catalog.offers.items()
    }
    asked = request.model_copy(update={"budget_cents": 10**14, "currency": "USD"})
    return Market.open(Catalog(catalog.parts, offers, catalog.sha256), asked, Policy())


@pytest.mark.parametrize("price", ["0.01", "9999999.99"])
def test_front_at_extreme_prices(price: str) -> None:
    market = priced(price)
    front = Solver(market).front()
    assert front.complete
    assert front.points
    for p in front.points:
        assert p.found.parts_cents == sum(p.found.build.total().values()) * int(Decimal(price) * 100)
    alone = Solver(market, clever=False).front()
    assert [p.found.parts_cents for p in alone.points] == [p.found.parts_cents for p in front.points]


def test_a_billion_and_a_thousand_nodes() -> None:
    """A thousand nodes of one card each, asked of CP-SAT alone: the total is that of the lines.

    The site has the network: every rack keeps room for all switches, which a thousand nodes' would fill."""
    policy = Policy().with_settings(["plans.max_nodes=1000"])
    request = typed_request.request(
        model="v2-670b", as_of=date(2026, 11, 24), budget_cents=10**11, gpus=frozenset({"nvidia-h200-nvl-141gb"}),
        gpu_count=1000, max_nodes=1000, have=frozenset({"network"}), **texts.lengths("chat", None, None),
    )  # fmt: skip
    solver = Solver(Market.open(load(), request, policy))
    solver.judge(10**11)
    unit = next(u for u in solver.families if u.per_node == 1)
    rows = [r for r in unit.rows if r.key.nodes == 1000][:1]
    assert rows
    bound = min(solver.bounds_of(unit, rows[0], 10**11), key=lambda b: b.cents)
    market, parts = narrowed(solver.market, solver.parts, [bound], lambda _: 2 * bound.cents)
    found = FamilyProof(market, unit.gpu, 1, rows, parts).under(lambda _: 10**11)
    assert found is not None
    assert found.build.nodes == 1000
    assert found.parts_cents == sum(q * solver.market.cents(x) for x, q in found.build.total().items())
