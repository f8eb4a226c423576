"""What other people's models say of the rows that they answer, from the stored answers (see ask.py)."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
RIVALS = {"AIConfigurator": "aiconfigurator.csv", "GenZ": "genz.csv"}


@dataclass(frozen=True)
class Answers:
    """Of one rival: its version, the day it was asked, tok/s by the id of a row."""

    version: str
    day: str
    tok_s: Mapping[str, float]


def answers(rival: str) -> Answers:
    with (HERE / RIVALS[rival]).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Answers(rows[0]["version"], rows[0]["asked"], {row["id"]: float(row["output_tok_s"]) for row in rows})
