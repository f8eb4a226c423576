"""What the maker of a machine lists for it (`qualified_gpus.csv`): GPUs of a node beyond its list, and its words."""

from __future__ import annotations

from datetime import date

from catalogs.load import Catalog
from catalogs.message import joined
from catalogs.qualified_gpus import QualifiedGpu
from catalogs.schema import Gpu, Platform


def listing(platform: Platform, gpu: Gpu, catalog: Catalog) -> tuple[QualifiedGpu, ...]:
    """The rows by which a GPU is none that the maker takes in a machine; empty where it lists it, where no list names
    all GPUs of its vendor or the list leaves this one open, and where it came out after the list or nobody knows when:
    nothing is known then."""
    rows = catalog.maker_lists.get(platform.id, ())
    released = gpu.released
    if not rows or released is None or catalog.qualified(platform.id, gpu.id) is not None:
        return ()
    return tuple(
        row
        for row in rows
        if gpu.vendor in row.complete_for and gpu.id not in row.leaves_open and released <= row.list_date
    )


def unqualified(platform: Platform, gpu: Gpu, per_node: int, catalog: Catalog) -> int:
    """GPUs of a node that the machine's maker does not take: all of them of a kind that it does not list, else those
    beyond its number; 0 where it states none or where no list was found."""
    pair = catalog.qualified(platform.id, gpu.id)
    if pair is not None:
        return 0 if pair.most is None else max(0, per_node - pair.most)
    return per_node if listing(platform, gpu, catalog) else 0


def listed_in_words(rows: tuple[QualifiedGpu, ...], catalog: Catalog) -> tuple[str, date]:
    """What a list names, and the day as of which it holds."""
    return joined(_name(row.gpu, catalog) for row in rows), max(row.list_date for row in rows)


def _name(gpu: str, catalog: Catalog) -> str:
    """A saved result carries the parts that it holds, no other GPU of a list: that is said by its id."""
    part = catalog.parts.get(gpu)
    return gpu if part is None else part.name
