"""Plans of published models, of which most are not shipped: the engines' rules once more, in arithmetic of the tests.

The sizes are read from model_sizes.csv as text; every assert of vLLM 0.33.0, SGLang 0.5.23 and TensorRT-LLM is written
out here anew."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalogs.engines.judge import judge
from catalogs.engines.sizes import from_config, named
from tests.support.long import examples

FILE = Path(__file__).parents[2] / "catalogs" / "engines" / "model_sizes.csv"
WITH_SLOTS = {"deepseek-v3", "v3.2", "glm-5", "kimi-k2", "qwen3-moe", "qwen3.5"}
"""Families whose layers take redundant experts in all three engines."""
V4 = ("v4", "v4.1")


def lines() -> list[dict[str, str]]:
    with FILE.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Plan:
    """Sizes as the engine counts them."""

    tp: int
    pp: int
    dp: int
    ep: int
    nodes: int
    redundant: int


@dataclass(frozen=True)
class Model:
    """A row of the file as numbers."""

    family: str
    heads: int
    kv: int
    latent: bool
    vocabulary: int
    layers: int
    experts: int
    width: int
    shared: int
    dense: int
    groups: int
    linear_keys: int
    linear_values: int
    block: int
    weights: str


def model(row: dict[str, str]) -> Model:
    def whole(column: str) -> int:
        return int(row[column])

    return Model(
        row["family"], whole("heads"), whole("kv_heads"), row["mla"] == "1", whole("vocabulary"), whole("layers"),
        whole("experts"), whole("expert_width"), whole("shared_width"), whole("dense_width"), whole("o_groups"),
        whole("linear_key_heads"), whole("linear_value_heads"), whole("fp8_block"), row["weights"],
    )  # fmt: skip


def cut(width: int, by: int, block: int) -> bool:
    """Whether a width is cut into equal pieces of whole blocks."""
    return by == 1 or (width % by == 0 and (block == 0 or width // by % block == 0))


def attention(m: Model, tp: int) -> bool:
    kv = m.latent or m.kv % tp == 0 or tp % m.kv == 0
    linear = m.linear_keys % tp == 0 and m.linear_values % tp == 0
    return m.heads % tp == 0 and kv and linear and m.groups % tp == 0


def vllm(m: Model, p: Plan) -> bool:
    """Whether vLLM 0.33.0 builds it, be it with a warning."""
    if not attention(m, p.tp) or -(-m.vocabulary // 64) * 64 % p.tp:
        return False
    if p.pp > m.layers or (p.pp > 1 and m.family == "llama-4") or p.tp * p.pp * p.dp % p.nodes:
        return False
    if p.pp > 2 and m.family == "v4.1":
        return False
    if not cut(m.dense, p.tp, m.block) or not (m.family in V4 or cut(m.shared, p.tp, m.block)):
        return False
    if not m.experts:
        return True
    if p.ep > 1:
        return p.ep == p.tp * p.dp <= m.experts and (not p.redundant or (m.experts + p.redundant) % p.ep == 0)
    refined = 32 if m.block or (m.family in V4 and m.weights == "mxfp4") else 0
    return not p.redundant and cut(m.width, p.tp * p.dp, refined)


def sglang(m: Model, p: Plan) -> bool:
    if p.tp % p.dp or p.tp % p.ep or p.tp * p.pp % p.nodes or p.pp > m.layers or not attention(m, p.tp // p.dp):
        return False
    if p.pp > 2 and m.family == "v4.1":
        return False
    if not m.experts:
        return cut(m.dense, p.tp, m.block)
    slots = m.experts + p.redundant
    whole = (p.ep == 1 or slots % p.ep == 0) and (p.tp == 1 or p.tp <= slots)
    all_to_all = p.dp > 1 and p.ep == p.tp
    return whole and cut(m.width, p.tp // p.ep, m.block) and (all_to_all or cut(m.shared, p.tp, m.block))


def tensorrt(m: Model, p: Plan) -> bool:
    if p.pp > m.layers or (m.heads % p.tp if p.dp == 1 else p.dp != p.tp):
        return False
    if not m.experts:
        return True
    if p.tp % p.ep or m.width % (p.tp // p.ep) or (p.ep > 1 and p.ep > m.experts):
        return False
    if p.redundant:
        return p.ep > 1 and p.dp > 1 and (m.experts + p.redundant) % p.ep == 0
    return m.experts % p.ep == 0


ENGINES = {"vllm 0.33.0": vllm, "sglang 0.5.23": sglang, "trtllm 1.3.0rc": tensorrt}
NO_SLOTS_FOR = ("int4", "fp8", "mxfp8")
"""Weights for which vLLM has no expert balancer."""


def some_plan(m: Model, engine: str, draw: random.Random) -> Plan:
    tp = draw.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32, 48])
    dp = draw.choice([1, 1, 2, 3, 5, 8, 16] if engine.startswith("vllm") else [1, 1, tp, tp, 2, 4])
    ranks = tp * dp if engine.startswith("vllm") else tp
    ep = draw.choice([1, ranks, ranks, 2, 4, 8]) if m.experts else 1
    with_slots = m.experts and m.family in WITH_SLOTS and not (engine.startswith("vllm") and m.weights in NO_SLOTS_FOR)
    redundant = draw.choice([0, 0, -m.experts % ep, 1, 8]) if with_slots else 0
    return Plan(tp, draw.choice([1, 1, 2, 3, 7, 200]), dp, ep, draw.choice([1, 1, 2, 3]), redundant)


@pytest.mark.parametrize("row", lines(), ids=lambda row: row["name"].partition("/")[2])
def test_an_engine_refuses_what_its_asserts_refuse_and_nothing_else(row: dict[str, str]) -> None:
    m, draw = model(row), random.Random(row["name"])
    for engine, starts in ENGINES.items():
        for _ in range(examples(60)):
            p = some_plan(m, engine, draw)
            found = judge(engine, row["name"], p.tp, p.pp, p.dp, p.ep, p.nodes, p.redundant)
            assert (found.outcome != "refused") == starts(m, p), (engine, p, found.reason)


# Names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "of", "weights"),
    [("deepseek-ai/DeepSeek-V4-Pro-0813", "deepseek-ai/DeepSeek-V4-Pro", "mxfp4"),
     ("deepseek-ai/DeepSeek-V4-Flash-DSpark", "deepseek-ai/DeepSeek-V4-Flash", "mxfp4"),
     ("deepseek-ai/DeepSeek-V3.2-Speciale", "deepseek-ai/DeepSeek-V3.2", "block-fp8"),
     ("moonshotai/Kimi-K2-Instruct-0905", "moonshotai/Kimi-K2-Instruct", "block-fp8"),
     ("google/gemma-4-26B-A4B-it", "google/gemma-4-26B-A4B", "bf16"),
     ("RedHatAI/gemma-4-26B-A4B-it-NVFP4", "google/gemma-4-26B-A4B", "nvfp4"),
     ("Qwen/Qwen3-VL-235B-A22B-Thinking-FP8", "Qwen/Qwen3-VL-235B-A22B-Instruct", "block-fp8"),
     ("nvidia/Kimi-K2-Thinking-NVFP4", "moonshotai/Kimi-K2-Instruct", "nvfp4"),
     ("deepseek-ai/DeepSeek-V3.1", "deepseek-ai/DeepSeek-V3", "block-fp8"),
     ("Qwen/Qwen3-235B-A22B-Instruct-2507", "Qwen/Qwen3-235B-A22B", "bf16")],
)  # fmt: skip
def test_another_training_of_a_network_has_its_sizes(name: str, of: str, weights: str) -> None:
    found, network = named(name), named(of)
    sizes = ("heads", "kv_heads", "vocabulary", "layers", "experts", "expert_width", "shared_width", "dense_width")
    assert [getattr(found, s) for s in sizes] == [getattr(network, s) for s in sizes]
    assert found.weights == weights


@pytest.mark.parametrize("name", ["inclusionAI/Ling-2.6-1T", "Qwen/Qwen3.8-2.4T-A95B", "nobody/made-this-0813"])
def test_another_network_is_not_taken_for_one_that_is_known(name: str) -> None:
    assert named(name).heads is None


def test_a_small_relative_is_not_taken_for_the_large_one() -> None:
    small, large = named("zai-org/GLM-5.3-Flash"), named("zai-org/GLM-5.3")
    assert small.family != large.family and small.layers != large.layers


def test_a_base_is_not_read_in_the_format_of_its_conversion() -> None:
    """Only a conversion of it is at hand: its sizes are known, its weights are not."""
    found = named("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B")
    assert (found.heads, found.weights) == (32, None)


@pytest.mark.parametrize(
    ("quantization", "block", "weights"),
    [({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {
        "num_bits": 8, "type": "float", "strategy": "block", "block_structure": [128, 128]}}}}, 128, "block-fp8"),
     ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {
         "num_bits": 8, "type": "float", "strategy": "channel"}}}}, 0, "fp8"),
     ({"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {
         "num_bits": 8, "type": "int"}}}}, 0, "int8"),
     ({"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized", "config_groups": {}}, 0, "nvfp4"),
     ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp4", "group_size": 32}}}, 0, "mxfp4"),
     ({"quant_method": "something-new"}, 0, None)],
)  # fmt: skip
def test_the_format_of_a_config_is_read(quantization: dict[str, object], block: int, weights: str | None) -> None:
    config = {"architectures": ["LlamaForCausalLM"], "num_attention_heads": 64, "quantization_config": quantization}
    found = from_config(config)
    assert (found.fp8_block, found.weights) == (block, weights)


# Context parallel -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tp", "detail", "outcome"),
    [("meta-llama/Meta-Llama-3.1-70B", 16, "dcp=2", "starts"), ("meta-llama/Meta-Llama-3.1-70B", 8, "dcp=2", "refused"),
     ("meta-llama/Meta-Llama-3.1-70B", 16, "dcp=4", "refused"), ("Qwen/Qwen3-235B-A22B", 8, "dcp=2", "starts"),
     ("deepseek-ai/DeepSeek-R1", 8, "dcp=8", "starts"), ("deepseek-ai/DeepSeek-R1", 8, "dcp=3", "refused")],
)  # fmt: skip
def test_decode_context_parallel(name: str, tp: int, detail: str, outcome: str) -> None:
    assert judge("vllm 0.33.0", name, tp, detail=detail).outcome == outcome


def test_vllm_never_chooses_its_expert_parallel_size() -> None:
    found = judge("vllm 0.33.0", "deepseek-ai/DeepSeek-R1", tp=4, ep=8)
    assert (found.outcome, found.rules) == ("refused", ("V6",))
    assert judge("vllm 0.33.0", "deepseek-ai/DeepSeek-R1", tp=4, ep=8, detail="pcp=2").outcome == "starts"
