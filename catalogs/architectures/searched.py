"""Networks whose layers were searched one by one (Nemotron NAS: Llama-Nemotron Super and Ultra).

`block_configs` says of each layer how many heads share keys and values and how wide its feed-forward part is, or that
it has no attention or no feed-forward part at all. Formulas: modeling_decilm.py of Llama-3_3-Nemotron-Super-49B-v1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalogs.architectures.base import Architecture, Config, dense_feed_forward, head_dim_of
from catalogs.transformer import Cache, Layer, Linear

UNSAID = (None, False)
ATTENTION = ("replace_with_linear", "sparsify", "window_length", "num_sink_tokens", "unshifted_sink")
FEED_FORWARD = ("replace_with_linear", "sparsify")
"""What a block may say that is computed in another way than is counted here."""
KNOWN_ATTENTION = (*ATTENTION, "no_op", "n_heads_in_group", "use_prefill_window_in_sink_attention")
KNOWN_FEED_FORWARD = (*FEED_FORWARD, "no_op", "ffn_mult")


def searched_layer(config: Config, i: int) -> Layer:
    block = config["block_configs"][i]
    hidden_size, heads, width = config["hidden_size"], config["num_attention_heads"], head_dim_of(config)
    linears: list[Linear] = []
    caches: tuple[Cache, ...] = ()
    norms = 0
    if not block["attention"].get("no_op"):
        kv_heads = heads // block["attention"]["n_heads_in_group"]
        linears += [
            Linear(heads * width, hidden_size, name="self_attn.q_proj"),
            Linear(kv_heads * width, hidden_size, 2, name="self_attn.k_proj"),
            Linear(hidden_size, heads * width, name="self_attn.o_proj"),
        ]
        work = 4 * heads * width
        caches = (Cache(4 * kv_heads * width, 2 * kv_heads * width, work, work, heads=kv_heads),)
        norms += hidden_size
    if not block["ffn"].get("no_op"):
        linears += dense_feed_forward(hidden_size, feed_forward_width(hidden_size, block["ffn"]["ffn_mult"]))
        norms += hidden_size
    return Layer(tuple(linears), norms, 0, 0, norms, caches)


def feed_forward_width(hidden_size: int, share: float) -> int:
    """Two thirds of `share` times the hidden size, filled up to 256."""
    return 256 * -(-int(2 * share * hidden_size / 3) // 256)


def _contradictions(config: Config) -> Iterable[tuple[str, str]]:
    blocks = config["block_configs"]
    if len(blocks) != config["num_hidden_layers"]:
        yield "block_configs", "needs one block per layer"
        return
    for place, block in enumerate(blocks):
        yield from _of_block(f"block_configs[{place}]", block, config)
    if all(_has(block, "attention", "no_op") for block in blocks):
        yield "block_configs", "leaves no layer with attention"


def _has(block: Mapping[str, Any], part: str, field: str) -> bool:
    found = block.get(part)
    return isinstance(found, dict) and found.get(field) is True


def _of_block(place: str, block: Mapping[str, Any], config: Config) -> Iterable[tuple[str, str]]:
    attention, part, heads = block.get("attention"), block.get("ffn"), config["num_attention_heads"]
    if set(block) != {"attention", "ffn"} or not isinstance(attention, dict) or not isinstance(part, dict):
        yield place, "needs attention and ffn, and nothing else"
        return
    for name, said, known in (("attention", attention, KNOWN_ATTENTION), ("ffn", part, KNOWN_FEED_FORWARD)):
        for field, value in said.items():
            if field not in known and value not in UNSAID:
                yield f"{place}.{name}.{field}", "no rule says what this field changes"
    for name, said, others in (("attention", attention, ATTENTION), ("ffn", part, FEED_FORWARD)):
        for field in others:
            if said.get(field) not in UNSAID:
                yield f"{place}.{name}.{field}", "is not modelled"
    shared, share = attention.get("n_heads_in_group"), part.get("ffn_mult")
    if not attention.get("no_op") and not (isinstance(shared, int) and shared > 0 and heads % shared == 0):
        yield f"{place}.attention.n_heads_in_group", "must divide num_attention_heads"
    if not part.get("no_op") and not (isinstance(share, int | float) and 0 < share <= 100):
        yield f"{place}.ffn.ffn_mult", "must be a number above 0"


ARCHITECTURES = {
    "DeciLMForCausalLM": Architecture("nemotron-nas", "gqa", searched_layer, contradictions=_contradictions),
}
