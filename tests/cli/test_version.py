"""`dsopt --version` says what is installed, and the changelog has a section for what the project says it is."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.commands import run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("words", [["--version"], ["--lang", "zh", "--version"]])
def test_the_version_is_that_of_the_package(words: list[str]) -> None:
    assert run(*words)[:2] == (0, f"dsopt {version('dsopt')}\n")


def test_the_changelog_begins_with_this_version() -> None:
    """Every section is a version with a day, the newest first; every list is of what was added, changed or fixed."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.M)
    found = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})", x) for x in sections]
    assert all(found), sections
    numbers = [tuple(map(int, x[1].split("."))) for x in found if x]
    days = [date.fromisoformat(x[2]) for x in found if x]
    assert numbers == sorted(numbers, reverse=True) and days == sorted(days, reverse=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert found[0] and found[0][1] == project["version"]
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= {
        "Added",
        "Changed",
        "Deprecated",
        "Removed",
        "Fixed",
        "Security",
    }
