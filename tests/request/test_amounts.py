"""One parser for amounts, wherever a person gives one: values, currencies, and what is refused with its reason."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs.errors import InputError
from optimizer.cli.app import app
from optimizer.text import amounts
from optimizer.text.money import amount, count, currency_code, money

RUN = CliRunner()
READ = {
    "CNY": {"300000块": 300_000, "20块": 20, 
        "200万元": 2_000_000, "2000000元": 2_000_000, "200万": 2_000_000, "人民币200万": 2_000_000,
        "RMB2000000": 2_000_000,
        "rmb 200万": 2_000_000, "CN¥2,000,000": 2_000_000, "2000000CNY": 2_000_000, "¥200万": 2_000_000,
        "￥200万": 2_000_000, "¥ 2,000,000.00": 2_000_000, "200萬圓": 2_000_000, "5000000圆": 5_000_000,
        "２００万元": 2_000_000, "1.5亿": 150_000_000, "两百万": 2_000_000, "二十万元": 200_000, "3千万": 30_000_000,
        "1亿2000万": 120_000_000, "叁拾万元整": 300_000, "人民币贰佰捌拾玖万捌仟伍佰元整": 2_898_500,
        "人民币壹佰元伍角": Decimal("100.5"), "3万块": 30_000, "含税200万元": 2_000_000,
        "300kCNY": 300_000, "100 yuan": 100,
    },
    "USD": {
        "300000": 300_000, "300k": 300_000, "300K": 300_000, "$300,000": 300_000, "300000$": 300_000,
        "US$300k": 300_000,
        "20万美元": 200_000, "1.2m": 1_200_000, "$1.2M": 1_200_000, "USD 1.72M": 1_720_000, "300,000": 300_000,
        "300.000,00": 300_000, "1,300,000.50": Decimal("1300000.5"), "300'000": 300_000, "300 000": 300_000,
        "300_000": 300_000, "1,500k": 1_500_000, "1.255m": 1_255_000, "10 dollars": 10, "１２３４": 1234, "五十": 50,
        "300000 USD": 300_000, "$300,000 USD": 300_000, "300000美金": 300_000, "0.5": Decimal("0.5"),
    },
    "EUR": {
        "EUR300k": 300_000, "300k€": 300_000, "€300k": 300_000, "300 000 €": 300_000, "300.000,00 €": 300_000,
        "12,34€": Decimal("12.34"), "1,5 Mio. €": 1_500_000, "30万欧元": 300_000, "300 Euro": 300,
    },
    "JPY": {
        "3億円": 300_000_000, "¥300 JPY": 300, "日元3000万": 30_000_000, "JP¥5000": 5000, "3000万日元": 30_000_000,
        "1億2000万円": 120_000_000, "5,000 yen": 5000,
    },
    "GBP": {"£250k": 250_000, "250000 gbp": 250_000, "20万英镑": 200_000},
}  # fmt: skip
REFUSED = {
    "($300,000)": "above 0", "（30万）": "above 0", "300k k": "scale twice", "300万万": "scale twice",
    "$€300": "two currencies", "USDCNY300": "two currencies", "EUR 300 USD": "two currencies",
    "¥300 USD": "two currencies",
    "300元美元": "two currencies", "CNY¥300€": "two currencies", "CHF300": "is in CHF", "HK$300": "is in HKD",
    "-5": "above 0", "(300)": "above 0", "0": "above 0", "0元": "above 0", "$-5": "above 0",
    "99999999999999": "above 0",
    "": "is empty", "   ": "is empty", "　": "is empty", "1" * 100: "longer",
    "300.000": "may be 300.000 or 300000", "12,34": "decimal comma", "100.001": "may be",
    "nan": "no amount", "inf": "no amount", "1e6": "no amount", "1e999": "no amount", "300%": "no amount",
    "garbage": "no amount", "万": "no amount", "$": "no amount", "8x300": "no amount", "300 400 5": "no amount",
    "300,00,0": "no amount", "1,00": "decimal comma", "300/2": "no amount", "300kW": "no amount",
    "300 per month": "no amount",
    "5 years": "no amount", "1.2.3": "no amount", "0x10": "no amount", "２百５十万": "no amount",
    "300 net": "net of tax", "200万不含税": "net of tax", "0.001": "finer than a cent", "10.5円": "finer than a yen",
}  # fmt: skip


@pytest.mark.parametrize(("code", "text", "value"), [(c, t, v) for c, some in READ.items() for t, v in some.items()])
def test_amounts_that_people_write(code: str, text: str, value: Any) -> None:
    found = money(text)
    assert (found.currency, Decimal(found.cents).scaleb(0 if code == "JPY" else -2)) == (code, value)


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_what_is_no_amount_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        money(text)


@pytest.mark.parametrize(
    ("text", "said", "default", "code"),
    [("300", "CNY", None, "CNY"), ("300", None, "EUR", "EUR"), ("300", None, None, "USD"), ("$300", None, "CNY", "USD"),
     ("200万", "USD", None, "USD"), ("200万", None, None, "CNY"), ("3000万", None, "JPY", "JPY"),
     ("¥300", "JPY", None, "JPY"), ("¥300", None, "JPY", "JPY"), ("CN¥300", None, "JPY", "CNY"),
     ("300元", "CNY", None, "CNY")],
)  # fmt: skip
def test_the_currency_of_an_amount(text: str, said: str | None, default: str | None, code: str) -> None:
    """What it names itself, else --currency, else the default, else CNY of 万 and 亿, else USD."""
    assert money(text, said, default=default).currency == code


@pytest.mark.parametrize(("text", "said"), [("$300", "CNY"), ("¥300", "USD"), ("20万美元", "CNY"), ("300円", "CNY")])
def test_an_amount_and_a_currency_that_contradict(text: str, said: str) -> None:
    with pytest.raises(InputError, match=r"contradicting-currency.*--currency says"):
        money(text, said)


@pytest.mark.parametrize(
    ("text", "code"), [("cny", "CNY"), ("RMB", "CNY"), ("人民币", "CNY"), ("€", "EUR"), ("¥", "CNY"), (" usd ", "USD")]
)
def test_codes_of_currencies(text: str, code: str) -> None:
    assert currency_code(text) == code


@pytest.mark.parametrize("text", ["XXX", "CHF", "USD EUR", "300", "USDCNY", "dollar store"])
def test_codes_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="bad-currency"):
        currency_code(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("20M", 20_000_000), ("2000万", 20_000_000), ("3亿", 300_000_000), ("0.5", Decimal("0.5")), ("1,500k", 1_500_000)],
)
def test_counts_take_the_same_figures(text: str, value: Any) -> None:
    assert count(text, "--tokens-per-day") == value


@pytest.mark.parametrize("text", ["", "-1", "$5", "20%", "x", "0", "1e400", "5 6x"])
def test_counts_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="bad-amount"):
        count(text, "--tokens-per-day")


@pytest.mark.parametrize(
    "text", [t for some in READ.values() for t in some if not any(x in t for x in "两二五叁贰壹千")]
)
def test_a_vendors_cell_says_the_same(text: str) -> None:
    """Where the reader of vendor files takes a text as one amount, it takes the same."""
    found = amounts.read(text)
    if found.value is not None and found.currency and amounts.alone(text) and not text.endswith("m"):
        assert found.value == amount(text, "x").value


def refused(*args: str) -> str:
    done = RUN.invoke(app, list(args))
    assert done.exit_code != 0
    return str(done.exception) + done.output


def test_the_command_line_says_what_contradicts(monkeypatch: pytest.MonkeyPatch) -> None:
    base = ("solve", "--model", "v2-lite")
    assert "contradicting-currency" in refused(*base, "--budget", "$300", "--currency", "CNY")
    monkeypatch.setenv("DSOPT_CURRENCY", "XYZ")
    assert "DSOPT_CURRENCY" in refused(*base, "--budget", "300")


def test_a_price_of_a_build_file(tmp_path: Path) -> None:
    """Own parts of a build.toml: the same amounts, in dollars."""
    from catalogs.load import load
    from optimizer.result.build_file import read

    text = Path("examples/guide-entry.toml").read_text(encoding="utf-8")
    raw = '\n[[raw]]\nkind = "cooling"\nid = "my-fan"\nmedium = "air"\nrole = "fans"\n'
    catalog = load()

    def price(said: str) -> Decimal:
        path = tmp_path / "build.toml"
        path.write_text(text + raw + f"price_usd = {said}\n", encoding="utf-8")
        return read(path, catalog, None, "2026-11-24")[0].offers["my-fan"][0].price

    for said in ('"$1,234.50"', '"1234.50 USD"', '"1234.50"', "1234.5"):
        assert price(said) == Decimal("1234.50")
    for said in ('"¥1234"', '"€5"', '"abc"', '"-5"', '""'):
        with pytest.raises(InputError):
            price(said)
