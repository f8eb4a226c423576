"""What `size` says of numbers of GPUs: which divide, one plan per answer, engines marked experimental."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.load import Catalog, load
from catalogs.schema import Gpu
from constraints.policy import Policy
from constraints.request import Request
from optimizer.sizing.serving import key_of, serving_size
from optimizer.throughput.calibration import shipped
from tests.conftest import AS_OF


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def sized(catalog: Catalog, model: str, gpu: str, count: int, **fields: Any) -> Any:
    card = catalog.parts[gpu]
    assert isinstance(card, Gpu)
    request = Request(model=model, as_of=AS_OF, **fields)
    return serving_size(get(model), request, Policy(), shipped(), card, key_of(card, count, 1))


@pytest.mark.parametrize(
    ("model", "gpu", "count", "around"),
    [("llama-3.1-70b", "nvidia-rtx-a6000-48gb", 6, "4 and 8"), ("llama-3.1-70b", "nvidia-h100-sxm5-80gb", 5, "4 and 8"),
     ("qwen3-32b", "nvidia-h100-sxm5-80gb", 3, "2 and 4")],
)  # fmt: skip
def test_where_nothing_divides_the_numbers_that_do_are_named(
    catalog: Catalog, model: str, gpu: str, count: int, around: str
) -> None:
    said = sized(catalog, model, gpu, count).counts
    assert said.endswith(f"it divides by {around}") and f"heads 64 % tp {count} != 0" in said


@pytest.mark.parametrize(
    ("model", "gpu", "count", "around"),
    [("gpt-oss-120b", "nvidia-l40s-48gb", 3, "2 and 4"),  # dp 3: the width 2880 is cut alone
     ("v3-671b", "nvidia-b300-sxm6-288gb", 5, "4 and 8"), ("v3-671b", "nvidia-b200-sxm6-180gb", 6, "4 and 8")],
)  # fmt: skip
def test_unequal_shares_of_heads_and_experts_are_said(
    catalog: Catalog, model: str, gpu: str, count: int, around: str
) -> None:
    """A plan runs, also with redundant experts, and gives less per GPU than numbers that divide."""
    one = sized(catalog, model, gpu, count, min_precision_bits=4)
    assert one.fits and one.tp * one.dp == count
    assert one.counts.startswith(f"no engine gives {count} GPUs of a node equal shares of heads or experts")
    assert one.counts.endswith(f"it divides by {around}")


@pytest.mark.parametrize("count", [6, 12])
def test_numbers_that_are_no_powers_of_two_may_divide(catalog: Catalog, count: int) -> None:
    """V4-Pro has 384 experts."""
    assert sized(catalog, "v4-pro", "nvidia-h200-sxm5-141gb", count).counts == ""


@pytest.mark.parametrize("count", [1, 2, 4, 8])
def test_where_the_model_divides_nothing_is_said(catalog: Catalog, count: int) -> None:
    assert sized(catalog, "llama-3.1-8b", "nvidia-h100-sxm5-80gb", count).counts == ""


@pytest.mark.parametrize("model", ["minimax-m2.5", "r1-671b", "gpt-oss-120b", "qwen3-235b-a22b"])
def test_one_answer_names_one_plan(catalog: Catalog, model: str) -> None:
    """The row of the table at the summary's users has the summary's plan, ties included."""
    one = sized(catalog, model, "nvidia-h200-sxm5-141gb", 8)
    names = ("precision", "tp", "pp", "dp", "ep", "redundant_experts", "replicas")
    row = next(u for u in one.table if u.users == one.users)
    assert [getattr(row, x) for x in names] == [getattr(one, x) for x in names]


def test_no_answer_contradicts_itself(catalog: Catalog) -> None:
    """Random models, GPUs, numbers and nodes: plan and figures of the summary are those of its table, an engine starts
    its plan on all the GPUs, and more users are never served faster or sooner."""
    draw, tried = random.Random(15), 0
    models = ("v3-671b", "v4-flash", "minimax-m2.5", "gpt-oss-120b", "qwen3-235b-a22b", "llama-3.1-70b", "r1-33b")
    cards = ("rtx-a6000-48gb", "h200-sxm5-141gb", "b200-sxm6-180gb", "gb300-nvl72-288gb", "l40s-48gb", "h20-sxm5-96gb")
    plan = ("precision", "tp", "pp", "dp", "ep", "redundant_experts", "replicas")
    names = (*plan, "output_tok_s", "low", "high", "basis")
    for _ in range(120):
        gpu = catalog.parts[f"nvidia-{draw.choice(cards)}"]
        assert isinstance(gpu, Gpu)
        request = Request(
            model=draw.choice(models), as_of=AS_OF, min_precision_bits=draw.choice((None, 8, 4)),
            users=draw.choice((None, None, 8, 64)),
        )  # fmt: skip
        key = key_of(gpu, draw.choice((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 20)), draw.choice((1, 1, 2, 3)))
        one = serving_size(get(request.model), request, Policy(), shipped(), gpu, key)
        if not one.fits:
            continue
        tried += 1
        row = next(u for u in one.table if u.users == one.users)
        assert [getattr(row, x) for x in names] == [getattr(one, x) for x in names], (request, key)
        assert one.tp * one.pp * one.dp * one.replicas == key.total and one.engine
        for fewer, more in itertools.pairwise(one.table):
            assert more.per_user_tok_s <= fewer.per_user_tok_s and more.ttft_ms >= fewer.ttft_ms, (request, key)
    assert tried > 60


def test_an_experimental_engine_is_named_only_when_it_is_allowed(catalog: Catalog) -> None:
    gpu = "nvidia-rtx-pro-6000-blackwell-server-96gb"
    assert not sized(catalog, "v4-flash", gpu, 8).fits
    allowed = sized(catalog, "v4-flash", gpu, 8, allow_experimental=True)
    assert allowed.fits and re.fullmatch(r"(vLLM|SGLang) [\d.]+", allowed.engine)
