"""Prices at their edges: currencies, ages of offers and bundles, exact shares, and what the buyer is told."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from ortools.sat.python import cp_model

from catalogs.load import Catalog
from catalogs.offers import Bundle, Offer
from catalogs.schema import Gpu, GpuBoard, Kind, Part
from constraints.policy import Policy
from constraints.prices.filters import limits
from constraints.prices.ordering import need
from constraints.prices.price_book import barred_by
from constraints.prices.pricing import shipped_rates, unit_price
from constraints.prices.purchase import Kit
from constraints.prices.tariff import NEVER, Step
from constraints.prices.totals import most_parts_cents, totals
from constraints.request import Owned, Request, Spare
from constraints.rules.registry import findings
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.constraints.test_limited import book as limited
from tests.constraints.test_limited import sellers, source
from tests.constraints.test_money import DAY, book, kit, offer
from tests.support.scenes import PLENTY, Scene, certificate, scene, verdicts


def asked(**fields: Any) -> Request:
    return Request(model="v2-lite", as_of=DAY, **fields)


# Currencies and ages --------------------------------------------------------------------------------------------------


def test_yen_have_no_cents() -> None:
    assert unit_price(offer("a", "100", currency="JPY"), asked(currency="JPY")) == 100
    assert unit_price(offer("a", "1", currency="USD"), asked(currency="JPY")) == 151


@pytest.mark.parametrize(("of", "to"), [("CNY", "EUR"), ("USD", "GBP"), ("GBP", "CNY"), ("EUR", "USD")])
def test_from_one_currency_to_another(of: Any, to: Any) -> None:
    usd = {r.currency: r.usd for r in shipped_rates()}
    want = 123 * usd[of] / usd[to] * 100
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


@pytest.mark.parametrize(("most", "age", "there"), [(10, 0, True), (10, 10, True), (10, 11, False), (0, 0, True)])
def test_offers_up_to_the_age_that_the_buyer_admits(most: int, age: int, there: bool) -> None:
    """An offer of exactly the oldest day prices its part, one of the day before does not."""
    found = book({"gpu0": [offer("a", "100", date=DAY - timedelta(days=age))]}, max_price_age_days=most)
    assert ("gpu0" in found.prices) == there
    assert there or found.ledger["gpu0"] == f"every price is older than {most} days"


def test_of_offers_of_one_price_the_newest_is_ordered() -> None:
    """One cheap piece is in stock; of the two sellers who ask the same for the rest the later one is asked."""
    old, new = (offer(x, "100", date=DAY - timedelta(days=n)) for x, n in (("old", 5), ("new", 1)))
    for some in ([old, new], [new, old]):
        bought = book({"gpu0": [*some, offer("few", "90", stock=1)]}).purchase({"gpu0": 3})
        assert bought is not None
        assert [(x.offer.id, x.qty) for x in bought.lines if x.offer] == [("few", 1), ("new", 2)]


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


# Whose parts may be bought --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "vendor", "admitted"),
    [(Kind.CPU, "E", True), (Kind.CPU, "Z", False), (Kind.CPU, "", False), (Kind.GPU, "", False),
     (Kind.CABLE, "E", True), (Kind.CABLE, "Z", False), (Kind.CABLE, "", True), (Kind.RACK, "Z", False),
     (Kind.RACK, "", True), (Kind.PDU, "", True), (Kind.PDU, "Z", False), (Kind.SWITCH, "", False)],
)  # fmt: skip
def test_vendors_that_a_buyer_allows(kind: Kind, vendor: str, admitted: bool) -> None:
    """With --vendor every part is of a vendor named; cables, racks and PDUs of no vendor at all are nobody's."""
    catalog = scene("two racks").market.catalog
    part: Part = catalog.of(kind)[0].model_copy(update={"vendor": vendor})
    why = barred_by(part, asked(vendors=frozenset({"e"})), catalog)
    assert (why == "") is admitted
    assert admitted or why == f"vendor {vendor} is not among those allowed"
    assert barred_by(part, asked(), catalog) == ""


def test_boards_are_barred_with_their_gpus() -> None:
    """What stands on a board is bought with it: its vendor and --exclude count, inside complete systems too."""
    catalog = scene("board").market.catalog
    board = catalog.of(Kind.GPU_BOARD)[0]
    assert isinstance(board, GpuBoard)
    parts = {**catalog.parts, board.id: board.model_copy(update={"vendor": "Q"})}
    parts[board.gpu] = parts[board.gpu].model_copy(update={"vendor": "B"})
    mixed = replace(catalog, parts=parts)
    assert barred_by(parts[board.id], asked(), mixed) == ""
    for fields, why in (
        ({"barred_vendors": frozenset({"b"})}, "vendor B is barred"),
        ({"vendors": frozenset({"q"})}, "vendor B is not among those allowed"),
        ({"exclude": frozenset({board.gpu})}, "excluded by --exclude"),
    ):
        assert barred_by(parts[board.id], asked(**fields), mixed) == f"contains {board.gpu}: {why}"


def test_a_barred_part_in_hand_is_no_part_in_hand() -> None:
    offers = {"cpu0": [offer("c", "50", "cpu0")]}
    found = book(offers, own=(Owned(part="gpu0", qty=2),), exclude=frozenset({"gpu0"}))
    assert set(found.prices) == {"cpu0"} and found.ledger["gpu0"] == "excluded by --exclude"


# Bundles --------------------------------------------------------------------------------------------------------------


def test_no_spares_of_what_a_bundle_brings_unless_asked_for() -> None:
    """A GPU that only a bundle brings: one bundle for one, two where a spare of each GPU is asked for."""
    offers, pack = {"cpu0": [offer("c", "50", "cpu0")]}, (kit("200", gpu0=1, cpu0=1),)
    assert book(offers, pack).cost({"gpu0": 1}) == 200_00
    spares = (Spare(category=Kind.GPU, pieces=1, per=1),)
    assert book(offers, pack, spares=spares).cost({"gpu0": 1}) == 400_00


@pytest.mark.parametrize(
    ("change", "fields", "there"),
    [({}, {}, True),
     ({"condition": "used"}, {}, False), ({"condition": "used"}, {"conditions": frozenset({"used"})}, True),
     ({"stock": 0}, {}, False), ({"stock": 1}, {}, True),
     ({"confidence": "estimate"}, {"confidences": ("list",)}, False), ({}, {"confidences": ("list",)}, True),
     ({"lead_time_days": 8}, {"max_lead_days": 7}, False), ({"lead_time_days": 7}, {"max_lead_days": 7}, True)],
)  # fmt: skip
def test_a_bundle_meets_all_that_is_asked_of_offers(change: Any, fields: Any, there: bool) -> None:
    """Condition, stock, confidence and lead time each keep a bundle out alone."""
    assert bool(book({}, (kit("10", gpu0=1, cpu0=1).model_copy(update=change),), **fields).kits) == there


def test_pieces_to_be_had_from_offers_and_bundles_together() -> None:
    """Three of an offer and two bundles of two: seven in all."""
    offers = {"gpu0": [offer("a", "100", stock=3)], "cpu0": [offer("c", "50", "cpu0")]}
    found = book(offers, (kit("210", 2, gpu0=2, cpu0=1),))
    assert found.short("gpu0", 7) is None
    assert found.short("gpu0", 8) == (8, 7)


def test_a_bundle_that_saves_a_cent_is_bought() -> None:
    offers = {"gpu0": [offer("a", "100")], "cpu0": [offer("c", "50", "cpu0")]}
    assert book(offers, (kit("149.99", gpu0=1, cpu0=1),)).cost({"gpu0": 1, "cpu0": 1}) == 149_99


def test_a_bundle_that_saves_nothing_is_not_bought() -> None:
    """Four GPUs at 100, 120, 120, 120 and a CPU at 50 are 510; so are a bundle at 170 and three GPUs at 340."""
    gpus = [offer("a", "100", stock=1), offer("b", "120")]
    found = book({"gpu0": gpus, "cpu0": [offer("c", "50", "cpu0")]}, (kit("170", gpu0=1, cpu0=1),))
    bought = found.purchase({"gpu0": 4, "cpu0": 1})
    assert bought is not None and bought.cents == 510_00
    assert {x.part for x in bought.lines} == {"gpu0", "cpu0"}


def test_a_bundle_bought_more_often_than_one_of_its_parts_is_needed() -> None:
    """Two GPUs and one drive: two bundles of one of each, cheaper than the GPU alone, and a drive left over."""
    s = scene("tower")
    pieces, day = s.case.build.total(), s.market.request.as_of
    gpu, drive = s.row.key.gpu, next(x for x in pieces if s.market.catalog.parts[x].kind == Kind.DRIVE)
    assert (pieces[gpu], pieces[drive]) == (2, 1)
    pack = kit("300", **{gpu: 1, drive: 1}).model_copy(update={"date": day})
    cents = 2 * 300_00 + sum(q * s.market.cents(x) for x, q in pieces.items() if x not in (gpu, drive))
    catalog = replace(s.market.catalog, bundles={"kit": pack})
    market = Market.open(catalog, s.market.request, s.market.policy)
    assert market.book.cost(pieces) == cents
    family = certificate(market, s, s.case.build)
    assert family is not None
    assert family.under(lambda _: cents) is not None and family.under(lambda _: cents - 1) is None


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


@pytest.mark.parametrize(
    ("field", "most", "rule"),
    [("max_estimated_percent", 0, ""), ("max_share_percent", 50, ""), ("max_share_percent", 49, "sellers")],
)
def test_a_seller_of_nothing_in_the_build_has_no_share(field: str, most: int, rule: str) -> None:
    """Someone else sells, on an estimate, parts that the build does not hold: 0 % of the cost."""
    s = scene("tower")
    catalog = halves(s)
    gpu = s.row.key.gpu
    sure = {x: tuple(o.model_copy(update={"confidence": "list"}) for o in of) for x, of in catalog.offers.items()}
    other = next(x.id for x in s.market.catalog.of(Kind.CPU) if x.id not in sure)
    change = {"id": "x", "part": other, "seller": "x", "confidence": "estimate"}
    catalog = replace(catalog, offers={**sure, other: (sure[gpu][0].model_copy(update=change),)})
    assert stands(s, catalog, **{field: most}) == (({rule}, False) if rule else (set(), True))


AT_ONCE = {
    "max_estimated_percent": (50, (source("a", "n", 50), source("b", "s", 50, 0, "estimate"), source("b", "t", 40, 7))),
    "max_sellers": (2, (source("a", "n", 50), source("b", "s", 50), source("b", "n", 40, 7))),
    "max_share_percent": (
        50, (source("a", "n", 50), source("b", "s", 50), source("a", "t", 40, 7), source("b", "s2", 40, 7))
    ),
}  # fmt: skip
"""Limit -> its value that the orders at once (100 cents, two halves) just keep to; those in a week are cheaper."""


@pytest.mark.parametrize("field", AT_ONCE)
def test_the_soonest_delivery_at_exactly_a_limit(field: str) -> None:
    """Orders at exactly a limit are within it: no later day is taken for its sake. One step tighter, and one is."""
    most, some = AT_ONCE[field]
    for limit, days in ((most, 0), (most - 1, 7)):
        orders = limited(*some, cost_axis="lead-time", **{field: limit}).purchase({"a": 1, "b": 1})
        assert orders is not None
        assert max(x.offer.lead_time_days or 0 for x in orders.lines if x.offer) == days


@pytest.mark.parametrize(("budget", "days"), [(None, 0), (150_00, 0), (149_99, 7), (120_00, 7)])
def test_the_soonest_delivery_that_a_budget_pays_for(budget: int | None, days: int) -> None:
    offers = {"gpu0": [offer("a", "150"), offer("b", "120", lead_time_days=7)]}
    bought = book(offers, cost_axis="lead-time", budget_cents=budget).purchase({"gpu0": 1})
    assert bought is not None and [x.offer.lead_time_days or 0 for x in bought.lines if x.offer] == [days]


# Orders that only bring a share down ----------------------------------------------------------------------------------


def test_a_bundle_is_no_padding() -> None:
    """Three pieces are needed and sold by the three; a bundle of one more would only make a seller's share smaller."""
    three = replace(source("a", "n", 100), steps=(Step(3, None, 100),))
    pack = Kit(kit("2", a=1).model_copy(update={"seller": "w"}), 200)
    assert sellers(limited(three, kits=(pack,), max_share_percent=60), {"a": 3}) == {"n": 300}


def test_a_least_order_above_the_need_is_taken_at_its_least() -> None:
    """Two of a are needed and sold by the three: 300. With b from n all is from n, with b from w 60 %."""
    three = replace(source("a", "n", 100), steps=(Step(3, None, 100),))
    some = limited(three, source("b", "n", 150), source("b", "w", 200), max_share_percent=60)
    assert sellers(some, {"a": 2, "b": 1}) == {"n": 300, "w": 200}


def test_an_order_that_is_needed_for_one_piece_alone_is_no_padding() -> None:
    """Four pieces of sellers who send three and two at least: three and two, of which one is left over."""
    some = (replace(source("a", x, 100), steps=(Step(n, None, 100),)) for x, n in (("n", 3), ("s", 2)))
    assert sellers(limited(*some, max_share_percent=60), {"a": 4}) == {"n": 300, "s": 200}


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


@pytest.mark.parametrize("spare", [(0, 1), (1, 16), (3, 7), (10, 100), (1, 1)])
def test_spares_are_rounded_up_and_no_more(spare: tuple[int, int]) -> None:
    """Of pieces of a node, by nodes, and of shared gear: the least and the largest number that the model allows."""
    for pieces, nodes, shared, sign in itertools.product((1, 8, 24, 32), (1, 3), (False, True), (1, -1)):
        cp = cp_model.CpModel()
        held = cp.new_int_var(0, 64, "held")
        cp.add(held == pieces)
        m = SimpleNamespace(cp=cp, node_counts={nodes: cp.new_constant(1)}, shared_qty={"x": []} if shared else {})
        needed, most = need(m, "x", held, spare)  # type: ignore[arg-type]
        cp.minimize(sign * needed)
        solver = cp_model.CpSolver()
        assert solver.solve(cp) == cp_model.OPTIMAL
        bought = pieces * (1 if shared else nodes)
        assert sign * round(solver.objective_value) == bought - (-bought * spare[0] // spare[1]) <= most
