"""Models: the class (transformer.py), Hugging Face configs (architectures.py), the registry and users' models."""

from catalogs.architectures import ARCHITECTURES, from_config
from catalogs.formats import ORDER
from catalogs.registry import all_models, get, note_in_chinese, own_models, shipped_models, use_config
from catalogs.transformer import Layer, Linear, Llm

__all__ = [
    "ARCHITECTURES",
    "ORDER",
    "Layer",
    "Linear",
    "Llm",
    "all_models",
    "from_config",
    "get",
    "note_in_chinese",
    "own_models",
    "shipped_models",
    "use_config",
]
