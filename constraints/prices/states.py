"""The state of each price on the day asked for: read and fresh, brought there by an index, read and stale, or an
estimate; and how far from its middle the price may lie.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from catalogs.days import days_before
from catalogs.load import Catalog
from catalogs.offers import Bundle, Offer, PricedOffer, PriceLevel, state_of
from catalogs.schema import Kind, Part
from constraints.policy import Policy
from constraints.prices.price_index import Move, moved
from constraints.request import Request

QUICK = (Kind.MEMORY, Kind.DRIVE)
"""Categories whose prices go stale sooner."""
CENT = Decimal("0.01")
ONE = Fraction(1)


class Pool(NamedTuple):
    """The offers that compete for a part, all of one state, and whether they are stale."""

    offers: list[Offer]
    stale: bool


class Band(NamedTuple):
    """Factors on a middle price at the ends of its band: `low` at most 1, `high` at least 1."""

    low: Fraction
    high: Fraction


def fresh_days(kind: Kind, policy: Policy) -> int:
    """Days for which a price of a category is fresh."""
    return policy.whole("offers.fresh_days_memory" if kind in QUICK else "offers.fresh_days")


def as_of_day(offer: Offer, part: Part, day: date, catalog: Catalog, policy: Policy) -> Offer:
    """A read price that is no longer fresh on a day, brought there by its category's index where there is one; any
    other offer as it stands. The price is rounded half up to cents of its currency, and so are its breaks, low and
    high."""
    if isinstance(offer, PricedOffer) or state_of(offer) == "estimate":
        return offer
    if offer.date >= days_before(day, fresh_days(part.kind, policy)):
        return offer
    move = moved(part, offer.date, day, catalog, policy)
    return offer if move is None else _indexed(offer, move)


def _indexed(offer: Offer, move: Move) -> PricedOffer:
    price = times(offer.price, move.factor)
    return _priced(offer, move.factor, read_price=offer.price, middle=price, index_percent=move.percent)


def _priced(offer: Offer, factor: Fraction, **fields: object) -> PricedOffer:
    """The offer at another price; not validated again, for its row was."""
    values = {name: getattr(offer, name) for name in type(offer).model_fields}
    values |= {"price": times(offer.price, factor)}
    values |= {"breaks": tuple(f"{qty}:{times(price, factor)}" for qty, price in offer.price_breaks)}
    for end in ("low", "high"):
        values[end] = None if values[end] is None else times(values[end], factor)
    return PricedOffer.model_construct(**{**values, **fields})


def fixed(offer: Offer) -> PricedOffer:
    """The offer at a price that somebody says, and that no index and no end of a band moves."""
    percent = offer.index_percent if isinstance(offer, PricedOffer) else None
    return _priced(
        offer, ONE, read_price=offer.price, middle=offer.price, low=offer.price, high=offer.price,
        index_percent=percent, fixed=True,
    )  # fmt: skip


def times(price: Decimal, factor: Fraction) -> Decimal:
    """A price times a factor, rounded half up to cents, at least one."""
    cents = (2 * 100 * Fraction(price) * factor + 1) // 2
    return max(CENT, Decimal(cents).scaleb(-2))


def pool_of(live: Iterable[Offer], part: Part, request: Request, policy: Policy) -> Pool:
    """Of admissible offers, each as of the request's day, those that compete for the part.

    Those that hold for the purchase asked for go first, where there are any. Of these the fresh read ones; else the
    indexed ones, of which those count that are at most as many days older than the newest as a fresh price may be old;
    else the read ones of the newest day, which are stale; else the estimates of the newest day. Empty where there are
    none."""
    offers = list(live)
    offers = [offer for offer in offers if offer.holds_for in ("", request.bought_as)] or offers
    days = fresh_days(part.kind, policy)
    by_state: dict[str, list[Offer]] = {"fresh": [], "indexed": [], "stale": [], "estimate": []}
    for offer in offers:
        state = state_of(offer)
        old_read = is_stale(offer, part.kind, request.as_of, policy)
        by_state[state if state != "read" else "stale" if old_read else "fresh"].append(offer)
    if by_state["fresh"]:
        return Pool(by_state["fresh"], False)
    if indexed := by_state["indexed"]:
        newest = max(offer.date for offer in indexed)
        # An index carries an old price the worse the farther: one much older than another says less.
        return Pool([offer for offer in indexed if offer.date >= days_before(newest, days)], False)
    old = by_state["stale"] or by_state["estimate"]
    return Pool([offer for offer in old if offer.date == max(each.date for each in old)], bool(by_state["stale"]))


def is_stale(offer: Offer, kind: Kind, day: date, policy: Policy) -> bool:
    """Whether a price that somebody read is no longer fresh on a day, and no index brought it there."""
    return state_of(offer) == "read" and offer.date < days_before(day, fresh_days(kind, policy))


def band_key(offer: Offer | Bundle, kind: Kind, policy: Policy, stale: bool) -> str:
    """The policy value whose percentage is the band of a price without a low or high of its own: that of its
    confidence; of a stale one of memory or drives the category's, where that is more."""
    keys = [f"price_risk.{offer.confidence}_percent"]
    if stale and kind in QUICK:
        keys.append(f"price_risk.{kind.value}_percent")
    return max(keys, key=lambda key: policy[key])


def band(offer: Offer | Bundle, kind: Kind, policy: Policy, stale: bool) -> Band:
    """How far a price of today may lie from its middle, exact.

    Its own low and high where the row gives them, else price_risk's percentage of its confidence, as many times below
    as above. Wider by the index's uncertainty where an index moved it, and where it is stale by
    `price_risk.stale_percent`, which starts from no less than the category's own band (memory, drives)."""
    if isinstance(offer, PricedOffer) and offer.fixed:
        return Band(ONE, ONE)
    rise = 1 + Fraction(policy[band_key(offer, kind, policy, stale)]) / 100
    low, high = 1 / rise, rise
    if isinstance(offer, Offer):
        middle = Fraction(offer.middle if isinstance(offer, PricedOffer) else offer.price)
        low = low if offer.low is None else min(ONE, Fraction(offer.low) / middle)
        high = high if offer.high is None else max(ONE, Fraction(offer.high) / middle)
    wider = ONE
    if isinstance(offer, PricedOffer) and offer.index_percent is not None:
        wider += Fraction(offer.index_percent) / 100
    if stale:
        wider *= 1 + Fraction(policy["price_risk.stale_percent"]) / 100
    return Band(low / wider, high * wider)


def at_level(offer: Offer, part: Part, level: PriceLevel, policy: Policy, stale: bool) -> Offer:
    """The offer at one end of its band; itself in the middle."""
    if level == "middle" or (isinstance(offer, PricedOffer) and offer.fixed):
        return offer
    ends = band(offer, part.kind, policy, stale)
    read, middle = (offer.read_price, offer.middle) if isinstance(offer, PricedOffer) else (offer.price, offer.price)
    # Its low and high stay those of its middle.
    fields = {"read_price": read, "middle": middle, "low": offer.low, "high": offer.high}
    return _priced(offer, ends.low if level == "low" else ends.high, **fields)
