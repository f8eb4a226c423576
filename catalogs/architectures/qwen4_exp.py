"""Qwen3.8-Flash-Next (qwen4_exp): gated DeltaNet with sparse attention every few layers, streams that each part of a
layer mixes and writes back, and tables of n-grams that a layer looks up.

Formulas: transformers 5.24.0 qwen4_exp; vLLM 0.33.0 models/qwen4_exp for caches, what stays in 16 bits and what each
rank holds whole, and for the module for several tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache, partial
from math import isqrt

from catalogs.architectures.base import Architecture, Config, DraftModule, beside, plain_head
from catalogs.architectures.delta_net import contradictions, hybrid_layer, is_full_attention
from catalogs.architectures.towers import qwen3_tower
from catalogs.transformer import Cache, Layer, Linear, State

SPARSE = ("indexed_attention", "qwen_sparse_attention")
"""What transformers and vLLM call the layers that files call `full_attention`."""


def exp_layer(config: Config, i: int) -> Layer:
    """A layer of Qwen3.5's shape, with streams around attention and experts instead of two norms."""
    hidden_size, streams = config["hidden_size"], config["hc_count"]
    layer = hybrid_layer(config, i)
    mixers = [*_mixer(config, "attn_hyper_connection"), *_mixer(config, "mlp_hyper_connection")]
    layer = beside(layer, mixers, 2 * streams * hidden_size - 2 * hidden_size)
    if is_full_attention(config, i):
        layer = _with_indexer(config, layer)
    if i + 1 in (config.get("ple_layer_ids") or ()):
        layer = _with_ngrams(config, layer, sorted(set(config["ple_layer_ids"])).index(i + 1))
    return layer


def exp_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head, and what joins the streams before it in place of a final norm."""
    plain = plain_head(config, stored)
    more = (config["hc_count"] - 1) * config["hidden_size"]
    return beside(plain, _mixer(config, "model.hyper_connection_mixer", writes=False), more)


def exp_draft(config: Config) -> DraftModule:
    """MTP layers with sparse attention, and beside them, once, two square matrices, two norms and what joins the
    streams."""
    count = config.get("mtp_num_hidden_layers") or 0
    if not count:
        return DraftModule()
    hidden_size, streams = config["hidden_size"], config["hc_count"]
    layer = exp_layer({**config, "layer_types": ["full_attention"], "ple_layer_ids": []}, 0)
    joins = [Linear(hidden_size, hidden_size, name=name) for name in ("fc_embedding", "fc_hidden")]
    joins += _mixer(config, "hyper_connection_mixer", writes=False)
    first = beside(layer, joins, (1 + 2 * streams) * hidden_size)
    return DraftModule("MTP", tuple((f"mtp.layers.{i}", layer if i else first) for i in range(count)))


def _mixer(config: Config, name: str, *, writes: bool = True) -> list[Linear]:
    """What mixes the streams into the input of a part, in low rank, and `writes` its output back into each of them: in
    16 bits, whole on each rank."""
    rank, wide = config["hc_lowrank"], config["hc_count"] * config["hidden_size"]
    whole = partial(Linear, whole=True, copied=True)
    mixing = [
        whole(rank, wide, name=f"{name}.input_mix_weight_down"),
        whole(wide, rank, name=f"{name}.input_mix_weight_up"),
    ]
    return [*mixing, whole(config["hc_count"], wide, name=f"{name}.block_inject_weight")] if writes else mixing


def _with_indexer(config: Config, layer: Layer) -> Layer:
    """A layer whose attention looks at the tokens that an indexer chooses, by the mean key of every few tokens, and at
    the last few that are no whole group yet. Index keys are in 16 bits whatever the cache's format is."""
    heads, width, ratio = config["indexer_n_heads"], config["indexer_head_dim"], config["indexer_compress_ratio"]
    projection = Linear((heads + 1) * width, config["hidden_size"], name="self_attn.indexer.index_qk_proj", copied=True)
    seen = config["indexer_budget"] + ratio - 1
    scored = 2 * heads * width
    keys = Cache(2 * width, 2 * width, scored, scored, stride=ratio, heads=1)
    caches = (*(replace(cache, look=seen) for cache in layer.caches), keys)
    return replace(beside(layer, [projection], 2 * width), caches=caches)


def _with_ngrams(config: Config, layer: Layer, place: int) -> Layer:
    """A layer that looks up rows of n-grams, turns them into a key per stream and a value, and mixes neighbours."""
    hidden_size, streams, width = config["hidden_size"], config["hc_count"], _ngram_width(config)
    wide, kernel = streams * hidden_size, config.get("ple_conv_kernel_size") or 4
    linears = [Linear(wide, width, name="ple.key_proj"), Linear(hidden_size, width, name="ple.value_proj")]
    weights = ngram_rows(config, place) * (width // _ngram_heads(config))
    bytes_each = 1 if config.get("ple_embedding_dtype") == "float8_e4m3fn" else 2
    kept = State(2 * (kernel - 1) * (config.get("ngram_size") or 3) * wide, 1)
    with_it = beside(layer, linears, (3 + kernel) * wide)
    return replace(
        with_it,
        states=(*with_it.states, kept),
        host_table_params=weights,
        host_table_bytes=bytes_each * weights,
    )


def _ngram_width(config: Config) -> int:
    return int(config.get("ple_embed_dim") or config["hidden_size"])


def _ngram_heads(config: Config) -> int:
    return ((config.get("ngram_size") or 3) - 1) * int(config.get("heads_per_ngram") or 8)


def ngram_rows(config: Config, place: int) -> int:
    """Rows of the table of the `place`th layer that has one: each head has a prime of its own, the next ones from the
    base on, and the sum is filled up."""
    heads, base = _ngram_heads(config), config.get("ngram_vocab_size_base") or 20_000_000
    filled = config.get("make_ngram_vocab_size_divisible_by") or 128
    primes = _primes_from(base, (place + 1) * heads)[place * heads :]
    return -(-sum(primes) // filled) * filled


@lru_cache
def _primes_from(base: int, count: int) -> tuple[int, ...]:
    """The first primes from `base` on."""
    found: list[int] = []
    number = base
    while len(found) < count:
        if number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1)):
            found.append(number)
        number += 1
    return tuple(found)


# How it is read -------------------------------------------------------------------------------------------------------


def exp_fields(config: Config) -> Config:
    """A config whose layers with sparse attention are called as files call them."""
    kinds = config.get("layer_types")
    if not isinstance(kinds, list):
        return config
    return {**config, "layer_types": ["full_attention" if kind in SPARSE else kind for kind in kinds]}


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from contradictions(config)
    if config["indexer_budget"] % config["indexer_compress_ratio"]:
        yield "indexer_budget", "must be a multiple of indexer_compress_ratio"
    places = config.get("ple_layer_ids") or []
    layers = config["num_hidden_layers"]
    if not all(isinstance(each, int) and 1 <= each <= layers for each in places):
        yield "ple_layer_ids", "must be numbers of layers, from 1 on"
    elif any(is_full_attention(config, each - 1) for each in places):
        yield "ple_layer_ids", "must be layers with linear attention"
    if _ngram_width(config) % _ngram_heads(config):
        yield "ple_embed_dim", "must be a multiple of the heads of n-grams"


_EXP = Architecture(
    "qwen4-exp", "gqa", exp_layer, head=exp_head, read=exp_fields, contradictions=_contradictions, draft=exp_draft
)
ARCHITECTURES = {
    "Qwen4ExpForCausalLM": _EXP,
    "Qwen4ExpForConditionalGeneration": replace(_EXP, tower=qwen3_tower),
}
