"""Plain arithmetic of rules of scoring: price shares, evaluation prices, indices, ranks (docs/compare.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import median

from optimizer.procurement.bids.scoring_rules import Deduction, LowPriceRules, PriceFormula, ScoringRules

HOURS = 8760
"""Of a year of 365 days."""
INDEX = Decimal("0.000000000001")
LEAST_OF_MEDIAN = 3


@dataclass(frozen=True)
class Declared:
    """What a bidder declares of itself: a small or micro enterprise, the percent of product cost that is domestic,
    goods from abroad."""

    small: bool = False
    domestic_percent: Decimal | None = None
    foreign: bool = False


def deducted_percent(rules: ScoringRules, declared: Sequence[Declared]) -> list[Decimal]:
    """Percent off each bid's original price. A rate that the tender has not given deducts nothing."""
    out = [Decimal(0)] * len(declared)
    for deduction in rules.deductions:
        gets = [_gets(deduction, one) for one in declared]
        if deduction.reserved or deduction.percent is None or (deduction.only_where_mixed and all(gets)):
            continue
        out = [sum_ + (deduction.percent if has else 0) for sum_, has in zip(out, gets, strict=True)]
    return out


def _gets(deduction: Deduction, one: Declared) -> bool:
    if deduction.declared == "small":
        return one.small
    if deduction.declared == "foreign":
        return one.foreign
    return one.domestic_percent is not None and one.domestic_percent >= deduction.least_share_percent


def evaluation_price(price: Decimal, percent: Decimal, digits: int) -> Decimal:
    """The price that is scored: percent off the original one, rounded half up to the currency's minor unit."""
    return (price * (100 - percent) / 100).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def price_share(formula: PriceFormula, own: Decimal, prices: Sequence[Decimal]) -> Decimal:
    """Share (0..1) of the full points of the price, among the prices of bids that can be awarded."""
    lowest, highest = min(prices), max(prices)
    if own <= 0:
        return Decimal(0)
    if formula == "linear_low_high":
        return Decimal(1) if highest == lowest else (highest - own) / (highest - lowest)
    if formula == "none_at_double":
        return max(Decimal(0), 2 - own / lowest) if lowest > 0 else Decimal(0)
    return min(Decimal(1), lowest / own)


def life_cycle_cost(price: Decimal, power_w: int, rules: ScoringRules, digits: int) -> Decimal:
    """Price, energy over the years, support and end of life."""
    use = rules.life_cycle
    assert use is not None
    kwh = Decimal(power_w) / 1000 * HOURS * use.years * use.load * use.pue
    cost = price + kwh * use.price_per_kwh + use.support_per_year * use.years + use.end_of_life
    return cost.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def indices(rules: ScoringRules, points: Sequence[Decimal], prices: Sequence[Decimal]) -> list[Fraction] | None:
    """The figure by which a method ranks, exact; None for medians of fewer than three bids."""
    scored, money = [Fraction(own) for own in points], [Fraction(price) for price in prices]
    if rules.method in ("ratio", "ratio_band"):
        return [own / price if price > 0 else Fraction(0) for own, price in zip(scored, money, strict=True)]
    if rules.reference_points is not None and rules.reference_price is not None:
        middle, price_middle = Fraction(rules.reference_points), Fraction(rules.reference_price)
    elif len(points) < LEAST_OF_MEDIAN:
        return None
    else:
        middle, price_middle = median(scored), median(money)
    if middle <= 0 or price_middle <= 0:
        return None
    weight = Fraction(rules.weight_points) / 100
    return [
        weight * own / middle - (1 - weight) * price / price_middle for own, price in zip(scored, money, strict=True)
    ]


def shown_index(index: Fraction) -> Decimal:
    """An index to twelve places."""
    return (Decimal(index.numerator) / Decimal(index.denominator)).quantize(INDEX, ROUND_HALF_UP)


def ranks(
    rules: ScoringRules, points: Sequence[Decimal], prices: Sequence[Decimal], bid_prices: Sequence[Decimal]
) -> list[int | None]:
    """Ranks of bids that can be awarded: by points, evaluation price or index; None outside the band, and where a
    method can't rank them. `prices` are those that are scored, `bid_prices` as they were offered."""
    order: list[tuple[Fraction, Fraction] | None]
    if rules.method == "points":
        tie = bid_prices if rules.ties == "price" else [Decimal(0)] * len(points)
        order = [(-Fraction(own), Fraction(price)) for own, price in zip(points, tie, strict=True)]
    elif rules.method == "lowest":
        order = [(Fraction(price), Fraction(0)) for price in prices]
    else:
        found = indices(rules, points, prices)
        if found is None:
            return [None] * len(points)
        order = [(-index, Fraction(0)) for index in found]
        if rules.method == "ratio_band" and rules.band_percent is not None:
            limit = max(found) * (1 - Fraction(rules.band_percent) / 100)
            by = [-own for own in points] if rules.decides == "points" else list(prices)
            order = [
                (Fraction(value), Fraction(0)) if index >= limit else None
                for value, index in zip(by, found, strict=True)
            ]
    known = [place for place in order if place is not None]
    return [None if place is None else 1 + sum(other < place for other in known) for place in order]


@dataclass(frozen=True)
class Low:
    """Why a bid is asked about: what it was held against, the limit, the percent."""

    of: str
    limit: Decimal
    percent: Decimal


def abnormally_low(rules: LowPriceRules, own: Decimal, bids: Sequence[Decimal], ceiling: Decimal | None) -> list[Low]:
    """The tests that a price falls under. `bids`: original prices, its own among them, of the bids that count."""
    found = []
    for test in rules.tests:
        assert test.percent is not None  # low_price_rules asks the buyer for it
        against = _against(test.of, own, bids, ceiling)
        if against is None:
            continue
        limit = against * test.percent / 100
        if own < limit or (rules.or_equal and own == limit):
            found.append(Low(test.of, limit, test.percent))
    return found


def _against(of: str, own: Decimal, bids: Sequence[Decimal], ceiling: Decimal | None) -> Decimal | None:
    if of == "ceiling":
        return ceiling
    if len(bids) < 2:
        return None
    if of == "mean":
        return sum(bids, Decimal(0)) / len(bids)
    in_order = sorted(bids)
    return in_order[1] if own == in_order[0] else None
