"""What `size` and its refusals tell to type works when typed."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.commands import dsopt

SETUPS = [
    ("qwen3-32b", "RTX 3090", ()),
    ("gpt-oss-20b", "RTX 5080", ()),
    ("gpt-oss-120b", "3 x RTX 3090", ()),
    ("llama-3.1-8b", "RTX 4060 Ti", ("--kv-precision", "fp8")),
    ("r1-671b", "8xA100-SXM4-80GB", ()),
    ("r1-671b", "M3 Ultra 80-core", ()),
    ("r1-671b", "M3 Ultra 80-core", ("--min-precision", "4bit", "--kv-precision", "fp8")),
    ("r1-671b", "M3 Ultra 80-core", ("--min-precision", "4bit", "--speculate", "mtp1")),
    ("qwen3.5-27b", "M4 Max", ("--speculate", "mtp2", "--kv-precision", "fp8")),
]


def sized(*words: str) -> dict[str, object]:
    (setup,) = json.loads(dsopt("size", *words, "--json").stdout)["setups"]
    return setup


@pytest.mark.parametrize(("model", "gpu", "more"), SETUPS)
def test_precisions_named_in_a_refusal_fit_when_typed(model: str, gpu: str, more: tuple[str, ...]) -> None:
    refused = sized("--model", model, "--gpu", gpu, *more)
    assert not refused["fits"]
    named = re.search(r"--precision ((?:[\w-]+(?: or )?)+)", str(refused["reason"]))
    assert named, refused["reason"]
    options = dict(zip(more[::2], more[1::2], strict=True))
    options.pop("--min-precision", None)
    if "--kv-precision bf16" in str(refused["reason"]):
        options["--kv-precision"] = "bf16"
    if "without --speculate" in str(refused["reason"]):
        del options["--speculate"]
    for precision in named[1].split(" or "):
        words = [word for option in options.items() for word in option]
        found = sized("--model", model, "--gpu", gpu, *words, "--precision", precision)
        assert found["missing_gb"] == 0 and "no engine" not in str(found["reason"]), (precision, found["reason"])


def test_what_fits_in_no_way_names_none() -> None:
    assert "--precision" not in str(sized("--model", "r1-671b", "--gpu", "M4 Max")["reason"])


@pytest.mark.parametrize(
    ("model", "more", "remedy"),
    [
        ("qwen3:32b-q4_K_M", ("--kv-precision", "fp8"), "--kv-precision bf16"),
        ("qwen3.5-27b", ("--precision", "q4_k_m", "--kv-precision", "fp8"), "--kv-precision bf16"),
        ("qwen3.5-27b", ("--precision", "q4_k_m", "--speculate", "mtp2"), "without --speculate"),
        ("deepseek-r1:671b-q4_K_M", ("--speculate", "mtp2"), "without --speculate"),
        (
            "qwen3.5-27b",
            ("--precision", "q4_k_m", "--speculate", "mtp2", "--kv-precision", "fp8"),
            "--kv-precision bf16 and without --speculate",
        ),
    ],
)
def test_files_that_do_not_go_with_an_option_are_refused_for_it(model: str, more: tuple[str, ...], remedy: str) -> None:
    """The option stands against the files, not a lack of weights in their format."""
    said = dsopt("size", "--model", model, "--gpu", "8xH200", *more, code=3).stderr
    assert "contradicting-precision" in said and f"Ask {remedy}." in said


@pytest.mark.parametrize(
    ("gpu", "more", "said"),
    [
        ("8xH20", (), "memory: "),
        ("8xH200", ("--min-tok-s-user", "100"), "each user below 100 tok/s"),
        ("8xH200", ("--max-ttft", "300"), "TTFT above 300 ms"),
    ],
)
def test_users_that_do_not_fit_are_refused_for_what_stands_against_them(
    gpu: str, more: tuple[str, ...], said: str
) -> None:
    """The reason is the cut that the table says at that number of users."""
    refused = sized("--model", "r1-671b", "--gpu", gpu, "--users", "64", *more)
    assert not refused["fits"] and said in str(refused["reason"]) and "64 users at once" in str(refused["reason"])
    cut = next(row["cut"] for row in refused["table"] if row["users"] == 64)  # type: ignore[attr-defined]
    assert cut and cut in str(refused["reason"])


def test_users_that_a_mix_does_not_hold() -> None:
    words = ("--model", "llama-3.3-70b", "--precision", "q4_k_m", "--gpu", "RTX 3090 + RTX 4090", "--users")
    assert "run at once" in str(sized(*words, "64")["reason"])
    slow = sized("--model", "qwen3-8b", *words[2:], "120", "--min-tok-s-user", "30")
    assert "120 users at once: each user below 30 tok/s" in str(slow["reason"])
