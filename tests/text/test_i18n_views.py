"""Every view in Chinese: no English sentence is left in it, and none of it is Chinese in English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from catalogs.message import joined, message
from optimizer.cli.app import app
from optimizer.cli.explain_view import show_point
from optimizer.cli.models_view import _line
from optimizer.cli.no_build_view import show_no_build
from optimizer.cli.output import padded
from optimizer.cli.prices_view import show_price_risk, show_variation, stays
from optimizer.cli.why_not_view import show_mended, show_why_not
from optimizer.explanation.prices.bought import Bought, Change
from optimizer.explanation.prices.price_risk import EndFront, Exposed, PartRange, PriceRisk, RegretProof
from optimizer.explanation.prices.vary import Span, Variation
from optimizer.explanation.why_not.schema import Against, BreakEven, Offered, WhyNot
from optimizer.result.explanation_schema import (
    BuildFacts,
    ChangeFacts,
    ConditionFacts,
    Dropped,
    Margin,
    Neighbour,
    NoBuild,
    Note,
    PointExplained,
    Spent,
    StepFacts,
    SwapFacts,
    WayOut,
)  # fmt: skip
from optimizer.result.schema import BestBuild, ModelFacts
from optimizer.text.languages import Words, choose

EXAMPLES = Path(__file__).parents[2] / "examples"
BUILD = BuildFacts(total="90.00", currency="USD", output_tok_s=9.5, gpus="1 x 8 H20", nodes=1, precision="fp8")
OFFERED = Offered(total="120.00", output_tok_s=11.0, gpus="8 x H20", nodes=2, node=[], shared=[])
BOUGHT = Bought(total="1100.00", output_tok_s=9.5, gpus="1 x 8 H20", nodes=1, parts={"nvidia-h20": 8, "nvme": 1})


def english(text: str) -> list[str]:
    """English words in a row: codes, options, paths and names of parts are single words here."""
    said = re.sub(r"`[^`]+`", "", text)  # a command to type is the same in every language
    return re.findall(r"\b[a-z]{2,}(?:[,;:]? (?!tok/s)[a-z]{2,})+", said)


@pytest.fixture
def both(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[str, str]]]:
    """What a view prints in English and in Chinese."""

    def run(view: Callable[..., Any], *args: Any) -> tuple[str, str]:
        said = []
        for language in ("en", "zh"):
            choose(language)
            view(*args)
            out = capsys.readouterr()
            said.append(out.out + out.err)
        assert not re.search("[\u4e00-\u9fff]", said[0])
        assert english(said[1]) == []
        return said[0], said[1]

    yield run
    choose("en")


def _step(**fields: Any) -> StepFacts:
    return StepFacts(**{"key": "power", "looser": True, "binds": True, "more": "-3.00", "build": BUILD} | fields)


DRAWS = message("the whole build draws {a} W at the wall, within the site's {b} W", a=9, b=10)
USED_TOO = message("{list} parts too", list=joined(["refurbished", "used"], last=" and "))
NO_FP8 = message("{gpu} has no FP8 support; {model} is published with FP8 weights.", gpu="V100", model="x")
ONLY_FP8 = message("runs none of the precisions admitted ({list})", list="fp8")
AT_MOST_3_KW = message("at most {n} kW", n=3)
NO_PRICE = message("no price of {list}", list=joined(["nvidia-h20", "nvme"]))
AT_MOST_2_NODES = message("at most {qty} nodes", qty=2)


def test_a_point(both: Callable[..., tuple[str, str]]) -> None:
    swap = SwapFacts(part="nvidia-h20", name="H20", before=8, after=0, more="5.00")
    figures = [
        joined(["GPUs", "8 x H20 -> 8 x H200"], ": "), joined(["memory bandwidth", "8 -> 9 GB/s"], ": "),
        joined(["for each user", "10 -> 11 tok/s"], ": "),
    ]  # fmt: skip
    near = Neighbour(id="p2", total="1", more="-1.00", output_tok_s=8, swaps=[swap], figures=figures)
    point = PointExplained(
        id="p3", total="100.00", net="90.00", tax="10.00", currency="USD", output_tok_s=10,
        margins=[Margin(rule="site", status="pass", text=DRAWS, measured=9, limit=10, unit="W",
                        margin_percent=10)],
        steps=[_step(text="6 kW"), _step(text=AT_MOST_2_NODES, looser=False, more=None, build=None),
               _step(text=USED_TOO), _step(text=message("weights of {n} bits", n=4), binds=False)],
        money=[Spent(category=x, amount="1", share=0.5) for x in ("gpu", "memory", "support", "tax", "bundle")],
        cheaper=near, faster=None, notes=[Note(code="no-fp8", text=NO_FP8)],
    )  # fmt: skip
    said = both(show_point, point)
    assert "6 kW (looser)" in said[0]
    for words in (
        "另允许翻新和二手物料（放宽）",
        "至多 2 个节点（收紧）",
        "无可行配置",
        "整体市电侧用电 9 W",
        "显存带宽",
        "维保",
        "税金",
        "V100 不支持 FP8",
    ):
        assert words in said[1]
    beyond = near.model_copy(update={"id": ""})
    assert "下一个更快的配置（超出预算）" in both(show_point, point.model_copy(update={"faster": beyond}))[1]


def test_no_build(both: Callable[..., tuple[str, str]]) -> None:
    asked = ConditionFacts(
        key="budget", rule="budget", text=message("a budget of {money}", money="1,000.00 USD"), asked=True
    )
    default = ConditionFacts(key="software", rule="software", text="stable engines only", asked=False)
    changes = [
        ChangeFacts(key="condition", text=USED_TOO, smaller=message("without {list}", list="used")),
        ChangeFacts(key="budget", text=message("a budget of {money}", money="2,000.00 USD"), smaller="1,999.99 USD"),
    ]
    found = NoBuild(
        conflict=[asked, default], verified=True, complete=True,
        ways_out=[WayOut(changes=changes, build=BUILD, command="dsopt")],
        dropped=[Dropped(reason=ONLY_FP8, gpus=list("abcdef"))],
    )  # fmt: skip
    en, zh = both(show_no_build, found, [{"code": "guide-name", "severity": "note", "text": "x"}])
    assert "proven, twice: together" in en
    assert "refurbished and used parts too and a budget of 2,000.00 USD" in en
    assert "fails: without used; 1,999.99 USD" in en
    assert "a, b, c, d and 2 more" in en
    assert "另允许翻新和二手物料，且预算 2,000.00 USD" in zh
    assert "仅用稳定版推理/训练引擎（默认）   [软件]" in zh
    for change in (
        {"verified": False, "ways_out": [], "dropped": []},
        {"conflict": [], "ways_out": [], "complete": False},
        {
            "minimal": False,
            "ways_out": [],
            "conflict": [asked.model_copy(update={"without_total": "2500.00"}), default],
        },
        {"minimal": False, "conflict": [asked]},
    ):
        both(show_no_build, found.model_copy(update=change))


EVEN = BreakEven(
    part="nvidia-h20",
    gpus="8 x H20",
    tok_s=9,
    rival="9",
    price_now=None,
    price="3",
    total="9",
    total_above="10",
    solves=1,
)
ANSWER: dict[str, Any] = {
    "what": "8 x H20", "currency": "USD", "point": OFFERED, "inside": False, "against": [], "lifted": [],
    "supposed": [], "as_fast": None, "any_number": None, "limit": "100.00", "for_limit": None, "least": OFFERED,
    "rival": None, "checks": [], "faster_for_less": None, "break_even": [], "no_break_even": "",
}  # fmt: skip
FINDING = {
    "rule": "vram",
    "status": "fail",
    "measured": 1.0,
    "limit": 2.0,
    "unit": "GB",
    "text": "the supplies are not redundant",
}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"inside": True}, "已经包含"),
        ({"as_fast": OFFERED, "any_number": OFFERED, "for_limit": OFFERED, "break_even": [EVEN]}, "盈亏平衡价"),
        ({"break_even": [EVEN.model_copy(update={"price": None}), EVEN.model_copy(update={"total_above": None})]},
         "无论 nvidia-h20 价格多低"),
        ({"against": [Against(rules=["cooling", "vram"], conditions=["no facility water", AT_MOST_3_KW],
                              text="admissible without no facility water and at most 3 kW", total="9.00")],
          "lifted": ["no facility water"], "supposed": ["nvidia-h20"]}, "且功率至多 3 kW，最低价 9.00 USD"),
        ({"against": [Against(rules=["vram"], conditions=[], total=None, text="the supplies are not redundant")],
          "no_break_even": message("no build holds {part} itself", part="H20")}, "电源无冗余"),
        ({"checks": [FINDING], "rival": OFFERED, "faster_for_less": OFFERED.model_copy(update={"output_tok_s": 99})},
         "没有同样快而更便宜的配置"),
        ({"checks": [FINDING], "rival": OFFERED.model_copy(update={"total": "1.00"})}, "总价不高于 1.00 USD 时胜出"),
        ({"checks": [FINDING], "least": None, "no_break_even": NO_PRICE},
         "无法比较：nvidia-h20、nvme 无价格"),
    ],
)  # fmt: skip
def test_why_not(both: Callable[..., tuple[str, str]], fields: dict[str, Any], words: str) -> None:
    en, zh = both(show_why_not, WhyNot(**{**ANSWER, **fields}))
    assert words in zh
    assert [len(x.splitlines()) for x in (en, zh)] == [len(en.splitlines())] * 2


def test_mended(both: Callable[..., tuple[str, str]]) -> None:
    @dataclass
    class Fine:
        total: str = "9.00"
        currency: str = "USD"
        changes: tuple[()] = ()

    assert "没有通过全部规则" in both(show_mended, None)[1]
    assert "无需修改" in both(show_mended, Fine())[1]


def _variation(**fields: Any) -> Variation:
    spans = [
        Span(low="0.8", high="0.9", why=why, build=BOUGHT, total_at_low="1", total_at_high="2",
             changes=[Change(part=f"part{i}", before=0, after=1) for i in range(8)])
        for why in ("cheaper", "today", "faster-within-budget", "over-budget")
    ]  # fmt: skip
    spans.append(Span(low="1.1", high="1.2", why="none-within-budget"))
    rest = {"spec": "gpu=±20%", "unit": "factor", "currency": "USD", "today": "1", "low": "0.8", "high": "1.2"}
    more = {"parts": ("a", "b"), "stays": 1, "target": None, "target_value": None, "complete": False, "solves": 1}
    return Variation(**{**rest, **more, "spans": tuple(spans), "seconds": 1.0, **fields})


def test_prices(both: Callable[..., tuple[str, str]]) -> None:
    en, zh = both(show_variation, _variation())
    assert "The time limit came before the whole range was searched" in en
    assert "另有 2 项" in zh
    choose("zh")
    assert stays(_variation(target=1, target_value="1.05")) == "在 +5.00% 处推荐配置不变。"
    assert "预算内没有配置" in stays(_variation(target=4, target_value="1.15"))
    assert "推荐配置为 1 x 8 H20" in stays(_variation(target=2, target_value="0.95"))
    only = _variation()
    assert "整个区间" in stays(only.model_copy(update={"spans": only.spans[:1], "stays": 0, "complete": True}))


def test_price_risk(both: Callable[..., tuple[str, str]]) -> None:
    at_risk = Exposed(build=BOUGHT, regret="5.00", regret_at_most="6.00", bad=("nvme",), cost_there="1", best_there="1")
    bands = ("the offer's high", "in hand", "price_risk.street_percent 20 %")
    risk = PriceRisk(
        currency="USD", bad_prices=2, low=EndFront(complete=False, points=(), recommended=None),
        high=EndFront(complete=True, points=(BOUGHT,), recommended=0), recommended=at_risk, least_regret=at_risk,
        changes=(), ranges=tuple(PartRange(part="nvme", low="1", today="2", high="3", basis=x) for x in bands),
        proof=RegretProof(status="optimal", at_least="5.00", scenarios=3, rounds=1, seconds=0.5),
    )  # fmt: skip
    en, zh = both(show_price_risk, risk)
    assert "Every price at its low (time ended before the proof):" in en
    for words in ("最小后悔", "至多 6.00", "报价自带的上限", "自有物料", "证明：最优"):
        assert words in zh
    both(show_price_risk, risk.model_copy(update={"bad_prices": 1, "changes": (Change(part="x", before=1, after=2),)}))
    both(show_price_risk, risk.model_copy(update={"recommended": None}))


def test_models(both: Callable[..., tuple[str, str]]) -> None:
    model = ModelFacts(id="v3-671b", name="", note="", source="")
    one = BestBuild(
        model=model, same=["r1-671b"], params_total=1, status="infeasible", point=None, least_cost="9000.00", reason=""
    )
    assert "最低 9,000.00 USD 起" in both(_line, one, "USD")[1]
    none = one.model_copy(update={"least_cost": None, "reason": "no build within these conditions"})
    assert "没有可行配置" in both(_line, none, "USD")[1]


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("size --model r1-671b --gpu 8xH200", "首字延迟"),
        ("size --model v2-lite --gpu 1xH200 --gpu 1xA30 --tokens-per-day 20M", "无法容纳：显存不足"),
        ("size --model v2-lite --gpu 8xH200 --workload finetune-lora", "激活重计算"),
        (
            "size --model v2-670b --gpu 4090 --offload --allow-experimental --cpu EPYC+9654 --memory 12x64GB@4800",
            "专家权重位置",
        ),
        ("models list", "参数量"),
        ("models show v2-670b", "指南"),
        ("catalog list memory", "价格"),
        ("catalog validate", "条报价"),
    ],
)
def test_commands(words: str, seen: str) -> None:
    """On the shipped catalog, whose names and sources of parts are in English."""
    args = [x.replace("+", " ") for x in words.split()]
    en, zh = (CliRunner().invoke(app, ["--lang", x, *args]) for x in ("en", "zh"))
    choose("en")
    assert (en.exit_code, zh.exit_code) == (0, 0)
    assert seen in zh.output
    assert seen not in en.stdout
    assert english(re.sub(r"\bhttps?\S+|source .*|来源 .*", "", zh.output)) == []


def test_columns_align() -> None:
    """A Chinese character takes two cells."""
    assert padded("显存", 6) == "显存  "
    assert padded("kW", 6, right=True) == "    kW"
    assert padded("longer than that", 6) == "longer than that"
    assert Words("zh")("{a} to {b}", a=1, b=2) == "1 to 2"
