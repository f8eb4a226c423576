"""Bill of materials of a build: a line for each offer and role, what bundles hold, and what is inside systems."""

from __future__ import annotations

from typing import Any

from catalogs.offers import Offer, PricedOffer, state_of
from catalogs.schema import Kind
from constraints.build import Build, Case
from constraints.prices.pricing import unit_price
from constraints.prices.purchase import Line, Purchase
from optimizer.market.market import Market
from optimizer.text.minor_units import money

BUNDLE = "bundle"
"""Category of a bundle's own line; its parts stand at price 0 beside it."""


def purchase(market: Market, build: Build) -> Purchase:
    """The orders of a build that passed the rule of procurement."""
    found = market.book.purchase(build.total())
    if found is None:
        raise AssertionError(f"a build that can't be bought: {build}")
    return found


def bom(market: Market, case: Case, bought: Purchase) -> list[dict[str, Any]]:
    """Lines of nodes, of what is shared, of spares (whatever exceeds the build), and contents of systems at price 0."""
    wanted = {(x, "node"): qty * case.build.nodes for x, qty in case.build.node.items()}
    wanted |= {(x, "shared"): qty for x, qty in case.build.shared.items()}
    lines = []
    for line in bought.lines:
        if line.part in market.catalog.bundles and line.origin == "bundle" and line.cents:
            lines.append(_row(market, line, "shared", line.qty))
            continue
        left = line.qty
        for role in ("node", "shared"):
            taken = min(left, wanted.get((line.part, role), 0))
            if taken:
                wanted[line.part, role] -= taken
                left -= taken
                lines.append(_row(market, line, role, taken))
        if left:
            lines.append(_row(market, line, "spare", left))
    for inside in case.platform.contents:
        line = Line(inside.part, inside.qty * case.build.nodes, 0, "included", None)
        lines.append(_row(market, line, "included", line.qty))
    order = {str(k): i for i, k in enumerate([BUNDLE, *Kind])}
    return sorted(
        lines, key=lambda x: (order[str(x["category"])], str(x["part"]), str(x["role"]), str(x["offer_id"] or ""))
    )


def _row(market: Market, line: Line, role: str, qty: int) -> dict[str, Any]:
    currency, offer = market.request.currency, line.offer
    part = market.catalog.parts.get(line.part)
    kit = market.catalog.bundles[line.part] if part is None else None
    return {
        "part": line.part,
        "category": part.kind.value if part else BUNDLE,
        "name": part.name if part else kit.name or kit.id if kit else "",
        "vendor": part.vendor if part else offer.seller if offer else "",
        "role": role,
        "qty": qty,
        "pack_qty": getattr(part, "pack", 1),
        "origin": line.origin,
        "offer_id": offer.id if offer else None,
        "unit_price": money(line.cents, currency),
        "line_total": money(line.cents * qty, currency),
        "currency": currency,
        "condition": offer.condition if offer else None,
        "price_date": offer.date.isoformat() if offer and state_of(offer) != "estimate" else None,
        "price_confidence": offer.confidence if offer else None,
        "price_state": state_of(offer) if offer else None,
        "read_price": money(_read_cents(market, offer), currency) if isinstance(offer, PricedOffer) else None,
        "holds_for": offer.holds_for if isinstance(offer, Offer) else "",
        "price_source": offer.source if offer else None,
        "stale": line.stale,
        "seller": offer.seller if offer else None,
        "lead_time_days": offer.lead_time_days if offer else None,
    }


def _read_cents(market: Market, offer: PricedOffer) -> int:
    """The unit price that was read, net, in minor units of the request's currency."""
    return unit_price(offer, market.request, offer.read_price)
