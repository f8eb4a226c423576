"""The cheapest award by trying every way to give the lines away; written from docs/award.md alone, shares no code with
the product. A tender is plain data:

    {"lines": 3, "most": 2 or None, "sets": [[0, 1]],
     "bidders": [{"prices": {0: 100, ...}, "minimum": 0, "freight": 0, "fixed": 0, "free_from": None, "whole": 0,
                  "packages": [[0, 2]], "ladders": [{"lines": None or [..], "steps": [(from, percent, amount), ...]}]}]}
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any


def order_cost(bidder: dict[str, Any], lines: list[int]) -> int | None:
    """What an order of these lines costs; None for one that the bidder does not take."""
    if any(line not in bidder["prices"] for line in lines):
        return None
    goods = sum(bidder["prices"][line] for line in lines)
    if goods < bidder["minimum"]:
        return None
    for package in bidder["packages"]:
        inside = [line for line in package if line in lines]
        if inside and len(inside) != len(package):
            return None
    cost = goods + bidder["fixed"]
    if bidder["free_from"] is None or goods < bidder["free_from"]:
        cost += bidder["freight"]
    for ladder in bidder["ladders"]:
        counted = [line for line in lines if ladder["lines"] is None or line in ladder["lines"]]
        worth = sum(bidder["prices"][line] for line in counted)
        percent, amount = Decimal(0), 0
        for start, of_it, fixed in ladder["steps"]:
            if worth >= start:
                percent, amount = Decimal(of_it), fixed
        cost -= amount + int((Decimal(worth) * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))
    if len(lines) == len(bidder["prices"]):
        cost -= bidder["whole"]
    return cost


def every_award(tender: dict[str, Any]) -> list[tuple[int, int, tuple[int, ...]]]:
    """(cost, number of bidders, bidder of each line) of every valid award, the best first: the cheapest, of these the
    one of the fewest bidders, of these the first by the bidders of its lines."""
    out = []
    bidders = tender["bidders"]
    for given in product(range(len(bidders)), repeat=tender["lines"]):
        used = sorted(set(given))
        if tender["most"] is not None and len(used) > tender["most"]:
            continue
        if any(len({given[line] for line in group}) != 1 for group in tender["sets"]):
            continue
        costs = [order_cost(bidders[b], [line for line, x in enumerate(given) if x == b]) for b in used]
        if None not in costs:
            out.append((sum(cost for cost in costs if cost is not None), len(used), given))
    return sorted(out)


def highest_winning_price(tender: dict[str, Any], bidder: int, line: int) -> int | None:
    """The highest price of a line at which some award that gives it to the bidder costs less than every award that does
    not: found by walking down one unit at a time."""
    rivals = [cost for cost, _, given in every_award(tender) if given[line] != bidder]
    if not rivals:
        return None
    prices = tender["bidders"][bidder]["prices"]
    quoted = prices[line]
    try:
        for price in range(4 * min(rivals) + 1000, -1, -1):
            prices[line] = price
            costs = [cost for cost, _, given in every_award(tender) if given[line] == bidder]
            if costs and min(costs) < min(rivals):
                return price
        return None
    finally:
        prices[line] = quoted
