"""What an offer says twice counts once: variants, several sheets, an older offer, one of several servers."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from optimizer.procurement.bids.files import opened_files
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.reading.reader import read

HEAD = ["Part Number", "Description", "Qty", "Unit price EUR", "Total EUR"]


def offered(number: str, text: str, qty: int, price: int) -> list[Any]:
    return [number, text, qty, price, qty * price]


BASE = offered("AS-8125GS-TNHR", "Supermicro 8U", 1, 24000)
CPUS = offered("EPYC 9654", "CPU", 2, 5000)
H100 = [BASE, offered("HGX H100", "NVIDIA HGX H100 8-GPU baseboard", 1, 200000), CPUS]
H200 = [BASE, offered("HGX H200", "NVIDIA HGX H200 8-GPU baseboard", 1, 240000), CPUS]
DRIVES, SUPPORT = offered("PM9A3 7.68TB", "drive", 4, 1000), offered("SVC", "5 years support", 1, 9000)


def total(label: str, amount: int) -> list[Any]:
    return [None, label, None, None, amount]


@cache
def catalog() -> Catalog:
    return load()


def written(folder: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    path = folder / "q.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def amount(quote: Quote) -> Decimal:
    return sum((line.amount or Decimal(0) for line in quote.lines if not line.optional), Decimal(0))


def errors(quote: Quote) -> list[str]:
    return [issue.code for issue in quote.all_issues if issue.severity == "error"]


VARIANTS: dict[str, tuple[tuple[str, str], dict[str, list[list[Any]]]]] = {
    "sections": (("A", "B"), {"Q": [HEAD, ["Variant A: 8 x H100"], *H100, total("Total A", 234000),
                                   ["Variant B: 8 x H200"], *H200, total("Total B", 274000)]}),
    "sections called options": (("1", "2"), {"Q": [HEAD, ["Option 1: with 8 x H100"], *H100, total("Total", 234000),
                                                  ["Option 2: with 8 x H200"], *H200, total("Total", 274000)]}),
    "in Chinese": (("1", "2"), {"报价": [["名称", "描述", "数量", "单价(元)", "金额"],
                                       ["方案一"], *H100, ["方案二"], *H200]}),
    "sheets": (("1", "2"), {"Option 1": [HEAD, *H100, total("Total", 234000)],
                            "Option 2": [HEAD, *H200, total("Total", 274000)]}),
    "German sheets": (("A", "B"), {"Variante A": [HEAD, *H100], "Variante B": [HEAD, *H200]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", VARIANTS)
def test_variants_are_bids_of_their_own(kind: str, tmp_path: Path) -> None:
    names, sheets = VARIANTS[kind]
    path = written(tmp_path, sheets)
    first = read(path, catalog())
    assert first.variants == names and first.source == f"q.xlsx#{names[0]}" and amount(first) == 234000
    assert "variants" in [issue.code for issue in first.issues]
    second = read(tmp_path / f"q.xlsx#{names[1]}", catalog())
    assert amount(second) == 274000 and not errors(second) and not errors(first)
    assert "variants" not in [issue.code for issue in second.issues]
    bids = opened_files([path], [], catalog(), False, None).quotes
    assert [bid.source for bid in bids] == [f"q.xlsx#{name}" for name in names]
    one = opened_files([tmp_path / f"q.xlsx#{names[1]}"], [], catalog(), False, None).quotes
    assert [amount(bid) for bid in one] == [274000]
    with pytest.raises(InputError) as e:
        read(tmp_path / "q.xlsx#F", catalog())
    assert e.value.faults[0].code == "unknown-variant" and f"q.xlsx#{names[0]}" in e.value.faults[0].remedy


def test_extras_are_no_variants(tmp_path: Path) -> None:
    rows = [HEAD, *H100, total("Total", 234000), ["Option 1: more drives"], DRIVES, ["Option 2: service"], SUPPORT]
    quote = read(written(tmp_path, {"Q": rows}), catalog())
    assert quote.variants == () and amount(quote) == 234000 and [x.optional for x in quote.lines[3:]] == [True, True]


def test_the_sums_of_a_cover_are_held_against_the_sheets(tmp_path: Path) -> None:
    cover = [["Offer 77"], ["Position", "Amount EUR"], ["Hardware", 234000], ["Services", 9000],
             ["Total net", 243000], ["VAT 19 %", 46170], ["Total gross", 289170]]  # fmt: skip
    sheets = {"Summary": cover, "HW": [HEAD, *H100], "SVC": [HEAD, SUPPORT]}
    quote = read(written(tmp_path, sheets), catalog())
    assert amount(quote) == 243000 and quote.tax == "net" and not errors(quote)
    assert [line.row for line in quote.lines] == [1002, 1003, 1004, 2002]
    cover[4][1] = 240000
    assert "sum-arithmetic" in errors(read(written(tmp_path, sheets), catalog()))


def test_an_older_version_on_another_sheet_is_left_out_and_told(tmp_path: Path) -> None:
    quote = read(written(tmp_path, {"New": [HEAD, *H200], "Old": [HEAD, *H100]}), catalog())
    assert amount(quote) == 274000 and "sheets-unread" in [issue.code for issue in quote.issues]


SERVERS = {
    "label": [HEAD, *H100, total("Total for 4 servers", 936000)],
    "both sums": [HEAD, *H100, total("Total per server", 234000), total("Total for 4 servers", 936000)],
    "pieces": [["Quantity: 4 servers"], HEAD, *H100, total("Price per server", 234000), total("Total (4 pcs)", 936000)],
    "Chinese": [["采购数量：4台"], HEAD, *H100, total("单台价格", 234000), total("4台总价", 936000)],
}


@pytest.mark.parametrize("kind", SERVERS)
def test_a_list_of_one_server_under_the_sum_of_four(kind: str, tmp_path: Path) -> None:
    quote = read(written(tmp_path, {"Q": SERVERS[kind]}), catalog())
    assert amount(quote) == 936000 and not errors(quote)
    assert {line.qty for line in quote.lines} == {4, 8}


def test_four_servers_that_are_listed_stay_four(tmp_path: Path) -> None:
    rows = [["Quantity: 4 servers"], HEAD, offered("AS-8125GS-TNHR", "Supermicro 8U", 4, 24000), total("Total", 96000)]
    quote = read(written(tmp_path, {"Q": rows}), catalog())
    assert amount(quote) == 96000 and quote.lines[0].qty == 4
