"""Bids with their sums put in order: hard demands, the ceiling, abnormally low prices, deductions, points, ranks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from optimizer.procurement.bids import flagging, methods, scoring
from optimizer.procurement.bids.basis import Terms
from optimizer.procurement.bids.bid_labels import CRITERIA, FIGURES, LOW_AGAINST
from optimizer.procurement.bids.schema import Bid, Flag, Weight
from optimizer.procurement.bids.scoring_rules import Figure, Minimum
from optimizer.procurement.bids.tender_files import Tender


def ranked(bids: Sequence[Bid], weights: Sequence[Weight], tender: Tender, terms: Terms) -> list[Bid]:
    """The bids with marks, deductions, points, index and rank. Steps in the order of decree 87: hard demands and the
    ceiling first, then the test of low prices on original ones, then deductions, then points."""
    judged = [_marked(bid, list(_barred(bid, tender, terms))) for bid in bids]
    judged = [_marked(bid, list(_low(bid, judged, tender, terms))) for bid in judged]
    fit = [bid for bid in judged if bid.responsive]
    off = methods.deducted_percent(tender.rules, [tender.declared.get(bid.id, methods.Declared()) for bid in fit])
    judged = [_deducted(bid, dict(zip((one.id for one in fit), off, strict=True)), tender, terms) for bid in judged]
    found = scoring.scored([_values(bid, tender, terms) for bid in judged], weights, tender.rules)
    return [_with(bid, one, weights, tender) for bid, one in zip(judged, found, strict=True)]


def original_price(bid: Bid, tender: Tender, terms: Terms) -> Decimal | None:
    """What a bid asks for as offered, errors of arithmetic mended, on the basis that is scored."""
    if bid.offered_net is None or tender.rules.basis == "net":
        return bid.offered_net
    return bid.offered_net + terms.rounded(bid.offered_net * terms.tax / 100)


def _marked(bid: Bid, flags: Sequence[Flag]) -> Bid:
    """A bid with marks, which bar it from an award but for warnings about its price."""
    barred = any(flag.code in ("minimum-failed", "minimum-not-said", "above-ceiling") for flag in flags)
    update = {"flags": (*bid.flags, *flags), "responsive": bid.responsive and not barred}
    return bid.model_copy(update=update) if flags else bid


def _barred(bid: Bid, tender: Tender, terms: Terms) -> Iterator[Flag]:
    if bid.apart:
        return
    for minimum in tender.rules.minimums:
        yield from _minimum(bid, minimum)
    price = original_price(bid, tender, terms)
    if tender.ceiling is not None and price is not None and price > tender.ceiling:
        yield flagging.flag("above-ceiling", bid.id, amount=f"{price:,f}", ceiling=f"{tender.ceiling:,f}")


def _minimum(bid: Bid, minimum: Minimum) -> Iterator[Flag]:
    value = figure(bid, minimum.figure)
    sides = [f"≥ {minimum.least:f}"] if minimum.least is not None else []
    sides += [f"≤ {minimum.most:f}"] if minimum.most is not None else []
    what, limit = FIGURES[minimum.figure], ", ".join(sides)
    if value is None:
        yield flagging.flag("minimum-not-said", bid.id, what=what, limit=limit)
    elif (minimum.least is not None and value < minimum.least) or (minimum.most is not None and value > minimum.most):
        yield flagging.flag("minimum-failed", bid.id, what=what, value=f"{value:f}", limit=limit)


def figure(bid: Bid, name: Figure) -> Decimal | None:
    """A figure of a bid that a hard demand is held against."""
    technical = bid.technical
    speed = Decimal(str(technical.throughput.output_tok_s)) if technical.throughput else None
    found = {
        "throughput_tok_s": speed, "power_w": technical.power_w, "rack_units": technical.rack_units,
        "lead_days": bid.lead_days, "warranty_months": bid.warranty_months,
    }[name]  # fmt: skip
    return None if found is None else Decimal(found)


def _low(bid: Bid, bids: Sequence[Bid], tender: Tender, terms: Terms) -> Iterator[Flag]:
    """A question, never an exclusion: a bid that is asked about keeps its rank."""
    rules, own = tender.low_price, original_price(bid, tender, terms)
    if rules is None or own is None or not (bid.responsive or rules.of_all_bids):
        return
    counted = [one for one in bids if one.responsive or rules.of_all_bids]
    prices = [price for one in counted if (price := original_price(one, tender, terms)) is not None]
    for low in methods.abnormally_low(rules, own, prices, tender.ceiling):
        values = {
            "amount": f"{own:,f}", "percent": f"{low.percent.normalize():f}", "what": LOW_AGAINST[low.of],
            "limit": f"{terms.rounded(low.limit):,f}", "rule": rules.title,
        }  # fmt: skip
        yield Flag(code="abnormally-low", severity="warning", bid=bid.id, values=values)


def _scored_basis(bid: Bid, tender: Tender) -> Decimal | None:
    return bid.equal_gross if tender.rules.basis == "gross" else bid.equal_net


def _deducted(bid: Bid, percents: dict[str, Decimal], tender: Tender, terms: Terms) -> Bid:
    price = _scored_basis(bid, tender)
    if not bid.responsive or price is None:
        return bid
    percent = percents.get(bid.id, Decimal(0))
    evaluation = methods.evaluation_price(price, percent, terms.digits)
    flags = bid.flags
    if percent:
        said = f"{percent.normalize():f}"
        flags = (*flags, flagging.flag("deducted", bid.id, percent=said, price=f"{evaluation:,f}"))
    return bid.model_copy(update={"deducted_percent": percent, "evaluation_price": evaluation, "flags": flags})


def _values(bid: Bid, tender: Tender, terms: Terms) -> scoring.Values:
    technical = bid.technical
    speed = Decimal(str(technical.throughput.output_tok_s)) if technical.throughput else None
    price = bid.evaluation_price or Decimal(0)
    more: dict[str, Decimal | None] = {one.key: tender.points.get((bid.id, one.key)) for one in tender.rules.criteria}
    if tender.rules.life_cycle is not None:
        watts = technical.power_w
        cost = None if watts is None else methods.life_cycle_cost(price, watts, tender.rules, terms.digits)
        more[scoring.LIFE_CYCLE] = cost
    return scoring.Values(
        price, speed, _passed(bid), technical.w_per_tok_s, bid.lead_days, bid.warranty_months, bid.responsive,
        _scored_basis(bid, tender), more,
    )  # fmt: skip


def _passed(bid: Bid) -> Decimal:
    """Share of the rules that do not fail as offered; 0 of a bid that is no build."""
    technical = bid.technical
    return 1 - Decimal(len({x.rule for x in technical.failed})) / technical.rules if technical.rules else Decimal(0)


def _with(bid: Bid, found: scoring.Scored, weights: Sequence[Weight], tender: Tender) -> Bid:
    silent = [
        weight for point, weight in zip(found.points, weights, strict=False) if point.value is None and weight.weight
    ]
    said = [flagging.flag("not-said", bid.id, what=weight.title or CRITERIA[weight.key]) for weight in silent]
    if bid.responsive and found.rank is None:
        band = tender.rules.band_percent
        if found.index is None:
            said.append(flagging.flag("no-index", bid.id))
        elif band is not None:
            said.append(flagging.flag("outside-band", bid.id, percent=f"{band.normalize():f}"))
    score = None if tender.rules.method == "lowest" else found.score
    update = {
        "points": found.points, "score": score, "rank": found.rank, "index": found.index, "flags": (*bid.flags, *said)
    }  # fmt: skip
    return bid.model_copy(update=update)
