"""Where engines keep n-gram tables (Engram): in host memory or on the GPUs (lookup_tables.csv)."""

from __future__ import annotations

from functools import cache
from typing import Literal, cast

from catalogs.engines.tables import sourced, split, table

Place = Literal["host", "gpu"]


@cache
def place_of_tables(engine: str, architecture: str) -> Place | None:
    """Where an engine keeps the tables of an architecture unless it is told otherwise; None where nobody read it.

    In host memory a node holds one copy for each instance of the engine; on GPUs all ranks of an instance share one."""
    for row in table("lookup_tables"):
        if sourced(row) and row["engine"] == engine and architecture in split(row["architectures"]):
            return cast(Place, row["place"])
    return None
