"""Prices at their ends, and the build of least regret against brute force over all builds and scenarios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.offers import Offer
from catalogs.schema import Kind
from constraints.policy import Policy
from constraints.prices import states
from constraints.request import Owned, Spare, SupportRate
from optimizer.cli.prices_view import show_price_risk, show_variation
from optimizer.explanation.prices.price_risk import MOST_BAD, price_risk
from optimizer.explanation.prices.regret import RegretAxis, Rises
from optimizer.explanation.prices.reprice import End, at_end, high_basis
from optimizer.explanation.prices.vary import vary
from optimizer.market.market import Market
from optimizer.result.recommended import recommended
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.solver import Solver
from tests.support.every_build import SEEDS, at_other_prices, every_build, unit_cents
from tests.support.long import wanted
from tests.support.random_catalogs import scenario

ENDS: tuple[End, End] = ("low", "high")


def offer(**fields: Any) -> Offer:
    usual = {"id": "o", "part": "p", "price": "100", "currency": "USD", "date": date(2026, 11, 1), "condition": "new",
             "confidence": "street", "seller": "s", "source": "t"}  # fmt: skip
    return Offer.model_validate({**usual, **fields})


@pytest.mark.parametrize(
    ("fields", "kind", "low", "high", "basis"),
    [
        ({}, Kind.GPU, Fraction(10, 12), Fraction(12, 10), "price_risk.street_percent 20 %"),
        ({"confidence": "list"}, Kind.GPU, Fraction(10, 11), Fraction(11, 10), "price_risk.list_percent 10 %"),
        ({"confidence": "list"}, Kind.MEMORY, Fraction(10, 11), Fraction(11, 10), "price_risk.list_percent 10 %"),
        ({"date": date(2026, 1, 1)}, Kind.GPU, Fraction(100, 156), Fraction(156, 100),
         "price_risk.street_percent 20 %, stale 30 %"),
        ({"confidence": "list", "date": date(2026, 1, 1)}, Kind.DRIVE, Fraction(100, 195), Fraction(195, 100),
         "price_risk.drive_percent 50 %, stale 30 %"),
        ({"confidence": "estimate", "date": date(2026, 1, 1)}, Kind.DRIVE, Fraction(10, 14), Fraction(14, 10),
         "price_risk.estimate_percent 40 %"),
        ({"low": "80", "high": "150"}, Kind.MEMORY, Fraction(80, 100), Fraction(150, 100), "the offer's high"),
        ({"low": "120", "high": "90"}, Kind.GPU, Fraction(1), Fraction(1), "the offer's high"),
    ],
)  # fmt: skip
def test_ends_are_those_of_the_band(
    fields: dict[str, Any], kind: Kind, low: Fraction, high: Fraction, basis: str
) -> None:
    """Of today's prices and of stale ones: the band by which `--price` and ranges count, and what it is said to be."""
    catalog, request, _ = scenario(1)
    part = next(x for x in catalog.of(kind) if catalog.offers.get(x.id))
    asked = {"part": part.id, "price": "10000", **fields}
    asked |= {end: Decimal(fields[end]) * 100 for end in ("low", "high") if end in fields}
    one = offer(**asked)
    changed = replace(catalog, offers={**catalog.offers, part.id: (one,)}, price_index=())
    market = Market.open(changed, request.model_copy(update={"as_of": date(2026, 11, 24)}), Policy())
    ends = states.band(one, kind, Policy(), states.is_stale(one, kind, market.request.as_of, Policy()))
    assert (ends.low, ends.high) == (low, high)
    for end, factor in (("low", low), ("high", high)):
        (there,) = at_end(market, end).catalog.offers[part.id]
        assert there.price == states.times(one.price, factor)
    assert high_basis(one, kind, market) == basis


def test_a_buyers_own_band_is_named() -> None:
    catalog, request, _ = scenario(1)
    part = next(x for x in catalog.of(Kind.GPU) if catalog.offers.get(x.id))
    wide = Policy({"price_risk.street_percent": Decimal(50)})
    market = Market.open(catalog, request, wide)
    one = offer(part=part.id, date=request.as_of)
    assert high_basis(one, Kind.GPU, market) == "price_risk.street_percent 50 %"


FEW = ((0, 3), (0, 4), (12, 1), (26, 1), (26, 2), (43, 1), (49, 5), (50, 0))
"""Cases of the short run: each catalog, with a budget and without one, one to three prices at their end."""


def compare(seed: int, draw: int) -> bool:
    """Everything of an answer against brute force; gives whether another build has less regret."""
    catalog, request = at_other_prices(seed, draw)
    if draw % 2 == 0:
        request = request.model_copy(update={"budget_cents": None})
    market, brute, k = Market.open(catalog, request, Policy()), every_build(seed), 1 + (seed + draw) % 3
    found, purse = price_risk(market, k), request.budget_cents
    today = unit_cents(catalog, brute.parts)
    ends = {end: unit_cents(at_end(market, end).catalog, brute.parts) for end in ENDS}
    for end, shown in (("low", found.low), ("high", found.high)):
        want = brute.recommended(ends[end], purse)
        assert (want is None) == (shown.recommended is None)
        if want is not None and shown.recommended is not None:
            p = shown.points[shown.recommended]
            assert (cents(p.total), round(10 * p.output_tok_s)) == want
    best = brute.recommended(today, purse)
    if best is None:
        assert found.recommended is None and found.least_regret is None and found.proof is None
        return False
    assert found.recommended and found.least_regret and found.proof and found.proof.status == "optimal"
    fast = brute.tenths >= best[1]
    regrets, costs = brute.regrets(today, ends["high"], k, best[1]), brute.costs(today)[fast]
    within = regrets[costs <= (purse or 2**60)]
    assert int(within.min()) == cents(found.least_regret.regret) == cents(found.proof.at_least)
    for x in (found.recommended, found.least_regret):
        same = regrets[(brute.pieces[fast] == [x.build.parts.get(p, 0) for p in brute.parts]).all(axis=1)]
        assert [int(r) for r in same] == [cents(x.regret)]
        assert cents(x.cost_there) - cents(x.best_there) == cents(x.regret) and len(x.bad) <= k
    return cents(found.recommended.regret) > cents(found.least_regret.regret)


def test_least_regret_equals_brute_force() -> None:
    """Within a budget and without one; in many catalogs the recommended build is not the one of least regret."""
    cases = [(seed, draw) for seed in SEEDS for draw in range(6)] if wanted() else FEW
    assert sum(compare(seed, draw) for seed, draw in cases) >= 5


def cents(text: str) -> int:
    return int(Fraction(text) * 100)


def test_axis_counts_spares_and_support() -> None:
    """The certificate's regret equals the measured one, with spares and support by category in both."""
    catalog, request, _ = scenario(1)
    fields = {
        "spares": (Spare(category=Kind.MEMORY, pieces=1, per=4), Spare(category=Kind.GPU, pieces=1, per=2)),
        "support": (SupportRate(category=Kind.GPU, percent=Decimal("12.5")),),
        "budget_cents": None,
    }
    market = Market.open(catalog, request.model_copy(update=fields), Policy())
    found = price_risk(market, 2)
    assert found.least_regret and found.proof and found.proof.status == "optimal"
    points = Solver(market).front().points
    chosen = recommended(market, points)
    first = None if chosen is None else points[chosen].found
    assert first is not None
    high = at_end(market, "high")
    rises = Rises(market.book, {p: high.book.prices[p].cents - x.cents for p, x in market.book.prices.items()})
    bad = frozenset(found.least_regret.bad)
    dearer = high.book.cost(found.least_regret.build.parts) if bad >= set(found.least_regret.build.parts) else None
    assert dearer is None or dearer == rises.cost(found.least_regret.build.parts, bad)
    assert rises.cost(first.build.total()) == market.book.cost(first.build.total())
    assert rises.cost(first.build.total(), frozenset(rises.cents)) == high.book.cost(first.build.total())
    assert RegretAxis(rises, {frozenset(): 0}).risky == frozenset()


def test_refusals(ask: Any) -> None:
    market = ask(budget=300000)
    for k in (0, MOST_BAD + 1):
        with pytest.raises(InputError, match="bad-prices"):
            price_risk(market, k)
    owned = market.asking(own=(Owned(part="amd-epyc-9115", qty=1),))
    for other in (owned, market.asking(cost_axis="power"), market.asking(max_share_percent=90)):
        with pytest.raises(InputError, match="combination"):
            price_risk(other, 2)


def test_stopped_clock_claims_nothing() -> None:
    catalog, request, _ = scenario(1)
    clock = Clock()
    clock.stop()
    with pytest.raises(TimeUp):  # not even the recommended build is proven
        price_risk(Market.open(catalog, request, Policy()), 2, clock)


def test_views(capsys: pytest.CaptureFixture[str]) -> None:
    market = Market.open(*at_other_prices(26, 1), Policy())
    show_price_risk(price_risk(market, 2))
    out = capsys.readouterr().out
    assert "least regret" in out and "Proof: optimal" in out and "Every price at its high" in out
    v = vary(market, Solver(market).front().points[-1], "board1,board0,cpu,memory=20x")
    show_variation(v)
    out = capsys.readouterr().out
    assert "recommended today" in out and "no build is within the budget" in out and "stays up to" in out
