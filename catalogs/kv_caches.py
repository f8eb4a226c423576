"""Models that are published for a KV cache of one precision (catalogs/llms/kv_caches.csv)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from catalogs.inputs import shipped_rows

FILE = Path(__file__).parent / "llms" / "kv_caches.csv"


def published_kv_cache(architecture: str) -> str:
    """The precision of the KV cache that an architecture is published for; empty where it leaves the choice."""
    return _published().get(architecture, "")


@cache
def _published() -> dict[str, str]:
    return {row["architecture"]: row["kv_cache"] for row in shipped_rows(FILE)}
