"""A result to quote: the main job over a catalog with offers in four currencies, prices with tax in them, a price
break, a bundle, and sellers' texts that a spreadsheet could take for formulas."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalogs.load import Catalog, load
from constraints.policy import Policy
from constraints.request import Request
from optimizer.procurement.quotation.quote import Party, Quote, Terms, offered
from optimizer.result.answer import solve
from optimizer.verify.consistent import Read, consistent

OVERLAY = Path(__file__).parents[1] / "data" / "quote_overlay"
DAY = date(2026, 11, 24)
BUDGET = 400_000_00


@dataclass
class Job:
    """A catalog, what `solve` said of it, and the same read back and judged."""

    catalog: Catalog
    data: dict[str, Any]
    read: Read

    def quote(
        self, point: str | None = None, day: date = DAY, customer: str = "Example University", **terms: Any
    ) -> Quote:
        """A quote under terms: request fields, tax, discount, support in percent."""
        discount = Decimal(terms.pop("discount", 0))
        policy = [f"money.{k}_percent={terms.pop(k)}" for k in ("tax", "support") if isinstance(terms.get(k), str)]
        assert self.read.market is not None
        points = [p for p in self.read.points if p is not None]
        party = Party(customer, "", day, 15)
        return offered(self.read.result, self.read.market, points, point, Terms(terms, tuple(policy), discount), party)

    def solved(self, policy: Policy, **fields: Any) -> dict[str, Any]:
        """What `solve` says to the same question with other fields."""
        request = Request(**{"grade": "floor", "model": "v2-670b", "as_of": DAY, "budget_cents": BUDGET, **fields})
        return solve(self.catalog, request, policy).data


def job() -> Job:
    """The main job over the overlay."""
    catalog = load([OVERLAY])
    request = Request(model="v2-670b", grade="floor", as_of=DAY, budget_cents=BUDGET)
    data = json.loads(json.dumps(solve(catalog, request, Policy()).data))
    report, read = consistent(data, catalog)
    assert not report.wrong
    assert read is not None
    return Job(catalog, data, read)
