"""Files as they are sent, against the truth per line and per sum: nothing is wrong in silence, nothing is lost."""

from __future__ import annotations

import zipfile
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


def test_a_text_of_libreoffice_is_read(tmp_path: Path) -> None:
    names = ["table:1.0", "text:1.0", "office:1.0"]
    spaces = " ".join(f'xmlns:{n[:-4]}="urn:oasis:names:tc:opendocument:xmlns:{n}"' for n in names)
    rows = (("Art.-Nr.", "Bezeichnung", "Menge", "Einzelpreis EUR"), ("EPYC 9654", "CPU", "2", "5.210,00"))
    cells = ("".join(f"<table:table-cell><text:p>{x}</text:p></table:table-cell>" for x in row) for row in rows)
    table = "".join(f"<table:table-row>{row}</table:table-row>" for row in cells)
    body = f"<office:body><office:text><table:table>{table}</table:table></office:text></office:body>"
    with zipfile.ZipFile(tmp_path / "a.odt", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", f"<office:document-content {spaces}>{body}</office:document-content>")
    quote = read(tmp_path / "a.odt", catalog())
    assert quote.format == "odt" and [line.matched.part for line in quote.lines] == ["amd-epyc-9654"]
    assert quote.lines[0].amount == 10420


def test_an_older_offer_in_an_answer_is_left_out() -> None:
    quote = read(HANDED / "own" / "36_mail_with_attachment.eml", catalog())
    assert "older-offer" in [notice.code for notice in quote.notices]
