"""Language models inside others: what sees or hears, around a language model that another module of this folder reads.

Formulas: transformers 5.24.0 internvl, lfm2_vl with siglip2, llava, llava_next and llava_onevision with clip and
siglip, aya_vision, cohere2_vision, idefics3 and smolvlm, paligemma, voxtral, qwen2_audio; modeling_internvl_chat.py of
OpenGVLab/InternVL3-8B."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalogs.architectures.base import Config, Names, as_it_is, no_contradictions, renamed
from catalogs.architectures.towers import dense, encoder_layer, hearing_layers, pixtral_tower
from catalogs.decoder_config import NESTED


@dataclass(frozen=True)
class Wrapper:
    """A model around another one. `name`: in support tables; `tower`: parameters of what is around the language model,
    of its flat config; `usual`: the type of the language model where the config does not say it, by the wrapper's
    class; `read` and `contradictions` as of an Architecture."""

    name: str
    tower: Callable[[Config], int]
    usual: str
    read: Callable[[Config], Config] = as_it_is
    contradictions: Callable[[Config], Iterable[tuple[str, str]]] = no_contradictions


LANGUAGE_MODELS = {
    "cohere": "CohereForCausalLM", "cohere2": "Cohere2ForCausalLM", "ernie4_5": "Ernie4_5ForCausalLM",
    "exaone4": "Exaone4ForCausalLM", "gemma": "GemmaForCausalLM", "gemma2": "Gemma2ForCausalLM",
    "glm4": "Glm4ForCausalLM", "gpt_oss": "GptOssForCausalLM", "granite": "GraniteForCausalLM",
    "granitemoe": "GraniteMoeForCausalLM", "granitemoehybrid": "GraniteMoeHybridForCausalLM",
    "internlm2": "InternLM2ForCausalLM", "internlm3": "InternLM3ForCausalLM", "lfm2": "Lfm2ForCausalLM",
    "lfm2_moe": "Lfm2MoeForCausalLM", "llama": "LlamaForCausalLM", "minicpm": "MiniCPMForCausalLM",
    "ministral3": "Ministral3ForCausalLM", "mistral": "MistralForCausalLM", "mixtral": "MixtralForCausalLM",
    "olmo2": "Olmo2ForCausalLM", "phi3": "Phi3ForCausalLM", "qwen2": "Qwen2ForCausalLM",
    "qwen2_moe": "Qwen2MoeForCausalLM", "qwen3": "Qwen3ForCausalLM", "qwen3_moe": "Qwen3MoeForCausalLM",
    "seed_oss": "SeedOssForCausalLM", "smollm3": "SmolLM3ForCausalLM",
}  # fmt: skip
"""`model_type` of a language model inside another -> its architecture."""


def language_model(config: Config) -> str:
    """The architecture of the language model in the config of a wrapper: as it says itself, by its type, or by the
    class of the wrapper where it says neither. Of a type that is not known the type."""
    wrapper = WRAPPERS[config["architectures"][0]]
    inside: Mapping[str, Any] = next((config[name] for name in NESTED if isinstance(config.get(name), dict)), {})
    names = inside.get("architectures")
    if isinstance(names, list) and len(names) == 1 and isinstance(names[0], str):
        return names[0]
    kind = inside.get("model_type") or wrapper.usual
    return LANGUAGE_MODELS.get(str(kind), str(kind))


def _side(value: Any) -> int:
    """The side of a square that is said once or for each of its sides."""
    return int(value[0] if isinstance(value, list) else value)


def _positions(vision: Mapping[str, Any]) -> int:
    """Patches of a whole image."""
    return (_side(vision["image_size"]) // _side(vision["patch_size"])) ** 2


def _patches(vision: Mapping[str, Any], *, bias: bool = True) -> int:
    """What turns patches into vectors."""
    width: int = vision["hidden_size"]
    return dense((vision.get("num_channels") or 3) * _side(vision["patch_size"]) ** 2, width, bias=bias)


def _plain_encoder(vision: Mapping[str, Any]) -> int:
    """Layers of a plain vision transformer and the norm behind them."""
    width = vision["hidden_size"]
    layers = vision["num_hidden_layers"] * encoder_layer(width, vision["intermediate_size"])
    return int(layers + 2 * width)


def _siglip(vision: Mapping[str, Any]) -> int:
    """SigLIP, with the head that sums an image up only where the config says so."""
    width: int = vision["hidden_size"]
    positions = vision.get("num_patches") or _positions(vision)
    head = 0
    if vision.get("vision_use_head"):
        head = width + 4 * dense(width, width) + 2 * width
        head += dense(width, vision["intermediate_size"]) + dense(vision["intermediate_size"], width)
    return _patches(vision) + int(positions) * width + _plain_encoder(vision) + head


def _clip(vision: Mapping[str, Any]) -> int:
    """CLIP: a vector for the whole image, and a norm before the layers too."""
    width: int = vision["hidden_size"]
    return _patches(vision, bias=False) + (_positions(vision) + 2) * width + 2 * width + _plain_encoder(vision)


def _seeing(config: Config) -> int:
    """The tower of a config whose vision part says its type: Mistral's, CLIP, or else SigLIP."""
    vision = config["vision_config"]
    if vision.get("model_type") in ("clip_vision_model", "chinese_clip_vision_model"):
        return _clip(vision)
    return _siglip(vision)


# InternVL -------------------------------------------------------------------------------------------------------------

INTERN_NAMES: Names = {
    "attention_bias": ("qkv_bias",),
    "use_qk_norm": ("qk_normalization",),
}


def intern_fields(config: Config) -> Config:
    """InternVL under the names of transformers."""
    vision = config.get("vision_config")
    return {**config, "vision_config": renamed(vision, INTERN_NAMES)} if isinstance(vision, dict) else config


def intern_tower(config: Config) -> int:
    """InternViT, and a projector that joins neighbouring patches."""
    vision: dict[str, Any] = config["vision_config"]
    width, inner, hidden_size = vision["hidden_size"], vision["intermediate_size"], config["hidden_size"]
    attention = 3 * dense(width, width, bias=bool(vision.get("attention_bias"))) + dense(width, width)
    norms = (2 if vision.get("norm_type") == "rms_norm" else 4) * width
    scales = 2 * width + (2 * width if vision.get("use_qk_norm") else 0)
    layer = attention + dense(width, inner) + dense(inner, width) + norms + scales
    embeddings = _patches(vision) + (_positions(vision) + 2) * width
    merged = round(1 / (config.get("downsample_ratio") or 0.5)) ** 2 * width
    projector = 2 * merged + dense(merged, hidden_size) + dense(hidden_size, hidden_size)
    return int(embeddings + vision["num_hidden_layers"] * layer + projector)


def _intern_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    vision = config["vision_config"]
    if config.get("force_image_size") not in (None, _side(vision["image_size"])):
        yield "force_image_size", "contradicts vision_config.image_size"
    if config.get("downsample_ratio") not in (None, 0.5, 0.25, 1, 1.0):
        yield "downsample_ratio", "must be 1, 0.5 or 0.25"


# Others that see ------------------------------------------------------------------------------------------------------


def lfm_tower(config: Config) -> int:
    """SigLIP 2, and a projector that joins neighbouring patches."""
    vision, hidden_size = config["vision_config"], config["hidden_size"]
    merged, inner = vision["hidden_size"] * (config.get("downsample_factor") or 2) ** 2, config["projector_hidden_size"]
    bias = config.get("projector_bias") is not False
    norm = 0 if config.get("projector_use_layernorm") is False else 2 * merged
    return _siglip(vision) + norm + dense(merged, inner, bias=bias) + dense(inner, hidden_size, bias=bias)


def llava_tower(config: Config) -> int:
    """CLIP or SigLIP with a projector of two matrices."""
    hidden_size, layers = config["hidden_size"], config.get("vision_feature_layer")
    width = config["vision_config"]["hidden_size"] * (len(layers) if isinstance(layers, list) else 1)
    bias = config.get("multimodal_projector_bias") is not False
    projector = dense(width, hidden_size, bias=bias) + dense(hidden_size, hidden_size, bias=bias)
    return _seeing(config) + projector


def llava_next_tower(config: Config) -> int:
    """That of LLaVA, and a vector that parts the lines of an image."""
    return llava_tower(config) + int(config["hidden_size"])


def aya_tower(config: Config) -> int:
    """SigLIP, and a gated projector that joins neighbouring patches, behind a norm."""
    return _cohere_tower(config, inner=config.get("alignment_intermediate_size") or config["hidden_size"], norm=True)


def command_tower(config: Config) -> int:
    """SigLIP, and a gated projector that joins neighbouring patches."""
    return _cohere_tower(config, inner=config.get("alignment_intermediate_size") or 36_864, norm=False)


def _cohere_tower(config: Config, *, inner: int, norm: bool) -> int:
    merged = config["vision_config"]["hidden_size"] * (config.get("downsample_factor") or 2) ** 2
    projector = dense(merged, inner) + dense(inner // 2, config["hidden_size"]) + (2 * merged if norm else 0)
    return _seeing(config) + projector


def idefics_tower(config: Config) -> int:
    """A plain vision transformer, and one matrix that joins neighbouring patches."""
    vision = config["vision_config"]
    merged = vision["hidden_size"] * (config.get("scale_factor") or 2) ** 2
    return _siglip({**vision, "vision_use_head": False}) + dense(merged, config["hidden_size"], bias=False)


def gemma_tower(config: Config) -> int:
    """SigLIP, and one matrix to the width of the language model."""
    vision = config["vision_config"]
    return _seeing(config) + dense(vision["hidden_size"], config["hidden_size"])


def lighton_tower(config: Config) -> int:
    """Mistral's tower, with its merger of patches and projector."""
    return pixtral_tower({**config, "spatial_merge_size": config.get("spatial_merge_size") or 2})


# What hears -----------------------------------------------------------------------------------------------------------


def _whisper(audio: dict[str, int]) -> int:
    """Whisper's encoder: two convolutions of three frames, positions, layers and the norm behind them."""
    width = audio["d_model"]
    convolutions = 3 * width * (audio["num_mel_bins"] + width) + 2 * width
    return convolutions + audio["max_source_positions"] * width + hearing_layers(audio, biased_keys=False)


VOXTRAL_NAMES: Names = {
    "d_model": ("hidden_size",),
    "encoder_layers": ("num_hidden_layers",),
    "encoder_ffn_dim": ("intermediate_size",),
}


def voxtral_tower(config: Config) -> int:
    """Whisper's encoder, and a projector of two matrices of four frames at once."""
    audio, hidden_size = renamed(config["audio_config"], VOXTRAL_NAMES), config["hidden_size"]
    projector = dense(audio["encoder_ffn_dim"], hidden_size, bias=False) + hidden_size**2
    return _whisper(dict(audio)) + int(projector)


def qwen_audio_tower(config: Config) -> int:
    """Whisper's encoder, and one matrix to the width of the language model."""
    audio = config["audio_config"]
    return _whisper(audio) + dense(audio["d_model"], config["hidden_size"])


def _gemma_contradictions(config: Config) -> Iterable[tuple[str, str]]:
    if config.get("projection_dim") not in (None, config["hidden_size"]):
        yield "projection_dim", "contradicts hidden_size"


_LLAVA = Wrapper("llava", llava_tower, "llama")
_LLAVA_NEXT = Wrapper("llava-next", llava_next_tower, "llama")
_LIGHTON = Wrapper("lighton-ocr", lighton_tower, "qwen3")
_INTERN = Wrapper("internvl", intern_tower, "qwen2", read=intern_fields, contradictions=_intern_contradictions)
WRAPPERS: Mapping[str, Wrapper] = {
    "InternVLForConditionalGeneration": _INTERN,
    "InternVLChatModel": _INTERN,
    "InternS1ForConditionalGeneration": Wrapper(
        "intern-s1", intern_tower, "qwen3_moe", read=intern_fields, contradictions=_intern_contradictions
    ),
    "Lfm2VlForConditionalGeneration": Wrapper("lfm2-vl", lfm_tower, "lfm2"),
    "LlavaForConditionalGeneration": _LLAVA,
    "LlavaNextForConditionalGeneration": _LLAVA_NEXT,
    "LlavaOnevisionForConditionalGeneration": Wrapper("llava-onevision", llava_next_tower, "qwen2"),
    "AyaVisionForConditionalGeneration": Wrapper("aya-vision", aya_tower, "cohere2"),
    "Cohere2VisionForConditionalGeneration": Wrapper("command-a-vision", command_tower, "cohere2"),
    "Idefics3ForConditionalGeneration": Wrapper("idefics-3", idefics_tower, "llama"),
    "SmolVLMForConditionalGeneration": Wrapper("smolvlm", idefics_tower, "llama"),
    "PaliGemmaForConditionalGeneration": Wrapper(
        "paligemma", gemma_tower, "gemma", contradictions=_gemma_contradictions
    ),
    "LightOnOcrForConditionalGeneration": _LIGHTON,
    "LightOnOCRForConditionalGeneration": _LIGHTON,
    "VoxtralForConditionalGeneration": Wrapper("voxtral", voxtral_tower, "llama"),
    "Qwen2AudioForConditionalGeneration": Wrapper("qwen2-audio", qwen_audio_tower, "qwen2"),
}
"""Name in config.json -> what is around the language model."""
