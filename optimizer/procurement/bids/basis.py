"""Lines of bids on one basis: one currency, net of tax, rounded once per line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

from catalogs.errors import Fault, InputError
from catalogs.inputs import shipped_rows
from catalogs.load import Catalog
from catalogs.schema import Kind
from constraints.exchange import ExchangeRate, half_up
from optimizer.procurement.bids.schema import PricedLine
from optimizer.procurement.reading import row_words
from optimizer.procurement.reading.document import Line, Quote, Total

DATA = Path(__file__).parent / "data"
ROLES = {Kind.SYSTEM: Kind.PLATFORM, Kind.GPU_BOARD: Kind.GPU}
"""Kinds that serve the same end in a bid: a complete system stands where others offer a platform, a board of GPUs where
others offer GPUs."""
SHIFTS = tuple(Decimal(10) ** k for k in (-3, -2, -1, 1, 2, 3))
OTHER = "other"
SERVICE = "service"
DISCOUNT = "discount"


@dataclass(frozen=True)
class Terms:
    """What all bids are put on. `tax` in percent is that of the totals, `unsaid_tax` that of gross prices whose rate is
    not said: the buyer's, never what another bid states."""

    currency: str
    digits: int
    tax: Decimal
    as_of: date
    outlier: Decimal
    rates: Mapping[str, ExchangeRate]
    unsaid_tax: Decimal = Decimal(0)

    def rounded(self, amount: Decimal | Fraction) -> Decimal:
        """Whole minor units, half up."""
        return Decimal(half_up(Fraction(amount) * 10**self.digits)).scaleb(-self.digits)

    def net(self, amount: Decimal | Fraction, tax_in_it: Decimal, currency: str, source: str) -> Decimal:
        """A stated amount on the common basis: made net of tax and converted, rounded once; raises as `rate`."""
        return self.rounded(Fraction(amount) / (1 + Fraction(tax_in_it)) * self.rate(currency, source))

    def without_rate(self, currencies: Iterable[str]) -> list[str]:
        """Those of the currencies that can't be brought into the comparison's."""
        return [c for c in currencies if c != self.currency and not {c, self.currency} <= self.rates.keys()]

    def rate(self, currency: str, source: str) -> Fraction:
        """Units of the comparison's currency per unit of another, exact; raises InputError for one without a rate."""
        if currency == self.currency:
            return Fraction(1)
        for code in (currency, self.currency):
            if code not in self.rates:
                remedy = "Give it with --fx (currency,usd_per_unit,date,source, or units_per_usd)."
                raise InputError(
                    Fault("no-rate", "no exchange rate for its currency", source, value=code, remedy=remedy)
                )
        return self.rates[currency].usd / self.rates[self.currency].usd


@cache
def service_words() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(kind of service, its words) of data/service_words.csv, in the order of the file."""
    out: dict[str, tuple[str, ...]] = {}
    for row in shipped_rows(DATA / "service_words.csv"):
        more = (row_words.folded(word) for word in row["words"].split("|"))
        out[row["kind"]] = (*out.get(row["kind"], ()), *more)
    return tuple(out.items())


def service(text: str) -> str:
    """Kind of a service by its words: freight, installation, warranty, licence, training; else `service`."""
    plain = row_words.folded(text)
    for kind, known in service_words():
        if any(stands(w, plain) for w in known):
            return kind
    return SERVICE


def stands(word: str, text: str, *, whole: bool = False) -> bool:
    """Whether a word begins in a text (and ends there: `whole`); Chinese and Japanese need no gap."""
    before = r"(?<![a-zà-öø-ÿ])" if word[0].isascii() else ""
    after = r"(?![a-zà-öø-ÿ])" if whole and word[-1].isascii() and word[-1].isalpha() else ""
    return re.search(before + re.escape(word) + after, text) is not None


def priced(quote: Quote, catalog: Catalog, terms: Terms) -> list[PricedLine]:
    """Every line of a quote on the common basis, and what its discounts on the whole take off.

    Where quantity x unit price is not the line's total, the product counts, unless the unit price is off by a power of
    ten (Ministry of Finance of China, decree 87 of 2017, article 59). Raises InputError for a currency without rate."""
    return [
        *(_line(line, quote, catalog, terms) for line in quote.lines),
        *(_discount(total, quote, terms) for total in quote.totals if total.kind == "discount"),
    ]


def currencies_of(quote: Quote, terms: Terms) -> list[str]:
    """Currencies in which a quote states prices, its own first; that of the comparison where it names none."""
    own = quote.currency or terms.currency
    return list(dict.fromkeys((own, *(line.currency for line in quote.lines if line.currency))))


def _tax_in(tax: str, rate: Decimal | None, quote: Quote, terms: Terms) -> Decimal:
    """Share of tax in a stated price."""
    if tax != "gross":
        return Decimal(0)
    percent = rate if rate is not None else quote.tax_rate
    return (terms.unsaid_tax if percent is None else percent) / 100


def _discount(total: Total, quote: Quote, terms: Terms) -> PricedLine:
    currency = quote.currency or terms.currency
    rate = _tax_in(total.tax if total.tax != "unknown" else quote.tax, total.rate, quote, terms)
    off = -abs(total.amount)
    return PricedLine(
        row=total.row, text=total.label, part=None, role=DISCOUNT, pieces=None, qty=Decimal(1), price=off, per=1,
        currency=currency, tax_in_price=rate, net=terms.net(off, rate, currency, quote.source),
        stated_total=total.amount, state="included",
    )  # fmt: skip


def _line(line: Line, quote: Quote, catalog: Catalog, terms: Terms) -> PricedLine:
    state = "optional" if line.optional else "on_request" if line.on_request else "included"
    part = line.matched.part
    qty, price, per, tax = _stated(line)
    currency = line.currency or quote.currency or terms.currency
    rate = _tax_in(tax, line.tax_rate, quote, terms)
    if price is None:
        qty, price, per = Decimal(1), Decimal(0), 1
        state = "on_request" if state == "included" and not line.included else state
    net = terms.net(Fraction(qty) * Fraction(price) / per, rate, currency, quote.source)
    return PricedLine(
        row=line.row, text=_text(line), part=part,
        role=ROLES.get(catalog.parts[part].kind, catalog.parts[part].kind).value if part else _role(line),
        pieces=line.pieces, qty=qty, price=price, per=per, currency=currency, tax_in_price=rate, net=net,
        stated_total=line.line_total, state=state,  # type: ignore[arg-type]
    )  # fmt: skip


def _stated(line: Line) -> tuple[Decimal, Decimal | None, int, str]:
    """(quantity, price, pieces per price, tax basis of the price): by unit price, else the line's total at 1."""
    if line.included:
        return line.qty or Decimal(1), Decimal(0), 1, "net"
    rounded = any(issue.code == "unit-price-rounded" for issue in line.issues)
    if line.unit_price is not None and line.qty is not None and not (rounded or _shifted(line)):
        return line.qty, line.unit_price * line.periods, line.pack if line.priced_per_pack else 1, line.tax
    return Decimal(1), line.line_total, 1, line.total_tax


def _shifted(line: Line) -> bool:
    """Whether the unit price has its decimal point in a wrong place: then the line's total counts (article 59)."""
    if not (line.unit_price and line.qty and line.line_total) or line.tax != line.total_tax:
        return False
    ratio = line.line_total / (line.qty * line.unit_price / (line.pack if line.priced_per_pack else 1))
    return ratio in SHIFTS


def _role(line: Line) -> str:
    """Kind of a service by its text, else by its part number: `NVIDIA AI Enterprise licence`, `5 years`."""
    if line.role != "service":
        return OTHER
    found = service(line.text)
    return found if found != SERVICE else service(line.part_number)


def _text(line: Line) -> str:
    return " ".join(t for t in dict.fromkeys((line.part_number, line.text)) if t)[:200]
