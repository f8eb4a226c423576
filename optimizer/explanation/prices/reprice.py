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
from constraints.policy import Policy
from constraints.prices.states import as_of_day, fixed
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


def band(offer: Offer, kind: Kind, policy: Policy, end: End) -> tuple[Fraction, str]:
    """(factor on an offer's price at the low or high end, where it comes from): its own column where it has one, else
    the band of its confidence, for memory and drives at least that of their category. A low is as many times below
    the price as a high without a column is above it; neither crosses the price. An index that moved the price widens
    both by its uncertainty."""
    own = offer.low if end == "low" else offer.high
    if own is not None:
        factor = Fraction(own) / Fraction(offer.price)
        factor = min(factor, Fraction(1)) if end == "low" else max(factor, Fraction(1))
        basis = N_("the offer's low") if end == "low" else N_("the offer's high")
    else:
        percent, key = max(((policy[key], key) for key in _bands(offer, kind)), key=lambda x: x[0])
        rise = 1 + Fraction(percent) / 100
        factor = 1 / rise if end == "low" else rise
        basis = message("{key} {n} %", key=key, n=f"{percent.normalize():f}")
    if isinstance(offer, PricedOffer) and offer.index_percent is not None:
        wider = 1 + Fraction(offer.index_percent) / 100
        factor = factor / wider if end == "low" else factor * wider
        basis = joined([basis, message("index {n} %", n=f"{offer.index_percent.normalize():f}")])
    return factor, basis


def _bands(offer: Offer, kind: Kind) -> list[str]:
    own = {Kind.MEMORY: ["price_risk.memory_percent"], Kind.DRIVE: ["price_risk.drive_percent"]}
    return [f"price_risk.{offer.confidence}_percent", *own.get(kind, [])]


def at_end(market: Market, end: End) -> Market:
    """The market where every offer is at its low, or at its high (see `band`)."""

    def ended(offer: Offer) -> Offer:
        return times(offer, band(offer, market.catalog.parts[offer.part].kind, market.policy, end)[0])

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
