"""What the engines' rules say of a plan, in Chinese: every message of the data, alone and inside the sentences that
carry it."""

from __future__ import annotations

import re
from itertools import count

import pytest

from catalogs.engines.rules import SYMBOLS, PlanFault, PlanRule, plan_rules
from catalogs.engines.support import Engine
from catalogs.message import joined, message
from constraints.rules.software import OFFLOADING, SERVING, TRAINING, Refusal, Sentences, faults_said
from optimizer.text.languages import Words
from tests.text.test_i18n_views import english

ZH = Words("zh")
SOURCE = "vllm-project/recipes 8959cf6 models/DeepSeek-R1.yaml (h200, b200)"
ENGINE = Engine("vLLM", "0.33.0", "0.33.0", "stable", SOURCE, "2026-11-01")
WAYS = ("tensor", "pipeline", "data", "expert")
SIZES = joined(message(f"{way} parallel {{qty}}", qty=number) for way, number in zip(WAYS, (8, 2, 4, 32), strict=True))
WITH_COPIES = joined([SIZES, message("{qty} redundant experts", qty=16)])
WHAT = {"model": "deepseek-v3", "precision": "fp8", "gpus": "Hopper (SM90)"}
RULES = {(rule.rule, rule.message.text): rule for rule in plan_rules()}


def fault(rule: PlanRule) -> PlanFault:
    """What a rule says, each size a number of its own."""
    numbers = count(11)
    return PlanFault(rule.rule, "refused", rule.message.said({name: next(numbers) for name in sorted(SYMBOLS)}), "")


FAULTS = [fault(RULES[x]) for x in sorted(RULES)]


def left(text: str) -> list[str]:
    """English that is left, but for an engine's own message in quotation marks."""
    return english(re.sub("“[^”]*”", "", text))


def judge(text: str) -> str:
    """The Chinese of a sentence: no English is left, every number of it is there."""
    zh = ZH.sentence(text)
    assert re.search("[\u4e00-\u9fff]", zh), text
    assert left(zh) == [], zh
    assert sorted(re.findall(r"\d+", zh)) == sorted(re.findall(r"\d+", text)), (text, zh)
    return zh


@pytest.mark.parametrize("said", FAULTS, ids=str)
def test_every_message_of_a_rule(said: PlanFault) -> None:
    assert f"（{said.rule}：" in judge(Refusal(ENGINE, (said,)).said)
    unknown = message("not known of this model: {why}", why=said.text)
    judge(Refusal(ENGINE, (PlanFault(said.rule, "refused", unknown, ""),)).said)


@pytest.mark.parametrize("sentences", [SERVING, OFFLOADING])
def test_sentences_that_carry_all_messages(sentences: Sentences) -> None:
    """In one sentence each engine's faults stand apart, whatever they hold: semicolons, brackets, full stops."""
    half = len(FAULTS) // 2
    lists = FAULTS[:half], FAULTS[half:]
    reasons = joined((Refusal(ENGINE, tuple(faults)).said for faults in lists), ". ")
    zh = judge(message(sentences.none_starts, list=SIZES, **WHAT, reasons=reasons))
    assert "张量并行 8、流水线并行 2、数据并行 4、专家并行 32" in zh
    assert zh.count("；") >= len(FAULTS) - 2
    for faults in lists:
        why = joined([str(ENGINE), faults_said(faults)], ": ")
        judge(message("no released engine starts this plan: {why}", why=why))
        judge(message("{asked} does not start this plan: {why}", asked="dynamo-sglang 0.5.8", why=why))
        for key in (
            "no engine gives {n} GPUs of a node equal shares of heads or experts ({why}); it divides by {list}",
            "no engine cuts the model over {n} GPUs of a node ({why}); it divides by {list}",
        ):
            judge(message(key, n=3, why=why, list=joined(["2", "4"], " and ")))


@pytest.mark.parametrize("sentences", [SERVING, OFFLOADING, TRAINING])
@pytest.mark.parametrize("sizes", [SIZES, "one GPU per replica", WITH_COPIES], ids=["cut", "whole", "copies"])
def test_sentences_of_the_rule(sentences: Sentences, sizes: str) -> None:
    starts = message(sentences.starts, engine=ENGINE, **WHAT, list=sizes, status=ENGINE.status, source=ENGINE.source)
    assert "稳定版" in judge(starts)
    judge(message(sentences.experimental, engine=ENGINE, **WHAT))
    judge(message(sentences.unknown, **WHAT))
    key = "{engine} starts {list} with {n} redundant experts, the plan has {have}"
    judge(message(key, engine=ENGINE, list=sizes, n=16, have=0))
    key = "no engine cuts the model over {n} GPUs of a node ({why}); it divides by {list}"
    judge(message(key, n=6, why="no engine is known on these GPUs", list=joined(["4", "8"], " and ")))


@pytest.mark.parametrize(
    "text",
    [
        message(
            "{qty} experts do not divide by {ep}, and no published run shows {engine} with redundant ones for {family} "
            "in {weights} on {gpus}",
            qty=256, ep=72, engine="vLLM", family="deepseek-v3", weights="block-fp8", gpus="SM120",
        ),
        message("the parallel sizes that {engine} starts are not known", engine="Aphrodite"),
        message("not known of this model: {symbols} against {sizes}", symbols="expert_width", sizes="tp*dp 8"),
    ],
)  # fmt: skip
def test_faults_that_no_row_says(text: str) -> None:
    judge(Refusal(ENGINE, (PlanFault("V7", "refused", text, ""),)).said)
