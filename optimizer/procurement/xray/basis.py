"""One basis for a quote's amounts and the catalog's: net of tax, in one currency, in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction

from catalogs.message import joined, message
from constraints.exchange import half_up, minor_digits
from constraints.prices.pricing import fx_rates
from constraints.request import Request
from optimizer.procurement.reading.document import Line, Quote, Total
from optimizer.procurement.reading.mapping import Tax
from optimizer.procurement.xray.schema import Basis

MOST_MINOR = 10**13
"""Minor units of a line beyond which it is no price but a mistake."""


@dataclass(frozen=True)
class Conversion:
    """What amounts of a quote come to in minor units of the request's currency.

    `usd`: USD per unit by currency, those of the request with the buyer's own rate for the quote's currency;
    `tax_rate` (percent) is for lines that say none."""

    quote: Quote
    request: Request
    usd: dict[str, Fraction]
    tax_rate: Decimal | None
    source: str

    @classmethod
    def of(
        cls, quote: Quote, request: Request, usd_per_unit: Decimal | Fraction | None = None,
        tax_rate: Decimal | None = None,
    ) -> Conversion:  # fmt: skip
        """`usd_per_unit` of the quote's currency and `tax_rate` (percent) are the buyer's; the quote's own rate of
        tax comes first."""
        known = {r.currency: r for r in fx_rates(request)}
        usd = {str(k): r.usd for k, r in known.items()}
        code = quote.currency
        source = f"{known[code].source}, {known[code].date}" if code in known else ""
        if usd_per_unit is not None:
            usd[code], source = Fraction(usd_per_unit), "given by the buyer"
        return cls(quote, request, usd, quote.tax_rate if quote.tax_rate is not None else tax_rate, source)

    def net(self, amount: Decimal | None, tax: Tax, rate: Decimal | None) -> Fraction | None:
        """Net amount in the quote's currency; None where the tax in it can't be told. What says nothing of tax is
        taken as net. `rate`: percent of its own, the quote's without."""
        if amount is None or tax != "gross":
            return None if amount is None else Fraction(amount)
        rate = self.tax_rate if rate is None else rate
        return None if rate is None else Fraction(amount) / (1 + Fraction(rate) / 100)

    def converted(self, net: Fraction | None, currency: str = "") -> Fraction | None:
        """A net amount of the quote in minor units, not rounded."""
        code = currency or self.quote.currency
        if net is None or code not in self.usd:
            return None
        minor = net * 10 ** minor_digits(self.request.currency)
        if code != self.request.currency:
            minor = minor * self.usd[code] / self.usd[self.request.currency]
        return minor if abs(minor) <= MOST_MINOR else None

    def line(self, x: Line) -> int | None:
        """Minor units of a whole line."""
        return rounded(self.converted(self.net(x.amount, x.total_tax, x.tax_rate), x.currency))

    def rebate(self, total: Total) -> int | None:
        """Minor units, below 0, of a discount on the whole."""
        tax = total.tax if total.tax != "unknown" else self.quote.tax
        return rounded(self.converted(self.net(-abs(total.amount), tax, total.rate)))

    def facts(self) -> Basis:
        """The basis in figures and words."""
        quote, code = self.quote, self.quote.currency
        usd = self.usd.get(code)
        rate = self.tax_rate
        by_line = all(line.tax_rate is not None for line in quote.lines if line.tax == "gross")
        words = {
            "net": "The quote's prices are net of tax",
            "gross": message("The quote's prices hold {percent} % tax, taken out", percent=f"{rate:f}")
            if rate is not None
            else "The quote's prices hold tax at the rate of each line, taken out" if by_line
            else "The quote's prices hold tax, of no known rate: they can't be compared (--tax 19%)",
            "unknown": "The quote does not say whether its prices hold tax: they are taken as net",
        }  # fmt: skip
        clauses = [words[quote.tax]]
        several = sorted({line.currency for line in quote.lines if line.currency})
        if not code and len(several) > 1:
            currencies = joined(several)
            clauses.append(message("its lines are in {currencies}, each taken at its own rate", currencies=currencies))
        elif not code:
            clauses.append("it names no currency, so no price can be compared (currency in --map)")
        elif usd is None:
            clauses.append(
                message(
                    "no exchange rate of {code} is known, so no price can be compared (--rate USD_PER_{code})",
                    code=code,
                )
            )
        elif code != self.request.currency:
            per = self.usd[code] / self.usd[self.request.currency]
            clauses.append(
                message(
                    "at 1 {code} = {rate} {unit} ({source})",
                    code=code, rate=_shown(per), unit=self.request.currency, source=self.source,
                )
            )  # fmt: skip
        return Basis(
            currency=self.request.currency,
            quote_currency=code,
            usd_per_quote_unit=None if usd is None else _shown(usd),
            usd_per_unit=_shown(self.usd[self.request.currency]),
            rate_source=self.source,
            tax=quote.tax,
            tax_rate=None if rate is None else f"{rate:f}",
            text=joined([joined(clauses, "; "), "All amounts below are net."], ". "),
        )


def _shown(rate: Fraction) -> str:
    """A rate to 12 digits, as short as that makes it."""
    with localcontext(prec=12):
        return f"{(Decimal(rate.numerator) / rate.denominator).normalize():f}"


def rounded(minor: Fraction | None) -> int | None:
    """Half up."""
    return None if minor is None else half_up(minor)
