"""What is awarded, in whole minor units: lines, bidders with their prices and terms, and what must stay together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

MOST_CENTS = 10**12
"""Of all prices of a tender together: CP-SAT counts in 64 bits, and rebates multiply."""


@dataclass(frozen=True)
class Step:
    """A step of a ladder: from `from_cents` of goods on (more than nothing), `share` of them and `cents` come off."""

    from_cents: int
    share: Fraction = Fraction(0)
    cents: int = 0


@dataclass(frozen=True)
class Ladder:
    """Rebates by amount: the highest step that is reached counts, alone. `lines`: whose goods count and are reduced;
    None for all of the bidder's. `steps` ascend."""

    steps: tuple[Step, ...]
    lines: frozenset[int] | None = None

    def holds(self, line: int) -> bool:
        return self.lines is None or line in self.lines


@dataclass(frozen=True)
class Bidder:
    """A bidder. `prices`: line -> minor units of the whole line, for the lines that it offers.

    `minimum_cents`: goods before rebates that any order must come to. `freight_cents` is paid once by an order, unless
    its goods come to `freight_free_cents`, `fixed_cents` in any case. `whole_cents`: what comes off where it gets all
    that it offers. `packages`: lines that it sells together or not at all."""

    id: str
    prices: Mapping[int, int]
    minimum_cents: int = 0
    freight_cents: int = 0
    fixed_cents: int = 0
    freight_free_cents: int | None = None
    ladders: tuple[Ladder, ...] = ()
    whole_cents: int = 0
    packages: tuple[frozenset[int], ...] = ()


@dataclass(frozen=True)
class Together:
    """Lines that one bidder gets whole. `key`: what it is by (a set or lot of the buyer, or the machine)."""

    key: str
    lines: frozenset[int]


@dataclass(frozen=True)
class Tender:
    """Lines 0, 1, ... and who bids for them. `most_bidders`: at most so many get an order."""

    lines: int
    bidders: tuple[Bidder, ...]
    together: tuple[Together, ...] = ()
    most_bidders: int | None = None

    def units(self) -> list[tuple[int, ...]]:
        """Lines by what is awarded at once, in the order of their first lines: sets that share a line are one."""
        owner = list(range(self.lines))
        for group in self.together:
            first = min(owner[line] for line in group.lines)
            joined = {owner[line] for line in group.lines}
            owner = [first if x in joined else x for x in owner]
        found: dict[int, list[int]] = {}
        for line, unit in enumerate(owner):
            found.setdefault(unit, []).append(line)
        return [tuple(lines) for _, lines in sorted(found.items())]

    def without(self, **changes: object) -> Tender:
        """The same tender with other conditions."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def with_bidder(self, place: int, **changes: object) -> Tender:
        """The same tender with other terms of one bidder."""
        bidders = [replace(b, **changes) if k == place else b for k, b in enumerate(self.bidders)]  # type: ignore[arg-type]
        return replace(self, bidders=tuple(bidders))


Winners = tuple[int, ...]
"""Of each line the place of the bidder that gets it."""


def nobody_offers(tender: Tender) -> list[int]:
    """Lines that no bidder has a price for."""
    return [line for line in range(tender.lines) if not any(line in b.prices for b in tender.bidders)]


def lines_of(winners: Winners, bidder: int) -> list[int]:
    return [line for line, winner in enumerate(winners) if winner == bidder]


def named(tender: Tender, bidders: Iterable[int]) -> Sequence[str]:
    return [tender.bidders[place].id for place in bidders]
