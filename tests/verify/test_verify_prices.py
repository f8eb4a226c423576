"""`dsopt verify` on results whose prices depend on quantity, and limits that are refused beside such prices."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from catalogs.load import Catalog
from catalogs.schema import Kind
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.pruning.near_duplicates import thinned
from optimizer.result.answer import Answer, embedded, solve
from optimizer.verify.complete import complete
from optimizer.verify.consistent import consistent
from optimizer.verify.wrong import Report
from tests.support.long import one_in
from tests.support.price_terms import priced_scenario, with_few_terms, with_sellers

SEEDS = range(10)
Data = dict[str, Any]
PLAIN = {"stock": None, "min_qty": 1, "breaks": ()}


def solved(seed: int) -> tuple[Catalog, Answer]:
    catalog, request, _, _ = priced_scenario(seed)
    answer = solve(catalog, request, Policy())
    answer.data["catalog"]["embedded"] = embedded(answer)
    return catalog, answer


def judged(data: Data, catalog: Catalog, *, proven: bool = False) -> Report:
    report, read = consistent(json.loads(json.dumps(data)), catalog)
    if proven:
        complete(read, report, "cp-sat")
    return report


@pytest.mark.parametrize("seed", one_in(3, SEEDS))
def test_a_true_result_is_found_true(seed: int) -> None:
    catalog, answer = solved(seed)
    assert judged(answer.data, catalog, proven=True) == Report()
    alone = judged(answer.data, replace(catalog, sha256="another"))
    assert not alone.wrong and len(alone.unchecked) == 1


def with_terms() -> tuple[Catalog, Answer]:
    """The first scenario whose front has lines of an owned part, a bundle and a spare."""
    for seed in range(60):
        catalog, answer = solved(seed)
        said = {(x["origin"], x["role"]) for p in answer.data["front"] for x in p["bom"]}
        if {"owned", "bundle"} <= {o for o, _ in said} and "spare" in {r for _, r in said}:
            return catalog, answer
    raise AssertionError("no scenario has all three")


def test_forged_terms_are_named() -> None:
    catalog, answer = with_terms()
    points = answer.data["front"]

    def first(key: str, value: str, **more: str) -> tuple[int, int]:
        wanted = {key: value, **more}
        return next((i, j) for i, p in enumerate(points) for j, x in enumerate(p["bom"])
                    if all(x[k] == v for k, v in wanted.items()))  # fmt: skip

    forgeries = [
        (first("origin", "owned"), "origin", "offer"),
        (first("origin", "owned"), "qty", 99),
        (first("category", "bundle"), "unit_price", "0.01"),
        (first("role", "spare"), "role", "node"),
    ]
    for (i, j), name, value in forgeries:
        data = json.loads(json.dumps(answer.data))
        data["front"][i]["bom"][j][name] = value
        for at_hand in (catalog, replace(catalog, sha256="another")):
            wrong = [w.where for w in judged(data, at_hand).wrong]
            assert any(w.startswith(f"front[{i}].bom[{j}]") or w == f"front[{i}].bom" for w in wrong), (name, wrong)
    data = json.loads(json.dumps(answer.data))
    data["front"][0]["cost"]["spares"] = "123456.00"
    assert any(w.where.startswith("front[0].cost") for w in judged(data, catalog).wrong)
    data = json.loads(json.dumps(answer.data))
    data["request"]["own"] = []
    assert judged(data, catalog).wrong
    data = json.loads(json.dumps(answer.data))
    data["catalog"]["embedded"]["bundles"][0]["price"] = "1.00"
    assert judged(data, catalog).wrong and judged(data, replace(catalog, sha256="another")).wrong


@pytest.mark.parametrize("seed", (0, 19, 48))
def test_results_with_limits_on_the_orders_are_verified(seed: int) -> None:
    """Orders chosen for the sake of a share: lines and sums are made anew, and the proof holds."""
    catalog, request, _, _ = priced_scenario(seed)
    catalog, limit = with_few_terms(seed, with_sellers(seed, catalog), 50)
    fields = {f"{x}_percent": percent for x, percent in limit.items()}
    asked: Request = request.model_copy(update=fields)
    answer = solve(catalog, asked, Policy())
    assert answer.front.points and answer.front.complete
    assert not judged(answer.data, catalog, proven=True).wrong


def test_other_axes_take_prices_by_quantity() -> None:
    """Of power the cheapest build of least watts comes back, at what its orders cost."""
    for seed in range(4):
        catalog, request, _, _ = priced_scenario(seed)
        asked: Request = request.model_copy(update={"cost_axis": "power"})
        answer = solve(catalog, asked, Policy())
        assert answer.front.complete
        for p in answer.front.points:
            assert p.found.parts_cents == answer.market.book.cost(p.found.build.total())
        assert not judged(answer.data, catalog, proven=True).wrong


@pytest.mark.parametrize("stock", [None, 50])
def test_near_duplicates_whose_price_depends_on_quantity_stay(stock: int | None) -> None:
    """A dearer twin goes at one price and stays with a stock; bundles and parts in hand are kept either way."""
    catalog, request, _, _ = priced_scenario(0)
    parts, offers = dict(catalog.parts), {x: (o[0].model_copy(update=PLAIN),) for x, o in catalog.offers.items()}
    kinds = (Kind.PLATFORM, Kind.GPU, Kind.SWITCH, Kind.CABLE, Kind.OPTIC)
    twins = [p for p in catalog.of(*kinds) if p.id in offers]
    for p in twins:
        o = offers[p.id][0]
        twin = f"{p.id}-twin"
        parts[twin] = p.model_copy(update={"id": twin})
        more = {"id": f"{o.id}-twin", "part": twin, "price": o.price + 1, "stock": stock}
        offers[twin] = (o.model_copy(update=more),)
    made = Catalog(parts, offers, "twins", (), catalog.bundles)
    opened = Market.open(made, request.model_copy(update={"own": (), "spares": (), "include": ()}), Policy())
    thin = thinned(opened)
    assert thin.book.kits == opened.book.kits
    gone = set(opened.book.prices) - set(thin.book.prices)
    assert not gone & {x for x, p in opened.book.prices.items() if p.by_quantity}
    assert len(twins) > 1 and bool(gone & {f"{p.id}-twin" for p in twins}) == (stock is None)
