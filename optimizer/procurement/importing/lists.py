"""The lines of a price list sorted: offers of known parts, doubts for a person, unknown parts, other things."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from catalogs.message import joined, message
from catalogs.offers import Offer
from optimizer.procurement.importing.folder import row_of
from optimizer.procurement.importing.offering import NoOffer, offer_of
from optimizer.procurement.importing.prefill import figures_of, is_other, table_of
from optimizer.procurement.importing.schema import Doubt, Taken, UnknownPart
from optimizer.procurement.importing.terms import ListTerms
from optimizer.procurement.reading.document import Line, Quote
from optimizer.procurement.reading.specification.fitting import NONE_FITS, SEVERAL_FIT

HOLDER = "part"
"""Stands for the part that an unknown line's offer will be of."""


@dataclass
class Sorted:
    """Where each line went."""

    taken: list[Taken] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    unknown: list[UnknownPart] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)
    outside: int = 0
    services: int = 0


def sort_lines(quote: Quote, terms: ListTerms) -> Sorted:
    """Every line of the list once. What was only suggested, contradicts itself or has no clear price is a doubt."""
    out = Sorted()
    offered: list[tuple[Line, Offer]] = []
    for line in quote.lines:
        if line.role == "service":
            out.services += 1
        elif line.contents:
            out.doubts.append(_doubt(line, "is a whole server in one cell: its price is of no single part"))
        elif line.matched.how == "specification" or line.matched.reason in (SEVERAL_FIT, NONE_FITS):
            _described(out, line, terms, quote)
        elif line.matched.part is not None:
            _known(out, line, terms, quote, offered)
        elif line.matched.candidates:
            out.doubts.append(_doubt(line, line.matched.reason))
        else:
            _unknown(out, line, terms, quote)
    _once_each(out, offered)
    out.taken.sort(key=lambda taken: taken.row)
    out.doubts.sort(key=lambda doubt: doubt.row)
    return out


def _described(out: Sorted, line: Line, terms: ListTerms, quote: Quote) -> None:
    """A line that says what a part is and not which: the price of what it is like is not known to be its own. What the
    words say to be of no category is other things, what nothing in the catalog is like is unknown."""
    text = _said(line)
    if is_other(text):
        out.outside += 1
    elif line.matched.reason == NONE_FITS:
        _unknown(out, line, terms, quote)
    elif line.matched.how == "specification":
        out.doubts.append(_doubt(line, "is only described: the part is like it, and may be another maker's"))
    else:
        out.doubts.append(_doubt(line, line.matched.reason))


def _known(out: Sorted, line: Line, terms: ListTerms, quote: Quote, offered: list[tuple[Line, Offer]]) -> None:
    assert line.matched.part is not None
    wrong = [issue.text for issue in line.issues if issue.severity == "error"]
    if wrong:
        out.doubts.append(_doubt(line, joined(wrong, "; ")))
        return
    try:
        offered.append((line, offer_of(line, line.matched.part, terms, quote)))
    except NoOffer as e:
        out.doubts.append(_doubt(line, e.args[0]))


def _once_each(out: Sorted, offered: Iterable[tuple[Line, Offer]]) -> None:
    """One offer of each part and condition. Rows that differ in their least order are prices by quantity; rows that
    say the same are one; of others nobody but a person knows which holds."""
    groups: dict[str, list[tuple[Line, Offer]]] = {}
    for line, offer in offered:
        groups.setdefault(offer.id, []).append((line, offer))
    for group in groups.values():
        kept = _distinct(out, group)
        merged = kept[0][1] if len(kept) == 1 else _by_quantity([offer for _, offer in kept])
        if merged is not None:
            line = kept[0][0]
            out.taken.append(Taken(row=line.row, text=line.text, how=line.matched.how, offer=merged))
            continue
        prices = ", ".join(f"{offer.price} ({line.row})" for line, offer in kept)
        reason = message("{part} stands at several prices (rows): {prices}", part=kept[0][1].part, prices=prices)
        out.doubts += [_doubt(line, reason) for line, _ in kept]


def _distinct(out: Sorted, group: list[tuple[Line, Offer]]) -> list[tuple[Line, Offer]]:
    """Without rows that say again what one above says."""
    kept: dict[object, tuple[Line, Offer]] = {}
    for line, offer in group:
        key = (offer.price, offer.currency, offer.tax_rate, offer.min_qty, offer.breaks)
        if key in kept:
            out.repeated.append(line.row)
        else:
            kept[key] = (line, offer)
    return list(kept.values())


def _by_quantity(offers: list[Offer]) -> Offer | None:
    """Offers of one article by their least orders, prices falling, as one with breaks; None where they are no such."""
    steps = sorted(((x.min_qty, x) for x in offers if not x.breaks), key=lambda step: step[0])
    one_article = len({(offer.notes, offer.currency, offer.tax_rate, offer.stock) for offer in offers}) == 1
    quantities = [qty for qty, _ in steps]
    prices = [offer.price for _, offer in steps]
    falling = all(a > b for a, b in pairwise(prices))
    if len(steps) < len(offers) or not one_article or len(set(quantities)) < len(quantities) or not falling:
        return None
    breaks = tuple(f"{qty}:{offer.price}" for qty, offer in steps[1:])
    return steps[0][1].model_copy(update={"breaks": breaks})


def _unknown(out: Sorted, line: Line, terms: ListTerms, quote: Quote) -> None:
    """A part of a category of the catalog goes to the template, anything else is only counted."""
    text = _said(line)
    table = table_of(text)
    if table is None:
        out.outside += 1
        return
    try:
        offer = row_of(offer_of(line, HOLDER, terms, quote))
    except NoOffer:
        offer = {}  # its figures can be filled; a price it has none
    for name in ("id", "part", "own"):
        offer.pop(name, None)
    figures = {"vendor": line.brand, "name": line.text, **figures_of(table, text)}
    out.unknown.append(UnknownPart(row=line.row, text=line.text, table=table, figures=figures, offer=offer))


def _said(line: Line) -> str:
    """The words by which a line's kind is told."""
    return " ".join(dict.fromkeys(text for text in (line.brand, line.text) if text))


def _doubt(line: Line, reason: str) -> Doubt:
    candidates = line.matched.candidates or ((line.matched.part,) if line.matched.part else ())
    return Doubt(
        row=line.row,
        part_number=line.part_number,
        text=line.text,
        price="" if line.unit_price is None else str(line.unit_price),
        currency=line.currency,
        reason=reason,
        suggestion=candidates[0] if candidates else "",
        others=tuple(candidates[1:]),
    )
