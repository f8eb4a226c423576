"""Who gets what: `awarded(comparison, market, terms, how)`; docs/award.md says how it is reckoned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from catalogs.errors import Fault, InputError
from catalogs.message import joined, message
from optimizer.market.market import Market
from optimizer.procurement.award import plain
from optimizer.procurement.award.bargains import bargains
from optimizer.procurement.award.candidates import excluded
from optimizer.procurement.award.conditions import given, in_the_way, price
from optimizer.procurement.award.model import Best, best
from optimizer.procurement.award.schema import Alone, Award, AwardLine, Condition, Excluded, How, Offer, Order
from optimizer.procurement.award.scope import MACHINE, Scope, scope_of, tender_of
from optimizer.procurement.award.tender import Tender, nobody_offers
from optimizer.procurement.award.terms import AwardTerms
from optimizer.procurement.bids.bid_labels import ROLES
from optimizer.procurement.bids.schema import Comparison, Item
from optimizer.search.clock import Clock
from optimizer.search.parameters import SOLVER


class NoAward(InputError):
    """No award meets the conditions: what stands in the way. Exit code 4."""

    exit_code = 4


def awarded(comparison: Comparison, market: Market, terms: AwardTerms, how: How, seconds: float | None = 60) -> Award:
    """The cheapest award under the terms, proven, with what each condition costs and where each bid breaks even.

    `seconds` limits each of: the award, its conditions, the break-even prices; raises TimeUp where the award itself is
    not proven in time. Raises InputError for terms that fit no bid or line, NoAward where nothing can be awarded."""
    out = excluded(comparison)
    bids = [bid for bid in comparison.bids if bid.id not in {x.bid for x in out}]
    if not bids:
        raise NoAward([Fault("no-bidder", f"bid {x.bid}: {x.text}") for x in out])
    scope = scope_of(comparison, bids, terms)
    tender = tender_of(scope, terms, how)
    if how == "one":
        tender = tender.without(most_bidders=1)
    found = best(tender, Clock(seconds))
    if found is None:
        raise NoAward(list(_why_none(scope, tender, Clock(seconds))))
    clock = Clock(seconds)
    prices = [Condition(kind=x.kind, name=x.name, bid=x.bid, price=_money(scope, price(x, found.cents, clock)))
              for x in given(tender)]  # fmt: skip
    alone = _alone(scope, tender)
    least = min(((x.net, x.bid) for x in alone if x.net is not None), default=None)
    net = scope.amount(found.cents)
    orders = tuple(_order(scope, order) for order in plain.bills(tender, found.winners))
    return Award(
        how=how,
        basis=comparison.basis,
        terms=terms,
        solver=SOLVER,
        lines=tuple(_lines(scope, tender, found)),
        orders=orders,
        net=net,
        tax=sum((order.tax for order in orders), Decimal(0)),
        gross=sum((order.gross for order in orders), Decimal(0)),
        alone=tuple(alone),
        best_alone=least[1] if least else None,
        saving=least[0] - net if least else None,
        conditions=tuple(prices),
        excluded=(*out, *_incomplete(scope, tender)),
        left_out=scope.left_out,
        bargains=tuple(bargains(scope, tender, found, market, Clock(seconds))),
        catalog_sha256=comparison.catalog_sha256,
        notes=tuple(_notes(scope, tender, found, how)),
    )


def _money(scope: Scope, cents: int | None) -> Decimal | None:
    return None if cents is None else scope.amount(cents)


def _lines(scope: Scope, tender: Tender, found: Best) -> Iterator[AwardLine]:
    unit_of = {line: number for number, lines in enumerate(tender.units(), 1) for line in lines}
    for line, item in enumerate(scope.items):
        winner = found.winners[line]
        holding = [x.key for x in tender.together if line in x.lines]
        lot = next((key.removeprefix("lot ") for key in holding if key.startswith("lot ")), "")
        sets = [key.removeprefix("set ") for key in holding if key.startswith("set ")]
        sets = [*([message("machine")] if MACHINE in holding else []), *sets]
        yield AwardLine(
            number=item.number, title=item.title or item.role, role=item.role, unit=unit_of[line], lot=lot,
            together=joined(sets),
            offers=tuple(_offers(scope, tender, line)),
            winner=tender.bidders[winner].id, net=scope.amount(tender.bidders[winner].prices[line]),
        )  # fmt: skip


def _offers(scope: Scope, tender: Tender, line: int) -> Iterator[Offer]:
    for place, bidder in enumerate(tender.bidders):
        if line in bidder.prices:
            cell, net = scope.cell(line, place), scope.amount(bidder.prices[line])
            yield Offer(bid=bidder.id, net=net, pieces=cell.pieces, parts=cell.parts, text=cell.text)


def _order(scope: Scope, order: plain.Bill) -> Order:
    bid, basis = scope.bids[order.bidder], scope.comparison.basis
    net = scope.amount(order.total)
    tax = (net * basis.tax_percent / 100).quantize(Decimal(1).scaleb(-basis.digits), ROUND_HALF_UP)
    return Order(
        bid=bid.id, vendor=bid.vendor, source=bid.source, lines=tuple(scope.items[line].number for line in order.lines),
        goods=scope.amount(order.goods), rebate=scope.amount(order.rebate), whole_rebate=scope.amount(order.whole),
        freight=scope.amount(order.freight), net=net, tax=tax, gross=net + tax,
    )  # fmt: skip


def _alone(scope: Scope, tender: Tender) -> list[Alone]:
    """Each bidder for everything, whatever the buyer's conditions say of several."""
    out = []
    for place, bidder in enumerate(tender.bidders):
        cents = plain.alone(tender.without(most_bidders=None), place)
        why = ""
        if cents is None:
            missing = [scope.items[line] for line in range(tender.lines) if line not in bidder.prices]
            why = message("its order stays below its minimum")
            if missing:
                why = message("does not offer {list}", list=_names(missing))
        out.append(Alone(bid=bidder.id, net=_money(scope, cents), why=why))
    return out


def _names(items: Sequence[Item]) -> str:
    return joined([_name(item) for item in items], "; ")


def _name(item: Item) -> str:
    """`line 7 (Warranty and support)`."""
    return message("line {number} ({what})", number=item.number, what=item.title or message(ROLES[item.role]))


def _incomplete(scope: Scope, tender: Tender) -> Iterator[Excluded]:
    """Lines that a bid can't have, though it can have others."""
    for place, bidder in enumerate(tender.bidders):
        missing = [line for line in range(tender.lines) if line not in bidder.prices]
        if not missing:
            continue
        bid = scope.bids[place]
        names = _names([scope.items[line] for line in missing])
        yield Excluded(
            bid=bid.id, vendor=bid.vendor or bid.source, code="incomplete", whole=False,
            text=message("does not offer {list}", list=names),
            lines=tuple(scope.items[line].number for line in missing),
        )  # fmt: skip


def _why_none(scope: Scope, tender: Tender, clock: Clock) -> Iterator[Fault]:
    """What leaves no award: lines that nobody offers, else the conditions one of which would have to go."""
    if nobody := nobody_offers(tender):
        for line in nobody:
            yield Fault("no-offer", message("nobody offers {line}", line=_name(scope.items[line])))
        return
    ways = in_the_way(tender, clock)
    if not ways:
        yield Fault("no-award", message("no award meets the conditions, whichever one of them is given up"))
    for condition in ways:
        text = message("no award meets the conditions; without this one there is: {name}", name=condition.name)
        yield Fault("no-award", text)


def _notes(scope: Scope, tender: Tender, found: Best, how: How) -> Iterator[str]:
    if scope.left_out:
        yield message("Lines that are left out are in no total: look at them before you order.")
    winners: Sequence[int] = sorted({found.winners[line] for line, item in enumerate(scope.items)})
    if how == "lots" and len(winners) > 1:
        yield message("Lots of parts from several bidders: the build that they make together was judged by no rule.")
