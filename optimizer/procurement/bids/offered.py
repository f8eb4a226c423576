"""What stands as a bid: a quote that the reader read, a point of a result of dsopt, or a file that can't be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

from catalogs.errors import Fault
from catalogs.load import Catalog
from optimizer.procurement.bids.basis import OTHER, ROLES, Terms
from optimizer.procurement.bids.schema import PricedLine
from optimizer.procurement.bids.texts import lead_of, warranty_of
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


def lines_of(x: FromResult, catalog: Catalog, terms: Terms) -> list[PricedLine]:
    """The bill of materials of a point, and its support; net of tax."""
    out = []
    factor_of = x.point.cost.currency
    for row, line in enumerate(x.point.bom, 1):
        if line.role == "included":
            continue
        known = catalog.parts.get(line.part)
        price = Decimal(line.unit_price)
        net = terms.net(line.qty * price, Decimal(0), factor_of, x.source)
        out.append(
            PricedLine(
                row=row, text=line.name, part=line.part if known else None,
                role=ROLES.get(known.kind, known.kind).value if known else OTHER, pieces=line.qty,
                qty=Decimal(line.qty), price=price, per=1, currency=factor_of, tax_in_price=Decimal(0), net=net,
                stated_total=Decimal(line.line_total), state="included",
            )
        )  # fmt: skip
    if support := Decimal(x.point.cost.support):
        net = terms.net(support, Decimal(0), factor_of, x.source)
        out.append(
            PricedLine(
                row=len(x.point.bom) + 1, text="Support", part=None, role="warranty", pieces=None, qty=Decimal(1),
                price=support, per=1, currency=factor_of, tax_in_price=Decimal(0), net=net, stated_total=support,
                state="included",
            )
        )  # fmt: skip
    return out


def head_of(name: str, q: Offered, lines: Sequence[PricedLine]) -> dict[str, Any]:
    """What a bid says of itself: numbers, dates, sums as stated."""
    if isinstance(q, Unread):
        said_nothing = ("quote_date", "valid_until", "tax_rate", "stated_total", "computed_total", "lead_days",
                        "warranty_months")  # fmt: skip
        return {
            "id": name, "source": q.source, "kind": "unread", "vendor": "", "quote_no": "", "currency": "",
            "tax": "unknown", **dict.fromkeys(said_nothing),
        }  # fmt: skip
    if isinstance(q, FromResult):
        leads = [item.lead_time_days for item in q.point.bom if item.lead_time_days is not None]
        total = Decimal(q.point.cost.total)
        return {
            "id": name, "source": q.source, "kind": "result", "vendor": f"dsopt {q.point.id}", "quote_no": "",
            "quote_date": q.result.request.as_of, "valid_until": None, "currency": q.point.cost.currency, "tax": "net",
            "tax_rate": None, "stated_total": total, "computed_total": total, "lead_days": max(leads, default=None),
            "warranty_months": None,
        }  # fmt: skip
    stated = _stated_total(q)
    gross = stated is not None and _basis_of(stated, q) == "gross"
    return {
        "id": name, "source": q.source, "kind": "quote", "vendor": q.vendor, "quote_no": q.quote_no,
        "quote_date": q.quote_date, "valid_until": q.valid_until, "currency": q.currency, "tax": q.tax,
        "tax_rate": q.tax_rate, "stated_total": stated.amount if stated else None,
        "computed_total": _computed(lines, q, gross), "lead_days": lead_of(q), "warranty_months": warranty_of(q),
    }  # fmt: skip


def _stated_total(q: Quote) -> Total | None:
    """The last sum of the whole."""
    return next((t for t in reversed(q.totals) if t.kind in WHOLE), None)


def _basis_of(t: Total, q: Quote) -> Literal["net", "gross", "unknown"]:
    """Of a sum: by its label, else gross below a line of tax."""
    if t.kind != "total":
        return "gross" if t.kind == "total_gross" else "net"
    if t.tax != "unknown":
        return t.tax
    return "gross" if any(total.kind == "tax" and total.row < t.row for total in q.totals) else q.tax


def _computed(lines: Sequence[PricedLine], q: Quote, gross: bool) -> Decimal | None:
    """Quantities x unit prices in the file's own currency, on the basis of its sum; None for mixed currencies."""
    firm = [line for line in lines if line.state == "included"]
    if len({x.currency for x in firm}) > 1:
        return None
    total = Decimal(0)
    for x in firm:
        net = x.qty * x.price / x.per / (1 + x.tax_in_price)
        rate = x.tax_in_price or (q.tax_rate or Decimal(0)) / 100
        total += net * (1 + rate) if gross else net
    return total.quantize(Decimal("0.01"), ROUND_HALF_UP)
