"""Weight formats: bytes of a matrix in each, and how people spell them (catalogs/llms/formats.csv)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from catalogs.errors import InputError
from catalogs.inputs import shipped_rows

ORDER = ("fp16", "bf16", "fp8", "int8", "fp4-mix", "int4", "nvfp4", "mxfp4")
FILE = Path(__file__).parent / "llms" / "formats.csv"


def matrix_bytes(out: int, into: int, precision: str, scale_bytes: int) -> int:
    """Bytes of one `out` x `into` matrix with its scales.

    block-FP8 128x128, int8 per output row, int4 groups of 128 with a 4-bit zero, nvfp4 groups of 16, mxfp4 groups of
    32. q4_k_m mixes 4-bit and 6-bit blocks: 4.84 bits per weight on average, an estimate (formats.csv)."""
    n = out * into
    if precision in ("bf16", "fp16"):
        return 2 * n
    if precision == "fp8":
        return n + scale_bytes * -(-out // 128) * -(-into // 128)
    if precision == "int8":
        return n + 2 * out
    if precision == "int4":
        return n // 2 + out * -(-into // 128) * 5 // 2
    if precision == "nvfp4":
        return n // 2 + out * -(-into // 16) + 4
    if precision in ("mxfp4", "fp4-mix"):
        return n // 2 + out * -(-into // 32)
    if precision == "q4_k_m":
        return n * 121 // 200
    raise InputError(f"no weight format {precision!r}", "unknown-precision", f"One of: {', '.join(ORDER)}, q4_k_m.")


def spelled(name: str) -> tuple[str, ...]:
    """Formats that a spelling may mean, likeliest first; none if it is not known."""
    return _spellings().get(name.strip().casefold(), ())


@cache
def _spellings() -> dict[str, tuple[str, ...]]:
    return {row["spelling"]: tuple(row["formats"].split("|")) for row in shipped_rows(FILE)}
