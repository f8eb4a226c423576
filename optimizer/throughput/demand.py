"""What a model asks of the hardware for one workload: bytes read and FLOPs, per request and per token."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from catalogs.llm import Llm


@dataclass(frozen=True)
class Demand:
    """Of one model at a precision and workload; bytes and FLOPs of the whole model, before any plan cuts them.

    `kin`: the model and its like; `dense_b`: weights that every decode step reads (all but the routed experts and the
    embedding table); `whole_b`: those of them that stay in 16 bits; `copied_b`: those of them that each tensor-parallel
    rank holds whole; `expert_b`: all routed experts; `miss`: share of experts that one token leaves out; `kv_read_b`:
    KV cache that one running request reads per step at half of its output, split by kv heads; `kv_other_b`: what layers
    of `kv_other_heads` heads read beside that; `kv_whole_b`: what every tensor-parallel rank reads of it whole beside
    that; `state_b`: running state that it reads and writes back, split by heads; `linear_flops`, `attention_flops`: of
    one new token then, `expert_flops` those of the former in routed experts; `prefilled`: tokens of the prompt that are
    computed, the others found in the prefix cache; `prefill_linear_flops`, `prefill_attention_flops`: of these tokens,
    `prefill_whole_flops` those of the former in matrices of 16 bits; `route_b`: activations that one token sends to its
    experts in one layer; `token_b`: its hidden state at 16 bits.
    """

    kin: str
    layers: float
    moe_layers: int
    latent_layers: int
    sparse_layers: int
    heads: int
    kv_heads: int
    dense_b: float
    whole_b: float
    copied_b: float
    expert_b: float
    miss: float
    kv_read_b: float
    kv_whole_b: float
    kv_other_b: float
    kv_other_heads: int
    state_b: float
    linear_flops: float
    expert_flops: float
    attention_flops: float
    prefilled: int
    prefill_linear_flops: float
    prefill_whole_flops: float
    prefill_attention_flops: float
    token_b: float
    route_b: float


def kin(llm: Llm) -> str:
    """What makes two models one for throughput: the same architecture and sizes (V3, R1 and V3.1 are kin)."""
    return f"{llm.architecture}-{llm.layers}x{llm.hidden}x{llm.experts}"


def has_experts(kin: str) -> bool:
    """Whether models of a kin are mixtures of experts."""
    return not kin.endswith("x0")


@lru_cache(maxsize=20_000)
def demand(llm: Llm, precision: str, isl: int, osl: int, kv: str, cached: int = 0) -> Demand:
    """Bytes and FLOPs from the architecture (formulas: catalogs/llm.py), lengths in tokens; `cached`: the first tokens
    of the prompt, which are found in the prefix cache. They are held and attended to as all others are.

    Raises InputError for a weight format that the model does not have."""
    context, prefilled = isl + osl // 2, isl - cached
    experts = llm.expert_bytes(precision) if llm.is_moe else 0
    linear = llm.linear_flops_per_token()
    kv_heads = llm.kv_heads if llm.attention == "gqa" else 1
    read = dict(llm.kv_read_by_heads(context, kv))
    own, whole = read.pop(kv_heads, 0), read.pop(1, 0)
    return Demand(
        kin=kin(llm),
        layers=llm.depth,
        moe_layers=llm.moe_layers,
        latent_layers=0 if llm.attention == "gqa" else sum(bool(layer.caches) for layer in llm.layer_list),
        sparse_layers=sum(len(layer.caches) > 1 for layer in llm.layer_list),
        heads=llm.heads,
        kv_heads=kv_heads,
        dense_b=float(llm.dense_read_bytes(precision)),
        whole_b=float(llm.dense_whole_bytes(precision)),
        copied_b=float(llm.copied_bytes(precision)),
        expert_b=float(experts),
        miss=1 - llm.experts_per_token / llm.experts if llm.is_moe else 1.0,
        kv_read_b=float(own),
        kv_whole_b=float(whole),
        kv_other_b=float(sum(read.values())),
        kv_other_heads=min(read, default=1),
        state_b=float(llm.state_moved_bytes),
        linear_flops=float(linear),
        expert_flops=2.0 * llm.params_routed_experts * llm.experts_per_token / llm.experts if llm.is_moe else 0.0,
        attention_flops=float(llm.attention_flops(context, "decode")),
        prefilled=prefilled,
        prefill_linear_flops=float(llm.prefill_linear_flops(prefilled)),
        prefill_whole_flops=float(llm.prefill_whole_flops(prefilled, precision)),
        prefill_attention_flops=float(llm.prefill_attention_flops(isl) - llm.prefill_attention_flops(cached)),
        token_b=float(2 * llm.hidden),
        route_b=float(llm.experts_per_token * 2 * llm.hidden),
    )
