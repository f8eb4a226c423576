"""Every string that the code marks has its Chinese, nothing is left over, the compiled catalog is that of the .po."""

from __future__ import annotations

import ast
import csv
import gettext
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from typer.testing import CliRunner

from catalogs.engines.rules import PLACES_OF_VALUES, RuleMessage
from catalogs.errors import InputError
from catalogs.llm import all_models
from catalogs.load import load
from catalogs.message import joined, message
from constraints.policy import Policy, defaults
from constraints.request import Circuit, Owned, Request
from constraints.rule import counted as rule_counted
from constraints.rules.power import supplies
from optimizer.cli.app import HELP, app
from optimizer.cli.help_page import parted
from optimizer.explanation.conditions.conditions import conditions
from optimizer.explanation.conditions.levers import Choice, Count, Lever, Members, Number
from optimizer.explanation.conditions.loosening import levers
from optimizer.market.market import Market
from optimizer.procurement.labels import CATEGORIES
from optimizer.text.figures import ONE
from optimizer.text.languages import LOCALE, PLACE, Words, _catalog, choose, default_language

ROOT = Path(__file__).parents[2]
MARKS = {"_", "N_", "words", "message", "stacked"}
"""Names that look a string up, or mark it."""
FINDINGS = {"Check": (5,), "of": (2,), "warn": (1,), "at_most": (4, 5), "at_least": (4, 5)}
"""Where a rule's findings (constraints/rule.py) have their sentences."""
WORD = re.compile(r"\b[a-z]{3,}\b")
SAYING = (
    "constraints/rules", "optimizer/explanation", "optimizer/procurement/xray", "optimizer/procurement/bids",
    "optimizer/procurement/quotation/workbook", "optimizer/result", "optimizer/search", "optimizer/sizing",
    "optimizer/library", "optimizer/request",
)  # fmt: skip
"""Folders whose sentences stand in answers."""
SOURCE = LOCALE / "zh" / "LC_MESSAGES" / "dsopt.po"


def _named(node: ast.Call) -> str:
    """The name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@cache
def trees() -> dict[Path, ast.Module]:
    """The code, parsed."""
    paths = sorted(
        path for folder in ("catalogs", "constraints", "optimizer") for path in (ROOT / folder).rglob("*.py")
    )
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _constants(node: ast.expr) -> Iterator[str]:
    """The strings that an expression may be: itself, or one of several alternatives."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)


@cache
def marked() -> frozenset[str]:
    """Strings marked in the code, and the sentences of its rules."""
    said = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                if _named(node) in MARKS:
                    said |= set(_constants(node.args[0]))
                said |= {text for at in FINDINGS.get(_named(node), ()) if len(node.args) > at
                         for text in _constants(node.args[at])}  # fmt: skip
    return frozenset(text for text in said if text and re.search("[A-Za-z]{2}", PLACE.sub("", text)))


@cache
def written() -> frozenset[str]:
    """Every string that stands in the code or in a cell of its data, and the keys that are made of them."""
    found: set[str] = set()
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    for folder in ("catalogs", "constraints", "optimizer"):
        for path in (ROOT / folder).rglob("*.csv"):
            with path.open(encoding="utf-8", newline="") as lines:
                found.update(cell for row in csv.reader(lines) for cell in row)
    found |= {model.name for model in all_models()} | {model.note for model in all_models()}
    found |= {RuleMessage(text).key for text in found if PLACES_OF_VALUES.search(text) and _symbolic(text)}
    found |= {made for text in found if "{}" in text for made in _filled_places(text)}
    found |= {text.removesuffix(".") for text in found}  # a remedy inside a sentence
    found |= {prose for text in found if text.startswith("Example") for prose in parted(text)[0]}  # help of a command
    found |= set(parted(HELP)[0])
    return frozenset(found | {text.lower() for text in CATEGORIES.values()})


def _symbolic(text: str) -> bool:
    """Whether every place of a text holds symbols of a plan's rules."""
    try:
        RuleMessage(text)
    except ValueError:
        return False
    return True


def _filled_places(text: str) -> Iterator[str]:
    """Keys of a field's words: with a number (one of it too) or a list where `{}` stands."""
    yield text.replace("{}", "{list}")
    yield text.replace("{}", "{qty}")
    yield ONE.sub(r"\1", text).replace("{}", "{qty}")


def chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


SAME = {"GPU", "CPU", "kW", "rack units"}
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


MODULO = re.compile(r"\} % (?:\{\w+\}|[^，。]* != 0)")
"""A remainder in a rule of an engine, not a share."""
CJK = "\u4e00-\u9fff"


@pytest.mark.parametrize(
    ("wrong", "text"),
    [(True, "占 90 %"), (True, "占 {share} %"), (True, "甲, 乙"), (True, "原因: 甲"), (True, "甲; 乙"),
     (False, "占 90%，约 3 天"), (False, "头数 {heads} % tp {tp} != 0"), (False, "1,024 MiB")],
)  # fmt: skip
def test_half_width_is_seen(wrong: bool, text: str) -> None:
    assert half_width(text) == wrong


def half_width(text: str) -> bool:
    """Whether a Chinese text has a space before its percent sign, or a half-width mark beside a Chinese character."""
    spaced = re.search(r"[\d}] %", MODULO.sub("", text))
    return bool(spaced or re.search(rf"[{CJK}][,;:?!]|[,;:?!] ?[{CJK}]", text))


def test_chinese_is_set_in_one_way() -> None:
    """90% without a space, and full-width punctuation beside Chinese characters."""
    assert [chinese for chinese in _catalog().values() if half_width(chinese)] == []


def test_nothing_is_left_over() -> None:
    """A key stands in the code or its data, or counts pieces of something that stands there."""
    counted = re.compile(r"\{qty\} (.+)")
    left = [key for key in _catalog() if key not in written() and not counted.fullmatch(key)]
    assert left == []
    things = {found[1] for key in _catalog() if key not in written() and (found := counted.fullmatch(key))}
    of_one = {text for node in _counts() for text in _constants(node)}
    assert things == of_one | {str(rule_counted(2, thing)).removeprefix("2 ") for thing in of_one}


def _counts() -> Iterator[ast.expr]:
    """What `counted` is told to count, everywhere in the code."""
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _named(node) == "counted" and len(node.args) == 2:
                yield node.args[1]


@pytest.mark.parametrize("folder", SAYING)
def test_no_sentence_is_put_together_by_hand(folder: str) -> None:
    """What carries values is a message: a finished sentence could not be translated any more. Errors and their remedies
    are English, `<...>` stands in a command to be typed."""
    found = []
    for path, tree in trees().items():
        if not path.is_relative_to(ROOT / folder):
            continue
        aside: set[ast.AST] = set()
        for node in ast.walk(tree):
            error = isinstance(node, ast.Raise | ast.Assert)
            error |= isinstance(node, ast.Call) and _named(node) in {"Fault", "InputError", "refuse", "Field"}
            error |= isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "remedy"
            if error:
                aside |= set(ast.walk(node))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and node not in aside:
                text = "".join(str(x.value) if isinstance(x, ast.Constant) else "{}" for x in node.values)
                if len(WORD.findall(text)) >= 3 and not text.startswith(("<", "{}[")):
                    found.append(f"{path.relative_to(ROOT)}: {text}")
    assert found == []


def asked() -> Market:
    """A market under a request that names something in nearly every field, and every policy made stricter a little."""
    request = Request(
        model="v3-671b", as_of=date(2026, 11, 24), budget_cents=10**9, users=2, min_tok_s_user=12, max_ttft_ms=900,
        conditions=frozenset({"new", "refurbished", "used"}), confidences=("list", "street"), max_nodes=1,
        max_power_w=40_000, circuit=Circuit(amps=16, volts=230), rack_units=2, include=("nvidia-h200-nvl-141gb",),
        exclude=frozenset({"amd-epyc-9354"}), vendors=frozenset({"dell", "nvidia"}), barred_origins=("CN", "TW"),
        max_price_age_days=1, max_estimated_percent=5, max_lead_days=30, strict_lead=True, max_sellers=2,
        max_share_percent=40, gpus=frozenset({"nvidia-h200-nvl-141gb"}), gpu_count=8, min_precision_bits=8,
        own=(Owned(part="nvidia-h200-nvl-141gb", qty=1),),
    )  # fmt: skip
    nudge = {"more": Decimal("0.001"), "less": Decimal("-0.001")}
    settings = [
        f"{default.key}={default.value + nudge[default.stricter]}"
        for default in defaults().values()
        if default.stricter and default.least < default.value < default.most
    ]
    return Market.open(load(), request, Policy().with_settings(settings))


ENGLISH = re.compile(r"(?<![-.\w])[a-z]{4,}(?![-.\w])")
"""A word of plain English: no part id, no option, no key of policy."""


UNIT = re.compile(r"(?<==) [\d.,]+ [^（]+")
"""Figure and unit of a key of policy."""


def _ways(lever: Lever) -> Iterator[str]:
    """What a lever may say."""
    match lever:
        case Number():
            towards = 1 if lever.loosest >= lever.start else -1
            yield from (lever.say(lever.start + towards), lever.say(lever.start + 2 * towards))
        case Choice():
            yield from (text for alike in lever.steps for text, _change in alike)
        case Count():
            yield lever.say(3)
        case Members():
            for names in (lever.extra[:1], lever.extra[:2], lever.extra[:3]):
                yield from (lever.say(names), message(lever.lacking, list=names[0]))


def test_conditions_and_ways_out_leave_no_english() -> None:
    """Lists, numbers, words and titles of policy inside what the request asks, and inside how it would give way."""
    market, zh = asked(), Words("zh")
    held = [condition.text for condition in conditions(market)]
    assert len(held) > 40
    ways = [said for lever in levers(market) for said in _ways(lever)]
    assert len(ways) > 40
    left = {}
    for text in (*held, *ways):
        if words := ENGLISH.findall(UNIT.sub("", zh.sentence(text))):
            left[text] = (zh.sentence(text), words)
    assert left == {}
    stricter = [default for default in defaults().values() if default.stricter]
    assert len(stricter) > 20
    assert all(chinese(zh(default.title)) for default in stricter)


def test_lookup() -> None:
    zh, en, both = Words("zh"), Words("en"), Words("both")
    assert (zh("Total with tax"), en("Total with tax")) == ("含税总价", "Total with tax")
    assert both("Total with tax") == "含税总价 / Total with tax"
    assert both.stacked("Qty") == "数量\nQty"
    assert both("GPU") == "GPU"
    assert zh("Spares: {category}", category="Memory") == "备件比例：内存"
    assert both("Spares: {category}", category="Memory") == "备件比例：内存 / Spares: Memory"
    assert zh("never seen {x}", x=1) == "never seen 1"
    of = message("{percent} % of {supplies}", percent=80, supplies=supplies(2, 5000))
    exceeds = message("{w} W exceeds {limit} W ({why})", w="10,691", limit="8,000", why=of)
    assert exceeds == "10,691 W exceeds 8,000 W (80 % of two 5,000 W supplies)"
    assert zh.sentence(exceeds) == "10,691 W 超过 8,000 W（2 个 5,000 W 电源的 80%）"
    assert zh.sentence("a sentence that nobody translated") == "a sentence that nobody translated"
    networks = joined(["front end", "out-of-band network"])
    laid = message("networks of {n} nodes: {networks}", n=5, networks=networks)
    assert zh.sentence(laid) == "5 个节点的网络：前端网络、带外管理网络"
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


def test_the_command_line_speaks_chinese() -> None:
    """Heads and findings of a check; the option is refused for anything else."""
    runner, build = CliRunner(), str(ROOT / "examples" / "eight-gpu-node.toml")
    zh = runner.invoke(app, ["--lang", "zh", "check", build])
    assert "结论" in zh.stdout
    assert "显存" in zh.stdout
    en = runner.invoke(app, ["--lang", "en", "check", build])
    assert "finding" in en.stdout
    assert not chinese(en.stdout)
    assert [x.exit_code for x in (zh, en)] == [en.exit_code] * 2
    assert isinstance(runner.invoke(app, ["--lang", "fr", "check", build]).exception, InputError)
    choose("en")


def test_no_key_has_two_translations() -> None:
    """Of two the compiler keeps one: what a bid includes was said to stand inside a system."""
    keys = re.findall(r'^msgid "(.+)"$', SOURCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted({k for k in keys if keys.count(k) > 1}) == []
    assert (Words("zh")("included"), Words("zh")("inside the system")) == ("包含", "整机内含")


def test_texts_that_follow_each_other_are_translated_each() -> None:
    """Lists, clauses, a sentence after a row; a text that only looks like one stays what it is."""
    zh = Words("zh")
    need = message(
        "RAM of {ram} GB is below the minimum of {floor} GB ({percent} % of {vram} GB of GPU memory)",
        ram=64, floor=96, percent=20, vram=480,
    )  # fmt: skip
    long = zh.sentence(joined([need] * 40, "; "))
    assert long.count("；") == 39 and "below" not in long
    paid = message(
        "its prices are paid each {period} and counted over {months} months ({line})", period="month", months=36,
        line=message("{words}, rows {rows}", words="'Rate / unit'", rows=joined(["5", "1", "2"])),
    )  # fmt: skip
    assert zh.sentence(paid) == "价格按每月支付，已按 36 个月合计（'Rate / unit'，第 5、1、2 行）"
    for other in ("from 3 to 4", "Rome of old: a tale", "SYS-421GE and more"):
        assert zh.sentence(other) == other
    one, water = message("at most {qty} node", qty=1), "facility water"
    assert zh.list([one, water], " and ") == "至多 1 个节点，且机房提供冷却水"
    assert Words("en").list(["a", "b"], " and ") == "a and b"
    assert zh.sentence(joined(["nvidia-h200", "amd-epyc-9354"], ", ", " or ")) == "nvidia-h200 或 amd-epyc-9354"


def test_a_space_stands_between_chinese_and_a_latin_value() -> None:
    key = "{percent} % of {supplies} left when the spare ones have failed"
    assert "剩余 1 个 3,000 W 电源" in Words("zh").sentence(message(key, percent=100, supplies=supplies(1, 3000)))
    assert Words("zh").colon == "：" and Words().colon == ": "
