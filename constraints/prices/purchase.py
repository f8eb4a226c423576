"""What a whole build costs: the cheapest orders of its parts over offers, parts in hand and bundles, exact.

Costs are compared with support by category in them: `scale` x cents, each part's line weighted with `weights`
(scale + support), so that everything stays an integer until the one rounding of the support line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from catalogs.offers import Bundle, Offer, PriceState, state_of
from constraints.prices.tariff import NEVER, Order, Source, Step, Tariff

NO_PRICE = "--raw-no-price"
"""End of the id of an offer that stands for a part without one."""


@dataclass(frozen=True)
class Priced:
    """What prices a part, in minor units of the request's currency.

    `cents` is the unit price or, where the price depends on quantity (`tariff`), what a piece costs at least;
    `floor` is the same with the part's spares and support. `offer` is None for parts in hand or in bundles alone."""

    offer: Offer | None
    cents: int
    stale: bool
    tariff: Tariff | None = None
    by_quantity: bool = False
    floor: int = -1

    @property
    def no_price(self) -> bool:
        """Whether nobody said what the part costs, and it counts the smallest unit of money so that it can be kept
        (a part described in a build's own file)."""
        return self.offer is not None and self.offer.id.endswith(NO_PRICE)

    @property
    def fresh(self) -> bool:
        """Whether somebody read the price and it is fresh: neither stale nor indexed nor an estimate; parts in hand
        are."""
        return self.offer is None or (state_of(self.offer) == "read" and not self.stale)

    @property
    def least(self) -> int:
        """Cents that a piece of it adds to a build at least."""
        return self.cents if self.floor < 0 else self.floor

    def sources(self) -> Tariff:
        """Its tariff; that of a single price where it has none."""
        return self.tariff or Tariff((Source(self.offer, (Step(1, None, self.cents),), self.stale),))


@dataclass(frozen=True)
class Kit:
    """A bundle that may be bought, in minor units; `stock` None is no limit."""

    bundle: Bundle
    cents: int

    @cached_property
    def parts(self) -> dict[str, int]:
        return {part.part: part.qty for part in self.bundle.parts}


@dataclass(frozen=True)
class Line:
    """Pieces at one price. Origin bundle: the bundle itself (`part` is its id), and its parts at price 0."""

    part: str
    qty: int
    cents: int
    origin: Literal["offer", "owned", "bundle", "included"]
    offer: Offer | Bundle | None
    stale: bool = False


@dataclass(frozen=True)
class Purchase:
    """All orders of a build; `support_cents` is that by category."""

    lines: tuple[Line, ...]
    support_cents: int

    @property
    def cents(self) -> int:
        """Sum of the lines."""
        return sum(line.qty * line.cents for line in self.lines)

    @property
    def sellers(self) -> dict[str, int]:
        """Sellers with the cents of their lines."""
        out: dict[str, int] = {}
        for line in self.lines:
            if line.offer:
                out[line.offer.seller] = out.get(line.offer.seller, 0) + line.qty * line.cents
        return out

    @property
    def estimated_cents(self) -> int:
        """Lines that rest on estimates."""
        return self.cents_of("estimate")

    def cents_of(self, state: PriceState) -> int:
        """Lines whose prices are in a state."""
        return sum(line.qty * line.cents for line in self.lines if line.offer and state_of(line.offer) == state)

    def spares_cents(self, pieces: Mapping[str, int]) -> int:
        """The lines' share beyond the pieces that the build holds; those take from the lines in their order."""
        left, out = dict(pieces), 0
        for line in self.lines:
            taken = min(line.qty, left.get(line.part, 0))
            left[line.part] = left.get(line.part, 0) - taken
            out += 0 if isinstance(line.offer, Bundle) else (line.qty - taken) * line.cents
        return out


@dataclass(frozen=True)
class PriceBook:
    """Prices of what can be bought, and a ledger: part id -> why it can't."""

    prices: Mapping[str, Priced]
    ledger: Mapping[str, str]
    kits: tuple[Kit, ...] = ()
    scale: int = 1
    weights: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def by_quantity(self) -> bool:
        """Whether any price depends on quantity."""
        return any(priced.by_quantity for priced in self.prices.values())

    @cached_property
    def bundled(self) -> frozenset[str]:
        """Parts of bundles."""
        return frozenset(part for kit in self.kits for part in kit.parts)

    def weight(self, part: str) -> int:
        """`scale` with the support of a part or bundle."""
        return self.weights.get(part, self.scale)

    def bought(self, part: str, pieces: int) -> int:
        """Pieces of a part with their spares."""
        tariff = self.prices[part].tariff
        return pieces if tariff is None else tariff.need(pieces)

    def cost(self, pieces: Mapping[str, int]) -> int:
        """Lines and support by category of a build of these pieces; NEVER where they can't be had."""
        cost = self.orders(pieces).cost
        return NEVER if cost >= NEVER else self.rounded(cost)

    def purchase(self, pieces: Mapping[str, int]) -> Purchase | None:
        """The cheapest orders of a build of these pieces; None where they can't be had."""
        found = self.orders(pieces)
        return None if found.cost >= NEVER else found.purchase(pieces)

    def orders(self, pieces: Mapping[str, int]) -> Orders:
        """How these pieces are had for the least cost."""
        return Orders(self, *self._cheapest(pieces))

    def short(self, part: str, pieces: int) -> tuple[int, int] | None:
        """(needed with spares, to be had) where a part can't be had in this number, whatever else is bought."""
        tariff = self.prices[part].sources()
        have, need = tariff.stock, tariff.need(pieces)
        for kit in self.kits:
            if part in kit.parts and have is not None:
                have = None if kit.bundle.stock is None else have + kit.bundle.stock * kit.parts[part]
        return (need, have) if have is not None and need > have else None

    def scaled(self, cents: int) -> int:
        """The largest scaled cents that round to `cents` at most."""
        return self.scale * cents + (self.scale + 1) // 2 - 1

    def rounded(self, scaled: int) -> int:
        """Scaled cents in cents, half up."""
        return scaled if self.scale == 1 else (2 * scaled + self.scale) // (2 * self.scale)

    def _cheapest(self, pieces: Mapping[str, int]) -> tuple[tuple[int, ...], int]:
        """(number of each bundle, scaled cents) of the cheapest orders; exact by branch and bound over bundles."""
        alone, bundled = 0, dict[str, int]()
        for part, qty in pieces.items():
            priced = self.prices[part]
            if part in self.bundled:
                bundled[part] = priced.sources().need(qty)
            else:
                cents = qty * priced.cents if priced.tariff is None else priced.tariff.cents(priced.tariff.need(qty))
                alone += min(NEVER, cents) * self.weight(part)
        if not bundled:
            return (0,) * len(self.kits), min(alone, NEVER)
        counts, cost = _CheapestKits(self).of(bundled)
        return counts, min(NEVER, cost + alone)


class _CheapestKits:
    """The cheapest numbers of bundles for some pieces of parts that bundles hold, by branch and bound."""

    def __init__(self, book: PriceBook) -> None:
        self.book = book
        self.counts = (0,) * len(book.kits)
        self.cost = NEVER

    def of(self, need: Mapping[str, int]) -> tuple[tuple[int, ...], int]:
        """(number of each bundle, scaled cents), what bundles don't bring bought part by part."""
        self._branch((), 0, need)
        return self.counts, self.cost

    def _branch(self, counts: tuple[int, ...], paid: int, need: Mapping[str, int]) -> None:
        """Tries all numbers of the bundles that `counts` does not decide yet."""
        book = self.book
        # Sound: `cents` is the least that a piece costs, bundles or none, so that nothing from here on is cheaper.
        least = sum(qty * book.prices[part].cents * book.weight(part) for part, qty in need.items())
        if paid + least >= self.cost:
            return
        if len(counts) == len(book.kits):
            rest = sum(
                min(NEVER, book.prices[part].sources().cents(qty)) * book.weight(part) for part, qty in need.items()
            )
            if paid + rest < self.cost:
                self.cost, self.counts = paid + rest, counts
            return
        kit = book.kits[len(counts)]
        # More of it than cover what is needed of each of its parts is of use to nobody.
        most = max((-(-need[part] // qty) for part, qty in kit.parts.items() if part in need), default=0)
        most = most if kit.bundle.stock is None else min(most, kit.bundle.stock)
        each = kit.cents * book.weight(kit.bundle.id)
        for count in range(most + 1):
            left = {part: max(0, qty - count * kit.parts.get(part, 0)) for part, qty in need.items()}
            self._branch((*counts, count), paid + count * each, left)


@dataclass(frozen=True)
class Orders:
    """How pieces are had: so many of each of the book's bundles, the rest part by part; `cost` in scaled cents, NEVER
    where they can't be had. `picks`: the orders of each part, where they are not its tariff's cheapest."""

    book: PriceBook
    kits: tuple[int, ...]
    cost: int
    picks: Mapping[str, list[Order]] | None = None

    def purchase(self, pieces: Mapping[str, int]) -> Purchase:
        """Line by line."""
        lines, covered = [], dict.fromkeys(pieces, 0)
        for kit, count in zip(self.book.kits, self.kits, strict=True):
            if count:
                lines.append(Line(kit.bundle.id, count, kit.cents, "bundle", kit.bundle))
                for part, qty in kit.parts.items():
                    lines.append(Line(part, count * qty, 0, "bundle", kit.bundle))
                    covered[part] = covered.get(part, 0) + count * qty
        for part, qty in pieces.items():
            tariff = self.book.prices[part].sources()
            for order in tariff.split(tariff.need(qty) - covered[part]) if self.picks is None else self.picks[part]:
                origin: Literal["offer", "owned"] = "offer" if order.source.offer else "owned"
                lines.append(Line(part, order.pieces, order.cents, origin, order.source.offer, order.source.stale))
        found = Purchase(tuple(lines), 0)
        return Purchase(found.lines, self.book.rounded(self.cost) - found.cents)

    def sellers(self, pieces: Mapping[str, int]) -> dict[str, int]:
        """Sellers with the cents of their lines."""
        return self.purchase(pieces).sellers
