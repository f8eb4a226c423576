"""A point explained: every step's price is what a solve under that request says; neighbours and money add up."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from catalogs.schema import Kind
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from constraints.request import Spare
from constraints.rules.precision import wanted
from optimizer.cli.explain_cmd import HELP
from optimizer.explanation.point.binding import steps
from optimizer.explanation.point.explained import explained
from optimizer.explanation.point.neighbours import swaps
from optimizer.explanation.questions import OF_HOSTS, PLANNED, UNPLANNED_POLICY, Asking, Change
from optimizer.library import open_result
from optimizer.market.books import UNPRICED
from optimizer.market.market import Market
from optimizer.market.rows import GpuRows
from optimizer.result.answer import solve
from optimizer.search.assortment import APART, Assortment
from optimizer.search.front import Point
from optimizer.search.solver import Solver
from optimizer.text.figures import days, listed, signed, spent, trimmed
from tests.support.commands import dsopt
from tests.support.long import one_in, sampled
from tests.support.seen import Seen


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explain") / "r.json"
    words = ["--budget", "170000", "--model", "v2-670b", "--users", "20", "--max-kw", "5", "--as-of", "2026-11-24"]
    words += ["--allow-experimental", "--grade", "floor"]  # FP8 on cards of 5 kW in all is no stable support
    dsopt("solve", *words, "-o", str(path))
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result of one kind of card: what is said of it does not hang on how many there are to choose from."""
    path = tmp_path_factory.mktemp("explain") / "small.json"
    words = ["--budget", "30000", "--model", "r1-distill-qwen-14b", "--gpu", "RTX A6000", "--users", "8"]
    dsopt("solve", *words, "--max-kw", "3", "--as-of", "2026-11-24", "-o", str(path))
    return path


@pytest.fixture(scope="module")
def front(file: Path) -> tuple[Market, list[Point]]:
    found = open_result(file)
    return found.market, list(found.points)


def test_steps_are_what_a_fresh_solve_says(front: tuple[Market, list[Point]]) -> None:
    market, points = front
    p = points[-1]
    asking = Asking(market)
    found = {(s.key, s.looser): s for s in steps(asking, p)}
    assert {("users", True), ("users", False), ("power", True), ("power", False)} <= set(found)
    tenths = p.found.row.perf.tenths
    asked = [("users", False, {"users": 30}), ("power", True, {"max_power_w": 6000})]
    for key, looser, fields in sampled(2, asked):
        request = market.request.model_copy(update={**fields, "throughput_tenths": tenths, "budget_cents": None})
        data = solve(market.catalog, request, market.policy).data["front"]
        step = found[key, looser]
        if not data:
            assert step.more_cents is None and step.binds
            continue
        total = round(Decimal(data[0]["cost"]["total"]) * 100)
        assert step.more_cents == total - asking.total(Change(), p.found)
        assert step.binds == (step.more_cents < 0 if looser else step.more_cents > 0)


def test_money_and_neighbours_add_up(front: tuple[Market, list[Point]]) -> None:
    market, points = front
    for at in range(len(points)):
        told = explained(market, points, at) if at == len(points) - 1 else None
        if told is not None:
            assert sum(Decimal(s.amount) for s in told.money) == Decimal(told.total)
            assert told.faster is not None and told.faster.id == "" and Decimal(told.faster.more) > 0
            assert told.faster.output_tok_s > told.output_tok_s
            assert told.faster.figures
    for a, b in pairwise(points):
        assert sum(s.more_cents for s in swaps(market, a, b)) == b.found.parts_cents - a.found.parts_cents


def test_planners_read_only_what_they_are_shared_by(front: tuple[Market, list[Point]]) -> None:
    market, points = front
    seen = Seen(market.request)
    from optimizer.throughput.choice import planner_for

    planner = planner_for(market.llm, seen, market.policy, market.calibration)  # type: ignore[arg-type]
    p = points[0]
    assert planner.rows(p.case.gpu, [p.found.row.key])
    fields = seen.names & set(type(market.request).model_fields)
    assert fields and fields <= set(PLANNED)


def test_offload_asks_for_rows_beside_those_on_the_gpus(front: tuple[Market, list[Point]]) -> None:
    market, points = front
    asked = [(p.case.gpu, [p.found.row.key]) for p in points]
    with_hosts = market.request.model_copy(update={OF_HOSTS: True})
    assert wanted(market.llm, with_hosts) == wanted(market.llm, market.request)
    from optimizer.throughput.plans import Planner

    plain, hosted = (
        Planner(market.llm, request, market.policy, market.calibration) for request in (market.request, with_hosts)
    )
    assert hosted.rows_of(asked) == plain.rows_of(asked) != [[]]


def test_planners_read_no_policy_that_rows_are_shared_across(front: tuple[Market, list[Point]]) -> None:
    market, points = front
    read: set[str] = set()

    class Read(Policy):
        """A policy that remembers what is read of it."""

        def __getitem__(self, key: str) -> Decimal:
            read.add(key)
            return super().__getitem__(key)

        def whole(self, key: str) -> int:
            read.add(key)
            return super().whole(key)

    from optimizer.throughput.plans import Planner

    planner = Planner(market.llm, market.request, Read(), market.calibration)
    keys = [p.found.row.key for p in points]
    assert planner.rows_of([(p.case.gpu, [key]) for p, key in zip(points, keys, strict=True)])
    assert "plans.max_apart_nodes" in read
    assert not [key for key in read if key.startswith(UNPLANNED_POLICY)]


@pytest.mark.parametrize(
    "fields",
    one_in(2, [{}, {"offload": True, "allow_experimental": True, "min_precision_bits": 4},
     {"workload": "train", "dataset_tb": 2.0, "min_tok_s_user": 0},
     {"max_power_w": 30_000, "rack_units": 20, "include": ("samsung-pm1743-3.84tb",)}, {"max_sellers": 4},
     {"site_water": True, "conditions": frozenset({"new", "used"})},
     {"spares": (Spare(category=Kind.DRIVE, pieces=1, per=8),)}]),
)  # fmt: skip
def test_prices_and_assortments_read_nothing_that_sets_requests_apart(
    front: tuple[Market, list[Point]], fields: dict[str, Any]
) -> None:
    """Nor do they in a solve that lends them: its own request alone says how much money, how many users, how fast."""
    market, _ = front
    r = market.request.model_copy(update={"model": "v2-lite", "users": 8, **fields})
    seen = Seen(r)
    book = price_book(market.catalog, seen, market.policy)  # type: ignore[arg-type]
    lent = Market.open(market.catalog, seen, market.policy, market.calibration, book)  # type: ignore[arg-type]
    own = Market.open(market.catalog, r, market.policy, market.calibration)
    stock = Assortment(lent, GpuRows.of_market(own).planner)
    found = Solver(own, stock=stock).cheapest()
    assert found is not None and found == Solver(own).cheapest()
    assert "mean_tok_s" not in seen.names  # the one property that rests on them
    fields_read = seen.names & set(type(r).model_fields) - ({"budget_cents"} if r.picks_offers else set())
    assert {"conditions", "exclude"} <= fields_read and not fields_read & set(APART)


@pytest.mark.parametrize("fields", [{}, {"own": ()}, {"support": ()}, {"site_water": True}, {"max_price_age_days": 30}])
def test_a_price_book_reads_nothing_that_is_asked_at_the_same_prices(
    front: tuple[Market, list[Point]], fields: dict[str, Any]
) -> None:
    """Unless offers are chosen for the whole build, which needs a book of its own."""
    market, _ = front
    seen = Seen(market.request.model_copy(update=fields))
    price_book(market.catalog, seen, Policy())  # type: ignore[arg-type]
    assert "conditions" in seen.names and not seen.names & set(UNPRICED)


def test_terminal(small: Path) -> None:
    shown = dsopt("explain", str(small), "fastest").stdout
    for words in ("What binds", "Margins:", "Where the money goes:", "Next faster build (beyond the budget)"):
        assert words in shown
    data: dict[str, Any] = json.loads(dsopt("explain", str(small), "cheapest", "--json").stdout)
    assert data["point"]["id"] == "p1"
    assert "no-point" in dsopt("explain", str(small), "p99", code=3).stderr
    assert "dsopt explain result.json" in HELP


def test_time_limit(file: Path) -> None:
    """Whatever is asked: exit 6, and what was known by then, as data too."""
    for asked in ([], ["--why-not", "8x H20"]):
        done = dsopt("explain", str(file), *asked, "--time-limit", "0.001", "--json", code=6)
        assert done.stdout == "" and "stopped at the time limit" in done.stderr
    done = dsopt("explain", str(file), "--vary", "gpu=±20%", "--time-limit", "0.001", "--json", code=6)
    assert "before everything was answered" in done.stderr
    found = json.loads(done.stdout)["vary"][0]
    assert not found["complete"] and [s["why"] for s in found["spans"]] == ["today"]
    assert "bad-time-limit" in dsopt("explain", str(file), "--time-limit", "-1", code=3).stderr


def test_a_tampered_result_is_not_explained(file: Path, tmp_path: Path) -> None:
    data = json.loads(file.read_text())
    data["front"][0]["cost"]["total"] = "1.00"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(data))
    assert "inconsistent" in dsopt("explain", str(wrong), code=5).stderr
    assert "no-file" in dsopt("explain", str(tmp_path / "none.json"), code=3).stderr


def test_words() -> None:
    assert spent(10319472, "USD") == "103,194.72 USD"
    assert spent(1200, "JPY") == "1,200 JPY"
    assert signed(124000, "EUR") == "+1,240.00 EUR"
    assert signed(-124000, "EUR") == "-1,240.00 EUR"
    assert trimmed(6.737) == "6.737" and trimmed(2000.0) == "2,000" and trimmed(100) == "100"
    assert days(1) == "1 day" and days(30) == "30 days"
    assert listed(["a", "b", "c"]) == "a, b and c" and listed([]) == ""
