"""An award by plain arithmetic: what each order comes to, and which condition it breaks. Knows no solver."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from constraints.exchange import half_up
from optimizer.procurement.award.tender import Bidder, Ladder, Tender, Winners, lines_of


@dataclass(frozen=True)
class Bill:
    """What one bidder's order comes to, in minor units; `rebate` and `whole` come off."""

    bidder: int
    lines: tuple[int, ...]
    goods: int
    rebate: int
    whole: int
    freight: int

    @property
    def total(self) -> int:
        return self.goods - self.rebate - self.whole + self.freight


def bill(bidder: Bidder, place: int, lines: list[int]) -> Bill:
    """The order of `lines` at a bidder that offers them."""
    goods = sum(bidder.prices[line] for line in lines)
    rebate = sum(_rebate(ladder, bidder, lines) for ladder in bidder.ladders)
    whole = bidder.whole_cents if lines and set(lines) == set(bidder.prices) else 0
    return Bill(place, tuple(lines), goods, rebate, whole, _charges(bidder, goods) if lines else 0)


def _charges(bidder: Bidder, goods: int) -> int:
    free = bidder.freight_free_cents is not None and goods >= bidder.freight_free_cents
    return bidder.fixed_cents + (0 if free else bidder.freight_cents)


def _rebate(ladder: Ladder, bidder: Bidder, lines: list[int]) -> int:
    base = sum(bidder.prices[line] for line in lines if ladder.holds(line))
    reached = [step for step in ladder.steps if base >= step.from_cents]
    if not lines or not reached:
        return 0
    return reached[-1].cents + half_up(Fraction(base) * reached[-1].share)


def bills(tender: Tender, winners: Winners) -> list[Bill]:
    """An order for each bidder that gets a line."""
    return [
        bill(bidder, place, lines)
        for place, bidder in enumerate(tender.bidders)
        if (lines := lines_of(winners, place))
    ]  # fmt: skip


def total(tender: Tender, winners: Winners) -> int:
    """What all orders come to."""
    return sum(order.total for order in bills(tender, winners))


def broken(tender: Tender, winners: Winners) -> list[str]:
    """What an award breaks, by its kind: `offer`, `together`, `minimum`, `package`, `bidders`; [] for a valid one."""
    out = [f"offer {line}" for line, b in enumerate(winners) if line not in tender.bidders[b].prices]
    out += [f"together {x.key}" for x in tender.together if len({winners[line] for line in x.lines}) > 1]
    used = sorted(set(winners))
    for place in used:
        bidder, got = tender.bidders[place], set(lines_of(winners, place))
        if sum(bidder.prices.get(line, 0) for line in got) < bidder.minimum_cents:
            out.append(f"minimum {bidder.id}")
        out += [f"package {bidder.id}" for package in bidder.packages if package & got and not package <= got]
    if tender.most_bidders is not None and len(used) > tender.most_bidders:
        out.append("bidders")
    return out


def alone(tender: Tender, place: int) -> int | None:
    """What a bidder asks for all lines; None where it does not offer them all or they are below its minimum."""
    everything: Winners = (place,) * tender.lines
    return None if broken(tender, everything) else total(tender, everything)
