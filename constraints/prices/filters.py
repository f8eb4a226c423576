"""What the market and a buyer's lists admit: parts sold there, origins, vendors and parts of an approved list,
confidence and lead time of an offer.

A part stands for what it contains as well: the contents of a complete system, the GPUs on a board.
"""

from __future__ import annotations

from catalogs.load import Catalog
from catalogs.message import joined, message
from catalogs.offers import PRICE_WORDS, Bundle, Confidence, Offer, word_of
from catalogs.schema import GpuBoard, Part, Platform
from constraints.physics.markets import not_sold
from constraints.request import Listed, Request


def contents(part: Part) -> list[str]:
    """Ids of the parts inside a part."""
    if isinstance(part, Platform):
        return [content.part for content in part.contents]
    return [part.gpu] if isinstance(part, GpuBoard) else []


class Filter:
    """Market, origins and approved list of a request, held against the parts of a catalog."""

    def __init__(self, catalog: Catalog, request: Request) -> None:
        self.catalog, self.request = catalog, request
        self.rows = {(x.part, x.vendor, x.category): x for x in request.avl}
        verdicts = ((part.kind, self.verdict(part)) for part in catalog.parts.values()) if self.rows else ()
        self.approved = {kind for kind, row in verdicts if row is not None and row.status == "approved"}
        """Categories in which the list approves something: nothing else is admitted there."""

    def refused(self, part: Part) -> str:
        """Why the part or something inside it is refused; empty when it is not."""
        if why := not_sold(part, self.request) or self._by_origin(part) or self._by_list(part):
            return why
        for inside in contents(part):
            if why := self.refused(self.catalog.parts[inside]):
                return message("contains {part}: {why}", part=inside, why=why)
        return ""

    def _by_origin(self, part: Part) -> str:
        country, admitted = part.country.upper(), self.request.origins
        if admitted and country not in admitted:
            return message("origin {x} is not among {list}", x=country or "unknown", list=joined(admitted))
        return message("origin {x} is barred", x=country) if country in self.request.barred_origins else ""

    def _by_list(self, part: Part) -> str:
        row = self.verdict(part)
        if row is not None and row.status == "barred":
            barred = message("barred by the approved list")
            return joined([barred, row.note], ": ") if row.note else barred
        if row is None and part.kind in self.approved:
            return message("the approved list names others of category {x}", x=part.kind.value)
        return ""

    def verdict(self, part: Part) -> Listed | None:
        """The list's row about a part: its own, else its vendor's in its category, else its vendor's."""
        vendor = part.vendor.casefold()
        for key in ((part.id, "", ""), ("", vendor, part.kind.value), ("", vendor, "")):
            if key in self.rows:
                return self.rows[key]
        return None


def admissible(offer: Offer | Bundle, request: Request) -> bool:
    """Whether confidence and lead time of a live offer or bundle are admitted; an unknown one is, unless strict."""
    if word_of(offer) not in request.confidences:
        return False
    if offer.lead_time_days is None:
        return not request.strict_lead
    return request.max_lead_days is None or offer.lead_time_days <= request.max_lead_days


def prices_alone(offer: Offer, request: Request) -> bool:
    """Whether an offer is one of the buyer's own that `--prefer mine` lets price its part alone: any piece is there."""
    return request.prefer == "mine" and offer.own and offer.stock != 0


def preferred(live: list[Offer], request: Request) -> list[Offer]:
    """Of the admissible offers of a part those that price it: with `--prefer mine` the buyer's own alone, where one of
    them has any piece; else all."""
    return [offer for offer in live if prices_alone(offer, request)] or live


def supposed_confidence(request: Request) -> Confidence:
    """A confidence that the request admits, for a price that somebody says."""
    return next(word for word in request.confidences if word != "indexed")


def limits(request: Request) -> str:
    """The limits of `admissible` that the request sets, in words."""
    words: list[str] = []
    if len(request.confidences) < len(PRICE_WORDS):
        words.append(message("confidence {list}", list=joined(request.confidences, " or ")))
    if request.max_lead_days is not None:
        words.append(message("at most {n} days of lead time", n=request.max_lead_days))
    if request.strict_lead:
        words.append("a known lead time")
    return joined(words)
