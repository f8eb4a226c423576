"""Other prices: only the named parts change, to the cent, whatever currency and tax their offers are in."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from catalogs.load import load
from constraints.policy import Policy
from constraints.request import Request
from optimizer.explanation.prices.reprice import priced, scaled
from optimizer.market.market import Market


@pytest.fixture(scope="module")
def market() -> Market:
    request = Request(model="v3-671b", as_of=date(2026, 11, 24), currency="CNY", budget_cents=10**9)
    return Market.open(load(()), request, Policy())


def test_priced_sets_one_part_to_the_cent(market: Market) -> None:
    part = next(x for x, p in sorted(market.book.prices.items()) if p.offer and p.offer.currency == "USD")
    other = priced(market, {part: 123_457})
    assert other.book.prices[part].cents == 123_457
    assert {x for x in market.book.prices if other.book.prices[x].cents != market.book.prices[x].cents} == {part}
    assert other.catalog.sha256 == market.catalog.sha256


def test_scaled_multiplies_within_a_cent(market: Market) -> None:
    part = next(x for x, p in sorted(market.book.prices.items()) if p.offer and p.cents > 10**6)
    other = scaled(market, {part: Fraction(6, 5)})
    assert abs(other.book.prices[part].cents - market.book.prices[part].cents * Fraction(6, 5)) <= 5
    assert scaled(market, {part: Fraction(1)}).book.prices[part].cents == market.book.prices[part].cents
