"""What the weight files of a downloaded checkpoint say of themselves: names, types and bytes of tensors.

Only headers are read, never a weight: of a safetensors file eight bytes with the header's length and that much JSON
(the format of huggingface/safetensors), of model.safetensors.index.json the sum of bytes and the names. The files may
come from anywhere: a header that does not describe its own file is refused."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogs.errors import Fault, InputError
from catalogs.inputs import parsed_json, read_json

INDEX = "model.safetensors.index.json"
MOST_HEADER_BYTES = 100_000_000
"""Of one file; safetensors itself takes no more."""
MOST_HEADERS_BYTES = 400_000_000
"""Of all files of a checkpoint."""
MOST_FILES = 2_000
POINTER = b"version https://git-lfs"
"""How a file begins that Git LFS has not fetched yet."""
BITS = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32, "BF16": 16, "F16": 16, "I16": 16,
    "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I8": 8, "U8": 8,
    "BOOL": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4,
}  # fmt: skip
"""Bits of an element of each type of safetensors."""
AGAIN = "Fetch it again."


@dataclass(frozen=True)
class Tensor:
    """Type as safetensors names it, sizes, and bytes in the file."""

    dtype: str
    shape: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class WeightFiles:
    """Tensors of a checkpoint by name; None each where only the index is at hand. `total_bytes`: of all of them;
    `kind`: of GGUF files, as llama.cpp calls what most of their tensors are; empty of others."""

    total_bytes: int
    tensors: Mapping[str, Tensor | None]
    kind: str = ""

    @property
    def opened(self) -> bool:
        """Whether types and bytes of the tensors are known."""
        return bool(self.tensors) and None not in self.tensors.values()


def weight_files(folder: Path) -> WeightFiles | None:
    """What the safetensors files of a folder say, or their index where they are not all there; None without either.
    Raises InputError for a damaged or absurd header."""
    index = folder / INDEX
    listed = _index(index) if index.is_file() else None
    names = sorted({str(file) for file in listed[1].values()}) if listed else _shards(folder)
    paths = [folder / name for name in names]
    if paths and len(paths) <= MOST_FILES and all(path.is_file() for path in paths):
        tensors = _headers(paths)
        if tensors is not None:
            return WeightFiles(sum(tensor.bytes for tensor in tensors.values()), tensors)
    if listed is None or not listed[0]:
        return None
    return WeightFiles(listed[0], dict.fromkeys(listed[1]))


def _shards(folder: Path) -> list[str]:
    """The safetensors files of a folder without an index: one model, or the pieces of one."""
    if (folder / "model.safetensors").is_file():
        return ["model.safetensors"]
    try:
        found = sorted(name for name in os.listdir(folder) if name.endswith(".safetensors"))
    except OSError:
        return []
    return [name for name in found if name.startswith("model-")] or found


def _index(path: Path) -> tuple[int, dict[str, str]]:
    """(bytes of all tensors, 0 where it does not say; tensor -> file) of an index."""
    data = read_json(path, MOST_HEADER_BYTES, "damaged-file", AGAIN)
    found = data.get("weight_map") if isinstance(data, dict) else None
    if not isinstance(found, dict) or not all(isinstance(file, str) and _plain(file) for file in found.values()):
        raise _damaged(path, "is no index of safetensors files")
    said = data.get("metadata") if isinstance(data.get("metadata"), dict) else {}
    total = said.get("total_size")
    if isinstance(total, float) and total.is_integer():
        total = int(total)
    return (total if isinstance(total, int) and 0 < total < 1 << 60 else 0), found


def _plain(name: str) -> bool:
    """Whether a name is that of a file in the folder itself."""
    return bool(name) and "/" not in name and "\\" not in name and "\0" not in name and name not in (".", "..")


def _headers(paths: list[Path]) -> dict[str, Tensor] | None:
    """The tensors of files by name; None where one of them is not fetched yet."""
    found: dict[str, Tensor] = {}
    left = MOST_HEADERS_BYTES
    for path in paths:
        header = _header(path, left)
        if header is None:
            return None
        length, tensors = header
        left -= length
        for name, tensor in tensors:
            if name in found:
                raise _damaged(path, f"holds the tensor {name[:80]} once more")
            found[name] = tensor
    return found


def _header(path: Path, left: int) -> tuple[int, list[tuple[str, Tensor]]] | None:
    """(bytes, tensors) of one file's header."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise _damaged(path, "is no regular file")
        with open(path, "rb") as file:
            start = file.read(len(POINTER))
            if start == POINTER:
                return None
            file.seek(8)
            length = int.from_bytes(start[:8], "little")
            if len(start) < 8 or not 2 <= length <= min(MOST_HEADER_BYTES, left, status.st_size - 8):
                raise _damaged(path, "does not begin like a safetensors file")
            text = file.read(length).decode("utf-8")
    except OSError as e:
        raise InputError(Fault("unreadable-file", f"cannot be read: {e.strerror}", str(path))) from None
    except UnicodeDecodeError:
        raise _damaged(path, "has a header that is no text") from None
    data = parsed_json(text, path, "damaged-file", AGAIN)
    if not isinstance(data, dict):
        raise _damaged(path, "has a header that is no object")
    tensors = [(name, _tensor(path, said)) for name, said in data.items() if name != "__metadata__"]
    if sum(tensor.bytes for _, tensor in tensors) > status.st_size - 8 - length:
        raise _damaged(path, "is shorter than its header says")
    return length, tensors


def _tensor(path: Path, said: Any) -> Tensor:
    """One entry of a header."""
    if isinstance(said, dict) and isinstance(dtype := said.get("dtype"), str):
        shape, offsets = (_sizes(said.get(name)) for name in ("shape", "data_offsets"))
        if shape is not None and offsets is not None and len(offsets) == 2:
            size, bits = offsets[1] - offsets[0], BITS.get(dtype)
            if size >= 0 and (bits is None or math.prod(shape) * bits == 8 * size):
                return Tensor(dtype, shape, size)
    raise _damaged(path, "has a header that does not describe its tensors")


def _sizes(said: Any) -> tuple[int, ...] | None:
    """A list of sizes or places; None where it is none."""
    if not isinstance(said, list) or len(said) > 16:
        return None
    sound = all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < 1 << 60 for n in said)
    return tuple(said) if sound else None


def _damaged(path: Path, text: str) -> InputError:
    return InputError(Fault("damaged-file", text, str(path), remedy=AGAIN))


def modules(tensors: Mapping[str, Tensor | None]) -> Iterator[tuple[str, str, Tensor | None]]:
    """(module, kind, tensor) of each: `weight`, `weight_scale`, `qweight` of what holds it."""
    for name, tensor in tensors.items():
        module, _, kind = name.rpartition(".")
        yield module, kind, tensor
