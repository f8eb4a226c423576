"""Model registry: exact weight bytes and KV bytes from architecture files (catalogs/llms/*.json).

Formulas: Hugging Face reference implementations (deepseek_v2, v3, v32, v4, qwen2, qwen3, llama), checked against the
published totals in tests. GB are 1e9 bytes. The MTP module is not counted.
"""

from __future__ import annotations

import csv
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from catalogs.errors import InputError

DATA = Path(__file__).parent / "llms"
ORDER = ("fp16", "bf16", "fp8", "int8", "fp4-mix", "int4", "nvfp4", "mxfp4")


@dataclass(frozen=True)
class Linear:
    """`count` equal weight matrices of `out` x `into`; `share` is the part of them that one token uses."""

    out: int
    into: int
    count: int = 1
    expert: bool = False

    @property
    def params(self) -> int:
        return self.out * self.into * self.count

    def bytes(self, precision: str, scale_bytes: int) -> int:
        """Bytes with scales: block-FP8 128x128, int4 groups of 128, nvfp4 groups of 16, mxfp4 groups of 32."""
        n, out, into = self.out * self.into, self.out, self.into
        if precision in ("bf16", "fp16"):
            one = 2 * n
        elif precision == "fp8":
            one = n + scale_bytes * -(-out // 128) * -(-into // 128)
        elif precision == "int8":
            one = n + 2 * out
        elif precision == "int4":
            one = n // 2 + out * -(-into // 128) * 5 // 2
        elif precision == "nvfp4":
            one = n // 2 + out * -(-into // 16) + 4
        elif precision in ("mxfp4", "fp4-mix"):
            one = n // 2 + out * -(-into // 32)
        else:
            raise InputError(f"no weight format {precision!r}", "unknown-precision", f"One of: {', '.join(ORDER)}.")
        return one * self.count


@dataclass(frozen=True)
class Layer:
    """One transformer layer: matrices, and what stays as shipped (`bf16`, `fp32` in parameters, `extra_bytes`)."""

    linears: tuple[Linear, ...]
    bf16: int
    fp32: int = 0
    extra_bytes: int = 0
    vectors: int = 0


@dataclass(frozen=True, eq=False)
class Llm:
    """One model, equal only to itself. Scaled guide names keep the architecture and scale the weights by `scale`."""

    id: str
    name: str
    architecture: str
    attention: str
    native_precision: str
    min_precision_bits: int
    max_context: int
    source: str
    config: Mapping[str, Any] = field(repr=False, hash=False, compare=False)
    layer_list: tuple[Layer, ...] = field(repr=False, hash=False, compare=False)
    head: Layer = field(repr=False, hash=False, compare=False)
    scale_bytes: int = 4
    hf_names: tuple[str, ...] = ()
    note: str = ""
    note_zh: str = ""
    scale: Fraction = Fraction(1)

    @property
    def layers(self) -> int:
        return len(self.layer_list)

    @property
    def hidden(self) -> int:
        return int(self.config["hidden_size"])

    @property
    def heads(self) -> int:
        return int(self.config["num_attention_heads"])

    @property
    def kv_heads(self) -> int:
        return int(self.config["num_key_value_heads"]) if self.attention == "gqa" else 1

    @property
    def experts(self) -> int:
        return int(self.config.get("n_routed_experts") or self.config.get("num_experts") or 0)

    @property
    def experts_per_token(self) -> int:
        return int(self.config.get("num_experts_per_tok") or 0) if self.experts else 0

    @property
    def is_moe(self) -> bool:
        return self.experts > 0

    @cached_property
    def moe_layers(self) -> int:
        return sum(any(x.expert for x in y.linears) for y in self.layer_list)

    @property
    def dense_layers(self) -> int:
        return self.layers - self.moe_layers

    def _count(self, want: Any) -> int:
        total = sum(sum(x.params for x in y.linears if want(x)) for y in (*self.layer_list, self.head))
        return total

    @cached_property
    def params_total(self) -> int:
        rest = sum(y.bf16 + y.fp32 for y in (*self.layer_list, self.head))
        return int((self._count(lambda x: True) + rest) * self.scale)

    @cached_property
    def params_routed_experts(self) -> int:
        return int(self._count(lambda x: x.expert) * self.scale)

    @cached_property
    def params_active(self) -> int:
        """Parameters that one token uses: the embedding table and the experts not chosen are left out."""
        experts = self.params_routed_experts
        idle = experts - (experts * self.experts_per_token // self.experts if self.experts else 0)
        return self.params_total - idle - int(self.config["vocab_size"] * self.hidden * self.scale)

    def precisions(self) -> tuple[str, ...]:
        """Weight formats that exist for the model, highest first."""
        full = "fp16" if self.id in ("v2-670b", "r1-33b") else "bf16"
        mine = {full, "fp8", "int8", "int4", "nvfp4", "mxfp4"}
        if self.architecture == "deepseek-v4":
            mine = {"fp8", "fp4-mix", "nvfp4"}
        return tuple(p for p in ORDER if p in mine)

    def _layer(self, y: Layer, precision: str, *, experts: bool = False) -> int:
        rest = "fp8" if precision == "fp4-mix" else precision
        scale = self.scale_bytes if precision == self.native_precision else 4
        total = sum(x.bytes(precision if x.expert else rest, scale) for x in y.linears if x.expert or not experts)
        return total if experts else total + 2 * y.bf16 + 4 * y.fp32 + y.extra_bytes

    @cache  # noqa: B019 - models live as long as the program
    def layer_bytes(self, precision: str) -> tuple[int, ...]:
        """Bytes of each transformer layer, routed experts included, in order."""
        self._known(precision)
        return tuple(int(self._layer(y, precision) * self.scale) for y in self.layer_list)

    @cache  # noqa: B019
    def weight_bytes(self, precision: str) -> int:
        """Bytes of the main model. Raises InputError for a format that does not exist for it."""
        self._known(precision)
        return int(sum(self._layer(y, precision) for y in (*self.layer_list, self.head)) * self.scale)

    def head_bytes(self, precision: str) -> int:
        """Embedding, output head and final norm: what the first and last pipeline stage hold on top."""
        return self.weight_bytes(precision) - sum(self.layer_bytes(precision))

    @cache  # noqa: B019
    def expert_bytes(self, precision: str) -> int:
        """The routed experts' part of `weight_bytes`."""
        self._known(precision)
        return int(sum(self._layer(y, precision, experts=True) for y in self.layer_list) * self.scale)

    def _known(self, precision: str) -> None:
        same = {"fp16": "bf16", "bf16": "fp16"}
        if precision not in self.precisions() and same.get(precision) not in self.precisions():
            have = ", ".join(self.precisions())
            raise InputError(f"{self.id} has no {precision} weights", "unknown-precision", f"It has: {have}.")

    def kv_layer_bytes(self, tokens: int, kv: str) -> tuple[int, ...]:
        """KV cache of one sequence of `tokens`, per layer."""
        c, b = self.config, 2 if kv == "bf16" else 1
        if self.attention == "gqa":
            each = 2 * self.kv_heads * _head_dim(c) * b * tokens
        elif self.attention == "mla":
            each = (c["kv_lora_rank"] + c["qk_rope_head_dim"]) * b * tokens
        elif self.attention == "dsa":
            latent = (c["kv_lora_rank"] + c["qk_rope_head_dim"]) * 2 if kv == "bf16" else 656
            each = (latent + c["index_head_dim"] + 4) * tokens
        else:
            return tuple(_v4_kv(r, tokens, kv) for r in c["compress_ratios"][: self.layers])
        return (each,) * self.layers

    def kv_bytes(self, tokens: int, kv: str) -> int:
        """KV cache of one sequence of `tokens`."""
        return sum(self.kv_layer_bytes(tokens, kv))

    def kv_shards(self, tp: int) -> int:
        """By how many ranks tensor parallelism splits one sequence's KV: not at all for a shared latent."""
        return min(tp, self.kv_heads) if self.attention == "gqa" else 1

    @cache  # noqa: B019
    def linear_flops_per_token(self) -> int:
        """2 x active matmul weights."""
        vectors = sum(y.vectors for y in (*self.layer_list, self.head))
        return 2 * (self.params_active - int(vectors * self.scale))

    def attention_flops(self, context: int, phase: str) -> int:
        """Attention FLOPs of one new token at `context`, over all layers."""
        c, n, heads = self.config, self.layers, self.heads
        if self.attention == "gqa":
            return int(4 * n * heads * _head_dim(c) * context)
        if self.attention == "v4":
            ratios = c["compress_ratios"][:n]
            n4, n128 = ratios.count(4), ratios.count(128)
            seen = n * min(context, 128) + n4 * min(c["index_topk"], context // 4) + n128 * (context // 128)
            return int(
                4 * heads * c["head_dim"] * seen + 2 * c["index_n_heads"] * c["index_head_dim"] * n4 * context // 4
            )
        rank, rope = c["kv_lora_rank"], c["qk_rope_head_dim"]
        if self.attention == "dsa":
            index = 2 * n * c["index_n_heads"] * c["index_head_dim"] * context
            return int(2 * n * heads * (2 * rank + rope) * min(context, c["index_topk"]) + index)
        if phase == "decode":
            return int(2 * n * heads * (2 * rank + rope) * context)
        return int(2 * n * heads * (c["qk_nope_head_dim"] + rope + c["v_head_dim"]) * context)


def _head_dim(c: Mapping[str, Any]) -> int:
    return int(c.get("head_dim") or c["hidden_size"] // c["num_attention_heads"])


def _v4_kv(ratio: int, tokens: int, kv: str) -> int:
    entry, index = (1024, 256) if kv == "bf16" else (584, 132)
    out = min(tokens, 128) * entry
    if ratio == 4:
        out += tokens // 4 * (entry + index) + 8 * (8192 + 2048)
    elif ratio == 128:
        out += tokens // 128 * entry + 128 * 4096
    return out


ARCHITECTURES = {
    "DeepseekV2ForCausalLM": ("deepseek-v2", "mla"),
    "DeepseekV3ForCausalLM": ("deepseek-v3", "mla"),
    "DeepseekV32ForCausalLM": ("deepseek-v3.2", "dsa"),
    "DeepseekV4ForCausalLM": ("deepseek-v4", "v4"),
    "Qwen2ForCausalLM": ("qwen2", "gqa"),
    "Qwen3ForCausalLM": ("qwen3", "gqa"),
    "LlamaForCausalLM": ("llama", "gqa"),
    "Qwen3MoeForCausalLM": ("qwen3-moe", "gqa"),
}


def from_config(config: Mapping[str, Any], **facts: Any) -> Llm:
    """A model from a Hugging Face config; an architecture not understood is refused by name."""
    names = config.get("architectures") or ["(none)"]
    if names[0] not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InputError(f"architecture {names[0]!r} is not understood", "unknown-architecture", f"Known: {known}.")
    architecture, attention = ARCHITECTURES[names[0]]
    build = {"mla": _mla_layer, "dsa": _mla_layer, "v4": _v4_layer, "gqa": _gqa_layer}[attention]
    layers = tuple(build(config, i) for i in range(config["num_hidden_layers"]))
    h, vocab = config["hidden_size"], config["vocab_size"]
    x = config.get("hc_mult", 0)
    fp32, vectors = (x * x * h + x + 1, x + 1) if x else (0, 0)
    tables = 1 if config.get("tie_word_embeddings") else 2
    head = Layer((), tables * vocab * h + h, fp32, 0, h + vectors)
    return Llm(
        architecture=architecture,
        attention=attention,
        config=config,
        layer_list=layers,
        head=head,
        scale_bytes=1 if attention == "v4" else 4,
        **facts,
    )


def _ffn(c: Mapping[str, Any], i: int) -> tuple[list[Linear], int, int]:
    """(matrices, bf16 parameters, fp32 parameters) of layer i's feed-forward part."""
    h = c["hidden_size"]
    experts = c.get("n_routed_experts") or c.get("num_experts") or 0
    if not experts or i < c.get("first_k_dense_replace", 0):
        n = c["intermediate_size"]
        return [Linear(n, h, 2), Linear(h, n)], 0, 0
    m = c["moe_intermediate_size"]
    out = [Linear(m, h, 2 * experts, True), Linear(h, m, experts, True)]
    shared = (c.get("n_shared_experts") or 0) * m
    if shared:
        out += [Linear(shared, h, 2), Linear(h, shared)]
    bias = experts if c.get("topk_method") == "noaux_tc" and i >= c.get("num_hash_layers", 0) else 0
    return out, experts * h, bias


def _mla_layer(c: Mapping[str, Any], i: int) -> Layer:
    h, heads, k = c["hidden_size"], c["num_attention_heads"], c["kv_lora_rank"]
    n, r, v, q = c["qk_nope_head_dim"], c["qk_rope_head_dim"], c["v_head_dim"], c.get("q_lora_rank")
    attention = [Linear(k + r, h), Linear(heads * (n + v), k), Linear(h, heads * v)]
    attention += [Linear(q, h), Linear(heads * (n + r), q)] if q else [Linear(heads * (n + r), h)]
    norms = 2 * h + k + (q or 0)
    linears, router, bias = _ffn(c, i)
    index_bf16, index_fp32 = 0, 0
    if "index_head_dim" in c:
        width, count = c["index_head_dim"], c["index_n_heads"]
        attention += [Linear(width * count, q or h), Linear(width, h)]
        index_bf16, index_fp32 = h * count, 2 * width
    return Layer((*attention, *linears), norms + router + index_bf16, bias + index_fp32, 0, norms + bias + index_fp32)


def _gqa_layer(c: Mapping[str, Any], i: int) -> Layer:
    h, heads, kv, d = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"], _head_dim(c)
    linears, router, bias = _ffn(c, i)
    kind = c["architectures"][0]
    extra = (heads + 2 * kv) * d if kind == "Qwen2ForCausalLM" else 2 * d if kind.startswith("Qwen3") else 0
    attention = [Linear(heads * d, h), Linear(kv * d, h, 2), Linear(h, heads * d)]
    return Layer((*attention, *linears), 2 * h + extra + router, bias, 0, 2 * h + extra + bias)


def _v4_layer(c: Mapping[str, Any], i: int) -> Layer:
    h, heads, d, q = c["hidden_size"], c["num_attention_heads"], c["head_dim"], c["q_lora_rank"]
    groups, o, ratio, x = c["o_groups"], c["o_lora_rank"], c["compress_ratios"][i], c["hc_mult"]
    attention = [
        Linear(q, h),
        Linear(heads * d, q),
        Linear(d, h),
        Linear(groups * o, heads * d // groups),
        Linear(h, groups * o),
    ]
    norms, bf16, fp32 = 2 * h + q + d, 0, heads
    vectors = heads
    if ratio:
        f = 2 if ratio == 4 else 1
        bf16 += 2 * h * f * d
        fp32 += ratio * f * d
        vectors += ratio * f * d
        norms += d
    if ratio == 4:
        width, count = c["index_head_dim"], c["index_n_heads"]
        attention.append(Linear(width * count, q))
        bf16 += h * count + 2 * h * 2 * width
        fp32 += 4 * 2 * width
        vectors += 4 * 2 * width
        norms += width
    hyper_small = 2 * ((2 + x) * x + 3)
    fp32 += 2 * (2 + x) * x * x * h + hyper_small
    linears, router, bias = _ffn(c, i)
    table = c["vocab_size"] * c["num_experts_per_tok"] * 8 if i < c.get("num_hash_layers", 0) else 0
    return Layer(
        (*attention, *linears),
        bf16 + norms + router,
        fp32 + bias,
        table,
        norms + vectors + hyper_small + bias,
    )


@cache
def _registry() -> tuple[dict[str, str], ...]:
    with (DATA / "registry.csv").open(encoding="utf-8", newline="") as f:
        return tuple(csv.DictReader(f))


@cache
def _open(row_id: str) -> Llm:
    row = next(r for r in _registry() if r["id"] == row_id)
    config = json.loads((DATA / row["config"]).read_text(encoding="utf-8"))
    llm = from_config(
        config,
        id=row["id"],
        name=row["name"],
        native_precision=row["native_precision"],
        min_precision_bits=int(row["min_precision_bits"]),
        max_context=config["max_position_embeddings"],
        source=row["source"],
        hf_names=tuple(filter(None, row["hf_names"].split("|"))),
        note=row["note"],
        note_zh=row["note_zh"],
    )
    if row["full_bytes"]:
        llm = replace(llm, scale=Fraction(int(row["full_bytes"]), llm.weight_bytes("bf16")))
    return llm


def all_models() -> list[Llm]:
    """Every model of the registry."""
    return [_open(r["id"]) for r in _registry()]


def get(name: str) -> Llm:
    """A model by id, Hugging Face name or alias, in any case; raises InputError with the nearest names."""
    wanted = name.strip().casefold()
    names: dict[str, str] = {}
    for r in _registry():
        for n in (r["id"], r["name"], *r["hf_names"].split("|")):
            if n:
                names.setdefault(n.casefold(), r["id"])
    if wanted in names:
        return _open(names[wanted])
    near = difflib.get_close_matches(wanted, list(names), n=3, cutoff=0.4)
    remedy = f"Nearest: {', '.join(near)}." if near else "See `dsopt models list`."
    raise InputError(f"no model named {name!r}", "unknown-model", remedy)
