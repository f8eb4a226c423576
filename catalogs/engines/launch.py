"""How engines are started: the spelling of their arguments by release, and the published checkpoints of the models.

The data lies beside this file: launch_arguments.csv (a row per engine, release and argument, with the place where the
spelling was read) and checkpoints.csv (model and precision -> Hugging Face id).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class LaunchArguments:
    """The arguments of one engine release: what an argument is for -> its spelling with `{names}` to fill in."""

    engine: str
    spellings: Mapping[str, str]

    def spell(self, argument: str, **values: object) -> str:
        """An argument with its values; "" where the engine has none of that name."""
        return self.spellings.get(argument, "").format(**values)


def release_order(release: str) -> tuple[int, ...]:
    """A release such as 0.5.23 or b4500 as numbers that sort."""
    return tuple(int(number) for number in re.findall(r"\d+", release))


@cache
def launch_arguments(engine: str, release: str) -> LaunchArguments | None:
    """The newest spelling of each argument that holds for `release` or an older one; None for an engine that publishes
    no arguments. A branch of an engine (`vLLM ROCm`) has the arguments of its trunk (`vLLM`) where it has none of its
    own."""
    spellings: dict[str, str] = {}
    rows = [row for row in _rows("launch_arguments") if f"{engine} ".startswith(f"{row['engine']} ")]
    for row in sorted(rows, key=lambda row: (len(row["engine"]), release_order(row["release_from"]))):
        if release_order(row["release_from"]) <= release_order(release):
            spellings[row["argument"]] = row["spelling"]
    return LaunchArguments(engine, spellings) if "program" in spellings else None


def checkpoint(model: str, precision: str) -> str:
    """The Hugging Face id of a model's published weights in a precision; "" where none is known."""
    found = (r["checkpoint"] for r in _rows("checkpoints") if (r["model"], r["precision"]) == (model, precision))
    return next(found, "")


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))
