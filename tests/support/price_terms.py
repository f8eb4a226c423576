"""Random catalogs with terms of purchase: stock, minimum orders, breaks, bundles, parts in hand, spares, support."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from catalogs.load import Catalog
from catalogs.offers import Bundle, Offer
from catalogs.schema import Contained, Kind
from constraints.request import Owned, Request, Spare, SupportRate
from tests.support.oracle import Ask
from tests.support.random_catalogs import DAY, scenario


@dataclass(frozen=True)
class Terms:
    """What the oracle must know beside the offers: all in plain words and numbers."""

    own: dict[str, int]
    spares: dict[str, Fraction]
    support: dict[str, Fraction]


def priced_scenario(seed: int) -> tuple[Catalog, Request, Ask, Terms]:
    """The random catalog of a seed with terms laid over its offers, and the request in both languages."""
    catalog, request, ask = scenario(seed)
    rng = random.Random(5000 + seed)
    offers = {x: tuple(_with_terms(rng, o) for o in found) for x, found in catalog.offers.items()}
    bundles = {b.id: b for i in range(rng.choice((0, 1, 1, 2))) if (b := _bundle(rng, i, catalog))}
    sold = sorted(offers)
    own = {x: rng.choice((1, 2, 4)) for x in rng.sample(sold, rng.choice((0, 1, 2)))}
    spares = {Kind.DRIVE: (1, 10), Kind.MEMORY: (1, 4), Kind.PSU: (1, 5), Kind.GPU: (1, 2), Kind.CPU: (1, 1)}
    chosen = dict(rng.sample(sorted(spares.items()), rng.choice((0, 0, 1, 2))))
    rates = {Kind.GPU: "5", Kind.PLATFORM: "12.5", Kind.CPU: "3.3"} if rng.random() < 0.3 else {}
    fields: dict[str, Any] = {
        "own": tuple(Owned(part=x, qty=q) for x, q in sorted(own.items())),
        "spares": tuple(Spare(category=k, pieces=a, per=b) for k, (a, b) in chosen.items()),
        "support": tuple(SupportRate(category=k, percent=Decimal(p)) for k, p in rates.items()),
    }
    terms = Terms(
        own,
        {k.value: Fraction(a, b) for k, (a, b) in chosen.items()},
        {k.value: Fraction(p) / 100 for k, p in rates.items()},
    )
    money = 2 * ask.budget_cents
    fields["budget_cents"], ask = money, replace(ask, budget_cents=money)
    made = Catalog(catalog.parts, offers, catalog.sha256, (), bundles)
    return made, request.model_copy(update=fields), ask, terms


def with_sellers(seed: int, catalog: Catalog) -> Catalog:
    """The catalog with sellers and days of delivery, and a second offer without terms for most parts."""
    rng = random.Random(f"sellers {seed}")

    def sold(o: Any, seller: str, **fields: Any) -> Any:
        days = rng.choice((None, 7, 14, 30))
        return o.model_copy(update={"seller": seller, "lead_time_days": days, **fields})

    offers = {}
    for x, of in sorted(catalog.offers.items()):
        sellers = rng.sample(("north", "south", "west", "east"), len(of) + 1)
        plain = {"id": f"{of[0].id}-b", "stock": None, "min_qty": 1, "breaks": ()}
        price = (of[0].price * Decimal(rng.choice(("0.98", "1.1")))).quantize(Decimal("0.01"))
        second = [sold(of[0], sellers[-1], price=price, **plain)] if rng.random() < 0.7 else []
        offers[x] = (*(sold(o, s) for o, s in zip(of, sellers, strict=False)), *second)
    bundles = {x: sold(b, rng.choice(("north", "south"))) for x, b in catalog.bundles.items()}
    return replace(catalog, offers=offers, bundles=bundles)


def with_few_terms(seed: int, catalog: Catalog, percent: int) -> tuple[Catalog, dict[str, int]]:
    """The catalog with all offers of two parts, one plain offer of the others, and a limit on shares."""
    rng = random.Random(f"few {seed}")
    two = rng.sample(
        [p.id for p in catalog.of(Kind.GPU, Kind.CPU, Kind.PLATFORM, Kind.MEMORY) if p.id in catalog.offers], 2
    )
    plain = {"stock": None, "min_qty": 1, "breaks": ()}
    offers = {x: of if x in two else (of[0].model_copy(update=plain),) for x, of in catalog.offers.items()}
    guessed = {}
    for x, of in sorted(offers.items()):
        # An estimate never competes with a price that somebody read: a part has the one or the other.
        sure = rng.choice(("list", "list", "estimate"))
        guessed[x] = tuple(o.model_copy(update={"confidence": sure}) for o in of)
    limit = rng.choice(("max_share", "max_estimated"))
    return replace(catalog, offers=guessed if limit == "max_estimated" else offers), {limit: percent}


def _with_terms(rng: random.Random, o: Offer) -> Offer:
    change: dict[str, Any] = {}
    if rng.random() < 0.4:
        change["stock"] = rng.choice((0, 1, 2, 3, 4, 4, 6, 6, 9))
    if rng.random() < 0.25:
        change["min_qty"] = rng.choice((2, 3, 5))
    if rng.random() < 0.4:
        steps, price, qty = [], o.price, 1
        for _ in range(rng.choice((1, 2))):
            qty += rng.choice((1, 2, 3))
            price = (price * Decimal(rng.choice(("0.6", "0.8", "0.95")))).quantize(Decimal("0.01"))
            steps.append(f"{qty}:{price}")
        change["breaks"] = tuple(steps)
    return Offer.model_validate({**o.model_dump(), **change})


def _bundle(rng: random.Random, i: int, catalog: Catalog) -> Bundle | None:
    kinds = [Kind.GPU, Kind.CPU, Kind.MEMORY, Kind.DRIVE, Kind.PSU, Kind.PLATFORM, Kind.GPU_BOARD, Kind.NIC]
    sold = [p.id for p in catalog.of(*kinds) if p.id in catalog.offers]
    chosen = rng.sample(sold, min(len(sold), rng.choice((1, 2, 2, 3))))
    parts = [Contained(part=x, qty=rng.choice((1, 1, 2, 4))) for x in chosen]
    alone = sum(min(o.price for o in catalog.offers[c.part]) * c.qty for c in parts)
    price = (alone * Decimal(rng.choice(("0.5", "0.8", "0.9", "1.1")))).quantize(Decimal("0.01"))
    fields: dict[str, Any] = {"stock": rng.choice((None, 1, 2, 3)), "date": date(DAY.year, DAY.month, DAY.day)}
    return Bundle(
        id=f"kit{i}", parts=tuple(parts), price=price, currency="USD", condition="new", confidence="list",
        seller="k", source="test", **fields,
    )  # fmt: skip
