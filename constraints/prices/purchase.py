"""What a whole build costs: the cheapest orders of its parts over offers, parts in hand and bundles, exact.

Costs are compared with support by category in them: `scale` x cents, each part's line weighted with `weights`
(scale + support), so that everything stays an integer until the one rounding of the support line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from catalogs.offers import Bundle, Offer
from constraints.prices.tariff import NEVER, Order, Source, Step, Tariff


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
        return sum(line.qty * line.cents for line in self.lines if line.offer and line.offer.confidence == "estimate")

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
        return any(p.by_quantity for p in self.prices.values())

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
        alone, shared = 0, {}
        for part, qty in pieces.items():
            priced = self.prices[part]
            if part in self.bundled:
                shared[part] = priced.sources().need(qty)
            else:
                cents = qty * priced.cents if priced.tariff is None else priced.tariff.cents(priced.tariff.need(qty))
                alone += min(NEVER, cents) * self.weight(part)
        if not shared:
            return (0,) * len(self.kits), min(alone, NEVER)
        best: list[tuple[int, tuple[int, ...]]] = [(NEVER, (0,) * len(self.kits))]

        def branch(i: int, counts: tuple[int, ...], paid: int, need: dict[str, int]) -> None:
            floor = paid + sum(q * self.prices[p].cents * self.weight(p) for p, q in need.items())
            if floor >= best[0][0]:
                return
            if i == len(self.kits):
                rest = sum(min(NEVER, self.prices[p].sources().cents(q)) * self.weight(p) for p, q in need.items())
                if paid + rest < best[0][0]:
                    best[0] = paid + rest, counts
                return
            kit = self.kits[i]
            most = max((-(-need[p] // n) for p, n in kit.parts.items() if p in need), default=0)
            most = most if kit.bundle.stock is None else min(most, kit.bundle.stock)
            each = kit.cents * self.weight(kit.bundle.id)
            for k in range(most + 1):
                rest_ = {p: max(0, q - k * kit.parts.get(p, 0)) for p, q in need.items()}
                branch(i + 1, (*counts, k), paid + k * each, rest_)

        branch(0, (), 0, shared)
        return best[0][1], min(NEVER, best[0][0] + alone)


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
            for o in tariff.split(tariff.need(qty) - covered[part]) if self.picks is None else self.picks[part]:
                origin: Literal["offer", "owned"] = "offer" if o.source.offer else "owned"
                lines.append(Line(part, o.pieces, o.cents, origin, o.source.offer, o.source.stale))
        found = Purchase(tuple(lines), 0)
        return Purchase(found.lines, self.book.rounded(self.cost) - found.cents)

    def sellers(self, pieces: Mapping[str, int]) -> dict[str, int]:
        """Sellers with the cents of their lines."""
        return self.purchase(pieces).sellers
