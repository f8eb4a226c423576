"""docs/tutorials: what each page shows is what its commands print, and its pictures are drawn by them."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

from tests.cli.test_examples import parsed
from tests.support.commands import run

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path.stem for path in (DOCS / "tutorials").glob("*.md"))
CHEAP = {"price-list"}
"""Run always; what solves over the whole catalog or judges three bids is `long`."""
LARGEST_PICTURE = 60_000
"""Bytes."""


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_tutorials", DOCS / "make_tutorials.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = maker()


def text(page: str) -> str:
    return (DOCS / "tutorials" / f"{page}.md").read_text(encoding="utf-8")


def commands(page: str) -> list[list[str]]:
    return [shlex.split(found["command"].replace("\\\n", " ")) for found in MAKE.BLOCK.finditer(text(page))]


@pytest.mark.parametrize("page", [p if p in CHEAP else pytest.param(p, marks=pytest.mark.long) for p in PAGES])
def test_a_page_shows_what_its_commands_print(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert MAKE.renewed(text(page), run) == text(page)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_whole(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each console block has a command that can be read and something printed; each picture is small and drawn here."""
    monkeypatch.chdir(Path(__file__).parents[1] / "optimizer")  # where `samples/` is
    blocks = list(MAKE.BLOCK.finditer(text(page)))
    assert len(blocks) == text(page).count("```console") > 2
    assert all(found["printed"].strip() for found in blocks)
    drawn = {Path(words[words.index("-o") + 1]).name for words in commands(page) if words[1] == "plot"}
    pictures = re.findall(r"!\[[^\]]+\]\((pictures/[^)]+)\)", text(page))
    assert {Path(picture).name for picture in pictures} == drawn
    for picture in pictures:
        assert 1_000 < (DOCS / "tutorials" / picture).stat().st_size < LARGEST_PICTURE
    for words in commands(page):
        if words[1] in ("solve", "xray", "size"):
            assert parsed(words[1:])


def test_what_is_shown_is_found_or_refused() -> None:
    printed = "one\ntwo  \nthree\nfour\n"
    assert MAKE.shown(printed, None) == "one\ntwo\nthree\nfour\n"
    assert MAKE.shown(printed, 'first 1; from "three" 1') == "one\n...\nthree\n...\n"
    assert MAKE.shown(printed, "nothing") == ""
    for wrong in ('from "five" 1', "last 3"):
        with pytest.raises(ValueError):
            MAKE.shown(printed, wrong)
    page = "```console\n$ dsopt a\\\n b\nold\n```"
    assert MAKE.renewed(page, lambda *words: (0, " ".join(words), "")) == "```console\n$ dsopt a\\\n b\na b\n```"
    with pytest.raises(ValueError, match="ended with 3"):
        MAKE.renewed(page, lambda *words: (3, "", "no such file"))
