"""What lies inside complete systems."""

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
