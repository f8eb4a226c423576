"""Pages on models that scripts write are what they write."""

from __future__ import annotations

from benchmarks.models.configs import HERE, table
from docs.make_architectures import PAGE, page


def test_the_list_of_architectures_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "python docs/make_architectures.py"


def test_the_table_of_configs_is_current() -> None:
    """All 76 are accepted, their figures beside published ones."""
    made = table()
    assert made == (HERE / "configs.md").read_text(encoding="utf-8"), "python -m benchmarks.models.configs"
    assert "76 of 76 are accepted" in made
