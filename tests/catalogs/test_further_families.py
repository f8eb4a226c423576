"""Architectures of which transformers has no model class: configs by their makers' code, and what is published of each.

InternLM3-8B and EXAONE-3.0-7.8B: config.json as public tests and notes quote it. Ling-mini-2.0: its sizes as a public
table of config.json has them, parameters by the README of Ling-V2 (16B, 1.4B active), what they make by vLLM 0.33.0
(bailing_moe). Kimi-VL-A3B: sizes of Moonlight-16B-A3B by the same table and of MoonViT-SO-400M by its config.json, 16B
with a tower of 0.4B (arXiv 2504.07491). DeepSeek-VL2: no config.json was at hand; 27B (arXiv 2412.10302)."""

from __future__ import annotations

from typing import Any

import pytest

from catalogs.config_check import faults
from catalogs.engines import sizes as engine_sizes
from catalogs.engines.support import support_rows
from catalogs.registry import get
from tests.catalogs.test_open_families import model, rounded

COMMON = {"hidden_act": "silu", "rms_norm_eps": 1e-6, "tie_word_embeddings": False, "max_position_embeddings": 32768}
LING_MINI: dict[str, Any] = COMMON | {
    "architectures": ["BailingMoeV2ForCausalLM"], "model_type": "bailing_moe", "vocab_size": 157184,
    "hidden_size": 2048, "intermediate_size": 5120, "num_hidden_layers": 20, "num_attention_heads": 16,
    "num_key_value_heads": 4, "head_dim": 128, "num_experts": 256, "num_shared_experts": 1, "num_experts_per_tok": 8,
    "n_group": 8, "topk_group": 4, "moe_intermediate_size": 512, "moe_shared_expert_intermediate_size": 512,
    "first_k_dense_replace": 1, "use_qk_norm": True, "use_qkv_bias": False, "use_bias": False, "norm_head": False,
    "moe_router_enable_expert_bias": True, "routed_scaling_factor": 2.5, "score_function": "sigmoid",
    "router_dtype": "fp32", "num_nextn_predict_layers": 0, "partial_rotary_factor": 0.5, "rope_theta": 600000,
    "norm_topk_prob": True, "use_rmsnorm": True, "max_window_layers": 20, "use_sliding_window": False,
    "embedding_dropout": 0.0, "output_dropout": 0.0, "mtp_loss_scaling_factor": 0, "pad_token_id": 156892,
}  # fmt: skip
INTERN: dict[str, Any] = {
    "architectures": ["InternLM3ForCausalLM"], "model_type": "internlm3", "bias": False, "head_dim": 128,
    "hidden_size": 4096, "intermediate_size": 10240, "max_position_embeddings": 32768, "num_attention_heads": 32,
    "num_hidden_layers": 48, "num_key_value_heads": 2, "qkv_bias": False, "rms_norm_eps": 1e-5,
    "rope_scaling": {"factor": 6.0, "rope_type": "dynamic"}, "rope_theta": 50000000, "tie_word_embeddings": False,
    "vocab_size": 128512,
}  # fmt: skip
KIMI_VL: dict[str, Any] = {
    "architectures": ["KimiVLForConditionalGeneration"], "model_type": "kimi_vl", "media_placeholder_token_id": 163605,
    "text_config": COMMON | {
        "model_type": "deepseek_v3", "vocab_size": 163840, "hidden_size": 2048, "intermediate_size": 11264,
        "moe_intermediate_size": 1408, "num_hidden_layers": 27, "num_attention_heads": 16, "num_key_value_heads": 16,
        "n_shared_experts": 2, "n_routed_experts": 64, "num_experts_per_tok": 6, "first_k_dense_replace": 1,
        "moe_layer_freq": 1, "kv_lora_rank": 512, "q_lora_rank": None, "qk_rope_head_dim": 64, "v_head_dim": 128,
        "qk_nope_head_dim": 128, "topk_method": "noaux_tc", "scoring_func": "sigmoid", "n_group": 1, "topk_group": 1,
    },
    "vision_config": {
        "model_type": "moonvit", "patch_size": 14, "num_attention_heads": 16, "num_hidden_layers": 27,
        "hidden_size": 1152, "intermediate_size": 4304, "merge_kernel_size": [2, 2], "init_pos_emb_height": 64,
        "init_pos_emb_width": 64,
    },
}  # fmt: skip
VL2: dict[str, Any] = {
    "architectures": ["DeepseekVLV2ForCausalLM"], "model_type": "deepseek_vl_v2", "global_view_pos": "head",
    "tile_tag": "2D", "candidate_resolutions": [[384, 384]],
    "language_config": COMMON | {
        "architectures": ["DeepseekV2ForCausalLM"], "model_type": "deepseek_v2", "vocab_size": 129280,
        "hidden_size": 2560, "intermediate_size": 12288, "moe_intermediate_size": 1536, "num_hidden_layers": 30,
        "num_attention_heads": 32, "num_key_value_heads": 32, "n_routed_experts": 72, "n_shared_experts": 2,
        "num_experts_per_tok": 6, "first_k_dense_replace": 1, "kv_lora_rank": 512, "q_lora_rank": None,
        "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "topk_method": "noaux_tc",
        "scoring_func": "sigmoid", "use_mla": True, "lm_head": True, "rm_head": False,
    },
    "vision_config": {
        "layers": 27, "mlp_ratio": 3.7362, "model_name": "siglip_so400m_patch14_384", "model_type": "vision",
        "patch_size": 14, "width": 1152,
    },
    "projector_config": {"model_type": "mlp_projector", "n_embed": 2560},
}  # fmt: skip
EXAONE: dict[str, Any] = {
    "_name_or_path": "LGAI-EXAONE/EXAONE-3.0-7.8B-Instruct", "activation_function": "silu",
    "architectures": ["ExaoneForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1, "embed_dropout": 0.0,
    "eos_token_id": 361, "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 14336,
    "layer_norm_epsilon": 1e-5, "max_position_embeddings": 4096, "model_type": "exaone", "num_attention_heads": 32,
    "num_key_value_heads": 8, "num_layers": 32, "pad_token_id": 0, "rope_scaling": None, "rope_theta": 500000.0,
    "tie_word_embeddings": False, "torch_dtype": "bfloat16", "transformers_version": "4.45.2", "use_cache": True,
    "vocab_size": 102400,
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "total", "cache"),
    [
        (LING_MINI, "16B", 20 * 2 * 2 * 4 * 128),
        (INTERN, "8.8B", 48 * 2 * 2 * 2 * 128),
        (EXAONE, "7.8B", 32 * 2 * 2 * 8 * 128),
        (KIMI_VL, "16B", 27 * 2 * (512 + 64)),
        (VL2, "27B", 30 * 2 * (512 + 64)),
    ],
    ids=["ling-mini-2.0", "internlm3-8b", "exaone-3.0-7.8b", "kimi-vl-a3b", "deepseek-vl2"],
)
def test_as_published(config: dict[str, Any], total: str, cache: int) -> None:
    assert faults(config) == []
    llm = model(config)
    assert rounded(llm.params_total, total) == total
    assert llm.kv_bytes(101_024, "bf16") - llm.kv_bytes(100_000, "bf16") == 1024 * cache
    assert engine_sizes.from_config(config).family == llm.architecture
    assert llm.architecture in {name for row in support_rows("serve") for name in row.architectures}


@pytest.mark.parametrize(
    ("name", "total", "active", "cache"),
    [
        ("deepseek-coder:1.3b", "1.35B", "1.3B", 24 * 2 * 2 * 16 * 128),
        ("deepseek-coder:6.7b", "6.7B", "6.6B", 32 * 2 * 2 * 32 * 128),
        ("deepseek-coder:33b", "33B", "33B", 62 * 2 * 2 * 8 * 128),
        ("ernie-4.5-21b", "21.8B", "3B", 28 * 2 * 2 * 4 * 128),
        ("ernie-4.5-300b", "299B", "47B", 54 * 2 * 2 * 8 * 128),
    ],
)
def test_models_by_name_are_as_large_as_published(name: str, total: str, active: str, cache: int) -> None:
    """DeepSeek-Coder: 1.35B in public logs, the other sizes by their names. ERNIE 4.5: 21B with 3B
    active, of which its class in transformers makes 21.8B, and 300B with 47B active (model_doc/ernie4_5_moe.md)."""
    llm = get(name)
    assert rounded(llm.params_total, total) == total and rounded(llm.params_active, active) == active
    assert llm.kv_bytes(101_024, "bf16") - llm.kv_bytes(100_000, "bf16") == 1024 * cache


def test_lings_modules_go_under_their_own_names() -> None:
    names = [linear.name for linear in model(LING_MINI).layer_list[1].linears]
    assert names[:3] == ["attention.query_key_value", "attention.query_key_value", "attention.dense"]


def test_towers_of_models_that_see() -> None:
    assert rounded(model(KIMI_VL).tower_params, "0.4B") == "0.4B"
    assert rounded(model(VL2).tower_params, "0.4B") == "0.4B"
    moonlight = {**KIMI_VL["text_config"], "architectures": ["DeepseekV3ForCausalLM"]}
    assert faults(moonlight) == []
    assert model(moonlight).params_total == model(KIMI_VL).params_total - model(KIMI_VL).tower_params
    plain = {**VL2, "language_config": VL2["language_config"] | {"topk_method": "greedy", "scoring_func": "softmax"}}
    assert faults(plain) == []
    assert model(VL2).params_total - model(plain).params_total == 29 * 72


def test_biases_of_intern_and_ling_count() -> None:
    more = model(INTERN | {"qkv_bias": True}).params_total - model(INTERN).params_total
    assert more == 48 * (32 + 2 * 2) * 128
    more = model(LING_MINI | {"use_qkv_bias": True}).params_total - model(LING_MINI).params_total
    assert more == 20 * (16 + 2 * 4) * 128


def test_lings_module_for_several_tokens_is_a_layer_with_what_joins() -> None:
    llm, plain = model(LING_MINI | {"num_nextn_predict_layers": 1}), model(LING_MINI)
    last = plain.layer_list[-1]
    assert llm.params_total == plain.params_total
    assert llm.draft_params == sum(x.params for x in last.linears) + last.bf16 + last.fp32 + 2 * 2048**2 + 3 * 2048
    assert llm.drafting.kv_bytes(1000, "bf16") == 21 * plain.kv_bytes(1000, "bf16") // 20


@pytest.mark.parametrize(
    ("config", "changes", "column"),
    [
        (LING_MINI, {"use_bias": True}, "use_bias"),
        (LING_MINI, {"moe_router_enable_expert_bias": False}, "moe_router_enable_expert_bias"),
        (LING_MINI, {"use_sliding_window": True}, "use_sliding_window"),
        (INTERN, {"bias": True}, "bias"),
        (EXAONE, {"num_hidden_layers": 40}, "num_layers"),
        (EXAONE, {"activation_function": "gelu"}, "activation_function"),
        (VL2, {"projector_config": {"n_embed": 2048}}, "projector_config.n_embed"),
        (VL2, {"projector_config": {"projector_type": "linear"}}, "projector_config.projector_type"),
        (VL2, {"language_config": VL2["language_config"] | {"use_mla": False}}, "use_mla"),
        (
            KIMI_VL,
            {"vision_config": KIMI_VL["vision_config"] | {"merge_kernel_size": 2}},
            "vision_config.merge_kernel_size",
        ),
    ],
)
def test_what_is_not_modelled_is_refused(config: dict[str, Any], changes: dict[str, Any], column: str) -> None:
    assert column in {fault.column for fault in faults(config | changes)}
