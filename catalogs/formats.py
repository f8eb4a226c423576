"""Weight formats: bytes of a matrix in each, and how people spell them (catalogs/llms/formats.csv)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from catalogs.errors import InputError
from catalogs.inputs import shipped_rows
from catalogs.nearest import one_of

ORDER = ("fp16", "bf16", "fp8", "mxfp8", "int8", "fp4-mix", "int4", "nvfp4", "mxfp4")
SIXTEEN = ("fp16", "bf16")
FILE = Path(__file__).parent / "llms" / "formats.csv"
MLX_KINDS = ("mlx-8bit", "mlx-6bit", "mlx-5bit", "mlx-4bit", "mlx-3bit", "mlx-2bit")
"""MLX's integers, most bits first: in groups of 64 with a scale and a bias of 16 bits each (mlx-lm, convert)."""
MLX_GROUP, MLX_GROUP_BYTES = 64, 4
DYNAMIC_KINDS = ("ud-q4_k_xl", "ud-q3_k_xl", "ud-q2_k_xl", "ud-iq2_xxs", "ud-iq1_m", "ud-iq1_s")
"""Unsloth's mixes of GGUF types, chosen for each model by itself: known by the size of a published file alone."""


@dataclass(frozen=True)
class Scales:
    """How a matrix is scaled: `bits` of scale (and zero point) for each block of `rows` x `columns` weights, and
    `matrix_bytes` for the whole. A side of 0 is that of the matrix."""

    rows: int
    columns: int
    bits: int
    matrix_bytes: int = 0

    def bytes(self, out: int, into: int) -> int:
        """Bytes of the scales of one `out` x `into` matrix."""
        rows, columns = (-(-side // block) if block else 1 for side, block in ((out, self.rows), (into, self.columns)))
        return -(-rows * columns * self.bits // 8) + self.matrix_bytes


BITS_STORED = {
    "fp32": 32, "fp16": 16, "bf16": 16, "fp8": 8, "mxfp8": 8, "int8": 8, "int6": 6, "int5": 5, "fp4-mix": 4, "int4": 4,
    "nvfp4": 4, "mxfp4": 4, "int3": 3, "int2": 2,
}  # fmt: skip
"""Bits of a weight by itself."""
SCALES: Mapping[str, Scales] = {
    "fp8": Scales(128, 128, 32), "mxfp8": Scales(1, 32, 8), "int8": Scales(1, 0, 16), "int6": Scales(1, 64, 32),
    "int5": Scales(1, 64, 32), "fp4-mix": Scales(1, 32, 8), "int4": Scales(1, 128, 20), "nvfp4": Scales(1, 16, 8, 4),
    "mxfp4": Scales(1, 32, 8), "int3": Scales(1, 64, 32), "int2": Scales(1, 64, 32),
}  # fmt: skip
"""Scales where no checkpoint says others: FP8 in blocks of DeepSeek's, INT8 per output row, INT4 in groups of 128 with
a 4-bit zero (AWQ, GPTQ), NVFP4 and MXFP4 as their makers define them, other integers as MLX groups them."""


@cache
def blocks() -> dict[str, tuple[int, int]]:
    """Types of llama.cpp's blocks -> (weights, bytes) of one (catalogs/llms/gguf/types.csv)."""
    rows = shipped_rows(FILE.parent / "gguf" / "types.csv")
    return {row["type"]: (int(row["weights"]), int(row["bytes"])) for row in rows if row["type"] not in BITS_STORED}


@cache
def kinds() -> dict[int, str]:
    """Number of a kind of GGUF file -> its name (catalogs/llms/gguf/file_types.csv)."""
    rows = shipped_rows(FILE.parent / "gguf" / "file_types.csv")
    return {int(row["number"]): row["kind"] for row in rows}


def _of_gguf() -> dict[str, int]:
    """The kinds and types of llama.cpp by the bits in their names: 4 of `q4_k_m`, whose blocks hold some more."""
    named = {row["kind"] for row in shipped_rows(FILE.parent / "gguf" / "mixes.csv")}
    names = [name for name in (*blocks(), *kinds().values(), *DYNAMIC_KINDS, *sorted(named)) if name not in BITS_STORED]
    return {name: next(int(letter) for letter in name if letter.isdigit()) for name in names}


BITS: Mapping[str, int] = {**BITS_STORED, **_of_gguf(), **{kind: int(kind[4]) for kind in MLX_KINDS}}
"""Bits of a weight by the name of its format."""


def matrix_bytes(out: int, into: int, precision: str, scales: Mapping[str, Scales] = SCALES) -> int:
    """Bytes of one `out` x `into` matrix with its scales; `scales`: those of the checkpoint, by format.

    q4_k_m mixes 4-bit and 6-bit blocks: 4.84 bits per weight on average, an estimate (formats.csv)."""
    weights = out * into
    if precision in (*SIXTEEN, "fp32"):
        return weights * BITS_STORED[precision] // 8
    if precision == "q4_k_m":
        return weights * 121 // 200
    if precision in MLX_KINDS:
        return weights * BITS[precision] // 8 + out * -(-into // MLX_GROUP) * MLX_GROUP_BYTES
    if precision in blocks():
        each, size = blocks()[precision]
        return -(-weights * size // each)
    if precision not in BITS_STORED:
        raise InputError(f"no weight format {precision!r}", "unknown-precision", one_of(precision, (*ORDER, "q4_k_m")))
    return weights * BITS_STORED[precision] // 8 + scales[precision].bytes(out, into)


def rank(precision: str) -> tuple[int, int]:
    """Where a format stands among others, highest first."""
    return -BITS[precision], ORDER.index(precision) if precision in ORDER else len(ORDER)


def spelled(name: str) -> tuple[str, ...]:
    """Formats that a spelling may mean, likeliest first; none if it is not known."""
    return _spellings().get(name.strip().casefold(), ())


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    return {row["spelling"]: tuple(row["formats"].split("|")) for row in shipped_rows(FILE)}
