"""A column that names its tax with the rate among the words says both, wherever the rate stands."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from catalogs.load import Catalog, load
from optimizer.procurement.reading.reader import read

HEADERS = [
    ("Unit price incl. 13% VAT", "gross", "13"),
    ("Unit price (including 8.5 % VAT)", "gross", "8.5"),
    ("Unit price excl. 19% VAT", "net", "19"),
    ("含13%税单价", "gross", "13"),
    ("单价(含13%增值税)", "gross", "13"),
    ("不含13%税单价", "net", "13"),
    ("Preis inkl. 19 % MwSt.", "gross", "19"),
    ("Preis zzgl. 19 % MwSt.", "net", "19"),
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


@pytest.mark.parametrize(("header", "tax", "rate"), HEADERS)
def test_the_rate_among_the_words(header: str, tax: str, rate: str, catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = "SYS-821GE-TNHR,server,1,24817.33,EUR\nEPYC 9654,CPU,2,7000.05,EUR\n"
    path.write_text(f"Part number,Description,Qty,{header},Currency\n{rows}", encoding="utf-8")
    quote = read(path, catalog)
    assert {(x.unit_price, x.tax, x.tax_rate) for x in quote.lines} == {
        (Decimal("24817.33"), tax, Decimal(rate)), (Decimal("7000.05"), tax, Decimal(rate)),
    }  # fmt: skip


def test_a_discount_is_no_tax(catalog: Catalog, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Part number,Qty,Unit price less 5%,Currency\nEPYC 9654,2,7000.05,EUR\n", encoding="utf-8")
    assert {(x.tax, x.tax_rate) for x in read(path, catalog).lines} == {("unknown", None)}
