"""`dsopt award` on bids: who gets what by hand arithmetic, who is out and why, terms that are wrong, orders that other
programs take."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from lxml import etree
from typer.testing import CliRunner

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.library import award, compare
from optimizer.procurement.award.award import NoAward
from optimizer.procurement.award.order_files import ERPNEXT, ODOO, as_erpnext, as_odoo, as_ubl
from optimizer.procurement.award.orders import purchase_orders
from optimizer.procurement.award.schema import Award
from optimizer.procurement.award.terms import AwardTerms, read_terms
from optimizer.procurement.award.workbook import order_workbook, workbook
from optimizer.procurement.bids.schema import Comparison
from optimizer.procurement.reading.reader import read
from optimizer.text.languages import Words
from tests.support.office import OFFICE, formulas, opened, recalculated

FOLDER = Path("examples/procurement/award")
TENDER = Path("examples/procurement/tender")
FILES = [FOLDER / name for name in ("ostsee.csv", "pinnacle.csv", "querin.csv")]
UBL = Path("tests/data/ubl-2.1/maindoc/UBL-Order-2.1.xsd")
DAY = date(2026, 11, 24)
ASKED = Request(grade="floor", model="v3-671b", users=32, as_of=DAY, have=frozenset({"racks", "network"}))
ASK = ["--model", "v3-671b", "--users", "32", "--have", "racks,network", "--as-of", "2026-11-24", "--tax", "13%"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


@pytest.fixture(scope="module")
def compared(catalog: Catalog) -> Comparison:
    bids = [read(path, catalog) for path in FILES]
    return compare(bids, ASKED, catalog=catalog, tax_percent=Decimal(13), time_limit_s=0.001)


@pytest.fixture(scope="module")
def split(compared: Comparison, catalog: Catalog) -> Award:
    return award(compared, read_terms(FOLDER / "terms.toml"), "lines", catalog=catalog)


def stated(path: Path) -> dict[str, int]:
    """Dollars of each line of a bid's file, by the first word of its text."""
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    start = next(k for k, row in enumerate(rows) if row[0] == "Item")
    return {(row[1] or row[2]): int(row[3]) * int(Decimal(row[4])) for row in rows[start + 1 :] if row[0]}


def terms(**values: Any) -> AwardTerms:
    return AwardTerms.model_validate(values)


def test_the_award_by_hand(split: Award) -> None:
    """Querin's memory is the cheapest, but it takes no order below 30,000: drives and cards go with it though its
    drives are dearer. Pinnacle gets the rest, at free freight."""
    pinnacle, querin = stated(FILES[1]), stated(FILES[2])
    small = [name for name in querin if "Freight" not in name]
    rest = [name for name in pinnacle if name not in small and "Freight" not in name]
    assert {order.bid: order.goods for order in split.orders} == {
        "B": sum(pinnacle[name] for name in rest), "C": sum(querin[name] for name in small),
    }  # fmt: skip
    assert split.net == sum(pinnacle[name] for name in rest) + sum(querin.values())
    assert sum(querin[name] for name in small) - querin["PM9A3 3.84TB"] < 30_000
    assert querin["PM9A3 3.84TB"] > min(stated(FILES[0])["PM9A3 3.84TB"], pinnacle["PM9A3 3.84TB"])


def test_the_best_single_bidder_and_the_saving(split: Award) -> None:
    """A's rebate of 2.5 % makes it the best for everything."""
    ostsee, pinnacle = stated(FILES[0]), stated(FILES[1])
    goods = sum(x for name, x in ostsee.items() if "Freight" not in name)
    off = (Decimal(goods) * Decimal("0.025")).quantize(Decimal("0.01"), ROUND_HALF_UP)
    alone = {one.bid: one.net for one in split.alone}
    assert alone["A"] == goods - off + ostsee["Freight, insured"]
    assert alone["B"] == sum(x for name, x in pinnacle.items() if "Freight" not in name)
    assert alone["C"] is None and split.best_alone == "A"
    assert split.saving == alone["A"] - split.net > 0


def test_conditions_have_the_price_of_the_award_without_them(
    split: Award, compared: Comparison, catalog: Catalog
) -> None:
    given = read_terms(FOLDER / "terms.toml")
    prices = {(x.kind, x.bid): x.price for x in split.conditions}
    changes: dict[tuple[str, str], AwardTerms] = {
        ("bidders", ""): given.model_copy(update={"max_bidders": None}),
        ("set", ""): given.model_copy(update={"set": ()}),
        ("minimum", "C"): given.model_copy(
            update={"bidder": tuple(x.model_copy(update={"minimum_order": Decimal(0)}) if x.bid == "querin" else x
                                    for x in given.bidder)}
        ),
        ("rebate", "A"): given.model_copy(
            update={"bidder": tuple(x.model_copy(update={"rebate": ()}) for x in given.bidder)}
        ),
    }  # fmt: skip
    for key, changed in changes.items():
        assert prices[key] == split.net - award(compared, changed, "lines", catalog=catalog).net, key
    assert prices["minimum", "C"] > 0


def test_one_bidder_for_all(compared: Comparison, catalog: Catalog) -> None:
    found = award(compared, read_terms(FOLDER / "terms.toml"), catalog=catalog)
    assert [order.bid for order in found.orders] == ["A"] and found.saving == 0
    bare = award(compared, catalog=catalog)
    assert bare.net == min(one.net for one in bare.alone if one.net is not None)


def test_lots(compared: Comparison, catalog: Catalog) -> None:
    lots = [
        {"name": "machine", "lines": ["gpu", "platform", "cpu", "warranty", "installation", "training"]},
        {"name": "parts", "lines": ["memory", "drive", "nic"]},
    ]
    found = award(compared, terms(lot=lots), "lots", catalog=catalog)
    for lot in ("machine", "parts"):
        assert len({line.winner for line in found.lines if line.lot == lot}) == 1
    with pytest.raises(InputError, match="no-lots"):
        award(compared, terms(), "lots", catalog=catalog)
    twice = [*lots, {"name": "again", "lines": ["memory"]}]
    with pytest.raises(InputError, match="line-in-lots"):
        award(compared, terms(lot=twice), "lots", catalog=catalog)


def test_a_machine_stays_with_one_bidder(catalog: Catalog) -> None:
    """Bids of different designs are not mixed: their parts come from one bidder unless the terms say otherwise."""
    bids = [read(TENDER / name, catalog) for name in ("alder.xlsx", "baiyun.xlsx")]
    asked = ASKED.model_copy(update={"currency": "CNY"})
    found = award(compare(bids, asked, catalog=catalog, time_limit_s=0.001), None, "lines", catalog=catalog)
    machine = [line for line in found.lines if line.role in ("platform", "gpu", "cpu", "memory", "warranty")]
    assert len(machine) > 3 and len({line.winner for line in machine}) == 1
    assert "freight" not in {line.role for line in found.lines}, "freight is a term of its bidder"


def test_bids_that_cannot_be_awarded_are_out_with_the_reason(catalog: Catalog) -> None:
    """Corvus' bid is no longer valid on the day."""
    bids = [read(TENDER / name, catalog) for name in ("alder.xlsx", "corvus.csv")]
    found = award(compare(bids, ASKED, catalog=catalog, time_limit_s=0.001), None, "lines", catalog=catalog)
    out = [x for x in found.excluded if x.whole]
    assert [(x.bid, x.code) for x in out] == [("B", "expired")]
    assert {order.bid for order in found.orders} == {"A"}


def test_no_award_says_what_stands_in_the_way(compared: Comparison, catalog: Catalog) -> None:
    low = terms(max_bidders=1, bidder=[{"bid": b, "minimum_order": 10_000_000} for b in ("A", "B")])
    with pytest.raises(NoAward) as refused:
        award(compared, low, "lines", catalog=catalog)
    assert refused.value.exit_code == 4
    assert {"minimum order of A", "minimum order of B"} <= {f.text.rsplit(": ", 1)[1] for f in refused.value.faults}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("max_bidders = 0", "bad-terms"),
        ("colour = 1", "bad-terms"),
        ("[[bidder]]\nbid = 'nobody'", "no-bid"),
        ("[[bidder]]\nbid = 'A'\n[[bidder]]\nbid = 'ostsee'", "bad-terms"),
        ("[[set]]\nname = 'x'\nlines = [99]", "no-such-line"),
        ("[[set]]\nname = 'x'\nlines = ['toaster']", "no-such-line"),
        ("[[bidder]]\nbid = 'A'\n[[bidder.rebate]]\nfrom = 100", "bad-terms"),
        ("[[bidder]]\nbid = 'A'\n[[bidder.rebate]]\nfrom = 0\npercent = 1", "bad-terms"),
        ("[[bidder]]\nbid = 'A'\n[[bidder.rebate]]\nfrom = 10\namount = 11", "bad-terms"),
        ("[[bidder]]\nbid = 'A'\nminimum_order = -1", "bad-terms"),
        ("currency = 'XYZ'\n[[bidder]]\nbid = 'A'\nminimum_order = 1", "no-rate"),
        ("max_bidders = = 2", "bad-terms"),
    ],
)
def test_wrong_terms(written: str, code: str, compared: Comparison, catalog: Catalog, tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text(written, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        award(compared, read_terms(file), "lines", catalog=catalog)
    assert refused.value.faults[0].code == code and refused.value.exit_code == 3


def test_terms_in_another_currency(catalog: Catalog) -> None:
    """7,000 CNY of freight are 1,000.00 USD at the policy's 7.00."""
    bids = [read(TENDER / name, catalog) for name in ("alder.xlsx", "baiyun.xlsx")]
    compared = compare(bids, ASKED, catalog=catalog, time_limit_s=0.001)
    own = terms(currency="CNY", bidder=[{"bid": "alder", "freight": 7000}, {"bid": "baiyun", "freight": "99999999"}])
    order = award(compared, own, catalog=catalog).orders[0]
    assert (order.bid, order.freight) == ("A", Decimal("1000.00"))


def test_a_break_even_price_wins_and_a_dollar_more_does_not(
    split: Award, compared: Comparison, catalog: Catalog
) -> None:
    """The line is priced anew at the break-even price and awarded again; a cent above may tie, a dollar does not."""
    lost = next(x for x in split.bargains if x.bid == "A" and x.title.startswith("NVIDIA HGX"))
    assert not lost.wins and lost.break_even is not None and lost.break_even < lost.quoted
    for change, wins in ((Decimal(0), True), (Decimal(1), False)):
        cell = compared.items[lost.number - 1].cells[0]
        repriced = cell.model_copy(update={"net": lost.break_even + change})
        item = compared.items[lost.number - 1]
        items = [
            item.model_copy(update={"cells": (repriced, *item.cells[1:])}) if x is item else x for x in compared.items
        ]
        anew = compared.model_copy(update={"items": tuple(items)})
        found = award(anew, read_terms(FOLDER / "terms.toml"), "lines", catalog=catalog)
        assert (next(x for x in found.lines if x.number == lost.number).winner == "A") is wins


def test_an_estimate_is_no_target(split: Award) -> None:
    for x in split.bargains:
        others = [amount for amount in (x.quoted, x.lowest_other) if amount is not None]
        assert x.target <= min(others)
        if "estimate" in x.catalog_source or "stale" in x.catalog_source:
            assert x.target == min(others)


def test_orders_add_up_to_the_award(split: Award, compared: Comparison) -> None:
    orders = purchase_orders(split, compared, buyer="Example University")
    assert [order.number for order in orders] == ["PO-20261124-B", "PO-20261124-C"]
    for order, given in zip(orders, split.orders, strict=True):
        assert (order.net, order.tax, order.gross) == (given.net, given.tax, given.gross)
        assert order.goods == sum(line.net for line in order.lines)
    with pytest.raises(InputError, match="bad-number"):
        purchase_orders(split, compared, "../evil")


def test_an_order_is_in_its_bids_own_currency(catalog: Catalog) -> None:
    """Baiyun quotes yuan with tax: its order is in yuan net, to the cent of its gross prices."""
    bids = [read(TENDER / name, catalog) for name in ("baiyun.xlsx", "alder.xlsx")]
    compared = compare(bids, ASKED, catalog=catalog, time_limit_s=0.001)
    found = award(compared, terms(drop=["nic"]), catalog=catalog)
    orders = {order.bid: order for order in purchase_orders(found, compared)}
    if "A" in orders:
        order = orders["A"]
        assert order.currency == "CNY"
        sheet = openpyxl.load_workbook(TENDER / "baiyun.xlsx", data_only=True).active
        prices = [(row[4].value, row[6].value) for row in sheet.iter_rows(min_row=6, max_row=12)]
        net = [(qty * Decimal(str(p)) / Decimal("1.13")).quantize(Decimal("0.01"), ROUND_HALF_UP) for qty, p in prices]
        assert [line.net for line in order.lines] == net
        assert {line.tax_percent for line in order.lines} == {Decimal("13")}
    else:
        assert orders["B"].currency == "USD"


@pytest.fixture(scope="module")
def schema() -> Iterator[etree.XMLSchema]:
    yield etree.XMLSchema(etree.parse(str(UBL)))


def test_ubl_orders_are_valid(split: Award, compared: Comparison, schema: etree.XMLSchema) -> None:
    for order in purchase_orders(split, compared, buyer="Example & Söhne <GmbH>"):
        document = etree.fromstring(as_ubl(order))
        schema.assertValid(document)
        space = {"cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
                 "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"}  # fmt: skip
        total = Decimal(document.findtext("cac:AnticipatedMonetaryTotal/cbc:PayableAmount", namespaces=space))
        lines = document.findall("cac:OrderLine/cac:LineItem/cbc:LineExtensionAmount", space)
        assert total == order.gross and sum(Decimal(x.text) for x in lines) == order.goods
        assert document.findtext("cac:BuyerCustomerParty/cac:Party/cac:PartyName/cbc:Name", namespaces=space) == (
            "Example & Söhne <GmbH>"
        )


def test_a_wrong_ubl_order_is_seen(split: Award, compared: Comparison, schema: etree.XMLSchema) -> None:
    order = purchase_orders(split, compared)[0]
    document = etree.fromstring(as_ubl(order).replace(b"IssueDate", b"IssuedDate"))
    assert not schema.validate(document)


@pytest.mark.parametrize(("write", "head", "qty", "price"), [(as_odoo, ODOO, 7, 8), (as_erpnext, ERPNEXT, 6, 8)])
def test_csv_for_other_programs(
    write: Any, head: tuple[str, ...], qty: int, price: int, split: Award, compared: Comparison
) -> None:
    """Order fields in an order's first row alone; quantity x price of all rows is what the orders come to, net."""
    orders = purchase_orders(split, compared)
    rows = list(csv.reader(io.StringIO(write(orders).decode("utf-8-sig"))))
    assert tuple(rows[0]) == head and all(len(row) == len(head) for row in rows)
    assert sum(Decimal(row[qty]) * Decimal(row[price]) for row in rows[1:]) == split.net
    assert [row[0] for row in rows[1:] if row[0]] == (
        [order.number.lower() for order in orders] if write is as_odoo else [order.vendor for order in orders]
    )


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice (soffice) is not installed")
def test_workbooks_recalculate_to_their_own_values(split: Award, compared: Comparison, tmp_path: Path) -> None:
    books = {"award": workbook(split, Words("both"))}
    books |= {order.bid: order_workbook(order, Words("zh")) for order in purchase_orders(split, compared)}
    again = recalculated(tmp_path, books)
    for name, data in books.items():
        before, after = opened(data), opened(again[name])
        places = formulas(data)
        assert places
        for sheet, cell in places:
            assert after[sheet][cell].value == pytest.approx(before[sheet][cell].value, abs=1e-9), (name, sheet, cell)


def test_the_command(tmp_path: Path) -> None:
    run = CliRunner()
    line = ["award", *map(str, FILES), *ASK, "--lines", "--terms", str(FOLDER / "terms.toml")]
    out, orders = tmp_path / "award.json", tmp_path / "orders"
    done = run.invoke(app, [*line, "-o", str(out), "--orders", str(orders), "--json"], catch_exceptions=False)
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert said == json.loads(out.read_text(encoding="utf-8")) and Award.model_validate(said).net == Decimal(
        said["net"]
    )
    assert sorted(x.name for x in orders.iterdir()) == [
        "PO-20261124-B.xlsx", "PO-20261124-B.xml", "PO-20261124-C.xlsx", "PO-20261124-C.xml", "erpnext.csv", "odoo.csv",
    ]  # fmt: skip
    assert "output-exists" in str(run.invoke(app, [*line, "--orders", str(orders)]).exception)
    assert run.invoke(app, [*line, "--orders", str(orders), "--force"], catch_exceptions=False).exit_code == 0
    assert run.invoke(app, [*line, "--lots"]).exit_code == 2
    assert "is a file" in str(run.invoke(app, [*line, "--orders", str(out)]).exception)
    assert not (tmp_path / "deep").exists()
    assert run.invoke(app, [*line, "--orders", str(tmp_path / "deep" / "er")], catch_exceptions=False).exit_code == 0
    assert len(list((tmp_path / "deep" / "er").iterdir())) == 6


def test_the_command_speaks_chinese() -> None:
    line = ["award", *map(str, FILES), *ASK, "--lines", "--terms", str(FOLDER / "terms.toml"), "--lang", "zh"]
    done = CliRunner().invoke(app, line, catch_exceptions=False)
    assert "拆分授标比整包最低的 A 节省" in done.stdout and "The split" not in done.stdout
