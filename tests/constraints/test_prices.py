"""The catalog's prices against published complete systems, and the table in the docs."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from catalogs.load import Catalog
from tests.support.prices import deviations, table

DOCS = Path(__file__).parents[2] / "docs" / "prices.md"


def test_left_one_out(shipped: Catalog) -> None:
    found = deviations(shipped)
    assert len(found) >= 6
    assert median(abs(d.percent) for d in found) <= 10
    assert not [d.system for d in found if abs(d.percent) > 25 and not d.reason]


def test_docs_show_the_computed_table(shipped: Catalog) -> None:
    assert table(shipped) in DOCS.read_text(encoding="utf-8")
