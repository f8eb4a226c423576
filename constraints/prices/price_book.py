"""Which offer prices a part, and why a part can't be bought.

Of one part, seller, condition and purchase only the newest offer dated on or before `as_of` is live, an estimate
beside a read one, and not past the day until which it is valid. With `--prefer mine` a part that the buyer's own
admissible offers have is priced by them alone. Live offers that hold for the purchase asked for go before those that
hold for the other alone. Then states decide (constraints/prices/states.py): fresh read prices go before indexed ones,
those before stale read ones, those before estimates, and the cheapest of the first state that there is prices the
part. With `--price low|high` every offer counts at that end of its band; which offers compete does not change. Stock,
minimum orders, price breaks, bundles and parts in hand make the price a function of quantity
(constraints/prices/purchase.py); where sellers or days of delivery are counted, the offers are chosen for the build
as a whole (constraints/prices/limited_book.py).
"""

from __future__ import annotations

from catalogs.days import days_before
from catalogs.load import Catalog
from catalogs.message import message
from catalogs.offers import Offer, state_of
from catalogs.schema import Kind, Part
from constraints.policy import Policy
from constraints.prices.filters import Filter, admissible, contents, limits, preferred
from constraints.prices.limited_book import LimitedBook
from constraints.prices.pricing import priced
from constraints.prices.purchase import PriceBook
from constraints.prices.states import Pool, as_of_day, at_level, pool_of
from constraints.prices.tariff import NEVER
from constraints.prices.totals import most_parts_cents
from constraints.request import Request


def price_book(catalog: Catalog, request: Request, policy: Policy) -> PriceBook:
    """Price every part that may be bought under the request."""
    pools: dict[str, Pool] = {}
    barred_ids = set()
    ledger: dict[str, str] = {}
    filters = Filter(catalog, request)
    for part in catalog.parts.values():
        barred = barred_by(part, request, catalog) or filters.refused(part)
        if barred:
            ledger[part.id] = barred
            barred_ids.add(part.id)
            continue
        live = _live(catalog.offers.get(part.id, ()), request)
        if not live:
            ledger[part.id] = "no offer of an allowed condition on or before that day"
            continue
        live = [as_of_day(offer, part, request.as_of, catalog, policy) for offer in live]
        live = [offer for offer in live if admissible(offer, request)]
        if not live:
            ledger[part.id] = message("no offer with {list}", list=limits(request))
            continue
        if request.max_price_age_days is not None:
            oldest = days_before(request.as_of, request.max_price_age_days)
            # An estimate has no age: `--max-estimated` and `--confidence` limit it.
            live = [offer for offer in live if state_of(offer) == "estimate" or offer.date >= oldest]
            if not live:
                ledger[part.id] = message("every price is older than {n} days", n=request.max_price_age_days)
                continue
        live = preferred(live, request)
        found = pool_of(live, part, request, policy)
        level = request.price_level
        pools[part.id] = Pool([at_level(o, part, level, policy, found.stale) for o in found.offers], found.stale)
    book = priced(catalog, request, policy, pools, barred_ids, ledger)
    if not (request.picks_offers and book.by_quantity):
        return book
    budget = request.budget_cents
    purse = NEVER - 1 if budget is None else most_parts_cents(budget, policy)
    return LimitedBook(book.prices, book.ledger, book.kits, book.scale, book.weights, request=request, purse=purse)


def _live(offers: tuple[Offer, ...], request: Request) -> list[Offer]:
    newest: dict[tuple[str, str, str, bool], Offer] = {}
    for offer in offers:
        if offer.date > request.as_of or offer.condition not in request.conditions:
            continue
        key = (offer.seller, offer.condition, offer.holds_for, state_of(offer) == "estimate")
        if key not in newest or (offer.date, offer.id) > (newest[key].date, newest[key].id):
            newest[key] = offer
    return [offer for offer in newest.values() if offer.valid_until is None or offer.valid_until >= request.as_of]


def barred_by(part: Part, request: Request, catalog: Catalog) -> str:
    """Why the part (or something inside it) is barred; empty when it is not."""
    if part.id in request.exclude:
        return "excluded by --exclude"
    vendor = part.vendor.casefold()
    if vendor in request.barred_vendors:
        return message("vendor {x} is barred", x=part.vendor)
    neutral = part.kind in (Kind.OPTIC, Kind.CABLE, Kind.RACK, Kind.PDU) and not part.vendor
    if request.vendors and not neutral and vendor not in request.vendors:
        return message("vendor {x} is not among those allowed", x=part.vendor)
    for inside in contents(part):
        if why := barred_by(catalog.parts[inside], request, catalog):
            return message("contains {part}: {why}", part=inside, why=why)
    return ""
