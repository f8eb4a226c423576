"""The Chinese of docs/glossary.md is that of every message, and no message has a rendering that it bars."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from optimizer.text.languages import _catalog

PAGE = (Path(__file__).parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## In Chinese")[2].splitlines()
    if line.startswith("|")
][2:]
PLACE = re.compile(r"\{\w+\}|`[^`]*`")


def lacking(english: str, chinese: str) -> list[str]:
    """Terms of a message that its Chinese has by another name."""
    said = PLACE.sub(" ", english)
    return [
        term for term, words, _ in ROWS
        if re.search(rf"\b{re.escape(term)}s?\b", said, re.IGNORECASE)
        and not any(word.strip() in chinese for word in words.split(","))
    ]  # fmt: skip


def test_the_page_has_terms() -> None:
    assert len(ROWS) > 20 and all(len(row) == 3 and all(row) for row in ROWS)
    assert lacking("time to first token of {model}", "首词元时延") == ["time to first token", "first token"]
    assert lacking("time to first token", "首字延迟") == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_message_uses_the_term(row: list[str]) -> None:
    found = {en: zh for en, zh in _catalog().items() if row[0] in lacking(en, zh)}
    assert found == {}


def test_no_message_has_a_barred_rendering() -> None:
    barred = [word.strip() for row in ROWS for word in row[2].split(",")]
    assert [(word, zh) for zh in _catalog().values() for word in barred if word in zh] == []
