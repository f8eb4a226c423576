"""A plan in one line, in the field's own abbreviations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plan_line(plan: Mapping[str, Any], once: bool = True) -> str:
    """`fp8 dp8 ep8 x2`; where prefill and decode are apart `fp8 prefill dp4 x2 + decode dp8 x2`. Of plan facts by name,
    as JSON or as their model holds them. `once`: whether a single replica is said (`x1`)."""
    first = plan.get("prefill")
    if first is None:
        how = _half(plan) + " host" * ("host" in (plan["experts"], plan.get("tables")))
        return f"{plan['precision']} {how}{_copies(plan, once)}"
    prefill = first if isinstance(first, Mapping) else vars(first)
    halves = (f"{role} {_half(half)}{_copies(half, once)}" for role, half in (("prefill", prefill), ("decode", plan)))
    return f"{plan['precision']} {' + '.join(halves)}"


def _half(plan: Mapping[str, Any]) -> str:
    return " ".join(f"{name}{plan[name]}" for name in ("tp", "pp", "dp", "ep") if plan[name] > 1) or "tp1"


def _copies(plan: Mapping[str, Any], once: bool) -> str:
    return f" x{plan['replicas']}" if once or plan["replicas"] > 1 else ""
