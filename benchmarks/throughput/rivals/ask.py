"""Asks other people's models for the rows of data/measured.csv that they answer, and stores what they say.

    python -m venv AIC && AIC/bin/pip install aiconfigurator numpy
    python benchmarks/throughput/rivals/questions.py > questions.csv
    AIC/bin/python benchmarks/throughput/rivals/ask.py aiconfigurator questions.csv
    GENZ/bin/python benchmarks/throughput/rivals/ask.py genz questions.csv

Each runs in an environment of its own, in which dsopt is not installed: this file imports nothing of it. The answers
(aiconfigurator.csv, genz.csv, beside this file) carry the version and the day; the scoreboard reads them, so that
nobody needs either package to check it.
"""

from __future__ import annotations

import csv
import datetime
import importlib
import importlib.metadata
import logging
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
Question = Mapping[str, str]
Answer = tuple[float, float]
"""(time to the first token, time per later token), both in ms."""

AIC_SYSTEMS = {"H100-SXM-80GB": "h100_sxm", "H200-SXM-141GB": "h200_sxm", "NVIDIA H200-SXM-141GB": "h200_sxm",
               "B200-SXM-180GB": "b200_sxm", "B300-SXM-288GB": "b300_sxm", "GB200": "gb200",
               "A100-SXM-80GB": "a100_sxm", "L40S": "l40s"}  # fmt: skip
AIC_MODELS = {
    ("deepseek-ai/DeepSeek-R1-0528", "fp8"): "deepseek-ai/DeepSeek-R1",
    ("deepseek-ai/DeepSeek-R1", "fp4"): "nvidia/DeepSeek-V3.1-NVFP4",
    ("deepseek-ai/DeepSeek-R1-0528", "fp4"): "nvidia/DeepSeek-V3.1-NVFP4",
    ("MiniMaxAI/MiniMax-M2.5", "fp4"): "nvidia/MiniMax-M2.5-NVFP4",
    ("meta-llama/Llama-3.1-70B", "fp8"): "nvidia/Llama-3.1-70B-Instruct-FP8",
    ("meta-llama/Llama-3.1-70B", "fp4"): "meta-llama/Meta-Llama-3.1-70B",
    ("meta-llama/Llama-3.1-8B-Instruct", "bf16"): "meta-llama/Meta-Llama-3.1-8B",
    ("Qwen/Qwen3-32B", "fp8"): "Qwen/Qwen3-32B-FP8",
    ("zhipuai/GLM-5", "fp8"): "zai-org/GLM-5-FP8",
    ("zai-org/GLM-5", "fp8"): "zai-org/GLM-5-FP8",
    ("zhipuai/GLM-5", "fp4"): "nvidia/GLM-5-NVFP4",
}
"""The checkpoint that AIConfigurator knows for weights of a precision; other names are its own."""
AIC_ARITHMETIC = {("meta-llama/Llama-3.1-70B", "fp4"): "nvfp4"}
"""Arithmetic to ask for where the checkpoint does not say it."""
AIC_EXPERTS = {("openai/gpt-oss-120b", "fp4", "trtllm", "B200-SXM-180GB"): "w4a8_mxfp4_mxfp8"}
"""The same for experts: the kernels of gpt-oss in TensorRT-LLM on Blackwell of which the package has measurements."""
AIC_CACHES = {"bf16": "bfloat16", "fp8": "fp8", "": None}
EXPERTS = ("DeepSeek", "MiniMax", "gpt-oss", "GLM", "235B", "30B-A3B")

GENZ_SYSTEMS: Mapping[str, str | dict[str, object]] = {
    "H100-SXM-80GB": "H100_GPU",
    "H200-SXM-141GB": {"Flops": 989, "Memory_size": 141, "Memory_BW": 4800, "ICN": 450, "real_values": True},
    "B200-SXM-180GB": "GB200",
    "A100-SXM-80GB": "A100_80GB_GPU",
}
"""GenZ has no H200: the H100 of its own table with that card's memory. Its GB200 is the B200's chip."""
GENZ_MODELS = {
    "meta-llama/Llama-3.1-70B": "meta-llama/meta-llama-3.1-70b",
    "meta-llama/Llama-3.1-8B-Instruct": "meta-llama/meta-llama-3.1-8b",
    "deepseek-ai/DeepSeek-R1": "deepseek-ai/DeepSeek-V3-Base",
    "deepseek-ai/DeepSeek-R1-0528": "deepseek-ai/DeepSeek-V3-Base",
}
GENZ_BITS = {"bf16": "bf16", "fp8": "int8", "fp4": "int4"}


def aiconfigurator(asked: Question) -> Answer:
    """What the release's `estimate` says of serving with prefill and decode on the same GPUs."""
    cli_estimate = importlib.import_module("aiconfigurator.cli.api").cli_estimate
    # The package reads the descriptions of its tables anew for each question: the faster parser, the same answers.
    vars(importlib.import_module("yaml"))["safe_load"] = _parsed
    named = asked["model"], asked["precision"]
    dp, ep = int(asked["dp"]), int(asked["ep"])
    has_experts = any(part in asked["model"] for part in EXPERTS)
    experts = {"moe_tp_size": int(asked["tp"]) * dp // ep, "moe_ep_size": ep} if has_experts else {}
    found = cli_estimate(
        AIC_MODELS.get(named, asked["model"]),
        AIC_SYSTEMS[asked["gpu"]],
        backend_name=asked["engine"],
        database_mode="HYBRID",  # what was measured of kernels, else what follows from it
        isl=int(asked["isl"]),
        osl=int(asked["osl"]),
        batch_size=max(1, int(asked["concurrency"]) // dp),  # of each rank of attention
        tp_size=int(asked["tp"]),
        pp_size=int(asked["pp"]),
        attention_dp_size=dp,
        gemm_quant_mode=AIC_ARITHMETIC.get(named),
        moe_quant_mode=AIC_EXPERTS.get((*named, asked["engine"], asked["gpu"])),
        kvcache_quant_mode=AIC_CACHES[asked["kv_precision"]],
        **experts,
    )
    return found.ttft, found.tpot


def _parsed(text: object) -> object:
    yaml = importlib.import_module("yaml")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def genz(asked: Question) -> Answer:
    """A static batch: GenZ knows prefill and decode of a batch, no requests that come and go. Its ranks are tensor or
    expert parallel, never data parallel."""
    package = importlib.import_module("GenZ")
    if int(asked["dp"]) > 1:
        raise ValueError("data-parallel attention")
    isl, osl, batch = int(asked["isl"]), int(asked["osl"]), int(asked["concurrency"])
    shared = {
        "model": GENZ_MODELS[asked["model"]], "system_name": GENZ_SYSTEMS[asked["gpu"]],
        "bits": GENZ_BITS[asked["precision"]], "tensor_parallel": int(asked["tp"]),
        "pipeline_parallel": int(asked["pp"]),
    }  # fmt: skip
    prompts = package.prefill_moddeling(batch_size=batch, input_tokens=isl, **shared)["Latency"]
    token = package.decode_moddeling(batch_size=batch, input_tokens=isl, output_tokens=osl // 2, Bb=1, **shared)[
        "Latency"
    ]
    return prompts, token


RIVALS: Mapping[str, tuple[str, Callable[[Question], Answer]]] = {
    "aiconfigurator": ("aiconfigurator", aiconfigurator),
    "genz": ("genz-llm", genz),
}


def ask(rival: str, questions: Path) -> None:
    package, answer = RIVALS[rival]
    version, day = importlib.metadata.version(package), datetime.date.today().isoformat()
    with questions.open(encoding="utf-8", newline="") as file:
        asked = list(csv.DictReader(file))
    refused: dict[str, int] = {}
    with (HERE / f"{rival}.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("id", "output_tok_s", "ttft_ms", "tpot_ms", "version", "asked"))
        for question in asked:
            try:
                ttft, tpot = answer(question)
            except Exception as why:  # what another package raises is its own affair: counted, not understood
                reason = f"{type(why).__name__}: {str(why)[:60]}"
                refused[reason] = refused.get(reason, 0) + 1
                continue
            took = (ttft + tpot * (int(question["osl"]) - 1)) / 1e3
            tok_s = int(question["concurrency"]) * int(question["osl"]) / took
            out.writerow((question["id"], f"{tok_s:.1f}", f"{ttft:.1f}", f"{tpot:.3f}", version, day))
    for reason, rows in sorted(refused.items(), key=lambda found: -found[1]):
        print(f"{rows} rows: {reason}", file=sys.stderr)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore")
    ask(sys.argv[1], Path(sys.argv[2]))
