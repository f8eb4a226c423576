"""How the code reads, in figures: `python -m benchmarks.readability.measure [FOLDER]` prints a table.

Syntax nodes per code line, the share of local names of one letter, the share of comment lines, functions of cyclomatic
complexity above 30 (grades E and F of radon), modules, and lines of product and of tests.
"""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

from radon.complexity import cc_visit

GRADE_D = 30
"""The highest complexity of grade D."""
PRODUCT = ("catalogs", "constraints", "optimizer")
LAYOUT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER}


def docstring_lines(tree: ast.AST) -> set[int]:
    """Line numbers of strings that stand alone: docstrings of modules, classes, functions and constants."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def code_and_comments(text: str, tree: ast.AST) -> tuple[int, int]:
    """Number of lines with code, and of lines that are a comment alone."""
    code: set[int] = set()
    comments: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments.add(token.start[0])
        elif token.type not in LAYOUT:
            code |= set(range(token.start[0], token.end[0] + 1))
    return len(code - docstring_lines(tree)), len(comments - code)


def bound_names(tree: ast.AST) -> list[str]:
    """Names that arguments, assignments, loops and comprehensions bind; `_` is none."""
    names = [x.id for x in ast.walk(tree) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)]
    names += [x.arg for x in ast.walk(tree) if isinstance(x, ast.arg) and x.arg not in ("self", "cls")]
    return [x for x in names if x != "_"]


def complex_blocks(text: str) -> int:
    """Functions and methods of cyclomatic complexity above 30."""
    return sum(1 for x in cc_visit(text) if x.letter != "C" and x.complexity > GRADE_D)


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    nodes = code = comments = total = tests = tangled = 0
    names: list[str] = []
    files = [p for folder in PRODUCT for p in sorted((root / folder).rglob("*.py"))]
    for path in files:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        lines, alone = code_and_comments(text, tree)
        nodes += sum(1 for _ in ast.walk(tree))
        code, comments, total = code + lines, comments + alone, total + len(text.splitlines())
        names += bound_names(tree)
        tangled += complex_blocks(text)
    for path in (root / "tests").rglob("*.py"):
        tests += len(path.read_text(encoding="utf-8").splitlines())
    short = sum(len(x) == 1 for x in names)
    loose = len(list((root / "optimizer").glob("*.py"))) - 1
    rows = {
        "syntax nodes per code line": f"{nodes / code:.1f}",
        "bound names of one letter": f"{100 * short / len(names):.0f} %",
        "comment lines": f"{100 * comments / total:.1f} %",
        "functions of complexity above 30": f"{tangled}",
        "modules": f"{len(files)}",
        "modules loose in optimizer/": f"{loose}",
        "lines of product": f"{total:,}",
        "lines of tests": f"{tests:,}",
    }
    for name, figure in rows.items():
        print(f"| {name} | {figure} |")


if __name__ == "__main__":
    main()
