"""Mutation testing of rules: each comparison, operator and number of a rule file is changed in turn, in this process.

    python benchmarks/mutation/run.py cores storage

A mutant is killed when a front of the random catalogs (clever, or CP-SAT alone) differs from that of the rules as they
are, which tests/test_oracle.py holds equal to brute force, when a build is returned that a check rejects, or when the
rule's boundary test fails. Survivors are printed as Markdown rows.
"""

from __future__ import annotations

import ast
import copy
import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from constraints.policy import Policy
from optimizer.market import Market
from optimizer.pareto import Solver
from tests.random_catalogs import scenario
from tests.test_rules import NAMES

SEEDS = (0, 1, 3, 4, 7, 10, 13, 18, 27, 45)
"""Catalogs of five kinds in which most rules decide (tests/test_oracle.py)."""
SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.And: ast.Or, ast.Or: ast.And,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def mutants(tree: ast.Module) -> Iterator[tuple[int, str, ast.Module]]:
    """Line, change in words, and the mutated module."""
    count = sum(1 for _ in ast.walk(tree))
    for i in range(count):
        clone = copy.deepcopy(tree)
        node = list(ast.walk(clone))[i]
        before = ast.unparse(node) if isinstance(node, ast.expr) else ""
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
            node.ops[0] = SWAPS[type(node.ops[0])]()
        elif isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPS:
            node.op = SWAPS[type(node.op)]()
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            node.value += 1
        else:
            continue
        yield node.lineno, f"`{before}` -> `{ast.unparse(node)}`", ast.fix_missing_locations(clone)


def functions(code: types.CodeType) -> Iterator[tuple[str, types.CodeType]]:
    """Code of functions and methods by qualified name."""
    for const in code.co_consts:
        if isinstance(const, types.CodeType):
            yield const.co_qualname, const
            yield from functions(const)


def install(module: types.ModuleType, code: types.CodeType) -> None:
    """Give the module's functions and methods the code of a compiled source; all that holds them sees it."""
    found = dict(functions(code))
    for holder in [
        module,
        *(x for x in vars(module).values() if isinstance(x, type) and x.__module__ == module.__name__),
    ]:
        for f in vars(holder).values():
            if isinstance(f, types.FunctionType) and f.__module__ == module.__name__ and f.__qualname__ in found:
                f.__code__ = found[f.__qualname__]


def killed(rule: str, truth: dict[int, list[tuple[int, int]]]) -> str:
    """What notices the mutant installed; empty when nothing does."""
    for seed, front in truth.items():
        market = Market.open(*scenario(seed)[:2], Policy())
        for clever in (True, False):
            try:
                points = Solver(market, clever=clever).front().points
            except Exception as e:
                return f"catalog {seed}: {type(e).__name__}"
            if [(p.found.parts_cents, p.found.row.perf.tenths) for p in points] != front:
                return f"catalog {seed}: another front"
    names = [n for n in NAMES if n.split()[0] == rule]
    tests = [f"tests/test_rules.py::test_just_inside_and_just_outside[{n}]" for n in names]
    if tests and pytest.main(["-qq", "-x", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=no", *tests]):
        return "boundary test"
    return ""


def main(rules: list[str]) -> None:
    truth = {}
    for seed in SEEDS:
        points = Solver(Market.open(*scenario(seed)[:2], Policy())).front().points
        truth[seed] = [(p.found.parts_cents, p.found.row.perf.tenths) for p in points]
    for rule in rules:
        module = importlib.import_module(f"constraints.{rule}")
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        order = dict(sorted(truth.items()))
        all_, survivors = 0, []
        for line, change, tree in mutants(ast.parse(source)):
            install(module, compile(tree, str(module.__file__), "exec"))
            all_ += 1
            by = killed(rule, order)
            if by.startswith("catalog"):
                seed = int(by.split()[1].rstrip(":"))
                order = {seed: truth[seed], **order}
            if not by:
                survivors.append((line, change))
                print(f"| {rule} | {line} | {change} | |", flush=True)
        install(module, compile(source, str(module.__file__), "exec"))
        print(f"{rule}: {all_} mutants, {all_ - len(survivors)} killed, {len(survivors)} survive", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
