"""What stands inside a complete system, and what a platform's memory slots take."""

from __future__ import annotations

from typing import Any

from catalogs.load import Catalog
from catalogs.schema import Gpu, GpuBoard, Platform


def inside(platform: Platform, catalog: Catalog, cls: type) -> list[tuple[Any, int]]:
    """What a complete system contains of a class."""
    return [(catalog.parts[c.part], c.qty) for c in platform.contents if isinstance(catalog.parts[c.part], cls)]


def gpus_inside(platform: Platform, catalog: Catalog) -> tuple[str, int]:
    """(GPU id, count) inside a complete system; ("", 0) when it has none."""
    for board, qty in inside(platform, catalog, GpuBoard):
        return board.gpu, board.gpus * qty
    for gpu, qty in inside(platform, catalog, Gpu):
        return gpu.id, qty
    return "", 0


def dimm_counts(p: Platform) -> list[int]:
    """Module counts that fill every wired channel equally, one or two modules each."""
    channels = min(p.channels_per_cpu * p.sockets, p.dimm_slots)
    return [n for n in (channels, 2 * channels) if 0 < n <= p.dimm_slots]
