"""`dsopt compare`: one basis and one scope by hand arithmetic, marks, scores; the workbook recalculated to the cent."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import median
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from catalogs import files
from catalogs.errors import InputError
from catalogs.load import Catalog, load
from constraints.exchange import ExchangeRate
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.library import compare, solve, xray
from optimizer.procurement.bids.align import aligned
from optimizer.procurement.bids.changes import Opened, changes, opened
from optimizer.procurement.bids.lead_and_warranty import lead_days, warranty_months
from optimizer.procurement.bids.offered import FromResult
from optimizer.procurement.bids.schema import Bid, Comparison
from optimizer.procurement.bids.scoring import KEYS, Values, scored, weights
from optimizer.procurement.bids.workbook import changes_workbook, workbook
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read
from optimizer.text.languages import Words
from tests.support.long import examples, one_in, sampled
from tests.support.office import OFFICE, formulas, named, recalculated, with_inputs
from tests.support.office import opened as values_of

TENDER = Path("examples/procurement/tender")
FILES = [TENDER / x for x in ("alder.xlsx", "baiyun.xlsx", "corvus.csv")]
DAY = date(2026, 11, 24)
ASKED = Request(grade="floor",
    model="v3-671b", users=32, as_of=DAY, currency="CNY", have=frozenset({"racks", "network"})
)  # fmt: skip
SMALL = Request(grade="floor", model="r1-distill-qwen-7b", users=4, as_of=DAY, have=frozenset({"racks", "network"}))
USD, EUR = Decimal(7), Decimal("1.15") * 7
"""Yuan per dollar and euro at the policy's rates."""
needs_office = pytest.mark.skipif(
    OFFICE is None and not os.environ.get("DSOPT_OFFICE_REQUIRED"), reason="LibreOffice (soffice) is not installed"
)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load()


@pytest.fixture(scope="session")
def bids(catalog: Catalog) -> list[Quote]:
    return [read(p, catalog) for p in FILES]


@pytest.fixture(scope="session")
def tender(bids: list[Quote], catalog: Catalog) -> Comparison:
    """With the price of a demanded item that is missing taken from the others, and freight demanded."""
    return compare(bids, ASKED, catalog=catalog, tax_percent=Decimal(13), fill="median", demand="freight")


def cents(x: Decimal) -> Decimal:
    return x.quantize(Decimal("0.01"), ROUND_HALF_UP)


def codes(b: Bid, *severities: str) -> set[str]:
    return {f.code for f in b.flags if f.severity in severities}


def item(c: Comparison, role: str, n: int = 0) -> Any:
    return [x for x in c.items if x.role == role][n]


def offer(catalog: Catalog, tmp_path: Path, name: str, rows: list[tuple[str, int, str]], *extra: str) -> Quote:
    """A quote of (part id or text, pieces, unit price) in net dollars."""
    path = tmp_path / f"{name}.csv"
    lines = ["Currency: USD", *extra, "Part Number,Description,Qty,Unit price excl. VAT"]
    with path.open("w", encoding="utf-8", newline="") as f:
        f.write("\n".join(lines) + "\n")
        out = csv.writer(f)
        for part, qty, price in rows:
            known = catalog.parts.get(part)
            out.writerow([part if known else "", known.name if known else part, qty, price])
    return read(path, catalog)


def quick(offered: list[Any], catalog: Catalog, **more: Any) -> Comparison:
    """Without the proof of the front: it takes the time."""
    return compare(offered, more.pop("request", SMALL), catalog=catalog, time_limit_s=0.001, **more)


def test_net_amounts_by_hand(tender: Comparison) -> None:
    """Offered totals from the rows of the files themselves, line by line."""
    sheet = openpyxl.load_workbook(FILES[0], data_only=True).active
    alder = [(r[3].value, r[4].value) for r in sheet.iter_rows(min_row=6, max_row=14)]
    assert tender.bids[0].offered_net == sum(cents(q * Decimal(str(p)) * USD) for q, p in alder)
    sheet = openpyxl.load_workbook(FILES[1], data_only=True).active
    baiyun = [(r[4].value, r[6].value) for r in sheet.iter_rows(min_row=6, max_row=12)]
    assert tender.bids[1].offered_net == sum(cents(q * Decimal(str(p)) / Decimal("1.13")) for q, p in baiyun)
    rows = [x.split(";") for x in FILES[2].read_bytes().decode("cp1252").splitlines()[4:11]]
    corvus = [(int(x[3]), Decimal(x[4].replace(".", "").replace(",", "."))) for x in rows]
    assert tender.bids[2].offered_net == sum(cents(q * p * EUR) for q, p in corvus)
    for b in tender.bids:
        assert b.equal_net == b.offered_net - b.outside_net + b.filled_net
        assert b.equal_gross == b.equal_net + cents(b.equal_net * Decimal("0.13"))
        assert b.offered_net == sum(x.net for x in b.lines if x.state == "included")


def test_scope_and_fills(tender: Comparison) -> None:
    a, b, c = range(3)
    for role in ("warranty", "installation"):
        x = item(tender, role)
        assert [y.state for y in x.cells] == ["included", "included", "excluded"]
        assert x.cells[c].fill == "median"
        assert x.cells[c].filled == cents(median([x.cells[a].net, x.cells[b].net]))
    nic = item(tender, "nic").cells[b]
    assert (nic.state, nic.fill, nic.demanded, nic.filled) == (
        "excluded",
        "catalog",
        True,
        cents(Decimal("116.72") * USD),
    )
    assert item(tender, "gpu").cells[b].state == "equivalent"
    assert [y.state for y in item(tender, "memory").cells] == ["equivalent", "included", "included"]
    switch = item(tender, "switch")
    assert [y.state for y in switch.cells] == ["optional", "excluded", "excluded"]
    assert not any(y.fill for y in switch.cells)  # nobody offers it for the price
    assert tender.bids[a].filled_net == 0
    assert all(x.complete for x in tender.bids)


def test_marks(tender: Comparison) -> None:
    a, b, c = tender.bids
    assert codes(a, "error") == set()
    assert codes(b, "error") == {"rules-failed"}
    assert codes(c, "error") == {"arithmetic-error", "expired"}
    sums = [f for f in c.flags if f.code == "arithmetic-error"]
    assert (sums[0].values["stated"], sums[0].values["computed"]) == ("277,959.50", "286,959.50")
    drives = item(tender, "drive")
    assert [y.outlier for y in drives.cells] == [False, False, True]
    net = [y.net / 4 for y in drives.cells]
    assert drives.cells[2].over_median == ((net[2] / median(net) - 1) * 100).quantize(Decimal("0.1"))
    memory = item(tender, "memory")
    assert memory.measure == "GB"
    assert memory.median_unit == median([y.net / s for y, s in zip(memory.cells, (1024, 1024, 1536), strict=True)])
    assert all("tax-bases-differ" in codes(x, "note") for x in tender.bids)
    assert {f.code for x in tender.bids for f in x.flags if not f.said(Words("zh"))} == set()


def test_technical_and_rank(tender: Comparison) -> None:
    a, b, c = tender.bids
    for x in tender.bids:
        t = x.technical
        assert t.runs
        assert t.throughput is not None
        speed = Decimal(str(t.throughput.output_tok_s))
        assert t.money_per_tok_s == cents(x.equal_net / speed)
        assert t.w_per_tok_s == cents(Decimal(t.power_w or 0) / speed)
        assert t.hardware_net is not None
        assert t.cheapest is not None
        assert t.above_percent == ((t.hardware_net / t.cheapest - 1) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
        assert t.throughput.low < t.throughput.output_tok_s < t.throughput.high
    assert (a.lead_days, b.lead_days, c.lead_days) == (56, 35, 70)
    assert (a.warranty_months, b.warranty_months, c.warranty_months) == (36, 36, 12)
    assert [x.responsive for x in tender.bids] == [True, True, False]  # B with the card that the rules demand
    assert tender.bids[1].technical.failed
    assert not tender.bids[1].technical.still_failed
    best = max((x for x in tender.bids if x.responsive), key=lambda x: x.score or 0)
    assert tender.recommended == best.id
    assert {a.rank, b.rank} == {1, 2}
    assert (c.rank, c.score, c.points) == (None, None, ())  # it expired: nothing that can't be awarded is ranked
    for p in best.points:
        if p.key == "price":  # decree 87, article 55: the lowest responsive price is the base
            assert p.points == cents(40 * b.equal_net / best.equal_net)


def test_points_of_a_proven_front_are_on_it(catalog: Catalog) -> None:
    """Bids taken from a proven front: each is 0.0 % above the cheapest build as fast as itself."""
    result = solve(SMALL.model_copy(update={"budget_cents": 30_000_00}), catalog=catalog)
    points = [FromResult("result.json", result, p) for p in result.front][-3:]
    assert len(points) == 3
    found = compare(points, SMALL, catalog=catalog)
    for b, p in zip(found.bids, points, strict=True):
        assert b.technical.above_percent == 0
        assert str(b.technical.cheapest) == str(b.offered_net) == p.point.cost.total
        assert b.technical.throughput == p.point.throughput


def node(catalog: Catalog) -> list[tuple[str, int, str]]:
    """A whole build of the catalog as lines, at round prices: the cheapest whose GPUs are bought by themselves."""
    result = solve(SMALL.model_copy(update={"budget_cents": 12_000_00}), catalog=catalog)
    chosen = next(p for p in result.front if (p.gpus.part, "node") in {(x.part, x.role) for x in p.bom})
    return [(x.part, x.qty, str(round(float(x.unit_price)) + 1)) for x in chosen.bom if x.role in ("node", "shared")]


@pytest.fixture(scope="session")
def whole(catalog: Catalog) -> list[tuple[str, int, str]]:
    return node(catalog)


def test_options_requests_discounts_and_words(
    catalog: Catalog, tmp_path: Path, whole: list[tuple[str, int, str]]
) -> None:
    """A bid's own option fills what others include; a rebate counts; unknown goods are items by their words."""
    service = [("Installation on site", 1, "1000"), ("Custom paint job", 1, "300")]
    a = offer(catalog, tmp_path, "a", [*whole, *service], "Valid until: 2026-12-31")
    b = offer(catalog, tmp_path, "b", [*whole, ("CUSTOM PAINT-JOB", 2, "100")])
    path = tmp_path / "b.csv"
    path.write_text(path.read_text() + "Discount,,,-50\nOptions\n,Installation,1,700\n")
    b = read(path, catalog)
    found = quick([a, b], catalog)
    install, paint = item(found, "installation"), item(found, "other")
    assert (install.cells[1].state, install.cells[1].fill, install.cells[1].filled) == ("optional", "option", 700)
    assert [y.net for y in paint.cells] == [300, 200]
    goods = sum(q * Decimal(p) for _, q, p in whole)
    assert found.bids[0].equal_net == goods + 1300
    assert found.bids[1].equal_net == goods + 200 + 700 - 50
    assert "unmatched-line" in codes(found.bids[0], "warning")
    assert "validity-unknown" in codes(found.bids[1], "warning")
    assert found.bids[0].technical.runs
    assert not found.bids[0].technical.cheapest_proven  # the time was up


@pytest.mark.parametrize(
    "platform, supply, pieces, fits",
    [
        ("supermicro-sys-421ge-tnrt", "supermicro-2700-w-titanium-sys-421ge", 4, True),
        ("supermicro-sys-421ge-tnrt", "supermicro-2000-w-titanium-4u-gpu", 4, False),
        ("supermicro-sys-421ge-tnrt", "supermicro-2700-w-titanium-sys-421ge", 3, False),
        ("nvidia-dgx-h100", "nvidia-dgx-h100-h200-b200-3.3-kw", 6, True),
    ],
)
def test_supplies_beside_a_platform_that_comes_with_them(
    catalog: Catalog,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    supply: str,
    pieces: int,
    fits: bool,
) -> None:
    """An X-ray and a comparison say the same: the same supplies are those inside, others fail the rule."""
    monkeypatch.setattr("optimizer.procurement.bids.technical.MEND_SECONDS", 0.01)
    rows = [(platform, 1, "20000"), ("nvidia-l40s-48gb", 4, "8000"), ("amd-epyc-9554", 2, "4000")]
    rows = [*(rows if "dgx" not in platform else rows[:1]), (supply, pieces, "700")]
    quote = offer(catalog, tmp_path, "a", rows)
    seen = {c.text for c in xray(quote, SMALL, catalog=catalog, search=False).checks if c.status == "fail"}
    bid = quick([quote, quote], catalog).bids[0]
    assert ("power supplies come with the platform, none can be added" in seen) is not fits
    assert {c.text for c in bid.technical.failed} == seen


def test_what_nobody_prices_is_told(catalog: Catalog, tmp_path: Path, whole: list[tuple[str, int, str]]) -> None:
    a = offer(catalog, tmp_path, "a", whole)
    b = offer(catalog, tmp_path, "b", whole[1:])
    path = tmp_path / "list.csv"
    path.write_text("Currency: USD\nPart Number,Description,Qty,Unit price\nX-1,Some gadget,1,5\n")
    found = quick([a, b, read(path, catalog)], catalog, fill="median")
    assert found.bids[2].technical.build == ""
    assert "no-build" in codes(found.bids[2], "error")
    assert {"tax-basis-unknown", "unmatched-line"} <= codes(found.bids[2], "warning")
    assert not found.bids[2].responsive
    lost = next(y for x in found.items for y in [x.cells[1]] if whole[0][0] in x.cells[0].parts)
    assert lost.fill == "other" and lost.filled  # one price of another bid is no median


def test_doubts_of_a_file(catalog: Catalog, tmp_path: Path, whole: list[tuple[str, int, str]]) -> None:
    """No currency, tax at two rates, a line twice, a price in a hidden row: each is told, none is settled silently."""
    path = tmp_path / "x.csv"
    rows = "".join(f"{p},{q},{price},0.13\n" for p, q, price in whole)
    path.write_text(
        f"Part Number,Qty,Unit price incl. VAT,VAT rate\n{rows}{rows.splitlines()[0]}\nFreight,1,100,0.06\n"
    )
    found = quick([read(path, catalog), offer(catalog, tmp_path, "a", whole)], catalog)
    said = codes(found.bids[0], "error", "warning")
    assert {"currency-unknown", "unclear-line", "validity-unknown"} <= said
    assert "tax-rates" in codes(found.bids[0], "note")  # 13 % of goods, 6 % of services are no mistake
    freight = item(found, "freight").cells[0]
    assert freight.net == cents(Decimal(100) / Decimal("1.06"))


def test_a_wrong_line_counts_by_its_unit_price(
    catalog: Catalog, tmp_path: Path, whole: list[tuple[str, int, str]]
) -> None:
    """Unless its decimal point is in a wrong place: then the total of the line counts (decree 87, article 59)."""
    path = tmp_path / "x.csv"
    rows = "".join(f"{p},{q},{price},{q * int(price)}\n" for p, q, price in whole)
    wrong = "Freight,2,100.00,230.00\nInstallation,2,50.00,1000.00\n"
    path.write_text(f"Currency: USD\nPart Number,Qty,Unit price excl. VAT,Total excl. VAT\n{rows}{wrong}")
    found = quick([read(path, catalog), offer(catalog, tmp_path, "a", whole)], catalog)
    assert item(found, "freight").cells[0].net == 200
    assert item(found, "installation").cells[0].net == 1000
    marks = [f for f in found.bids[0].flags if f.code == "arithmetic-error"]
    assert [f.values["stated"] for f in marks] == ["230.00", "1,000.00"]


def test_a_result_of_another_catalog(catalog: Catalog) -> None:
    """As a bid its prices stand and its build is judged where its parts are known; it is no crash where not."""
    result = solve(SMALL.model_copy(update={"budget_cents": 9_000_00}), catalog=catalog)
    p, memory = next((p, x.part) for p in result.front for x in p.bom if x.category == "memory")
    lost = replace(catalog, parts={k: v for k, v in catalog.parts.items() if k != memory}, sha256="e" * 64)
    bid = FromResult("r.json", result, p)
    found = quick([bid, bid], lost)
    assert [b.offered_net for b in found.bids] == [Decimal(p.cost.total)] * 2
    assert all("no-build" in codes(b, "error") for b in found.bids)


@pytest.mark.parametrize("seed", one_in(3, range(4)))
def test_unseen_bids(catalog: Catalog, tmp_path: Path, seed: int) -> None:
    """Random goods, currencies and taxes: every line is in one item, every sum is that of its cells."""
    books = {f"seed{seed}": workbook(random_comparison(catalog, tmp_path, seed), Words("both"))}
    assert len(values_of(books[f"seed{seed}"]).sheetnames) == 9


def random_comparison(catalog: Catalog, folder: Path, seed: int) -> Comparison:
    rng = random.Random(seed)
    parts = sorted(p for p in catalog.parts if catalog.parts[p].kind.value in ("cpu", "memory", "drive", "nic", "psu"))
    words = ["Freight", "Montage", "三年质保", "Training", "Odd thing"]
    found = []
    for n in range(rng.randint(2, 5)):
        currency, gross = rng.choice(["USD", "CNY", "EUR", "JPY"]), rng.random() < 0.5
        rows = [[p, rng.randint(1, 40)] for p in rng.sample(parts, rng.randint(1, 8))]
        rows += [[w, 1] for w in rng.sample(words, 2)]
        rows += [["Freight leg", 1]] * (60 if seed == 12 and n == 1 else 0)  # more than a formula names one by one
        head = f"Unit price {'incl. VAT' if gross else 'excl. VAT'} ({currency})"
        text = f"Company {n} Ltd\nPart Number,Description,Qty,{head}\n"
        for p, qty in rows:
            price = f"{rng.randint(100, 10**6) / 100:.2f}"
            text += f"{catalog.parts[p].name if p in catalog.parts else ''},{p},{qty},{price}\n".replace(",,", ",")
        path = folder / f"r{seed}-{n}.csv"
        path.write_text(text, encoding="utf-8")
        found.append(read(path, catalog))
    c = quick(found, catalog, request=SMALL.model_copy(update={"currency": rng.choice(["USD", "EUR", "CNY", "JPY"])}),
              tax_percent=Decimal(rng.choice([0, 7, 19])))  # fmt: skip
    for i, b in enumerate(c.bids):
        firm = [x for x in b.lines if x.state in ("included", "in_system")]
        assert b.offered_net == sum(x.net for x in firm)
        outside = sum(x.cells[i].net or 0 for x in c.items if x.cells[i].outside)
        settled = b.offered_net - outside + sum(x.cells[i].filled or 0 for x in c.items)
        assert b.equal_net == (settled if b.complete else None)
        assert all(1 <= x.item <= len(c.items) for x in b.lines)
        for x in c.items:
            own = sum((y.net for y in firm if y.item == x.number), Decimal(0))
            assert (x.cells[i].net or 0) == own
    assert json.loads(c.model_dump_json())
    return c


LIVE = {"fx_eur": 1.25, "tax_rate": 0.19, "weight_price": 60, "weight_throughput": 5}
"""Inputs changed in the workbook, and the same as terms of a new comparison."""


def headline(data: bytes) -> str:
    """What the first sheet says of the best bid."""
    page = values_of(data)["Summary"]
    return next(str(c.value) for row in page.iter_rows() for c in row if "responsive bids" in str(c.value))


def best_of(c: Comparison) -> str:
    best = next(b for b in c.bids if b.id == c.recommended)
    return f"{best.id}  {best.vendor or best.source}"


def loser_first(data: bytes, c: Comparison) -> bytes:
    """The workbook with every weight on the criterion that puts another bid than the best first."""
    ranked = [b for b in c.bids if b.rank is not None]
    for w in c.weights:
        points = {b.id: next(p.share for p in b.points if p.key == w.key) for b in ranked}
        if max(points.values()) > points[c.recommended or ""]:
            return with_inputs(data, **{f"weight_{x.key}": 100 if x.key == w.key else 0 for x in c.weights})
    raise AssertionError("one bid is the best by every criterion")


def test_the_green_row_is_a_formula(tender: Comparison) -> None:
    """No row of the summary is coloured for good: a condition over the ranks is."""
    book = openpyxl.load_workbook(io.BytesIO(workbook(tender, Words("en"))))
    page = book["Summary"]
    assert not [c for row in page.iter_rows() for c in row if str(c.fill.fgColor.rgb).endswith("E2EFDA")]
    shapes = [r for rules in page.conditional_formatting for r in rules.rules]
    ranked = [b for b in tender.bids if b.rank is not None]
    assert shapes and all("rank_" in r.formula[0] for r in shapes) and len(shapes) == 2 * len(ranked)


@needs_office
def test_workbooks_recalculated(
    tender: Comparison, bids: list[Quote], catalog: Catalog, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cached, computed by Python and by LibreOffice: the same to the cent, with inputs changed too."""
    books = {x: workbook(tender, Words(x)) for x in ("en", "both")}
    books |= {
        f"random{n}": workbook(random_comparison(catalog, tmp_path, n), Words("en")) for n in sampled(2, (11, 12))
    }
    path = tmp_path / "list.csv"
    path.write_text("Currency: USD\nPart Number,Description,Qty,Unit price\nX-1,Some gadget,1,5\n")
    lacking = quick([bids[1], read(path, catalog)], catalog, request=ASKED, fill="catalog")
    card = item(lacking, "nic").cells  # nobody offers what the rules demand of the first alone
    assert [x.fill for x in card] == ["catalog", ""]
    assert [x.role for x in lacking.items].index("nic") < [x.role for x in lacking.items].index("warranty")
    books["lacking"] = workbook(lacking, Words("en"))
    others = {"changed": with_inputs(books["en"], **LIVE), "flipped": loser_first(books["en"], tender)}
    done = recalculated(tmp_path_factory.mktemp("office"), {**books, **others})
    again = {k: values_of(v) for k, v in done.items()}
    count = 0
    for name, book in books.items():
        stored = values_of(book)
        for sheet, cell in formulas(book):
            mine, theirs = stored[sheet][cell].value, again[name][sheet][cell].value
            count += 1
            if isinstance(mine, str) or mine is None:
                assert (mine or "") == (theirs or ""), (name, sheet, cell)
            else:
                assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-9), (name, sheet, cell)
    assert count > 500
    for b in tender.bids:
        assert f"{named(again['en'], f'equal_net_{b.id}'):.2f}" == str(b.equal_net)
    rate = ExchangeRate(currency="EUR", usd_per_unit=Decimal("1.25"), date=DAY, source="test")
    new = compare(
        bids, ASKED, catalog=catalog, tax_percent=Decimal(19), rates=[rate], time_limit_s=0.001,
        weights="price=60,throughput=5,rules=10,power=5,delivery=10,warranty=10", fill="median", demand="freight",
    )  # fmt: skip
    for b in new.bids:
        assert f"{named(again['changed'], f'equal_net_{b.id}'):.2f}" == str(b.equal_net)
        assert f"{named(again['changed'], f'equal_gross_{b.id}'):.2f}" == str(b.equal_gross)
        score, rank = (named(again["changed"], f"{x}_{b.id}") for x in ("score", "rank"))
        assert (score, rank) == ("–", "–") if b.rank is None else (f"{score:.2f}", rank) == (str(b.score), b.rank)
    assert [b.score for b in new.bids] != [b.score for b in tender.bids]
    for found, said in ((tender, done["en"]), (new, done["changed"])):
        assert headline(said) == f"Best of the responsive bids: {best_of(found)}"
    flipped = done["flipped"]
    assert headline(flipped) != headline(done["en"])
    first = next(b for b in tender.bids if named(values_of(flipped), f"rank_{b.id}") == 1)
    assert headline(flipped) == f"Best of the responsive bids: {first.id}  {first.vendor or first.source}"


def test_workbook_is_printable_and_locked(tender: Comparison) -> None:
    raw = workbook(tender, Words("zh"))
    assert raw == workbook(tender, Words("zh"))
    book = openpyxl.load_workbook(io.BytesIO(raw))
    assert book.sheetnames[0] == "汇总"
    for sheet in book:
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_area
        assert sheet.protection.sheet
        assert all(c.protection.locked for row in sheet.iter_rows() for c in row if c.data_type == "f")
    ((name, cell),) = book.defined_names["weight_price"].destinations
    assert not book[name][cell].protection.locked


values = st.builds(
    Values,
    price=st.decimals(1, 10**8, places=2),
    throughput=st.none() | st.decimals(1, 10**5, places=1),
    rules=st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)]),
    power=st.none() | st.decimals(Decimal("0.01"), 100, places=2),
    delivery=st.none() | st.integers(0, 400),
    warranty=st.none() | st.integers(0, 120),
    responsive=st.booleans(),
)


@settings(max_examples=examples(60))
@given(st.lists(values, min_size=2, max_size=6))
def test_scores(found: list[Values]) -> None:
    by = weights(None, Policy())
    out = scored(found, by)
    scores = [x.score for x in out if x.score is not None]
    assert len(scores) == sum(v.responsive for v in found)
    alone = [v for v in found if v.responsive]
    assert [x for x in out if x.rank] == scored(alone, by)  # what can't be awarded moves nobody's points
    for x, v in zip(out, found, strict=True):
        points, score, rank = x.points, x.score, x.rank
        if not v.responsive:
            assert (points, score, rank) == ((), None, None)
            continue
        assert score is not None
        assert score == sum(p.points for p in points)
        assert 0 <= score <= 100
        assert rank == 1 + sum(s > score for s in scores)
        for p, w in zip(points, by, strict=True):
            assert 0 <= p.points <= w.weight
            assert p.value is not None or p.points == 0
        i = next(n for n, y in enumerate(found) if y is v)
        worse = [replace(y, price=y.price * 2) if y is v else y for y in found]
        assert scored(worse, by)[i].points[0].points <= points[0].points
    fit = [v.price for v in found if v.responsive]
    if fit:
        best = next(x.points for x, v in zip(out, found, strict=True) if v.responsive and v.price == min(fit))
        assert best[0].points == by[0].weight


def test_weights(tmp_path: Path) -> None:
    def given_(text: str) -> dict[str, Decimal]:
        return {w.key: w.weight for w in weights(text, Policy())}

    assert sum(given_("price=30,technical=50,service=20").values()) == 100
    assert given_("price=30,technical=50,service=20")["throughput"] == Decimal("31.25")
    thirds = Policy().with_settings([f"compare.weight_{k}=1" for k in ("throughput", "rules", "power")])
    assert sum(w.weight for w in weights("price=60,technical=40", thirds)) == 100
    path = tmp_path / "w.toml"
    path.write_text("[weights]\nprice = 70\nthroughput = 30\n")
    assert given_(str(path))["throughput"] == 30
    for text in ("price=30", "price=abc", "colour=100", "price=50,price=50", "technical=50,rules=50", "nowhere.toml"):
        with pytest.raises(InputError) as e:
            weights(text, Policy())
        assert e.value.faults[0].column == "--weights"
    assert list(given_("price=100")) == list(KEYS)


@pytest.mark.parametrize(
    ("text", "days"),
    [("6-8 weeks", 56), ("4周", 28), ("ab Lager", 0), ("现货", 0), ("10 Wochen", 70), ("30天", 30), ("2个月", 60),
     ("on request", None), ("", None), ("5 working days", 7), ("2 Werktage", 3), ("3-5 Arbeitstage", 7),
     ("10个工作日", 14), ("7-10 business days", 14), ("3 Arbeitstagen", 5), ("5 営業日", 7), ("10 calendar days", 10),
     ("10 Kalendertage", 10), ("next business day", None)],
)  # fmt: skip
def test_lead_times(text: str, days: int | None) -> None:
    assert lead_days(text) == days


@pytest.mark.parametrize(
    ("header", "cell", "days"),
    [("Lead time (weeks)", "6", 42), ("Lead time days", "14", 14), ("货期（天）", "30", 30), ("交货周期(周)", "4", 28),
     ("Lieferzeit in Werktagen", "5", 7), ("Lieferzeit [Wochen]", "3.0", 21), ("Lead time (weeks)", "5 days", 5),
     ("Lead time", "14", None), ("Delivery", "3", None), ("Lead time (weeks)", "in stock", 0)],
)  # fmt: skip
def test_a_bare_lead_time_has_the_unit_of_its_header(
    header: str, cell: str, days: int | None, tmp_path: Path, catalog: Catalog
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"Currency: USD\nPart Number,Description,Qty,Unit price,{header}\n,EPYC 9654,2,6000,{cell}\n")
    (line,) = read(path, catalog).lines
    assert lead_days(line.lead_time) == days
    assert ("lead-time-unit" in [issue.code for issue in line.issues]) == (days is None), "unknown, and told"


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("3-year next business day", 36),
        ("36 months", 36),
        ("原厂三年上门", 36),
        ("Garantie 24 Monate", 24),
        ("none", None),
    ],
)
def test_warranties(text: str, months: int | None) -> None:
    assert warranty_months(text) == months


def test_alignment_needs_no_order(catalog: Catalog, tender: Comparison) -> None:
    """Groups do not depend on the order of lines within bids."""
    lines = [list(b.lines) for b in tender.bids]

    def groups(found: list[list[Any]]) -> set[frozenset[tuple[int, str]]]:
        return {frozenset((i, x.text) for i, own in g.lines.items() for x in own) for g in aligned(found, catalog)}

    assert groups(lines) == groups([x[::-1] for x in lines])


def dearer(catalog: Catalog, part: str, factor: Decimal) -> Catalog:
    """The catalog with other prices of a part."""
    new = tuple(o.model_copy(update={"price": cents(o.price * factor)}) for o in catalog.offers[part])
    return replace(catalog, offers={**catalog.offers, part: new}, sha256="f" * 64)


def test_two_results(catalog: Catalog) -> None:
    """A price moved: the reason names it, and the parts' differences add up to that of their lines."""
    asked = SMALL.model_copy(update={"budget_cents": 12_000_00})

    def run(by: Catalog) -> Opened:
        data = json.loads(solve(asked, catalog=by).model_dump_json())
        return opened(data, "x.json", by)

    before = run(catalog)
    chosen = next(p for p in before.result.front if p.id == before.result.recommended)
    gpu, part = chosen.gpus.part, max(chosen.bom, key=lambda x: Decimal(x.line_total)).part
    for factor in (Decimal("1.01"), Decimal(9)):
        after = run(dearer(catalog, part, factor))
        found = changes(before, after)
        seen = {r.code for r in found.reasons}
        assert "catalog-changed" in seen
        now = next(p for p in after.result.front if p.id == after.result.recommended)
        lines = [sum(Decimal(x.line_total) for x in p.bom) for p in (chosen, now)]
        assert Decimal(found.parts_difference or 0) == lines[1] - lines[0]
        if factor < 2 and now.gpus.part == gpu:
            assert "price-moved" in seen
        if now.gpus.part != gpu:
            assert "old-build-now" in seen
        assert len(values_of(changes_workbook(found, Words("zh"))).sheetnames) == 3
    same = changes(before, before)
    assert [r.code for r in same.reasons] == ["same-build"]
    assert {p.status for p in same.front} == {"kept"}


def call(*args: object) -> Any:
    return CliRunner().invoke(app, ["compare", *map(str, args), "--as-of", "2026-11-24", "--time-limit", "0.1"])


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "比价表.xlsx"
    asked = [FILES[0], FILES[2], "--model", "v3-671b", "--have", "racks,network"]
    done = call(*asked, "-o", out, "--lang", "zh", "--tax", "13%")
    assert done.exit_code == 0, done.output
    assert "Alder Systems Inc." in done.stdout and "名次" in done.stdout
    assert values_of(out.read_bytes()).sheetnames[1] == "分项比价"
    held = out.read_bytes()
    again = call(*asked, "-o", out)
    assert isinstance(again.exception, InputError)
    assert again.exception.faults[0].code == "output-exists"
    assert out.read_bytes() == held
    data = json.loads(call(*asked, "--json", "--weights", "price=100").stdout)
    assert Comparison.model_validate(data).weights[0].weight == 100

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "link", interrupt)  # what gives a new file its name, where nothing may be replaced
    new = tmp_path / "new.xlsx"
    stopped = call(*asked, "-o", new)
    assert stopped.exit_code != 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [out.name]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--model", "v3-671b"], "bad-bids"),
        ([FILES[1]], "bad-model"),
        ([FILES[1], "--model", "v3-671b", "--currency", "XXX"], "bad-currency"),
        ([FILES[1], "--model", "v3-671b", "--weights", "price=10"], "bad-weights"),
        ([FILES[1], "--model", "v3-671b", "--map", "nobody=x.toml"], "bad-map"),
        ([FILES[1], "--model", "v3-671b", "-o", "x.docx"], "bad-format"),
        ([FILES[1], "--model", "v3-671b", "--lang", "fr"], "bad-language"),
        (["nowhere.csv", "--model", "v3-671b"], "no-file"),
    ],
)
def test_refusals(args: list[object], code: str) -> None:
    done = call(FILES[0], *args)
    assert isinstance(done.exception, InputError), done.output
    assert done.exception.exit_code == 3
    assert code in {f.code for f in done.exception.faults}


def test_rates(tmp_path: Path, catalog: Catalog) -> None:
    """A bid in a currency without a rate is not comparable; with one it counts."""
    swiss = Path("examples/procurement/alpen-tower.csv")
    done = call(swiss, FILES[0], "--model", "v2-lite", "--json")
    assert done.exit_code == 5
    assert Comparison.model_validate(json.loads(done.stdout)).bids[0].apart == "rate"
    done = call(swiss, swiss, "--model", "v2-lite")
    assert isinstance(done.exception, InputError)
    assert {(f.code, f.value) for f in done.exception.faults} == {("no-rate", "CHF")}
    path = tmp_path / "fx.csv"
    path.write_text("currency,usd_per_unit,date,source\nCHF,1.25,2026-11-24,test\n")
    done = call(swiss, FILES[0], "--model", "v2-lite", "--fx", path, "--currency", "USD", "--json")
    found = Comparison.model_validate(json.loads(done.stdout))
    assert found.bids[0].offered_net == sum(cents(x.qty * x.price * Decimal("1.25")) for x in found.bids[0].lines)


def test_example_files_are_what_make_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(TENDER / "make.py"), str(tmp_path)], check=True, timeout=60)
    for p in FILES:
        assert (tmp_path / p.name).read_bytes() == p.read_bytes()


def test_the_page_tells_what_comes_out(tender: Comparison) -> None:
    """The figures of docs/compare.md are those of the comparison that it shows."""
    page = Path("docs/compare.md").read_text(encoding="utf-8")
    for b in tender.bids:
        t = b.technical
        assert t.throughput is not None
        cells = [
            b.id, b.vendor, f"{b.equal_net:,}", f"{b.filled_net:,}", f"{t.throughput.output_tok_s:,.1f}",
            f"{t.throughput.low:,.0f}–{t.throughput.high:,.0f}", f"{t.money_per_tok_s:,}", f"{t.w_per_tok_s}",
            f"{t.above_percent} %", f"{b.score or '–'}", f"{b.rank or '–'}",
        ]  # fmt: skip
        assert f"| {' | '.join(cells)} |" in page


def test_a_change_is_split_into_price_and_quantity(catalog: Catalog) -> None:
    """One piece more of each part, each 10 dearer: 10 x pieces now by price, a piece at the old price by quantity."""
    result = solve(SMALL.model_copy(update={"budget_cents": 9_000_00}), catalog=catalog)
    p = next(p for p in result.front if all(x.role == "node" for x in p.bom))
    more = [
        x.model_copy(
            update={
                "qty": x.qty + 1, "unit_price": str(Decimal(x.unit_price) + 10),
                "line_total": str((x.qty + 1) * (Decimal(x.unit_price) + 10)),
            }
        )
        for x in p.bom
    ]  # fmt: skip
    points = [p, p.model_copy(update={"bom": more})]
    one, two = (Opened("r", result.model_copy(update={"front": [x], "recommended": p.id}), None) for x in points)
    found = changes(one, two)
    assert found.parts
    for c, x in zip(found.parts, p.bom, strict=True):
        assert Decimal(c.by_price) == 10 * (x.qty + 1)
        assert Decimal(c.by_quantity) == Decimal(x.unit_price)
