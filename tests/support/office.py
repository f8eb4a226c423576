"""LibreOffice as a judge of workbooks: every formula computed anew, whatever values are stored beside it."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import openpyxl

from optimizer.procurement.quotation.formats import convert

OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse">
<value>0</value></prop></item></oor:items>
"""
"""Setting: recalculate every workbook on load."""


def recalculated(folder: Path, books: dict[str, bytes]) -> dict[str, bytes]:
    """Workbooks after LibreOffice computed all of their formulas, in one call."""
    assert OFFICE is not None
    source, target = folder / "in", folder / "out"
    profile = target / "profile" / "user"
    source.mkdir()
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(ALWAYS, encoding="utf-8")
    files = []
    for name, data in books.items():
        files.append(source / f"{name}.xlsx")
        files[-1].write_bytes(data)
    convert(OFFICE, "xlsx:Calc MS Excel 2007 XML", files, target)
    return {name: (target / f"{name}.xlsx").read_bytes() for name in books}


def opened(data: bytes) -> Any:
    """A workbook by its stored values."""
    return openpyxl.load_workbook(io.BytesIO(data), data_only=True)


def named(book: Any, name: str) -> Any:
    """Value of the cell that a name stands for."""
    ((sheet, cell),) = book.defined_names[name].destinations
    return book[sheet][cell].value


def formulas(data: bytes) -> list[tuple[str, str]]:
    """(sheet, cell) of every formula."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [(s.title, c.coordinate) for s in book for row in s.iter_rows() for c in row if c.data_type == "f"]


def with_inputs(data: bytes, **inputs: float) -> bytes:
    """The workbook with inputs changed by their names; values stored beside formulas are gone then."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for name, value in inputs.items():
        ((sheet, cell),) = book.defined_names[name].destinations
        book[sheet][cell].value = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
