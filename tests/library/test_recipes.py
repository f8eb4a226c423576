"""Recipes of CONTRIBUTING followed to the letter on a copy of the project: what they say is what happens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.long import one_in

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FOLDERS = "catalogs", "constraints", "optimizer", "tests", "docs"
COMMANDS = {
    "dsopt": [sys.executable, "-c", "from optimizer.cli import main; main()"],
    "python": [sys.executable],
}


@dataclass(frozen=True)
class Step:
    """A block of a recipe: `append`, `create`, `replace` a file, or run commands (`console`)."""

    kind: str
    file: str
    text: str


def recipes() -> dict[str, list[Step]]:
    """Those that are made of blocks, by name."""
    out = {}
    for section in PAGE.split("\n## Recipe: ")[1:]:
        steps = [Step(*x) for x in re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```", section, re.M | re.S)]
        if steps:
            out[section.partition("\n")[0]] = steps
    return out


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def follow(step: Step, folder: Path) -> None:
    path = folder / step.file
    if step.kind == "append":
        before = path.read_text(encoding="utf-8")
        assert before.endswith("\n"), step.file
        path.write_text(before + step.text, encoding="utf-8")
    elif step.kind == "create":
        assert not path.exists(), step.file
        path.write_text(step.text, encoding="utf-8")
    elif step.kind == "replace":
        old, _, new = step.text.partition("=======\n")
        before = path.read_text(encoding="utf-8")
        assert before.count(old) == 1, step.file
        path.write_text(before.replace(old, new), encoding="utf-8")
    else:
        assert step.kind == "console", step.kind
        for command, _, wanted in (x.partition("\n") for x in step.text.split("$ ") if x):
            type_in(command, wanted.splitlines(), folder)


def type_in(command: str, wanted: list[str], folder: Path) -> None:
    """Runs a line; each of the lines under it stands in what it prints."""
    word, _, rest = command.partition(" ")
    line = " ".join(f"'{x}'" for x in COMMANDS.get(word, [])) or word
    environment = {**os.environ, "COLUMNS": "200", "PYTHONPATH": str(folder), "DSOPT_LANG": "en"}
    done = subprocess.run(
        f"{line} {rest}", shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}"
    for text in wanted:
        assert text in done.stdout, f"{command}: no {text!r} in\n{done.stdout[-4000:]}"


def front(folder: Path) -> list[dict[str, Any]]:
    """Points of a request whose cheapest builds have more than four GPUs in a node."""
    words = "--throughput 3000 --model r1-distill-qwen-14b --grade floor --json"
    asked = [*words.split(), "--gpu", "RTX A6000"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [*COMMANDS["dsopt"], "solve", *asked], cwd=folder, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr[-2000:]
    points: list[dict[str, Any]] = json.loads(done.stdout)["front"]
    return points


@pytest.mark.long
def test_a_new_rule_moves_the_front(copy: Path) -> None:
    before = front(copy)
    for step in recipes()["add a rule"]:
        if step.kind != "console":
            follow(step, copy)
    after = front(copy)
    assert any(p["gpus"]["per_node"] > 4 for p in before)
    assert after and all(p["gpus"]["per_node"] <= 4 for p in after)
    assert {c["rule"] for p in after for c in p["checks"]} - {c["rule"] for p in before for c in p["checks"]} == {
        "few_gpus"
    }
    kept = [p["cost"]["total"] for p in before if p["gpus"]["per_node"] <= 4]
    assert set(kept) <= {p["cost"]["total"] for p in after}


def test_there_are_recipes_to_follow() -> None:
    assert {"add a part", "add a GPU with measurements", "add a model family", "add a vendor's layout"} <= set(
        recipes()
    )
    assert all(any(step.kind == "console" for step in steps) for steps in recipes().values())


def test_a_rule_and_a_field_take_few_files() -> None:
    """A field's name stands in its shape, its entry and the rule that enforces it; the registry knows only the rule."""
    rule, field = (
        [step for step in recipes()[name] if step.kind != "console"] for name in ("add a rule", "add a request field")
    )
    assert len({step.file for step in rule}) <= 3
    assert len({step.file for step in field}) <= 4
    assert {step.file for step in field if "max_gpus_per_node" in step.text} == {
        "constraints/request.py", "optimizer/request/fields.py", "constraints/rules/node_size.py",
    }  # fmt: skip


def test_all_blocks_go_where_they_say(copy: Path) -> None:
    """Of every recipe, one after another on the same copy."""
    for steps in recipes().values():
        for step in steps:
            if step.kind != "console":
                follow(step, copy)


@pytest.mark.parametrize("name", one_in(6, recipes()))
def test_a_recipe_does_what_it_says(name: str, copy: Path) -> None:
    for step in recipes()[name]:
        follow(step, copy)
