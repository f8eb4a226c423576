"""Sums stay within CP-SAT's 64 bits, from prices of a cent to budgets of a billion and a thousand nodes."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog
from constraints.model import INT64, MAX_MONEY, within_int64
from constraints.policy import Policy
from optimizer.market import Market
from optimizer.pareto import Solver
from tests.random_catalogs import scenario


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
    job = ("solve", "--model", "v2-670b", "--budget", "1000000000", "--gpu", "8000xh200 sxm", "--max-nodes", "1000",
           "--set", "plans.max_nodes=1000", "--as-of", "2026-11-24", "--json")  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", "from optimizer.cli import main; main()", *job],
        capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["proof"]["complete"]
    assert all(n["count"] == 1000 for p in data["front"] for n in p["nodes"])
