"""A KV cache in llama.cpp's q8_0: its bytes, which plans may have it, how it is asked for and started."""

from __future__ import annotations

import json
from datetime import date

import pytest

from catalogs.llm import get
from constraints.request import Request
from constraints.rules.precision import takes_q8_0, wanted
from constraints.rules.software import cut_cache_fault
from tests.support.commands import dsopt

DAY = date(2026, 11, 24)


def asked(model: str, **fields: object) -> Request:
    return Request.model_validate({"model": model, "as_of": DAY, **fields})


def test_bytes_are_those_of_the_blocks() -> None:
    """Llama-3.3-70B: 80 layers x 2 x 8 heads x 128 values a token, 34 bytes for each 32 of them."""
    llm = get("llama-3.3-70b")
    values = 80 * 2 * 8 * 128
    assert llm.kv_bytes(1, "bf16") == 2 * values
    assert llm.kv_bytes(1, "q8_0") == values * 34 // 32
    assert llm.kv_rank_bytes(1000, "q8_0", 1) == 1000 * values * 34 // 32


def test_it_goes_with_gguf_files_alone() -> None:
    for typed in ("q8", "Q8_0", "q8_0"):
        assert asked("llama-3.3-70b", kv_precision=typed).kv_precision == "q8_0"
    assert wanted(get("llama-3.3-70b"), asked("llama-3.3-70b", kv_precision="q8")) == []
    assert wanted(get("llama-3.3-70b"), asked("llama-3.3-70b", kv_precision="q8", precision="q4_k_m")) == ["q4_k_m"]
    kinds = wanted(get("llama-3.3-70b"), asked("llama-3.3-70b", kv_precision="q8", min_precision_bits=4))
    assert kinds == ["q8_0", "q6_k", "q4_k_m"]  # those that are published, and no format of another engine
    with pytest.raises(ValueError, match="kv_precision"):
        asked("llama-3.3-70b", kv_precision="q4")


def test_a_latent_is_not_counted_in_it() -> None:
    assert takes_q8_0(get("qwen3-32b")) and not takes_q8_0(get("r1-671b"))
    assert wanted(get("r1-671b"), asked("r1-671b", kv_precision="q8", precision="q4_k_m")) == []


def test_twice_the_requests_and_the_command() -> None:
    words = ("size", "--model", "llama-3.3-70b", "--precision", "q4_k_m", "--min-tok-s-user", "1", "--json")
    mix = ("--gpu", "RTX 3090 + 2 x RTX 4060 Ti 16GB")
    plain, quantized = (
        json.loads(dsopt(*words, *mix, *more).stdout)["setups"][0] for more in ((), ("--kv-precision", "q8"))
    )
    most_plain, most_quantized = (max(row["users"] for row in found["table"]) for found in (plain, quantized))
    assert 1.7 * most_plain <= most_quantized <= 2 * most_plain + 1
    assert "--cache-type-k q8_0 --cache-type-v q8_0 --flash-attn on" in quantized["launch"][0]
    assert "--cache-type-k" not in plain["launch"][0]
    (equal,) = json.loads(dsopt(*words, "--gpu", "2 x RTX 3090", "--kv-precision", "q8_0").stdout)["setups"]
    assert equal["fits"] and equal["kv_precision"] == "q8_0" and equal["tp"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--model", "llama-3.3-70b"), "ask for a kind of GGUF file"),
        (("--model", "llama-3.3-70b", "--precision", "int4"), "ask for a kind of GGUF file"),
        (("--model", "r1-671b", "--precision", "q4_k_m"), "not for DeepSeek-R1"),
        (("--model", "v4-flash"), "not for DeepSeek-V4-Flash"),
    ],
)
def test_where_it_is_refused(words: tuple[str, ...], said: str) -> None:
    assert said in " ".join(
        dsopt("size", *words, "--gpu", "2 x RTX 3090", "--kv-precision", "q8", code=2).stderr.split()
    )


def test_a_cut_cache_is_not_quantized() -> None:
    """llama.cpp's rule L3: SPLIT_MODE_TENSOR with a quantized KV cache is not implemented."""
    assert "tensor parallel" in cut_cache_fault("q8_0", 2)
    assert cut_cache_fault("q8_0", 1) == "" == cut_cache_fault("bf16", 2)
    words = (
        "size",
        "--model",
        "llama-3.3-70b",
        "--precision",
        "q4_k_m",
        "--gpu",
        "4 x RTX 3090",
        "--allow-experimental",
    )
    (found,) = json.loads(dsopt(*words, "--kv-precision", "q8", "--json").stdout)["setups"]
    assert found["tp"] == 1 and {row["tp"] for row in found["table"]} == {1}
