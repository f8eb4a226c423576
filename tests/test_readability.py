"""No function of the product branches so much that nobody can hold it in mind: cyclomatic complexity up to 30."""

from __future__ import annotations

from pathlib import Path

from radon.complexity import cc_visit

ROOT = Path(__file__).parents[1]
PRODUCT = ("catalogs", "constraints", "optimizer")
GRADE_D = 30
"""The highest complexity of grade D; above it radon's grades are E and F."""
TO_GO: set[str] = set()
"""Known ones that are still to become steps; nothing is ever added here."""


def tangled(text: str) -> list[str]:
    """Names of functions and methods above grade D; methods with their class."""
    blocks = [block for block in cc_visit(text) if block.letter != "C"]
    return [block.fullname for block in blocks if block.complexity > GRADE_D]


def test_no_function_is_above_grade_d() -> None:
    found = {
        f"{path.relative_to(ROOT).as_posix()} {name}"
        for folder in PRODUCT
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in tangled(path.read_text(encoding="utf-8"))
    }
    assert found <= TO_GO, f"split into steps with names: {sorted(found - TO_GO)}"


def test_a_tangled_function_is_found() -> None:
    branches = "\n".join(f"    if x == {n}:\n        return {n + 1}" for n in range(GRADE_D))
    assert tangled(f"def plain(x):\n{branches}\n    return 0") == ["plain"]
    assert tangled(f"def plain(x):\n{branches.partition(chr(10))[2].partition(chr(10))[2]}\n    return 0") == []
