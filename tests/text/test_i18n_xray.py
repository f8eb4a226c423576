"""The X-ray in Chinese, on a terminal and as a workbook: no English is left but names and the vendor's words."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from catalogs.engines.support import FILES as ENGINES
from catalogs.engines.support import support_rows
from optimizer.cli.app import app
from optimizer.cli.xray_view import show
from optimizer.library import read_quote
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.xray.schema import XRay
from optimizer.procurement.xray.summary import summary
from optimizer.procurement.xray.workbook import workbook
from optimizer.text.languages import Words, choose
from tests.procurement.test_xray import FAILS, FOLDER, MODELS, catalog, seen
from tests.support.long import one_in
from tests.text.test_i18n_views import english

ZH = Words("zh")
SEARCHED = ("frauds-veridian.xlsx", "shenzhou-h20.xlsx")
"""Samples of which the front and the mended build are looked for too: one is mended, one runs as it is."""


@cache
def xrayed(name: str) -> XRay:
    return seen(
        FOLDER / name, MODELS.get(name, "v3-671b" if "guide" not in name else "v2-670b"), search=name in SEARCHED
    )


@pytest.fixture
def chinese() -> Iterator[None]:
    choose("zh")
    yield
    choose("en")


@cache
def names() -> re.Pattern[str]:
    """Parts, sellers and sources of software, as the catalog writes them."""
    found = {x for p in catalog().parts.values() for x in (p.name, p.id)}
    found |= {o.seller for offers in catalog().offers.values() for o in offers}
    found |= {x for does in ENGINES for row in support_rows(does) for x in (row.source, row.source.partition(" ")[2])}
    return re.compile("|".join(re.escape(x) for x in sorted(found, key=lambda x: (-len(x), x)) if x))


def own(text: str, quote: Quote) -> str:
    """A text without what the catalog says and what the vendor says: whole lines, labels, words in quotation marks."""
    theirs = {t for x in quote.lines for t in (x.text, x.text[:50])} | {t.label for t in quote.totals}
    for t in sorted({*theirs, quote.vendor, quote.quote_no}, key=len, reverse=True):
        text = text.replace(t, "") if len(t) > 2 else text
    return names().sub("", re.sub(r"'[^'\n]*'", "", text))


def cells(data: bytes) -> str:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return "\n".join([*book.sheetnames, *(str(c.value) for s in book for row in s.iter_rows() for c in row if c.value)])


@pytest.mark.parametrize("name", one_in(4, sorted(FAILS)))
def test_samples_in_chinese(name: str, chinese: None, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    rows: list[str] = []
    for at in ("optimizer.cli.xray_view.table", "optimizer.cli.front_view.table", "optimizer.cli.why_not_view.table"):
        monkeypatch.setattr(at, lambda head, body, *_: rows.extend(["; ".join(head), *(c for r in body for c in r)]))
    x, quote = xrayed(name), read_quote(FOLDER / name, catalog=catalog())
    show(x)
    assert english(own(capsys.readouterr().out, quote)) == []
    assert english(own("\n".join(rows), quote)) == []
    assert english(own(cells(workbook(x, ZH)), quote)) == []


@pytest.mark.parametrize("name", SEARCHED)
def test_the_summary_says_the_same_in_both(name: str) -> None:
    """Sentence by sentence, with the same figures."""
    x = xrayed(name)
    en, zh = summary(x), summary(x, ZH)
    assert en == x.summary and len(en) == len(zh)
    for a, b in zip(en, zh, strict=True):
        assert sorted(re.findall(r"\d[\d,.]*\d|\d", a)) == sorted(re.findall(r"\d[\d,.]*\d|\d", b)), (a, b)
        assert re.search("[\u4e00-\u9fff]", b)


def test_terms_of_the_trade() -> None:
    said = "\n".join(summary(xrayed("frauds-veridian.xlsx"), ZH)) + cells(workbook(xrayed("frauds-veridian.xlsx"), ZH))
    for term in ("算术错误", "缺项", "未税单价", "含 19% 税", "重复加税", "重复计价", "目录价", "多 9,000.00"):
        assert term in said


def test_the_command_in_chinese(tmp_path: Path) -> None:
    """Terminal and workbook are Chinese; JSON is what it is in English."""
    asked = ["check", str(FOLDER / "ugly-jingda.xlsx"), "--model", "r1-distill-qwen-14b", "--as-of", "2026-11-24"]
    runner, out = CliRunner(), tmp_path / "x.xlsx"
    zh = runner.invoke(app, [*asked, "--lang", "zh", "--quick", "-o", str(out)])
    assert zh.exit_code == 5 and "未匹配：第 9、12 行" in zh.stdout and "报价核查" in zh.output
    assert "缺项" in openpyxl.load_workbook(out).sheetnames
    json = [runner.invoke(app, ["--lang", x, *asked, "--quick", "--json"]).stdout for x in ("en", "zh")]
    choose("en")
    assert json[0] == json[1]
