"""The answer of a solve on one screen: at every width and in both languages no figure is divided and no line is wider,
and a terminal of 80 x 24 shows all of it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from optimizer.cli import front_view, no_build_short, no_build_view, output
from optimizer.cli.front_plot import Dot, picture
from optimizer.cli.short_view import answer, free_name, next_commands, typed_lines
from optimizer.result.schema import Result
from optimizer.text.languages import choose
from tests.cli.test_terminal_width import Screen
from tests.support.commands import run
from tests.support.long import sampled
from tests.support.terminal import at_terminal

DAY = "--as-of 2026-11-24 --max-nodes 1"
SAVED = {
    "normal": f"--budget 40000 --model r1-distill-llama-70b --users 8 {DAY}",
    "full": f"--throughput 100 --model r1-distill-qwen-14b {DAY}",
    "none": f"--budget 500 --model r1-distill-qwen-1.5b {DAY}",
    "training": f"--budget 9000 --model r1-distill-qwen-1.5b --workload finetune-lora --train-tokens 1e9 {DAY}",
    "offload": f"--budget 9000 --model v2-lite --gpu 'RTX 4090' --offload --allow-experimental {DAY}",
}
"""Requests of every kind of answer, each solved once."""
FIGURE = re.compile(r"\d[\d,]*\.\d+|\d{1,3}(?:,\d{3})+")
COMMAND = "dsopt solve --model r1-distill-llama-70b --budget 40000 --users 8 --as-of 2026-11-24"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    path, found = tmp_path_factory.mktemp("screen") / "result.json", {}
    for name, words in SAVED.items():
        code, _, err = run("solve", *shlex.split(words), "-o", str(path), "--force")
        assert code == (4 if name == "none" else 0), err
        found[name] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    choose(request.param)
    yield request.param
    choose("en")


def brief(data: dict[str, Any], width: int | None, rows: int = 23) -> list[str]:
    """The lines of the answer on one screen."""
    result = Result.model_validate(data)
    if result.explanation is not None:
        return no_build_short.no_build(result.explanation, COMMAND, None, width, rows)
    return answer(result.model_dump(), next_commands(COMMAND, Path("kept.json")), width, rows)


def whole(data: dict[str, Any], width: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines of -vv."""
    result, screen = Result.model_validate(data), Screen()
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", str(width))
        patch.setattr(sys, "stdout", screen)
        patch.setattr(sys, "stderr", screen)
        if result.explanation is not None:
            no_build_view.show_no_build(result.explanation)
        else:
            front_view.show(result.model_dump(), True, True)
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()


def of_commands(lines: list[str]) -> list[str]:
    """Without commands, of which no word is cut."""
    return [x for x in lines if not re.search(r"dsopt|^ +-|\\$|\.json|[\w-]{18}", x)]


@pytest.mark.parametrize("kind", SAVED)
def test_no_figure_is_divided_and_no_line_is_wider(
    kind: str, saved: dict[str, dict[str, Any]], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved[kind]
    plain = "\n".join(brief(data, None))
    unbroken = set(FIGURE.findall("\n".join(whole(data, 1000, monkeypatch))))
    for width in sampled(3, range(20, 201)):
        lines = brief(data, width)
        assert all(cell_len(line) <= width for line in of_commands(lines)), width
        figures = set(FIGURE.findall("\n".join(of_commands(lines))))
        assert figures <= set(FIGURE.findall(plain)) | unbroken, width
    for width in sampled(4, (20, 40, 60, 100, 80, 120, 200)):
        lines = whole(data, width, monkeypatch)
        assert all(cell_len(line.rstrip()) <= width for line in of_commands(lines)), width
        assert unbroken <= set(FIGURE.findall("\n".join(lines))) or kind == "none", width


@pytest.mark.parametrize("kind", SAVED)
def test_all_of_it_on_one_screen(kind: str, saved: dict[str, dict[str, Any]], language: str) -> None:
    """Of 80 x 24, below three lines of the request and above a prompt, with three points of the front named."""
    lines = brief(saved[kind], 80, 20)
    assert len(lines) <= 20, "\n".join(lines)
    if kind != "none":
        best = next(p for p in saved[kind]["front"] if p["id"] == saved[kind]["recommended"])
        assert f"{float(best['cost']['total']):,.2f} USD" in lines[1]


def test_a_terminal_of_80_by_24_shows_the_answer(tmp_path: Path) -> None:
    """A real one: from the request to the last command nothing has left the screen."""
    shown = at_terminal(["solve", *shlex.split(SAVED["normal"])], (24, 80), folder=tmp_path)
    screen = shown.rstrip("\n").split("\n")
    assert len(screen) <= 23 and all(cell_len(x) <= 80 for x in screen)
    text = "\n".join(screen)
    assert text.startswith("Asked: budget 40,000.00 USD") and "Recommended (p" in text and " your 8 users " in text
    assert screen[-1].strip() == "dsopt report result.json -o report.html"
    assert "-v" in text and "-o result.json" in text


DOTS = [Dot(100.0, 10.0, "p1", True), Dot(250.0, 30.0, "", False), Dot(900.0, 90.0, "p9", False)]


def test_the_picture_has_each_point_in_its_place() -> None:
    lines = picture(DOTS, 60, 9, "USD", "tok/s")
    assert len(lines) == 9 and all(cell_len(x) <= 60 for x in lines)
    assert lines[0].startswith("   90 │") and lines[0].endswith("p9o") and "*p1" in lines[6]
    assert "".join(lines).count("o") == 3  # two points, and tok/s
    assert lines[-1].split() == ["100", "USD", "900"]


@pytest.mark.parametrize(("points", "width", "rows"), [(DOTS[:1], 80, 9), (DOTS, 40, 9), (DOTS, 80, 4)])
def test_no_picture_of_one_point_or_without_room(points: list[Dot], width: int, rows: int) -> None:
    assert picture(points, width, rows, "USD", "tok/s") == []


@pytest.mark.parametrize("width", [24, 40, 60, 80, None])
def test_a_broken_command_is_the_same_command(width: int | None) -> None:
    command = "dsopt solve --model-config 'my models/a b.json' --budget 200万元 --grade floor -v"
    assert shlex.split("\n".join(typed_lines(command, width)).replace("\\\n", " ")) == shlex.split(command)


def test_commands_name_files_that_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert free_name("result", "json") == "result.json"
    Path("result.json").write_text("{}", encoding="utf-8")
    assert next_commands("dsopt solve", None)[1:] == [
        "dsopt solve -o result-2.json", "dsopt report result-2.json -o report.html",
    ]  # fmt: skip
    assert next_commands("dsopt solve", Path("a b.json"))[1] == "dsopt explain 'a b.json'"


def test_a_table_without_room_for_two_columns_is_stacked(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setattr(sys, "stdout", screen)
    output.table(["point", "80 % interval"], [["recommended", "1,234,567-7,654,321"]], {1})
    assert "1,234,567-" in screen.getvalue() and all(cell_len(x) <= 20 for x in screen.getvalue().splitlines())


def test_the_rules_are_folded(saved: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    """Passed ones in a line, others in words."""
    found = [x for x in saved["normal"]["front"][0]["checks"] if x["status"] == "pass"]
    front_view.folded(found)
    lines = [x for x in capsys.readouterr().out.splitlines() if x.strip()]
    assert len(lines) == 1 and f"{len(found)} checks of" in lines[0]
    front_view.folded([{**found[0], "status": "warn"}, *found[1:]])
    said = capsys.readouterr().out
    assert found[0]["rule"] in said and f"{len(found) - 1} checks of" in said
