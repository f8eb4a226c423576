"""Price books, opened once for requests that are asked at the same prices."""

from __future__ import annotations

from catalogs.load import Catalog
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from constraints.prices.purchase import PriceBook
from constraints.request import Request
from optimizer.request.fields import FIELDS

UNPRICED = ("model", "cost_axis", "include", *(name for name, entry in FIELDS.items() if entry.shares))
"""Request fields that a price book doesn't read unless offers are chosen for the whole build; a test holds it."""
KEPT = 16
"""Books kept of a catalog: a comparison, an explanation and a batch ask at a few prices, each of them often."""


def book_of(catalog: Catalog, request: Request, policy: Policy) -> PriceBook:
    """The catalog's prices under the request: opened anew, or as they were for one that differs in `UNPRICED` alone.

    Where offers are chosen for the whole build the book reads more of the request, and each has its own."""
    if request.picks_offers:
        return price_book(catalog, request, policy)
    known: dict[object, PriceBook] = catalog.derived.setdefault(price_book, {})
    fields = tuple(getattr(request, name) for name in Request.model_fields if name not in UNPRICED)
    key = fields, frozenset(policy.changed.items())
    found = known.get(key)
    if found is None:
        found = price_book(catalog, request, policy)
        if len(known) >= KEPT:
            known.pop(next(iter(known)), None)  # the oldest
        known[key] = found
    return found
