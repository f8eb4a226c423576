"""How the code reads, in figures, and where it reads worst.

python -m benchmarks.readability.measure [FOLDER]    a table of the tree: syntax nodes per code line, the share of
                                                     bound names of one letter, the share of comment lines,
                                                     functions of cyclomatic complexity above 30 (grades E and F of
                                                     radon), modules, lines of product and of tests
... --rooms                                          density, names and comments of each folder, densest first
... --modules N                                      the same of the N densest modules
... --functions N                                    the N functions with the most syntax nodes beyond DENSE a line
... --under optimizer/search                         of that folder or module alone
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from radon.complexity import cc_visit

GRADE_D = 30
"""The highest complexity of grade D."""
DENSE = 8
"""Syntax nodes per line from which a line counts as packed; six well-kept projects of the field have 7 to 9."""
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


@dataclass(frozen=True)
class Figures:
    """Counts of some source text; they add up over texts."""

    nodes: int = 0
    code_lines: int = 0
    comment_lines: int = 0
    lines: int = 0
    names: int = 0
    short_names: int = 0
    tangled: int = 0
    """Functions and methods of complexity above 30."""

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(mine + its for mine, its in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def density(self) -> float:
        """Syntax nodes per code line."""
        return self.nodes / max(1, self.code_lines)

    @property
    def short_percent(self) -> float:
        """Bound names of one letter."""
        return 100 * self.short_names / max(1, self.names)

    @property
    def comment_percent(self) -> float:
        """Lines that are a comment alone."""
        return 100 * self.comment_lines / max(1, self.lines)


def figures(text: str) -> Figures:
    """The counts of one module's text."""
    tree = ast.parse(text)
    code_lines, comment_lines = code_and_comments(text, tree)
    names = bound_names(tree)
    return Figures(
        nodes=sum(1 for _ in ast.walk(tree)),
        code_lines=code_lines,
        comment_lines=comment_lines,
        lines=len(text.splitlines()),
        names=len(names),
        short_names=sum(len(name) == 1 for name in names),
        tangled=complex_blocks(text),
    )


@dataclass(frozen=True)
class Function:
    """A function or method: where it begins, its own density, and the syntax nodes that it has beyond DENSE."""

    place: str
    lines: int
    density: float
    beyond: int
    short_names: int


def functions(path: str, text: str) -> list[Function]:
    """The functions and methods of one module."""
    tree = ast.parse(text)
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        inside = "\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno])
        code = sum(bool(line.strip()) and not line.strip().startswith("#") for line in inside.splitlines())
        code -= len(docstring_lines(node))
        nodes = sum(1 for _ in ast.walk(node))
        short = sum(len(name) == 1 for name in bound_names(node))
        place = f"{path}:{node.lineno} {node.name}"
        found.append(Function(place, code, nodes / max(1, code), nodes - DENSE * code, short))
    return found


def product(root: Path, under: str) -> dict[str, str]:
    """The product's modules (those under a folder, or one) with their text."""
    paths = [path for folder in PRODUCT for path in sorted((root / folder).rglob("*.py"))]
    named = {path.relative_to(root).as_posix(): path for path in paths}
    wanted = under.rstrip("/")
    return {
        name: path.read_text(encoding="utf-8")
        for name, path in named.items()
        if not wanted or name == wanted or name.startswith(f"{wanted}/")
    }


def print_ranked(named: dict[str, Figures], most: int) -> None:
    """Names with density, one-letter names and comments, the densest first."""
    print("| | syntax nodes per code line | names of one letter | comment lines | code lines |\n|---|---|---|---|---|")
    for name, found in sorted(named.items(), key=lambda item: -item[1].density)[:most]:
        shares = f"{found.short_percent:.0f} % | {found.comment_percent:.1f} %"
        print(f"| {name} | {found.density:.1f} | {shares} | {found.code_lines} |")


def print_functions(found: Iterable[Function], most: int) -> None:
    """Functions that have the most syntax nodes beyond DENSE per line."""
    print("| | lines | syntax nodes per line | beyond | names of one letter |\n|---|---|---|---|---|")
    for function in sorted(found, key=lambda function: -function.beyond)[:most]:
        figures = f"{function.lines} | {function.density:.1f} | {function.beyond} | {function.short_names}"
        print(f"| {function.place} | {figures} |")


def print_table(whole: Figures, modules: int, root: Path) -> None:
    """The figures of docs/house.md."""
    texts = (path.read_text(encoding="utf-8") for path in (root / "tests").rglob("*.py"))
    tests = sum(len(text.splitlines()) for text in texts)
    rows = {
        "syntax nodes per code line": f"{whole.density:.1f}",
        "bound names of one letter": f"{whole.short_percent:.0f} %",
        "comment lines": f"{whole.comment_percent:.1f} %",
        "functions of complexity above 30": f"{whole.tangled}",
        "modules": f"{modules}",
        "modules loose in optimizer/": f"{len(list((root / 'optimizer').glob('*.py'))) - 1}",
        "lines of product": f"{whole.lines:,}",
        "lines of tests": f"{tests:,}",
    }
    for name, figure in rows.items():
        print(f"| {name} | {figure} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path())
    parser.add_argument("--rooms", action="store_true")
    parser.add_argument("--modules", type=int, default=0, metavar="N")
    parser.add_argument("--functions", type=int, default=0, metavar="N")
    parser.add_argument("--under", default="", metavar="FOLDER")
    asked = parser.parse_args()
    texts = product(asked.folder, asked.under)
    if asked.functions:
        print_functions((x for name, text in texts.items() for x in functions(name, text)), asked.functions)
        return
    found = {name: figures(text) for name, text in texts.items()}
    if asked.modules:
        print_ranked(found, asked.modules)
        return
    if asked.rooms:
        rooms: dict[str, Figures] = {}
        for name, of_module in found.items():
            room = name.rpartition("/")[0]
            rooms[room] = rooms.get(room, Figures()) + of_module
        print_ranked(rooms, len(rooms))
        return
    print_table(sum(found.values(), start=Figures()), len(found), asked.folder)


if __name__ == "__main__":
    main()
