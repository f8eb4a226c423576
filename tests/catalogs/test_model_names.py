"""Names as people write them: taken apart (tests/data/model_names.csv: names of conversions as xinference and Ollama
list them), and found among the models that ship with dsopt."""

import csv
import random
import re
from pathlib import Path

import pytest

from catalogs import engines
from catalogs.errors import InputError
from catalogs.inputs import shipped_rows
from catalogs.model_names import readings
from catalogs.registry import LONGEST, _literal, aliases, all_models, get, matching, named, same_network, shipped_names
from tests.support.long import one_in

NAMES = list(csv.DictReader((Path(__file__).parents[1] / "data" / "model_names.csv").open(encoding="utf-8")))
ASKED = list(csv.DictReader((Path(__file__).parents[1] / "data" / "asked_names.csv").open(encoding="utf-8")))
"""Names in public questions, and what they mean; several models where the name does not say which."""
CHECKPOINTS = shipped_rows(Path(engines.__file__).parent / "checkpoints.csv")
SHIPPED = [llm for llm in all_models() if not llm.user]


@pytest.mark.parametrize("row", one_in(5, NAMES), ids=lambda row: row["name"])
def test_a_name_is_taken_apart(row):
    *_, barest = readings(row["name"])
    assert (barest.name, barest.quantization) == (row["network"], row["format"])


@pytest.mark.parametrize("llm", SHIPPED, ids=lambda llm: llm.id)
def test_every_name_of_a_model_finds_it_however_it_is_written(llm):
    for name in (llm.id, llm.name, *llm.hf_names):
        if shipped_names()[name.casefold()] != llm.id:
            continue  # a name that two rows have is the first one's
        for written in (name, name.upper(), f" {name} ", name.replace("-", "_"), name.replace("-", " ")):
            found = named(written)
            assert found.llm.id == llm.id and found.literal and not found.others, written


@pytest.mark.parametrize("llm", one_in(5, [llm for llm in SHIPPED if not llm.note]), ids=lambda llm: llm.id)
@pytest.mark.parametrize(
    ("conversion", "written"),
    [
        ("unsloth/{}-GGUF:Q4_K_M", "q4_k_m"),
        ("lmstudio-community/{}-GGUF", "gguf"),
        ("mlx-community/{}-4bit", "mlx-4bit"),
        ("RedHatAI/{}-quantized.w4a16", "w4a16"),
        ("hf.co/bartowski/{}-GGUF:IQ3_XXS", "iq3_xxs"),
        ("https://huggingface.co/nvidia/{}-NVFP4", "nvfp4"),
        ("QuantTrio/{}-GPTQ-Int4-Int8Mix", "int4-int8mix"),
    ],
)
def test_conversions_name_the_model_and_the_format(llm, conversion, written):
    found = named(conversion.format(llm.name))
    assert found.llm.id == llm.id and found.quantization == written


@pytest.mark.parametrize("row", ASKED, ids=lambda row: row["name"])
def test_names_that_people_asked_with(row):
    meant = row["models"].split("|")
    if len(meant) == 1:
        assert named(row["name"]).llm.id == meant[0]
        return
    with pytest.raises(InputError) as refused:
        named(row["name"])
    assert refused.value.faults[0].code == "ambiguous-model" and refused.value.exit_code == 3
    assert all(f"{id_} (" in refused.value.faults[0].remedy for id_ in meant)


@pytest.mark.parametrize("row", one_in(5, CHECKPOINTS), ids=lambda row: row["checkpoint"])
def test_published_checkpoints_name_their_model_and_format(row):
    found, meant = named(row["checkpoint"]), get(row["model"])
    assert found.llm.id == meant.id or meant.note, "a guide's name has the checkpoint of the model that was meant"
    if found.quantization and not meant.note:
        assert found.llm.format_of(found.quantization) == row["precision"]


@pytest.mark.parametrize("row", aliases(), ids=lambda row: row["alias"])
def test_aliases_name_shipped_models(row):
    ids = row["ids"].split("|")
    assert all(get(id_).id == id_ for id_ in ids), "an alias names ids, and only of models that are there"
    assert row["kind"] in ("short", "ollama", "lmstudio", "modelscope", "huggingface") and row["source"]
    try:
        found = named(row["alias"])
    except InputError as ambiguous:
        assert all(id_ in str(ambiguous) for id_ in ids)
        return
    assert {found.llm.id, *(other.id for other in found.others)} == set(ids)


def test_an_alias_stands_once_and_shadows_no_name():
    written = [row["alias"].casefold() for row in aliases()]
    assert len(written) == len(set(written))
    for row in aliases():
        assert _literal().get(readings(row["alias"]).__next__().name) in (None, *row["ids"].split("|"))


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("r1", "r1-0528"), ("v3", "v3-0324"), ("671b", "v3.1-terminus"), ("DeepSeek R1 满血版", "r1-0528"),
        ("deepseek满血版", "r1-0528"), ("满血版", "v3.1-terminus"), ("千问3-32B", "qwen3-32b"),
        ("智谱GLM-4.6", "glm-4.6"),
        ("深度求索 R1 蒸馏版 32B", "r1-distill-qwen-32b"), ("通义千问3-Coder-480B", "qwen3-coder-480b-a35b"),
        ("deepseek-r1", "r1-671b"), ("deepseek-v3", "v3-671b"), ("deepseek-r1:671b", "r1-0528"),
        ("deepseek-r1:32b", "r1-distill-qwen-32b"), ("r1 32b", "r1-distill-qwen-32b"),
        ("deepseek-r1:8b", "r1-0528-qwen3-8b"), ("deepseek-r1:70b-llama-distill-q4_K_M", "r1-distill-llama-70b"),
        ("llama3.1:70b", "llama-3.1-70b"),
        ("llama 3.1 405b", "llama-3.1-405b"), ("gpt-oss:120b", "gpt-oss-120b"), ("gpt oss 20b", "gpt-oss-20b"),
        ("qwen3:30b", "qwen3-30b-a3b-2507"), ("Meta-Llama-3.1-8B-Instruct", "llama-3.1-8b"),
        ("ModelScope/DeepSeek-V3.1", "v3.1"), ("kimi-k2:1t-cloud", "kimi-k2-0905"),
        ("deepseek v3.2 685b", "v3.2"), ("deepseek-r1:33b", "r1-distill-qwen-32b"),
        ("glm-5.1:754b", "glm-5.1"), ("v4 pro 1.6T", "v4-pro-0813"),
        ("deepseek/deepseek-r1:free", "r1-671b"), ("v2-670b", "v2-670b"), ("r1-33b", "r1-33b"), ("R1 33B", "r1-33b"),
    ],
)  # fmt: skip
def test_short_names_and_tags(name, model):
    assert named(name).llm.id == model


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("qwen3", ["qwen3-8b", "qwen3-235b-a22b"]),
        ("llama", ["llama-3.1-8b", "llama-2-70b"]),
        ("gpt-oss", ["gpt-oss-20b", "gpt-oss-120b"]),
        ("70b", ["llama-2-70b", "r1-distill-llama-70b"]),
        ("v4", ["v4-flash", "v4-pro"]),
    ],
)
def test_what_means_several_networks_lists_them_with_size_and_date(name, some):
    with pytest.raises(InputError) as refused:
        named(name)
    fault = refused.value.faults[0]
    assert fault.code == "ambiguous-model"
    for id_ in some:
        llm = get(id_)
        assert f"{id_} (" in fault.remedy and llm.released in fault.remedy
    assert "r1-0528-qwen3-8b" not in fault.remedy or name == "70b", "a distill is no model of the family it is made of"


def test_of_one_network_the_newest_training_is_taken():
    found = named("r1")
    assert found.llm.id == "r1-0528" and [other.id for other in found.others] == ["r1-671b"] and not found.literal
    assert same_network(found.llm, get("r1-671b")) and same_network(get("v3-671b"), get("r1-671b"))
    assert not same_network(get("v3.2"), get("v3-671b")) and not same_network(get("v2-670b"), get("v3-671b"))


@pytest.mark.parametrize(
    "name",
    ["v3-617b", "deepseek-r1:45b", "qwen3-coder-next-30b", "", "/", "-", ":", "x" * 100_000, "it-" * 5000, "no\0no"],
)
def test_unknown_names_say_what_to_do(name):
    with pytest.raises(InputError) as refused:
        named(name)
    fault = refused.value.faults[0]
    assert fault.code == "unknown-model" and len(str(fault)) < 800
    assert "--model-config" in fault.remedy
    if name == "v3-617b":
        assert "Nearest: v3-671b" in fault.remedy


def test_a_file_is_named_by_its_option(tmp_path):
    with pytest.raises(InputError, match="--model-config"):
        named(str(tmp_path))


def test_garbage_names_nothing_or_is_refused():
    """Any text: a model, or a refusal that is an InputError."""
    rng = random.Random(7)
    letters = "abcr1v3qwen-_: /.0b8kmg満\u202e\t"
    for _ in range(400):
        text = "".join(rng.choice(letters) for _ in range(rng.randrange(1, min(LONGEST, 24))))
        try:
            assert named(text).llm.id
        except InputError as refused:
            assert refused.faults[0].code in ("unknown-model", "ambiguous-model")


def test_search_looks_at_all_names():
    assert {"r1-671b", "v3-671b"} <= {llm.id for llm in matching("满血")}
    assert {llm.family for llm in matching("智谱")} == {"GLM"}
    assert "qwen3-8b" in {llm.id for llm in matching("QWEN 8b")}
    assert {llm.family for llm in matching("gpt_oss")} == {"gpt-oss"}
    assert matching("no such model") == []


FORMAT_IN_A_NAME = re.compile(
    r"(?:^|[-_.:/])(?:nvfp4|mxfp4|fp8|awq|gptq|int[48]|w\d+a\d+|[48]bit|i?q\d_\w+)(?:$|[-_.:/])", re.I
)


def test_no_name_of_a_format_is_taken_for_the_published_weights():
    """A name in the tables of names that says a format (gemma-4-31B-it-qat-w4a16-ct) is read with it."""
    names = {*(name for llm in SHIPPED for name in llm.hf_names), *(row["alias"] for row in aliases())}
    formats = {name for name in names if FORMAT_IN_A_NAME.search(name)}
    assert len(formats) > 20
    for name in formats:
        try:
            assert named(name).quantization, name
        except InputError as ambiguous:
            assert "ambiguous-model" in str(ambiguous)


@pytest.mark.parametrize(
    ("name", "quantization"),
    [
        ("google/gemma-3-27b-it-qat-q4_0-unquantized", "bf16"),
        ("google/gemma-3-27b-it-qat-q4_0-gguf", "q4_0"),
        ("google/gemma-4-31B-it-qat-w4a16-ct", "w4a16"),
        ("someone/Qwen3-32B-FP8-compressed-tensors", "fp8"),
    ],
)
def test_words_behind_a_format(name, quantization):
    assert named(name).quantization == quantization
