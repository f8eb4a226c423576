"""What stands between words in Chinese is Chinese: no half-width comma, semicolon, colon or bracket in a Chinese line,
but within names, and no view writes an English separator by itself."""

from __future__ import annotations

import ast
import csv
import re
import shlex
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from catalogs.load import Catalog
from catalogs.registry import aliases_of, all_models
from optimizer.cli import output
from tests.support.commands import dsopt, run
from tests.support.long import one_in

ROOT = Path(__file__).parents[2]
BIDS = [str(ROOT / "examples/procurement/tender" / name) for name in ("alder.xlsx", "corvus.csv")]
QUOTES = ROOT / "examples/procurement"
ENGINES = ROOT / "catalogs/engines"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
HALF_WIDTH = re.compile(r"[,;:](?= |$)|[()]|[,;:](?=[\u4e00-\u9fff])|\d %")
"""Separators, and a share as English writes it."""
FRAMED = re.compile(r"(?<=\w) \((?:SM\d+|CDNA\d)\)")
"""A kernel class behind the name of its generation, one name for both."""
SAVED = {
    "small": "--budget 9000 --model r1-distill-qwen-1.5b --gpu 'RTX 4090'",
    "other": "--budget 9000 --model r1-distill-qwen-1.5b --gpu 'RTX A6000'",
    "none": "--budget 500 --model r1-distill-qwen-1.5b",
    "training": "--budget 9000 --model r1-distill-qwen-1.5b --workload finetune-lora --train-tokens 1e9",
}
COMMANDS = [
    "explain {small}",
    "compare {small} {other}",
    "explain {small} --why-not '2x RTX 5090' --why-not 'H20'",
    "explain {none}",
    "models show v4-flash",
    "models show glm-5.3 --gpu h200",
    "explain {small} --vary gpu=±20%",
    "explain {small} --price-risk",
    "explain {training}",
    "verify {small}",
    "catalog list gpu",
    "models list --search qwen3",
    "size --gpu '4 x 4090'",
    "size --model r1-671b --gpu 8xH200 --gpu 4xH20",
    "size --model r1-distill-llama-70b --gpu '2x4090 + 2x3090'",
    "size --model r1-distill-qwen-32b --gpu 4x4090 --workload finetune-lora",
    "size --model v3-671b --gpu 4090 --offload --allow-experimental --cpu 'EPYC 9654' --memory 12x64GB@4800",
    "solve --budget 40000 --model r1-distill-llama-70b --users 8 --spares 5% --support 10% -vv",
    "solve --budget 9000 --model r1-distill-qwen-1.5b --gpu 'RTX 4090'",
    "solve --budget 500 --model r1-distill-qwen-1.5b",
    "solve --budget 500 --model r1-distill-qwen-1.5b -v",
    "solve --budget 9000 --model r1-distill-qwen-1.5b --gpu 'RTX 4090' --cost-axis lead-time -v",
    "solve --budget 12000 --gpu 'RTX A6000' --max-nodes 1",
    f"xray {QUOTES / 'alpen-tower.csv'} --model r1-33b --quick",
    f"xray {QUOTES / 'xinghe-h200.csv'} --model v3-671b --quick",
    f"compare {shlex.join(BIDS)} --model v3-671b --users 32",
    f"check {ROOT / 'examples/guide-entry.toml'} --mend",
]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("saved")
    paths = {name: folder / f"{name}.json" for name in SAVED}
    for name, words in SAVED.items():
        dsopt("solve", *shlex.split(words), "-o", str(paths[name]), code=4 if name == "none" else 0)
    return {name: str(path) for name, path in paths.items()}


@pytest.fixture(scope="module")
def named(shipped: Catalog) -> re.Pattern[str]:
    """Names of parts, models, sellers and sources that hold a separator themselves."""
    sources = [
        row.get("source", "") for path in ENGINES.glob("*.csv") for row in csv.DictReader(path.open(encoding="utf-8"))
    ]
    models = [name for llm in all_models() for name in (llm.name, *llm.hf_names, *aliases_of(llm))]
    sellers = [offer.seller for offers in shipped.offers.values() for offer in offers]
    names = {
        x
        for x in (*models, *sellers, *sources, *(part.name for part in shipped.parts.values()))
        if HALF_WIDTH.search(x)
    }
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))


def half_width(text: str, named: re.Pattern[str]) -> list[str]:
    """Chinese lines that hold an English separator outside of a name."""
    found = []
    for line in text.splitlines():
        bare = FRAMED.sub("", named.sub("", line))
        if CHINESE.search(bare) and HALF_WIDTH.search(bare):
            found.append(line)
    return found


@pytest.mark.parametrize("words", one_in(5, COMMANDS))
def test_chinese_lines_have_chinese_separators(
    words: str, saved: dict[str, str], named: re.Pattern[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "UNKNOWN", 2000)  # no name is broken over two lines
    code, answer, said = run("--lang", "zh", *shlex.split(words.format(**saved)))
    assert code in (0, 4, 5) and CHINESE.search(answer)
    assert half_width(answer + said, named) == []


def test_what_is_found(named: re.Pattern[str]) -> None:
    for line in ("同样适用于 v2.5, coder-v2", "合计: 12", "4 x H20 (最优)", "金额; 税", "总价 9 USD (+3.1%)", "占 3 %"):
        assert half_width(line, named) == [line]
    for line in ("合计：1,234.00 USD（含税）", "A, B: C (D)", "可在 Blackwell (SM120) 上", "--map a:b、模型 x"):
        assert half_width(line, named) == []


VIEWS = sorted(x for x in (ROOT / "optimizer/cli").glob("*.py") if x.stem.endswith("_view") or x.stem == "models_cmd")


@pytest.mark.parametrize("path", VIEWS, ids=lambda path: path.stem)
def test_a_view_asks_for_its_separators(path: Path) -> None:
    """No literal `, ` joins words, none stands between two values: `Words.list`, `comma`, `colon`, `semicolon`,
    `bracketed` and `between` know the language."""
    english = re.compile(r"^[,;:] ?$")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            between = node.func.value
            assert not (isinstance(between, ast.Constant) and english.match(str(between.value))), ast.unparse(node)
        if isinstance(node, ast.JoinedStr):
            for piece in node.values:
                if isinstance(piece, ast.Constant):
                    assert not re.search(r"[,;:] | \(|\)", str(piece.value)), ast.unparse(node)


def test_chinese_has_one_word_for_a_token() -> None:
    """词元, and 词元/秒 for its rate, in every translation."""
    catalog = read_po((ROOT / "optimizer/locale/zh/LC_MESSAGES/dsopt.po").open("rb"))
    for entry in catalog:
        said = re.sub(r"\{\w+\}|--[\w-]+", "", str(entry.string))
        assert not (CHINESE.search(said) and re.search(r"\btok/s|token", said)), said
