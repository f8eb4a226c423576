"""What engines' own documents say is held against the support table: new and differing statements are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.engines.compare import main

RECIPE = """
meta:
  hardware: {h200: verified, mi300x: unverified, arc_pro_b60: verified}
model: {model_id: MODEL, min_vllm_version: "0.99.0"}
variants: {default: {precision: bf16}, other: {precision: PRECISION}}
"""


def told(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    count = main(folder)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{count} differences" and len(lines) == count + 1
    return lines[:-1]


def test_a_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "models" / "Qwen3-32B.yaml"
    recipe.parent.mkdir()
    recipe.write_text(RECIPE.replace("MODEL", "Qwen/Qwen3-32B").replace("PRECISION", "fp8"), encoding="utf-8")
    assert told(tmp_path, capsys) == []  # vLLM serves it on SM90 in both
    recipe.write_text(RECIPE.replace("MODEL", "Qwen/Qwen3-32B").replace("PRECISION", "int3"), encoding="utf-8")
    (line,) = told(tmp_path, capsys)
    assert "vLLM runs qwen3-32b on SM90 since 0.99.0: new: at int3" in line
    recipe.write_text(RECIPE.replace("MODEL", "nobody/knows-it").replace("PRECISION", "fp8"), encoding="utf-8")
    assert told(tmp_path, capsys) == []
    recipe.write_text("- a list", encoding="utf-8")
    assert told(tmp_path, capsys) == []


def test_a_support_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "vllm-ascend" / "supported_models.md"
    page.parent.mkdir()
    page.write_text("Qwen3-32B in prose\n\n| model | |\n|---|---|\n| gpt-oss-120b | yes |\n", encoding="utf-8")
    (line,) = told(tmp_path, capsys)
    assert "vLLM Ascend runs gpt-oss-120b: new: no row says it" in line
