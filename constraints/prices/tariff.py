"""A part's price as a function of quantity: the cheapest split over its sources, exact, in minor units.

A source is an offer (or what is in hand) with steps: from `least` to `most` pieces each piece of that order costs
`cents`. A step may be bought beyond what is needed, where its minimum order or its lower price makes that cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from catalogs.offers import MOST_PIECES, Offer

NEVER = 2**60
"""Cents of what can't be had; sums of two such stay inside 64 bits."""


@dataclass(frozen=True)
class Step:
    """Orders of `least` to `most` pieces (None: no limit) at `cents` each."""

    least: int
    most: int | None
    cents: int


@dataclass(frozen=True)
class Source:
    """Where pieces come from; `offer` is None for what is in hand. A source without steps has nothing to give."""

    offer: Offer | None
    steps: tuple[Step, ...]
    stale: bool = False

    @property
    def plain(self) -> bool:
        """One price, whatever the number."""
        return len(self.steps) == 1 and self.steps[0].least == 1 and self.steps[0].most is None

    def costs(self, pieces: int) -> np.ndarray:
        """int64 [pieces + 1]: cents of at least 0..`pieces` pieces from here, NEVER where there are too few."""
        out = np.full(pieces + 1, NEVER, dtype=np.int64)
        out[0] = 0
        for step in self.steps:
            top = pieces if step.most is None else min(step.most, pieces)
            wanted = np.arange(1, top + 1, dtype=np.int64)
            # Fewer pieces than the step's least pay for its least: the pieces too many are simply left over.
            out[1 : top + 1] = np.minimum(out[1 : top + 1], step.cents * np.maximum(wanted, step.least))
        return out

    def order(self, pieces: int) -> tuple[int, int]:
        """(pieces, cents each) of the cheapest order of at least `pieces`; the smaller one of equal cost."""
        fits = [
            (max(step.least, pieces), step.cents) for step in self.steps if step.most is None or pieces <= step.most
        ]
        return min(fits, key=lambda order: (order[0] * order[1], order[0]))


def steps_of(price_cents: list[tuple[int, int]], min_qty: int, stock: int | None) -> tuple[Step, ...]:
    """Steps from (pieces from which it holds, cents each), ascending, with a minimum order and a stock."""
    out = []
    for place, (first, cents) in enumerate(price_cents):
        most = price_cents[place + 1][0] - 1 if place + 1 < len(price_cents) else None
        most = stock if most is None else most if stock is None else min(most, stock)
        least = max(first, min_qty)
        if most is None or least <= most:
            out.append(Step(least, most, cents))
    return tuple(out)


@dataclass(frozen=True)
class Order:
    """Pieces that one source sends: how many, and cents for each."""

    source: Source
    pieces: int
    cents: int


@dataclass(frozen=True)
class Tariff:
    """The sources of a part. A build of q pieces needs q + ceil(q x `spare`) of them, `spare` being (pieces, per)."""

    sources: tuple[Source, ...]
    spare: tuple[int, int] = (0, 1)
    _tables: dict[int, list[np.ndarray]] = field(default_factory=dict, compare=False, repr=False)

    def need(self, pieces: int) -> int:
        """Pieces to buy for a build that holds `pieces`, spares included."""
        extra, per = self.spare
        return pieces + -(-pieces * extra // per)

    @property
    def least_cents(self) -> int:
        """Cents that a piece costs at least, whatever the number; NEVER where nothing can be had."""
        return min((step.cents for source in self.sources for step in source.steps), default=NEVER)

    @cached_property
    def stock(self) -> int | None:
        """The most pieces that can be had; None without limit."""
        ends = [source.steps[-1].most for source in self.sources if source.steps]
        return None if None in ends else sum(end for end in ends if end is not None)

    def cents(self, pieces: int) -> int:
        """Cents of at least `pieces` pieces; NEVER when there are too few."""
        if pieces <= 0:
            return 0
        if len(self.sources) == 1 and self.sources[0].plain:
            return pieces * self.sources[0].steps[0].cents
        if not self._enough(pieces):
            return NEVER
        return int(self._table(pieces)[-1][pieces])

    def split(self, pieces: int) -> list[Order]:
        """The orders of that cost, earlier sources preferred; none when there are too few."""
        if pieces <= 0 or not self._enough(pieces):
            return []
        tables, left, out = self._table(pieces), pieces, []
        # From the last source back: a table says what it and all sources before it cost together, and the fewest pieces
        # from it that attain this cost leave the most to the earlier sources, which are preferred.
        for place in range(len(self.sources) - 1, -1, -1):
            costs = self.sources[place].costs(left)
            before = tables[place][: left + 1][::-1]
            taken = int(np.argmax(before + costs == tables[place + 1][left]))
            if taken:
                out.append(Order(self.sources[place], *self.sources[place].order(taken)))
                left -= taken
        return out[::-1]

    def _enough(self, pieces: int) -> bool:
        return bool(self.sources) and pieces <= MOST_PIECES and (self.stock is None or pieces <= self.stock)

    def _table(self, pieces: int) -> list[np.ndarray]:
        """For the first 0, 1, 2, ... sources: cents of at least r pieces, r up to a power of two over `pieces`."""
        # A search asks for many numbers of pieces of one part: a table of a power of two serves all of them below it.
        size = 1 << pieces.bit_length()
        if size not in self._tables:
            nothing = np.full(size + 1, NEVER, dtype=np.int64)
            nothing[0] = 0
            tables = [nothing]
            for source in self.sources:
                tables.append(_with(tables[-1], source))
            self._tables[size] = tables
        return self._tables[size]


def _with(before: np.ndarray, source: Source) -> np.ndarray:
    """int64 [n]: cents of at least r pieces when a source may add to what `before` costs."""
    best, at = before.copy(), np.arange(len(before), dtype=np.int64)
    for step in source.steps:
        # An order of the least pieces: where fewer are needed the rest is left over.
        np.minimum(best, step.cents * step.least + before[np.maximum(at - step.least, 0)], out=best)
        # An order of x pieces from least to most: cents * x + before[r - x] is cents * r + (before[s] - cents * s) with
        # s = r - x, so the best x for every r is the least value of a window over s.
        if step.least < len(before) and step.most != step.least:
            span = len(before) if step.most is None else step.most - step.least + 1
            rest = _window_min(before - step.cents * at, span)[: len(before) - step.least]
            np.minimum(best[step.least :], step.cents * at[step.least :] + rest, out=best[step.least :])
    best[0] = 0
    return best


def _window_min(values: np.ndarray, span: int) -> np.ndarray:
    """The least of the last `span` values up to each place."""
    # Windows of 1, 2, 4, ... values: two of them that overlap cover any span up to their sum.
    out, have = values.copy(), 1
    while have < min(span, len(out)):
        more = min(have, span - have)
        out[more:] = np.minimum(out[more:], out[:-more].copy())
        have += more
    return out
