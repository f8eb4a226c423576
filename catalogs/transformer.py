"""The arithmetic of one model: exact weight bytes, KV bytes and FLOPs per token, from its layers.

Formulas: Hugging Face reference implementations (see catalogs/architectures.py), checked against the published totals
in tests. GB are 1e9 bytes. The module for several tokens (MTP, DSpark) counts in `Llm.drafting` alone.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import Any

from catalogs.errors import InputError
from catalogs.file_kinds import (
    COUNTED_KINDS,
    FILE_KINDS,
    GGUF_KINDS,
    Network,
    alike_places,
    downs_before,
    gguf_bytes,
    kept_type,
    mlx_bytes,
    published_bytes,
    rest_as,
    valued_layers,
)
from catalogs.formats import BITS, DYNAMIC_KINDS, MLX_KINDS, SCALES, SIXTEEN, Scales, blocks, matrix_bytes, spelled
from catalogs.message import message


@dataclass(frozen=True)
class Linear:
    """`count` equal weight matrices of `out` x `into`, of routed experts or not, with or without a bias vector.

    `name`: the module that holds the first of them inside its layer (`self_attn.q_proj`). `stored`: the format in which
    the published checkpoint holds them, where it is not the model's native one. `whole`: kept in 16 bits (the output
    head) wherever no checkpoint says otherwise. `copied`: each tensor-parallel rank holds it whole. `looked_up`: a
    table of which a token reads rows, and is multiplied by none. `draft`: it is of the module for several tokens."""

    out: int
    into: int
    count: int = 1
    expert: bool = False
    bias: bool = False
    name: str = ""
    stored: str = ""
    whole: bool = False
    copied: bool = False
    looked_up: bool = False
    draft: bool = False

    @property
    def params(self) -> int:
        return self.out * self.into * self.count + self.biases

    @property
    def biases(self) -> int:
        return self.out * self.count if self.bias else 0

    def bytes(self, precision: str, scales: Mapping[str, Scales] = SCALES) -> int:
        """Bytes with scales; biases stay bf16."""
        return matrix_bytes(self.out, self.into, precision, scales) * self.count + 2 * self.biases


TWINS = {"k_proj": "v_proj", "gate_proj": "up_proj", "w1": "w3"}
"""The first of two equal matrices, whose name both go under here -> the second."""


def apart(linear: Linear) -> tuple[Linear, ...]:
    """Keys and values, or gate and up, that go under one name, each under its own; any other as it is."""
    place, dot, last = linear.name.rpartition(".")
    if last not in TWINS or linear.count % 2:
        return (linear,)
    half = replace(linear, count=linear.count // 2)
    return half, replace(half, name=f"{place}{dot}{TWINS[last]}")


@dataclass(frozen=True)
class Cache:
    """What one layer's attention keeps of a sequence: an entry per `stride` tokens, in bytes by KV format.

    `keep`: only the last so many entries stay (sliding window). `look`: at most so many are attended (top-k).
    `decode` and `prefill` are FLOPs per attended entry and new token. `heads`: over how many heads tensor parallelism
    splits it, where that is not the model's number of kv heads (1: each rank holds it whole). `borrowed`: another layer
    stores it, this one only reads it."""

    bf16: int
    fp8: int
    decode: int
    prefill: int
    stride: int = 1
    keep: int | None = None
    look: int | None = None
    heads: int | None = None
    borrowed: bool = False

    def bytes(self, kv: str) -> int:
        """Bytes of an entry in a KV format; q8_0 is llama.cpp's: 34 bytes for 32 values of 2 (gguf/types.csv)."""
        if kv == "q8_0":
            values, size = blocks()["q8_0"]
            return -(-self.bf16 * size // (2 * values))
        return self.bf16 if kv == "bf16" else self.fp8

    def kept(self, tokens: int) -> int:
        """Entries that the layer itself stores of a sequence of `tokens`."""
        return 0 if self.borrowed else _capped(tokens // self.stride, self.keep)

    def attended(self, tokens: int) -> int:
        """Entries that the last of `tokens` tokens looks at."""
        return _capped(_capped(tokens // self.stride, self.keep), self.look)

    def attended_sum(self, tokens: int) -> int:
        """Sum of `attended` over a causal prompt of `tokens`."""
        cap = min(x for x in (self.keep, self.look, tokens) if x is not None)
        rising = min(tokens, cap * self.stride)
        q = rising // self.stride
        return self.stride * q * (q - 1) // 2 + q * (rising - q * self.stride + 1) + cap * (tokens - rising)


def _capped(n: int, cap: int | None) -> int:
    return n if cap is None else min(n, cap)


@dataclass(frozen=True)
class State:
    """What a layer keeps of a sequence whatever its length, and rewrites with every token (linear attention, Mamba):
    `bytes` for each of `heads` heads, over which tensor parallelism splits it."""

    bytes: int
    heads: int

    def held(self, tp: int) -> int:
        """Bytes on the fullest of `tp` ranks; of fewer heads than ranks each rank holds a copy of one."""
        return self.bytes * -(-self.heads // tp)


@dataclass(frozen=True)
class Layer:
    """One transformer layer, or the embedding, output head and final norm.

    `bf16` and `fp32`: parameters that stay as shipped; `vectors`: those of them that are in no matrix product;
    `table_bytes`: tables that are looked up, not multiplied; `state_bytes`: running state of a sequence, whatever its
    length, that each rank holds whole; `state_flops`: FLOPs of a new token on running states; `states`: those that
    tensor parallelism splits by heads; `parts`: 2 for an attention (or its like) with a feed-forward part, 1 for one of
    them alone; `host_table_params`, `host_table_bytes`: tables beside the model's own parameters that some engines keep
    in host memory (Engram)."""

    linears: tuple[Linear, ...]
    bf16: int
    fp32: int = 0
    table_bytes: int = 0
    vectors: int = 0
    caches: tuple[Cache, ...] = ()
    state_bytes: int = 0
    state_flops: int = 0
    states: tuple[State, ...] = ()
    parts: int = 2
    host_table_params: int = 0
    host_table_bytes: int = 0

    @property
    def kept_bytes(self) -> int:
        """Running state of a sequence, all heads together."""
        return self.state_bytes + sum(state.bytes * state.heads for state in self.states)


@dataclass(frozen=True, eq=False)
class Llm:
    """One model, equal only to itself. Scaled guide names keep the architecture and scale the weights by `scale`.

    `formats`: weight formats that exist for serving on GPUs, highest first. `mixed`: format -> the format of all but
    the routed experts, for formats that only the experts have. `tower_params`: parameters beside the language model (a
    vision tower), in 16 bits; no text token reads them. `kv_cache`: the precision of the KV cache that the checkpoint
    itself names, empty where it names none. `draft_kind`, `draft_list`: the checkpoint's module that predicts several
    tokens at once (MTP, DSpark), empty where it has none that is counted; `with_draft`: whether engines load it, so
    that its weights and its KV cache take memory; what a token reads and computes is that of the model. `family`: under
    which name its maker's models go; `released`: the day of publication, YYYY-MM-DD; `licence`: as its page names it;
    each is empty where unknown."""

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
    formats: tuple[str, ...] = ()
    mixed: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False, compare=False)
    scales: Mapping[str, Scales] = field(default_factory=lambda: SCALES, repr=False, hash=False, compare=False)
    experts: int = 0
    experts_per_token: int = 0
    hf_names: tuple[str, ...] = ()
    note: str = ""
    note_zh: str = ""
    scale: Fraction = Fraction(1)
    user: bool = False
    tower_params: int = 0
    kv_cache: str = ""
    file_bytes: int = 0
    family: str = ""
    released: str = ""
    licence: str = ""
    draft_kind: str = ""
    draft_list: tuple[Layer, ...] = field(default=(), repr=False, hash=False, compare=False)
    with_draft: bool = False

    @cached_property
    def drafting(self) -> Llm:
        """The model with its module for several tokens loaded; itself where it has none."""
        return replace(self, with_draft=True) if self.draft_list and not self.with_draft else self

    @cached_property
    def held_list(self) -> tuple[Layer, ...]:
        """Layers that engines hold: the model's, and behind them those of a module that is loaded."""
        return (*self.layer_list, *self.draft_list) if self.with_draft else self.layer_list

    @property
    def layers(self) -> int:
        return len(self.layer_list)

    @cached_property
    def depth(self) -> float:
        """Layers, where one that is an attention or a feed-forward part alone counts half."""
        return sum(layer.parts for layer in self.layer_list) / 2

    @property
    def hidden(self) -> int:
        return int(self.config["hidden_size"])

    @property
    def heads(self) -> int:
        return int(self.config["num_attention_heads"])

    @property
    def kv_heads(self) -> int:
        """Heads over which tensor parallelism can split the cache: one for a shared latent; where each layer has a
        number of its own, the least of them."""
        if self.attention != "gqa":
            return 1
        said = self.config.get("num_key_value_heads")
        return int(said or min(cache.heads for y in self.layer_list for cache in y.caches if cache.heads))

    @property
    def is_moe(self) -> bool:
        return self.experts > 0

    @cached_property
    def moe_layers(self) -> int:
        return sum(any(x.expert for x in y.linears) for y in self.layer_list)

    @property
    def dense_layers(self) -> int:
        return self.layers - self.moe_layers

    @property
    def _parts(self) -> tuple[Layer, ...]:
        return (*self.layer_list, self.head)

    @cached_property
    def _caches(self) -> tuple[tuple[Cache, int], ...]:
        """Distinct caches and in how many layers each is."""
        return tuple(Counter(c for y in self.layer_list for c in y.caches).items())

    @cached_property
    def _table_params(self) -> int:
        """Parameters of embedding tables that are only looked up (one that is tied also is the output head)."""
        return sum(table.params for table in self.head.linears if table.looked_up)

    def _embedding_bytes(self, precision: str) -> int:
        """Bytes of embedding tables that are only looked up."""
        return sum(self._linear_bytes(table, precision, -1) for table in self.head.linears if table.looked_up)

    @cached_property
    def host_table_params(self) -> int:
        """Parameters of tables that some engines keep in host memory; no part of `params_total`."""
        return sum(y.host_table_params for y in self.layer_list)

    @cached_property
    def host_table_layer_bytes(self) -> tuple[int, ...]:
        """Bytes of each layer in tables that some engines keep in host memory, in order; part of `layer_bytes`."""
        return tuple(y.host_table_bytes for y in self.held_list)

    @cached_property
    def host_table_bytes(self) -> int:
        """Bytes of tables that some engines keep in host memory; part of `weight_bytes`."""
        return sum(self.host_table_layer_bytes)

    @cached_property
    def params_total(self) -> int:
        """Parameters of the main model with its towers."""
        decoder = sum(sum(x.params for x in y.linears) + y.bf16 + y.fp32 for y in self._parts)
        return int(decoder * self.scale) + self.tower_params

    @cached_property
    def draft_params(self) -> int:
        """Parameters of the module for several tokens, without the embedding and the output head of the model."""
        module = sum(sum(x.params for x in y.linears) + y.bf16 + y.fp32 for y in self.draft_list)
        return int(module * self.scale)

    @cached_property
    def params_routed_experts(self) -> int:
        return int(sum(x.params for y in self.layer_list for x in y.linears if x.expert) * self.scale)

    @cached_property
    def params_active(self) -> int:
        """Parameters that one token uses: the embedding table and the experts not chosen are left out."""
        experts = self.params_routed_experts
        decoder = self.params_total - self.tower_params
        return decoder - experts + self._chosen(experts) - int(self._table_params * self.scale)

    def _chosen(self, experts: int) -> int:
        return experts * self.experts_per_token // self.experts if self.experts else 0

    def precisions(self) -> tuple[str, ...]:
        """Weight formats for serving on GPUs, highest first."""
        return self.formats

    def format_of(self, name: str) -> str:
        """The weight format that a spelling such as `FP4`, `UINT4`, `w8a8` or `Q4_K_M` means for this model.

        `fp4` is the model's own 4-bit float format where it has one, else nvfp4. Raises InputError."""
        for found in spelled(name):
            for f in self.mixed if found == "own" else (found,):
                if f in (*self.formats, *COUNTED_KINDS):
                    return f
        have = ", ".join((*self.formats, *COUNTED_KINDS))
        raise InputError(
            message("{model} has no {precision} weights", model=self.id, precision=name),
            "unknown-precision",
            f"It has: {have}.",
        )

    def _known(self, precision: str) -> None:
        same = {"fp16": "bf16", "bf16": "fp16"}.get(precision, precision)
        if precision not in (*self.formats, *COUNTED_KINDS) and same not in self.formats:
            have = ", ".join((*self.formats, *COUNTED_KINDS))
            raise InputError(
                message("{model} has no {precision} weights", model=self.id, precision=precision),
                "unknown-precision",
                f"It has: {have}.",
            )

        if precision in DYNAMIC_KINDS and published_bytes(self.id, precision) is None:
            raise InputError(
                message("no size of a {kind} file of {model} was read", kind=precision.upper(), model=self.id),
                "unknown-precision",
            )

    @cached_property
    def _network(self) -> Network:
        """What llama.cpp's quantizer asks of the model."""
        shared = self.heads // self.kv_heads if self.kv_heads else 1
        valued = valued_layers(y.linears for y in self.layer_list)
        downs = downs_before(y.linears for y in self.layer_list)
        return Network(self.layers, self.experts, shared, valued, downs, kept_type(self.architecture))

    def _in_files(self, precision: str) -> bool:
        """Whether weights are counted as a kind of file has them, other than the very file that was read."""
        return precision in FILE_KINDS and precision != self.native_precision

    def _linear_bytes(self, linear: Linear, precision: str, place: int) -> int:
        """Bytes of a module's matrices with scales and biases; `place`: of its layer."""
        if not self._in_files(precision):
            return linear.bytes(self._format(linear, precision), self._scales(precision))
        if linear.draft:  # converters leave the module out, or whole
            return linear.bytes("bf16")
        if precision in MLX_KINDS:
            return mlx_bytes(linear, precision) + 2 * linear.biases
        counted = gguf_bytes(linear, rest_as(precision), place, self._network) + 4 * linear.biases
        dynamic = precision in DYNAMIC_KINDS and linear.expert
        return int(counted * self._share_of_experts(precision)) if dynamic else counted

    @cache  # noqa: B019
    def _share_of_experts(self, kind: str) -> Fraction:
        """Bytes of routed experts in a mix that is known by its size alone, as a share of those in Q4_K_M: what the
        published file leaves for them."""
        whole = published_bytes(self.id, kind)
        assert whole is not None, "a format that is known (`_known`)"
        experts = self.expert_bytes("q4_k_m")
        return Fraction(whole - (self._model_bytes("q4_k_m") - experts), experts)

    def _matrices(self, layer: Layer, precision: str, place: int, *, experts: bool) -> int:
        return sum(self._linear_bytes(x, precision, place) for x in layer.linears if x.expert == experts)

    def _scales(self, precision: str) -> Mapping[str, Scales]:
        """How formats are scaled: as in the checkpoint where it is counted, else as usual."""
        return self.scales if precision == self.native_precision else SCALES

    def _format(self, linear: Linear, precision: str) -> str:
        """The format that matrices have where the model's weights are called `precision`."""
        if precision == self.native_precision and linear.stored:
            return linear.stored
        if linear.whole:
            return "bf16"
        if linear.draft and precision != self.native_precision and BITS[precision] < 8:
            # Conversions to 4 bits leave the module out: in 16 bits those of DeepSeek-V3.1, GLM-5.1 to 5.3 and Qwen3.5
            # (NVIDIA's lists), as published that of DeepSeek-V4, whose experts have 4 bits anyway.
            return "bf16" if BITS[self.native_precision] >= 8 else self._format(linear, self.native_precision)
        return precision if linear.expert else self.mixed.get(precision, precision)

    def _layer(self, layer: Layer, precision: str, place: int = -1) -> int:
        matrices = sum(self._linear_bytes(x, precision, place) for x in layer.linears)
        # A GGUF file holds in 32 bits what others hold in 16: norms, routers.
        small = 4 if self._in_files(precision) and precision in GGUF_KINDS else 2
        return matrices + small * layer.bf16 + 4 * layer.fp32 + layer.table_bytes + layer.host_table_bytes

    @cache  # noqa: B019 - models live as long as the program
    def _whole_layers(self, precision: str) -> tuple[int, ...]:
        """Bytes of each layer that engines hold, in order, before they are scaled: counted once for layers and sums."""
        return tuple(self._of_each(self.held_list, precision, lambda y, place: self._layer(y, precision, place)))

    def _of_each(self, layers: Iterable[Layer], precision: str, count: Callable[[Layer, int], int]) -> list[int]:
        """A count of each of some layers. A layer that stands in several places is counted once; in GGUF files, where
        types of matrices go by the place, once for all places that are alike."""
        by_place = self._in_files(precision) and precision in GGUF_KINDS
        counted: dict[tuple[int, tuple[bool, ...]], int] = {}
        found = []
        for place, layer in enumerate(layers):
            alike = id(layer), alike_places(rest_as(precision), place, self._network) if by_place else ()
            if alike not in counted:
                counted[alike] = count(layer, place)
            found.append(counted[alike])
        return found

    def _experts_of_each(self, layers: Iterable[Layer], precision: str) -> list[int]:
        """Bytes of each layer's routed experts before they are scaled."""
        return self._of_each(layers, precision, lambda y, place: self._matrices(y, precision, place, experts=True))

    @cache  # noqa: B019
    def layer_bytes(self, precision: str) -> tuple[int, ...]:
        """Bytes of each layer that engines hold, routed experts included, in order."""
        self._known(precision)
        return tuple(int(whole * self.scale) for whole in self._whole_layers(precision))

    @cache  # noqa: B019
    def weight_bytes(self, precision: str) -> int:
        """Bytes of the model, with the module for several tokens where it is loaded. Raises InputError for a format
        that does not exist for it."""
        return self._model_bytes(precision) + (self.draft_bytes(precision) if self.with_draft else 0)

    def _model_bytes(self, precision: str) -> int:
        """Bytes of the model without the module for several tokens."""
        self._known(precision)
        whole = sum(self._whole_layers(precision)[: self.layers]) + self._layer(self.head, precision, self.layers)
        return int(whole * self.scale) + 2 * self.tower_params

    @cache  # noqa: B019
    def draft_bytes(self, precision: str) -> int:
        """Bytes of the module for several tokens, loaded or not."""
        self._known(precision)
        return sum(int(self._layer(y, precision) * self.scale) for y in self.draft_list)

    def draft_table_bytes(self, precision: str) -> int:
        """Bytes of the embedding that the last of several pipeline stages holds for a module that is loaded; the first
        stage has the model's own (vLLM 0.33.0 v1/spec_decode/llm_base_proposer.py: _maybe_share_embeddings)."""
        if not self.with_draft:
            return 0
        embedding = self.head.linears[0]
        return int(embedding.bytes(self._format(embedding, precision), self._scales(precision)) * self.scale)

    def head_bytes(self, precision: str) -> int:
        """Embedding, output head, final norm and towers: what the first and last pipeline stage hold on top."""
        return self.weight_bytes(precision) - sum(self.layer_bytes(precision))

    def bytes_by_format(self) -> dict[str, int]:
        """Bytes of the model as published in each format that its checkpoint holds, most first: of matrices with their
        scales, of all other parameters and of towers; tables that are looked up as `table`."""
        precision, found = self.native_precision, Counter[str]()
        for layer in self._parts:
            for linear in layer.linears:
                held = self._format(linear, precision)
                found[held] += linear.bytes(held, self._scales(precision)) - 2 * linear.biases
                found["bf16"] += 2 * linear.biases
            found["bf16"] += 2 * layer.bf16
            found["fp32"] += 4 * layer.fp32
            found["table"] += layer.table_bytes + layer.host_table_bytes
        scaled = Counter({held: int(count * self.scale) for held, count in found.items()})
        scaled["bf16"] += 2 * self.tower_params
        return {held: count for held, count in scaled.most_common() if count}

    def kept_whole(self) -> dict[str, int]:
        """Parts of layers that the published checkpoint keeps in 16 bits -> in how many layers; empty for a model that
        is published in 16 bits. Embedding, routers and norms are always."""
        found: Counter[str] = Counter()
        for layer in self._parts if self.native_precision not in SIXTEEN else ():
            whole = {x.name for x in layer.linears if self._format(x, self.native_precision) in SIXTEEN}
            found.update({name.rpartition(".")[0] or name for name in whole if name != "model.embed_tokens"})
        return dict(found.most_common())

    @cache  # noqa: B019
    def expert_bytes(self, precision: str) -> int:
        """The model's routed experts, without those of a module for several tokens."""
        self._known(precision)
        return int(sum(self._experts_of_each(self.layer_list, precision)) * self.scale)

    @cache  # noqa: B019
    def expert_layer_bytes(self, precision: str) -> tuple[int, ...]:
        """The routed experts' part of `layer_bytes`."""
        self._known(precision)
        return tuple(int(some * self.scale) for some in self._experts_of_each(self.held_list, precision))

    @cache  # noqa: B019
    def copied_layer_bytes(self, precision: str) -> tuple[int, ...]:
        """The part of `layer_bytes` that each tensor-parallel rank holds whole."""
        self._known(precision)

        def copied(layer: Layer, place: int) -> int:
            return sum(self._linear_bytes(x, precision, place) for x in layer.linears if x.copied)

        return tuple(int(some * self.scale) for some in self._of_each(self.held_list, precision, copied))

    def copied_bytes(self, precision: str) -> int:
        """What of the model's layers each tensor-parallel rank holds whole and every step reads."""
        return sum(self.copied_layer_bytes(precision)[: self.layers])

    @cache  # noqa: B019
    def dense_read_bytes(self, precision: str) -> int:
        """Weights that every decode step reads: all but routed experts and tables that are only looked up."""
        tables = sum(y.table_bytes for y in self._parts) + self.host_table_bytes + self._embedding_bytes(precision)
        idle = int(tables * self.scale) + 2 * self.tower_params
        return self._model_bytes(precision) - self.expert_bytes(precision) - idle

    @cache  # noqa: B019
    def dense_whole_bytes(self, precision: str) -> int:
        """Those of `dense_read_bytes` in matrices that stay in 16 bits where the model's weights are called
        `precision`: the output head, and what a checkpoint leaves as it was (gpt-oss: all but its experts)."""
        kept = (x for layer in self._parts for x in layer.linears if not x.expert and not x.looked_up)
        return int(sum(2 * x.params for x in kept if self._format(x, precision) in SIXTEEN) * self.scale)

    def expert_read_bytes(self, precision: str, tokens: int) -> float:
        """Routed experts that a step over `tokens` tokens reads, if each token's choice is even and independent."""
        if not self.experts:
            return 0.0
        return self.expert_bytes(precision) * (1 - (1 - self.experts_per_token / self.experts) ** tokens)

    def kv_layer_bytes(self, tokens: int, kv: str) -> tuple[int, ...]:
        """KV cache stored of one sequence of `tokens`, per layer that engines hold, running state included."""
        return tuple(sum(c.bytes(kv) * c.kept(tokens) for c in y.caches) + y.kept_bytes for y in self.held_list)

    def kv_rank_bytes(self, tokens: int, kv: str, tp: int, run: range | None = None) -> int:
        """KV cache and running state of one sequence of `tokens` on the fullest of `tp` ranks, in the layers `run` (all
        of them) that engines hold, rounded up."""
        layers = self.held_list if run is None else [self.held_list[i] for i in run]
        by_shards: Counter[int] = Counter()
        for layer in layers:
            by_shards[1] += layer.state_bytes + sum(state.held(tp) for state in layer.states)
            for c in layer.caches:
                by_shards[self._shards(c, tp)] += c.bytes(kv) * c.kept(tokens)
        return math.ceil(sum(Fraction(each, shards) for shards, each in by_shards.items()))

    def _shards(self, c: Cache, tp: int) -> int:
        return min(tp, c.heads or self.kv_heads)

    def kv_bytes(self, tokens: int, kv: str) -> int:
        """KV cache stored of one sequence of `tokens`."""
        return sum(self.kv_layer_bytes(tokens, kv))

    def kv_read_bytes(self, tokens: int, kv: str) -> int:
        """KV cache that one decoded token reads at a context of `tokens`: a window layer reads its window, a top-k
        layer its chosen entries and all index keys. Running state is left out (see `state_moved_bytes`)."""
        return sum(n * c.bytes(kv) * c.attended(tokens) for c, n in self._caches)

    def kv_read_by_heads(self, tokens: int, kv: str) -> Mapping[int, int]:
        """`kv_read_bytes` by the number of heads over which tensor parallelism splits it."""
        found: Counter[int] = Counter()
        for c, n in self._caches:
            found[c.heads or self.kv_heads] += n * c.bytes(kv) * c.attended(tokens)
        return found

    def kv_whole_read_bytes(self, tokens: int, kv: str) -> int:
        """The part of `kv_read_bytes` that every tensor-parallel rank reads whole, though kv heads are split."""
        whole = [(c, n) for c, n in self._caches if c.heads == 1 and self.kv_heads > 1]
        return sum(n * c.bytes(kv) * c.attended(tokens) for c, n in whole)

    @cached_property
    def state_moved_bytes(self) -> int:
        """Running state that one new token reads and writes back, of linear attention and Mamba."""
        return 2 * sum(state.bytes * state.heads for y in self.layer_list for state in y.states)

    def kv_shards(self, tp: int) -> int:
        """By how many ranks tensor parallelism splits one sequence's KV: not at all for a shared latent."""
        return min(tp, self.kv_heads)

    @cache  # noqa: B019
    def linear_flops_per_token(self) -> int:
        """2 x active matmul weights, and the work on running states: no norms, biases or looked-up tables."""
        vectors = sum(y.vectors for y in self._parts)
        vectors += sum(x.biases for y in self.layer_list for x in y.linears if not x.expert)
        vectors += self._chosen(sum(x.biases for y in self.layer_list for x in y.linears if x.expert))
        states = sum(layer.state_flops for layer in self.layer_list)
        return 2 * (self.params_active - int(vectors * self.scale)) + states

    def prefill_linear_flops(self, isl: int) -> int:
        """The same of a whole prompt: the output head works on its last token alone."""
        head = sum(2 * x.out * x.into * x.count for x in self.head.linears if not x.looked_up)
        return isl * self.linear_flops_per_token() - (isl - 1) * int(head * self.scale)

    def prefill_whole_flops(self, isl: int, precision: str) -> int:
        """Those of them in matrices outside routed experts that stay in 16 bits (see `dense_whole_bytes`)."""
        head = sum(2 * x.params for x in self.head.linears if not x.looked_up and self._format(x, precision) in SIXTEEN)
        return isl * self.dense_whole_bytes(precision) - (isl - 1) * int(head * self.scale)

    def attention_flops(self, context: int, phase: str) -> int:
        """Attention FLOPs of one new token at `context`, over all layers; phase `decode` or `prefill`."""
        return sum(n * (c.decode if phase == "decode" else c.prefill) * c.attended(context) for c, n in self._caches)

    def prefill_attention_flops(self, isl: int) -> int:
        """Attention FLOPs of a whole causal prompt of `isl` tokens, summed position by position."""
        return sum(n * c.prefill * c.attended_sum(isl) for c, n in self._caches)
