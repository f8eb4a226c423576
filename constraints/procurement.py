"""Rule procurement: which offer prices a part, and why a part can't be bought.

Of one part, seller and condition only the newest offer dated on or before `as_of` is live. Fresh live offers come
first and the cheapest of them prices the part; where none is fresh the newest does, marked stale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from catalogs.load import Catalog
from catalogs.schema import Kind, Offer, Part, Platform
from constraints.filters import Filter, admissible, limits
from constraints.policy import Policy, usd_per
from constraints.request import Request
from constraints.rule import Check

if TYPE_CHECKING:
    from constraints.case import Case
    from constraints.model import FamilyModel


@dataclass(frozen=True)
class Priced:
    """The offer that prices a part, in minor units of the request's currency."""

    offer: Offer
    cents: int
    stale: bool


@dataclass(frozen=True)
class PriceBook:
    """Prices of what can be bought, and a ledger: part id -> why it can't."""

    prices: Mapping[str, Priced]
    ledger: Mapping[str, str]


def minor_digits(currency: str) -> int:
    """Digits after the point: JPY has none."""
    return 0 if currency == "JPY" else 2


def unit_price(offer: Offer, currency: str) -> int:
    """Net unit price in minor units: made net of tax and converted once, rounded half up."""
    usd = offer.price / (1 + offer.tax_rate) * usd_per(offer.currency)
    scaled = usd / usd_per(currency) * 10 ** minor_digits(currency)
    if offer.currency == currency:
        scaled = offer.price / (1 + offer.tax_rate) * 10 ** minor_digits(currency)
    return max(1, int(scaled.quantize(Decimal(1), ROUND_HALF_UP)))


def price_book(catalog: Catalog, request: Request, policy: Policy) -> PriceBook:
    """Price every part that may be bought under the request."""
    prices: dict[str, Priced] = {}
    ledger: dict[str, str] = {}
    filters = Filter(catalog, request)
    for part in catalog.parts.values():
        barred = barred_by(part, request, catalog) or filters.refused(part)
        if barred:
            ledger[part.id] = barred
            continue
        live = _live(catalog.offers.get(part.id, ()), request)
        if not live:
            ledger[part.id] = "no offer of an allowed condition on or before that day"
            continue
        live = [o for o in live if admissible(o, request)]
        if not live:
            ledger[part.id] = f"no offer with {limits(request)}"
            continue
        if request.max_price_age_days is not None:
            oldest = request.as_of - timedelta(days=request.max_price_age_days)
            live = [o for o in live if o.date >= oldest]
            if not live:
                ledger[part.id] = f"every price is older than {request.max_price_age_days} days"
                continue
        days = policy.whole(
            "offers.fresh_days_memory" if part.kind in (Kind.MEMORY, Kind.DRIVE) else "offers.fresh_days"
        )
        fresh = [o for o in live if o.date >= request.as_of - timedelta(days=days)]
        if fresh:
            best = min(fresh, key=lambda o: (unit_price(o, request.currency), -o.date.toordinal(), o.id))
        else:
            best = min(live, key=lambda o: (-o.date.toordinal(), unit_price(o, request.currency), o.id))
        prices[part.id] = Priced(best, unit_price(best, request.currency), not fresh)
    return PriceBook(prices, ledger)


def _live(offers: tuple[Offer, ...], request: Request) -> list[Offer]:
    newest: dict[tuple[str, str], Offer] = {}
    for o in offers:
        if o.date > request.as_of or o.condition not in request.conditions:
            continue
        key = (o.seller, o.condition)
        if key not in newest or (o.date, o.id) > (newest[key].date, newest[key].id):
            newest[key] = o
    return list(newest.values())


def barred_by(part: Part, request: Request, catalog: Catalog) -> str:
    """Why the part (or something inside it) is barred; empty when it is not."""
    if part.id in request.exclude:
        return "excluded by --exclude"
    vendor = part.vendor.casefold()
    if vendor in request.barred_vendors:
        return f"vendor {part.vendor} is barred"
    neutral = part.kind in (Kind.OPTIC, Kind.CABLE, Kind.RACK, Kind.PDU) and not part.vendor
    if request.vendors and not neutral and vendor not in request.vendors:
        return f"vendor {part.vendor} is not among those allowed"
    if isinstance(part, Platform):
        for inside in part.contents:
            why = barred_by(catalog.parts[inside.part], request, catalog)
            if why:
                return f"contains {inside.part}: {why}"
    return ""


class Procurement:
    """Barred and unpriced parts are no candidates; `--include` parts must be in the build."""

    id = "procurement"

    def encode(self, m: FamilyModel) -> None:
        for part, terms in m.quantities().items():
            if part not in m.book.prices:
                m.cp.add(sum(terms) == 0)
        for wanted in m.request.include:
            if wanted not in m.contained_ids:
                terms = m.quantities().get(wanted, [])
                m.cp.add(sum(terms) >= 1) if terms else m.cp.add_bool_or([])

    def check(self, c: Case) -> list[Check]:
        found = []
        for part in sorted({**c.build.node, **c.build.shared}):
            if part not in c.book.prices:
                found.append(Check.of(self.id, False, f"{part}: {c.book.ledger.get(part, 'no price')}"))
        have = {**c.build.shared, **c.node_all}
        for wanted in c.request.include:
            if wanted not in have:
                found.append(Check.of(self.id, False, f"{wanted} is demanded by --include but not in the build"))
        return (found or [Check.of(self.id, True, "every part has an admissible offer")]) + _unknown(c)


def _unknown(c: Case) -> list[Check]:
    """Warnings about what the buyer's limits could not be held against."""
    bought, found = sorted({**c.build.node, **c.build.shared}), []
    if c.request.barred_origins:
        parts = sorted({*bought, *c.node_all})
        if dark := [x for x in parts if not c.catalog.parts[x].country]:
            found.append(Check.warn("procurement", f"country of origin unknown: {', '.join(dark)}"))
    if c.request.max_lead_days is not None:
        priced = [(x, c.book.prices[x].offer) for x in bought if x in c.book.prices]
        if dark := [x for x, offer in priced if offer.lead_time_days is None]:
            found.append(Check.warn("procurement", f"lead time unknown: {', '.join(dark)}"))
    return found
