"""States of prices: which offers compete, what an index makes of an old one, bands, and fronts against brute force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import SHIPPED, Catalog, load
from catalogs.offers import Bundle, IndexPoint, Offer, PricedOffer, state_of, word_of
from catalogs.schema import Drive, Kind, Memory, Part
from constraints.policy import Policy
from constraints.prices import price_book as books
from constraints.prices import price_index as indices
from constraints.prices import states
from constraints.prices.price_book import price_book
from constraints.prices.price_range import price_range
from constraints.prices.purchase import Line, PriceBook, Priced
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.search.solver import Solver
from tests.constraints.test_price_oracle import TRIED
from tests.search.test_oracle import nodes_tried, values
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.price_states import states_scenario

DAY = date(2026, 11, 15)
FRESH, OLD = 0, 100
"""Days of age."""
RAM = Memory(id="ram", name="", source="t", mem_gen="DDR5", dimm_type="RDIMM", capacity_gb=64, mts=4800)
OTHER_RAM = RAM.model_copy(update={"id": "ram4", "mem_gen": "DDR4"})
LEVELS = {"2026-02": 100, "2026-05": 130, "2026-08": 160, "2026-11": 200}


def points(levels: dict[str, int], percent: int = 10, category: Any = "ddr5_rdimm") -> tuple[IndexPoint, ...]:
    return tuple(
        IndexPoint(id=f"{category}-{m}", category=category, month=m, value=Decimal(v), unit="index",
                   uncertainty_percent=Decimal(percent), basis="read", source="test")
        for m, v in levels.items()
    )  # fmt: skip


def offer(name: str, price: str, age: int = FRESH, sure: Any = "street", **fields: Any) -> Offer:
    known = {"part": "ram", "currency": "USD", "condition": "new", "seller": name, "source": "test"}
    day = DAY - timedelta(age)
    return Offer.model_validate({"id": name, "price": price, "date": day, "confidence": sure, **known, **fields})


def found(offers: list[Offer], part: Part = RAM, levels: dict[str, int] = LEVELS, **asked: Any) -> Priced | None:
    catalog = Catalog({part.id: part}, {part.id: tuple(offers)}, "0" * 64, price_index=points(levels))
    return price_book(catalog, Request(model="v2-lite", as_of=DAY, **asked), Policy()).prices.get(part.id)


def told(priced: Priced | None) -> tuple[str, int, str, bool]:
    assert priced is not None and priced.offer is not None
    return priced.offer.id, priced.cents, state_of(priced.offer), priced.stale


# The order of states --------------------------------------------------------------------------------------------------

BY_STATE = {
    "fresh": offer("fresh", "400.00"),
    "indexed": offer("indexed", "100.00", OLD),
    "estimate": offer("guess", "1.00", sure="estimate"),
}  # fmt: skip


def test_a_fresh_price_goes_before_an_indexed_one_and_that_before_an_estimate() -> None:
    """Each is cheaper than the one before it: price never decides between states."""
    assert told(found(list(BY_STATE.values()))) == ("fresh", 400_00, "read", False)
    # 2026-08 at 160, 2026-11 at 200.
    assert told(found([BY_STATE["indexed"], BY_STATE["estimate"]])) == ("indexed", 125_00, "indexed", False)
    assert told(found([BY_STATE["estimate"]])) == ("guess", 1_00, "estimate", False)


def test_without_an_index_an_old_price_stays_stale_and_goes_before_an_estimate() -> None:
    offers = [offer("old", "100.00", OLD), offer("older", "90.00", OLD + 1), BY_STATE["estimate"]]
    assert told(found(offers, OTHER_RAM)) == ("old", 100_00, "read", True)
    assert told(found(offers[:2], levels={})) == ("old", 100_00, "read", True)


def test_indexed_goes_before_stale() -> None:
    """Of the same part: the older price is beyond the beginning of the index."""
    offers = [offer("beyond", "10.00", 400), offer("within", "100.00", OLD)]
    assert told(found(offers)) == ("within", 125_00, "indexed", False)
    assert told(found(offers[:1])) == ("beyond", 10_00, "read", True)


def test_indexed_prices_compete_where_their_age_is_alike() -> None:
    assert told(found([offer("a", "100.00", OLD), offer("b", "70.00", OLD + 30)]))[0] == "b"
    assert told(found([offer("a", "100.00", OLD), offer("b", "10.00", OLD + 31)]))[0] == "a"


def test_of_two_offers_of_one_seller_the_newer_counts_but_an_estimate_hides_no_read_price() -> None:
    shop = {"seller": "shop"}
    assert told(found([offer("new", "500.00", 2, **shop), offer("old", "90.00", 20, **shop)]))[:2] == ("new", 500_00)
    assert told(found([offer("guess", "1.00", 2, "estimate", **shop), offer("read", "90.00", 20, **shop)]))[0] == "read"
    two = [
        offer("inside", "90.00", 20, holds_for="configured", **shop),
        offer("loose", "120.00", 2, holds_for="loose", **shop),
    ]
    assert told(found(two))[0] == "inside" and told(found(two, bought_as="loose"))[0] == "loose"


def test_a_price_for_the_other_purchase_counts_where_there_is_no_other() -> None:
    loose = offer("loose", "120.00", holds_for="loose")
    assert told(found([loose]))[0] == "loose"
    assert told(found([loose, offer("any", "150.00")]))[0] == "any"
    assert told(found([loose, offer("any", "150.00")], bought_as="loose"))[0] == "loose"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("list", "contract", "street", "sold"), "fresh"),
        (("indexed", "estimate"), "indexed"),
        (("estimate",), "guess"),
        (("indexed", "list"), "indexed"),
    ],
)  # fmt: skip
def test_words_of_a_request_admit_states(words: tuple[str, ...], name: str) -> None:
    assert told(found(list(BY_STATE.values()), confidences=words))[0] == name


def test_an_estimate_has_no_age() -> None:
    old_guess = offer("guess", "1.00", 300, "estimate")
    assert told(found([old_guess, BY_STATE["indexed"]], max_price_age_days=50))[0] == "guess"


def test_indexed_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="indexed prices alone"):
        Request(model="v2-lite", as_of=DAY, confidences=("indexed",))


def test_an_estimated_bundle_is_never_fresh() -> None:
    known = {"part": "ram", "qty": 2}
    fields = {"id": "kit", "parts": [known], "price": "1.00", "currency": "USD", "date": DAY, "condition": "new"}
    for sure, kits in (("list", 1), ("estimate", 0)):
        bundle = Bundle.model_validate({**fields, "confidence": sure, "seller": "k", "source": "test"})
        catalog = Catalog({"ram": RAM}, {"ram": (offer("a", "100.00"),)}, "0" * 64, bundles={"kit": bundle})
        assert len(price_book(catalog, Request(model="v2-lite", as_of=DAY), Policy()).kits) == kits


# Indices --------------------------------------------------------------------------------------------------------------


def factor(since: str, until: str, levels: dict[str, int] = LEVELS, **policy: int) -> Fraction | None:
    catalog = Catalog({}, {}, "0" * 64, price_index=points(levels))
    days = (date.fromisoformat(x) for x in (since, until))
    found_ = indices.moved(RAM, *days, catalog, Policy({f"price_index.{k}": Decimal(v) for k, v in policy.items()}))
    return None if found_ is None else found_.factor


def test_levels_between_points_lie_on_a_line_by_months() -> None:
    assert factor("2026-02-28", "2026-05-01") == Fraction(130, 100)
    assert factor("2026-03-01", "2026-05-01") == Fraction(130, 110)
    assert factor("2026-03-31", "2026-09-01") == (160 + Fraction(40, 3)) / 110
    assert factor("2026-05-01", "2026-05-31") == 1


def test_outside_of_its_points_an_index_says_nothing_but_for_three_months_after_the_last() -> None:
    assert factor("2026-01-31", "2026-05-01") is None
    assert factor("2026-08-01", "2027-02-28") == Fraction(200, 160)
    assert factor("2026-08-01", "2027-03-01") is None
    assert factor("2026-08-01", "2027-03-01", holds_months=4) == Fraction(200, 160)


def test_a_gap_of_six_months_is_bridged_and_a_wider_one_is_not() -> None:
    assert factor("2026-03-01", "2026-08-01", {"2026-02": 100, "2026-08": 160}) == Fraction(160, 110)
    wide = {"2026-01": 100, "2026-08": 160}
    assert factor("2026-03-01", "2026-08-01", wide) is None
    assert factor("2026-01-01", "2026-08-01", wide) == Fraction(160, 100)  # points themselves are known
    assert factor("2026-03-01", "2026-08-01", wide, gap_months=7) == Fraction(160) / (100 + Fraction(120, 7))


def test_a_level_may_hold_through_later_months() -> None:
    catalog = Catalog(
        {},
        {},
        "",
        price_index=(points({"2026-01": 100})[0].model_copy(update={"through": "2026-07"}), *points({"2026-08": 150})),
    )
    assert indices.moved(RAM, date(2026, 6, 1), date(2026, 8, 1), catalog, Policy()) == (Fraction(3, 2), 10)


def test_the_uncertainty_is_the_largest_on_the_way() -> None:
    index = [
        *points({"2026-02": 100}, 40),
        *points({"2026-05": 130}, 5),
        *points({"2026-08": 160}, 20),
        *points({"2026-11": 200}, 7),
    ]
    catalog = Catalog({}, {}, "", price_index=tuple(index))
    assert indices.moved(RAM, date(2026, 5, 1), date(2026, 11, 1), catalog, Policy()).percent == 20  # type: ignore[union-attr]
    assert indices.moved(RAM, date(2026, 4, 1), date(2026, 5, 1), catalog, Policy()).percent == 40  # type: ignore[union-attr]


def test_prices_are_rounded_half_up_to_cents_with_their_breaks_low_and_high() -> None:
    old = offer("a", "100.02", OLD, low="90.02", high="110.06", breaks=("10:50.06",))
    priced = found([old])
    assert priced is not None and isinstance(priced.offer, PricedOffer)
    moved = priced.offer
    assert (moved.price, moved.low, moved.high, moved.breaks) == (
        Decimal("125.03"), Decimal("112.53"), Decimal("137.58"), ("10:62.58",),
    )  # fmt: skip
    assert (moved.read_price, moved.index_percent, moved.confidence, word_of(moved)) == (
        Decimal("100.02"),
        10,
        "street",
        "indexed",
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x,ddr5_rdimm,2026-8,,1,USD,1,read,t", ["month", "2026-8", "YYYY-MM"]),
        ("x,ddr5_rdimm,2026-08,2026-07,1,USD,1,read,t", ["does not end before"]),
        ("x,ddr5_rdimm,2026-08,,0,USD,1,read,t", ["value", "above 0"]),
        ("x,ddr5_rdimm,2026-08,,1,USD,,read,t", ["uncertainty_percent"]),
        ("x,gpu,2026-08,,1,USD,1,read,t", ["category", "ddr5_rdimm"]),
        ("x,ddr5_rdimm,2026-08,,1,USD,1,read,t", ["overlaps the months of", "in another unit than"]),
    ],
)
def test_a_faulty_index_is_told_with_its_row(tmp_path: Any, row: str, words: list[str]) -> None:
    header = "id,category,month,through,value,unit,uncertainty_percent,basis,source\n"
    (tmp_path / "price_index.csv").write_text(header + row + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load([tmp_path])
    assert [word for word in [*words, "price_index.csv"] if word not in str(caught.value)] == []


def test_every_shipped_index_is_of_one_unit_and_has_sources(shipped: Catalog) -> None:
    assert (SHIPPED / "price_index.csv").exists() and shipped.price_index
    assert not [p.id for p in shipped.price_index if not p.source.strip()]
    assert {"ddr5_rdimm", "nvme_enterprise", "nvme_consumer", "server_cpu"} <= {p.category for p in shipped.price_index}
    assert not [p.id for p in shipped.price_index if p.category.startswith("gpu")]


# Bands and ranges -----------------------------------------------------------------------------------------------------


def ends(offer_: Offer, kind: Kind = Kind.GPU, stale: bool = False) -> tuple[Fraction, Fraction]:
    return tuple(states.band(offer_, kind, Policy(), stale))  # type: ignore[return-value]


def test_bands_of_confidences_and_of_own_columns() -> None:
    assert ends(offer("a", "100.00")) == (Fraction(5, 6), Fraction(6, 5))
    assert ends(offer("a", "100.00", sure="estimate")) == (Fraction(5, 7), Fraction(7, 5))
    assert ends(offer("a", "100.00", low="95.00", high="101.00")) == (Fraction(95, 100), Fraction(101, 100))
    assert ends(offer("a", "100.00", low="105.00", high="99.00")) == (1, 1)  # neither crosses the price


def test_a_stale_band_is_wider_and_no_narrower_than_its_category() -> None:
    wider = Fraction(13, 10)
    assert ends(offer("a", "100.00"), stale=True) == (Fraction(5, 6) / wider, Fraction(6, 5) * wider)
    assert ends(offer("a", "100.00"), Kind.MEMORY, stale=True) == (1 / (2 * wider), 2 * wider)
    assert ends(offer("a", "100.00"), Kind.MEMORY) == (Fraction(5, 6), Fraction(6, 5))


def test_an_index_widens_the_band_by_its_uncertainty() -> None:
    priced = found([offer("a", "100.00", OLD)])
    assert priced is not None and priced.offer is not None
    assert ends(priced.offer, Kind.MEMORY) == (Fraction(5, 6) / Fraction(11, 10), Fraction(6, 5) * Fraction(11, 10))


@pytest.mark.parametrize(("level", "cents"), [("low", 113_64), ("middle", 150_00), ("high", 198_00)])
def test_prices_count_at_the_end_that_is_asked_for(level: Any, cents: int) -> None:
    """120 of August are 150; 20 % of a street price and 10 % of the index either way."""
    assert told(found([offer("a", "120.00", OLD)], price_level=level)) == ("a", cents, "indexed", False)


def test_a_price_that_somebody_says_holds_at_every_end() -> None:
    said = states.fixed(offer("a", "120.00"))
    for level in ("low", "middle", "high"):
        assert told(found([said], price_level=level))[:2] == ("a", 120_00)


GPU_LIKE = Drive(id="d", name="", source="t", media="hdd", forms=("3.5",), capacity_gb=1, read_mb_s=1, power_w=1)


def test_bands_add_up_within_a_category_and_in_quadrature_across() -> None:
    parts: dict[str, Part] = {"r1": RAM, "r2": RAM, "d": GPU_LIKE}
    catalog = Catalog(parts, {}, "")
    flat = offer("a", "100.00", low="90.00", high="130.00")
    lines = [
        Line("r1", 2, 100_00, "offer", flat),
        Line("r2", 1, 100_00, "offer", flat),
        Line("d", 4, 100_00, "offer", flat),
    ]
    request = Request(model="v2-lite", as_of=DAY)
    book = PriceBook({}, {})
    # 700.00; memory 3 x 10 and drives 4 x 10 below: 50; 90 and 120 above: 150.
    assert price_range(lines, book, catalog, request, Policy()) == (650_00, 850_00)
    # Within one category 70 and 210.
    assert price_range([replace(x, part="r1") for x in lines], book, catalog, request, Policy()) == (630_00, 910_00)
    # A root that is no whole number is rounded up: 10.00 and 10.00 across are 14.15.
    two = [Line("r1", 1, 100_00, "offer", flat), Line("d", 1, 100_00, "offer", flat)]
    assert price_range(two, book, catalog, request, Policy())[0] == 200_00 - 14_15
    owned = [*two, Line("d", 9, 0, "owned", None)]
    assert price_range(owned, book, catalog, request, Policy()) == price_range(two, book, catalog, request, Policy())


def test_the_range_of_a_build_does_not_hang_on_the_end_that_is_asked_for() -> None:
    catalog = Catalog({"ram": RAM}, {"ram": (offer("a", "120.00", OLD),)}, "0" * 64, price_index=points(LEVELS))
    ranges = set()
    for level in ("low", "middle", "high"):
        request = Request(model="v2-lite", as_of=DAY, price_level=level)
        book = price_book(catalog, request, Policy())
        bought = book.purchase({"ram": 1})
        assert bought is not None
        ranges.add(price_range(bought.lines, book, catalog, request, Policy()))
    assert ranges == {(113_64, 198_00)}


# Fronts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", one_in(2, TRIED))
def test_front_equals_brute_force_whatever_the_states(seed: int) -> None:
    catalog, request, ask = states_scenario(seed)
    assert values(Solver(Market.open(catalog, request, Policy()))) == Oracle(catalog, ask, nodes_tried(seed)).front()


@pytest.mark.parametrize("wrong", ["states blind", "index deaf", "level dumb", "purchase blind"])
def test_a_wrong_rule_is_found_by_brute_force(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the four decides somewhere: with it left out some front is another."""
    if wrong == "states blind":
        monkeypatch.setattr(books, "pool_of", lambda live, *_: states.Pool(list(live), False))
    elif wrong == "index deaf":
        monkeypatch.setattr(books, "as_of_day", lambda offer_, *_: offer_)
    elif wrong == "level dumb":
        monkeypatch.setattr(books, "at_level", lambda offer_, *_: offer_)
    else:
        seen = books.pool_of
        monkeypatch.setattr(
            books, "pool_of",
            lambda live, *asked: seen([o.model_copy(update={"holds_for": ""}) for o in live], *asked),
        )  # fmt: skip
    for seed in TRIED:
        catalog, request, ask = states_scenario(seed)
        if values(Solver(Market.open(catalog, request, Policy()))) != Oracle(catalog, ask, nodes_tried(seed)).front():
            return
    raise AssertionError("no front of the catalogs shows it")
