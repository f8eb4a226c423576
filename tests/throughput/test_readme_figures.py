"""README says of the throughput model what the scoreboard says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_readme_carries_the_figures_of_the_scoreboard() -> None:
    board = (ROOT / "docs/throughput-scoreboard.md").read_text(encoding="utf-8")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found = re.search(r"^\| model x GPU \| (\d+) \| ([\d.]+) \| ([\d.]+) \|", board, re.MULTILINE)
    assert found
    rows, middle, tail = found.groups()
    assert f"fitted on {int(rows):,} published runs" in readme
    assert f"its median error is {middle} %, the 90th percentile {tail} %" in readme
