"""Net, tax and gross stand as three figures wherever a total does; "with tax" is said only where tax was added."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from catalogs.load import load
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.cli.money_view import sums
from optimizer.library import quote, solve
from optimizer.procurement.quotation.quote_terms import Party
from optimizer.procurement.quotation.workbook import workbook
from optimizer.result.schema import Result
from optimizer.text.languages import Words, choose
from tests.constraints.test_money import DAY

RUN = CliRunner()
TERMS = ("money.support_percent=10", "money.tax_percent=13")
CATALOG = load()


@pytest.fixture(scope="module", params=[False, True], ids=["no-tax", "tax"])
def result(request: pytest.FixtureRequest) -> Result:
    asked = Request(
        grade="floor",
        model="v2-lite",
        as_of=DAY,
        budget_cents=20_000_00,
        max_nodes=1,
        have=frozenset({"racks", "network"}),
    )
    policy = Policy().with_settings(TERMS if request.param else ())
    return solve(asked, catalog=CATALOG, policy=policy)


def test_the_lines_sum_up_to_the_net_figure(result: Result) -> None:
    for p in result.front:
        c = p.cost
        lines = sum((Decimal(x.line_total) for x in p.bom), Decimal(0))
        assert lines == Decimal(c.parts) + Decimal(c.spares)
        assert Decimal(c.net) == lines + Decimal(c.support)
        assert Decimal(c.total) == Decimal(c.net) + Decimal(c.tax)
        assert bool(Decimal(c.tax)) == bool(result.policy)


@pytest.mark.parametrize(("language", "word"), [("en", "with tax"), ("zh", "含税总价")])
def test_the_terminal_says_tax_only_where_it_was_added(result: Result, language: str, word: str) -> None:
    choose(language)
    try:
        cost = result.front[-1].cost
        line = sums(cost.model_dump(), result.policy)
    finally:
        choose("en")
    assert (word in line) == bool(result.policy)
    for figure in (cost.net, cost.total):
        assert f"{Decimal(figure):,}" in line


def texts(book: Any) -> list[str]:
    return [str(c.value) for s in book for row in s.iter_rows() for c in row if c.value is not None]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_workbook_says_tax_only_where_it_was_added(result: Result, language: str, tmp_path: Path) -> None:
    path = tmp_path / "quote.xlsx"
    path.write_bytes(workbook(quote(result, None, party=Party("", "Q1", DAY, 15)), Words(language)))
    shown = texts(openpyxl.load_workbook(path, data_only=True))
    word = "with tax" if language == "en" else "含税总价"
    assert any(word in x.replace("不含税", "") for x in shown) == bool(result.policy)
    formulas = [x for x in texts(openpyxl.load_workbook(path)) if "IF(tax_rate>0" in x]
    assert len(formulas) >= 4


def test_check_judges_a_result_by_its_own_policy(result: Result, tmp_path: Path) -> None:
    """Tax and support of a saved result count when it is checked; --set goes over them."""
    file = tmp_path / "r.json"
    file.write_text(result.model_dump_json(), encoding="utf-8")
    found = json.loads(RUN.invoke(app, ["check", str(file), "--json"]).stdout)
    assert [(x["net"], x["tax"], x["total"]) for x in found] == [
        (p.cost.net, p.cost.tax, p.cost.total) for p in result.front
    ]
    shown = RUN.invoke(app, ["check", str(file)]).stdout
    assert ("total with tax" in shown) == bool(result.policy)
    untaxed = json.loads(RUN.invoke(app, ["check", str(file), "--json", "--set", "money.tax_percent=0"]).stdout)
    assert {Decimal(x["tax"]) for x in untaxed} == {Decimal(0)}
