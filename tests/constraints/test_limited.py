"""Orders chosen for a whole build, by hand: sellers, days of delivery and shares on two or three parts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalogs.offers import Bundle, Offer
from catalogs.schema import Contained
from constraints.prices.limited_book import LimitedBook
from constraints.prices.purchase import Kit, Priced
from constraints.prices.tariff import NEVER, Source, Step, Tariff
from constraints.request import Request

DAY = date(2026, 11, 1)
PLAIN: dict[str, Any] = {"currency": "USD", "date": DAY, "condition": "new", "source": "test"}


def source(part: str, seller: str, cents: int, days: int = 0, sure: str = "list", stock: int | None = None) -> Source:
    offer = Offer(id=f"{part}-{seller}", part=part, price=Decimal(cents) / 100, seller=seller, confidence=sure,
                  lead_time_days=days, **PLAIN)  # type: ignore[arg-type]  # fmt: skip
    return Source(offer, (Step(1, stock, cents),))


def book(
    *sources: Source, purse: int = NEVER - 1, kits: tuple[Kit, ...] = (), scale: int = 1,
    weights: dict[str, int] | None = None, **limits: Any,
) -> LimitedBook:  # fmt: skip
    of: dict[str, list[Source]] = {}
    for s in sources:
        assert s.offer
        of.setdefault(s.offer.part, []).append(s)
    prices = {}
    for part, some in of.items():
        tariff = Tariff(tuple(sorted(some, key=lambda s: s.steps[0].cents)))
        prices[part] = Priced(tariff.sources[0].offer, tariff.least_cents, False, tariff, True)
    request = Request(model="r1-671b", as_of=DAY, **limits)
    return LimitedBook(prices, {}, kits, scale, weights or {}, request=request, purse=purse)


TWO = (source("a", "n", 100), source("a", "s", 90), source("b", "n", 100), source("b", "w", 80))


def sellers(found: LimitedBook, pieces: dict[str, int]) -> dict[str, int]:
    orders = found.purchase(pieces)
    assert orders is not None
    return orders.sellers


def test_one_seller_for_all() -> None:
    assert sellers(book(*TWO, max_sellers=1), {"a": 2, "b": 1}) == {"n": 300}
    assert sellers(book(*TWO, max_sellers=2), {"a": 2, "b": 1}) == {"s": 180, "w": 80}


def test_where_too_few_sell_all_the_fewest_count() -> None:
    alone = (source("a", "n", 100), source("b", "s", 50), source("b", "w", 40))
    assert len(sellers(book(*alone, max_sellers=1), {"a": 1, "b": 1})) == 2


def test_support_by_category_decides_between_sellers() -> None:
    """At one and a half times the price of a, its dearer seller costs more than b's."""
    some = (source("a", "n", 100), source("a", "s", 120), source("b", "n", 129), source("b", "s", 100))
    assert sellers(book(*some, max_sellers=1), {"a": 1, "b": 1}) == {"s": 220}
    dear = book(*some, max_sellers=1, scale=2, weights={"a": 4})
    assert dear.cost({"a": 1, "b": 1}) == round((4 * 100 + 2 * 129) / 2)


def test_bundles_are_sold_by_somebody_too() -> None:
    bundle = Bundle(id="kit", parts=(Contained(part="a", qty=1), Contained(part="b", qty=1)), price=Decimal("1.71"),
                    confidence="list", seller="w", **PLAIN)  # fmt: skip
    kit = Kit(bundle, 171)
    assert sellers(book(*TWO, kits=(kit,), max_sellers=1), {"a": 1, "b": 1}) == {"w": 171}
    assert sellers(book(*TWO, kits=(kit,), max_sellers=1), {"a": 2, "b": 1}) == {"n": 300}


@pytest.mark.parametrize(("purse", "days"), [(119, 30), (120, 7), (149, 7), (150, 0), (99, 30)])
def test_the_fewest_days_that_the_money_allows(purse: int, days: int) -> None:
    """150 cents at once, 120 in a week, 100 in a month; with less money than that the cheapest, whenever it comes."""
    some = (source("a", "n", 150), source("a", "s", 120, 7), source("a", "w", 100, 30))
    orders = book(*some, purse=purse, cost_axis="lead-time").purchase({"a": 1})
    assert orders and [x.offer.lead_time_days for x in orders.lines if x.offer] == [days]


def test_a_part_is_split_for_the_sake_of_a_share() -> None:
    """Ten pieces at 100 or 110: five of each leave the dearer seller 52.4 %, and no split leaves both less."""
    some = (source("a", "n", 100), source("a", "s", 110))
    assert sellers(book(*some, max_share_percent=52), {"a": 10}) == {"n": 1000}  # not possible: the rule refuses it
    assert sellers(book(*some, max_share_percent=53), {"a": 10}) == {"n": 500, "s": 550}
    assert sellers(book(*some, max_share_percent=60), {"a": 10}) == {"n": 600, "s": 440}


def test_a_list_price_instead_of_an_estimate() -> None:
    some = (source("a", "n", 100, sure="estimate"), source("a", "n2", 130), source("b", "n", 100, sure="estimate"))
    orders = book(*some, max_estimated_percent=50).purchase({"a": 1, "b": 1})
    assert orders and (orders.cents, orders.estimated_cents) == (230, 100)
    least = book(*some, max_estimated_percent=43).purchase({"a": 1, "b": 1})
    assert least and least.cents == 200  # no orders are within 43 %: the cheapest, which the rule refuses


def test_a_seller_of_too_few_pieces_is_not_the_one() -> None:
    few = (source("a", "n", 50, stock=1), source("a", "s", 90), source("b", "n", 10), source("b", "s", 100))
    assert sellers(book(*few, max_sellers=1), {"a": 1, "b": 1}) == {"n": 60}
    assert sellers(book(*few, max_sellers=1), {"a": 2, "b": 1}) == {"s": 280}


def test_stock_that_just_suffices_is_not_short() -> None:
    some = book(source("a", "n", 100, stock=3), max_sellers=1)
    assert some.short("a", 3) is None
    assert some.short("a", 4) == (4, 3)


def test_of_sellers_tried_one_by_one_those_who_deliver_in_time() -> None:
    """At once z alone sells both; w, the cheapest of all, comes in a month."""
    some = (source("a", "z", 100), source("a", "s", 90), source("a", "w", 10, 30),
            source("b", "z", 100), source("b", "t", 80), source("b", "w", 10, 30))  # fmt: skip
    assert sellers(book(*some, max_sellers=1, cost_axis="lead-time"), {"a": 1, "b": 1}) == {"z": 200}
    late = tuple(source(x, "z", 100, 7) for x in ("a", "b"))
    assert sellers(book(*some[1:3], *some[4:], *late, max_sellers=1, cost_axis="lead-time"), {"a": 1, "b": 1}) == {
        "z": 200
    }


def test_numbers_of_pieces_decide_between_sellers() -> None:
    """Ten of a and one of b: n 10 x 10 + 100 = 200, s 10 x 12 + 85 = 205."""
    some = (source("a", "n", 10), source("a", "s", 12), source("b", "n", 100), source("b", "s", 85))
    assert sellers(book(*some, max_sellers=1), {"a": 10, "b": 1}) == {"n": 200}
