"""Options that contradict each other, or that the command would not use, end with exit 2 and the reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from catalogs.errors import InputError
from constraints.policy import Policy
from constraints.request import Request
from optimizer.cli.app import app
from optimizer.market.asked import model_of
from tests.support.long import one_in

RUN = CliRunner()
SOLVE = ("solve", "--budget", "300k", "--model", "v3-671b")
SIZE = ("size", "--model", "v3-671b", "--gpu")
QUOTE = "examples/procurement/tender/alder.xlsx"
BUILD = "examples/guide-entry.toml"
WRONG = {
    "precision below the least": ((*SOLVE, "--precision", "int4", "--min-precision", "16bit"), "contradict"),
    "two budgets": ((*SOLVE, "--budget", "200k"), "given twice"),
    "two languages": (("--lang", "zh", "--lang", "en", "models", "list"), "given twice"),
    "no search and its limit": (("check", QUOTE, "--model", "v3-671b", "--quick", "--time-limit", "5"), "--quick"),
    "two models": ((*SOLVE, "--model-config", "x.json"), "--model and --model-config"),
    "two loads": ((*SOLVE, "--tokens-per-day", "1M", "--requests-per-second", "5"), "contradict"),
    "vendor allowed and barred": ((*SOLVE, "--vendor", "NVIDIA", "--no-vendor", "nvidia"), "--no-vendor"),
    "origin admitted and barred": ((*SOLVE, "--origin", "US", "--no-origin", "us"), "--no-origin"),
    "part included and excluded": ((*SOLVE, "--include", "h200", "--exclude", "h200"), "--exclude"),
    "GPU asked for and excluded": ((*SOLVE, "--gpu", "8xh200", "--exclude", "h200"), "--exclude"),
    "several numbers of GPUs": ((*SOLVE, "--gpu", "8xh200", "--gpu", "4xb200"), "several numbers"),
    "one seller and three": ((*SOLVE, "--one-seller", "--max-sellers", "3"), "--max-sellers"),
    "tax twice": ((*SOLVE, "--tax", "13%", "--set", "money.tax_percent=5"), "money.tax_percent"),
    "support twice": ((*SOLVE, "--support", "5%", "--set", "money.support_percent=5"), "money.support_percent"),
    "pue twice": ((*SOLVE, "--pue", "1.2", "--set", "energy.pue=1.3"), "energy.pue"),
    "energy twice": ((*SOLVE, "--energy-price", "0.2", "--set", "energy.price_per_kwh=1"), "energy.price_per_kwh"),
    "rows without JSON": ((*SOLVE, "--embed-catalog"), "--embed-catalog"),
    "rows of every model": (("solve", "--budget", "300k", "--embed-catalog", "--json"), "--embed-catalog"),
    "KV cache in training": ((*SOLVE, "--workload", "train", "--kv-precision", "fp8"), "--kv-precision"),
    "offload in training": ((*SOLVE, "--workload", "train", "--offload"), "--offload"),
    "size -o": ((*SIZE, "8xH200", "-o", "x.csv"), "--output"),
    "size --force": ((*SIZE, "8xH200", "--force"), "--force"),
    "size --cpu": ((*SIZE, "4090", "--cpu", "EPYC 9654"), "--offload"),
    "size --memory": ((*SIZE, "4090", "--memory", "12x64GB"), "--offload"),
    "size --sockets": ((*SIZE, "4090", "--sockets", "2"), "--offload"),
    "size --n beside 8x": ((*SIZE, "8xH200", "--n", "4"), "--n"),
    "size --all": ((*SIZE, "8xH200", "--all"), "--all"),
    "batch and gpu": (("size", "--batch", "x.csv", "--gpu", "h200"), "--gpu"),
    "batch and JSON": (("size", "--batch", "x.csv", "--json"), "--json"),
    "batch, force without -o": (("size", "--batch", "x.csv", "--force"), "--force"),
    "batch and calibrate": (("size", "--batch", "x.csv", "--calibrate", "y.csv"), "contradict"),
    "calibrate and users": (("size", "--calibrate", "y.csv", "-o", "z", "--users", "5"), "--users"),
    "budget of a quote": (("check", QUOTE, "--model", "v3-671b", "--budget", "5"), "--budget"),
    "mend of a quote": (("check", QUOTE, "--model", "v3-671b", "--mend"), "--mend"),
    "force of no file": (("check", QUOTE, "--model", "v3-671b", "--force"), "--force"),
    "coarse precision of a quote": (
        ("check", QUOTE, "--model", "v3-671b", "--precision", "fp8", "--min-precision", "16bit"), "contradict",
    ),
    "users of a build": (("check", BUILD, "--users", "5"), "--users"),
    "time limit of no search": (("check", BUILD, "--time-limit", "5"), "--time-limit"),
    "model of a result": (("check", "result.json", "--model", "v3-671b"), "--model"),
    "compare --force": (("compare", QUOTE, QUOTE, "--force"), "--force"),
    "bad prices alone": (("explain", "result.json", "--bad-prices", "2"), "--price-risk"),
    "engine alone": (("verify", "result.json", "--engine", "cp-sat"), "--prove"),
    "thorough alone": (("verify", "result.json", "--thorough"), "--prove"),
    "quote --force": (("quote", "result.json", "--format", "json", "--force"), "--force"),
}  # fmt: skip


@pytest.mark.parametrize("name", one_in(3, WRONG))
def test_exit_2_with_the_reason(name: str, tmp_path: Path) -> None:
    args, says = WRONG[name]
    done = RUN.invoke(app, list(args))
    assert done.exit_code == 2, (done.output, done.exception)
    assert says in " ".join(done.output.replace("│", " ").split())


def test_the_same_options_where_they_are_used() -> None:
    """What is refused above is taken where it says something."""
    for args in (
        ("size", "--model", "r1-distill-qwen-7b", "--gpu", "h200", "--n", "2"),
        ("verify", "--help"),
        ("size", "--model", "v2-lite", "--gpu", "4090", "--offload", "--cpu", "EPYC 9654", "--memory", "12x64GB@4800"),
    ):
        done = RUN.invoke(app, list(args))
        assert done.exit_code == 0, (args, done.output, done.exception)


@pytest.mark.parametrize(
    ("precision", "bits", "refused"), [("int4", 16, True), ("int4", 8, True), ("fp8", 16, False), ("bf16", 8, False)]
)
def test_a_request_of_files_and_programs_is_refused_too(precision: str, bits: int, refused: bool) -> None:
    """A build.toml, or a program on the library, can name the same contradiction. V3 is published in 8 bits: fp8 loses
    nothing."""
    request = Request(
        model="v3-671b", as_of=date(2026, 11, 24), precision=precision, min_precision_bits=bits, budget_cents=100
    )
    if not refused:
        assert model_of(request, Policy()).id == "v3-671b"
        return
    with pytest.raises(InputError, match="contradicting-precision"):
        model_of(request, Policy())
