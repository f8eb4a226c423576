"""What stands as a bid: a quote that the reader read, a point of a result of dsopt, or a file that can't be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from catalogs.errors import Fault
from catalogs.load import Catalog
from optimizer.procurement.bids.basis import OTHER, ROLES, Terms
from optimizer.procurement.bids.lead_and_warranty import lead_of, warranty_of
from optimizer.procurement.bids.schema import PricedLine
from optimizer.procurement.reading.document import WHOLE, Quote, Total
from optimizer.result.point_schema import FrontPoint
from optimizer.result.schema import Result


@dataclass(frozen=True)
class FromResult:
    """A point of a result of dsopt that stands as a bid; `source` is its file."""

    source: str
    result: Result
    point: FrontPoint


@dataclass(frozen=True)
class Unread:
    """A bid's file that can't be read, or that holds no bid; `faults` say why."""

    source: str
    faults: tuple[Fault, ...]


Offered = Quote | FromResult | Unread


def lines_of(from_result: FromResult, catalog: Catalog, terms: Terms) -> list[PricedLine]:
    """The bill of materials of a point, and its support; net of tax."""
    out = []
    factor_of = from_result.point.cost.currency
    for row, line in enumerate(from_result.point.bom, 1):
        if line.role == "included":
            continue
        known = catalog.parts.get(line.part)
        price = Decimal(line.unit_price)
        net = terms.net(line.qty * price, Decimal(0), factor_of, from_result.source)
        out.append(
            PricedLine(
                row=row,
                text=line.name,
                part=line.part if known else None,
                role=ROLES.get(known.kind, known.kind).value if known else OTHER,
                pieces=line.qty,
                qty=Decimal(line.qty),
                price=price,
                per=1,
                currency=factor_of,
                tax_in_price=Decimal(0),
                net=net,
                stated_total=Decimal(line.line_total),
                state="included",
            )
        )
    if support := Decimal(from_result.point.cost.support):
        net = terms.net(support, Decimal(0), factor_of, from_result.source)
        out.append(
            PricedLine(
                row=len(from_result.point.bom) + 1,
                text="Support",
                part=None,
                role="warranty",
                pieces=None,
                qty=Decimal(1),
                price=support,
                per=1,
                currency=factor_of,
                tax_in_price=Decimal(0),
                net=net,
                stated_total=support,
                state="included",
            )
        )
    return out


def head_of(name: str, offered: Offered, lines: Sequence[PricedLine]) -> dict[str, Any]:
    """What a bid says of itself: numbers, dates, sums as stated."""
    if isinstance(offered, Unread):
        said_nothing = (
            "quote_date",
            "valid_until",
            "tax_rate",
            "stated_total",
            "computed_total",
            "lead_days",
            "warranty_months",
        )
        return {
            "id": name,
            "source": offered.source,
            "kind": "unread",
            "vendor": "",
            "quote_no": "",
            "currency": "",
            "tax": "unknown",
            **dict.fromkeys(said_nothing),
        }
    if isinstance(offered, FromResult):
        leads = [item.lead_time_days for item in offered.point.bom if item.lead_time_days is not None]
        total = Decimal(offered.point.cost.total)
        return {
            "id": name,
            "source": offered.source,
            "kind": "result",
            "vendor": f"dsopt {offered.point.id}",
            "quote_no": "",
            "quote_date": offered.result.request.as_of,
            "valid_until": None,
            "currency": offered.point.cost.currency,
            "tax": "net",
            "tax_rate": None,
            "stated_total": total,
            "computed_total": total,
            "lead_days": max(leads, default=None),
            "warranty_months": None,
        }
    stated = _stated_total(offered)
    gross = stated is not None and _basis_of(stated, offered) == "gross"
    return {
        "id": name,
        "source": offered.source,
        "kind": "quote",
        "vendor": offered.vendor,
        "quote_no": offered.quote_no,
        "quote_date": offered.quote_date,
        "valid_until": offered.valid_until,
        "currency": offered.currency,
        "tax": offered.tax,
        "tax_rate": offered.tax_rate,
        "stated_total": stated.amount if stated else None,
        "computed_total": _computed(lines, offered, gross),
        "lead_days": lead_of(offered),
        "warranty_months": warranty_of(offered),
    }


def _stated_total(quote: Quote) -> Total | None:
    """The last sum of the whole."""
    return next((total for total in reversed(quote.totals) if total.kind in WHOLE), None)


def _basis_of(t: Total, quote: Quote) -> Literal["net", "gross", "unknown"]:
    """Of a sum: by its label, else gross below a line of tax."""
    if t.kind != "total":
        return "gross" if t.kind == "total_gross" else "net"
    if t.tax != "unknown":
        return t.tax
    return "gross" if any(total.kind == "tax" and total.row < t.row for total in quote.totals) else quote.tax


def _computed(lines: Sequence[PricedLine], quote: Quote, gross: bool) -> Decimal | None:
    """Quantities x unit prices in the file's own currency, on the basis of its sum; None for mixed currencies."""
    firm = [line for line in lines if line.state == "included"]
    if len({x.currency for x in firm}) > 1:
        return None
    total = Decimal(0)
    for x in firm:
        net = x.qty * x.price / x.per / (1 + x.tax_in_price)
        rate = x.tax_in_price or (quote.tax_rate or Decimal(0)) / 100
        total += net * (1 + rate) if gross else net
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP)
