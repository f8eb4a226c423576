"""On a narrow terminal figures stay whole, lines break between words, and nothing is wider than the screen."""

from __future__ import annotations

import io
import re
import sys

import pytest
from rich.cells import cell_len

from optimizer.cli import front_view, output
from optimizer.cli.wrapped import labelled, wrapped
from tests.support.long import sampled
from tests.support.terminal import at_terminal

FRONT = [
    "point",
    "total, USD",
    "tok/s",
    "80 % interval",
    "each user",
    "users",
    "at load",
    "TTFT, ms",
    "GPUs",
    "plan",
    "",
]
ROWS = [
    ["p1", "1,198,485", "745.5", "535-1,040", "10.0", "75", "50 x 13.1", "899", "2 x 6 A100 PCIe 80GB", "int8 tp2", ""],
    ["p2", "12,345,678", "19,513.6", "14,003-27,222", "10.0", "2,018", "50 x 35.8", "187",
     "12 x 8 Instinct MI350X OAM", "fp8 dp4 x2", "fastest, value, recommended"],
]  # fmt: skip
RIGHT = {1, 2, 3, 4, 5, 6, 7}


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [60, 72, 80, 100, 140, 200])
def test_figures_are_never_divided(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", screen)
    output.table(FRONT, ROWS, RIGHT)
    said = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert all(cell_len(line.rstrip()) <= width for line in said.splitlines())
    for row in ROWS:
        assert all(row[i] in said for i in RIGHT)
    heads = [x for x in said.splitlines() if re.match(r" (p1|p2) ", x)]
    assert len(heads) >= 2 and len(heads) % 2 == 0  # each block begins with the point's name


@pytest.mark.parametrize("width", [30, 47, 80])
def test_lines_break_between_words(width: int) -> None:
    english = (
        "  Proof: optimal. Within catalog 2c74e4af3c40 no cheaper or faster valid build of 237,138.72 USD was "
        "overlooked."
    )
    chinese = (
        "需求：预算 300,000.00 USD；模型 v3-671b；50 个并发用户；负载 chat：输入 1,024、输出 1,024 个 token"
        "（条件 --condition new）。"
    )
    for text in (english, chinese):
        lines = wrapped(text, width).split("\n")
        assert len(lines) > 1 and all(cell_len(x) <= width for x in lines)
        words = {x for line in lines for x in re.findall(r"[A-Za-z0-9.,:-]*[A-Za-z0-9]", line)}
        assert set(re.findall(r"[A-Za-z0-9.,:-]*[A-Za-z0-9]", text)) == words
        assert not any(line.strip().startswith(tuple("，。；：、）")) for line in lines)
        assert "".join(text.split()) == "".join("".join(lines).split())
    assert all(x.startswith("  ") for x in wrapped(english, width).split("\n"))


@pytest.mark.parametrize("width", range(24, 60, 5))
def test_a_figure_keeps_its_unit(width: int) -> None:
    """`-55.3 %`, `237,138.72 USD` and `10.2 kW` stand in one line, in English and between Chinese characters."""
    english = "Next build: 20,000.00 USD less (-55.3 %), 512 GB of 2,304 GB, 10.2 kW, 8,204.8 tok/s, 120 kg in 8 U."
    chinese = (
        "下一方案：便宜 20,000.00 USD（-55.3 %），内存 512 GB，功耗 10.2 kW，吞吐 8,204.8 词元/秒，重 120 kg，占 8 U。"
    )
    for text in (english, chinese):
        lines = wrapped(text, width).split("\n")
        assert len(lines) > 1 and all(cell_len(line) <= width for line in lines)
        for figure in re.findall(r"[\d,.]+ (?:USD|%|GB|kW|tok/s|kg|U|词元/秒)", text):
            assert any(figure in line for line in lines), figure


@pytest.mark.parametrize("width", [40, 60, 80, None])
def test_what_a_label_stands_for_goes_on_under_itself(width: int | None) -> None:
    for label, text in (
        ("bytes of weights", "fp8 285,940,055,644, fp4-mix 156,015,698,140"),
        ("权重字节数", "浮点八位 285,940"),
    ):
        lines = labelled(label, text, 20, width).split("\n")
        assert (lines[0].startswith(label) and len(lines) == 1) or width
        assert width == 40 or all(line.startswith(" " * 21) for line in lines[1:])
        assert width is None or all(cell_len(line) <= width for line in lines)
        assert "".join("".join(lines).split()) == "".join((label + text).split())


def test_findings_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 100 columns the figures stand in the sentences alone, which then have room."""
    text = "a rack gives 10,691 W of heat to the air, within the 20,000 W that the room takes per rack"
    found = {"rule": "rack", "status": "pass", "measured": 10691, "limit": 20000, "unit": "W", "text": text}
    lines = {}
    for width in (80, 120):
        screen = Screen()
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setattr(sys, "stdout", screen)
        front_view.checks([found])
        lines[width] = [line for line in screen.getvalue().splitlines() if line.strip()]
    assert len(lines[80]) <= 5 and "limit" not in lines[80][0] and "limit" in lines[120][0]


def test_a_word_wider_than_the_line_is_divided() -> None:
    assert wrapped("a" * 25, 10).split("\n") == ["a" * 10, "a" * 10, "a" * 5]
    assert wrapped("models/deepseek-ai/DeepSeek-R1.yaml", 20).split("\n")[0] == "models/deepseek-ai/"


def test_the_whole_screen_of_an_answer() -> None:
    """A solve in a terminal of 80 columns, English and Chinese: no line is wider, no figure of the front is cut."""
    for language in sampled(2, ("zh", "en")):
        words = ["--budget", "40000", "--model", "r1-distill-llama-70b", "--users", "8", "--as-of", "2026-11-24"]
        screen = typed(["--lang", language, "solve", *words, "-v"])
        assert all(cell_len(x) <= 80 for x in screen.splitlines())
        assert re.search(r"^ p1 +[\d,.]+ +[\d,.]+ +[\d,]+-[\d,]+ ", screen, re.MULTILINE)
        assert re.search(r" 8 x [\d.]+ ", screen)


def typed(words: list[str]) -> str:
    """What a terminal of 80 columns shows of a command."""
    return at_terminal(words, environment={"COLUMNS": "80"})


TITLES = [
    "方案",
    "总价，USD",
    "词元/秒",
    "80% 区间",
    "单用户",
    "并发",
    "该负载下",
    "首字延迟（ms）",
    "参数量（十亿）",
    "发布精度",
    "每 GPU 显存（GB）",
]
"""Titles of columns in Chinese, of which none is a sentence."""


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_word_of_a_title_is_divided(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """`USD` nor `方案` goes over two lines: a title breaks where a bracket, a comma or a space stands."""
    screen = Screen()
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys, "stdout", screen)
    output.table(
        TITLES,
        [["p1", "198,485", "696.9", "502-978", "10.1", "70", "64 x 10.7", "1,072", "1.8", "bf16", "3.6"]],
        {1, 2, 3},
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    assert all(cell_len(line.rstrip()) <= width for line in said.splitlines())
    for title in TITLES:
        for word in re.split(r" |(?=（)|(?<=，)", title):
            assert word in said, word
