"""Exchange rates are exact in the direction in which they are quoted, and amounts are rounded once, half up."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from catalogs.errors import InputError
from constraints.exchange import ExchangeRate, FxRate, half_up
from constraints.prices.pricing import exchange, fx_rates, unit_price
from constraints.request import Request
from optimizer.cli.xray_cmd import _rate
from optimizer.procurement.quotation.workbook import fx
from optimizer.request import purchase_terms
from optimizer.text.languages import Words
from tests.constraints.test_money import DAY, offer


def asked(**fields: Any) -> Request:
    return Request(model="v2-lite", as_of=DAY, **fields)


def rate(code: Any, **figures: str) -> FxRate:
    return FxRate(currency=code, date=DAY, source="test", **figures)  # type: ignore[arg-type]


def test_seven_yuan_a_dollar_are_seven() -> None:
    assert unit_price(offer("a", "180000.00", currency="USD"), asked(currency="CNY")) == 1_260_000_00
    assert unit_price(offer("a", "1260000.00", currency="CNY"), asked(currency="USD")) == 180_000_00
    assert exchange(asked(), "CNY", "USD") * exchange(asked(), "USD", "CNY") == 1


def test_a_rate_given_either_way() -> None:
    per_usd, per_unit = rate("CNY", units_per_usd="7.00"), rate("EUR", usd_per_unit="1.15")
    assert per_usd.usd == Fraction(1, 7)
    assert per_usd.quote == "7.00 CNY/USD"
    assert per_unit.usd == Fraction(23, 20)
    assert per_unit.quote == "1.15 USD/EUR"
    again = FxRate.model_validate_json(per_usd.model_dump_json())
    assert again == per_usd
    assert again.usd == Fraction(1, 7)


@pytest.mark.parametrize(
    "figures",
    [{}, {"units_per_usd": "0"}, {"units_per_usd": "-7"}, {"units_per_usd": "seven"}, {"units_per_usd": "NaN"},
     {"usd_per_unit": "0.14", "units_per_usd": "7.00"}],
)  # fmt: skip
def test_rates_that_are_none(figures: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        rate("CNY", **figures)


@pytest.mark.parametrize("figures", [{"usd_per_unit": "2"}, {"units_per_usd": "1.1"}])
def test_one_dollar_is_one_dollar(figures: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="one USD is 1 USD"):
        rate("USD", **figures)


def test_of_own_rates_the_quoted_direction_counts(tmp_path: Path) -> None:
    path = tmp_path / "fx.csv"
    path.write_text(
        "currency,usd_per_unit,units_per_usd,date,source\nCNY,,7.13,2026-11-20,PBOC\nEUR,1.2,,2026-11-20,ECB\n"
    )
    request = asked(fx=purchase_terms.fx(path), currency="CNY")
    assert unit_price(offer("a", "100.00", currency="USD"), request) == 713_00
    path.write_text("currency,units_per_usd,date,source\nCHF,0.81,2026-11-20,SNB\n")
    assert purchase_terms.rates(path)[0].usd == Fraction(100, 81)
    path.write_text("currency,date,source\nCNY,2026-11-20,PBOC\n")
    with pytest.raises(InputError, match="bad-fx"):
        purchase_terms.fx(path)


def test_rounded_once_and_half_up() -> None:
    assert [half_up(Fraction(x)) for x in ("5/2", "-5/2", "1/3", "-1/3", "0")] == [3, -3, 0, 0, 0]
    tie = asked(fx=(rate("CNY", units_per_usd="7.05"),), currency="CNY")
    assert unit_price(offer("a", "0.10", currency="USD"), tie) == 71  # 0.705, half up
    taxed = offer("a", "7.63", currency="CNY", tax_rate="0.09")
    at = asked(fx=(rate("CNY", units_per_usd="1.4"),))
    assert unit_price(taxed, at) == 500  # 7.63 / 1.09 / 1.4: not rounded on the way


@pytest.mark.parametrize(
    ("text", "usd"),
    [("1.24", Fraction(31, 25)), ("7.00/USD", Fraction(1, 7)), ("7.00 CNY/USD", Fraction(1, 7)),
     ("7.2/usd", Fraction(10, 72))],
)  # fmt: skip
def test_the_rate_of_a_quote_as_it_is_quoted(text: str, usd: Fraction) -> None:
    assert _rate(text) == usd


@pytest.mark.parametrize("text", ["0", "-1", "1/0", "0/USD", "7 per USD", "1e3", "NaN", "", "7,00"])
def test_rates_of_a_quote_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="bad-rate"):
        _rate(text)


@pytest.mark.parametrize("own", ["USD", "CNY", "EUR", "JPY"])
@pytest.mark.parametrize("wanted", ["USD", "CNY", "EUR", "JPY"])
def test_formulas_convert_as_prices_do(own: str, wanted: str) -> None:
    """The factor of a workbook over the cells' values is the exchange rate, whichever way each is quoted."""
    known: dict[str, ExchangeRate] = {x.currency: x for x in fx_rates(asked())}
    cells = {fx.name(x): Fraction(fx.quoted(x)) for x in known.values()}
    formula, value = fx.factor(known[own], known[wanted]), Fraction(1)
    for sign, name in re.findall(r"([*/])(\w+)", formula):
        value = value * cells[name] if sign == "*" else value / cells[name]
    assert value == exchange(asked(), own, wanted)
    assert fx.label(Words("en"), known["CNY"]) == "CNY per USD"
    assert fx.label(Words("en"), known["EUR"]) == "USD per EUR"


def test_shipped_rates_say_their_day() -> None:
    assert all(x.date <= date(2026, 11, 24) and x.source for x in fx_rates(asked()))
    assert Decimal("7.00") in {x.units_per_usd for x in fx_rates(asked())}
