"""The header of GGUF files: what llama.cpp's tools wrote of a model, its tensors and their types, and never a weight.

Format: ggml-org/ggml docs/gguf.md (versions 2 and 3, little endian). A model may lie in several files
(`NAME-00001-of-00003.gguf`). The files may come from anywhere: counts and lengths are held against the file's own."""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

from catalogs.checkpoints.weight_files import AGAIN, Tensor, WeightFiles
from catalogs.errors import Fault, InputError
from catalogs.formats import FILE, kinds
from catalogs.inputs import shipped_rows
from catalogs.message import message

MAGIC = b"GGUF"
MOST_HEADER_BYTES = 400_000_000
"""Of one file; the words of a tokenizer take some ten million."""
MOST_ENTRIES = 100_000
MOST_TENSORS = 1_000_000
MOST_WORDS = 5_000_000
"""Texts in one list."""
MOST_TEXT = 10_000_000
KEPT = 2_000
"""Elements of a list that is kept; of longer ones only their number."""
NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9
PIECE = re.compile(r"-(\d{5})-of-(\d{5})$")


@dataclass(frozen=True)
class Header:
    """What one file says: its entries by key (a list that is long by its number of elements) and its tensors."""

    entries: Mapping[str, Any]
    tensors: Mapping[str, Tensor]


@dataclass(frozen=True)
class Long:
    """A list that was not kept."""

    length: int


def is_gguf(path: Path) -> bool:
    """Whether a path names a GGUF file, by its ending or its first bytes."""
    if path.suffix.casefold() == ".gguf":
        return True
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_gguf(path: Path) -> tuple[Header, WeightFiles]:
    """The header of a model's first file, and the tensors of all its files. Raises InputError: damaged-file, or no-file
    where one of several files is not there."""
    paths = list(_pieces(path))
    headers = [_read(piece) for piece in paths]
    tensors: dict[str, Tensor] = {}
    for piece, header in zip(paths, headers, strict=True):
        if twice := next((name for name in header.tensors if name in tensors), ""):
            raise _damaged(piece, f"holds the tensor {twice[:80]} once more")
        tensors.update(header.tensors)
    if not tensors:
        raise _damaged(path, "holds no tensors")
    kind = kinds().get(_number(headers[0].entries.get("general.file_type")), "")
    # A kind says what most matrices are: `guessed` ones and those of other tools go by the type of most weights.
    return headers[0], WeightFiles(sum(t.bytes for t in tensors.values()), tensors, kind or _most(tensors))


def _most(tensors: Mapping[str, Tensor]) -> str:
    """The type that most weights have."""
    sizes: dict[str, int] = {}
    for tensor in tensors.values():
        sizes[tensor.dtype] = sizes.get(tensor.dtype, 0) + tensor.bytes
    return max(sizes, key=lambda dtype: sizes[dtype])


def _pieces(path: Path) -> Iterator[Path]:
    """The files of a model, in order, of which one is given."""
    found = PIECE.search(path.stem)
    if not found:
        yield path
        return
    count = int(found[2])
    for number in range(1, count + 1):
        piece = path.with_name(f"{path.stem[: found.start()]}-{number:05}-of-{found[2]}{path.suffix}")
        if not piece.is_file():
            text = message("lacks a part of the model: {file}", file=piece.name)
            raise InputError(Fault("no-file", text, str(path), remedy="Put all parts into one folder."))
        yield piece


def _read(path: Path) -> Header:
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise _damaged(path, "is no regular file")
        with open(path, "rb") as file:
            return _Reader(file, path, status.st_size).header()
    except OSError as e:
        raise InputError(Fault("unreadable-file", f"cannot be read: {e.strerror}", str(path))) from None


@cache
def _types() -> dict[int, tuple[str, int, int]]:
    """Number of a tensor's type -> its name, weights and bytes of a block."""
    rows = shipped_rows(FILE.parent / "gguf" / "types.csv")
    return {int(row["number"]): (row["type"], int(row["weights"]), int(row["bytes"])) for row in rows}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def _damaged(path: Path, text: str) -> InputError:
    return InputError(Fault("damaged-file", text, str(path), remedy=AGAIN))


class _Reader:
    """Reads a header from front to back, never more of it than the file has."""

    def __init__(self, file: IO[bytes], path: Path, size: int) -> None:
        self.file, self.path, self.size = file, path, size

    def fail(self, text: str = "has a header that ends too soon or says what cannot be") -> InputError:
        return _damaged(self.path, text)

    def take(self, count: int) -> bytes:
        if count > MOST_HEADER_BYTES or self.file.tell() + count > min(self.size, MOST_HEADER_BYTES):
            raise self.fail()
        found = self.file.read(count)
        if len(found) < count:
            raise self.fail()
        return found

    def skip(self, count: int) -> None:
        if self.file.tell() + count > min(self.size, MOST_HEADER_BYTES):
            raise self.fail()
        self.file.seek(count, os.SEEK_CUR)

    def number(self, code: str) -> Any:
        return struct.unpack(f"<{code}", self.take(struct.calcsize(code)))[0]

    def count(self, most: int) -> int:
        found = int(self.number("Q"))
        if found > most:
            raise self.fail()
        return found

    def text(self) -> str:
        return self.take(self.count(MOST_TEXT)).decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        if kind == TEXT:
            return self.text()
        if kind in NUMBERS:
            return self.number(NUMBERS[kind])
        if kind != LIST:
            raise self.fail()
        inner, length = self.number("I"), self.number("Q")
        if inner in NUMBERS:
            code = NUMBERS[inner]
            if length > KEPT:
                self.skip(length * struct.calcsize(code))
                return Long(length)
            return list(struct.unpack(f"<{length}{code}", self.take(length * struct.calcsize(code))))
        if inner != TEXT or length > MOST_WORDS:
            raise self.fail()
        for _ in range(length):
            self.skip(self.count(MOST_TEXT))
        return Long(length)

    def header(self) -> Header:
        if self.take(4) != MAGIC:
            raise self.fail("does not begin like a GGUF file")
        if self.number("I") not in (2, 3):
            raise self.fail("is a GGUF file of a version or byte order that is not understood")
        tensors, entries = self.count(MOST_TENSORS), self.count(MOST_ENTRIES)
        found = {}
        for _ in range(entries):
            key = self.text()
            found[key] = self.value(self.number("I"))
        described = dict(self.tensor() for _ in range(tensors))
        if len(described) < tensors:
            raise self.fail()
        if sum(tensor.bytes for tensor in described.values()) > self.size - self.file.tell():
            raise self.fail("is shorter than its header says")
        return Header(found, described)

    def tensor(self) -> tuple[str, Tensor]:
        name, sides = self.text(), self.number("I")
        if len(name) > 500 or not 1 <= sides <= 8:
            raise self.fail()
        shape = [self.number("Q") for _ in range(sides)]
        kind, _ = self.number("I"), self.number("Q")
        if kind not in _types():
            text = message("holds tensors of a type that is not understood: number {number}", number=kind)
            raise InputError(Fault("unknown-quantization", text, str(self.path), value=name[:60]))
        dtype, weights, size = _types()[kind]
        count = 1
        for side in shape:
            count *= side
        if count > 1 << 60 or count % weights:
            raise self.fail()
        return name, Tensor(dtype, tuple(reversed(shape)), count // weights * size)
