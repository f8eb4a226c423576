"""A price book that is kept is the one that the request would open; what changes a price opens another."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind
from constraints.exchange import FxRate
from constraints.policy import Policy
from constraints.prices.limited_book import LimitedBook
from constraints.prices.price_book import price_book
from constraints.request import Owned, Request, Spare, SupportRate
from optimizer.market.books import KEPT, book_of
from tests.conftest import AS_OF

ASKED = Request(model="v2-lite", as_of=AS_OF, currency="EUR")
GPU = "nvidia-rtx-4090-24gb"
RATE = FxRate(currency="EUR", usd_per_unit=Decimal("1.5"), date=AS_OF, source="test")
OTHERS: list[dict[str, Any]] = [
    {"as_of": AS_OF - timedelta(120)},
    {"currency": "USD"},
    {"fx": (RATE,)},
    {"conditions": frozenset({"used"})},
    {"exclude": frozenset({GPU})},
    {"barred_vendors": frozenset({"nvidia"})},
    {"vendors": frozenset({"nvidia"})},
    {"max_price_age_days": 5},
    {"max_lead_days": 1, "strict_lead": True},
    {"confidences": ("list",)},
    {"price_level": "high"},
    {"bought_as": "loose"},
    {"own": (Owned(part=GPU, qty=2),)},
    {"spares": (Spare(category=Kind.GPU, pieces=1, per=8),)},
    {"support": (SupportRate(category=Kind.GPU, percent=Decimal(5)),)},
]


@pytest.mark.parametrize("fields", OTHERS, ids=lambda fields: next(iter(fields)))
def test_another_price_is_another_book(shipped: Catalog, fields: dict[str, Any]) -> None:
    first, other = book_of(shipped, ASKED, Policy()), ASKED.model_copy(update=fields)
    found = book_of(shipped, other, Policy())
    assert found == price_book(shipped, other, Policy()) and found != first


def test_another_policy_is_another_book(shipped: Catalog) -> None:
    strict = Policy({"offers.fresh_days": Decimal(1), "offers.fresh_days_memory": Decimal(1)})
    assert book_of(shipped, ASKED, strict) == price_book(shipped, ASKED, strict) != book_of(shipped, ASKED, Policy())


def test_what_no_price_depends_on_opens_no_other(shipped: Catalog) -> None:
    fields = {"model": "v3-671b", "cost_axis": "power", "include": (GPU,), "users": 77, "budget_cents": 5}
    again = ASKED.model_copy(update=fields)
    assert book_of(shipped, again, Policy()) is book_of(shipped, ASKED, Policy())
    assert book_of(shipped, again, Policy()) == price_book(shipped, again, Policy())


def test_offers_chosen_for_a_build_have_a_book_each(shipped: Catalog) -> None:
    """Its budget bounds which sellers are tried, where prices depend on quantity."""
    fields = {"max_sellers": 2, "own": (Owned(part=GPU, qty=2),)}
    for cents in (10**6, 10**9):
        asked = ASKED.model_copy(update={**fields, "budget_cents": cents})
        found = book_of(shipped, asked, Policy())
        assert isinstance(found, LimitedBook) and found.request == asked


def test_few_books_are_kept(shipped: Catalog) -> None:
    for day in range(KEPT + 3):
        book_of(shipped, ASKED.model_copy(update={"as_of": AS_OF - timedelta(day)}), Policy())
    assert len(shipped.derived[price_book]) == KEPT
