"""Experts in host memory: published figures, the front against brute force, and what the rule alone keeps out."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from tests.offload_fit import constants, fit, left_out, measured, table

DOCS = Path(__file__).parent.parent / "docs" / "offload.md"


def test_constants_are_the_fit() -> None:
    assert fit([m for m in measured("decode") if m.in_fit]) == constants()


def test_published_figures_not_in_the_fit() -> None:
    unseen = left_out([m for m in measured("decode") if m.in_fit])
    assert median(abs(e) for _, e in unseen) <= 0.15


def test_docs_show_the_computed_table() -> None:
    assert table() in DOCS.read_text(encoding="utf-8")
