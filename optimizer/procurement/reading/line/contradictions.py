"""What a line says of itself that its matched part is not: another size, not new."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from catalogs.load import Catalog
from catalogs.schema import Cpu, Drive, Gpu, GpuBoard, Memory, Nic, Part
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.row_words import folded

GIGABYTES = re.compile(r"(?<![a-z0-9_.,])(\d{1,5}(?:[.,]\d{1,2})?)\s*([gt])i?b?(?![a-z0-9/])(?!\s*(?:/s|ps))")
CORES = re.compile(r"(?<![\d.])(\d{1,3})\s*-?(?:cores?\b|kerne?n?\b|核|c/\d+t|c(?![a-z0-9/]))")
RATES = re.compile(r"(?<![\d.])(\d{2,3})\s*(?:gb/s|gbps|gbit/s|gbe\b|g\b)")
SAME = Decimal("0.07")
"""Sizes within 7 % are one: drives of 3.84 TB are called 4 TB, 141 GB of a GPU 140."""
CONDITIONS = ("refurbished", "sample", "used")
NO_STATE = re.compile(r"\bused\s+(?:for|with|in|by|to|as)\b")


def condition(text: str) -> str:
    """The words by which a text says that the thing is not new; blank without them."""
    plain = NO_STATE.sub(" ", folded(text))
    return next((found for kind in CONDITIONS if (found := row_words.found(kind, plain))), "")


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


def other_figure(part: Part, catalog: Catalog, texts: Sequence[str], pieces: int | None) -> tuple[str, str]:
    """(figure that one of a line's texts names, the part's own) where that text names none of the part's: the size of a
    drive or GPU, cores of a CPU, Gb/s of a network card; blanks otherwise."""
    for text in texts:
        if isinstance(part, Drive | Gpu):
            named, own = other_size(part, catalog, text, pieces)
            if named and not re.search(r"cache|dram|ram\b|内存", folded(text)):
                return named, own
        if isinstance(part, Cpu):
            found, mine, unit = CORES.findall(folded(text)), {part.cores, part.cores * (pieces or 1)}, "cores"
        elif isinstance(part, Nic):
            found, mine, unit = RATES.findall(folded(text)), {part.gbit_s, part.gbit_s * part.ports}, "Gb/s"
        else:
            continue
        if found and not {int(x) for x in found} & mine:
            return f"{found[0]} {unit}", f"{min(mine)} {unit}"
    return "", ""


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
