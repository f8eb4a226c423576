"""What engines do beside running a model: tokens proposed by a module, prefill and decode apart (features.csv)."""

from __future__ import annotations

from functools import cache
from typing import Literal

from catalogs.engines.tables import sourced, split, table

Feature = Literal["mtp", "disaggregation"]


@cache
def has_feature(engine: str, feature: Feature, architecture: str, experimental: bool) -> bool:
    """Whether an engine is known to have a feature for an architecture; `experimental`: one that it calls experimental
    counts too."""
    counted = ("stable", "experimental") if experimental else ("stable",)
    rows = (row for row in table("features") if (row["engine"], row["feature"]) == (engine, feature))
    able = (row for row in rows if sourced(row) and architecture in (split(row["architectures"]) or (architecture,)))
    return any(row["status"] in counted for row in able)
