"""The same model as other programs write its config: nested or flat, with fields that transformers adds or renames.

Names and fields are those that transformers 5.24.0 writes of published configs (`to_json_string` of its classes)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from catalogs.checkpoints.published import native_format
from catalogs.config_check import faults
from catalogs.decoder_config import NESTED
from tests.catalogs.test_open_families import CONFIGS, figures, model
from tests.support.long import one_in

Config = dict[str, Any]
OUTSIDE = ("architectures", "quantization_config", "vision_config", "auto_map", "transformers_version")
"""What stays beside the language model where a config is nested."""


NULLS = (
    "rope_scaling", "layer_types", "mlp_layer_types", "num_experts", "num_local_experts", "q_lora_rank",
    "sliding_window", "mlp_only_layers", "n_shared_experts", "per_layer_config", "swiglu_limit",
)  # fmt: skip


def language(config: Config) -> Config:
    """The fields of the language model."""
    return next((config[name] for name in NESTED if isinstance(config.get(name), dict)), config)


def a_newer_name_of_the_dtype(config: Config) -> None:
    for part in (config, language(config)):
        if "torch_dtype" in part:
            part["dtype"] = part.pop("torch_dtype")


def rope_in_one_object(config: Config) -> None:
    part = language(config)
    part["rope_parameters"] = {"rope_type": "default", **(part.pop("rope_scaling", None) or {})}
    for name in ("rope_theta", "partial_rotary_factor"):
        if name in part:
            part["rope_parameters"][name] = part.pop(name)


def what_the_library_returns(config: Config) -> None:
    for part in (config, language(config)):
        part |= {
            "transformers_version": "5.24.0", "output_attentions": False, "return_dict": True, "use_return_dict": True,
            "chunk_size_feed_forward": 0, "is_encoder_decoder": False, "id2label": {"0": "LABEL_0"}, "label2id": {},
            "problem_type": None, "_name_or_path": "/models/x", "_commit_hash": None, "pruned_heads": {},
            "experts_implementation": "grouped_mm", "_attn_implementation": "sdpa", "attn_implementation": "eager",
            "use_cache": True, "cross_attention_hidden_size": None, "tokenizer_class": None, "torchscript": False,
        }  # fmt: skip


def code_of_its_own(config: Config) -> None:
    config["auto_map"] = {"AutoConfig": "configuration_x.XConfig", "AutoModelForCausalLM": "modeling_x.XModel"}


def nulls(config: Config) -> None:
    for name in NULLS:
        language(config).setdefault(name, None)


def nested(config: Config) -> None:
    if language(config) is config:
        config["text_config"] = {name: config.pop(name) for name in list(config) if name not in OUTSIDE}


def said_at_both_levels(config: Config) -> None:
    part = language(config)
    for name in ("hidden_size", "num_hidden_layers", "vocab_size", "num_attention_heads", "tie_word_embeddings"):
        if name in part:
            config.setdefault(name, part[name])


CHANGES = (
    a_newer_name_of_the_dtype, rope_in_one_object, what_the_library_returns, code_of_its_own, nulls, nested,
    said_at_both_levels,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.__name__)
@pytest.mark.parametrize("name", one_in(6, CONFIGS))
def test_another_spelling_gives_the_same_figures(name: str, change: Callable[[Config], None]) -> None:
    config = CONFIGS[name]
    if faults(config):
        pytest.skip("refused as it stands")
    changed = copy.deepcopy(config)
    change(changed)
    assert faults(changed) == []
    assert figures(model(changed)) == figures(model(config))
    assert native_format(changed) == native_format(config)


COMPRESSED_FP8 = {
    "quant_method": "compressed-tensors", "format": "float-quantized", "ignore": ["lm_head"], "version": "0.12.2",
    "config_groups": {"group_0": {"targets": ["Linear"], "input_activations": {"num_bits": 8, "type": "float"},
                      "weights": {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}}},
    "kv_cache_scheme": None, "sparsity_config": {}, "transform_config": {}, "quantization_status": "compressed",
}  # fmt: skip


@pytest.mark.parametrize("name", one_in(6, CONFIGS))
def test_a_conversion_to_fp8_is_the_same_model(name: str) -> None:
    config = copy.deepcopy(CONFIGS[name])
    if faults(config):
        pytest.skip("refused as it stands")
    for field in ("quantization_config", "expert_dtype"):
        language(config).pop(field, None)
    config["quantization_config"] = COMPRESSED_FP8
    assert faults(config) == [] and native_format(config) == "fp8"
    assert model(config).params_total == model(CONFIGS[name]).params_total


# What transformers calls otherwise ------------------------------------------------------------------------------------


def kinds_of_deepseek_v4(config: Config) -> None:
    words = {0: "sliding_attention", 4: "compressed_sparse_attention", 128: "heavily_compressed_attention"}
    config["layer_types"] = [words[each] for each in config.pop("compress_ratios")][: config["num_hidden_layers"]]
    hashed = config.pop("num_hash_layers")
    config["mlp_layer_types"] = ["hash_moe"] * hashed + ["moe"] * (config["num_hidden_layers"] - hashed)
    config["compress_rates"] = {"compressed_sparse_attention": 4, "heavily_compressed_attention": 128}


def heads_of_each_layer(config: Config) -> None:
    """Gemma 4: heads of the layers that look at all."""
    part = config["text_config"]
    named = {"head_dim": part.pop("global_head_dim")}
    if heads := part.pop("num_global_key_value_heads", None):
        named["num_key_value_heads"] = heads
    whole = [i for i, kind in enumerate(part["layer_types"]) if kind == "full_attention"]
    part["per_layer_config"] = {f"{i:02}": dict(named) for i in whole}


def heads_of_windows(config: Config) -> None:
    """Step: heads of the layers with a window, and the names of its tower."""
    part = config["text_config"]
    part |= {
        "n_routed_experts": part.pop("moe_num_experts"), "num_experts_per_tok": part.pop("moe_top_k"),
        "num_key_value_heads": part.pop("num_attention_groups"),
        "num_sliding_attention_heads": part.pop("attention_other_setting")["num_attention_heads"],
    }  # fmt: skip
    windows = [i for i, kind in enumerate(part["layer_types"]) if kind == "sliding_attention"]
    part["per_layer_config"] = {f"{i:02}": {"num_attention_heads": 96} for i in windows}
    vision = config["vision_config"]
    vision |= {
        "hidden_size": vision.pop("width"), "num_hidden_layers": vision.pop("layers"), "intermediate_size": 8960,
        "num_attention_heads": vision.pop("heads"), "layer_scale_init_value": vision.pop("ls_init_value"),
        "max_position_embeddings": 52**2, "num_channels": 3,
    }  # fmt: skip


def names_of_moonvit(config: Config) -> None:
    vision = config["vision_config"]
    for name in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
        vision[name] = vision.pop(f"vt_{name}")
    for name in ("pos_emb_height", "pos_emb_width", "pos_emb_time"):
        vision[name] = vision.pop(f"init_{name}")
    config |= {"projection_hidden_size": 1152, "image_token_id": 163_605, "vision_start_token_id": 163_602}


def local_experts(config: Config) -> None:
    config["num_local_experts"] = config.pop("num_experts")


def layers_of_v3(config: Config) -> None:
    dense, layers = config.pop("first_k_dense_replace"), config["num_hidden_layers"]
    config["mlp_layer_types"] = ["dense"] * dense + ["sparse"] * (layers - dense)
    config["qk_head_dim"] = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    if "index_topk" in config:
        config["layer_types"] = ["indexed_attention"] * layers


RENAMED = [
    ("deepseek-ai--DeepSeek-V4-Flash-0731", kinds_of_deepseek_v4, "layer_types"),
    ("google--gemma-4-26B-A4B", heads_of_each_layer, "text_config.per_layer_config"),
    ("stepfun-ai--Step-3.7-Flash", heads_of_windows, "text_config.per_layer_config"),
    ("moonshotai--Kimi-K2.5", names_of_moonvit, "vision_config.hidden_size"),
    ("Qwen--Qwen3-Coder-480B-A35B-Instruct", local_experts, "num_local_experts"),
    ("moonshotai--Kimi-K2-Instruct", layers_of_v3, "mlp_layer_types"),
    ("nvidia--GLM-5.1-NVFP4", layers_of_v3, "qk_head_dim"),
    ("zai-org--GLM-5", layers_of_v3, "layer_types"),
]


@pytest.mark.parametrize(("name", "change", "field"), RENAMED, ids=lambda each: str(getattr(each, "__name__", each)))
def test_files_that_transformers_wrote_are_read_as_the_makers(
    name: str, change: Callable[[Config], None], field: str
) -> None:
    """Another name gives the same figures; with another value under it, beside the maker's field or alone, it is
    refused or counts differently."""
    config = CONFIGS[name]
    changed = copy.deepcopy(config)
    change(changed)
    assert faults(changed) == []
    assert figures(model(changed)) == figures(model(config))
    for wrong in (both(config, changed, field), changed):
        place, leaf = (wrong, field) if "." not in field else (wrong[field.partition(".")[0]], field.partition(".")[2])
        place[leaf] = another(place[leaf])
        assert faults(wrong) or figures(model(wrong)) != figures(model(config)), field


def both(config: Config, changed: Config, field: str) -> Config:
    """The maker's config with one field as transformers writes it."""
    found = copy.deepcopy(config)
    part, _, leaf = field.rpartition(".")
    (found[part] if part else found)[leaf] = copy.deepcopy((changed[part] if part else changed)[leaf])
    return found


def another(value: Any) -> Any:
    """Another value of the same shape."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return [*value[1:-1], value[0], value[-1]] if value[0] != value[-2] else [value[-1], *value[1:-1], "other"]
    return {number: {name: n + 1 for name, n in fields.items()} for number, fields in value.items()}
