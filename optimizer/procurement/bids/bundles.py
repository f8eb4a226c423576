"""One price for several lines, split over them by the catalog's prices, so that they are compared item by item."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from catalogs.schema import Kind
from constraints.exchange import minor_digits
from optimizer.market.market import Market
from optimizer.procurement.bids.basis import Terms
from optimizer.procurement.bids.schema import PricedLine
from optimizer.procurement.reading.document import Quote
from optimizer.procurement.xray.prices import catalog_cents


def split(lines: Sequence[PricedLine], quote: Quote, market: Market, terms: Terms) -> list[PricedLine]:
    """The lines of a bid with the price of each bundle on the lines that it holds; a head that is no part falls away.

    Lines that the catalog does not price keep nothing; a bundle of which it prices nothing stays as it is. The shares
    sum to the bundle's price to the minor unit."""
    out = {id(line): line for line in lines}
    of_row: dict[int, list[PricedLine]] = {}
    for line in lines:
        of_row.setdefault(line.row, []).append(line)
    by_row = {row: found[0] for row, found in of_row.items()}
    in_cells = {line.row for line in quote.lines if line.item}
    for head in (by_row[line.row] for line in quote.lines if line.holds or (line.row in in_cells and not line.item)):
        if head.part and market.catalog.parts[head.part].kind is Kind.SYSTEM:
            continue  # what a complete system contains is told apart elsewhere
        held = [by_row[r] for line in quote.lines if line.row == head.row for r in line.holds if r in by_row]
        held += of_row[head.row][1:] if head.row in in_cells else []
        priced = [(x, cents) for x in (head, *held) if (cents := _worth(x, market))]
        if not priced or head.state != "included":
            continue
        if head.part is None:
            del out[id(head)]
        for (x, _), share in zip(priced, _shares(head, [cents for _, cents in priced]), strict=True):
            net = terms.net(share, head.tax_in_price, head.currency, quote.source)
            out[id(x)] = x.model_copy(
                update={
                    "qty": Decimal(1), "price": share, "per": 1, "currency": head.currency, "net": net,
                    "tax_in_price": head.tax_in_price, "state": "included", "stated_total": None,
                }
            )  # fmt: skip
    return list(out.values())


def _worth(line: PricedLine, market: Market) -> int:
    """What the catalog asks for a line, in minor units; 0 where it has no price."""
    return (catalog_cents(market, line.part, line.pieces or 1)[0] or 0) if line.part else 0


def _shares(head: PricedLine, worth: Sequence[int]) -> list[Decimal]:
    """The head's price by worth, in whole minor units of its currency but for what the price itself has beyond."""
    amount = head.qty * head.price / head.per
    unit = Decimal(1).scaleb(-minor_digits(head.currency))
    ends = [(amount * sum(worth[: i + 1]) / sum(worth)).quantize(unit) for i in range(len(worth) - 1)]
    return [b - a for a, b in zip([Decimal(0), *ends], [*ends, amount], strict=True)]
