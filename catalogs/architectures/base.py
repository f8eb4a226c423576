"""What every architecture is made of: its name in support tables, its layers, and parts that several share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from catalogs.formats import Scales
from catalogs.transformer import Layer, Linear

Config = Mapping[str, Any]
COMMON = ("bf16", "fp8", "int8", "int4", "nvfp4", "mxfp4")
"""Weight formats that engines make or load for most architectures, highest first."""


def no_tower(config: Config) -> int:
    """Parameters beside the language model: none."""
    return 0


def as_it_is(config: Config) -> Config:
    """A config whose fields have the names that most architectures use."""
    return config


def tied(config: Config) -> Config:
    """A config whose class takes one table for embedding and output head where the file says nothing of it."""
    return config if config.get("tie_word_embeddings") is not None else {**config, "tie_word_embeddings": True}


def no_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    """Fields that contradict one another: none."""
    return ()


Names = Mapping[str, tuple[str, ...]]
"""Common name of a field -> what some files call it."""


def renamed(config: Config, names: Names) -> Config:
    """A config with its fields under their common names too, where it has them under another alone."""
    found = dict(config)
    for name, others in names.items():
        given = next((each for each in others if config.get(each) is not None), None)
        if found.get(name) is None and given is not None:
            found[name] = config[given]
    return found


def contradicting_names(config: Config, names: Names) -> Iterator[tuple[str, str]]:
    """Fields that say something else than the field of which they are another name."""
    for name, others in names.items():
        for other in others:
            if config.get(other) not in (None, config.get(name)):
                yield other, f"contradicts {name}"


def of_layers(config: Config, name: str) -> list[Any] | None:
    """A field of each layer where `per_layer_config` says so (transformers 5.2x: number of a layer -> its fields that
    differ); None where it does not or speaks of layers that there are not."""
    said, layers = config.get("per_layer_config"), config.get("num_hidden_layers")
    if not isinstance(said, dict) or not said or not isinstance(layers, int) or not 0 < layers <= 1000:
        return None
    found = [config.get(name)] * layers
    for number, fields in said.items():
        if not (str(number).isdecimal() and int(number) < layers and isinstance(fields, dict)):
            return None
        found[int(number)] = fields.get(name, config.get(name))
    return found


def plain_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head (one table with the embedding where they are tied) and final norm.

    Tables are in 16 bits unless the checkpoint holds them in another format."""
    hidden_size = config["hidden_size"]
    one_table = bool(config.get("tie_word_embeddings"))
    names = ("model.embed_tokens",) if one_table else ("model.embed_tokens", "lm_head")
    tables = (Linear(config["vocab_size"], hidden_size, name=name, stored=stored(name), whole=True) for name in names)
    embedding, *output = tables
    return Layer((replace(embedding, looked_up=not one_table), *output), hidden_size, vectors=hidden_size)


@dataclass(frozen=True)
class DraftModule:
    """The module of a checkpoint that predicts several tokens at once, which engines load for speculative decoding
    alone. `kind`: MTP or DSpark; `layers`: where each lies in the checkpoint, and what it is made of. Embedding and
    output head are those of the model."""

    kind: str = ""
    layers: tuple[tuple[str, Layer], ...] = ()


def no_draft(config: Config) -> DraftModule:
    """A module for several tokens: none, or none that is counted."""
    return DraftModule()


@dataclass(frozen=True)
class Architecture:
    """Name in support tables, attention kind, layer builder; `formats` and `mixed` as in Llm.

    `build` makes layer i of a flat config (catalogs/decoder_config.py). `tower`: parameters beside the language model
    (a vision tower), kept in 16 bits and idle while text is made. `head`: what the first and last stage hold on top.
    `fp8_block`, `scale_bytes`: side of the blocks of the maker's FP8 weights, and bytes of a block's scale.
    `read`: a flat config of the family -> the same with the fields that all have under their common names.
    `contradictions`: (field, what is wrong with it) of a config whose fields are each in their range. `draft`: its
    module for several tokens."""

    name: str
    attention: str
    build: Callable[[Config, int], Layer]
    formats: tuple[str, ...] = COMMON
    mixed: Mapping[str, str] = field(default_factory=dict)
    scale_bytes: int = 4
    tower: Callable[[Config], int] = no_tower
    head: Callable[[Config, Callable[[str], str]], Layer] = plain_head
    fp8_block: int = 128
    read: Callable[[Config], Config] = as_it_is
    contradictions: Callable[[Config], Iterable[tuple[str, str]]] = no_contradictions
    draft: Callable[[Config], DraftModule] = no_draft

    @property
    def fp8_scales(self) -> Scales:
        """How the maker's FP8 weights are scaled."""
        return Scales(self.fp8_block, self.fp8_block, 8 * self.scale_bytes)


def experts_of(config: Config) -> int:
    """Routed experts of a layer; 0 of a dense model."""
    return int(config.get("n_routed_experts") or config.get("num_experts") or config.get("num_local_experts") or 0)


def head_dim_of(config: Config) -> int:
    """Width of an attention head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def dense_feed_forward(hidden_size: int, width: int, name: str = "mlp") -> list[Linear]:
    """The gated feed-forward part of a dense layer: gate, up and down."""
    return [
        Linear(width, hidden_size, 2, name=f"{name}.gate_proj"),
        Linear(hidden_size, width, name=f"{name}.down_proj"),
    ]


def routed_experts(
    hidden_size: int, width: int, experts: int, *, bias: bool = False, name: str = "mlp.experts.0"
) -> list[Linear]:
    """Gate, up and down of the routed experts of a layer."""
    return [
        Linear(width, hidden_size, 2 * experts, True, bias, name=f"{name}.gate_proj"),
        Linear(hidden_size, width, experts, True, bias, name=f"{name}.down_proj"),
    ]


@dataclass(frozen=True)
class FeedForward:
    """Matrices of a layer's feed-forward part, parameters of its router, and of the bias of its routing."""

    linears: list[Linear]
    router: int = 0
    routing_bias: int = 0


def feed_forward(
    config: Config, layer: int, *, routing_bias: bool = False, bias: bool = False, name: str = "mlp"
) -> FeedForward:
    """The feed-forward part of a layer, dense or of experts with shared ones, by the fields that DeepSeek, Qwen,
    MiniMax and gpt-oss share. `routing_bias`: a figure per expert beside the router; `bias`: vectors of the experts;
    `name`: of the part in the checkpoint."""
    hidden_size, experts = config["hidden_size"], experts_of(config)
    if not experts or layer < config.get("first_k_dense_replace", 0):
        return FeedForward(dense_feed_forward(hidden_size, config["intermediate_size"], name))
    width = config.get("moe_intermediate_size") or config["intermediate_size"]
    linears = routed_experts(hidden_size, width, experts, bias=bias, name=f"{name}.experts.0")
    if shared := (config.get("n_shared_experts") or 0) * width:
        linears += dense_feed_forward(hidden_size, shared, f"{name}.shared_experts")
    return FeedForward(linears, experts * hidden_size, experts if routing_bias else 0)


def beside(layer: Layer, linears: Sequence[Linear] = (), norms: int = 0, fp32: int = 0) -> Layer:
    """A layer with matrices, `norms` parameters of norms and `fp32` vectors in 32 bits beside its own."""
    return replace(
        layer,
        linears=(*layer.linears, *linears),
        bf16=layer.bf16 + norms,
        fp32=layer.fp32 + fp32,
        vectors=layer.vectors + norms,
    )


def joining(config: Config, name: str = "eh_proj") -> Linear:
    """What joins the embedding of a token and the hidden state before it into the input of a draft layer: in 16 bits,
    whole on each rank (vLLM 0.33.0 deepseek_mtp, glm4_moe_mtp; SGLang 0.5.23 deepseek_nextn)."""
    hidden_size = config["hidden_size"]
    return Linear(hidden_size, 2 * hidden_size, name=name, whole=True, copied=True)


def layers_behind(config: Config, build: Callable[[Config, int], Layer]) -> DraftModule:
    """The MTP layers that checkpoints hold behind the last layer, each like one of the model's with three norms beside
    (of the embedding, of the hidden state, before the output head) and a matrix that joins both."""
    first, hidden_size = config["num_hidden_layers"], config["hidden_size"]
    numbers = range(first, first + (config.get("num_nextn_predict_layers") or 0))
    layers = (
        (f"model.layers.{number}", beside(build(config, number), [joining(config)], 3 * hidden_size))
        for number in numbers
    )
    return DraftModule("MTP", tuple(layers)) if numbers else DraftModule()
