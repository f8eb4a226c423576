"""What a line says of itself that its matched part is not: another size, not new."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from catalogs.load import Catalog
from catalogs.schema import Drive, Gpu, GpuBoard, Memory, Part
from optimizer.procurement.reading import words
from optimizer.procurement.reading.words import folded

GIGABYTES = re.compile(r"(?<![\w.,])(\d{1,5}(?:[.,]\d{1,2})?)\s*([gt])i?b?(?![a-z0-9/])(?!\s*(?:/s|ps))")
SAME = Decimal("0.07")
"""Sizes within 7 % are one: drives of 3.84 TB are called 4 TB, 141 GB of a GPU 140."""
CONDITIONS = ("refurbished", "sample", "used")
NO_STATE = re.compile(r"\bused\s+(?:for|with|in|by|to|as)\b")


def condition(text: str) -> str:
    """The words by which a text says that the thing is not new; blank without them."""
    plain = NO_STATE.sub(" ", folded(text))
    return next((found for kind in CONDITIONS if (found := words.found(kind, plain))), "")


def other_size(part: Part, catalog: Catalog, text: str, pieces: int | None) -> tuple[str, str]:
    """(size that the text names, size of the part) where none of the text's sizes is the part's, of a piece or of all
    pieces together; blanks otherwise, and for parts that memory does not tell apart."""
    own = _sizes_gb(part, catalog)
    if not own:
        return "", ""
    allowed = {s * n for s in own for n in (1, pieces or 1)}
    named = list(_named_gb(part, text))
    if not named or any(abs(gb - s) <= s * SAME for _, gb in named for s in allowed):
        return "", ""
    return named[0][0], f"{own[0]:,} GB"


def _sizes_gb(part: Part, catalog: Catalog) -> tuple[int, ...]:
    """Of a piece, then of what it comes as."""
    if isinstance(part, Gpu):
        return (part.vram_gb,)
    if isinstance(part, GpuBoard):
        gpu = catalog.parts[part.gpu]
        assert isinstance(gpu, Gpu)
        return (gpu.vram_gb, gpu.vram_gb * part.gpus)
    if isinstance(part, Memory):
        return (part.capacity_gb, part.capacity_gb * part.pack)
    return (part.capacity_gb,) if isinstance(part, Drive) else ()


def _named_gb(part: Part, text: str) -> Iterator[tuple[str, Decimal]]:
    """(as written, GB) of each size in a text; beside a GPU terabytes are a server's memory or drives."""
    for m in GIGABYTES.finditer(folded(text)):
        tera = m[2] == "t"
        if not (tera and isinstance(part, Gpu | GpuBoard)):
            yield m[0].upper(), Decimal(m[1].replace(",", ".")) * (1000 if tera else 1)
