"""Why no build exists: which conditions of the request stand against it, each solved for without it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from constraints.precision import BITS
from constraints.request import Request
from optimizer.front import Point
from optimizer.market import Market
from optimizer.pareto import Solver


@dataclass(frozen=True)
class Way:
    """A condition (by its rule) without which a build exists, and the cheapest one then."""

    rule: str
    condition: str
    market: Market
    point: Point


def loosened(request: Request, bits: int) -> list[tuple[str, str, dict[str, Any]]]:
    """(rule, condition in words, request fields without it) of every condition that the request sets."""
    r = request
    all_: list[tuple[str, str, bool, dict[str, Any]]] = [
        ("budget", "the budget", r.budget_cents is not None, {"budget_cents": None}),
        ("vram", "--users", r.users is not None, {"users": None}),
        ("vram", "--throughput", r.throughput_tenths is not None, {"throughput_tenths": None}),
        ("vram", "--max-ttft", r.max_ttft_ms is not None, {"max_ttft_ms": None}),
        ("vram", "--min-tok-s-user", r.min_tok_s_user > 0 and not r.trains, {"min_tok_s_user": 0.0}),
        ("storage", "--dataset-tb", r.dataset_tb is not None, {"dataset_tb": None}),
        ("precision", "the precision floor (--min-precision 4bit lifts it)",
         (r.precision is not None or bits > 4) and (r.lora or not r.trains),
         {"precision": None, "min_precision_bits": 4}),
        ("software", "stable engines only (--allow-experimental)", not r.allow_experimental,
         {"allow_experimental": True}),
        ("site", "--max-nodes", r.max_nodes < 32, {"max_nodes": 32}),
        ("site", "--max-kw", r.max_power_w is not None, {"max_power_w": None}),
        ("site", "--rack-units", r.rack_units is not None, {"rack_units": None}),
        ("power", "--circuit", r.circuit is not None, {"circuit": None}),
        ("cooling", "no facility water (--site-water)", not r.site_water, {"site_water": True}),
        ("procurement", "--condition", len(r.conditions) < 3,
         {"conditions": frozenset({"new", "refurbished", "used"})}),
        ("procurement", "--vendor", bool(r.vendors), {"vendors": frozenset()}),
        ("procurement", "--no-vendor", bool(r.barred_vendors), {"barred_vendors": frozenset()}),
        ("procurement", "--max-price-age", r.max_price_age_days is not None, {"max_price_age_days": None}),
        ("procurement", "--include", bool(r.include), {"include": ()}),
        ("procurement", "--exclude", bool(r.exclude), {"exclude": frozenset()}),
        ("procurement", "--origin", bool(r.origins), {"origins": ()}),
        ("procurement", "--no-origin", bool(r.barred_origins), {"barred_origins": ()}),
        ("procurement", "--confidence", len(r.confidences) < 3, {"confidences": ("list", "street", "estimate")}),
        ("procurement", "--max-lead", r.max_lead_days is not None, {"max_lead_days": None}),
        ("procurement", "--strict-lead", r.strict_lead, {"strict_lead": False}),
        ("procurement", "--avl", bool(r.avl), {"avl": ()}),
        ("estimates", "--max-estimated", r.max_estimated_percent is not None, {"max_estimated_percent": None}),
        ("sellers", "--max-sellers or --one-seller", r.max_sellers is not None, {"max_sellers": None}),
        ("sellers", "--max-share", r.max_share_percent is not None, {"max_share_percent": None}),
        ("budget", "--spares", bool(r.spares), {"spares": ()}),
        ("budget", "--support", bool(r.support), {"support": ()}),
        ("procurement", "--gpu", bool(r.gpus), {"gpus": frozenset(), "gpu_count": None}),
    ]  # fmt: skip
    return [(rule, words, fields) for rule, words, is_set, fields in all_ if is_set]


def cheapest(market: Market, **fields: Any) -> tuple[Market, Point] | None:
    """The cheapest build of the request with other fields; None when there is none."""
    other = market.asking(**fields)
    solver = Solver(other)
    found = solver.cheapest()
    return (other, solver.point(found)) if found else None


def ways_out(market: Market) -> list[Way]:
    """Conditions that stand against a build, cheapest first; when no single one does, each together with the budget.

    Whatever the front ascends in, cheap is a matter of money here."""
    market = replace(market, request=market.request.model_copy(update={"cost_axis": "money"}))
    request = market.request
    floor = min((BITS[p] for p in market.llm.precisions()), default=16)
    conditions = loosened(request, market.llm.min_precision_bits if floor <= 4 else 4)
    ways = [Way(rule, words, *found) for rule, words, fields in conditions if (found := cheapest(market, **fields))]
    if request.budget_cents is not None:
        for rule, words, fields in conditions:
            wanted = rule == "precision" or (not ways and rule != "budget")
            if not wanted or any(w.rule == rule for w in ways):
                continue
            if found := cheapest(market, **{**fields, "budget_cents": None}):
                ways.append(Way(rule, f"{words}, with a larger budget,", *found))
    return sorted(ways, key=lambda w: w.point.found.parts_cents)
