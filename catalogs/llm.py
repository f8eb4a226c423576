"""Models: the class (transformer.py), Hugging Face configs (architectures.py) and the registry (registry.py)."""

from catalogs.architectures import ARCHITECTURES, from_config
from catalogs.formats import ORDER
from catalogs.registry import all_models, get
from catalogs.transformer import Layer, Linear, Llm

__all__ = ["ARCHITECTURES", "ORDER", "Layer", "Linear", "Llm", "all_models", "from_config", "get"]
