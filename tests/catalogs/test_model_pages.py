"""Pages on models that scripts write are what they write."""

from __future__ import annotations

import re

from benchmarks.models import questions
from benchmarks.models.configs import HERE, table
from docs.make_architectures import PAGE, page

BEFORE = HERE / "questions_before.csv"


def test_the_list_of_architectures_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "python docs/make_architectures.py"


def test_the_table_of_configs_is_current() -> None:
    """All 76 are accepted, their figures beside published ones."""
    made = table()
    assert made == (HERE / "configs.md").read_text(encoding="utf-8"), "python -m benchmarks.models.configs"
    assert "76 of 76 are accepted" in made


def test_questions_are_judged_by_what_is_said() -> None:
    asked, before = questions.rows(questions.HERE / "questions.csv"), questions.rows(BEFORE)
    assert [row["id"] for row in before] == [row["id"] for row in asked]
    for row in asked:
        assert row["truth"] and row["source"] and re.compile(row["says"]) and re.compile(row["never"])
        assert row["command"] or row["waits"]
    row = {"says": r"holds ([\d.,]+) GB", "low": "10", "high": "1e3", "never": "dp5"}
    assert questions.judged(row, 0, "it holds 1,000 GB") == (questions.RIGHT, "1,000")
    assert questions.judged(row, 4, "it holds 9.5 GB")[0] == questions.WRONG
    assert questions.judged(row, 0, "it holds 12 GB, dp5")[0] == questions.WRONG
    assert questions.judged(row, 0, "it holds nothing")[0] == questions.WRONG
    assert questions.judged(row, 3, "no such model, though it holds 12 GB")[0] == questions.NOT
