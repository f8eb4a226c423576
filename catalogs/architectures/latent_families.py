"""Multi-head latent attention of other makers: Youtu-LLM and MiniCPM3 without experts, Sarvam with them; and Sarvam's
smaller model, whose attention is grouped.

Formulas: transformers 5.24.0 youtu, minicpm3, sarvam_mla (DeepSeek-V3's model), sarvam_moe (GLM-4.5's model)."""

from __future__ import annotations

from collections.abc import Iterable

from catalogs.architectures.base import Architecture, Config, Names, contradicting_names, renamed, tied
from catalogs.architectures.grouped_families import glm_layer
from catalogs.architectures.latent import latent_contradictions, latent_fields, latent_layer

SARVAM_NAMES: Names = {
    "n_routed_experts": ("num_experts", "num_local_experts"),
    "n_shared_experts": ("num_shared_experts",),
}
GROUPED_NAMES: Names = {**SARVAM_NAMES, "attention_bias": ("use_qkv_bias",)}
"""Common name of a field -> what Sarvam's own files call it."""


def _minicpm_fields(config: Config) -> Config:
    """MiniCPM3, whose values are as wide as a head of the hidden state where nothing else is said."""
    if config.get("v_head_dim") is not None or not config.get("num_attention_heads"):
        return tied(config)
    return {**tied(config), "v_head_dim": config["hidden_size"] // config["num_attention_heads"]}


def _sarvam_fields(config: Config) -> Config:
    return latent_fields(renamed(config, SARVAM_NAMES))


def _sarvam_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    yield from latent_contradictions(config)
    yield from contradicting_names(config, SARVAM_NAMES)
    yield from _shared_said_twice(config)
    if config.get("q_head_dim") not in (None, config["qk_nope_head_dim"] + config["qk_rope_head_dim"]):
        yield "q_head_dim", "contradicts qk_nope_head_dim + qk_rope_head_dim"


def _shared_said_twice(config: Config) -> Iterable[tuple[str, str]]:
    """The width of all shared experts together, where it is said too."""
    if config.get("moe_shared_expert_intermediate_size") not in (
        None, config["moe_intermediate_size"] * config["n_shared_experts"],
    ):  # fmt: skip
        yield "moe_shared_expert_intermediate_size", "contradicts moe_intermediate_size x n_shared_experts"


def _grouped_fields(config: Config) -> Config:
    return {"use_qk_norm": True, "attention_bias": False, **renamed(config, GROUPED_NAMES)}


def _grouped_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    yield from contradicting_names(config, GROUPED_NAMES)
    yield from _shared_said_twice(config)


ARCHITECTURES = {
    "YoutuForCausalLM": Architecture("youtu", "mla", latent_layer, read=tied, contradictions=latent_contradictions),
    "MiniCPM3ForCausalLM": Architecture(
        "minicpm-3", "mla", latent_layer, read=_minicpm_fields, contradictions=latent_contradictions
    ),
    "SarvamMLAForCausalLM": Architecture(
        "sarvam-mla", "mla", latent_layer, read=_sarvam_fields, contradictions=_sarvam_contradictions
    ),
    "SarvamMoEForCausalLM": Architecture(
        "sarvam-moe", "gqa", glm_layer, read=_grouped_fields, contradictions=_grouped_contradictions
    ),
}
