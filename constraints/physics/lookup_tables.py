"""N-gram tables in host memory (Engram): copies in a node, and the RAM that these ask for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from catalogs.llm import Llm
from constraints.plan import RowKey
from constraints.policy import Policy

GB = 10**9


def copies(replica_gpus: int, per_node: int) -> int:
    """Copies of the tables in a node: one for each instance of the engine that has GPUs there."""
    return max(1, per_node // replica_gpus)


def tables_gb(llm: Llm, in_node: int, policy: Policy) -> int:
    """Whole GB of RAM that a node needs for `in_node` copies of the tables beside system and engine."""
    # Rounded up once, of the policy's exact figure: rule host_memory compares with that (`tables`).
    return math.ceil(Decimal(llm.host_table_bytes * in_node) / GB + policy["host_memory.system_gb"])


def needs_gb(llm: Llm, replica_gpus: Iterable[int], per_node: int, policy: Policy) -> tuple[int, ...]:
    """RAM that a node may need for tables, by the replicas that may stand in it, ascending; nothing for a model
    without tables. A first 0: the tables lie on the GPUs."""
    if not llm.host_table_bytes:
        return (0,)
    return (0, *sorted({tables_gb(llm, copies(size, per_node), policy) for size in replica_gpus}))


def with_tables(llm: Llm, key: RowKey, policy: Policy) -> list[RowKey]:
    """Hardware with the tables on the GPUs, and with as much RAM as any plan on it needs for them."""
    most = max(needs_gb(llm, (1,), key.per_node, policy))
    return [key, replace(key, tables_gb=most)] if most else [key]
