"""Names of models, GPUs and weight formats as benchmark tables write them."""

import csv
from datetime import date

import pytest

from catalogs.errors import InputError
from catalogs.llm import get
from constraints.request import Request
from optimizer import answer_rows, size
from optimizer.request.texts import gpu
from tests.support.commands import dsopt

MODELS = {
    "MiniMaxAI/MiniMax-M2.5": "minimax-m2.5",
    "Qwen/Qwen3-14B": "qwen3-14b",
    "Qwen/Qwen3-14B-AWQ": "qwen3-14b",
    "Qwen/Qwen3-14B-FP8": "qwen3-14b",
    "Qwen/Qwen3-235B-A22B-FP8": "qwen3-235b-a22b",
    "Qwen/Qwen3-32B-AWQ": "qwen3-32b",
    "Qwen/Qwen3-32B-FP8": "qwen3-32b",
    "Qwen/Qwen3-8B-FP8": "qwen3-8b",
    "vllm-ascend/Qwen3-8B-W8A8": "qwen3-8b",
    "cognitivecomputations/DeepSeek-V3-AWQ": "v3-671b",
    "deepseek-ai/DeepSeek-V3 (H800 fleet, EP)": "v3-671b",
    "meta-llama/Llama-2-70B": "llama-2-70b",
    "meta-llama/Llama-3.1-8B-Instruct": "llama-3.1-8b",
    "openai/gpt-oss-120b": "gpt-oss-120b",
    "OPENAI/GPT-OSS-20B": "gpt-oss-20b",
}


@pytest.mark.parametrize(("name", "want"), MODELS.items())
def test_model_names(name, want):
    assert get(name).id == want


FORMATS = [
    ("gpt-oss-120b", "fp4", "mxfp4"),
    ("v4-flash", "FP4", "fp4-mix"),
    ("r1-671b", "fp4", "nvfp4"),
    ("llama-2-70b", "UINT4", "int4"),
    ("v3-671b", "Q4_K_M", "q4_k_m"),
    ("qwen3-8b", "W8A8", "int8"),
    ("v2-670b", "bf16", "fp16"),
    ("qwen3-32b", " bfloat16 ", "bf16"),
]


@pytest.mark.parametrize(("model", "name", "want"), FORMATS)
def test_format_names(model, name, want):
    assert get(model).format_of(name) == want
    assert get(model).weight_bytes(want) > 0


@pytest.mark.parametrize(("model", "name"), [("v4-flash", "mxfp4"), ("v4-pro", "bf16"), ("qwen3-8b", "fp5")])
def test_formats_that_a_model_lacks_are_refused(model, name):
    with pytest.raises(InputError, match="unknown-precision"):
        get(model).format_of(name)


GPUS = {
    "A100-SXM-80GB": "nvidia-a100-sxm4-80gb",
    "AMD Instinct MI300X 192GB HBM3": "amd-mi300x-192gb",
    "AMD Instinct MI325X 256GB HBM3e": "amd-mi325x-256gb",
    "Ascend-910B-64GB": "huawei-ascend-910b3-64gb",
    "B200-SXM-180GB": "nvidia-b200-sxm6-180gb",
    "H800-SXM-80GB": "nvidia-h800-sxm5-80gb",
    "NVIDIA GB200": "nvidia-gb200-nvl72-186gb",
    "NVIDIA H100-SXM-80GB": "nvidia-h100-sxm5-80gb",
    "NVIDIA H200-NVL-141GB": "nvidia-h200-nvl-141gb",
    "NVIDIA H200-SXM-141GB": "nvidia-h200-sxm5-141gb",
    "NVIDIA L40S": "nvidia-l40s-48gb",
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": "nvidia-rtx-pro-6000-blackwell-server-96gb",
    "[MAXSUN] MS-Intel Arc Pro B60 Dual 48G Turbo": "intel-arc-pro-b60-dual-48gb",
}


@pytest.mark.parametrize(("name", "want"), GPUS.items())
def test_gpu_names(name, want, shipped):
    assert gpu(name, shipped) == (None, want)


SHORT = """
8xH100        8 nvidia-h100-sxm5-80gb
h100          - nvidia-h100-sxm5-80gb
H100 80G      - nvidia-h100-sxm5-80gb
H100 SXM5     - nvidia-h100-sxm5-80gb
H100 PCIe     - nvidia-h100-pcie-80gb
H100 NVL      - nvidia-h100-nvl-94gb
H100 94GB     - nvidia-h100-nvl-94gb
H200          - nvidia-h200-sxm5-141gb
H200 141GB    - nvidia-h200-sxm5-141gb
h200 nvl      - nvidia-h200-nvl-141gb
nvidia h200   - nvidia-h200-sxm5-141gb
h20           - nvidia-h20-sxm5-96gb
16 X H20 96G  16 nvidia-h20-sxm5-96gb
B200          - nvidia-b200-sxm6-180gb
B300          - nvidia-b300-sxm6-288gb
GB200         - nvidia-gb200-nvl72-186gb
gb300         - nvidia-gb300-nvl72-288gb
GH200         - nvidia-gh200-96gb
mi300x        - amd-mi300x-192gb
MI300         - amd-mi300x-192gb
Instinct MI300X - amd-mi300x-192gb
MI325X        - amd-mi325x-256gb
MI355         - amd-mi355x-288gb
4 x 4090      4 nvidia-rtx-4090-24gb
4*4090        4 nvidia-rtx-4090-24gb
RTX4090       - nvidia-rtx-4090-24gb
GeForce RTX 4090 - nvidia-rtx-4090-24gb
4090 24G      - nvidia-rtx-4090-24gb
4090D         - nvidia-rtx-4090-d-24gb
2x RTX 4090 D 2 nvidia-rtx-4090-d-24gb
5090          - nvidia-rtx-5090-32gb
rtx-5090      - nvidia-rtx-5090-32gb
3090          - nvidia-rtx-3090-24gb
L40S          - nvidia-l40s-48gb
L40           - nvidia-l40-48gb
L4            - nvidia-l4-24gb
A10           - nvidia-a10-24gb
A6000         - nvidia-rtx-a6000-48gb
V100 SXM2 32G - nvidia-tesla-v100-sxm2-32gb
7900 XTX      - amd-radeon-rx-7900-xtx-24gb
H20 141G      - nvidia-h20-sxm5-141gb
A100 SXM 80GB - nvidia-a100-sxm4-80gb
A100 PCIe 40G - nvidia-a100-pcie-40gb
RTX PRO 6000 Server - nvidia-rtx-pro-6000-blackwell-server-96gb
RTX PRO 6000 Max-Q - nvidia-rtx-pro-6000-blackwell-max-q-96gb
RTX PRO 6000 Workstation - nvidia-rtx-pro-6000-blackwell-workstation-96gb
RTX PRO 6000D - nvidia-rtx-pro-6000d-blackwell-server-84gb
RTX PRO 5000 72GB - nvidia-rtx-pro-5000-blackwell-72gb
910B          - huawei-ascend-910b3-64gb
昇腾910B      - huawei-ascend-910b3-64gb
Ascend 910C   - huawei-ascend-910c-128gb
Gaudi 3       - intel-gaudi-3-hl-325l-128gb
gaudi2        - intel-gaudi-2-hl-225h-96gb
Gaudi 3 PCIe  - intel-gaudi-3-pcie-hl-338-128gb
Arc Pro B60   - intel-arc-pro-b60-24gb
DGX Spark     - nvidia-gb10-dgx-spark-128gb
M3 Ultra      - apple-m3-ultra-80-core-gpu-512gb
８×Ｈ２００   8 nvidia-h200-sxm5-141gb
8 × H20       8 nvidia-h20-sxm5-96gb
８ｘ４０９０Ｄ 8 nvidia-rtx-4090-d-24gb
8卡H20        8 nvidia-h20-sxm5-96gb
4张 4090      4 nvidia-rtx-4090-24gb
H100 x8       8 nvidia-h100-sxm5-80gb
4090 × 4      4 nvidia-rtx-4090-24gb
NVIDIA A100 80GB PCIe - nvidia-a100-pcie-80gb
8 x NVIDIA H100 80GB HBM3 8 nvidia-h100-sxm5-80gb
NVIDIA RTX 6000 Ada Generation - nvidia-rtx-6000-ada-48gb
AMD Instinct MI300X OAM - amd-mi300x-192gb
NVIDIA B300 SXM6 AC - nvidia-b300-sxm6-288gb
A100 SXM4 80  - nvidia-a100-sxm4-80gb
M3 Ultra 256  - apple-m3-ultra-60-core-gpu-256gb
"""


@pytest.mark.parametrize("line", SHORT.strip().splitlines())
def test_short_gpu_names(line, shipped):
    name, count, want = line.rsplit(maxsplit=2)
    assert gpu(name, shipped) == (None if count == "-" else int(count), want)


AMBIGUOUS = {
    "A100": {"nvidia-a100-sxm4-40gb", "nvidia-a100-sxm4-80gb", "nvidia-a100-pcie-40gb", "nvidia-a100-pcie-80gb"},
    "8xA100 80G": {"nvidia-a100-sxm4-80gb", "nvidia-a100-pcie-80gb"},
    "a100 40gb": {"nvidia-a100-sxm4-40gb", "nvidia-a100-pcie-40gb"},
    "H800": {"nvidia-h800-sxm5-80gb", "nvidia-h800-pcie-80gb"},
    "V100": {
        "nvidia-tesla-v100-sxm2-32gb",
        "nvidia-tesla-v100-sxm2-16gb",
        "nvidia-tesla-v100-pcie-32gb",
        "nvidia-tesla-v100-pcie-16gb",
    },
    "RTX PRO 6000": {f"nvidia-rtx-pro-6000-blackwell-{x}-96gb" for x in ("workstation", "max-q", "server")},
    "gaudi": {"intel-gaudi-2-hl-225h-96gb", "intel-gaudi-3-hl-325l-128gb", "intel-gaudi-3-pcie-hl-338-128gb"},
    "RTX PRO 5000": {"nvidia-rtx-pro-5000-blackwell-72gb", "nvidia-rtx-pro-5000-blackwell-48gb"},
}


@pytest.mark.parametrize(("name", "candidates"), AMBIGUOUS.items())
def test_ambiguous_gpu_names_are_refused_with_their_candidates(name, candidates, shipped):
    with pytest.raises(InputError) as e:
        gpu(name, shipped)
    fault = e.value.faults[0]
    assert fault.code == "ambiguous-part"
    assert {x.strip() for x in fault.remedy.removeprefix("Name one of: ").rstrip(".").split(",")} == candidates


@pytest.mark.parametrize(
    "name",
    [
        "H20 192G",
        "3090 48G",
        "B20",
        "A1",
        "MI300A",
        "",
        "8x",
        "x",
        "٤x4090",
        "H100 SXM 94G",
        "7800 XT",
        "2 x 7900 XT",
    ],
)
def test_gpus_that_are_not_in_the_catalog_are_refused(name, shipped):
    with pytest.raises(InputError, match="unknown-part"):
        gpu(name, shipped)


@pytest.mark.parametrize("count", ["-2", "+2", "8.5", "1e3", "99999999999", "1,000.5"])
def test_a_number_that_counts_no_gpus_is_named_as_such(count, shipped):
    with pytest.raises(InputError, match="bad-count") as e:
        gpu(f"{count} x H200", shipped)
    assert "8xH200" in e.value.faults[0].remedy


@pytest.mark.parametrize("name", ["7900 XT", "9070 XT", "6800 XT"])
def test_a_card_whose_name_reads_like_a_number_is_refused_by_its_name(name, shipped):
    with pytest.raises(InputError, match="unknown-part") as e:
        gpu(name, shipped)
    assert repr(name) in str(e.value)


@pytest.mark.parametrize("name", ["NVIDIA A100 80GB PCIe", "NVIDIA H100 80GB HBM3", "A100 SXM4 80", "H20 96G"])
def test_a_batch_and_the_library_know_the_names_that_options_know(name, shipped, tmp_path):
    _, id_ = gpu(name, shipped)
    rows = tmp_path / "rows.csv"
    rows.write_text(f"model,gpu,n_gpus,concurrency\nqwen3-8b,{name},1,4\nqwen3-8b,{name} + {name},2,4\n")
    answered, mixed = csv.DictReader(answer_rows(rows).csv.splitlines())
    assert not answered["error"] and float(answered["output_tok_s"]) > 0
    assert "mix of unlike cards" in mixed["error"]
    assert size(Request(model="qwen3-8b", as_of=date(2026, 11, 24)), [(name, 1, 1)]).setups[0].gpu == id_


@pytest.mark.parametrize(
    "words", [("solve", "--model", "qwen3-8b", "--budget", "5000"), ("models", "show", "qwen3-8b")]
)
def test_a_mix_is_refused_as_one_where_one_kind_is_asked_for(words):
    said = dsopt(*words, "--gpu", "RTX 5090 + RTX 3060", code=3).stderr
    assert "bad-mix" in said and "dsopt size --gpu" in said
