"""Procurement limits and cost axes: the front against brute force, limits at their edge, lists with faults."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from catalogs.errors import InputError
from catalogs.schema import Kind
from constraints.policy import Policy
from constraints.prices.filters import Filter, admissible
from constraints.prices.limited_book import LimitedBook
from constraints.prices.tariff import Order, Tariff
from constraints.request import Listed, Request
from constraints.rule import Check
from constraints.rules.registry import RULES
from constraints.rules.surplus import Surplus
from optimizer.market.market import Market
from optimizer.request.approved_list import read
from optimizer.search.solver import Solver
from tests.conftest import AS_OF
from tests.search.test_oracle import nodes_tried
from tests.support.commands import answer, dsopt
from tests.support.long import one_in
from tests.support.oracle import Oracle
from tests.support.random_procurement import AXES, WISHES, procurement_scenario

SEEDS = [x if x != 15 else 33 for x in range(28)]  # 15 keeps brute force busy for half a minute
CASES = [(SEEDS[3 * i + j], wish, AXES[(i + j) % 4]) for i, wish in enumerate(WISHES) for j in range(4)]

BREAKS = {"estimates": (18, "estimated", "money"), "sellers": (18, "sellers", "money")}
"""A catalog per rule on which the certificate without that rule's encode returns a build that the check rejects."""


def values(solver: Solver) -> list[tuple[int, int]]:
    """(cost on the axis, 0.1 tok/s) of the proven front."""
    front = solver.front()
    assert front.complete
    return [(p.found.cost, p.found.row.perf.tenths) for p in front.points]


def brute(seed: int, wish: str, catalog: Any, ask: Any) -> Oracle:
    return Oracle(catalog, ask, 1 if wish in ("estimated", "share") else nodes_tried(seed))


@pytest.mark.parametrize(("seed", "wish", "axis"), one_in(5, CASES))
def test_front_equals_brute_force(seed: int, wish: str, axis: str) -> None:
    catalog, request, ask = procurement_scenario(seed, wish, axis)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market)) == brute(seed, wish, catalog, ask).front()


@pytest.mark.parametrize(("seed", "wish"), [(4, "estimated"), (40, "share")])
def test_no_padding_in_clusters(seed: int, wish: str) -> None:
    """Up to two liquid-cooled nodes: neither CDUs nor cards beyond the need bring a share down."""
    catalog, request, ask = procurement_scenario(seed, wish, "money", base=seed)
    front = values(Solver(Market.open(catalog, request, Policy())))
    assert front == Oracle(catalog, ask, 2).front()
    assert front


def test_padding_is_no_way_out(shipped: Any) -> None:
    """A drive or card more fails once shares count, unless --include demands it; without shares it may be bought."""
    market, point = cheapest(shipped)
    drive = next(x for x in point.case.build.node if shipped.parts[x].kind == Kind.DRIVE)
    card = next(p.id for p in shipped.of(Kind.NIC) if p.id in market.book.prices)
    node = point.case.build.node
    for part, words in ((drive, "(drive)"), (card, "cards beyond")):
        padded = replace(point.case, build=replace(point.case.build, node={**node, part: node.get(part, 0) + 1}))

        def surplus(case: Any = padded, **fields: Any) -> list[Check]:
            asked = replace(case, request=market.request.model_copy(update=fields))
            return [x for x in Surplus().check(asked) if x.status == "fail"]

        assert not surplus()
        (found,) = surplus(max_share_percent=100)
        assert words in found.text
        assert not surplus(point.case, max_share_percent=100)
        if part == card:
            assert not surplus(max_share_percent=100, include=(card,))


@pytest.mark.parametrize("what", ("another", "more"))
def test_orders_beyond_the_need_are_no_way_to_a_share(what: str) -> None:
    """An order that could go, and one that could be smaller, fail `surplus`; what the certificate orders passes."""
    catalog, request, _ = procurement_scenario(22, "share", "money")
    market = Market.open(catalog, request, Policy())
    point = Solver(market).front().points[0]
    pieces, book = point.found.build.total(), market.book
    part = next(x for x in pieces if book.prices[x].by_quantity)
    orders = book.orders(pieces)
    (first, *_) = Tariff(book.prices[part].sources().sources).split(pieces[part])
    other = next(s for s in book.prices[part].sources().sources if s.offer != first.source.offer)
    picks = {x: book.prices[x].sources().split(q) for x, q in pieces.items()}
    more = replace(first, pieces=first.pieces + 1)
    picks[part] = [first, Order(other, 1, other.steps[0].cents)] if what == "another" else [more]
    assert isinstance(book, LimitedBook)
    book._known[frozenset(pieces.items())] = replace(orders, picks=picks)
    failed_ = [x.text for x in Surplus().check(point.case) if x.status == "fail"]
    assert failed_ and f"{part} (ordered)" in failed_[0]
    book._known.clear()
    assert all(x.status != "fail" for x in Surplus().check(point.case))


@pytest.mark.parametrize(("seed", "wish", "axis"), one_in(2, CASES[::5]))
def test_cp_sat_alone_finds_the_same_front(seed: int, wish: str, axis: str) -> None:
    catalog, request, _ = procurement_scenario(seed, wish, axis)
    market = Market.open(catalog, request, Policy())
    assert values(Solver(market, clever=False)) == values(Solver(market))


def cheapest(shipped: Any, **fields: Any) -> tuple[Market, Any]:
    """The market and the cheapest point of eight H200 for R1 under more conditions."""
    request = Request(model="r1-671b", as_of=AS_OF, gpus=frozenset({"nvidia-h200-sxm5-141gb"}), gpu_count=8,
                      max_nodes=1, budget_cents=500_000_00, **fields)  # fmt: skip
    market = Market.open(shipped, request, Policy())
    points = Solver(market).front().points
    return market, points[0] if points else None


def failed(market: Market, point: Any, **fields: Any) -> list[Check]:
    """What fails about a point's build when the request has other fields."""
    case = replace(point.case, request=market.request.model_copy(update=fields))
    return [x for rule in RULES for x in rule.check(case) if x.status == "fail"]


@pytest.mark.parametrize(
    ("field", "rule", "words"),
    [
        ("max_sellers", "sellers", "sellers"),
        ("max_share_percent", "sellers", "of the cost is with"),
        ("max_estimated_percent", "estimates", "of the cost is estimated"),
    ],
)
def test_just_inside_and_just_outside(shipped: Any, field: str, rule: str, words: str) -> None:
    """The limit at the build's own figure lets the build pass; one step below it fails with both figures."""
    market, point = cheapest(shipped)
    loose = {"max_sellers": 1000, "max_share_percent": 100, "max_estimated_percent": 100}[field]
    case = replace(point.case, request=market.request.model_copy(update={field: loose}))
    measured = next(x.measured for r in RULES if r.id == rule for x in r.check(case) if words in x.text)
    assert measured is not None
    limit = math.ceil(measured)
    assert not failed(market, point, **{field: limit})
    (found,) = failed(market, point, **{field: limit - 1})
    assert (found.rule, found.measured, found.limit) == (rule, measured, limit - 1)
    assert words in found.text


def test_certificate_needs_sellers_and_estimates() -> None:
    """Without the encode of a rule the certificate returns a build that its check rejects; with it, none."""
    for rule, case in BREAKS.items():
        catalog, request, _ = procurement_scenario(*case)
        market = Market.open(catalog, request, Policy())
        without = Solver(market, rules=tuple(r for r in RULES if r.id != rule), clever=False).front()
        assert rule in {c.rule for p in without.points for c in p.checks if c.status == "fail"}
        assert all(c.status != "fail" for p in Solver(market, clever=False).front().points for c in p.checks)


def test_longest_lead_time_to_the_day() -> None:
    """An offer is admitted at its own lead time and not a day below; an unknown one only when not strict."""
    catalog, request, _ = procurement_scenario(0, "lead", "lead-time")
    day = {o.lead_time_days for offers in catalog.offers.values() for o in offers}
    assert {None, 30} <= day
    for offers in catalog.offers.values():
        for o in offers:
            at = o.lead_time_days
            for limit in (None, 0, 29, 30):
                for strict in (False, True):
                    asked = request.model_copy(update={"max_lead_days": limit, "strict_lead": strict})
                    fine = not strict if at is None else limit is None or at <= limit
                    assert admissible(o, asked) == fine


def test_unknown_origin(shipped: Any) -> None:
    """Refused when origins are listed; let through with a warning when some are barred."""
    part = next(p for p in shipped.parts.values() if not p.country)
    request = Request(model="r1-671b", as_of=AS_OF, origins=("US",))
    assert Filter(shipped, request).refused(part) == "origin unknown is not among US"
    assert not Filter(shipped, Request(model="r1-671b", as_of=AS_OF, barred_origins=("CN",))).refused(part)
    _, point = cheapest(shipped, barred_origins=("CN",))
    assert any(x.status == "warn" and "country of origin unknown" in x.text for x in point.checks)


def test_contents_count(shipped: Any) -> None:
    """A system with a barred part inside is barred, and a board with a barred GPU."""
    board = shipped.parts[next(p.id for p in shipped.of(Kind.GPU_BOARD))]
    request = Request(model="r1-671b", as_of=AS_OF, avl=(Listed(part=board.gpu, status="barred", note="audit"),))
    assert Filter(shipped, request).refused(board) == f"contains {board.gpu}: barred by the approved list: audit"


def test_approved_list(tmp_path: Path, shipped: Any) -> None:
    """Approved rows shut their category; a part's own row beats its vendor's; all faults come with their rows."""
    path = tmp_path / "list.csv"
    path.write_text("vendor,part,category,status,note\nAMD,,cpu,approved,\n,amd-epyc-9115,,barred,old stock\n")
    filters = Filter(shipped, Request(model="r1-671b", as_of=AS_OF, avl=read(path, shipped)))
    cpus = shipped.of(Kind.CPU)
    admitted = {p.id for p in cpus if not filters.refused(p)}
    assert admitted == {p.id for p in cpus if p.vendor == "AMD"} - {"amd-epyc-9115"}
    assert all(not filters.refused(p) for p in shipped.of(Kind.NIC))
    path.write_text("part,vendor,status\nepyc 9115x,,barred\n,Supermicr,approved\n,AMD,maybe\n,,barred\n")
    with pytest.raises(InputError) as caught:
        read(path, shipped)
    assert [(f.row, f.code) for f in caught.value.faults] == [
        (2, "unknown-part"), (3, "unknown-vendor"), (4, "bad-avl"), (5, "bad-avl"),
    ]  # fmt: skip
    assert "Supermicro" in caught.value.faults[1].remedy
    path.write_text("part,status\namd-epyc-9115,barred\namd-epyc-9115,approved\n")
    with pytest.raises(InputError, match="avl-conflict"):
        read(path, shipped)


def test_unknown_country(shipped: Any) -> None:
    with pytest.raises(InputError, match=r"unknown-origin.*Known: .*US"):
        Market.open(shipped, Request(model="r1-671b", as_of=AS_OF, origins=("BR",)), Policy())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--origin", "USA"], "--origin: is no country code of two letters (value 'USA')"),
        (["--confidence", "guess"], "--confidence: is no confidence of a price (value 'guess')"),
        (["--max-estimated", "300%"], "--max-estimated: needs whole percent from 0 to 100 (value '300%')"),
        (["--max-share", "0%"], "--max-share: needs whole percent from 1 to 100 (value '0%')"),
        (["--cost-axis", "speed"], "One of: money, power, rack-units, lead-time"),
        (["--avl", "nowhere.csv"], "[bad-avl] nowhere.csv: cannot be read"),
    ],
)
def test_bad_options_are_named(args: list[str], words: str) -> None:
    done = dsopt("solve", "--budget", "200000", "--model", "r1-671b", *args, code=3)
    assert words in done.stderr


def test_options_that_contradict_are_a_wrong_use() -> None:
    args = ("--budget", "200000", "--model", "r1-671b", "--one-seller", "--max-sellers", "3")
    assert "--one-seller and --max-sellers 3 contradict" in dsopt("solve", *args, code=2).stderr


def test_axis_in_the_result() -> None:
    """The result says what ascends; money stays in the cost block."""
    data = answer(
        "--budget", "250000", "--model", "r1-671b", "--gpu", "8xH20", "--cost-axis", "power", "--market", "CN"
    )
    assert data["axis"] == {"name": "power", "unit": "W"}
    assert data["front"]
    for p in data["front"]:
        assert p["axis_cost"] == str(p["power"]["total_w"])
        assert float(p["cost"]["total"]) <= 250000
    jsonschema.validate(data, json.loads(dsopt("schema", "result").stdout))


def test_conditions_that_stand_against_a_build() -> None:
    data = answer("--budget", "350000", "--model", "r1-distill-llama-70b", "--strict-lead", "--gpu", "MI300X", code=4)
    said = data["explanation"]
    assert [c["key"] for c in said["conflict"]] == ["strict-lead"]
    assert [c["key"] for c in said["ways_out"][0]["changes"]] == ["strict-lead"]
