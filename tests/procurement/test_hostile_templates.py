"""Workbooks of a customer that mean harm: refused before they are opened for filling."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.errors import InputError
from optimizer.procurement.quotation.template import _inspected
from tests.support.hostile import (
    GOOD,
    SHEET,
    billion_laughs,
    encrypted,
    entity_in_strings,
    macros,
    many_members,
    pdf_named_xlsx,
    workbook,
    zip_bomb,
)


def merged_corners(path: Path) -> None:
    """17 billion cells, were each of the merged ones made."""
    merges = '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'
    workbook(path, f"{SHEET}<sheetData>{GOOD}</sheetData>{merges}</worksheet>")


def much_xml(path: Path) -> None:
    row = "<row>" + "<c><v>1234567</v></c>" * 100 + "</row>"
    workbook(path, f"{SHEET}<sheetData>{row * 16_000}</sheetData></worksheet>")


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (zip_bomb, "zip-bomb"), (many_members, "zip-bomb"), (billion_laughs, "xml-entities"),
        (entity_in_strings, "xml-entities"), (encrypted, "encrypted-file"), (macros, "bad-template"),
        (pdf_named_xlsx, "bad-template"), (merged_corners, "huge-sheet"), (much_xml, "huge-sheet"),
    ],
)  # fmt: skip
def test_refused(make: Callable[[Path], None], code: str, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    make(path)
    start = time.process_time()
    with pytest.raises(InputError) as e:
        _inspected(path)
    assert time.process_time() - start < 10
    assert e.value.faults[0].code == code
