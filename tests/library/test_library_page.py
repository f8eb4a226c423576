"""docs/library.md says what happens: its lines run in order, and the error that it shows is the one that is raised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "library.md"


def test_every_line_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    printed = capsys.readouterr().out
    (shown,) = re.findall(r"^    (\[unknown-part\].*)$", text, re.M)
    assert shown in printed
    assert names["cheaper"].front[0].cost.total < names["result"].front[0].cost.total  # type: ignore[attr-defined]
