"""Models that are published for a KV cache of one precision (catalogs/llms/kv_caches.csv)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "llms" / "kv_caches.csv"


def published_kv_cache(architecture: str) -> str:
    """The precision of the KV cache that an architecture is published for; empty where it leaves the choice."""
    return _published().get(architecture, "")


@cache
def _published() -> dict[str, str]:
    with FILE.open(encoding="utf-8", newline="") as f:
        return {r["architecture"]: r["kv_cache"] for r in csv.DictReader(f)}
