"""docs/architecture.md and docs/glossary.md tell of the code that is there: every name, every folder, every class."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"^    ((?:catalogs|constraints|optimizer)(?:\.\w+)+)", ARCHITECTURE, re.M)))


@pytest.mark.parametrize("name", NAMES)
def test_every_step_of_a_way_is_there(name: str) -> None:
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        if (ROOT.joinpath(*parts[:end]).with_suffix(".py")).exists() or ROOT.joinpath(*parts[:end]).is_dir():
            found: object = import_module(".".join(parts[:end]))
            for attribute in parts[end:]:
                found = getattr(found, attribute)
            return
    pytest.fail(f"no module of {name}")


def test_the_ways_are_long_enough_to_be_looked_at() -> None:
    assert len(NAMES) > 35


def test_every_folder_is_in_the_tree() -> None:
    told = set(re.findall(r"^\| `([\w/]+/)` \|", ARCHITECTURE, re.M))
    assert {x for x in told if not (ROOT / x).is_dir()} == set()
    rooms = {
        f"{floor}/{path.name}/"
        for floor in ("catalogs", "constraints", "optimizer")
        for path in (ROOT / floor).iterdir()
        if path.is_dir() and not path.name.startswith(("__", "."))
    }
    assert rooms - told <= {"constraints/data/"}


def test_files_named_are_there() -> None:
    for folder, text in re.findall(r"^\| `([\w/]+/)` \| (.+) \|$", ARCHITECTURE, re.M):
        for file in re.findall(r"`(\w+\.py)`", text):
            assert (ROOT / folder / file).exists(), folder + file


def test_words_stand_once() -> None:
    words = [w.strip() for row in re.findall(r"^\| ([^|]+) \| [^|]+ \|$", GLOSSARY, re.M) for w in row.split(",")]
    told = [w for w in words if w not in ("word", "---")]
    assert len(told) == len(set(told)) > 70
