"""What engines' own documents say is held against the support table: short excerpts of each (tests/data/engine_tables,
each with its source) are read as they are meant, and a file whose format changed is told, never read as empty."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import pytest

from benchmarks.engines.compare import difference, gone, main
from benchmarks.engines.readers import Reading, Statement, reader_of
from benchmarks.engines.tables import FormatChanged, subjects, wanted
from catalogs.engines.support import SupportRow

SAMPLES = Path(__file__).parents[1] / "data" / "engine_tables"
CHANGED = {
    "vllm-ascend/supported_models.md": ("| Support  ", "| State  ", "Model | Support | Supported Hardware"),
    "vllm-gaudi/validated_models.md": ("Datatype ", "Weights ", "Datatype"),
    "tensorrt-llm/supported-models.md": ("HuggingFace Example", "Example", "HuggingFace Example"),
    "tensorrt-llm/support-matrix.rst": ("- HuggingFace Example", "- Example", "HuggingFace Example"),
    "vllm/supported_models.md": ("Example HF Models", "Examples", "Example HF Models"),
    "sglang/generative_models.md": ("Example HuggingFace Identifier", "Identifier", "Example HuggingFace Identifier"),
    "sglang/ascend_npu_support_models.md": ("A2 Supported", "Atlas A2", "A2 Supported"),
    "aiconfigurator/support_matrix/h200_sxm.csv": ("Status", "State", "Status"),
    "recipes/models/GLM-5.2.yaml": ("model_id", "name", "model_id"),
}
"""File -> what in it changes, into what, and what the fault has to name."""


def reading(name: str, text: str = "") -> Reading:
    read = reader_of(PurePosixPath(name))
    assert read is not None, name
    return read(text or (SAMPLES / name).read_text(encoding="utf-8"))


def said(name: str) -> dict[tuple[str, str, str], Statement]:
    """(engine, model or architecture, kernel class) -> what a sample says."""
    return {(s.engine, s.model or s.architecture, s.kernel_class): s for s in reading(name).said}


def test_every_sample_has_a_reader_and_every_reader_a_sample() -> None:
    files = {x.relative_to(SAMPLES).as_posix() for x in SAMPLES.rglob("*") if x.is_file()}
    assert files - {"aiconfigurator/SOURCE.md"} == set(CHANGED)


def test_vllm_ascend() -> None:
    found = said("vllm-ascend/supported_models.md")
    at = {k[1:]: (s.status, s.precisions) for k, s in found.items()}
    assert at["v3.1", "Ascend950"] == ("stable", ("bf16",))
    assert at["v3.1", "Ascend910B"] == at["v3-671b", "Ascend910C"] == ("stable", ("bf16", "int8"))
    assert at["glm-5.1", "Ascend910C"] == ("experimental", ("bf16", "int8"))
    assert at["minimax-m2.7", "Ascend950"][0] == "experimental"
    assert at["qwen3", "Ascend910B"] == ("stable", ("bf16", "int8")) and ("qwen3", "") not in at
    assert at["llama", "Ascend910B"] == ("experimental", ())
    assert at["v2.5", ""] == ("unknown", ())
    assert reading("vllm-ascend/supported_models.md").strangers == ["InternLM"]


def test_vllm_gaudi() -> None:
    found = said("vllm-gaudi/validated_models.md")
    assert found["vLLM Gaudi", "r1-distill-llama-70b", "Gaudi3"].precisions == ("fp8",)
    assert ("vLLM Gaudi", "r1-distill-llama-70b", "Gaudi2") not in found
    assert found["vLLM Gaudi", "qwen3-30b-a3b-2507", "Gaudi2"].precisions == ("bf16", "fp8")


def test_classes_of_tensorrt_and_vllm() -> None:
    found = said("tensorrt-llm/supported-models.md")
    assert set(found) == {("TensorRT-LLM", x, "") for x in ("deepseek-v3", "deepseek-v4", "qwen3.5-397b-a17b")}
    assert "SM100+" in found["TensorRT-LLM", "deepseek-v4", ""].note
    assert reading("tensorrt-llm/supported-models.md").strangers == ["OpenELMForCausalLM"]
    assert set(said("tensorrt-llm/support-matrix.rst")) == {("TensorRT-LLM", "deepseek-v3", "")}
    assert set(said("vllm/supported_models.md")) == {("vLLM", "deepseek-v3", "")}


def test_sglang() -> None:
    found = said("sglang/generative_models.md")
    assert {k[1] for k in found} == {"r1-671b", "gpt-oss-20b", "gpt-oss-120b", "llama-4-scout"}
    found = said("sglang/ascend_npu_support_models.md")
    assert {k[1] for k in found} == {"v3-671b", "v3.1", "r1-0528", "llama-3.1-8b"}
    assert found["SGLang Ascend", "r1-0528", "Ascend910B"].precisions == ("int8",)


def test_aiconfigurator_and_a_recipe() -> None:
    found = said("aiconfigurator/support_matrix/h200_sxm.csv")
    assert found["SGLang", "qwen3-32b", "SM90"].release == "0.5.6.post2"  # the oldest that passed
    assert {k[0] for k in found} == {"SGLang", "TensorRT-LLM", "vLLM"}
    found = said("recipes/models/GLM-5.2.yaml")
    assert found["vLLM", "glm-5.2", "SM100"].precisions == ("bf16", "fp8", "nvfp4")
    assert found["vLLM ROCm", "glm-5.2", "CDNA4"].precisions == ("bf16", "fp8", "mxfp4")
    assert found["vLLM ROCm", "glm-5.2", "CDNA3"].release == "0.23.0"


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_format_is_told(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after, expected = CHANGED[name]
    text = (SAMPLES / name).read_text(encoding="utf-8")
    assert before in text
    with pytest.raises(FormatChanged, match="expected") as fault:
        reading(name, text.replace(before, after))
    assert expected in str(fault.value)
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text(text.replace(before, after), encoding="utf-8")
    count, faults = main(tmp_path)
    assert (count, faults) == (0, 1)
    assert "not as its project published it before: expected" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "before", "after", "told"),
    [
        ("vllm-ascend/supported_models.md", "🔵", "yes", "found 'yes'"),
        ("vllm-ascend/supported_models.md", "Atlas 300I DUO", "Atlas 900", "found 'Atlas 900'"),
        ("vllm-gaudi/validated_models.md", "Gaudi 3", "Gaudi", "found"),
        ("sglang/ascend_npu_support_models.md", "√", "yes", "found 'yes'"),
        ("aiconfigurator/support_matrix/h200_sxm.csv", "PASS", "OK", "OK"),
        ("aiconfigurator/support_matrix/h200_sxm.csv", ",agg,", ",both,", "Mode agg"),
        ("aiconfigurator/support_matrix/h200_sxm.csv", "h200_sxm", "h900_sxm", "h900"),
        ("recipes/models/GLM-5.2.yaml", "b300:", "b900:", "found b900"),
        ("recipes/models/GLM-5.2.yaml", "verified", "maybe", "found 'maybe'"),
    ],
)  # fmt: skip
def test_an_unknown_mark_or_gpu_is_told(name: str, before: str, after: str, told: str) -> None:
    text = (SAMPLES / name).read_text(encoding="utf-8")
    with pytest.raises(FormatChanged, match="expected") as fault:
        reading(name, text.replace(before, after))
    assert told in str(fault.value)


def test_names() -> None:
    assert [x[1] for x in subjects("Kimi-K2.5/Kimi-K2.6")] == ["kimi-k2.5", "kimi-k2.6"]
    assert [x[1] for x in subjects("**MiniMax-M2.5/2.7** [^3]")] == ["minimax-m2.5", "minimax-m2.7"]
    assert subjects("[Qwen/Qwen3-32B](https://huggingface.co/Qwen/Qwen3-32B)")[0][1] == "qwen3-32b"
    assert subjects("Baichuan2") == []
    with pytest.raises(FormatChanged, match="a row without the column 'B': x"):
        from benchmarks.engines.tables import cell

        cell(wanted("| A | B |\n|---|---|\n| x |\n", "A", "B")[0], "B")


def row(status: str, precisions: str = "bf16", engine: str = "vLLM Gaudi", models: str = "") -> SupportRow:
    return SupportRow.of({
        "architectures": "", "architecture": "qwen3", "models": models, "kernel_classes": "Gaudi3", "gpus": "",
        "precisions": precisions, "engine": engine, "release": "0.1", "status": status, "source": "s",
        "date": "2026-08-21",
    })  # fmt: skip


def test_new_differing_and_gone() -> None:
    line = Statement("vLLM Gaudi", "qwen3", "qwen3-8b", "Gaudi3", ("bf16",), "stable")
    assert difference(line, (row("stable"),)) == ""
    assert difference(line, (row("stable", engine="vLLM"),)) == "new: no row says it"
    assert difference(line, (row("stable", "fp8"),)) == "new: at bf16"
    assert difference(line, (row("experimental"),)) == "differs: stable there, experimental here (2026-08-21)"
    assert difference(line, (row("broken"),)) == "differs: broken here (2026-08-21)"
    no = Statement("vLLM Gaudi", "qwen3", "", "Gaudi3", (), "none")
    assert difference(no, (row("stable"),)) == "differs: does not run there, stable here (2026-08-21)"
    assert difference(no, (row("none"),)) == difference(no, ()) == ""
    whole = Reading(said=[line], whole=("vLLM Gaudi", ("Gaudi3",)))
    assert list(gone(whole, (row("stable"), row("stable", engine="vLLM")))) == []
    (told,) = gone(whole, (row("stable", models="qwen3-32b"),))
    assert told == "vLLM Gaudi runs qwen3-32b on Gaudi3 here (2026-08-21): gone: not named there"


def test_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(SAMPLES / "vllm-gaudi", tmp_path / "vllm-gaudi")
    (tmp_path / "README.md").write_text("| a | b |\n|---|---|\n| 1 | 2 |\n", encoding="utf-8")
    count, faults = main(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    assert faults == 0 and lines[-1] == f"{count} differences, 0 files not as expected"
    assert lines[-2] == "not read, no known format: README.md"
    assert lines[-3].endswith("no shipped model: ibm-granite/granite-8b-code-instruct-4k")
    assert len(lines) == count + 3
