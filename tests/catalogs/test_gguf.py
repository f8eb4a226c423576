"""GGUF files as models: headers are written here as llama.cpp writes them, and weights are holes in the file."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.checkpoints.gguf import read_gguf
from catalogs.errors import InputError
from catalogs.formats import BITS, blocks
from catalogs.inputs import shipped_rows
from catalogs.llm import get
from catalogs.registry import DATA as SHIPPED
from catalogs.user_models import open_config
from tests.support.commands import dsopt

TYPES = {row["type"]: row for row in shipped_rows(SHIPPED / "gguf" / "types.csv")}
KINDS = {row["kind"]: int(row["number"]) for row in shipped_rows(SHIPPED / "gguf" / "file_types.csv")}
Tensors = Mapping[str, tuple[str, list[int]]]


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def entry(key: str, value: Any) -> bytes:
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    if isinstance(value, bool):
        return text(key) + struct.pack("<I?", 7, value)
    if isinstance(value, list) and value and isinstance(value[0], str):
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    if isinstance(value, list):
        return text(key) + struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)
    return text(key) + struct.pack("<II", 4, value)


def described(tensors: Tensors) -> tuple[bytes, int]:
    found, place = b"", 0
    for name, (kind, shape) in tensors.items():
        row = TYPES[kind]
        size = int(row["bytes"])
        for side in shape:
            size *= side
        size //= int(row["weights"])
        sides = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        found += text(name) + sides + struct.pack("<IQ", int(row["number"]), place)
        place += size
    return found, place


def written(path: Path, entries: Mapping[str, Any], tensors: Tensors, *, cut: int = 0) -> int:
    """A GGUF file; returns the bytes of its tensors."""
    body, size = described(tensors)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    head += b"".join(entry(key, value) for key, value in entries.items()) + body
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size - cut)
    return size


def qwen_entries(kind: int | None = KINDS["q4_k_m"]) -> dict[str, Any]:
    config = json.loads((SHIPPED / "qwen3-8b.json").read_text(encoding="utf-8"))
    own = {
        "block_count": config["num_hidden_layers"], "context_length": config["max_position_embeddings"],
        "embedding_length": config["hidden_size"], "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"],
        "attention.head_count_kv": config["num_key_value_heads"], "attention.key_length": 128,
        "attention.value_length": 128, "rope.freq_base": 1e6,
    }  # fmt: skip
    words = {"tokenizer.ggml.tokens": ["a"] * config["vocab_size"], "tokenizer.ggml.scores": [1] * 5000}
    return {
        "general.architecture": "qwen3", **({} if kind is None else {"general.file_type": kind}),
        **{f"qwen3.{key}": value for key, value in own.items()}, **words,
    }  # fmt: skip


def qwen_tensors(of: Mapping[str, str], usual: str) -> dict[str, tuple[str, list[int]]]:
    """Qwen3-8B's tensors, the sides in ggml's order; `of`: name -> type where it is not the usual one."""
    sizes = {
        "attn_q": [4096, 4096], "attn_k": [4096, 1024], "attn_v": [4096, 1024], "attn_output": [4096, 4096],
        "ffn_gate": [4096, 12288], "ffn_up": [4096, 12288], "ffn_down": [12288, 4096],
    }  # fmt: skip
    found = {"token_embd.weight": (of.get("token_embd", usual), [4096, 151936]), "output_norm.weight": ("fp32", [4096])}
    found["output.weight"] = (of.get("output", usual), [4096, 151936])
    for layer in range(36):
        for name, shape in sizes.items():
            found[f"blk.{layer}.{name}.weight"] = (of.get(name, usual), shape)
        for name, width in (("attn_norm", 4096), ("ffn_norm", 4096), ("attn_q_norm", 128), ("attn_k_norm", 128)):
            found[f"blk.{layer}.{name}.weight"] = ("fp32", [width])
    return found


def test_a_file_is_a_model_to_the_byte(tmp_path: Path) -> None:
    mixed = {"attn_v": "q6_k", "ffn_down": "q6_k", "output": "q6_k"}
    path = tmp_path / "Qwen3-8B-Q4_K_M.gguf"
    real = written(path, qwen_entries(), qwen_tensors(mixed, "q4_k"))
    llm = open_config(path)
    assert llm.native_precision == "q4_k_m" and llm.formats == ("q4_k_m",) and llm.min_precision_bits == 4
    assert llm.params_total == get("qwen3-8b").params_total and llm.max_context == 40960
    assert [x.stored for x in llm.head.linears] == ["q4_k", "q6_k"]
    assert llm.file_bytes == real
    # Norms are counted in 16 bits.
    assert llm.weight_bytes("q4_k_m") == pytest.approx(real, rel=0.0002)
    assert llm.kv_bytes(1000, "bf16") == get("qwen3-8b").kv_bytes(1000, "bf16")


@pytest.mark.parametrize(
    ("kind", "type_", "bits"), [("q8_0", "q8_0", 8.5), ("q6_k", "q6_k", 6.5625), ("iq4_xs", "iq4_xs", 4.25)]
)
def test_bits_of_kinds(tmp_path: Path, kind: str, type_: str, bits: float) -> None:
    path = tmp_path / "x.gguf"
    written(path, qwen_entries(KINDS[kind]), qwen_tensors({}, type_))
    llm = open_config(path)
    assert llm.native_precision == kind and BITS[kind] == int(bits)
    assert 8 * llm.weight_bytes(kind) / llm.params_total == pytest.approx(bits, rel=0.001)


def test_a_kind_that_nobody_knows_goes_by_most_weights(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    for kind in (None, 141, 1024 + 15):
        written(path, qwen_entries(kind), qwen_tensors({"output": "q6_k"}, "q5_k"))
        assert open_config(path, "x").native_precision == "q5_k"


def test_weights_of_16_bits(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    written(path, qwen_entries(KINDS["bf16"]), qwen_tensors({}, "bf16"))
    llm = open_config(path)
    assert llm.native_precision == "bf16"
    assert llm.weight_bytes("bf16") == get("qwen3-8b").weight_bytes("bf16")


def deepseek_entries() -> dict[str, Any]:
    own = {
        "block_count": 61, "context_length": 163840, "embedding_length": 7168, "feed_forward_length": 18432,
        "attention.head_count": 128, "attention.head_count_kv": 1, "leading_dense_block_count": 3,
        "vocab_size": 129280, "attention.q_lora_rank": 1536, "attention.kv_lora_rank": 512,
        "attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192,
        "attention.value_length_mla": 128, "expert_feed_forward_length": 2048, "expert_count": 256,
        "expert_used_count": 8, "expert_shared_count": 1, "expert_gating_func": 2, "rope.dimension_count": 64,
    }  # fmt: skip
    return {"general.architecture": "deepseek2", **{f"deepseek2.{key}": value for key, value in own.items()}}


def deepseek_tensors(names: Iterable[int] = range(61)) -> dict[str, tuple[str, list[int]]]:
    found: dict[str, tuple[str, list[int]]] = {}
    for layer in names:
        sizes = {
            "attn_q_a": [7168, 1536], "attn_q_b": [1536, 24576], "attn_kv_a_mqa": [7168, 576],
            "attn_k_b": [128, 512, 128], "attn_v_b": [512, 128, 128], "attn_output": [16384, 7168],
        }  # fmt: skip
        if layer < 3:
            sizes |= {"ffn_gate": [7168, 18432], "ffn_up": [7168, 18432], "ffn_down": [18432, 7168]}
        else:
            for part, experts in (("exps", [256]), ("shexp", [])):
                sizes |= {f"ffn_{name}_{part}": [7168, 2048, *experts] for name in ("gate", "up")}
                sizes[f"ffn_down_{part}"] = [2048, 7168, *experts]
        for name, shape in sizes.items():
            kind = "q8_0" if "attn" in name else "q6_k" if "down" in name else "q4_k"
            found[f"blk.{layer}.{name}.weight"] = (kind, shape)
    return found


def test_latent_attention_in_several_files(tmp_path: Path) -> None:
    tables = {"token_embd.weight": ("q4_k", [7168, 129280]), "output.weight": ("q6_k", [7168, 129280])}
    first, second = (tmp_path / f"DeepSeek-V3-Q4_K_M-0000{n}-of-00002.gguf" for n in (1, 2))
    entries = {**deepseek_entries(), "general.file_type": KINDS["q4_k_m"]}
    real = written(first, entries, {**tables, **deepseek_tensors(range(30))})
    with pytest.raises(InputError, match=r"lacks a part of the model: DeepSeek-V3-Q4_K_M-00002-of-00002.gguf"):
        open_config(first)
    real += written(second, {"split.no": 1}, deepseek_tensors(range(30, 61)))
    for path in (first, tmp_path):
        llm = open_config(path)
        assert llm.id in ("deepseek-v3-q4_k_m", "deepseek-v3-q4-k-m") and llm.architecture == "deepseek-v3"
        assert llm.params_total == get("v3-671b").params_total
        assert llm.weight_bytes("q4_k_m") == pytest.approx(real, rel=0.005)
        assert llm.kv_bytes(1000, "fp8") == get("v3-671b").kv_bytes(1000, "fp8")
    other = {**entries, "deepseek2.expert_gating_func": 1}
    written(tmp_path / "v2.gguf", other, {**tables, **deepseek_tensors()})
    assert open_config(tmp_path / "v2.gguf").architecture == "deepseek-v2"


def test_a_saved_model_keeps_what_the_file_told(tmp_path: Path) -> None:
    home = {"DSOPT_HOME": str(tmp_path / "home")}
    path = tmp_path / "mine.gguf"
    written(path, qwen_entries(), qwen_tensors({"ffn_down": "q6_k"}, "q4_k"))
    dsopt("models", "add", str(path), **home)
    whole = open_config(path)
    path.unlink()
    shown = json.loads(dsopt("models", "show", "mine", "--json", **home).stdout)
    assert shown["published_in"] == "q4_k_m"
    assert shown["weight_bytes"] == {"q4_k_m": whole.weight_bytes("q4_k_m")}
    assert set(shown["published_bytes"]) == {"q4_k", "q6_k", "bf16"}
    file = tmp_path / "home" / "models" / "mine.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    held = data["modules"]
    # Values went under the name of keys, and up under that of gate, in files that were saved before.
    older = {kind: [m for m in named if not m.endswith(("v_proj", "up_proj"))] for kind, named in held.items()}
    assert older != held
    file.write_text(json.dumps({**data, "modules": older}), encoding="utf-8")
    assert json.loads(dsopt("models", "show", "mine", "--json", **home).stdout) == shown
    file.write_text(json.dumps({**data, "modules": {"q4_k": [3]}}), encoding="utf-8")
    assert "bad-model-file" in dsopt("models", "show", "mine", **home, code=3).stderr


def test_a_file_is_planned_on_llama_cpp(tmp_path: Path) -> None:
    path = tmp_path / "planned.gguf"
    written(path, qwen_entries(), qwen_tensors({}, "q4_k"))
    said = dsopt(
        "solve", "--model-config", str(path), "--budget", "8k", "--gpu", "RTX 5090", "--max-nodes", "1",
        "--as-of", "2026-11-24", "--json",
    )  # fmt: skip
    front = json.loads(said.stdout)["front"]
    assert front and {point["plan"]["precision"] for point in front} == {"q4_k_m"}
    assert all(point["plan"]["engine"].startswith("llama.cpp") for point in front)


@pytest.mark.parametrize(
    ("kind", "type_", "named"),
    [(KINDS["q4_k_s"], "q4_k", "q4_k_s"), (KINDS["iq2_m"], "iq2_s", "iq2_m"), (None, "q5_k", "q5_k")],
)
def test_a_file_of_any_kind_is_planned(tmp_path: Path, kind: int | None, type_: str, named: str) -> None:
    path = tmp_path / "any.gguf"
    written(path, qwen_entries(kind), qwen_tensors({}, type_))
    said = dsopt("size", "--model-config", str(path), "--gpu", "RTX 5090", "--json")
    plan = json.loads(said.stdout)
    assert f'"precision": "{named}"' in said.stdout and "llama.cpp" in json.dumps(plan)


def test_a_config_beside_it_says_more(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    entries = {**qwen_entries(), "general.architecture": "new-thing"}
    written(path, entries, qwen_tensors({}, "q4_k"))
    with pytest.raises(InputError, match=r"unknown-architecture.*new-thing.*config.json"):
        open_config(path)
    (tmp_path / "config.json").write_text((SHIPPED / "qwen3-8b.json").read_text(encoding="utf-8"), encoding="utf-8")
    assert open_config(path).native_precision == "q4_k_m"
    assert open_config(tmp_path).native_precision == "q4_k_m"


def test_a_folder_of_several_asks(tmp_path: Path) -> None:
    for name in ("a-Q4_K_M", "a-Q8_0"):
        written(tmp_path / f"{name}.gguf", qwen_entries(), qwen_tensors({}, "q4_k"))
    written(tmp_path / "mmproj-a.gguf", {}, {})
    with pytest.raises(InputError, match=r"ambiguous-model.*a-Q4_K_M.gguf, a-Q8_0.gguf"):
        open_config(tmp_path)
    (tmp_path / "a-Q8_0.gguf").unlink()
    assert open_config(tmp_path).id == "a-q4_k_m"


def test_every_type_has_blocks_and_every_kind_bits() -> None:
    for name, (weights, size) in blocks().items():
        assert 1 <= 8 * size / weights <= 16 and name in BITS
    assert all(kind in BITS for kind in KINDS)
    assert (BITS["iq2_xxs"], BITS["q5_k_s"], BITS["tq1_0"]) == (2, 5, 1)


# What is refused ------------------------------------------------------------------------------------------------------


def head(version: int = 3, tensors: int = 0, entries: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries)


ONE = text("a") + struct.pack("<IQIQ", 1, 256, 12, 0)
BROKEN = {
    "nothing": b"",
    "another magic": b"GGML" + bytes(20),
    "version 1": head(1),
    "big endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0),
    "no tensors": head(),
    "entries that are not there": head(entries=9),
    "a number of entries without end": head(entries=1 << 63),
    "a number of tensors without end": head(tensors=1 << 63),
    "a text longer than the file": head(entries=1) + struct.pack("<Q", 1 << 40),
    "a list longer than the file": head(entries=1) + text("a") + struct.pack("<IIQ", 9, 4, 1 << 61),
    "a list of texts without end": head(entries=1) + text("a") + struct.pack("<IIQ", 9, 8, 1 << 61),
    "a list of lists": head(entries=1) + text("a") + struct.pack("<IIQ", 9, 9, 1),
    "a kind of value that there is not": head(entries=1) + text("a") + struct.pack("<I", 77),
    "a tensor cut off": head(tensors=1) + ONE,
    "a tensor twice": head(tensors=2) + ONE + ONE + bytes(288),
    "a tensor of no sides": head(tensors=1) + text("a") + struct.pack("<IIQ", 0, 12, 0),
    "a tensor of many sides": head(tensors=1) + text("a") + struct.pack("<I", 1000),
    "sides without end": head(tensors=1) + text("a") + struct.pack("<IQQQIQ", 3, 1 << 62, 1 << 62, 256, 12, 0),
    "a part of a block": head(tensors=1) + text("a") + struct.pack("<IQIQ", 1, 255, 12, 0) + bytes(300),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_header_that_says_what_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(BROKEN[name])
    with pytest.raises(InputError) as e:
        open_config(path)
    assert e.value.faults[0].code == "damaged-file"


def test_a_type_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(head(tensors=1) + text("a") + struct.pack("<IQIQ", 1, 256, 139, 0))
    with pytest.raises(InputError, match=r"unknown-quantization.*number 139"):
        open_config(path)


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    written(path, qwen_entries(), qwen_tensors({}, "q4_k"), cut=1)
    with pytest.raises(InputError, match="shorter than its header says"):
        open_config(path)


def test_modules_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    tensors = qwen_tensors({}, "q4_k")
    del tensors["blk.7.attn_q.weight"]
    written(path, qwen_entries(), tensors)
    with pytest.raises(InputError, match=r"unknown-quantization.*layers.7.self_attn.q_proj"):
        open_config(path)


@pytest.mark.parametrize(
    "change", [{"qwen3.block_count": 0}, {"qwen3.embedding_length": "x"}, {"qwen3.block_count": 1.5}]
)
def test_entries_that_are_absurd_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "x.gguf"
    written(path, {**qwen_entries(), **change}, qwen_tensors({}, "q4_k"))
    with pytest.raises(InputError, match="bad-config"):
        open_config(path)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A good header with some bytes of it changed, or cut off."""
    path = tmp_path_factory.mktemp("junk") / "x.gguf"
    written(path, {"general.architecture": "qwen3", "a": [1, 2], "b": ["x"], "c": 1.0}, {"a": ("q4_k", [256, 2])})
    whole = bytearray(path.read_bytes())
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4)):
        whole[place] = byte
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    try:
        header, weights = read_gguf(path)
    except InputError as e:
        assert e.faults[0].code in ("damaged-file", "unknown-quantization")
        return
    assert weights.total_bytes <= len(whole) and len(header.tensors) == len(weights.tensors)
