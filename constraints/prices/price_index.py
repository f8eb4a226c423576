"""What prices of a category did between two days: levels by month, exact.

A month has the level of the point that covers it. Between two points it lies on the straight line through them, by
months, where they are at most `price_index.gap_months` apart; across a wider gap nothing is known, except at the
points themselves. After the last point its level holds for `price_index.holds_months`; later, and before the first
point, there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from catalogs.load import Catalog
from catalogs.offers import IndexCategory, IndexPoint
from catalogs.schema import Cpu, Drive, Memory, Part
from constraints.policy import Policy

SERVER_SOCKETS = frozenset({"SP3", "SP5", "LGA3647", "LGA4189", "LGA4677", "LGA4710", "LGA7529"})
"""Sockets of server CPUs."""


class Move(NamedTuple):
    """How many times the earlier level the later one is, and how far that may be off either way, in percent."""

    factor: Fraction
    percent: Decimal


class _Level(NamedTuple):
    """The level of a month, and the months of the points that it rests on."""

    value: Fraction
    first: int
    last: int


def category_of(part: Part) -> IndexCategory | None:
    """The index category of a part; None where no index is of such parts. Soldered memory has none."""
    if isinstance(part, Memory) and part.mem_gen in ("DDR4", "DDR5") and part.dimm_type != "soldered":
        unbuffered = part.dimm_type == "UDIMM"
        if part.mem_gen == "DDR4":
            return "ddr4_udimm" if unbuffered else "ddr4_rdimm"
        return "ddr5_udimm" if unbuffered else "ddr5_rdimm"
    if isinstance(part, Drive) and part.media in ("nvme", "nvme-consumer"):
        return "nvme_enterprise" if part.media == "nvme" else "nvme_consumer"
    return "server_cpu" if isinstance(part, Cpu) and part.socket in SERVER_SOCKETS else None


def moved(part: Part, since: date, until: date, catalog: Catalog, policy: Policy) -> Move | None:
    """What prices of the part's category did from a day to a later one; None where no index says it.

    The uncertainty is the largest of the points from the first to the last that it rests on: errors of one series have
    much in common, so that they neither add up nor cancel."""
    category = category_of(part)
    points = [point for point in catalog.price_index if point.category == category] if category else []
    then, now = (_level(points, 12 * day.year + day.month - 1, policy) for day in (since, until))
    if then is None or now is None:
        return None
    between = [point for point in points if then.first <= point.last and point.first <= now.last]
    return Move(now.value / then.value, max(point.uncertainty_percent for point in between))


def _level(points: Sequence[IndexPoint], month: int, policy: Policy) -> _Level | None:
    before = max((point for point in points if point.first <= month), key=lambda point: point.first, default=None)
    after = min((point for point in points if point.first > month), key=lambda point: point.first, default=None)
    if before is None:
        return None
    value = Fraction(before.value)
    if month <= before.last:
        return _Level(value, before.first, before.last)
    if after is None:
        held = month - before.last <= policy.whole("price_index.holds_months")
        return _Level(value, before.first, before.last) if held else None
    gap = after.first - before.last
    if gap > policy.whole("price_index.gap_months"):
        return None
    # On the straight line between the last month of the one and the first of the other.
    value += (Fraction(after.value) - value) * (month - before.last) / gap
    return _Level(value, before.first, after.last)
