"""The negotiation sheet: per line of a bid what is quoted, what others and the catalog ask, and its break-even."""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.message import message
from optimizer.market.market import Market
from optimizer.procurement.award.model import Best, best_cents, highest_price
from optimizer.procurement.award.schema import Bargain
from optimizer.procurement.award.scope import Scope
from optimizer.procurement.award.tender import Tender
from optimizer.procurement.bids.bid_labels import ROLES
from optimizer.procurement.xray.prices import catalog_cents
from optimizer.search.clock import Clock, TimeUp


def bargains(scope: Scope, tender: Tender, found: Best, market: Market, clock: Clock) -> Iterator[Bargain]:
    """Line by line of each bid that may be awarded. Where time is up, break-even prices are null."""
    for place in range(len(tender.bidders)):
        for line in sorted(tender.bidders[place].prices):
            yield _bargain(scope, tender, found, place, line, market, clock)


def _bargain(
    scope: Scope, tender: Tender, found: Best, place: int, line: int, market: Market, clock: Clock
) -> Bargain:  # fmt: skip
    item, quoted = scope.items[line], tender.bidders[place].prices[line]
    other = _lowest_other(scope, tender, place, line)
    catalog, source = _catalog(scope, place, line, market)
    least = [quoted, *([other[0]] if other else [])]
    if catalog is not None and _was_read(source):
        least.append(catalog)
    even = _break_even(tender, found, place, line, clock)
    return Bargain(
        bid=tender.bidders[place].id,
        number=item.number,
        title=item.title or message(ROLES[item.role]),
        quoted=scope.amount(quoted),
        lowest_other=scope.amount(other[0]) if other else None,
        lowest_other_bid=tender.bidders[other[1]].id if other else "",
        catalog=None if catalog is None else scope.amount(catalog),
        catalog_source=source,
        target=scope.amount(min(least)),
        break_even=None if even is None else scope.amount(even),
        wins=found.winners[line] == place,
    )


def _lowest_other(scope: Scope, tender: Tender, place: int, line: int) -> tuple[int, int] | None:
    """(minor units, place) of the cheapest other bid that offers the same parts and pieces, or the same service."""
    own = scope.cell(line, place)
    same = [
        (bidder.prices[line], k)
        for k, bidder in enumerate(tender.bidders)
        if k != place and line in bidder.prices
        and (scope.cell(line, k).parts, scope.cell(line, k).pieces) == (own.parts, own.pieces)
    ]  # fmt: skip
    return min(same, default=None)


def _catalog(scope: Scope, place: int, line: int, market: Market) -> tuple[int | None, str]:
    """(minor units of the line's part by the catalog, its day, confidence and seller); None where it has none."""
    cell = scope.cell(line, place)
    if len(cell.parts) != 1 or not cell.pieces or cell.parts[0] not in market.catalog.parts:
        return None, ""
    return catalog_cents(market, cell.parts[0], cell.pieces)


def _was_read(source: str) -> bool:
    """Whether a catalog price was read somewhere and is fresh: an estimate is no price to ask a vendor for."""
    words = source.split(", ")
    return "estimate" not in words and "stale" not in words


def _break_even(tender: Tender, found: Best, place: int, line: int, clock: Clock) -> int | None:
    """The highest price at which the line makes every award without it dearer."""
    try:
        wins = found.winners[line] == place
        below = best_cents(tender, clock, never=(place, line)) if wins else found.cents
        if below is None:
            return None
        most = 4 * below + sum(tender.bidders[place].prices.values())
        return highest_price(tender, place, line, below, most, clock)
    except TimeUp:
        return None
