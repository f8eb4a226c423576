"""`gpu=±20%`, `memory=1.5x`, `PART=PRICE` -> whose prices vary, and how far."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from catalogs.errors import Fault, InputError
from catalogs.schema import Kind
from optimizer.explanation.prices.reprice import Offers, at_factor, at_price, with_offers
from optimizer.market.market import Market
from optimizer.text.minor_units import money

UNIT = 10_000
"""Steps of a factor in today's price: 0.01 %."""
MOST = 100
"""The largest factor."""
PERCENT = re.compile(r"(?P<sign>±|\+/?-|[+-])(?P<number>\d+(?:\.\d+)?)%")
TIMES = re.compile(r"[x×*](?P<a>\d+(?:\.\d+)?)|(?P<b>\d+(?:\.\d+)?)[x×*]")
REMEDY = "For example gpu=±20%, memory=1.5x, cpu,memory=+50% or PART=25000."


@dataclass(frozen=True)
class Varied:
    """Steps of a price: hundredths of a percent of today's, or of one part's unit price minor units (`by_price`).

    The range looked at is `low`..`high`, today's is step `today`; `target` is the single one asked for."""

    spec: str
    parts: tuple[str, ...]
    by_price: bool
    low: int
    today: int
    high: int
    target: int | None = None

    def at(self, market: Market, step: int) -> Market:
        """The market at a step."""
        return market if step == self.today else with_offers(market, self.offers(market, step))

    def offers(self, market: Market, step: int) -> Offers:
        """What the market's varied parts are offered at, at a step."""
        if step == self.today:
            return {}
        known = [part for part in self.parts if part in market.catalog.parts]
        if self.by_price:
            return at_price(market, dict.fromkeys(known, step))
        return at_factor(market, dict.fromkeys(known, Fraction(step, UNIT)))

    def factor(self, step: int) -> Fraction:
        """A step as a factor on today's price."""
        return Fraction(step, self.today)

    def words(self, step: int, currency: str) -> str:
        """A step for people: a price, or today's with a percentage."""
        if self.by_price:
            return money(step, currency)
        return f"{Decimal(step - UNIT) / 100:+.2f} %"


def parse(market: Market, spec: str) -> Varied:
    """A spec against a market; raises InputError for what it can't mean."""
    left, equals, right = (x.strip() for x in spec.partition("="))
    if not (left and equals and right):
        raise _bad(spec, "is not TARGET=CHANGE")
    parts = _parts(market, spec, left)
    plain = len(parts) == 1 and not market.book.prices[parts[0]].by_quantity
    today = market.book.prices[parts[0]].cents if plain else UNIT
    change = right.replace(" ", "").replace("−", "-").replace("％", "%")
    single = False
    if found := PERCENT.fullmatch(change):
        by = Fraction(found["number"]) / 100
        low = 1 - by if found["sign"] != "+" else Fraction(1)
        high = 1 + by if found["sign"] != "-" else Fraction(1)
    elif found := TIMES.fullmatch(change):
        low = high = Fraction(found["a"] or found["b"])
        single = True
    else:
        return _at_price(market, spec, parts, plain, change)
    if low <= 0 or high > MOST:
        raise _bad(spec, f"leaves a price of 0 or of more than {MOST} times today's")
    first, last = (max(1, _whole(x * today)) for x in (low, high))
    return _varied(spec, parts, plain, today, first, last, single=single)


def _at_price(market: Market, spec: str, parts: tuple[str, ...], plain: bool, text: str) -> Varied:
    from optimizer.text.money import money

    try:
        price = money(text, option="--vary", default=market.request.currency)
    except InputError as e:
        raise _bad(spec, f"is no change of price: {e.faults[0].text}") from None
    if price.currency != market.request.currency:
        raise _bad(spec, f"is not in {market.request.currency}, the request's currency")
    if len(parts) != 1:
        raise _bad(spec, "gives several parts one price")
    if not plain:
        raise _bad(spec, "has a price by quantity (stock, minimum order, breaks, bundles): give a percentage")
    return _varied(spec, parts, True, market.book.prices[parts[0]].cents, price.cents, price.cents, single=True)


def _varied(spec: str, parts: tuple[str, ...], plain: bool, today: int, low: int, high: int, single: bool) -> Varied:
    """A single value is looked at with all between it and today's."""
    target = low if single else None
    return Varied(spec, parts, plain, min(low, today), today, max(high, today), target)


def _parts(market: Market, spec: str, names: str) -> tuple[str, ...]:
    """Priced parts of categories and names; a GPU board counts as GPUs do."""
    found: set[str] = set()
    kinds = {k.value: {k} for k in Kind} | {"gpu": {Kind.GPU, Kind.GPU_BOARD}}
    for name in (x.strip() for x in names.split(",")):
        if name.casefold() in kinds:
            wanted = kinds[name.casefold()]
            some = {
                part.id for part in market.catalog.parts.values() if part.kind in wanted and _offered(market, part.id)
            }
            if not some:
                raise _bad(spec, f"has no part on sale in category {name}")
            found |= some
            continue
        part = market.catalog.find(name).id
        if not _offered(market, part):
            raise _bad(spec, f"has no price to vary: {market.book.ledger.get(part, 'no offer')}")
        found.add(part)
    return tuple(sorted(found))


def _offered(market: Market, part: str) -> bool:
    return part in market.book.prices and bool(market.catalog.offers.get(part))


def _whole(fraction: Fraction) -> int:
    return int((Decimal(fraction.numerator) / fraction.denominator).quantize(Decimal(1), ROUND_HALF_UP))


def _bad(spec: str, why: str) -> InputError:
    return InputError(Fault("bad-vary", f"{spec!r} {why}", column="--vary", value=spec, remedy=REMEDY))
