"""What `size` says of numbers of GPUs: which divide, one plan per answer, engines marked experimental."""

from __future__ import annotations

import re
from typing import Any

import pytest

from catalogs.llm import get
from catalogs.load import Catalog, load
from catalogs.schema import Gpu
from constraints.policy import Policy
from constraints.request import Request
from optimizer.sizing import key_of, serving_size
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


def test_an_experimental_engine_is_named_only_when_it_is_allowed(catalog: Catalog) -> None:
    gpu = "nvidia-rtx-pro-6000-blackwell-server-96gb"
    assert not sized(catalog, "v4-flash", gpu, 8).fits
    allowed = sized(catalog, "v4-flash", gpu, 8, allow_experimental=True)
    assert allowed.fits and re.fullmatch(r"(vLLM|SGLang) [\d.]+", allowed.engine)
