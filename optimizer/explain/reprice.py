"""The same market at other prices: every what-if about money is solved in one of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from catalogs.schema import Offer
from constraints.pricing import minor_digits
from optimizer.market import Market

CENT = Decimal("0.01")


def priced(market: Market, unit_cents: Mapping[str, int]) -> Market:
    """The market where every offer of a part asks that much a piece (net, minor units of the request's currency,
    at least 1); stock, lead time and seller stay, price breaks go."""

    def asking(o: Offer) -> Offer:
        price = Decimal(max(1, unit_cents[o.part])).scaleb(-minor_digits(market.request.currency))
        fields = {"price": price, "currency": market.request.currency, "tax_rate": Decimal(0), "breaks": ()}
        return o.model_copy(update=fields)

    return _with(market, {p: tuple(map(asking, market.catalog.offers.get(p, ()))) for p in unit_cents})


def scaled(market: Market, factors: Mapping[str, Fraction]) -> Market:
    """The market where every offer of a part is dearer by its factor, rounded half up to its cents."""

    def times(price: Decimal, factor: Fraction) -> Decimal:
        exact = price * factor.numerator / factor.denominator
        return max(CENT, exact.quantize(CENT, ROUND_HALF_UP))

    def asking(o: Offer) -> Offer:
        f = factors[o.part]
        breaks = tuple(f"{q}:{times(p, f)}" for q, p in o.price_breaks)
        return o.model_copy(update={"price": times(o.price, f), "breaks": breaks})

    return _with(market, {p: tuple(map(asking, market.catalog.offers.get(p, ()))) for p in factors})


def _with(market: Market, offers: Mapping[str, tuple[Offer, ...]]) -> Market:
    c = market.catalog
    catalog = replace(c, offers={**c.offers, **offers})
    return Market.open(catalog, market.request, market.policy, market.calibration)
