"""The library's names whatever was imported before: no module of the package stands in a function's place."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEFORE = [
    "",
    "import optimizer",
    "from optimizer import solve",
    "import optimizer.library",
    "import optimizer.explanation.no_build",
    "from optimizer.explanation import schema",
    "import optimizer.cli.explain_cmd, optimizer.cli.app",
]
ASKED = """
from optimizer import check, explain, size, solve
import optimizer
for name in ("solve", "explain", "check", "size", "shipped_catalog"):
    f = getattr(optimizer, name)
    assert callable(f) and f.__module__ == "optimizer.library", (name, f)
import optimizer.explanation.point
assert callable(optimizer.explain)
assert all(getattr(optimizer, name) for name in optimizer.__all__)
"""


@pytest.mark.parametrize("before", BEFORE)
def test_functions_are_functions(before: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"{before}\n{ASKED}"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_package_starts_without_heavy_modules() -> None:
    heavy = "pandas", "numpy", "ortools", "pydantic"
    code = f"import optimizer, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
