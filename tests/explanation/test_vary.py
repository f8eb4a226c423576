"""Ranges of price: against brute force at both sides of every break point, whatever the terms; specs and faults."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Kind
from constraints.policy import Policy
from constraints.prices.totals import totals
from constraints.request import Request, SupportRate
from optimizer.explanation.prices.step_costs import first_step
from optimizer.explanation.prices.vary import Variation, vary
from optimizer.explanation.prices.vary_spec import UNIT, parse
from optimizer.market.market import Market
from optimizer.result.recommended import recommended as chosen_point
from optimizer.result.recommended import serving
from optimizer.search.clock import Clock
from optimizer.search.solver import Solver
from tests.conftest import AS_OF
from tests.search.test_oracle import nodes_tried
from tests.support.every_build import SEEDS, EveryBuild, at_other_prices, every_build, unit_cents
from tests.support.price_oracle import PriceOracle
from tests.support.price_terms import priced_scenario

BOARD = "amd-mi350x-ubb-platform-8-oam"


def steps(v: Variation) -> list[tuple[int, int]]:
    """First and last step of each span."""
    scale = UNIT if v.unit == "factor" else 100
    return [(int(Fraction(s.low) * scale), int(Fraction(s.high) * scale)) for s in v.spans]


def cents(text: str | None) -> int:
    return int(Fraction(text or 0) * 100)


def opened(seed: int, draw: int, **fields: Any) -> Market:
    """Every other draw without a budget; the others with one a little above some point of the front."""
    catalog, request = at_other_prices(seed, draw)
    market = Market.open(catalog, request.model_copy(update={"budget_cents": None, **fields}), Policy())
    points = Solver(market).front().points
    if draw % 2 == 0 or not points:
        return market
    rng = random.Random(draw)
    return market.asking(budget_cents=rng.choice(points).found.parts_cents * rng.randint(105, 150) // 100)


def recommended(market: Market) -> Any:
    """The recommended point; None without one."""
    points = Solver(market).front().points
    return points[-1 if market.request.budget_cents is not None else 0] if points else None


def specs(market: Market, point: Any, draw: int) -> tuple[str, ...]:
    """Specs of every form, of categories and parts that the build holds."""
    pieces = sorted(point.found.build.total())
    part = random.Random(draw).choice(pieces)
    kind, gpu = market.catalog.parts[part].kind.value, point.case.gpu.id
    gpu = gpu if gpu in pieces else "gpu"
    return "gpu=±60%", f"{part}=+150%", f"cpu,memory,{kind}=-70%", f"{gpu}=9x"


def compare(market: Market, brute: EveryBuild, point: Any, spec: str) -> list[str]:
    """Both ends of every span, and steps all over the range, against brute force; gives why spans begin."""
    v, varied, purse = vary(market, point, spec), parse(market, spec), market.request.budget_cents
    ends = steps(v)
    assert v.complete and [ends[0][0], ends[-1][1]] == [varied.low, varied.high]
    assert all(a[1] + 1 == b[0] for a, b in pairwise(ends))
    assert ends[v.stays][0] <= varied.today <= ends[v.stays][1]
    for span, (low, high) in zip(v.spans, ends, strict=True):
        for step in {low, high, *range(low, high, max(1, (varied.high - varied.low) // 8))}:
            prices = unit_cents(varied.at(market, step).catalog, brute.parts)
            best = brute.recommended(prices, purse)
            if span.build is None:
                assert best is None
                continue
            assert best is not None and best[1] == round(span.build.output_tok_s * 10)
            assert best[0] == sum(q * prices[x] for x, q in span.build.parts.items())
            for at, total in ((low, span.total_at_low), (high, span.total_at_high)):
                assert step != at or best[0] == cents(total)
    return [s.why for s in v.spans]


def test_some_spans_equal_brute_force() -> None:
    """The short version of the next."""
    why: Counter[str] = Counter()
    for seed in SEEDS[::3]:
        market = opened(seed, 0)
        if point := recommended(market):
            for spec in specs(market, point, 0):
                why.update(compare(market, every_build(seed), point, spec))
    assert why


@pytest.mark.long
def test_spans_equal_brute_force() -> None:
    """Over catalogs and prices in which builds are taken over for every reason, within a budget and without one."""
    why: Counter[str] = Counter()
    for seed, draw in product(SEEDS, range(4)):
        market = opened(seed, draw)
        if point := recommended(market):
            for spec in specs(market, point, draw):
                why.update(compare(market, every_build(seed), point, spec))
    assert all(why[x] >= 5 for x in ("cheaper", "over-budget", "none-within-budget")), why
    assert why["faster-within-budget"] >= 2, why


@pytest.mark.parametrize("within", (True, False))
@pytest.mark.parametrize("seed", (12, 26))
def test_with_users_the_cheapest_that_serves_them_for_certain_stays(seed: int, within: bool) -> None:
    """Both ends of every span against the front there: its first point that serves the users at the lower end."""
    market = opened(seed, 0)
    fastest = Solver(market).front().points[-1].found.row
    market = market.asking(users=max(1, fastest.plan.concurrency * fastest.plan.replicas // 4), min_tok_s_user=1)
    points = Solver(market).front().points
    chosen = serving(market, points)
    assert chosen is not None and chosen == chosen_point(market, points)
    if within:
        market = market.asking(budget_cents=points[chosen].found.parts_cents * 115 // 100)
    point = points[chosen]
    v, varied = vary(market, point, "gpu=±40%"), parse(market, "gpu=±40%")
    assert v.complete
    for span, (low, high) in zip(v.spans, steps(v), strict=True):
        for step in {low, high}:
            there = varied.at(market, step)
            found = Solver(there).front().points
            best = serving(there, found)
            if span.build is None:
                assert best is None and span.why == "none-serves-within-budget"
                continue
            assert best is not None
            assert found[best].found.row.perf.tenths == round(span.build.output_tok_s * 10)
            prices = {x: there.cents(x) for x in span.build.parts}
            assert found[best].found.parts_cents == sum(q * prices[x] for x, q in span.build.parts.items())


@pytest.mark.parametrize("seed", (0, 12))
def test_prices_by_quantity(seed: int) -> None:
    """Stock, minimum orders, breaks, bundles, parts in hand, spares and support: both sides of each break point."""
    catalog, request, ask, terms = priced_scenario(seed)
    market = Market.open(catalog, request, Policy())
    v, varied = vary(market, recommended(market), "gpu,memory,drive=±40%"), parse(market, "gpu,memory,drive=±40%")
    assert v.complete
    for span, (low, high) in zip(v.spans, steps(v), strict=True):
        for step in {low, high}:
            points = PriceOracle(varied.at(market, step).catalog, ask, nodes_tried(seed), terms=terms).front()
            assert bool(points) == (span.build is not None)
            if span.build is not None:
                total = span.total_at_low if step == low else span.total_at_high
                assert points[-1] == (cents(total), round(span.build.output_tok_s * 10))


def test_support_by_category_and_tax() -> None:
    """Both are in the total that a budget holds, and where the build leaves it."""
    market = opened(12, 1, support=(SupportRate(category=Kind.GPU, percent=Decimal("12.5")),))
    market = replace(market, policy=Policy({"money.tax_percent": Decimal(19)}))
    point = recommended(market)
    v = vary(market, point, "gpu=+300%")
    spans = v.spans[v.stays :]
    budget = market.request.budget_cents
    assert budget is not None and spans[1].why in ("over-budget", "none-within-budget")
    assert cents(spans[0].total_at_high) <= budget
    step = steps(v)[v.stays][1] + 1
    dearer = parse(market, "gpu=+300%").at(market, step)
    assert totals(dearer.book.cost(point.found.build.total()), market.policy)[2] > budget


@pytest.fixture
def main_job(at_older_estimates: Catalog) -> Market:
    request = Request(model="v2-670b", as_of=AS_OF, budget_cents=300_000_00, grade="floor")
    return Market.open(at_older_estimates, request, Policy())


def test_main_job_both_sides_of_a_break_point(main_job: Market) -> None:
    market = main_job
    point = recommended(market)
    v, varied = vary(market, point, f"{BOARD}=250,000"), parse(market, f"{BOARD}=250,000")
    assert (v.unit, v.stays, v.target, len(v.spans)) == ("price", 0, 1, 2)
    (_, last), (first, _) = steps(v)
    assert first == last + 1
    within, beyond = (recommended(varied.at(market, n)).found for n in (last, first))
    assert within.build == point.found.build
    assert beyond.build != point.found.build
    assert v.spans[1].build is not None and v.spans[1].build.parts == dict(sorted(beyond.build.total().items()))
    assert {c.part: c.after - c.before for c in v.spans[1].changes} == {
        p: d
        for p in {*within.build.total(), *beyond.build.total()}
        if (d := beyond.build.total().get(p, 0) - within.build.total().get(p, 0))
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 59), st.integers(0, 59), st.randoms())
def test_first_step(holds: list[bool], start: int, end: int, rng: random.Random) -> None:
    start, end = start % len(holds), end % len(holds)

    def may(a: int, b: int) -> bool:
        return any(holds[a : b + 1]) or (a < b and rng.random() < 0.5)

    way = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    assert first_step(may, start, end) == next((n for n in way if holds[n]), None)


@pytest.mark.parametrize(
    ("spec", "low", "high", "target"),
    [
        ("gpu=±20%", 8000, 12000, None),
        ("gpu=+-20%", 8000, 12000, None),
        ("gpu = +/-20 %", 8000, 12000, None),
        ("memory,drive=+50%", 10000, 15000, None),
        ("memory=-30%", 7000, 10000, None),
        ("memory=−30％", 7000, 10000, None),
        ("memory=1.5x", 10000, 15000, 15000),
        ("memory=×0.5", 5000, 10000, 5000),
        (f"{BOARD}=±10%", 162_000_00, 198_000_00, None),
        (f"{BOARD}=190k", 180_000_00, 190_000_00, 190_000_00),
        (f"{BOARD}=$170,000.50", 170_000_50, 180_000_00, 170_000_50),
    ],
)
def test_specs(main_job: Market, spec: str, low: int, high: int, target: int | None) -> None:
    v = parse(main_job, spec)
    assert (v.low, v.high, v.target, v.by_price) == (low, high, target, BOARD in spec)
    assert v.low <= v.today <= v.high


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        ("gpu", "bad-vary"), ("=20%", "bad-vary"), ("gpu=", "bad-vary"), ("gpu=dear", "bad-vary"),
        ("gpu=-100%", "bad-vary"), ("gpu=101x", "bad-vary"), ("gpu=0x", "bad-vary"), ("gpu=5000", "bad-vary"),
        (f"{BOARD}=0", "bad-vary"), (f"{BOARD}=-5", "bad-vary"), (f"{BOARD}=5000CNY", "bad-vary"),
        ("no-such-part=±20%", "unknown-part"), ("nvidia-h100-sxm5-80gb=±20%", "bad-vary"),
    ],
)  # fmt: skip
def test_bad_specs(ask: Any, spec: str, code: str) -> None:
    with pytest.raises(InputError) as e:
        parse(ask(budget=300000, grade="floor"), spec)
    assert [f.code for f in e.value.faults] == [code]


def test_refusals(ask: Any) -> None:
    market = ask(budget=500000, grade="floor")
    slower, *_, point = Solver(market).front().points
    assert slower is not point
    for fields in ({"cost_axis": "power"}, {"max_share_percent": 90}, {"price_level": "high"}):
        with pytest.raises(InputError, match="combination"):
            vary(market.asking(**fields), point, "gpu=±20%")
    with pytest.raises(InputError, match="not-recommended"):
        vary(market, slower, "gpu=±20%")


def test_time_limit_gives_what_is_known() -> None:
    clock = Clock()
    market = opened(26, 1)
    point = recommended(market)
    clock.stop()
    v = vary(market, point, "gpu=±20%", clock)
    assert not v.complete and [(s.low, s.high, s.why) for s in v.spans] == [("1.0000", "1.0000", "today")]
