"""Names of models, GPUs and weight formats as benchmark tables write them."""

import pytest

from catalogs.errors import InputError
from catalogs.llm import get
from optimizer.cli.parse import gpu

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
