"""What a lower precision costs in quality: said of the models and formats of which it is published, of no others."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from catalogs.inputs import shipped_rows
from catalogs.llm import get
from catalogs.message import message
from catalogs.quality import FILE, is_lower, quality_of, said
from optimizer.result.cheaper import lower_quality
from tests.support.commands import dsopt

ROWS = shipped_rows(FILE)
SOLVE = ["solve", "--model", "qwen3-8b", "--budget", "8k", "--max-nodes", "1", "--as-of", "2026-11-24", "--json"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['models']}-{row['benchmark']}")
def test_every_row_has_models_figures_or_words_and_a_source(row: dict[str, str]) -> None:
    for name in row["models"].split("|"):
        llm = get(name)
        assert llm.id == name and row["against"] in llm.formats
        assert row["precision"] in (*llm.formats, "q4_k_m")
    assert bool(row["words"]) != bool(row["benchmark"])
    if row["benchmark"]:
        assert 0 < float(row["quantized"]) <= 100 and 0 < float(row["published"]) <= 100
    assert row["source"] and row["certainty"] in ("read", "reported")
    assert date.fromisoformat(row["date"]) <= date(2026, 11, 29)


def test_one_sentence_per_source() -> None:
    (text,) = said(get("r1-671b"), "nvfp4")
    assert text.startswith("Quality of DeepSeek-R1 in nvfp4 beside fp8: MMLU 90.7 instead of 90.8, ")
    assert list(said(get("r1-671b"), "int4")) == list(said(get("v3-671b"), "nvfp4")) == []
    assert quality_of(get("r1-0528")) == ()


def test_lower_is_fewer_bits_than_published() -> None:
    assert is_lower(get("r1-671b"), "nvfp4") and not is_lower(get("r1-671b"), "bf16")
    assert not is_lower(get("gpt-oss-120b"), "nvfp4")


def test_said_beside_an_answer_that_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    found = dsopt(*SOLVE, "--precision", "nvfp4", "--gpu", "RTX 5090").stdout
    path.write_text(found, encoding="utf-8")
    told = [note["text"] for note in json.loads(found)["messages"] if note["code"] == "quality"]
    assert told == [str(text) for text in said(get("qwen3-8b"), "nvfp4")] != []
    dsopt("verify", str(path))
    whole = json.loads(dsopt(*SOLVE, "--gpu", "RTX 5090").stdout)
    assert whole["front"] and "quality" not in {note["code"] for note in whole["messages"]}


def test_said_beside_what_it_would_save() -> None:
    llm = get("r1-671b")
    less = message("{n}-bit weights would reach this for {money} less.", n=4, money="9 USD")
    assert lower_quality(llm, less) == [*said(llm, "nvfp4"), *said(llm, "q4_k_m")]
    assert lower_quality(llm, message("{n}-bit weights would not make this cheaper.", n=4)) == []
    assert lower_quality(llm, "") == []
    assert lower_quality(get("v3-671b"), less) == list(said(get("v3-671b"), "q4_k_m"))
