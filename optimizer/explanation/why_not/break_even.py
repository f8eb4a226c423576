"""The unit price at which a part would win, exact to the minor unit, proven by solving at it and one above.

The least cost C(p) of a build with the part is a minimum of lines in its unit price p, so concave and rising. From a
price that wins, the line of the build found there gives the next larger one that surely does (Newton's step from the
left); it ends where one minor unit more no longer wins.
"""

from __future__ import annotations

from dataclasses import dataclass

from constraints.build import Build
from optimizer.explanation.prices.reprice import priced
from optimizer.market.market import Market
from optimizer.search.clock import Clock
from optimizer.search.front import Found
from optimizer.search.solver import Solver


@dataclass(frozen=True)
class Even:
    """`price`: the largest unit price (minor units) at which the least cost of a build with the part stays within a
    limit; None when even one minor unit does not, 0 when its price decides nothing (all pieces are in hand).

    `found` is the cheapest build at that price (at one minor unit without), `above` the one at one unit more."""

    price: int | None
    found: Found
    above: Found | None
    solves: int


def break_even(market: Market, part: str, most_parts_cents: int, clock: Clock | None = None) -> Even | None:
    """The break-even price of a part in a market whose every build holds it, against a sum of lines; None when no
    build exists in it at any price. Raises TimeUp."""
    clock, solves = clock or Clock(), 0

    def cheapest(price: int, limit: int | None) -> tuple[Market, Found | None]:
        nonlocal solves
        solves += 1
        clock.left()
        other = priced(market, {part: price})
        solver = Solver(other, clock=clock)
        found = solver.cheapest(limit)
        if found is not None:
            solver.point(found)  # the re-check by plain rules
        return other, found

    price = 1
    at, found = cheapest(price, most_parts_cents)
    if found is None:
        _, least = cheapest(price, None)
        return None if least is None else Even(None, least, None, solves)
    while True:
        further = _carries(at, found.build, part, price, most_parts_cents)
        if further is None:
            return Even(0, found, None, solves)
        if further > price:
            price = further
            at, found = cheapest(price, most_parts_cents)
            assert found is not None, "a build that is cheap enough at this price was lost"
            continue
        higher_at, higher = cheapest(price + 1, most_parts_cents)
        if higher is None:
            _, above = cheapest(price + 1, None)
            return Even(price, found, above, solves)
        price, at, found = price + 1, higher_at, higher


def _carries(market: Market, build: Build, part: str, price: int, most: int) -> int | None:
    """The largest unit price at which the build, bought as it is at `price`, costs at most `most`; None for any."""
    book = market.book
    bought = book.purchase(build.total())
    assert bought is not None
    pieces = sum(line.qty for line in bought.lines if line.part == part and line.origin == "offer")
    if not pieces:
        return None
    scaled = sum(line.qty * line.cents * book.weight(line.part) for line in bought.lines)
    return price + (book.scaled(most) - scaled) // (pieces * book.weight(part))
