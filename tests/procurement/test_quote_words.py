"""What a quote says in words: what each part is, and its total in formal numerals."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from catalogs.load import Catalog
from catalogs.offers import Bundle
from optimizer.procurement.quotation import formats
from optimizer.procurement.quotation.described import described, measure
from optimizer.procurement.quotation.workbook import workbook
from optimizer.procurement.quotation.workbook.capitals import in_capitals
from optimizer.text.languages import Words
from optimizer.text.spelled import in_formal_words
from tests.support.long import sampled, wanted
from tests.support.office import OFFICE, opened, recalculated
from tests.support.quotes import Job, job

needs_office = pytest.mark.skipif(
    OFFICE is None and not os.environ.get("DSOPT_OFFICE_REQUIRED"), reason="LibreOffice (soffice) is not installed"
)
EN, ZH = Words("en"), Words("zh")
ROUND = {"0": "零元整", "1": "壹元整", "10": "壹拾元整", "1000000": "壹佰万元整", "100000000": "壹亿元整",
         "10500": "壹万零伍佰元整", "1050000": "壹佰零伍万元整", "100000005": "壹亿零伍元整",
         "1010": "壹仟零壹拾元整", "10000000500": "壹佰亿零伍佰元整"}  # fmt: skip
SPELLED = ROUND | {
    "1409.50": "壹仟肆佰零玖元伍角", "6007.14": "陆仟零柒元壹角肆分", "1680.32": "壹仟陆佰捌拾元叁角贰分",
    "107000.53": "壹拾万柒仟元伍角叁分", "16409.02": "壹万陆仟肆佰零玖元零贰分", "325.04": "叁佰贰拾伍元零肆分",
    "0.05": "伍分", "0.50": "伍角", "-12.30": "负壹拾贰元叁角", "2061967.73": "贰佰零陆万壹仟玖佰陆拾柒元柒角叁分",
    "999999999999.99": "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
}  # fmt: skip
"""By hand. The first six with parts of a yuan are the examples of the annex to 支付结算办法 (People's Bank of China,
银发〔1997〕393号), in that of its forms which writes no 零 where it may be left out."""
WORDED = {
    "samsung-m321r2ga3eb0-cwm": ("16 GB DDR5-5600 RDIMM", "16 GB DDR5-5600 RDIMM", "条"),
    "nvidia-connectx-6-lx-25g-2-port": (
        "2 x 25 Gbit/s SFP28 network card, Ethernet, PCIe 4.0 x8",
        "2 x 25 Gbit/s SFP28 网卡，以太网，PCIe 4.0 x8", "块",
    ),
    "nvidia-hgx-h200-8-gpu-baseboard": ("8 x H200 SXM5 141 GB board", "8 x H200 SXM5 141 GB 基板", "块"),
    "samsung-pm9a3-3.84tb": ("3.84 TB NVMe SSD, U.2, PCIe 4.0", "3.84 TB NVMe SSD，U.2，PCIe 4.0", "块"),
    "nvidia-qm8700": (
        "InfiniBand switch, 40 x 200 Gbit/s or 80 x 100 Gbit/s, QSFP56/QSFP28",
        "InfiniBand 交换机，40 x 200 Gbit/s 或 80 x 100 Gbit/s，QSFP56/QSFP28", "台",
    ),
    "power-cord-c19-c20-2-m": ("power cord, C19-C20, 2 m", "电源线，C19-C20，2 m", "根"),
}  # fmt: skip


@pytest.fixture(scope="module")
def main() -> Job:
    return job()


@pytest.mark.parametrize("part", WORDED)
def test_words_of_a_part(part: str, shipped: Catalog) -> None:
    english, chinese, unit = WORDED[part]
    said = described(shipped, part)
    assert (said, ZH.sentence(said)) == (english, chinese)
    assert measure(shipped.parts[part].kind)[1] == unit


def test_no_part_without_words(shipped: Catalog) -> None:
    """Each says more than its name; no Chinese text has English words left in it but names and standards."""
    for name, part in shipped.parts.items():
        said = described(shipped, name)
        assert said and "None" not in said and "{" not in said, name
        if part.kind not in ("memory", "drive"):
            chinese = ZH.sentence(said)
            assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese), (name, chinese)
        assert all(measure(part.kind)), name


def test_a_bundle_says_what_is_in_it(main: Job) -> None:
    bundle = main.catalog.bundles["kit-rack"]
    assert isinstance(bundle, Bundle)
    said = described(main.catalog, bundle.id)
    assert said == "bundle of 1 x NetShelter SX AR3100 42U 600x1070, 6 x Power cord C19-C20 2 m"
    assert ZH.sentence(said).startswith("套装：1 x ")


@pytest.mark.parametrize("amount", SPELLED)
def test_formal_numerals(amount: str) -> None:
    assert in_formal_words(Decimal(amount)) == f"人民币{SPELLED[amount]}"


@pytest.mark.parametrize("amount", ["0.001", "1000000000000"])
def test_no_form_for_such_amounts(amount: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        in_formal_words(Decimal(amount))


@needs_office
def test_formal_numerals_by_formula(tmp_path: Path) -> None:
    """LibreOffice computes what is written by hand, and what the library writes, zeros at every place."""
    zeros = [Decimal(places.replace("1", digit)).scaleb(-2) for digit in "19"
             for places in (f"{mask:b}".zfill(14) for mask in sampled(5, range(0, 2**14, 7)))]  # fmt: skip
    amounts = [*map(Decimal, SPELLED), *zeros]
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for row, amount in enumerate(amounts):
        sheet.write_number(row, 0, float(amount))
        sheet.write_formula(row, 1, f"={in_capitals(f'A{row + 1}')}")
    book.close()
    (seen,) = opened(recalculated(tmp_path, {"words": out.getvalue()})["words"]).worksheets
    assert len(zeros) > (4000 if wanted() else 900)
    for row, (amount, text) in enumerate(zip(amounts, SPELLED.values(), strict=False), 1):
        assert seen.cell(row, 2).value == f"人民币{text}", amount
    for row, amount in enumerate(amounts, 1):
        assert seen.cell(row, 2).value == in_formal_words(amount), amount


def cells(book: bytes) -> list[Any]:
    return [c.value for sheet in opened(book) for row in sheet.iter_rows() for c in row]


def test_the_total_in_words_is_of_cny_alone(main: Job) -> None:
    yuan = main.quote(currency="CNY", tax="13")
    said = in_formal_words(yuan.amount(yuan.sums.total))
    assert said in cells(workbook(yuan, ZH)) and said in cells(workbook(yuan, EN))
    assert formats.data(yuan, EN)["total_in_words"] == said
    dollars = main.quote()
    assert formats.data(dollars, EN)["total_in_words"] is None
    assert not [x for x in cells(workbook(dollars, ZH)) if isinstance(x, str) and x.startswith("人民币大写")]


def test_each_line_says_what_it_is_and_what_nobody_states_is_blank(main: Job) -> None:
    quote = main.quote()
    sheet = opened(workbook(quote, ZH))["物料清单"]
    head = [c.value for c in sheet[4]]
    at = {title: head.index(title) for title in ("型号规格", "单位", "质保（月）", "原产地", "未税单价")}
    for line, row in zip(quote.lines, sheet.iter_rows(min_row=5), strict=False):
        assert row[at["型号规格"]].value == f"{line.name}\n{ZH.sentence(line.description)}"
        assert row[at["单位"]].value == measure(line.category)[1]
        assert (row[at["质保（月）"]].value or None) == line.warranty_months
        assert not row[at["原产地"]].value, "a maker's country is no country of origin"
        if not line.unit:
            assert row[at["未税单价"]].number_format == {"bundle": '0;-0;"含于套餐"'}[line.origin]
    data = formats.data(quote, EN)["lines"]
    assert all(x["description"] and x["unit_of_measure"] for x in data)
    assert {x["warranty_months"] for x in data} == {None} == {x["country_of_origin"] for x in data}


def test_why_a_line_has_no_price(main: Job) -> None:
    """Inside a system, in hand, in a bundle, free: the unit price says it, and 0 is added."""
    quote = main.quote()
    line = next(x for x in quote.lines if not x.unit)
    for origin, words in (("included", "含于整机"), ("owned", "已有"), ("offer", "免费")):
        shown = replace(quote, lines=tuple(replace(x, origin=origin) if x is line else x for x in quote.lines))
        sheet = openpyxl.load_workbook(io.BytesIO(workbook(shown, ZH)))["物料清单"]
        cell = sheet.cell(5 + quote.lines.index(line), 10)
        assert (cell.value, cell.number_format) == (0, f'0;-0;"{words}"')
