"""Words of an award, for the terminal and the workbook."""

from __future__ import annotations

from catalogs.message import N_
from optimizer.procurement.award.schema import Alone, Award, AwardLine
from optimizer.procurement.bids.bid_labels import amount, role
from optimizer.text.languages import Words

HOWS = {"one": N_("One bidder for all"), "lots": N_("Split by lot"), "lines": N_("Split by line")}
NONE_ALONE = N_("No bidder can have everything.")
SAVES = N_("The split costs {saving} {currency} ({percent}) less than {bid}, the best bidder for everything.")
NOTHING_SAVED = N_("No split is cheaper than {bid}, the best bidder for everything.")
IS_ALONE = N_("{bid} asks least for everything.")


def title(_: Words, line: AwardLine) -> str:
    return line.title if line.title != line.role else role(_, line.role)


def headline(_: Words, award: Award) -> str:
    """`A, B: 1,234.00 CNY net, proven: no award under these terms costs less`."""
    text = N_("{bids}: {amount} {currency} net; proven, no award under these terms costs less")
    bids = ", ".join(order.bid for order in award.orders)
    return _(text, bids=bids, amount=amount(award.net), currency=award.basis.currency)


def saving_words(_: Words, award: Award) -> str:
    """What the split saves against the best single bidder."""
    if award.best_alone is None or award.saving is None:
        return _(NONE_ALONE)
    if award.how == "one":
        return _(IS_ALONE, bid=award.best_alone)
    if award.saving == 0:
        return _(NOTHING_SAVED, bid=award.best_alone)
    share = 100 * award.saving / (award.net + award.saving)
    currency, saving = award.basis.currency, amount(award.saving)
    return _(SAVES, saving=saving, currency=currency, percent=_.percent(f"{share:.2f}"), bid=award.best_alone)


def alone_words(_: Words, one: Alone, currency: str) -> str:
    """What a bidder asks for everything, or why it can't have it."""
    return _.sentence(one.why) if one.net is None else f"{amount(one.net)} {currency}"
