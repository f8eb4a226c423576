"""What is wrong with a typed value: the option, the value and what is needed, in plain words that are true of it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from constraints.policy import DATA, Policy
from tests.support.commands import dsopt

ASKED = ("solve", "--budget", "300000", "--model", "r1-671b")
PYDANTIC = re.compile(r"Input should|Field required|unable to parse|not permitted|Value error")


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        (["--max-kw", "5kW"], 2, "'--max-kw': needs a number (value '5kW')"),
        (["--users", "1e3"], 2, "'--users': needs a whole number (value '1e3')"),
        (["--rack-units", "1.5"], 2, "'--rack-units': needs a whole number (value '1.5')"),
        (["--workers", "0"], 2, "'--workers': needs a number of at least 1 (value '0')"),
        (["--users", "0"], 3, "--users: needs a number of at least 1 (value '0')"),
        (["--isl", "100000000"], 3, "--isl: needs a number of at most 10,000,000 (value '100000000')"),
        (["--max-lead", "-1"], 3, "--max-lead: needs a number of at least 0 (value '-1')"),
        (["--condition", "bad"], 3, "--condition: needs to be new, refurbished or used (value 'bad')"),
        (["--have", "pizza"], 3, "--have: needs to be racks or network (value 'pizza')"),
        (["--max-kw", "inf"], 3, "--max-kw: needs a number above 0 and below 1,000,000 (value 'inf')"),
        (["--throughput", "1e30"], 3, "--throughput: needs a number above 0 and below 100,000,000,000 (value '1e+30')"),
        (["--time-limit", "0"], 3, "--time-limit: needs a number above 0 and below 1,000,000,000 (value '0')"),
        (["--pue", "0.5"], 3, "--pue: needs a number from 1 to 10 (value '0.5')"),
        (["--gpu", "0xH200"], 3, "needs one GPU at least (value '0xH200'). For example 8xH200."),
        (["--gpu", "H200 x 0"], 3, "needs one GPU at least (value 'H200 x 0'). For example 8xH200."),
    ],
)  # fmt: skip
def test_a_value_is_refused_in_plain_words(typed: list[str], code: int, words: str) -> None:
    done = dsopt(*ASKED, *typed, code=code)
    assert words in " ".join(done.stderr.split())
    assert not PYDANTIC.search(done.stderr)


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("rates.csv", "currency,usd_per_unit,date,source\nEUR,abc,2026-01-01,x\n", (*ASKED, "--fx", "{}")),
        ("rates.csv", "currency,usd_per_unit,date,source\nEUR,-1,2026-01-01,x\n", (*ASKED, "--fx", "{}")),
        ("build.toml", 'model = "r1-671b"\nnodes = "two"\n', ("check", "{}")),
        ("result.json", "{}", ("check", "{}")),
        ("result.json", "[]", ("explain", "{}")),
        ("map.toml", "header_row = 'x'\nunknown = 1\n",
         ("xray", "examples/procurement/meridian-dgx.csv", "--model", "r1-671b", "--quick", "--map", "{}")),
    ],
)  # fmt: skip
def test_nor_do_files_speak_of_input(tmp_path: Path, name: str, text: str, command: tuple[str, ...]) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    done = dsopt(*(word.format(file) for word in command), code=3)
    assert "error: [" in done.stderr
    assert not PYDANTIC.search(done.stderr)


def test_what_a_host_lacks_is_what_is_named() -> None:
    size = ("size", "--model", "r1-671b", "--gpu", "H200", "--offload", "--allow-experimental")
    neither = dsopt(*size, "--memory", "12x64GB@4800", code=3).stderr
    assert "--cpu: is needed with --offload. For example" in neither and "--memory" not in neither
    wrong = dsopt(*size, "--cpu", "EPYC 9654", "--memory", "12x64", code=3).stderr
    assert "--memory: needs modules, their size and MT/s (value '12x64'). For example 12x64GB@4800." in wrong
    assert "--cpu" not in wrong
    none = dsopt(*size, "--cpu", "EPYC 9654", "--memory", "0x64GB@4800", code=3).stderr
    assert "--memory: needs modules, their size and MT/s (value '0x64GB@4800')" in none


@pytest.mark.parametrize("n", ["0", "-1", "1025"])
def test_a_node_of_no_gpus_is_no_node(n: str) -> None:
    said = dsopt("size", "--model", "r1-671b", "--gpu", "H200", "--n", n, code=3).stderr
    assert f"out of range: {n} and 1. One to 1,024 GPUs per node" in said


def test_what_is_wrong_of_several_fields_shows_no_program(tmp_path: Path) -> None:
    said = dsopt("size", "--model", "r1-671b", "--gpu", "8xH200", "--isl", "10000000", code=3).stderr
    assert "isl + osl beyond any model's context" in said and "{" not in said


def test_a_purchase_is_not_paid_by_time() -> None:
    quote = ("examples/procurement/meridian-dgx.csv", "--model", "r1-671b", "--quick", "--term", "36")
    said = " ".join(dsopt("xray", *quote, code=2).stderr.split())
    assert "--term 36: the quote is not paid by time" in said


def test_a_quote_is_what_its_file_is_called(tmp_path: Path) -> None:
    """The ending says the format: a workbook called .doc, or a CSV called .xlsx, opens nowhere."""
    for ending in ("doc", "txt", "xls"):
        said = dsopt("quote", "no.json", "-o", str(tmp_path / f"q.{ending}"), code=3).stderr
        near = "Nearest: .xlsx. " if ending == "xls" else ""
        assert f"q.{ending}: is no format of a quote. {near}One of: .xlsx" in said
    for kind, ending in (("csv", "xlsx"), ("xlsx", "csv"), ("cyclonedx", "xlsx"), ("pdf", "json")):
        words = ("quote", "no.json", "--format", kind, "-o", str(tmp_path / f"q.{ending}"))
        assert f"--format {kind} and -o" in dsopt(*words, code=2).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_vendors_file(tmp_path: Path) -> None:
    said = dsopt("check", str(tmp_path), code=3).stderr
    assert "is a folder. Name a file." in said and "a vendor's file" not in said


def test_bytes_are_called_bytes(tmp_path: Path) -> None:
    """Whatever the file is called and whichever encoding comes nearest."""
    for name in ("quote.csv", "quote.bin", "quote"):
        file = tmp_path / name
        file.write_bytes(bytes(range(256)) * 8)
        said = dsopt("xray", str(file), "--model", "r1-671b", code=3).stderr
        assert "is a binary file, not a vendor's quote. No command reads it." in said


RATED = [row["key"] for row in csv.DictReader((DATA / "policy.csv").open(encoding="utf-8")) if row["most"] == "100"]
"""Shares of what a thing is rated for, or of a whole: more than all of it is none."""


@pytest.mark.parametrize("key", RATED)
def test_no_more_than_all_of_it(key: str) -> None:
    from catalogs.errors import InputError

    assert Policy().with_settings([f"{key}=100"])[key] == 100
    with pytest.raises(InputError, match=r"needs a number from [01] to 100 \(in %.*For example"):
        Policy().with_settings([f"{key}=101"])


def test_what_is_rated_is_known() -> None:
    loads = {
        "power.psu_load_percent",
        "power.surviving_load_percent",
        "power.breaker_percent",
        "power.breaker_iec_percent",
        "energy.load_percent",
    }
    assert loads <= set(RATED) and "power.atx_transient_percent" not in RATED
