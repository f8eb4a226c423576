"""Which limits on users and latency no plan meets, where no plan runs as asked and one would without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from catalogs.message import message
from constraints.plan import Row
from constraints.request import Request
from optimizer.market.market import Market

LOOSE: dict[str, Any] = {"users": None, "min_tok_s_user": 0.0, "max_ttft_ms": None}
"""Fields that limit plans, and what they are without a limit."""


def unmet(market: Market, best: Callable[[Market], Row | None]) -> list[str]:
    """Those that no plan meets by itself, else all that are asked for (no plan meets them together); empty where no
    plan runs without them either. `best` gives the best plan under a market's request."""
    asked = [x for x, loose in LOOSE.items() if getattr(market.request, x) != loose]
    if market.request.workload == "batch":
        asked = [x for x in asked if x != "min_tok_s_user"]

    def runs(*kept: str) -> bool:
        fields = {x: loose for x, loose in LOOSE.items() if x not in kept}
        return best(replace(market, request=market.request.model_copy(update=fields))) is not None

    if not asked or market.request.trains or not runs():
        return []
    return [x for x in asked if not runs(x)] or asked


def said(request: Request, fields: list[str]) -> str:
    """What no plan on the build's GPUs does, in a sentence."""
    each = {
        "users": message("serves {qty} requests at once", qty=request.users),
        "min_tok_s_user": message("gives each user {qty} tok/s", qty=f"{request.min_tok_s_user:g}"),
        "max_ttft_ms": message("answers within {qty} ms", qty=f"{request.max_ttft_ms or 0:g}"),
    }
    return message("no plan on these GPUs {list}", list=" and ".join(each[x] for x in fields))
