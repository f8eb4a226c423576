"""Random catalogs with origins, sellers, confidences and lead times, and requests that limit them. One seed, one."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

from catalogs.load import Catalog
from catalogs.offers import Offer
from catalogs.schema import Kind, Part
from constraints.request import Listed, Request
from tests.support.oracle import Ask
from tests.support.random_catalogs import scenario

WISHES = ("origin", "no-origin", "confidence", "lead", "avl", "sellers", "estimated", "share", "market")
AXES = ("money", "power", "rack-units", "lead-time")
READ = ("list", "street", "contract")
KINDS = {"confidence": ("list", "street", "estimate"), "estimated": ("list", "street", "estimate")}
"""What prices are where a wish is about it; else somebody read all of them, so that all compete."""
PLAIN = (0, 1, 2)
"""Shapes of one air-cooled node: shares of the cost can be brought down by dearer drives, and brute force tries only as
many as these nodes hold."""


def procurement_scenario(seed: int, wish: str, axis: str, base: int | None = None) -> tuple[Catalog, Request, Ask]:
    """A catalog whose offers differ in what procurement asks, and a request with one wish, on a cost axis; parts and
    platforms are those of `scenario(base)`."""
    if base is None:
        base = PLAIN[seed % 3] + 6 * (seed // 3) if wish in ("estimated", "share") else seed
    catalog, request, ask = scenario(base)
    rng = random.Random(f"{seed} {wish} {axis}")
    parts: dict[str, Part] = {
        x: p.model_copy(
            update={"country": rng.choice(("US", "US", "TW", "CN", "") if wish != "origin" else ("US", "TW"))}
        )
        for x, p in sorted(catalog.parts.items())
    }
    sold = random.Random(f"{seed} markets")
    some = ((),) * 7 + (("US", "EU"), ("!CN", "!JP"), ("!EU",), ("CN", "JP"))
    lists = some if wish == "market" else ((), ("US",), ("!CN",))
    parts = {x: p.model_copy(update={"markets": sold.choice(lists)}) for x, p in parts.items()}
    if "origin" not in wish:  # a Chinese accelerator is sold in China alone: less to choose from
        parts |= {
            x: p.model_copy(update={"country": "TW"})
            for x, p in parts.items()
            if p.kind == Kind.GPU and p.country == "CN"
        }
    offers: dict[str, tuple[Offer, ...]] = {}
    for x, old in sorted(catalog.offers.items()):
        sellers = rng.sample(("north", "south", "west"), len(old))
        offers[x] = tuple(
            o.model_copy(
                update={
                    "seller": s,
                    "confidence": rng.choice(KINDS.get(wish, READ)),
                    "lead_time_days": rng.choice((None, 7, 14, 30, 60)),
                }
            )
            for o, s in zip(old, sellers, strict=True)
        )
    more = random.Random(f"{seed} more")
    if wish in ("estimated", "share"):  # brute force tries every split: two parts with a choice
        kinds = (Kind.GPU, Kind.CPU, Kind.MEMORY, Kind.PLATFORM, Kind.GPU_BOARD)
        two = more.sample([p.id for p in catalog.of(*kinds) if p.id in offers], 2)
        offers = {x: (of[0], *(_others(more, of[:1])[:1] if x in two else ())) for x, of in offers.items()}
    elif wish == "sellers" or axis == "lead-time":  # a choice of sellers and days for most parts
        offers = {x: (*of, *_others(more, of)) for x, of in offers.items()}
    product, plain = _wish(wish, rng, parts)
    same: dict[str, Any] = {"cost_axis": axis, "exclude": frozenset(), "include": ()}
    return (
        Catalog(parts, offers, catalog.sha256),
        request.model_copy(update={**same, **product}),
        replace(ask, cost_axis=axis, exclude=(), include=(), **plain),
    )


def _others(rng: random.Random, offers: tuple[Offer, ...]) -> list[Offer]:
    """Offers of the other sellers, at other prices and days."""
    out = []
    for seller in sorted({"north", "south", "west"} - {o.seller for o in offers}):
        change = {
            "id": f"{offers[0].id}-{seller}", "seller": seller,
            "price": (offers[0].price * Decimal(rng.choice(("0.97", "1.04", "1.2")))).quantize(Decimal("0.01")),
            "lead_time_days": rng.choice((None, 7, 14, 30, 60)),
            # Of the same state: an estimate never competes with a price that somebody read.
            "confidence": rng.choice(READ) if offers[0].confidence != "estimate" else "estimate",
        }  # fmt: skip
        if rng.random() < 0.6:
            out.append(offers[0].model_copy(update=change))
    return out


def _wish(wish: str, rng: random.Random, parts: dict[str, Part]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The wish in the product's and in the oracle's words."""
    if wish == "origin":
        one = rng.choice((("TW", "US"), ("TW", "US"), ("US",)))
        return {"origins": one}, {"origins": one}
    if wish == "no-origin":
        return {"barred_origins": ("CN",)}, {"barred_origins": ("CN",)}
    if wish == "market":
        there = rng.choice(("US", "EU", "EU", "CN", "JP"))
        return {"market": there}, {"market": there}
    if wish == "confidence":
        few = rng.choice((("list", "street"), ("list", "estimate"), ("street", "estimate")))
        return {"confidences": few}, {"confidences": few}
    if wish == "lead":
        days, strict = rng.choice((14, 30)), rng.random() < 0.2
        return {"max_lead_days": days, "strict_lead": strict}, {"max_lead": days, "strict_lead": strict}
    if wish == "avl":
        of = {
            kind: [x for x, p in parts.items() if p.kind == kind]
            for kind in (Kind.CPU, Kind.MEMORY, Kind.GPU, Kind.DRIVE)
        }
        approved = tuple(rng.choice(of[k]) for k in rng.sample(sorted(of), 2) if of[k])
        barred = tuple(x for x in (rng.choice(of[Kind.DRIVE]),) if x not in approved)
        rows = [Listed(part=x, status="approved") for x in approved] + [Listed(part=x, status="barred") for x in barred]
        return {"avl": tuple(rows)}, {"approved": approved, "barred": barred}
    if wish == "sellers":
        most = rng.choice((1, 2, 2))
        return {"max_sellers": most}, {"max_sellers": most}
    percent = rng.choice((20, 40, 60) if wish == "estimated" else (50, 70, 90))
    return {f"max_{wish}_percent": percent}, {f"max_{wish}": percent}
