"""Fixtures shared by the tests."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import catalogs.load
from catalogs.load import Catalog, load
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli import RARELY
from optimizer.library.opening import shipped_catalog
from optimizer.market.market import Market
from tests.support import long

os.environ.pop("COLUMNS", None)  # xdist sets it in its workers: tables are tested as without a terminal

AS_OF = date(2026, 11, 24)
os.environ["DSOPT_HOME"] = str(Path(__file__).parent / "no-user-folder")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="long versions of tests too: half an hour, before a release")


def pytest_configure(config: pytest.Config) -> None:
    long.ask(config.getoption("--long"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what is marked `long` unless it is asked for, by `--long`, a marker, or its own name."""
    named = any("::" in argument for argument in config.args)
    if long.wanted() or config.getoption("markexpr") or named:
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_collection_finish() -> None:
    """Cycles of objects are looked for as rarely as in a command: thousands of collected tests stay."""
    gc.set_threshold(*RARELY)


@pytest.fixture(scope="session")
def shipped() -> Catalog:
    """The catalog in the package, the one that the library holds too."""
    return shipped_catalog()


@pytest.fixture(scope="session")
def at_older_estimates() -> Catalog:
    """The shipped catalog with boards and barebones at estimates of November 2026, for tests of what follows from
    prices: with each fit to newly published systems those of the shipped catalog move."""
    return load([Path(__file__).parent / "data" / "older_estimates"])


@pytest.fixture(autouse=True, scope="session")
def catalog_once(shipped: Catalog) -> Iterator[None]:
    """The catalog in the package is read once for all commands that run in this process; commands that are started
    (tests/cli) read it as a customer's do."""

    def read(overlays: Sequence[Path] = (), *more: Path) -> Catalog:
        return load(list(overlays), *more) if overlays or more else shipped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogs.load, "load", read)
        yield


@pytest.fixture(scope="module")
def one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Chromium for the tests of a module (tests/support/browser.py)."""
    from tests.support.browser import started

    with started(tmp_path_factory.mktemp("downloads")) as running:
        yield running


@pytest.fixture
def browser(one_browser: Any) -> Any:
    """The module's Chromium with nothing opened, said or asked for."""
    one_browser.clear()
    return one_browser


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
