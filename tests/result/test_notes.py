"""When a remark on a build's GPUs appears: how the model is published, what the cards can do, how they are joined."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.load import Catalog
from catalogs.schema import Gpu
from constraints.request import Request
from constraints.rules.precision import support
from optimizer.cli.money_view import apart, total
from optimizer.library import solve
from optimizer.result.notes import _gpu
from optimizer.text.languages import choose


def said(gpu: Gpu, model: str, precision: str, domain: int = 0, per_node: int = 8) -> dict[str, str]:
    """code -> text of the remarks on `per_node` cards that run a model."""
    key = SimpleNamespace(per_node=per_node, domain=domain)
    row = SimpleNamespace(key=key, plan=SimpleNamespace(precision=precision))
    point: Any = SimpleNamespace(case=SimpleNamespace(gpu=gpu), found=SimpleNamespace(row=row))
    market: Any = SimpleNamespace(llm=get(model))
    return dict(_gpu(market, point))


def one(shipped: Catalog, fits: Any) -> Gpu:
    return next(p for p in shipped.parts.values() if isinstance(p, Gpu) and fits(p))


def lacks_fp8(gpu: Gpu) -> bool:
    return "fp8" not in support(gpu.arch)


@pytest.mark.parametrize(
    ("model", "published"),
    [("v3-671b", True), ("r1-671b", True), ("r1-distill-llama-70b", False), ("v2-670b", False), ("r1-33b", False)],
)
def test_published_with_fp8(shipped: Catalog, model: str, published: bool) -> None:
    """A distill is published in BF16 and a guide's name never was: of neither it is said."""
    assert bool(get(model).note) == (model in ("v2-670b", "r1-33b"))
    notes = said(one(shipped, lacks_fp8), model, "bf16")
    assert ("no-fp8" in notes) == published
    assert ("is published with FP8 weights" in notes.get("no-fp8", "")) == published


def test_what_the_card_does_with_fp8(shipped: Catalog) -> None:
    native = one(shipped, lambda g: support(g.arch).get("fp8", ("",))[0] == "native")
    keeps = one(shipped, lambda g: support(g.arch).get("fp8", ("",))[0] == "weight-only")
    assert "no-fp8" not in said(native, "v3-671b", "fp8")
    assert "keeps FP8 weights but computes in" in said(keeps, "v3-671b", "fp8")["no-fp8"]
    assert "is published" not in said(keeps, "v2-670b", "fp8")["no-fp8"]
    assert "has no FP8 support" in said(one(shipped, lacks_fp8), "v3-671b", "bf16")["no-fp8"]


def test_copies_without_peer_to_peer(shipped: Catalog) -> None:
    """Of cards that bridges join all together it is not said, nor of one card alone."""
    card = one(shipped, lambda g: not g.p2p)
    assert "no-peer-to-peer" in said(card, "v2-lite", "bf16", domain=1, per_node=2)
    assert "no-peer-to-peer" in said(card, "v2-lite", "bf16", domain=2, per_node=4)
    assert "no-peer-to-peer" not in said(card, "v2-lite", "bf16", domain=2, per_node=2)
    assert "no-peer-to-peer" not in said(card, "v2-lite", "bf16", domain=1, per_node=1)
    able = one(shipped, lambda g: g.p2p)
    assert "no-peer-to-peer" not in said(able, "v2-lite", "bf16", domain=1, per_node=4)


def test_money_in_one_format() -> None:
    choose("en")
    assert apart("-20000.00", "USD") == "20,000.00 USD less"
    assert apart("139369.99", "USD") == "139,369.99 USD more"
    assert apart("0.00", "USD") == "at the same cost"
    assert total("1000.00", "130.00", "1130.00", "CNY") == "net 1,000.00, tax 130.00, total with tax 1,130.00 CNY"
    assert total("1000000", "0", "1000000", "JPY") == "1,000,000 JPY"


@pytest.mark.parametrize(
    "model, budget_usd", [("r1-distill-qwen-14b", 12_000), ("r1-distill-qwen-32b", 40_000), ("gpt-oss-120b", 90_000)]
)
def test_savings_of_other_requests_are_what_these_requests_answer(
    shipped: Catalog, model: str, budget_usd: int
) -> None:
    """What a note says that one card in 4 bits, or lower precision, would save is what its own options give."""
    asked = Request(model=model, budget_cents=budget_usd * 100, as_of=dt.date(2026, 11, 24))
    answer = solve(asked, catalog=shipped)
    point = next(p for p in answer.front if p.id == answer.recommended)
    said = {m.code: m.text for m in answer.messages}
    wanted = {"min_precision_bits": 4, "gpu_count": 1, "budget_cents": None}
    alone = solve(asked.model_copy(update={**wanted, "throughput_tenths": 1}), catalog=shipped).front
    less = Decimal(point.cost.parts) - Decimal(alone[0].cost.parts) if alone else Decimal(0)
    if "single-card" in said:
        assert alone[0].gpus.total == 1 and f"for {less:,.2f} USD less" in said["single-card"]
    else:
        assert less <= 0 or point.gpus.total == 1
