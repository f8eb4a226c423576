"""Which limits on users and latency no plan meets, where no plan runs as asked and one would without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catalogs.message import joined, message
from constraints.plan import Row
from constraints.request import Request
from optimizer.market.market import Market
from optimizer.request.fields import FIELDS, in_force, without

LIMITS = [name for name, entry in FIELDS.items() if entry.plan]
"""Fields that each plan is held to."""


def unmet(market: Market, best: Callable[[Market], Row | None]) -> list[str]:
    """Those that no plan meets by itself, else all that are asked for (no plan meets them together); empty where no
    plan runs without them either. `best` gives the best plan under a market's request."""
    asked = [name for name in LIMITS if in_force(name, market)]

    def runs(*kept: str) -> bool:
        free = {field: value for name in LIMITS if name not in kept for field, value in without(name).items()}
        return best(replace(market, request=market.request.model_copy(update=free))) is not None

    if not asked or market.request.trains or not runs():
        return []
    return [name for name in asked if not runs(name)] or asked


def said(request: Request, fields: list[str]) -> str:
    """What no plan on the build's GPUs does, in a sentence."""
    each = [message(FIELDS[name].plan, qty=_figure(getattr(request, name))) for name in fields]
    return message("no plan on these GPUs {list}", list=joined(each, " and "))


def _figure(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
