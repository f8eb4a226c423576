"""Every string that the code marks has its Chinese, nothing is left over, and the compiled catalog is that of the .po."""

from __future__ import annotations

import ast
import gettext
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from optimizer.i18n import LOCALE, PLACE, Words, _catalog, default_language

ROOT = Path(__file__).parent.parent
MARKS = {"_", "N_", "words"}
"""Names that look a string up, or mark it; `stacked` is a method of the same."""
SOURCE = LOCALE / "zh" / "LC_MESSAGES" / "dsopt.po"


def marked() -> set[str]:
    """Strings marked in the code."""
    out = set()
    for path in sorted((ROOT / "optimizer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in MARKS | {"stacked"} and isinstance(node.args[0].value, str) and node.args[0].value:
                out.add(node.args[0].value)
    return out


def _texts(node: ast.expr) -> Iterator[str]:
    """What a string expression may read, X for what is not known."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        for pieces in itertools.product(*(list(_texts(v)) for v in node.values)):
            yield "".join(pieces)
    elif isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.IfExp):
        yield from _texts(node.value)
    else:
        yield "X1"


def findings() -> set[str]:
    """Sentences that rules say in their checks."""
    out = set()
    for path in sorted((ROOT / "constraints").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if getattr(node.func.value, "id", "") == "Check" and node.func.attr in (
                "of",
                "at_most",
                "at_least",
                "warn",
            ):
                at = {"of": 2, "warn": 1}.get(node.func.attr, 4)
                if len(node.args) > at and isinstance(node.args[at], ast.Constant | ast.JoinedStr):
                    out |= set(_texts(node.args[at]))
    return out


def chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


SAME = {"GPU", "CPU", "kW"}
"""Words that Chinese writes alike."""


def test_every_marked_string_is_translated() -> None:
    assert len(marked()) > 150
    assert sorted(x for x in marked() if x not in _catalog()) == []
    assert sorted(x for x in marked() if not chinese(_catalog()[x]) and x not in SAME) == []


def test_placeholders_are_kept() -> None:
    for english, text in _catalog().items():
        assert set(PLACE.findall(text)) == set(PLACE.findall(english)), english


def test_compiled_catalog_is_fresh() -> None:
    with SOURCE.open("rb") as f:
        wanted = {m.id: m.string for m in read_po(f, abort_invalid=True) if m.id}
    assert wanted == _catalog(), "run python optimizer/locale/compile.py"
    assert all(wanted.values())


def test_every_finding_of_the_rules_has_its_chinese() -> None:
    zh = Words("zh")
    assert len(findings()) > 50
    assert sorted(x for x in findings() if x.strip("X1") and not chinese(zh.sentence(x))) == []


def test_nothing_is_left_over() -> None:
    """A key is marked in the code, or a sentence (with its words) of rules and messages that some code writes."""
    code = "\n".join(
        p.read_text(encoding="utf-8")
        for d in ("optimizer", "constraints", "catalogs")
        for p in (ROOT / d).rglob("*.py")
    )
    squeezed = "".join(code.replace('"\n', "").split())
    for key in set(_catalog()) - marked():
        longest = max(PLACE.split(key)[::2], key=len)
        probe = "".join(longest.split())[-24:]
        data = (ROOT / "catalogs" / "data", ROOT / "constraints" / "data")
        known = probe in squeezed or any(
            longest.strip() in p.read_text(encoding="utf-8") for d in data for p in d.rglob("*") if p.is_file()
        )
        assert known or any(w in squeezed for w in probe.split(".")), key


def test_lookup() -> None:
    zh, en, both = Words("zh"), Words("en"), Words("both")
    assert (zh("Total with tax"), en("Total with tax")) == ("含税总价", "Total with tax")
    assert both("Total with tax") == "含税总价 / Total with tax"
    assert both.stacked("Qty") == "数量\nQty"
    assert both("GPU") == "GPU"
    assert zh("Spares: {category}", category="Memory") == "备件比例：内存"
    assert both("Spares: {category}", category="Memory") == "备件比例：内存 / Spares: Memory"
    assert zh("never seen {x}", x=1) == "never seen 1"
    assert (
        zh.sentence("node load of 10691 W on 6 x 5250 W (3 needed)")
        == "单节点负载 10691 W，配 6 × 5250 W 电源（需 3 个）"
    )
    assert zh.sentence("a sentence that nobody translated") == "a sentence that nobody translated"
    assert en("{x} of braces", x="{y}") == "{y} of braces"
    with pytest.raises(ValueError, match="no language"):
        Words("fr")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LC_ALL": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US"}, "zh"),
        ({"LANG": "de_DE"}, "en"),
        ({}, "en"),
    ],
)
def test_default_language(environment: dict[str, str], language: str) -> None:
    assert default_language(environment) == language


def test_gettext_reads_it() -> None:
    assert gettext.translation("dsopt", LOCALE, ["zh"]).gettext("Quotation") == "报价单"
