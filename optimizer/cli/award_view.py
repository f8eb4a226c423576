"""An award for people: who gets what, what the split saves, what conditions cost, who is out and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optimizer.cli.output import say, table
from optimizer.procurement.award.award_labels import HOWS, alone_words, headline, saving_words, title
from optimizer.procurement.bids.bid_labels import amount
from optimizer.text.languages import N_, Words

if TYPE_CHECKING:
    from optimizer.procurement.award.schema import Award, Order

ORDERS = [
    N_("Bid"),
    N_("Vendor"),
    N_("Number of lines"),
    N_("Goods"),
    N_("Rebates"),
    N_("Freight"),
    N_("Net"),
    N_("With tax"),
]
LINES = [N_("No."), N_("What"), N_("Goes to"), N_("Net")]


def show(award: Award, _: Words) -> None:
    """Bids that are out, the award, its lines, its conditions."""
    for x in award.excluded:
        if x.whole:
            say(_("{bid} is out: {why}", bid=f"{x.bid} {x.vendor}", why=_.sentence(x.text)))
    basis = award.basis
    say(_("as of {day}; amounts in {currency}, net of tax", day=basis.as_of.isoformat(), currency=basis.currency))
    say(f"{_(HOWS[award.how])}{_.colon}{headline(_, award)}")
    table([_(x) for x in ORDERS], [_order(x) for x in award.orders], right={2, 3, 4, 5, 6, 7}, keys=2)
    heads = [_(x) for x in LINES] + [x.bid for x in award.alone]
    table(heads, [_line(_, award, k) for k in range(len(award.lines))], right={0, *range(3, len(heads))}, keys=2)
    say(saving_words(_, award))
    for one in award.alone:
        say(f"  {one.bid}{_.colon}{alone_words(_, one, basis.currency)}")
    if award.conditions:
        say(_("What each condition costs, solved again without it:"))
    for condition in award.conditions:
        price = _("not known") if condition.price is None else f"{amount(condition.price)} {basis.currency}"
        say(f"  {_.sentence(condition.name)}{_.colon}{price}")
    for x in award.excluded:
        if not x.whole:
            say(f"{x.bid}{_.colon}{_.sentence(x.text)}")
    for left in award.left_out:
        what, net = left.text[:60], f"{amount(left.net)} {basis.currency}"
        text = N_("left out: {bid}, line {line} {what}, {amount}: {why}")
        say(_(text, bid=left.bid, line=left.number, what=what, amount=net, why=_.sentence(left.why)))
    for text in award.notes:
        say(_.sentence(text))


def _order(order: Order) -> list[str]:
    off = order.rebate + order.whole_rebate
    money = (order.goods, -off if off else off, order.freight, order.net, order.gross)
    return [order.bid, order.vendor or order.source, str(len(order.lines)), *map(amount, money)]


def _line(_: Words, award: Award, place: int) -> list[str]:
    line = award.lines[place]
    asked = {offer.bid: amount(offer.net) for offer in line.offers}
    return [
        str(line.number), title(_, line), line.winner, amount(line.net),
        *(asked.get(one.bid, "–") for one in award.alone),
    ]  # fmt: skip
