"""The first line printed says the request as it was understood; JSON stays data; a refused request prints nothing."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from constraints.policy import Policy
from constraints.prices.pricing import energy_price
from constraints.request import Circuit, Request
from optimizer.cli.app import app
from optimizer.cli.understood import understood
from optimizer.text.languages import choose

RUN = CliRunner()
JOB = ("--model", "v2-lite", "--max-nodes", "1", "--have", "racks,network", "--as-of", "2026-11-24")


def first(*args: str) -> str:
    done = RUN.invoke(app, list(args))
    assert done.exit_code in (0, 4, 5), (done.output, done.exception)
    return done.stdout.splitlines()[0]


def test_solve_says_the_amount_with_its_currency_model_load_and_conditions() -> None:
    line = first("solve", "--budget", "20万元", *JOB, "--users", "4", "--tax", "13%")
    for said in (
        "200,000.00 CNY",
        "v2-lite",
        "4 users",
        "chat",
        "1,024",
        "2026-11-24",
        "--max-nodes 1",
        "tax_percent=13",
    ):
        assert said in line


def test_chinese() -> None:
    line = first("--lang", "zh", "solve", "--budget", "20万元", *JOB)
    choose("en")
    assert line.startswith("需求：预算 200,000.00 CNY；市场 CN；模型 v2-lite")


def test_check_says_it_too() -> None:
    line = first("check", "examples/guide-entry.toml", "--budget", "20万", "--as-of", "2026-11-24")
    assert "200,000.00 CNY" in line


def test_json_is_data_alone() -> None:
    done = RUN.invoke(app, ["solve", "--budget", "20000", *JOB, "--json"])
    assert json.loads(done.stdout)["request"]["budget_cents"] == 20_000_00


@pytest.mark.parametrize("more", [("--precision", "fp9"), ("--vendor", "nvdia"), ("--isl", "9000000")])
def test_a_refused_request_prints_nothing(more: tuple[str, ...]) -> None:
    done = RUN.invoke(app, ["solve", "--budget", "20000", *JOB, *more])
    assert done.exit_code != 0
    assert not done.stdout


def test_every_condition_stands_in_the_line() -> None:
    """What is not said in words stands as the option that says it."""
    asked = Request(
        model="v3-671b", as_of=date(2026, 11, 24), currency="EUR", users=8, circuit=Circuit(amps=15, volts=120),
        conditions=frozenset({"new", "used"}), gpus=frozenset({"h200"}), gpu_count=8, max_share_percent=60,
        min_precision_bits=8, site_water=True, max_lead_days=30,
    )  # fmt: skip
    line = understood(asked, Policy())
    for said in ("no budget, amounts in EUR", "8 users", "--circuit 15A@120V", "--condition new,used", "--gpu 8xh200",
                 "--max-share 60%", "--min-precision 8bit", "--site-water", "--max-lead 30"):  # fmt: skip
        assert said in line


def test_energy_is_priced_in_the_requests_currency() -> None:
    """The default is the market's, or in dollars where none is known, and converted; a buyer's own price is in the
    request's currency."""
    for market in ("US", "JP", "any"):
        usd, cny = (
            Request(model="v3-671b", as_of=date(2026, 11, 24), currency=c, market=market)  # type: ignore[arg-type]
            for c in ("USD", "CNY")
        )
        assert energy_price(cny, Policy()) == 7 * energy_price(usd, Policy())
    own = Policy().with_settings(["energy.price_per_kwh=0.8"])
    assert energy_price(cny, own) == energy_price(usd, own)
    said = RUN.invoke(app, ["solve", "--budget", "20万元", *JOB, "--energy-price", "0.8元", "--json"])
    energy = json.loads(said.stdout)["front"][-1]["energy"]
    assert energy["price_per_kwh"] == "0.8000"
    assert abs(float(energy["cost_year"]) - 0.8 * energy["kwh_year"]) <= 0.8
    wrong = RUN.invoke(app, ["solve", "--budget", "20万元", *JOB, "--energy-price", "$0.1"])
    assert "contradicting-currency" in str(wrong.exception)


def test_a_result_is_checked_on_another_day_where_one_is_given(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    RUN.invoke(app, ["solve", "--budget", "20000", *JOB, "-o", str(path)])
    assert "prices of 2026-11-24" in first("check", str(path))
    assert "prices of 2026-11-25" in first("check", str(path), "--as-of", "2026-11-25")
