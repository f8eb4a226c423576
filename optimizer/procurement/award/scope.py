"""From a comparison and the terms to the tender that is awarded: its lines, each bidder's prices and conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from catalogs.errors import Fault, InputError
from catalogs.message import message
from catalogs.schema import Kind
from constraints.exchange import half_up
from optimizer.procurement.award.schema import How, LeftOut
from optimizer.procurement.award.tender import MOST_CENTS, Bidder, Ladder, Step, Tender, Together
from optimizer.procurement.award.terms import AwardTerms, BidderTerms, LineName, LineSet, Rebate
from optimizer.procurement.bids.basis import DISCOUNT
from optimizer.procurement.bids.schema import Bid, Cell, Comparison, Item

FREIGHT = "freight"
FIRM = ("included", "equivalent", "in_system")
WORK_ON_IT = {"warranty", "installation"}
"""Services that go with the machine that they are on."""
PARTS = {kind.value for kind in Kind}
MACHINE = "machine"


@dataclass(frozen=True)
class Scope:
    """The lines of the award (items of the comparison, by their place) and its bids (by their place among bidders)."""

    comparison: Comparison
    items: tuple[Item, ...]
    bids: tuple[Bid, ...]
    left_out: tuple[LeftOut, ...]

    def cell(self, line: int, bidder: int) -> Cell:
        return self.items[line].cells[self._place(self.bids[bidder])]

    def _place(self, bid: Bid) -> int:
        return next(k for k, other in enumerate(self.comparison.bids) if other.id == bid.id)

    def cents(self, amount: Decimal) -> int:
        return int(amount.scaleb(self.comparison.basis.digits))

    def amount(self, cents: int) -> Decimal:
        return Decimal(cents).scaleb(-self.comparison.basis.digits)


def price(cell: Cell) -> Decimal | None:
    """What a bid asks for an item: its firm lines, else its own option, nothing for what its build does not need; None
    where it does not offer it."""
    if cell.outside:
        return None
    if cell.state in FIRM:
        return cell.net if cell.net is not None and cell.net >= 0 else None
    if cell.fill == "option":
        return cell.filled
    return Decimal(0) if cell.state == "not_needed" else None


def scope_of(comparison: Comparison, bids: Sequence[Bid], terms: AwardTerms) -> Scope:
    """The lines that are awarded: items of the comparison's scope. Freight, rebates and what nobody could place are
    terms of their bidder; what the scope takes out is told with its amount."""
    places = [k for k, bid in enumerate(comparison.bids) if bid in bids]
    dropped = {item.number for item in _named(terms.drop, comparison.items, "drop")}
    kept, left_out = [], []
    for item in comparison.items:
        cells = {place: item.cells[place] for place in places}
        firm = {k: cell for k, cell in cells.items() if cell.state in FIRM and cell.net is not None and cell.net >= 0}
        if item.role in (DISCOUNT, FREIGHT) or item.in_scope == "own" or not firm:
            continue
        why = ""
        if item.number in dropped or item.in_scope == "dropped":
            why = message("dropped by the terms")
        elif item.in_scope == "outside":
            why = message("not offered by all")
        if why:
            left_out += [_left_out(comparison.bids[k], item, cell, why) for k, cell in firm.items()]
        else:
            kept.append(item)
    if not kept:
        raise InputError("no line is left to be awarded", "no-line", "Look at drop of --terms.")
    return Scope(comparison, tuple(kept), tuple(bids), tuple(left_out))


def _left_out(bid: Bid, item: Item, cell: Cell, why: str) -> LeftOut:
    return LeftOut(bid=bid.id, number=item.number, text=cell.text or item.title, net=cell.net or Decimal(0), why=why)


def tender_of(scope: Scope, terms: AwardTerms, how: How) -> Tender:
    """The tender in minor units. Raises InputError for terms that name no line or bid, and for too large amounts."""
    bidders = tuple(_bidder(scope, place, _terms_of(scope, bid, terms), terms) for place, bid in enumerate(scope.bids))
    if sum(sum(bidder.prices.values()) for bidder in bidders) > MOST_CENTS:
        raise InputError("the bids are too large to be awarded", "too-large", "Compare them in a larger currency.")
    for asked in terms.bidder:
        _bid_named(asked.bid, scope.comparison.bids)
    together = [_together(scope, group, "set") for group in terms.set]
    if how == "lots":
        together += _lots(scope, terms)
    else:
        together += _machine(scope, terms)
    return Tender(len(scope.items), bidders, tuple(together), terms.max_bidders)


def _together(scope: Scope, group: LineSet, kind: str) -> Together:
    items = _named(group.lines, scope.comparison.items, f"{kind} {group.name}")
    return Together(f"{kind} {group.name}", frozenset(_places(scope, items)))


def _places(scope: Scope, items: Sequence[Item]) -> list[int]:
    numbers = {item.number for item in items}
    return [line for line, item in enumerate(scope.items) if item.number in numbers]


def _lots(scope: Scope, terms: AwardTerms) -> list[Together]:
    if not terms.lot:
        remedy = "Write [[lot]] tables with name and lines into it, or give --lines."
        raise InputError(Fault("no-lots", "names no lots", column="--terms", remedy=remedy))
    lots = [_together(scope, lot, "lot") for lot in terms.lot]
    for line, item in enumerate(scope.items):
        held = [lot.key for lot in lots if line in lot.lines]
        if len(held) > 1:
            text = f"is in several lots: {', '.join(held)}"
            raise InputError(Fault("line-in-lots", text, column="--terms", value=f"{item.number} {item.title}"))
    return [lot for lot in lots if lot.lines]


def _machine(scope: Scope, terms: AwardTerms) -> list[Together]:
    """Lines that make one machine: parts of which the bids offer different ones or numbers, and work on it. A build of
    several designs was judged by no rule."""
    apart = {item.number for item in _named(terms.apart, scope.comparison.items, "apart")}
    lines = [
        line
        for line, item in enumerate(scope.items)
        if item.number not in apart and (item.role in WORK_ON_IT or (item.role in PARTS and _differs(scope, line)))
    ]
    return [Together(MACHINE, frozenset(lines))] if len(lines) > 1 else []


def _differs(scope: Scope, line: int) -> bool:
    """Whether the bids that offer a line offer different parts or numbers of pieces, or need none."""
    cells = [scope.cell(line, place) for place in range(len(scope.bids))]
    offered = [cell for cell in cells if price(cell) is not None]
    return len({(cell.state == "not_needed", cell.parts, cell.pieces) for cell in offered}) > 1


def _bidder(scope: Scope, place: int, own: BidderTerms | None, terms: AwardTerms) -> Bidder:
    bid, cells = scope.bids[place], [scope.cell(line, place) for line in range(len(scope.items))]
    prices = {line: scope.cents(asked) for line, cell in enumerate(cells) if (asked := price(cell)) is not None}
    stated_freight, fixed, off = _of_the_whole(scope, bid)
    own = own or BidderTerms(bid=bid.id)

    def cents(amount: Decimal) -> int:
        return scope.cents(_converted(scope, amount, terms.currency))

    return Bidder(
        id=bid.id,
        prices=prices,
        minimum_cents=cents(own.minimum_order),
        freight_cents=stated_freight if own.freight is None else cents(own.freight),
        fixed_cents=fixed,
        freight_free_cents=None if own.freight_free_from is None else cents(own.freight_free_from),
        ladders=_ladders(scope, own, cents),
        whole_cents=off,
        packages=_packages(scope, bid, set(prices)),
    )


def _of_the_whole(scope: Scope, bid: Bid) -> tuple[int, int, int]:
    """(freight, what nobody could place and counts all the same, what comes off the whole) that a bid states itself, in
    minor units."""
    firm = [line for line in bid.lines if line.state == "included"]
    own = {item.number for item in scope.comparison.items if item.in_scope == "own"}
    freight = sum((line.net for line in firm if line.role == FREIGHT and line.net > 0), Decimal(0))
    placed_by_nobody = [line.net for line in firm if line.item in own and line.role != FREIGHT and line.net > 0]
    off = sum((-line.net for line in firm if line.net < 0), Decimal(0))
    return scope.cents(freight), scope.cents(sum(placed_by_nobody, Decimal(0))), scope.cents(off)


def _ladders(scope: Scope, own: BidderTerms, cents: Callable[[Decimal], int]) -> tuple[Ladder, ...]:
    by_lines: dict[frozenset[int] | None, list[Rebate]] = {}
    for rebate in own.rebate:
        items = _named(rebate.lines, scope.comparison.items, f"rebate of {own.bid}")
        key = frozenset(_places(scope, items)) if rebate.lines else None
        by_lines.setdefault(key, []).append(rebate)
    out = []
    for lines, rebates in by_lines.items():
        steps = tuple(
            Step(
                max(1, cents(x.from_)),
                Fraction(x.percent or 0) / 100,
                cents(x.amount) if x.amount is not None else 0,
            )
            for x in sorted(rebates, key=lambda x: x.from_)
        )
        if len({step.from_cents for step in steps}) < len(steps):
            text = "has two rebates from the same amount over the same lines"
            raise InputError(Fault("bad-terms", text, column="--terms", value=own.bid))
        out.append(Ladder(steps, lines))
    return tuple(out)


def _packages(scope: Scope, bid: Bid, offered: set[int]) -> tuple[frozenset[int], ...]:
    """Lines that stand under one price: a bundle, or what is inside a complete system."""
    rows = [{line.row} for line in bid.lines if line.state == "in_system"]
    rows += [
        {int(number) for number in re.findall(r"\d+", f"{flag.values['row']} {flag.values['rows']}")}
        for flag in bid.flags
        if flag.code == "bundle-split"
    ]
    place_of = {item.number: line for line, item in enumerate(scope.items)}
    found = {
        frozenset(place_of[line.item] for line in bid.lines if line.row in group and line.item in place_of) & offered
        for group in rows
    }
    return tuple(sorted((frozenset(x) for x in found if len(x) > 1), key=sorted))


def _converted(scope: Scope, amount: Decimal, currency: str) -> Decimal:
    """An amount of the terms on the basis of the comparison, rounded half up once."""
    basis = scope.comparison.basis
    if currency in ("", basis.currency):
        return amount.quantize(Decimal(1).scaleb(-basis.digits))
    rates = {rate.currency: rate for rate in basis.rates}
    if not {currency, basis.currency} <= rates.keys():
        remedy = f"Give amounts in one of: {', '.join(sorted({basis.currency, *rates}))}."
        text = "no exchange rate for the currency of the terms"
        raise InputError(Fault("no-rate", text, column="--terms", value=currency, remedy=remedy))
    exact = Fraction(amount) * rates[currency].usd / rates[basis.currency].usd
    return Decimal(half_up(exact * 10**basis.digits)).scaleb(-basis.digits)


def _terms_of(scope: Scope, bid: Bid, terms: AwardTerms) -> BidderTerms | None:
    own = [x for x in terms.bidder if _bid_named(x.bid, scope.comparison.bids).id == bid.id]
    if len(own) > 1:
        raise InputError(Fault("bad-terms", "has two tables [[bidder]]", column="--terms", value=own[1].bid))
    return own[0] if own else None


def _bid_named(name: str, bids: Sequence[Bid]) -> Bid:
    plain = name.casefold().strip()

    def names(bid: Bid) -> set[str]:
        file = bid.source.rsplit("/", 1)[-1]
        return {x.casefold() for x in (bid.id, bid.source, file, file.rsplit(".", 1)[0], bid.vendor) if x}

    found = [bid for bid in bids if plain in names(bid)]
    if len(found) != 1:
        remedy = f"A letter, file or vendor of: {'; '.join(f'{b.id} {b.source} {b.vendor}'.strip() for b in bids)}."
        raise InputError(Fault("no-bid", "is no bid, or several", column="--terms", value=name, remedy=remedy))
    return found[0]


def _named(names: Sequence[LineName], items: Sequence[Item], where: str) -> list[Item]:
    """Items by their number, part, title or category."""
    out = []
    for name in names:
        if isinstance(name, int):
            found = [item for item in items if item.number == name]
        else:
            plain = name.casefold().strip()
            found = [item for item in items if plain in (item.title.casefold(), *_parts(item))]
            found = found or [item for item in items if plain == item.role]
        if not found:
            remedy = f"Lines: {'; '.join(f'{item.number} {item.title or item.role}' for item in items)}."
            text = message("names no line of the comparison ({where})", where=where)
            raise InputError(Fault("no-such-line", text, column="--terms", value=str(name), remedy=remedy))
        out += found
    return out


def _parts(item: Item) -> set[str]:
    return {part.casefold() for cell in item.cells for part in cell.parts}
