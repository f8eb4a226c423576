"""What the engines' rules say of a plan, in Chinese: every message of the data, alone and inside the sentences that
carry it."""

from __future__ import annotations

import re

import pytest

from catalogs.engines.rules import PlanFault, plan_rules
from optimizer.text.languages import Words
from tests.text.test_i18n_views import english

ZH = Words("zh")
PLACE = re.compile(r"\{[a-z0-9_*+]+\}")
MESSAGES = sorted({(r.rule, r.message) for r in plan_rules()})
SIZES = "tensor parallel 8, pipeline parallel 2, data parallel 4, expert parallel 32"
MODEL = "deepseek-v3 at fp8 on Hopper (SM90)"


def said(rule: str, message: str) -> str:
    """A fault as the program writes it, each size a number of its own."""
    numbers = iter(range(11, 99))
    return str(PlanFault(rule, "refused", PLACE.sub(lambda _: str(next(numbers)), message), "source"))


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


@pytest.mark.parametrize(("rule", "message"), MESSAGES)
def test_every_message_of_a_rule(rule: str, message: str) -> None:
    assert f"（{rule}：" in judge(f"vLLM 0.33.0 does not start it ({said(rule, message)})")
    judge(f"vLLM 0.33.0 does not start it ({said(rule, f'not known of this model: {message}')})")


@pytest.mark.parametrize("offload", ["", " with experts in host memory"])
def test_sentences_that_carry_all_messages(offload: str) -> None:
    """In one sentence each engine's faults stand apart, whatever they hold: semicolons, brackets, full stops."""
    pieces = [said(*x) for x in MESSAGES]
    half = len(pieces) // 2
    lists = ["; ".join(pieces[:half]), "; ".join(pieces[half:])]
    reasons = ". ".join(
        f"{e} does not start it ({x})" for e, x in zip(("vLLM 0.33.0", "SGLang 0.5.23"), lists, strict=True)
    )
    zh = judge(f"no released engine starts {SIZES} for {MODEL}{offload}: {reasons}")
    assert "张量并行 8、流水线并行 2、数据并行 4、专家并行 32" in zh
    assert zh.count("；") >= len(pieces) - 1
    for x in lists:
        judge(f"no released engine starts this plan: vLLM 0.33.0: {x}")
        judge(f"dynamo-sglang 0.5.8 does not start this plan: SGLang 0.5.8: {x}")
        shares = "no engine gives 3 GPUs of a node equal shares of heads or experts"
        judge(f"{shares} (vLLM 0.33.0: {x}); it divides by 2 and 4")
        judge(f"no engine cuts the model over 6 GPUs of a node (vLLM 0.33.0: {x}); it divides by 4 and 8")


@pytest.mark.parametrize("does", ["serves", "trains"])
@pytest.mark.parametrize("sizes", [SIZES, "one GPU per replica", f"{SIZES}, 16 redundant experts"])
def test_sentences_of_the_rule(does: str, sizes: str) -> None:
    source = "vllm-project/recipes 8959cf6 models/DeepSeek-R1.yaml (h200, b200)"
    assert "专家" in judge(f"vLLM 0.33.0 {does} {MODEL} and starts {sizes}, 16 redundant experts (stable; {source})")
    judge(f"vLLM 0.33.0 {does} {MODEL} only experimentally (--allow-experimental)")
    judge(f"no released engine known that {does} {MODEL}")
    judge(f"vLLM 0.33.0 starts {sizes} with 16 redundant experts, the plan has 0")
    judge("no engine cuts the model over 6 GPUs of a node (no engine is known on these GPUs); it divides by 4 and 8")


@pytest.mark.parametrize(
    "text",
    [
        "E0: 256 experts do not divide by 72, and no published run shows vLLM with redundant ones for deepseek-v3 in "
        "block-fp8 on SM120",
        "E2: the parallel sizes that Aphrodite starts are not known",
        "V7: not known of this model: expert_width against tp*dp 8",
    ],
)
def test_faults_that_no_row_says(text: str) -> None:
    judge(f"vLLM 0.33.0 does not start it ({text})")
