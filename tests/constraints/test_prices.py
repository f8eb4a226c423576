"""The catalog's prices against published complete systems."""

from __future__ import annotations

from statistics import median

from catalogs.load import Catalog
from tests.support.prices import deviations


def test_left_one_out(shipped: Catalog) -> None:
    found = deviations(shipped)
    assert len(found) >= 6
    assert median(abs(d.percent) for d in found) <= 10
    assert not [d.system for d in found if abs(d.percent) > 25 and not d.reason]
