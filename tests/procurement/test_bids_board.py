"""Files as they are sent, against the truth per line and per sum: nothing is wrong in silence, nothing is lost."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from optimizer.procurement.reading.reader import read
from tests.support.bids_board import HANDED, rows_of, scored

FOLDERS = [HANDED, *sorted(path for path in HANDED.iterdir() if path.is_dir())]
FILES = [folder / name for folder in FOLDERS for name in rows_of(folder / "manifest.csv")]


@cache
def catalog() -> Catalog:
    return load()


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_nothing_is_wrong_in_silence(path: Path) -> None:
    truth = rows_of(path.parent / "manifest.csv")[path.name]
    found = scored(path, truth, rows_of(path.parent / "totals.csv")[path.name], catalog())
    assert not found.refused
    assert [line for line in found.lines if line[1] in ("wrong", "lost")] == []
    assert found.counts["right"] * 2 > len(truth)
    assert found.total in ("right", "not comparable", "-")


def test_a_scan_says_that_it_needs_ocr() -> None:
    with pytest.raises(InputError) as e:
        read(HANDED / "05_northgate_scan.pdf", catalog())
    fault = e.value.faults[0]
    assert fault.code == "no-text" and "OCR" in fault.text and e.value.exit_code == 3


def test_sheets_of_one_offer_are_read_again_by_their_mapping() -> None:
    path = HANDED / "07_meridian_multisheet.xlsx"
    first = read(path, catalog())
    assert first.mapping.sheets == ("A Base system", "B Network", "C Services", "D Options (not included)")
    again = read(path, catalog(), mapping=first.mapping)
    assert again.lines == first.lines and again.totals == first.totals
    two = read(path, catalog(), mapping=first.mapping.model_copy(update={"sheets": ("A Base system", "B Network")}))
    assert sum(line.amount or 0 for line in two.lines) == 254490
