"""The sizes of a model that engines divide over GPUs, from any Hugging Face config, understood for memory or not.

A size that a config does not say is None: unknown, never guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from catalogs.engines.tables import sourced, table
from catalogs.llm import Llm, get
from catalogs.registry import shipped_names

Config = Mapping[str, Any]
V4 = ("v4", "v4.1")
ENDS = re.compile(
    r"[-_ ](fp8|nvfp4|mxfp4|mxfp8|fp4|w8a8|w4a8|int4|int8|awq|gptq|bf16)"
    r"([-_ ](v\d|preview|dynamic|static|block|int4|pertensor|per-tensor))*$",
    re.I,
)
"""The weight format at the end of a repository's name, and what may stand behind it."""
TUNED = re.compile(r"[-_ ](it|instruct|chat|base|thinking|reasoning|speciale|dspark|exp|preview|v0\.\d|\d{4})$", re.I)
"""What a maker puts behind a name for another training of the same network, its date included: no size changes."""


@dataclass(frozen=True)
class ModelSizes:
    """Sizes in heads, units and layers; None is unknown, 0 is none of it.

    `mla`: one latent instead of kv heads. `dense_width`: of dense layers, 0 where the model has none. `fp8_block`:
    side of the blocks of block-FP8 weights, 0 for other weights. `weights`: format of the routed experts."""

    name: str
    family: str | None
    heads: int | None
    kv_heads: int | None
    mla: bool | None
    vocabulary: int | None
    layers: int | None
    hidden: int | None
    experts: int | None
    expert_width: int | None
    shared_width: int | None
    dense_width: int | None
    o_groups: int | None
    linear_key_heads: int | None
    linear_value_heads: int | None
    fp8_block: int | None
    weights: str | None

    @property
    def padded_vocabulary(self) -> int | None:
        """The vocabulary filled up to a multiple of 64, as vLLM does."""
        return None if self.vocabulary is None else 64 * -(-self.vocabulary // 64)


def unknown(name: str) -> ModelSizes:
    """A model of which nothing is known."""
    return ModelSizes(name, *(None for _ in fields(ModelSizes)[1:]))


def from_config(config: Config, name: str = "") -> ModelSizes:
    """The sizes that a config.json states, of the language model where it has more parts."""
    text = next((c for k in ("text_config", "llm_config") if isinstance(c := config.get(k), dict)), config)
    family = _family(config, text)
    heads, experts = _heads(text), _experts(text)
    kv_heads = _whole(text, "num_key_value_heads", "num_attention_groups")
    width = _expert_width(text, experts)
    linear = text.get("linear_attn_config") or {}
    block, weights = _weights(config, text)
    return ModelSizes(
        name=name,
        family=family,
        heads=heads,
        kv_heads=heads if kv_heads is None else kv_heads,
        mla="kv_lora_rank" in text or "o_groups" in text,
        vocabulary=_whole(text, "vocab_size"),
        layers=_layers(text),
        hidden=_whole(text, "hidden_size"),
        experts=experts,
        expert_width=width,
        shared_width=_shared_width(text, experts, width, family),
        dense_width=_dense_width(text, experts),
        o_groups=_whole(text, "o_groups") or 0,
        linear_key_heads=_whole(text, "linear_num_key_heads", "linear_num_heads") or _whole(linear, "num_heads") or 0,
        linear_value_heads=_whole(text, "linear_num_value_heads", "linear_num_heads")
        or _whole(linear, "num_heads")
        or 0,
        fp8_block=block,
        weights=weights,
    )


def _whole(config: Config, *names: str) -> int | None:
    """The first of these fields that holds a positive whole number."""
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None


def _heads(config: Config) -> int | None:
    """Heads of queries; where layers with a window have another number, what divides both."""
    heads, other = _whole(config, "num_attention_heads"), config.get("attention_other_setting")
    sliding = _whole(config, "swa_num_attention_heads", "num_sliding_attention_heads")
    if isinstance(other, dict):
        sliding = sliding or _whole(other, "num_attention_heads")
    each = config.get("num_attention_heads_per_layer")
    if heads is not None and isinstance(each, list) and each and all(isinstance(one, int) for one in each):
        return math.gcd(*each)
    return heads if heads is None or sliding is None else math.gcd(heads, sliding)


def _layers(config: Config) -> int | None:
    """Layers of the network; hybrids may list the kind of each instead of a number."""
    if (said := _whole(config, "num_hidden_layers")) is not None:
        return said
    kinds = config.get("layers_block_type") or config.get("hybrid_override_pattern") or ()
    return len(kinds) if isinstance(kinds, list | str) and kinds else None


def _family(config: Config, text: Config) -> str | None:
    names = (config.get("architectures") or text.get("architectures") or [""])[0]
    kinds = {str(config.get("model_type")), str(text.get("model_type"))}
    rows = [r for r in table("families") if r["architecture"] == names]
    named = next((row for row in rows if row["model_type"] in kinds), None)
    found = named or next((row for row in rows if not row["model_type"]), None)
    return found["family"] if found else None


def _experts(config: Config) -> int:
    return _whole(config, "n_routed_experts", "num_experts", "num_local_experts", "moe_num_experts") or 0


def _expert_width(config: Config, experts: int) -> int | None:
    """MiniMax, gpt-oss and Mixtral call it intermediate_size, as they have no dense layers."""
    return _whole(config, "moe_intermediate_size", "intermediate_size") if experts else 0


def _shared_width(config: Config, experts: int, width: int | None, family: str | None) -> int | None:
    said = (
        "shared_expert_intermediate_size",
        "moe_shared_expert_intermediate_size",
        "shared_intermediate_size",
        "share_expert_dim",
        "share_expert_dims",
    )
    if not experts:
        return 0
    if (found := _whole(config, *said)) is not None:
        return found
    count = _whole(config, "n_shared_experts", "num_shared_experts", "moe_num_shared_experts") or 0
    if family == "llama-4":
        count = 1
    return None if count and width is None else count * (width or 0)


def _dense_width(config: Config, experts: int) -> int | None:
    if not experts:
        return _whole(config, "intermediate_size") or _searched_width(config)
    frequency = config.get("moe_layer_freq")
    mixed = (
        _whole(config, "first_k_dense_replace")
        or config.get("mlp_only_layers")
        or (isinstance(frequency, list) and 0 in frequency)
        or "dense" in (config.get("mlp_layer_types") or ())
        or config.get("moe_layers_enum")
        or (_whole(config, "decoder_sparse_step") or 1) > 1
        or (_whole(config, "interleave_moe_layer_step") or 1) > 1
        or config.get("enable_moe_block")
    )
    return _whole(config, "dense_intermediate_size", "intermediate_size_mlp", "intermediate_size") if mixed else 0


def _searched_width(config: Config) -> int | None:
    """What divides the width of every layer of a network whose layers were searched one by one (Nemotron NAS).

    Each width is 2/3 of a multiple of the hidden size, filled up to 256 (modeling_decilm.py of the repositories)."""
    hidden, blocks = _whole(config, "hidden_size"), config.get("block_configs")
    if hidden is None or not isinstance(blocks, list):
        return None
    shares = [ffn.get("ffn_mult") for b in blocks if isinstance(ffn := b.get("ffn"), dict)]
    widths = [256 * -(-int(2 * share * hidden / 3) // 256) for share in shares if isinstance(share, int | float)]
    return math.gcd(*widths) if widths else None


def _weights(config: Config, text: Config) -> tuple[int | None, str | None]:
    """(side of FP8 blocks, format of the experts) of the stored weights."""
    q = config.get("quantization_config") or text.get("quantization_config") or {}
    if not isinstance(q, dict):
        return None, None
    method, algorithm = str(q.get("quant_method", "")), str(q.get("quant_algo", ""))
    sides = q.get("weight_block_size")
    block = int(sides[0]) if method == "fp8" and isinstance(sides, list) and sides else 0
    fp4 = (q.get("expert_dtype") or text.get("expert_dtype") or config.get("expert_dtype")) == "fp4"
    if fp4 or q.get("store_dtype") == "mxfp4":
        return block, "mxfp4"
    if "NVFP4" in algorithm or (algorithm == "MIXED_PRECISION" and "nvfp4" in str(q).lower()):
        return block, "nvfp4"
    if method == "compressed-tensors":
        return _compressed(q)
    if method == "quark":  # AMD: FP4 experts, often with FP8 attention; both are named
        said = str(q).casefold()
        return 0, next((weights for word, weights in (("fp4", "mxfp4"), ("fp8", "fp8")) if word in said), None)
    names = {"mxfp4": "mxfp4", "mxfp8": "mxfp8", "awq": "int4", "gptq": "int4"}
    if block:
        return block, "block-fp8"
    if method == "fp8" or algorithm == "FP8":
        return 0, "fp8"
    return 0, names.get(method, None if method else "bf16")


def _compressed(config: Config) -> tuple[int | None, str | None]:
    """(side of FP8 blocks, format) of weights stored by compressed-tensors."""
    said = str(config.get("config_groups", config))
    if found := next((f for f in ("nvfp4", "mxfp4") if f in said or f in str(config.get("format"))), None):
        return 0, found
    groups = config.get("config_groups")
    weights = [g.get("weights") or {} for g in groups.values()] if isinstance(groups, dict) else []
    kinds = {(w.get("num_bits"), w.get("type")) for w in weights}
    if (8, "float") in kinds:
        side = next((int(b[0]) for w in weights if isinstance(b := w.get("block_structure"), list) and b), 0)
        return side, "block-fp8" if side else "fp8"
    return 0, "int8" if (8, "int") in kinds else "int4" if "'num_bits': 4" in said else None


@cache
def of(llm: Llm, precision: str) -> ModelSizes:
    """The sizes of a model that dsopt knows, with its weights in one of its formats."""
    found = from_config(llm.config, llm.id)
    block, weights = found.fp8_block or 0, {"fp4-mix": "mxfp4", "fp16": "bf16"}.get(precision, precision)
    if precision == "fp8":
        block = _own_block(llm) if llm.native_precision == "fp8" else block or fp8_block(found.family)
        weights = "block-fp8" if block else "fp8"
    elif found.family not in V4:
        block = 0
    return replace(found, fp8_block=block, weights=weights)


def _own_block(llm: Llm) -> int:
    """Side of the blocks of a checkpoint's own FP8 weights, 0 for scales of whole matrices or rows."""
    scales = llm.scales["fp8"]
    return scales.rows if scales.rows == scales.columns else 0


@cache
def fp8_block(family: str | None) -> int:
    """Side of the blocks of a family's FP8 conversions, 0 for per-tensor scales (fp8_blocks.csv)."""
    return next((int(r["block"]) for r in table("fp8_blocks") if sourced(r) and r["family"] == family), 0)


@cache
def _known() -> dict[str, ModelSizes]:
    """Models by the repository's name in small letters, without its owner (model_sizes.csv)."""
    out = {}
    for row in table("model_sizes"):
        assert sourced(row)
        out[_bare(row["name"])] = _record(row)
    return out


@cache
def _of_other_trainings() -> dict[str, ModelSizes]:
    """The same models by their names without what tells one training of a network from another."""
    return {_network(bare): sizes for bare, sizes in _known().items() if _network(bare) not in _known()}


@cache
def _of_conversions() -> dict[str, ModelSizes]:
    """Models of which only conversions are at hand, by the name without the format: sizes are known, weights not."""
    found = {ENDS.sub("", bare): sizes for bare, sizes in _known().items() if ENDS.search(bare)}
    return {
        name: replace(sizes, fp8_block=sizes.fp8_block if sizes.family in V4 else None, weights=None)
        for name, sizes in found.items()
    }


def _network(bare: str) -> str:
    """A name without what says how the network was trained."""
    while match := TUNED.search(bare):
        bare = bare[: match.start()]
    return bare


def _record(row: Mapping[str, str]) -> ModelSizes:
    """A row of model_sizes.csv; a blank cell is unknown."""
    values: dict[str, Any] = {f.name: int(row[f.name]) if row[f.name].isdigit() else None for f in fields(ModelSizes)}
    texts = {name: row[name] or None for name in ("name", "family", "weights")}
    return ModelSizes(**{**values, **texts, "mla": row["mla"] == "1"})


def _bare(name: str) -> str:
    """A repository's name without its owner."""
    return name.strip().rpartition("/")[2].casefold()


@cache
def named(name: str) -> ModelSizes:
    """The sizes of a model by id or Hugging Face name; a conversion (`nvidia/X-NVFP4`) has the sizes of X, and so has
    another training of the same network (`X-Thinking`, `X-0813`).

    A name that nobody knows has no known sizes."""
    bare = _bare(name)
    found = _known().get(bare) or _shipped(bare)
    if found is None and (match := ENDS.search(bare)):
        base = named(bare[: match.start()])
        found = None if base.heads is None else _converted(base, name, match[1].casefold())
    found = found or _of_conversions().get(bare)
    if found is None and (match := TUNED.search(bare)):
        nearer = named(bare[: match.start()])
        found = nearer if nearer.heads is not None else _of_other_trainings().get(_network(bare))
    return replace(found, name=name) if found else unknown(name)


def _shipped(bare: str) -> ModelSizes | None:
    """The sizes of a model that is shipped with dsopt, in the format of its own config."""
    for owner in ("", "deepseek-ai/", "qwen/", "meta-llama/", "openai/", "minimaxai/", "nvidia/"):
        if owner + bare in shipped_names() and not ENDS.search(bare):
            return from_config(get(owner + bare).config, bare)
    return None


def _converted(base: ModelSizes, name: str, weights: str) -> ModelSizes:
    """A model with its weights in another format."""
    keeps = base.family in V4
    if weights == "fp8":
        block = base.fp8_block or fp8_block(base.family)
        return replace(base, name=name, fp8_block=block, weights="block-fp8" if block else "fp8")
    short = {"fp4": "nvfp4", "w8a8": "int8", "awq": "int4", "gptq": "int4"}.get(weights, weights)
    return replace(base, name=name, fp8_block=base.fp8_block if keeps else 0, weights=short)
