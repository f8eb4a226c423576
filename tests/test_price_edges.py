"""Prices at their edges: currencies, ages of offers and bundles, exact shares, and what the buyer is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.offers import Bundle, Offer
from catalogs.schema import Gpu, Kind
from constraints.budget import most_parts_cents, totals
from constraints.filters import limits
from constraints.policy import Policy, usd_per
from constraints.pricing import unit_price
from constraints.request import Request
from constraints.rules import findings
from constraints.tariff import NEVER
from optimizer.market import Market
from optimizer.pareto import Solver
from tests.scenes import PLENTY, Scene, scene, verdicts
from tests.test_money import DAY, book, kit, offer


def asked(**fields: Any) -> Request:
    return Request(model="v2-lite", as_of=DAY, **fields)


# Currencies and ages --------------------------------------------------------------------------------------------------


def test_yen_have_no_cents() -> None:
    assert unit_price(offer("a", "100", currency="JPY"), asked(currency="JPY")) == 100
    assert unit_price(offer("a", "1", currency="USD"), asked(currency="JPY")) == 152  # 1 / 0.0066 = 151.5


@pytest.mark.parametrize(("of", "to"), [("CNY", "EUR"), ("USD", "GBP"), ("GBP", "CNY"), ("EUR", "USD")])
def test_from_one_currency_to_another(of: Any, to: Any) -> None:
    want = 123 * Fraction(usd_per(of)) / Fraction(usd_per(to)) * 100
    assert abs(unit_price(offer("a", "123", currency=of), asked(currency=to)) - want) <= Fraction(1, 2)


def aged(bundle: Bundle, days: int) -> tuple[Bundle, ...]:
    return (bundle.model_copy(update={"date": DAY - timedelta(days=days)}),)


@pytest.mark.parametrize(
    ("parts", "most", "days"),
    [({"gpu0": 1, "cpu0": 1}, None, 90), ({"gpu0": 1, "dimm0": 1}, None, 30), ({"gpu0": 1, "drive0": 1}, None, 30),
     ({"gpu0": 1, "cpu0": 1}, 10, 10), ({"gpu0": 1, "cpu0": 1}, 200, 90), ({"gpu0": 1, "cpu0": 1}, 0, 0)],
)  # fmt: skip
def test_bundles_up_to_their_age(parts: dict[str, int], most: int | None, days: int) -> None:
    """Memory or a drive in it makes a bundle age sooner; the buyer's own limit only shortens."""
    offers = {x: [offer(f"o-{x}", "1000", x)] for x in parts}
    for age, there in ((days, True), (days + 1, False), (-1, False)):
        found = book(offers, aged(kit("10", **parts), age), max_price_age_days=most).kits
        assert bool(found) == there, age


def test_newest_of_stale_offers_prices_a_part() -> None:
    old = [
        offer("a", "100", seller="a", date=DAY - timedelta(days=300)),
        offer("b", "150", seller="b", date=DAY - timedelta(days=200)),
        offer("c", "120", seller="c", date=DAY - timedelta(days=250)),
    ]
    priced = book({"gpu0": old}).prices["gpu0"]
    assert (priced.cents, priced.stale) == (150_00, True)
    edge = [offer("d", "90", date=DAY - timedelta(days=90)), offer("e", "95", seller="e")]
    assert book({"gpu0": edge}).prices["gpu0"].cents == 90_00
    edge[0] = offer("d", "90", date=DAY - timedelta(days=91))
    assert book({"gpu0": edge}).prices["gpu0"].cents == 95_00


# Bundles and steps in the certificate ---------------------------------------------------------------------------------


def test_bundles_of_other_parts_are_not_bought() -> None:
    offers = {x: [offer(f"o-{x}", "100", x)] for x in ("gpu0", "cpu0", "drive0")}
    bought = book(offers, (kit("10", gpu0=1, cpu0=1),)).purchase({"drive0": 1})
    assert bought is not None and [x.part for x in bought.lines] == ["drive0"]


def alone(catalog: Catalog, budget: int = PLENTY) -> list[list[int]]:
    """Cents of the fronts with everything pruned and with nothing pruned."""
    request = scene("tower").market.request.model_copy(update={"budget_cents": budget})
    market = Market.open(catalog, request, Policy())
    return [[p.found.parts_cents for p in Solver(market, clever=c).front().points] for c in (True, False)]


def test_a_bundle_of_more_than_is_needed() -> None:
    s = scene("tower")
    gpu = s.row.key.gpu
    pack = kit("300", **{gpu: 7}).model_copy(update={"date": s.market.request.as_of})
    with_it, without = alone(replace(s.market.catalog, bundles={"kit": pack})), alone(s.market.catalog)
    assert with_it[0] == with_it[1] != without[1]
    least = min(with_it[1])
    assert least < min(without[1])
    catalog = replace(s.market.catalog, bundles={"kit": pack})
    assert alone(catalog, least) == [[least], [least]] and alone(catalog, least - 1) == [[], []]


def test_one_order_of_an_offer_not_one_of_each_step() -> None:
    """Two pieces in stock, the second price from two on: three pieces can't be had from it."""
    s = scene("tower")
    gpu, day = s.row.key.gpu, s.market.request.as_of
    offers = {x: o for x, o in s.market.catalog.offers.items() if not isinstance(s.market.catalog.parts[x], Gpu)}
    offers[gpu] = (offer("a", "100", gpu, stock=2, breaks=("2:80",), date=day),)
    pruned, whole = alone(replace(s.market.catalog, offers=offers))
    assert pruned == whole
    three = [x for x in (1, 2, 3) if Market.open(replace(s.market.catalog, offers=offers), s.market.request,
             Policy()).book.cost({gpu: x}) < NEVER]  # fmt: skip
    assert three == [1, 2] and whole


def test_support_and_tax_are_one_rounded_line_each() -> None:
    policy = Policy().with_settings(["money.support_percent=5", "money.tax_percent=13"])
    assert totals(1000_00, policy) == (50_00, 136_50, 1186_50)
    assert totals(10, policy) == (1, 1, 12)  # 0.5 and 1.43
    for most in (0, 1, 99, 1186_49, 1186_50, 1186_51, 10**9):
        parts = most_parts_cents(most, policy)
        assert totals(parts, policy)[2] <= most < totals(parts + 1, policy)[2]


# Shares and sellers ---------------------------------------------------------------------------------------------------


def halves(s: Scene, each: int = 1, gpus: int = 1) -> Catalog:
    """Offers in which the GPUs are exactly half of the build's cost, an estimate, and from a seller of their own.

    With other weights they are to the rest as `gpus` to `each`."""
    pieces = s.case.build.total()
    gpu = next(x for x in pieces if isinstance(s.market.catalog.parts[x], Gpu))
    rest = sum(q for x, q in pieces.items() if x != gpu)
    price = {x: Decimal(each * pieces[gpu]) for x in pieces} | {gpu: Decimal(rest * gpus)}
    base = {"currency": "USD", "date": s.market.request.as_of, "source": "test", "condition": "new"}
    offers = {
        x: (
            Offer.model_validate(
                {"id": f"o-{x}", "part": x, "price": f"{price[x]:.2f}", "seller": "g" if x == gpu else "o",
                 "confidence": "estimate" if x == gpu else "list", **base}
            ),
        )
        for x in pieces
    }  # fmt: skip
    return replace(s.market.catalog, offers=offers)


def stands(s: Scene, catalog: Catalog, **fields: Any) -> tuple[set[str], bool]:
    request = s.market.request.model_copy(update=fields)
    return verdicts(s, catalog, request, s.market.policy, s.case.build)


@pytest.mark.parametrize("name", ("tower", "two racks", "liquid", "circuit"))
@pytest.mark.parametrize(
    ("field", "most", "rule"),
    [("max_estimated_percent", 50, "estimates"), ("max_share_percent", 50, "sellers"), ("max_sellers", 2, "sellers")],
)
def test_shares_at_exactly_their_limit(name: str, field: str, most: int, rule: str) -> None:
    s = scene(name)
    catalog = halves(s)
    assert stands(s, catalog, **{field: most}) == (set(), True)
    assert stands(s, catalog, **{field: most - 1}) == ({rule}, False)


@pytest.mark.parametrize("name", ("two racks", "liquid", "circuit"))
def test_share_of_all_but_the_gpus(name: str) -> None:
    """Racks, switches and cables count for their seller: 60 % of the cost is with the one who sells all but GPUs."""
    s = scene(name)
    catalog = halves(s, 6, 4)
    assert stands(s, catalog, max_share_percent=60) == (set(), True)
    assert stands(s, catalog, max_share_percent=59) == ({"sellers"}, False)


def test_a_part_without_a_price_breaks_no_share() -> None:
    """Lines are those that have a price; what has none is procurement's business."""
    s = scene("tower")
    cpu = next(x for x in s.case.build.node if s.market.catalog.parts[x].kind == Kind.CPU)
    request = s.market.request.model_copy(update={"exclude": frozenset({cpu}), "max_sellers": 2})
    case = Market.open(halves(s), request, Policy()).case(s.case.build, s.row.plan, s.row.key)
    assert {c.rule for c in findings(case) if c.status == "fail"} == {"procurement"}


# What the buyer is told -----------------------------------------------------------------------------------------------


def test_limits_in_words() -> None:
    assert limits(asked()) == ""
    assert limits(asked(confidences=("list", "street"))) == "confidence list or street"
    words = limits(asked(confidences=("list",), max_lead_days=14, strict_lead=True))
    assert words == "confidence list, at most 14 days of lead time, a known lead time"


def warned(s: Scene, catalog: Catalog, **fields: Any) -> Iterator[str]:
    market = Market.open(catalog, s.market.request.model_copy(update=fields), Policy())
    for c in findings(market.case(s.case.build, s.row.plan, s.row.key)):
        if c.rule == "procurement" and c.status == "warn":
            yield c.text


def test_unknown_lead_times_are_named() -> None:
    s = scene("tower")
    dark = next(x for x in s.case.build.node if s.market.catalog.parts[x].kind == Kind.CPU)
    offers = {
        x: tuple(o.model_copy(update={"lead_time_days": None if x == dark else 5}) for o in found)
        for x, found in s.market.catalog.offers.items()
    }
    catalog = replace(s.market.catalog, offers=offers)
    assert list(warned(s, catalog)) == []
    assert list(warned(s, catalog, max_lead_days=9)) == [f"lead time unknown: {dark}"]


def test_of_one_seller_the_newest_offer_is_live() -> None:
    seed = [offer("old", "10", seller="s", date=DAY - timedelta(days=2)), offer("new", "20", seller="s")]
    assert book({"gpu0": seed}).prices["gpu0"].cents == 20_00
    assert book({"gpu0": seed[::-1]}).prices["gpu0"].cents == 20_00
