"""Between which totals the price of a build lies: the bands of its lines, summed.

Prices of one category (GPUs, memory, drives, ...) move together: their bands add up line by line. Those of different
categories are taken as independent: their sums add in quadrature (JCGM 100:2008, Guide to the expression of
uncertainty in measurement, 5.2.2 note 1 for full correlation, 5.1.2 for none). Whole numbers throughout; each root is
rounded up, so that a range is never told too narrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from catalogs.load import Catalog
from catalogs.offers import Bundle, PricedOffer
from catalogs.schema import Kind
from constraints.exchange import half_up
from constraints.policy import Policy
from constraints.prices.pricing import unit_price
from constraints.prices.purchase import Line, PriceBook
from constraints.prices.states import band
from constraints.request import Request

BUNDLES = "bundle"


class PriceRange(NamedTuple):
    """Minor units of lines with support by category, at the low end of the range and at its high end."""

    low: int
    high: int


def price_range(
    lines: Iterable[Line], book: PriceBook, catalog: Catalog, request: Request, policy: Policy
) -> PriceRange:
    """The range around the middle of every price, whichever end of the bands the request counts at."""
    middle, below, above = 0, Counter[str](), Counter[str]()
    for line in lines:
        if line.offer is None or not line.cents:
            continue  # in hand, or inside a bundle
        part = catalog.parts.get(line.part)
        unit = _middle_cents(line, request)
        ends = band(line.offer, part.kind if part else Kind.PLATFORM, policy, line.stale)
        weight, category = line.qty * book.weight(line.part), part.kind.value if part else BUNDLES
        middle += weight * unit
        below[category] += weight * (unit - half_up(unit * ends.low))
        above[category] += weight * (half_up(unit * ends.high) - unit)
    low, high = middle - _in_quadrature(below.values()), middle + _in_quadrature(above.values())
    return PriceRange(book.rounded(low), book.rounded(high))


def _middle_cents(line: Line, request: Request) -> int:
    """The unit price in the middle of its band, in minor units."""
    if request.price_level == "middle" or line.offer is None:
        return line.cents
    if isinstance(line.offer, Bundle):
        return unit_price(line.offer, request)
    assert isinstance(line.offer, PricedOffer)
    return half_up(line.cents * Fraction(line.offer.middle) / Fraction(line.offer.price))


def _in_quadrature(sums: Iterable[int]) -> int:
    """The root of the sum of squares, rounded up."""
    squares = sum(each * each for each in sums)
    root = isqrt(squares)
    return root + (root * root < squares)
