"""Hy4 (hy_v4): latent attention with an indexer that layers share, a gate and a sink for each head, experts, and
streams that are read before and written behind each part.

Formulas: transformers 5.24.0 hy_v4; vLLM 0.33.0 models/hy_v4 for the module for several tokens, whose layers have no
streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from catalogs.architectures.base import Architecture, Config, DraftModule, beside, layers_behind, plain_head
from catalogs.architectures.latent import SCHEDULES, latent_layer
from catalogs.transformer import Layer, Linear


def hy_layer(config: Config, i: int) -> Layer:
    """A gated layer, and before each of its parts what reads the streams and writes them back, in 32 bits."""
    streams = config["hc_mult"]
    outputs, small = 2 * streams, 2 * streams + 2
    layer = _gated(config, i)
    return replace(
        layer,
        fp32=layer.fp32 + 2 * (outputs * streams * config["hidden_size"] + small),
        vectors=layer.vectors + 2 * small,
    )


def hy_head(config: Config, stored: Callable[[str], str]) -> Layer:
    """Embedding, output head and final norm, and what joins the streams before it."""
    plain, streams = plain_head(config, stored), config["hc_mult"]
    small = streams + 1
    return replace(plain, fp32=plain.fp32 + streams**2 * config["hidden_size"] + small, vectors=plain.vectors + small)


def hy_draft(config: Config) -> DraftModule:
    """MTP layers behind the last one, with an indexer of their own and without streams."""
    own = {name: value for name, value in config.items() if name not in SCHEDULES}
    return layers_behind(own, _gated)


def _gated(config: Config, i: int) -> Layer:
    """Latent attention with a gate for each figure that heads put out, and a sink for each head in 32 bits."""
    heads = config["num_attention_heads"]
    gate = Linear(heads * config["v_head_dim"], config["hidden_size"], name="self_attn.linear_gate")
    layer = beside(latent_layer(config, i), [gate], 0, heads)
    return replace(layer, vectors=layer.vectors + heads)


def hy_fields(config: Config) -> Config:
    """A config with the number of dense layers in front, and the layers that have an indexer: where none are named the
    first, and from the second on every fourth."""
    found: dict[str, Any] = dict(config)
    layers = found.get("num_hidden_layers")
    if found.get("indexer_types") is None and isinstance(layers, int) and 0 < layers <= 1000:
        found["indexer_types"] = ["full" if i == 0 or i % 4 == 1 else "shared" for i in range(layers)]
    parts = found.get("mlp_layer_types")
    if found.get("first_k_dense_replace") is None:
        front = (i for i, kind in enumerate(parts) if kind != "dense") if isinstance(parts, list) else iter((1,))
        found["first_k_dense_replace"] = next(front, len(parts) if isinstance(parts, list) else 1)
    return found


def _contradictions(config: Config) -> Iterator[tuple[str, str]]:
    layers, front = config["num_hidden_layers"], config["first_k_dense_replace"]
    parts = (config.get("mlp_layer_types") or [])[:layers]
    if any((kind == "dense") != (i < front) for i, kind in enumerate(parts)):
        yield "mlp_layer_types", "must be dense layers in front, and experts behind them"
    if (config.get("indexer_types") or ["full"])[0] == "shared":
        yield "indexer_types", "must let the first layer choose"


ARCHITECTURES = {
    "HYV4ForCausalLM": Architecture(
        "hy-4", "dsa", hy_layer, head=hy_head, read=hy_fields, contradictions=_contradictions, draft=hy_draft
    )
}
