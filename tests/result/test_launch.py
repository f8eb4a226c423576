"""The commands that serve a plan: each line is read back, by argument parsers of the engines' own, into the plan."""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import shlex
from dataclasses import dataclass
from functools import cache

import pytest

from catalogs import llm as models
from catalogs.engines.launch import checkpoint, launch_arguments
from catalogs.engines.tables import table
from constraints.plan import Plan, Training
from optimizer.result.launch import Deployment, Launch, Memory, launch, weights_of
from optimizer.result.launch_apart import launch_apart
from tests.support.long import one_in, wanted

GB = 10**9
MEMORY = Memory(141 * GB, 90 * GB, 30 * GB, 8 * GB)


@dataclass(frozen=True)
class Sizes:
    tp: int
    pp: int
    dp: int
    ep: int
    redundant: int


@cache
def vllm() -> argparse.ArgumentParser:
    """Arguments of `vllm serve`, release 0.33.0 (vllm/engine/arg_utils.py and vllm/entrypoints/cli/serve.py)."""
    p = argparse.ArgumentParser(allow_abbrev=False)
    p.add_argument("model")
    p.add_argument("--tensor-parallel-size", "-tp", type=int, default=1)
    p.add_argument("--pipeline-parallel-size", "-pp", type=int, default=1)
    p.add_argument("--data-parallel-size", "-dp", type=int, default=1)
    p.add_argument("--data-parallel-size-local", "-dpl", type=int)
    p.add_argument("--data-parallel-start-rank", "-dpr", type=int)
    p.add_argument("--data-parallel-address", "-dpa")
    p.add_argument("--data-parallel-rpc-port", "-dpp", type=int)
    p.add_argument("--enable-expert-parallel", "-ep", action="store_true")
    p.add_argument("--enable-eplb", action="store_true")
    p.add_argument("--eplb-config", type=json.loads, default={})
    p.add_argument("--nnodes", "-n", type=int, default=1)
    p.add_argument("--node-rank", "-r", type=int, default=0)
    p.add_argument("--master-addr")
    p.add_argument("--headless", action="store_true")
    p.add_argument("--kv-transfer-config", type=json.loads)
    p.add_argument("--dtype", choices=["auto", "half", "float16", "bfloat16", "float", "float32"])
    p.add_argument("--quantization", "-q")
    p.add_argument("--kv-cache-dtype", choices=["auto", "float16", "bfloat16", "fp8", "fp8_e4m3", "fp8_inc"])
    p.add_argument("--max-model-len", type=int)
    p.add_argument("--max-num-seqs", type=int)
    p.add_argument("--gpu-memory-utilization", type=float)
    p.add_argument("--port", type=int)
    return p


@cache
def sglang() -> argparse.ArgumentParser:
    """Arguments of `python -m sglang.launch_server`, release 0.5.23 (sglang/srt/arg_groups/fields)."""
    p = argparse.ArgumentParser(allow_abbrev=False)
    p.add_argument("--model-path", "--model", dest="model", required=True)
    p.add_argument("--tp-size", "--tensor-parallel-size", type=int, default=1)
    p.add_argument("--pp-size", "--pipeline-parallel-size", type=int, default=1)
    p.add_argument("--dp-size", "--data-parallel-size", type=int, default=1)
    p.add_argument("--enable-dp-attention", action="store_true")
    p.add_argument("--attn-dp-size", "--attention-data-parallel-size", type=int, default=1)
    p.add_argument("--ep-size", "--expert-parallel-size", "--ep", type=int, default=1)
    p.add_argument("--ep-num-redundant-experts", type=int, default=0)
    p.add_argument("--ep-dispatch-algorithm", choices=["static", "dynamic", "fake", "lp"])
    p.add_argument("--moe-a2a-backend", choices=["none", "deepep", "mooncake", "mori", "flashinfer", "megamoe"])
    p.add_argument("--nnodes", type=int, default=1)
    p.add_argument("--node-rank", type=int, default=0)
    p.add_argument("--dist-init-addr", "--nccl-init-addr")
    p.add_argument("--dtype", choices=["auto", "half", "float16", "bfloat16", "float", "float32"])
    p.add_argument("--quantization", choices=["awq", "fp8", "gptq", "w8a8_int8", "w8a8_fp8", "moe_wna16"])
    p.add_argument("--kv-cache-dtype", choices=["auto", "fp8_e5m2", "fp8_e4m3", "mxfp8", "bf16", "bfloat16"])
    p.add_argument("--context-length", type=int)
    p.add_argument("--max-running-requests", type=int)
    p.add_argument("--mem-fraction-static", type=float)
    p.add_argument("--kt-weight-path")
    p.add_argument("--kt-method")
    p.add_argument("--kt-cpuinfer", type=int)
    p.add_argument("--kt-threadpool-count", type=int)
    p.add_argument("--kt-num-gpu-experts", type=int)
    p.add_argument("--port", type=int)
    p.add_argument("--disaggregation-mode", choices=["null", "prefill", "decode"], default="null")
    p.add_argument("--disaggregation-bootstrap-port", type=int, default=8998)
    p.add_argument("--host", default="127.0.0.1")
    return p


@cache
def trtllm() -> argparse.ArgumentParser:
    """Arguments of `trtllm-serve` (tensorrt_llm/commands/serve.py)."""
    p = argparse.ArgumentParser(allow_abbrev=False)
    p.add_argument("model")
    p.add_argument("--tp_size", "--tensor_parallel_size", type=int, default=1)
    p.add_argument("--pp_size", "--pipeline_parallel_size", type=int, default=1)
    p.add_argument("--ep_size", "--moe_expert_parallel_size", type=int, default=1)
    p.add_argument("--max_seq_len", type=int)
    p.add_argument("--max_batch_size", type=int)
    p.add_argument("--kv_cache_free_gpu_memory_fraction", "--free_gpu_memory_fraction", type=float)
    p.add_argument("--extra_llm_api_options", "--config", dest="config")
    p.add_argument("--host")
    p.add_argument("--port", type=int)
    return p


def read_back(command: str) -> tuple[Sizes, argparse.Namespace]:
    """The sizes that an engine would start with, and its arguments."""
    words = shlex.split(command)
    file = ""
    if words[0] == "printf":
        end = words.index("&&")
        file, words = "\n".join(words[2 : words.index(">")]), words[end + 1 :]
    if words[0] == "env":
        words = list(itertools.dropwhile(lambda word: re.fullmatch(r"[A-Z_]+=.*", word), words[1:]))
    if words[0] == "mpirun":
        words = words[words.index("trtllm-llmapi-launch") + 1 :]
    if words[:2] == ["vllm", "serve"]:
        a = vllm().parse_args(words[2:])
        assert bool(a.eplb_config) == a.enable_eplb
        ep = a.tensor_parallel_size * a.data_parallel_size if a.enable_expert_parallel else 1
        sizes = Sizes(a.tensor_parallel_size, a.pipeline_parallel_size, a.data_parallel_size, ep,
                      a.eplb_config.get("num_redundant_experts", 0))  # fmt: skip
    elif words[:3] == ["python", "-m", "sglang.launch_server"]:
        a = sglang().parse_args(words[3:])
        assert a.dp_size == 1 or a.enable_dp_attention  # whole replicas are instances of their own
        groups = max(a.dp_size, a.attn_dp_size)
        assert a.tp_size % groups == 0
        sizes = Sizes(a.tp_size // groups, a.pp_size, groups, a.ep_size, a.ep_num_redundant_experts)
    else:
        assert words[0] == "trtllm-serve"
        a = trtllm().parse_args(words[1:])
        assert (a.config is not None) == bool(file)
        groups = a.tp_size if "enable_attention_dp: true" in file else 1
        slots = re.search(r"num_slots: (\d+)", file)
        sizes = Sizes(a.tp_size // groups, a.pp_size, groups, a.ep_size, int(slots[1]) - 256 if slots else 0)
    return sizes, a


def started(
    engine: str, release: str, plan: Plan, nodes: int = 1, per_node: int = 8, redundant: int = 0, model: str = "r1-671b"
) -> Launch:
    llm = models.get(model)
    return launch(Deployment(engine, release, llm, plan, 256, redundant, nodes, per_node, 2048, MEMORY, 64, 2))


def plan(tp: int, pp: int, dp: int, ep: int, replicas: int = 1, **other: object) -> Plan:
    fields = {"precision": "fp8", "kv_precision": "bf16", "concurrency": 120, **other}
    return Plan(tp=tp, pp=pp, dp=dp, ep=ep, replicas=replicas, **fields)  # type: ignore[arg-type]


SHAPES = [
    (8, 1, 1, 1, 1), (8, 1, 1, 8, 1), (1, 1, 8, 8, 1), (4, 1, 2, 8, 1), (2, 2, 2, 4, 1), (8, 2, 1, 1, 2),
    (8, 1, 2, 16, 2), (1, 1, 16, 16, 2), (4, 4, 1, 1, 2), (8, 2, 2, 16, 4), (4, 1, 1, 1, 1),
    (2, 1, 2, 4, 1), (8, 4, 1, 8, 4),
]  # fmt: skip
"""tp, pp, dp, ep, and nodes."""


@pytest.mark.parametrize(
    "engine, release", [("vLLM", "0.33"), ("vLLM ROCm", "0.20"), ("SGLang", "0.5.23"), ("SGLang", "0.5.8")]
)
@pytest.mark.parametrize("tp, pp, dp, ep, nodes", SHAPES)
def test_each_line_is_read_back_as_its_plan(
    engine: str, release: str, tp: int, pp: int, dp: int, ep: int, nodes: int
) -> None:
    one = plan(tp, pp, dp, ep, replicas=nodes * 8 // (tp * pp * dp))
    found = started(engine, release, one, nodes)
    assert len(found.commands) == max(nodes, one.replicas)  # a node holds one or more instances, or a part of one
    for command in found.commands:
        sizes, a = read_back(command)
        assert sizes == Sizes(tp, pp, dp, ep, 0)
        assert a.model == "deepseek-ai/DeepSeek-R1"


@pytest.mark.parametrize("tp, pp, dp, ep, nodes", [x for x in SHAPES if x[2] == 1 or x[0] == 1])
def test_tensorrt_llm_cuts_attention_or_gives_each_gpu_its_own(tp: int, pp: int, dp: int, ep: int, nodes: int) -> None:
    one = plan(tp, pp, dp, ep, replicas=nodes * 8 // (tp * pp * dp))
    found = started("TensorRT-LLM", "1.2", one, nodes)
    assert len(found.commands) == one.replicas  # mpirun brings a replica's other nodes in
    for command in found.commands:
        assert read_back(command)[0] == Sizes(tp, pp, dp, ep, 0)


def test_the_nodes_of_a_replica_find_each_other() -> None:
    for engine, release in (("vLLM", "0.33"), ("SGLang", "0.5.23")):
        found = started(engine, release, plan(8, 2, 1, 1, replicas=2), nodes=4)
        ranks = [read_back(c)[1].node_rank for c in found.commands]
        heads = [re.findall(r"<address-of-node-(\d)>", c) for c in found.commands]
        assert ranks == [0, 1, 0, 1]
        assert heads == [["1"], ["1"], ["3"], ["3"]]
        assert all(read_back(c)[1].nnodes == 2 for c in found.commands)


def test_data_parallel_ranks_are_counted_over_the_nodes() -> None:
    """vLLM: every node starts the ranks that it holds, from the first that is its own."""
    found = [read_back(c)[1] for c in started("vLLM", "0.33", plan(4, 1, 4, 16), nodes=2).commands]
    assert [(a.data_parallel_size_local, a.data_parallel_start_rank, a.headless) for a in found] == [
        (2, None, False),
        (2, 2, True),
    ]
    spanning = [read_back(c)[1] for c in started("vLLM", "0.33", plan(8, 2, 2, 16), nodes=4).commands]
    assert [(a.data_parallel_size_local, a.data_parallel_start_rank) for a in spanning] == [
        (1, None), (1, None), (1, 1), (1, 1)
    ]  # fmt: skip
    assert [a.node_rank for a in spanning] == [0, 1, 2, 3]
    assert {a.nnodes for a in spanning} == {4}


def test_instances_of_one_node_share_out_gpus_and_ports() -> None:
    found = started("vLLM", "0.33", plan(2, 1, 1, 1, replicas=4))
    assert [re.findall(r"CUDA_VISIBLE_DEVICES=([\d,]+)", c) for c in found.commands] == [
        ["0,1"],
        ["2,3"],
        ["4,5"],
        ["6,7"],
    ]
    assert [read_back(c)[1].port for c in found.commands] == [8000, 8001, 8002, 8003]
    amd = started("SGLang ROCm", "0.5.4", plan(4, 1, 1, 1, replicas=2))
    assert "HIP_VISIBLE_DEVICES=4,5,6,7" in amd.commands[1]


def test_redundant_experts_are_asked_for() -> None:
    found = started("SGLang", "0.5.23", plan(1, 1, 48, 48), nodes=12, per_node=4, redundant=32)
    assert len(found.commands) == 12
    assert read_back(found.commands[5])[0] == Sizes(1, 1, 48, 48, 32)
    eplb = started("vLLM", "0.33", plan(1, 1, 8, 8), redundant=8)
    assert read_back(eplb.commands[0])[0].redundant == 8
    slots = started("TensorRT-LLM", "1.2", plan(1, 1, 8, 8), redundant=16)
    assert read_back(slots.commands[0])[0].redundant == 16


def test_context_requests_memory_and_kv_precision() -> None:
    _, a = read_back(started("vLLM", "0.33", plan(1, 1, 8, 8, kv_precision="fp8")).commands[0])
    assert (a.max_model_len, a.max_num_seqs, a.kv_cache_dtype) == (2048, 15, "fp8")
    assert a.gpu_memory_utilization == 0.91  # 128 of 141 GB, rounded up
    _, b = read_back(started("SGLang", "0.5.23", plan(8, 1, 1, 8)).commands[0])
    assert (b.context_length, b.max_running_requests, b.kv_cache_dtype) == (2048, 120, "bfloat16")
    assert b.mem_fraction_static == 0.86  # 120 of 141 GB
    _, c = read_back(started("TensorRT-LLM", "1.2", plan(8, 1, 1, 8)).commands[0])
    assert (c.max_seq_len, c.max_batch_size, c.kv_cache_free_gpu_memory_fraction) == (2048, 120, 0.7)


ENGINES_OF_FP8_CACHES = [("vLLM", "0.33"), ("SGLang", "0.5.23"), ("SGLang", "0.5.8"), ("TensorRT-LLM", "1.2")]


@pytest.mark.parametrize(("engine", "release"), ENGINES_OF_FP8_CACHES)
@pytest.mark.parametrize("kv", ["bf16", "fp8"])
@pytest.mark.parametrize("row", one_in(11, table("checkpoints")), ids=lambda r: f"{r['model']}-{r['precision']}")
def test_no_line_leaves_the_kv_cache_to_the_checkpoint(engine: str, release: str, kv: str, row: dict[str, str]) -> None:
    """Each line asks for the plan's KV cache, or says what to change in a checkpoint that may ask for another one."""
    found = started(engine, release, plan(8, 1, 1, 1, precision=row["precision"], kv_precision=kv), model=row["model"])
    _, a = read_back(found.commands[0])
    if engine != "TensorRT-LLM":
        assert a.kv_cache_dtype == {"bf16": "bfloat16", "fp8": "fp8" if engine == "vLLM" else "fp8_e4m3"}[kv]
        return
    assert ("kv_cache_config: {dtype: fp8}" in found.commands[0]) == (kv == "fp8")
    against = kv == "bf16" and row["kv_cache"] == "fp8"
    assert ("kv_cache_quant_algo null>" in found.commands[0]) == against
    # Of files that another engine alone reads nothing is said but that they are none for this one.
    read = row["engine"] in ("", engine)
    unknown = kv == "bf16" and row["kv_cache"] == "unknown" and read
    assert ("kv_cache_quant_algo" in found.note) == (against or unknown)


def test_every_checkpoint_with_a_quantization_file_says_its_kv_cache() -> None:
    for row in table("checkpoints"):
        assert row["kv_cache"] in ("", "fp8", "none", "unknown")
        assert not row["checkpoint"].startswith("nvidia/") or row["kv_cache"]
        assert row["kv_cache"] in ("", "unknown") or "hf_quant_config.json" in row["source"]


def test_guide_names_use_the_weights_they_stand_for() -> None:
    assert weights_of(models.get("v2-670b"), "fp8", "vLLM") == "deepseek-ai/DeepSeek-V3"
    assert weights_of(models.get("r1-33b"), "fp16", "vLLM") == "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B"
    half = started("vLLM", "0.33", plan(2, 1, 1, 1, replicas=4, precision="fp16"), model="r1-33b")
    assert read_back(half.commands[0])[1].dtype == "float16"


def test_weights_that_nobody_published_are_a_placeholder_and_said() -> None:
    found = started("vLLM", "0.33", plan(8, 1, 1, 1, precision="int8"))
    assert read_back(found.commands[0])[1].model == "<folder with the weights of deepseek-ai/DeepSeek-R1 in int8>"
    assert "knows no published int8 weights" in found.note


def test_weights_are_those_of_the_engine() -> None:
    """int8 of one engine is no int8 of another: Ascend's W8A8, and channel-wise INT8 that SGLang reads when told so."""
    by_sglang = started("SGLang", "0.5", plan(8, 2, 1, 1, precision="int8"))
    assert all("--quantization w8a8_int8" in x for x in by_sglang.commands)
    assert read_back(by_sglang.commands[0])[1].model == "meituan/DeepSeek-R1-Channel-INT8"
    assert weights_of(models.get("qwen3-8b"), "int8", "vLLM Ascend") == "vllm-ascend/Qwen3-8B-W8A8"
    assert weights_of(models.get("qwen3-8b"), "int8", "vLLM").startswith("<")


def test_engines_without_public_arguments_give_none() -> None:
    found = started("MindIE", "2.0", plan(8, 1, 1, 1))
    assert found.commands == ()
    assert "MindIE publishes no command-line arguments" in found.note


def test_training_gives_no_command() -> None:
    found = started("torchtune", "0.3", plan(1, 1, 1, 1, training=Training(8, 1, True)))
    assert found.commands == ()
    assert found.note


def test_experts_in_host_memory() -> None:
    found = started("KTransformers", "0.5", plan(1, 1, 1, 1, precision="int4", offload=True), nodes=2, per_node=1)
    _, a = read_back(found.commands[1])
    assert (a.kt_method, a.kt_cpuinfer, a.kt_threadpool_count, a.kt_num_gpu_experts) == ("AMXINT4", 63, 2, 0)


def test_every_published_checkpoint_is_of_a_model_that_is_known() -> None:
    for llm in models.all_models():
        assert checkpoint(llm.id, llm.native_precision) or checkpoint(llm.id, "bf16"), llm.id


def test_every_argument_has_a_source_and_a_day() -> None:
    import csv
    from pathlib import Path

    with (Path(__file__).parents[2] / "catalogs/engines/launch_arguments.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows and all(re.fullmatch(r"\d{4}-\d\d-\d\d", r["date"]) and r["source"] and r["spelling"] for r in rows)
    assert launch_arguments("vLLM", "0.33") and launch_arguments("nobody's", "1") is None


def test_llama_cpp_takes_a_file_and_splits_by_layers() -> None:
    """`--model` is a GGUF file there, not a repository; tensor split only where it is planned (experimental)."""
    found = started("llama.cpp", "b4500", plan(1, 4, 1, 1, precision="fp16"), per_node=4, model="r1-distill-llama-70b")
    words = shlex.split(found.commands[0])
    gguf = "<GGUF file with the weights of deepseek-ai/DeepSeek-R1-Distill-Llama-70B in fp16>"
    assert words[words.index("--model") + 1] == gguf
    assert words[words.index("--split-mode") + 1] == "layer"
    named = started("llama.cpp", "b4500", plan(1, 4, 1, 1, precision="q4_k_m"), per_node=4)
    assert "--hf-repo unsloth/DeepSeek-R1-GGUF:Q4_K_M" in named.commands[0] and "--model" not in named.commands[0]
    mac = started("mlx-lm", "0.32.2", plan(1, 1, 1, 1, precision="mlx-4bit"), per_node=1)
    assert mac.commands[0].startswith("mlx_lm.server --model mlx-community/DeepSeek-R1-4bit")
    tensor = started("llama.cpp", "b4500", plan(2, 1, 1, 1, precision="fp16"), per_node=2, model="r1-distill-llama-8b")
    assert "--split-mode tensor" in tensor.commands[0]


def test_ranks_that_cross_nodes_are_not_started() -> None:
    """vLLM starts every data-parallel rank within its nodes: 8 ranks of 3 GPUs do not lie on 6 nodes of 4."""
    found = started("vLLM", "0.33", plan(1, 3, 8, 8), nodes=6, per_node=4)
    assert found.commands == () and "takes 3 GPUs and nodes have 4" in found.note


def test_every_size_is_read_back_from_random_plans() -> None:
    """Any tiling of nodes by replicas, also of three, six or 72 GPUs: one command per node and instance, and of the
    nodes of a replica each holds other ranks."""
    engines = ("vLLM", "vLLM ROCm", "vLLM Ascend", "vLLM Gaudi", "SGLang", "SGLang ROCm", "TensorRT-LLM")
    draw, tried = random.Random(15), 0
    for _ in range(2_000 if wanted() else 1_100):
        engine = draw.choice(engines)
        per_node, nodes = draw.choice((1, 2, 3, 4, 6, 8, 10, 16, 72)), draw.choice((1, 1, 2, 3, 4, 6))
        tp, pp = draw.choice((1, 2, 4, 8, 16)), draw.choice((1, 1, 2, 3, 4))
        dp = draw.choice((1, 1, 2, 3, 4, 6, 8, 12, 16))
        tp = 1 if engine == "TensorRT-LLM" and dp > 1 else tp
        ep, size = draw.choice((1, tp * dp)), tp * pp * dp
        whole = per_node % size == 0 if size <= per_node else size % per_node == 0
        if per_node * nodes % size or not whole or per_node % tp:
            continue
        found = started(engine, "1.2" if engine == "TensorRT-LLM" else "0.33", plan(
            tp, pp, dp, ep, replicas=per_node * nodes // size), nodes, per_node)  # fmt: skip
        if "no command places such ranks" in found.note:
            continue
        tried += 1
        instances = per_node * nodes // size
        assert len(found.commands) == (instances if engine == "TensorRT-LLM" else max(nodes, instances))
        for command in found.commands:
            assert read_back(command)[0] == Sizes(tp, pp, dp, ep, 0), (engine, command)
        if engine.startswith("vLLM") and dp > 1 and size > per_node:
            of_replica = [read_back(c)[1] for c in found.commands[: size // per_node]]
            starts = [a.data_parallel_start_rank or 0 for a in of_replica]
            local = of_replica[0].data_parallel_size_local
            held = {rank for first in starts for rank in range(first, first + local)}
            assert held == set(range(dp)), (per_node, nodes, tp, pp, dp)
    assert tried > 200


HALVES = Plan(
    "fp8", "bf16", 1, 1, 8, 8, 3, 200, prefill=Plan("fp8", "bf16", 1, 1, 4, 1, 4, 16), prompts_ks=9000
)  # fmt: skip


def apart(engine: str, release: str, plan: Plan = HALVES) -> Launch:
    llm = models.get("v3-671b")
    deployment = Deployment(
        engine, release, llm, plan, llm.experts, 0, 5, 8, 9216, MEMORY, prompt=8192
    )  # fmt: skip
    assert plan.prefill is not None
    return launch_apart(deployment, plan.prefill, Memory(141 * GB, 91 * GB, 2 * GB, 8 * GB))


@pytest.mark.parametrize(
    ("engine", "release"),
    [("vLLM", "0.33.0"), ("vLLM ROCm", "0.33.0"), ("SGLang", "0.5.23"), ("SGLang ROCm", "0.5.23"),
     ("TensorRT-LLM", "1.2.1")],
)  # fmt: skip
def test_both_halves_are_started_and_a_router_before_them(engine: str, release: str) -> None:
    """Two instances on each of the nodes that prefill, one on each of those that decode, and each knows its role."""
    found = apart(engine, release)
    *halves, router = found.commands
    assert len(halves) == 4 + 3 and "router" in found.note
    for place, command in enumerate(halves):
        sizes, arguments = read_back(command)
        half = HALVES.halves[place >= 4]
        assert sizes == Sizes(half.tp, half.pp, half.dp, half.ep, 0)
        assert arguments.port == 8000 + (place % 2 if place < 4 else 0)
        if engine.startswith("vLLM"):
            assert arguments.kv_transfer_config["kv_role"] == ("kv_producer" if place < 4 else "kv_consumer")
            assert (
                f"VLLM_NIXL_SIDE_CHANNEL_HOST=<address-of-node-{place // 2 + 1 if place < 4 else place - 1}>" in command
            )
        elif engine.startswith("SGLang"):
            assert arguments.disaggregation_mode == ("prefill" if place < 4 else "decode")
            assert arguments.host == "0.0.0.0" and arguments.disaggregation_bootstrap_port == 8998 + place % 2 * (
                place < 4
            )
        else:
            assert ("disable_overlap_scheduler: true" in command) == (place < 4)
            assert "max_tokens_in_buffer: 8192" in command and arguments.host == "0.0.0.0"
    # The router knows every instance once, those that prefill by their place.
    known = re.findall(r"<address-of-node-(\d)>", router)
    assert sorted(known) == ["1", "1", "2", "2", "3", "4", "5"]


def test_the_ports_of_halves_do_not_meet() -> None:
    """Each instance of a node has its own, of the engine's and of those on which KV caches are asked for."""
    for engine, release, port in (
        ("SGLang", "0.5.23", r"bootstrap-port (\d+)"), ("vLLM", "0.33.0", r"CHANNEL_PORT=(\d+)"),
    ):  # fmt: skip
        first, second = (re.findall(port, command) for command in apart(engine, release).commands[:2])
        assert first and first != second


def test_engines_that_nobody_says_how_to_start_apart_give_no_command() -> None:
    found = apart("KTransformers", "0.3")
    assert not found.commands and "apart" in found.note


def test_a_half_over_several_nodes_counts_from_its_own_first_node() -> None:
    plan = Plan("fp8", "bf16", 1, 1, 16, 16, 1, 200, prefill=Plan("fp8", "bf16", 1, 1, 8, 8, 3, 16), prompts_ks=9000)
    found = apart("SGLang", "0.5.23", plan)
    *_, one, other, router = found.commands
    assert "--node-rank 0" in one and "--node-rank 1" in other
    assert one.count("<address-of-node-4>") == other.count("<address-of-node-4>") == 1
    assert "<address-of-node-5>" not in router
