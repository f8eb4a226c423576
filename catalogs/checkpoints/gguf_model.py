"""A GGUF file as a model: its entries as a config, its tensors' types as the format of each module.

Keys and names of tensors: ggml-org/llama.cpp gguf-py/gguf/constants.py, tensor_mapping.py and convert_hf_to_gguf.py,
as tables in catalogs/llms/gguf/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from catalogs.checkpoints.gguf import Header, Long
from catalogs.checkpoints.names import Names, bare
from catalogs.checkpoints.schemes import WHOLE, Scheme, UnknownScheme, Weights
from catalogs.checkpoints.weight_files import Tensor
from catalogs.errors import Fault, InputError
from catalogs.formats import FILE
from catalogs.inputs import shipped_rows
from catalogs.message import message

FOLDER = FILE.parent / "gguf"
MODELS = {
    "llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "qwen3": "Qwen3ForCausalLM",
    "qwen3moe": "Qwen3MoeForCausalLM", "gpt-oss": "GptOssForCausalLM", "minimax-m2": "MiniMaxM2ForCausalLM",
    "glm4moe": "Glm4MoeForCausalLM", "deepseek2": "DeepseekV3ForCausalLM",
}  # fmt: skip
"""llama.cpp's name of an architecture -> Hugging Face's."""
SIGMOID = 2
"""`expert_gating_func` of DeepSeek-V3; V2 has another."""
REMEDY = "Put the model's config.json beside it."


def config_of(header: Header, tensors: Mapping[str, Tensor | None], path: Path) -> dict[str, Any]:
    """A config.json's fields out of a header. Raises InputError for an architecture that is not understood."""
    entries = header.entries
    name = str(entries.get("general.architecture"))
    if name not in MODELS or (name == "llama" and entries.get("llama.expert_count")):
        text = message("GGUF files of architecture {name} are not understood", name=name[:40])
        raise InputError(Fault("unknown-architecture", text, str(path), remedy=REMEDY))
    config: dict[str, Any] = {"architectures": [MODELS[name]], "hidden_act": "silu", "model_type": name}
    for row in shipped_rows(FOLDER / "fields.csv"):
        if not row["architectures"] or name in row["architectures"].split("|"):
            value = entries.get(f"{name}.{row['key']}")
            if value is not None:
                config[row["field"]] = value
    if "vocab_size" not in config and isinstance(words := entries.get("tokenizer.ggml.tokens"), Long):
        config["vocab_size"] = words.length
    config["tie_word_embeddings"] = "output.weight" not in tensors
    _of_kind(name, config, entries, tensors)
    return config


def _of_kind(
    name: str, config: dict[str, Any], entries: Mapping[str, Any], tensors: Mapping[str, Tensor | None]
) -> None:
    """What single architectures say otherwise than in an entry of their own."""

    def entry(key: str) -> int:
        value = entries.get(f"{name}.{key}")
        return value if isinstance(value, int) else 0

    if name == "deepseek2":
        if entry("expert_gating_func") != SIGMOID:
            config["architectures"] = ["DeepseekV2ForCausalLM"]
            config.setdefault("q_lora_rank", None)
        keys = entry("attention.key_length_mla") or entry("attention.key_length")
        config["qk_nope_head_dim"] = keys - entry("rope.dimension_count")
        config["v_head_dim"] = entry("attention.value_length_mla") or entry("attention.value_length")
    if name == "glm4moe":
        config["num_hidden_layers"] = entry("block_count") - entry("nextn_predict_layers")
        config["attention_bias"] = "blk.0.attn_q.bias" in tensors
        config["use_qk_norm"] = "blk.0.attn_q_norm.weight" in tensors
    if name == "gpt-oss":
        pattern = entry("attention.sliding_window_pattern") or 2
        layers = range(min(entry("block_count"), 10_000))
        config["layer_types"] = [f"{'full' if (n + 1) % pattern == 0 else 'sliding'}_attention" for n in layers]
        config["attention_bias"] = True


def scheme_of(tensors: Mapping[str, Tensor | None], modules: Iterable[str]) -> Scheme:
    """The type of each module. Raises UnknownScheme for a module of which no tensor is there."""
    by_type: dict[str, list[str]] = {}
    for module in modules:
        place, _, inner = bare(module).partition(".")
        number, _, inner = inner.partition(".")
        within = f"blk.{number}." if place == "layers" else ""
        names = _names().get(inner if within else module, ())
        held = next((t for name in names if (t := tensors.get(f"{within}{name}.weight")) is not None), None)
        if held is None:
            raise UnknownScheme(f"no tensor of {module[:60]}")
        by_type.setdefault(held.dtype, []).append(module)
    listed = tuple((Names(tuple(found)), Weights(dtype)) for dtype, found in by_type.items())
    return Scheme(WHOLE, listed)


@cache
def _names() -> dict[str, tuple[str, ...]]:
    """Module inside its layer -> names that its tensor may have."""
    return {row["module"]: tuple(row["tensors"].split("|")) for row in shipped_rows(FOLDER / "tensors.csv")}
