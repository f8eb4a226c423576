"""Mistral's models of 2025 and later: Mistral Small 3, Ministral 3 (grouped-query attention), Mistral Large 3 (latent).

Formulas: transformers mistral3, ministral3, pixtral; vLLM's reading of params.json (mistral_large_3) for Large 3."""

from __future__ import annotations

from catalogs.architectures.base import Architecture
from catalogs.architectures.grouped_families import biased_layer
from catalogs.architectures.latent import latent_layer
from catalogs.architectures.towers import pixtral_tower

ARCHITECTURES = {
    "Ministral3ForCausalLM": Architecture("mistral-3", "gqa", biased_layer),
    "Mistral3ForConditionalGeneration": Architecture("mistral-3", "gqa", biased_layer, tower=pixtral_tower),
    "MistralLarge3ForCausalLM": Architecture("mistral-large-3", "mla", latent_layer, tower=pixtral_tower),
}
