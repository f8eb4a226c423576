"""`--lang` stands before the command or behind it, of every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import LINES, commands, dsopt


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_takes_a_language(name: str) -> None:
    assert dsopt(*name.split(), "--help").stdout.count("--lang LANGUAGE") == 1
    words = [word.format(quote="x.xlsx", result="x.json", config="config.json", mine="mine") for word in LINES[name]]
    said = dsopt(*name.split(), *words, "--lang", "fr", code=3).stderr
    assert "--lang: is none (value 'fr'). One of: en, zh" in said


@pytest.mark.parametrize(
    "line",
    [
        ("solve", "--budget", "800", "--model", "v4-flash", "--gpu", "h200"),
        ("size", "--model", "r1-671b", "--gpu", "8xH200"),
        ("models", "show", "v4-flash"),
        ("catalog", "show", "h200"),
    ],
    ids=lambda line: line[0],
)
def test_behind_the_command_it_says_the_same(line: tuple[str, ...]) -> None:
    code = 4 if line[0] == "solve" else 0
    before, behind = dsopt("--lang", "zh", *line, code=code), dsopt(*line, "--lang", "zh", code=code)
    assert before.stdout == behind.stdout != dsopt(*line, code=code).stdout


def test_a_quote_and_its_terminal_speak_one_language(tmp_path: Path) -> None:
    """`--lang zh` is of the workbook and of what is said of it."""
    result, file = tmp_path / "result.json", tmp_path / "q.xlsx"
    asked = ("--budget", "9000", "--model", "r1-distill-qwen-1.5b", "--gpu", "RTX 4090")
    dsopt("solve", *asked, "-o", str(result), code=0)
    said = dsopt("quote", str(result), "-o", str(file), "--lang", "zh", code=0).stderr
    assert "总价" in said and "total" not in said
