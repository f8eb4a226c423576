"""Cost by quantity from its words, by trying every split; the brute force of tests/support/oracle.py with it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from catalogs.load import Catalog
from catalogs.offers import Bundle, Offer
from catalogs.schema import Kind
from tests.support.oracle import Ask, Built, Oracle, Speeds
from tests.support.price_states import competing
from tests.support.price_terms import Terms

SURPLUS = 8
"""Pieces over the need that an order may hold in these catalogs: the largest minimum order and break are smaller."""


class Shop:
    """What pieces cost under the terms of a request. None: they can't be had."""

    def __init__(self, catalog: Catalog, ask: Ask, terms: Terms) -> None:
        self.catalog, self.ask, self.terms = catalog, ask, terms
        self._known: dict[tuple[str, int], int | None] = {}
        self._builds: dict[frozenset[tuple[str, int]], int | None] = {}

    def part(self, part: str, pieces: int) -> int | None:
        """Cents of at least `pieces` pieces of one part, without bundles."""
        pieces = max(0, pieces - self.terms.own.get(part, 0))
        if (part, pieces) not in self._known:
            self._known[part, pieces] = self._splits(part, pieces)
        return self._known[part, pieces]

    def _splits(self, part: str, pieces: int) -> int | None:
        offers = [o for o in self.catalog.offers.get(part, ()) if o.condition in self.ask.conditions]
        sizes = []
        for o in offers:
            most = pieces + SURPLUS if o.stock is None else min(o.stock, pieces + SURPLUS)
            sizes.append([0, *range(o.min_qty, most + 1)])
        costs = [
            sum(order_cents(o, n) for o, n in zip(offers, split, strict=True))
            for split in itertools.product(*sizes)
            if sum(split) >= pieces
        ]
        return min(costs, default=None)

    def build(self, pieces: Counter[str]) -> int | None:
        """Lines, spares and support of a build: every number of every bundle is tried."""
        key = frozenset(pieces.items())
        if key not in self._builds:
            self._builds[key] = self._build(pieces)
        return self._builds[key]

    def _build(self, pieces: Counter[str]) -> int | None:
        kind = {x: self.catalog.parts[x].kind.value for x in self.catalog.parts}
        need = {x: q + math.ceil(q * self.terms.spares.get(kind[x], 0)) for x, q in pieces.items()}
        bundles = [
            b
            for b in self.catalog.bundles.values()
            if b.condition in self.ask.conditions and not any(c.part in self.ask.exclude for c in b.parts)
        ]
        useful = []
        for b in bundles:
            most = max((math.ceil(Fraction(need.get(c.part, 0), c.qty)) for c in b.parts), default=0)
            useful.append(range((most if b.stock is None else min(most, b.stock)) + 1))
        costs = []
        for counts in itertools.product(*useful):
            lines: list[tuple[int, Fraction]] = []
            got: Counter[str] = Counter()
            for b, n in zip(bundles, counts, strict=True):
                rate = max(self.terms.support.get(kind[c.part], Fraction(0)) for c in b.parts)
                lines.append((n * int(b.price * 100), rate))
                got.update({c.part: n * c.qty for c in b.parts})
            for x, q in need.items():
                cents = self.part(x, q - got[x])
                if cents is None:
                    break
                lines.append((cents, self.terms.support.get(kind[x], Fraction(0))))
            else:
                support = sum((cents * rate for cents, rate in lines), Fraction(0))
                costs.append(sum(cents for cents, _ in lines) + math.floor(support + Fraction(1, 2)))
        return min(costs, default=None)


def order_cents(o: Offer, pieces: int) -> int:
    """Each piece of an order costs what the last break reached says."""
    each = o.price
    for text in o.breaks:
        qty, price = text.split(":")
        if pieces >= int(qty):
            each = type(each)(price)
    return pieces * int(each * 100)


class Shops:
    """What pieces cost where sellers or days of delivery are counted: (days, cents), every choice of sellers tried."""

    def __init__(self, catalog: Catalog, ask: Ask, terms: Terms) -> None:
        # Which offers compete is settled before sellers and days are chosen.
        catalog = replace(catalog, offers={x: tuple(competing(catalog, catalog.parts[x], ask)) for x in catalog.offers})
        self.catalog, self.ask, self.terms, self.late = catalog, ask, terms, ask.cost_axis == "lead-time"
        every = [o for of in (*catalog.offers.values(), tuple(catalog.bundles.values())) for o in of]
        sellers = sorted({o.seller for o in every})
        most = min(len(sellers), ask.max_sellers or len(sellers))
        self.shops = [
            (d, [Shop(_of(catalog, few, d), ask, terms) for few in itertools.combinations(sellers, most)])
            for d in (sorted({o.lead_time_days or 0 for o in every} | {0}) if self.late else [10**6])
        ]

    def build(self, pieces: Counter[str]) -> tuple[int, int] | None:
        """Of the fewest days within the budget; on other axes of any."""
        if self.ask.by_share:
            cents = self._by_share(pieces)
            return None if cents is None else (0, cents)
        for days, shops in self.shops:
            cents = min((c for shop in shops if (c := shop.build(pieces)) is not None), default=None)
            if cents is not None and (not self.late or cents <= self.ask.budget_cents):
                return days, cents
        return None

    def _by_share(self, pieces: Counter[str]) -> int | None:
        """The cheapest orders of which no seller, or no estimates, have more than their share: every order of every
        part, every number of bundles. More than is needed is ordered only where no order can be smaller or go."""
        catalog, ask, terms = self.catalog, self.ask, self.terms
        kind = {x: catalog.parts[x].kind.value for x in catalog.parts}
        rate = {x: terms.support.get(kind[x], Fraction(0)) for x in catalog.parts}
        need = {x: q + math.ceil(q * terms.spares.get(kind[x], 0)) for x, q in pieces.items()}
        bundles = [b for b in catalog.bundles.values() if not any(c.part in ask.exclude for c in b.parts)]
        best: int | None = None
        most = [max((-(-need.get(c.part, 0) // c.qty) for c in b.parts), default=0) for b in bundles]
        stock = [m if b.stock is None else min(m, b.stock) for m, b in zip(most, bundles, strict=True)]
        for counts in itertools.product(*(range(n + 1) for n in stock)):
            got: Counter[str] = Counter()
            for b, n in zip(bundles, counts, strict=True):
                got.update({c.part: n * c.qty for c in b.parts})
            ways = [list(self._ways(x, q, got[x], terms.own.get(x, 0))) for x, q in need.items()]
            for chosen in itertools.product(*ways):
                over = {x: got[x] + sum(w.values()) - q for (x, q), w in zip(need.items(), chosen, strict=True)}
                if any(
                    n and all(over[c.part] >= c.qty for c in b.parts if c.part in over)
                    for b, n in zip(bundles, counts, strict=True)
                ):
                    continue
                bill = [
                    (b.seller, b.confidence, n * int(b.price * 100), max(rate[c.part] for c in b.parts))
                    for b, n in zip(bundles, counts, strict=True)
                ]
                for x, w in zip(need, chosen, strict=True):
                    bill += [(o.seller, o.confidence, order_cents(o, n), rate[x]) for o, n in w.items() if o]
                total = sum(cents for _, _, cents, _ in bill)
                support = math.floor(sum((cents * r for _, _, cents, r in bill), Fraction(0)) + Fraction(1, 2))
                if (best is None or total + support < best) and self._within([x[:3] for x in bill], total):
                    best = total + support
        return best

    def _ways(self, part: str, pieces: int, got: int, own: int) -> Iterator[dict[Offer | None, int]]:
        """Orders that bring what bundles do not; None stands for what is in hand."""
        offers = [o for o in self.catalog.offers.get(part, ()) if o.condition in self.ask.conditions]
        sizes: list[list[int]] = [list(range(own + 1))]
        for o in offers:
            top = pieces + SURPLUS if o.stock is None else min(o.stock, pieces + SURPLUS)
            sizes.append([0, *range(o.min_qty, top + 1)])
        for split in itertools.product(*sizes):
            over = got + sum(split) - pieces
            of = zip([None, *offers], split, strict=True)
            way = {o: n for o, n in of if n}
            if over < 0 or (over and any(over >= n or n > self._least(o, n) for o, n in way.items())):
                continue
            yield way

    def _least(self, o: Offer | None, pieces: int) -> int:
        """The fewest pieces at the price of so many."""
        if o is None:
            return 1
        froms = [int(text.split(":")[0]) for text in o.breaks]
        return max([o.min_qty, *(q for q in froms if q <= pieces)])

    def _within(self, bill: list[tuple[str, str, int]], total: int) -> bool:
        by: Counter[str] = Counter()
        for seller, confidence, cents in bill:
            by[seller if self.ask.max_estimated is None else confidence] += cents
        if self.ask.max_estimated is not None:
            return 100 * by["estimate"] <= total * self.ask.max_estimated
        return 100 * max(by.values(), default=0) <= total * (self.ask.max_share or 0)


def _of(catalog: Catalog, sellers: tuple[str, ...], days: int) -> Catalog:
    """The catalog with the offers and bundles of those sellers and days alone."""

    def fine(o: Offer | Bundle) -> bool:
        return o.seller in sellers and (o.lead_time_days or 0) <= days

    offers = {x: tuple(o for o in of if fine(o)) for x, of in catalog.offers.items()}
    return replace(catalog, offers=offers, bundles={x: b for x, b in catalog.bundles.items() if fine(b)})


@dataclass(eq=False)
class PriceOracle(Oracle):
    """All builds of a catalog, each at what its quantities cost."""

    terms: Terms = field(default_factory=lambda: Terms({}, {}, {}))

    def __post_init__(self) -> None:
        self.shop = Shops(self.catalog, self.ask, self.terms)
        super().__post_init__()

    def _record(self, built: Built, broken: set[str], speeds: Speeds) -> None:
        if broken:
            return
        all_ = Counter(built.shared)
        for x, q in built.node.items():
            all_[x] += built.nodes * q
        inside = {c.part for x in built.node for c in getattr(self.catalog.parts[x], "contents", ())}
        chips = {p.gpu for x in {*all_, *inside} if (p := self.catalog.parts[x]).kind == Kind.GPU_BOARD}
        if any(x in self.ask.exclude for x in {*all_, *inside, *chips}):
            return
        if any(x not in all_ and x not in inside for x in self.ask.include):
            return
        found = self.shop.build(+all_)
        if found is not None:
            days, cents = found
            axes = {"money": cents, "power": built.watts, "rack-units": built.rack_units, "lead-time": days}
            self.builds.add((axes[self.ask.cost_axis], cents, speeds, frozenset()))
