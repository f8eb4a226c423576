"""What a model's name says becomes the request: its id, and the format of the weights that a conversion has."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest

from catalogs.errors import InputError
from catalogs.registry import aliases
from constraints.request import Request
from optimizer import answer_rows, size, solve, validate_request, verify_result
from optimizer.request.named_model import bits_of, remarks, settled
from optimizer.result.schema import Result
from tests.support.commands import run

DAY = date(2026, 11, 24)


def asked(model: str, **fields: object) -> Request:
    return Request(model=model, as_of=DAY, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "model", "precision"),
    [
        ("Qwen/Qwen3-32B-AWQ", "qwen3-32b", "int4"),
        ("nvidia/DeepSeek-R1-0528-FP4-v2", "r1-0528", "nvfp4"),
        ("Qwen/Qwen3-235B-A22B-FP8", "qwen3-235b-a22b", "fp8"),
        ("RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8", "llama-3.3-70b", "int8"),
        ("unsloth/DeepSeek-R1-BF16", "r1-671b", "bf16"),
        ("llama3.1:8b-instruct-fp16", "llama-3.1-8b", "bf16"),
        ("qwen3:32b-q4_K_M", "qwen3-32b", "q4_k_m"),
        ("qwen3:32b-q4_1", "qwen3-32b", "q4_1"),
        ("bartowski/Qwen_Qwen3-32B-GGUF:Q6_K_L", "qwen3-32b", "q6_k_l"),
        ("unsloth/Qwen3-32B-GGUF:IQ2_M", "qwen3-32b", "iq2_m"),
        ("ggml-org/gpt-oss-20b-GGUF", "gpt-oss-20b", "mxfp4_moe"),
        ("gpt-oss-120b-MXFP4-00001-of-00003.gguf", "gpt-oss-120b", "mxfp4_moe"),
        ("lmstudio-community/gpt-oss-20b-GGUF:MXFP4", "gpt-oss-20b", "mxfp4_moe"),
        ("unsloth/DeepSeek-R1-GGUF:Q4_K_M", "r1-671b", "q4_k_m"),
        ("unsloth/DeepSeek-R1-GGUF:UD-Q2_K_XL", "r1-671b", "ud-q2_k_xl"),
        ("unsloth/DeepSeek-V3-0324-GGUF:UD-IQ1_S", "v3-0324", "ud-iq1_s"),
        ("bartowski/deepseek-ai_DeepSeek-V3-0324-GGUF:Q8_0", "v3-0324", "q8_0"),
        ("mlx-community/DeepSeek-R1-4bit", "r1-671b", "mlx-4bit"),
        ("mlx-community/Qwen3-32B-8bit", "qwen3-32b", "mlx-8bit"),
        ("deepseek-ai/DeepSeek-R1", "r1-671b", None),
        ("gpt-oss:120b", "gpt-oss-120b", None),
        ("v2-670b", "v2-670b", None),
    ],
)
def test_the_name_says_model_and_precision(name: str, model: str, precision: str | None) -> None:
    request = settled(asked(name))
    assert (request.model, request.precision) == (model, precision)
    assert settled(request) == request


@pytest.mark.parametrize(
    ("name", "precision"),
    [("Qwen/Qwen3-32B-AWQ", "int4"), ("qwen3:32b-q4_k_xl", "int4"), ("lmstudio-community/Qwen3-32B-GGUF", "q6_k")],
)
def test_a_precision_that_agrees_stands(name: str, precision: str) -> None:
    assert settled(asked(name, precision=precision)).precision == precision


@pytest.mark.parametrize(
    ("name", "fields", "code"),
    [
        ("Qwen/Qwen3-32B-AWQ", {"precision": "fp8"}, "contradicting-precision"),
        ("qwen3:32b-q4_0", {"precision": "fp8"}, "contradicting-precision"),
        ("Qwen/Qwen3-32B-AWQ", {"min_precision_bits": 8}, "contradicting-precision"),
        ("unsloth/DeepSeek-R1-GGUF", {}, "unknown-precision"),
        ("unsloth/gpt-oss-20b-bnb-4bit", {}, "unknown-precision"),
        ("QuantTrio/DeepSeek-R1-0528-Qwen3-8B-GPTQ-Int4-Int8Mix", {}, "unknown-precision"),
    ],
)
def test_what_contradicts_or_is_not_counted_says_how_to_ask(name: str, fields: dict[str, object], code: str) -> None:
    with pytest.raises(InputError) as refused:
        validate_request(asked(name, **fields))
    fault = refused.value.faults[0]
    assert fault.code == code
    if code == "unknown-precision":
        assert "--precision" in fault.remedy and "--model " in fault.remedy


@pytest.mark.parametrize(
    ("written", "bits"),
    [
        ("q4_k_m", 4), ("ud-iq2_xxs", 2), ("tq1_0", 1), ("q8_0", 8), ("bf16", 16), ("f16", 16), ("fp8", 8),
        ("nvfp4", 4), ("mxfp8", 8), ("w4a16", 4), ("int4", 4), ("awq", 4), ("gptq", 4), ("mlx-6bit", 6),
        ("nf4", 4), ("gguf", 0),
    ],
)  # fmt: skip
def test_bits_of_a_format(written: str, bits: int) -> None:
    assert bits_of(written) == bits


def test_programs_name_models_as_people_do() -> None:
    by_name = size(asked("Qwen/Qwen3-8B-AWQ"), [("H200", 1, 1)])
    by_id = size(asked("qwen3-8b", precision="int4"), [("H200", 1, 1)])
    assert by_name == by_id


def test_a_table_of_configurations_takes_the_format_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = ["Qwen/Qwen3-8B-AWQ,,H200,1", "qwen3-8b,int4,H200,1", "Qwen/Qwen3-8B-AWQ,fp8,H200,1", "qwen3,,H200,1"]
    path.write_text("\n".join(["model,precision,gpu,n_gpus", *rows]), encoding="utf-8")
    answered = list(csv.DictReader(answer_rows(path).csv.splitlines()))
    speeds = [row["output_tok_s"] for row in answered]
    assert speeds[0] == speeds[1] != speeds[2] and float(speeds[0]) > 0
    assert "Name one" in answered[3]["error"]


def test_a_result_that_was_saved_with_another_name_still_verifies() -> None:
    """Results hold the id now; before, they held the name that was typed, and a format in it said nothing."""
    request = asked("nvidia/Llama-3.1-8B-Instruct-FP8", budget_cents=300_000, gpus=frozenset(), max_nodes=1)
    request = settled(request).model_copy(update={"precision": None})
    result = solve(request).model_dump(mode="json")
    assert result["request"]["model"] == "llama-3.1-8b"
    result["request"]["model"] = "nvidia/Llama-3.1-8B-Instruct-FP8"
    assert verify_result(Result.model_validate(result)).ok


def test_remarks_say_what_was_taken() -> None:
    said = {name: " ".join(remarks(name, settled(asked(name)))) for name in ("r1", "deepseek-r1:32b", "r1-671b")}
    assert "DeepSeek-R1-0528" in said["r1"] and "r1-671b" in said["r1"] and "2025-05-28" in said["r1"]
    assert "DeepSeek-R1-Distill-Qwen-32B" in said["deepseek-r1:32b"] and "Ollama" in said["deepseek-r1:32b"]
    assert said["r1-671b"] == ""


@pytest.mark.parametrize(("language", "word"), [("en", "is read as"), ("zh", "处理")])
def test_the_command_line_says_it(language: str, word: str) -> None:
    code, out, err = run("--lang", language, "size", "--model", "deepseek-r1:14b", "--gpu", "H200")[:3]
    assert code == 0 and word in err and "DeepSeek-R1-Distill-Qwen-14B" in err and word not in out
    code, out, err = run("size", "--model", "qwen3", "--gpu", "H200")[:3]
    assert code == 3 and "qwen3-8b (8.2 B, 2025-04-29)" in err and not out


@pytest.mark.parametrize("columns", ["80", "140"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_list_fits_the_terminal(columns: str, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.cells import cell_len

    monkeypatch.setenv("COLUMNS", columns)
    code, out, _ = run("--lang", language, "models", "list")[:3]
    assert code == 0 and max(map(cell_len, out.splitlines())) <= int(columns)
    assert "671 (37)" in out and "2025-01-20" in out and "160 K" in out and "1 M" in out and "apache-2.0" in out
    assert out.index("DeepSeek") < out.index("v3-671b") < out.index(" Llama ") < out.index("llama-3.1-8b")
    assert ("DeepSeek-V3-0324" in out) == (columns == "140")


@pytest.mark.parametrize(
    ("name", "app", "file_gb", "counted_gb"),
    [
        ("deepseek-r1:671b", "Ollama", "404.5", "673.2"),
        ("qwen3:32b", "Ollama", "19.8", "65.5"),
        ("llama3.3:70b", "Ollama", "42.5", "141.1"),
        ("deepseek-r1:14b", "Ollama", "9.0", "29.5"),
        ("deepseek-r1-qwen-7b", "LM Studio", "4.7", "15.2"),
    ],
)
def test_what_an_app_runs_under_a_name_without_a_format_is_said(
    name: str, app: str, file_gb: str, counted_gb: str
) -> None:
    """The name means the model as published; the file that the app runs, its bytes and the option stand beside it."""
    (said,) = [remark for remark in remarks(name, settled(asked(name))) if "runs a name" in remark]
    assert said.startswith(app) and f"Q4_K_M (here {file_gb} GB)" in said and f"{counted_gb} GB" in said
    assert "--precision q4_k_m" in said
    assert settled(asked(name)).precision is None
    assert settled(asked(name, precision="q4_k_m")).precision == "q4_k_m"


def test_what_an_app_runs_as_published_is_said_so() -> None:
    (said,) = remarks("gpt-oss:120b", settled(asked("gpt-oss:120b")))
    assert said == (
        "Ollama runs this name in mxfp4, as published and counted here: 65.2 GB. On llama.cpp, also on Macs and unlike "
        "cards: --precision mxfp4_moe, 63.4 GB."
    )


@pytest.mark.parametrize("row", [row for row in aliases() if row["kind"] in ("ollama", "lmstudio")], ids=str)
def test_every_name_of_an_app_says_what_the_app_runs(row: dict[str, str]) -> None:
    request = settled(asked(row["alias"]))
    if row["kind"] == "lmstudio" or ":" in row["alias"]:
        assert any(remark.startswith(("Ollama runs", "LM Studio runs")) for remark in remarks(row["alias"], request))
    assert request.precision is None


def test_a_format_asked_for_needs_no_word_on_the_app() -> None:
    request = settled(asked("qwen3:32b", precision="q8_0"))
    assert not any("runs a name" in remark for remark in remarks("qwen3:32b", request))


@pytest.mark.parametrize("kind", ["F16", "BF16"])
def test_a_gguf_file_of_16_bits_of_gpt_oss_is_not_counted_as_whole_weights(kind: str) -> None:
    """unsloth/gpt-oss-20b-GGUF:F16 has 13.8 GB, not the 41.8 GB of 20.9e9 weights in 16 bits."""
    with pytest.raises(InputError, match=r"not counted .*--precision mxfp4_moe"):
        settled(asked(f"unsloth/gpt-oss-20b-GGUF:{kind}"))
    assert settled(asked("gpt-oss-20b-bf16")).precision == "bf16"


def test_of_a_quantized_checkpoint_it_is_said_that_other_formats_count_as_well(tmp_path: Path) -> None:
    """A folder in AWQ may get a plan in INT8: what keeps to the files is named."""
    source = Path(__file__).parents[1] / "data" / "configs" / "Qwen--Qwen3-0.6B.json"
    awq = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm", "zero_point": True}
    config = json.loads(source.read_text()) | {"quantization_config": awq}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    asked_of = ("--gpu", "1xH200", "--model-config")
    said = run("size", *asked_of, str(path))[2]
    assert "hold int4." in said and "--precision int4 keeps to the files" in said
    assert "keeps to the files" not in run("size", *asked_of, str(path), "--precision", "int4")[2]
    assert "keeps to the files" not in run("size", *asked_of, str(source))[2]
