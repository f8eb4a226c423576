"""Models that keep a running state beside keys and values: published totals, states by the engines' formulas written
out anew, shares of tensor-parallel ranks, and that no size of a config goes unnoticed."""

from __future__ import annotations

import copy
import csv
import json
import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from catalogs.architectures import from_config
from catalogs.config_check import faults, rules
from catalogs.llm import Llm, all_models, get
from catalogs.user_models import open_config
from constraints.plan import Plan
from constraints.policy import Policy
from constraints.rules.vram import kv_per_gpu_user, most_users, stages, weights_per_gpu
from tests.support.long import one_in
from tests.support.oracle import Oracle

DATA = Path(__file__).parents[1] / "data"
SHIPPED = Path(__file__).parents[2] / "catalogs" / "llms"
FACTS = {
    "id": "x",
    "name": "x",
    "native_precision": "bf16",
    "min_precision_bits": 8,
    "max_context": 1,
    "source": "test",
}


def rows() -> list[dict[str, str]]:
    with (DATA / "hybrid_models.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def config_of(name: str) -> dict[str, Any]:
    places = (DATA / "configs" / f"{name}.json", SHIPPED / f"{name}.json")
    found: dict[str, Any] = json.loads(next(p for p in places if p.exists()).read_text(encoding="utf-8"))
    return found


def built(config: Mapping[str, Any]) -> Llm:
    assert faults(config) == []
    return from_config(config, **FACTS)


def billions(text: str) -> float:
    return float(text.removesuffix("B").removesuffix("T")) * (1000 if text.endswith("T") else 1)


def rounded(figure: float, like: str) -> float:
    """Parameters in billions, as exactly as a published figure such as 397B or 2.8T is."""
    number = like.removesuffix("B").removesuffix("T")
    digits = len(number.partition(".")[2]) - (3 if like.endswith("T") else 0)
    return round(figure / 1e9, digits)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["config"])
def test_published_figures(row: dict[str, str]) -> None:
    """Totals are published with the vision tower or without, active ones with the vocabulary or without."""
    llm = built(config_of(row["config"]))
    without = rounded(llm.params_total - llm.tower_params, row["total"])
    assert without <= billions(row["total"]) <= rounded(llm.params_total, row["total"])
    table = int(llm.config["vocab_size"]) * llm.hidden
    least, most = llm.params_active - table, llm.params_active + table
    assert math.floor(least / 1e9) <= billions(row["active"]) <= rounded(most, row["active"])
    assert llm.kv_bytes(1001, "bf16") - llm.kv_bytes(1000, "bf16") == int(row["kv_bytes_per_token"])
    assert sum(layer.kept_bytes for layer in llm.layer_list) == int(row["state_bytes"])


# States ---------------------------------------------------------------------------------------------------------------


def delta_net_state(config: Mapping[str, Any], tp: int) -> int:
    """Bytes of a layer's state on one rank as vLLM shapes it: the last inputs of the convolution in 16 bits, a matrix
    of key width x value width per value head in 32."""
    keys = config["linear_num_key_heads"] * config["linear_key_head_dim"]
    values = config["linear_num_value_heads"] * config["linear_value_head_dim"]
    convolution = (2 * keys + values) // tp * (config["linear_conv_kernel_dim"] - 1) * 2
    matrices = config["linear_num_value_heads"] // tp * config["linear_value_head_dim"] * config["linear_key_head_dim"]
    return convolution + matrices * 4


@pytest.mark.parametrize("model", ["qwen3-next-80b-a3b", "qwen3.5-397b-a17b", "qwen3.5-122b-a10b", "qwen3.6-27b"])
@pytest.mark.parametrize("tp", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("pp", [1, 3])
def test_ranks_hold_their_heads_of_states_and_of_keys_and_values(model: str, tp: int, pp: int) -> None:
    """In the fullest stage: three layers of four keep a state, the fourth keys and values of two or four heads."""
    llm, tokens = get(model), 4096
    kv_heads, head_dim = llm.config["num_key_value_heads"], llm.config["head_dim"]
    entry = 2 * math.ceil(kv_heads / tp) * head_dim * 2
    each = [entry * tokens if layer % 4 == 3 else delta_net_state(llm.config, tp) for layer in range(llm.layers)]
    worst = max(sum(each[i] for i in run) for run in stages(llm.layers, pp))
    assert kv_per_gpu_user(llm, tokens, "bf16", tp, pp) == worst


def mamba_state(config: Mapping[str, Any], tp: int) -> int:
    """Bytes of a Mamba layer's state on one rank as vLLM shapes it: of fewer groups than ranks each rank has one."""
    groups = config["n_groups"] if config["n_groups"] % tp == 0 else tp
    inner = config["mamba_num_heads"] * config["mamba_head_dim"]
    convolution = (inner + 2 * groups * config["ssm_state_size"]) // tp * (config["conv_kernel"] - 1) * 2
    return convolution + config["mamba_num_heads"] // tp * config["mamba_head_dim"] * config["ssm_state_size"] * 4


@pytest.mark.parametrize("model", ["nemotron-3-nano-30b-a3b", "nemotron-3-ultra-550b-a55b", "nemotron-h-56b"])
@pytest.mark.parametrize("tp", [1, 2, 8, 16])
@pytest.mark.parametrize("pp", [1, 4])
def test_ranks_hold_their_heads_of_mamba_states(model: str, tp: int, pp: int) -> None:
    llm, tokens = get(model), 5000
    said = llm.config.get("hybrid_override_pattern") or llm.config["layers_block_type"]
    entry = 2 * math.ceil(llm.config["num_key_value_heads"] / tp) * 128 * 2
    state = mamba_state(llm.config, tp)
    kept = {"M": state, "mamba": state, "*": entry * tokens, "attention": entry * tokens}
    each = [kept.get(letter, 0) for letter in said]
    assert kv_per_gpu_user(llm, tokens, "bf16", tp, pp) == max(
        sum(each[i] for i in run) for run in stages(llm.layers, pp)
    )


@pytest.mark.parametrize("name", ["kimi-linear-48b-a3b", "moonshotai--Kimi-K3"])
@pytest.mark.parametrize("tp", [1, 4, 8, 16])
@pytest.mark.parametrize("pp", [1, 2])
def test_ranks_hold_their_heads_of_delta_states_and_whole_latents(name: str, tp: int, pp: int) -> None:
    config, tokens = config_of(name), 3000
    llm, text = built(config), config.get("text_config", config)
    linear = text["linear_attn_config"]
    inner = linear["num_heads"] * linear["head_dim"]
    state = 3 * inner // tp * (linear["short_conv_kernel_size"] - 1) * 2
    state += linear["num_heads"] // tp * linear["head_dim"] ** 2 * 4
    each = [tokens * 576 * 2 if i in linear["full_attn_layers"] else state for i in range(1, llm.layers + 1)]
    worst = max(sum(each[i] for i in run) for run in stages(llm.layers, pp))
    assert kv_per_gpu_user(llm, tokens, "bf16", tp, pp) == worst


@pytest.mark.parametrize("tp", [1, 8, 64])
@pytest.mark.parametrize("pp", [1, 4])
def test_ranks_hold_their_heads_of_lightning_states(tp: int, pp: int) -> None:
    """Seven layers of eight keep a matrix per head in 16 bits, the eighth keys and values of 8 heads."""
    llm, tokens = get("minimax-m1"), 9000
    state, entry = 64 // tp * 128 * 128 * 2, 2 * math.ceil(8 / tp) * 128 * 2
    each = [entry * tokens if layer % 8 == 7 else state for layer in range(80)]
    worst = max(sum(each[i] for i in run) for run in stages(80, pp))
    assert kv_per_gpu_user(llm, tokens, "bf16", tp, pp) == worst


def test_lightning_layers_are_read_from_numbers_or_from_words() -> None:
    config = config_of("minimax-m1")
    before, numbers = built(config), config.pop("attn_type_list")
    words = ["full_attention" if each else "linear_attention" for each in numbers]
    assert fingerprint(built({**config, "layer_types": words})) == fingerprint(before)
    assert "attn_type_list" in {f.column for f in faults(config)}
    twice = {**config, "attn_type_list": numbers, "layer_types": words[::-1]}
    assert "layer_types" in {f.column for f in faults(twice)}
    assert "attn_type_list" in {f.column for f in faults({**config, "attn_type_list": [0] * 80})}


def test_a_state_in_16_bits_is_half_as_large() -> None:
    config = config_of("qwen3.6-27b")
    config["text_config"]["mamba_ssm_dtype"] = "bfloat16"
    whole, half = built(config_of("qwen3.6-27b")), built(config)
    matrices = 48 * 48 * 128 * 128
    assert whole.kv_bytes(0, "bf16") - half.kv_bytes(0, "bf16") == 2 * matrices
    assert whole.state_moved_bytes == 2 * whole.kv_bytes(0, "bf16")


def test_layers_of_linear_attention_cost_the_same_at_any_context() -> None:
    llm = get("qwen3.5-397b-a17b")
    full = [layer for layer in llm.layer_list if layer.caches]
    assert len(full) == 15 and all(not layer.states for layer in full)
    assert llm.attention_flops(1000, "decode") == 15 * 4 * 32 * 256 * 1000
    assert sum(layer.state_flops for layer in llm.layer_list) == 45 * 7 * 64 * 128 * 128


@pytest.mark.parametrize(
    "llm", one_in(3, [m for m in all_models() if any(y.states for y in m.layer_list)]), ids=lambda m: m.id
)
def test_the_oracle_counts_the_same_requests(llm: Llm) -> None:
    """Requests that one replica has memory for, by the brute-force oracle's own arithmetic."""
    rng, oracle = random.Random(llm.id), object.__new__(Oracle)
    oracle.ask = cast(Any, SimpleNamespace(model=llm, isl=3000, osl=1096, speculate=False))
    fits = 0
    for _ in range(200):
        tp, pp, dp = rng.choice((1, 2, 4, 8)), rng.choice((1, 2, 3, 7)), rng.choice((1, 1, 2, 4)) if llm.is_moe else 1
        ep, precision = rng.choice((1, tp * dp)) if llm.is_moe else 1, rng.choice(llm.precisions())
        gpu: Any = SimpleNamespace(vram_gb=rng.choice((24, 80, 192, 288)), unified_reserve_gb=0)
        ours = most_users(gpu, llm, Policy(), Plan(precision, "bf16", tp, pp, dp, ep, 1, 1), 4096)
        assert ours == oracle._room(gpu, precision, tp, pp, dp, ep)
        fits += ours > 0
    assert fits > 20


# Layers of one part ---------------------------------------------------------------------------------------------------


def test_layers_are_read_from_a_pattern_or_from_a_list() -> None:
    config = config_of("nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16")
    before, pattern = built(config), config.pop("hybrid_override_pattern")
    words = {"M": "mamba", "*": "attention", "E": "moe", "-": "mlp"}
    newer = {"mamba": "linear_attention", "attention": "full_attention"}
    listed = [words[letter] for letter in pattern]
    for fields in (
        {"layers_block_type": listed},
        {"layers_block_type": [newer.get(each, each) for each in listed]},
        {"layer_types": [newer.get(each, each) for each in listed], "hybrid_override_pattern": pattern},
    ):
        assert fingerprint(built({**config, **fields})) == fingerprint(before)
        less = {k: v for k, v in config.items() if k != "num_hidden_layers"}
        assert fingerprint(built({**less, **fields})) == fingerprint(before)
    assert "hybrid_override_pattern" in {f.column for f in faults(config)}
    twice = {**config, "hybrid_override_pattern": pattern, "layers_block_type": listed[::-1]}
    assert "hybrid_override_pattern" in {f.column for f in faults(twice)}
    assert {f.column for f in faults({**config, "hybrid_override_pattern": pattern[:-1] + "X"})} == {"layer_types"}
    assert "layer_types" in {f.column for f in faults({**config, "hybrid_override_pattern": "ME" * 26})}


def test_experts_that_no_layer_has_count_nothing() -> None:
    """transformers writes the sizes of experts into every config, whether there are any or not."""
    config = config_of("nvidia--Nemotron-H-56B-Base-8K")
    class_defaults = {
        "n_routed_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 7688, "n_shared_experts": 1,
        "moe_shared_expert_intermediate_size": 7688,
    }  # fmt: skip
    llm = built({**config, **class_defaults})
    assert fingerprint(llm) == fingerprint(built(config)) and not llm.is_moe
    del config["intermediate_size"]
    assert "intermediate_size" in {f.column for f in faults({**config, **class_defaults})}


@pytest.mark.parametrize("field", ["n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"])
def test_experts_without_their_sizes_are_refused(field: str) -> None:
    config = config_of("nvidia--NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4")
    del config[field]
    assert field in {f.column for f in faults(config)}


def test_experts_on_a_latent_are_narrower() -> None:
    """Super's 512 experts work on 1,024 of its 4,096 channels."""
    layer = next(y for y in get("nemotron-3-super-120b-a12b").layer_list if any(x.expert for x in y.linears))
    shapes = {x.name: (x.into, x.out, x.count) for x in layer.linears}
    assert shapes["mixer.experts.0.up_proj"] == (1024, 2688, 512)
    assert shapes["mixer.fc1_latent_proj"] == (4096, 1024, 1)
    assert shapes["mixer.shared_experts.down_proj"] == (5376, 4096, 1)


def test_matrices_that_each_rank_holds_whole() -> None:
    """Kimi K3's experts work on 3,584 of 7,168 channels: both matrices between lie on each GPU, and so do those of the
    latents and of the decays."""
    llm = built(config_of("moonshotai--Kimi-K3"))
    latents, decays = 24 * 7168 * (1536 + 512 + 64), 69 * 7168 * 128
    copied = 2 * (92 * 2 * 7168 * 3584 + latents + decays)
    assert sum(llm.copied_layer_bytes("bf16")) == copied
    rest = llm.weight_bytes("bf16") - llm.expert_bytes("bf16") - copied
    experts = llm.expert_bytes("bf16")
    for tp in (1, 8, 16):
        assert weights_per_gpu(llm, "bf16", tp, 1, 1, 1) == math.ceil(experts / tp) + math.ceil(rest / tp) + copied


def test_only_experts_of_kimi_k3_are_in_four_bits() -> None:
    """As published: attention, shared experts and tables are in 16 bits. RedHatAI's NVFP4 takes 1,650 GB."""
    llm = built(config_of("moonshotai--Kimi-K3"))
    rest = llm.weight_bytes("bf16") - llm.expert_bytes("bf16")
    assert llm.weight_bytes("mxfp4") == llm.params_routed_experts * 17 // 32 + rest
    assert abs(llm.weight_bytes("nvfp4") / 1650e9 - 1) < 0.02


def test_layers_and_names_of_kimi_in_the_words_of_transformers() -> None:
    config = config_of("kimi-linear-48b-a3b")
    before, linear = built(config), config.pop("linear_attn_config")
    kinds = ["full_attention" if i in linear["full_attn_layers"] else "linear_attention" for i in range(1, 28)]
    theirs = {
        "num_experts_per_token": "num_experts_per_tok", "num_shared_experts": "n_shared_experts",
        "num_experts": "num_local_experts", "model_max_length": "max_position_embeddings",
    }  # fmt: skip
    renamed = {theirs.get(name, name): value for name, value in config.items()}
    renamed |= {
        "layer_types": kinds, "mlp_layer_types": ["dense", *["sparse"] * 26], "linear_num_heads": 32,
        "linear_head_dim": 128, "linear_conv_kernel_dim": 4,
    }  # fmt: skip
    del renamed["first_k_dense_replace"]
    assert fingerprint(built(renamed)) == fingerprint(before)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"full_attn_layers": [4, 8], "kda_layers": [1, 2, 3]}, "layer_types"),
     ({"full_attn_layers": [4, 8, 12, 16, 20, 24, 27, 26]}, "layer_types"),
     ({"full_attn_layers": [4, 8, 12, 16, 20, 24, 27, 28]}, "linear_attn_config.full_attn_layers"),
     ({"num_heads": "32"}, "linear_attn_config.num_heads"), ({"head_dim": None}, "linear_head_dim"),
     ({"surprise": 4}, "linear_attn_config.surprise")],
)  # fmt: skip
def test_linear_attention_that_is_not_understood(change: dict[str, Any], field: str) -> None:
    config = config_of("kimi-linear-48b-a3b")
    config["linear_attn_config"] |= change
    assert field in {f.column for f in faults(config)}


def test_half_layers_take_half_the_time_of_launching() -> None:
    assert get("nemotron-3-nano-30b-a3b").depth == 26 and get("qwen3.6-27b").depth == 64


def test_a_config_may_hold_what_python_writes_for_endless(tmp_path: Path) -> None:
    path = tmp_path / "nemotron.json"
    path.write_text((DATA / "configs" / "nvidia--Nemotron-H-56B-Base-8K.json").read_text(encoding="utf-8"))
    assert "Infinity" in path.read_text()
    assert open_config(path).params_total == get("nemotron-h-56b").params_total


# Chosen blocks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tp", [1, 2, 4, 8, 16])
def test_index_keys_lie_on_every_rank_and_kv_heads_are_split(tp: int) -> None:
    """57 of 60 layers keep one index key of 128 in 16 bits for each token, whatever the cache is in."""
    llm, tokens = get("minimax-m3"), 20_000
    kv_heads = math.ceil(4 / tp)
    for kv, width in (("bf16", 2), ("fp8", 1)):
        want = tokens * (60 * 2 * kv_heads * 128 * width + 57 * 128 * 2)
        assert kv_per_gpu_user(llm, tokens, kv, tp, 1) == want


def test_sixteen_blocks_are_attended_and_every_index_key() -> None:
    llm, tokens = get("minimax-m3"), 100_000
    entry, index = 2 * 4 * 128 * 2, 128 * 2
    assert llm.kv_read_bytes(tokens, "bf16") == entry * (3 * tokens + 57 * 2048) + 57 * index * tokens
    assert llm.kv_whole_read_bytes(tokens, "bf16") == 57 * index * tokens
    each = 4 * 64 * 128 * (3 * tokens + 57 * 2048) + 57 * 2 * 4 * 128 * tokens
    assert llm.attention_flops(tokens, "decode") == each
    assert llm.kv_read_bytes(2000, "bf16") == llm.kv_bytes(2000, "bf16")


def test_sizes_of_the_index_branch_count_under_either_name() -> None:
    """MiniMax names them in sparse_attention_config, transformers beside the others."""
    config = config_of("MiniMaxAI--MiniMax-M3")
    sparse = config.pop("sparse_attention_config")
    kinds = ["minimax_m3_sparse" if each else "full_attention" for each in sparse["sparse_attention_freq"]]
    flat = {
        **config, "layer_types": kinds, "index_n_heads": 4, "index_head_dim": 128, "index_block_size": 128,
        "index_topk_blocks": 16, "index_local_blocks": 1,
    }  # fmt: skip
    assert fingerprint(built(flat)) == fingerprint(built(config_of("MiniMaxAI--MiniMax-M3")))
    twice = {**flat, "sparse_attention_config": {**sparse, "sparse_topk_blocks": 8}}
    assert [f.column for f in faults(twice)] == ["index_topk_blocks"]


def test_values_of_an_index_branch_are_not_modelled() -> None:
    config = config_of("MiniMaxAI--MiniMax-M3")
    config["sparse_attention_config"]["sparse_disable_index_value"] = [0] * 60
    assert [f.column for f in faults(config)] == ["sparse_attention_config.sparse_disable_index_value"]


# Shapes ---------------------------------------------------------------------------------------------------------------


def test_matrices_have_the_published_names_and_shapes() -> None:
    """As transformers prints Qwen3-Next-80B-A3B-Instruct."""
    llm = get("qwen3-next-80b-a3b")
    linear, full = ({x.name: (x.into, x.out) for x in llm.layer_list[i].linears} for i in (0, 3))
    assert linear["linear_attn.in_proj_qkvz"] == (2048, 12288)
    assert linear["linear_attn.out_proj"] == (4096, 2048)
    assert linear["mlp.shared_expert.gate_proj"] == (2048, 512)
    assert linear["mlp.experts.0.down_proj"] == (512, 2048)
    assert full["self_attn.q_proj"] == (2048, 8192)
    assert full["self_attn.k_proj"] == (2048, 512)
    assert full["self_attn.o_proj"] == (4096, 2048)


@pytest.mark.parametrize("llm", [m for m in all_models() if any(y.states for y in m.layer_list)], ids=lambda m: m.id)
@pytest.mark.parametrize("pp", [1, 2, 5])
def test_experts_of_a_stage_are_those_of_its_layers(llm: Llm, pp: int) -> None:
    """Experts spread over 64 ranks, all else on each: whichever layers have experts."""
    layers, head, worst = llm.layer_bytes("bf16"), llm.head_bytes("bf16"), 0
    for stage, run in enumerate(stages(llm.layers, pp)):
        routed = [2 * sum(x.out * x.into * x.count for x in llm.layer_list[i].linears if x.expert) for i in run]
        rest = sum(layers[i] for i in run) - sum(routed)
        rest += head if pp == 1 else math.ceil(head / 2) if stage in (0, pp - 1) else 0
        worst = max(worst, math.ceil(sum(routed) / 64) + rest)
    assert weights_per_gpu(llm, "bf16", 1, pp, 1, 64) == worst


# Nothing goes unnoticed -----------------------------------------------------------------------------------------------


def fingerprint(llm: Llm) -> tuple[float, ...]:
    rank = llm.kv_rank_bytes(5000, "fp8", 2)
    flops = llm.linear_flops_per_token(), llm.attention_flops(5000, "decode"), llm.params_active
    context = int(llm.config["max_position_embeddings"])
    return (
        llm.params_total,
        llm.drafting.weight_bytes("fp8"),
        llm.kv_bytes(5000, "bf16"),
        llm.kv_read_bytes(5000, "bf16"),
        rank,
        *flops,
        context,
    )


def places(config: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where whole numbers stand in a config, its parts included."""
    for name, value in config.items():
        if isinstance(value, dict) and name != "quantization_config":
            yield from places(value, (*path, name))
        elif isinstance(value, int) and not isinstance(value, bool):
            yield (*path, name)


def changed(config: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    out = copy.deepcopy(config)
    inner = out
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return out


def sizes_of(name: str) -> list[tuple[str, ...]]:
    """Whole numbers of a config that its rules do not say to be without effect."""
    config = config_of(name)
    known = rules(config["architectures"][0])

    def ignored(path: tuple[str, ...]) -> bool:
        names = (*path, ".".join(path[-2:]))
        return any(known.get(part, ("", ""))[0] == "ignored" for part in names)

    return [path for path in places(config) if not ignored(path)]


CONFIGS = [row["config"] for row in rows()]


@pytest.mark.parametrize("name", one_in(7, CONFIGS))
def test_a_changed_size_never_goes_unnoticed(name: str) -> None:
    config = config_of(name)
    before = fingerprint(built(config))
    unnoticed = []
    for path in sizes_of(name):
        value = config
        for part in path:
            value = value[part]
        for other in (2 * int(value) + 1, 2 * int(value), max(int(value) // 2, 1)):  # type: ignore[call-overload]
            if other == value:
                continue
            after = changed(config, path, other)
            if not faults(after) and fingerprint(from_config(after, **FACTS)) == before:
                unnoticed.append((".".join(path), other))
    assert unnoticed == []


@pytest.mark.parametrize("name", one_in(9, CONFIGS))
@pytest.mark.parametrize(
    "field", ["surprise", "use_surprise", "mamba_surprise", "linear_attn_surprise", "vision_surprise"]
)
@pytest.mark.parametrize("value", [None, False, 0, "", []])
def test_a_field_that_says_there_is_none_of_it_changes_nothing(name: str, field: str, value: Any) -> None:
    config = config_of(name)
    before = fingerprint(built(config))
    assert fingerprint(built({**config, field: value})) == before
    nested = next((n for n in ("text_config", "llm_config") if n in config), None)
    if nested:
        assert fingerprint(built({**config, nested: {**config[nested], field: value}})) == before


@pytest.mark.parametrize("name", CONFIGS)
def test_a_field_that_nobody_knows_is_refused_by_name(name: str) -> None:
    config = config_of(name)
    assert "surprise" in {f.column for f in faults({**config, "surprise": 3})}
    if "vision_config" in config:
        inside = {**config, "vision_config": {**config["vision_config"], "surprise": 3}}
        assert "vision_config.surprise" in {f.column for f in faults(inside)}
