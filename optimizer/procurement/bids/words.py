"""Words for codes of a comparison, and figures in a line."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from optimizer.procurement.bids.schema import Bid, Flag, Item
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
}  # fmt: skip
FILLS = {
    "": "", "option": N_("its own option"), "median": N_("median of the other bids"), "catalog": N_("catalog price"),
    "none": N_("no price known"),
}  # fmt: skip
CRITERIA = {
    "price": N_("Price"), "throughput": N_("Throughput"), "rules": N_("Rules"), "power": N_("Power use"),
    "delivery": N_("Delivery"), "warranty": N_("Warranty"),
}  # fmt: skip


def role(_: Words, code: str) -> str:
    return _(ROLES.get(code, code))


def title(_: Words, x: Item) -> str:
    """What an item is: its part, else the kind of service."""
    return x.title or role(_, x.role)


def named(b: Bid) -> str:
    """`A  Vendor`, by the file where no vendor is named."""
    return f"{b.id}  {b.vendor or b.source}"


def is_open(b: Bid) -> bool:
    """Whether a bid can't be awarded for what could not be read or judged alone: nothing of it is known to fail."""
    t = b.technical
    fails = bool(t.still_failed) or not (t.runs or t.not_judged or b.apart)
    return not (b.responsive or fails or any(flag.code == "expired" for flag in b.flags))


def distance(_: Words, b: Bid) -> str:
    """`12.3 % above the cheapest build this fast`."""
    t = b.technical
    if b.apart:
        return _("not comparable")
    if not t.runs and t.not_judged:
        return _("not judged")
    if not t.runs:
        return _("runs nothing") if t.build else _("no build")
    if t.above_percent is None:
        return _("no build of the catalog is this fast") if t.cheapest_proven else _("not proven in the time given")
    if t.above_percent < 0:
        return _("{percent} % below the cheapest build this fast", percent=f"{-t.above_percent:f}")
    return _("{percent} % above the cheapest build this fast", percent=f"{t.above_percent:f}")


def amount(x: Decimal | None) -> str:
    return "–" if x is None else f"{x:,f}"


def first_of(flags: Sequence[Flag]) -> list[Flag]:
    """Marks that are told before anything else: why a bid can't be compared."""
    return [flag for flag in flags if flag.code.startswith(("time-money", "price-list", "unread", "no-rate"))]
