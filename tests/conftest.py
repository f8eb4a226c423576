"""Fixtures shared by the tests."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from catalogs.load import Catalog, load
from constraints.policy import Policy
from constraints.request import Request
from optimizer.market.market import Market

os.environ.pop("COLUMNS", None)  # xdist sets it in its workers: tables are tested as without a terminal

AS_OF = date(2026, 11, 24)
os.environ["DSOPT_HOME"] = str(Path(__file__).parent / "no-user-folder")


@pytest.fixture(scope="session")
def shipped() -> Catalog:
    """The catalog in the package."""
    return load()


@pytest.fixture
def ask(shipped: Catalog) -> Any:
    """A market of the shipped catalog for a request in keywords; money in dollars."""

    def market(
        model: str = "v2-670b", budget: int | None = None, policy: Policy | None = None, **fields: Any
    ) -> Market:
        cents = None if budget is None else budget * 100
        request = Request(model=model, as_of=AS_OF, budget_cents=cents, **fields)
        return Market.open(shipped, request, policy or Policy())

    return market
