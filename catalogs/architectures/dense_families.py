"""Dense models with grouped-query attention of many makers: Cohere's Command R, Gemma 1, OLMo 1, StableLM 2, HyperCLOVA
X, InternLM 2 and 3, MiniCPM, EXAONE 3, Baichuan, and without a gate Arcee's AFM and Nemotron-4.

Formulas: transformers 5.24.0 cohere, gemma, olmo, stablelm, hyperclovax, arcee, nemotron; vLLM 0.33.0 internlm2, llama
(InternLM3), minicpm, exaone; SGLang 0.5.23 baichuan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from catalogs.architectures.base import (
    Architecture,
    Config,
    FeedForward,
    Names,
    as_it_is,
    contradicting_names,
    feed_forward,
    head_dim_of,
    plain_head,
    renamed,
    tied,
)
from catalogs.architectures.grouped_families import grouped_attention, layer_of
from catalogs.architectures.near_llama import as_many_kv_heads, near_llama_layer
from catalogs.transformer import Layer, Linear


def two_matrices(config: Config) -> FeedForward:
    """A feed-forward part that has no gate."""
    hidden_size, width = config["hidden_size"], config["intermediate_size"]
    up, down = Linear(width, hidden_size, name="mlp.up_proj"), Linear(hidden_size, width, name="mlp.down_proj")
    return FeedForward([up, down])


def ungated_layer(config: Config, i: int, *, norms: int = 2) -> Layer:
    """Arcee and Nemotron-4; norms with a shift count twice."""
    return layer_of(config, grouped_attention(config), two_matrices(config), norms=norms)


def cohere_layer(config: Config, i: int) -> Layer:
    """Command R: one norm, and norms of queries and keys over all heads where the config says so."""
    return near_llama_layer(config, i, norms=1, whole_norms=bool(config.get("use_qk_norm")))


def stable_layer(config: Config, i: int) -> Layer:
    """StableLM 2: norms with a shift, one where both parts stand side by side; norms of each head."""
    attention = grouped_attention(config, biased=bool(config.get("use_qkv_bias")))
    heads = config["num_attention_heads"] + config["num_key_value_heads"] if config.get("qk_layernorm") else 0
    norms = 2 if config.get("use_parallel_residual") else 4
    return layer_of(config, attention, feed_forward(config, i), norms=norms, vectors=heads * head_dim_of(config))


def clova_layer(config: Config, i: int) -> Layer:
    """HyperCLOVA X: norms behind both parts too, unless the config says otherwise."""
    return near_llama_layer(config, i, norms=4 if config.get("use_post_norm", True) else 2)


def intern_layer(config: Config, i: int) -> Layer:
    """InternLM 2 and 3: biases where the config says so."""
    return near_llama_layer({**config, "attention_bias": bool(config.get("qkv_bias"))}, i)


def shifted_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head, and a final norm with a shift."""
    plain = plain_head(config, stored)
    return replace(plain, bf16=plain.bf16 + config["hidden_size"], vectors=plain.vectors + config["hidden_size"])


def normless_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding and output head: the final norm has no parameters."""
    return replace(plain_head(config, stored), bf16=0, vectors=0)


# How they are read ----------------------------------------------------------------------------------------------------

EXAONE_NAMES: Names = {
    "num_hidden_layers": ("num_layers",),
    "hidden_act": ("activation_function",),
}


def tied_with_kv_heads(config: Config) -> Config:
    return tied(as_many_kv_heads(config))


def exaone_fields(config: Config) -> Config:
    return renamed(as_many_kv_heads(config), EXAONE_NAMES)


def _exaone_contradictions(config: Config) -> Iterator[tuple[str, str]]:
    yield from contradicting_names(config, EXAONE_NAMES)


_PLAIN = Architecture("llama", "gqa", near_llama_layer, read=as_many_kv_heads)
_INTERN = replace(_PLAIN, name="internlm-3", build=intern_layer)
ARCHITECTURES: Mapping[str, Architecture] = {
    "ArceeForCausalLM": replace(_PLAIN, name="arcee", build=ungated_layer),
    "NemotronForCausalLM": replace(
        _PLAIN, name="nemotron-4", build=partial(ungated_layer, norms=4), head=shifted_head, read=as_it_is
    ),
    "CohereForCausalLM": replace(_PLAIN, name="command-r", build=cohere_layer, read=tied_with_kv_heads),
    "GemmaForCausalLM": replace(_PLAIN, name="gemma", read=tied),
    "OlmoForCausalLM": replace(_PLAIN, name="olmo", build=partial(near_llama_layer, norms=0), head=normless_head),
    "StableLmForCausalLM": replace(_PLAIN, name="stablelm-2", build=stable_layer, head=shifted_head, read=as_it_is),
    "HyperCLOVAXForCausalLM": replace(_PLAIN, name="hyperclova-x", build=clova_layer),
    "InternLM3ForCausalLM": _INTERN,
    "InternLM2ForCausalLM": replace(_INTERN, name="internlm-2"),
    "MiniCPMForCausalLM": replace(_PLAIN, name="minicpm", read=tied_with_kv_heads),
    "ExaoneForCausalLM": replace(_PLAIN, name="exaone-3", read=exaone_fields, contradictions=_exaone_contradictions),
    "BaichuanForCausalLM": replace(_PLAIN, name="baichuan"),
    "BaiChuanForCausalLM": replace(_PLAIN, name="baichuan"),
}
