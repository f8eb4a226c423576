"""docs/api.md is what the docstrings say, and says what the library has."""

from __future__ import annotations

import re

import optimizer
from docs.make_api import CONTENT, PAGE, page, with_fields


def test_page_is_current() -> None:
    assert page() == PAGE.read_text(encoding="utf-8"), "python docs/make_api.py"


def test_page_has_all_that_the_library_gives() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(optimizer.__all__) <= set(re.findall(r"^### `(\w+)`", text, re.M))
    headings = {
        re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.+)$", text, re.M)
    }
    broken = [
        x for x in re.findall(r"\]\(#([\w-]+)\)", text) if x not in headings and re.sub(r"-1$", "", x) not in headings
    ]
    assert not broken


def test_figures_say_their_unit() -> None:
    """Every number in an answer has its unit in its name or a description, or is a plain count or id of things."""
    from importlib import import_module

    units = ("_w", "_s", "_ms", "_gb", "_gib", "_gbit_s", "_percent", "_gflops", "_year", "_days", "_tb")
    counts = {"qty", "count", "parts", "offers", "nodes", "per_node", "total", "gpus", "racks", "params_total", "users"}
    bare = [
        f"{module}.{cls}.{name}"
        for _, module, _ in CONTENT
        if "schema" in module
        for cls in with_fields(module)
        for name, field in getattr(import_module(module), cls).model_fields.items()
        if ("float" in str(field.annotation) or "int" in re.findall(r"\w+", str(field.annotation)))
        and not field.description and not name.endswith(units) and name not in counts
    ]  # fmt: skip
    assert not bare
