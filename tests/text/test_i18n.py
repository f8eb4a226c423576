"""Every string that the code marks has its Chinese, nothing is left over, the compiled catalog is that of the .po."""

from __future__ import annotations

import ast
import gettext
import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from typer.testing import CliRunner

from catalogs.errors import InputError
from catalogs.message import joined, message
from constraints.policy import defaults
from constraints.rules.power import supplies
from optimizer.cli.app import app
from optimizer.text.languages import LOCALE, PLACE, Words, _catalog, choose, default_language

ROOT = Path(__file__).parents[2]
MARKS = {"_", "N_", "words", "message"}
"""Names that look a string up, or mark it; `stacked` is a method of the same."""
SOURCE = LOCALE / "zh" / "LC_MESSAGES" / "dsopt.po"


@cache
def marked() -> frozenset[str]:
    """Strings marked in the code."""
    out = set()
    for path in sorted(p for d in ("catalogs", "constraints", "optimizer") for p in (ROOT / d).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in MARKS | {"stacked"} and isinstance(node.args[0].value, str) and node.args[0].value:
                out.add(node.args[0].value)
    return frozenset(out)


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
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "message":
        yield from _texts(node.args[0])
    else:
        yield "X1"


SAID = ast.Constant | ast.JoinedStr | ast.Call
"""How a sentence is written: as it is, with values in it, or as a message."""


def findings() -> set[str]:
    """Sentences that rules say in their checks."""
    out = set()
    for path in sorted((ROOT / "constraints").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Check" and len(node.args) > 5:
                out |= set(_texts(node.args[5])) if isinstance(node.args[5], SAID) else set()
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if getattr(node.func.value, "id", "") == "Check" and node.func.attr in (
                "of",
                "at_most",
                "at_least",
                "warn",
            ):
                for at in {"of": (2,), "warn": (1,)}.get(node.func.attr, (4, 5)):
                    if len(node.args) > at and isinstance(node.args[at], SAID):
                        out |= set(_texts(node.args[at]))
    return out


SAYING = (
    "optimizer/explanation/conditions/conditions.py", "optimizer/explanation/conditions/loosening.py",
    "optimizer/request/gives_way.py",
    "optimizer/explanation/conditions/levers.py", "optimizer/explanation/point/binding.py",
    "optimizer/explanation/no_build/ledger.py",
    "optimizer/explanation/why_not/explained.py", "optimizer/explanation/point/neighbours.py",
    "optimizer/result/notes.py",
    "optimizer/request/load.py", "optimizer/result/in_hand.py", "optimizer/result/contract.py",
    "optimizer/result/answer.py",
    "optimizer/result/cheaper.py", "optimizer/search/judging.py", "constraints/prices/price_book.py",
    "optimizer/library/solving.py", "optimizer/sizing/serving.py", "optimizer/sizing/users_table.py",
    "optimizer/sizing/offload.py", "optimizer/sizing/training.py", "optimizer/library/per_model.py",
    "constraints/prices/filters.py", "constraints/rules/fit.py", "constraints/rules/vram.py",
    "constraints/rules/precision.py",
    "constraints/rules/host_memory.py", "constraints/rules/lanes.py", "constraints/rules/cores.py",
    "constraints/rules/storage.py",
    "constraints/rules/interconnect.py", "constraints/rules/cooling.py", "constraints/rules/rack.py",
    "constraints/rules/power.py",
    "constraints/rules/site.py", "constraints/rules/procurement.py", "constraints/rules/shares.py",
    "constraints/rules/surplus.py",
    "constraints/rules/budget.py",
)  # fmt: skip
"""Files whose sentences stand in results and answers: every string of several words in them is to be translated."""


def sentences(path: str) -> set[str]:
    """Strings of several words in a file, without docstrings and errors; X1 for what is not known."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    out: set[str] = set()
    aside: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.Assert | ast.Expr) and not (
            isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
        ):
            aside |= set(ast.walk(node))
        elif isinstance(node, ast.JoinedStr):
            aside |= {x for v in node.values for x in ast.walk(v)}
    for node in ast.walk(tree):
        if node not in aside and (
            isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        ):
            out |= {x.replace("{}", "X1") for x in _texts(node)}
    return {x for x in out if " " in x.strip() and re.search("[a-z]{3}", x)}


def chinese(text: str) -> bool:
    return any("\u4e00" <= c <= "\u9fff" for c in text)


COMPOSED = {
    "X1: X1": "country of origin unknown: a, b",
}
"""Sentences made of words that the rule's text does not show, with one of each."""
WRITTEN = (
    *COMPOSED.values(),
    "needs 2 CPU coolers",
    "p1 can hardly be told apart from p2 in throughput (2,411-5,192 against 3,393-7,304 tok/s); compare their totals "
    "on sheet Front.",
    "1 memory module can't spread evenly over 1 channel: 2 or 4 would",
    "2 memory modules can't spread evenly over 12 channels: 12 or 24 would",
    "1 sequence",
    "1 checkpoint",
    "1 socket",
    "1 GPU",
    "eleven",
    'uneven experts 256/72 without redundant ones raise "EPLB local expert capacity mismatch"',
    "4-bit weights (--min-precision 4bit) on the GPUs of this front would not make this throughput cheaper.",
    "4-bit weights (--min-precision 4bit) on the GPUs of this front would reach this throughput for 1.00 USD less.",
    "tensor parallelism stays inside a node, and a plan has 8 pipeline stages at most",
    "Stopped before the proof: 3 families may still hold better builds, none with parts below 1,000.00 USD.",
    "A100 keeps FP8 weights but computes in bf16; v3-671b is published with FP8 weights.",
    "A100 keeps FP8 weights but computes in bf16.",
    "V100 has no FP8 support; v3-671b is published with FP8 weights.",
    "A40 cards have no peer-to-peer over PCIe: copies between them go through system RAM; the figures include this.",
    "27 % of the parts' cost is estimated; 55 % uses prices older than 90 days (30 for memory and drives).",
    "27 % of the parts' cost is estimated.",
    "55 % of the parts' cost uses prices older than 90 days (30 for memory and drives).",
    "1 memory module stands on 12 channels: 1/12 of the memory bandwidth is there.",
    "4 memory modules stand on 12 channels: 4/12 of the memory bandwidth is there.",
    "the offer's high",
    "Memory and drives are 7 % of the parts' cost; memory rose 5-7 x since October 2025. Ask for quotes of the day.",
    "p1 can hardly be told apart from p2 in throughput (2,411-5,192 against 3,393-7,304 tok/s) and takes 3 W less.",
    "p1 can hardly be told apart from p2 in throughput (1-5 against 3-7 tok/s) and costs 3.00 USD less in total.",
    "Parts in hand that p1 does not need: 3 of 4 x intel-xeon-6767p, 1 of 1 x nvidia-h200 and 3 more.",
    "20,000,000 tokens a day",
    "2.5 requests a second",
    "at most 1 node",
    "at most 2 nodes",
    "at most 1 seller",
    "at most 2 sellers",
    "no price older than 1 day",
    "no price older than 30 days",
    "delivery within 1 day",
    "delivery within 30 days",
    "barred by the approved list",
    "no more: 4-wide cards",
    "without: new parts only",
    "contains nvidia-h200: vendor NVIDIA is barred",
    "no offer with confidence list or street, at most 3 days of lead time, a known lead time",
    "no released engine serves deepseek-v3 on it as asked",
    "no released engine trains deepseek-v3 on it as asked",
    "16 or 32 would be equal",
)
"""Sentences put together from pieces, as results hold them."""
PIECES = {
    "needs X1 GB per GPU (X1)",
    "node X1",
    "cords X1",
    "cents of X1",
    "cents of all lines",
    "estimated cents",
    "X1 (drive)",
    "X1 (ordered)",
    "X1 (cord)",
    "X1 (memory)",
    "X1 % of the parts' cost is estimated",
    "X1 % of the parts' cost uses",
    "X1 % uses",
    "X1 cards have no peer-to-peer over PCIe: X1.",
    "X1 has no FP8 support",
    "X1 keeps FP8 weights but computes in X1",
    "X1 prices older than X1 days (X1 for memory and drives)",
    "X1 stand on X1 channels",
    "X1 stands on X1 channels",
    "X1: X1/X1 of the memory bandwidth is there.",
    "X1; X1 is published with FP8 weights.",
    "copies between them go through system RAM; the figures include this",
    "memory module",
    "X1 can't spread evenly over X1: X1 would",
    "pX1 can hardly be told apart from pX1 in throughput (X1-X1 against X1-X1 tok/s) and X1.",
    " and X1 more",
    "X1 Ask for quotes of the day.",
    "X1 would not make this throughput cheaper.",
    "X1 would reach this throughput for X1 less.",
    "X1-bit weights (--min-precision X1bit) on the GPUs of this front",
    "at most X1 nodeX1",
    "at most X1 sellerX1",
    "costs X1 less in total",
    "delivery within X1",
    "no price older than X1",
    "none with parts below X1.",
    "requests a second",
    "takes X1 X1 less",
    "tokens a day",
    "Memory and drives are X1 % of the parts' cost; memory rose 5-7 x since October 2025.",
    "no server",
    "Stopped before the proof: X1 families may still hold better builds, ",
}
"""Pieces of sentences, each of which stands whole in WRITTEN."""
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


def test_every_finding_of_the_rules_has_its_chinese() -> None:
    zh = Words("zh")
    assert len(findings()) > 50
    said = {COMPOSED.get(x, x) for x in findings() if x.strip("X1")}
    assert sorted(x for x in said if not chinese(zh.sentence(x))) == []


def test_nothing_is_left_over() -> None:
    """A key is marked in the code, or what a rule, a message or a file of data says."""
    said = []
    for path in sorted(p for d in ("optimizer", "constraints", "catalogs") for p in (ROOT / d).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr | ast.Constant):
                said += [x for x in itertools.islice(_texts(node), 64) if len(x) > 3]
    said += [p.read_text(encoding="utf-8") for d in ("catalogs", "constraints") for p in (ROOT / d).rglob("*.csv")]
    said += [p.read_text(encoding="utf-8") for p in (ROOT / "catalogs").rglob("*.json")]
    everything = "\n".join(said)
    left = {k for k in set(_catalog()) - marked() if max(PLACE.split(k)[::2], key=len).strip() not in everything}
    shapes = {k: re.compile(".+".join(map(re.escape, PLACE.split(k)[::2]))) for k in left}
    assert [k for k, shape in shapes.items() if not any(shape.fullmatch(x) for x in WRITTEN)] == []
    assert [x for x in WRITTEN if not chinese(Words("zh").sentence(x))] == []


@pytest.mark.parametrize("path", SAYING)
def test_every_sentence_of_an_answer_has_its_chinese(path: str) -> None:
    zh = Words("zh")
    assert sorted(x for x in sentences(path) - PIECES if not chinese(zh.sentence(x))) == []


def test_stricter_policies_have_their_chinese() -> None:
    """A figure of policy that the buyer made stricter is a condition: with its title in Chinese."""
    stricter = [d for d in defaults().values() if d.stricter]
    assert len(stricter) > 20
    for d in stricter:
        text = Words("zh").sentence(f"{d.key} = {d.value} {d.unit} ({d.title})")
        assert text.startswith(f"{d.key} = {d.value} {d.unit}（")
        assert chinese(text), d.title


def test_sentences_in_sentences() -> None:
    """Lists, numbers and sentences inside sentences are translated too, and nothing that only looks like one."""
    zh = Words("zh").sentence
    assert zh("new, refurbished and used parts only") == "仅限全新、翻新和二手物料"
    assert zh("refurbished and used parts too") == "另允许翻新和二手物料"
    assert zh("no more: cores.per_gpu_min = 8 cores (CPU cores per GPU (hard))") == (
        "取消：cores.per_gpu_min = 8 cores（每 GPU 的 CPU 核数（硬性））"
    )
    assert zh("contains nvidia-h200: vendor NVIDIA is barred") == "内含 nvidia-h200：品牌 NVIDIA 被排除"
    assert zh("amd-epyc-9115: no piece of it in stock") == "amd-epyc-9115：无库存"
    left = "Parts in hand that p1 does not need: 3 of 4 x intel-xeon-6767p, 1 of 1 x nvidia-h200 and 3 more."
    assert (
        zh(left) == "p1 用不到的自有物料：intel-xeon-6767p（4 件中的 3 件）、nvidia-h200（1 件中的 1 件）和另外 3 种。"
    )
    assert zh("prices of confidence list or street too") == "另允许可信度为目录价或市场价的价格"
    for other in ("from 3 to 4", "Rome of old: a tale", "SYS-421GE and more"):
        assert zh(other) == other
    assert Words("zh").list(["at most 1 node", "facility water"], " and ") == "至多 1 个节点，且机房提供冷却水"
    assert Words("en").list(["a", "b"], " and ") == "a and b"


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


def test_no_english_is_left_where_a_sentence_holds_clauses() -> None:
    """A bracket with a semicolon in it, a clause after a bracket, a sentence after a row."""
    zh = Words("zh").text
    needs = "needs 90.29 GB per GPU (weights, KV cache of 1 request, reserve); H100 SXM5 80GB offers only 80 GB"
    assert zh(f"vram fails: {needs}").endswith("H100 SXM5 80GB 仅有 80 GB")
    assert zh(needs).count("；") == 1
    assert zh("row 8: the total is quantity x price x 3: it is over the term") == (
        "第 8 行：小计为数量 x 单价 x 3：按合同期限计价"
    )
    paid = "its prices are paid each month and counted over 36 months ('Rate / unit', rows 5, 1, 2)"
    assert zh(paid) == "价格按每月支付，已按 36 个月合计（'Rate / unit'，第 5、1、2 行）"
    assert zh("1 memory module can't spread evenly over 16 channels: 16 or 32 would").endswith("16 或 32 条可插满")
    long = "; ".join(["RAM of 64 GB is below the minimum of 96 GB (20 % of 480 GB of GPU memory)"] * 40)
    assert zh(long).count("；") == 39 and "below" not in zh(long)


def test_a_space_stands_between_chinese_and_a_latin_value() -> None:
    key = "{percent} % of {supplies} left when the spare ones have failed"
    assert "剩余 1 个 3,000 W 电源" in Words("zh").text(message(key, percent=100, supplies=supplies(1, 3000)))
    assert Words("zh").colon == "：" and Words().colon == ": "
