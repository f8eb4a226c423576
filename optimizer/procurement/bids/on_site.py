"""What no bid of a tender offers and the buyer does not demand stands on his site: the same for every bid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from catalogs.load import Catalog
from catalogs.message import N_
from catalogs.schema import Kind
from constraints.request import Request
from optimizer.procurement.bids.offered import FromResult, Offered
from optimizer.procurement.bids.scope import Scope
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.xray.open_lines import open_of

Gear = Literal["racks", "network"]
OF_GEAR: dict[Gear, frozenset[Kind]] = {
    "racks": frozenset({Kind.RACK, Kind.PDU}),
    "network": frozenset({Kind.SWITCH}),
}
"""What the buyer may have (--have) -> the categories that make it up."""

SENTENCES: dict[Gear, str] = {
    "racks": N_(
        "No bid offers racks or power distribution: they are taken to be on site, the same for every bid; "
        "--demand rack,pdu asks for them."
    ),
    "network": N_(
        "No bid offers switches: the network is taken to be on site, the same for every bid; --demand switch asks for "
        "it."
    ),
}


def with_gear_on_site(request: Request, bids: Sequence[Offered], catalog: Catalog, scope: Scope) -> Request:
    """The tender's request with the gear on site that no bid offers a part of, nor may offer by the words of a line.
    What the buyer demands (`scope`) is not assumed to be there."""
    offered = frozenset(role for bid in bids for role in _roles(bid, catalog)) | scope.demanded
    there = {gear for gear, kinds in OF_GEAR.items() if not {str(kind) for kind in kinds} & offered}
    return request.model_copy(update={"have": request.have | there})


def assumed_on_site(asked: Request, judged: Request) -> tuple[str, ...]:
    """A sentence for each kind of gear that was added to what the buyer said he has."""
    return tuple(SENTENCES[gear] for gear in OF_GEAR if gear in judged.have - asked.have)


def _roles(bid: Offered, catalog: Catalog) -> Iterable[str]:
    """Categories of the parts that a bid offers, as the scope names them."""
    if isinstance(bid, FromResult):
        parts = [part.part for part in bid.point.shared]
    elif isinstance(bid, Quote):
        parts = [line.matched.part for line in bid.lines if line.matched.part]
        for line in open_of(bid, catalog).lines:
            yield from line.roles or ()
    else:
        parts = []
    for part in parts:
        if part in catalog.parts:
            yield str(catalog.parts[part].kind)
