"""A policy default says in its own row which change of it asks more of builds: that change alone is a condition."""

from __future__ import annotations

from decimal import Decimal

import pytest

from constraints.policy import Default, Policy, defaults
from optimizer.explanation.conditions.conditions import conditions
from optimizer.market.market import Market
from tests.support.random_catalogs import scenario


def named(key: str, value: Decimal) -> bool:
    """Whether a value of one's own is among the conditions of a request."""
    catalog, request, _ = scenario(0)
    return f"policy:{key}" in {c.key for c in conditions(Market.open(catalog, request, Policy({key: value})))}


@pytest.mark.parametrize("default", defaults().values(), ids=lambda d: d.key)
def test_a_stricter_value_is_a_condition_and_no_other(default: Default) -> None:
    up, down = min(default.value + 1, default.most), max(default.value - 1, Decimal(0))
    assert named(default.key, up) == (default.stricter == "more" and up > default.value)
    assert named(default.key, down) == (default.stricter == "less" and down < default.value)
    assert not named(default.key, default.value)
