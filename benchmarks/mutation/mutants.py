"""Mutants of a source file: one small change each, found in its syntax tree."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """The `number`-th change of a file: line, text before and after."""

    number: int
    line: int
    before: str
    after: str


def _is_ceiling(node: ast.AST) -> bool:
    """Whether the node is -(-a // b)."""
    return (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.BinOp)
        and isinstance(node.operand.op, ast.FloorDiv) and isinstance(node.operand.left, ast.UnaryOp)
    )  # fmt: skip


def _changes(tree: ast.Module) -> Iterator[tuple[ast.AST, tuple[Any, Any], Any]]:
    """(node to show, (holder, index or field there), new value) of each change; nothing is changed yet."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            for i, node in enumerate(value if isinstance(value, list) else [value]):
                if _is_ceiling(node):
                    floor = ast.BinOp(node.operand.left.operand, ast.FloorDiv(), node.operand.right)
                    yield node, (value, i) if isinstance(value, list) else (parent, name), floor
                elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
                    yield node, (value, i) if isinstance(value, list) else (parent, name), node.operand
                elif isinstance(node, ast.Expr) and "cp.add" in ast.unparse(node):
                    yield node, (value, i), ast.Pass()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for i, op in enumerate(node.ops):
                if type(op) in SWAPS:
                    yield node, (node.ops, i), SWAPS[type(op)]()
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
            yield node, (node, "op"), SWAPS[type(node.op)]()
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            yield node, (node, "value"), node.value + 1
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield node, (node.func, "id"), NAMES[node.func.id]


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 110 else f"{text[:70]} ... {text[-35:]}"


def mutants(source: str, path: str) -> Iterator[tuple[Mutant, Any]]:
    """Each mutant with its compiled code, in the order of the syntax tree."""
    tree = ast.parse(source)
    changes = list(_changes(tree))
    for number, (node, (holder, place), new) in enumerate(changes):
        before, line = _text(node), node.lineno  # type: ignore[attr-defined]
        old = holder[place] if isinstance(holder, list) else getattr(holder, place)
        _put(holder, place, new)
        shown = new if isinstance(new, ast.expr | ast.stmt) else node
        code = compile(ast.fix_missing_locations(_at(tree, line)), path, "exec")
        after = "(removed)" if isinstance(new, ast.Pass) else _text(shown)
        yield Mutant(number, line, before, after), code
        _put(holder, place, old)


def _at(tree: ast.Module, line: int) -> ast.Module:
    """The tree with places for what is new."""
    for node in ast.walk(tree):
        if isinstance(node, ast.expr | ast.stmt) and not hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return tree


def _put(holder: Any, place: Any, value: Any) -> None:
    if isinstance(holder, list):
        holder[place] = value
    else:
        setattr(holder, place, value)


def sample(path: Path, most: int) -> tuple[int, list[tuple[Mutant, Any]]]:
    """(all mutants there are, at most `most` of them: a sample seeded with the file's name; a larger one holds it)."""
    found = list(mutants(path.read_text(encoding="utf-8"), str(path)))
    random.Random(path.stem).shuffle(found)
    return len(found), found[:most]


def numbered(path: Path) -> dict[int, tuple[Mutant, Any]]:
    """All mutants by number."""
    return {m.number: (m, code) for m, code in mutants(path.read_text(encoding="utf-8"), str(path))}
