"""A board that takes the place of another does not cost less than it: where it does in a catalog, a price is wrong.

Boards are sold inside servers, so most of their prices are estimates of their own (benchmarks/prices/fit.py); the one
order that holds without a price list is that of generations: nobody buys the predecessor for more than the successor.
"""

from __future__ import annotations

from catalogs.errors import Fault, Faults
from catalogs.load import Catalog
from catalogs.schema import GpuBoard, Kind
from constraints.policy import Policy
from constraints.prices.price_book import price_book
from constraints.request import Request

MODEL = "v3-671b"
"""Prices know no model; a request names one."""


def below_predecessor(catalog: Catalog) -> Faults:
    """A fault for each new board that is cheaper than its `predecessor`, both priced as `solve` prices them on the
    newest day of the catalog, net of tax, in USD. Boards without a price have no order."""
    faults = Faults()
    days = [offer.date for offers in catalog.offers.values() for offer in offers]
    if not days:
        return faults
    book = price_book(catalog, Request(model=MODEL, market="any", as_of=max(days)), Policy())
    for board in catalog.of(Kind.GPU_BOARD):
        if not isinstance(board, GpuBoard) or not board.predecessor:
            continue
        new, old = (book.prices.get(part) for part in (board.id, board.predecessor))
        if new is None or old is None or new.cents >= old.cents:
            continue
        offer = new.offer.id if new.offer else ""
        faults.append(
            Fault(
                "below-predecessor",
                f"{board.id} at {new.cents / 100:,.2f} USD costs less than its predecessor {board.predecessor} "
                f"({old.cents / 100:,.2f} USD)",
                "offers.csv", None, "price", offer,
                "Correct the older of the two prices; take an estimate from published servers that hold the board.",
            )
        )  # fmt: skip
    return faults
