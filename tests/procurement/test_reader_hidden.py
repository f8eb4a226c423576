"""Binary workbooks: what .xls and .xlsb hide is reported, and .xlsb reads as the same table in .xlsx."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwt

from catalogs.load import Catalog, load
from examples.procurement import xlsb
from optimizer.procurement.quotation.formats import convert
from optimizer.procurement.reading.opening.guard import refuse
from optimizer.procurement.reading.opening.tables import read_tables
from optimizer.procurement.reading.reader import read
from tests.support.office import OFFICE

SAMPLE = Path("examples/procurement/halden-h100.xlsb")
TABLE: dict[int, list[Any]] = {
    1: ["Part Number", "Cost", "Description", "Qty", "Unit price excl. VAT (EUR)", "Total"],
    2: ["Server"],
    3: ["SYS-421GE-TNRT", 9000, " 4U server", 2, Decimal("18450.5"), Decimal("36901")],
    4: ["PM9A3 3.84TB", 800, "NVMe", 4, "1.035,00", "4.140,00"],
    5: ["", "", "Handling", 1, 350, 350],
    6: ["", "", "Total net", "", "", 41391],
}


@cache
def catalog() -> Catalog:
    return load()


def old(path: Path) -> None:
    """The table as a real .xls: BIFF8, a row, a column and a sheet hidden."""
    book = xlwt.Workbook()
    sheet, costs = book.add_sheet("Offer"), book.add_sheet("Costs")
    for number, cells in TABLE.items():
        for c, x in enumerate(cells):
            if x != "":
                sheet.write(number - 1, c, x)
    sheet.row(4).hidden = True
    sheet.col(1).hidden = True
    costs.write(0, 0, "our margin")
    costs.visibility = 1
    book.save(str(path))


def binary(path: Path) -> None:
    offer = xlsb.Sheet("Offer", TABLE, hidden_rows=frozenset({5}), hidden_columns=frozenset({2}))
    xlsb.write(path, [offer, xlsb.Sheet("Costs", {1: ["our margin"]}, hidden=True)])


def new(path: Path) -> None:
    book = openpyxl.Workbook()
    for cells in TABLE.values():
        book.active.append([x if x != "" else None for x in cells])
    book.active.title = "Offer"
    book.active.row_dimensions[5].hidden = True
    book.active.column_dimensions["B"].hidden = True
    book.create_sheet("Costs").append(["our margin"])
    book["Costs"].sheet_state = "hidden"
    book.save(path)


@pytest.mark.parametrize("name, make", [("a.xls", old), ("a.xlsb", binary)])
def test_what_is_hidden_is_told(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / name)
    new(tmp_path / "a.xlsx")
    found, other = read(tmp_path / name, catalog()), read(tmp_path / "a.xlsx", catalog())
    assert [(n.code, n.text) for n in found.notices] == [(n.code, n.text) for n in other.notices]
    assert {n.code for n in found.notices} >= {"hidden-sheet", "hidden-rows", "hidden-columns"}
    assert [x.row for x in found.lines if x.hidden] == [5]
    assert (found.lines, found.totals, found.issues) == (other.lines, other.totals, other.issues)
    assert found.lines[0].amount == Decimal("36901") and found.lines[1].unit_price == 1035
    assert found.lines[0].section == "Server"


@pytest.mark.parametrize("name, make", [("a.xls", old), ("a.xlsb", binary)])
def test_nothing_hidden_says_nothing(name: str, make: Callable[[Path], None], tmp_path: Path) -> None:
    sheet = xlsb.Sheet("Offer", TABLE)
    xlsb.write(tmp_path / "b.xlsb", [sheet])
    book = xlwt.Workbook()
    book.add_sheet("Offer").write(0, 0, "x")
    book.save(str(tmp_path / "b.xls"))
    tables = read_tables(tmp_path / name.replace("a", "b"))
    assert tables.notices == () and not any(r.hidden for s in tables.sheets for r in s.rows)


def test_where_it_cannot_be_told_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from optimizer.procurement.reading.opening import tables

    whole = tables.opened

    def opened(path: Path, program: str, hidden: str = "") -> Any:
        if hidden:
            raise refuse("too-slow", "takes too long", path)
        return whole(path, program)

    monkeypatch.setattr(tables, "opened", opened)
    old(tmp_path / "a.xls")
    assert "hidden-rows-unknown" in {n.code for n in read(tmp_path / "a.xls", catalog()).notices}


@pytest.mark.skipif(OFFICE is None, reason="no LibreOffice")
def test_libreoffice_reads_the_sample_as_we_do(tmp_path: Path) -> None:
    """The written .xlsb is one that other programs open, with the same rows, texts and numbers."""
    assert OFFICE is not None
    convert(OFFICE, "xlsx:Calc MS Excel 2007 XML", [SAMPLE], tmp_path)
    ours, theirs = read(SAMPLE, catalog()), read(tmp_path / "halden-h100.xlsx", catalog())
    assert (ours.lines, ours.totals) == (theirs.lines, theirs.totals)
    assert [n.text for n in ours.notices if n.code.startswith("hidden")] == [
        n.text for n in theirs.notices if n.code.startswith("hidden")
    ]
