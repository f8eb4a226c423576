"""One flat config of the language model, out of a Hugging Face config that nests it beside a vision tower."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NESTED = ("text_config", "llm_config", "language_config")
"""Where multimodal configs keep the language model."""
OUTER = ("architectures", "quantization_config")
"""What counts as said at the top where both levels say it."""
THINKER = "thinker_config"
"""The part of a model that also speaks which reads and writes text, with towers of its own (Qwen-Omni)."""


def decoder_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of the language model, and what is said beside it (`vision_config`, `quantization_config`).

    A field of the language model goes before one of the whole; a flat config stays what it is."""
    if isinstance(config.get(THINKER), dict):
        said = {name: value for name, value in config[THINKER].items() if name not in OUTER}
        config = {**{name: value for name, value in config.items() if name != THINKER}, **said}
    place = next((name for name in NESTED if isinstance(config.get(name), dict)), None)
    if place is None:
        return config
    whole = {name: value for name, value in config.items() if name not in NESTED}
    text = {name: value for name, value in config[place].items() if value is not None or name not in whole}
    return {**whole, **text, **{name: whole[name] for name in OUTER if whole.get(name)}}
