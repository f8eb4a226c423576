"""What others have to know of a rule, the rule says: nobody lists rules but the registry."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from constraints.rules.registry import BY_ID, RULES
from optimizer.procurement.xray.open_lines import ROLES

ROOT = Path(__file__).parents[2]
FIELDS = ROOT / "optimizer/request/fields.py"
"""A field's entry names the rules that enforce it, there alone."""
SOURCES = [x for folder in ("constraints", "optimizer") for x in sorted((ROOT / folder).rglob("*.py"))]
READ = [x for x in SOURCES if x != FIELDS and x.parent != ROOT / "constraints/rules"]


def quoted(node: ast.AST | None) -> list[str]:
    """Rule ids among the texts written in a node itself or as members of its list."""
    if isinstance(node, ast.Call):  # frozenset({...})
        return [x for each in node.args for x in quoted(each)]
    members = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
    return [x.value for x in members if isinstance(x, ast.Constant) and x.value in BY_ID]


def of_a_rule(node: ast.AST) -> bool:
    return (isinstance(node, ast.Attribute) and node.attr == "rule") or (
        isinstance(node, ast.Name) and node.id == "rule"
    )


def faults(tree: ast.AST) -> Iterator[str]:
    """Rule ids in quotes: beside a finding's rule, as a finding's rule, and in lists of rules alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(of_a_rule(x) for x in (node.left, *node.comparators)):
            yield from (x for side in (node.left, *node.comparators) for x in quoted(side))
        elif isinstance(node, ast.keyword) and node.arg == "rule":
            yield from quoted(node.value)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "Check" in ast.dump(node.func.value)
        ):
            yield from quoted(ast.Tuple(node.args[:1]))
        elif isinstance(node, ast.Dict | ast.Set):
            members = node.keys if isinstance(node, ast.Dict) else node.elts
            found = [x for each in members for x in quoted(each)]
            if len(found) == len(members) and set(found) - set(ROLES):  # `cooling` and `rack` are categories too
                yield from found


def test_no_rule_is_named_in_quotes() -> None:
    found = {str(path.relative_to(ROOT)): list(faults(ast.parse(path.read_text(encoding="utf-8")))) for path in READ}
    assert {name: rules for name, rules in found.items() if rules} == {}


@pytest.mark.parametrize(
    "text",
    [
        'if check.rule == "fit": pass',
        'if check.rule in ("budget", "procurement"): pass',
        'Missing(what="CPU", rule="fit")',
        'Check.of("fit", False, "")',
        'CURED = {"vram": 1, "cores": 2}',
        'NETWORK = frozenset({"interconnect"})',
    ],
)
def test_a_quoted_rule_is_found(text: str) -> None:
    assert list(faults(ast.parse(text)))


def test_rules_speak_of_known_categories() -> None:
    for rule in RULES:
        assert rule.cured_by | rule.loaded_by | rule.settles <= set(ROLES), rule.id
