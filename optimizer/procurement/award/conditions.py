"""What each condition costs: the award solved again without it; and which of them leave no award at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.message import N_, message
from optimizer.procurement.award.model import best_cents
from optimizer.procurement.award.schema import ConditionKind
from optimizer.procurement.award.scope import MACHINE
from optimizer.procurement.award.tender import Tender
from optimizer.search.clock import Clock, TimeUp

MINIMUM = N_("minimum order of {bid}")
PACKAGE = N_("what {bid} sells under one price")
FREIGHT = N_("freight of {bid}")
REBATE = N_("rebates of {bid} by amount")
WHOLE = N_("what {bid} takes off the whole")


@dataclass(frozen=True)
class Given:
    """A condition of a tender, its name, whose it is, and the tender without it."""

    kind: ConditionKind
    name: str
    bid: str
    without: Tender


def given(tender: Tender) -> Iterator[Given]:
    """Every condition of a tender."""
    if tender.most_bidders is not None:
        name = message("{n} bidders at most", n=tender.most_bidders)
        if tender.most_bidders == 1:
            name = message("one bidder for all")
        yield Given("bidders", name, "", tender.without(most_bidders=None))
    lots = [x for x in tender.together if x.key.startswith("lot ")]
    if lots:
        rest = tuple(x for x in tender.together if x not in lots)
        yield Given("lots", message("lots are awarded whole"), "", tender.without(together=rest))
    for group in tender.together:
        if group in lots:
            continue
        rest = tuple(x for x in tender.together if x != group)
        if group.key == MACHINE:
            name = message("the machine comes from one bidder")
            yield Given("machine", name, "", tender.without(together=rest))
        else:
            name = message("set {name} stays together", name=group.key.removeprefix("set "))
            yield Given("set", name, "", tender.without(together=rest))
    for place in range(len(tender.bidders)):
        yield from _of_bidder(tender, place)


def _of_bidder(tender: Tender, place: int) -> Iterator[Given]:
    bidder = tender.bidders[place]
    own: list[tuple[ConditionKind, str, str, object]] = [
        ("minimum", MINIMUM, "minimum_cents", 0),
        ("package", PACKAGE, "packages", ()),
        ("freight", FREIGHT, "freight_cents", 0),
        ("rebate", REBATE, "ladders", ()),
        ("whole", WHOLE, "whole_cents", 0),
    ]
    for kind, text, field, nothing in own:
        if getattr(bidder, field):
            without = tender.with_bidder(place, **{field: nothing})
            yield Given(kind, message(text, bid=bidder.id), bidder.id, without)


def price(condition: Given, cents: int, clock: Clock) -> int | None:
    """What the award costs more with the condition than without, `cents` with it; None where time is up or no award is
    left without it."""
    try:
        without = best_cents(condition.without, clock)
    except TimeUp:
        return None
    return None if without is None else cents - without


def in_the_way(tender: Tender, clock: Clock) -> list[Given]:
    """Conditions without which, one at a time, there would be an award."""
    return [x for x in given(tender) if best_cents(x.without, clock) is not None]
