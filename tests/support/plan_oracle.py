"""Which plans an engine starts, once more from the words of docs/engines.md: its own arithmetic, none of the program's.

Reads the rows of engine support (software.csv and its like) as text; every rule on sizes is written out here anew."""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path
from typing import Any

ENGINES = Path(__file__).parents[2] / "catalogs" / "engines"
FILES = {"serve": "software", "offload": "offload_software", "full": "training_software", "lora": "training_software"}
UNEVEN_SHOWN = {("SGLang", "DeepseekV3ForCausalLM", x, c) for x in ("fp8", "nvfp4") for c in ("SM100", "SM103")} | {
    ("SGLang", "DeepseekV4ForCausalLM", "fp4-mix", "SM103")
}
"""Engine, architecture, weights and GPUs of the published runs with experts that do not divide (tp = dp = ep)."""
V4 = {"DeepseekV4ForCausalLM": 128, "DeepseekV41ForCausalLM": 32}
"""Side of the FP8 blocks of V4 and V4.1."""

IN_BLOCKS = {
    "DeepseekV3ForCausalLM", "DeepseekV32ForCausalLM", "GlmMoeDsaForCausalLM", "KimiK25ForConditionalGeneration",
    "MiniMaxM2ForCausalLM", "Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3NextForCausalLM",
    "Qwen3_5ForConditionalGeneration", "Qwen3_5MoeForConditionalGeneration", "Qwen3VLForConditionalGeneration",
    "Qwen3VLMoeForConditionalGeneration", "MistralLarge3ForCausalLM", "MiMoV2FlashForCausalLM", "MiMoV2ForCausalLM",
    "Step3p5ForCausalLM", "Step3p7ForConditionalGeneration", "Glm5NextForCausalLM", "Glm5NextForConditionalGeneration",
}  # fmt: skip
"""Architectures whose published FP8 weights are in blocks of 128."""


@cache
def lines(name: str) -> list[dict[str, str]]:
    with (ENGINES / f"{name}.csv").open(encoding="utf-8") as f:
        return list(csv.DictReader(f))


def classes(gpu: Any) -> frozenset[str]:
    """The kernel class of a GPU, or all of its generation."""
    return frozenset({gpu.kernel_class}) if gpu.kernel_class else _classes_of(gpu.arch)


@cache
def _classes_of(arch: str) -> frozenset[str]:
    return frozenset(r["kernel_class"] for r in lines("kernel_classes") if r["arch"] == arch)


@cache
def gguf_kinds() -> frozenset[str]:
    with (ENGINES.parent / "llms" / "gguf" / "mixes.csv").open(encoding="utf-8") as f:
        return frozenset(row["kind"] for row in csv.DictReader(f))


def engines(llm: Any, gpu: Any, precision: str, does: str = "serve", experimental: bool = False) -> list[str]:
    """Stable engines, and where they may be counted experimental ones.

    Of each engine the row of the narrower card, then of the named model, the newer, the worse."""
    return list(_engines(llm.architecture, llm.id, classes(gpu), gpu.id, precision, does, experimental))


@cache
def _engines(
    architecture: str, model: str, mine: frozenset[str], gpu: str, precision: str, does: str, experimental: bool
) -> tuple[str, ...]:
    order = ["stable", "experimental", "unknown", "none", "broken"]
    files = precision in gguf_kinds() or precision.startswith("ud-")  # `gguf` stands for every kind of GGUF file
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for r in lines(FILES[does]):
        said = set(r["precisions"].split("|"))
        fits = architecture in r["architecture"].split("|") and (precision in said or (files and "gguf" in said))
        fits &= bool(mine) and mine <= set(r["kernel_classes"].split("|"))
        fits &= not r.get("models") or model in r["models"].split("|")
        fits &= not r.get("gpus") or gpu in r["gpus"].split("|")
        fits &= "methods" not in r or does in r["methods"].split("|")
        if fits:
            rank = (bool(r.get("gpus")), bool(r.get("models")), r["date"], order.index(r["status"]))
            rows.setdefault(r["engine"], []).append((rank, r["status"]))
    allowed = ("stable", "experimental") if experimental else ("stable",)
    return tuple(name for name, found in rows.items() if max(found)[1] in allowed)


def starts(
    llm: Any, gpu: Any, precision: str, tp: int, pp: int, dp: int, ep: int, does: str = "serve",
    experimental: bool = False, per_node: int = 0, tables: str = "", among: list[str] | None = None,
) -> bool:  # fmt: skip
    """Whether one of the engines that count starts the plan, on nodes of `per_node` GPUs where that is said, with
    n-gram tables where `tables` says (host or gpu; empty: there are none). `among`: only these engines (None: all).

    Redundant experts make it uneven only where a run shows it."""
    return any(
        engine_starts(e, llm, next(iter(classes(gpu))) if len(classes(gpu)) == 1 else "", precision, tp, pp, dp, ep)
        and (not per_node or engine_places(e, tp, pp, dp, per_node, experimental))
        and (not tables or tables_of(e, llm) == tables)
        for e in engines(llm, gpu, precision, does, experimental)
        if among is None or e in among
    )


def tables_of(engine: str, llm: Any) -> str:
    """Where an engine keeps the n-gram tables of a model; empty where that is not known."""
    found = [r for r in lines("lookup_tables") if r["engine"] == engine]
    return next((r["place"] for r in found if llm.architecture in r["architectures"].split("|")), "")


def engine_places(engine: str, tp: int, pp: int, dp: int, per_node: int, experimental: bool = False) -> bool:
    """Whether an engine lays a replica over nodes as it was planned; llama.cpp reaches other nodes by way of trial."""
    if engine == "llama.cpp" and tp * pp * dp > per_node:
        return experimental
    if dp == 1 or tp * pp * dp <= per_node:
        return True
    if engine.startswith("vLLM"):  # a rank keeps its stages together, in a node or on whole nodes
        whole = per_node % (tp * pp) == 0 or (tp * pp) % per_node == 0
        return whole and (pp == 1 or tp * dp > per_node)
    return not engine.startswith("SGLang") or tp * dp <= per_node or (tp * dp) % per_node == 0


def engine_starts(engine: str, llm: Any, kernels: str, precision: str, tp: int, pp: int, dp: int, ep: int) -> bool:
    """Whether an engine starts the plan, sizes as dsopt counts them (tp x pp x dp GPUs)."""
    c = llm.config
    uneven = ep > 1 and experts_of(c) % ep != 0
    if uneven and not (
        (engine, c["architectures"][0], precision, kernels) in UNEVEN_SHOWN and tp == 1 and dp == ep > 1
    ):
        return False
    if c["architectures"][0] == "DeepseekV41ForCausalLM" and pp > 2 and engine.startswith(("vLLM", "SGLang")):
        return False  # a stage would begin behind the layer whose keys it reads
    if engine in ("vLLM", "vLLM ROCm", *(f"vLLM {x}" for x in ("Gaudi", "Ascend", "Kunlun", "MetaX", "MUSA", "Hygon"))):
        return vllm(engine, c, precision, tp, pp, dp, ep)
    if engine in ("SGLang", "SGLang ROCm", "SGLang Hygon"):
        return sglang(engine, c, precision, tp, pp, dp, ep)
    if engine == "TensorRT-LLM":
        return tensorrt(c, tp, pp, dp, ep)
    if engine == "KTransformers":
        return ktransformers(c, precision, tp, pp, dp, ep)
    if engine == "llama.cpp":  # one process knows 16 GPUs
        return tp == dp == ep == 1 and pp <= min(16, c["num_hidden_layers"])
    if engine == "mlx-lm":  # Macs hold one GPU each
        return tp == pp == dp == ep == 1
    return trains(c, tp, ep)


def experts_of(c: Any) -> int:
    return int(c.get("n_routed_experts") or c.get("num_experts") or c.get("num_local_experts") or 0)


def widths(c: Any) -> tuple[int, int, int]:
    """(expert width, shared width, dense width); 0 where the model has none of it."""
    experts = experts_of(c)
    if "block_configs" in c:  # every layer has a width of its own, of which each rank takes its share
        return 0, 0, math.gcd(*(searched_width(c["hidden_size"], b["ffn"]["ffn_mult"]) for b in c["block_configs"]))
    if not experts:
        return 0, 0, c["intermediate_size"]
    width = c.get("moe_intermediate_size") or c["intermediate_size"]
    if c["architectures"][0].startswith("Llama4"):  # every layer with experts has a shared one as wide as they are
        return width, width, c["intermediate_size_mlp"] if c["interleave_moe_layer_step"] > 1 else 0
    shared = (
        c.get("shared_expert_intermediate_size")
        or c.get("share_expert_dim")
        or (c.get("n_shared_experts") or c.get("num_shared_experts") or 0) * width
    )
    listed = c.get("moe_layer_freq")
    some_dense = (
        c.get("first_k_dense_replace") or (isinstance(listed, list) and 0 in listed) or c.get("moe_layers_enum")
    )
    dense = c["intermediate_size"] if some_dense else 0
    return width, shared, dense


def searched_width(hidden: int, share: float) -> int:
    """Two thirds of so many times the hidden size, up to the next 256."""
    width = int(hidden * share * 2 / 3)
    return width if width % 256 == 0 else width + 256 - width % 256


def block_of(c: Any, precision: str) -> int:
    """Side of FP8 blocks: V3's and its like, Qwen3's conversions; V4 and V4.1 in every format."""
    kind = c["architectures"][0]
    if kind in V4:
        return V4[kind]
    if precision != "fp8":
        return 0
    return 128 if kind in IN_BLOCKS else 0


def cut(whole: int, by: int, block: int = 0) -> bool:
    """Whether a width is cut evenly, in whole blocks where it is in blocks; of one piece nothing is asked."""
    return by == 1 or (whole % by == 0 and (not block or whole // by % block == 0))


def heads_fit(c: Any, tp: int) -> bool:
    latent, kv = "kv_lora_rank" in c or "o_groups" in c, c["num_key_value_heads"] or 8
    copied = latent or kv % tp == 0 or tp % kv == 0
    linear = (c.get("linear_attn_config") or {}).get("num_heads", tp)
    if any(c.get(f"linear_num_{which}_heads", linear) % tp for which in ("key", "value")):
        return False
    sliding = (
        (c.get("attention_other_setting") or {}).get("num_attention_heads") or c.get("swa_num_attention_heads") or tp
    )
    return c["num_attention_heads"] % tp == 0 and sliding % tp == 0 and copied and c.get("o_groups", tp) % tp == 0


def vllm(engine: str, c: Any, precision: str, tp: int, pp: int, dp: int, ep: int) -> bool:
    experts, block, v4 = experts_of(c), block_of(c, precision), "o_groups" in c
    width, shared, dense = widths(c)
    if pp > 1 and c["architectures"][0].startswith("Llama4"):
        return False
    if not heads_fit(c, tp) or -(-c["vocab_size"] // 64) * 64 % tp or pp > c["num_hidden_layers"]:
        return False
    if not (v4 or cut(shared, tp, block)) or not cut(dense, tp, block):
        return False
    if experts and ep == 1:
        fp4 = v4 and precision == "fp4-mix"
        return cut(width, tp * dp, 32 if fp4 else block)
    if engine == "vLLM Gaudi" and experts and ep > 1 and precision == "fp8":
        return False
    return ep in (1, tp * dp) and not (v4 and engine == "vLLM ROCm" and experts % tp)


def sglang(engine: str, c: Any, precision: str, tp: int, pp: int, dp: int, ep: int) -> bool:
    experts, block = experts_of(c), block_of(c, precision)
    width, shared, dense = widths(c)
    ranks, all_to_all = tp * dp, dp > 1 and ep == tp * dp
    if not heads_fit(c, tp) or pp > c["num_hidden_layers"] or ranks % ep:
        return False
    if not experts:
        return cut(dense, ranks, block)
    spare = -experts % ep
    aiter = engine == "SGLang ROCm"
    return (
        (ranks == 1 or ranks <= experts + spare)
        and cut(width, ranks // ep, 0 if aiter else block)
        and (all_to_all or cut(shared, ranks, block))
    )


def tensorrt(c: Any, tp: int, pp: int, dp: int, ep: int) -> bool:
    ranks, experts = tp * dp, experts_of(c)
    groups = tp == 1 if dp > 1 else c["num_attention_heads"] % tp == 0
    whole = not experts or (ranks % ep == 0 and ep <= experts and cut(widths(c)[0], ranks // ep))
    return groups and whole and pp <= c["num_hidden_layers"]


def ktransformers(c: Any, precision: str, tp: int, pp: int, dp: int, ep: int) -> bool:
    """SGLang's rules for what stays on the GPUs; the experts are not cut."""
    fits = heads_fit(c, tp) and tp <= 8 and tp <= experts_of(c) and pp == dp == ep == 1
    return fits and cut(widths(c)[1], tp, block_of(c, precision))


def trains(c: Any, tp: int, ep: int) -> bool:
    width, shared, dense = widths(c)
    latent = "kv_lora_rank" in c
    fits = c["num_attention_heads"] % tp == 0 and (latent or (c["num_key_value_heads"] or 8) % tp == 0)
    fits = fits and cut(dense, tp) and cut(shared, tp)
    return fits and (not experts_of(c) or ep > 1 or cut(width, tp)) and (ep == 1 or experts_of(c) % ep == 0)
