"""Words for codes of a comparison, and figures in a line."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from optimizer.procurement.bids.schema import Bid, Flag, Item, Weight
from optimizer.procurement.labels import CATEGORIES
from optimizer.text.languages import N_, Words

ROLES = {
    **CATEGORIES, "platform": N_("Server"), "other": N_("Other goods"), "warranty": N_("Warranty and support"),
    "installation": N_("Installation"), "training": N_("Training of staff"), "licence": N_("Licences"),
    "freight": N_("Freight and insurance"), "service": N_("Other services"), "discount": N_("Discount"),
}  # fmt: skip
STATES = {
    "included": N_("included"), "equivalent": N_("equivalent"), "in_system": N_("inside the system"),
    "optional": N_("optional"), "on_request": N_("on request"), "not_needed": N_("not needed"),
    "excluded": N_("excluded"), "not_judged": N_("not judged"), "not_counted": N_("not counted"),
    "dropped": N_("dropped"),
}  # fmt: skip
FILLS = {
    "": "", "option": N_("its own option"), "median": N_("median of the other bids"),
    "max": N_("highest of the other bids"), "other": N_("the other bid's price"), "catalog": N_("catalog price"),
    "none": N_("not comparable until asked"),
}  # fmt: skip
OUTSIDE = {
    "outside": N_("not all bids that may be awarded offer it and the buyer does not demand it"),
    "design": N_("its build passes every rule without it, and not all bids offer it"),
    "dropped": N_("the buyer dropped it"),
}  # fmt: skip
SCOPES = {
    "build": N_("of the build: each bid's own counts"), "design": N_("each build's own design decides"),
    "all": N_("all bids that may be awarded offer it"), "demanded": N_("demanded"),
    "own": N_("counts in its own bid"), "outside": N_("outside the scope"), "dropped": N_("dropped"),
}  # fmt: skip
CRITERIA = {
    "price": N_("Price"), "throughput": N_("Throughput"), "rules": N_("Rules"), "power": N_("Power use"),
    "delivery": N_("Delivery"), "warranty": N_("Warranty"), "life_cycle_cost": N_("Life-cycle cost"),
}  # fmt: skip
FIGURES = {
    "throughput_tok_s": N_("Throughput, tok/s"), "power_w": N_("Power of the whole build, W"),
    "rack_units": N_("Rack units"), "lead_days": N_("Lead time, days"), "warranty_months": N_("Warranty, months"),
}  # fmt: skip
METHODS = {
    "points": N_("weighted points"), "lowest": N_("lowest evaluation price"), "ratio": N_("points per price"),
    "ratio_band": N_("points per price, with a band"), "weighted_ratio": N_("points and price against their medians"),
}  # fmt: skip
CERTAIN = {
    "primary text read": N_("the text itself was read"), "secondary": N_("read in others' words"),
    "unsure": N_("unsure: check it against the tender"), "the buyer's": N_("the buyer's own"),
}  # fmt: skip
LOW_AGAINST = {
    "mean": N_("the mean of the bids"), "next": N_("the next lowest bid"), "ceiling": N_("the ceiling"),
}  # fmt: skip


def criterion(_: Words, weight: Weight) -> str:
    """A criterion's name: the tender's words for its own."""
    return weight.title or _(CRITERIA[weight.key])


def role(_: Words, code: str) -> str:
    return _(ROLES.get(code, code))


def title(_: Words, item: Item) -> str:
    """What an item is: its part, else the kind of service."""
    return item.title or role(_, item.role)


def named(bid: Bid) -> str:
    """`A  Vendor`, by the file where no vendor is named."""
    return f"{bid.id}  {bid.vendor or bid.source}"


def is_open(bid: Bid) -> bool:
    """Whether a bid can't be awarded for what could not be read or judged alone: nothing of it is known to fail."""
    technical = bid.technical
    fails = bool(technical.still_failed) or not (technical.runs or technical.not_judged or bid.apart)
    return not (bid.responsive or fails or any(flag.code == "expired" for flag in bid.flags))


def distance(_: Words, bid: Bid) -> str:
    """`12.3 % above the cheapest build this fast`."""
    technical = bid.technical
    if bid.apart:
        return _("not comparable")
    if not technical.runs and technical.not_judged:
        return _("not judged")
    if not technical.runs:
        return _("runs nothing") if technical.build else _("no build")
    if technical.above_percent is None and not technical.cheapest_proven:
        return _("not proven in the time given")
    if technical.above_percent is None and technical.cheapest is None:
        return _("no build of the catalog is this fast")
    if technical.above_percent is None:
        return _("not held against the front until the scope is settled")
    if technical.above_percent < 0:
        return _("{percent} % below the cheapest build this fast", percent=f"{-technical.above_percent:f}")
    return _("{percent} % above the cheapest build this fast", percent=f"{technical.above_percent:f}")


def amount(x: Decimal | None) -> str:
    return "–" if x is None else f"{x:,f}"


def first_of(flags: Sequence[Flag]) -> list[Flag]:
    """Marks that are told before anything else: why a bid can't be compared."""
    return [flag for flag in flags if flag.code.startswith(("time-money", "price-list", "unread", "no-rate"))]


def open_items(bid: Bid) -> list[Flag]:
    """Marks of what keeps a bid that is read from being compared: demanded and missing, or not known to be there."""
    return [flag for flag in bid.flags if flag.code in ("not-filled", "scope-open")]
