"""`dsopt xray` reads a vendor's file; `dsopt check` passes one on to it and says so."""

from __future__ import annotations

import json

import pytest

from tests.support.commands import run

QUOTE = "examples/procurement/xinghe-h200.csv"
GIVEN = ["--model", "v3-671b", "--quick", "--as-of", "2026-11-24", "--json"]


def test_check_gives_the_answer_of_xray_and_names_it() -> None:
    code, out, err = run("xray", QUOTE, *GIVEN)
    assert code in (0, 5), err
    passed_on, same, said = run("check", QUOTE, *GIVEN)
    assert (passed_on, json.loads(same)) == (code, json.loads(out))
    assert "dsopt xray" in said and "dsopt xray" not in err


def test_check_says_it_in_chinese() -> None:
    _, _, said = run("--lang", "zh", "check", QUOTE, *GIVEN)
    assert "供应商文件" in said


@pytest.mark.parametrize("file", ["examples/guide-entry.toml", "saved.json"])
def test_a_build_is_for_check(file: str) -> None:
    code, out, err = run("xray", file)
    assert code == 2 and not out and f"dsopt check {file}" in " ".join(err.replace("│", " ").split())


def test_help_of_check_holds_no_options_of_quotes() -> None:
    _, of_check, _ = run("check", "--help")
    _, of_xray, _ = run("xray", "--help")
    for option in ("--rate", "--review", "--accept-fuzzy", "--users"):
        assert option in of_xray and option not in of_check


def test_a_model_that_lacks_is_told_before_the_file_is_read() -> None:
    code, out, err = run("xray", "nowhere.csv")
    assert code == 3 and not out and "bad-model" in err
