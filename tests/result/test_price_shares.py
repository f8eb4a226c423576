"""What a build's price rests on: states and days of lines, shares, range, what nobody has quoted, the point on read
prices; and a saved result in which any of it, or the index that it carries, was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.prices.purchase import Line, Purchase
from constraints.prices.states import fixed
from optimizer.result.answer import embedded, solve
from optimizer.result.price_shares import price_shares
from optimizer.verify.complete import complete
from optimizer.verify.consistent import consistent
from tests.constraints.test_price_oracle import TRIED
from tests.constraints.test_price_states import OLD, found, offer
from tests.support.commands import run
from tests.support.price_states import states_scenario

Data = dict[str, Any]


@cache
def solved(seed: int) -> tuple[Catalog, str]:
    catalog, request, _ = states_scenario(seed)
    answer = solve(catalog, request, Policy())
    answer.data["catalog"]["embedded"] = embedded(answer)
    return catalog, json.dumps(answer.data)


def holding(*wanted: Callable[[Data], bool]) -> tuple[Catalog, Data]:
    """The first of the random results with points that holds all that is wanted."""
    for seed in TRIED:
        catalog, text = solved(seed)
        data = json.loads(text)
        if data["front"] and all(what(data) for what in wanted):
            return catalog, data
    raise AssertionError("no result holds it")


def has_state(state: str) -> Callable[[Data], bool]:
    return lambda data: any(line["price_state"] == state for line in data["front"][0]["bom"])


def cents(amount: str) -> int:
    return int(Decimal(amount) * 100)


@pytest.mark.parametrize("seed", TRIED)
def test_lines_shares_and_range_add_up(seed: int) -> None:
    _, text = solved(seed)
    data = json.loads(text)
    for point in data["front"]:
        cost, by_state = point["cost"], dict.fromkeys(("read", "indexed", "estimate"), 0)
        for line in point["bom"]:
            assert (line["price_state"] is None) == (line["offer_id"] is None)
            assert (line["price_date"] is None) == (line["price_state"] in (None, "estimate"))
            assert not line["stale"] or line["price_state"] == "read"
            assert line["price_state"] != "indexed" or line["read_price"] is not None
            if line["price_state"]:
                by_state[line["price_state"]] += cents(line["line_total"])
        total = sum(by_state.values())
        shares = [round(by_state[x] / total, 4) for x in by_state]
        stored = [cost["shares"][x] for x in ("read", "indexed", "estimated")]
        assert stored == pytest.approx(shares, abs=1.01e-4) and round(sum(stored), 4) == 1
        assert cost["estimated_share"] == cost["shares"]["estimated"]
        assert point["unquoted"] == list(
            dict.fromkeys(x["part"] for x in point["bom"] if x["price_state"] == "estimate")
        )
        if data["request"]["price_level"] == "middle":
            assert cents(cost["low"]) <= cents(cost["total"]) <= cents(cost["high"])
    enough = [p["id"] for p in data["front"] if p["cost"]["shares"]["read"] >= 0.7]
    assert data["named"].get("read") == (enough[-1] if enough else None)
    told = [m["text"] for m in data["messages"] if m["code"] == "few-read-prices"]
    assert bool(told) == (bool(data["front"]) and not enough) and all("--max-estimated 30%" in x for x in told)


def test_both_answers_occur() -> None:
    holding(lambda d: d["named"]["read"] is None)
    holding(lambda d: d["named"]["read"] is not None)


def test_shares_of_halves_make_one() -> None:
    read, guess = offer("r", "1.00"), offer("g", "1.00", sure="estimate")
    moved = found([offer("i", "1.00", OLD)])
    assert moved is not None and moved.offer is not None
    lines = [Line(o.id, n, 100, "offer", o) for o, n in ((read, 19_998), (guess, 1), (moved.offer, 1))]
    shares = price_shares(Purchase(tuple(lines), 0))
    assert shares == {"read": 0.9998, "indexed": 0.0001, "estimated": 0.0001}
    assert price_shares(Purchase((), 0)) == {"read": 1, "indexed": 0, "estimated": 0}
    assert price_shares(Purchase((Line("x", 1, 100, "offer", fixed(guess)),), 0))["estimated"] == 1


def wrong(data: Data, catalog: Catalog) -> list[str]:
    report, _ = consistent(json.loads(json.dumps(data)), catalog)
    return [f"{w.where}: {w.text}" for w in report.wrong]


@pytest.mark.parametrize("seed", TRIED[::4])
def test_true_results_are_found_true_with_their_catalog_and_alone(seed: int) -> None:
    catalog, text = solved(seed)
    data = json.loads(text)
    report, read = consistent(data, catalog)
    complete(read, report, "cp-sat")
    assert not report.wrong
    assert wrong(data, replace(catalog, sha256="another")) == []


def put(*path: Any, value: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        for step in path[:-1]:
            data = data[step]
        data[path[-1]] = value(data[path[-1]]) if callable(value) else value

    return change


def in_line(state: str, name: str, value: Any) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        line = next(x for x in data["front"][0]["bom"] if x["price_state"] == state)
        line[name] = value

    return change


TAMPERED: list[tuple[str, Callable[[Data], None], str]] = [
    ("indexed", in_line("indexed", "price_state", "read"), "front[0].bom["),
    ("indexed", in_line("indexed", "read_price", "1.00"), "front[0].bom["),
    ("indexed", in_line("indexed", "price_date", "2026-11-01"), "front[0].bom["),
    ("estimate", in_line("estimate", "price_state", "read"), "front[0].bom["),
    ("estimate", in_line("estimate", "price_date", "2026-11-01"), "front[0].bom["),
    ("read", in_line("read", "holds_for", "elsewhere"), "front[0].bom["),
    ("indexed", put("front", 0, "cost", "low", value="1.00"), "front[0].cost.low"),
    ("indexed", put("front", 0, "cost", "high", value="99999999.00"), "front[0].cost.high"),
    ("indexed", put("front", 0, "cost", "shares", "read", value=lambda x: 1 - x), "front[0].cost.shares"),
    ("estimate", put("front", 0, "unquoted", value=[]), "front[0].unquoted"),
    ("read", put("named", "read", value="p99"), "named.read"),
    ("read", put("request", "price_level", value=lambda x: "high" if x != "high" else "low"), "front[0]"),
    ("indexed", put("catalog", "embedded", "price_index", value=[]), "catalog.embedded"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "change", "where"), TAMPERED)
def test_what_was_changed_is_found(state: str, change: Callable[[Data], None], where: str) -> None:
    catalog, data = holding(has_state(state))
    assert wrong(data, catalog) == []
    change(data)
    assert [x for x in wrong(data, catalog) if x.startswith(where)]


def test_a_tampered_index_is_found_without_the_catalog_too() -> None:
    """The index that a result carries, with one level doubled: prices made anew from it are others."""
    catalog, data = holding(has_state("indexed"))
    alone, hits = replace(catalog, sha256="another"), 0
    for place, point in enumerate(data["catalog"]["embedded"]["price_index"]):
        changed = json.loads(json.dumps(data))
        changed["catalog"]["embedded"]["price_index"][place]["value"] = str(2 * Decimal(point["value"]))
        assert [x for x in wrong(changed, catalog) if x.startswith("catalog.embedded")]
        hits += any(x.startswith("front[") for x in wrong(changed, alone))
    assert hits
    twice = json.loads(json.dumps(data))
    first = twice["catalog"]["embedded"]["price_index"][0]
    twice["catalog"]["embedded"]["price_index"].append({**first, "id": "again"})
    assert [x for x in wrong(twice, alone) if "overlaps" in x]


def test_the_index_that_a_result_carries_is_that_of_its_parts() -> None:
    catalog, data = holding(has_state("indexed"))
    carried = {p["id"] for p in data["catalog"]["embedded"]["price_index"]}
    assert carried and carried < {p.id for p in catalog.price_index} | {"none of it"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--strict", "--as-of", "2026-11-24", "--confidence", "estimate"), 0, ""),
        (("--strict",), 2, "--strict"),
        (("--price", "dear", "--model", "v2-lite"), 3, "low, middle, high"),
        (("--bought-as", "stolen", "--model", "v2-lite"), 3, "configured, loose"),
        (("--confidence", "ask", "--model", "v2-lite"), 3, "read for list, contract, street, sold"),
        (("--confidence", "indexed", "--model", "v2-lite"), 3, "read,indexed"),
    ],
)
def test_options(words: tuple[str, ...], code: int, said: str) -> None:
    model = () if "--model" in words or code == 2 else ("--model", "r1-distill-qwen-7b", "--min-precision", "4bit")
    left, _, err = run("solve", "--budget", "60000", *model, *words)
    assert left == code and said in err, err


def test_strict_names_the_stale_parts() -> None:
    asked = [
        "solve",
        "--budget",
        "60000",
        "--model",
        "r1-distill-qwen-7b",
        "--min-precision",
        "4bit",
        "--as-of",
        "2026-11-24",
    ]
    left, out, _ = run(*asked, "--json")
    best = next(p for p in json.loads(out)["front"] if p["id"] == json.loads(out)["recommended"])
    stale = {line["name"] for line in best["bom"] if line["stale"]}
    assert left == 0 and stale, "its prices are all fresh: the test says nothing"
    left, again, err = run(*asked, "--json", "--strict")
    assert left == 7 and json.loads(again)["front"] == json.loads(out)["front"]
    assert all(name in err for name in stale)
