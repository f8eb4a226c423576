"""A purchase order per bidder that gets something: its lines at the prices that it quoted, in its own currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from catalogs.errors import Fault, InputError
from constraints.exchange import half_up, minor_digits
from optimizer.procurement.award.schema import Award, Order
from optimizer.procurement.bids.schema import Basis, Bid, Comparison, PricedLine

UNIT_PLACES = Decimal("0.000001")
"""Net unit prices: what is quoted with tax in it has no whole cents without."""
NAME = re.compile(r"[\w.\-]{1,60}", re.ASCII)


@dataclass(frozen=True)
class OrderLine:
    """A line as ordered, net of tax, in the order's currency. `unit_net` is rounded to 6 places, `net` counts."""

    row: int
    part: str
    text: str
    qty: Decimal
    unit_net: Decimal
    net: Decimal
    tax_percent: Decimal


@dataclass(frozen=True)
class PurchaseOrder:
    """An order to one bidder. net = goods - rebate + freight. `due`: the day of the order and the
    bid's lead time. `converted`: rebate and freight, or all of it, were put
    into its currency at the comparison's exchange rates."""

    number: str
    day: date
    bid: str
    buyer: str
    vendor: str
    quote_no: str
    quote_date: date | None
    currency: str
    lines: tuple[OrderLine, ...]
    goods: Decimal
    rebate: Decimal
    freight: Decimal
    tax: Decimal
    converted: bool
    due: date | None

    @property
    def net(self) -> Decimal:
        return self.goods - self.rebate + self.freight

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax

    @property
    def digits(self) -> int:
        return minor_digits(self.currency)


def purchase_orders(award: Award, comparison: Comparison, number: str = "", buyer: str = "") -> list[PurchaseOrder]:
    """An order for each bidder of the award. Raises InputError for a number that names no file."""
    stem = number or f"PO-{award.basis.as_of:%Y%m%d}"
    if not NAME.fullmatch(stem):
        remedy = "Letters, digits, points and hyphens, 60 at most."
        raise InputError(Fault("bad-number", "names no file", column="--number", value=stem[:80], remedy=remedy))
    bids = {bid.id: bid for bid in comparison.bids}
    return [_order(f"{stem}-{order.bid}", order, bids[order.bid], award.basis, buyer) for order in award.orders]


def _order(number: str, order: Order, bid: Bid, basis: Basis, buyer: str) -> PurchaseOrder:
    found = _ordered(order, bid)
    currencies = {line.currency for line in found}
    own = currencies.pop() if len(currencies) == 1 else basis.currency
    lines = tuple(_line(line, own, basis) for line in found)
    rate = _rate(own, basis)
    rebate = _rounded((Fraction(order.rebate) + Fraction(order.whole_rebate)) / rate, own)
    freight = _rounded(Fraction(order.freight) / rate, own)
    return PurchaseOrder(
        number=number, day=basis.as_of, bid=bid.id, buyer=buyer, vendor=bid.vendor or bid.source,
        quote_no=bid.quote_no, quote_date=bid.quote_date, currency=own, lines=lines,
        goods=sum((line.net for line in lines), Decimal(0)), rebate=rebate, freight=freight,
        tax=_tax(lines, freight - rebate, basis, own),
        due=None if bid.lead_days is None else basis.as_of + timedelta(days=bid.lead_days),
        converted=own != basis.currency and bool(order.rebate or order.whole_rebate or order.freight),
    )  # fmt: skip


def _ordered(order: Order, bid: Bid) -> list[PricedLine]:
    """The bid's lines of what it is awarded: firm ones, its options where the award took those."""
    out: list[PricedLine] = []
    for number in order.lines:
        firm = [x for x in bid.lines if x.item == number and x.state == "included" and x.net >= 0]
        out += firm or [x for x in bid.lines if x.item == number and x.state == "optional"]
    return out


def _line(line: PricedLine, own: str, basis: Basis) -> OrderLine:
    unit = Fraction(line.price) / line.per / (1 + Fraction(line.tax_in_price))
    if line.currency != own:
        unit = unit * _rate(line.currency, basis) / _rate(own, basis)
    percent = line.tax_in_price * 100 if line.tax_in_price else basis.tax_percent
    shown = Decimal(half_up(unit / Fraction(UNIT_PLACES))) * UNIT_PLACES
    return OrderLine(
        line.row, line.part or "", line.text, line.qty, shown, _rounded(unit * Fraction(line.qty), own), percent
    )


def _rate(currency: str, basis: Basis) -> Fraction:
    """Units of the comparison's currency for one of another."""
    if currency == basis.currency:
        return Fraction(1)
    rates = {rate.currency: rate.usd for rate in basis.rates}
    return rates[currency] / rates[basis.currency]


def _rounded(amount: Fraction, currency: str) -> Decimal:
    digits = minor_digits(currency)
    return Decimal(half_up(amount * 10**digits)).scaleb(-digits)


def taxed(lines: Sequence[OrderLine], extra: Decimal, currency: str) -> list[tuple[Decimal, Decimal, Decimal]]:
    """(percent, taxable amount, tax) by rate; freight less rebates stand at the rate of most goods."""
    by_rate: dict[Decimal, Decimal] = {}
    for line in lines:
        by_rate[line.tax_percent] = by_rate.get(line.tax_percent, Decimal(0)) + line.net
    main = max(by_rate, key=lambda percent: (by_rate[percent], percent))
    by_rate[main] += extra
    unit = Decimal(1).scaleb(-minor_digits(currency))
    return [
        (percent, net, (net * percent / 100).quantize(unit, ROUND_HALF_UP)) for percent, net in sorted(by_rate.items())
    ]


def _tax(lines: Sequence[OrderLine], extra: Decimal, basis: Basis, currency: str) -> Decimal:
    return sum((tax for _, _, tax in taxed(lines, extra, currency)), Decimal(0)) if lines else Decimal(0)
