"""A row with more cells than columns, as `name,1,000` makes one, is an error in every CSV that is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalogs.errors import InputError
from catalogs.load import load
from constraints.policy import Policy
from optimizer.procurement.reading.reader import read
from optimizer.request import approved_list as avl
from optimizer.request import purchase_terms
from optimizer.sizing.batch_file import batch
from optimizer.sizing.own_runs import own_rows
from optimizer.throughput.calibration import shipped
from optimizer.throughput.fitting import measured

CATALOG = load()
OFFERS = "id,part,price,currency,date,condition,confidence,seller,source"
FILES: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "own": ("part,qty\nsamsung-pm1743-3.84tb,1,000\n", lambda p: purchase_terms.own(p, CATALOG)),
    "support": ("category,percent\ngpu,1,5\n", lambda p: purchase_terms.support(str(p))),
    "spares": ("category,percent\ngpu,1,5\n", lambda p: purchase_terms.spares([str(p)])),
    "fx": ("currency,usd_per_unit,date,source\nEUR,1,15,2026-11-20,ECB\n", purchase_terms.fx),
    "rates": ("currency,usd_per_unit,date,source\nCHF,1,15,2026-11-20,SNB\n", purchase_terms.rates),
    "avl": ("vendor,status\nSupermicro,approved,x\n", lambda p: avl.read(p, CATALOG)),
    "measured": ("model,precision,gpu,n_gpus,isl,osl,output_tok_s\n1,1,1,1,1,1,4,000\n", own_rows),
    "runs": ("model,precision,gpu,n_gpus,isl,osl,output_tok_s\n1,1,1,1,1,1,4,000\n", measured.read),
}


@pytest.mark.parametrize("name", FILES)
def test_a_wide_row_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    text, reader = FILES[name]
    path = tmp_path / f"{name}.csv"
    path.write_text(text)
    with pytest.raises(InputError) as found:
        reader(path)
    fault = found.value.faults[0]
    assert (fault.code, fault.row) == ("truncated-row", 2)
    assert "cells where the header has" in fault.text


@pytest.mark.parametrize("name", ["own", "support", "spares", "fx", "rates", "avl"])
def test_blank_cells_beyond_are_none(name: str, tmp_path: Path) -> None:
    """Spreadsheets write them."""
    rows = {"own": "part,qty\nsamsung-pm1743-3.84tb,1,,\n", "avl": "vendor,status\nSupermicro,approved,\n"}
    rows |= {x: "category,percent\ngpu,5,,\n" for x in ("support", "spares")}
    rows |= {x: "currency,usd_per_unit,date,source\nEUR,1.15,2026-11-20,ECB,,\n" for x in ("fx", "rates")}
    path = tmp_path / f"{name}.csv"
    path.write_text(rows[name])
    FILES[name][1](path)


def test_wide_rows_of_an_overlay(tmp_path: Path) -> None:
    (tmp_path / "offers.csv").write_text(
        f"{OFFERS}\nz,samsung-pm1743-3.84tb,1,700.00,USD,2026-11-20,new,street,Z,test\n"
    )
    with pytest.raises(InputError, match="10 cells where the header has 9"):
        load([tmp_path])


def test_wide_rows_of_a_batch_say_so_in_their_error(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("model,gpu,n_gpus\nv3-671b,h200,8,000\nv3-671b,h200,8\n")
    found = batch(path, CATALOG, Policy(), shipped())
    assert found.errors == 1
    assert "has 4 cells, the header 3" in found.csv


def test_a_vendors_amount_that_a_comma_broke(tmp_path: Path) -> None:
    """Of a vendor's list: the line has no price, and says why."""
    path = tmp_path / "vendor.csv"
    path.write_text(
        "Part Number,Description,Qty,Unit price\n,NVIDIA H100 SXM5 80GB,8,30,000\n,NVIDIA H200 SXM5 141GB,8,31500\n"
    )
    broken, whole = read(path, CATALOG).lines
    assert broken.unit_price is None
    assert "more-cells" in {x.code for x in broken.issues}
    assert whole.unit_price == 31500


def test_a_column_of_a_name_that_nobody_knows_breaks_no_number(tmp_path: Path) -> None:
    path = tmp_path / "vendor.csv"
    path.write_text("Part Number,Qty,Unit price,Σύνολο\nNVIDIA H100 SXM5 80GB,1,890,890\n", encoding="utf-8")
    (line,) = read(path, CATALOG).lines
    assert line.unit_price == 890
    assert "more-cells" not in {x.code for x in line.issues}
