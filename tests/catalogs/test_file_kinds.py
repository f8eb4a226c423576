"""Bytes of GGUF and MLX files against sizes that were published, and what is published of which model."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from catalogs.engines.published import file_checkpoint, is_published, makers, published_kinds
from catalogs.engines.tables import table
from catalogs.errors import InputError
from catalogs.file_kinds import BETWEEN_KINDS, QUANTIZER_KINDS, parts_of
from catalogs.formats import BITS, DYNAMIC_KINDS, MLX_KINDS, blocks
from catalogs.inputs import shipped_rows
from catalogs.llm import all_models, get
from catalogs.registry import named
from constraints.request import Request
from constraints.rules.precision import wanted
from tests.support.long import sampled

SIZES = list(csv.DictReader((Path(__file__).parents[1] / "data" / "file_sizes.csv").open(encoding="utf-8")))
FOLDER = Path(__file__).parents[2] / "catalogs" / "llms" / "gguf"


@pytest.mark.parametrize("row", SIZES, ids=lambda row: f"{row['model']}-{row['precision']}")
def test_published_sizes(row: dict[str, str]) -> None:
    llm = get(row["model"])
    counted = llm.weight_bytes(row["precision"])
    if row["bits_per_weight"]:  # published to four digits
        assert round(8 * counted / llm.params_total, 4) == float(row["bits_per_weight"])
    if row["gb"]:
        assert counted / 1e9 == pytest.approx(float(row["gb"]), rel=float(row["within"]))


def test_every_model_is_counted_in_every_kind() -> None:
    for llm in sampled(3, all_models()):
        sizes = [llm.weight_bytes(kind) for kind in (*QUANTIZER_KINDS, *MLX_KINDS)]
        assert all(size > 0 for size in sizes)
        layers = {kind: (sum(llm.layer_bytes(kind)), llm.head_bytes(kind)) for kind in QUANTIZER_KINDS}
        assert all(sum(both) == llm.weight_bytes(kind) and both[1] >= 0 for kind, both in layers.items()), llm.id
        if llm.is_moe:
            experts = llm.expert_layer_bytes("q4_k_m")
            assert abs(sum(experts) - llm.expert_bytes("q4_k_m")) <= llm.layers


def test_layers_of_a_mix_differ() -> None:
    """The first and the last eighth and every third layer between have larger matrices (use_more_bits)."""
    sizes = get("llama-3.1-8b").layer_bytes("q4_k_m")
    large = [place for place, size in enumerate(sizes) if size == max(sizes)]
    assert len(set(sizes)) == 2
    assert large == [i for i in range(32) if i < 4 or i >= 28 or (i - 4) % 3 == 2]


def test_experts_that_are_published_in_mxfp4_stay_so() -> None:
    """Every kind of gpt-oss has the same experts; of other models MXFP4_MOE gives MXFP4 to routed experts alone."""
    llm = get("gpt-oss-20b")
    assert len({llm.expert_bytes(kind) for kind in QUANTIZER_KINDS}) == 1
    matrices = sum(x.out * x.into * x.count for y in llm.layer_list for x in y.linears if x.expert)
    biases = sum(x.biases for y in llm.layer_list for x in y.linears if x.expert)
    assert llm.expert_bytes("mxfp4_moe") == matrices * 17 // 32 + 4 * biases
    other = get("qwen3-30b-a3b")
    assert other.expert_bytes("mxfp4_moe") == other.params_routed_experts * 17 // 32
    rest = other.weight_bytes("mxfp4_moe") - other.expert_bytes("mxfp4_moe")
    assert rest == other.weight_bytes("q8_0") - other.expert_bytes("q8_0")
    dense = get("qwen3-8b")
    assert dense.weight_bytes("mxfp4_moe") == dense.weight_bytes("q8_0")


def test_the_first_matrices_of_low_kinds_are_counted_by_tensor() -> None:
    """Of IQ2_M the first eighth of the down matrices has 3 bits: of DeepSeek-V3's 61 layers seven tensors, three of
    dense layers, then routed and shared experts in turn, so that layer 5 has the one but not the other."""
    llm = get("r1-671b")
    kinds = [llm.layer_bytes("iq2_m")[place] for place in (2, 3, 4, 5, 6)]
    assert kinds[1] == kinds[2] > kinds[3] == kinds[4]


def test_rows_that_are_no_multiple_of_a_block_fall_back() -> None:
    """Widths of Gemma 3 1B (1,152) are no multiple of 256: Q4_K becomes Q5_0, as llama.cpp warns."""
    layer = get("gemma-3-1b").layer_list[0]
    assert any(linear.into % 256 for linear in layer.linears)
    assert get("gemma-3-1b").weight_bytes("q4_k_m") > 5.5 / 8 * get("gemma-3-1b").params_total


def test_the_tables_name_what_there_is() -> None:
    mixes = shipped_rows(FOLDER / "mixes.csv")
    assert {row["kind"] for row in mixes} == set(QUANTIZER_KINDS)
    assert {row["type"] for row in mixes} <= set(blocks())
    for kind in QUANTIZER_KINDS:  # what no other row speaks of has a type
        assert [row for row in mixes if row["kind"] == kind][-1]["part"] == ""
    fallbacks = {row["type"]: row["fallback"] for row in shipped_rows(FOLDER / "fallbacks.csv")}
    assert {row["type"] for row in mixes if blocks()[row["type"]][0] == 256} <= set(fallbacks)
    assert all(blocks()[small][0] == 32 for small in fallbacks.values())
    names = {linear.name for llm in all_models() for layer in (*llm.layer_list, llm.head) for linear in layer.linears}
    assert {row["module"] for row in shipped_rows(FOLDER / "parts.csv")} <= names
    tied = next(linear for linear in get("gemma-3-4b").head.linears if linear.name == "model.embed_tokens")
    assert parts_of(tied) == ("output",)
    known = {row["type"] for row in shipped_rows(FOLDER / "kept_types.csv")}
    assert known <= set(blocks()) and set(QUANTIZER_KINDS) > BETWEEN_KINDS
    assert list(QUANTIZER_KINDS) == sorted(QUANTIZER_KINDS, key=lambda kind: -BITS[kind])


def test_checkpoints_are_of_models_that_ship() -> None:
    """Each repository's own name is read as the model that its row is of, and says no other."""
    ids = {llm.id for llm in all_models()}
    for row in table("file_checkpoints"):
        assert row["model"] in ids
        name = row["checkpoint"].replace("{bits}", "4")
        llm, others = named(name).llm, named(name).others
        assert row["model"] in {llm.id, *(other.id for other in others)}, name


def test_what_is_published() -> None:
    r1, guide, own = get("r1-671b"), get("v2-670b"), get("r1-33b")
    assert {"q4_k_m", "q2_k", "q8_0", "mlx-4bit"} <= set(published_kinds(r1))
    assert published_kinds(guide) == published_kinds(get("v3-671b")) and "q4_k_m" in published_kinds(guide)
    assert published_kinds(own) == published_kinds(get("r1-distill-qwen-32b")) != ()
    assert is_published(guide, "nvfp4") and is_published(own, "int4") and not is_published(own, "mxfp4")
    assert not is_published(r1, "mlx-8bit") and "mlx-8bit" in MLX_KINDS
    assert is_published(r1, "bf16")  # not below what it is published in
    assert file_checkpoint("r1-671b", "q4_k_m") == "unsloth/DeepSeek-R1-GGUF:Q4_K_M"
    assert file_checkpoint("r1-671b", "mlx-4bit") == "mlx-community/DeepSeek-R1-4bit"
    assert file_checkpoint("gpt-oss-20b", "q4_k_m") == ""


def test_what_engines_make() -> None:
    assert "vLLM" in makers(get("phi-4"), "fp8") and makers(get("phi-4"), "int8") == ()
    assert makers(get("r1-671b"), "nvfp4") == makers(get("r1-671b"), "int4") == ()
    assert makers(get("r1-671b"), "int4", "offload") == ("KTransformers",)
    assert all(BITS[p] < 16 for row in table("made_when_loading") for p in row["precisions"].split("|"))


SIZED = shipped_rows(FOLDER / "published_sizes.csv")


@pytest.mark.parametrize("row", SIZED, ids=lambda row: f"{row['model']}-{row['kind']}")
def test_mixes_of_others_have_their_published_size(row: dict[str, str]) -> None:
    """All bytes but the routed experts' are those of Q4_K_M; experts have what the file leaves, in the same order."""
    llm, kind = get(row["model"]), row["kind"]
    assert llm.weight_bytes(kind) == pytest.approx(float(row["gb"]) * 1e9, rel=1e-6)
    rest = llm.weight_bytes(kind) - llm.expert_bytes(kind)
    assert rest == pytest.approx(llm.weight_bytes("q4_k_m") - llm.expert_bytes("q4_k_m"), rel=1e-4)
    assert sum(llm.layer_bytes(kind)) + llm.head_bytes(kind) == llm.weight_bytes(kind)
    # Bits of an expert's weight are about those that the kind is called after: 1.4 to 1.9 of IQ1_S and IQ1_M.
    bits = 8 * llm.expert_bytes(kind) / llm.params_routed_experts
    assert BITS[kind] <= bits < BITS[kind] + 1
    assert is_published(llm, kind) and file_checkpoint(llm.id, kind).endswith(f":{kind.upper()}")


def test_every_published_mix_has_a_size() -> None:
    known = {(row["model"], row["kind"]) for row in SIZED}
    assert known == {(m.id, k) for m in all_models() for k in DYNAMIC_KINDS if k in published_kinds(m)}


def test_a_mix_of_which_no_size_was_read_is_refused() -> None:
    with pytest.raises(InputError, match="no size of a UD-Q4_K_XL file of r1-671b"):
        get("r1-671b").weight_bytes("ud-q4_k_xl")
    with pytest.raises(InputError, match="no size of a UD-Q2_K_XL file of qwen3-32b"):
        get("qwen3-32b").weight_bytes("ud-q2_k_xl")
    anything = Request(model="qwen3-32b", as_of=date(2026, 11, 24), any_precision=True, min_precision_bits=1)
    assert not set(wanted(get("qwen3-32b"), anything)) & set(DYNAMIC_KINDS)
    below = Request(model="r1-671b", as_of=date(2026, 11, 24), min_precision_bits=1)
    mixes = [kind for kind in wanted(get("r1-671b"), below) if kind in DYNAMIC_KINDS]
    assert mixes == ["ud-q2_k_xl", "ud-iq2_xxs", "ud-iq1_m", "ud-iq1_s"]


@pytest.mark.parametrize("model", ["phi-4", "glm-4.5-air", "llama-4-scout", "qwen2.5-coder-32b", "qwen3.6-35b-a3b"])
def test_files_that_people_run_most_are_known(model: str) -> None:
    assert "q4_k_m" in published_kinds(get(model)) and file_checkpoint(model, "q4_k_m").endswith(":Q4_K_M")
