"""Which point is recommended, what each point gives at the load asked for, and which points a terminal shows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from catalogs.message import read_message
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.front_view import SHOWN, shown
from optimizer.market.market import Market
from optimizer.request.load import load_of, with_load
from optimizer.result.answer import solve
from optimizer.result.recommended import indistinct, less_words, load_view, reason, recommended
from optimizer.search.front import Point
from optimizer.search.solver import Solver
from optimizer.text.languages import Words
from optimizer.text.minor_units import money_words
from tests.conftest import AS_OF
from tests.support.long import one_in


def solved(market: Market) -> list[Point]:
    return Solver(market).front().points


@pytest.fixture(scope="module")
def for_users(shipped: Any) -> tuple[Market, list[Point]]:
    request = Request(model="r1-distill-llama-70b", as_of=AS_OF, budget_cents=9_000_000, users=24)
    market = Market.open(shipped, request, Policy())
    return market, solved(market)


def test_filled_up_a_plan_gives_what_its_row_says(for_users: tuple[Market, list[Point]]) -> None:
    """The figures at the load and those of the axis are read off one curve."""
    market, points = for_users
    for point in points:
        row = point.found.row
        full = row.plan.concurrency * row.plan.replicas
        seen = load_view(market.asking(users=full)).at_load(point.case.gpu, row)
        assert seen is not None and seen.users == full
        each = int(seen.tok_s / row.plan.replicas * 10 + 1e-6)  # rounded down per replica, as the axis is
        assert each * row.plan.replicas == row.perf.tenths
        assert seen.per_user_tok_s == pytest.approx(row.perf.per_user_tok_s)
        assert seen.ttft_ms == pytest.approx(row.perf.ttft_ms)


def test_fewer_users_are_each_served_no_worse(for_users: tuple[Market, list[Point]]) -> None:
    market, points = for_users
    for point in points:
        row = point.found.row
        counts = [1, 2, 5, 24, row.plan.concurrency * row.plan.replicas]
        seen = [load_view(market.asking(users=n)).at_load(point.case.gpu, row) for n in counts]
        figures = [(x.per_user_tok_s, -x.ttft_ms, -x.tok_s) for x in seen if x is not None]
        assert len(figures) == len(counts)
        for more, fewer in zip(figures[1:], figures, strict=False):
            assert all(a <= b * (1 + 1e-9) or a <= b + 1e-6 for a, b in zip(more, fewer, strict=True))


def test_users_are_served_at_the_lower_end_by_the_recommended_point_and_by_none_below_it(
    for_users: tuple[Market, list[Point]],
) -> None:
    market, points = for_users
    at = recommended(market, points)
    assert at is not None and len(points) > 2
    least = market.request.min_tok_s_user
    served = []
    for point in points:
        seen = load_view(market).at_load(point.case.gpu, point.found.row)
        assert seen is not None
        served.append(seen.per_user_tok_s * seen.low >= least)
    assert served[at] and not any(served[:at])
    assert reason(market, points).startswith(f"p{at + 1} is recommended: the cheapest that serves 24 users")


def test_where_no_point_serves_the_users_for_certain_the_fastest_is_recommended_and_that_is_said(
    for_users: tuple[Market, list[Point]],
) -> None:
    market, points = for_users
    fast = max(p.found.row.perf.per_user_tok_s for p in points)
    hard = market.asking(users=1, min_tok_s_user=fast * 1000)
    assert recommended(hard, points) == len(points) - 1
    assert reason(hard, points).startswith("No point serves one user at the lower end of its 80 % interval")


def test_a_budget_alone_recommends_the_fastest_and_neither_the_cheapest(
    for_users: tuple[Market, list[Point]],
) -> None:
    market, points = for_users
    alone = market.asking(users=None)
    assert recommended(alone, points) == len(points) - 1
    assert "the fastest within the budget" in reason(alone, points)
    open_ended = market.asking(users=None, budget_cents=None, throughput_tenths=10)
    assert recommended(open_ended, points) == 0
    assert recommended(market, []) is None and reason(market, []) == "" and indistinct(market, []) == ""


def test_a_cheaper_point_that_can_hardly_be_told_apart_is_named(for_users: tuple[Market, list[Point]]) -> None:
    market, points = for_users
    alone = market.asking(users=None)
    text = indistinct(alone, points)
    top = points[-1].found.row.perf
    overlapping = [
        i
        for i, p in enumerate(points[:-1])
        if (perf := p.found.row.perf)
        and min(top.tenths * top.high, perf.tenths * perf.high) - top.tenths * top.low
        > min(top.tenths * (top.high - top.low), perf.tenths * (perf.high - perf.low)) / 2
    ]
    assert text.startswith(f"p{overlapping[0] + 1} can hardly be told apart") if overlapping else text == ""


def test_a_mean_load_is_met_by_the_fewest_requests_at_once(shipped: Any, ask: Any) -> None:
    market: Market = ask(model="r1-distill-qwen-32b", budget=60_000, tokens_per_day=20e6)
    market = market.asking(throughput_tenths=with_load(market.request, market.policy).throughput_tenths)
    load = load_of(market.request, market.policy)
    assert load is not None
    points = solved(market)
    assert points
    for point in points:
        seen = load_view(market).at_load(point.case.gpu, point.found.row)
        assert seen is not None and seen.tok_s >= load.peak_tok_s
        if seen.users > 1:
            one_less = load_view(market.asking(tokens_per_day=None, users=seen.users - 1))
            fewer = one_less.at_load(point.case.gpu, point.found.row)
            assert fewer is not None and fewer.tok_s < load.peak_tok_s
    at = recommended(market, points)
    assert at is not None
    needed = [p.found.row.perf.tenths * p.found.row.perf.low >= load.needed_tok_s * 10 for p in points]
    assert at == (needed.index(True) if any(needed) else len(points) - 1)


def test_training_has_no_users(ask: Any) -> None:
    market: Market = ask(model="r1-distill-llama-8b", budget=40_000, workload="finetune-lora")
    points = solved(market)
    assert points and load_view(market).at_load(points[0].case.gpu, points[0].found.row) is None


def front(*speeds: float) -> list[dict[str, Any]]:
    return [{"id": f"p{i + 1}", "throughput": {"output_tok_s": s}} for i, s in enumerate(speeds)]


def test_at_most_twelve_points_are_shown_with_the_named_ones_among_them() -> None:
    many = front(*(100.0 + i for i in range(5)), *(200.0 * 1.2**i for i in range(30)))
    named = {"fastest": "p35", "cheapest": "p1", "value": "p20"}
    some = shown(many, named, "p4")
    ids = [p["id"] for p in some]
    assert len(some) == SHOWN == 12
    assert {"p1", "p4", "p20", "p35"} <= set(ids)
    assert ids == sorted(ids, key=lambda x: int(x[1:]))


def test_a_point_that_a_remark_names_is_shown(shipped: Any) -> None:
    """What "can hardly be told apart" can be looked at."""
    many = front(*(100.0 + i for i in range(30)), *(200.0 * 1.2**i for i in range(30)))
    remark = {"values": {"a": "p17", "e": "p99"}}
    ids = [p["id"] for p in shown(many, {"fastest": "p60", "cheapest": "p1"}, "p60", [remark])]
    assert "p17" in ids and len(ids) == SHOWN
    # On this day cords and cables that reach from rack to rack have a price: large builds can be had.
    request = Request(model="v4-pro", as_of=date(2026, 11, 30), budget_cents=300_000_000)
    data = solve(shipped, request, Policy()).data
    (close,) = (m for m in data["messages"] if m["code"] == "indistinct-points")
    some = {p["id"] for p in shown(data["front"], data["named"], data["recommended"], data["messages"])}
    assert len(data["front"]) > len(some) and {close["values"]["a"], close["values"]["b"]} <= some


def test_lead_times_that_nobody_states_are_unknown(shipped: Any) -> None:
    """A front in lead time says for how many lines it does not know, and no point is delivered in 0 days."""
    from catalogs.schema import Kind
    from optimizer.cli.front_view import _axis_cost

    asked = Request(model="r1-distill-qwen-14b", as_of=AS_OF, budget_cents=2_000_000, cost_axis="lead-time")
    data = solve(shipped, asked, Policy()).data
    lines = [line for p in data["front"] for line in p["bom"] if line["offer_id"]]
    unknown = sum(line["lead_time_days"] is None for line in lines)
    (said,) = (m for m in data["messages"] if m["code"] == "unknown-lead-times")
    assert said["values"] == {"all": str(len(lines)), "unstated": str(unknown)} and unknown == len(lines)
    assert {_axis_cost(p, "lead-time") for p in data["front"]} == {"unknown"}
    # Where the GPUs alone have a day, the build takes at least so long.
    stated = {
        part: tuple(offer.model_copy(update={"lead_time_days": 21}) for offer in offers)
        for part, offers in shipped.offers.items()
        if shipped.parts[part].kind == Kind.GPU
    }
    some = replace(shipped, offers={**shipped.offers, **stated})
    data = solve(some, asked, Policy()).data
    assert {_axis_cost(p, "lead-time") for p in data["front"]} <= {"unknown", "≥ 21"}
    assert any(_axis_cost(p, "lead-time") == "≥ 21" for p in data["front"])


def test_a_point_that_is_hardly_faster_than_the_last_one_shown_is_left_out() -> None:
    ids = [p["id"] for p in shown(front(100, 105, 109, 111, 115, 123, 200), {"fastest": "p7", "cheapest": "p1"}, "p7")]
    assert ids == ["p1", "p4", "p6", "p7"]


@pytest.mark.parametrize(
    ("axis", "first"),
    one_in(
        3,
        [
            ("rack-units", "the one with the fewest rack units"),
            ("power", "the one with the least power"),
            ("lead-time", "the one with the shortest lead time"),
        ],
    ),
)
def test_on_another_axis_the_cheapest_is_so_in_money(shipped: Any, axis: str, first: str) -> None:
    asked = {"model": "r1-distill-qwen-32b", "throughput_tenths": 20_000, "as_of": AS_OF, "cost_axis": axis}
    data = solve(shipped, Request.model_validate(asked), Policy()).data
    totals = {p["id"]: Decimal(p["cost"]["total"]) for p in data["front"]}
    assert totals[data["named"]["cheapest"]] == min(totals.values())
    assert data["recommended"] == "p1"
    said = f"p1 is recommended: {first}."
    (found,) = (m for m in data["messages"] if m["text"] == said)
    assert not re.search("[a-z]{4}", Words("zh").sentence(read_message(found)))


def test_a_saving_is_that_of_the_totals(for_users: tuple[Market, list[Point]]) -> None:
    """Support and tax are saved too: the totals of the front differ by what the sentence says."""
    market, points = for_users
    dear = replace(market, policy=market.policy.with_settings(["money.support_percent=10", "money.tax_percent=19"]))
    a, b = points[-1].found.parts_cents, points[0].found.parts_cents
    assert less_words(market, a, b) == money_words(a - b, market.request.currency)
    whole = [round(round(x * 1.1) * 1.19) for x in (a, b)]
    said = Decimal(less_words(dear, a, b).split()[0].replace(",", ""))
    assert abs(said - Decimal(whole[0] - whole[1]) / 100) <= Decimal("0.02")
    text = indistinct(dear.asking(users=None), points)
    assert text == "" or text.endswith(" less in total.")
