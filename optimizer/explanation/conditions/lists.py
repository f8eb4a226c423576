"""Levers of lists: what may be admitted in addition, which bar may fall; and what a build found rests on."""

from __future__ import annotations

from typing import Any

from catalogs.message import message
from catalogs.offers import days_of
from constraints.prices.filters import contents
from constraints.prices.purchase import Line
from optimizer.explanation.conditions.levers import Lever, Members
from optimizer.explanation.questions import Asking, Change
from optimizer.market.market import Market
from optimizer.request.fields import ALL_CONDITIONS, ALL_CONFIDENCES
from optimizer.result.bill import purchase
from optimizer.search.front import Found
from optimizer.text.figures import listed


def members_of(key: str, market: Market) -> Lever | None:
    """The lever of a list that may be lengthened, or of a bar that may be shortened; None for other conditions."""
    r, parts = market.request, market.catalog.parts.values()
    if key == "vendor":
        names = {p.vendor.casefold(): p.vendor for p in parts if p.vendor}
        return Members(
            key, sorted(set(names) - r.vendors), lambda more: Change.of(vendors=r.vendors | more),
            lambda x: message("vendor {list} too", list=listed([names[v] for v in x])), _vendors,
        )  # fmt: skip
    if key == "origin":
        codes = {p.country for p in parts if p.country}
        return Members(
            key, sorted(codes - set(r.origins)), lambda more: Change.of(origins=tuple(sorted({*r.origins, *more}))),
            lambda x: message("parts from {list} too", list=listed(x)), _origins,
        )  # fmt: skip
    if key == "condition":
        extra = sorted(ALL_CONDITIONS - r.conditions)
        return Members(
            key, extra, lambda more: Change.of(conditions=r.conditions | more),
            lambda x: message("{list} parts too", list=listed(x)),
            lambda a, c, f: frozenset(line.offer.condition for line in _lines(a, c, f) if line.offer),
        )  # fmt: skip
    if key == "confidence":
        extra = [x for x in ALL_CONFIDENCES if x not in r.confidences]
        return Members(
            key, extra, lambda more: Change.of(confidences=tuple(sorted({*r.confidences, *more}))),
            lambda x: message("prices of confidence {list} too", list=listed(x)),
            lambda a, c, f: frozenset(line.offer.confidence for line in _lines(a, c, f) if line.offer),
        )  # fmt: skip
    if key == "include":
        return _shortened(key, "include", r.include, tuple, "without {} in it", _left_out, "with {}")
    if key == "exclude":
        return _shortened(key, "exclude", sorted(r.exclude), frozenset, "with {} allowed", _part_ids)
    if key == "no-vendor":
        return _shortened(key, "barred_vendors", sorted(r.barred_vendors), frozenset, "vendor {} allowed", _vendors)
    if key == "no-origin":
        return _shortened(key, "barred_origins", r.barred_origins, tuple, "parts from {} allowed", _origins)
    return None


def _shortened(
    key: str, name: str, barred: Any, kind: Any, say: str, used: Any, lacking: str = "without {}"
) -> Members:
    """A bar on `barred` without some of them."""

    def fields(freed: frozenset[str]) -> Change:
        return Change({name: kind(x for x in barred if x not in freed)})

    return Members(key, list(barred), fields, lambda x: say.format(listed(x)), used, lacking)


def price_age_days(asking: Asking, change: Change, found: Found) -> int:
    """Age of a build's oldest price."""
    dates = [line.offer.date for line in _lines(asking, change, found) if line.offer]
    return (asking.base.request.as_of - min(dates)).days if dates else 0


def lead_days(asking: Asking, change: Change, found: Found) -> int:
    """The longest known lead time of a build."""
    return max((days_of(x.offer) for x in _lines(asking, change, found) if x.offer), default=0)


def estimated_percent(asking: Asking, change: Change, found: Found) -> int:
    """Share of a build's sum of lines on estimated prices, in %, rounded up."""
    orders = asking.orders(change, found)
    return -(-100 * orders.estimated_cents // max(1, orders.cents))


def largest_share_percent(asking: Asking, change: Change, found: Found) -> int:
    """Share of a build's sum of lines with the seller of the most, in %, rounded up."""
    orders = asking.orders(change, found)
    return -(-100 * max(orders.sellers.values(), default=0) // max(1, orders.cents))


def sellers_used(asking: Asking, change: Change, found: Found) -> int:
    """Sellers that a build is bought from."""
    return len(asking.orders(change, found).sellers)


def _lines(asking: Asking, change: Change, found: Found) -> tuple[Line, ...]:
    return purchase(asking.market(change), found.build).lines


def _left_out(asking: Asking, change: Change, found: Found) -> frozenset[str]:
    """Parts asked for that a build does not hold."""
    return frozenset(asking.base.request.include) - _part_ids(asking, change, found)


def _part_ids(asking: Asking, change: Change, found: Found) -> frozenset[str]:
    """Parts of a build with what is inside them."""
    parts, seen, left = asking.base.catalog.parts, set(), list(found.build.total())
    while left:
        part = left.pop()
        if part not in seen:
            seen.add(part)
            left += contents(parts[part])
    return frozenset(seen)


def _vendors(asking: Asking, change: Change, found: Found) -> frozenset[str]:
    parts = asking.base.catalog.parts
    return frozenset(parts[x].vendor.casefold() for x in _part_ids(asking, change, found))


def _origins(asking: Asking, change: Change, found: Found) -> frozenset[str]:
    parts = asking.base.catalog.parts
    return frozenset(parts[x].country.upper() for x in _part_ids(asking, change, found))
