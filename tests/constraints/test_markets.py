"""What a market decides: parts sold there on a day, line voltage, price of energy; read anew from the data files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

import openpyxl
import pytest

import optimizer
from catalogs.load import Catalog
from catalogs.offers import Currency
from catalogs.schema import Gpu, Kind, MarketCode, Pdu
from constraints.physics.markets import (
    line_volts,
    market_of,
    market_rules,
    not_sold,
    sales_markets,
    warned_of,
)
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from constraints.prices.pricing import energy_price
from constraints.request import Circuit, Request
from optimizer.request.command import command
from optimizer.text.languages import Words
from tests.support.commands import answer, dsopt, run
from tests.support.long import sampled

DATA = Path(__file__).parents[2] / "constraints" / "data"
MARKETS: tuple[MarketCode, ...] = get_args(MarketCode)
TODAY = date(2026, 11, 30)


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a data file as they stand."""
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def asked(market: str | None = None, day: date = TODAY, **more: Any) -> Request:
    return Request(model="v3-671b", as_of=day, market=market, conditions={"new", "refurbished", "used"}, **more)  # type: ignore[arg-type]


def barred(catalog: Catalog, market: str | None, day: date = TODAY) -> set[str]:
    """Parts that the price book leaves out for the market's sake."""
    ledger = price_book(catalog, asked(market, day), Policy()).ledger
    return {part for part, why in ledger.items() if "not sold in market" in why}


def named(codes: str, market: str) -> bool:
    """Whether a cell of markets names one: `CN`, `US|EU`, or all but those of `!US|!JP`."""
    cell = codes.split("|")
    return f"!{market}" not in cell if cell[0].startswith("!") else market in cell


def by_hand(catalog: Catalog, market: str, day: date) -> set[str]:
    """Parts that are not sold there, from the rows themselves."""
    found: set[str] = set()
    lines = {int(v) for row in rows("markets") if row["market"] == market for v in row["three_phase_volts"].split("|")}
    region = next(row["region"] for row in rows("markets") if row["market"] == market)
    lines |= {int(v) for row in rows("circuits") if row["region"] == region for v in row["volts"].split("|")}
    for part in catalog.parts.values():
        for rule in rows("market_rules"):
            if rule["effect"] != "barred" or not named(rule["markets"], market):
                continue
            if not (rule["from"] or "0001-01-01") <= day.isoformat() <= (rule["until"] or "9999-12-31"):
                continue
            ours = isinstance(part, Gpu) and part.country == (rule["made_in"] or "nowhere")
            if ours or part.id in rule["parts"].split("|") or reaches(part, rule, market):
                found.add(part.id)
        if part.markets and not named("|".join(part.markets), market):
            found.add(part.id)
        if isinstance(part, Pdu) and min(abs(part.volts - v) / max(part.volts, v) for v in lines) > 0.09:
            found.add(part.id)
    return found


def reaches(part: Any, rule: dict[str, str], market: str) -> bool:
    """Whether a foreign GPU reaches the figures of a rule."""
    if not isinstance(part, Gpu) or part.country == market or not (rule["least_tpp"] or rule["least_mem_gb_s"]):
        return False
    tpp = max(
        16 * (part.fp16_tflops or 0), 8 * (part.fp8_tflops or 0), 8 * (part.int8_tops or 0), 4 * (part.fp4_tflops or 0)
    )
    return tpp >= float(rule["least_tpp"] or 0) and (part.mem_gb_s or 0) >= float(rule["least_mem_gb_s"] or 0)


def with_contents(catalog: Catalog, parts: set[str]) -> set[str]:
    """Parts and all that holds one of them."""
    held = {part.id: {part.gpu} for part in catalog.of(Kind.GPU_BOARD)}  # type: ignore[attr-defined]
    held |= {part.id: {c.part for c in part.contents} for part in catalog.of(Kind.SYSTEM, Kind.PLATFORM)}  # type: ignore[attr-defined]
    boards = parts | {part for part, inside in held.items() if inside & parts}
    return boards | {part for part, inside in held.items() if inside & boards}


def days() -> Iterator[date]:
    """Days on which something changes, those before and after, and today."""
    yield TODAY
    for rule in rows("market_rules"):
        if rule["from"]:
            first = date.fromisoformat(rule["from"])
            yield from (first - timedelta(1), first)
        if rule["until"]:
            last = date.fromisoformat(rule["until"])
            yield from (last, last + timedelta(1))


@pytest.mark.parametrize("market", MARKETS)
def test_what_is_sold_where_is_what_the_rows_say(shipped: Catalog, market: MarketCode) -> None:
    for day in sampled(4, sorted(set(days()))):
        assert barred(shipped, market, day) == with_contents(shipped, by_hand(shipped, market, day)), day


def test_no_part_is_left_out_of_any_market(shipped: Catalog) -> None:
    assert barred(shipped, "any") == set()


@pytest.mark.parametrize(
    ("gpu", "market", "day", "sold"),
    [
        ("nvidia-h20-sxm5-96gb", "US", TODAY, False),
        ("nvidia-h20-sxm5-96gb", "EU", TODAY, False),
        ("nvidia-h20-sxm5-96gb", "CN", TODAY, True),
        ("nvidia-h20-sxm5-96gb", "CN", date(2025, 4, 8), True),
        ("nvidia-h20-sxm5-96gb", "CN", date(2025, 4, 9), False),
        ("nvidia-h20-sxm5-96gb", "CN", date(2025, 8, 8), True),
        ("nvidia-b200-sxm6-180gb", "CN", TODAY, False),
        ("nvidia-b300-sxm6-288gb", "CN", TODAY, False),
        ("amd-mi350x-288gb", "CN", TODAY, False),
        ("nvidia-b200-sxm6-180gb", "EU", TODAY, True),
        ("nvidia-h200-sxm5-141gb", "CN", date(2026, 1, 14), False),
        ("nvidia-h200-sxm5-141gb", "CN", date(2026, 1, 15), True),
        ("amd-mi325x-256gb", "CN", date(2026, 1, 15), True),
        ("nvidia-h100-sxm5-80gb", "CN", date(2023, 11, 16), True),
        ("nvidia-h100-sxm5-80gb", "CN", date(2023, 11, 17), False),
        ("huawei-ascend-910b3-64gb", "CN", TODAY, True),
        ("huawei-ascend-910b3-64gb", "US", TODAY, False),
    ],
)
def test_rules_have_days(shipped: Catalog, gpu: str, market: str, day: date, sold: bool) -> None:
    assert (gpu not in barred(shipped, market, day)) == sold


def test_what_needs_a_licence_is_warned_of(shipped: Catalog) -> None:
    h200, ours = shipped.parts["nvidia-h200-sxm5-141gb"], shipped.parts["huawei-ascend-910b3-64gb"]
    assert warned_of(h200, asked("CN")) and not warned_of(h200, asked("EU")) and not warned_of(h200, asked("any"))
    assert not warned_of(ours, asked("CN"))
    found = answer("--budget", "300万元", "--model", "r1-671b", "--gpu", "8xH200")
    says = [x["text"] for x in found["front"][-1]["checks"] if x["status"] == "warn"]
    assert any("needs a licence, decided case by case" in text for text in says), says


@pytest.mark.parametrize("market", MARKETS)
def test_pdus_are_of_the_markets_voltage_and_plug(shipped: Catalog, market: MarketCode) -> None:
    there = {part.id for part in shipped.of(Kind.PDU)} - barred(shipped, market)
    assert there, "a rack needs PDUs everywhere"
    assert all(abs(shipped.parts[x].volts - 208) < 1 for x in there if "208v" in x)  # type: ignore[attr-defined]
    if market in ("EU", "UK", "CN"):
        assert not any("208v" in x or "60a" in x or "100a" in x for x in there)
    else:
        assert not any("32a" in x for x in there)


def test_every_currency_has_a_market_and_every_market_its_row() -> None:
    assert tuple(row["market"] for row in rows("markets")) == MARKETS == tuple(sales_markets())
    found = [market_of(asked(currency=code)) for code in get_args(Currency)]
    assert sorted(x.code for x in found if x) == sorted(MARKETS)


@pytest.mark.parametrize("row", rows("markets"), ids=lambda row: row["market"])
def test_a_market_is_whole(row: dict[str, str]) -> None:
    market = sales_markets()[row["market"]]
    assert row["source"] and row["duty"].startswith("not included") and date.fromisoformat(row["read"]) <= TODAY
    assert bool(row["energy_price"]) == bool(row["energy_source"]) == bool(row["energy_date"])
    assert market.server_volts in market.region.volts
    assert all(volts >= market.server_volts for volts in market.three_phase_volts)
    assert line_volts(asked(market.code), Policy()) == market.server_volts
    if market.energy_price:
        own = asked(market.code, currency=market.energy_currency)
        assert float(energy_price(own, Policy())) == float(row["energy_price"])


@pytest.mark.parametrize("row", rows("market_rules"), ids=lambda row: row["rule"])
def test_a_rule_is_whole(shipped: Catalog, row: dict[str, str]) -> None:
    assert row["source"] and row["effect"] in ("barred", "warned") and date.fromisoformat(row["read"]) <= TODAY
    assert {x for x in row["parts"].split("|") if x} <= shipped.parts.keys()
    assert row["parts"] or row["made_in"] or row["least_tpp"] or row["least_mem_gb_s"]
    assert (row["from"] or "0001-01-01") <= (row["until"] or "9999-12-31")
    assert {x.removeprefix("!") for x in row["markets"].split("|")} <= set(MARKETS)
    assert not Words("zh").sentence(next(x.says for x in market_rules() if x.name == row["rule"])).isascii()
    assert Words("zh")(row["says"]) != row["says"]


def test_a_circuit_and_ones_own_policy_go_before_the_market() -> None:
    own = Policy().with_settings(["power.line_volts=240"])
    assert line_volts(asked("JP"), own) == 240
    assert line_volts(asked("JP", circuit=Circuit(amps=16, volts=230)), own) == 230
    assert line_volts(asked("any"), Policy()) == Policy().whole("power.line_volts")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--budget", "300000"), "market US"),
        (("--budget", "300万元"), "market CN"),
        (("--budget", "300000", "--tax", "DE"), "market EU"),
        (("--budget", "300万元", "--tax", "13%"), "market CN"),
        (("--budget", "300000", "--tax", "13%"), "market US"),
        (("--budget", "€300000", "--market", "uk"), "market UK"),
        (("--budget", "300000", "--market", "FR"), "market EU"),
        (("--budget", "300000", "--market", "any"), "any market"),
    ],
)
def test_the_first_line_says_the_market(words: tuple[str, ...], says: str) -> None:
    job = ("--model", "v2-lite", "--gpu", "RTX A6000", "--max-nodes", "1", "--as-of", "2026-11-24")
    assert f"; {says};" in dsopt("solve", *words, *job).stdout.splitlines()[0]


def test_an_unknown_market_is_named() -> None:
    said = dsopt("solve", "--budget", "9000", "--model", "v2-lite", "--market", "Mars", code=3).stderr
    assert "--market: is no market that is known (value 'Mars'). One of: US, EU, UK, CN, JP, any." in said


def test_a_way_out_is_another_market() -> None:
    """H20 for a buyer in the EU: the market alone stands against it, and China has it."""
    found = answer("--budget", "300000", "--model", "r1-671b", "--gpu", "8xH20", "--market", "EU", code=4)
    assert "market" in {x["key"] for x in found["explanation"]["conflict"]}
    changes = [x["changes"] for x in found["explanation"]["ways_out"]]
    assert ["bought in market CN"] in [[x["text"] for x in change] for change in changes]


def test_a_result_is_verified_in_its_market(tmp_path: Path) -> None:
    saved = tmp_path / "cn.json"
    job = ("--budget", "300万元", "--model", "r1-671b", "--gpu", "8xH20", "--as-of", "2026-11-24")
    dsopt("solve", *job, "-o", str(saved))
    assert dsopt("verify", str(saved)).stdout.startswith("Consistent")
    moved = tmp_path / "us.json"
    moved.write_text(saved.read_text(encoding="utf-8").replace('"market": "CN"', '"market": "US"', 1), encoding="utf-8")
    assert "not sold in market US" in dsopt("verify", str(moved), code=5).stdout


def test_a_result_stays_in_its_market_in_another_currency(tmp_path: Path) -> None:
    """A Chinese build quoted in dollars is bought in China all the same."""
    saved = tmp_path / "cn.json"
    job = ("--budget", "300万元", "--model", "r1-671b", "--gpu", "8xH20", "--as-of", "2026-11-24")
    dsopt("solve", *job, "-o", str(saved))
    made = dsopt("quote", str(saved), "--currency", "USD", "--date", "2026-11-24", "-o", str(tmp_path / "q.xlsx"))
    assert "USD" in made.stderr
    sheets = openpyxl.load_workbook(tmp_path / "q.xlsx")
    rows_ = [[cell.value for cell in row] for sheet in sheets for row in sheet.iter_rows()]
    assert any(row[:2] == ["Market", "CN"] or ("Market" in row and "CN" in row) for row in rows_)


def test_a_program_s_result_names_its_market(shipped: Catalog) -> None:
    found = optimizer.solve(
        Request(model="v2-lite", as_of=TODAY, currency="EUR", budget_cents=900_000), catalog=shipped
    )
    assert found.request.market == "EU"


def test_a_build_written_by_hand_may_name_its_market(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "examples" / "eight-gpu-node.toml").read_text(encoding="utf-8")
    build = tmp_path / "build.toml"
    build.write_text('market = "JP"\n' + text, encoding="utf-8")
    assert "; market JP;" in run("check", str(build), "--as-of", "2026-11-24")[1].splitlines()[0]
    assert "; market UK;" in run("check", str(build), "--as-of", "2026-11-24", "--market", "UK")[1].splitlines()[0]


@pytest.mark.parametrize("model", ["r1-671b", "v4-flash"])
@pytest.mark.parametrize("tax", [(), ("--tax", "13%")])
def test_a_chinese_build_says_what_nobody_publishes(shipped: Catalog, model: str, tax: tuple[str, ...]) -> None:
    """What keeps a build from being Chinese throughout is named: categories of which no Chinese part has a price."""
    job = ("--market", "CN", "--origin", "CN", "--budget", "600万元", "--model", model, "--allow-experimental", *tax)
    found = answer(*job, code=4)["explanation"]
    assert "origin" in {x["key"] for x in found["conflict"]}
    lacking = {x["category"]: x for x in found["missing"]}
    for kind in (Kind.MEMORY, Kind.DRIVE, Kind.NIC, Kind.SWITCH, Kind.RACK, Kind.PDU):
        made = [part.id for part in shipped.of(kind) if part.country == "CN"]
        assert (kind.value in lacking) == (not any(part in shipped.offers for part in made)), kind
        assert kind.value not in lacking or made or "none is made in CN" in lacking[kind.value]["reason"]
    assert "nic" in lacking, "else there may be a build: say so in docs/markets.md"
    assert "Kunpeng 920 7265" in lacking["cpu"]["parts"] and "nobody publishes a price" in lacking["cpu"]["reason"]
    assert "gpu" not in lacking, "a board of eight Ascend 910B has a price"
    site = answer(*job, "--have", "racks,network", code=4)["explanation"]["missing"]
    assert {x["category"] for x in site} == set(lacking) - {"rack", "pdu", "cable", "switch"}


def test_a_network_card_of_ones_own_makes_the_chinese_build(tmp_path: Path) -> None:
    """With a price of a Chinese card beside the catalog there is a build, Chinese from end to end, for both models."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "nics.csv").write_text(
        "id,name,vendor,country,source,fabrics,rdma,gbit_s,ports,connectors,form,pcie_gen,lanes,power_w\n"
        "own-25g,own 25G,Own,CN,quote,Ethernet,false,25,2,SFP28,PCIe,3,8,15\n",
        encoding="utf-8",
    )
    (folder / "offers.csv").write_text(
        "id,part,price,currency,date,condition,confidence,seller,source\n"
        "own,own-25g,2000.00,CNY,2026-11-20,new,street,us,quote\n",
        encoding="utf-8",
    )
    job = ("--origin", "CN", "--budget", "600万元", "--have", "racks,network", "--catalog", str(folder))
    for model in ("r1-671b", "v4-flash"):
        found = answer(*job, "--model", model, "--allow-experimental", "--min-precision", "4bit")
        bought = {line["part"] for line in found["front"][0]["bom"]}
        assert "own-25g" in bought and found["request"]["market"] == "CN"


@pytest.mark.parametrize(("model", "nodes"), [("r1-671b", 2), ("v4-flash", 1)])
def test_chinese_accelerators_carry_both_models(model: str, nodes: int) -> None:
    """With memory and drives from elsewhere there is a build on Ascend 910B, at a price."""
    job = ("--budget", "600万元", "--model", model, "--gpu", "910B3", "--allow-experimental", "--grade", "floor")
    cheapest = answer(*job, "--min-precision", "8bit" if model == "r1-671b" else "4bit")["front"][0]
    assert cheapest["nodes"][0]["count"] == nodes
    assert cheapest["plan"]["precision"] == "int8" and cheapest["cost"]["currency"] == "CNY"


def test_nothing_is_missing_where_money_alone_is_short() -> None:
    found = answer("--budget", "900", "--model", "r1-671b", code=4)["explanation"]
    assert found["missing"] == []


@pytest.mark.parametrize(
    ("volts", "there"),
    [(208, {"US", "JP", "CN"}), (230, {"US", "EU", "UK", "CN"}), (400, {"US", "EU", "UK", "CN"}), (110, {"US"})],
)
def test_a_pdu_of_ones_own_is_held_against_the_markets_voltages(shipped: Catalog, volts: int, there: set[str]) -> None:
    """Of a plug that no rule knows the voltage decides: 230 V also runs on 240, 400 V on 415 and on 380."""
    own = shipped.parts["apc-ap8841-metered-7.4kw-1ph-30a"].model_copy(update={"id": "own", "volts": volts})
    assert {market for market in MARKETS if not not_sold(own, asked(market))} == there
    site = Circuit(amps=16, volts=230)
    assert not any(not_sold(own, asked(market, circuit=site)) for market in MARKETS), "then the circuit decides"


def test_a_command_names_a_market_that_the_currency_does_not_mean() -> None:
    for market, currency, words in (("US", "USD", ""), ("JP", "USD", "--market JP"), ("any", "CNY", "--market any")):
        said = command(asked(market, currency=currency), Policy())
        assert words in said and ("--market" in said) == bool(words)
