"""The library's names whatever was imported before: no module of the package stands in a function's place."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import optimizer.cli
from tests.support.long import one_in

CLI = Path(optimizer.cli.__file__).parent

BEFORE = [
    "",
    "import optimizer",
    "from optimizer import solve",
    "import optimizer.library",
    "import optimizer.explanation.no_build.explained",
    "from optimizer.explanation import questions",
    "import optimizer.cli.explain_cmd, optimizer.cli.app",
]
ASKED = """
from optimizer import check, explain, size, solve
import optimizer
import optimizer.explanation.point.explained, optimizer.verify.schema
from optimizer import library
for name in library.__all__:
    f = getattr(optimizer, name)
    assert callable(f) and f.__module__.startswith("optimizer.library."), (name, f)
assert set(optimizer.__all__) == {*library.__all__, "Build", "Policy", "Request"}
assert all(getattr(optimizer, name) for name in optimizer.__all__)
"""


@pytest.mark.parametrize("before", one_in(3, BEFORE))
def test_functions_are_functions(before: str) -> None:
    done = subprocess.run([sys.executable, "-c", f"{before}\n{ASKED}"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_package_starts_without_heavy_modules() -> None:
    heavy = "pandas", "numpy", "ortools", "pydantic"
    code = f"import optimizer, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


LIBRARY = {"optimizer", "optimizer.library"}
PLAIN = {
    "optimizer.request.approved_list", "optimizer.search.clock", "optimizer.request.command",
    "optimizer.result.plan_line", "optimizer.text.csv_table", "optimizer.text.figures", "optimizer.text.languages",
    "optimizer.text.minor_units", "optimizer.text.money", "optimizer.text.version", "optimizer.request.texts",
    "optimizer.request.entry", "optimizer.request.fields", "optimizer.request.typed_values",
    "optimizer.request.parsing",
    "optimizer.request.named_model", "optimizer.request.purchase_terms", "optimizer.request.typed_request",
}  # fmt: skip
"""Clock, command lines, languages, texts, tables, amounts and lists that are read, the table of a request's fields with
what reads options by it, and the model that a name means: they decide nothing about a build."""
SCHEMAS = {
    "optimizer.result.schema", "optimizer.result.point_schema",
    "optimizer.sizing.schema", "optimizer.result.explanation_schema", "optimizer.explanation.why_not.schema",
    "optimizer.procurement.award.schema", "optimizer.procurement.award.terms", "optimizer.procurement.award.orders",
    "optimizer.procurement.bids.schema", "optimizer.procurement.bids.changes_schema",
    "optimizer.procurement.bids.scoring_rules", "optimizer.procurement.quotation.profile",
    "optimizer.procurement.quotation.quote_terms",
    "optimizer.procurement.xray.schema",
}  # fmt: skip
VIEWS = {
    "optimizer.procurement.award.award_labels", "optimizer.procurement.award.order_files",
    "optimizer.procurement.award.workbook", "optimizer.procurement.rfq.workbook",
    "optimizer.procurement.bids.bid_labels", "optimizer.procurement.bids.workbook",
    "optimizer.procurement.quotation.formats", "optimizer.procurement.labels", "optimizer.procurement.reading.mapping",
    "optimizer.procurement.reading.review", "optimizer.procurement.quotation.template",
    "optimizer.procurement.quotation.workbook", "optimizer.procurement.xray.summary",
    "optimizer.procurement.xray.workbook", "optimizer.report.why_not_said", "optimizer.verify.verdict",
    "optimizer.app.server",
}  # fmt: skip
"""What an answer looks like on the screen, in a file and in a browser: words, workbooks, lists of lines to look at, and
the app, which `dsopt app` starts and which stands on the library as the command line does."""
FLOORS = "catalogs", "constraints", "optimizer.cli"


def is_module(name: str) -> bool:
    """Whether a dotted name is a module of ours, not something in one."""
    at = CLI.parent.parent.joinpath(*name.split("."))
    return at.with_suffix(".py").exists() or (at / "__init__.py").exists()


def imported(tree: ast.AST) -> set[str]:
    """Modules of ours that a file imports, those for the types alone aside."""
    aside = {
        x for node in ast.walk(tree) if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for x in ast.walk(node)
    }  # fmt: skip
    out: set[str] = set()
    for node in ast.walk(tree):
        if node in aside:
            continue
        if isinstance(node, ast.Import):
            out |= {x.name for x in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            inner = {f"{node.module}.{x.name}" for x in node.names}
            out |= {x if is_module(x) else node.module for x in inner}
    return {x for x in out if x.partition(".")[0] in ("catalogs", "constraints", "optimizer")}


@pytest.mark.parametrize("path", sorted(CLI.glob("*.py")), ids=lambda p: p.stem)
def test_the_command_line_stands_on_the_library_alone(path: Path) -> None:
    found = {m for m in imported(ast.parse(path.read_text(encoding="utf-8"))) if not m.startswith(FLOORS)}
    assert found <= LIBRARY | PLAIN | SCHEMAS | VIEWS


def test_an_engine_in_a_command_is_seen() -> None:
    code = "def f():\n    from optimizer.search import front\n    from optimizer.verify.points import judged\n"
    assert imported(ast.parse(code)) == {"optimizer.search.front", "optimizer.verify.points"}
    assert imported(ast.parse("if TYPE_CHECKING:\n    from optimizer.market.market import Market")) == set()


def test_nothing_stands_on_the_command_line() -> None:
    others = [p for p in CLI.parent.rglob("*.py") if CLI not in p.parents]
    assert not [p for p in others for m in imported(ast.parse(p.read_text(encoding="utf-8"))) if "optimizer.cli" in m]


@pytest.mark.parametrize("words", [["--help"], ["solve", "--help"], ["explain", "--help"], ["size", "--help"]])
def test_help_starts_without_heavy_modules(words: list[str]) -> None:
    heavy = "pandas", "numpy", "ortools", "optimizer.library", "optimizer.market.market", "optimizer.result.schema"
    code = f"import sys\nsys.argv[1:] = {words}\nfrom optimizer.cli import main\ntry:\n    main()\nfinally:\n"
    code += f"    print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr.strip() == "[]"
