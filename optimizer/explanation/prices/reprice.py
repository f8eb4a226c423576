"""The same market at other prices: every what-if about money is solved in one of these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from catalogs.errors import Fault, InputError
from catalogs.message import N_, joined, message
from catalogs.offers import Offer, PricedOffer
from catalogs.schema import Kind
from constraints.exchange import minor_digits
from constraints.model.axis import MONEY
from constraints.prices.states import as_of_day, band, band_key, fixed, is_stale
from constraints.prices.states import times as price_times
from optimizer.market.market import Market

Offers = dict[str, tuple[Offer, ...]]


def priced(market: Market, unit_cents: Mapping[str, int]) -> Market:
    """The market where every offer of a part asks that much a piece (net, minor units of the request's currency,
    at least 1); stock, lead time and seller stay, price breaks go. Where one offer alone prices a part today, it
    alone does so still."""
    return with_offers(market, at_price(market, unit_cents))


def scaled(market: Market, factors: Mapping[str, Fraction]) -> Market:
    """The market where every offer of a part is dearer by its factor, rounded half up to its cents."""
    return with_offers(market, at_factor(market, factors))


def at_price(market: Market, unit_cents: Mapping[str, int]) -> Offers:
    """The offers of `priced`."""

    def asking(offer: Offer) -> Offer:
        price = Decimal(max(1, unit_cents[offer.part])).scaleb(-minor_digits(market.request.currency))
        fields = {"price": price, "currency": market.request.currency, "tax_rate": Decimal(0), "breaks": ()}
        return fixed(offer.model_copy(update=fields))

    def offers(part: str) -> tuple[Offer, ...]:
        known = market.book.prices.get(part)
        if known is not None and known.offer is not None and not known.by_quantity:
            return (known.offer,)
        return today(market, part)

    return {p: tuple(map(asking, offers(p))) for p in unit_cents}


def at_factor(market: Market, factors: Mapping[str, Fraction]) -> Offers:
    """The offers of `scaled`."""
    return {p: tuple(times(o, factors[p]) for o in today(market, p)) for p in factors}


def today(market: Market, part: str) -> tuple[Offer, ...]:
    """The offers of a part, old ones brought to the request's day by an index where there is one."""
    c, request, policy = market.catalog, market.request, market.policy
    return tuple(as_of_day(o, c.parts[part], request.as_of, c, policy) for o in c.offers.get(part, ()))


def times(offer: Offer, factor: Fraction) -> Offer:
    """An offer with price and price breaks times a factor, rounded half up to cents, at least one."""

    breaks = tuple(f"{q}:{price_times(p, factor)}" for q, p in offer.price_breaks)
    return offer.model_copy(update={"price": price_times(offer.price, factor), "breaks": breaks})


End = Literal["low", "high"]


def high_basis(offer: Offer, kind: Kind, market: Market) -> str:
    """Where the high end of an offer's band comes from (constraints/prices/states.py, `band`)."""
    policy = market.policy
    stale = is_stale(offer, kind, market.request.as_of, policy)
    if offer.high is not None:
        found = [N_("the offer's high")]
    else:
        key = band_key(offer, kind, policy, stale)
        found = [message("{key} {n} %", key=key, n=_plain(policy[key]))]
    if isinstance(offer, PricedOffer) and offer.index_percent is not None:
        found.append(message("index {n} %", n=_plain(offer.index_percent)))
    if stale:
        found.append(message("stale {n} %", n=_plain(policy["price_risk.stale_percent"])))
    return joined(found)


def _plain(percent: Decimal) -> str:
    return f"{percent.normalize():f}"


def at_end(market: Market, end: End) -> Market:
    """The market where every offer is at its low, or at its high: the ends of the band by which `--price` and the range
    of a build count (constraints/prices/states.py)."""

    def ended(offer: Offer) -> Offer:
        kind = market.catalog.parts[offer.part].kind
        ends = band(offer, kind, market.policy, is_stale(offer, kind, market.request.as_of, market.policy))
        return times(offer, ends.low if end == "low" else ends.high)

    return with_offers(market, {p: tuple(map(ended, today(market, p))) for p in market.catalog.offers})


def refuse(market: Market, what: str, by_quantity: Callable[[], bool] = lambda: False) -> None:
    """Raises InputError where the builds that are admitted depend on prices, or cost is no money."""
    request = market.request
    found = [
        ("--cost-axis", market.axis is not MONEY, "the front ascends in another cost than money"),
        (
            "--max-share, --max-estimated",
            request.shares,
            "which builds keep to a share of the cost changes with prices",
        ),
        ("--price", request.price_level != "middle", "every price counts at one end of its band already"),
        ("terms", by_quantity(), "prices depend on quantity (stock, minimum orders, breaks, bundles, parts in hand)"),
    ]
    for column, holds, why in found:
        if holds:
            remedy = f"Leave out {column}." if column != "terms" else "Leave out those terms."
            raise InputError(Fault("combination", f"{what}: {why}", column=column, remedy=remedy))


def with_offers(market: Market, offers: Mapping[str, tuple[Offer, ...]]) -> Market:
    """The market with other offers of some parts."""
    c = market.catalog
    catalog = replace(c, offers={**c.offers, **offers})
    return Market.open(catalog, market.request, market.policy, market.calibration)
