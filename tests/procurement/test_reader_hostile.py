"""Files that mean harm or are broken: refused with a stable code, or read with what they hold reported."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalogs.errors import InputError
from catalogs.load import Catalog, load
from optimizer.cli.app import app
from optimizer.procurement.reading.reader import read
from optimizer.procurement.reading.review import review_rows
from tests.support import long
from tests.support.hostile import GOOD, READ, REFUSED, SHEET, measured, workbook
from tests.support.long import one_in

LARGE = ("600,000 filled cells", "10^6 blank rows", "archive that lies about sizes")
QUICK = [x for x in REFUSED if x[0] not in LARGE[:2]]
READABLE = [x for x in READ if x[0] not in LARGE[:2]]


@cache
def catalog() -> Catalog:
    return load()


@pytest.mark.parametrize(("what", "make", "name", "code"), QUICK, ids=[x[0] for x in QUICK])
def test_refused(what: str, make: Callable[[Path], None], name: str, code: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    start = time.process_time()
    with pytest.raises(InputError) as e:
        read(tmp_path / name, catalog())
    assert time.process_time() - start < 10
    fault = e.value.faults[0]
    assert fault.code == code
    assert fault.file.endswith(name) and len(str(fault)) < 400
    assert e.value.exit_code == 3


@pytest.mark.parametrize(("what", "make", "name", "notice"), READABLE, ids=[x[0] for x in READABLE])
def test_read(what: str, make: Callable[[Path], None], name: str, notice: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    start = time.process_time()
    q = read(tmp_path / name, catalog())
    assert time.process_time() - start < 10
    assert q.lines[0].matched.part == "amd-epyc-9654"
    assert not notice or notice in [n.code for n in q.notices]


def test_no_formula_reaches_the_review(tmp_path: Path) -> None:
    make = next(m for what, m, _, _ in READ if what == "formulas in texts")
    make(tmp_path / "a.csv")
    cells = [c for row in review_rows([read(tmp_path / "a.csv", catalog())]) for c in row]
    assert any("cmd" in c for c in cells)
    assert not any(c.startswith(("=", "+", "-", "@")) for c in cells)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("what", one_in(2, LARGE))
def test_memory_and_time_of_a_process(what: str, tmp_path: Path) -> None:
    make, name, wanted = next((m, n, c) for w, m, n, c in (*REFUSED, *READ) if w == what)
    make(tmp_path / name)
    code, seconds, kilobytes = measured(tmp_path / name)
    assert code == (wanted or "read")
    assert seconds < 10
    assert kilobytes < 500_000


def test_a_large_honest_list(tmp_path: Path) -> None:
    """4,000 lines (800 in the short run), most of unknown things, within 10 s (10,000 are read)."""
    rows = ["P/N,Description,Qty,Unit price USD"]
    known = 1_000 if long.wanted() else 200
    rows += [f"VX-{i:06d},thing number {i},1,{i % 900 + 1}.50" for i in range(3 * known)]
    rows += ["EPYC 9654,CPU,2,6480.00"] * known
    (tmp_path / "list.csv").write_text("\n".join(rows), encoding="utf-8")
    start = time.process_time()
    q = read(tmp_path / "list.csv", catalog())
    assert time.process_time() - start < 10
    assert len(q.lines) == 4 * known
    assert sum(x.matched.part == "amd-epyc-9654" for x in q.lines) == known


@pytest.mark.parametrize("number", one_in(3, ["nan", "inf", "-inf", "1e400", "1e300", "-1e300", "1e16", "9" * 10_000]))
@pytest.mark.parametrize("cell", ["<v>6000</v>", "<v>12000</v>", "<v>2</v>"])
def test_numbers_beyond_all_bounds(number: str, cell: str, tmp_path: Path) -> None:
    """A cell that a spreadsheet calls a number and that is none, or none of money: a fault in words, no crash."""
    path = tmp_path / "a.xlsx"
    workbook(path, f"{SHEET}<sheetData>{GOOD.replace(cell, f'<v>{number}</v>')}</sheetData></worksheet>")
    found = CliRunner().invoke(app, ["check", str(path), "--model", "r1-distill-llama-70b"])
    assert found.exception is None or isinstance(found.exception, SystemExit | InputError), found.exception
    assert "is no amount" in found.output or "is no number" in found.output, found.output


@pytest.mark.parametrize("number", ["9" * 30, "9" * 20 + "亿元", "1" + "0" * 16, "-" + "9" * 20 + "万"])
def test_texts_beyond_all_bounds(number: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"Part Number,Description,Qty,Unit Price,Total\nEPYC 9654,CPU,1,{number},2.00\n", encoding="utf-8")
    found = CliRunner().invoke(app, ["check", str(path), "--model", "r1-distill-llama-70b"])
    assert found.exit_code in (3, 5) and "is no amount" in found.output, found.output
