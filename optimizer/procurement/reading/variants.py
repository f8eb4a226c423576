"""Variants of one offer, of which a buyer takes one: each is a bid of its own, `FILE#A`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalogs.load import Catalog
from catalogs.message import joined, message
from catalogs.schema import Kind
from optimizer.procurement.reading.document import Issue, Line, Quote
from optimizer.procurement.reading.variant_names import variant_of

MACHINES = (Kind.PLATFORM, Kind.SYSTEM, Kind.GPU, Kind.GPU_BOARD)
"""Kinds of which a variant of a machine has one; a set without any is an extra."""
LARGE = 3
"""How often the amount of the smallest variant goes into that of the largest."""


def split(path: Path) -> tuple[Path, str]:
    """(file, variant): `quote.xlsx#A`, unless there is a file of that very name."""
    base, sign, name = path.name.rpartition("#")
    if not sign or not base or not name or path.exists():
        return path, ""
    return path.with_name(base), name.upper()


def by_sections(quote: Quote, catalog: Catalog) -> dict[str, frozenset[int]]:
    """The rows of each variant by its name, where titles or lines name two and more whole machines; else {}. What
    stands above the first one, and below the sum that closes one, is of all of them."""
    rows: dict[str, set[int]] = {}
    lines: dict[str, list[Line]] = {}
    current = ""
    by_row = {line.row: line for line in quote.lines}
    reasons = {row.row: (row.reason, row.text) for row in quote.ignored}
    for number in sorted({*by_row, *reasons}):
        line, (reason, text) = by_row.get(number), reasons.get(number, ("", ""))
        if reason.startswith(("above", "header")):
            continue
        name = variant_of(line.text if line is not None else text) if line is not None or reason == "section" else ""
        current = name or current
        if not current:
            continue
        rows.setdefault(current, set()).add(number)
        if line is not None:
            lines.setdefault(current, []).append(line)
        if reason.startswith("sum (total"):
            current = ""
    return {name: frozenset(found) for name, found in rows.items()} if _are_machines(lines, catalog, quote) else {}


def _are_machines(lines: dict[str, list[Line]], catalog: Catalog, quote: Quote) -> bool:
    """Whether each is a machine of its own: with a server or GPUs in each and none outside of them, and no amount is
    small beside another's."""
    if len(lines) < 2:
        return False
    amounts = [sum((line.amount or 0) for line in of) for of in lines.values()]
    if min(amounts) <= 0 or min(amounts) * LARGE < max(amounts):
        return False
    inside = {line.row for of in lines.values() for line in of}
    outside = [line for line in quote.lines if line.row not in inside and not line.optional]
    if any(_is_machine(line, catalog) for line in outside):
        return False
    return all(any(_is_machine(line, catalog) for line in of) for of in lines.values()) or not any(
        line.matched.part for of in lines.values() for line in of
    )


def _is_machine(line: Line, catalog: Catalog) -> bool:
    part = line.matched.part
    return part is not None and catalog.parts[part].kind in MACHINES


def named(quote: Quote, file: str, name: str, names: Sequence[str], *, asked: bool) -> Quote:
    """The quote of a variant: it bears the variant's name, and tells of the others unless it was asked for."""
    others = [f"{file}#{other}" for other in names if other != name]
    text = message("variant {name} is read; bids of their own: {others}", name=name, others=joined(others))
    told = () if asked else (Issue(code="variants", severity="warning", text=text),)
    issues = (*told, *quote.issues)
    return quote.model_copy(update={"source": f"{file}#{name}", "variants": tuple(names), "issues": issues})
