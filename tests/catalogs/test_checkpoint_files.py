"""Folders of downloaded checkpoints: what their weight files say, and files that say it wrong.

Weights are never read: the files here are as long as real ones would be, and empty behind their headers."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.architectures import from_config
from catalogs.checkpoints.file_sizes import difference
from catalogs.checkpoints.folder import name_of
from catalogs.checkpoints.weight_files import BITS, weight_files
from catalogs.errors import InputError
from catalogs.llm import Llm, get
from catalogs.registry import DATA as SHIPPED
from catalogs.user_models import open_config
from constraints.policy import Policy
from constraints.request import Request
from optimizer.request.command import command
from tests.support.commands import dsopt
from tests.support.long import examples

QWEN = json.loads((SHIPPED / "qwen3-8b.json").read_text(encoding="utf-8"))
MOE = json.loads((SHIPPED / "deepseek-v3.json").read_text(encoding="utf-8"))
SMALL = {**QWEN, "num_hidden_layers": 4}
FACTS: Mapping[str, Any] = {
    "id": "x", "name": "x", "native_precision": "bf16", "min_precision_bits": 16, "max_context": 1, "source": "",
}  # fmt: skip
Tensors = dict[str, tuple[str, list[int]]]


def written(path: Path, tensors: Tensors, *, whole: bool = True, **more: Any) -> int:
    """A safetensors file with these tensors; returns the bytes of their data."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, (dtype, shape) in tensors.items():
        size = BITS[dtype] // 8
        for side in shape:
            size *= side
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size], **more}
        place += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + (place if whole else place - 1))
    return place


def folder(where: Path, config: Any, name: str = "Qwen3-8B") -> Path:
    place = where / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return place


def modules_of(llm: Llm) -> Iterator[tuple[str, int, int]]:
    """Each matrix of the layers by itself, with the names that the parts counted with it have."""
    behind = {"gate_proj": ["gate_proj", "up_proj"], "k_proj": ["k_proj", "v_proj"]}
    for number, layer in enumerate(llm.layer_list):
        for linear in layer.linears:
            parent, _, last = linear.name.rpartition(".")
            for part in behind.get(last, [last]):
                yield f"model.layers.{number}.{parent}.{part}", linear.out, linear.into


def tensors_of(config: Any, format_: str = "bf16") -> Tensors:
    """The tensors of a dense model, as makers write them in a format."""
    llm = from_config(config, **FACTS)
    found: Tensors = {
        "model.embed_tokens.weight": ("BF16", [config["vocab_size"], llm.hidden]),
        "lm_head.weight": ("BF16", [config["vocab_size"], llm.hidden]),
    }
    for module, out, into in modules_of(llm):
        if format_ == "bf16":
            found[f"{module}.weight"] = ("BF16", [out, into])
        elif format_ == "fp8":
            found[f"{module}.weight"] = ("F8_E4M3", [out, into])
            found[f"{module}.weight_scale_inv"] = ("F32", [-(-out // 128), -(-into // 128)])
        elif format_ == "nvfp4":
            found[f"{module}.weight"] = ("U8", [out, into // 2])
            found[f"{module}.weight_scale"] = ("F8_E4M3", [out, into // 16])
            found[f"{module}.weight_scale_2"] = ("F32", [])
        elif format_ == "int4":
            found[f"{module}.qweight"] = ("I32", [into // 8, out])
            found[f"{module}.scales"] = ("F16", [into // 64, out])
            found[f"{module}.qzeros"] = ("I32", [into // 64, out // 8])
    return found


# What is read ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_its_config_with_what_lies_beside(tmp_path: Path) -> None:
    place = folder(tmp_path, QWEN, "Qwen3-8B-FP4-of-mine")
    (place / "hf_quant_config.json").write_text(
        json.dumps({"quantization": {"quant_algo": "NVFP4", "group_size": 16, "exclude_modules": ["*self_attn*"]}})
    )
    (place / "generation_config.json").write_text("not looked at")
    for given_path in (place, place / "config.json"):
        llm = open_config(given_path)
        assert llm.native_precision == "nvfp4" and llm.id == "qwen3-8b-fp4-of-mine"
        assert llm.layer_list[0].linears[0].stored == "bf16" and not llm.file_bytes


@pytest.mark.parametrize(("format_", "bits"), [("fp8", 8), ("nvfp4", 4), ("int4", 4)])
def test_tensors_tell_what_the_config_does_not(tmp_path: Path, format_: str, bits: int) -> None:
    place = folder(tmp_path, SMALL, f"Qwen3-8B-{format_}")
    real = written(place / "model.safetensors", tensors_of(SMALL, format_))
    llm = open_config(place)
    assert llm.native_precision == format_ and llm.min_precision_bits == bits
    assert llm.file_bytes == real
    assert llm.weight_bytes(format_) == pytest.approx(real, rel=0.0005)
    assert difference(llm) == ""


def test_weights_of_16_bits_need_no_name_and_no_type(tmp_path: Path) -> None:
    config = {key: value for key, value in SMALL.items() if key not in ("torch_dtype", "dtype")}
    place = folder(tmp_path, config, "Qwen3-8B-GPTQ")
    written(place / "model.safetensors", tensors_of(SMALL))
    assert open_config(place).native_precision == "bf16"


def test_more_or_less_than_is_counted_is_said(tmp_path: Path) -> None:
    place = folder(tmp_path, SMALL)
    tensors = tensors_of(SMALL)
    written(place / "model.safetensors", {**tensors, "extra.weight": ("BF16", [10_000, 10_000])})
    said = difference(open_config(place))
    assert "hold 4.2 GB; 4.0 GB are counted" in said
    assert difference(get("qwen3-8b")) == ""
    home = {"DSOPT_HOME": str(tmp_path / "home")}
    assert "The weight files of mine hold 4.2 GB" in dsopt("models", "add", str(place), "--id", "mine", **home).stderr
    solved = dsopt(
        "solve", "--model", "mine", "--gpu", "L40S", "--budget", "60k", "--max-nodes", "1", "--as-of", "2026-11-24",
        "--json", **home,
    )  # fmt: skip
    assert "checkpoint-files" in {message["code"] for message in json.loads(solved.stdout)["messages"]}


def test_modules_for_several_tokens_are_not_what_is_missing(tmp_path: Path) -> None:
    """DeepSeek-V3's 688.6 GB hold a layer 61 that predicts a further token; 673.2 GB are counted."""
    place = folder(tmp_path, MOE, "DeepSeek-V3")
    names = ["model.layers.60.mlp.experts.0.gate_proj.weight", "model.embed_tokens.weight", "lm_head.weight"]
    behind = ["embed_tokens.weight", "shared_head.head.weight", "eh_proj.weight", "mlp.experts.0.gate_proj.weight"]
    names += [f"model.layers.61.{name}" for name in behind]
    index = {
        "metadata": {"total_size": 688_586_727_753},
        "weight_map": dict.fromkeys(names, "model-1-of-1.safetensors"),
    }
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    llm = open_config(place)
    assert llm.file_bytes == pytest.approx(673.2e9, rel=0.001)
    assert difference(llm) == ""
    small = {**SMALL, "num_nextn_predict_layers": 0}
    place = folder(tmp_path, small, "behind")
    tensors = tensors_of(small)
    real = written(place / "model.safetensors", tensors)
    written(place / "model.safetensors", {**tensors, "mtp.0.proj.weight": ("BF16", [50_000, 10_000])})
    assert open_config(place).file_bytes == real


def test_an_index_alone_tells_the_bytes(tmp_path: Path) -> None:
    place = folder(tmp_path, QWEN)
    index = {"metadata": {"total_size": 16_381_470_720.0}, "weight_map": {"lm_head.weight": "model-1-of-1.safetensors"}}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    assert open_config(place).file_bytes == 16_381_470_720
    index["metadata"] = {"total_size": 5_000_000_000}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=r"unsaid-quantization.*5.0 GB, 16 bits would be 16.4 GB"):
        open_config(place)
    assert open_config(place, precision="int4").native_precision == "int4"
    # Large File Storage leaves pointers where nothing was fetched: then the index speaks.
    index["metadata"] = {"total_size": 16_381_470_720}
    (place / "model.safetensors.index.json").write_text(json.dumps(index))
    (place / "model-1-of-1.safetensors").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    )
    assert open_config(place).file_bytes == 16_381_470_720


def test_pieces_add_up(tmp_path: Path) -> None:
    place = folder(tmp_path, SMALL)
    tensors = list(tensors_of(SMALL).items())
    real = written(place / "model-00001-of-00002.safetensors", dict(tensors[:5]))
    real += written(place / "model-00002-of-00002.safetensors", dict(tensors[5:]))
    written(place / "consolidated.safetensors", dict(tensors))  # the same weights in another maker's layout
    assert open_config(place).file_bytes == real


def test_names_of_caches(tmp_path: Path) -> None:
    place = tmp_path / "hub" / "models--nvidia--DeepSeek-V3.1-NVFP4" / "snapshots" / "0a1b2c"
    assert name_of(place / "config.json") == "DeepSeek-V3.1-NVFP4"
    assert name_of(tmp_path / "Qwen3-8B" / "config.json") == "Qwen3-8B"
    assert name_of(tmp_path / "Qwen3-8B.json") == "Qwen3-8B"


def test_a_format_typed_for_one_run_names_what_files_leave_open(tmp_path: Path) -> None:
    place = folder(tmp_path, QWEN, "Qwen3-8B-AWQ")
    base = ["solve", "--model-config", str(place), "--gpu", "L40S", "--budget", "60k", "--max-nodes", "1",
            "--as-of", "2026-11-24", "--json"]  # fmt: skip
    assert "unsaid-quantization" in dsopt(*base, code=3).stderr
    found = json.loads(dsopt(*base, "--precision", "int4").stdout)
    assert {point["plan"]["precision"] for point in found["front"]} == {"int4"}


def test_show_says_how_it_is_published(tmp_path: Path) -> None:
    home = {"DSOPT_HOME": str(tmp_path / "home")}
    place = folder(tmp_path, QWEN, "mine")
    said = {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "exclude_modules": ["*self_attn*", "lm_head"]}
    (place / "hf_quant_config.json").write_text(json.dumps({"quantization": said}))
    dsopt("models", "add", str(place), **home)
    shown = json.loads(dsopt("models", "show", "mine", "--json", **home).stdout)
    assert shown["published_in"] == "nvfp4" and shown["kv_cache"] == "fp8"
    assert shown["layers_in_16_bits"] == {"self_attn": 36, "lm_head": 1}
    assert sum(shown["published_bytes"].values()) == shown["weight_bytes"]["nvfp4"]
    assert shown["bits_per_weight"] == round(8 * shown["weight_bytes"]["nvfp4"] / shown["params_total"], 3)
    text = dsopt("models", "show", "mine", **home).stdout
    assert "self_attn 36, lm_head 1" in text and "fp8" in text


def test_a_way_out_to_another_model_does_not_name_the_folder() -> None:
    asked = Request(model="qwen3-8b", as_of=date(2026, 11, 24), budget_cents=100)
    files = {"model_config": "here"}
    assert " --model qwen3-8b" in command(asked, Policy(), files)
    own = asked.model_copy(update={"model": "user-qwen3-8b"})
    assert " --model-config here" in command(own, Policy(), files)


# What is refused ------------------------------------------------------------------------------------------------------


def broken(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def header(text: str, behind: int = 0) -> bytes:
    return len(text.encode()).to_bytes(8, "little") + text.encode() + bytes(behind)


ENTRY = '{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x10",
        (1 << 62).to_bytes(8, "little") + b"{}",
        (200_000_000).to_bytes(8, "little") + b"{}",
        header("[]"),
        header("{"),
        header("[" * 100_000),
        header('{"a":1}'),
        header(f'{{"a":{ENTRY}}}', 7),
        header(f'{{"a":{ENTRY},"a":{ENTRY}}}', 8),
        header(f'{{"a":{ENTRY},"b":{ENTRY}}}', 8),
        header('{"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,9]}}', 9),
        header('{"a":{"dtype":"BF16","shape":[-2,2],"data_offsets":[0,8]}}', 8),
        header('{"a":{"dtype":"BF16","shape":[2,true],"data_offsets":[0,8]}}', 8),
        header('{"a":{"dtype":"BF16","shape":[1e3],"data_offsets":[0,8]}}', 8),
        header('{"a":{"dtype":3,"shape":[2,2],"data_offsets":[0,8]}}', 8),
        header('{"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[8,0]}}', 8),
        header('{"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0]}}', 8),
        b"\x04\0\0\0\0\0\0\0\xff\xfe\xff\xfe",
    ],
    ids=range(19),
)
def test_a_header_that_does_not_describe_its_file_is_refused(tmp_path: Path, data: bytes) -> None:
    place = folder(tmp_path, SMALL)
    broken(place / "model.safetensors", data)
    with pytest.raises(InputError) as e:
        open_config(place)
    assert e.value.faults[0].code == "damaged-file" and "model.safetensors" in e.value.faults[0].file


@pytest.mark.parametrize(
    "index",
    ["[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": "../secret"}}', '{"weight_map": {"a": "/etc/passwd"}}',
     '{"weight_map": {"a": 1}}', "{", '{"weight_map": {"a": ""}}'],
)  # fmt: skip
def test_an_index_that_is_none_is_refused(tmp_path: Path, index: str) -> None:
    place = folder(tmp_path, SMALL)
    (place / "model.safetensors.index.json").write_text(index)
    with pytest.raises(InputError) as e:
        open_config(place)
    assert e.value.faults[0].code == "damaged-file"


def test_folders_that_hold_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no config.json"):
        open_config(tmp_path)
    place = folder(tmp_path, SMALL)
    os.mkfifo(place / "model.safetensors")
    assert open_config(place).file_bytes == 0  # no file: nothing is waited for


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 70) | st.floats() | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=12), x, max_size=3),
    max_leaves=6,
)
ENTRIES = st.fixed_dictionaries(
    {}, optional={"dtype": st.sampled_from([*BITS, "X"]) | JUNK, "shape": st.lists(st.integers(0, 9)) | JUNK,
                  "data_offsets": st.lists(st.integers(0, 99), min_size=2, max_size=2) | JUNK},
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None)
@given(st.dictionaries(st.text(max_size=9), ENTRIES | JUNK, max_size=3), st.integers(0, 200), st.binary(max_size=12))
def test_any_header_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any], behind: int, other: bytes
) -> None:
    place = tmp_path_factory.mktemp("junk")
    text = json.dumps(data, allow_nan=True)
    for content in (header(text, behind), other):
        (place / "model.safetensors").write_bytes(content)
        try:
            found = weight_files(place)
        except InputError as e:
            assert e.faults[0].code == "damaged-file"
            continue
        assert found is not None and 0 <= found.total_bytes <= behind
