"""Terms of purchase in small: price by quantity, bundles, parts in hand, spares, support, rates, faults, messages."""

from __future__ import annotations

import itertools
import json
import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from catalogs.offers import Bundle, Offer
from catalogs.schema import Contained, Kind
from constraints.exchange import FxRate
from constraints.model import family_model as model
from constraints.policy import Policy
from constraints.prices.pricing import unit_price
from constraints.prices.purchase import PriceBook
from constraints.prices.tariff import NEVER, Source, Tariff, steps_of
from constraints.request import Owned, Request, Spare, SupportRate
from optimizer.cli.app import app
from optimizer.market.market import Market
from optimizer.request import purchase_terms
from optimizer.result.schema import Result
from optimizer.search.solver import Disagreement, Solver
from tests.support.long import one_in
from tests.support.price_terms import priced_scenario
from tests.support.random_catalogs import scenario

DAY = date(2026, 11, 1)


def offer(name: str, price: str, part: str = "gpu0", **fields: Any) -> Offer:
    base = {"currency": "USD", "date": DAY, "condition": "new", "confidence": "list", "seller": name, "source": "test"}
    return Offer.model_validate({"id": name, "part": part, "price": price, **base, **fields})


def book(offers: dict[str, list[Offer]], bundles: tuple[Bundle, ...] = (), **fields: Any) -> PriceBook:
    """Prices of a random catalog with these offers instead of its own."""
    catalog, request, _ = scenario(0)
    ids = {x: tuple(found) for x, found in offers.items()}
    made = Catalog(catalog.parts, ids, catalog.sha256, (), {b.id: b for b in bundles})
    asked = request.model_copy(update={"include": (), "exclude": frozenset(), **fields})
    return Market.open(made, asked, Policy()).book


def kit(price: str, stock: int | None = None, **parts: int) -> Bundle:
    return Bundle(
        id="kit", parts=tuple(Contained(part=x, qty=q) for x, q in parts.items()), price=Decimal(price), currency="USD",
        date=DAY, condition="new", confidence="list", seller="k", source="test", stock=stock,
    )  # fmt: skip


@pytest.mark.parametrize("seed", one_in(5, range(24)))
def test_tariff_equals_every_split(seed: int) -> None:
    rng = random.Random(seed)
    raw = []
    for _ in range(rng.randint(1, 3)):
        prices = [(1, rng.randint(5, 20))]
        for _ in range(rng.randint(0, 2)):
            prices.append((prices[-1][0] + rng.randint(1, 4), max(1, prices[-1][1] - rng.randint(1, 4))))
        raw.append((prices, rng.choice((1, 1, 3, 5)), rng.choice((None, None, 2, 4, 9))))
    tariff = Tariff(tuple(Source(None, steps_of(*x)) for x in raw))

    def order(x: tuple[list[tuple[int, int]], int, int | None], n: int) -> int:
        if n and (n < x[1] or (x[2] is not None and n > x[2])):
            return NEVER
        return n * [c for q, c in x[0] if q <= max(1, n)][-1]

    for need in range(1, 10):
        splits = (s for s in itertools.product(range(14), repeat=len(raw)) if sum(s) >= need)
        best = min(min(NEVER, sum(order(x, n) for x, n in zip(raw, s, strict=True))) for s in splits)
        assert tariff.cents(need) == best
        orders = tariff.split(need)
        assert (sum(o.pieces * o.cents for o in orders) == best and sum(o.pieces for o in orders) >= need) or (
            best == NEVER and not orders
        )
        assert best >= min(NEVER, need * tariff.least_cents)


def test_break_makes_a_surplus_cheaper() -> None:
    b = book({"gpu0": [offer("a", "100", breaks=("10:80",))]})
    bought = b.purchase({"gpu0": 9})
    assert bought is not None and b.cost({"gpu0": 9}) == 800_00
    assert [(x.qty, x.cents) for x in bought.lines] == [(10, 80_00)]
    assert bought.spares_cents({"gpu0": 9}) == 80_00
    assert b.cost({"gpu0": 7}) == 700_00


def test_two_offers_share_a_quantity() -> None:
    b = book({"gpu0": [offer("a", "100", stock=3), offer("b", "120")]})
    bought = b.purchase({"gpu0": 5})
    assert bought is not None
    assert [(x.offer.id, x.qty, x.cents) for x in bought.lines if x.offer] == [("a", 3, 100_00), ("b", 2, 120_00)]


def test_dearer_terms_leave_one_price() -> None:
    """What can never be cheaper costs no time: the part keeps its linear term."""
    b = book({"gpu0": [offer("a", "100"), offer("b", "120", stock=4, breaks=("3:101",))]})
    assert b.prices["gpu0"].tariff is None and not b.by_quantity


def test_in_hand_up_to_its_number() -> None:
    b = book({"gpu0": [offer("a", "100")]}, own=(Owned(part="gpu0", qty=2), Owned(part="cpu0", qty=1)))
    assert [b.cost({"gpu0": q}) for q in (1, 2, 3)] == [0, 0, 100_00]
    assert b.cost({"cpu0": 1}) == 0 and b.cost({"cpu0": 2}) == NEVER
    bought = b.purchase({"gpu0": 3})
    assert bought is not None and [(x.origin, x.qty) for x in bought.lines] == [("owned", 2), ("offer", 1)]


def test_bundle_up_to_its_stock_and_never_in_part() -> None:
    offers = {"gpu0": [offer("a", "100")], "cpu0": [offer("c", "50", "cpu0")]}
    b = book(offers, (kit("210", 2, gpu0=2, cpu0=1),))
    assert b.cost({"gpu0": 2, "cpu0": 1}) == 210_00
    assert b.cost({"gpu0": 1, "cpu0": 1}) == 150_00
    assert b.cost({"gpu0": 8, "cpu0": 4}) == 2 * 210_00 + 2 * 250_00
    bought = b.purchase({"gpu0": 2, "cpu0": 1})
    assert bought is not None
    assert [(x.part, x.qty, x.cents) for x in bought.lines] == [("kit", 1, 210_00), ("gpu0", 2, 0), ("cpu0", 1, 0)]
    assert book(offers, (kit("250", 2, gpu0=2, cpu0=1),)).kits == ()
    assert book(offers, (kit("210", gpu0=2, cpu0=1),), exclude=frozenset({"cpu0"})).kits == ()


def test_least_prices_bound_every_purchase() -> None:
    for seed in range(40):
        catalog, request, _, _ = priced_scenario(seed)
        b = Market.open(catalog, request, Policy()).book
        rng = random.Random(seed)
        for _ in range(60):
            some = rng.sample(sorted(b.prices), min(len(b.prices), rng.randint(1, 5)))
            pieces = {x: rng.randint(1, 7) for x in some}
            cost = b.cost(pieces)
            assert cost >= sum(q * b.prices[x].least for x, q in pieces.items())
            bought = b.purchase(pieces)
            assert (bought is None) == (cost == NEVER)
            if bought is not None:
                assert bought.cents + bought.support_cents == cost
                for x, q in pieces.items():
                    held = sum(y.qty for y in bought.lines if y.part == x)
                    assert held >= b.prices[x].sources().need(q)


def test_spares_are_rounded_up_per_part() -> None:
    b = book({"gpu0": [offer("a", "100")]}, spares=(Spare(category=Kind.GPU, pieces=1, per=16),))
    assert [b.cost({"gpu0": q}) for q in (1, 16, 17)] == [200_00, 1700_00, 1900_00]


def test_support_by_category_is_one_rounded_line() -> None:
    rates = (
        SupportRate(category=Kind.GPU, percent=Decimal("2.5")),
        SupportRate(category=Kind.CPU, percent=Decimal(10)),
    )
    offers = {"gpu0": [offer("a", "100.30")], "cpu0": [offer("c", "50.10", "cpu0")]}
    bought = book(offers, support=rates).purchase({"gpu0": 1, "cpu0": 1})
    assert bought is not None and bought.support_cents == 752  # 2.5075 + 5.01 = 7.5175
    with pytest.raises(InputError, match="bad-support"):
        catalog, request, _ = scenario(0)
        Market.open(
            catalog, request.model_copy(update={"support": rates}), Policy({"money.support_percent": Decimal(1)})
        )


def test_gross_offer_and_own_rate_come_to_one_net_basis() -> None:
    rate = FxRate(currency="EUR", usd_per_unit=Decimal("1.25"), date=DAY, source="test")
    request = Request(model="v2-lite", as_of=DAY, fx=(rate,))
    gross = offer("a", "119.00", currency="EUR", tax_rate="0.19", breaks=("5:95.20",))
    assert unit_price(gross, request) == 125_00
    assert unit_price(gross, request, Decimal("95.20")) == 100_00


@pytest.mark.parametrize(
    ("field", "value"),
    [("breaks", ("10:120",)), ("breaks", ("5:90", "5:80")), ("breaks", ("1:90",)), ("breaks", ("x",)),
     ("breaks", ("5:0.001",)), ("min_qty", 0), ("stock", -1)],
)  # fmt: skip
def test_bad_terms_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"break|greater"):
        offer("a", "100", **{field: value})


def test_stock_is_named_when_it_is_short() -> None:
    catalog, request, _ = scenario(0)
    solver = Solver(Market.open(catalog, request.model_copy(update={"budget_cents": 10**8}), Policy()))
    build = solver.front().points[-1].found
    part = next(x for x, q in build.build.total().items() if q > 1)
    few = {**catalog.offers, part: (offer("a", "1", part, stock=1),)}
    market = Market.open(Catalog(catalog.parts, few, ""), request, Policy())
    from constraints.rules.registry import findings

    found = findings(market.case(build.build, build.row.plan, build.row.key))
    short = [x for x in found if x.rule == "procurement" and x.status == "fail"]
    assert short and short[0].limit == 1 and part in short[0].text


def test_certificate_needs_the_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the orders in the model it returns a build that can't be bought: the check rejects it."""
    monkeypatch.setattr(model, "orders", lambda m: 0)
    rejected = 0
    for seed in range(12):
        catalog, request, _, _ = priced_scenario(seed)
        solver = Solver(Market.open(catalog, request, Policy()), clever=False)
        try:
            solver.front()
        except Disagreement as e:
            rejected += "procurement" in str(e) or "budget" in str(e)
    assert rejected


def test_texts_of_spares_and_support() -> None:
    assert {(s.category, s.pieces, s.per) for s in purchase_terms.spares(["4%", "gpu=1/16", "psu=0%"])} == {
        ("drive", 1, 25), ("memory", 1, 25), ("gpu", 1, 16),
    }  # fmt: skip
    assert purchase_terms.support("12.5%") == (Decimal("12.5"), ())
    assert {s.category for s in purchase_terms.support("table")[1]} >= {Kind.GPU, Kind.PLATFORM}
    assert purchase_terms.spares(["table"])
    for bad in (["gpu=1/0"], ["gpus=1/4"], ["gpu=a%"], ["nowhere.csv"]):
        with pytest.raises(InputError):
            purchase_terms.spares(bad)
    with pytest.raises(InputError):
        purchase_terms.support("101%")


@pytest.mark.parametrize(
    ("text", "code"),
    [("part,qty\nnosuchpart-xyz,2\n", "unknown-part"), ("part,qty\nh100,x\n", "bad-quantity"),
     ("a,b\n1,2\n", "missing-column")],
)  # fmt: skip
def test_bad_list_of_parts_in_hand(tmp_path: Path, text: str, code: str) -> None:
    (tmp_path / "own.csv").write_text(text)
    with pytest.raises(InputError, match=code):
        purchase_terms.own(tmp_path / "own.csv", load())


def test_rates_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "fx.csv"
    path.write_text("currency,usd_per_unit,date,source\nEUR,1.2,2026-11-20,ECB\n")
    assert purchase_terms.fx(path)[0].usd_per_unit == Decimal("1.2")
    for bad in ("USD,2,2026-11-20,x", "EUR,0,2026-11-20,x", "EUR,1,never,x", "ABC,1,2026-11-20,x", "EUR,1,2026-11-20,"):
        path.write_text(f"currency,usd_per_unit,date,source\n{bad}\n")
        with pytest.raises(InputError, match="bad-fx"):
            purchase_terms.fx(path)


def test_bundle_of_an_unknown_part_is_refused(tmp_path: Path) -> None:
    head = "id,parts,price,currency,date,condition,confidence,seller,source"
    (tmp_path / "bundles.csv").write_text(f"{head}\nk,2*nosuch,10.00,USD,2026-11-01,new,list,s,test\n")
    with pytest.raises(InputError, match=r"unknown-part.*nosuch"):
        load([tmp_path])


def test_lines_of_a_solved_request_add_up(tmp_path: Path) -> None:
    """The shipped catalog with a bundle, breaks, parts in hand and spares, through the command line."""
    (tmp_path / "offers.csv").write_text(
        "id,part,price,currency,date,condition,confidence,seller,source,stock,min_qty,breaks\n"
        "z1,samsung-m321r4ga3eb0-cwm,900.00,EUR,2026-11-20,new,street,Z,test,,1,20:700.00\n"
        "z2,samsung-pm1743-3.84tb,1400.00,USD,2026-11-20,new,street,Z,test,,2,\n"
    )
    (tmp_path / "bundles.csv").write_text(
        "id,parts,price,currency,date,condition,confidence,seller,source,stock\n"
        "kit-mi350,1*amd-mi350x-ubb-platform-8-oam|1*supermicro-as-8126gs-tnmr|2*amd-epyc-9115,190000.00,USD,"
        "2026-11-20,new,street,K,test,2\n"
    )
    (tmp_path / "have").write_text("part,qty\nsamsung-pm1743-3.84tb,1\n")
    args = ["--budget", "300000", "--model", "v2-670b", "--as-of", "2026-11-24", "--gpu", "mi350x", "--json"]
    args += ["--grade", "floor"]  # the kit has the CPUs of the floor
    args += ["--catalog", str(tmp_path), "--own", str(tmp_path / "have"), "--spares", "5%", "--support", "table"]
    done = CliRunner().invoke(app, ["solve", *args])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    Result.model_validate(data)
    assert data["proof"]["complete"] and data["fx"][0]["currency"] == "USD"
    for p in data["front"]:
        cost, lines = p["cost"], p["bom"]
        assert all(Decimal(x["line_total"]) == x["qty"] * Decimal(x["unit_price"]) for x in lines)
        spares = sum(Decimal(x["line_total"]) for x in lines if x["role"] == "spare")
        assert spares == Decimal(cost["spares"]) > 0
        assert sum(Decimal(x["line_total"]) for x in lines) == Decimal(cost["parts"]) + spares
        assert Decimal(cost["total"]) == sum(Decimal(cost[x]) for x in ("parts", "spares", "support", "tax"))
        assert Decimal(cost["support"]) > 0
        held = {x["part"] for x in lines if x["origin"] == "owned"}
        assert held == {"samsung-pm1743-3.84tb"}
        assert {x["category"] for x in lines if x["part"] == "kit-mi350"} <= {"bundle"}
    assert any(x["origin"] == "bundle" for p in data["front"] for x in p["bom"])
