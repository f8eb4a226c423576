"""Why not: against brute force, break-even prices solved at and above, conditions and broken rules in words."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog
from catalogs.schema import Kind
from constraints.build import Build
from constraints.policy import Policy
from constraints.request import SupportRate
from optimizer.explanation.prices.reprice import priced
from optimizer.explanation.why_not.asked_for import Wish, asked_for
from optimizer.explanation.why_not.break_even import break_even
from optimizer.explanation.why_not.explained import WhyNot, why_not
from optimizer.market.market import Market
from optimizer.report.why_not_said import why_not_lines
from optimizer.search.clock import Clock, TimeUp
from optimizer.search.front import Point
from optimizer.search.solver import Solver
from optimizer.text.languages import Words
from optimizer.text.minor_units import minor
from tests.support.long import one_in
from tests.support.random_catalogs import scenario
from tests.support.whole_builds import whole_builds

EXAMPLES = Path(__file__).parents[2] / "examples"
SEEDS = (0, 1, 13)


def recommended(market: Market) -> Point:
    points = Solver(market).front().points
    return points[-1 if market.request.budget_cents else 0]


def cents(text: str) -> int:
    return minor(text, "USD")


@pytest.mark.parametrize("seed", one_in(2, SEEDS))
def test_costs_and_break_even_equal_brute_force(seed: int) -> None:
    catalog, request, _ = scenario(seed)
    market = Market.open(catalog, request, Policy())
    point, oracle = Solver(market).front().points[0], whole_builds(seed)
    rich: list[tuple[int, int, Counter[str]]] = []
    for (n, node, shared), (cost, tenths) in oracle.passing.items():
        rich.append((cost, tenths, Counter(Build(n, dict(node), dict(shared)).total())))
    kinds = (Kind.CPU, Kind.MEMORY, Kind.DRIVE, Kind.NIC, Kind.GPU_BOARD, Kind.PLATFORM)
    inside = {c.part for p in catalog.parts.values() for c in getattr(p, "contents", ())}
    others = [p.id for p in catalog.of(*kinds) if p.id not in inside and p.id not in point.case.node_all]
    tenths, paid = point.found.row.perf.tenths, point.found.parts_cents
    random.Random(seed).shuffle(others)
    for part in others[:3]:
        _, wish = asked_for(part, market)
        found = why_not(market, point, wish)
        with_it = [(c, t, q) for c, t, q in rich if q[part]]
        if found.lifted or found.supposed or found.least is None:
            assert not with_it
            continue
        assert cents(found.least.total) == min(c for c, _, _ in with_it)
        as_fast = [(c, q[part]) for c, t, q in with_it if t >= tenths]
        assert (found.as_fast is None) == (not as_fast)
        affordable = [t for c, t, _ in with_it if c <= (request.budget_cents or 0)]
        assert (found.for_limit is None) == (not affordable)
        if found.for_limit:
            assert round(10 * found.for_limit.output_tok_s) == max(affordable)
        if not as_fast:
            continue
        assert found.as_fast and cents(found.as_fast.total) == min(c for c, _ in as_fast)
        (even,) = found.break_even
        now = market.cents(part)
        best = max((paid - (c - n * now)) // n for c, n in as_fast)
        assert even.price == (None if best < 1 else str(Decimal(best).scaleb(-2))), part
        if even.price:
            assert cents(even.total) <= paid < cents(even.total_above or "0")


def solved_at(market: Market, part: str, price: int, tenths: int) -> int:
    other = priced(market, {part: price}).asking(budget_cents=None, include=(part,), throughput_tenths=tenths)
    found = Solver(other).cheapest()
    assert found is not None
    return found.parts_cents


@pytest.mark.parametrize("seed", [1, 4, 13])
def test_break_even_by_halving_the_interval(seed: int) -> None:
    """The same price by solving at prices alone, with support by category, and rising totals on the way."""
    catalog, request, _ = scenario(seed)
    rates = (SupportRate(category=Kind.PLATFORM, percent=Decimal("7.3")),)
    market = Market.open(catalog, request.model_copy(update={"support": rates}), Policy())
    point = recommended(market)
    platforms = [p.id for p in catalog.of(Kind.PLATFORM) if p.id not in point.case.node_all]
    tenths = 1
    for part in platforms:
        only = Wish(part, part=part).forced(market, budget_cents=None, throughput_tenths=tenths)
        limit = point.found.parts_cents
        even = break_even(only, part, limit)
        if even is None or not even.price:
            continue
        low, high, seen = 1, 2 * limit, []
        while low < high:
            middle = (low + high + 1) // 2
            cost = solved_at(market, part, middle, tenths)
            seen.append((middle, cost))
            low, high = (middle, high) if cost <= limit else (low, middle - 1)
        assert even.price == low
        assert [c for _, c in sorted(seen)] == sorted(c for _, c in seen)
        assert solved_at(market, part, low, tenths) <= limit < solved_at(market, part, low + 1, tenths)


@pytest.fixture(scope="module")
def main_job(at_older_estimates: Catalog) -> tuple[Market, Point]:
    from constraints.request import Request

    # In any market: H20 is sold in China alone, the others it is compared with are not sold there.
    # A day on which cords and cables that reach from rack to rack have a price: those came on 2026-11-30.
    day = date(2026, 11, 30)
    request = Request(model="v2-670b", as_of=day, budget_cents=300_000_00, market="any", grade="floor")
    market = Market.open(at_older_estimates, request, Policy())
    return market, recommended(market)


def asked(job: tuple[Market, Point], text: str) -> WhyNot:
    market, what = asked_for(text, job[0])
    return why_not(market, job[1], what)


def test_a_number_of_gpus_too_slow_for_the_point(main_job: tuple[Market, Point]) -> None:
    """8 x H20: what it gives for the money, the price at which it loses its own place, and that 64 of them are too dear
    even at a cent a board."""
    found = asked(main_job, "8x H20")
    assert not found.against and found.as_fast is None and found.least and found.any_number
    assert found.for_limit and found.for_limit.output_tok_s < found.point.output_tok_s
    any_, own = found.break_even
    assert any_.price is None and Decimal(any_.total) > Decimal(found.point.total)
    boards = next(x.qty for x in found.any_number.node if "h20" in x.part) * found.any_number.nodes
    assert Decimal(any_.total) >= Decimal(found.any_number.total) - boards * Decimal(any_.price_now or 0)
    assert own.price and own.price_now and found.rival
    rest = Decimal(found.least.total) - Decimal(own.price_now)
    assert Decimal(own.price) == Decimal(found.rival.total) - rest  # one board, no tax: by hand


def test_a_system_that_nobody_offers(main_job: tuple[Market, Point]) -> None:
    """DGX H100: no offer; one does not hold 8-bit weights, several do, with a price to win at (docs/why-not.md)."""
    found = asked(main_job, "DGX H100")
    assert found.supposed == ["nvidia-dgx-h100"] and [x.rules for x in found.against] == [["procurement"]]
    (even,), fast = found.break_even, found.as_fast
    assert fast and even.price_now is None and fast.nodes == 6
    rest = Decimal(fast.total) - 6 * Decimal("0.01")
    pieces = Counter({x.part: x.qty for x in fast.shared})
    for x in fast.node:
        pieces[x.part] += 6 * x.qty
    assert pieces.pop("nvidia-dgx-h100") == 6 and sorted(pieces.values()) == [1, 1, 6, 6, 6, 12, 36]
    prices = main_job[0].book.prices
    assert rest == sum(Decimal(q * prices[x].cents) / 100 for x, q in pieces.items())
    most = Decimal(found.point.total) - rest
    # Six are cheapest at a cent each; three on a faster fabric win up to a higher price, and are the last to win.
    price, cent = Decimal(even.price or 0), Decimal("0.01")
    assert even.gpus.startswith("24 x") and 6 * price > most
    assert Decimal(even.total) <= Decimal(found.point.total) < Decimal(even.total_above or 0)
    assert Decimal(even.total_above or 0) - Decimal(even.total) == 3 * cent


def test_gpus_that_hold_no_plan(main_job: tuple[Market, Point]) -> None:
    found = asked(main_job, "4x RTX 5090")
    assert found.least is None and not found.break_even
    room, engine = found.against
    assert room.rules == ["vram"] and "offers only 32 GB" in room.text and not room.conditions
    assert engine.rules == ["software"] and not engine.conditions
    assert "at fp8 on Blackwell (SM120) only experimentally (--allow-experimental)" in engine.text


def test_a_number_that_no_nodes_make(main_job: tuple[Market, Point]) -> None:
    found = asked(main_job, "3x H20")
    assert found.least is None and found.against[0].rules == ["fit"] and "8" in found.against[0].text


def test_what_the_point_has(main_job: tuple[Market, Point]) -> None:
    assert asked(main_job, "8x MI350X").inside
    part = next(iter(main_job[1].case.build.node))
    assert asked(main_job, part).inside


def test_conditions_of_the_request_are_named(main_job: tuple[Market, Point]) -> None:
    market, point = main_job
    barred = market.asking(gpus=frozenset({point.case.gpu.id}), exclude=frozenset({"nvidia-h200-sxm5-141gb"}))
    found = why_not(barred, point, Wish("8 x H200", gpu="nvidia-h200-sxm5-141gb", gpu_count=8))
    words = ["without nvidia-h200-sxm5-141gb", "only amd-mi350x-288gb"]
    assert [x.conditions for x in found.against] == [words]
    assert found.lifted == words and found.as_fast is None and found.least


def test_a_build_against_the_front(main_job: tuple[Market, Point]) -> None:
    found = asked(main_job, str(EXAMPLES / "eight-gpu-node.toml"))
    assert found.least and found.rival and Decimal(found.rival.total) <= Decimal(found.least.total)
    assert found.rival.output_tok_s >= found.least.output_tok_s
    assert found.faster_for_less and found.faster_for_less.output_tok_s >= found.least.output_tok_s
    assert {x.rules[0] for x in found.against} == {"budget", "rack"}


def test_a_broken_build(main_job: tuple[Market, Point]) -> None:
    found = asked(main_job, str(EXAMPLES / "guide-professional.toml"))
    assert {"vram", "fit", "power"} <= {x.rules[0] for x in found.against}
    assert not found.break_even and found.no_break_even


@pytest.mark.parametrize(("text", "code"), [("9x Nothing", "unknown-part"), ("nowhere.toml", "no-file")])
def test_what_is_none_of_these(main_job: tuple[Market, Point], text: str, code: str) -> None:
    with pytest.raises(InputError) as e:
        asked(main_job, text)
    assert e.value.faults[0].code == code


@pytest.mark.parametrize("seed", [9, 15, 21, 27])
def test_a_part_inside_a_system_is_demanded(seed: int) -> None:
    """--include of what a complete system contains holds beside platforms that do not contain it."""
    catalog, request, _ = scenario(seed)
    front = Solver(Market.open(catalog, request.model_copy(update={"include": ("cpu-s",)}), Policy())).front()
    assert all("cpu-s" in p.case.node_all for p in front.points)


class Ending(Clock):
    """Ends at its nth look."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.looks = looks

    def left(self) -> float:
        self.looks -= 1
        if self.looks < 0:
            raise TimeUp
        return super().left()


def wished(market: Market, point: Point) -> list[Wish | Build]:
    """Two parts, and a build: the point's own with one drive more."""
    inside = {c.part for p in market.catalog.parts.values() for c in getattr(p, "contents", ())}
    others = [p.id for p in market.catalog.of(Kind.CPU, Kind.MEMORY, Kind.GPU_BOARD) if p.id not in inside]
    own, kind = point.case.build, {p.id: p.kind for p in market.catalog.parts.values()}
    more = {p: q + (kind[p] is Kind.DRIVE) for p, q in own.node.items()}
    parts = [asked_for(p, market)[1] for p in others if p not in point.case.node_all]
    return [*parts[:2], Build(own.nodes, more, own.shared)]


@pytest.mark.parametrize("seed", one_in(3, SEEDS))
def test_what_is_said_when_the_clock_ends_is_what_would_have_been_said(seed: int) -> None:
    catalog, request, _ = scenario(seed)
    market = Market.open(catalog, request, Policy())
    seen: Counter[str] = Counter()
    point = recommended(market)
    for what in wished(market, point):
        whole = why_not(market, point, what)
        assert not whole.unanswered
        looks = 0
        while True:
            try:
                part = why_not(market, point, what, Ending(looks))
            except TimeUp:
                seen["nothing known"] += 1
            else:
                open_ = set(part.unanswered)
                ignored = open_ | {"unanswered"} | ({"no_break_even"} if "break_even" in open_ else set())
                assert part.model_dump(exclude=ignored) == whole.model_dump(exclude=ignored)
                assert all(not getattr(part, name) for name in part.unanswered)
                seen["part" if part.unanswered else "all"] += 1
                if not part.unanswered:
                    break
            looks += max(1, looks // 4)
    assert min(seen[x] for x in ("nothing known", "part", "all")) > 0


def test_time_ended_is_said(main_job: tuple[Market, Point]) -> None:
    whole = asked(main_job, "8x H20")
    part = whole.model_copy(update={"as_fast": None, "for_limit": None, "unanswered": ["as_fast", "for_limit"]})
    said = "\n".join(why_not_lines(part, Words()))
    assert "as fast, whatever" not in said and "None for" not in said
    assert "The cheapest with it" in said and said.endswith(
        "The time limit came before everything was answered; what is shown is proven."
    )
    assert "The time limit came" not in "\n".join(why_not_lines(whole, Words()))
