"""What known builds cost at each step of a varied price, and the first step at which one beats another. Exact.

Nothing is taken to be linear: unit prices are rounded to cents at each step. That no cost falls when prices rise is
all that the search for a first step uses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from catalogs.load import Catalog
from constraints.prices.filters import contents
from constraints.prices.price_book import price_book
from constraints.prices.purchase import PriceBook
from optimizer.explanation.prices.vary_spec import Varied
from optimizer.market.market import Market
from optimizer.result.recommended import asks_for_load
from optimizer.search.front import Found

Pieces = tuple[tuple[str, int], ...]


def pieces_of(found: Found) -> Pieces:
    """Bought pieces of the whole build."""
    return tuple(sorted(found.build.total().items()))


def first_step(may: Callable[[int, int], bool], start: int, end: int) -> int | None:
    """The step nearest to `start`, on the way to `end`, where something holds. `may(a, b)`: whether it may hold
    somewhere in a..b; exact where a = b."""
    todo = [(min(start, end), max(start, end))]
    while todo:
        a, b = todo.pop()
        if not may(a, b):
            continue
        if a == b:
            return a
        # The half nearer to the start is taken from the stack first, so that the first hit is the nearest.
        middle = (a + b) // 2
        halves = [(a, middle), (middle + 1, b)]
        todo += reversed(halves) if start <= end else halves
    return None


class StepCosts:
    """Costs of builds at steps; a book of the builds' parts alone is made per step and kept."""

    def __init__(self, market: Market, varied: Varied) -> None:
        self.market, self.varied = market, varied
        self.budget = market.request.budget_cents is not None
        self.fastest = self.budget and not asks_for_load(market)
        self.pool: dict[Pieces, int] = {}
        self._parts: dict[str, None] = {}
        self._books: dict[int, PriceBook] = {}
        self._costs: dict[tuple[Pieces, int], int] = {}
        self._small = replace(market)

    def add(self, found: Found) -> Pieces:
        """Makes a build known; all that is known stays admissible whatever the prices, the budget aside."""
        pieces = pieces_of(found)
        if pieces not in self.pool:
            self.pool[pieces] = found.row.perf.tenths
            new = [p for p, _ in pieces if p not in self._parts]
            while new:
                part = new.pop()
                self._parts[part] = None
                new += [x for x in contents(self.market.catalog.parts[part]) if x not in self._parts]
            self._books, self._small = {}, replace(self.market, catalog=self._catalog())
        return pieces

    def _catalog(self) -> Catalog:
        catalog = self.market.catalog
        ids = {*self._parts, *(part.part for bundle in catalog.bundles.values() for part in bundle.parts)}
        return replace(
            catalog,
            parts={i: p for i, p in catalog.parts.items() if i in ids},
            offers={i: o for i, o in catalog.offers.items() if i in ids},
        )

    def book(self, step: int) -> PriceBook:
        """The book of the known builds' parts at a step."""
        if step not in self._books:
            c = self._small.catalog
            catalog = replace(c, offers={**c.offers, **self.varied.offers(self._small, step)})
            self._books[step] = price_book(catalog, self.market.request, self.market.policy)
        return self._books[step]

    def cost(self, pieces: Pieces, step: int) -> int:
        """Minor units of a build's lines at a step, spares and support by category in them."""
        if (pieces, step) not in self._costs:
            self._costs[pieces, step] = self.book(step).cost(dict(pieces))
        return self._costs[pieces, step]

    def over(self, x: Pieces, start: int, end: int) -> int | None:
        """The first step at which a build is out of the budget."""
        if not self.budget:
            return None
        return first_step(lambda a, b: self.cost(x, b) > self.market.purse, start, end)

    def beaten(self, x: Pieces, y: Pieces, start: int, end: int) -> int | None:
        """The first step at which `y` takes the place of `x`. Where the fastest build is recommended: cheaper and no
        slower, or within the budget and faster; where the cheapest is: cheaper whatever its speed, or as cheap and
        faster."""
        slow, fast = self.pool[x], self.pool[y]
        purse = self.market.purse
        if self.fastest and fast < slow:
            return None
        tie = not self.fastest and fast > slow

        def may(a: int, b: int) -> bool:
            if self.fastest and fast > slow and self.cost(y, a) <= purse:
                return True
            if a == b:
                return self.cost(y, a) < self.cost(x, a) + tie
            return self._less(x, y, a, b) < (self.book(a).scale if tie else 0)

        return first_step(may, start, end)

    def bend(self, x: Pieces, proven: Collection[int]) -> int | None:
        """A step between proven ones where `x` costs more than the straight line through its costs there: prices by
        quantity bend its cost downwards, and what beats it between need not do so at the ends. None: it is straight
        enough that rounding alone may part it from the line."""
        steps, rounding = sorted(proven), sum(q for _, q in x) + 2
        for a, b in pairwise(steps):
            middle = (a + b) // 2
            if not self.book(a).by_quantity or middle == a:
                continue
            line = Fraction(self.cost(x, a) * (b - middle) + self.cost(x, b) * (middle - a), b - a)
            if self.cost(x, middle) > line + rounding:
                return middle
        return None

    def _less(self, x: Pieces, y: Pieces, a: int, b: int) -> int:
        """What `y` costs above `x` at least at any step of a..b, in the book's scale."""
        low, high = self.book(a), self.book(b)
        if low.by_quantity or high.by_quantity:
            return (self.cost(y, a) - self.cost(x, b)) * low.scale
        mine, other = dict(x), dict(y)
        total = 0
        for part in {*mine, *other}:
            # Pieces that y has more of are cheapest at the lower step, pieces that it saves dearest at the higher one.
            more = low.bought(part, other.get(part, 0)) - low.bought(part, mine.get(part, 0))
            total += more * (low if more > 0 else high).prices[part].cents * low.weight(part)
        return total
